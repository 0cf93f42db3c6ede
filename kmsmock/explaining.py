"""What would be decided: the answer to a request that nobody makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from kmsmock.arns import ALIAS_PREFIX, Arn, alias_arn, resource_of
from kmsmock.authorization.decision import Decision
from kmsmock.authorization.evaluation import evaluate
from kmsmock.authorization.request import Request
from kmsmock.authorizing import applied_policies
from kmsmock.backend import Backend
from kmsmock.context_keys import (
    add_encryption_context,
    context_of_action,
    context_of_key,
    context_of_new_key,
    context_of_principal,
    context_of_request,
)
from kmsmock.keys.key import Key
from kmsmock.ledger.operation_names import require_action
from kmsmock.operations.registry import is_account_level, is_decided_on_alias
from kmsmock.principals import Principal


def explain(
    backend: Backend,
    principal: Principal,
    action: str,
    key: Key | None,
    *,
    alias: str | None = None,
    region: str,
    encryption_context: Mapping[str, str] | None,
    context: Mapping[str, str | list[str]],
) -> Decision:
    """Decide an action on a key, or on none, without calling anything.

    alias: the name that the request has for the key. context: condition keys of the request beside
    those that key and principal have.
    """

    def decide(key: Key | None, resource: str) -> Decision:
        now = backend.clock.now()
        collected = context_of_request(now, region)
        collected.update(context_of_principal(backend.identities, principal, region))
        if key is not None:
            collected.update(context_of_key(backend.identities, key, now, action))
        elif action == "kms:CreateKey":
            collected.update(context_of_new_key({}, None))
        collected.update(context_of_action(principal, action, key, alias, {}))
        add_encryption_context(collected, encryption_context)
        collected.update(backend.request_context)
        collected.update(context)
        request = Request(
            principal,
            action,
            resource,
            None if key is None else key.account,
            lambda: collected,
            encryption_context=encryption_context,
        )
        policies = applied_policies(backend.identities, request, key)
        return replace(evaluate(request, policies), request=request, policies=policies)

    if key is None or is_account_level(action):
        return decide(None, "*")
    if alias is not None and is_decided_on_alias(action):
        on_alias = decide(None, alias_arn(key.region_name, key.account, alias))
        if not on_alias.allowed:
            return on_alias
    return decide(key, key.arn)


def explain_named(
    backend: Backend,
    principal: Principal | str,
    action: str,
    key: str | None,
    *,
    region: str,
    via_service: str | None,
    encryption_context: Mapping[str, str] | None,
    context: Mapping[str, str | list[str]],
) -> Decision:
    """Decide as `explain` does, about what a person names.

    principal: one, or its ARN. action: with or without ``kms:``. key: an id, ARN or alias.
    via_service: the service that calls for the principal. Raises ValueError for what is not there.
    """
    action = action if ":" in action else f"kms:{action}"
    require_action(action)
    name = resource_of(key or "")
    with backend.lock:
        backend.settle()
        who = _principal(backend, principal)
        if via_service is not None:
            who = replace(who, via=via_service.partition(".")[0])
        return explain(
            backend,
            who,
            action,
            None if key is None else _key(backend, key, who.account, region),
            alias=name if name.startswith(ALIAS_PREFIX) else None,
            region=region,
            encryption_context=encryption_context,
            context=context,
        )


def _principal(backend: Backend, named: Principal | str) -> Principal:
    """Find a principal by ARN, or a service by name; raises ValueError when there is none."""
    identities = backend.identities
    if isinstance(named, Principal):
        if named.is_of_entity and identities.entity_of(named) is None:
            raise ValueError(f"{named.own_arn} has been deleted: its requests are refused")
        return named
    arn = named
    if Arn.parse(arn) is not None and not identities.names.is_valid_principal(arn):
        raise ValueError(
            f"{arn} does not exist; kms.account(...).role(...) and .user(...) make principals"
        )
    return identities.at(arn)


def _key(backend: Backend, reference: str, account: str, region: str) -> Key:
    """Find a key by id, ARN, alias name or alias ARN; raises ValueError when there is none."""
    name = reference
    arn = Arn.parse(reference)
    if arn is not None:
        account, region = arn.account, arn.region
        name = arn.key_or_alias or reference
    key = backend.region(account, region).find(name)
    if key is None:
        raise ValueError(f"account {account} has no key {reference!r} in {region}")
    return key
