"""Which weaker policies no test would notice, found by deciding recorded decisions again.

A policy is weakened in one place: a statement or a condition is dropped, the actions or the
principals of an Allow statement are widened to all, or a grant or its constraints are dropped.
Tests notice that if a recorded call that was allowed is then denied, or the other way round. Only
decisions in which the change makes a statement apply, or not apply any more, are decided again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.authorization.principal_element import Match
from kmsmock.authorization.request import Outcome
from kmsmock.coverage.elements import Observation, list_elements
from kmsmock.coverage.records import CoveredPolicy, Decided, GrantPart, Records
from kmsmock.coverage.replay import Effects, Replay, level_of

#: About how many decisions are looked at for one that a test could vary.
_TRIES = 20


class Weakening(NamedTuple):
    """A change of one policy or grant."""

    #: ``statement``, ``condition``, ``action``, ``principal``, ``grant`` or ``constraints``.
    change: str
    #: The index of the policy or grant in the records.
    place: int
    #: The index of the statement in the policy.
    statement: int = 0
    #: The index of the element in the statement.
    element: int = 0

    @property
    def is_of_grant(self) -> bool:
        """Whether it changes a grant."""
        return self.change in ("grant", "constraints")


@dataclass(slots=True)
class Weakness:
    """A weakening, and whether tests would notice it."""

    weakening: Weakening
    #: A recorded decision that would have another outcome; None if there is none.
    noticed_by: Decided | None = None
    #: A recorded decision that a test could vary to notice it, if nobody does.
    example: Decided | None = None
    #: Whether the varied call is allowed as long as the policy is not weakened.
    is_allowed: bool = False


def list_weakenings(records: Records) -> Iterator[Weakening]:
    """Yield all weakenings of policies and grants, but for those that change nothing."""
    for place, policy in enumerate(records.policies):
        if not policy.is_fixed:
            yield from _weakenings_of(place, policy)
    for place, grant in enumerate(records.grants):
        yield Weakening("grant", place)
        if grant.constraints != "{}":
            yield Weakening("constraints", place)


def _weakenings_of(place: int, policy: CoveredPolicy) -> Iterator[Weakening]:
    for number, statement in enumerate(policy.statements):
        yield Weakening("statement", place, number)
        for element, (name, values) in enumerate(list_elements(statement, policy.kind)):
            change = "condition" if " " in name else name.removeprefix("Not").lower()
            if change == "condition" or (
                change in ("action", "principal")
                and statement["Effect"] == "Allow"
                and not _means_all(name, values, policy.kind)
            ):
                yield Weakening(change, place, number, element)


def _means_all(name: str, values: tuple[str, ...], kind: PolicyKind) -> bool:
    """Return whether an element matches all requests that a policy decides."""
    if name == "Action":
        return "*" in values or (kind is PolicyKind.RESOURCE and "kms:*" in values)
    return name == "Principal" and ("*" in values or kind is PolicyKind.RESOURCE_CONTROL)


def find_weaknesses(records: Records) -> list[Weakness]:
    """Return all weakenings, and whether tests would notice them."""
    return _Search(records).run()


class _Search:
    """Decides recorded decisions again. Those that differ in nothing that matters are one."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._replay = Replay(records)
        #: Index of a policy -> index of an observation -> what else decides -> a decision.
        self._by_policy: dict[int, dict[int, dict[Any, Decided]]] = {}
        #: Index of a grant -> what it does -> what else decides -> a decision.
        self._by_grant: dict[int, dict[GrantPart, dict[Any, Decided]]] = {}

    def run(self) -> list[Weakness]:
        """Try all weakenings."""
        for decided in self._records.decisions:
            self._index(decided)
        return [
            self._try_grant(one) if one.is_of_grant else self._try_policy(one)
            for one in list_weakenings(self._records)
        ]

    def _index(self, decided: Decided) -> None:
        policies, effects = self._records.policies, self._replay.effects
        frame = self._replay.reduce_frame(decided.frame)
        parts = [(part, index, effects(index, seen)) for part, index, seen in decided.policies]
        allowing = frozenset(
            (grant.level, grant.is_own)
            for grant in decided.grants
            if grant.allows == 2 or frame.retires
        )
        for part, own, seen in decided.policies:
            if not policies[own].is_fixed:
                rest = frozenset([one if one[1] != own else (one[0], own, None) for one in parts])
                key: Any = (frame, part, rest, allowing, decided.outcome)
                found = self._by_policy.setdefault(own, {}).setdefault(seen, {})
                found.setdefault(key, decided)
        for grant in decided.grants:
            key = (frame, frozenset(parts), frozenset(decided.grants), decided.outcome)
            found = self._by_grant.setdefault(grant.grant, {}).setdefault(grant, {})
            found.setdefault(key, decided)

    # --- policies ---------------------------------------------------------------------------------

    def _try_policy(self, weakening: Weakening) -> Weakness:
        place = weakening.place
        policy = self._records.policies[place]
        by_seen = self._by_policy.get(place, {})
        tried: set[Any] = set()
        for seen, decisions in by_seen.items():
            before = self._replay.effects(place, seen)
            after = weaken(policy, seen, weakening)
            if after == before:
                continue
            for key, decided in decisions.items():
                if (before, after, key) in tried:
                    continue
                tried.add((before, after, key))
                if self._is_changed(decided, {place: after}, {}):
                    return Weakness(weakening, decided)
        return self._suggest(weakening, policy, by_seen)

    def _suggest(
        self,
        weakening: Weakening,
        policy: CoveredPolicy,
        by_seen: Mapping[int, Mapping[Any, Decided]],
    ) -> Weakness:
        """Find a decision that the statement would change if only it applied, or did not."""
        number = weakening.statement
        example = None
        tried: set[Any] = set()
        levels = {seen: level_of(policy.kind, policy.seen[seen][number]) for seen in by_seen}
        for seen in sorted(by_seen, key=lambda one: not levels[one]):
            level, decisions = levels[seen], by_seen[seen]
            if example is not None and not level:
                break
            others = _effects(policy, seen, number)
            effect = (policy.statements[number]["Effect"], level or int(Match.DIRECT))
            for key, decided in decisions.items():
                if len(tried) == _TRIES:
                    return example or Weakness(weakening)
                if (others, effect, key) in tried:
                    continue
                tried.add((others, effect, key))
                without = self._replay.decide(decided, {weakening.place: others})
                applying = self._replay.decide(decided, {weakening.place: others | {effect}})
                if (without is Outcome.ALLOW) is (applying is Outcome.ALLOW):
                    continue
                # The call that shows a dropped statement is one to which it applies.
                shown = applying if weakening.change == "statement" else without
                example = Weakness(weakening, None, decided, shown is Outcome.ALLOW)
                if level:  # nothing is more like a call to which it does not apply any more
                    return example
                break
        return example or Weakness(weakening)

    # --- grants -----------------------------------------------------------------------------------

    def _try_grant(self, weakening: Weakening) -> Weakness:
        place = weakening.place
        example, tries = None, 0
        for part, decisions in self._by_grant.get(place, {}).items():
            for decided in decisions.values():
                changed = dict(_weaken_grant(decided, weakening))
                if changed and self._is_changed(decided, {}, changed):
                    return Weakness(weakening, decided)
                tries += 1
                if example is None and tries < _TRIES and self._is_decisive(decided, part):
                    example = decided
        return Weakness(weakening, None, example, weakening.change == "grant")

    def _is_decisive(self, decided: Decided, part: GrantPart) -> bool:
        """Return whether a grant would change a decision if it allowed the request."""
        if decided.frame.retires or not part.level:
            return False
        with_it = self._replay.decide(decided, {}, {part: part._replace(allows=2)})
        without = self._replay.decide(decided, {}, {part: None})
        return (with_it is Outcome.ALLOW) is not (without is Outcome.ALLOW)

    def _is_changed(
        self,
        decided: Decided,
        policies: Mapping[int, Effects],
        grants: Mapping[GrantPart, GrantPart | None],
    ) -> bool:
        outcome = self._replay.decide(decided, policies, grants)
        return (outcome is Outcome.ALLOW) is not (decided.outcome == Outcome.ALLOW.value)


