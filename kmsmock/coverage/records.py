"""What a run has recorded: policies and grants, and decisions, each distinct one once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kmsmock.authorization.policy import as_text
from kmsmock.authorization.policy_document import PolicyKind, as_list
from kmsmock.aws.arns import name_root_by_account
from kmsmock.coverage.elements import Observation

#: Key ids and UUIDs, which differ from run to run.
_ID = re.compile(r"mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LARGEST_HOLDERS = 5
#: The tests that are named for one decision; more are counted only.
TESTS_NAMED = 100


class Source(NamedTuple):
    """Where a policy is written."""

    #: The path of a file, relative to the folder of the run, with ``/``.
    path: str
    #: The line of the policy, and of each statement, from 1.
    line: int
    statements: tuple[int, ...]
    #: The line of each condition of each statement, in the order of `list_elements`.
    elements: tuple[tuple[int, ...], ...]


@dataclass(slots=True)
class CoveredPolicy:
    """A policy. It is known by its source, otherwise by kind, holder, name and document."""

    kind: PolicyKind
    #: The document in canonical form: see `canonical`.
    document: Mapping[str, Any]
    #: The name of an inline policy, or the ARN of a managed one; empty for others.
    name: str = ""
    #: The ARN of the user or role that has it; empty for policies of keys and organizations.
    holder: str = ""
    #: Whether AWS has written it, so that nobody can change it. It is not reported.
    is_fixed: bool = False
    #: Some aliases of keys that have it.
    aliases: tuple[str, ...] = ()
    source: Source | None = None
    #: The observations of its statements, each distinct one once.
    seen: list[tuple[Observation | None, ...]] = field(default_factory=list)

    @property
    def statements(self) -> list[Mapping[str, Any]]:
        """The statements of the document."""
        statements: list[Mapping[str, Any]] = self.document["Statement"]
        return statements

    @property
    def identity(self) -> tuple[Any, ...]:
        """What policies that are one have in common."""
        if self.source is not None:
            return (self.kind, self.source.path, self.source.line)
        return (self.kind, self.holder, self.name, json.dumps(self.document), self.is_fixed)


@dataclass(frozen=True, slots=True)
class CoveredGrant:
    """A grant; those of all keys with the same terms are one."""

    grantee: str
    operations: tuple[str, ...]
    #: The constraints, as in CreateGrant.
    constraints: str = "{}"
    name: str = ""


class Frame(NamedTuple):
    """What a decision depends on beside policies and grants."""

    action: str
    #: The kind of the caller: the value of a `PrincipalKind`.
    caller: str
    #: Whose the key is: ``none``, ``same`` or ``other``, compared with the caller's account.
    owner: str
    #: Whether there are session policies, possibly none.
    has_session: bool
    #: How many levels the organization has, for its service and resource control policies.
    service_levels: int
    resource_levels: int
    #: Whether the grant is to be retired.
    retires: bool


class PolicyPart(NamedTuple):
    """A policy in a decision."""

    #: ``resource``, ``identity``, ``boundary`` or ``session``; of an organization with the number
    #: of the level ``service:0``, or ``organization:0`` for its resource control policies.
    part: str
    policy: int
    #: The index of the observation in `CoveredPolicy.seen`.
    seen: int


class GrantPart(NamedTuple):
    """A grant in a decision."""

    grant: int
    #: How the grantee matches the caller, or the retiring principal: a value of `Match`.
    level: int
    #: Whether the caller's account has made it.
    is_own: bool
    #: 2 if it allows the request, 1 if it would without its constraints, else 0.
    allows: int


class Decided(NamedTuple):
    """What makes decisions the same."""

    frame: Frame
    policies: tuple[PolicyPart, ...]
    grants: tuple[GrantPart, ...]
    #: The value of an `Outcome`.
    outcome: str


class Example(NamedTuple):
    """The first request that was decided like this."""

    caller: str
    resource: str
    encryption_context: Mapping[str, str]


@dataclass(slots=True)
class Tally:
    """How often a decision was made, and by which tests."""

    example: Example
    count: int = 0
    #: Index of a test -> how often.
    tests: dict[int, int] = field(default_factory=dict)

    def add(self, test: int | None, count: int = 1) -> None:
        """Count decisions. test: None for those outside of tests."""
        self.count += count
        if test is not None and (test in self.tests or len(self.tests) < TESTS_NAMED):
            self.tests[test] = self.tests.get(test, 0) + count


class Records:
    """The policies, grants and decisions of a run."""

    def __init__(self) -> None:
        self.policies: list[CoveredPolicy] = []
        self.grants: list[CoveredGrant] = []
        self.tests: list[str] = []
        self.decisions: dict[Decided, Tally] = {}
        #: What is missing, as sentences.
        self.notes: list[str] = []
        self._policies: dict[tuple[Any, ...], int] = {}
        self._grants: dict[CoveredGrant, int] = {}
        self._tests: dict[str, int] = {}
        self._seen: list[dict[tuple[Observation | None, ...], int]] = []

    def add_policy(self, policy: CoveredPolicy) -> int:
        """Return the index of a policy, added if it is new."""
        index = self._policies.get(policy.identity)
        if index is None:
            index = self._policies[policy.identity] = len(self.policies)
            self.policies.append(policy)
            self._seen.append({seen: number for number, seen in enumerate(policy.seen)})
        else:
            self.add_aliases(index, policy.aliases)
        return index

    def add_aliases(self, policy: int, aliases: Iterable[str]) -> None:
        """Add aliases of keys that have a policy."""
        known = self.policies[policy]
        if len(known.aliases) < _LARGEST_HOLDERS:
            both = sorted({*known.aliases, *aliases})
            known.aliases = tuple(both[:_LARGEST_HOLDERS])

    def add_seen(self, policy: int, seen: tuple[Observation | None, ...]) -> int:
        """Return the index of an observation of a policy, added if it is new."""
        known = self._seen[policy]
        index = known.get(seen)
        if index is None:
            index = known[seen] = len(known)
            self.policies[policy].seen.append(seen)
        return index

    def add_grant(self, grant: CoveredGrant) -> int:
        """Return the index of a grant, added if it is new."""
        index = self._grants.setdefault(grant, len(self.grants))
        if index == len(self.grants):
            self.grants.append(grant)
        return index

    def add_test(self, name: str) -> int:
        """Return the index of a test, added if it is new."""
        index = self._tests.setdefault(name, len(self.tests))
        if index == len(self.tests):
            self.tests.append(name)
        return index

    def add(self, other: Records) -> None:
        """Add all of other records."""
        policies = []
        for policy in other.policies:
            index = self.add_policy(_without_seen(policy))
            policies.append((index, [self.add_seen(index, seen) for seen in policy.seen]))
        grants = [self.add_grant(grant) for grant in other.grants]
        tests = [self.add_test(name) for name in other.tests]
        for decided, tally in other.decisions.items():
            key = Decided(
                decided.frame,
                tuple(
                    PolicyPart(part, policies[policy][0], policies[policy][1][seen])
                    for part, policy, seen in decided.policies
                ),
                tuple(part._replace(grant=grants[part.grant]) for part in decided.grants),
                decided.outcome,
            )
            known = self.decisions.get(key)
            if known is None:
                known = self.decisions[key] = Tally(tally.example)
            known.count += tally.count - sum(tally.tests.values())
            for test, count in tally.tests.items():
                known.add(tests[test], count)
        self.notes = list(dict.fromkeys([*self.notes, *other.notes]))


def _without_seen(policy: CoveredPolicy) -> CoveredPolicy:
    return CoveredPolicy(
        *(policy.kind, policy.document, policy.name, policy.holder, policy.is_fixed),
        *(policy.aliases, policy.source),
    )


def merge(records: Iterable[Records]) -> Records:
    """Return one of many; what they report does not depend on their order."""
    merged = Records()
    for each in records:
        merged.add(each)
    return merged


# --- the canonical form -----------------------------------------------------------------------


def canonical(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a policy in the form in which the same policies are equal.

    A list of one value is that value; root users among the principals are account ids; conditions
    are sorted, and their values texts; statements are a list. Key ids are numbered, since most
    tests make new keys.
    """
    found: dict[str, Any] = {name: document[name] for name in ("Version", "Id") if name in document}
    found["Statement"] = [
        dict(_canonical_members(statement)) for statement in as_list(document["Statement"])
    ]
    numbered: dict[str, Any] = json.loads(number_ids(json.dumps(found)))
    return numbered


