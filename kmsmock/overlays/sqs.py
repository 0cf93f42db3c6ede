"""Messages of Amazon SQS in queues that are encrypted with a key of KMS.

Source: Amazon SQS Developer Guide, "Encryption at rest in Amazon SQS" and "Amazon SQS Key
management".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import urlsplit

from kmsmock.backend import Backend
from kmsmock.errors import ServiceError
from kmsmock.services.beside import BesideStore, Steps
from kmsmock.services.data_key_cache import DataKey, DataKeyCache, requester_of
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.kms_errors import CodedError, ErrorTemplate, translate_error
from kmsmock.services.registry import ServiceCall

T = TypeVar("T")

_KEY, _REUSE, _OWNED = "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled"
_DEFAULT_REUSE = "300"
#: In seconds.
_REUSES = range(60, 86_401)


@dataclass(slots=True)
class Queues:
    """Queues by ARN, with the attributes that tell of their encryption, shown as SQS shows them.

    data_keys: the id of a message -> what it is encrypted with, wherever it is moved; None for one
    that could not be encrypted, and so never came. delivered: of messages from services the same,
    by the ARN of the queue and what names the message.
    """

    attributes: dict[str, dict[str, str]] = field(default_factory=dict)
    data_keys: dict[str, DataKey | None] = field(default_factory=dict)
    delivered: dict[tuple[str, str], DataKey | None] = field(default_factory=dict)
    cache: DataKeyCache = field(default_factory=DataKeyCache)


def _create(call: ServiceCall) -> Steps:
    given = call.parameters.get("Attributes", {})
    _require_good(given)
    answer = yield
    _set(call, _arn(answer["QueueUrl"], call), given)


def _set_attributes(call: ServiceCall) -> Steps:
    given = call.parameters["Attributes"]
    _require_good(given)
    yield
    _set(call, _arn(call.parameters["QueueUrl"], call), given)


def _delete(call: ServiceCall) -> Steps:
    yield
    held, arn = _queues(call), _arn(call.parameters["QueueUrl"], call)
    held.attributes.pop(arn, None)
    held.cache.forget(arn)


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


def _get_attributes(call: ServiceCall) -> Steps:
    answer = yield
    known = _queues(call).attributes.get(_arn(call.parameters["QueueUrl"], call))
    if known is None:
        return
    shown = answer.get("Attributes", {})
    if _OWNED in shown:
        shown[_OWNED] = known.get(_OWNED, shown[_OWNED])
    if known.get(_OWNED) == "true":
        for name in (_KEY, _REUSE):
            shown.pop(name, None)


def _receive(call: ServiceCall) -> Steps:
    answer = yield
    held, arn = _queues(call), _arn(call.parameters["QueueUrl"], call)
    messages = []
    for message in answer.get("Messages", ()):
        name = message["MessageId"]
        if name not in held.data_keys:
            places = (place for place in _places(arn, message["Body"]) if place in held.delivered)
            held.data_keys.update((name, held.delivered[place]) for place in islice(places, 1))
        data_key = held.data_keys.get(name)
        if data_key is not None:
            _open(_kms(call, data_key.of), data_key)
        if name not in held.data_keys or data_key is not None:
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
    key_id = key_of(backend, arn)
    if key_id is None:
        return
    try:
        data_key = _data_key_for(sender, arn, key_id)
    except ServiceError:
        data_key = None
    held.delivered.update(((arn, name), data_key) for name in names)


def key_of(backend: Backend, arn: str) -> str | None:
    """Give the ARN of the key or alias that a queue is encrypted with; None without any.

    Services name it so, since they have no account.
    """
    key_id = backend.service_state(Queues).attributes.get(arn, {}).get(_KEY)
    if not key_id or key_id.startswith("arn:"):
        return key_id or None
    _, partition, _, region, account, _ = arn.split(":")
    resource = key_id if key_id.startswith("alias/") else f"key/{key_id}"
    return f"arn:{partition}:kms:{region}:{account}:{resource}"


def make_data_key(kms: KmsCaller, arn: str, key_id: str) -> DataKey:
    """Make a data key for a queue, and open it once to see that it is whole.

    arn: of the queue. Raises the errors of KMS.
    """
    made = kms.call(
        "GenerateDataKey", KeyId=key_id, KeySpec="AES_256", EncryptionContext=_context(arn)
    )
    data_key = DataKey(arn, made["KeyId"], made["CiphertextBlob"])
    _decrypt(kms, data_key)
    return data_key


def _data_key(call: ServiceCall) -> DataKey | None:
    arn = _arn(call.parameters["QueueUrl"], call)
    key_id = _queues(call).attributes.get(arn, {}).get(_KEY)
    return _data_key_for(_kms(call, arn), arn, key_id) if key_id else None


def _data_key_for(kms: KmsCaller, arn: str, key_id: str) -> DataKey:
    """Give a data key for a new message: one that is at hand, or else a new one."""
    return _cached(
        kms, arn, (key_id, kms.principal.source_arn), lambda: make_data_key(kms, arn, key_id)
    )


def _open(kms: KmsCaller, data_key: DataKey) -> None:
    """Open the data key of a message.

    As AWS counts, a consumer calls KMS once in the reuse period, however many producers there are.
    Source: Amazon SQS Developer Guide, "Estimating AWS KMS costs".
    """
    what = ("received", data_key.key_arn)
    _cached(kms, data_key.of, what, lambda: _decrypt(kms, data_key))


def _cached(kms: KmsCaller, arn: str, what: Hashable, ask: Callable[[], T]) -> T:
    held, now = kms.backend.service_state(Queues), kms.backend.clock.now()
    seconds = int(held.attributes.get(arn, {}).get(_REUSE, _DEFAULT_REUSE))
    time = timedelta(seconds=seconds)
    requester = requester_of(kms.backend.identities, kms.principal)
    return held.cache.get(requester, arn, what, now, time, ask)


def _decrypt(kms: KmsCaller, data_key: DataKey) -> None:
    kms.call("Decrypt", CiphertextBlob=data_key.ciphertext, EncryptionContext=_context(data_key.of))


def _set(call: ServiceCall, arn: str, given: Mapping[str, str]) -> None:
    known = _queues(call).attributes.setdefault(arn, {})
    known.update((name, given[name]) for name in (_KEY, _REUSE, _OWNED) if name in given)
    if given.get(_KEY):
        known[_OWNED] = "false"
    elif given.get(_OWNED) == "true":
        known.pop(_KEY, None)


def _require_good(given: Mapping[str, str]) -> None:
    """Require one kind of encryption, and a period that can be.

    Source: Amazon SQS API Reference, SetQueueAttributes.
    """
    if given.get(_KEY) and given.get(_OWNED) == "true":
        raise CodedError(
            "InvalidAttributeName",
            "You can use one type of server-side encryption (SSE) at one time. You can either "
            "enable KMS SSE or SQS SSE.",
        )
    reuse = given.get(_REUSE)
    if reuse is not None and not (reuse.isdecimal() and int(reuse) in _REUSES):
        raise CodedError(
            "InvalidAttributeValue",
            f"Invalid value for the parameter {_REUSE}.",
            explanation=f"It takes {_REUSES[0]} to {_REUSES[-1]} seconds.",
        )


def _failed(call: ServiceCall, entry: Mapping[str, Any], error: ServiceError) -> dict[str, Any]:
    refusal = translate_error(error, call, BESIDE.errors)
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


def _context(arn: str) -> dict[str, str]:
    return {"aws:sqs:arn": arn}


def _kms(call: ServiceCall, arn: str) -> KmsCaller:
    return KmsCaller.forwarded(call, "sqs", arn.split(":")[3])


BESIDE = BesideStore(
    {
        "CreateQueue": _create,
        "SetQueueAttributes": _set_attributes,
        "GetQueueAttributes": _get_attributes,
        "DeleteQueue": _delete,
        "SendMessage": _send,
        "SendMessageBatch": _send_batch,
        "ReceiveMessage": _receive,
    },
    {
        "AccessDeniedException": ErrorTemplate(
            "KmsAccessDenied", query_code="KMS.AccessDeniedException"
        ),
        "DisabledException": ErrorTemplate("KmsDisabled", query_code="KMS.DisabledException"),
        "InvalidKeyUsageException": ErrorTemplate(
            "KmsInvalidKeyUsage", query_code="KMS.InvalidKeyUsageException"
        ),
        "NotFoundException": ErrorTemplate("KmsNotFound", query_code="KMS.NotFoundException"),
        "OptInRequired": ErrorTemplate(
            "KmsOptInRequired", status=403, query_code="KMS.OptInRequired"
        ),
        "ThrottlingException": ErrorTemplate("KmsThrottled", query_code="KMS.ThrottlingException"),
        "*": ErrorTemplate("KmsInvalidState", query_code="KMS.InvalidStateException"),
    },
)
