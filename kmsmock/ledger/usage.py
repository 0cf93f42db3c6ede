"""Counting requests by operation, payer, Region, key, test and month."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timezone
from decimal import Decimal, localcontext
from typing import NamedTuple

from kmsmock.aws.arns import Arn
from kmsmock.aws.prices import ARITHMETIC, Category, Prices, format_usd
from kmsmock.aws.principals import Principal
from kmsmock.keys.key import Key
from kmsmock.ledger.call_record import Call
from kmsmock.misuse.public_object import PublicObject


class UsageLine(NamedTuple):
    """The members by which requests are counted; requests in which all are equal share a line."""

    operation: str
    #: The usage type; None for requests that are not charged.
    category: Category | None
    #: The account that is charged.
    payer: str
    #: The Region of the request.
    region: str
    #: The ARN of the first key of the call; None if no key was found.
    key: str | None
    #: The pytest node id of the test that made the request.
    test: str | None
    #: The calendar month; see `month_number`.
    month: int


#: Usage line -> number of requests.
Usage = Mapping[UsageLine, int]


class RequestCount(int, PublicObject):
    """A number of requests, with their costs.

    It is an int, so that tests can compare it with a number.
    """

    #: The list price of the requests in USD, before the free tier.
    usd = Decimal(0)
    #: The price of storing the keys of the same group in USD; zero for groups without keys.
    storage = Decimal(0)

    def __repr__(self) -> str:
        storage = f", storage {format_usd(self.storage)}" if self.storage else ""
        return f"{int(self)} ({format_usd(self.usd)}{storage})"

    __str__ = __repr__


def format_requests(count: int) -> str:
    """Format a number of requests, such as ``1 request``."""
    return f"{count:,} request{'' if count == 1 else 's'}"


def make_usage_line(event: Call) -> UsageLine:
    """Return the usage line of a record. Every call comes here once older records are dropped."""
    key, at, principal = event.key, event.at, event.principal
    return UsageLine(
        event.operation,
        event.charge.category,
        principal.account or _payer(principal, key),
        event.region,
        None if key is None else key.arn,
        event.test_id,
        month_number(at),
    )


def _payer(service: Principal, key: Key | None) -> str:
    """Find the payer of a call of a service principal: the owner of its resource, or of the key.

    AWS does not publish this rule.
    """
    source = Arn.parse(service.source_arn or "")
    if source is not None and source.account:
        return source.account
    return "" if key is None else key.account


def count_usage(events: Iterable[Call], dropped_counts: Usage) -> Usage:
    """Count records, and add the counts of older calls whose records were dropped."""
    counts = Counter(map(make_usage_line, events))
    counts.update(dropped_counts)
    return counts


def group_usage(
    usage: Usage,
    prices: Prices,
    group: Callable[[UsageLine], str | None],
    storage: Mapping[str, Decimal],
) -> dict[str, RequestCount]:
    """Sum up usage by group, the most expensive group first.

    group: returns the group of a line, or None to leave the line out. storage: group -> USD.
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
    groups = {name: RequestCount(counts[name]) for name in usd}
    for name, requests in groups.items():
        requests.usd = usd[name]
        requests.storage = storage.get(name, Decimal(0))
    return dict(sorted(groups.items(), key=_by_costs))


def _by_costs(group: tuple[str, RequestCount]) -> tuple[Decimal, int, str]:
    name, requests = group
    return (-(requests.usd + requests.storage), -requests, name)


# --- months -----------------------------------------------------------------------------------


def month_number(time: date) -> int:
    """Return the number of the calendar month of a time in UTC; months are numbered in order."""
    return time.year * 12 + time.month - 1


def month_start(month: int) -> datetime:
    """Return the time at which a month begins."""
    return datetime(month // 12, month % 12 + 1, 1, tzinfo=timezone.utc)


def format_month(month: int) -> str:
    """Format a month, such as ``2026-04``."""
    return f"{month // 12:04}-{month % 12 + 1:02}"
