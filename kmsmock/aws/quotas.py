"""Request quotas: their names, AWS's default values by Region, and what a request counts against.

Which quota an operation has is in its declaration (`kmsmock.aws.operations.RequestQuota`), with the
values of those that it shares with no other; here are those that operations share.

Source: AWS KMS Developer Guide, "Request quotas" (2026), https://docs.aws.amazon.com/kms/latest/
developerguide/requests-per-second.html. It has no values for ML-KEM: here they are those of ML-DSA,
and for data key pairs those of elliptic curves.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple, Protocol

from kmsmock.aws.operations import OPERATION_FACTS, OperationFacts, QuotaGroup
from kmsmock.misuse.suggestions import suggest
from kmsmock.misuse.values import require_type

SYMMETRIC = "cryptographic-symmetric"
#: Of each custom key store, for the requests of all accounts together. AWS KMS Developer Guide,
#: "Custom key store request quotas": 1,800 for either type, also counted as symmetric.
CUSTOM_KEY_STORE = "custom-key-store"
_DATA_KEY_PAIR = "GenerateDataKeyPair-"
#: Start of the name of a key spec -> the quota of cryptographic operations with such keys.
_BY_KEY_SPEC = {
    "SYMMETRIC_": SYMMETRIC,
    "HMAC_": SYMMETRIC,
    "RSA_": "cryptographic-rsa",
    "ECC_": "cryptographic-ecc",
    "SM2": "cryptographic-ecc",
    "ML_DSA_": "cryptographic-ml-dsa",
    "ML_KEM_": "cryptographic-ml-kem",
}
_CHINA = ("cn-north-1", "cn-northwest-1")


class Value(NamedTuple):
    """The default value of a quota that operations share, in requests per second."""

    per_second: int
    #: Region -> its value, where that is another one.
    in_region: Mapping[str, int | Fraction] = {}


#: Name of a quota that operations share -> its default value.
SHARED: dict[str, Value] = {
    SYMMETRIC: Value(
        10_000,
        {
            **dict.fromkeys(("us-east-1", "us-west-2", "eu-west-1"), 100_000),
            **dict.fromkeys(
                (
                    *("us-east-2", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1"),
                    *("eu-central-1", "eu-west-2"),
                ),
                20_000,
            ),
        },
    ),
    **dict.fromkeys(
        (name for name in dict.fromkeys(_BY_KEY_SPEC.values()) if name != SYMMETRIC), Value(1_000)
    ),
    CUSTOM_KEY_STORE: Value(1_800),
    f"{_DATA_KEY_PAIR}RSA_2048": Value(20, dict.fromkeys(_CHINA, 1)),
    f"{_DATA_KEY_PAIR}RSA_3072": Value(4, dict.fromkeys(_CHINA, Fraction(1, 2))),
    f"{_DATA_KEY_PAIR}RSA_4096": Value(1, dict.fromkeys(_CHINA, Fraction(1, 10))),
    **dict.fromkeys(
        (
            f"{_DATA_KEY_PAIR}{spec}"
            for spec in (
                *("ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1"),
                *("ECC_NIST_EDWARDS25519", "ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"),
            )
        ),
        Value(100),
    ),
    f"{_DATA_KEY_PAIR}SM2": Value(25),
}


# --- names and values -----------------------------------------------------------------------


def list_quotas() -> list[str]:
    """Return the names of all request quotas; of those of a single operation, that is its name."""
    own = (name for name, facts in OPERATION_FACTS.items() if facts.quota.group is QuotaGroup.OWN)
    return [*SHARED, *sorted(own)]


def require_quota(name: object) -> str:
    """Require the name of a request quota (ValueError, TypeError); return it.

    An operation that shares its quota has none of its own; the error names the shared one.
    """
    require_type(name, str, "a quota", "the name of a request quota, such as 'CreateKey'")
    known = list_quotas()
    if name in known:
        return str(name)
    facts = OPERATION_FACTS.get(str(name))
    if facts is not None:
        shared = [each for each in SHARED if each.startswith(_PREFIXES[facts.quota.group])]
        raise ValueError(f"{name} has no request quota of its own, but shares {', '.join(shared)}")
    raise ValueError(f"there is no request quota {name!r}{suggest(name, known, 'there are')}")


_PREFIXES = {QuotaGroup.CRYPTOGRAPHIC: "cryptographic-", QuotaGroup.DATA_KEY_PAIR: _DATA_KEY_PAIR}


def get_default(name: str, region: str) -> int | Fraction:
    """Return AWS's default value of a request quota in a Region, in requests per second."""
    shared = SHARED.get(name)
    if shared is not None:
        return shared.in_region.get(region, shared.per_second)
    value = OPERATION_FACTS[name].quota.per_second
    assert value is not None, f"{name} shares its quota"
    return value


