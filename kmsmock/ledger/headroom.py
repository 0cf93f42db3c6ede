"""What `kms.quotas.headroom` returns: peaks of requests per second against the request quotas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from fractions import Fraction
from math import floor, isfinite

from kmsmock.ledger.request_rates import Peak, list_operations
from kmsmock.misuse.public_object import PublicObject
from kmsmock.misuse.values import require_type


class QuotaUse(PublicObject):
    """The peak of one request quota, in an account and Region.

    peak: what was counted. factor: how many times as much traffic is assumed.
    """

    def __init__(self, peak: Peak, factor: Fraction) -> None:
        self._peak = peak
        self._factor = factor

    @property
    def quota(self) -> str:
        """The name of the quota, such as ``cryptographic-symmetric`` or ``CreateKey``."""
        return self._peak.scope.quota

    @property
    def account(self) -> str:
        """The account that has made the requests; empty for the quota of a key store."""
        return self._peak.scope.account

    @property
    def key_store(self) -> str:
        """The id of the custom key store, for its quota; empty for others."""
        return self._peak.scope.key_store

    @property
    def region(self) -> str:
        """The Region in which the requests count."""
        return self._peak.scope.region

    @property
    def peak(self) -> float:
        """The most requests per second, without the factor; of what was throttled, too."""
        return self._peak.requests / self._peak.rate.seconds

    @property
    def per_second(self) -> float:
        """The value of the quota, in requests per second."""
        return self._peak.rate.per_second

    @property
    def share(self) -> float:
        """The peak as a part of the quota, from 0; above 1 requests are throttled."""
        return self._peak.requests / self._peak.rate.requests

    @property
    def throttles_at(self) -> float:
        """The factor above which this traffic is throttled: the quota divided by the peak."""
        return self._peak.rate.requests / self._peak.requests

    @property
    def is_throttled(self) -> bool:
        """Whether the traffic, times the factor, would be throttled."""
        return self._peak.requests * self._factor > self._peak.rate.requests

    @property
    def throttled(self) -> int:
        """How many requests were throttled, by a quota or another fault."""
        return self._peak.throttled

    @property
    def operations(self) -> Mapping[str, int]:
        """Operation -> the number of its requests in the second of the peak.

        The peak is greater where one counts as several, such as ReplicateKey as two CreateKey.
        """
        return dict(self._peak.operations)

    @property
    def at(self) -> datetime | None:
        """When the second of the peak began, on the mock's clock."""
        return self._peak.at

    @property
    def test_id(self) -> str | None:
        """The pytest node id of the test that made the last request of the peak."""
        return self._peak.test

    def __repr__(self) -> str:
        whose = self.key_store or self.account
        return (
            f"<{self.quota} of {whose} in {self.region}: {self.peak:g} of {self.per_second:g} per "
            f"second>"
        )

    def __str__(self) -> str:
        operations, factor = self._peak.operations, float(self._factor)
        named = "" if list(operations) == [self.quota] else f" ({self.quota})"
        times = "" if factor == 1 else f", times {factor:,g} is {self.peak * factor:,g}"
        return (
            f"{', '.join(operations)}{named} in {self.region}: the peak is {self.peak:,g} per "
            f"second ({list_operations(operations, self.quota)}){times}; the quota of "
            f"{self.key_store or f'account {self.account}'} is {self._peak.rate}"
        )


class Headroom(PublicObject, internal=("describe_exceeded",)):
    """The peaks of all request quotas that calls count against; the highest shares first.

    It is true if the traffic, times the factor, would not be throttled, and all of its calls are
    known. peaks: what was counted. note: a sentence about calls that are no longer recorded, and so
    not counted.
    """

    def __init__(self, peaks: Iterable[Peak], factor: Fraction, note: str = "") -> None:
        self._factor = factor
        self._note = note
        uses = [QuotaUse(peak, factor) for peak in peaks]
        self._uses = sorted(uses, key=lambda use: (-use.share, use.quota, use.account, use.region))

    @property
    def factor(self) -> float:
        """How many times as much traffic is assumed."""
        return float(self._factor)

    @property
    def quotas(self) -> tuple[QuotaUse, ...]:
        """The peak of each quota, in each account and Region; the highest share first."""
        return tuple(self._uses)

    @property
    def throttled(self) -> tuple[QuotaUse, ...]:
        """Those that would be exceeded."""
        return tuple(use for use in self._uses if use.is_throttled)

    def __bool__(self) -> bool:
        return not self.throttled and not self._note

    def __repr__(self) -> str:
        if not self._uses and not self._note:
            return "<no calls count against request quotas>"
        return f"<{' '.join(self._describe())}>"

    def __str__(self) -> str:
        if not self._uses and not self._note:
            return "no calls count against request quotas"
        rows = [("quota", "account or store", "Region", "peak/s", "quota/s", "share", "limit at")]
        rows += [
            (
                use.quota,
                use.key_store or use.account,
                use.region,
                f"{use.peak:,g}",
                f"{use.per_second:,g}",
                f"{use.share:.1%}",
                format_limit(use.throttles_at),
            )
            for use in self._uses
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(_align(row, widths)).rstrip() for row in rows]
        return "\n".join([*lines, *self._describe()])

    def describe_exceeded(self) -> list[str]:
        """Return a sentence for each quota that would be exceeded, and about calls not counted."""
        lines = [f"{self._describe_traffic()} would throttle {use}" for use in self.throttled]
        if not self._note:
            return lines
        if not lines:
            traffic = self._describe_traffic()
            lines = [f"Whether {traffic[0].lower()}{traffic[1:]} would be throttled is not known:"]
        return [*lines, self._note]

    def _describe(self) -> list[str]:
        return self.describe_exceeded() or [f"{self._describe_traffic()} would not be throttled"]

    def _describe_traffic(self) -> str:
        return "This traffic" if self._factor == 1 else f"{self.factor:,g} times this traffic"


def _align(row: tuple[str, ...], widths: list[int]) -> Iterator[str]:
    """Align the cells of a row: names to the left, numbers to the right."""
    for place, (cell, width) in enumerate(zip(row, widths, strict=True)):
        yield f"{cell:<{width}}" if place < 3 else f"{cell:>{width}}"


def format_limit(factor: float) -> str:
    """Format how many times as much traffic is not throttled, rounded down: ``x 1.2``."""
    return f"x {floor(factor):,}" if factor >= 100 else f"x {floor(factor * 10) / 10}"


def read_factor(value: float) -> Fraction:
    """Read a factor of traffic. Raises TypeError, ValueError unless it is a positive number."""
    require_type(value, (int, float, Fraction), "factor", "a number")
    if not isfinite(value) or value <= 0:
        raise ValueError(f"factor must be a positive number, not {value!r}")
    return Fraction(value)
