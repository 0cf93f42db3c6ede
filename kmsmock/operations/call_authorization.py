"""Authorize calls: raise AccessDeniedException for what policies and grants do not allow."""

from __future__ import annotations

from kmsmock.access.denial import make_denied_error
from kmsmock.access.policies import authorize, collect_policies, decide
from kmsmock.authorization.decision import Decision
from kmsmock.authorization.policy import parse
from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.authorization.request import Outcome, Request
from kmsmock.aws import arns, errors
from kmsmock.aws.operations import KeyNaming, ManagedKeyUse, find_permission
from kmsmock.keys.key import Key
from kmsmock.operations.authorization_request import (
    build_context,
    build_request,
    get_retired_grant,
    read_encryption_context,
)
from kmsmock.operations.key_policies import check_policy
from kmsmock.operations.registry import Call, Target


def require_allowed(call: Call, target: Target, key: Key | None, alias: str | None) -> None:
    """Require that policies and grants allow the action of a target (AccessDeniedException).

    key: the key of the target, if it has one. alias: the alias by which the call named the key.
    Sets `call.grant_id` if a grant allowed the action.
    """
    request = build_request(call, target, key, alias)
    retired = None
    # RetireGrant is allowed by the grant itself, through its retiring or grantee principal.
    if target.action == "kms:RetireGrant" and key is not None:
        retired = get_retired_grant(call, key)
        if retired is None:
            return  # the operation raises a more precise error
    backend = call.backend
    decision = authorize(backend.identities, backend.allowances, request, key, retired=retired)
    if not decision.allowed:
        call.decision = decision
        raise make_denied_error(
            request,
            decision,
            omits_resource=target.omits_resource,
            from_ciphertext=_is_from_ciphertext(call, target),
        )
    if decision.grant is not None:
        call.grant_id = decision.grant.grant_id


def require_not_aws_managed(call: Call, target: Target, key: Key) -> None:
    """Refuse to change an AWS managed key, which holds even when no policies are enforced."""
    use = find_permission(target.action).managed_key_use
    if use is ManagedKeyUse.ANYBODY or (
        use is ManagedKeyUse.SERVICES and call.principal.is_service
    ):
        return
    request = build_request(call, target, key, None)
    decision = Decision(
        Outcome.IMPLICIT_DENY,
        "this is an AWS managed key, which only AWS can change: create a customer managed key",
        PolicyKind.RESOURCE,
        is_hidden=call.principal.account != key.account,
    )
    raise make_denied_error(
        request, decision, omits_resource=target.omits_resource, from_ciphertext=False
    )


def note_authorized(call: Call, target: Target, key: Key | None) -> None:
    """Record what was allowed, for operations that need more than their own action on one key."""
    resource = "*" if key is None else key.arn
    if target.resource is not None:
        resource = target.resource(call)
    call.authorized.append((target.action, resource, read_encryption_context(call, target)))


def require_no_lockout(call: Call) -> None:
    """Require that the caller could change the key policy that it puts.

    Source: AWS KMS Developer Guide, "Default key policy", on the lockout safety check.
    """
    backend = call.backend
    text = check_policy(call)
    if not backend.enforces_policies or call.parameters.get("BypassPolicyLockoutSafetyCheck"):
        return
    account = call.region.account
    region = call.parameters.get("ReplicaRegion", call.region.name)
    key_id = call.keys[0].key_id if call.keys else "new"
    target = Target("kms:PutKeyPolicy", region_from="ReplicaRegion")
    # ReplicateKey has the primary key, but the policy is for the new replica.
    is_of_key = call.operation.targets[0].action == target.action
    existing = call.keys[0] if is_of_key else None
    request = Request(
        call.principal,
        target.action,
        arns.key_arn(region, account, key_id),
        account,
        lambda: build_context(call, target, existing, owner=account),
    )
    policy = parse(text, PolicyKind.RESOURCE, "the new key policy")
    policies = collect_policies(backend.identities, request, None, policy)
    decision = decide(request, policies)
    if not decision.allowed:
        decision = decision.with_request(request, policies)
        raise errors.MalformedPolicyDocumentException(
            "The new key policy will not allow you to update the key policy in the future.",
            explanation=f"{decision}\nBypassPolicyLockoutSafetyCheck=True skips this check; so "
            'does the option authorization="off", with all other decisions.',
        )


def _is_from_ciphertext(call: Call, target: Target) -> bool:
    """Return whether only the ciphertext of the request identifies the key."""
    locator = target.locate
    if locator is None or locator.naming is not KeyNaming.CIPHERTEXT:
        return False
    return locator.member not in call.parameters
