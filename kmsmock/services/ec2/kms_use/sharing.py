"""The KMS side of ModifySnapshotAttribute and ModifyImageAttribute, when they share.

Sharing looks at the AWS managed key, to find out whether it is that of the snapshot. It makes no
grant and changes no key policy.

Source: Amazon EBS User Guide, "Share an Amazon EBS snapshot with other AWS accounts"; Amazon EC2
User Guide, "Share an AMI with specific AWS accounts".
"""

from __future__ import annotations

from collections.abc import Collection

from kmsmock.keys.key import KeyManager
from kmsmock.services.ec2.errors import InvalidParameter, OperationNotPermitted
from kmsmock.services.ec2.kms_use.state import DEFAULT_KEY
from kmsmock.services.ec2.kms_use.target_keys import resolve_key
from kmsmock.services.ec2.sharing_requests import Change
from kmsmock.services.registry import ServiceCall
from kmsmock.services.storage_keys import get_key


def require_shareable_snapshot(call: ServiceCall, key_arn: str, change: Change) -> None:
    """Require that an encrypted snapshot can be shared. key_arn: of its key."""
    _describe_default_key(call)
    if change.everybody:
        raise OperationNotPermitted("Encrypted snapshots cannot be shared publicly")
    if _is_aws_managed(call, key_arn):
        raise OperationNotPermitted(
            "Encrypted snapshots with EBS default key cannot be shared",
            explanation="No other account can ever use the AWS managed key alias/aws/ebs: copy the "
            "snapshot under a customer managed key (CopySnapshot with KmsKeyId), and share the "
            "copy.",
        )


def require_shareable_image(call: ServiceCall, key_arns: Collection[str], change: Change) -> None:
    """Require that an image can be shared. key_arns: of its snapshots, those that are encrypted."""
    if not key_arns:
        return
    if change.everybody:
        raise InvalidParameter("Encrypted snapshots can't be shared publicly.")
    _describe_default_key(call)
    if any(_is_aws_managed(call, key) for key in key_arns):
        raise InvalidParameter(
            "Snapshots encrypted with the AWS Managed CMK can't be shared. Specify another "
            "snapshot.",
            explanation="No other account can ever use the AWS managed key alias/aws/ebs: copy the "
            "image under a customer managed key (CopyImage with KmsKeyId), and share the copy.",
        )


def _describe_default_key(call: ServiceCall) -> None:
    """Describe the AWS managed key; a refusal does not prevent sharing."""
    resolve_key(call, DEFAULT_KEY)


def _is_aws_managed(call: ServiceCall, key_arn: str) -> bool:
    """Return whether a key is an AWS managed key, which no other account can use."""
    key = get_key(call.backend, key_arn)
    return key is not None and key.manager is KeyManager.AWS
