"""From a request to the policies that decide it: those of key, caller and organizations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from operator import is_
from typing import Any

from kmsmock.authorization.decision import Decision
from kmsmock.authorization.evaluation import evaluate, evaluate_retirement
from kmsmock.authorization.grants import Grant
from kmsmock.authorization.policy import Policy, PolicyKind, parse
from kmsmock.authorization.request import AppliedPolicies, Request
from kmsmock.aws.arns import looks_like_arn
from kmsmock.aws.principals import Principal
from kmsmock.identities.directory import Identities
from kmsmock.keys.key import Key, KeyManager

#: How explanations speak of it.
KEY_POLICY = "the key policy"
_RETIRE = "kms:RetireGrant"
_Levels = tuple[tuple[Policy, ...], ...]
_REMEMBERED = 128


class Allowances:
    """Requests that were allowed by policies alone, whatever they bring, to be allowed again.

    An allowance depends on the principal, with its unique id; the identity policies and the
    boundary of its user or role; its session policies; the policies of its organization and of the
    key's; the key policy, and whom that named when it was put; and on there being no grant on the
    key that can mean the principal. All but the last are objects that are replaced, and never
    changed in place: it ends when one of them is another object than then, and when such a grant is
    made. It never depends on what a request brings (encryption context, tags, aliases, time,
    Region): what looked at a condition or a policy variable, or was allowed by a grant, is decided
    each time. The state of a key has no say in authorization.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], tuple[Any, ...]] = {}

    def hold(
        self, identities: Identities, principal: Principal, action: str, key: Key | None
    ) -> bool:
        """Tell whether a request is known to be allowed."""
        arn = "*" if key is None else key.arn
        known = self._known.get((principal.arn, action, arn))
        return (
            known is not None
            and all(map(is_, known, _basis(identities, principal, key)))
            and not (key is not None and key.grants.name(principal))
        )

    def note(
        self, identities: Identities, request: Request, key: Key | None, policies: AppliedPolicies
    ) -> None:
        """Remember an allowed request, if it depended on nothing but the policies as they are."""
        if (
            policies.grants
            or looks_like_arn(request.resource) is not (key is not None)
            or _looks_at_context(request, policies)
        ):
            return
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        principal = request.principal
        place = (principal.arn, request.action, request.resource)
        self._known[place] = _basis(identities, principal, key)

    def clear(self) -> None:
        """Forget all, so that everything is decided again."""
        self._known.clear()


def _basis(identities: Identities, principal: Principal, key: Key | None) -> tuple[Any, ...]:
    """Give all that an unconditional decision depends on; what changes is made anew."""
    entity, session, organization = identities.get_limits(principal)
    organization_of_key = organization
    if key is not None and key.account != principal.account:
        organization_of_key = identities.organization_of(key.account)
    return (
        principal,
        None if entity is None else entity.policies,
        None if entity is None else entity.boundary,
        session,
        organization,
        None if key is None else key.policy,
        None if key is None else key.policy_ids,
        organization_of_key,
    )


def _looks_at_context(request: Request, policies: AppliedPolicies) -> bool:
    consulted = (
        *((policies.resource,) if policies.resource is not None else ()),
        *policies.identity,
        *((policies.boundary,) if policies.boundary is not None else ()),
        *(policies.session or ()),
        *(policy for level in policies.service_control for policy in level),
        *(policy for level in policies.resource_control for policy in level),
    )
    action = request.lower_action
    return any(s.needs_context for policy in consulted for s in policy.statements_about(action))


def authorize(
    identities: Identities,
    allowances: Allowances,
    request: Request,
    key: Key | None,
    *,
    retired: Grant | None = None,
) -> Decision:
    """Decide a request on a key, or on none. retired: the grant that RetireGrant is to end."""
    policies = applied_policies(identities, request, key)
    if retired is not None:
        decision = evaluate_retirement(request, policies, retired)
    else:
        decision = evaluate(request, policies)
    if not decision.allowed:
        return replace(decision, request=request, policies=policies)
    if retired is None:
        allowances.note(identities, request, key, policies)
    return decision


def applied_policies(
    identities: Identities, request: Request, key: Key | None, key_policy: Policy | None = None
) -> AppliedPolicies:
    """Gather all that has a say. key_policy: instead of the one that the key has."""
    principal = request.principal
    identity, boundary = _of_entity(identities, principal)
    service_control, resource_control = _of_organizations(identities, request, key)
    has_key_policy = key is not None and request.owner is not None
    return AppliedPolicies(
        key_policy or (policy_of(key) if key is not None and has_key_policy else None),
        identity,
        boundary,
        identities.session_of(principal).policies,
        service_control,
        resource_control,
        key.grants.naming(principal) if key is not None and has_key_policy else (),
        key.policy_ids if key is not None else None,
        None if key is None else partial(_is_alive, identities, key.policy_ids),
        key is not None and key.manager is KeyManager.AWS,
    )


def _of_organizations(
    identities: Identities, request: Request, key: Key | None
) -> tuple[_Levels, _Levels]:
    """Give the service control policies of the caller, and the resource control ones of the key."""
    principal = request.principal
    if principal.is_service_linked:
        return (), ()
    resource_control: _Levels = ()
    if _is_customers(request, key) and request.action != _RETIRE:
        account = principal.account if key is None else key.account
        resource_control = identities.organization_of(account).resource_control
    return identities.organization_of(principal.account).service_control, resource_control


def _is_customers(request: Request, key: Key | None) -> bool:
    """Tell whether a request is about a key of a customer, or an alias, which is the caller's."""
    if key is None:
        return ":alias/" in request.resource
    return key.manager is KeyManager.CUSTOMER


def _is_alive(identities: Identities, unique_ids: Mapping[str, str] | None, name: str) -> bool:
    """Tell whether a name still means whom it meant when the policy was put."""
    return (
        identities.names.is_valid_principal(name)
        and identities.names.displayed(name, unique_ids) == name
    )


def policy_of(key: Key) -> Policy:
    """Give the key policy, ready to be matched."""
    return parse(key.policy, PolicyKind.RESOURCE, KEY_POLICY)


def _of_entity(
    identities: Identities, principal: Principal
) -> tuple[tuple[Policy, ...], Policy | None]:
    entity = identities.entity_of(principal)
    if entity is None:
        return (), None
    return entity.policies, entity.boundary
