"""Whether a call is allowed: what is asked of the policies, and the answer when they refuse."""

from __future__ import annotations

from dataclasses import replace

from kmsmock.access.denial import denied
from kmsmock.access.policies import applied_policies, authorize
from kmsmock.authorization.decision import Decision
from kmsmock.authorization.evaluation import evaluate
from kmsmock.authorization.policy import PolicyKind, parse
from kmsmock.authorization.request import Outcome, Request
from kmsmock.aws import arns, errors
from kmsmock.aws.operations import KeyNaming, ManagedKeyUse, permission_of
from kmsmock.keys.key import Key
from kmsmock.operations.key_policies import read_policy
from kmsmock.operations.registry import Call, Target
from kmsmock.operations.requests import (
    context_of,
    encryption_context_of,
    request_of,
    retired_grant,
)


def require_allowed(call: Call, target: Target, key: Key | None, alias: str | None) -> None:
    """Refuse what policies and grants do not let the caller do (AccessDeniedException).

    key: that the target has found. alias: the name that the call used for it. The grant that allows
    it, if one does, is noted with the call.
    """
    request = request_of(call, target, key, alias)
    retired = None
    # Of all actions, the grant itself has a say in this one.
    if target.action == "kms:RetireGrant" and key is not None:
        retired = retired_grant(call, key)
        if retired is None:
            return  # the operation raises a more precise error
    backend = call.backend
    decision = authorize(backend.identities, backend.allowances, request, key, retired=retired)
    if not decision.allowed:
        call.decision = decision
        raise denied(
            request,
            decision,
            is_unnamed=target.is_unnamed,
            from_ciphertext=_is_from_ciphertext(call, target),
        )
    if decision.grant is not None:
        call.grant_id = decision.grant.grant_id


def require_unmanaged(call: Call, target: Target, key: Key) -> None:
    """Refuse to change an AWS managed key, which nobody can, whatever policies are about."""
    use = permission_of(target.action).managed_key_use
    if use is ManagedKeyUse.ANYBODY or (
        use is ManagedKeyUse.SERVICES and call.principal.is_service
    ):
        return
    request = request_of(call, target, key, None)
    decision = Decision(
        Outcome.IMPLICIT_DENY,
        "this is an AWS managed key, which AWS alone manages: create a customer managed key",
        PolicyKind.RESOURCE,
        is_hidden=call.principal.account != key.account,
    )
    raise denied(request, decision, is_unnamed=target.is_unnamed, from_ciphertext=False)


def note_authorized(call: Call, target: Target, key: Key | None) -> None:
    """Note what was allowed, where it is not just the operation on its one key."""
    resource = "*" if key is None else key.arn
    if target.resource is not None:
        resource = target.resource(call)
    call.authorized.append((target.action, resource, encryption_context_of(call, target)))


def require_no_lockout(call: Call) -> None:
    """Require that the caller could change the key policy that it puts.

    Source: AWS KMS Developer Guide, "Default key policy", on the lockout safety check.
    """
    backend = call.backend
    text = read_policy(call)
    if not backend.enforces_policies or call.parameters.get("BypassPolicyLockoutSafetyCheck"):
        return
    account = call.region.account
    region = call.parameters.get("ReplicaRegion", call.region.name)
    key_id = call.keys[0].key_id if call.keys else "new"
    target = Target("kms:PutKeyPolicy", region_from="ReplicaRegion")
    # The key of another operation is not the one that gets the policy.
    is_of_key = call.operation.targets[0].action == target.action
    existing = call.keys[0] if is_of_key else None
    request = Request(
        call.principal,
        target.action,
        arns.key_arn(region, account, key_id),
        account,
        lambda: context_of(call, target, existing, owner=account),
    )
    policy = parse(text, PolicyKind.RESOURCE, "the new key policy")
    policies = applied_policies(backend.identities, request, None, policy)
    decision = evaluate(request, policies)
    if not decision.allowed:
        decision = replace(decision, request=request, policies=policies)
        raise errors.MalformedPolicyDocumentException(
            "The new key policy will not allow you to update the key policy in the future.",
            explanation=f"{decision}\nBypassPolicyLockoutSafetyCheck=True skips this check.",
        )


def _is_from_ciphertext(call: Call, target: Target) -> bool:
    """Tell whether the key was named by nothing but the ciphertext."""
    locator = target.locate
    if locator is None or locator.naming is not KeyNaming.CIPHERTEXT:
        return False
    return locator.member not in call.parameters
