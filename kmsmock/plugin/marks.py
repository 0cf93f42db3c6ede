"""Read and check the mark ``@pytest.mark.kms(...)``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NoReturn

import pytest

from kmsmock.aws.secret_values import hide_secrets
from kmsmock.misuse.suggestions import did_you_mean

#: Arguments of the mark besides options, for limits of the test -> argument of `Budget`.
LIMITS = {"max_requests": "requests", "max_usd": "usd"}
#: Fixtures with a wider scope that start mocks -> where to set options for them.
_ADVICE = {
    "class_kms": "Put the mark on the class",
    "module_kms": "Put the mark on the module (pytestmark)",
    "session_kms": "Set kms_{option} in the configuration of pytest, for the whole run",
}


def merge_marks(node: Any) -> dict[str, Any]:
    """Merge the marks of a test, its class and its module; those of the test take precedence."""
    merged: dict[str, Any] = {}
    for mark in reversed(list(node.iter_markers("kms"))):
        merged.update(mark.kwargs)
    return merged


def read_options(node: Any) -> dict[str, Any]:
    """Return the options for the mock of a node, from its marks."""
    options = {name: value for name, value in merge_marks(node).items() if name not in LIMITS}
    if "world" in options:
        options["world"] = hide_secrets(options["world"])
    return resolve_paths(node.config, options) if options else options


def resolve_paths(config: pytest.Config, options: dict[str, Any]) -> dict[str, Any]:
    """Make the paths among options absolute, relative to the root directory of the run."""
    from kmsmock.options import table

    paths = {
        name: config.rootpath / options[name]
        for name, option in table().items()
        if option.is_path and isinstance(options.get(name), (str, os.PathLike))
    }
    return {**options, **paths}


def read_limits(node: Any) -> dict[str, Any]:
    """Return the limits in the marks of a test, by argument names of `Budget`."""
    marks = merge_marks(node)
    return {LIMITS[name]: marks[name] for name in LIMITS if name in marks}


def fail_for_mark(node: Any, reason: str) -> NoReturn:
    """Fail a test, or a fixture, because of an invalid mark."""
    what = "@pytest.mark.kms" if merge_marks(node) else "the mock cannot be started"
    text = f"{node.nodeid or 'session_kms'}: {what}: {reason}"
    raise pytest.fail.Exception(text, pytrace=False) from None


def require_valid_marks(item: pytest.Item) -> None:
    """Fail a test with marks that are positional or unknown, or with invalid options of tests.

    Tests without a mock are checked, too: a misspelt limit would have no effect.
    """
    for mark in item.iter_markers("kms"):
        if mark.args:
            pytest.fail(_explain_positional(item, mark.args), pytrace=False)
        _require_valid_arguments(item, mark.kwargs)


def _require_valid_arguments(item: pytest.Item, arguments: Mapping[str, Any]) -> None:
    from kmsmock.options import complete, table

    options = table()
    known = {*LIMITS, *options}
    for name in arguments.keys() - known:
        fail_for_mark(
            item,
            f"there is no option {name!r}; there are {', '.join(sorted(known))}"
            f"{did_you_mean(name, known)}",
        )
    for name in arguments.keys() & options.keys():
        if options[name].is_of_run:
            fail_for_mark(
                item, f"{name} is an option of the whole run: set kms_{name} as ini option"
            )
    of_tests = arguments.keys() & {name for name in options if options[name].is_of_tests}
    try:
        complete({name: arguments[name] for name in of_tests})
    except TypeError as reason:
        fail_for_mark(item, str(reason))


def _explain_positional(item: pytest.Item, values: tuple[Any, ...]) -> str:
    from kmsmock.aws.arns import is_account_id
    from kmsmock.aws.regions import is_region

    arguments = ", ".join(map(repr, values))
    tests = {"region": is_region, "account_id": is_account_id}
    names = [name for name, fits in tests.items() if fits(str(values[0]))]
    example = f'{names[0]}="{values[0]}"' if names else 'region="eu-west-1"'
    return (
        f"{item.nodeid}: @pytest.mark.kms({arguments}) takes keyword arguments only: write "
        f"{'' if names else 'for example '}kms({example})"
    )


def require_options_of_marks(item: pytest.Item) -> None:
    """Fail a test whose marks contradict the options of the mock that answers it."""
    from kmsmock.process.active_mocks import get_answering, get_first_use

    mock = get_answering()
    wanted = _read_options_of_mocks(item) if mock is not None else {}
    if mock is None or not wanted:
        return
    from kmsmock.options import complete

    try:
        chosen: Mapping[str, Any] = complete(wanted)
    except (TypeError, ValueError) as reason:
        fail_for_mark(item, str(reason))
    late = [name for name in wanted if chosen[name] != mock.options[name]]
    if not late:
        return
    use = get_first_use(mock)
    owner = use.owner.name.removeprefix("the fixture ")
    arguments = ", ".join(f"{name}={wanted[name]!r}" for name in late)
    advice = (
        f"{_ADVICE[owner].format(option=late[0])}, or leave {owner} out."
        if owner in _ADVICE
        else f"Pass {late[0]}= where the mock is started, or use isolated=True in the mark."
    )
    pytest.fail(
        f"{item.nodeid}: kms({arguments}) comes too late: this test uses the mock that was started "
        f"by {use.describe()}, without it. {advice}",
        pytrace=False,
    )


def _read_options_of_mocks(item: pytest.Item) -> dict[str, Any]:
    """Return the options in the marks of a test that are options of mocks."""
    from kmsmock.options import table

    known = table()
    return {
        name: value
        for name, value in read_options(item).items()
        if name != "isolated" and not known[name].is_of_tests
    }
