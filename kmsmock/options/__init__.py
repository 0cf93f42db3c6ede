"""The table of options, for keyword arguments, marks, ini options, README and ``--help``.

Imported in every pytest run, so an option's own imports are inside of functions.
"""

import os
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple, TypedDict, cast, get_args, get_origin

from kmsmock.aws.arns import is_account_id
from kmsmock.aws.services import ANSWERED, MOCKED, ONLY_BESIDE
from kmsmock.misuse.suggestions import did_you_mean
from kmsmock.misuse.surrogates import find_lone_surrogate
from kmsmock.options.readers import (
    Reader,
    parse_time,
    read_number,
    read_percentage,
    read_prices,
    read_quotas,
    read_region,
    read_services,
    read_unchanged,
    read_world,
    require,
)


class Option(NamedTuple):
    """An option; its type is in `MockOptions`, and is also checked if it is a bool or Literal."""

    #: The value if the option is not set.
    default: Any
    #: A description in Markdown.
    doc: str
    #: The type of the ini option ``kms_...``, as for pytest's `Parser.addini`; None if there is no
    #: ini option.
    ini: Literal["string", "bool", "args"] | None = "string"
    #: Replaces the default in documentation.
    default_in_words: str | None = None
    #: Converts a value, called with the name and the value; raises TypeError, or ValueError for a
    #: file.
    read: Reader = read_unchanged
    #: Converts the text of an ini option to a value for `read`.
    from_text: Callable[[Any], Any] | None = None
    #: Whether strings are paths, which in marks and ini options are relative to pytest's root
    #: directory.
    is_path: bool = False
    #: Whether it is an option of the pytest plugin for each test, and not of its mock.
    is_of_tests: bool = False
    #: Whether it is one of the whole run, which no mark can have.
    is_of_run: bool = False


class MockOptions(TypedDict, total=False):
    """The keyword arguments of `mock_kms`. To add an option, add a member, and use its value."""

    account_id: Annotated[
        str,
        Option(
            "123456789012",
            "the account of clients with unknown credentials",
            read=require("a string of 12 digits", is_account_id),
        ),
    ]
    region: Annotated[
        str | None,
        Option(
            None,
            "the Region of all clients that name none; without it, that of the environment or the "
            "profile, else `us-east-1`",
            read=read_region,
        ),
    ]
    authorization: Annotated[
        Literal["enforced", "off"],
        Option(
            "enforced",
            'key policies, IAM policies and grants are enforced as on AWS; `"off"`: every '
            "principal is allowed everything",
        ),
    ]
    services: Annotated[
        Collection[str],
        Option(
            MOCKED,
            "the AWS services beside KMS, which is always answered: those that the mock answers, "
            + ", ".join(f'`"{name}"`' for name in ANSWERED if name != "kms")
            + ", and those whose KMS calls it makes: "
            + ", ".join(f'`"{name}"`' for name in ONLY_BESIDE),
            ini="args",
            default_in_words="all of them",
            read=read_services,
        ),
    ]
    seed: Annotated[
        int | str | None,
        Option(
            None,
            "an int or a string from which ids, key material and timestamps are derived",
            read=require(
                "an int or a string of characters",
                lambda value: type(value) in (int, str) and find_lone_surrogate(value) is None,
            ),
        ),
    ]
    world: Annotated[
        str | os.PathLike[str] | Mapping[str, Any] | None,
        Option(
            None,
            "the initial state: the path of a file, or a mapping with the same content",
            read=read_world,
            is_path=True,
        ),
    ]
    start_time: Annotated[
        datetime | None,
        Option(
            None,
            "the time at which the mock's clock starts: an aware datetime, in ini files an ISO "
            "8601 time with UTC offset",
            default_in_words="now",
            read=require(
                "an aware datetime, with a time zone",
                lambda value: isinstance(value, datetime) and value.tzinfo is not None,
            ),
            from_text=parse_time,
        ),
    ]
    delays: Annotated[
        Literal["kms", "all", "none"],
        Option(
            "kms",
            'what takes a while, as on AWS: `"kms"`, changes of keys and key stores; `"all"`, also '
            'of volumes, snapshots, databases and tables; `"none"`, everything is complete at the '
            "next call",
        ),
    ]
    waiting: Annotated[
        Literal["looks", "clock"],
        Option(
            "looks",
            'when that ends: `"looks"`, at the second call that shows it, or when it is due on the '
            'mock\'s clock, whichever is first; `"clock"`, only when it is due',
        ),
    ]
    consistency: Annotated[
        Literal["strong", "eventual"],
        Option(
            "strong",
            'when calls see what others have changed: `"strong"`, at once; `"eventual"`, some '
            "nodes of KMS see new keys, aliases and grants, and changes of these, policies, tags "
            "and states late, unless the call has the grant token",
        ),
    ]
    real_sleeps: Annotated[
        bool,
        Option(
            default=False,
            doc="let botocore's waiters and retries really sleep, instead of moving the mock's "
            "clock by that time",
            ini="bool",
        ),
    ]
    calls_kept: Annotated[
        int,
        Option(
            100_000,
            "the number of records of calls that are kept; older ones are only counted",
            read=read_number,
        ),
    ]
    prices: Annotated[
        Mapping[str, Any] | str | os.PathLike[str] | None,
        Option(
            None,
            "a price list for `kms.costs`: prices that differ from AWS's, or a JSON file with them",
            read=read_prices,
            is_path=True,
        ),
    ]
    quotas: Annotated[
        bool | Mapping[str, float],
        Option(
            default=False,
            doc="throttle requests above AWS's request quotas, on the mock's clock; a dict has "
            'other values for some, `{"CreateKey": 10}` (as ini option a bool)',
            ini="bool",
            read=read_quotas,
        ),
    ]
    wire: Annotated[
        bool,
        Option(
            default=False,
            doc="answer HTTP requests, so that botocore's serializer, signer, retries and "
            "parser run",
            ini="bool",
        ),
    ]
    processes: Annotated[
        Literal["served", "blocked", "alone"],
        Option(
            "served",
            "other processes that a test starts, with its environment or a copy: they reach its "
            'mock; `"blocked"`: their calls are refused; `"alone"`: they are left alone',
        ),
    ]
    isolated: Annotated[
        bool,
        Option(
            default=False,
            doc="a separate mock with its own state inside of an active one, as with any other "
            "option (no ini option)",
            ini=None,
        ),
    ]
    with_moto: Annotated[
        bool,
        Option(
            default=False,
            doc="what is created in KMS while moto's `mock_aws` is active ends with moto's data; "
            "as ini option: each `mock_aws` starts a mock of its own where none is active",
            ini="bool",
        ),
    ]
    block_real_kms: Annotated[
        bool,
        Option(
            default=True,
            doc="block requests to the real KMS, which no mock answers: of marks and ini options "
            "as long as the pytest plugin is loaded, of a mock until it ends",
            ini="bool",
            is_of_tests=True,
        ),
    ]
    block_real_aws: Annotated[
        bool,
        Option(
            default=False,
            doc="the same for all services of AWS: block requests that neither a mock nor moto "
            "answers",
            ini="bool",
            is_of_tests=True,
        ),
    ]


