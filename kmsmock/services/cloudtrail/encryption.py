"""The key that log files are encrypted with, as far as CreateTrail looks at it.

Source: AWS CloudTrail User Guide, "Configure AWS KMS key policies for CloudTrail".
"""

from __future__ import annotations

from kmsmock import arns
from kmsmock.authorization.decision import Request
from kmsmock.authorizing import authorize
from kmsmock.context_keys import ContextKeys
from kmsmock.keys.key import Key, KeyState
from kmsmock.ledger.cloudtrail.configured import ConfiguredTrail
from kmsmock.services.cloudtrail import errors
from kmsmock.services.registry import ServiceCall

_SERVICE = "cloudtrail.amazonaws.com"
_ACTION = "kms:GenerateDataKey"
_CONTEXT = "aws:cloudtrail:arn"


def usable_key(call: ServiceCall, trail: ConfiguredTrail, bucket: str, key_id: str) -> str:
    """Give the ARN of a key that CloudTrail may encrypt log files with.

    key_id: id, ARN, alias name or alias ARN. Raises KmsKeyNotFoundException,
    KmsKeyDisabledException, InsufficientEncryptionPolicyException.
    """
    key = _find(call, key_id)
    if key.state is not KeyState.ENABLED:
        raise errors.KmsKeyDisabledException(
            f"KMS key {key.arn} is not usable.", explanation=f"Its state is {key.state.value}."
        )
    if call.backend.enforces_policies:
        _require_permitted(call, trail, bucket, key)
    return key.arn


def _find(call: ServiceCall, key_id: str) -> Key:
    arn = arns.Arn.parse(key_id)
    region, account, name = call.region, call.account, key_id
    if arn is not None:
        region, account, name = arn.region, arn.account, arn.resource.removeprefix("key/")
    elif key_id.startswith("arn:"):
        raise errors.InvalidKmsKeyIdException(f"Invalid KMS key ID: {key_id}")
    room = call.backend.regions.get((account, region))
    key = None
    if room is not None and region == call.region:
        alias = room.aliases.get(name)
        key = room.keys.get(name) if alias is None else alias.key
    if key is None:
        raise errors.KmsKeyNotFoundException(
            f"KMS key {key_id} not found.",
            explanation="It must be in the Region of the trail and its bucket.",
        )
    return key


def _require_permitted(call: ServiceCall, trail: ConfiguredTrail, bucket: str, key: Key) -> None:
    context: ContextKeys = {
        "aws:SourceArn": trail.arn,
        "aws:SourceAccount": trail.account,
        f"kms:EncryptionContext:{_CONTEXT}": trail.arn,
        "kms:EncryptionContextKeys": [_CONTEXT],
    }
    request = Request(
        call.identities.at(_SERVICE),
        _ACTION,
        key.arn,
        key.account,
        lambda: context,
        encryption_context={_CONTEXT: trail.arn},
        source_arn=trail.arn,
    )
    decision = authorize(call.identities, call.backend.allowances, request, key)
    if not decision.allowed:
        raise errors.InsufficientEncryptionPolicyException(
            f"Insufficient permissions to access S3 bucket {bucket} or KMS key {key.arn}.",
            explanation=str(decision),
        )
