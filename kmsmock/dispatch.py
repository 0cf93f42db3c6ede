"""The path of every KMS call: read, authorize, check, perform, record."""

from __future__ import annotations

from functools import partial
from typing import Any

from kmsmock import errors
from kmsmock.authorization.evaluation import Request
from kmsmock.backend import Backend
from kmsmock.context_keys import context_keys
from kmsmock.crypto.errors import AlgorithmUnavailable
from kmsmock.keys.aws_managed import DIRECT_ACTIONS
from kmsmock.keys.key import Key, KeyManager, Usage
from kmsmock.ledger.events import Event
from kmsmock.operations import OPERATIONS
from kmsmock.operations.locating import access_hidden
from kmsmock.operations.registry import ANY_STATE, Call, Operation, Target
from kmsmock.protocol import Answer, ApiCall, read

#: Actions on AWS managed keys that only services may do, through which the key is used.
_THROUGH_SERVICES = frozenset(
    {
        *("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo"),
        *("kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"),
        *("kms:GenerateDataKeyPair", "kms:GenerateDataKeyPairWithoutPlaintext"),
    }
)


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
        principal = backend.identities.caller(api_call.access_key)
        now = backend.clock.now()
        backend.clock.settle(now)
        region = backend.region(principal.account, api_call.region)
        call = Call(operation, principal, region, backend, request_id, now)
        try:
            call.parameters = read(api_call)
            fault = backend.faults.next(operation.name, call.parameters)
            if fault is not None:
                raise fault
            result: Any = perform(call)
        except errors.ServiceError as error:
            result = error
        _record(call, result)
    return Answer(request_id, result)


def perform(call: Call) -> dict[str, Any]:
    """Carry out a call in the order that AWS checks: locate, authorize, usage, state, the rest.

    A dry run ends after all checks. Raises the `ServiceError` to answer.
    """
    operation = call.operation
    keys = call.keys
    if "GrantTokens" in call.parameters:
        _require_grant_tokens(call)
    for target in operation.targets:
        key = target.locate(call) if target.locate is not None else None
        if key is not None:
            keys.append(key)
        _require_authorized(call, target, key)
    if operation.first is not None:
        operation.first(call, *keys)
    _require_usable(operation, keys)
    try:
        result = operation.handler(call, *keys)
    except AlgorithmUnavailable as reason:
        raise errors.UnsupportedOperationException(str(reason)) from None
    call.before_effect()
    if operation.marks_usage:
        usage = Usage(operation.name, call.now, call.request_id, call.request_id)
        for key in keys:
            key.last_usage = usage
    return result if result is not None else {}


def _require_usable(operation: Operation, keys: list[Key]) -> None:
    """Require key usage, then key state, of each target that located a key."""
    for key, target in zip(keys, operation.targets, strict=False):
        if target.usage is not None and key.usage is not target.usage:
            key.require_usage(target.usage, target.action.removeprefix("kms:"))
        if target.states is not ANY_STATE:
            key.require_state(target.states)


def _require_authorized(call: Call, target: Target, key: Key | None) -> None:
    request = Request(
        call.principal,
        target.action,
        "*" if key is None else key.arn,
        partial(context_keys, call, key),
    )
    decision = call.backend.authorize(request)
    if not decision.allowed:
        raise _denied(call, target, key, decision.reason)
    if key is not None and key.manager is KeyManager.AWS:
        _require_unmanaged(call, target, key)


def _require_unmanaged(call: Call, target: Target, key: Key) -> None:
    """Refuse to change an AWS managed key, which no policy lets a customer do."""
    if target.action.startswith(DIRECT_ACTIONS) or target.action in _THROUGH_SERVICES:
        return
    raise _denied(
        call,
        target,
        key,
        "This is an AWS managed key: AWS alone manages it. Create a customer managed key instead.",
    )


def _denied(
    call: Call, target: Target, key: Key | None, reason: str
) -> errors.AccessDeniedException:
    if key is not None and key.account != call.principal.account:
        error = access_hidden(call, target.action, "this resource")
    else:
        where = "*" if key is None else key.arn
        error = errors.AccessDeniedException(
            f"User: {call.principal.arn} is not authorized to perform: {target.action} on "
            f"resource: {where} because no resource-based policy allows the {target.action} action"
        )
    error.explanation = reason
    return error


def _require_grant_tokens(call: Call) -> None:
    for token in call.parameters["GrantTokens"]:
        if call.backend.grant_of_token(call.region.name, token) is None:
            raise errors.InvalidGrantTokenException(
                explanation="No grant was created with this token, or it is gone."
            )


def _record(call: Call, result: dict[str, Any] | errors.ServiceError) -> None:
    error = result if isinstance(result, errors.ServiceError) else None
    key = call.keys[0] if call.keys else None
    principal = call.principal
    calls = call.backend.calls
    calls.append(
        Event(
            call.operation.name,
            principal.arn,
            principal.account,
            call.region.name,
            None if key is None else key.arn,
            None if key is None else key.spec.name,
            call.alias,
            call.encryption_context,
            call.grant_id,
            call.dry_run,
            not isinstance(error, errors.AccessDeniedException),
            None if error is None else error.code,
            None if error is None else error.explanation,
            None,
            None,
            call.now,
            calls.test_id(),
            call.request_id,
        )
    )
