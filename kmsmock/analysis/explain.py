"""Evaluate whether a principal would be allowed an action, without a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from kmsmock.access.context import ConditionContext, check_context_key
from kmsmock.access.facts import Facts, encryption_context
from kmsmock.access.policies import collect_policies, explain_decision
from kmsmock.analysis.call_parameters import (
    check_condition_values,
    check_parameters,
)
from kmsmock.analysis.named_keys import Names, find_keys
from kmsmock.authorization.decision import Decision
from kmsmock.authorization.evaluation import evaluate, evaluate_retirement
from kmsmock.authorization.grants import Grant, GrantConstraints, GrantTerms
from kmsmock.authorization.request import Request
from kmsmock.aws.arns import Arn, alias_arn
from kmsmock.aws.errors import InvalidArnException
from kmsmock.aws.installed_model import list_services
from kmsmock.aws.operations import find_permission
from kmsmock.aws.principals import Principal
from kmsmock.aws.regions import partition_of
from kmsmock.aws.via_service import read_via_service, require_via_service
from kmsmock.keys.key import Key
from kmsmock.ledger.operation_names import require_action
from kmsmock.misuse.suggestions import did_you_mean
from kmsmock.misuse.values import describe, require_texts
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
        resource = _retiring_principal(parameters) if action == _LIST_RETIRABLE else "*"
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
        child = _parse_grant_terms(backend, principal, key, parameters)
    if action == "kms:RetireGrant" and key is not None:
        retired = _get_retired_grant(backend, key, parameters)
    terms = child if retired is None else retired.terms
    constraints = None if terms is None else terms.constraints
    pairs = _encryption_context(question, constraints)
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
        policies = policies._replace(grants=(retired,))
        decision = evaluate_retirement(request, policies, retired)
    else:
        decision = evaluate(request, policies)
    return explain_decision(decision, request, policies, backend.identities)


def _retiring_principal(parameters: Mapping[str, Any]) -> str:
    """Return the resource of ListRetirableGrants."""
    service: str = parameters.get("RetiringServicePrincipal", "*")
    return parameters.get("RetiringPrincipal") or service


def _parse_grant_terms(
    backend: Backend, principal: Principal, key: Key, parameters: Mapping[str, Any]
) -> GrantTerms:
    partition = partition_of(key.region_name)
    try:
        return parse_grant_terms(parameters, principal, partition, backend.identities.names)
    except InvalidArnException as error:
        raise ValueError(error.message) from None


def _get_retired_grant(backend: Backend, key: Key, parameters: Mapping[str, Any]) -> Grant | None:
    """Return the grant that the parameters of RetireGrant name; None if they name none."""
    token = parameters.get("GrantToken")
    if token is not None:
        return backend.get_grant(key.region_name, token)
    return key.grants.get(parameters.get("GrantId", ""))


def explain_named(
    backend: Backend,
    principal: Any,
    question: Question,
    key: Any,
    via_service: Any,
) -> Decision:
    """Evaluate an action as `explain` does, with names instead of objects.

    principal: a principal, or its ARN. question: its action can omit ``kms:``. key: a key id, key
    ARN, alias name or alias ARN; None if the parameters name it, or the action is not about a key.
    via_service: the service that calls on behalf of the principal. Raises ValueError for a name
    that does not exist or is missing, for conflicts and for unknown parameters, TypeError for
    values of a wrong type.
    """
    action = question.action if ":" in question.action else f"kms:{question.action}"
    require_action(action)
    if key is not None and not isinstance(key, str):
        raise TypeError(f"key must be an id, ARN or alias, not {type(key).__name__}")
    question = _checked(replace(question, action=action))
    with backend.lock:
        backend.run_due_work()
        caller = _find_principal(backend, principal)
        through = None
        if via_service is not None:
            through = read_via_service(via_service)
            require_via_service(through.service, list_services)
            caller = replace(caller, via=through.service)
        names = Names(action, caller.account, question.region, key, question.parameters)
        decision = None
        for named in find_keys(backend, names):
            region = question.region if named.key is None else named.key.region_name
            if through is not None and through.region not in (None, region):
                raise ValueError(f"via_service is of {through.region}, but the call of {region}")
            decision = explain(backend, caller, question, named.key, named.alias)
            if not decision.allowed:
                break
        assert decision is not None  # actions that are not about a key are decided once, too
        return decision


def _checked(question: Question) -> Question:
    """Return a question with checked parameters; raises ValueError and TypeError."""
    for name in question.context:
        check_context_key(name)
    check_condition_values(question.context)
    if question.encryption_context is not None:
        require_texts(question.encryption_context, "encryption_context")
    return replace(question, parameters=check_parameters(question.action, question.parameters))


def _encryption_context(
    question: Question, constraints: GrantConstraints | None
) -> Mapping[str, str] | None:
    """Return the encryption context of a question; raises ValueError if it has two.

    constraints: of the grant that is created or retired.
    """
    given = question.encryption_context
    permission = find_permission(question.action)
    member = permission.context_member
    if given and member is None and not permission.context_from_grant_constraints:
        raise ValueError(
            f"{question.action} has no encryption context; conditions about it cannot be met"
        )
    pairs = encryption_context(member, question.parameters, constraints)
    if given is not None and pairs is not None and dict(given) != dict(pairs):
        where = f"parameters[{member!r}]" if member is not None else "the constraints of the grant"
        raise ValueError(f"encryption_context is {dict(given)}, but {where} has {dict(pairs)}")
    return pairs if given is None else given


def _find_principal(backend: Backend, named: Any) -> Principal:
    """Find a principal by ARN, or a service by name; raises ValueError if it does not exist."""
    identities = backend.identities
    if isinstance(named, Principal):
        if named.has_entity and identities.entity_of(named) is None:
            raise ValueError(
                f"{named.principal_arn} has been deleted, or is of another mock: its requests are "
                "rejected"
            )
        return named
    if not isinstance(named, str):
        raise TypeError(f"principal must be a principal or an ARN, not {describe(named)}")
    arn = named
    parsed = Arn.parse(arn)
    if parsed is not None and parsed.resource_type == "federated-user":
        federated = identities.get(arn)
        if federated is None:
            raise ValueError(f"{arn} does not exist; create it with .user(...).federated_user(...)")
        return _find_principal(backend, federated)
    if parsed is not None and not identities.names.is_valid_principal(arn):
        raise ValueError(
            f"{arn} does not exist; create it with kms.account(...).role(...) or .user(...)"
            f"{did_you_mean(arn, identities.entities)}"
        )
    return identities.get_or_create(arn)
