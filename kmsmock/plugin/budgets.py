"""Limits of a test's KMS requests and costs: ``kms(max_requests=..., max_usd=...)``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from kmsmock.plugin.marks import fail_for_mark
from kmsmock.process.watchers import watching

#: The message of an exceeded budget in a test's failure report.
_EXCEEDED = re.compile(
    r"^(?:(?:E\s+)?AssertionError: )?the budget of .+ is exceeded: (.+)$", re.MULTILINE
)


@contextmanager
def enforce_limits(item: pytest.Item, limits: dict[str, Any]) -> Iterator[None]:
    """Fail a test that exceeds its limits inside the block, in all mocks together.

    limits: ``requests`` and ``usd``, as `Budget` takes them. A test that fails anyway keeps its
    own error.
    """
    from kmsmock.ledger.budget import Budget

    try:
        budget = Budget(None, name="this test", **limits)
    except TypeError as reason:
        fail_for_mark(item, str(reason))
    with watching(budget):
        yield
    if budget.excess is not None:
        pytest.fail(budget.excess, pytrace=False)


def find_exceeded(reports: Iterable[Any]) -> Iterator[str]:
    """Yield a line for each test that exceeded a budget.

    reports: pytest's reports of failed tests, from this process or from a worker.
    """
    for report in reports:
        match = _EXCEEDED.search(report.longreprtext)
        if match is not None:
            yield f"{report.nodeid}: {match[1]}"
