"""Evaluate whether a principal would be allowed an action, without a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from kmsmock.access.context import ConditionContext
from kmsmock.access.facts import Facts, encryption_context
from kmsmock.access.policies import collect_policies
from kmsmock.authorization.decision import Decision
from kmsmock.authorization.evaluation import evaluate, evaluate_retirement
from kmsmock.authorization.grants import Grant
from kmsmock.authorization.request import Request
from kmsmock.aws import arns
from kmsmock.aws.arns import ALIAS_PREFIX, Arn, alias_arn, resource_of
from kmsmock.aws.operations import find_permission
from kmsmock.aws.principals import Principal
from kmsmock.keys.key import Key
from kmsmock.ledger.operation_names import require_action
from kmsmock.operations.grant_terms import parse_grant_terms
from kmsmock.operations.recipient import read_attestation
from kmsmock.operations.registry import is_account_level, is_decided_on_alias
from kmsmock.state.backend import Backend

_LIST_RETIRABLE = "kms:ListRetirableGrants"


@dataclass(frozen=True, slots=True)
class Question:
    """The action to evaluate."""

    #: The action, such as ``kms:Decrypt``.
    action: str
    #: The Region, for actions that are not about a key.
    region: str
    #: The parameters of the call, as in the API; absent ones have their defaults.
    parameters: Mapping[str, Any] = field(default_factory=dict)
    #: The encryption context; None to take it from the parameters.
    encryption_context: Mapping[str, str] | None = None
    #: Further condition key -> value.
    context: Mapping[str, str | list[str]] = field(default_factory=dict)


def explain(
    backend: Backend,
    principal: Principal,
    question: Question,
    key: Key | None,
    alias: str | None = None,
) -> Decision:
    """Evaluate an action.

    key: the key that the action is about, if there is one. alias: the alias by which the request
    names the key.
    """
    action, parameters = question.action, question.parameters
    if key is None or is_account_level(action):
        resource = parameters.get("RetiringPrincipal", "*") if action == _LIST_RETIRABLE else "*"
        return _decide(backend, principal, question, None, resource, primary=key)
    if is_decided_on_alias(action):
        alias = alias or parameters.get("AliasName")
        if alias is not None:
            resource = alias_arn(key.region_name, key.account, alias)
            on_alias = _decide(backend, principal, question, None, resource)
            if not on_alias.allowed:
                return on_alias
    return _decide(backend, principal, question, key, key.arn, alias=alias)


def _decide(
    backend: Backend,
    principal: Principal,
    question: Question,
    key: Key | None,
    resource: str,
    *,
    alias: str | None = None,
    primary: Key | None = None,
) -> Decision:
    action, parameters = question.action, question.parameters
    child = retired = None
    if action == "kms:CreateGrant" and "Operations" in parameters and key is not None:
        names = backend.identities.names
        child = parse_grant_terms(parameters, principal, arns.partition_of(key.region_name), names)
    if action == "kms:RetireGrant" and key is not None:
        retired = _find_retired_grant(backend, key, parameters)
    terms = child if retired is None else retired.terms
    constraints = None if terms is None else terms.constraints
    pairs = question.encryption_context
    if pairs is None:
        member = find_permission(action).context_member
        pairs = encryption_context(member, parameters, constraints)
    facts = Facts(
        action=action,
        principal=principal,
        identities=backend.identities,
        key=key,
        primary=primary,
        alias=alias,
        parameters=parameters,
        encryption_context=pairs,
        constraints=constraints,
        attestation=partial(read_attestation, parameters, backend),
        region=question.region if key is None else key.region_name,
        now=backend.clock.now(),
        overrides={**backend.request_context, **question.context},
    )
    request = Request(
        principal,
        action,
        resource,
        None if key is None else key.account,
        partial(ConditionContext, facts),
        encryption_context=pairs,
        child=child,
    )
    policies = collect_policies(backend.identities, request, key)
    if retired is not None:
        decision = evaluate_retirement(request, policies, retired)
    else:
        decision = evaluate(request, policies)
    return replace(decision, request=request, policies=policies)


def _find_retired_grant(backend: Backend, key: Key, parameters: Mapping[str, Any]) -> Grant | None:
    """Return the grant that the parameters of RetireGrant name; None if they name none."""
    token = parameters.get("GrantToken")
    if token is not None:
        return backend.get_grant(key.region_name, token)
    return key.grants.get(parameters.get("GrantId", ""))


def explain_named(
    backend: Backend,
    principal: Principal | str,
    question: Question,
    key: str | None,
    via_service: str | None,
) -> Decision:
    """Evaluate an action as `explain` does, with names instead of objects.

    principal: a principal, or its ARN. question: its action can omit ``kms:``. key: a key id, key
    ARN, alias name or alias ARN. via_service: the service that calls on behalf of the principal.
    Raises ValueError for a name that does not exist.
    """
    action = question.action if ":" in question.action else f"kms:{question.action}"
    require_action(action)
    name = resource_of(key or "")
    alias = name if name.startswith(ALIAS_PREFIX) else None
    with backend.lock:
        backend.run_due_work()
        caller = _find_principal(backend, principal)
        if via_service is not None:
            caller = replace(caller, via=via_service.partition(".")[0])
        located = None if key is None else _find_key(backend, key, caller.account, question.region)
        return explain(backend, caller, replace(question, action=action), located, alias)


def _find_principal(backend: Backend, named: Principal | str) -> Principal:
    """Find a principal by ARN, or a service by name; raises ValueError if it does not exist."""
    identities = backend.identities
    if isinstance(named, Principal):
        if named.has_entity and identities.entity_of(named) is None:
            raise ValueError(f"{named.principal_arn} has been deleted: its requests are rejected")
        return named
    arn = named
    if Arn.parse(arn) is not None and not identities.names.is_valid_principal(arn):
        raise ValueError(
            f"{arn} does not exist; create it with kms.account(...).role(...) or .user(...)"
        )
    return identities.get_or_create(arn)


def _find_key(backend: Backend, reference: str, account: str, region: str) -> Key:
    """Find a key by id, ARN, alias name or alias ARN; raises ValueError if it does not exist."""
    name = reference
    arn = Arn.parse(reference)
    if arn is not None:
        account, region = arn.account, arn.region
        name = arn.key_or_alias or reference
    key = backend.region(account, region).get(name)
    if key is None:
        raise ValueError(f"account {account} has no key {reference!r} in {region}")
    return key
