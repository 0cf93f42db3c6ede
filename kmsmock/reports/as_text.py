"""The text form of a report, for a terminal of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from kmsmock.aws.arns import resource_of
from kmsmock.ledger.headroom import format_limit
from kmsmock.reports.report import KeyRecord, OperationTally, QuotaPeak, Refusal, Report

WIDTH = 80
_MAX_REFUSALS = 20
_MAX_UNUSED = 10
_MAX_QUOTAS = 5


class Style(Enum):
    """The style of a line, for terminals with colours."""

    PLAIN = "plain"
    HEADING = "heading"
    BAD = "bad"
    QUIET = "quiet"


class Line(NamedTuple):
    """One line of text."""

    text: str = ""
    style: Style = Style.PLAIN


def text(report: Report) -> str:
    """Return a report as plain text."""
    return "".join(f"{line.text}\n" for line in lines(report))


def lines(report: Report) -> Iterator[Line]:
    """Yield the lines of a report, in printable characters."""
    for line in _render(report):
        yield line._replace(text=_make_printable(line.text))


def _render(report: Report) -> Iterator[Line]:
    if not report.total.calls:
        yield Line("no KMS calls")
        yield from (Line(note, Style.BAD) for note in report.notes)
        return
    yield from _render_summary(report)
    yield from _render_operations(report.operations)
    refused = [refusal for refusal in report.refusals if not refusal.is_answer]
    yield from _render_refusals(report, "Denied and failed calls", refused)
    answers = [refusal for refusal in report.refusals if refusal.is_answer]
    yield from _render_refusals(report, "Answers without what is still under way", answers)
    yield from _render_quotas(report.quotas)
    yield from _render_slowest(report)
    yield from _render_specs(report)
    yield from _render_unused(report)


def _render_summary(report: Report) -> Iterator[Line]:
    total = report.total
    injected = f", {total.injected:,} injected by faults" if total.injected else ""
    where = "" if report.is_of_server else f" in {_count(len(report.tests), 'test')}"
    yield Line(
        f"{_count(total.calls, 'KMS call')}{where}: "
        f"{total.denied:,} denied, {total.failed:,} failed{injected}; "
        f"{_count(report.key_count, 'key')}"
    )
    yield Line(
        f"At AWS's list prices {usd(total.cost + report.storage)}: requests {usd(total.cost)}, "
        f"keys {usd(report.storage)}"
    )
    if report.storage_moved:
        mover = "its clock was moved" if report.is_of_server else "tests moved clocks"
        yield Line(f"({usd(report.storage_moved)} of it for time by which {mover})")
    for what, number in sorted(report.omitted.items()):
        yield Line(f"{number:,} {what} are only in the sums.", Style.QUIET)
    yield from (Line(note, Style.BAD) for note in report.notes)


def _render_operations(operations: Mapping[str, OperationTally]) -> Iterator[Line]:
    if not operations:
        return
    yield from _render_heading("Calls by operation")
    width = max(map(len, operations))
    has_injected = any(tally.injected for tally in operations.values())
    injected = f" {'injected':>8}" if has_injected else ""
    head = f"{'calls':>7} {'denied':>7} {'failed':>7}{injected} {'cost':>12}"
    yield Line(f"{'':{width}}  {head}", Style.QUIET)
    for name, tally in sorted(operations.items(), key=lambda item: (-item[1].calls, item[0])):
        injected = f" {tally.injected or '-':>8}" if has_injected else ""
        yield Line(
            f"{name:{width}}  {tally.calls:7,} {tally.denied or '-':>7} {tally.failed or '-':>7}"
            f"{injected} {usd(tally.cost):>12}"
        )


def _render_refusals(report: Report, title: str, refusals: list[Refusal]) -> Iterator[Line]:
    if not refusals:
        return
    yield from _render_heading(title)
    names = map_key_names(report.keys)
    ordered = sorted(refusals, key=lambda refusal: not _has_failed(report, refusal))
    for test, of_test in _group_by_test(ordered[:_MAX_REFUSALS]).items():
        failed = " (failed)" if _has_failed(report, of_test[0]) else ""
        yield Line(
            _shorten(test, WIDTH - len(failed)) + failed, Style.BAD if failed else Style.PLAIN
        )
        for refusal in of_test:
            times = f"{refusal.times} x " if refusal.times > 1 else ""
            key = f" {names.get(refusal.key, refusal.key)}" if refusal.key else ""
            what = f"{times}{refusal.operation}{key} by {short(refusal.caller)}"
            yield Line(f"  {_shorten(what, WIDTH - 2)}")
            cause = "by a fault of the test" if refusal.is_injected else refusal.reason
            code = "" if refusal.is_answer else f"{refusal.code.removesuffix('Exception')}: "
            reason = f"{code}{cause}"
            yield from (Line(f"    {line}", Style.QUIET) for line in _wrap(reason, WIDTH - 4))
    more = len(refusals) - _MAX_REFUSALS
    if more > 0:
        yield Line(f"... and {more:,} more kinds", Style.QUIET)


def _group_by_test(refusals: Iterable[Refusal]) -> dict[str, list[Refusal]]:
    grouped: dict[str, list[Refusal]] = {}
    for refusal in refusals:
        grouped.setdefault(refusal.test or "(outside of tests)", []).append(refusal)
    return grouped


def _has_failed(report: Report, refusal: Refusal) -> bool:
    tally = report.tests.get(refusal.test or "")
    return tally is not None and tally.outcome == "failed"


def _render_quotas(quotas: list[QuotaPeak]) -> Iterator[Line]:
    if not quotas:
        return
    yield from _render_heading("Peaks of requests per second against AWS's request quotas")
    accounts = {peak.account for peak in quotas if peak.account}
    shown = [
        (peak, " ".join((peak.quota, peak.region, *((peak.account,) if len(accounts) > 1 else ()))))
        for peak in quotas[:_MAX_QUOTAS]
    ]
    width = min(46, max(len(name) for _, name in shown))
    yield Line(f"{'':{width}} {'peak':>7} {'quota':>7} {'share':>7} {'limit at':>9}", Style.QUIET)
    for peak, name in shown:
        yield Line(
            f"{_shorten(name, width):{width}} {peak.peak:7,g} {peak.per_second:7,g} "
            f"{peak.share:7.1%} {format_limit(peak.limit_at):>9}"
        )
    if len(quotas) > _MAX_QUOTAS:
        yield Line(f"... and {len(quotas) - _MAX_QUOTAS:,} more", Style.QUIET)


def _render_slowest(report: Report) -> Iterator[Line]:
    if not report.slowest:
        return
    yield from _render_heading("Slowest calls, in real time")
    slowest = [(slow, f"{slow.operation} {slow.spec or ''}") for slow in report.slowest[:5]]
    width = max(len(what) for _, what in slowest)
    for slow, what in slowest:
        start = f"{slow.seconds * 1000:9.2f} ms  {what:{width}}  "
        yield Line(start + _shorten(slow.test or "", WIDTH - len(start)))


def _render_specs(report: Report) -> Iterator[Line]:
    if not report.specs:
        return
    yield from _render_heading("Keys by spec")
    width = max(map(len, report.specs))
    yield Line(
        f"{'':{width}}  {'keys':>7} {'unused':>7} {'calls':>7} {'requests':>11} {'storage':>12}",
        Style.QUIET,
    )
    for name, tally in sorted(report.specs.items(), key=lambda item: (-item[1].keys, item[0])):
        yield Line(
            f"{name:{width}}  {tally.keys:7,} {tally.unused or '-':>7} {tally.calls:7,} "
            f"{usd(tally.cost):>11} {usd(tally.storage):>12}"
        )


def _render_unused(report: Report) -> Iterator[Line]:
    unused = sum(spec.unused for spec in report.specs.values())
    if not unused:
        return
    yield from _render_heading(f"Keys never used: {unused:,} of {report.key_count:,}")
    kept = [record for record in report.keys if record.is_unused]
    for record in kept[:_MAX_UNUSED]:
        start = f"{_shorten(name_of_key(record), 28):28}  "
        yield Line(start + _shorten(record.test or "", WIDTH - len(start)))
    if unused > _MAX_UNUSED:
        yield Line(f"... and {unused - _MAX_UNUSED:,} more", Style.QUIET)


def _render_heading(title: str) -> Iterator[Line]:
    yield Line()
    yield Line(title, Style.HEADING)


# --- formatting -----------------------------------------------------------------------------


def usd(amount: Decimal) -> str:
    """Format an amount, with enough decimals for the price of one request."""
    return f"-${-amount:,.6f}" if amount < 0 else f"${amount:,.6f}"


def short(arn: str) -> str:
    """Return the resource part of an ARN."""
    return resource_of(arn)


def name_of_key(record: KeyRecord) -> str:
    """Return a short name of a key: an alias, its description, or the start of its key id."""
    alias = next(iter(record.aliases), None)
    return alias or record.description or short(record.arn)[:12]


def map_key_names(records: Iterable[KeyRecord]) -> dict[str, str]:
    """Return key ARN -> short name."""
    return {record.arn: name_of_key(record) for record in records}


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _make_printable(words: str) -> str:
    """Replace control characters by spaces."""
    return "".join(c if c.isprintable() else " " for c in words)


def _wrap(words: str, width: int) -> list[str]:
    """Wrap a sentence into at most three lines."""
    return textwrap.wrap(
        _make_printable(words), width, max_lines=3, placeholder=" ...", subsequent_indent="  "
    )


def _shorten(words: str, width: int) -> str:
    """Shorten a text by leaving out its middle."""
    printable = _make_printable(words)
    if len(printable) <= width:
        return printable
    half = (width - 3) // 2
    return f"{printable[: width - 3 - half]}...{printable[-half:]}"
