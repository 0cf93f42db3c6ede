"""What an assertion about calls says when it fails: the nearest call, and how it differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from kmsmock.ledger.events import Call
from kmsmock.ledger.matching import Wanted

_LISTED = 10
_NONE = "-"


def summary(events: Sequence[Call]) -> str:
    """Count calls by operation, in words: the commonest first."""
    counts = Counter(event.operation for event in events).most_common()
    return ", ".join(f"{count} {operation}" for operation, count in counts) or "none"


def listing(events: Sequence[Call], indent: str = "  ") -> list[str]:
    """List calls, the newest at the end, of many only these."""
    lines = [f"{indent}{event}" for event in events[-_LISTED:]]
    if len(events) > _LISTED:
        lines.insert(0, f"{indent}... {len(events) - _LISTED} before these")
    return lines


def not_as_wanted(
    wanted: Wanted,
    times: int | None,
    found: Sequence[Call],
    everything: Sequence[Call],
    counts: tuple[int, int],
) -> list[str]:
    """Say what was expected and what there is instead.

    counts: the least and the most that were found, with those that are no longer kept.
    """
    often = "at least once" if times is None else f"{times} time{'' if times == 1 else 's'}"
    least, most = counts
    number = f"{least}" if least == most else f"{least} to {most}"
    lines = [f"expected {wanted} {often}, found {number}"]
    everything = list(everything)
    if found:
        return [*lines, "these were found:", *listing(found)]
    of_operation = [event for event in everything if event.operation == wanted.operation]
    if wanted.operation is None or not of_operation:
        lines.append(f"calls that were made: {summary(everything)}")
    nearest = _nearest(wanted, of_operation or everything) if wanted.members else None
    if nearest is not None:
        place = everything.index(nearest) + 1
        lines += [f"the nearest is call {place} of {len(everything)}:", f"  {nearest}"]
        lines += [f"  {line}" for line in differing(wanted, nearest)]
    elif everything:
        lines += listing(everything)
    return lines


def differing(wanted: Wanted, event: Call) -> list[str]:
    """Put the members that differ side by side: what was expected, what was found."""
    rows: list[tuple[str, str, str, str]] = []
    if wanted.operation not in (None, event.operation):
        rows.append(("operation", str(wanted.operation), event.operation, ""))
    for name, value in wanted.unlike(event).items():
        expected = wanted.members[name]
        if name == "encryption_context":
            rows += _pairs(expected, value)
        else:
            rows.append((name, repr(expected), repr(value), ""))
    return _table([("", "expected", "found", ""), *rows])


def compared(left: Any, operator: str, right: Any) -> list[str] | None:
    """Explain a comparison of calls to pytest; None for what is not one."""
    if operator != "==":
        return None
    one, other = list(left), list(right)
    texts = any(isinstance(item, str) for item in [*one, *other])
    if texts:
        return [
            f"{left!r} == {right!r}",
            "a call is no text: compare `.operations` of the calls with names of operations",
        ]
    lines = [f"{len(one)} calls == {len(other)} calls"]
    for number, (mine, theirs) in enumerate(zip_longest(one, other)):
        if mine != theirs:
            lines += [f"at {number}: {mine or 'nothing'}", f"  instead of {theirs or 'nothing'}"]
    return lines[: 2 * _LISTED + 1]


def _nearest(wanted: Wanted, events: Sequence[Call]) -> Call | None:
    """Find the call with the fewest differences, the latest of several."""
    return min(reversed(events), key=lambda event: _distance(wanted, event), default=None)


def _distance(wanted: Wanted, event: Call) -> int:
    unlike = wanted.unlike(event)
    distance = 4 * len(unlike)
    if "encryption_context" in unlike:
        # One pair that differs is nearer than a context that has nothing in common.
        expected, found = wanted.members["encryption_context"], unlike["encryption_context"]
        in_common = set((expected or {}).items()) & set((found or {}).items())
        distance -= min(len(in_common), 3)
    return distance


def _pairs(
    expected: Mapping[str, str] | None, found: Mapping[str, str] | None
) -> list[tuple[str, str, str, str]]:
    """Put two encryption contexts side by side."""
    wanted, had = expected or {}, found or {}
    rows = [("encryption_context", "" if wanted else "none", "" if had else "none", "")]
    for name in [*wanted, *(had.keys() - wanted.keys())]:
        verdict = (
            "missing"
            if name not in had
            else "extra"
            if name not in wanted
            else ""
            if wanted[name] == had[name]
            else "different"
        )
        rows.append((f"  {name}", _value(wanted, name), _value(had, name), verdict))
    return rows


def _value(context: Mapping[str, str], name: str) -> str:
    return repr(context[name]) if name in context else _NONE


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
