"""What the statements of each policy have decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from kmsmock.authorization.request import Outcome
from kmsmock.coverage.elements import Element, Observation, list_elements
from kmsmock.coverage.records import (
    CoveredGrant,
    CoveredPolicy,
    Decided,
    GrantPart,
    Records,
    Tally,
)
from kmsmock.coverage.replay import Effects, Replay, level_of


class Part(NamedTuple):
    """A statement or grant in a decision."""

    #: ``statement`` or ``grant``.
    kind: str
    #: The index of the policy or grant in the records.
    place: int
    #: The index of the statement in its policy.
    statement: int = 0


@dataclass(slots=True)
class ValueCoverage:
    """How one value of an element has mattered."""

    value: str
    #: In how many decisions the statement decided and the value matched.
    decisive: int = 0
    #: In how many decisions it did not match, and all other elements did.
    false: int = 0


@dataclass(slots=True)
class ElementCoverage:
    """One element of a statement, and its values."""

    element: Element
    values: list[ValueCoverage]


@dataclass(slots=True)
class StatementCoverage:
    """What one statement has decided."""

    #: Its position in the policy, from 1.
    number: int
    sid: str
    effect: str
    #: In how many decisions it was needed for the outcome.
    allowed: int = 0
    denied: int = 0
    #: In how many decisions it applied, and was not needed.
    unneeded: int = 0
    elements: list[ElementCoverage] = field(default_factory=list)
    #: Test -> how many decisions of it the statement has decided.
    tests: dict[str, int] = field(default_factory=dict)

    @property
    def is_covered(self) -> bool:
        """Whether it has decided anything."""
        return bool(self.allowed or self.denied)


@dataclass(slots=True)
class PolicyCoverage:
    """What the statements of one policy have decided. index: of the policy in the records."""

    index: int
    policy: CoveredPolicy
    statements: list[StatementCoverage]

    @property
    def covered(self) -> int:
        """How many statements have decided anything."""
        return sum(one.is_covered for one in self.statements)


@dataclass(slots=True)
class GrantCoverage:
    """What one grant has allowed. index: of the grant in the records."""

    index: int
    grant: CoveredGrant
    #: Operation -> in how many decisions the grant was needed to allow it.
    operations: dict[str, int]

    @property
    def unused(self) -> list[str]:
        """The operations that nobody has used."""
        return [name for name, count in self.operations.items() if not count]


@dataclass(slots=True)
class Summary:
    """The coverage of all policies and grants of a run, without those that AWS has written."""

    policies: list[PolicyCoverage]
    grants: list[GrantCoverage]

    @property
    def statements(self) -> int:
        """The number of statements."""
        return sum(len(each.statements) for each in self.policies)

    @property
    def covered(self) -> int:
        """The number of statements that have decided anything."""
        return sum(each.covered for each in self.policies)

    @property
    def percent(self) -> float:
        """How many percent of the statements have decided anything; 100 without statements."""
        return 100.0 * self.covered / self.statements if self.statements else 100.0


def summarize(records: Records) -> Summary:
    """Return what each statement has decided."""
    policies = {
        index: _start(index, policy)
        for index, policy in enumerate(records.policies)
        if not policy.is_fixed
    }
    grants = {
        index: GrantCoverage(index, grant, dict.fromkeys(grant.operations, 0))
        for index, grant in enumerate(records.grants)
    }
    replay = Replay(records)
    for decided, tally in records.decisions.items():
        needed = set(find_needed(replay, decided))
        for _, index, seen in dict.fromkeys(decided.policies):
            if index in policies:
                _add(records, policies[index], seen, decided, tally, needed)
        operation = decided.frame.action.removeprefix("kms:")
        for grant in {part.grant for part in decided.grants}:
            if Part("grant", grant) in needed and operation in grants[grant].operations:
                grants[grant].operations[operation] += tally.count
    return Summary(
        sorted(policies.values(), key=lambda each: name_of(each.policy)),
        sorted(
            grants.values(),
            key=lambda each: (each.grant.grantee, each.grant.name, each.grant.operations),
        ),
    )


def name_of(policy: CoveredPolicy) -> str:
    """Return what reports call a policy."""
    if policy.source is not None:
        return f"{policy.source.path}:{policy.source.line}"
    kind = "key policy" if policy.kind.name == "RESOURCE" else policy.kind.value
    if policy.aliases:
        return f"{kind} of {', '.join(policy.aliases)}"
    holder = policy.holder.rpartition(":")[2]
    name = f" {policy.name}" if policy.name and policy.name != policy.holder else ""
    if holder:
        return f"{kind}{'' if name.startswith(' the ') else name} of {holder}"
    identifier = policy.document.get("Id")
    return f"{kind}{name}{f' {identifier}' if identifier else ''}"


def _start(index: int, policy: CoveredPolicy) -> PolicyCoverage:
    statements = [
        StatementCoverage(
            number,
            statement.get("Sid", ""),
            statement["Effect"],
            elements=[
                ElementCoverage(element, [ValueCoverage(value) for value in element.values])
                for element in list_elements(statement, policy.kind)
            ],
        )
        for number, statement in enumerate(policy.statements, 1)
    ]
    return PolicyCoverage(index, policy, statements)


def _add(
    records: Records,
    coverage: PolicyCoverage,
    seen: int,
    decided: Decided,
    tally: Tally,
    needed: set[Part],
) -> None:
    """Add a decision to the coverage of a policy that took part in it."""
    for number, observation in enumerate(coverage.policy.seen[seen]):
        statement = coverage.statements[number]
        if observation is None:
            continue
        applies = bool(level_of(coverage.policy.kind, observation))
        decides = Part("statement", coverage.index, number) in needed
        if decides:
            if decided.outcome == Outcome.ALLOW.value:
                statement.allowed += tally.count
            else:
                statement.denied += tally.count
            for test, count in tally.tests.items():
                name = records.tests[test]
                statement.tests[name] = statement.tests.get(name, 0) + count
        elif applies:
            statement.unneeded += tally.count
        _add_values(statement, observation, tally.count, decides=decides)


def _add_values(
    statement: StatementCoverage, observation: Observation, count: int, *, decides: bool
) -> None:
    missing = [number for number, (level, _) in enumerate(observation) if not level]
    for number, (_, mask) in enumerate(observation):
        others_match = not missing or missing == [number]
        for bit, value in enumerate(statement.elements[number].values):
            if not mask >> bit & 1:
                value.false += count * others_match
            elif decides:
                value.decisive += count


# --- what was needed --------------------------------------------------------------------------


def find_needed(replay: Replay, decided: Decided) -> Iterator[Part]:
    """Yield the statements and grants without which the outcome would be another.

    Of several of which one suffices, it is the first that evaluation comes to. Nothing is needed
    for a decision that is denied because nothing allows it.
    """
    outcome = Outcome(decided.outcome)
    if outcome is Outcome.IMPLICIT_DENY:
        return
    effect = "Allow" if outcome is Outcome.ALLOW else "Deny"
    kept = list(dict.fromkeys(_candidates(replay.records, decided, effect)))
    for candidate in reversed(kept.copy()):
        kept.remove(candidate)
        policies, grants = _leave(replay.records, decided, effect, kept)
        if replay.decide(decided, policies, grants) is not outcome:
            kept.append(candidate)
            yield candidate


def _leave(
    records: Records, decided: Decided, effect: str, kept: Iterable[Part]
) -> tuple[dict[int, Effects], dict[GrantPart, GrantPart | None]]:
    """Return what is left of policies and grants: those of an effect only if they are kept."""
    kept = set(kept)
    policies = {}
    for _, index, seen in decided.policies:
        policy = records.policies[index]
        policies[index] = frozenset(
            (statement["Effect"], level)
            for number, statement in enumerate(policy.statements)
            if (level := level_of(policy.kind, policy.seen[seen][number]))
            and (statement["Effect"] != effect or Part("statement", index, number) in kept)
        )
    grants: dict[GrantPart, GrantPart | None] = {
        part: None
        for part in decided.grants
        if effect == "Allow" and Part("grant", part.grant) not in kept
    }
    return policies, grants


def _candidates(records: Records, decided: Decided, effect: str) -> Iterator[Part]:
    """Yield the statements with an effect that apply, and the grants, in order of evaluation."""
    of_resource = [part for part in decided.policies if part.part == "resource"]
    of_organization = [part for part in decided.policies if ":" in part.part]
    others = [part for part in decided.policies if part.part in ("identity", "boundary", "session")]
    allows = effect == "Allow"
    # An organization's denies come first, its allows last.
    for group in (
        () if allows else of_organization,
        of_resource,
        decided.grants if allows else (),
        others,
        of_organization if allows else (),
    ):
        for part in group:
            if isinstance(part, GrantPart):
                yield Part("grant", part.grant)
                continue
            policy = records.policies[part.policy]
            for number, statement in enumerate(policy.statements):
                observation = policy.seen[part.seen][number]
                if statement["Effect"] == effect and level_of(policy.kind, observation):
                    yield Part("statement", part.policy, number)
