"""Prices of KMS: the price list, and the price category of each request.

Sources: AWS KMS pricing page; AWS Price List, service code ``awskms``. Amounts are US dollars
before tax, always as `Decimal`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from decimal import Context, Decimal, InvalidOperation
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from kmsmock.aws.operations import PriceClass
from kmsmock.aws.regions import is_known_region, partition_of
from kmsmock.aws.services import AWS_SERVICES
from kmsmock.misuse.suggestions import did_you_mean
from kmsmock.misuse.values import describe


class Category(Enum):
    """The price categories of requests; values are usage types without the Region."""

    STANDARD = "KMS-Requests"
    RSA_2048 = "KMS-Requests-Asymmetric-RSA_2048"
    ASYMMETRIC = "KMS-Requests-Asymmetric"
    ECC_DATA_KEY_PAIR = "KMS-Requests-GenerateDatakeyPair-ECC"
    RSA_DATA_KEY_PAIR = "KMS-Requests-GenerateDatakeyPair-RSA"

    # Members are compared by identity, and are hashed with each record that is counted.
    __hash__ = object.__hash__

    @property
    def has_free_tier(self) -> bool:
        """Whether some of these requests are free in each month."""
        return self is Category.STANDARD


#: The decimal context of all amounts; a test can set a context with low precision, or traps.
ARITHMETIC = Context(prec=40)
#: The largest and smallest exponents of amounts: others are no prices, and take long to format.
_LARGEST_EXPONENT = 20
#: The usage type of key storage, without its Region.
KEYS = "KMS-Keys"

#: Key spec -> category of requests that use such a key. That of ML-KEM is not published.
OF_KEY_SPEC: dict[str, Category] = {
    **dict.fromkeys(
        ("SYMMETRIC_DEFAULT", "HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512"), Category.STANDARD
    ),
    "RSA_2048": Category.RSA_2048,
    **dict.fromkeys(
        (
            *("RSA_3072", "RSA_4096", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"),
            *("ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519", "SM2"),
            *("ML_DSA_44", "ML_DSA_65", "ML_DSA_87", "ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"),
        ),
        Category.ASYMMETRIC,
    ),
}
#: Spec of a data key pair -> category. Those of SM2 and ML-KEM are not published.
OF_PAIR_SPEC: dict[str, Category] = {
    **dict.fromkeys(("RSA_2048", "RSA_3072", "RSA_4096"), Category.RSA_DATA_KEY_PAIR),
    **dict.fromkeys(
        (
            *("ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1"),
            *("ECC_NIST_EDWARDS25519", "SM2", "ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"),
        ),
        Category.ECC_DATA_KEY_PAIR,
    ),
}

#: Errors of requests that are charged.
_CHARGED_ERRORS = frozenset({"DryRunOperationException"})
#: Errors of requests that are never charged.
_FREE_ERRORS = frozenset({"ThrottlingException"})
#: Service principals whose requests are free. Source: AWS CloudTrail User Guide, on SSE-KMS.
_FREE_SERVICES = frozenset(
    f"{service.via or name}.amazonaws.com"
    for name, service in AWS_SERVICES.items()
    if service.is_free
)


class Charge(NamedTuple):
    """What one request is charged: its category, and the list price in USD.

    category: None if it is never charged, and does not count towards the free tier.
    """

    category: Category | None
    price: Decimal


FREE = Charge(None, Decimal(0))


class _Named(Protocol):
    @property
    def name(self) -> str: ...


class PricedKey(Protocol):
    """The part of a key that its price depends on: its key spec."""

    @property
    def spec(self) -> _Named:
        """The key spec."""
        ...


@dataclass(frozen=True)
class Prices:
    """A price list."""

    #: The price in USD of a customer managed key, and of each charged rotation, for a month.
    key_month: Decimal = Decimal(1)
    #: Category -> the price in USD of a request.
    requests: Mapping[Category, Decimal] = field(
        default_factory=lambda: {
            Category.STANDARD: Decimal("0.000003"),
            Category.RSA_2048: Decimal("0.000003"),
            Category.ASYMMETRIC: Decimal("0.000015"),
            Category.ECC_DATA_KEY_PAIR: Decimal("0.00001"),
            Category.RSA_DATA_KEY_PAIR: Decimal("0.0012"),
        }
    )
    #: How many of category STANDARD are free, for each account and month.
    free_requests: int = 20_000
    #: How many rotations of a key are charged; None for all, as it was until April 2024.
    surcharged_rotations: int | None = 2
    #: Whether failed requests are charged, which AWS does not publish; throttled ones never are.
    charges_failed_calls: bool = False
    #: Where these prices are known to apply; elsewhere costs are an estimate.
    partitions: tuple[str, ...] = ("aws",)
    #: The date of the prices.
    date: str = "2026-09-11"
    #: The source of the prices.
    source: str = "AWS Price List, awskms"

    @classmethod
    def of(cls, source: Prices | Mapping[str, Any] | str | os.PathLike[str] | None) -> Prices:
        """Read a price list.

        source: a price list; or what differs from AWS's, as a mapping or as the path of a JSON
        file: usage types without Region -> USD a unit, as text, for example
        ``{"KMS-Requests": "0.000003"}``, and other members of this class by name; None for AWS's.
        Raises TypeError for unknown names and invalid values, ValueError for an unreadable file.
        """
        if source is None:
            return cls()
        if isinstance(source, Prices):
            return source
        mapping = source if isinstance(source, Mapping) else _read(Path(source))
        other = {f.name: f for f in fields(cls) if f.name not in ("key_month", "requests")}
        categories = {category.value: category for category in Category}
        changed: dict[str, Any] = {}
        requests = dict(cls().requests)
        for name, value in mapping.items():
            if name == KEYS:
                changed["key_month"] = parse_usd(value, name)
            elif name in categories:
                requests[categories[name]] = parse_usd(value, name)
            elif name in other:
                changed[name] = _member(name, value)
            else:
                known = [KEYS, *categories, *other]
                raise TypeError(
                    f"a price list has no {name!r}; it has {', '.join(known)}"
                    f"{did_you_mean(name, known)}"
                )
        if mapping and not {"date", "source"} & mapping.keys():
            changed["source"] = "prices of this project"
            changed["date"] = "no date"
        return replace(cls(), requests=requests, **changed)

    def is_estimate(self, region: str) -> bool:
        """Return whether these prices are not known to apply in a Region."""
        return not is_known_region(region) or partition_of(region) not in self.partitions


class Tariff:
    """Computes charges under one price list; records share its `Charge` objects to save memory."""

    def __init__(self, prices: Prices) -> None:
        self.prices = prices
        charges = {c: Charge(c, price) for c, price in prices.requests.items()}
        self._standard = charges[Category.STANDARD]
        self._of_key_spec = {spec: charges[category] for spec, category in OF_KEY_SPEC.items()}
        self._of_pair_spec = {spec: charges[category] for spec, category in OF_PAIR_SPEC.items()}

    def charge(
        self,
        price: PriceClass,
        caller: str,
        error_code: str | None,
        keys: Sequence[PricedKey],
        pair_spec: str | None,
    ) -> Charge:
        """Return the charge of a request. Every call comes here.

        price: what the price of the operation depends on. caller: its ARN, or a service principal.
        keys: of the call. pair_spec: KeyPairSpec in the request.
        """
        if caller in _FREE_SERVICES:
            return FREE
        if error_code is not None and not self._is_charged(error_code):
            return FREE
        if keys and price is PriceClass.BY_KEY_SPEC:
            if len(keys) == 1:
                return self._of_key_spec[keys[0].spec.name]
            # ReEncrypt: an asymmetric key decides, of two the more expensive one. AWS does not
            # publish this rule.
            both = [self._of_key_spec[key.spec.name] for key in keys]
            return max(both, key=lambda charge: (charge is not self._standard, charge.price))
        if price is PriceClass.BY_PAIR_SPEC:
            return self._of_pair_spec.get(pair_spec or "", self._standard)
        return self._standard

    def _is_charged(self, error_code: str) -> bool:
        return error_code in _CHARGED_ERRORS or (
            self.prices.charges_failed_calls and error_code not in _FREE_ERRORS
        )


def parse_usd(value: Any, name: str) -> Decimal:
    """Parse an amount in USD: a text, an int or a Decimal; a float by its shortest repr.

    name: of the argument, for the error. Raises TypeError for other values, and for amounts that
    are negative, not finite, or so large or small that nobody means them.
    """
    try:
        amount = Decimal(value if type(value) is int else str(value), ARITHMETIC)
    except InvalidOperation:
        amount = None
    if isinstance(value, bool) or amount is None or not _is_amount(amount):
        raise TypeError(f'{name} must be an amount in USD, such as "0.01", not {describe(value)}')
    return amount or Decimal(0)


def _is_amount(amount: Decimal) -> bool:
    if not amount.is_finite() or amount < 0:
        return False
    return not amount or abs(amount.adjusted()) <= _LARGEST_EXPONENT


def format_usd(amount: Decimal) -> str:
    """Format an amount, such as ``$0.10``, with up to six further digits if they are not zero."""
    text = f"{amount:.8f}".rstrip("0")
    whole, _, cents = text.partition(".")
    return f"${whole}.{cents:0<2}"


def _member(name: str, value: Any) -> Any:
    """Check a member of the price list that is not a price."""
    if name == "partitions":
        return (value,) if isinstance(value, str) else tuple(value)
    kinds = {
        "free_requests": (int,),
        "surcharged_rotations": (int, type(None)),
        "charges_failed_calls": (bool,),
    }.get(name, (str,))
    if type(value) not in kinds:
        raise TypeError(f"{name} of a price list cannot be {describe(value)}")
    return value


def _read(path: Path) -> Mapping[str, Any]:
    from kmsmock.misuse.input_files import parse_json, read_bytes

    try:
        prices = parse_json(read_bytes(path), parse_float=Decimal)
    except (OSError, ValueError) as reason:
        raise ValueError(f"the price list {path} cannot be read: {reason}") from None
    if not isinstance(prices, dict):
        raise TypeError(f"the price list {path} is not a JSON object")
    return prices
