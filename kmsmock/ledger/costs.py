"""What the calls and keys of a mock would cost on AWS, and projections of that."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal, localcontext
from typing import Any

from kmsmock.aws.operations import OPERATION_FACTS
from kmsmock.aws.prices import ARITHMETIC, Prices, format_usd, parse_usd
from kmsmock.ledger.calls import Calls
from kmsmock.ledger.invoice import Invoice, divide, make_invoice, merge_invoices
from kmsmock.ledger.key_storage import AccountRegion, KeyLifetime, count_key_hours, hours_in
from kmsmock.ledger.usage import (
    RequestCount,
    UsageLine,
    format_month,
    format_requests,
    group_usage,
    month_number,
)
from kmsmock.misuse.public_object import PublicObject
from kmsmock.timing.dates import to_utc

_MONTH = re.compile(r"(?!0000)(\d{4})-(0[1-9]|1[0-2])")
#: What a projection can be for -> months.
_PERIODS = {"month": 1, "year": 12}


class Costs(PublicObject):
    """The costs of one mock up to now, in USD before tax.

    Requests are charged to the account that makes them. Failed requests are counted, and charged
    only if the price list says so. now: returns the time up to which keys are charged. family_of:
    account -> the accounts that share its free tier, such as an organization id.

    Source: AWS KMS pricing page.
    """

    def __init__(
        self,
        calls: Calls,
        lifetimes: Iterable[KeyLifetime],
        prices: Prices,
        now: Callable[[], datetime],
        family_of: Callable[[str], str],
    ) -> None:
        self._prices = prices
        self._calls = calls
        self._lifetimes = lifetimes
        self._now = now
        self._family_of = family_of

    def __repr__(self) -> str:
        so_far = self._so_far()
        estimate = " (an estimate)" if so_far.is_estimate else ""
        return f"<{format_requests(self.requests)}, {format_usd(so_far.total)} so far{estimate}>"

    def __str__(self) -> str:
        return self.table()

    @property
    def prices(self) -> Prices:
        """The price list."""
        return self._prices

    # --- sums ------------------------------------------------------------------------------

    @property
    def total(self) -> Decimal:
        """All costs: requests above the free tier, and storage of keys; not rounded."""
        return self._so_far().total

    @property
    def storage(self) -> Decimal:
        """The part of the total that is charged for keys, by the hour until now."""
        return self._so_far().storage

    @property
    def requests(self) -> int:
        """How many requests were made."""
        return self._calls.made

    @property
    def is_estimate(self) -> bool:
        """Whether other prices were applied in Regions whose prices are not known."""
        return self._so_far().is_estimate

    def table(self) -> str:
        """Format all costs as a table."""
        return self._so_far().table()

    def invoice(self, month: str | date | None = None) -> Invoice:
        """Return the invoice of a calendar month (UTC), until now if it is the current one.

        month: such as ``2026-04``, or any day in it; None for the month of the mock's clock. Raises
        ValueError for other texts.
        """
        now = self._now()
        number = month_number(now) if month is None else _parse_month(month)
        empty = Invoice(format_month(number), ())
        return self._invoices(now).get(number, empty)

    # --- groups ----------------------------------------------------------------------------

    def by_operation(self) -> dict[str, RequestCount]:
        """Group requests by operation; like all groups at list price, the most expensive first."""
        return self._grouped(lambda line: line.operation)

    def by_key(self) -> dict[str, RequestCount]:
        """Group requests and storage by key ARN (of ReEncrypt that of the source key)."""
        return self._grouped(lambda line: line.key, self.storage_by_key())

    def storage_by_key(self) -> dict[str, Decimal]:
        """Return key ARN -> storage costs in USD, including deleted keys."""
        return self._storage(lambda lifetime: lifetime.arn)

    def by_account(self) -> dict[str, RequestCount]:
        """Group by paying account: of requests the caller's, of storage the owner's."""
        return self._grouped(
            lambda line: line.payer, self._storage(lambda lifetime: lifetime.account)
        )

    def by_region(self) -> dict[str, RequestCount]:
        """Group requests and storage by Region."""
        return self._grouped(
            lambda line: line.region, self._storage(lambda lifetime: lifetime.region)
        )

    def by_test(self) -> dict[str, RequestCount]:
        """Group requests by pytest node id, without those made outside of tests."""
        return self._grouped(lambda line: line.test)

    def by_month(self) -> dict[str, RequestCount]:
        """Group requests and storage by calendar month, such as ``2026-04``."""
        storage = {invoice.title: invoice.storage for invoice in self._invoices().values()}
        return dict(sorted(self._grouped(lambda line: format_month(line.month), storage).items()))

    # --- projection and limit --------------------------------------------------------------

    def project(self, calls: Calls | None = None, *, times: int, per: str = "month") -> Invoice:
        """Estimate the invoice of a month or year in which the calls are repeated.

        calls: some of ``kms.calls``, such as those of a test; None for all, of which those that set
        up keys are counted once. times: how often the calls are made. per: ``month`` or ``year``.
        The keys that exist now are charged for the whole period, with their rotations so far.
        Raises ValueError for another period or an invalid number, TypeError if calls are not
        `Calls`.
        """
        if per not in _PERIODS:
            raise ValueError(f"per must be {' or '.join(map(repr, _PERIODS))}, not {per!r}")
        if isinstance(times, bool) or not isinstance(times, int) or times < 0:
            raise ValueError(f"times must be a whole number, 0 or more, not {times!r}")
        if not isinstance(calls, (Calls, type(None))):
            raise TypeError(
                f"calls must be some of kms.calls, such as kms.calls.filter('Decrypt'), "
                f"not {calls!r}"
            )
        usage = (self._calls if calls is None else calls).usage
        once = {line: count for line, count in usage.items() if calls is None and not _is_use(line)}
        repeated = sum(usage.values()) - sum(once.values())
        months = _PERIODS[per]
        keys: Counter[AccountRegion] = Counter()
        for lifetime in self._lifetimes:
            if lifetime.until is None:
                rotations = lifetime.rotations[: self.prices.surcharged_rotations]
                keys[lifetime.account, lifetime.region] += 1 + len(rotations)
        estimate = make_invoice(
            f"{format_requests(repeated)} x {times:,} a {per}",
            {**{line: count * times for line, count in usage.items()}, **once},
            {where: Decimal(count * months) for where, count in keys.items()},
            self.prices,
            self._family_of,
            months=months,
        )
        if not once:
            return estimate
        names = ", ".join(sorted({line.operation for line in once}))
        note = f"requests that set up keys are counted as they are: {names}"
        return replace(estimate, notes=(note,))

    def assert_below(self, *, usd: Any) -> None:
        """Assert that the total is less than an amount, such as ``"1.00"``.

        Raises AssertionError with the table of costs.
        """
        __tracebackhide__ = True
        limit = parse_usd(usd, "usd")
        so_far = self._so_far()
        if so_far.total >= limit:
            raise AssertionError(
                f"expected costs below {format_usd(limit)}, "
                f"found {format_usd(so_far.total)}:\n{so_far}"
            )

    # --- invoices by month -----------------------------------------------------------------

    def _so_far(self) -> Invoice:
        return merge_invoices("so far", self._invoices().values())

    def _invoices(self, now: datetime | None = None) -> dict[int, Invoice]:
        """Make the invoices of all months that have costs or requests. now: the present if None."""
        usage: dict[int, dict[UsageLine, int]] = {}
        for line, count in self._calls.usage.items():
            usage.setdefault(line.month, {})[line] = count
        hours = self._hours(self._lifetimes, now or self._now())
        return {
            month: make_invoice(
                format_month(month),
                usage.get(month, {}),
                {
                    where: divide(count, hours_in(month))
                    for where, count in hours.get(month, {}).items()
                },
                self.prices,
                self._family_of,
            )
            for month in sorted(usage.keys() | hours.keys())
        }

    def _grouped(
        self, group: Callable[[UsageLine], str | None], storage: Mapping[str, Decimal] | None = None
    ) -> dict[str, RequestCount]:
        return group_usage(self._calls.usage, self.prices, group, storage or {})

    def _storage(self, group: Callable[[KeyLifetime], str]) -> dict[str, Decimal]:
        return sum_up_storage(self._lifetimes, self._now(), self.prices, group)

    def _hours(
        self, lifetimes: Iterable[KeyLifetime], now: datetime
    ) -> Mapping[int, Counter[AccountRegion]]:
        return count_key_hours(lifetimes, now, self.prices.surcharged_rotations)


def sum_up_storage(
    lifetimes: Iterable[KeyLifetime],
    now: datetime,
    prices: Prices,
    group: Callable[[KeyLifetime], str],
) -> dict[str, Decimal]:
    """Sum up the storage costs of keys by group, up to now. group: of a lifetime, its name."""
    groups: dict[str, list[KeyLifetime]] = {}
    for lifetime in lifetimes:
        groups.setdefault(group(lifetime), []).append(lifetime)
    with localcontext(ARITHMETIC):
        return {
            name: sum(
                (
                    prices.key_month * places.total() / hours_in(month)
                    for month, places in count_key_hours(
                        members, now, prices.surcharged_rotations
                    ).items()
                ),
                Decimal(0),
            )
            for name, members in groups.items()
        }


def _is_use(line: UsageLine) -> bool:
    """Return whether a request uses keys, rather than setting them up."""
    facts = OPERATION_FACTS[line.operation]
    return facts.trail.is_read_only or facts.is_use_of_keys


def _parse_month(month: str | date) -> int:
    if isinstance(month, datetime):
        month = to_utc(month) if month.tzinfo is not None else month
    if isinstance(month, date):
        return month_number(month)
    match = _MONTH.fullmatch(month) if isinstance(month, str) else None
    if match is None:
        raise ValueError(f"a month is written such as 2026-04, not {month!r}")
    return month_number(date(int(match[1]), int(match[2]), 1))
