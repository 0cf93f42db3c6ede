"""Faults end with the test or the wider fixture that has armed them; it fails if they did not fire.

A test that fails anyway keeps its own error only.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Generator
from contextlib import contextmanager

import pytest

from kmsmock.process.active_mocks import list_backends
from kmsmock.process.contexts import Context

#: Tests that have failed, and the fixtures that they use.
_failed: weakref.WeakSet[Context] = weakref.WeakSet()


#: Fixture -> lines about faults of its mock in another process.
_elsewhere: dict[Context, list[str]] = {}


def note_unfired(fixture: Context, lines: list[str]) -> None:
    """Note faults that did not fire in the mock of a fixture that ends, in another process."""
    _elsewhere[fixture] = lines


def note_failure(test: Context) -> None:
    """Note that a test has failed before its tear-down, or was skipped."""
    _failed.update(test.iterate_asked())


def end_faults_of_fixture(fixture: Context) -> list[str]:
    """Disarm the faults of a fixture; return lines about those that did not fire."""
    lines = _end_faults(lambda context: context is fixture) + _elsewhere.pop(fixture, [])
    return [] if fixture in _failed else lines


@contextmanager
def ending_faults(test: Context, unfired: list[str]) -> Generator[None]:
    """Disarm the faults of a test before the block, and fail it afterwards if some did not fire.

    test: with its fixtures of scope function. unfired: lines about faults of wider fixtures, which
    may end in the block.
    """
    lines = _end_faults(lambda context: context.rank >= test.rank)
    try:
        yield
    finally:
        if test in _failed:
            lines.clear()
        lines += unfired
        # The same test may run again.
        _failed.discard(test)
        unfired.clear()
    if lines:
        pytest.fail("\n".join(["faults that did not fire:", *lines]), pytrace=False)


def _end_faults(has_ended: Callable[[Context], bool]) -> list[str]:
    return [line for backend in list_backends() for line in backend.faults.end(has_ended)]
