"""What the calls and keys of a mock would cost on AWS, so far and at another scale."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timezone
from decimal import Decimal, localcontext
from typing import Any

from kmsmock.aws.operations import OPERATION_FACTS
from kmsmock.aws.prices import ARITHMETIC, Prices, dollars, show
from kmsmock.ledger.calls import Calls
from kmsmock.ledger.invoice import Invoice, bill, merged, parts_of
from kmsmock.ledger.storage import AccountRegion, KeyLifetime, hours_in, key_hours
from kmsmock.ledger.usage import (
    Line,
    Requests,
    grouped,
    month_of,
    month_text,
    requests_in_words,
)

#: What a projection can be for -> months.
_PERIODS = {"month": 1, "year": 12}


class Costs:
    """The costs of one mock, as they are now, in USD before tax.

    Requests are counted by the account that pays for them; those that failed are counted, and not
    charged unless the price list says so. now: the time up to which keys are charged. family_of:
    account -> what it shares the free tier with.

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
        return f"<{requests_in_words(self.requests)}, {show(so_far.total)} so far{estimate}>"

    def __str__(self) -> str:
        return self.table()

    @property
    def prices(self) -> Prices:
        """The price list that is applied."""
        return self._prices

    # --- sums ------------------------------------------------------------------------------

    @property
    def total(self) -> Decimal:
        """All so far: requests above the free tier, and storage of keys; not rounded."""
        return self._so_far().total

    @property
    def storage(self) -> Decimal:
        """The part of the total that is for keys, by the hour until now."""
        return self._so_far().storage

    @property
    def requests(self) -> int:
        """How many requests were made."""
        return self._calls.made

    @property
    def is_estimate(self) -> bool:
        """Whether prices were applied where they are not known to hold."""
        return self._so_far().is_estimate

    def table(self) -> str:
        """Write what was spent so far as a table."""
        return self._so_far().table()

    def invoice(self, month: str | date | None = None) -> Invoice:
        """Give the bill of a calendar month (UTC), as far as it has passed.

        month: such as ``2026-04``, or any day in it; by default that of the mock's clock. Raises
        ValueError for another text.
        """
        wanted = month_of(self._now()) if month is None else _month(month)
        empty = Invoice(month_text(wanted), ())
        return self._invoices().get(wanted, empty)

    # --- groups ----------------------------------------------------------------------------

    def by_operation(self) -> dict[str, Requests]:
        """Group requests by operation. As with all groups, at list price, the dearest first."""
        return self._grouped(lambda line: line.operation)

    def by_key(self) -> dict[str, Requests]:
        """Group requests by the ARN of their (first) key, and storage; others are left out."""
        return self._grouped(lambda line: line.key, self.storage_by_key())

    def storage_by_key(self) -> dict[str, Decimal]:
        """Give what it costs to keep each key, by its ARN: the deleted ones too."""
        return self._storage(lambda lifetime: lifetime.arn)

    def by_account(self) -> dict[str, Requests]:
        """Group by the account that pays: for requests who makes them, for storage the owner."""
        return self._grouped(
            lambda line: line.payer, self._storage(lambda lifetime: lifetime.account)
        )

    def by_region(self) -> dict[str, Requests]:
        """Group requests and storage by Region."""
        return self._grouped(
            lambda line: line.region, self._storage(lambda lifetime: lifetime.region)
        )

    def by_test(self) -> dict[str, Requests]:
        """Group requests by pytest node id; those outside of tests are left out."""
        return self._grouped(lambda line: line.test)

    def by_month(self) -> dict[str, Requests]:
        """Group requests and storage by calendar month, such as ``2026-04``."""
        storage = {invoice.title: invoice.storage for invoice in self._invoices().values()}
        return dict(sorted(self._grouped(lambda line: month_text(line.month), storage).items()))

    # --- what if, and what at most ---------------------------------------------------------

    def project(self, calls: Calls | None = None, *, times: int, per: str = "month") -> Invoice:
        """Estimate the bill if calls are made so many times as often in a month, or a year.

        calls: some of ``kms.calls``, such as those of a test. By default all, but those that set up
        keys are not multiplied. The keys are those that there are now, for the whole time, with the
        rotations that they have had. Raises ValueError for another period, and for what is no
        number of times, TypeError for other things than calls.
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
        estimate = bill(
            f"{requests_in_words(repeated)} x {times:,} a {per}",
            {**{line: count * times for line, count in usage.items()}, **once},
            {place: Decimal(count * months) for place, count in keys.items()},
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
        """Assert that the total so far is less than an amount, such as ``"1.00"``.

        Raises AssertionError that shows the bill.
        """
        __tracebackhide__ = True
        limit = dollars(usd, "usd")
        so_far = self._so_far()
        if so_far.total >= limit:
            raise AssertionError(
                f"expected costs below {show(limit)}, found {show(so_far.total)}:\n{so_far}"
            )

    # --- how -------------------------------------------------------------------------------

    def _so_far(self) -> Invoice:
        return merged("so far", self._invoices().values())

    def _invoices(self) -> dict[int, Invoice]:
        """Make the bills of all months that have any."""
        usage: dict[int, dict[Line, int]] = {}
        for line, count in self._calls.usage.items():
            usage.setdefault(line.month, {})[line] = count
        hours = self._hours(self._lifetimes, self._now())
        return {
            month: bill(
                month_text(month),
                usage.get(month, {}),
                {
                    place: parts_of(count, hours_in(month))
                    for place, count in hours.get(month, {}).items()
                },
                self.prices,
                self._family_of,
            )
            for month in sorted(usage.keys() | hours.keys())
        }

    def _grouped(
        self, group: Callable[[Line], str | None], storage: Mapping[str, Decimal] | None = None
    ) -> dict[str, Requests]:
        return grouped(self._calls.usage, self.prices, group, storage or {})

    def _storage(self, group: Callable[[KeyLifetime], str]) -> dict[str, Decimal]:
        """Sum up the storage of keys by what group gives."""
        now = self._now()
        groups: dict[str, list[KeyLifetime]] = {}
        for lifetime in self._lifetimes:
            groups.setdefault(group(lifetime), []).append(lifetime)
        with localcontext(ARITHMETIC):
            return {
                name: sum(
                    (
                        self.prices.key_month * places.total() / hours_in(month)
                        for month, places in self._hours(lifetimes, now).items()
                    ),
                    Decimal(0),
                )
                for name, lifetimes in groups.items()
            }

    def _hours(
        self, lifetimes: Iterable[KeyLifetime], now: datetime
    ) -> Mapping[int, Counter[AccountRegion]]:
        return key_hours(lifetimes, now, self.prices.surcharged_rotations)


def _is_use(line: Line) -> bool:
    """Tell whether a request belongs to the use of keys, and not to setting them up."""
    facts = OPERATION_FACTS[line.operation]
    return facts.trail.is_read_only or facts.is_routine


def _month(given: str | date) -> int:
    if isinstance(given, datetime):
        given = given.astimezone(timezone.utc) if given.tzinfo is not None else given
    if isinstance(given, date):
        return month_of(given)
    found = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", given) if isinstance(given, str) else None
    if found is None:
        raise ValueError(f"a month is written such as 2026-04, not {given!r}")
    return month_of(date(int(found[1]), int(found[2]), 1))
