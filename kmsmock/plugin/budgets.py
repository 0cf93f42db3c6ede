"""Limits of what tests may spend: ``@pytest.mark.kms(max_requests=..., max_usd=...)``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from kmsmock.plugin.marks import refuse
from kmsmock.process.watchers import watching

#: The beginning of the message of an exceeded budget, in the failure of whatever test had it.
_EXCEEDED = re.compile(
    r"^(?:(?:E\s+)?AssertionError: )?the budget of .+ is exceeded: (.+)$", re.MULTILINE
)


@contextmanager
def enforce_limits(item: pytest.Item, limits: dict[str, Any]) -> Iterator[None]:
    """Fail a test that spends more inside than it may, in all mocks, unless it fails anyway.

    limits: those of `Budget`.
    """
    from kmsmock.ledger.budget import Budget

    try:
        budget = Budget(None, name="this test", **limits)
    except TypeError as reason:
        refuse(item, str(reason))
    with watching(budget):
        yield
    if budget.excess is not None:
        pytest.fail(budget.excess, pytrace=False)


def find_exceeded(reports: Iterable[Any]) -> Iterator[str]:
    """Find the tests whose budgets were exceeded; gives a line for each.

    reports: of failed tests, from this process or another.
    """
    for report in reports:
        match = _EXCEEDED.search(report.longreprtext)
        if match is not None:
            yield f"{report.nodeid}: {match[1]}"
