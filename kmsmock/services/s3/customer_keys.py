"""Keys that customers provide in requests (SSE-C), of which S3 keeps only the digest.

Source: Amazon S3 User Guide, "Using server-side encryption with customer-provided keys (SSE-C)".
"""

from __future__ import annotations

from kmsmock.aws.coded_error import CodedError
from kmsmock.services.registry import ServiceCall
from kmsmock.services.s3.state import Encryption, SseC

_STEM = "Requests specifying Server Side Encryption with Customer provided keys must provide "


def customer_key(call: ServiceCall, prefix: str = "") -> SseC | None:
    """Return the key that a request provides; None without one.

    prefix: of the members, ``CopySource`` for the key of the source of a copy. Raises
    InvalidArgument when one of the members is missing, and InvalidRequest without TLS.
    """
    parameters = call.parameters
    # botocore computes the digest of the key.
    algorithm = parameters.get(f"{prefix}SSECustomerAlgorithm")
    key_md5 = parameters.get(f"{prefix}SSECustomerKeyMD5")
    if algorithm is None and key_md5 is None:
        return None
    if not call.is_secure:
        raise CodedError(
            "InvalidRequest",
            "Requests specifying Server Side Encryption with Customer provided keys must be made "
            "over a secure connection.",
        )
    if key_md5 is None:
        raise CodedError("InvalidArgument", f"{_STEM}an appropriate secret key.")
    if algorithm != "AES256":
        raise CodedError("InvalidArgument", f"{_STEM}a valid encryption algorithm.")
    return SseC(key_md5)


def require_key_of_object(call: ServiceCall, encryption: Encryption, prefix: str = "") -> None:
    """Require that the request provides the key of an object with SSE-C, and no key for another.

    prefix: see `customer_key`. Raises InvalidRequest, and AccessDenied for another key.
    """
    sent_key = customer_key(call, prefix)
    if not isinstance(encryption, SseC):
        if sent_key is not None:
            raise CodedError(
                "InvalidRequest", "The encryption parameters are not applicable to this object."
            )
    elif sent_key is None:
        raise CodedError(
            "InvalidRequest",
            "The object was stored using a form of Server Side Encryption. The correct parameters "
            "must be provided to retrieve the object.",
        )
    elif sent_key != encryption:
        raise CodedError("AccessDenied", f"{_STEM}the correct secret key.", status=403)


def require_key_of_upload(call: ServiceCall, encryption: Encryption) -> None:
    """Require that the request for a part provides the key of its upload. Raises InvalidRequest."""
    sent_key = customer_key(call)
    if not isinstance(encryption, SseC):
        require_key_of_object(call, encryption)
    elif sent_key is None:
        raise CodedError(
            "InvalidRequest",
            "The multipart upload initiate requested encryption. Subsequent part requests must "
            "include the appropriate encryption parameters.",
        )
    elif sent_key != encryption:
        raise CodedError(
            "InvalidRequest",
            "The provided encryption parameters did not match the ones used originally.",
        )
