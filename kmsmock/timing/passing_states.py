"""Passing states, such as that of a replica key that is being created, and when they end.

A passing state ends when it is due on the mock's clock, or at the second look, whichever is first.
A look is a successful call of a client whose answer shows the state; operations that do so declare
it with `Shows`. The first look shows the passing state, the second one what comes after it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from kmsmock.timing.clock import Clock


class ShownState:
    """A state that answers show, such as the key state, and that can be a passing one.

    member: the member of answers that has it.
    """

    __slots__ = ("member", "operations")

    def __init__(self, member: str) -> None:
        self.member = member
        #: The operations whose answers show it, added by their declarations.
        self.operations: list[str] = []

    def __repr__(self) -> str:
        return f"<{self.member} of {', '.join(self.operations)}>"


@dataclass(frozen=True, slots=True)
class Shows:
    """What an operation declares about the states that its answer shows."""

    state: ShownState
    #: Returns the ids of the resources whose states an answer shows, from the call and the answer.
    find_resources: Callable[[Any, Mapping[str, Any]], Iterable[str]]
    #: The filters of requests by the state; what they leave out counts as shown.
    filters: Sequence[str] = ()
    #: For an answer that shows a passing state by what it lacks: what that is, for the record of
    #: the call.
    lacks: str | None = None

    def register(self, operation: str) -> None:
        """Add the operation that has declared this to those that show the state."""
        self.state.operations.append(operation)


def listed(member: str, id_member: str) -> Callable[[Any, Mapping[str, Any]], Iterable[str]]:
    """Return a `Shows.find_resources` for answers with a list.

    member: the member that has the list. id_member: the member of its items that has the id.
    """
    return lambda _, answer: [item[id_member] for item in answer.get(member, ())]


@dataclass(slots=True, eq=False)
class PassingState:
    """A passing state of one resource."""

    state: ShownState
    resource: str
    name: str
    due: datetime
    #: Called with the time at which it ends.
    finish: Callable[[datetime], None]
    #: What answers show when it has ended, such as "KeyState is Enabled".
    until: str
    #: The operations whose answers have shown it.
    seen_with: list[str]


class PassingStates:
    """The passing states of one mock.

    ends_at_looks: whether the second look ends a state; otherwise only the clock does.
    """

    def __init__(self, clock: Clock, *, ends_at_looks: bool) -> None:
        self._clock = clock
        self._ends_at_looks = ends_at_looks
        #: State and resource -> the passing states that have not ended, in the order in which they
        #: began, by name.
        self.open: dict[tuple[ShownState, str], dict[str, PassingState]] = {}

    def begin(
        self,
        state: ShownState,
        resource: str,
        due: datetime,
        finish: Callable[[datetime], None],
        *,
        until: str,
        name: str = "",
    ) -> None:
        """Begin a passing state of a resource.

        resource: its id, as `Shows.find_resources` returns it. due: when it ends at the latest.
        finish: carries out what ends it; called once, with the time. until: what answers show
        afterwards, such as "KeyState is Enabled". name: distinguishes the passing states that a
        resource can have at the same time; one of the same name is replaced.
        """
        passing = PassingState(state, resource, name, due, finish, until, [])
        of_resource = self.open.setdefault((state, resource), {})
        of_resource.pop(name, None)
        of_resource[name] = passing
        self._clock.schedule(due, partial(self._end, passing))

    def look(
        self, state: ShownState, operation: str, resources: Iterable[str], now: datetime
    ) -> bool:
        """Count an answer of an operation as a look at resources.

        Return whether it ended a passing state, so that the answer is not up to date. Looks of
        different operations are counted separately: each shows a passing state once.
        """
        if not self._ends_at_looks:
            return False
        has_ended = False
        for resource in dict.fromkeys(resources):
            for passing in list(self.open.get((state, resource), {}).values()):
                if operation in passing.seen_with:
                    self._end(passing, now)
                    has_ended = True
                else:
                    passing.seen_with.append(operation)
        if has_ended:
            self._clock.run_due_work(now)
        return has_ended

    def _end(self, passing: PassingState, now: datetime) -> None:
        key = passing.state, passing.resource
        of_resource = self.open.get(key, {})
        if of_resource.get(passing.name) is not passing:
            return  # It has ended at a look, or another one has replaced it.
        del of_resource[passing.name]
        if not of_resource:
            del self.open[key]
        passing.finish(now)

    def explain(self, state: ShownState, resource: str) -> str | None:
        """Explain how code waits for the end of a resource's passing state, and how tests end it.

        Return None for a resource without a passing state.
        """
        passing = next(reversed(self.open.get((state, resource), {}).values()), None)
        if passing is None:
            return None
        operation = state.operations[0]
        left = (passing.due - self._clock.now()).total_seconds()
        on_clock = f"kms.clock.advance(seconds={max(0, math.ceil(left))})"
        if not self._ends_at_looks:
            return (
                f"Call {operation} until {passing.until}, as on AWS: with waiting='clock' that is "
                f"after {on_clock}, with waiting='looks' at its second call."
            )
        which = "next" if operation in passing.seen_with else "second"
        return (
            f"Call {operation} until {passing.until}, as on AWS: here its {which} call ends the "
            f"wait, and so does {on_clock}."
        )

    def state(self) -> object:
        """Return the state that `restore` takes."""
        return self.open

    def restore(self, state: Any) -> None:
        """Return to a saved state."""
        self.open = state

    def clear(self) -> None:
        """Forget all passing states."""
        self.open.clear()
