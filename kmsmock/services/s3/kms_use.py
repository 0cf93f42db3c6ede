"""What S3 does with KMS for objects, with and without S3 Bucket Keys.

Source: Amazon S3 User Guide, "Using server-side encryption with AWS KMS keys (SSE-KMS)" and
"Reducing the cost of SSE-KMS with Amazon S3 Bucket Keys".
"""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import Error as NotBase64
from typing import Any

from kmsmock.services.data_key_cache import requester_of
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.kms_errors import CodedError, ErrorTemplate, ErrorTemplates
from kmsmock.services.registry import ServiceCall
from kmsmock.services.s3.customer_keys import customer_key
from kmsmock.services.s3.state import (
    BUCKET_KEY_LIFETIME,
    Default,
    Encryption,
    SseKms,
    SseS3,
    bucket_arn,
    buckets_of,
)

_MANAGED_KEY = "alias/aws/s3"
_DOUBLE = "aws:kms:dsse"
WITH_KMS = ("aws:kms", _DOUBLE)
_ARN = "aws:s3:arn"
ERRORS: ErrorTemplates = {
    "AccessDeniedException": ErrorTemplate("AccessDenied", "{text}", status=403),
    "*": ErrorTemplate("KMS.{code}", "{text}"),
}


def encrypt(call: ServiceCall, bucket: str, key: str) -> Encryption:
    """Encrypt a new object as the request asks for, or else as its bucket does.

    bucket: its name. Raises the errors of KMS, and S3's own for members that do not fit.
    """
    parameters = call.parameters
    customer_key_of_request = customer_key(parameters)
    if customer_key_of_request is not None:
        return customer_key_of_request
    requested = _requested(call, bucket)
    if requested.algorithm not in WITH_KMS:
        return SseS3()
    _require_signed(call)
    has_bucket_key = requested.has_bucket_key and requested.algorithm != _DOUBLE
    given_context = parameters.get("SSEKMSEncryptionContext")
    arn = bucket_arn(call, bucket)
    context = _context(given_context, arn if has_bucket_key else f"{arn}/{key}")
    key_id = requested.key_id or _MANAGED_KEY
    region = region_of(call, bucket)

    def generate() -> Any:
        return _kms(call, region).call(
            "GenerateDataKey", KeyId=key_id, KeySpec="AES_256", EncryptionContext=context
        )

    if has_bucket_key:
        what = (key_id, tuple(sorted(context.items())))
        made = buckets_of(call).bucket_keys.get(
            requester_of(call.identities, call.principal),
            arn,
            what,
            call.now,
            BUCKET_KEY_LIFETIME,
            generate,
        )
    else:
        made = generate()
    return SseKms(
        requested.algorithm,
        made["KeyId"],
        context,
        made["CiphertextBlob"],
        has_bucket_key,
        region,
        given_context,
    )


def decrypt_data_key(call: ServiceCall, encrypted: Encryption) -> None:
    """Open what is encrypted with KMS. Raises the errors of KMS."""
    if not isinstance(encrypted, SseKms):
        return
    _require_signed(call)

    def decrypt() -> Any:
        return _kms(call, encrypted.region).call(
            "Decrypt", CiphertextBlob=encrypted.data_key, EncryptionContext=dict(encrypted.context)
        )

    if encrypted.has_bucket_key:
        buckets_of(call).bucket_keys.get(
            requester_of(call.identities, call.principal),
            encrypted.context[_ARN],
            encrypted.data_key,
            call.now,
            BUCKET_KEY_LIFETIME,
            decrypt,
        )
    else:
        decrypt()


def region_of(call: ServiceCall, bucket: str) -> str:
    """Return the Region of a bucket: that of the client, for one that was stored before."""
    return buckets_of(call).regions.get(bucket, call.region)


def _requested(call: ServiceCall, bucket: str) -> Default:
    parameters = call.parameters
    default = buckets_of(call).defaults.get(bucket, Default())
    algorithm = parameters.get("ServerSideEncryption")
    key_id = parameters.get("SSEKMSKeyId")
    if key_id is not None and algorithm not in WITH_KMS:
        raise CodedError(
            "InvalidArgument",
            "Server Side Encryption with AWS KMS managed key requires HTTP header "
            "x-amz-server-side-encryption : aws:kms",
        )
    has_bucket_key = parameters.get("BucketKeyEnabled", default.has_bucket_key)
    if algorithm is None:
        return default._replace(has_bucket_key=has_bucket_key)
    return Default(algorithm, key_id, has_bucket_key)


def _context(given_context: str | None, arn: str) -> dict[str, str]:
    """Make the encryption context of a data key: the caller's pairs, and the ARN."""
    if given_context is None:
        return {_ARN: arn}
    try:
        pairs = json.loads(b64decode(given_context, validate=True))
    except (NotBase64, ValueError):
        pairs = None
    if not isinstance(pairs, dict) or not all(isinstance(value, str) for value in pairs.values()):
        raise CodedError(
            "InvalidArgument",
            "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 "
            "string holding JSON which represents a string-string map",
        )
    if pairs.get(_ARN, arn) != arn:
        raise CodedError(
            "InvalidArgument",
            f"The encryption context has another value of {_ARN} than this object has.",
            explanation=f"S3 sets {_ARN} itself, here to {arn}: leave it out.",
        )
    return {**pairs, _ARN: arn}


def _require_signed(call: ServiceCall) -> None:
    if call.access_key is None:
        raise CodedError(
            "InvalidArgument",
            "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS "
            "Signature Version 4.",
        )


def _kms(call: ServiceCall, region: str) -> KmsCaller:
    return KmsCaller.forwarded(call, "s3", region)


def show_encryption(
    answer: dict[str, Any], encryption: Encryption, *, with_context: bool = False
) -> None:
    """Tell in an answer how an object is encrypted."""
    for name in ("ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled"):
        answer.pop(name, None)
    answer.update(encryption.response_members())
    if with_context and isinstance(encryption, SseKms) and encryption.given_context is not None:
        answer["SSEKMSEncryptionContext"] = encryption.given_context
