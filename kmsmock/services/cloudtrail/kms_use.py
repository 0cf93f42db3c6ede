"""What CloudTrail does with KMS when a trail gets a key for its log files.

Source: AWS CloudTrail User Guide, "Configure AWS KMS key policies for CloudTrail".
"""

from __future__ import annotations

from kmsmock.aws import arns
from kmsmock.aws.errors import ServiceError
from kmsmock.keys.key import Key
from kmsmock.services.cloudtrail import errors
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.registry import ServiceCall
from kmsmock.trail.configured_trails import ConfiguredTrail

_SERVICE = "cloudtrail.amazonaws.com"


def require_usable_key(call: ServiceCall, trail: ConfiguredTrail, bucket: str, key_id: str) -> str:
    """Require that CloudTrail may encrypt log files with a key; return the ARN of the key.

    CloudTrail describes the key and generates a data key, with its own identity. bucket: of the
    trail. key_id: id, ARN, alias name or alias ARN. Raises KmsKeyNotFoundException,
    InvalidKmsKeyIdException, InsufficientEncryptionPolicyException, KmsKeyDisabledException, and
    KmsException for other keys that cannot encrypt.
    """
    key = _find_key(call, key_id)
    kms = KmsCaller.as_service(call.backend, _SERVICE, call.region, source_arn=trail.arn)
    try:
        kms.call("DescribeKey", KeyId=key.arn)
        kms.call(
            "GenerateDataKey",
            KeyId=key.arn,
            KeySpec="AES_256",
            EncryptionContext={"aws:cloudtrail:arn": trail.arn},
        )
    except ServiceError as error:
        explanation = f"{error}\n{error.explanation or ''}".strip()
        if error.code == "AccessDeniedException":
            raise errors.InsufficientEncryptionPolicyException(
                f"Insufficient permissions to access S3 bucket {bucket} or KMS key {key.arn}.",
                explanation=explanation,
            ) from None
        is_disabled = error.code == "DisabledException"
        kind = errors.KmsKeyDisabledException if is_disabled else errors.KmsException
        raise kind(f"KMS key {key.arn} cannot be used.", explanation=explanation) from None
    return key.arn


def _find_key(call: ServiceCall, key_id: str) -> Key:
    arn = arns.Arn.parse(key_id)
    region, account, name = call.region, call.account, key_id
    if arn is not None:
        region, account, name = arn.region, arn.account, arn.key_or_alias or key_id
    elif arns.looks_like_arn(key_id):
        raise errors.InvalidKmsKeyIdException(f"Invalid KMS key ID: {key_id}")
    kms_region = call.backend.regions.get((account, region))
    key = None
    if kms_region is not None and region == call.region:
        key = kms_region.get(name)
    if key is None:
        raise errors.KmsKeyNotFoundException(
            f"KMS key {key_id} not found.",
            explanation="It must be in the Region of the trail and its bucket.",
        )
    return key
