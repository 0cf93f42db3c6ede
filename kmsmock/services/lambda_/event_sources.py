"""Event source mappings whose filter criteria are under a customer managed key, KMSKeyArn.

Source: AWS Lambda Developer Guide, "Control which events Lambda sends to your function", section
"Encryption of filter criteria", and "Data encryption at rest for AWS Lambda"; Lambda API Reference,
"EventSourceMappingConfiguration".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kmsmock.aws.errors import ServiceError
from kmsmock.services.beside import BesideHandler, Steps
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.kms_errors import ErrorTemplate, ErrorTemplates, translate_error
from kmsmock.services.lambda_.names import function_arn, qualifier_of, version_arn
from kmsmock.services.lambda_.state import EventSource, functions_of
from kmsmock.services.registry import ServiceCall
from kmsmock.services.store_reader import StoreReader
from kmsmock.services.unrecorded_data_keys import encrypt_data_key, find_key

#: The code is one of CreateEventSourceMapping; the message is like that of environment variables,
#: and not recorded.
_ERRORS: ErrorTemplates = {
    "*": ErrorTemplate(
        "InvalidParameterValueException",
        "Lambda was unable to encrypt your filter criteria because the KMS key is invalid for "
        "GenerateDataKey. Please check your KMS key settings. KMS Exception: {code} KMS Message: "
        "{text}",
    ),
}


def _create(call: ServiceCall) -> Steps:
    parameters = call.parameters
    function = version_arn(function_arn(call), qualifier_of(call))
    context = _context(function, parameters.get("EventSourceArn"))
    key_arn = parameters.get("KMSKeyArn") or None
    source = _encrypt(call, key_arn, context, parameters.get("FilterCriteria"))
    answer = yield
    functions_of(call).event_sources[answer["UUID"]] = source


def _update(call: ServiceCall) -> Steps:
    parameters, uuid = call.parameters, call.parameters["UUID"]
    _READER.refresh(call, _mapping_arn(call, uuid))
    sources = functions_of(call).event_sources
    old = sources.get(uuid)
    if old is None:
        yield  # The store cannot be asked, or does not have it.
        return
    context = dict(old.context)
    if "FunctionName" in parameters:
        context["aws:lambda:FunctionArn"] = version_arn(function_arn(call), qualifier_of(call))
    new = EventSource(parameters.get("KMSKeyArn", old.key_arn) or None, context, old.data_key)
    if "FilterCriteria" in parameters:
        new = _encrypt(call, new.key_arn, context, parameters["FilterCriteria"])
    elif old.has_criteria and (new.key_arn, new.context) != (old.key_arn, old.context):
        _decrypt(call, old)
        new = _encrypt(call, new.key_arn, context, {"Filters": ["those that it has"]})
    yield
    sources[uuid] = new


def _get(call: ServiceCall) -> Steps:
    answer = yield
    _keep(call, _mapping_arn(call, answer["UUID"]), answer)
    _show_criteria(call, answer)


def _delete(call: ServiceCall) -> Steps:
    answer = yield
    _keep(call, _mapping_arn(call, answer["UUID"]), answer)
    _show_criteria(call, answer)
    functions_of(call).event_sources.pop(answer["UUID"], None)


def _list(call: ServiceCall) -> Steps:  # noqa: ARG001 - one of a table
    """Remove filter criteria that are encrypted: only answers about one mapping have them."""
    answer = yield
    for mapping in answer.get("EventSourceMappings", ()):
        if mapping.get("KMSKeyArn"):
            mapping.pop("FilterCriteria", None)


def _show_criteria(call: ServiceCall, answer: dict[str, Any]) -> None:
    """Decrypt the filter criteria in an answer as the caller, or set the error of KMS instead."""
    source = functions_of(call).event_sources.get(answer["UUID"])
    if source is None or source.data_key is None or "FilterCriteria" not in answer:
        return
    try:
        _decrypt(call, source)
    except ServiceError as error:
        del answer["FilterCriteria"]
        message = error.message or "null"
        answer["FilterCriteriaError"] = {"ErrorCode": error.code, "Message": message}


def _encrypt(
    call: ServiceCall,
    key_arn: str | None,
    context: Mapping[str, str],
    criteria: Mapping[str, Any] | None,
) -> EventSource:
    """Generate the data key for filter criteria, as the caller; none is needed without a key.

    Raises InvalidParameterValueException.
    """
    has_criteria = bool(criteria and criteria.get("Filters"))
    if key_arn is None or not has_criteria:
        return EventSource(key_arn, context, None, has_criteria)
    try:
        answer = KmsCaller.forwarded(call, "lambda").call(
            "GenerateDataKey", KeyId=key_arn, NumberOfBytes=32, EncryptionContext=context
        )
    except ServiceError as error:
        raise translate_error(error, call, _ERRORS) from None
    return EventSource(key_arn, context, answer["CiphertextBlob"], has_criteria)


def _decrypt(call: ServiceCall, source: EventSource) -> None:
    """Decrypt filter criteria as the caller. Raises the errors of KMS."""
    if source.data_key is None:
        return
    kms = KmsCaller.forwarded(call, "lambda")
    kms.call("DescribeKey", KeyId=source.key_arn)
    kms.call("Decrypt", CiphertextBlob=source.data_key, EncryptionContext=source.context)


def _keep(call: ServiceCall, arn: str, answer: Mapping[str, Any]) -> None:
    """Record how a mapping is encrypted by the store's word, if that is not known.

    arn: of the mapping.
    """
    sources, uuid = functions_of(call).event_sources, arn.rpartition(":")[2]
    key_arn, known = answer.get("KMSKeyArn") or None, sources.get(uuid)
    has_criteria = bool(answer.get("FilterCriteria", {}).get("Filters"))
    if known is not None and (known.key_arn, known.has_criteria) == (key_arn, has_criteria):
        return
    context = _context(answer["FunctionArn"], answer.get("EventSourceArn"))
    data_key = None
    if key_arn is not None and has_criteria:
        key = find_key(call.backend, key_arn, call.account, call.region)
        data_key = None if key is None else encrypt_data_key(call.backend, key, context)
    sources[uuid] = EventSource(key_arn, context, data_key, has_criteria)


def _forget(call: ServiceCall, arn: str) -> None:
    functions_of(call).event_sources.pop(arn.rpartition(":")[2], None)


def _mapping_arn(call: ServiceCall, uuid: str) -> str:
    return call.arn("lambda", f"event-source-mapping:{uuid}")


def _context(function: str, source: str | None) -> dict[str, str]:
    """Return the encryption context. source: the ARN of the event source, None for self-managed."""
    context = {"aws:lambda:FunctionArn": function}
    if source is not None:
        context["aws:lambda:EventSourceArn"] = source
    return context


_READER = StoreReader(
    service="lambda",
    operation="GetEventSourceMapping",
    parameters=lambda arn: {"UUID": arn.rpartition(":")[2]},
    absent=("ResourceNotFoundException",),
    keep=_keep,
    forget=_forget,
)
OPERATIONS: Mapping[str, BesideHandler] = {
    "CreateEventSourceMapping": _create,
    "UpdateEventSourceMapping": _update,
    "GetEventSourceMapping": _get,
    "DeleteEventSourceMapping": _delete,
    "ListEventSourceMappings": _list,
}
