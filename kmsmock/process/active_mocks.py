"""The mocks of the process: which are started, and which of them answers at present.

Mocks that the running context has not asked for, such as those of fixtures that the running test
does not use, are suspended: they are started, but answer only their own clients.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Collection, Iterable, Iterator
from operator import itemgetter
from typing import Any

from kmsmock.process import contexts as running
from kmsmock.process.active_mock import ActiveMock
from kmsmock.process.contexts import Context
from kmsmock.process.environment import set_variables_of
from kmsmock.process.moto import let_moto_in
from kmsmock.process.places import Place, find_place
from kmsmock.process.watchers import notify, watchers


class Use:
    """A start of a mock that has not been stopped; several uses can share one mock.

    owner: the context that started it. place: the code that did; None if it is not the user's.
    """

    def __init__(self, mock: ActiveMock, owner: Context, place: Place | None) -> None:
        self.mock = mock
        self.owner = owner
        self.place = place

    def describe(self) -> str:
        """Say who started the mock, and where: "the fixture x at tests/conftest.py:12"."""
        return self.owner.name + ("" if self.place is None else f" at {self.place}")


#: Guards all of this module's state, and the environment: mocks are found, made, joined and left
#: by one thread at a time.
lock = threading.RLock()
#: The mocks that can answer at present, the one that answers last.
active: list[ActiveMock] = []
#: Its one item is the mock that answers plain clients at present; None if there is none.
answering: list[ActiveMock | None] = [None]
#: The ids of all started mocks that are not paused, suspended ones too, for their own clients.
answering_own: set[int] = set()
#: All starts that have not been stopped, oldest first.
_uses: list[Use] = []
#: For each ``with pause():`` the mocks that it has paused.
_pauses: list[list[ActiveMock]] = []


def get_answering() -> ActiveMock | None:
    """Return the mock that answers plain clients at present; None if there is none."""
    return answering[0]


def get_own() -> ActiveMock | None:
    """Return the mock that answers plain clients at present, if this process has its state."""
    mock = answering[0]
    return None if mock is None or mock.backend is None else mock


def get_joinable() -> ActiveMock | None:
    """Return the mock that the running context would join; None if it has asked for none."""
    with lock:
        if not _uses:
            return None
        mocks = _list_mocks(running.contexts[-1].iterate_joined())
        joinable = [mock for mock in mocks if mock.parent_url is None]
        return joinable[-1] if joinable else None


def lasts_longer(kms: Any) -> bool:
    """Return whether a mock that has been joined lasts longer than the running context.

    kms: the control object of the mock.
    """
    rank = running.contexts[-1].rank
    return any(use.mock.kms is kms and use.owner.rank < rank for use in _uses)


def is_started(mock: object) -> bool:
    """Return whether a mock was started and not stopped; it may be paused or suspended."""
    return any(use.mock is mock for use in _uses)


def are_started() -> bool:
    """Return whether there are started mocks, active or not."""
    return bool(_uses)


def is_paused(mock: object) -> bool:
    """Return whether a mock is paused."""
    return any(each is mock for paused in _pauses for each in paused)


def list_asked() -> list[ActiveMock]:
    """Return the mocks that the running context has asked for, also paused ones, narrowest last."""
    asked = set(running.contexts[-1].iterate_asked())
    mocks = {id(use.mock): use.mock for use in _uses if use.owner in asked}
    return sorted(mocks.values(), key=_rank)


def get_state(mock: object) -> str:
    """Return whether a mock is ``active``, ``suspended``, ``paused`` or ``ended``."""
    if not is_started(mock):
        return "ended"
    if is_paused(mock):
        return "paused"
    return "active" if mock in active else "suspended"


def list_started() -> list[ActiveMock]:
    """Return the mocks that are started, active or not, oldest first."""
    return list({id(use.mock): use.mock for use in _uses}.values())


def list_backends() -> list[Any]:
    """Return the states of the started mocks, without those of other processes, oldest first."""
    return [mock.backend for mock in list_started() if mock.backend is not None]


def leave_all_to_parent(url: str) -> None:
    """Leave the calls of all mocks to the process that has forked this one."""
    for mock in list_started():
        if mock.processes != "alone" and mock.parent_url is None:
            mock.leave_to_parent(url)


def get_first_use(mock: ActiveMock) -> Use:
    """Return the start of a mock: of those not stopped, that of the context that lasts longest."""
    return min((use for use in _uses if use.mock is mock), key=lambda use: use.owner.rank)


def enter(mock: ActiveMock) -> Use:
    """Start a mock, or join it if it is started; to be left with `leave`."""
    with lock:
        use = Use(mock, running.contexts[-1], find_place())
        is_first = not is_started(mock)
        _uses.append(use)
        try:
            arrange()
        except BaseException:  # such as a configuration file that cannot be read
            _uses.remove(use)
            arrange()
            raise
        if is_first and mock.backend is not None:
            notify(watchers.began, mock.kms)
        return use


def leave(use: Use) -> None:
    """End a use of a mock, and with the last use the mock; later calls have no effect."""
    with lock:
        if use not in _uses:
            return  # its owner has ended before
        is_last = sum(each.mock is use.mock for each in _uses) == 1
        try:
            if is_last and use.mock.backend is not None:
                notify(watchers.ended, use.mock.kms)
        finally:
            _uses.remove(use)
            arrange()


def list_uses(owners: Collection[Context]) -> list[Use]:
    """Return the starts by contexts that have not been stopped, oldest first."""
    return [use for use in _uses if use.owner in owners]


def end_uses(owners: Collection[Context], but: Collection[Use] = ()) -> list[Use]:
    """End the mocks that contexts have started and not stopped; return these starts.

    but: starts that stay.
    """
    with lock:
        left = [use for use in list_uses(owners) if use not in but]
        for use in reversed(left):
            leave(use)
    return left


def arrange() -> None:
    """Activate the mocks that the running context has asked for, and suspend the others.

    The narrowest answers, of equally narrow ones the newest. A fixture that lasts longer than the
    test is answered by what it has asked for itself, else by what the test has, and by narrower
    mocks only if there are no others.
    """
    with lock:
        if not _uses and not answering_own and not active:
            return  # as it is: most contexts run without mocks
        answering_own.clear()
        answering_own.update(id(use.mock) for use in _uses if not is_paused(use.mock))
        if not _uses:
            _activate([])
            return
        context = running.contexts[-1]
        _activate(
            _list_mocks(context.iterate_joined())
            or _list_mocks(context.iterate_asked())
            or _list_mocks(context.iterate_asked(), is_limited=False)
        )


def _activate(mocks: list[ActiveMock]) -> None:
    """Let mocks answer, the last one plain clients."""
    active[:] = mocks
    answering[0] = mocks[-1] if mocks else None
    set_variables_of(answering[0])
    if not mocks:
        let_moto_in()


def _list_mocks(owners: Iterable[Context], *, is_limited: bool = True) -> list[ActiveMock]:
    """Return the mocks that contexts have started, the narrowest last, without paused ones.

    Equally narrow ones are in the order of the contexts, as if these ran now: which of them an
    earlier test has started first does not matter. owners: the contexts, as they would run.
    is_limited: whether only mocks that last as long as the running context.
    """
    positions: dict[Context, int] = {}
    for owner in owners:
        positions.setdefault(owner, len(positions))
    reach = running.contexts[-1].reach
    found: dict[int, tuple[tuple[int, int], int, ActiveMock]] = {}
    for use in _uses:
        rank = _rank(use.mock)
        if use.owner not in positions or is_paused(use.mock) or (is_limited and rank > reach):
            continue
        # What ends with the test is always started in the same order.
        is_ordered = use.owner.rank == rank and not use.owner.ends_with_test
        position = positions[use.owner] if is_ordered else len(positions)
        _, known, _ = found.get(id(use.mock), (rank, position, use.mock))
        found[id(use.mock)] = (rank, min(position, known), use.mock)
    return [mock for _, _, mock in sorted(found.values(), key=itemgetter(0, 1))]


def _rank(mock: ActiveMock) -> tuple[int, int]:
    return min(use.owner.rank for use in _uses if use.mock is mock)


def push(context: Context) -> None:
    """Begin a context inside the running one."""
    with lock:
        running.contexts.append(context)
        arrange()


def pop(context: Context) -> None:
    """End a context, and those inside it that have not ended; no effect if it has ended before."""
    with lock:
        if context is running.contexts[-1]:
            running.contexts.pop()
        elif context in running.contexts:
            del running.contexts[_last_index(context) :]
        else:
            return
        arrange()


def _last_index(context: Context) -> int:
    return len(running.contexts) - 1 - running.contexts[::-1].index(context)


@contextlib.contextmanager
def inside(context: Context) -> Iterator[None]:
    """Run the block in a context."""
    push(context)
    try:
        yield
    finally:
        pop(context)


@contextlib.contextmanager
def paused() -> Iterator[None]:
    """Deactivate all mocks inside the block, so that calls are sent as without a mock."""
    with lock:
        mocks = list_started()
        _pauses.append(mocks)
        arrange()
    try:
        yield
    finally:
        with lock:
            _pauses[:] = [each for each in _pauses if each is not mocks]
            arrange()


def _renew_lock() -> None:
    """Replace the lock in a forked child, since a thread of its parent may hold it."""
    global lock  # noqa: PLW0603 - the same lock for the whole process
    lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)
