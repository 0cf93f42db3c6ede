"""SQS beside another store: messages are encrypted when sent, and decrypted when received."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from kmsmock.aws.coded_error import CodedError
from kmsmock.aws.errors import ServiceError
from kmsmock.services.beside import BesideStore, Steps
from kmsmock.services.data_key_cache import DataKey
from kmsmock.services.kms_errors import translate_error
from kmsmock.services.registry import ServiceCall
from kmsmock.services.sqs.kms_use import (
    ERRORS,
    as_caller,
    data_key_for_message,
    decrypt_for_consumer,
)
from kmsmock.services.sqs.state import (
    KEY,
    REUSE_PERIOD,
    SQS_MANAGED,
    get_attributes,
    queues_of,
)

#: The valid reuse periods, in seconds.
_REUSE_PERIODS = range(60, 86_401)


def _create_queue(call: ServiceCall) -> Steps:
    attributes = call.parameters.get("Attributes", {})
    _require_valid(attributes)
    answer = yield
    _set_attributes(call, _arn(answer["QueueUrl"], call), attributes)


def _set_queue_attributes(call: ServiceCall) -> Steps:
    attributes = call.parameters["Attributes"]
    _require_valid(attributes)
    arn = _arn(call.parameters["QueueUrl"], call)
    get_attributes(call, arn)
    yield
    _set_attributes(call, arn, attributes)


def _delete_queue(call: ServiceCall) -> Steps:
    yield
    queues_of(call.backend).remove(_arn(call.parameters["QueueUrl"], call))


def _send_message(call: ServiceCall) -> Steps:
    data_key = _data_key_to_send(call)
    answer = yield
    if data_key is not None:
        queues_of(call.backend).data_keys[answer["MessageId"]] = data_key


def _send_message_batch(call: ServiceCall) -> Steps:
    try:
        data_key = _data_key_to_send(call)
    except ServiceError as error:
        entries = call.parameters["Entries"]
        return {"Failed": [_failed_entry(call, entry, error) for entry in entries]}
    answer = yield
    if data_key is not None:
        sent = (entry["MessageId"] for entry in answer.get("Successful", ()))
        queues_of(call.backend).data_keys.update(dict.fromkeys(sent, data_key))
    return None


def _get_queue_attributes(call: ServiceCall) -> Steps:
    answer = yield
    stored = get_attributes(call, _arn(call.parameters["QueueUrl"], call))
    attributes = answer.get("Attributes", {})
    if SQS_MANAGED in attributes:
        attributes[SQS_MANAGED] = stored.get(SQS_MANAGED, attributes[SQS_MANAGED])
    if stored.get(SQS_MANAGED) == "true":
        for name in (KEY, REUSE_PERIOD):
            attributes.pop(name, None)


def _receive_message(call: ServiceCall) -> Steps:
    answer = yield
    state, arn = queues_of(call.backend), _arn(call.parameters["QueueUrl"], call)
    messages = []
    for message in answer.get("Messages", ()):
        message_id = message["MessageId"]
        if message_id not in state.data_keys:
            names = (n for n in _delivery_names(arn, message["Body"]) if n in state.delivered)
            state.data_keys.update((message_id, state.delivered[n]) for n in islice(names, 1))
        data_key = state.data_keys.get(message_id)
        if data_key is not None:
            decrypt_for_consumer(as_caller(call, data_key.resource_arn), data_key)
        if message_id not in state.data_keys or data_key is not None:
            messages.append(message)
    if messages:
        answer["Messages"] = messages
    else:
        answer.pop("Messages", None)


def _delivery_names(arn: str, body: str) -> Iterator[tuple[str, str]]:
    """Return the keys of `Queues.delivered` that a message may have: by its id, or its body.

    arn: of the queue.
    """
    with suppress(ValueError):
        notification = json.loads(body)
        if isinstance(notification, dict):
            yield arn, str(notification.get("MessageId"))
    yield arn, body


def _data_key_to_send(call: ServiceCall) -> DataKey | None:
    """Return a data key for a new message; None for a queue that is not encrypted with KMS."""
    arn = _arn(call.parameters["QueueUrl"], call)
    key_id = get_attributes(call, arn).get(KEY)
    return data_key_for_message(as_caller(call, arn), arn, key_id) if key_id else None


def _set_attributes(call: ServiceCall, arn: str, attributes: Mapping[str, str]) -> None:
    state = queues_of(call.backend)
    stored = state.attributes.setdefault(arn, {})
    names = (KEY, REUSE_PERIOD, SQS_MANAGED)
    stored.update((name, attributes[name]) for name in names if name in attributes)
    if attributes.get(KEY):
        state.replaced_keys.pop(arn, None)
        stored[SQS_MANAGED] = "false"
    elif attributes.get(SQS_MANAGED) == "true" and KEY in stored:
        state.replaced_keys[arn] = stored.pop(KEY)


def _require_valid(attributes: Mapping[str, str]) -> None:
    """Require at most one kind of encryption, and a valid reuse period.

    Source: Amazon SQS API Reference, SetQueueAttributes.
    """
    if attributes.get(KEY) and attributes.get(SQS_MANAGED) == "true":
        raise CodedError(
            "InvalidAttributeName",
            "You can use one type of server-side encryption (SSE) at one time. You can either "
            "enable KMS SSE or SQS SSE.",
        )
    period = attributes.get(REUSE_PERIOD)
    if period is not None and not (period.isdecimal() and int(period) in _REUSE_PERIODS):
        raise CodedError(
            "InvalidAttributeValue",
            f"Invalid value for the parameter {REUSE_PERIOD}.",
            explanation=f"It must be {_REUSE_PERIODS[0]} to {_REUSE_PERIODS[-1]} seconds.",
        )


def _failed_entry(
    call: ServiceCall, entry: Mapping[str, Any], error: ServiceError
) -> dict[str, Any]:
    translated = translate_error(error, call, ERRORS)
    return {
        "Id": entry["Id"],
        "SenderFault": True,
        "Code": getattr(translated, "query_code", None) or translated.code,
        "Message": translated.message,
    }


def _arn(url: str, call: ServiceCall) -> str:
    """Return the ARN of a queue. url: of the queue, whose path is its account and name."""
    try:
        path = urlsplit(url).path
    except ValueError:  # It is no URL, and the store decides what it names.
        path = url
    account, _, name = path.strip("/").rpartition("/")
    return call.arn("sqs", name, account=account or None)


BESIDE = BesideStore(
    {
        "CreateQueue": _create_queue,
        "SetQueueAttributes": _set_queue_attributes,
        "GetQueueAttributes": _get_queue_attributes,
        "DeleteQueue": _delete_queue,
        "SendMessage": _send_message,
        "SendMessageBatch": _send_message_batch,
        "ReceiveMessage": _receive_message,
    },
    ERRORS,
    data_operations=(
        *("SendMessage", "SendMessageBatch", "DeleteMessage", "DeleteMessageBatch"),
        *("ChangeMessageVisibility", "ChangeMessageVisibilityBatch"),
    ),
)
