"""The text form: a table like that of coverage.py."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kmsmock.coverage.records import CoveredGrant, Records
from kmsmock.coverage.summary import (
    GrantCoverage,
    PolicyCoverage,
    StatementCoverage,
    Summary,
    name_of,
    summarize,
)

_WIDEST = 60


def text(records: Records) -> str:
    """Return the coverage of a run as text."""
    return "\n".join(lines(records)) + "\n"


def lines(records: Records, summary: Summary | None = None) -> Iterator[str]:
    """Yield the lines of the text. summary: of the records, if it is known."""
    if summary is None:
        summary = summarize(records)
    if not summary.policies and not summary.grants:
        yield "No mock has policies that are enforced."
    if summary.policies:
        yield from _policies(summary)
    unused = [grant for grant in summary.grants if grant.unused]
    if unused:
        yield ""
        yield "Grants with operations that nobody has used:"
        yield from (f"  {describe_grant(each.grant)}: {_unused(each)}" for each in unused)
    yield from records.notes


def _policies(summary: Summary) -> Iterator[str]:
    rows = [
        (
            name_of(each.policy),
            str(len(each.statements)),
            str(len(each.statements) - each.covered),
            format_percent(100.0 * each.covered / len(each.statements)),
            "; ".join(_missing(each)),
        )
        for each in summary.policies
    ]
    total = (
        "TOTAL",
        str(summary.statements),
        str(summary.statements - summary.covered),
        format_percent(summary.percent),
        "",
    )
    head = ("Policy", "Stmts", "Miss", "Cover", "Missing")
    widths = [max(len(row[n]) for row in (head, *rows, total)) for n in range(4)]
    widths[0] = min(widths[0], _WIDEST)
    rule = "-" * (sum(widths) + 6)
    yield _row(head, widths)
    yield rule
    yield from (_row(row, widths) for row in rows)
    yield rule
    yield _row(total, widths)


def _row(cells: tuple[str, ...], widths: list[int]) -> str:
    first, *numbers, last = cells
    parts = [
        first.ljust(widths[0]),
        *(cell.rjust(width) for cell, width in zip(numbers, widths[1:], strict=True)),
        last,
    ]
    return "  ".join(parts).rstrip()


def format_percent(percent: float) -> str:
    """Return a percentage without decimals; only what is complete is 100 %, as in coverage.py."""
    if 99 < percent < 100:
        return "99%"
    if 0 < percent < 1:
        return "1%"
    return f"{percent:.0f}%"


def _missing(policy: PolicyCoverage) -> Iterator[str]:
    """Yield the statements that have decided nothing."""
    source = policy.policy.source
    for statement in policy.statements:
        if not statement.is_covered:
            line = "" if source is None else f"line {source.statements[statement.number - 1]}, "
            yield f"{line}{describe_statement(statement)}: {_why(statement)}"


def describe_statement(statement: StatementCoverage) -> str:
    """Return what reports call a statement."""
    sid = f" ({statement.sid})" if statement.sid else ""
    return f"statement {statement.number}{sid}"


def _why(statement: StatementCoverage) -> str:
    return "never needed" if statement.unneeded else "never matched"


def describe_grant(grant: CoveredGrant) -> str:
    """Return what reports call a grant."""
    name = f"grant {grant.name}" if grant.name else "grant"
    return f"{name} for {grant.grantee.rpartition(':')[2]}"


def _unused(grant: GrantCoverage) -> str:
    if len(grant.unused) == len(grant.operations):
        return (
            f"{_join(grant.unused)} (none of them)"
            if len(grant.unused) > 1
            else _join(grant.unused)
        )
    return _join(grant.unused)


def _join(names: Iterable[str]) -> str:
    return ", ".join(names)
