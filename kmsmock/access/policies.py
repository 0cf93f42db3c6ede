"""Collect the policies and grants that apply to a request, evaluate them, and remember allows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from operator import is_
from typing import Any

from kmsmock.authorization.decision import Decision
from kmsmock.authorization.evaluation import evaluate, evaluate_retirement
from kmsmock.authorization.grants import Grant
from kmsmock.authorization.policy import Policy, parse
from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.authorization.request import AppliedPolicies, Request
from kmsmock.aws.arns import looks_like_arn
from kmsmock.aws.principals import Principal
from kmsmock.identities.directory import Identities
from kmsmock.keys.key import Key, KeyManager
from kmsmock.misuse.suggestions import did_you_mean
from kmsmock.process.watchers import notify, watchers

#: The name of key policies in explanations.
KEY_POLICY = "the key policy"
_RETIRE = "kms:RetireGrant"
_Levels = tuple[tuple[Policy, ...], ...]
_MAX_ENTRIES = 128


class Allowances:
    """A cache of requests that policies allow unconditionally.

    An entry depends on the principal with its unique id; the identity policies and the permissions
    boundary of its user or role; its session policies; the policies of its organization and of the
    key's; the key policy, and the unique ids of the principals in it; and on there being no grant
    on the key that can apply to the principal. All but the last are objects that are replaced,
    never changed in place, so an entry is valid while each is the same object. Requests whose
    evaluation used a condition, a policy variable or a grant are not cached, so an entry does not
    depend on encryption context, tags, aliases, time or Region. Authorization does not depend on
    the key state.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], tuple[Any, ...]] = {}

    def is_allowed(
        self, identities: Identities, principal: Principal, action: str, key: Key | None
    ) -> bool:
        """Return whether a request is known to be allowed."""
        arn = "*" if key is None else key.arn
        known = self._known.get((principal.arn, action, arn))
        return (
            known is not None
            and all(map(is_, known, _collect_dependencies(identities, principal, key)))
            and not (key is not None and key.grants.name(principal))
        )

    def add(
        self, identities: Identities, request: Request, key: Key | None, policies: AppliedPolicies
    ) -> None:
        """Cache an allowed request, unless its evaluation used a condition or a grant.

        While somebody watches decisions, nothing is cached.
        """
        if (
            watchers.decided
            or policies.grants
            or looks_like_arn(request.resource) is not (key is not None)
            or _needs_context(request, policies)
        ):
            return
        if len(self._known) >= _MAX_ENTRIES:
            self._known.clear()
        principal = request.principal
        entry = (principal.arn, request.action, request.resource)
        self._known[entry] = _collect_dependencies(identities, principal, key)

    def clear(self) -> None:
        """Remove all entries."""
        self._known.clear()


def _collect_dependencies(
    identities: Identities, principal: Principal, key: Key | None
) -> tuple[Any, ...]:
    """Return the objects that an unconditional decision depends on; a change replaces them."""
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


def _needs_context(request: Request, policies: AppliedPolicies) -> bool:
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
    """Evaluate the policies and grants that apply to a request.

    key: the key that the request is about, if there is one. retired: the grant that RetireGrant
    names.
    """
    policies = collect_policies(identities, request, key)
    if retired is not None:
        policies = policies._replace(grants=(retired,))
    decision = decide(request, policies, retired)
    if not decision.allowed:
        return explain_decision(decision, request, policies, identities)
    if retired is None:
        allowances.add(identities, request, key, policies)
    return decision


def decide(request: Request, policies: AppliedPolicies, retired: Grant | None = None) -> Decision:
    """Evaluate what decides a call, and notify the watchers.

    retired: the grant that RetireGrant names.
    """
    if retired is None:
        decision = evaluate(request, policies)
    else:
        decision = evaluate_retirement(request, policies, retired)
    if watchers.decided:
        notify(watchers.decided, request, policies, decision, retired)
    return decision


def explain_decision(
    decision: Decision, request: Request, policies: AppliedPolicies, identities: Identities
) -> Decision:
    """Return a decision with all that its explanation needs."""
    entity = identities.entity_of(request.principal)
    remark = ""
    if entity is not None and entity.was_only_named and not policies.identity:
        others = [one.arn for one in identities.entities.values() if one is not entity]
        remark = ": kms.principal() has created it, since there was no "
        remark += f"{entity.arn}{did_you_mean(entity.arn, others)}"
    return decision.with_request(request, policies._replace(remark=remark))


def collect_policies(
    identities: Identities, request: Request, key: Key | None, key_policy: Policy | None = None
) -> AppliedPolicies:
    """Collect the policies and grants that apply. key_policy: replaces that of the key."""
    principal = request.principal
    identity, boundary = _collect_identity_policies(identities, principal)
    service_control, resource_control = _collect_organization_policies(identities, request, key)
    has_key_policy = key is not None and request.owner is not None
    return AppliedPolicies(
        key_policy or (parse_key_policy(key) if key is not None and has_key_policy else None),
        identity,
        boundary,
        identities.session_of(principal).policies,
        service_control,
        resource_control,
        key.grants.naming(principal) if key is not None and has_key_policy else (),
        key.grants.ended if key is not None and has_key_policy else (),
        key.policy_ids if key is not None else None,
        None if key is None else partial(_is_alive, identities, key.policy_ids),
        key is not None and key.manager is KeyManager.AWS,
    )


def _collect_organization_policies(
    identities: Identities, request: Request, key: Key | None
) -> tuple[_Levels, _Levels]:
    """Return the caller's service control policies and the key's resource control policies."""
    principal = request.principal
    if principal.is_service_linked:
        return (), ()
    resource_control: _Levels = ()
    if _has_resource_control(request, key) and request.action != _RETIRE:
        account = principal.account if key is None else key.account
        resource_control = identities.organization_of(account).resource_control
    return identities.organization_of(principal.account).service_control, resource_control


def _has_resource_control(request: Request, key: Key | None) -> bool:
    """Return whether a request is about a customer managed key, or an alias.

    Source: AWS Organizations User Guide, "Resource control policies (RCPs)", which restrict
    resources; an alias is one in the Service Authorization Reference. The alias half of alias
    operations, which no key policy decides, is restricted, too.
    """
    if key is None:
        return ":alias/" in request.resource
    return key.manager is KeyManager.CUSTOMER


def _is_alive(identities: Identities, unique_ids: Mapping[str, str] | None, name: str) -> bool:
    """Return whether a principal is still the one that had the name when the policy was put."""
    return (
        identities.names.is_valid_principal(name)
        and identities.names.displayed(name, unique_ids) == name
    )


def parse_key_policy(key: Key) -> Policy:
    """Return the parsed key policy of a key."""
    return parse(key.policy, PolicyKind.RESOURCE, KEY_POLICY)


def _collect_identity_policies(
    identities: Identities, principal: Principal
) -> tuple[tuple[Policy, ...], Policy | None]:
    entity = identities.entity_of(principal)
    if entity is None:
        return (), None
    return entity.policies, entity.boundary
