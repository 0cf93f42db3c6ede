"""Counting requests: the lines into which records fold, and sums over them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timezone
from decimal import Decimal, localcontext
from typing import NamedTuple

from kmsmock.aws.arns import Arn
from kmsmock.aws.prices import ARITHMETIC, Category, Prices, show
from kmsmock.aws.principals import Principal
from kmsmock.keys.key import Key
from kmsmock.ledger.events import Call


class Line(NamedTuple):
    """What is still known of a request when it is only counted.

    category: None when it was not charged. payer: the account that is. key: the ARN of its first
    key. test: the pytest node id. month: as `month_of` numbers them.
    """

    operation: str
    category: Category | None
    payer: str
    region: str
    key: str | None
    test: str | None
    month: int


#: How many requests there were of each kind.
Usage = Mapping[Line, int]


class Requests(int):
    """A number of requests, which knows what they cost.

    It compares as the number. usd: at list price, before the free tier. storage: in USD, of the
    keys that belong to the same group; zero where groups have no keys.
    """

    usd = Decimal(0)
    storage = Decimal(0)

    def __repr__(self) -> str:
        storage = f", storage {show(self.storage)}" if self.storage else ""
        return f"{int(self)} ({show(self.usd)}{storage})"

    __str__ = __repr__


def requests_in_words(count: int) -> str:
    """Write how many requests, such as ``1 request``."""
    return f"{count:,} request{'' if count == 1 else 's'}"


def line_of(event: Call) -> Line:
    """Give the line that a record belongs to; this is on the path of calls, once many are kept."""
    key, at, principal = event.key, event.at, event.principal
    return Line(
        event.operation,
        event.charge.category,
        principal.account or _payer(principal, key),
        event.region,
        None if key is None else key.arn,
        event.test_id,
        month_of(at),
    )


def _payer(service: Principal, key: Key | None) -> str:
    """Find who pays for a service that calls in its own name: whose resource, or key, it is.

    Not published by AWS.
    """
    source = Arn.parse(service.source_arn or "")
    if source is not None and source.account:
        return source.account
    return "" if key is None else key.account


def usage_of(events: Iterable[Call], folded: Usage) -> Usage:
    """Count records, on top of what was counted before."""
    counts = Counter(map(line_of, events))
    counts.update(folded)
    return counts


def grouped(
    usage: Usage,
    prices: Prices,
    group: Callable[[Line], str | None],
    storage: Mapping[str, Decimal],
) -> dict[str, Requests]:
    """Sum up usage by what group gives; lines for which it gives None are left out.

    storage: USD by the same names. The dearest group comes first.
    """
    counts: Counter[str] = Counter()
    usd: dict[str, Decimal] = dict.fromkeys(storage, Decimal(0))
    with localcontext(ARITHMETIC):
        for line, count in usage.items():
            name = group(line)
            if name is None:
                continue
            counts[name] += count
            price = Decimal(0) if line.category is None else prices.requests[line.category]
            usd[name] = usd.get(name, Decimal(0)) + count * price
    groups = {name: Requests(counts[name]) for name in usd}
    for name, requests in groups.items():
        requests.usd = usd[name]
        requests.storage = storage.get(name, Decimal(0))
    return dict(sorted(groups.items(), key=_dearest))


def _dearest(group: tuple[str, Requests]) -> tuple[Decimal, int, str]:
    name, requests = group
    return (-(requests.usd + requests.storage), -requests, name)


# --- months -----------------------------------------------------------------------------------


def month_of(time: date) -> int:
    """Give the number of the calendar month of a time in UTC; months follow on each other."""
    return time.year * 12 + time.month - 1


def start_of(month: int) -> datetime:
    """Give the first moment of a month."""
    return datetime(month // 12, month % 12 + 1, 1, tzinfo=timezone.utc)


def month_text(month: int) -> str:
    """Write a month, such as ``2026-04``."""
    return f"{month // 12:04}-{month % 12 + 1:02}"