def number_ids(text: str) -> str:
    """Replace ids of keys by numbers, in the order in which they occur."""
    ids: dict[str, str] = {}

    def rename(match: re.Match[str]) -> str:
        found = match[0]
        if found not in ids:
            number = f"{len(ids) + 1:032d}"
            is_multi_region = found.startswith("mrk-")
            ids[found] = f"mrk-{number}" if is_multi_region else _as_uuid(number)
        return ids[found]

    return _ID.sub(rename, text)


def _as_uuid(digits: str) -> str:
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _canonical_members(statement: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in sorted(statement):
        value = statement[name]
        if name in ("Principal", "NotPrincipal") and isinstance(value, Mapping):
            yield (
                name,
                {
                    kind: _single(
                        name_root_by_account(one) if kind == "AWS" else one
                        for one in as_list(value[kind])
                    )
                    for kind in sorted(value)
                },
            )
        elif name == "Condition":
            yield (
                name,
                {
                    operator: {
                        key: _single(as_text(one) for one in as_list(value[operator][key]))
                        for key in sorted(value[operator])
                    }
                    for operator in sorted(value)
                },
            )
        else:
            yield name, _single(value) if isinstance(value, list) else value


def _single(values: Iterable[Any]) -> Any:
    found = list(values)
    return found[0] if len(found) == 1 else found
