"""From a request to the policies that decide it: those of key, caller and organizations."""

from __future__ import annotations

from dataclasses import replace

from kmsmock.authorization.evaluation import (
    OFF,
    AppliedPolicies,
    Decision,
    Request,
    evaluate,
    evaluate_retirement,
)
from kmsmock.authorization.grants import Grant
from kmsmock.authorization.policy import Policy, PolicyKind, parse
from kmsmock.backend import Backend
from kmsmock.identities import Identities
from kmsmock.keys.key import Key, KeyManager
from kmsmock.principals import Principal

#: How explanations speak of it.
KEY_POLICY = "the key policy"
_RETIRE = "kms:RetireGrant"


def authorize(
    backend: Backend, request: Request, key: Key | None, *, retired: Grant | None = None
) -> Decision:
    """Decide a request on a key, or on none. retired: the grant that RetireGrant is to end."""
    if not backend.enforces_policies:
        return OFF
    policies = applied_policies(backend, request, key)
    if retired is not None:
        decision = evaluate_retirement(request, policies, retired)
    else:
        decision = evaluate(request, policies)
    if decision.allowed:
        return decision
    return replace(decision, request=request, policies=policies)


def applied_policies(
    backend: Backend, request: Request, key: Key | None, key_policy: Policy | None = None
) -> AppliedPolicies:
    """Gather all that has a say. key_policy: instead of the one that the key has."""
    identities = backend.identities
    principal = request.principal
    identity, boundary = _of_entity(identities, principal)
    resource_control: tuple[tuple[Policy, ...], ...] = ()
    if key is not None and key.manager is KeyManager.CUSTOMER and request.action != _RETIRE:
        resource_control = identities.organization_of(key.account).resource_control
    has_key_policy = key is not None and request.owner is not None
    return AppliedPolicies(
        key_policy or (policy_of(key) if key is not None and has_key_policy else None),
        identity,
        boundary,
        identities.session_of(principal).policies,
        identities.organization_of(principal.account).service_control,
        resource_control,
        key.grants.naming(principal) if key is not None and has_key_policy else (),
        key.policy_ids if key is not None else None,
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
    return tuple(entity.policies.values()), entity.boundary
