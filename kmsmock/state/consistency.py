"""Eventual consistency: KMS has several nodes, and some see a change later than others.

With the option ``consistency="eventual"``, or while a fault of ``kms.faults.eventual_consistency``
is armed. Each call is served by a node that the seed chooses. A node sees a change when that is due
on the mock's clock; with ``waiting="looks"`` at the latest after some late answers about its key.

Source: AWS KMS Developer Guide, "AWS KMS eventual consistency". That a change is visible does not
mean that it is visible at the next call: "Add support for KMS", hashicorp/terraform#3928.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kmsmock.crypto.seeded import SeededEntropy
from kmsmock.keys.key import Key
from kmsmock.process.contexts import get_context
from kmsmock.process.orderings import ordering, sees_all
from kmsmock.process.watchers import notify, watchers
from kmsmock.state.fault import Fault
from kmsmock.state.faults import ArmedFaults
from kmsmock.state.late_changes import Change
from kmsmock.timing.dates import LAST, add_or_last

#: How many nodes there are. Two of them can be late with a change.
NODES = 3
#: After so many late answers about a key, all nodes see what has changed in it.
MOST_LATE_ANSWERS = 3
#: Of 4 nodes that have not made a change, so many see it late.
_LATE_OF_4 = 3
_SHORTEST = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class LateAnswer:
    """An answer of a node that has not seen a change, and would be another one if it had."""

    operation: str
    #: What the call was about, such as ``alias/app``.
    subject: str
    #: What it answered: an error code, or ``answered``.
    outcome: str
    #: What the node has not seen, such as ``CreateKey of arn:…``.
    missed: str
    #: The seed of the ordering.
    seed: int | str

    def __str__(self) -> str:
        about = f" of {self.subject}" if self.subject else ""
        return f"{self.operation}{about}: {self.outcome}, without {self.missed}"


class Consistency:
    """The nodes of KMS in one mock, and the changes that some of them have not seen.

    faults: the armed faults. seed: of the mock; None for a new one. is_eventual: whether the option
    is set. has_own_ordering: whether the mock itself has set it, so that its seed decides, and not
    that of the run. ends_at_looks: whether late answers end the delay, too.
    """

    def __init__(
        self,
        faults: ArmedFaults,
        seed: int | str | None,
        *,
        is_eventual: bool,
        has_own_ordering: bool,
        ends_at_looks: bool,
    ) -> None:
        self._faults = faults
        self._own_seed = int.from_bytes(os.urandom(4), "big") if seed is None else seed
        self._has_own_ordering = has_own_ordering or not is_eventual
        self.is_eventual = is_eventual
        self.ends_at_looks = ends_at_looks
        self.begin()

    def begin(self) -> None:
        """Begin with a new state, or a new test."""
        #: Whether a test has changed something since.
        self.has_changed = False
        self.settle()

    def settle(self) -> None:
        """Let all nodes see all changes, and begin again with the ordering."""
        self.seed = self._own_seed
        if not self._has_own_ordering and ordering.seed is not None:
            self.seed = ordering.seed
        # Independent of the entropy for ids, so that the ordering is the same with another seed.
        self._entropy = SeededEntropy(f"{self.seed} consistency")
        #: Whether calls can be answered late, or changes must be noted. Each call reads it.
        self.is_on = self.is_eventual or self._faults.find_of_consistency() is not None
        #: ARN of a key -> the late answers about it since all nodes have seen all of it.
        self._late_answers: dict[str, int] = {}
        self._set_open([])

    # --- which node sees what -------------------------------------------------------------

    def begin_call(self, now: datetime) -> int:
        """Return the node that serves a call, and forget the changes that all nodes have seen."""
        if self.open and (now >= self._next_end or self._has_faults):
            self._set_open(
                change
                for change in self.open
                if max(change.seen_from) > now
                and (change.fault is None or self._faults.has_armed(change.fault))
            )
        fault = self._faults.find_of_consistency()
        self.is_on = self.is_eventual or fault is not None or bool(self.open)
        return self._draw(256) % NODES

    def list_not_seen(self, node: int, now: datetime, tokens: Collection[str]) -> list[Change]:
        """Return the changes that a node has not seen at a time.

        tokens: grant tokens of the call, whose grants each node knows.
        """
        if sees_all.get():
            return []
        return [
            change
            for change in self.open
            if change.seen_from[node] > now and not _has_token(change, tokens)
        ]

    def note(self, changes: Iterable[Change], node: int) -> None:
        """Note changes that a node has made, which others see later."""
        fault = self._faults.find_of_consistency()
        if fault is None and not self.is_eventual:
            return
        for change in changes:
            if self._has_own_ordering:
                self._delay(change, node, fault)
            elif get_context().ends_with_test:  # wider fixtures are no part of what is explored
                self.has_changed = True
                notify(watchers.delayed, change)
                if fault is not None or not ordering.is_prompt:
                    self._delay(change, node, fault)

    def _delay(self, change: Change, node: int, fault: Fault | None) -> None:
        within = change.kind.within if fault is None else fault.effect.seen_within
        if fault is not None:
            change.fault = fault
            fault.seen += 1
        change.seen_from = [
            change.at if each == node else add_or_last(change.at, self._draw_delay(within))
            for each in range(NODES)
        ]
        for other in filter(None, map(self._last.get, change.list_needed())):
            change.seen_from = list(map(max, change.seen_from, other.seen_from))
        self.open.append(change)
        self._index(change)

    def _set_open(self, changes: Iterable[Change]) -> None:
        #: The changes that not all nodes have seen, the oldest first.
        self.open = list(changes)
        #: What was changed -> the last of these changes.
        self._last: dict[object, Change] = {}
        #: When the first of them is seen by all nodes.
        self._next_end = LAST
        #: Whether some of them can end before, with a fault.
        self._has_faults = False
        for change in self.open:
            self._index(change)
        if self._late_answers:
            about = {key.arn for change in self.open for key in change.keys}
            self._late_answers = {k: n for k, n in self._late_answers.items() if k in about}

    def _index(self, change: Change) -> None:
        self._last.update(dict.fromkeys(change.list_touched(), change))
        self._next_end = min(self._next_end, max(change.seen_from))
        self._has_faults = self._has_faults or change.fault is not None

    def _draw_delay(self, within: timedelta) -> timedelta:
        is_late = self._draw(4) < _LATE_OF_4
        share = self._draw(2**32) / 2**32
        shortest = min(_SHORTEST, within)
        return shortest + share * (within - shortest) if is_late else timedelta()

    def _draw(self, below: int) -> int:
        return int.from_bytes(self._entropy(8), "big") % below

    # --- late answers ---------------------------------------------------------------------

    def count_late(self, changes: Sequence[Change]) -> None:
        """Count an answer without changes that the node has not seen; end them after enough.

        The limit is that of a key, not of a change, and a later change does not begin it again, so
        that code that tries again always succeeds in time.
        """
        for fault in dict.fromkeys(change.fault for change in changes):
            if fault is not None:
                fault.fired += 1
        if not self.ends_at_looks:
            return
        for key in dict.fromkeys(key for change in changes for key in change.keys):
            count = self._late_answers.get(key.arn, 0) + 1
            self._late_answers[key.arn] = count
            if count >= MOST_LATE_ANSWERS:
                self._settle(key)

    def count_left(self, change: Change) -> int:
        """Return how many late answers there can be at most before all nodes see a change."""
        counts = [self._late_answers.get(key.arn, 0) for key in change.keys]
        return MOST_LATE_ANSWERS - max(counts)

    def _settle(self, key: Key) -> None:
        """Let all nodes see what has changed in a key."""
        self._late_answers.pop(key.arn, None)
        left: list[Change] = []
        needed: set[object] = set()
        for change in reversed(self.open):
            if key in change.keys or not needed.isdisjoint(change.list_touched()):
                needed |= change.list_needed()
            else:
                left.append(change)
        self._set_open(reversed(left))

    # --- checkpoints ----------------------------------------------------------------------

    def state(self) -> Any:
        """Return the state that `restore` takes."""
        return self.open, self._late_answers

    def restore(self, state: Any) -> None:
        """Return to a saved state."""
        changes, self._late_answers = state
        self._set_open(changes)
        self.is_on = self.is_on or bool(self.open)
        self.has_changed = False


def _has_token(change: Change, tokens: Collection[str]) -> bool:
    grant = change.grant
    return grant is not None and not set(tokens).isdisjoint(grant.tokens)
