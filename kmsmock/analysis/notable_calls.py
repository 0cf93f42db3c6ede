"""What the calls of a failed test say beside their errors, for what pytest shows below it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

_MAX_CALLS = 1_000
_MAX_LINES = 10


def describe_calls(backends: Iterable[Any], test: str | None) -> str:
    """Describe faults that calls of a test met, and answers without what is under way.

    backends: the states of the mocks that have answered the test. Empty if there are none.
    """
    each: dict[int, Any] = {id(backend): backend for backend in backends}
    lines = [line for backend in each.values() for line in _iterate_lines(backend, test)]
    return "\n".join(islice(dict.fromkeys(lines), _MAX_LINES))


def _iterate_lines(backend: Any, test: str | None) -> Iterator[str]:
    for call in islice(reversed(backend.calls), _MAX_CALLS):
        if call.test_id == test and call.error_code is None and call.explanation:
            yield f"{call.operation}: {call.explanation}"
    for fault in backend.faults.iterate_fired():
        yield f"kms.faults: {fault}"
