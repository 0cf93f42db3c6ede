"""Decorate what tests consist of, so that it runs with a mock."""

from __future__ import annotations

import functools
import inspect
from typing import Any

from kmsmock.activation.fixture_markers import get_fixture_marker
from kmsmock.activation.mocked_callables import Start, mock_callable, rewrap
from kmsmock.activation.mocked_classes import mock_class


def decorate(decorated: Any, start: Start) -> Any:
    """Return what behaves as the argument does, but runs with a mock; a class itself is changed.

    start: returns the context manager of a mock. Raises TypeError for what cannot be run.
    """
    if inspect.isclass(decorated):
        return mock_class(decorated, start)
    if get_fixture_marker(decorated) is not None:
        raise TypeError(
            f"{decorated.__name__!r} is a pytest fixture already: put @pytest.fixture above "
            "@mock_kms, so that the function of the fixture is decorated"
        )
    rewrapped = rewrap(decorated, functools.partial(decorate, start=start))
    if rewrapped is not None:
        return rewrapped
    if callable(decorated) or _binds(decorated):
        return mock_callable(decorated, start)
    raise TypeError(
        f"a {type(decorated).__name__} cannot be decorated: functions, methods, properties, "
        "callable objects and classes can; options are keyword arguments: mock_kms(region=...)"
    )


def _binds(decorated: Any) -> bool:
    """Return whether an object in a class becomes a method of its instances."""
    return hasattr(type(decorated), "__get__") and not hasattr(type(decorated), "__set__")
