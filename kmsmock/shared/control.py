"""`SharedKMS`: what one test sees of a world that it shares with others, and may do to it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from kmsmock.activation.faults import Faults, FaultTerms
from kmsmock.control import KMSMock
from kmsmock.keys.region import KmsRegion
from kmsmock.timing.clock import Clock
from kmsmock.trail.configured_trails import Trails
from kmsmock.trail.trail import Trail

if TYPE_CHECKING:
    # Known to type checkers without being installed.
    from typing_extensions import Unpack

    from kmsmock.accounts import Account
    from kmsmock.responder import Responder
    from kmsmock.state.checkpoints import Checkpoint
    from kmsmock.state.fault import Fault

#: How a test gets what a shared world does not have.
OWN_MOCK = "@pytest.mark.kms(isolated=True) gives the test a mock of its own"


class SharedWorldError(RuntimeError):
    """Something that a test cannot do to a world that other tests use at the same time."""


def refuse(what: str, why: str) -> NoReturn:
    """Raise SharedWorldError. what: the subject of the sentence. why: what it would do."""
    raise SharedWorldError(
        f"{what} {why}, and with --kms-shared all tests share one world: {OWN_MOCK}"
    )


class AccountRegions(Mapping[tuple[str, str], KmsRegion]):
    """The Regions of some accounts: (account, Region) -> its KMS.

    regions: those of all accounts. accounts: of which these are shown; it can grow.
    """

    def __init__(
        self, regions: Mapping[tuple[str, str], KmsRegion], accounts: dict[str, None]
    ) -> None:
        self._regions = regions
        self.accounts = accounts

    def __getitem__(self, name: tuple[str, str]) -> KmsRegion:
        if name[0] not in self.accounts:
            raise KeyError(name)
        return self._regions[name]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return (name for name in list(self._regions) if name[0] in self.accounts)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class SharedClock(Clock):
    """The clock of a shared world: a test can read it, and not move it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        """Return the current time of the world."""
        return self._clock.now()

    def advance(self, by: timedelta | None = None, /, **amounts: float) -> datetime:
        """Raise SharedWorldError."""
        refuse("kms.clock.advance()", "moves the clock of all tests")

    def move_to(self, time: datetime) -> datetime:
        """Raise SharedWorldError."""
        refuse("kms.clock.move_to()", "moves the clock of all tests")


class SharedFaults(Faults):
    """The faults of one test: they hit its own calls, and those of the processes it starts."""

    def delay(self, operation: str = "*", *, seconds: float, **terms: Unpack[FaultTerms]) -> Fault:
        """Raise SharedWorldError."""
        refuse("kms.faults.delay()", "moves the clock of all tests")

    def eventual_consistency(self, seconds: float = 30, *, optional: bool = False) -> Fault:
        """Raise SharedWorldError."""
        refuse("kms.faults.eventual_consistency()", "lets all tests see changes late")


class SharedKMS(KMSMock):
    """The control object of a test in a shared world.

    Keys, calls, costs and the trail are those of the test: of its account, and of the accounts that
    it has named. responder: has a share of the world's state. own: the Regions of these accounts.
    """

    def __init__(self, responder: Responder, own: AccountRegions) -> None:
        super().__init__(responder)
        self._own = own

    def __repr__(self) -> str:
        account, calls = self.options["account_id"], len(self.calls)
        return f"<KMSMock of account {account} in a shared world: calls made: {calls}>"

    @property
    def clock(self) -> Clock:
        """The clock of the world, which no test can move."""
        return SharedClock(super().clock)

    @property
    def faults(self) -> Faults:
        """The faults that the test arms, for its own calls."""
        return SharedFaults(self._responder, self._backend.faults, self.options["seed"])

    @property
    def trail(self) -> Trail:
        """The CloudTrail records of the test's calls and keys, and the trails of its accounts."""
        backend = self._backend
        backend.run_due_work()
        trails = backend.service_state(Trails).values()
        own = [trail for trail in trails if trail.account in self._own.accounts]
        return Trail(backend.calls, backend.service_events, own)

    def account(self, account_id: str | Account | None = None) -> Account:
        """Return an AWS account; its keys are those of the test, too.

        account_id: a string of 12 digits, which other tests can name, too; None for a new account.
        """
        account = super().account(account_id)
        self._own.accounts[account.id] = None
        return account

    def reset(self) -> None:
        """Raise SharedWorldError."""
        refuse("kms.reset()", "removes the keys of all tests")

    def load(self, world: str | os.PathLike[str] | Mapping[str, Any]) -> None:
        """Raise SharedWorldError."""
        refuse("kms.load()", "adds a world to that of all tests")

    def checkpoint(self) -> Checkpoint:
        """Raise SharedWorldError."""
        refuse("kms.checkpoint()", "saves the state of all tests")

    def restore(self, checkpoint: Checkpoint) -> None:
        """Raise SharedWorldError."""
        refuse("kms.restore()", "rolls back the keys of all tests")
