"""Bills: usage and key storage under a price list, in the lines that AWS bills them in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext

from kmsmock.aws.prices import ARITHMETIC, KEYS, Category, Prices, show
from kmsmock.ledger.storage import AccountRegion
from kmsmock.ledger.usage import Usage

_COLUMNS = ("account", "usage type", "quantity", "price", "amount")
#: Account, Region and category of requests.
_Kind = tuple[str, str, Category]


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line of a bill.

    account: which pays. usage_type: with the Region in front, such as ``us-east-1-KMS-Requests``.
    quantity: requests; or keys, with their rotations, in parts of a month. unit: ``Requests`` or
    ``Keys``. unit_price, amount: in USD, not rounded; the price is zero under the free tier.
    """

    account: str
    region: str
    usage_type: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    amount: Decimal

    @property
    def description(self) -> str:
        """The price in words."""
        if self.unit == "Keys":
            return f"{show(self.unit_price)} per key and month"
        if not self.unit_price:
            return "free tier"
        return f"{show(self.unit_price * 10_000)} per 10,000 requests"


@dataclass(frozen=True)
class Invoice:
    """A bill, or an estimate of one.

    title: what it is about, such as the month. lines: by account, Region and usage type.
    estimated_regions: where prices were applied that are not known to hold there. notes: what else
    there is to know, in sentences.
    """

    title: str
    lines: tuple[InvoiceLine, ...]
    estimated_regions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> Decimal:
        """The sum in USD, not rounded."""
        return _sum(line.amount for line in self.lines)

    @property
    def storage(self) -> Decimal:
        """The part of the total that is for keys."""
        return _sum(line.amount for line in self.lines if line.unit == "Keys")

    @property
    def is_estimate(self) -> bool:
        """Whether prices were applied where they are not known to hold."""
        return bool(self.estimated_regions)

    def by_account(self) -> dict[str, Decimal]:
        """Give what each account pays, in USD."""
        accounts = dict.fromkeys(line.account for line in self.lines)
        return {
            name: _sum(line.amount for line in self.lines if line.account == name)
            for name in accounts
        }

    def table(self) -> str:
        """Write the lines as a table, the total below."""
        rows = [
            _COLUMNS,
            *(
                (
                    line.account,
                    line.usage_type,
                    _quantity(line.quantity),
                    line.description,
                    show(line.amount),
                )
                for line in self.lines
            ),
            ("", "total", "", "", show(self.total)),
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        texts = [
            "  ".join(
                [
                    *(text.ljust(width) for text, width in zip(row[:2], widths, strict=False)),
                    row[2].rjust(widths[2]),
                    row[3].ljust(widths[3]),
                    row[4].rjust(widths[4]),
                ]
            )
            for row in rows
        ]
        notes = list(self.notes)
        if self.estimated_regions:
            notes.append(
                f"an estimate: prices in {', '.join(self.estimated_regions)} are not known, so "
                "others are applied; mock_kms(prices=...) takes the right ones"
            )
        return "\n".join([self.title, *texts, *(f"Note: {note}" for note in notes)])

    def __str__(self) -> str:
        return self.table()

    def __repr__(self) -> str:
        estimate = " (an estimate)" if self.is_estimate else ""
        return f"<{self.title}: {show(self.total)}{estimate}, {len(self.lines)} lines>"


def bill(
    title: str,
    usage: Usage,
    keys: Mapping[AccountRegion, Decimal],
    prices: Prices,
    family_of: Callable[[str], str],
    *,
    months: int = 1,
) -> Invoice:
    """Make a bill: of one month, or of several that are alike.

    usage: of all these months. keys: account and Region -> months of keys and rotations.
    family_of: account -> what it shares the free tier with, such as an organization.
    """
    with localcontext(ARITHMETIC):
        lines = [
            _line(place, KEYS, count, "Keys", prices.key_month) for place, count in keys.items()
        ]
        requests = _charged(usage)
        free = _free(requests, prices.free_requests * months, family_of)
        for kind, count in requests.items():
            account, region, category = kind
            parts = ((Decimal(0), free[kind]), (prices.requests[category], count - free[kind]))
            lines += [
                _line((account, region), category.value, Decimal(part), "Requests", price)
                for price, part in parts
                if part
            ]
    regions = sorted({line.region for line in lines if prices.is_estimate(line.region)})
    return Invoice(title, _sorted(lines), tuple(regions))


def merged(title: str, invoices: Iterable[Invoice]) -> Invoice:
    """Add bills up, line by line."""
    quantities: dict[tuple[str, str, str, str, Decimal], Decimal] = {}
    estimated: set[str] = set()
    with localcontext(ARITHMETIC):
        for invoice in invoices:
            estimated.update(invoice.estimated_regions)
            for line in invoice.lines:
                kind = (line.account, line.region, line.usage_type, line.unit, line.unit_price)
                quantities[kind] = quantities.get(kind, Decimal(0)) + line.quantity
        lines = [
            InvoiceLine(account, region, usage_type, quantity, unit, price, quantity * price)
            for (account, region, usage_type, unit, price), quantity in quantities.items()
        ]
    return Invoice(title, _sorted(lines), tuple(sorted(estimated)))


def parts_of(amount: int, whole: int) -> Decimal:
    """Divide exactly enough for a bill."""
    with localcontext(ARITHMETIC):
        return Decimal(amount) / whole


def _charged(usage: Usage) -> Counter[_Kind]:
    counts: Counter[_Kind] = Counter()
    for line, count in usage.items():
        if line.category is not None:
            counts[line.payer, line.region, line.category] += count
    return counts


def _free(
    requests: Counter[_Kind], allowance: int, family_of: Callable[[str], str]
) -> Counter[_Kind]:
    """Find how many requests are free, all Regions together.

    Which Region uses it up first is not published; the sum is the same.
    """
    left: dict[str, int] = {}
    free: Counter[_Kind] = Counter()
    for kind in sorted(
        (kind for kind in requests if kind[2].has_free_tier), key=lambda kind: kind[:2]
    ):
        family = family_of(kind[0])
        free[kind] = min(requests[kind], left.setdefault(family, allowance))
        left[family] -= free[kind]
    return free


def _line(
    place: AccountRegion, usage_type: str, quantity: Decimal, unit: str, unit_price: Decimal
) -> InvoiceLine:
    account, region = place
    amount = quantity * unit_price
    return InvoiceLine(
        account, region, f"{region}-{usage_type}", quantity, unit, unit_price, amount
    )


def _sorted(lines: Iterable[InvoiceLine]) -> tuple[InvoiceLine, ...]:
    return tuple(sorted(lines, key=lambda line: (line.account, line.usage_type, line.unit_price)))


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    with localcontext(ARITHMETIC):
        return sum(amounts, Decimal(0))


def _quantity(quantity: Decimal) -> str:
    whole, _, part = f"{quantity:,.6f}".partition(".")
    return f"{whole}.{part}".rstrip("0").rstrip(".")
