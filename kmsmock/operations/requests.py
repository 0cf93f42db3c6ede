"""What has to be decided about a call: the request, with all that is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from kmsmock.access.context import ConditionContext
from kmsmock.access.facts import Facts, encryption_context
from kmsmock.authorization.grants import Grant, GrantConstraints
from kmsmock.authorization.request import Request
from kmsmock.keys.key import Key
from kmsmock.operations.grant_terms import grant_terms_of
from kmsmock.operations.recipient import attested
from kmsmock.operations.registry import Call, Target


def request_of(call: Call, target: Target, key: Key | None, alias: str | None) -> Request:
    """Ask whether a call may act on a target. alias: the name that the call has for the key."""
    resource = "*" if target.resource is None else target.resource(call)
    return Request(
        call.principal,
        target.action,
        resource if key is None else key.arn,
        None if key is None else key.account,
        partial(context_of, call, target, key, alias),
        encryption_context=encryption_context_of(call, target),
        child=grant_terms_of(call) if target.action == "kms:CreateGrant" else None,
    )


def context_of(
    call: Call,
    target: Target,
    key: Key | None,
    alias: str | None = None,
    *,
    owner: str | None = None,
) -> ConditionContext:
    """Give the condition keys of a call. owner: the account of a key that is not there yet."""
    region = call.region.name
    if target.region_from is not None:
        region = call.parameters.get(target.region_from, region)
    return ConditionContext(
        Facts(
            action=target.action,
            principal=call.principal,
            identities=call.backend.identities,
            key=key,
            other_key=_other_key(call, key),
            primary=call.keys[0] if key is None and call.keys else None,
            owner=owner,
            alias=alias,
            parameters=call.parameters,
            encryption_context=encryption_context_of(call, target),
            constraints=_constraints(call, target),
            attestation=partial(attested, call.parameters, call.backend),
            region=region,
            now=call.now,
            user_agent=call.user_agent,
            overrides=call.backend.request_context,
        )
    )


def encryption_context_of(call: Call, target: Target) -> Mapping[str, str] | None:
    """Give the encryption context that an action of a call has; None without one.

    That of an action about a grant is what the constraints of the grant have.
    """
    return encryption_context(target.context_member, call.parameters, _constraints(call, target))


def retired_grant(call: Call, key: Key) -> Grant | None:
    """Find the grant that RetireGrant is to end."""
    return key.grants.get(call.grant_id or call.parameters.get("GrantId", ""))


def _constraints(call: Call, target: Target) -> GrantConstraints | None:
    """Give the constraints of the grant that is to be made, or to be retired."""
    if target.action == "kms:CreateGrant":
        return grant_terms_of(call).constraints
    if target.action != "kms:RetireGrant" or not call.keys:
        return None
    grant = retired_grant(call, call.keys[-1])
    return None if grant is None else grant.terms.constraints


def _other_key(call: Call, key: Key | None) -> Key | None:
    """Give the key of ReEncrypt's first side, once the second is located."""
    return call.keys[0] if len(call.keys) > 1 and call.keys[-1] is key else None