class PytestOptions(TypedDict, total=False):
    """The options that only marks and ini options of pytest have, and `mock_kms` does not."""

    leak_check: Annotated[
        bool,
        Option(
            default=False,
            doc="fail tests that leave plaintexts in output, logs or `tmp_path` (marks and ini "
            "options only)",
            ini="bool",
            is_of_tests=True,
        ),
    ]
    policy_coverage: Annotated[
        bool,
        Option(
            default=False,
            doc="measure which statements of policies decide the calls of tests, as "
            "`--kms-policy-coverage` does; `False` in a mark leaves its tests out (marks and ini "
            "options only)",
            ini="bool",
            is_of_tests=True,
        ),
    ]
    policy_fail_under: Annotated[
        float | None,
        Option(
            None,
            "fail a run in which fewer percent of the statements of policies have decided "
            "something, as `--kms-policy-fail-under` does (ini option only)",
            read=read_percentage,
            is_of_run=True,
        ),
    ]
    policy_baseline: Annotated[
        str | os.PathLike[str] | None,
        Option(
            None,
            "fail a run that covers less of its policies than this file allows, as "
            "`--kms-policy-baseline` does (ini option only)",
            read=require("a path", lambda value: isinstance(value, (str, os.PathLike))),
            is_path=True,
            is_of_run=True,
        ),
    ]


def table() -> dict[str, Option]:
    """Return option name -> `Option`."""
    return {name: hint.__metadata__[0] for name, hint in _hints().items()}


def complete(options: Mapping[str, Any]) -> MockOptions:
    """Return all options: those passed, else those of the run's configuration, else the defaults.

    Raises TypeError for an unknown option, with the names of all options, and for an invalid value;
    ValueError for a price list that cannot be read.
    """
    known = table()
    unknown = next((name for name in options if name not in known), None)
    if unknown is not None:
        raise TypeError(
            f"mock_kms has no option {unknown!r}; it has {', '.join(sorted(known))}"
            f"{did_you_mean(unknown, known)}"
        )
    defaults = {name: option.default for name, option in known.items()}
    values = {name: read_option(name, value) for name, value in options.items()}
    return cast(MockOptions, {**defaults, **_configured, **values})


def configure(options: Mapping[str, Any]) -> dict[str, Any]:
    """Set default options for all mocks of this process; return the previous ones.

    Raises the same errors as `complete`.
    """
    global _configured  # noqa: PLW0603 - the configuration of the run
    before = _configured
    _configured = {name: value for name, value in complete(options).items() if name in options}
    return before


def set_configured(name: str, value: Any) -> None:
    """Set the default of one option until `configure` is called again; the value must be valid."""
    _configured[name] = value


#: The options in the configuration of the run.
_configured: dict[str, Any] = {}


def _hints() -> dict[str, Any]:
    return {**MockOptions.__annotations__, **PytestOptions.__annotations__}


def read_option(name: str, value: Any) -> Any:
    """Return the value of an option, checked and converted. Raises the errors of `complete`."""
    option = _hints()[name].__metadata__[0]
    if value is None and option.default is None:
        return None
    choices = list_choices(name)
    if choices and value not in choices:
        texts = [choice for choice in choices if isinstance(choice, str)]
        raise TypeError(
            f"{name} must be {' or '.join(map(repr, choices))}, not {value!r}"
            f"{did_you_mean(value, texts)}"
        )
    return option.read(name, value)


def list_choices(name: str) -> tuple[Any, ...]:
    """Return the values that an option can have; empty if these are not a few."""
    kind = _hints()[name].__origin__
    is_literal = get_origin(kind) is Literal
    return (True, False) if kind is bool else get_args(kind) if is_literal else ()
