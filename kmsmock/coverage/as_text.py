"""The text form: a table like that of coverage.py."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kmsmock.coverage.advice import describe, describe_grant, sort_weaknesses
from kmsmock.coverage.result import Result, count_noticed
from kmsmock.coverage.summary import GrantCoverage, PolicyCoverage, StatementCoverage, name_of

_WIDEST = 60
#: How many sentences about what no test would notice the table has below it.
_SHOWN = 10


def text(result: Result) -> str:
    """Return the coverage of a run as text."""
    return "\n".join(lines(result)) + "\n"


def lines(result: Result) -> Iterator[str]:
    """Yield the lines of the text."""
    summary = result.summary
    if not summary.policies and not summary.grants:
        yield "No mock has policies that are enforced."
    if summary.policies:
        yield from _policies(result)
    unused = [grant for grant in summary.grants if grant.unused]
    if unused:
        yield ""
        yield "Grants with operations that nobody has used:"
        yield from (f"  {describe_grant(each.grant)}: {_unused(each)}" for each in unused)
    yield from _weaknesses(result)
    yield from result.records.notes


def _policies(result: Result) -> Iterator[str]:
    summary = result.summary
    rows = [
        (
            name_of(each.policy),
            str(len(each.statements)),
            str(len(each.statements) - each.covered),
            format_percent(100.0 * each.covered / len(each.statements)),
            "/".join(map(str, count_noticed(result.weaknesses_of(each.index)))),
            "; ".join(_missing(each)),
        )
        for each in summary.policies
    ]
    total = (
        "TOTAL",
        str(summary.statements),
        str(summary.statements - summary.covered),
        format_percent(summary.percent),
        "/".join(map(str, count_noticed(result.weaknesses))),
        "",
    )
    head = ("Policy", "Stmts", "Miss", "Cover", "Noticed", "Missing")
    widths = [max(len(row[n]) for row in (head, *rows, total)) for n in range(5)]
    widths[0] = min(widths[0], _WIDEST)
    rule = "-" * (sum(widths) + 8)
    yield _row(head, widths)
    yield rule
    yield from (_row(row, widths) for row in rows)
    yield rule
    yield _row(total, widths)


def _weaknesses(result: Result) -> Iterator[str]:
    """Yield what no test would notice, but for statements that are missing anyway."""
    missing = {
        (policy.index, statement.number - 1)
        for policy in result.summary.policies
        for statement in policy.statements
        if not statement.is_covered
    }
    unnoticed = [
        one
        for one in sort_weaknesses(result.weaknesses)
        if one.weakening.is_of_grant
        or (one.weakening.place, one.weakening.statement) not in missing
    ]
    if unnoticed:
        yield ""
    for one in unnoticed[:_SHOWN]:
        yield describe(result.records, one)
    if len(unnoticed) > _SHOWN:
        yield f"and {len(unnoticed) - _SHOWN} more, which the other forms list"


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
