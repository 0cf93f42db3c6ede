"""The mark ``@pytest.mark.kms(...)``: what it says, and where it says it in vain."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NoReturn

import pytest

#: What a mark can have besides options: limits of the test -> those of `Budget`.
LIMITS = {"max_requests": "requests", "max_usd": "usd"}
#: Wider fixtures that make mocks, the narrowest first -> the node whose marks they obey.
WIDER = {"class_kms": pytest.Class, "module_kms": pytest.Module, "session_kms": pytest.Session}


def marked(node: Any) -> dict[str, Any]:
    """Merge the marks of a test, its class and its module; the nearest wins."""
    merged: dict[str, Any] = {}
    for mark in reversed(list(node.iter_markers("kms"))):
        merged.update(mark.kwargs)
    return merged


def options_of(node: Any) -> dict[str, Any]:
    """Give the options for the mock of a node, as its marks say."""
    given = {name: value for name, value in marked(node).items() if name not in LIMITS}
    return from_root(node.config, given)


def from_root(config: pytest.Config, given: dict[str, Any]) -> dict[str, Any]:
    """Let the paths of files among options start at the root directory of the run."""
    from kmsmock.options import table

    paths = {
        name: config.rootpath / given[name]
        for name, option in table().items()
        if option.is_path and isinstance(given.get(name), (str, os.PathLike))
    }
    return {**given, **paths}


def limits_of(node: Any) -> dict[str, Any]:
    """Give what a test may spend, as its marks say, by the names of `Budget`."""
    marks = marked(node)
    return {LIMITS[name]: marks[name] for name in LIMITS if name in marks}


def refuse(node: Any, reason: str) -> NoReturn:
    """Let a test, or the fixture of a node, fail whose marks cannot be obeyed."""
    text = f"{node.nodeid}: @pytest.mark.kms: {reason}"
    raise pytest.fail.Exception(text, pytrace=False) from None


def wider_fixture(names: Any) -> str | None:
    """Give the narrowest of the longer lived mocks among the names of fixtures."""
    return next((name for name in WIDER if name in names), None)


def require_sound_marks(item: pytest.Item) -> None:
    """Let a test fail whose marks cannot be obeyed: positional, unknown, and those that come late.

    Also where the test has no mock: a limit that is misspelt would be none.
    """
    for mark in item.iter_markers("kms"):
        if mark.args:
            pytest.fail(_not_positional(item, mark.args), pytrace=False)
        _require_known(item, mark.kwargs)
    fixture = wider_fixture(getattr(item, "fixturenames", ()))
    if fixture is not None:
        _require_same_options(item, fixture)


def _require_known(item: pytest.Item, given: Mapping[str, Any]) -> None:
    from kmsmock.options import table

    known = {*LIMITS, *table()}
    for name in given.keys() - known:
        refuse(item, f"there is no option {name!r}; there are {', '.join(sorted(known))}")


def _not_positional(item: pytest.Item, values: tuple[Any, ...]) -> str:
    from kmsmock.aws.arns import is_account_id, is_region

    shown = ", ".join(map(repr, values))
    tests = {"region": is_region, "account_id": is_account_id}
    names = [name for name, fits in tests.items() if fits(str(values[0]))]
    example = f'{names[0]}="{values[0]}"' if names else 'region="eu-west-1"'
    return (
        f"{item.nodeid}: the options of @pytest.mark.kms({shown}) are keywords: write "
        f"{'' if names else 'for example '}kms({example})"
    )


def _require_same_options(item: pytest.Item, fixture: str) -> None:
    """Let a test fail that wants other options than those its longer lived mock was made with."""
    from kmsmock.options import complete, table

    of_tests = {name for name, option in table().items() if option.is_of_tests}
    wanted = {n: v for n, v in options_of(item).items() if n not in {*of_tests, "isolated"}}
    if not wanted:
        return
    # Of a class-wide fixture outside of classes the test itself is the node.
    node: Any = item.getparent(WIDER[fixture]) or item
    made_with = {n: v for n, v in options_of(node).items() if n in wanted}
    try:
        here: Mapping[str, Any] = complete(wanted)
        there: Mapping[str, Any] = complete(made_with)
    except (TypeError, ValueError):
        return  # which is told where a mock is made of it
    late = [name for name in wanted if here[name] != there[name]]
    if not late:
        return
    shown = ", ".join(f"{name}={wanted[name]!r}" for name in late)
    place = {
        "class_kms": "Put the mark on the class",
        "module_kms": "Put the mark on the module (pytestmark)",
        "session_kms": f"Set kms_{late[0]} in the configuration of pytest, for the whole run",
    }[fixture]
    pytest.fail(
        f"{item.nodeid}: kms({shown}) comes too late: the mock of this test is that of "
        f"{fixture}, which has been made without it. {place}, or leave {fixture} out.",
        pytrace=False,
    )
