"""The path of every KMS call: read, authorize, check, perform, record."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from enum import Enum, auto
from sys import intern
from time import perf_counter
from typing import Any

from kmsmock import arns, errors
from kmsmock.access.denial import denied
from kmsmock.access.policies import applied_policies, authorize
from kmsmock.api_call import Answer, ApiCall
from kmsmock.authorization.decision import Decision
from kmsmock.authorization.evaluation import evaluate
from kmsmock.authorization.policy import PolicyKind, parse
from kmsmock.authorization.request import Outcome, Request
from kmsmock.aws.operations import KeyNaming, ManagedKeyUse, permission_of
from kmsmock.backend import Backend
from kmsmock.crypto.errors import AlgorithmUnavailable
from kmsmock.identities.credentials import CredentialsError, ExpiredCredentialsError
from kmsmock.keys.key import Key, KeyManager, Usage
from kmsmock.ledger.events import NO_REST, Event, Failure, Rest
from kmsmock.operations import OPERATIONS
from kmsmock.operations.aws_managed_keys import keep_aws_managed_key
from kmsmock.operations.key_policies import read_policy
from kmsmock.operations.registry import ANY_STATE, Call, Target
from kmsmock.operations.requests import (
    context_of,
    encryption_context_of,
    request_of,
    retired_grant,
)
from kmsmock.principals import Principal
from kmsmock.protocol import read
from kmsmock.running_test import running_test
from kmsmock.watchers import notify, watchers


class Rehearsal(Enum):
    """A service's look at whether a call will succeed, before it does what cannot be undone.

    NOW: a refusal is recorded as that of the call, a success is not. DONE: the call itself, for
    which no fault fires anew.
    """

    NOW = auto()
    DONE = auto()


def answer(backend: Backend, api_call: ApiCall) -> Answer:
    """Answer one request of a client; errors are answers too."""
    request_id = backend.new_uuid()
    operation = OPERATIONS.get(api_call.operation)
    if operation is None:
        return Answer(
            request_id,
            errors.UnknownOperationException(
                explanation=f"KMS has no operation {api_call.operation!r} that is known here; a "
                "newer version may know it."
            ),
        )
    with backend.lock:
        try:
            principal, now = backend.admit(api_call.access_key, api_call.region)
        except CredentialsError as refusal:
            return Answer(request_id, _unauthenticated(refusal))
        region = backend.region(principal.account, api_call.region)
        call = Call(
            operation,
            principal,
            region,
            backend,
            request_id,
            now,
            api_call.access_key,
            api_call.user_agent,
        )
        try:
            call.parameters = read(api_call)
            fault = backend.faults.next(operation.name, call.parameters)
            if fault is not None:
                raise fault
            result: Any = perform(call)
        except errors.ServiceError as error:
            result = error
        _record(call, result)
        if operation.hands_out and isinstance(result, dict):
            plaintexts = {name: result[name] for name in operation.hands_out if result.get(name)}
            backend.secrets.note(plaintexts, backend.calls[-1])
            if watchers.handed_out:
                notify(watchers.handed_out, backend, backend.calls[-1], plaintexts)
    return Answer(request_id, result)


def _unauthenticated(refusal: CredentialsError) -> errors.ServiceError:
    """Give the words of KMS for credentials that are no longer good."""
    if isinstance(refusal, ExpiredCredentialsError):
        return errors.ExpiredTokenException(
            "The security token included in the request is expired", explanation=str(refusal)
        )
    return errors.UnrecognizedClientException(
        "The security token included in the request is invalid.", explanation=str(refusal)
    )


def perform_for_service(  # noqa: PLR0913 - who calls, and how
    backend: Backend,
    operation: str,
    parameters: dict[str, Any],
    *,
    principal: Principal,
    region: str,
    now: datetime,
    source: str,
    access_key: str | None = None,
    rehearsal: Rehearsal | None = None,
) -> dict[str, Any]:
    """Carry out a call that a service makes, for its caller or in its own name.

    It is decided, checked and recorded as those of clients. parameters: as the API has them.
    source: what CloudTrail shows as the address of the service. rehearsal: whether this only sees
    if the call will succeed, or follows such a look. Raises the `ServiceError` that KMS answers the
    service with.
    """
    with backend.lock:
        call = Call(
            OPERATIONS[operation],
            principal,
            backend.region(principal.account, region),
            backend,
            backend.new_uuid(),
            now,
            access_key,
            source,
        )
        call.parameters = parameters
        try:
            if rehearsal is not Rehearsal.DONE:
                fault = backend.faults.next(operation, parameters)
                if fault is not None:
                    raise fault
            if rehearsal is Rehearsal.NOW:
                call.parameters = {**parameters, "DryRun": True}
            result = perform(call)
        except errors.DryRunOperationException:  # which is how a rehearsal goes well
            return {}
        except errors.ServiceError as error:
            call.parameters = parameters
            _record(call, error)
            raise
        _record(call, result)
        return result


def perform(call: Call) -> dict[str, Any]:
    """Carry out a call in the order that AWS checks: locate, authorize, usage, state, the rest.

    A dry run ends after all checks. Raises the `ServiceError` to answer.
    """
    operation = call.operation
    if "GrantTokens" in call.parameters:
        _require_grant_tokens(call)
    located = [
        (target, key)
        for target in operation.targets
        if (target.when is None or target.when(call))
        and (key := _authorized(call, target)) is not None
    ]
    keys = call.keys
    if operation.first is not None:
        operation.first(call, *keys)
    for target, key in located:
        _require_usable(target, key)
    if operation.puts_policy and "Policy" in call.parameters:
        _require_no_lockout(call)
    try:
        result = operation.handler(call, *keys)
    except AlgorithmUnavailable as reason:
        raise errors.UnsupportedOperationException(str(reason)) from None
    call.before_effect()
    if operation.is_cryptographic:
        usage = Usage(operation.name, call.now, call.request_id)
        for key in keys:
            key.last_usage = usage
    return result if result is not None else {}


def _require_usable(target: Target, key: Key) -> None:
    """Require key usage, then key state."""
    if target.usage is not None and key.usage is not target.usage:
        key.require_usage(target.usage, target.action.removeprefix("kms:"))
    if target.states is not ANY_STATE:
        key.require_state(target.states)
    store = key.custom_key_store
    if store is not None and target.usage is not None and store.proxy_failure is not None:
        raise errors.KMSInvalidStateException(store.proxy_failure)


def _authorized(call: Call, target: Target) -> Key | None:
    """Locate a target's key, noted with the call, and refuse what the caller may not do with it."""
    key = alias = None
    if target.locate is not None:
        before, call.alias = call.alias, None
        key = target.locate.find(call)
        alias, call.alias = call.alias, before or call.alias
        if key is None:
            return None
        call.keys.append(key)
    backend = call.backend
    if backend.enforces_policies and not (
        target.resource is None
        and backend.allowances.hold(backend.identities, call.principal, target.action, key)
    ):
        _require_authorized(call, target, key, alias)
    if key is not None and key.manager is KeyManager.AWS:
        if not backend.enforces_policies:
            _require_unmanaged(call, target, key)
        if alias is not None:
            keep_aws_managed_key(backend, key, alias, call.now)
    resource = key.arn if key is not None else "*"
    if target.resource is not None:
        resource = target.resource(call)
    call.authorized.append((target.action, resource, encryption_context_of(call, target)))
    return key


