"""The content of a report. The JSON form has these names; `as_json` writes and reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Annotated, NamedTuple

ZERO = Decimal(0)

# How much is kept one by one, so that memory stays flat in runs of any length. The rest is counted.
CALLS_KEPT = 10_000
KEYS_KEPT = 2_000
REFUSALS_KEPT = 1_000
PERMISSIONS_KEPT = 10_000
SLOWEST_KEPT = 10

#: A string that is repeated in a report, and written once in its JSON form.
Name = Annotated[str, "name"]


@dataclass
class Tally:
    """Sums over calls.

    denied: refused by authorization. failed: answered with another error. cost: of the requests,
    in USD at list price.
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
    """Sums over the calls of an operation. seconds, slowest: real time, in all and at most."""

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
    """Sums over the calls of a test. outcome: passed, failed or skipped, as far as it is known."""

    __test__ = False  # pytest need not look for tests in it
    outcome: str | None = None

    def add(self, other: Tally) -> None:
        """Add the sums of another one."""
        super().add(other)
        if isinstance(other, TestTally):
            self.outcome = self.outcome or other.outcome


@dataclass
class SpecTally(Tally):
    """Sums over the keys of a key spec.

    unused: made by a customer, and never used. storage: what it costs to keep them, in USD.
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
    """One key of one mock.

    mock: which. test: that made it. manager: CUSTOMER or AWS. created: by the mock's clock.
    state: the last one. used: whether a cryptographic operation succeeded with it. storage: what
    it costs to keep it, in USD.
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
        """Whether a customer made it, and no call used it."""
        return not self.used and self.manager != "AWS"


class StateChange(NamedTuple):
    """A key state. at: ms since the scene began. after: how many calls of the scene came before."""

    at: int
    after: int
    state: Name


class Rotation(NamedTuple):
    """A rotation of key material. kind: AUTOMATIC or ON_DEMAND. at, after: as of state changes."""

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
    """One call. at: ms since the scene began. outcome: ``ok``, or the code of the error."""

    at: int
    operation: Name
    key: Name | None
    caller: Name
    outcome: Name
    test: Name | None


class Permission(NamedTuple):
    """Whether a principal may do something with a key, decided at the end of a scene.

    may: ``yes``, ``no``, or ``with context``: only with an encryption context that calls had.
    did, refused: the numbers of calls that succeeded and that were denied.
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
    """What happened in a mock: from its start or a restore, to the next restore or its end.

    began, ended: by the mock's clock. enforced: whether policies decided.
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
    """Calls that were denied or failed in the same way.

    code, message: what AWS would answer. reason: one sentence. text: the whole explanation.
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
        """Whether authorization refused."""
        return self.code == DENIED


DENIED = "AccessDeniedException"


@dataclass
class SlowCall:
    """A call, and the real time that the mock took to answer it."""

    seconds: float
    operation: str
    spec: str | None
    test: str | None


@dataclass
class Report:
    """A whole report.

    made: when. tests_run, tests_failed: in the whole run. notes: what readers must know.
    total: over all calls. storage: what keys would cost, in USD at list price.
    omitted: how many calls, keys, refusals and permissions are only in the sums.
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
        """How many keys there were."""
        return sum(spec.keys for spec in self.specs.values())

    def omit(self, what: str, number: int) -> None:
        """Note that so many were not kept one by one."""
        if number > 0:
            self.omitted[what] = self.omitted.get(what, 0) + number

    def kept_calls(self) -> int:
        """Count the calls that are kept one by one."""
        return sum(len(scene.calls) for scene in self.scenes)

    def mocks(self) -> Iterator[str]:
        """Give the names of the mocks of keys and scenes."""
        yield from (record.mock for record in self.keys)
        yield from (scene.mock for scene in self.scenes)