class Rate(NamedTuple):
    """The value of a quota as whole numbers: so many requests in each interval.

    The interval is one second, unless the value has a fraction: AWS documents 0.5 as 1 in each
    2-second interval.
    """

    requests: int
    seconds: int

    @classmethod
    def of(cls, per_second: Any, name: str = "per_second") -> Rate:
        """Read a number of requests per second.

        name: of the argument. Raises TypeError for what is no number, ValueError for a number that
        is not finite and positive, or less than a request in a day.
        """
        require_type(per_second, (int, float, Decimal, Fraction), name, "a number")
        try:
            value = Fraction(per_second)
        except (ValueError, OverflowError):  # infinite, or not a number
            value = Fraction(0)
        if value <= 0:
            raise ValueError(
                f"{name} must be a positive number of requests per second, not {per_second!r}"
            )
        if value < _LEAST:
            raise ValueError(
                f"{name} must be at least one request in a day, which is 1/{_SECONDS_A_DAY:,} per "
                f"second, not {per_second!r}"
            )
        value = value.limit_denominator(_SECONDS_A_DAY)
        return cls(value.numerator, value.denominator)

    @property
    def per_second(self) -> float:
        """The requests per second."""
        return self.requests / self.seconds

    def __str__(self) -> str:
        if self.seconds == 1:
            return f"{self.requests:,} per second"
        interval = f"{self.requests:,} in each {self.seconds:,}-second interval"
        return f"{self.per_second:g} per second ({interval})"


_SECONDS_A_DAY = 86_400
#: The least value, which is that of ``1 / 86_400`` also where a float rounds it down.
_LEAST = min(Fraction(1 / _SECONDS_A_DAY), Fraction(1, _SECONDS_A_DAY))


def read_quotas(name: str, value: object) -> bool | dict[str, float]:
    """Read the option: True, False, or quota -> requests per second instead of AWS's default.

    name: of the option. The names of quotas are checked later, by `require_quota`, since they are
    those of operations. Raises TypeError and ValueError.
    """
    if isinstance(value, bool):
        return value
    if not isinstance(value, Mapping):
        raise TypeError(
            f"{name} must be True, False, or a dict such as {{'CreateKey': 10}}, not {value!r}"
        )
    for quota, per_second in value.items():
        Rate.of(per_second, f"{name}[{quota!r}]")
    return dict(value)


# --- what a request counts against ----------------------------------------------------------


class Scope(NamedTuple):
    """What requests are counted together for: a quota, in an account and Region."""

    quota: str
    #: The account that makes the requests; empty for custom key stores.
    account: str
    region: str
    #: The id of the custom key store, for its quota.
    key_store: str = ""

    def __str__(self) -> str:
        return f"{self.key_store or f'account {self.account}'} in {self.region}"


class _Named(Protocol):
    @property
    def name(self) -> str: ...


class _KeyStore(Protocol):
    store_id: str


class MeteredKey(Protocol):
    """What the quotas of a request depend on of its key."""

    @property
    def spec(self) -> _Named:
        """The key spec."""
        ...

    @property
    def custom_key_store(self) -> _KeyStore | None:
        """The custom key store that the key is in, if it is in one."""
        ...


def count_requests(
    facts: OperationFacts,
    account: str,
    region: str,
    keys: Sequence[MeteredKey],
    parameter: Callable[[str], Any],
) -> list[tuple[Scope, int]]:
    """Return what a request counts against, and as how many requests.

    account: that makes it; empty for that of a service in its own name, if it is not known. keys:
    those of the request; a cryptographic operation without one, such as GenerateRandom, or with one
    that does not exist, counts as symmetric. parameter: returns a parameter of the request, None if
    it is absent.

    A ReEncrypt counts once for each kind of its keys; how AWS counts it is not published.
    """
    quota = facts.quota
    if not account:
        return []
    if quota.group is QuotaGroup.OWN:
        counted = [(Scope(facts.name, account, region), 1)]
        if quota.region_member is not None:
            there = parameter(quota.region_member)
            if isinstance(there, str) and there != region:
                counted += [
                    (Scope(operation, account, there), count)
                    for operation, count in quota.counted_there.items()
                ]
        return counted
    if quota.group is QuotaGroup.DATA_KEY_PAIR:
        name = f"{_DATA_KEY_PAIR}{parameter('KeyPairSpec')}"
        return [(Scope(name, account, region), 1)] if name in SHARED else []
    names = dict.fromkeys(quota_of_key_spec(key.spec.name) for key in keys) or (SYMMETRIC,)
    counted = [(Scope(name, account, region), 1) for name in names]
    for store in _find_key_stores(keys, parameter):
        counted.append((Scope(CUSTOM_KEY_STORE, "", region, store), 1))
    return counted


def find_weight(operation: str, quota: str) -> int:
    """Return as how many requests one request of an operation counts against a quota."""
    if operation == quota:
        return 1
    return OPERATION_FACTS[operation].quota.counted_there.get(quota, 1)


def _find_key_stores(
    keys: Sequence[MeteredKey], parameter: Callable[[str], Any]
) -> Collection[str]:
    """Return the ids of the custom key stores that a cryptographic operation uses."""
    if not keys:
        named = parameter("CustomKeyStoreId")
        return () if named is None else (named,)
    stores = (key.custom_key_store for key in keys)
    return dict.fromkeys(store.store_id for store in stores if store is not None)


@cache
def quota_of_key_spec(spec: str) -> str:
    """Return the quota of cryptographic operations with keys of a key spec."""
    return next(name for start, name in _BY_KEY_SPEC.items() if spec.startswith(start))
