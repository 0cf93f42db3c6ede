"""The elements of a statement, and how far a request matches each of them.

An observation of a statement has for each element, in the order of `list_elements`, a level and a
bit mask. The level is 0 for an element that does not match; otherwise it is 1, or of a principal
the value of `Match`. The mask has a bit for each value of the element that matches by itself. An
observation is None if more than one element does not match: then no single change of the statement
makes it apply.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from kmsmock.authorization.conditions import Condition
from kmsmock.authorization.pattern_sets import PatternSet
from kmsmock.authorization.policy import Effect, Policy, Statement, as_text, parse
from kmsmock.authorization.policy_document import PolicyKind, as_list
from kmsmock.authorization.principal_element import Match, PrincipalElement
from kmsmock.authorization.request import AppliedPolicies, Request
from kmsmock.authorization.variables import Context

Observation = tuple[tuple[int, int], ...]
#: The kinds of policies that name principals, and do not see all condition keys.
OF_RESOURCES = (PolicyKind.RESOURCE, PolicyKind.TRUST)
_NOTHING: Context = {}


class Element(NamedTuple):
    """An element of a statement."""

    #: Such as ``Action``, ``NotPrincipal``, or ``StringEquals kms:ViaService`` for a condition.
    name: str
    #: The values, as in the policy; principals of services with the prefix ``Service:``.
    values: tuple[str, ...]

    @property
    def is_condition(self) -> bool:
        """Whether it is a condition."""
        return " " in self.name

    @property
    def is_negated(self) -> bool:
        """Whether it matches all but its values, such as NotAction."""
        return self.name.startswith("Not") and not self.is_condition


def list_elements(statement: Mapping[str, Any], kind: PolicyKind) -> tuple[Element, ...]:
    """Return the elements of a statement; conditions are sorted, since members have no order."""
    return tuple(_iterate_elements(statement, kind))


def _iterate_elements(statement: Mapping[str, Any], kind: PolicyKind) -> Iterator[Element]:
    for name in ("Action", "Principal", "Resource"):
        if name == "Resource" and kind is PolicyKind.TRUST:
            continue
        found = name if name in statement else f"Not{name}"
        if found not in statement:
            if name != "Principal":
                yield Element(name, ())
            continue
        if name == "Principal":
            yield Element(found, tuple(_name(*one) for one in _principals(statement[found])))
        else:
            yield Element(found, tuple(as_list(statement[found])))
    for operator, key, values in _conditions(statement):
        yield Element(f"{operator} {key}", values)


def _principals(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield "AWS", value
        return
    for kind in sorted(value):
        for name in as_list(value[kind]):
            yield kind, name


def _name(kind: str, name: str) -> str:
    return name if kind == "AWS" else f"{kind}:{name}"


def _conditions(statement: Mapping[str, Any]) -> list[tuple[str, str, tuple[str, ...]]]:
    return sorted(
        (operator, key, tuple(as_text(value) for value in as_list(values)))
        for operator, tests in statement.get("Condition", {}).items()
        for key, values in tests.items()
    )


class StatementObserver:
    """Observes how far requests match one statement."""

    def __init__(self, statement: Statement, policy: Policy) -> None:
        self._statement = statement
        self._is_of_resource = policy.kind in OF_RESOURCES
        self._has_resource = policy.kind is not PolicyKind.TRUST
        self._result_if_malformed = statement.effect is Effect.DENY
        source = statement.source
        self._actions = [
            PatternSet.of([value.lower()])
            for value in as_list(source.get("Action", source.get("NotAction", [])))
        ]
        principals = source.get("Principal", source.get("NotPrincipal"))
        self._has_principal = principals is not None
        self._principals = [
            PrincipalElement.of({kind: name}, negated=False)
            for kind, name in (() if principals is None else _principals(principals))
        ]
        self._resources = list(_split_resources(statement, policy)) if self._has_resource else []
        order = {(each.operator, each.key): each for each in statement.conditions}
        self._conditions = [
            (
                order[operator, key],
                [
                    Condition(operator, key, (value,), order[operator, key].substitutes_variables)
                    for value in values
                ],
            )
            for operator, key, values in _conditions(source)
        ]
        #: Action, in lower case -> its observation.
        self._known_actions: dict[str, tuple[int, int]] = {}

    def observe(self, request: Request, policies: AppliedPolicies) -> Observation | None:
        """Return the observation of a request; None if more than one element does not match."""
        statement = self._statement
        action = self._known_actions.get(request.lower_action)
        if action is None:
            action = self._known_actions[request.lower_action] = self._observe_action(request)
        found = [action]
        misses = int(action[0] == 0)
        if self._has_principal and self._is_of_resource:
            principal = self._observe_principal(request, policies)
            misses += principal[0] == 0
            if misses > 1:
                return None
            found.append(principal)
        elif self._has_principal:  # of a resource control policy, which is for all
            found.append((int(Match.DIRECT), (1 << len(self._principals)) - 1))
        context = _NOTHING
        if statement.needs_context:
            context = request.key_policy_context if self._is_of_resource else request.context
        if self._has_resource:
            level = int(statement.means_resource(request.resource, context))
            misses += level == 0
            if misses > 1:
                return None
            found.append(
                (
                    level,
                    _mask(
                        each.means_resource(request.resource, context) for each in self._resources
                    ),
                )
            )
        for condition, singles in self._conditions:
            holds = condition.holds(context, result_if_malformed=self._result_if_malformed)
            misses += not holds
            if misses > 1:
                return None
            mask = _mask(
                single.holds(context, result_if_malformed=self._result_if_malformed)
                for single in singles
            )
            found.append((int(holds), mask))
        return tuple(found)

    def _observe_action(self, request: Request) -> tuple[int, int]:
        level = int(self._statement.means_action(request.lower_action))
        return level, _mask(each.matches(request.lower_action) for each in self._actions)

    def _observe_principal(self, request: Request, policies: AppliedPolicies) -> tuple[int, int]:
        level = self._statement.match_principal(
            request.principal, policies.unique_ids, has_boundary=policies.boundary is not None
        )
        matches = (
            each.match(request.principal, policies.unique_ids, spares_nobody=False)
            for each in self._principals
        )
        return int(level), _mask(match is not Match.NONE for match in matches)


def _split_resources(statement: Statement, policy: Policy) -> Iterator[Statement]:
    """Yield a statement for each value of Resource or NotResource, which has only that."""
    source = statement.source
    rest = {name: source[name] for name in source if name not in ("Resource", "NotResource")}
    head = {name: policy.document[name] for name in policy.document if name == "Version"}
    for value in as_list(source.get("Resource", source.get("NotResource", []))):
        document = {**head, "Statement": [{**rest, "Resource": value}]}
        yield parse(document, policy.kind).statements[0]


def _mask(bits: Iterator[bool]) -> int:
    mask = 0
    for number, bit in enumerate(bits):
        mask |= bit << number
    return mask


Observe = Callable[[Request, AppliedPolicies], "tuple[Observation | None, ...]"]


def observer_of(policy: Policy) -> Observe:
    """Return a function that observes how far a request matches each statement of a policy."""
    observers = [StatementObserver(statement, policy) for statement in policy.statements]

    def observe(request: Request, policies: AppliedPolicies) -> tuple[Observation | None, ...]:
        return tuple([each.observe(request, policies) for each in observers])

    return observe
