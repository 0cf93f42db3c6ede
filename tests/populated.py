"""A mock that has a little of everything, for tests of names and values that are misspelt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kmsmock import KMSMock, mock_kms

ACCOUNT = "111122223333"


@contextmanager
def populated() -> Iterator[KMSMock]:
    """Start a mock with a key, ``alias/app``, a role of another account, a volume, and records."""
    with mock_kms(isolated=True) as kms:
        client = kms.client()
        key = client.create_key()["KeyMetadata"]["KeyId"]
        client.create_alias(AliasName="alias/app", TargetKeyId=key)
        client.generate_data_key(KeyId=key, KeySpec="AES_256")
        client.enable_key_rotation(KeyId=key)
        kms.account(ACCOUNT).role("App")
        kms.client("ec2").create_volume(AvailabilityZone="us-east-1a", Size=1)
        yield kms
