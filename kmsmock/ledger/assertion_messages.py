"""Messages of failed assertions about calls: the most similar call, and its differences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from kmsmock.ledger.call_filter import CallFilter
from kmsmock.ledger.call_record import Call

_LISTED = 10
_NONE = "-"


def count_by_operation(events: Sequence[Call]) -> str:
    """Return a text with the number of calls by operation, the most frequent first."""
    counts = Counter(event.operation for event in events).most_common()
    return ", ".join(f"{count} {operation}" for operation, count in counts) or "none"


def list_calls(events: Sequence[Call], indent: str = "  ") -> list[str]:
    """List calls, the newest last; of many, the newest only."""
    lines = [f"{indent}{event}" for event in events[-_LISTED:]]
    if len(events) > _LISTED:
        lines.insert(0, f"{indent}... {len(events) - _LISTED} before these")
    return lines


def explain_mismatch(
    call_filter: CallFilter,
    times: int | None,
    matching: Sequence[Call],
    all_calls: Sequence[Call],
    counts: tuple[int, int],
) -> list[str]:
    """Return the lines of the message: what was expected, and which calls there are.

    counts: the least and the greatest number of matching calls; they differ if dropped calls may
    match.
    """
    often = "at least once" if times is None else f"{times} time{'' if times == 1 else 's'}"
    least, most = counts
    number = f"{least}" if least == most else f"{least} to {most}"
    lines = [f"expected {call_filter} {often}, found {number}"]
    all_calls = list(all_calls)
    if matching:
        return [*lines, "these were found:", *list_calls(matching)]
    of_operation = [event for event in all_calls if event.operation == call_filter.operation]
    if call_filter.operation is None or not of_operation:
        lines.append(f"calls that were made: {count_by_operation(all_calls)}")
    if call_filter.members:
        return [*lines, *explain_nearest(call_filter, of_operation or all_calls, all_calls)]
    return [*lines, *list_calls(all_calls)]


def explain_nearest(
    call_filter: CallFilter, candidates: Sequence[Call], all_calls: Sequence[Call]
) -> list[str]:
    """Return lines about the most similar of some calls, with its differences and its number."""
    nearest = _nearest(call_filter, candidates)
    if nearest is None:
        return []
    number = list(all_calls).index(nearest) + 1
    lines = [f"the nearest is call {number} of {len(all_calls)}:", f"  {nearest}"]
    return [*lines, *(f"  {line}" for line in list_differences(call_filter, nearest))]


def list_differences(call_filter: CallFilter, event: Call) -> list[str]:
    """List the members that differ, as a table of expected and found values."""
    rows: list[tuple[str, str, str, str]] = []
    if call_filter.operation not in (None, event.operation):
        rows.append(("operation", str(call_filter.operation), event.operation, ""))
    for name, value in call_filter.find_differences(event).items():
        expected = call_filter.members[name]
        if name == "encryption_context":
            rows += _pairs(expected, value)
        else:
            rows.append((name, repr(expected), repr(value), ""))
    return _table([("", "expected", "found", ""), *rows])


def explain_comparison(left: Any, operator: str, right: Any) -> list[str] | None:
    """Explain a failed ``==`` of calls for pytest; None for other operators."""
    if operator != "==":
        return None
    one, other = list(left), list(right)
    texts = any(isinstance(item, str) for item in [*one, *other])
    if texts:
        return [
            f"{left!r} == {right!r}",
            "calls are not text: compare `.operations` of the calls with names of operations",
        ]
    lines = [f"{len(one)} calls == {len(other)} calls"]
    for number, (mine, theirs) in enumerate(zip_longest(one, other)):
        if mine != theirs:
            lines += [f"at {number}: {mine or 'nothing'}", f"  instead of {theirs or 'nothing'}"]
    return lines[: 2 * _LISTED + 1]


def _nearest(call_filter: CallFilter, events: Sequence[Call]) -> Call | None:
    """Find the call with the fewest differences, of several the latest."""
    return min(reversed(events), key=lambda event: _distance(call_filter, event), default=None)


def _distance(call_filter: CallFilter, event: Call) -> int:
    find_differences = call_filter.find_differences(event)
    distance = 4 * len(find_differences)
    if "encryption_context" in find_differences:
        # A context of which one pair differs is nearer than one that has nothing in common.
        expected, found = (
            call_filter.members["encryption_context"],
            find_differences["encryption_context"],
        )
        in_common = set((expected or {}).items()) & set((found or {}).items())
        distance -= min(len(in_common), 3)
    return distance


def _pairs(
    expected: Mapping[str, str] | None, found: Mapping[str, str] | None
) -> list[tuple[str, str, str, str]]:
    """Put two encryption contexts side by side."""
    wanted, actual = expected or {}, found or {}
    rows = [("encryption_context", "" if wanted else "none", "" if actual else "none", "")]
    for name in [*wanted, *(actual.keys() - wanted.keys())]:
        verdict = (
            "missing"
            if name not in actual
            else "extra"
            if name not in wanted
            else ""
            if wanted[name] == actual[name]
            else "different"
        )
        rows.append((f"  {name}", _value(wanted, name), _value(actual, name), verdict))
    return rows


def _value(context: Mapping[str, str], name: str) -> str:
    return repr(context[name]) if name in context else _NONE


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
