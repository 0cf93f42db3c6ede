"""The statements that a denied request lacks.

A condition that does not hold, or a constraint of a grant that is not met, is there for a reason:
no statement is proposed that would let requests bypass it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kmsmock.authorization.conditions import NULL, Condition
from kmsmock.authorization.explanation import applies, get_policy_context
from kmsmock.authorization.near_misses import (
    NearMiss,
    find_missed_grants,
    find_near_misses,
    select_policies,
)
from kmsmock.authorization.policy import Effect, Policy
from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.authorization.request import AppliedPolicies, Request
from kmsmock.aws.policy_limits import KEY_POLICY
from kmsmock.aws.principals import PrincipalKind
from kmsmock.misuse.public_object import PublicObject

#: The action that no key policy can allow to principals of other accounts.
_BY_GRANT = "kms:RetireGrant"


@dataclass(frozen=True, slots=True)
class Missing(PublicObject):
    """A statement that would have to be added. where: to which policy, in words."""

    where: str
    statement: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.where}:\n{json.dumps(self.statement, indent=2)}"


def list_missing(
    request: Request, policies: AppliedPolicies, cause: PolicyKind | None
) -> tuple[Missing, ...]:
    """Return the smallest statements that would allow what no statement allowed.

    They have the conditions of statements that nearly apply, for the values of the request; there
    are none if the request lacks what these conditions, or the constraints of a grant, are about.
    cause: the kind of policy that lacks the permission.
    """
    if cause is PolicyKind.RESOURCE and (policies.is_fixed or request.action == _BY_GRANT):
        return ()
    principal = request.principal
    is_foreign = principal.account not in ("", request.owner)
    selected = select_policies(request, policies, cause)
    if cause is PolicyKind.RESOURCE and is_foreign:
        # Both accounts decide, so each of them keeps conditions of its own.
        of_key = () if policies.resource is None else (policies.resource,)
        on_key = _list_for(of_key, request, policies, cause)
        if _allowed(request, policies):
            return on_key
        identity = PolicyKind.IDENTITY
        return (*on_key, *_list_for(policies.identity, request, policies, identity))
    return _list_for(selected, request, policies, cause)


def _list_for(
    group: Iterable[Policy], request: Request, policies: AppliedPolicies, cause: PolicyKind | None
) -> tuple[Missing, ...]:
    """Return the statements to add to one of a group of policies."""
    near_misses = find_near_misses(group, request, policies)
    if not near_misses:
        is_missed = any(find_missed_grants(request, policies, cause))
        return () if is_missed else (_make_unconditional(request, cause),)
    missing = [_keep_conditions(near_miss, request) for near_miss in near_misses]
    kinds = {near_miss.policy.kind for near_miss in near_misses}
    if cause is PolicyKind.RESOURCE and cause not in kinds:
        # An identity policy has the condition, but the key policy does not let it decide.
        on_key = _make_unconditional(request, cause)
        missing = [
            kept
            and Missing(
                on_key.where, {**on_key.statement, "Condition": kept.statement["Condition"]}
            )
            for kept in missing
        ]
    return tuple({str(kept): kept for kept in missing if kept is not None}.values())


def _keep_conditions(near_miss: NearMiss, request: Request) -> Missing | None:
    """Return a statement with the same conditions, for the values of a request.

    None if there is no such statement: the request lacks a value, has one that must not be, or has
    more than fit into a policy.
    """
    policy, statement, failed = near_miss
    context = get_policy_context(policy, request)
    conditions = {
        operator: dict(tests) for operator, tests in statement.source["Condition"].items()
    }
    for condition in failed:
        value = context.get(condition.lower_key)
        if value is None or condition.operator == NULL:
            return None
        values = tuple(value) if isinstance(value, list) else (value,)
        if sum(map(len, values)) > KEY_POLICY.most:
            return None
        changed = Condition(condition.operator, condition.key, values)
        if not changed.holds(context, result_if_malformed=False):
            return None
        conditions[condition.operator][condition.key] = value
    source = statement.source
    whom = {name: source[name] for name in ("Principal", "NotPrincipal") if name in source}
    return Missing(
        _name_policy(policy, request),
        {
            "Effect": "Allow",
            **whom,
            "Action": request.action,
            "Resource": "*" if policy.kind is PolicyKind.RESOURCE else request.resource,
            "Condition": conditions,
        },
    )


def _name_policy(policy: Policy, request: Request) -> str:
    if policy.kind is PolicyKind.RESOURCE:
        return f"key policy of {request.resource}"
    if policy.kind is PolicyKind.IDENTITY:
        return f"identity policy of {request.principal.principal_arn}"
    return f"the {policy.kind.value}"


def _make_unconditional(request: Request, cause: PolicyKind | None) -> Missing:
    """Return the statement without conditions that a kind of policy lacks."""
    principal = request.principal
    if cause is PolicyKind.RESOURCE and request.owner is not None:
        is_service = principal.kind is PrincipalKind.SERVICE
        return Missing(
            f"key policy of {request.resource}",
            {
                "Effect": "Allow",
                "Principal": {"Service": principal.arn}
                if is_service
                else {"AWS": principal.principal_arn},
                "Action": request.action,
                "Resource": "*",
            },
        )
    where = f"the {cause.value if cause else 'policy'}"
    if cause is PolicyKind.IDENTITY:
        where = f"identity policy of {principal.principal_arn}"
    return Missing(
        where, {"Effect": "Allow", "Action": request.action, "Resource": request.resource}
    )


def _allowed(request: Request, policies: AppliedPolicies) -> bool:
    """Return whether the caller's own account already allows what the key's account does not."""
    return request.principal.kind is PrincipalKind.ROOT or any(
        statement.effect is Effect.ALLOW and applies(statement, policy, request, policies)
        for policy in policies.identity
        for statement in policy.statements
    )
