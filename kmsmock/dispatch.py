"""Answer KMS requests: the steps that every call goes through, one function for each.

admit -> locate keys -> authorize -> check key usage and key state -> handle -> record
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kmsmock.aws import errors
from kmsmock.aws.api_call import Answer, ApiCall
from kmsmock.aws.api_model import parse_request
from kmsmock.aws.disruptions import Disruption
from kmsmock.aws.secret_values import SecretBytes
from kmsmock.crypto.errors import AlgorithmUnavailable
from kmsmock.identities.credentials import CredentialsError
from kmsmock.keys.key import Key, KeyManager, Usage
from kmsmock.keys.state_checks import require_state
from kmsmock.keys.states import ANY_STATE
from kmsmock.ledger.call_record import Call as CallRecord
from kmsmock.operations import OPERATIONS
from kmsmock.operations.aws_managed_keys import store_aws_managed_key
from kmsmock.operations.call_authorization import (
    note_authorized,
    require_allowed,
    require_no_lockout,
    require_not_aws_managed,
)
from kmsmock.operations.faulty_calls import meeting_faults
from kmsmock.operations.grants import require_grant_tokens
from kmsmock.operations.key_lookup import locate_key
from kmsmock.operations.metered_calls import require_quota
from kmsmock.operations.node_answers import answer_at_node
from kmsmock.operations.parameter_hints import explain_parameters
from kmsmock.operations.registry import Call, Operation, Target
from kmsmock.process.real_time import RealTime
from kmsmock.process.watchers import notify, watchers
from kmsmock.state.backend import Backend


def answer(backend: Backend, api_call: ApiCall) -> Answer:
    """Answer one request of a client, with a response or a `ServiceError`.

    Raises HttpNeededError for a throttled request, unless it is an HTTP request.
    """
    request_id = backend.new_uuid()
    operation = OPERATIONS.get(api_call.operation)
    if operation is None:
        return Answer(
            request_id,
            errors.UnknownOperationException(
                explanation=f"This version of kmsmock has no operation {api_call.operation!r}; a "
                "newer one may have it."
            ),
        )
    with backend.lock:
        try:
            call = _admit(backend, operation, api_call, request_id)
        except CredentialsError as refusal:
            return Answer(request_id, refusal.error_of("kms"))
        result: dict[str, Any] | errors.ServiceError
        try:
            try:
                call.parameters = parse_request(api_call)
            finally:  # what cannot be parsed counts, too
                if backend.quotas.is_on:
                    require_quota(call, can_be_http=not api_call.is_http)
            if backend.faults.are_armed and api_call.is_http:
                return Answer(request_id, _answer_with_faults(call))
            result = perform(call)
            if operation.shows is not None and backend.passing.open:
                result = _look(call, result)
        except errors.ServiceError as error:
            explain_parameters(call, error)
            result = error
        event = record(call, result)
        if operation.hands_out is not None and isinstance(result, dict):
            _note_plaintext(backend, operation.hands_out, result, event)
    return Answer(request_id, result)


def _answer_with_faults(call: Call) -> dict[str, Any] | errors.ServiceError | Disruption:
    """Answer a request of a client while faults are armed."""
    backend, hands_out = call.backend, call.operation.hands_out
    with meeting_faults(call, is_of_client=True) as hit:
        result: dict[str, Any] | errors.ServiceError
        if isinstance(hit.before, errors.ServiceError):
            result = hit.before
        elif hit.before is not None:
            backend.quotas.forget_last()
            return hit.before  # KMS has not received the request, so there is no record of it
        else:
            try:
                result = perform(call)
                if hit.after is None:  # the client gets the answer
                    result = _look(call, result)
            except errors.ServiceError as error:
                explain_parameters(call, error)
                result = error
        event = record(call, result)
        delivered = backend.faults.deliver(hit, result)
        if hands_out is not None and isinstance(result, dict) and delivered is result:
            _note_plaintext(backend, hands_out, result, event)
        return delivered


# --- the steps of a call --------------------------------------------------------------------


def _admit(backend: Backend, operation: Operation, api_call: ApiCall, request_id: str) -> Call:
    """Find the caller by the access key, and start the call; raises CredentialsError."""
    access_key, region = api_call.access_key, api_call.region
    principal, now = backend.admit(access_key, region)
    kms_region = backend.regions.get((principal.account, region))
    if kms_region is None:
        kms_region = backend.region(principal.account, region)
    return Call(
        operation, principal, kms_region, backend, request_id, now, access_key, api_call.user_agent
    )


def perform(
    call: Call, handle: Callable[[Call, Operation], dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Carry out a call, with AWS's order of checks, and return the members of the response.

    handle: replaces the last step, for a call at a node of KMS that is chosen already. Raises AWS's
    error as a `ServiceError`; a dry run ends with DryRunOperationException.
    """
    if handle is None and call.backend.consistency.is_on:
        return answer_at_node(call, perform, _handle)
    operation, keys = call.operation, call.keys
    if "GrantTokens" in call.parameters:
        require_grant_tokens(call)
    located: list[tuple[Target, Key]] = []
    for target in operation.targets:
        if target.when is not None and not target.when(call):
            continue
        key = alias = None
        if target.locate is not None:
            key, alias = locate_key(call, target.locate)
            if key is None:
                continue
            located.append((target, key))
        _authorize(call, target, key, alias)
    if operation.precheck is not None:
        operation.precheck(call, *keys)
    for target, key in located:
        _require_usable(call, target, key)
    return (handle or _handle)(call, operation)


