"""Invoices: usage and key storage under a price list, with the lines of AWS's bills."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext

from kmsmock.aws.prices import ARITHMETIC, KEYS, Category, Prices, format_usd
from kmsmock.ledger.key_storage import AccountRegion
from kmsmock.ledger.usage import Usage
from kmsmock.misuse.public_object import PublicObject

_COLUMNS = ("account", "usage type", "quantity", "price", "amount")
#: (account, Region, category) of requests.
_UsageType = tuple[str, str, Category]


@dataclass(frozen=True, slots=True)
class InvoiceLine(PublicObject):
    """One line of an invoice."""

    #: The account that pays.
    account: str
    region: str
    #: The usage type with the Region, such as ``us-east-1-KMS-Requests``.
    usage_type: str
    #: The number of requests, or of keys and charged rotations in months.
    quantity: Decimal
    #: ``Requests`` or ``Keys``.
    unit: str
    #: The price in USD, not rounded; zero within the free tier.
    unit_price: Decimal
    #: The amount in USD, not rounded.
    amount: Decimal

    @property
    def description(self) -> str:
        """The unit price as text."""
        if self.unit == "Keys":
            return f"{format_usd(self.unit_price)} per key and month"
        if not self.unit_price:
            return "free tier"
        return f"{format_usd(self.unit_price * 10_000)} per 10,000 requests"


@dataclass(frozen=True)
class Invoice(PublicObject):
    """An invoice, or an estimate of one."""

    #: The title, such as the month.
    title: str
    #: The lines, sorted by account and usage type.
    lines: tuple[InvoiceLine, ...]
    #: Regions whose prices are not known, so that others were applied.
    estimated_regions: tuple[str, ...] = ()
    #: Further sentences for the reader.
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> Decimal:
        """The sum in USD, not rounded."""
        return _sum(line.amount for line in self.lines)

    @property
    def storage(self) -> Decimal:
        """The part of the total that is charged for keys."""
        return _sum(line.amount for line in self.lines if line.unit == "Keys")

    @property
    def is_estimate(self) -> bool:
        """Whether other prices were applied in Regions whose prices are not known."""
        return bool(self.estimated_regions)

    def by_account(self) -> dict[str, Decimal]:
        """Return what each account pays, in USD."""
        accounts = dict.fromkeys(line.account for line in self.lines)
        return {
            name: _sum(line.amount for line in self.lines if line.account == name)
            for name in accounts
        }

    def table(self) -> str:
        """Format the lines as a table, with the total below."""
        rows = [
            _COLUMNS,
            *(
                (
                    line.account,
                    line.usage_type,
                    _format_quantity(line.quantity),
                    line.description,
                    format_usd(line.amount),
                )
                for line in self.lines
            ),
            ("", "total", "", "", format_usd(self.total)),
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
        return f"<{self.title}: {format_usd(self.total)}{estimate}, {len(self.lines)} lines>"


def make_invoice(
    title: str,
    usage: Usage,
    key_months: Mapping[AccountRegion, Decimal],
    prices: Prices,
    family_of: Callable[[str], str],
    *,
    months: int = 1,
) -> Invoice:
    """Make the invoice of one month, or of several equal months.

    usage: of all these months. key_months: (account, Region) -> months of keys and charged
    rotations. family_of: account -> the accounts that share its free tier, such as an organization
    id.
    """
    with localcontext(ARITHMETIC):
        lines = [
            _line(account_region, KEYS, count, "Keys", prices.key_month)
            for account_region, count in key_months.items()
        ]
        requests = _count_charged(usage)
        free = _count_free(requests, prices.free_requests * months, family_of)
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


def merge_invoices(title: str, invoices: Iterable[Invoice]) -> Invoice:
    """Add up invoices, line by line."""
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


def divide(amount: int, whole: int) -> Decimal:
    """Divide with the precision of invoices."""
    with localcontext(ARITHMETIC):
        return Decimal(amount) / whole


def _count_charged(usage: Usage) -> Counter[_UsageType]:
    counts: Counter[_UsageType] = Counter()
    for line, count in usage.items():
        if line.category is not None:
            counts[line.payer, line.region, line.category] += count
    return counts


def _count_free(
    requests: Counter[_UsageType], allowance: int, family_of: Callable[[str], str]
) -> Counter[_UsageType]:
    """Distribute the free requests of all Regions together.

    AWS does not publish which Region uses them up first; the total is the same.
    """
    left: dict[str, int] = {}
    free: Counter[_UsageType] = Counter()
    for kind in sorted(
        (kind for kind in requests if kind[2].has_free_tier), key=lambda kind: kind[:2]
    ):
        family = family_of(kind[0])
        free[kind] = min(requests[kind], left.setdefault(family, allowance))
        left[family] -= free[kind]
    return free


def _line(
    account_region: AccountRegion,
    usage_type: str,
    quantity: Decimal,
    unit: str,
    unit_price: Decimal,
) -> InvoiceLine:
    account, region = account_region
    amount = quantity * unit_price
    return InvoiceLine(
        account, region, f"{region}-{usage_type}", quantity, unit, unit_price, amount
    )


def _sorted(lines: Iterable[InvoiceLine]) -> tuple[InvoiceLine, ...]:
    return tuple(sorted(lines, key=lambda line: (line.account, line.usage_type, line.unit_price)))


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    with localcontext(ARITHMETIC):
        return sum(amounts, Decimal(0))


def _format_quantity(quantity: Decimal) -> str:
    whole, _, part = f"{quantity:,.6f}".partition(".")
    return f"{whole}.{part}".rstrip("0").rstrip(".")
