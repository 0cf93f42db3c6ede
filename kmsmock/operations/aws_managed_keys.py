"""AWS managed keys, which AWS creates when they are first used; no operation creates them."""

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
    """Create the AWS managed key of a predefined alias, without storing it in the Region.

    Returns None for other names. `store_aws_managed_key` stores the key once the call that names
    it is authorized.
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


def store_aws_managed_key(backend: Backend, key: Key, name: str, now: datetime) -> None:
    """Store an AWS managed key in its Region, with yearly rotation; a second call has no effect.

    name: the predefined alias.
    """
    region = backend.region(key.account, key.region_name)
    if backend.has_key(key):
        return
    key.materials.append(key.new_material())
    region.add_key(key)
    rotate_when_due(backend, key, rotation.enable_for_aws(key, now))
    region.add_alias(name, key, now)
