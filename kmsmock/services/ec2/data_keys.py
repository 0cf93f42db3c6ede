"""The KMS calls that EC2 and EBS make, in the order in which CloudTrail has shown them.

At the time of the request EC2 calls with the identity of its caller; later EBS calls with the same
identity, or in its own name by a grant that the caller's identity has made for it.

Source: Amazon EBS User Guide, "How Amazon EBS encryption works"; AWS KMS Developer Guide, "How
Amazon EBS uses AWS KMS".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from kmsmock.principals import Principal, PrincipalKind
from kmsmock.services.ebs_identity import background_name, service_name
from kmsmock.services.ec2.kms_calls import (
    DataKey,
    Grant,
    as_caller,
    context_of,
    grants_of,
    lend,
    new_data_key,
    open_data_key,
    retire,
)
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.registry import ServiceCall
from kmsmock.services.storage_keys import EQUALS, SUBSET, KeyUnusableError, call_kms

_VOLUMES = "ebs.amazonaws.com"
#: What has been seen to retire the grants of volumes.
_CLEANING = "AWS Internal"
#: AWS's role of instances, of which each is a session.
_INSTANCES = "aws:ec2-infrastructure"


@contextmanager
def opened_for_copy(
    call: ServiceCall, now: datetime, snapshot_id: str, target: str, source: DataKey | None
) -> Iterator[tuple[DataKey, bytes, bytes | None]]:
    """Make the data key of a copied snapshot, and open it and that of its source.

    target: ARN of the key to encrypt under. source: None when the source is not encrypted. Gives
    the new data key, its plaintext and that of the source. Raises `KeyUnusableError`.
    """
    key = new_data_key(call, now, target, snapshot_id)
    with grants_of(call.backend, now) as grants:
        grants.append(lend(as_caller(call, call.region), now, key, EQUALS))
        if source is not None:
            background = as_caller(call, source.region, background_name(source.region))
            grants.append(lend(background, now, source, EQUALS))
        yield (
            key,
            open_data_key(call.backend, now, key),
            None if source is None else open_data_key(call.backend, now, source),
        )


@contextmanager
def opened_for_volume(
    call: ServiceCall, now: datetime, volume_id: str, target: str, source: DataKey | None = None
) -> Iterator[tuple[DataKey, bytes, bytes | None]]:
    """Make the data key of a volume, and open it and that of its snapshot.

    source: the snapshot's data key, sealed for the volume already. Otherwise as `opened_for_copy`.
    """
    key = new_data_key(call, now, target, volume_id)
    with grants_of(call.backend, now, _CLEANING) as grants:
        grants.append(lend(as_caller(call, call.region), now, key, SUBSET))
        yield (
            key,
            open_data_key(call.backend, now, key, _VOLUMES, names_key=False),
            None
            if source is None
            else open_data_key(call.backend, now, source, _VOLUMES, names_key=False),
        )


def seal_for_volume(
    call: ServiceCall, now: datetime, volume_id: str, target: str, source: DataKey
) -> DataKey:
    """Seal the data key of a snapshot for a volume, under the same or another key."""
    answer = call_kms(
        as_caller(call, call.region),
        "ReEncrypt",
        now,
        CiphertextBlob=source.sealed,
        SourceEncryptionContext=source.context,
        DestinationKeyId=target,
        DestinationEncryptionContext=context_of(volume_id),
    )
    return DataKey(answer["KeyId"], answer["CiphertextBlob"], volume_id, source.id)


def lend_to_instance(
    call: ServiceCall, now: datetime, key: DataKey, instance_id: str
) -> tuple[str, bytes]:
    """Let an instance open the data key of a volume, and open it.

    Gives the id of the grant and the data key. Raises `KeyUnusableError`; the grant that was made
    before is retired then.
    """
    account = call.account
    instance = Principal(
        PrincipalKind.ASSUMED_ROLE,
        f"arn:{call.partition}:sts::{account}:assumed-role/{_INSTANCES}/{instance_id}",
        account,
        f"{account}:{_INSTANCES}:{instance_id}",
        f"arn:{call.partition}:iam::{account}:role/{_INSTANCES}",
    )
    answer = call_kms(
        as_caller(call, call.region),
        "CreateGrant",
        now,
        KeyId=key.key_arn,
        GranteePrincipal=instance.unique_id,
        RetiringPrincipal=service_name(key.region),
        Operations=["Decrypt"],
        Constraints={SUBSET: key.context},
    )
    grant_id: str = answer["GrantId"]
    # CloudTrail shows neither an access key nor a user agent of an instance.
    caller = KmsCaller(call.backend, instance, key.region, source="", access_key="")
    try:
        opened = call_kms(
            caller, "Decrypt", now, CiphertextBlob=key.sealed, EncryptionContext=key.context
        )
    except KeyUnusableError:
        take_from_instance(call, now, key, grant_id)
        raise
    return grant_id, opened["Plaintext"]


def take_from_instance(call: ServiceCall, now: datetime, key: DataKey, grant_id: str) -> None:
    """End the grant of an instance."""
    retire(call.backend, now, Grant(key, grant_id), None)
