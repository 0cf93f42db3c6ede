"""Build the authorization request of a call, with its condition context."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from kmsmock.access.context import ConditionContext
from kmsmock.access.facts import Facts, encryption_context
from kmsmock.authorization.grants import Grant, GrantConstraints
from kmsmock.authorization.request import Request
from kmsmock.keys.key import Key
from kmsmock.operations.grant_terms import read_grant_terms
from kmsmock.operations.recipient import read_attestation
from kmsmock.operations.registry import Call, Target


def build_request(call: Call, target: Target, key: Key | None, alias: str | None) -> Request:
    """Return the authorization request for one target of a call.

    alias: the alias by which the call named the key.
    """
    resource = "*" if target.resource is None else target.resource(call)
    return Request(
        call.principal,
        target.action,
        resource if key is None else key.arn,
        None if key is None else key.account,
        partial(build_context, call, target, key, alias),
        encryption_context=read_encryption_context(call, target),
        child=read_grant_terms(call) if target.action == "kms:CreateGrant" else None,
    )


def build_context(
    call: Call,
    target: Target,
    key: Key | None,
    alias: str | None = None,
    *,
    owner: str | None = None,
) -> ConditionContext:
    """Return the condition context of a call. owner: the account of a key that is being created."""
    region = call.region.name
    if target.region_from is not None:
        region = call.parameters.get(target.region_from, region)
    return ConditionContext(
        Facts(
            action=target.action,
            principal=call.principal,
            identities=call.backend.identities,
            key=key,
            other_key=_get_source_key(call, key),
            primary=call.keys[0] if key is None and call.keys else None,
            owner=owner,
            alias=alias,
            parameters=call.parameters,
            encryption_context=read_encryption_context(call, target),
            constraints=_get_constraints(call, target),
            attestation=partial(read_attestation, call.parameters, call.backend),
            region=region,
            now=call.now,
            user_agent=call.user_agent,
            overrides=call.backend.request_context,
        )
    )


def read_encryption_context(call: Call, target: Target) -> Mapping[str, str] | None:
    """Return the encryption context that applies to the action of a target, if there is one.

    For actions about a grant, it is the encryption context in the grant's constraints.
    """
    return encryption_context(
        target.context_member, call.parameters, _get_constraints(call, target)
    )


def get_retired_grant(call: Call, key: Key) -> Grant | None:
    """Return the grant that RetireGrant names; None if the key has no such grant."""
    return key.grants.get(call.grant_id or call.parameters.get("GrantId", ""))


def _get_constraints(call: Call, target: Target) -> GrantConstraints | None:
    """Return the constraints of the grant that the call creates or retires, if there are any."""
    if target.action == "kms:CreateGrant":
        return read_grant_terms(call).constraints
    if target.action != "kms:RetireGrant" or not call.keys:
        return None
    grant = get_retired_grant(call, call.keys[-1])
    return None if grant is None else grant.terms.constraints


def _get_source_key(call: Call, key: Key | None) -> Key | None:
    """Return the source key of ReEncrypt if this is the destination key; otherwise None."""
    return call.keys[0] if len(call.keys) > 1 and call.keys[-1] is key else None
