"""The content of a report, independent of its form; the JSON form has the same member names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, NamedTuple

ZERO = Decimal(0)

# The number of single items in a report, to limit memory in long runs; further ones are counted.
CALLS_KEPT = 10_000
KEYS_KEPT = 2_000
REFUSALS_KEPT = 1_000
PERMISSIONS_KEPT = 10_000
SLOWEST_KEPT = 10
NOTES_KEPT = 20
#: Of the highest shares of quotas.
QUOTAS_KEPT = 1_000

#: A string that occurs often in a report, and is written once in the JSON form.
Name = Annotated[str, "name"]


@dataclass
class Tally:
    """Sums over calls."""

    calls: int = 0
    #: The number of calls that were denied: with AccessDeniedException.
    denied: int = 0
    #: The number of calls with another error.
    failed: int = 0
    #: The list price of the requests in USD.
    cost: Decimal = ZERO
    #: The number of calls with an error that a fault of the test has caused; not in the others.
    injected: int = 0

    def add(self, other: Tally) -> None:
        """Add the sums of another one."""
        self.calls += other.calls
        self.denied += other.denied
        self.failed += other.failed
        self.injected += other.injected
        self.cost += other.cost


@dataclass
class OperationTally(Tally):
    """Sums over the calls of an operation."""

    #: The total real time in seconds.
    seconds: float = 0.0
    #: The longest real time of a call in seconds.
    slowest: float = 0.0

    def add(self, other: Tally) -> None:
        """Add the sums of another one."""
        super().add(other)
        if isinstance(other, OperationTally):
            self.seconds += other.seconds
            self.slowest = max(self.slowest, other.slowest)


@dataclass
class TestTally(Tally):
    """Sums over the calls of a test. outcome: passed, failed or skipped; None if unknown."""

    __test__ = False  # not a test class, despite its name
    outcome: str | None = None

    def add(self, other: Tally) -> None:
        """Add the sums of another one."""
        super().add(other)
        if isinstance(other, TestTally):
            self.outcome = self.outcome or other.outcome


@dataclass
class SpecTally(Tally):
    """Sums over the keys of a key spec, and the calls with them."""

    keys: int = 0
    #: The number of customer managed keys without a successful cryptographic operation.
    unused: int = 0
    #: The monthly charge of the keys for the time that passed in the mock, in USD.
    storage: Decimal = ZERO

    def add(self, other: Tally) -> None:
        """Add the sums of another one."""
        super().add(other)
        if isinstance(other, SpecTally):
            self.keys += other.keys
            self.unused += other.unused
            self.storage += other.storage


@dataclass
class KeyRecord:
    """A key of a mock."""

    #: The mock's name in the report.
    mock: str
    arn: str
    #: The node id of the test that created the key.
    test: str | None
    spec: str
    usage: str
    origin: str
    #: CUSTOMER or AWS.
    manager: str
    #: The time on the mock's clock.
    created: datetime
    description: str = ""
    aliases: list[str] = field(default_factory=list)
    #: The last key state.
    state: str = ""
    #: Whether a cryptographic operation succeeded with it.
    used: bool = False
    #: The charge for the key in USD.
    storage: Decimal = ZERO
    #: The part of it for time that passed only on the mock's clock, which the test has moved.
    storage_moved: Decimal = ZERO
    #: Sums over the calls that used the key.
    tally: Tally = field(default_factory=Tally)

    @property
    def is_unused(self) -> bool:
        """Whether it is a customer managed key that was not used."""
        return not self.used and self.manager != "AWS"


class StateChange(NamedTuple):
    """A key state."""

    #: The time in ms since the start of the scene.
    at: int
    #: How many calls of the scene came before.
    after: int
    state: Name


class Rotation(NamedTuple):
    """A rotation of key material."""

    #: The time in ms since the start of the scene.
    at: int
    #: How many calls of the scene came before.
    after: int
    #: AUTOMATIC or ON_DEMAND.
    kind: Name


@dataclass
class Lane:
    """The states and rotations of a key in one scene."""

    key: Name
    states: list[StateChange] = field(default_factory=list)
    rotations: list[Rotation] = field(default_factory=list)


class CallRow(NamedTuple):
    """A call."""

    #: The time in ms since the start of the scene.
    at: int
    operation: Name
    key: Name | None
    caller: Name
    #: ``ok``, or the error code.
    outcome: Name
    test: Name | None
    #: Whether a fault of the test has caused the error.
    is_injected: bool = False


class Permission(NamedTuple):
    """Whether a principal is allowed an action on a key, evaluated at the end of a scene."""

    key: Name
    principal: Name
    action: Name
    #: ``yes``, ``no``, or ``with context`` (only with an encryption context that calls had).
    may: Name
    #: The reason of the decision.
    reason: Name
    #: The number of calls that succeeded.
    did: int
    #: The number of calls that were denied.
    refused: int


@dataclass
class Scene:
    """A part of a mock's history: from its start, or a restored checkpoint, to the next end."""

    #: The mock's name in the report.
    mock: str
    #: The test that was running at the start.
    test: str | None
    #: The start on the mock's clock.
    began: datetime
    #: The end on the mock's clock.
    ended: datetime
    #: Whether policies were enforced.
    enforced: bool = True
    lanes: list[Lane] = field(default_factory=list)
    calls: list[CallRow] = field(default_factory=list)
    permissions: list[Permission] = field(default_factory=list)


