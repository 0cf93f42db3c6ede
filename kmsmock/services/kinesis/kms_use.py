"""What Kinesis Data Streams does with KMS, with the identity of producers and consumers.

Source: Amazon Kinesis Data Streams Developer Guide, "What is server-side encryption for Kinesis
Data Streams?".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from datetime import timedelta
from functools import partial
from typing import TypeVar

from kmsmock.aws.errors import DisabledException, InvalidKeyUsageException, KMSInvalidStateException
from kmsmock.services.data_key_cache import DataKey, requester_of
from kmsmock.services.kinesis.state import context_of, streams_of
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.kms_errors import ErrorTemplate, ErrorTemplates
from kmsmock.services.registry import ServiceCall

T = TypeVar("T")

#: How long a data key is reused for a producer or consumer before KMS is called again.
_DATA_KEY_LIFETIME = timedelta(minutes=5)
ERRORS: ErrorTemplates = {
    "AccessDeniedException": ErrorTemplate("KMSAccessDeniedException"),
    "DisabledException": ErrorTemplate("KMSDisabledException"),
    "NotFoundException": ErrorTemplate("KMSNotFoundException"),
    "OptInRequired": ErrorTemplate("KMSOptInRequired"),
    "ThrottlingException": ErrorTemplate("KMSThrottlingException"),
    "*": ErrorTemplate("KMSInvalidStateException"),
}


def require_usable_key(call: ServiceCall, arn: str, key_id: str) -> None:
    """Require an enabled symmetric encryption key.

    arn: of the stream, in whose account an id or alias names a key. Raises the errors of KMS.
    """
    kms = _kms(call)
    key = kms.call("DescribeKey", KeyId=kms.name_key(key_id, arn))["KeyMetadata"]
    arn, state = key["Arn"], key["KeyState"]
    if key["KeySpec"] != "SYMMETRIC_DEFAULT":
        raise InvalidKeyUsageException(
            f"{arn} is not a symmetric encryption key.",
            explanation=f"Its key spec is {key['KeySpec']}; Kinesis takes SYMMETRIC_DEFAULT.",
        )
    if state != "Enabled":
        kind = DisabledException if state == "Disabled" else KMSInvalidStateException
        raise kind(f"{arn} is {re.sub('(?<=[a-z])(?=[A-Z])', ' ', state).lower()}.")


def data_key_for_records(call: ServiceCall, arn: str, key_id: str) -> DataKey:
    """Return a data key for records of a producer: one within its lifetime, or else a new one.

    arn: of the stream. Raises the errors of KMS.
    """
    return _reuse(call, arn, key_id, partial(_generate_data_key, call, arn, key_id))


def decrypt_for_consumer(call: ServiceCall, data_key: DataKey) -> None:
    """Decrypt the data key of a record, unless it is cached for the consumer.

    Raises the errors of KMS.
    """
    purpose = ("read", data_key.key_arn)
    _reuse(call, data_key.resource_arn, purpose, partial(_decrypt_data_key, call, data_key))


def _reuse(call: ServiceCall, arn: str, purpose: Hashable, call_kms: Callable[[], T]) -> T:
    """Return KMS's answer for a stream: the one within its lifetime, or else a new one.

    arn: of the stream. purpose, call_kms: see `DataKeyCache.get`.
    """
    requester = requester_of(call.identities, call.principal)
    cache = streams_of(call).cache
    return cache.get(requester, arn, purpose, call.now, _DATA_KEY_LIFETIME, call_kms)


def _generate_data_key(call: ServiceCall, arn: str, key_id: str) -> DataKey:
    kms = _kms(call)
    answer = kms.call(
        "GenerateDataKey",
        KeyId=kms.name_key(key_id, arn),
        KeySpec="AES_256",
        EncryptionContext=context_of(arn),
    )
    return DataKey(arn, answer["KeyId"], answer["CiphertextBlob"])


def _decrypt_data_key(call: ServiceCall, data_key: DataKey) -> None:
    context = context_of(data_key.resource_arn)
    _kms(call).call("Decrypt", CiphertextBlob=data_key.ciphertext, EncryptionContext=context)


def _kms(call: ServiceCall) -> KmsCaller:
    return KmsCaller.forwarded(call, "kinesis")
