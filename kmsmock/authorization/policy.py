"""Policy documents: parsing and validation, and statements ready to be matched.

Source: IAM User Guide, "Grammar of the IAM JSON policy language".
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any

from kmsmock.authorization.conditions import Condition
from kmsmock.authorization.pattern_sets import PatternSet
from kmsmock.authorization.policy_document import (
    NESTED,
    VERSIONS,
    MalformedPolicyError,
    PolicyKind,
    as_list,
    check_document,
    read_document,
)
from kmsmock.authorization.principal_element import Match, PrincipalElement
from kmsmock.authorization.variables import Context, Template
from kmsmock.aws.principals import Principal
from kmsmock.misuse.values import describe

_CACHED_ACTIONS = 256
_NOTHING: Context = {}


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
    actions: PatternSet | None
    not_actions: bool
    #: Patterns of Resource or NotResource without policy variables; None if the statement has
    #: neither, so that it never applies.
    resources: PatternSet | None
    #: Those with policy variables.
    variable_resources: tuple[Template, ...]
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
        return self.actions.matches(action) is not self.not_actions

    def means_resource(self, resource: str, context: Context) -> bool:
        """Return whether the statement matches a resource. resource: an ARN or ``*``."""
        if self.resources is None:
            return False
        if self.resources.matches(resource):
            return not self.not_resources
        if not self.variable_resources:
            return self.not_resources
        variable = (template.tokens(context) for template in self.variable_resources)
        patterns = PatternSet(tokens for tokens in variable if tokens is not None)
        return patterns.matches(resource) is not self.not_resources

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

    Raises MalformedPolicyError, and TypeError for values of other types.
    """
    text = document if isinstance(document, str) else write_policy(document, kind)
    return _parse(text, kind, name)


def write_policy(document: object, kind: PolicyKind) -> str:
    """Return a policy as JSON text. document: JSON text, or the parsed JSON. Raises TypeError."""
    if isinstance(document, str):
        return document
    if not isinstance(document, Mapping):
        raise TypeError(
            f"{kind.with_article} is a dict or JSON text, not {describe(document)}"
            f"{_explain_type(document)}"
        )
    try:
        return json.dumps(dict(document))
    except RecursionError:
        raise MalformedPolicyError(NESTED) from None
    except (TypeError, ValueError) as reason:
        raise MalformedPolicyError(f"it cannot be written as JSON: {reason}") from None


def _explain_type(document: object) -> str:
    if isinstance(document, os.PathLike):
        return "; pass the content of the file: path.read_text()"
    if isinstance(document, (bytes, bytearray)):
        return "; decode it: .decode()"
    return ""


# Depends on its arguments alone; a policy never changes.
@lru_cache(maxsize=4096)
def _parse(text: str, kind: PolicyKind, name: str) -> Policy:
    document = read_document(text)
    check_document(document, kind)
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
    templates = [
        Template(r, substitutes_variables=substitutes_variables and _has_variables_at_the_end(r))
        for r in as_list([] if resource_element is None else resource_element)
    ]
    variable = tuple(template for template in templates if not template.is_fixed)
    fixed = (tokens for t in templates if t.is_fixed and (tokens := t.tokens(_NOTHING)) is not None)
    conditions = tuple(
        Condition(
            operator, key, tuple(as_text(value) for value in as_list(values)), substitutes_variables
        )
        for operator, tests in source.get("Condition", {}).items()
        for key, values in tests.items()
    )
    means_any_resource = "Resource" in source and resource_element in ("*", ["*"])
    return Statement(
        number,
        Effect(source["Effect"]),
        None if actions is None else PatternSet.of(a.lower() for a in as_list(actions)),
        "NotAction" in source,
        None if resource_element is None else PatternSet(fixed),
        variable,
        "NotResource" in source,
        None
        if principals is None
        else PrincipalElement.of(principals, negated="NotPrincipal" in source),
        conditions,
        source,
        bool(conditions) or bool(variable),
        not conditions and means_any_resource,
        means_any_resource,
    )


def _has_variables_at_the_end(resource: str) -> bool:
    """Return whether all variables stand behind the fifth colon, where a Resource may have them."""
    return resource.partition("${")[0].count(":") >= 5


def as_text(value: Any) -> str:
    """Return the text as which the JSON value of a condition is compared."""
    return value if isinstance(value, str) else json.dumps(value)
