"""The options of a mock: one table, for keywords, marks, ini options, README and ``--help``.

This module is imported with every pytest run, so what an option needs is imported when it is used.
"""

import os
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple, TypedDict, cast, get_args, get_origin

from kmsmock.aws.arns import is_account_id
from kmsmock.aws.services import ANSWERED, MOCKED, ONLY_BESIDE

Reader = Callable[[str, Any], Any]


def _read_as_it_is(_: str, value: Any) -> Any:
    return value


def _must_be(words: str, test: Callable[[Any], object]) -> Reader:
    """Give a reader that takes values as they are. words: what they must be."""

    def read(name: str, value: Any) -> Any:
        if not test(value):
            raise TypeError(f"{name} must be {words}, not {value!r}")
        return value

    return read


def _read_region(name: str, value: Any) -> str:
    from kmsmock.aws.arns import is_region

    if not isinstance(value, str) or not is_region(value):
        raise TypeError(f"{name} must be one such as eu-west-1, not {value!r}")
    return value


def _read_services(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple, set, frozenset)):
        raise TypeError(f"{name} must be a list, such as ['kms'], not {value!r}")
    for service in value:
        if service not in MOCKED:
            raise TypeError(
                f"the service {service!r} is not built in; this version answers: "
                f"{', '.join(MOCKED)}"
            )
    return tuple(value)


def _read_number(name: str, value: Any) -> int:
    number = int(value) if isinstance(value, str) and value.isdecimal() else value
    if type(number) is not int or number < 1:
        raise TypeError(f"{name} must be a number, 1 or more, not {value!r}")
    return number


def _read_prices(_: str, value: Any) -> Any:
    from kmsmock.aws.prices import Prices

    return Prices.of(value)


class Option(NamedTuple):
    """What is known of an option beside its type, which is a test of its own if it is a Literal.

    default: what holds when nothing else is said. doc: what the option does, in Markdown. ini: the
    type of the ini option ``kms_...``, as pytest's `Parser.addini` takes it; None where there is
    none. default_in_words: where the default itself would say too little. read: gives the value
    from the name and what was said; raises TypeError, or ValueError for a file. from_text: gives
    what `read` takes from the text of an ini option. is_path: texts are paths of files, which in
    marks and ini options start at pytest's root directory. is_of_tests: pytest obeys it for each
    test, whoever has made its mock. is_keyword: whether `mock_kms` takes it, not pytest alone.
    """

    default: Any
    doc: str
    ini: Literal["string", "bool", "args"] | None = "string"
    default_in_words: str | None = None
    read: Reader = _read_as_it_is
    from_text: Callable[[Any], Any] | None = None
    is_path: bool = False
    is_of_tests: bool = False
    is_keyword: bool = True