def _weaken_grant(
    decided: Decided, weakening: Weakening
) -> Iterator[tuple[GrantPart, GrantPart | None]]:
    """Yield what a weakened grant does in a decision, where that is something else."""
    for part in decided.grants:
        if part.grant != weakening.place:
            continue
        if weakening.change == "grant":
            yield part, None
        elif part.allows == 1 and not decided.frame.retires:
            yield part, part._replace(allows=2)


def weaken(policy: CoveredPolicy, seen: int, weakening: Weakening) -> Effects:
    """Return the effects of a policy that is weakened. seen: the index of the observation."""
    number = weakening.statement
    others = _effects(policy, seen, number)
    observation = policy.seen[seen][number]
    if weakening.change == "statement" or observation is None:
        return others
    level = level_of(policy.kind, _matching(observation, weakening))
    return others | {(policy.statements[number]["Effect"], level)} if level else others


def _effects(policy: CoveredPolicy, seen: int, without: int) -> Effects:
    """Return the effects of a policy without one statement."""
    return frozenset(
        (policy.statements[number]["Effect"], level)
        for number, observation in enumerate(policy.seen[seen])
        if number != without and (level := level_of(policy.kind, observation))
    )


def _matching(observation: Observation, weakening: Weakening) -> Observation:
    """Return an observation of a statement of which an element matches everything."""
    level = int(Match.DIRECT) if weakening.change == "principal" else 1
    return tuple(
        (level, mask) if number == weakening.element else (before, mask)
        for number, (before, mask) in enumerate(observation)
    )
