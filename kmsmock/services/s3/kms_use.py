"""What S3 does with KMS for objects, with and without S3 Bucket Keys, and for notified queues.

Source: Amazon S3 User Guide, "Using server-side encryption with AWS KMS keys (SSE-KMS)" and
"Reducing the cost of SSE-KMS with Amazon S3 Bucket Keys".
"""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any

from kmsmock.aws.arns import Arn
from kmsmock.aws.coded_error import CodedError
from kmsmock.aws.errors import ServiceError
from kmsmock.services.data_key_cache import requester_of
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.kms_errors import ErrorTemplate, ErrorTemplates
from kmsmock.services.registry import ServiceCall
from kmsmock.services.s3.customer_keys import customer_key
from kmsmock.services.s3.state import (
    BUCKET_KEY_LIFETIME,
    CONTEXT_ARN,
    DSSE,
    KMS_ALGORITHMS,
    MANAGED_KEY,
    DefaultEncryption,
    Encryption,
    SseKms,
    SseS3,
    bucket_arn,
    buckets_of,
)
from kmsmock.services.s3.store import default_of, region_of
from kmsmock.services.sqs.kms_use import generate_data_key, key_of

_SERVICE = "s3.amazonaws.com"
ERRORS: ErrorTemplates = {
    "AccessDeniedException": ErrorTemplate("AccessDenied", "{text}", status=403),
    "*": ErrorTemplate("KMS.{code}", "{text}"),
}


def encrypt(call: ServiceCall, bucket: str, key: str) -> Encryption:
    """Encrypt a new object as requested, or else by the default encryption of its bucket.

    bucket: its name. key: the name of the object. Raises the errors of KMS, and S3's own for
    members that contradict each other.
    """
    parameters = call.parameters
    customer_key_of_request = customer_key(call)
    if customer_key_of_request is not None:
        return customer_key_of_request
    requested = _requested_encryption(call, bucket)
    if requested.algorithm not in KMS_ALGORITHMS:
        return SseS3()
    has_bucket_key = requested.has_bucket_key and requested.algorithm != DSSE
    _require_tls(call)
    requested_context = parameters.get("SSEKMSEncryptionContext")
    arn, region = bucket_arn(call, bucket), region_of(call, bucket)
    context = _encryption_context(requested_context, arn if has_bucket_key else f"{arn}/{key}")
    key_id = requested.key_id or MANAGED_KEY
    generate = partial(
        KmsCaller.forwarded(call, "s3", region).call,
        "GenerateDataKey",
        KeyId=key_id,
        KeySpec="AES_256",
        EncryptionContext=context,
    )
    if has_bucket_key:
        data_key = _reuse(call, arn, (key_id, tuple(sorted(context.items()))), generate)
    else:
        data_key = generate()
    return SseKms(
        requested.algorithm,
        data_key["KeyId"],
        context,
        data_key["CiphertextBlob"],
        has_bucket_key,
        region,
        requested_context,
    )


def decrypt_data_key(call: ServiceCall, encryption: Encryption) -> None:
    """Decrypt the data key of an object with SSE-KMS; do nothing for others.

    Raises the errors of KMS.
    """
    if not isinstance(encryption, SseKms):
        return
    _require_tls(call)
    decrypt = partial(
        KmsCaller.forwarded(call, "s3", encryption.region).call,
        "Decrypt",
        CiphertextBlob=encryption.data_key,
        EncryptionContext=dict(encryption.context),
    )
    if encryption.has_bucket_key:
        _reuse(call, encryption.context[CONTEXT_ARN], encryption.data_key, decrypt)
    else:
        decrypt()


def _require_tls(call: ServiceCall) -> None:
    """Require that TLS protects a request for an object with SSE-KMS. Raises InvalidArgument.

    Source: Amazon S3 User Guide, "Using server-side encryption with AWS KMS keys (SSE-KMS)".
    """
    if not call.is_secure:
        raise CodedError(
            "InvalidArgument",
            "Requests specifying Server Side Encryption with AWS KMS managed keys must be made "
            "over a secure connection.",
            explanation="The endpoint of the client is http://: create it without use_ssl=False.",
        )


