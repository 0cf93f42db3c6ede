"""The options of a mock: the same as keywords, marker arguments and ini options."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timezone
from typing import Any

from kmsmock.arns import is_region
from kmsmock.aws.services import MOCKED
from kmsmock.delays import DELAYS

#: When the clock of a seeded mock starts, unless told otherwise.
SEEDED_START = datetime(2026, 1, 1, tzinfo=timezone.utc)
ENFORCED = "enforced"
AUTHORIZATIONS = (ENFORCED, "off")
#: Options that are easily given as something else: name, types, and these in words.
_KINDS: tuple[tuple[str, Any, str], ...] = (
    ("account_id", str, "12 digits, as text"),
    ("services", tuple, "a list, such as ['kms']"),
    ("world", (str, os.PathLike, Mapping, type(None)), "a path or a mapping"),
    ("start_time", (datetime, type(None)), "an aware datetime"),
)


@dataclass(frozen=True)
class Options:
    """How a mock is to be.

    account_id: the account of clients with unknown credentials, 12 digits. region: the default
    Region while active, if none is configured. authorization: "enforced", key policies, IAM and
    grants decide; or "off", every principal may do everything. services: which services are
    answered. seed: makes ids, key material and timestamps functions of it and of the order of
    calls; the clock then stands still until it is moved. world: what there is from the beginning,
    as the path of a file or as what it says. start_time: an aware datetime at which
    the clock starts. delays: what takes a while on the mock's clock, as on AWS: "kms", keys and key
    stores; "all", volumes, snapshots, databases and tables too; or "none", things are done at the
    next call. wire: answer real HTTP, behind botocore's own signing, retries and parsing.
    calls_kept: how many records of calls are kept; of older ones there are counts. prices: a price
    list for `kms.costs`, or what differs from AWS's, or a JSON file of that.
    block_real_kms: keep unmocked clients away from the real KMS (for the pytest plugin).
    leak_check: look for plaintexts in what a test leaves behind (for the pytest plugin).
    """

    account_id: str = "123456789012"
    region: str = "us-east-1"
    authorization: str = ENFORCED
    services: tuple[str, ...] = MOCKED
    seed: int | str | None = None
    world: str | os.PathLike[str] | Mapping[str, Any] | None = None
    start_time: datetime | None = None
    delays: str = "kms"
    wire: bool = False
    calls_kept: int = 100_000
    prices: Any = None
    block_real_kms: bool = True
    leak_check: bool = False

    def __post_init__(self) -> None:
        self._require_kinds()
        if not re.fullmatch(r"[0-9]{12}", self.account_id):
            raise TypeError(f"account_id must be 12 digits, not {self.account_id!r}")
        if not is_region(self.region):
            raise TypeError(f"region must be one such as eu-west-1, not {self.region!r}")
        if self.authorization not in AUTHORIZATIONS:
            raise TypeError(
                f"authorization must be {' or '.join(map(repr, AUTHORIZATIONS))}, "
                f"not {self.authorization!r}"
            )
        if self.delays not in DELAYS:
            raise TypeError(f"delays must be {' or '.join(map(repr, DELAYS))}, not {self.delays!r}")
        unknown = [name for name in self.services if name not in MOCKED]
        if unknown:
            raise TypeError(
                f"the service {unknown[0]!r} is not built in; this version answers: "
                f"{', '.join(MOCKED)}"
            )
        if self.seed is not None and type(self.seed) not in (int, str):
            raise TypeError(f"seed must be an int or a text, not {self.seed!r}")
        if self.start_time is not None and self.start_time.tzinfo is None:
            raise TypeError("start_time must be an aware datetime, with a time zone")
        if type(self.calls_kept) is not int or self.calls_kept < 1:
            raise TypeError(f"calls_kept must be a number, 1 or more, not {self.calls_kept!r}")

    def _require_kinds(self) -> None:
        for name, kinds, words in _KINDS:
            value = getattr(self, name)
            if not isinstance(value, kinds):
                raise TypeError(f"{name} must be {words}, not {value!r}")

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Options:
        """Make options from names and values, over the defaults of the run.

        Raises TypeError, which names the options there are, for an unknown one, and ValueError for
        a price list that cannot be read.
        """
        known = {field.name for field in fields(cls)}
        for name in given:
            if name not in known:
                raise TypeError(
                    f"mock_kms has no option {name!r}; it has {', '.join(sorted(known))}"
                )
        values = {name: value for name, value in given.items() if name in known}
        if isinstance(values.get("services"), (list, set, frozenset)):
            values["services"] = tuple(values["services"])
        if isinstance(values.get("calls_kept"), str) and values["calls_kept"].isdecimal():
            values["calls_kept"] = int(values["calls_kept"])
        if values.get("prices") is not None:
            from kmsmock.ledger.pricing import Prices

            values["prices"] = Prices.of(values["prices"])
        return replace(_defaults, **values)


_defaults = Options()


def set_defaults(options: Options) -> None:
    """Set what holds for all mocks of this process that do not say otherwise."""
    global _defaults  # noqa: PLW0603 - the configuration of the run
    _defaults = options


def defaults() -> Options:
    """Give what holds for mocks that say nothing else."""
    return _defaults
