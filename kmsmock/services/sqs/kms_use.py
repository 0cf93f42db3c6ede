"""What SQS does with KMS, with the identity of who sends, delivers or receives a message.

Source: Amazon SQS Developer Guide, "Encryption at rest in Amazon SQS" and "Amazon SQS Key
management".
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from datetime import timedelta
from functools import partial
from typing import TypeVar

from kmsmock.aws.arns import ALIAS_PREFIX, Arn, alias_arn, key_arn, looks_like_arn
from kmsmock.aws.errors import ServiceError
from kmsmock.services.data_key_cache import DataKey, requester_of
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.kms_errors import ErrorTemplate, ErrorTemplates
from kmsmock.services.registry import ServiceCall
from kmsmock.services.sqs.state import KEY, REUSE_PERIOD, Queues
from kmsmock.state.backend import Backend

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


def key_of(backend: Backend, arn: str) -> str | None:
    """Return the ARN of the key or alias that a queue is encrypted with; None without any.

    Services name it so, since they have no account.
    """
    key_id = backend.service_state(Queues).attributes.get(arn, {}).get(KEY)
    if not key_id or looks_like_arn(key_id):
        return key_id or None
    queue = Arn.of(arn)
    arn_of = alias_arn if key_id.startswith(ALIAS_PREFIX) else key_arn
    return arn_of(queue.region, queue.account, key_id)


def as_caller(call: ServiceCall, arn: str) -> KmsCaller:
    """Call KMS with the identity of the caller, in the Region of a queue. arn: of the queue."""
    return KmsCaller.forwarded(call, "sqs", Arn.of(arn).region)


def generate_data_key(kms: KmsCaller, arn: str, key_id: str) -> DataKey:
    """Generate a data key for a queue, and decrypt it once to verify it.

    arn: of the queue. Raises the errors of KMS.
    """
    answer = kms.call(
        "GenerateDataKey", KeyId=key_id, KeySpec="AES_256", EncryptionContext=_context(arn)
    )
    data_key = DataKey(arn, answer["KeyId"], answer["CiphertextBlob"])
    _decrypt_data_key(kms, data_key)
    return data_key


def data_key_for_message(kms: KmsCaller, arn: str, key_id: str) -> DataKey:
    """Return a data key for a new message: one within its reuse period, or else a new one."""
    what = (key_id, kms.principal.source_arn)
    return _reuse(kms, arn, what, partial(generate_data_key, kms, arn, key_id))


def decrypt_for_consumer(kms: KmsCaller, data_key: DataKey) -> None:
    """Decrypt the data key of a message.

    As AWS counts, a consumer calls KMS once in the reuse period, however many producers there are.
    Source: Amazon SQS Developer Guide, "Estimating AWS KMS costs".
    """
    what = ("received", data_key.key_arn)
    _reuse(kms, data_key.resource_arn, what, partial(_decrypt_data_key, kms, data_key))


def encrypt_delivery(backend: Backend, arn: str, sender: KmsCaller, names: Iterable[str]) -> None:
    """Encrypt a message that a service delivers to a queue, in the service's own name.

    names: what tells the message: its id, or the whole of it. Where KMS refuses, the message does
    not come, and nobody is told, as on AWS.
    Source: Amazon SQS Developer Guide, "Configure KMS permissions for AWS services".
    """
    state = backend.service_state(Queues)
    key_id = key_of(backend, arn)
    if key_id is None:
        return
    try:
        data_key = data_key_for_message(sender, arn, key_id)
    except ServiceError:
        data_key = None
    state.delivered.update(((arn, name), data_key) for name in names)


def _reuse(kms: KmsCaller, arn: str, what: Hashable, ask_kms: Callable[[], T]) -> T:
    state, now = kms.backend.service_state(Queues), kms.backend.clock.now()
    seconds = int(state.attributes.get(arn, {}).get(REUSE_PERIOD, _DEFAULT_REUSE_SECONDS))
    requester = requester_of(kms.backend.identities, kms.principal)
    return state.cache.get(requester, arn, what, now, timedelta(seconds=seconds), ask_kms)


def _decrypt_data_key(kms: KmsCaller, data_key: DataKey) -> None:
    kms.call(
        "Decrypt",
        CiphertextBlob=data_key.ciphertext,
        EncryptionContext=_context(data_key.resource_arn),
    )


def _context(arn: str) -> dict[str, str]:
    return {"aws:sqs:arn": arn}
