"""Notes on the errors of waiters: why what they wait for has failed, or has not ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kmsmock.interception.error_notes import keep_note_of_waiter
from kmsmock.process.active_mock import ActiveMock


def explain_failures(mock: ActiveMock, parsed: dict[str, Any]) -> None:
    """Keep, for a waiter that may end with a response, why resources in it have failed.

    For a response without such resources, it is what ends the passing states that it shows. parsed:
    botocore's parsed response, or the answer that becomes one.
    """
    from kmsmock.state.failures import failures_of

    backend = mock.backend
    if backend is None:
        return
    failures, passing = failures_of(backend), backend.passing
    if not failures and not passing.open:
        return
    names = dict.fromkeys(_iterate_texts(parsed))
    reasons = [f"{name}: {failures[name]}" for name in names if name in failures]
    if not reasons:
        reasons = [
            f"{name}: {text}"
            for state, name in list(passing.open)
            if name in names and (text := passing.explain(state, name)) is not None
        ]
    if reasons:
        keep_note_of_waiter(parsed, "\n".join(reasons))


def _iterate_texts(value: Any) -> Iterator[str]:
    """Yield the texts in a response."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from _iterate_texts(member)
    elif isinstance(value, list):
        for item in value:
            yield from _iterate_texts(item)
