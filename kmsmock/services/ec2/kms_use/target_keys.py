"""The target key of a new resource, with which it will be encrypted.

Source: Amazon EC2 API Reference, CopySnapshot, ModifyEbsDefaultKmsKeyId.
"""

from __future__ import annotations

from datetime import datetime

from kmsmock.aws.errors import AccessDeniedException, ServiceError
from kmsmock.services.ec2.errors import (
    AuthFailure,
    InternalError,
    InvalidParameterDependency,
    InvalidParameterValue,
)
from kmsmock.services.ec2.kms_use.kms_calls import as_caller
from kmsmock.services.ec2.kms_use.resources import EncryptedResource
from kmsmock.services.ec2.kms_use.state import settings_for
from kmsmock.services.registry import ServiceCall
from kmsmock.services.storage_keys import KeyUnusableError


def require_encrypted(call: ServiceCall) -> None:
    """Require that a request with a key also asks for encryption."""
    asked, key = call.parameters.get("Encrypted"), call.parameters.get("KmsKeyId")
    if key and not asked and not settings_for(call).encrypts_by_default:
        raise InvalidParameterDependency(
            "The parameter [KmsKeyId] requires the parameter Encrypted to be set.",
            explanation="Pass Encrypted=True in the same call.",
        )


def is_to_be_encrypted(call: ServiceCall, source: EncryptedResource | None) -> bool:
    """Return whether a new resource is to be encrypted. source: from which it is created."""
    # The copy of an encrypted snapshot is encrypted, also with Encrypted=False.
    return bool(
        (source is not None and source.is_encrypted)
        or call.parameters.get("Encrypted")
        or settings_for(call).encrypts_by_default
    )


def describe_target_key(call: ServiceCall, key: str, now: datetime | None = None) -> str:
    """Describe the target key of a new resource; return its ARN.

    key: as the caller names it. Raises AuthFailure when the caller may not call DescribeKey,
    InvalidParameterValue when it cannot be used.
    """
    try:
        answer = as_caller(call, call.region).call("DescribeKey", now, KeyId=key)
    except AccessDeniedException as error:
        raise AuthFailure(
            f"Not authorized to use key {key} ",
            explanation=str(KeyUnusableError("DescribeKey", error)),
        ) from None
    except ServiceError as error:
        reason = str(KeyUnusableError("DescribeKey", error))
        if error.status >= 500:
            raise InternalError("An internal error has occurred", explanation=reason) from None
        raise InvalidParameterValue(
            f"The specified keyId {key} is invalid", explanation=reason
        ) from None
    metadata = answer["KeyMetadata"]
    if metadata["KeyState"] == "Disabled":
        raise InvalidParameterValue(f"The specified keyId {key} is disabled")
    if metadata["KeyState"] != "Enabled" or metadata["KeySpec"] != "SYMMETRIC_DEFAULT":
        raise InvalidParameterValue(
            f"The specified keyId {key} is invalid",
            explanation=f"It is a {metadata['KeySpec']} key in state {metadata['KeyState']}; EBS "
            "needs an enabled symmetric encryption key.",
        )
    arn: str = metadata["Arn"]
    return arn


def resolve_key(call: ServiceCall, key: str) -> str:
    """Return the ARN of a key, if the caller may know it; otherwise what the caller says."""
    try:
        answer = as_caller(call, call.region).call("DescribeKey", KeyId=key)
    except ServiceError:
        return key
    arn: str = answer["KeyMetadata"]["Arn"]
    return arn
