"""What SQS does with KMS, with the identity of the sender or receiver of a message.

Source: Amazon SQS Developer Guide, "Encryption at rest in Amazon SQS" and "Amazon SQS Key
management".
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from datetime import timedelta
from functools import partial
from typing import TypeVar

from kmsmock.aws.arns import Arn
from kmsmock.aws.errors import ServiceError
from kmsmock.services.data_key_cache import DataKey, requester_of
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.kms_errors import ErrorTemplate, ErrorTemplates
from kmsmock.services.registry import ServiceCall
from kmsmock.services.sqs.state import KEY, REUSE_PERIOD, get_attributes, queues_of

T = TypeVar("T")

_DEFAULT_REUSE_SECONDS = "300"
ERRORS: ErrorTemplates = {
    "AccessDeniedException": ErrorTemplate(
        "KmsAccessDenied", query_code="KMS.AccessDeniedException"
    ),
    "DisabledException": ErrorTemplate("KmsDisabled", query_code="KMS.DisabledException"),
    "InvalidKeyUsageException": ErrorTemplate(
        "KmsInvalidKeyUsage", query_code="KMS.InvalidKeyUsageException"
    ),
    "NotFoundException": ErrorTemplate("KmsNotFound", query_code="KMS.NotFoundException"),
    "OptInRequired": ErrorTemplate("KmsOptInRequired", status=403, query_code="KMS.OptInRequired"),
    "ThrottlingException": ErrorTemplate("KmsThrottled", query_code="KMS.ThrottlingException"),
    "*": ErrorTemplate("KmsInvalidState", query_code="KMS.InvalidStateException"),
}


def key_of(call: ServiceCall, arn: str) -> str | None:
    """Return the key that a queue is encrypted with, as its attribute has it; None without one."""
    return get_attributes(call, arn).get(KEY) or None


def as_caller(call: ServiceCall, arn: str) -> KmsCaller:
    """Return a caller of KMS with the identity of the caller of SQS. arn: of the queue."""
    return KmsCaller.forwarded(call, "sqs", Arn.of(arn).region)


def generate_data_key(kms: KmsCaller, arn: str, key_id: str) -> DataKey:
    """Generate a data key for a queue, and decrypt it to verify it.

    arn: of the queue, in whose account an id or alias names a key. Raises the errors of KMS.
    """
    answer = kms.call(
        "GenerateDataKey",
        KeyId=kms.name_key(key_id, arn),
        KeySpec="AES_256",
        EncryptionContext=_context(arn),
    )
    data_key = DataKey(arn, answer["KeyId"], answer["CiphertextBlob"])
    _decrypt_data_key(kms, data_key)
    return data_key


def data_key_for_message(kms: KmsCaller, arn: str, key_id: str) -> DataKey:
    """Return a data key for a new message: one within its reuse period, or else a new one.

    arn: of the queue. Raises the errors of KMS.
    """
    purpose = (key_id, kms.principal.source_arn)
    return _reuse(kms, arn, purpose, partial(generate_data_key, kms, arn, key_id))


def decrypt_for_consumer(kms: KmsCaller, data_key: DataKey) -> None:
    """Decrypt the data key of a message, unless it is cached for the consumer.

    By AWS's formula, a consumer calls KMS once in a reuse period, however many producers there are.
    Raises the errors of KMS.
    Source: Amazon SQS Developer Guide, "Estimating AWS KMS costs".
    """
    purpose = ("received", data_key.key_arn)
    _reuse(kms, data_key.resource_arn, purpose, partial(_decrypt_data_key, kms, data_key))


def encrypt_delivery(call: ServiceCall, arn: str, kms: KmsCaller, names: Iterable[str]) -> None:
    """Encrypt a message that a service delivers to a queue, with the service's own identity.

    arn: of the queue. kms: of the service. names: by which the message is known when it is
    received: its id in the body, and the whole body. When KMS refuses, the message is not
    delivered, without any error, as on AWS.
    Source: Amazon SQS Developer Guide, "Configure KMS permissions for AWS services".
    """
    state = queues_of(call.backend)
    key_id = key_of(call, arn)
    if key_id is None:
        return
    try:
        data_key = data_key_for_message(kms, arn, key_id)
    except ServiceError:
        data_key = None
    state.delivered.update(((arn, name), data_key) for name in names)


def _reuse(kms: KmsCaller, arn: str, purpose: Hashable, call_kms: Callable[[], T]) -> T:
    """Return KMS's answer for a queue: the one of its reuse period, or else a new one.

    arn: of the queue. purpose, call_kms: see `DataKeyCache.get`.
    """
    state, now = queues_of(kms.backend), kms.backend.clock.now()
    seconds = int(state.attributes.get(arn, {}).get(REUSE_PERIOD, _DEFAULT_REUSE_SECONDS))
    requester = requester_of(kms.backend.identities, kms.principal)
    return state.cache.get(requester, arn, purpose, now, timedelta(seconds=seconds), call_kms)


def _decrypt_data_key(kms: KmsCaller, data_key: DataKey) -> None:
    kms.call(
        "Decrypt",
        CiphertextBlob=data_key.ciphertext,
        EncryptionContext=_context(data_key.resource_arn),
    )


def _context(arn: str) -> dict[str, str]:
    return {"aws:sqs:arn": arn}
