"""Policy documents: parsing and validation, and statements ready to be matched.

Source: IAM User Guide, "Grammar of the IAM JSON policy language".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any

from kmsmock.authorization.conditions import Condition
from kmsmock.authorization.principal_element import Match, PrincipalElement
from kmsmock.authorization.variables import Context, Template
from kmsmock.authorization.wildcards import Pattern
from kmsmock.aws.principals import Principal

VERSIONS = ("2008-10-17", "2012-10-17")
_MEMBERS = frozenset({"Version", "Id", "Statement"})
_STATEMENT_MEMBERS = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction"}
    | {"Resource", "NotResource", "Condition"}
)
_PRINCIPAL_TYPES = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})
_ACTION = re.compile(r"\*(?::\*)?|[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+")
_CACHED_ACTIONS = 256


class Defect(Enum):
    """What is wrong with a malformed policy, as far as AWS's answers distinguish it."""

    JSON = "it is not JSON"
    SYNTAX = "an element is missing, unknown or of the wrong kind"
    NO_PRINCIPAL = "a statement has no Principal"
    PRINCIPAL = "a statement has a Principal that this kind of policy cannot have"
    NO_ACTION = "a statement has no Action"
    ACTION = "a statement has a malformed action"
    NO_RESOURCE = "a statement has no Resource"
    RESOURCE = "a statement has a Resource that this kind of policy cannot have"


class MalformedPolicyError(ValueError):
    """A text is not a valid policy; the message names the defect."""

    def __init__(self, message: str, defect: Defect = Defect.SYNTAX) -> None:
        super().__init__(message)
        self.defect = defect


class PolicyKind(Enum):
    """The type of a policy, as AWS's access denied messages name it."""

    RESOURCE = "resource-based policy"
    IDENTITY = "identity-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    SERVICE_CONTROL = "service control policy"
    RESOURCE_CONTROL = "resource control policy"
    TRUST = "trust policy"

    @property
    def with_article(self) -> str:
        """The type with its indefinite article."""
        return f"{'an' if self is PolicyKind.IDENTITY else 'a'} {self.value}"