def _authorize(call: Call, target: Target, key: Key | None, alias: str | None) -> None:
    """Require that the caller is allowed the action of a target (AccessDeniedException).

    key: the target's key, if it has one. alias: the alias by which the call named the key.
    """
    backend = call.backend
    if backend.enforces_policies and not (
        target.resource is None
        and backend.allowances.is_allowed(backend.identities, call.principal, target.action, key)
    ):
        require_allowed(call, target, key, alias)
    if key is not None and key.manager is KeyManager.AWS:
        if not backend.enforces_policies:
            require_not_aws_managed(call, target, key)
        if alias is not None:
            store_aws_managed_key(backend, key, alias, call.now)
    call.was_authorized = True
    if not call.operation.needs_only_same_named_action:
        note_authorized(call, target, key)


def _require_usable(call: Call, target: Target, key: Key) -> None:
    """Require the key usage, then the key state, that a target needs."""
    usage, states = target.usage, target.states
    if usage is not None and key.usage is not usage:
        key.require_usage(usage, target.action.removeprefix("kms:"))
    if states is not ANY_STATE and key.state not in states:
        require_state(key, states, call.backend.passing)
    store = key.custom_key_store
    if store is not None and usage is not None and store.proxy_failure is not None:
        raise errors.KMSInvalidStateException(store.proxy_failure)


def _handle(call: Call, operation: Operation) -> dict[str, Any]:
    """Call the operation's handler, and update the last usage of its keys.

    The lockout safety check of a new key policy comes directly before. A plaintext in the answer is
    a secret value: AWS services, which keep it, have it from here.
    """
    if operation.puts_policy and "Policy" in call.parameters:
        require_no_lockout(call)
    try:
        result = operation.handler(call, *call.keys)
    except AlgorithmUnavailable as reason:
        raise errors.UnsupportedOperationException(str(reason)) from None
    if "DryRun" in call.parameters:
        call.end_dry_run()
    if operation.is_cryptographic:
        usage = Usage(operation.name, call.now, call.request_id)
        for key in call.keys:
            key.last_usage = usage
    if result is None:
        return {}
    member = operation.hands_out
    if member is not None and member in result:
        result[member] = SecretBytes(result[member])
    return result


def _look(call: Call, result: dict[str, Any]) -> dict[str, Any]:
    """Count an answer as a look at passing states; return it, or a new one if that ended one."""
    shows, passing = call.operation.shows, call.backend.passing
    if shows is None:
        return result
    resources = list(shows.find_resources(call, result))
    if passing.look(shows.state, call.operation.name, resources, call.now):
        return _handle(call, call.operation)
    if shows.lacks is not None:
        for resource in resources:
            waiting = passing.explain(shows.state, resource)
            if waiting is not None:
                call.note = f"{shows.lacks} {waiting}"
    return result


def record(call: Call, result: Mapping[str, Any] | errors.ServiceError) -> CallRecord:
    """Add a call to the log, and notify the watchers."""
    backend = call.backend
    event = backend.call_log.record(call, result, backend.request_context)
    if call.started:
        notify(watchers.called, backend, event, RealTime.seconds() - call.started)
    return event


# --- helpers --------------------------------------------------------------------------------


def _note_plaintext(
    backend: Backend, member: str, answer: dict[str, Any], event: CallRecord
) -> None:
    """Note the plaintext in a response to a client, and notify the watchers.

    Afterwards it is plain bytes, as the client gets it.
    """
    plaintext: SecretBytes | None = answer.get(member)
    if not plaintext:  # encrypted for the recipient in the request
        return
    backend.secrets.note({member: plaintext}, event)
    if watchers.handed_out:
        notify(watchers.handed_out, backend, event, {member: plaintext})
    answer[member] = bytes(plaintext)
