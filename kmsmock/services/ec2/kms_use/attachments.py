"""The KMS side of AttachVolume and DetachVolume, both of which call KMS after EC2 has answered.

Source: AWS KMS Developer Guide, "How Amazon EBS uses AWS KMS".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kmsmock.aws.arns import iam_arn, session_arn
from kmsmock.aws.principals import Principal, PrincipalKind
from kmsmock.aws.secret_values import SecretBytes
from kmsmock.services.ec2.kms_use.kms_calls import (
    DataKey,
    Grant,
    as_caller,
    create_grant,
    decrypt_data_key,
    retire_grant,
)
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.registry import ServiceCall
from kmsmock.services.storage_keys import SUBSET, KeyUnusableError

#: AWS's role of instances, of which each is a session.
_INSTANCES = "aws:ec2-infrastructure"


class NotAttachedError(Exception):
    """An instance cannot decrypt the data key of a volume. The message is an explanation."""


@dataclass(frozen=True, slots=True)
class AttachedKey:
    """The data key of a volume in an instance: its grant, and its 64 bytes."""

    grant: Grant
    plaintext: SecretBytes


def attach_volume(
    call: ServiceCall, key: DataKey | None, instance_id: str, now: datetime
) -> AttachedKey | None:
    """Create a grant for an instance, and decrypt the data key of a volume with it.

    Return None for a volume that is not encrypted. Raises `NotAttachedError`, after the grant is
    retired.
    """
    if key is None:
        return None
    instance = infrastructure_role(call, instance_id)
    # CloudTrail shows neither an access key nor a user agent of an instance.
    caller = KmsCaller(call.backend, instance, key.region, source="", access_key="")
    grant: Grant | None = None
    try:
        grant = create_grant(as_caller(call, call.region), now, key, SUBSET, instance.unique_id)
        return AttachedKey(grant, decrypt_data_key(caller, now, key, names_key=False))
    except KeyUnusableError as reason:
        if grant is not None:
            retire_grant(call.backend, now, grant)
        raise NotAttachedError(
            f"The volume could not be attached to {instance_id}: {reason}"
        ) from None


def detach_volume(call: ServiceCall, attached: AttachedKey | None, now: datetime) -> None:
    """Retire the grant of an instance, if it had one."""
    if attached is not None:
        retire_grant(call.backend, now, attached.grant)


def infrastructure_role(call: ServiceCall, instance_id: str) -> Principal:
    """Return the principal as which an instance uses its grants."""
    account = call.account
    return Principal(
        PrincipalKind.ASSUMED_ROLE,
        session_arn(call.partition, account, _INSTANCES, instance_id),
        account,
        f"{account}:{_INSTANCES}:{instance_id}",
        iam_arn(call.partition, account, f"role/{_INSTANCES}"),
    )