class Effect(Enum):
    """The Effect element of a statement."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """One statement of a policy."""

    #: Its position in the policy document, from 1.
    number: int
    effect: Effect
    #: Patterns of Action or NotAction; None if the statement has neither, so that it never applies.
    actions: tuple[Pattern, ...] | None
    not_actions: bool
    #: Patterns of Resource or NotResource; None if the statement has neither, so that it never
    #: applies.
    resources: tuple[Template, ...] | None
    not_resources: bool
    principals: PrincipalElement | None
    conditions: tuple[Condition, ...]
    source: Mapping[str, Any]
    #: Whether it has conditions or policy variables.
    needs_context: bool
    #: Whether its Resource is ``*`` and it has no conditions.
    is_unlimited: bool
    #: Whether its Resource is ``*``.
    means_any_resource: bool

    @property
    def name(self) -> str:
        """What messages call the statement: its number and Sid."""
        sid = self.source.get("Sid")
        return f"statement {self.number}" + (f" ({sid})" if sid else "")

    def means_action(self, action: str) -> bool:
        """Return whether the statement matches an action. action: in lower case."""
        if self.actions is None:
            return False
        return any(p.matches(action) for p in self.actions) is not self.not_actions

    def means_resource(self, resource: str, context: Context) -> bool:
        """Return whether the statement matches a resource. resource: an ARN or ``*``."""
        if self.resources is None:
            return False
        for template in self.resources:
            pattern = template.pattern(context)
            if pattern is not None and (pattern.matches_all or pattern.matches(resource)):
                return not self.not_resources
        return self.not_resources

    def applies(self, resource: str, context: Context) -> bool:
        """Return whether the statement matches a resource and all its conditions hold."""
        if not self.means_any_resource and not self.means_resource(resource, context):
            return False
        result_if_malformed = self.effect is Effect.DENY
        # A loop, for there may be hundreds of statements to each request.
        for condition in self.conditions:
            if not condition.holds(context, result_if_malformed=result_if_malformed):
                return False
        return True

    def match_principal(
        self,
        principal: Principal,
        unique_ids: Mapping[str, str] | None = None,
        *,
        has_boundary: bool = False,
    ) -> Match:
        """Return how the statement matches a principal; identity policies match their owner."""
        if self.principals is None:
            return Match.DIRECT
        # Source: IAM User Guide, "NotPrincipal": Deny applies to all who have a boundary.
        spares_nobody = has_boundary and self.effect is Effect.DENY
        return self.principals.match(principal, unique_ids, spares_nobody=spares_nobody)


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """A policy document."""

    kind: PolicyKind
    statements: tuple[Statement, ...]
    document: Mapping[str, Any]
    #: The document as JSON text.
    text: str
    #: The name in messages: a policy name or ARN, or its owner.
    name: str = ""
    #: Whether any of its statements has the Effect Deny.
    denies: bool = False
    _by_action: dict[str, tuple[Statement, ...]] = field(default_factory=dict)

    def statements_about(self, action: str) -> tuple[Statement, ...]:
        """Return the statements that match an action. action: in lower case.

        The result is cached; it depends only on the action and the document.
        """
        statements = self._by_action.get(action)
        if statements is None:
            statements = tuple(s for s in self.statements if s.means_action(action))
            if len(self._by_action) < _CACHED_ACTIONS:
                self._by_action[action] = statements
        return statements


def parse(document: str | Mapping[str, Any], kind: PolicyKind, name: str = "") -> Policy:
    """Parse a policy. document: JSON text, or the parsed JSON.

    Raises MalformedPolicyError.
    """
    text = document if isinstance(document, str) else json.dumps(document)
    return _parse(text, kind, name)


# Depends on its arguments alone; a policy never changes.
@lru_cache(maxsize=4096)
def _parse(text: str, kind: PolicyKind, name: str) -> Policy:
    document = _read(text)
    _check(document, kind)
    statements = document["Statement"]
    if isinstance(statements, dict):
        statements = [statements]
    substitutes_variables = document.get("Version") == VERSIONS[1]
    compiled = tuple(
        _statement(
            number, _with_resource(statement, kind), substitutes_variables=substitutes_variables
        )
        for number, statement in enumerate(statements, 1)
    )
    denies = any(statement.effect is Effect.DENY for statement in compiled)
    return Policy(kind, compiled, document, text, name, denies)


def _with_resource(statement: dict[str, Any], kind: PolicyKind) -> dict[str, Any]:
    """Add the Resource that statements of a trust policy do not have: the role itself."""
    return {**statement, "Resource": "*"} if kind is PolicyKind.TRUST else statement


def _statement(number: int, source: dict[str, Any], *, substitutes_variables: bool) -> Statement:
    actions = source.get("Action", source.get("NotAction"))
    resource_element = source.get("Resource", source.get("NotResource"))
    principals = source.get("Principal", source.get("NotPrincipal"))
    resources = None
    if resource_element is not None:
        resources = tuple(
            Template(
                r, substitutes_variables=substitutes_variables and _has_variables_at_the_end(r)
            )
            for r in _list(resource_element)
        )
    conditions = tuple(
        Condition(
            operator, key, tuple(_text(value) for value in _list(values)), substitutes_variables
        )
        for operator, tests in source.get("Condition", {}).items()
        for key, values in tests.items()
    )
    means_any_resource = "Resource" in source and resource_element in ("*", ["*"])
    return Statement(
        number,
        Effect(source["Effect"]),
        None if actions is None else tuple(Pattern.of(a.lower()) for a in _list(actions)),
        "NotAction" in source,
        resources,
        "NotResource" in source,
        None
        if principals is None
        else PrincipalElement.of(principals, negated="NotPrincipal" in source),
        conditions,
        source,
        bool(conditions) or any(not template.is_fixed for template in resources or ()),
        not conditions and means_any_resource,
        means_any_resource,
    )


def _has_variables_at_the_end(resource: str) -> bool:
    """Return whether all variables stand behind the fifth colon, where a Resource may have them."""
    return resource.partition("${")[0].count(":") >= 5


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    """Return the text as which a JSON value is compared."""
    return value if isinstance(value, str) else json.dumps(value)


# --- validation -----------------------------------------------------------------------------


def _read(text: str) -> dict[str, Any]:
    try:
        document = json.loads(
            text, object_pairs_hook=_without_repetition, parse_constant=_refuse_constant
        )
    except RecursionError:
        raise MalformedPolicyError("it is nested too deeply") from None
    except MalformedPolicyError:
        raise
    except ValueError as reason:
        raise MalformedPolicyError(f"it is not JSON: {reason}", Defect.JSON) from None
    if not isinstance(document, dict):
        raise MalformedPolicyError("a policy is a JSON object")
    return document


def _check(document: dict[str, Any], kind: PolicyKind) -> None:
    _require_known(document, _MEMBERS, "the policy")
    if document.get("Version", VERSIONS[0]) not in VERSIONS:
        raise MalformedPolicyError(f"Version must be one of {', '.join(VERSIONS)}")
    if not isinstance(document.get("Id", ""), str):
        raise MalformedPolicyError("Id must be a text")
    statements = document.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements:
        raise MalformedPolicyError("it needs a Statement")
    for number, statement in enumerate(statements, 1):
        _check_statement(statement, f"statement {number}", kind)


def _check_statement(statement: Any, name: str, kind: PolicyKind) -> None:
    if not isinstance(statement, dict):
        raise MalformedPolicyError(f"{name} is not an object")
    _require_known(statement, _STATEMENT_MEMBERS, name)
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise MalformedPolicyError(f"{name} needs an Effect, Allow or Deny")
    if not isinstance(statement.get("Sid", ""), str):
        raise MalformedPolicyError(f"the Sid of {name} must be a text")
    for member in ("Principal", "Action", "Resource"):
        if member in statement and f"Not{member}" in statement:
            raise MalformedPolicyError(f"{name} has both {member} and Not{member}")
    _check_elements_of_kind(statement, name, kind)
    for member in ("Action", "NotAction"):
        for action in _texts(statement, member, name):
            if not _ACTION.fullmatch(action):
                raise MalformedPolicyError(
                    f"{action!r} in {name} is not an action; write kms:Decrypt, kms:* or *",
                    Defect.ACTION,
                )
    for member in ("Resource", "NotResource"):
        _texts(statement, member, name)
    _check_condition(statement.get("Condition", {}), name)


def _check_elements_of_kind(statement: dict[str, Any], name: str, kind: PolicyKind) -> None:
    principal = statement.get("Principal", statement.get("NotPrincipal"))
    if kind is PolicyKind.RESOURCE:
        if "Principal" not in statement and "NotPrincipal" not in statement:
            raise MalformedPolicyError(
                f"{name} needs a Principal or NotPrincipal", Defect.NO_PRINCIPAL
            )
        _check_principal(principal, name)
        return
    if kind is PolicyKind.TRUST:
        if "Resource" in statement or "NotResource" in statement:
            raise MalformedPolicyError(
                f"{name} has a Resource, which a trust policy cannot have", Defect.RESOURCE
            )
        _check_principal(principal, name)
        return
    if kind is PolicyKind.RESOURCE_CONTROL:
        if principal != "*":
            raise MalformedPolicyError(f'the Principal of {name} must be "*"')
    elif principal is not None:
        raise MalformedPolicyError(
            f"{name} has a Principal, which {kind.with_article} cannot have", Defect.PRINCIPAL
        )
    for member, defect in (("Action", Defect.NO_ACTION), ("Resource", Defect.NO_RESOURCE)):
        if member not in statement and f"Not{member}" not in statement:
            raise MalformedPolicyError(f"{name} needs {member} or Not{member}", defect)


def _check_principal(principal: Any, name: str) -> None:
    if principal == "*":
        return
    if principal in ({}, [], "") or (
        isinstance(principal, dict) and not any(value != [] for value in principal.values())
    ):
        raise MalformedPolicyError(f"the Principal of {name} is empty", Defect.NO_PRINCIPAL)
    if not isinstance(principal, dict) or not principal:
        raise MalformedPolicyError(
            f'the Principal of {name} is "*" or an object such as {{"AWS": "…"}}'
        )
    _require_known(principal, _PRINCIPAL_TYPES, f"the Principal of {name}")
    for kind in principal:
        _texts(principal, kind, f"the Principal of {name}")


def _check_condition(condition: Any, name: str) -> None:
    if not isinstance(condition, dict):
        raise MalformedPolicyError(f"the Condition of {name} is not an object")
    for operator, tests in condition.items():
        if not isinstance(tests, dict) or not tests:
            raise MalformedPolicyError(f"{operator} in {name} is not an object of condition keys")
        for key, values in tests.items():
            for value in _list(values):
                if not isinstance(value, (str, int, float, bool)):
                    raise MalformedPolicyError(
                        f"{key} in {name} has a value that is no text, number or boolean"
                    )
            try:
                Condition(operator, key, ())
            except ValueError as reason:
                raise MalformedPolicyError(f"{reason}, in {name}") from None


def _texts(element: dict[str, Any], member: str, name: str) -> list[str]:
    if member not in element:
        return []
    texts = _list(element[member])
    if not texts or not all(isinstance(text, str) and text for text in texts):
        raise MalformedPolicyError(f"{member} of {name} must be a text or a list of texts")
    return texts


def _require_known(element: dict[str, Any], known: frozenset[str], name: str) -> None:
    unknown = sorted(element.keys() - known)
    if unknown:
        raise MalformedPolicyError(f"{name} has the unknown element {unknown[0]!r}")


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedPolicyError("a name occurs twice in one object")
    return members


def _refuse_constant(name: str) -> None:
    raise MalformedPolicyError(f"it is not JSON: {name} is no number")
