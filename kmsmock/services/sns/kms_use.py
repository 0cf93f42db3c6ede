"""What SNS does with KMS: with the identity of publishers, and as SNS itself for queues.

Source: Amazon SNS Developer Guide, "Managing Amazon SNS encryption keys and costs".
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from functools import partial

from kmsmock.aws.arns import Arn
from kmsmock.services.data_key_cache import requester_of
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.kms_errors import ErrorTemplate, ErrorTemplates
from kmsmock.services.registry import ServiceCall
from kmsmock.services.sns.state import list_queues, topics_of
from kmsmock.services.sqs.kms_use import encrypt_delivery

_SERVICE = "sns.amazonaws.com"
#: How long SNS reuses a data key.
_DATA_KEY_LIFETIME = timedelta(minutes=5)
ERRORS: ErrorTemplates = {
    "AccessDeniedException": ErrorTemplate("KMSAccessDenied"),
    "DisabledException": ErrorTemplate("KMSDisabled"),
    "NotFoundException": ErrorTemplate("KMSNotFound"),
    "OptInRequired": ErrorTemplate("KMSOptInRequired", status=403),
    "ThrottlingException": ErrorTemplate("KMSThrottling"),
    "*": ErrorTemplate("KMSInvalidState"),
}


def require_data_key(call: ServiceCall, arn: str, key_id: str) -> None:
    """Require a data key for messages to a topic: one within its lifetime, or else a new one.

    arn: of the topic. key_id: as in the attribute KmsMasterKeyId; an id or alias names a key in the
    account of the topic. Raises the errors of KMS.
    """
    topics_of(call).cache.get(
        requester_of(call.identities, call.principal),
        arn,
        key_id,
        call.now,
        _DATA_KEY_LIFETIME,
        partial(_generate_data_key, call, arn, key_id),
    )


def encrypt_deliveries(
    call: ServiceCall, topic: str | None, messages: Iterable[tuple[str, str]]
) -> None:
    """Encrypt messages for the encrypted queues that are subscribed to a topic, as SNS itself.

    topic: its ARN. messages: the id and the text of each.
    """
    for queue in () if topic is None else list_queues(call, topic):
        region = Arn.of(queue).region
        kms = KmsCaller.as_service(call.backend, _SERVICE, region, source_arn=topic)
        for message in messages:
            encrypt_delivery(call, queue, kms, message)


def _generate_data_key(call: ServiceCall, arn: str, key_id: str) -> None:
    """Generate a data key, and decrypt it to verify it."""
    kms = KmsCaller.forwarded(call, "sns", Arn.of(arn).region)
    context = {"aws:sns:topicArn": arn}
    answer = kms.call(
        "GenerateDataKey",
        KeyId=kms.name_key(key_id, arn),
        KeySpec="AES_256",
        EncryptionContext=context,
    )
    kms.call("Decrypt", CiphertextBlob=answer["CiphertextBlob"], EncryptionContext=context)
