"""The content of a report, independent of its form; the JSON form has the same member names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Annotated, NamedTuple

ZERO = Decimal(0)

# The number of single items in a report, to limit memory in long runs; further ones are counted.
CALLS_KEPT = 10_000
KEYS_KEPT = 2_000
REFUSALS_KEPT = 1_000
PERMISSIONS_KEPT = 10_000
SLOWEST_KEPT = 10

#: A string that occurs often in a report, and is written once in the JSON form.
Name = Annotated[str, "name"]


@dataclass
class Tally:
    """Sums over calls.

    denied: the number with AccessDeniedException. failed: the number with another error. cost: of
    the requests, in USD at list price.
    """

    calls: int = 0
    denied: int = 0
    failed: int = 0
    cost: Decimal = ZERO

    def add(self, other: Tally) -> None:
        """Add the sums of another one."""
        self.calls += other.calls
        self.denied += other.denied
        self.failed += other.failed
        self.cost += other.cost


@dataclass
class OperationTally(Tally):
    """Sums over the calls of an operation. seconds, slowest: total and maximum real time."""

    seconds: float = 0.0
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
    """Sums over the keys of a key spec, and the calls with them.

    unused: the number of customer managed keys without a successful cryptographic operation.
    storage: the monthly charge of the keys for the time that passed in the mock, in USD.
    """

    keys: int = 0
    unused: int = 0
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
    """A key of a mock.

    mock: the mock's name in the report. test: the node id of the test that created the key.
    manager: CUSTOMER or AWS. created: by the mock's clock. state: the last key state. used: whether
    a cryptographic operation succeeded with it. storage: its charge, in USD. tally: of its calls.
    """

    mock: str
    arn: str
    test: str | None
    spec: str
    usage: str
    origin: str
    manager: str
    created: datetime
    description: str = ""
    aliases: list[str] = field(default_factory=list)
    state: str = ""
    used: bool = False
    storage: Decimal = ZERO
    tally: Tally = field(default_factory=Tally)

    @property
    def is_unused(self) -> bool:
        """Whether it is a customer managed key that was not used."""
        return not self.used and self.manager != "AWS"


class StateChange(NamedTuple):
    """A key state. at: ms since the start of the scene. after: how many calls came before it."""

    at: int
    after: int
    state: Name


class Rotation(NamedTuple):
    """A rotation of key material. at, after: as in `StateChange`. kind: AUTOMATIC or ON_DEMAND."""

    at: int
    after: int
    kind: Name


@dataclass
class Lane:
    """The states and rotations of a key in one scene."""

    key: Name
    states: list[StateChange] = field(default_factory=list)
    rotations: list[Rotation] = field(default_factory=list)


class CallRow(NamedTuple):
    """A call. at: ms since the start of the scene. outcome: ``ok``, or the error code."""

    at: int
    operation: Name
    key: Name | None
    caller: Name
    outcome: Name
    test: Name | None


class Permission(NamedTuple):
    """Whether a principal is allowed an action on a key, evaluated at the end of a scene.

    may: ``yes``, ``no``, or ``with context`` (only with an encryption context that calls had).
    reason: of the decision. did, refused: the numbers of calls that succeeded and that were denied.
    """

    key: Name
    principal: Name
    action: Name
    may: Name
    reason: Name
    did: int
    refused: int


@dataclass
class Scene:
    """A part of a mock's history: from its start, or a restored checkpoint, to the next end.

    mock: its name in the report. test: the test that was running at the start. began, ended: by the
    mock's clock. enforced: whether policies were enforced.
    """

    mock: str
    test: str | None
    began: datetime
    ended: datetime
    enforced: bool = True
    lanes: list[Lane] = field(default_factory=list)
    calls: list[CallRow] = field(default_factory=list)
    permissions: list[Permission] = field(default_factory=list)


@dataclass
class Refusal:
    """Calls that were denied, or failed, in the same way.

    code, message: of AWS's error. reason: one sentence. text: the whole explanation. times: the
    number of calls.
    """

    test: str | None
    operation: str
    caller: str
    key: str | None
    code: str
    message: str
    reason: str
    text: str
    times: int = 1

    @property
    def is_denied(self) -> bool:
        """Whether the calls were denied by authorization."""
        return self.code == DENIED


DENIED = "AccessDeniedException"


@dataclass
class SlowCall:
    """A call, and the real time in seconds that the mock took to answer it."""

    seconds: float
    operation: str
    spec: str | None
    test: str | None


@dataclass
class Report:
    """A report.

    made: the time of its creation. tests_run, tests_failed: in the whole run. notes: warnings for
    the reader. total: over all calls. storage: the charge of all keys, in USD at list price.
    operations, tests, specs: sums by operation, test and key spec. omitted: the numbers of calls,
    keys, refusals and permissions that are only in the sums.
    """

    made: datetime | None = None
    tests_run: int = 0
    tests_failed: int = 0
    notes: list[str] = field(default_factory=list)
    total: Tally = field(default_factory=Tally)
    storage: Decimal = ZERO
    operations: dict[str, OperationTally] = field(default_factory=dict)
    tests: dict[str, TestTally] = field(default_factory=dict)
    specs: dict[str, SpecTally] = field(default_factory=dict)
    keys: list[KeyRecord] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    slowest: list[SlowCall] = field(default_factory=list)
    scenes: list[Scene] = field(default_factory=list)
    omitted: dict[str, int] = field(default_factory=dict)

    @property
    def key_count(self) -> int:
        """The number of keys."""
        return sum(spec.keys for spec in self.specs.values())

    def omit(self, what: str, number: int) -> None:
        """Count items that are only in the sums. what: such as ``calls``."""
        if number > 0:
            self.omitted[what] = self.omitted.get(what, 0) + number

    def mocks(self) -> Iterator[str]:
        """Yield the names of the mocks of keys and scenes, with repetitions."""
        yield from (record.mock for record in self.keys)
        yield from (scene.mock for scene in self.scenes)