def _require_authorized(call: Call, target: Target, key: Key | None, alias: str | None) -> None:
    request = request_of(call, target, key, alias)
    retired = None
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


def _is_from_ciphertext(call: Call, target: Target) -> bool:
    """Tell whether the key was named by nothing but the ciphertext."""
    locator = target.locate
    if locator is None or locator.naming is not KeyNaming.CIPHERTEXT:
        return False
    return locator.member not in call.parameters


def _require_unmanaged(call: Call, target: Target, key: Key) -> None:
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


def _require_no_lockout(call: Call) -> None:
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
    existing = call.keys[0] if call.operation.name == "PutKeyPolicy" else None
    target = Target("kms:PutKeyPolicy", region_from="ReplicaRegion")
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


def _require_grant_tokens(call: Call) -> None:
    for token in call.parameters["GrantTokens"]:
        if call.backend.grant_of_token(call.region.name, token) is None:
            raise errors.InvalidGrantTokenException(
                explanation="No grant was created with this token, or it is gone."
            )


def _record(call: Call, result: dict[str, Any] | errors.ServiceError) -> None:
    """Leave the record of a call; this is on the path of every one, so little is made."""
    failure: Failure | None = None
    shown = None
    operation = call.operation.name
    members = call.operation.trail
    if isinstance(result, errors.ServiceError):
        failure = Failure(result.code, result.message, result.explanation, call.decision)
    elif members.response:
        shown = tuple([_copied(result.get(name)) for name in members.response])
    keys, materials, parameters = call.keys, call.material_ids, call.parameters
    key = keys[0] if keys else None
    second_key = keys[1] if len(keys) > 1 else None
    authorized = call.authorized
    is_plain = len(authorized) == 1 and authorized[0] == (
        f"kms:{operation}",
        "*" if key is None else key.arn,
        parameters.get("EncryptionContext"),
    )
    backend = call.backend
    charge = backend.tariff.charge(
        call.operation.price,
        call.principal.arn,
        None if failure is None else failure.code,
        keys,
        parameters.get("KeyPairSpec"),
    )
    rest = NO_REST
    context, noted = backend.request_context, call.noted
    if not is_plain or shown or second_key or call.grant_id or context or noted:
        rest = Rest(
            second_key,
            materials[1] if len(materials) > 1 else None,
            call.grant_id,
            None if is_plain else tuple(authorized),
            shown,
            context or None,
            noted,
        )
    calls = backend.calls
    event = Event(
        operation,
        call.principal,
        call.access_key,
        intern(call.user_agent or ""),
        call.region.name,
        key,
        call.alias,
        calls.shared(operation, tuple([parameters.get(name) for name in members.request])),
        materials[0] if materials else None,
        failure,
        charge,
        call.now,
        running_test(),
        call.request_id,
        rest,
    )
    calls.append(event)
    if call.started:
        notify(watchers.called, backend, event, perf_counter() - call.started)


def _copied(value: Any) -> Any:
    """Copy what the caller will get to hold, and can change."""
    if type(value) is dict:
        return {name: _copied(item) for name, item in value.items()}
    return list(value) if type(value) is list else value
