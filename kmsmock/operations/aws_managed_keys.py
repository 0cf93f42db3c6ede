"""AWS managed keys, which come about when they are first needed, and no operation creates."""

from __future__ import annotations

from datetime import datetime

from kmsmock.keys import rotation
from kmsmock.keys.aws_managed import AWS_MANAGED_KEYS
from kmsmock.keys.key import Key, KeyManager
from kmsmock.keys.region import KmsRegion
from kmsmock.keys.specs import SYMMETRIC_DEFAULT, KeyUsage, Origin
from kmsmock.state.backend import Backend
from kmsmock.state.scheduled_work import rotate_when_due


def new_aws_managed_key(
    backend: Backend, region: KmsRegion, name: str, now: datetime
) -> Key | None:
    """Make the AWS managed key of a predefined alias, for `keep_aws_managed_key`.

    Gives None for other names.
    """
    managed = AWS_MANAGED_KEYS.get(name)
    if managed is None:
        return None
    return Key(
        account=region.account,
        region_name=region.name,
        key_id=backend.new_uuid(),
        spec=SYMMETRIC_DEFAULT,
        usage=KeyUsage.ENCRYPT_DECRYPT,
        origin=Origin.AWS_KMS,
        policy=managed.policy(region.account, region.name),
        creation_date=now,
        source=backend.source,
        description=managed.description,
        manager=KeyManager.AWS,
    )


def keep_aws_managed_key(backend: Backend, key: Key, name: str, now: datetime) -> None:
    """Let an AWS managed key be there from now on, rotated each year; again changes nothing.

    name: the predefined alias.
    """
    region = backend.region(key.account, key.region_name)
    if backend.has_key(key):
        return
    key.materials.append(key.new_material())
    region.add_key(key)
    schedule = rotation.enable(key, now, None)
    assert schedule is not None
    rotate_when_due(backend, key, schedule)
    region.add_alias(name, key, now)
