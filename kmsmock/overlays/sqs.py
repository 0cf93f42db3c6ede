"""Messages of Amazon SQS in queues that are encrypted with a key of KMS.

Source: Amazon SQS Developer Guide, "Encryption at rest in Amazon SQS" and "Amazon SQS Key
management".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from kmsmock.backend import Backend
from kmsmock.errors import ServiceError
from kmsmock.overlays.at_hand import AtHand
from kmsmock.overlays.registry import Overlay, Refusal, Refused, Steps, refused
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.registry import ServiceCall

_KEY, _REUSE, _OWNED = "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled"
_DEFAULT_REUSE = "300"


@dataclass(slots=True)
class Queues:
    """Queues with a key of KMS, by ARN, with the attributes that tell of it.

    data_keys: the id of a message -> the ciphertext of the data key that it is encrypted with.
    delivered: of messages from services the same, by the ARN of the queue and what names the
    message; None for those that could not be encrypted, and so never came.
    """

    attributes: dict[str, dict[str, str]] = field(default_factory=dict)
    data_keys: dict[str, bytes] = field(default_factory=dict)
    delivered: dict[tuple[str, str], bytes | None] = field(default_factory=dict)
    at_hand: AtHand = field(default_factory=AtHand)


def _create(call: ServiceCall) -> Steps:
    given = call.parameters.get("Attributes", {})
    _require_one_kind(given)
    answer = yield
    _set(call, _arn(answer["QueueUrl"], call), given)


def _set_attributes(call: ServiceCall) -> Steps:
    given = call.parameters["Attributes"]
    _require_one_kind(given)
    yield
    _set(call, _arn(call.parameters["QueueUrl"], call), given)


def _delete(call: ServiceCall) -> Steps:
    yield
    _queues(call).attributes.pop(_arn(call.parameters["QueueUrl"], call), None)


def _send(call: ServiceCall) -> Steps:
    data_key = _data_key(call)
    answer = yield
    if data_key is not None:
        _queues(call).data_keys[answer["MessageId"]] = data_key


def _send_batch(call: ServiceCall) -> Steps:
    try:
        data_key = _data_key(call)
    except ServiceError as error:
        return {"Failed": [_failed(call, entry, error) for entry in call.parameters["Entries"]]}
    answer = yield
    if data_key is not None:
        made = (entry["MessageId"] for entry in answer.get("Successful", ()))
        _queues(call).data_keys.update(dict.fromkeys(made, data_key))
    return None


def _receive(call: ServiceCall) -> Steps:
    answer = yield
    held, arn = _queues(call), _arn(call.parameters["QueueUrl"], call)
    time, messages = _reuse(held.attributes.get(arn, {})), []
    for message in answer.get("Messages", ()):
        data_key = held.data_keys.get(message["MessageId"])
        if data_key is None:
            place = next((p for p in _places(arn, message["Body"]) if p in held.delivered), None)
            if place is not None:
                data_key = held.delivered[place]
                if data_key is None:
                    continue
        if data_key is not None:
            _open(_kms(call, arn), arn, data_key, time, "received")
        messages.append(message)
    if messages:
        answer["Messages"] = messages
    else:
        answer.pop("Messages", None)


def _places(arn: str, body: str) -> Iterator[tuple[str, str]]:
    """Tell under what a message from a service may be known: its id in there, or all of it."""
    with suppress(ValueError):
        notification = json.loads(body)
        if isinstance(notification, dict):
            yield arn, str(notification.get("MessageId"))
    yield arn, body


def deliver(backend: Backend, arn: str, sender: KmsCaller, names: Iterable[str]) -> None:
    """Encrypt a message that a service delivers to a queue, in the service's own name.

    names: what tells the message: its id, or the whole of it. Where KMS refuses, the message does
    not come, and nobody is told, as on AWS.
    Source: Amazon SQS Developer Guide, "Configure KMS permissions for AWS services".
    """
    held = backend.service_state(Queues)
    if arn not in held.attributes:
        return
    try:
        data_key = _data_key_for(sender, arn, _full(held.attributes[arn][_KEY], arn))
    except ServiceError:
        data_key = None
    held.delivered.update(((arn, name), data_key) for name in names)


def _data_key(call: ServiceCall) -> bytes | None:
    arn = _arn(call.parameters["QueueUrl"], call)
    attributes = _queues(call).attributes.get(arn)
    return _data_key_for(_kms(call, arn), arn, attributes[_KEY]) if attributes else None


def _data_key_for(kms: KmsCaller, arn: str, key_id: str) -> bytes:
    """Give the ciphertext of a data key for a new message in an encrypted queue.

    A new one is made, and opened once to see that it is whole, when there is none to be used again.
    """
    held = kms.backend.service_state(Queues)
    time = _reuse(held.attributes[arn])

    def make() -> bytes:
        made = kms.call(
            "GenerateDataKey", KeyId=key_id, KeySpec="AES_256", EncryptionContext=_context(arn)
        )
        ciphertext: bytes = made["CiphertextBlob"]
        _open(kms, arn, ciphertext, time, "sent")
        return ciphertext

    now = kms.backend.clock.now()
    return held.at_hand.take(kms.principal.own_arn, now, (arn, key_id), time, make)


def _open(kms: KmsCaller, arn: str, data_key: bytes, time: timedelta, side: str) -> None:
    """Open a data key. side: what it is opened for; producers and consumers do not share theirs."""

    def ask() -> None:
        kms.call("Decrypt", CiphertextBlob=data_key, EncryptionContext=_context(arn))

    at_hand, now = kms.backend.service_state(Queues).at_hand, kms.backend.clock.now()
    at_hand.take(kms.principal.own_arn, now, (side, data_key), time, ask)


def _set(call: ServiceCall, arn: str, given: Mapping[str, str]) -> None:
    held = _queues(call).attributes
    attributes = {**held.get(arn, {}), **given}
    if given.get(_OWNED) == "true" or not attributes.get(_KEY):
        held.pop(arn, None)
    else:
        held[arn] = {name: attributes[name] for name in (_KEY, _REUSE) if name in attributes}


def _require_one_kind(given: Mapping[str, str]) -> None:
    if given.get(_KEY) and given.get(_OWNED) == "true":
        raise Refused(
            "InvalidAttributeName",
            "You can use one type of server-side encryption (SSE) at one time. You can either "
            "enable KMS SSE or SQS SSE.",
        )


def _reuse(attributes: Mapping[str, str]) -> timedelta:
    return timedelta(seconds=int(attributes.get(_REUSE, _DEFAULT_REUSE)))


def _failed(call: ServiceCall, entry: Mapping[str, Any], error: ServiceError) -> dict[str, Any]:
    refusal = refused(error, call, OVERLAY.refusals)
    return {
        "Id": entry["Id"],
        "SenderFault": True,
        "Code": getattr(refusal, "query_code", None) or refusal.code,
        "Message": refusal.message,
    }


def _queues(call: ServiceCall) -> Queues:
    return call.backend.service_state(Queues)


def _arn(url: str, call: ServiceCall) -> str:
    """Give the ARN of a queue by its URL, whose path is its account and name."""
    account, _, name = urlsplit(url).path.strip("/").rpartition("/")
    return f"arn:{call.partition}:sqs:{call.region}:{account or call.account}:{name}"


def _full(key_id: str, arn: str) -> str:
    """Give the ARN of a key or alias in the account of a queue: services have no account."""
    if key_id.startswith("arn:"):
        return key_id
    _, partition, _, region, account, _ = arn.split(":")
    resource = key_id if key_id.startswith("alias/") else f"key/{key_id}"
    return f"arn:{partition}:kms:{region}:{account}:{resource}"


def _context(arn: str) -> dict[str, str]:
    return {"aws:sqs:arn": arn}


def _kms(call: ServiceCall, arn: str) -> KmsCaller:
    return KmsCaller.forwarded(call, "sqs", "sqs.amazonaws.com", arn.split(":")[3])


OVERLAY = Overlay(
    {
        "CreateQueue": _create,
        "SetQueueAttributes": _set_attributes,
        "DeleteQueue": _delete,
        "SendMessage": _send,
        "SendMessageBatch": _send_batch,
        "ReceiveMessage": _receive,
    },
    {
        "AccessDeniedException": Refusal("KmsAccessDenied", query_code="KMS.AccessDeniedException"),
        "DisabledException": Refusal("KmsDisabled", query_code="KMS.DisabledException"),
        "InvalidKeyUsageException": Refusal(
            "KmsInvalidKeyUsage", query_code="KMS.InvalidKeyUsageException"
        ),
        "NotFoundException": Refusal("KmsNotFound", query_code="KMS.NotFoundException"),
        "ThrottlingException": Refusal("KmsThrottled", query_code="KMS.ThrottlingException"),
        "*": Refusal("KmsInvalidState", query_code="KMS.InvalidStateException"),
    },
)