class MockOptions(TypedDict, total=False):
    """How a mock is to be. To add an option, add a member here, and use its value."""

    account_id: Annotated[
        str,
        Option(
            "123456789012",
            "the account of clients with unknown credentials",
            read=_must_be(
                "12 digits, as text",
                is_account_id,
            ),
        ),
    ]
    region: Annotated[
        str,
        Option(
            "us-east-1",
            "the default Region while active, if none is configured",
            read=_read_region,
        ),
    ]
    authorization: Annotated[
        Literal["enforced", "off"],
        Option(
            "enforced",
            'key policies, IAM policies and grants decide as on AWS; `"off"`: every principal may '
            "do everything",
        ),
    ]
    services: Annotated[
        Collection[str],
        Option(
            MOCKED,
            "which AWS services are answered, "
            + ", ".join(f'`"{name}"`' for name in ANSWERED)
            + ", and for which the part with KMS is done: "
            + ", ".join(f'`"{name}"`' for name in ONLY_BESIDE),
            ini="args",
            default_in_words="all of them",
            read=_read_services,
        ),
    ]
    seed: Annotated[
        int | str | None,
        Option(
            None,
            "an int or a text: ids, key material and timestamps become functions of it",
            read=_must_be("an int or a text", lambda value: type(value) in (int, str)),
        ),
    ]
    world: Annotated[
        str | os.PathLike[str] | Mapping[str, Any] | None,
        Option(
            None,
            "what there is from the beginning: the path of a file, or a mapping that says it",
            read=_must_be(
                "a path or a mapping",
                lambda value: isinstance(value, (str, os.PathLike, Mapping)),
            ),
            is_path=True,
        ),
    ]
    start_time: Annotated[
        datetime | None,
        Option(
            None,
            "an aware datetime, in ini files an ISO 8601 time with its offset, at which the "
            "mock's clock starts",
            default_in_words="now",
            read=_must_be(
                "an aware datetime, with a time zone",
                lambda value: isinstance(value, datetime) and value.tzinfo is not None,
            ),
            from_text=datetime.fromisoformat,
        ),
    ]
    delays: Annotated[
        Literal["kms", "all", "none"],
        Option(
            "kms",
            'what takes a while on the mock\'s clock, as on AWS: `"kms"`, keys and key stores; '
            '`"all"`, volumes, snapshots, databases and tables too; `"none"`, all is done at the '
            "next call",
        ),
    ]
    calls_kept: Annotated[
        int,
        Option(
            100_000,
            "how many records of calls are kept; older ones are only counted",
            read=_read_number,
        ),
    ]
    prices: Annotated[
        Mapping[str, Any] | str | os.PathLike[str] | None,
        Option(
            None,
            "a price list for `kms.costs`, what differs from AWS's, or a JSON file of that",
            read=_read_prices,
            is_path=True,
        ),
    ]
    wire: Annotated[
        bool,
        Option(
            default=False,
            doc="answer real HTTP, behind botocore's signing, retries and parsing",
            ini="bool",
        ),
    ]
    isolated: Annotated[
        bool,
        Option(
            default=False,
            doc="a separate world inside an active mock, as any other option makes it (no ini "
            "option)",
            ini=None,
        ),
    ]
    block_real_kms: Annotated[
        bool,
        Option(
            default=True,
            doc="keep unmocked clients away from the real KMS (pytest plugin)",
            ini="bool",
            is_of_tests=True,
        ),
    ]
    leak_check: Annotated[
        bool,
        Option(
            default=False,
            doc="fail tests that leave plaintexts in output, logs or `tmp_path` (marks and ini "
            "options alone)",
            ini="bool",
            is_of_tests=True,
            is_keyword=False,
        ),
    ]


def table() -> dict[str, Option]:
    """Give what is known of each option."""
    return {name: hint.__metadata__[0] for name, hint in _hints().items()}


def complete(given: Mapping[str, Any]) -> MockOptions:
    """Give all options: as given, or else as the run is configured, or else the defaults.

    Raises TypeError for an unknown option, which names those that there are, and for a value that
    cannot be; ValueError for a price list that cannot be read.
    """
    known = table()
    unknown = next((name for name in given if name not in known), None)
    if unknown is not None:
        raise TypeError(f"mock_kms has no option {unknown!r}; it has {', '.join(sorted(known))}")
    defaults = {name: option.default for name, option in known.items()}
    values = {name: _read(name, value) for name, value in given.items()}
    return cast(MockOptions, {**defaults, **_configured, **values})


def configure(given: Mapping[str, Any]) -> dict[str, Any]:
    """Set what holds for all mocks of this process that do not say otherwise.

    Gives what held before. Raises as `complete`.
    """
    global _configured  # noqa: PLW0603 - the configuration of the run
    before = _configured
    _configured = {name: value for name, value in complete(given).items() if name in given}
    return before


#: What the configuration of the run says.
_configured: dict[str, Any] = {}


def _hints() -> dict[str, Any]:
    return MockOptions.__annotations__


def _read(name: str, value: Any) -> Any:
    hint = _hints()[name]
    kind, option = hint.__origin__, hint.__metadata__[0]
    if value is None and option.default is None:
        return None
    is_literal = get_origin(kind) is Literal
    choices = (True, False) if kind is bool else get_args(kind) if is_literal else ()
    if choices and value not in choices:
        raise TypeError(f"{name} must be {' or '.join(map(repr, choices))}, not {value!r}")
    return option.read(name, value)
