"""The key that log files are encrypted with, as far as CreateTrail looks at it.

Source: AWS CloudTrail User Guide, "Configure AWS KMS key policies for CloudTrail".
"""

from __future__ import annotations

from kmsmock.aws import arns
from kmsmock.aws.errors import ServiceError
from kmsmock.keys.key import Key
from kmsmock.services.cloudtrail import errors
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.registry import ServiceCall
from kmsmock.trail.configured import ConfiguredTrail

_SERVICE = "cloudtrail.amazonaws.com"


def usable_key(call: ServiceCall, trail: ConfiguredTrail, bucket: str, key_id: str) -> str:
    """Return the ARN of a key that CloudTrail may encrypt log files with.

    CloudTrail looks at the key and makes a data key with it, in its own name. key_id: id, ARN,
    alias name or alias ARN. Raises KmsKeyNotFoundException, InvalidKmsKeyIdException,
    InsufficientEncryptionPolicyException, KmsKeyDisabledException, and KmsException for others that
    cannot encrypt.
    """
    key = _find(call, key_id)
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


def _find(call: ServiceCall, key_id: str) -> Key:
    arn = arns.Arn.parse(key_id)
    region, account, name = call.region, call.account, key_id
    if arn is not None:
        region, account, name = arn.region, arn.account, arn.key_or_alias or key_id
    elif arns.looks_like_arn(key_id):
        raise errors.InvalidKmsKeyIdException(f"Invalid KMS key ID: {key_id}")
    room = call.backend.regions.get((account, region))
    key = None
    if room is not None and region == call.region:
        key = room.find(name)
    if key is None:
        raise errors.KmsKeyNotFoundException(
            f"KMS key {key_id} not found.",
            explanation="It must be in the Region of the trail and its bucket.",
        )
    return key
