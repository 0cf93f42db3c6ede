"""Recognize pytest's fixtures; pytest is not imported for it."""

from __future__ import annotations

import inspect
import sys
from typing import Any

#: The attribute with the arguments of ``@pytest.fixture``: since pytest 8.4, and before.
_MARKERS = ("_fixture_function_marker", "_pytestfixturefunction")


def get_fixture_marker(member: Any) -> Any:
    """Return the arguments of ``@pytest.fixture`` of a fixture; None if it is none.

    They are the attributes ``scope``, ``params``, ``autouse``, ``ids`` and ``name``.
    """
    fixtures: Any = sys.modules.get("_pytest.fixtures")
    if isinstance(member, (staticmethod, classmethod)):
        member = member.__func__
    if fixtures is None:
        return None
    for name in _MARKERS:
        marker = inspect.getattr_static(member, name, None)
        if isinstance(marker, fixtures.FixtureFunctionMarker):
            return marker
    return None


def is_shared_fixture(name: str, member: Any) -> bool:
    """Return whether an attribute of a class is a fixture that several tests can share."""
    marker = get_fixture_marker(member)
    # Until version 8, pytest adds fixtures of its own to classes.
    return marker is not None and marker.scope != "function" and "__pytest_" not in name


def rename_fixture(fixture: Any, name: str) -> Any:
    """Return a copy of a fixture that has its name independently of its attribute."""
    import pytest

    if isinstance(fixture, (staticmethod, classmethod)):
        return type(fixture)(rename_fixture(fixture.__func__, name))
    marker = get_fixture_marker(fixture)
    function = getattr(fixture, "_fixture_function", None) or fixture.__pytest_wrapped__.obj
    return pytest.fixture(
        scope=marker.scope,
        params=marker.params,
        autouse=marker.autouse,
        ids=marker.ids,
        name=name,
    )(function)