@dataclass
class Refusal:
    """Calls that were denied, that failed, or whose answers lacked something, in the same way."""

    test: str | None
    operation: str
    caller: str
    key: str | None
    #: The error code; ``ok`` for calls that succeeded.
    code: str
    #: AWS's error message; empty for calls that succeeded.
    message: str
    #: The reason, in one sentence.
    reason: str
    #: The whole explanation.
    text: str
    #: The number of calls.
    times: int = 1
    #: Whether a fault of the test has caused them.
    is_injected: bool = False

    @property
    def is_denied(self) -> bool:
        """Whether the calls were denied by authorization."""
        return self.code == DENIED

    @property
    def is_answer(self) -> bool:
        """Whether the calls succeeded."""
        return self.code == OK


@dataclass
class QuotaPeak:
    """The most requests per second against a request quota, of all mocks."""

    #: The name of the quota.
    quota: str
    region: str
    #: The account; empty for the quota of custom key stores.
    account: str
    #: The most requests per second, by the clock of a mock.
    peak: float
    #: The value of the quota, in requests per second.
    per_second: float
    #: Operation -> the number of its requests in that second.
    operations: dict[str, int] = field(default_factory=dict)
    #: The node id of the test that made the last of these requests.
    test: str | None = None

    @property
    def share(self) -> float:
        """The peak as a part of the quota."""
        return self.peak / self.per_second if self.per_second > 0 else 0.0

    @property
    def limit_at(self) -> float:
        """The factor above which as many times this traffic is throttled."""
        return self.per_second / self.peak if self.peak > 0 else 0.0


DENIED = "AccessDeniedException"
OK = "ok"


@dataclass
class SlowCall:
    """A call, and the real time in seconds that the mock took to answer it."""

    seconds: float
    operation: str
    spec: str | None
    test: str | None


@dataclass
class PolicyRecord:
    """How far tests cover a policy; recorded with ``--kms-policy-coverage``."""

    #: Where it is written, or whose it is.
    policy: str
    statements: int = 0
    #: The number of statements that have decided a call.
    covered: int = 0
    #: The number of weakenings of the policy, and of those that tests would notice.
    weakenings: int = 0
    noticed: int = 0
    #: What is not covered, as sentences.
    gaps: list[str] = field(default_factory=list)


@dataclass
class Report:
    """A report."""

    #: The time of its creation.
    made: datetime | None = None
    #: Whether it is about a server until now, and not about tests.
    is_of_server: bool = False
    #: The number of tests in the whole run.
    tests_run: int = 0
    #: The number of failed tests in the whole run.
    tests_failed: int = 0
    #: Warnings for the reader.
    notes: list[str] = field(default_factory=list)
    #: Sums over all calls.
    total: Tally = field(default_factory=Tally)
    #: The charge of all keys, in USD at list price.
    storage: Decimal = ZERO
    #: The part of it for time that passed only on the clocks of mocks.
    storage_moved: Decimal = ZERO
    #: Sums by operation.
    operations: dict[str, OperationTally] = field(default_factory=dict)
    #: Sums by test.
    tests: dict[str, TestTally] = field(default_factory=dict)
    #: Sums by key spec.
    specs: dict[str, SpecTally] = field(default_factory=dict)
    keys: list[KeyRecord] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    slowest: list[SlowCall] = field(default_factory=list)
    #: The peak of each request quota, the highest share first.
    quotas: list[QuotaPeak] = field(default_factory=list)
    scenes: list[Scene] = field(default_factory=list)
    policies: list[PolicyRecord] = field(default_factory=list)
    #: The numbers of calls, keys, refusals and permissions that are only in the sums.
    omitted: dict[str, int] = field(default_factory=dict)

    @property
    def key_count(self) -> int:
        """The number of keys."""
        return sum(spec.keys for spec in self.specs.values())

    def add_quotas(self, peaks: Iterable[QuotaPeak]) -> None:
        """Add peaks of request quotas; of those of the same quota, the highest share is kept."""
        known = {(each.quota, each.region, each.account): each for each in self.quotas}
        for peak in peaks:
            name = (peak.quota, peak.region, peak.account)
            if name not in known or known[name].share < peak.share:
                known[name] = peak
        order = sorted(known.items(), key=lambda item: (-item[1].share, item[0]))
        self.quotas = [peak for _, peak in order[:QUOTAS_KEPT]]

    def omit(self, what: str, number: int) -> None:
        """Count items that are only in the sums. what: such as ``calls``."""
        if number > 0:
            self.omitted[what] = self.omitted.get(what, 0) + number

    def copy(self) -> Report:
        """Return a copy that shares nothing which can change."""
        copied: Report = _copy(self)
        return copied

    def mocks(self) -> Iterator[str]:
        """Yield the names of the mocks of keys and scenes, with repetitions."""
        yield from (record.mock for record in self.keys)
        yield from (scene.mock for scene in self.scenes)


def _copy(value: Any) -> Any:
    """Return a copy of a value; tuples have nothing that changes."""
    if isinstance(value, list):
        is_fixed = bool(value) and isinstance(value[0], (tuple, str))  # items are of one type
        return list(value) if is_fixed else [_copy(each) for each in value]
    if isinstance(value, dict):
        return {name: _copy(each) for name, each in value.items()}
    if hasattr(value, "__dataclass_fields__"):
        copied = object.__new__(type(value))
        vars(copied).update({name: _copy(each) for name, each in vars(value).items()})
        return copied
    return value