def _reuse(call: ServiceCall, bucket: str, purpose: Hashable, call_kms: Callable[[], Any]) -> Any:
    """Return KMS's answer for a bucket key: the one of its lifetime, or else a new one.

    bucket: its ARN. purpose, call_kms: see `DataKeyCache.get`.
    """
    requester = requester_of(call.identities, call.principal)
    cache = buckets_of(call).bucket_keys
    return cache.get(requester, bucket, purpose, call.now, BUCKET_KEY_LIFETIME, call_kms)


def require_usable_queue_key(call: ServiceCall, queue: str) -> None:
    """Require that S3 may encrypt messages for a queue, as S3 does by sending a test message.

    queue: its ARN. Raises InvalidArgument.
    Source: Amazon S3 User Guide, "Granting permissions to publish event notification messages to a
    destination".
    """
    key_id = key_of(call, queue)
    if key_id is None:
        return
    kms = KmsCaller.as_service(
        call.backend,
        _SERVICE,
        Arn.of(queue).region,
        source_arn=bucket_arn(call, call.parameters["Bucket"]),
        source_account=call.account,
    )
    try:
        generate_data_key(kms, queue, key_id)
    except ServiceError as error:
        raise CodedError(
            "InvalidArgument",
            "Unable to validate the following destination configurations",
            explanation=f"S3 cannot encrypt messages for {queue}. {error}\n"
            f"{error.explanation or ''}".strip(),
        ) from None


def _requested_encryption(call: ServiceCall, bucket: str) -> DefaultEncryption:
    parameters = call.parameters
    default = default_of(call, bucket)
    algorithm = parameters.get("ServerSideEncryption")
    key_id = parameters.get("SSEKMSKeyId")
    if key_id is not None and algorithm not in KMS_ALGORITHMS:
        raise CodedError(
            "InvalidArgument",
            "Server Side Encryption with AWS KMS managed key requires HTTP header "
            "x-amz-server-side-encryption : aws:kms",
        )
    has_bucket_key = parameters.get("BucketKeyEnabled", default.has_bucket_key)
    if algorithm is None:
        return default._replace(has_bucket_key=has_bucket_key)
    return DefaultEncryption(algorithm, key_id, has_bucket_key)


def _encryption_context(requested_context: str | None, arn: str) -> dict[str, str]:
    """Return the encryption context of a data key: the requested pairs, and the ARN.

    requested_context: as in the request, base64 of JSON. arn: of the object, or of the bucket for
    an S3 Bucket Key. Raises InvalidArgument.
    """
    if requested_context is None:
        return {CONTEXT_ARN: arn}
    try:
        pairs = json.loads(b64decode(requested_context, validate=True))
    except (NotBase64, ValueError):
        pairs = None
    if not isinstance(pairs, dict) or not all(isinstance(value, str) for value in pairs.values()):
        raise CodedError(
            "InvalidArgument",
            "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 "
            "string holding JSON which represents a string-string map",
        )
    if pairs.get(CONTEXT_ARN, arn) != arn:
        raise CodedError(
            "InvalidArgument",
            f"The encryption context has another value of {CONTEXT_ARN} than this object has.",
            explanation=f"S3 sets {CONTEXT_ARN} itself, here to {arn}: leave it out.",
        )
    return {**pairs, CONTEXT_ARN: arn}


def set_encryption_members(
    answer: dict[str, Any], encryption: Encryption, *, with_context: bool = False
) -> None:
    """Replace the members of an answer that describe how an object is encrypted.

    with_context: whether the answer has the encryption context too.
    """
    for name in ("ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled"):
        answer.pop(name, None)
    answer.update(encryption.response_members())
    if with_context and isinstance(encryption, SseKms) and encryption.requested_context is not None:
        answer["SSEKMSEncryptionContext"] = encryption.requested_context
