"""What pytest shows below a failed test, of what the calls of the test say beside their errors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

TITLE = "kmsmock"
_MAX_CALLS = 1_000
_MAX_LINES = 10


def describe_calls(mocks: Iterable[Any], test: str | None) -> str:
    """Describe faults that calls of a test met, and answers without what is under way.

    mocks: the control objects of those that have answered the test. Empty if there are none.
    """
    each: dict[int, Any] = {id(kms): kms for kms in mocks}
    lines = [line for kms in each.values() for line in _iterate_lines(kms, test)]
    return "\n".join(islice(dict.fromkeys(lines), _MAX_LINES))


def _iterate_lines(kms: Any, test: str | None) -> Iterator[str]:
    backend = kms.backend
    for call in islice(reversed(backend.calls), _MAX_CALLS):
        if call.test_id == test and call.error_code is None and call.explanation:
            yield f"{call.operation}: {call.explanation}"
    for fault in backend.faults.iterate_fired():
        yield f"kms.faults: {fault}"
