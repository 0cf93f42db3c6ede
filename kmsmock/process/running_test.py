"""The pytest test that runs, for the records of calls; the pytest plugin keeps it up to date."""

from __future__ import annotations

#: The node ids of the tests that run, the innermost last: a test can run pytest itself. Before them
#: stands None, for what is outside of tests.
running_tests: list[str | None] = [None]


def running_test() -> str | None:
    """Give the node id of the test that runs now; None outside of tests."""
    return running_tests[-1]
