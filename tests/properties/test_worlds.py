"""Whatever was done in a world, it is the same after it was written and read again."""

# ruff: noqa: ARG005, PERF203
from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from kmsmock import KMSMock, mock_kms

ALLOW = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
POLICY = {"Version": "2012-10-17", "Statement": ALLOW}
Step = Callable[[KMSMock, Any], Any]

names = st.sampled_from(["one", "two", "three"])
specs = st.sampled_from(
    [
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
        ("HMAC_384", "GENERATE_VERIFY_MAC"),
        ("ECC_NIST_P256", "SIGN_VERIFY"),
        ("RSA_2048", "ENCRYPT_DECRYPT"),
    ]
)
numbers = st.integers(0, 5)


def key_of(kms: KMSMock, number: int) -> str:
    keys = kms.keys
    return keys[number % len(keys)].key_id if keys else "none"


steps = st.one_of(
    st.builds(
        lambda spec, many: (
            lambda kms, c: c.create_key(KeySpec=spec[0], KeyUsage=spec[1], MultiRegion=many)
        ),
        specs,
        st.booleans(),
    ),
    st.just(lambda kms, c: c.create_key(Origin="EXTERNAL")),
    st.builds(lambda n: lambda kms, c: kms.import_material(key_of(kms, n), b"1" * 32), numbers),
    st.builds(
        lambda name, n: (
            lambda kms, c: c.create_alias(AliasName=f"alias/{name}", TargetKeyId=key_of(kms, n))
        ),
        names,
        numbers,
    ),
    st.builds(lambda n: lambda kms, c: c.enable_key_rotation(KeyId=key_of(kms, n)), numbers),
    st.builds(lambda n: lambda kms, c: c.rotate_key_on_demand(KeyId=key_of(kms, n)), numbers),
    st.builds(lambda n: lambda kms, c: c.schedule_key_deletion(KeyId=key_of(kms, n)), numbers),
    st.builds(lambda n: lambda kms, c: c.disable_key(KeyId=key_of(kms, n)), numbers),
    st.builds(
        lambda n: lambda kms, c: c.encrypt(KeyId=key_of(kms, n), Plaintext=b"x"),
        numbers,
    ),
    st.builds(
        lambda n: lambda kms, c: c.replicate_key(KeyId=key_of(kms, n), ReplicaRegion="eu-west-1"),
        numbers,
    ),
    st.builds(
        lambda n: (
            lambda kms, c: c.tag_resource(
                KeyId=key_of(kms, n), Tags=[{"TagKey": "a", "TagValue": str(n)}]
            )
        ),
        numbers,
    ),
    st.builds(
        lambda name, n: (
            lambda kms, c: c.create_grant(
                KeyId=key_of(kms, n),
                GranteePrincipal=kms.account("444455556666").role(name, policies=[POLICY]).arn,
                Operations=["DescribeKey"],
                Name=name,
            )
        ),
        names,
        numbers,
    ),
    st.builds(lambda days: lambda kms, c: kms.clock.advance(days=days), st.integers(1, 400)),
)


def answers(kms: KMSMock) -> Any:
    """What a client sees of the world."""
    seen: list[Any] = []
    for region in ("us-east-1", "eu-west-1"):
        client = kms.client(region=region)
        for key in client.list_keys()["Keys"]:
            name = key["KeyId"]
            seen.append(client.describe_key(KeyId=name)["KeyMetadata"])
            seen.append(client.list_grants(KeyId=name)["Grants"])
            seen.append(client.list_aliases(KeyId=name)["Aliases"])
            seen.append(client.get_key_policy(KeyId=name)["Policy"])
            for read in (client.get_key_rotation_status, client.list_key_rotations):
                try:
                    seen.append({**read(KeyId=name), "ResponseMetadata": None})
                except ClientError as error:
                    seen.append(error.response["Error"]["Code"])
    return seen


@given(st.lists(steps, max_size=25))
@settings(max_examples=20, deadline=None)
def test_a_world_is_the_same_after_it_was_written_and_read(done: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder) / "1.json", Path(folder) / "2.json"
        with mock_kms(seed=1) as kms:
            for step in done:
                try:
                    step(kms, kms.client())
                except ClientError:
                    continue
            kms.export(first)
            before = answers(kms)
        with mock_kms(world=first, seed=2) as kms:
            kms.export(second)
            assert answers(kms) == before
        assert json.loads(second.read_text()) == json.loads(first.read_text())
