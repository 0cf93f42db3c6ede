"""The pytest test that is running, for the records of calls; the pytest plugin sets it."""

from __future__ import annotations

#: The node ids of the running tests, the innermost last, since a test can run pytest itself. The
#: first item is None, for calls outside of tests.
running_tests: list[str | None] = [None]


def get_running_test() -> str | None:
    """Return the node id of the running test; None outside of tests."""
    return running_tests[-1]
