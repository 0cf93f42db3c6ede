"""What KMS costs: the price list as data, and the rows of it that requests fall under.

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

from kmsmock.aws.arns import is_known_region, partition_of
from kmsmock.aws.operations import PriceClass
from kmsmock.aws.services import AWS_SERVICES


class Category(Enum):
    """The rows of the price list for requests, by the usage type without its Region."""

    STANDARD = "KMS-Requests"
    RSA_2048 = "KMS-Requests-Asymmetric-RSA_2048"
    ASYMMETRIC = "KMS-Requests-Asymmetric"
    ECC_DATA_KEY_PAIR = "KMS-Requests-GenerateDatakeyPair-ECC"
    RSA_DATA_KEY_PAIR = "KMS-Requests-GenerateDatakeyPair-RSA"

    # The members are compared by identity, and hashed with each record that is counted.
    __hash__ = object.__hash__

    @property
    def has_free_tier(self) -> bool:
        """Whether a number of these requests is free in each month."""
        return self is Category.STANDARD


#: How amounts are computed; the context of the test may round early, or forbid it.
ARITHMETIC = Context(prec=40)
#: The usage type of key storage, without its Region.
KEYS = "KMS-Keys"

#: Key spec -> category of what is done with such a key. That of ML-KEM is not published.
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

#: Errors of requests that were carried out as far as they were to be.
_CHARGED_ERRORS = frozenset({"DryRunOperationException"})
#: Errors of requests that are never charged.
_FREE_ERRORS = frozenset({"ThrottlingException"})
#: Services whose own requests are free. Source: AWS CloudTrail User Guide, on SSE-KMS.
_FREE_SERVICES = frozenset(
    f"{service.via or name}.amazonaws.com"
    for name, service in AWS_SERVICES.items()
    if service.is_free
)


class Charge(NamedTuple):
    """What one request is charged: its category, and the list price in USD.

    category: None when it is free by its nature, and does not use up the free tier either.
    """

    category: Category | None
    price: Decimal


FREE = Charge(None, Decimal(0))


class _Named(Protocol):
    @property
    def name(self) -> str: ...


class PricedKey(Protocol):
    """What the price list looks at of a key: its key spec."""

    @property
    def spec(self) -> _Named:
        """The key spec."""
        ...


@dataclass(frozen=True)
class Prices:
    """A price list.

    key_month: of a customer managed key, in USD a month, and of each rotation that is charged.
    requests: category -> USD a request. free_requests: how many of category STANDARD are free, for
    each account and month. surcharged_rotations: how many rotations of a key are charged; None for
    all, as it was until April 2024. charges_failed_calls: whether requests that failed are charged,
    which AWS does not tell; throttled ones never are. partitions: where these prices are known to
    hold; elsewhere they are an estimate. date and source: of the figures.
    """

    key_month: Decimal = Decimal(1)
    requests: Mapping[Category, Decimal] = field(
        default_factory=lambda: {
            Category.STANDARD: Decimal("0.000003"),
            Category.RSA_2048: Decimal("0.000003"),
            Category.ASYMMETRIC: Decimal("0.000015"),
            Category.ECC_DATA_KEY_PAIR: Decimal("0.00001"),
            Category.RSA_DATA_KEY_PAIR: Decimal("0.0012"),
        }
    )
    free_requests: int = 20_000
    surcharged_rotations: int | None = 2
    charges_failed_calls: bool = False
    partitions: tuple[str, ...] = ("aws",)
    date: str = "2026-09-11"
    source: str = "AWS Price List, awskms"

    @classmethod
    def of(cls, given: Prices | Mapping[str, Any] | str | os.PathLike[str] | None) -> Prices:
        """Read a price list: another one, what differs from AWS's, or a JSON file of that.

        given: usage types without Region -> USD a unit, as text, for example
        ``{"KMS-Requests": "0.000003"}``; and the other members of this class by name. Raises
        TypeError for names and values that cannot be, ValueError for a file that cannot be read.
        """
        if given is None:
            return cls()
        if isinstance(given, Prices):
            return given
        mapping = given if isinstance(given, Mapping) else _read(Path(given))
        other = {f.name: f for f in fields(cls) if f.name not in ("key_month", "requests")}
        categories = {category.value: category for category in Category}
        changed: dict[str, Any] = {}
        requests = dict(cls().requests)
        for name, value in mapping.items():
            if name == KEYS:
                changed["key_month"] = dollars(value, name)
            elif name in categories:
                requests[categories[name]] = dollars(value, name)
            elif name in other:
                changed[name] = _member(name, value)
            else:
                known = ", ".join([KEYS, *categories, *other])
                raise TypeError(f"a price list has no {name!r}; it has {known}")
        if mapping and not {"date", "source"} & mapping.keys():
            changed["source"] = "prices of this project"
            changed["date"] = "no date"
        return replace(cls(), requests=requests, **changed)

    def is_estimate(self, region: str) -> bool:
        """Tell whether these prices are not known to hold in a Region."""
        return not is_known_region(region) or partition_of(region) not in self.partitions


class Tariff:
    """Finds what requests are charged under one price list; records share its `Charge` objects."""

    def __init__(self, prices: Prices) -> None:
        self.prices = prices
        charges = {c: Charge(c, price) for c, price in prices.requests.items()}
        self._standard = charges[Category.STANDARD]
        self._of_key_spec = {spec: charges[found] for spec, found in OF_KEY_SPEC.items()}
        self._of_pair_spec = {spec: charges[found] for spec, found in OF_PAIR_SPEC.items()}

    def charge(
        self,
        price: PriceClass,
        caller: str,
        error_code: str | None,
        keys: Sequence[PricedKey],
        pair_spec: str | None,
    ) -> Charge:
        """Give the charge of a request; this is on the path of every call.

        price: what the operation is priced by. caller: its ARN, or the name of a service. keys:
        that it found. pair_spec: of the data key pair that it asks for.
        """
        if caller in _FREE_SERVICES:
            return FREE
        if error_code is not None and not self._is_charged(error_code):
            return FREE
        if keys and price is PriceClass.BY_KEY_SPEC:
            if len(keys) == 1:
                return self._of_key_spec[keys[0].spec.name]
            # ReEncrypt: an asymmetric key decides, of two the dearer. AWS does not publish this.
            both = [self._of_key_spec[key.spec.name] for key in keys]
            return max(both, key=lambda charge: (charge is not self._standard, charge.price))
        if price is PriceClass.BY_PAIR_SPEC:
            return self._of_pair_spec.get(pair_spec or "", self._standard)
        return self._standard

    def _is_charged(self, error_code: str) -> bool:
        return error_code in _CHARGED_ERRORS or (
            self.prices.charges_failed_calls and error_code not in _FREE_ERRORS
        )


def dollars(value: Any, name: str) -> Decimal:
    """Read an amount in USD that somebody wrote: a text, an int or a Decimal.

    A float means what it shows. Raises TypeError, with the name of what was given, for all else
    and for what is negative or not finite.
    """
    try:
        amount = Decimal(str(value), ARITHMETIC)
    except InvalidOperation:
        amount = None
    if isinstance(value, bool) or amount is None or not amount.is_finite() or amount < 0:
        raise TypeError(f'{name} must be an amount in USD, such as "0.01", not {value!r}')
    return amount


def show(amount: Decimal) -> str:
    """Write an amount: with cents, and up to six further digits where there are any."""
    text = f"{amount:.8f}".rstrip("0")
    whole, _, cents = text.partition(".")
    return f"${whole}.{cents:0<2}"


def _member(name: str, value: Any) -> Any:
    """Check what is no price."""
    if name == "partitions":
        return (value,) if isinstance(value, str) else tuple(value)
    kinds = {
        "free_requests": (int,),
        "surcharged_rotations": (int, type(None)),
        "charges_failed_calls": (bool,),
    }.get(name, (str,))
    if type(value) not in kinds:
        raise TypeError(f"{name} of a price list cannot be {value!r}")
    return value


def _read(path: Path) -> Mapping[str, Any]:
    import json

    try:
        found = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, ValueError) as reason:
        raise ValueError(f"the price list {path} cannot be read: {reason}") from None
    if not isinstance(found, dict):
        raise TypeError(f"the price list {path} is no JSON object")
    return found
