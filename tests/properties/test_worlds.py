"""Whatever was done in a world, it is the same after it was written and read again."""

from __future__ import annotations

import contextlib
import copy
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from kmsmock import KMSMock, mock_kms
from kmsmock.worlds.errors import WorldError
from tests.thoroughness import examples

ACCOUNT, OTHER = "123456789012", "444455556666"
REGIONS = ("us-east-1", "eu-west-1")
ALLOW = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
POLICY = {"Version": "2012-10-17", "Statement": ALLOW}
HSM = {
    "CloudHsmClusterId": "cluster-2a23b4cdefgh",
    "TrustAnchorCertificate": "x",
    "KeyStorePassword": "kmsPswd",
}
SPECS = (
    ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
    ("HMAC_384", "GENERATE_VERIFY_MAC"),
    ("ECC_NIST_P256", "SIGN_VERIFY"),
    ("RSA_2048", "ENCRYPT_DECRYPT"),
)
Step = Callable[[KMSMock, Any], Any]

names = st.sampled_from(["one", "two", "three"])
numbers = st.integers(0, 5)
regions = st.sampled_from(REGIONS)


def key_of(kms: KMSMock, number: int) -> str:
    keys = kms.keys
    return keys[number % len(keys)].arn if keys else "none"


def on_key(operation: str, **parameters: Any) -> st.SearchStrategy[Step]:
    """Call an operation on one of the keys, in its Region."""

    def step(number: int) -> Step:
        def call(kms: KMSMock, client: Any) -> Any:
            key = key_of(kms, number)
            there = kms.client(region=key.split(":")[3]) if ":" in key else client
            return getattr(there, operation)(KeyId=key, **parameters)

        return call

    return st.builds(step, numbers)


def policy_of(name: str) -> str:
    statement = {**ALLOW, "Principal": {"AWS": [ACCOUNT, f"arn:aws:iam::{OTHER}:role/{name}"]}}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=1)


def store_of(kms: KMSMock) -> str:
    stores = kms.client().describe_custom_key_stores()["CustomKeyStores"]
    return stores[0]["CustomKeyStoreId"] if stores else "cks-0"


steps = st.one_of(
    st.builds(
        lambda region, spec, many: (
            lambda kms, _: kms.client(region=region).create_key(
                KeySpec=spec[0], KeyUsage=spec[1], MultiRegion=many
            )
        ),
        regions,
        st.sampled_from(SPECS),
        st.booleans(),
    ),
    st.builds(
        lambda many: lambda _, c: c.create_key(Origin="EXTERNAL", MultiRegion=many),
        st.booleans(),
    ),
    st.builds(
        lambda n, byte, new: (
            lambda kms, _: kms.import_material(
                key_of(kms, n), byte * 32, **({"ImportType": "NEW_KEY_MATERIAL"} if new else {})
            )
        ),
        numbers,
        st.sampled_from([b"1", b"2"]),
        st.booleans(),
    ),
    on_key("delete_imported_key_material"),
    st.builds(
        lambda name, n: (
            lambda kms, c: c.create_alias(AliasName=f"alias/{name}", TargetKeyId=key_of(kms, n))
        ),
        names,
        numbers,
    ),
    st.builds(
        lambda name, n: (
            lambda kms, c: c.update_alias(AliasName=f"alias/{name}", TargetKeyId=key_of(kms, n))
        ),
        names,
        numbers,
    ),
    st.just(lambda _, c: c.describe_key(KeyId="alias/aws/s3")),
    on_key("enable_key_rotation"),
    on_key("disable_key_rotation"),
    on_key("rotate_key_on_demand"),
    on_key("schedule_key_deletion", PendingWindowInDays=7),
    on_key("cancel_key_deletion"),
    on_key("disable_key"),
    on_key("enable_key"),
    on_key("encrypt", Plaintext=b"x"),
    on_key("replicate_key", ReplicaRegion="eu-west-1"),
    on_key("replicate_key", ReplicaRegion="us-east-1"),
    on_key("update_primary_region", PrimaryRegion="eu-west-1"),
    on_key("tag_resource", Tags=[{"TagKey": "a", "TagValue": "b"}]),
    st.builds(
        lambda name, n: (
            lambda kms, c: c.create_grant(
                KeyId=key_of(kms, n),
                GranteePrincipal=kms.account(OTHER).role(name, policies=[POLICY]).arn,
                Operations=["DescribeKey"],
                Name=name,
            )
        ),
        names,
        numbers,
    ),
    st.builds(
        lambda name, n: (
            lambda kms, c: c.put_key_policy(KeyId=key_of(kms, n), Policy=policy_of(name))
        ),
        names,
        numbers,
    ),
    st.builds(
        lambda name: (
            lambda kms, _: kms.account(OTHER).administrator.client("iam").delete_role(RoleName=name)
        ),
        names,
    ),
    st.just(lambda _, c: c.create_custom_key_store(CustomKeyStoreName="hsm", **HSM)),
    st.just(lambda kms, c: c.connect_custom_key_store(CustomKeyStoreId=store_of(kms))),
    st.just(lambda kms, c: c.disconnect_custom_key_store(CustomKeyStoreId=store_of(kms))),
    st.just(lambda kms, c: c.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store_of(kms))),
    st.builds(lambda days: lambda kms, _: kms.clock.advance(days=days), st.integers(1, 400)),
    st.just(lambda kms, _: kms.clock.advance(seconds=10)),
)


def answered(call: Callable[[], Any]) -> Any:
    try:
        return {**call(), "ResponseMetadata": None}
    except ClientError as error:
        return error.response["Error"]


def answers(kms: KMSMock) -> Any:
    """What a client sees of the world."""
    seen: list[Any] = []
    for region in REGIONS:
        client = kms.client(region=region)
        seen.append(answered(client.describe_custom_key_stores))
        for key in client.list_keys()["Keys"]:
            name = {"KeyId": key["KeyId"]}
            rotations = {**name, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"}
            seen += [
                answered(lambda: client.describe_key(**name)),  # noqa: B023 - called at once
                answered(lambda: client.list_grants(**name)),  # noqa: B023
                answered(lambda: client.list_aliases(**name)),  # noqa: B023
                answered(lambda: client.list_resource_tags(**name)),  # noqa: B023
                answered(lambda: client.get_key_policy(**name)),  # noqa: B023
                answered(lambda: client.get_key_rotation_status(**name)),  # noqa: B023
                answered(lambda: client.list_key_rotations(**rotations)),  # noqa: B023
            ]
    for key in kms.keys:
        for name in ("one", "two"):
            role = f"arn:aws:iam::{OTHER}:role/{name}"
            with contextlib.suppress(ValueError):  # of a role that there is not
                seen.append(bool(kms.explain(role, "kms:DescribeKey", key)))
    return seen


def blobs_of(kms: KMSMock, key: Any) -> list[tuple[str, bytes]]:
    """Encrypt under a key, if that is possible."""
    client = kms.client(region=key.region_name)
    with contextlib.suppress(ClientError):
        return [(key.arn, client.encrypt(KeyId=key.arn, Plaintext=b"x")["CiphertextBlob"])]
    return []


@given(st.lists(steps, max_size=25), st.integers(0, 800))
@examples(10)
def test_a_world_is_the_same_after_it_was_written_and_read(done: list[Step], days: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder) / "1.json", Path(folder) / "2.json"
        with mock_kms(seed=1) as kms:
            for step in done:
                with contextlib.suppress(ClientError, ValueError):
                    step(kms, kms.client())
            kms.export(first)
            before = answers(kms)
            blobs = [blob for key in kms.keys for blob in blobs_of(kms, key)]
            kms.clock.advance(days=days)
            later = [(key.arn, key.state) for key in kms.keys]
        with mock_kms(world=first, seed=2) as kms:
            kms.export(second)
            assert answers(kms) == before
            for key, blob in blobs:
                there = kms.client(region=key.split(":")[3])
                assert there.decrypt(KeyId=key, CiphertextBlob=blob)["Plaintext"] == b"x"
            kms.clock.advance(days=days)
            assert [(key.arn, key.state) for key in kms.keys] == later
        assert json.loads(second.read_text()) == json.loads(first.read_text())


def places_in(value: Any) -> list[tuple[Any, Any]]:
    """Give all places of a document: what holds something, and under which name or number."""
    if isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value))
    else:
        return []
    return [(value, name) for name, _ in inside] + [
        place for _, item in inside for place in places_in(item)
    ]


GOLDEN = Path(__file__).parents[1] / "data" / "worlds" / "version-1.json"
WORLD = json.loads(GOLDEN.read_text())
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)
from_it = st.sampled_from([holder[name] for holder, name in places_in(WORLD)]).map(copy.deepcopy)


@given(st.data())
@examples(15)
def test_a_broken_world_is_refused_with_its_place_and_changes_nothing(data: st.DataObject) -> None:
    document = json.loads(GOLDEN.read_text())
    for _ in range(data.draw(st.integers(1, 3))):
        holder, name = data.draw(st.sampled_from(places_in(document)))
        holder[name] = data.draw(anything | from_it)
    with mock_kms(isolated=True) as kms:
        try:
            kms.load(document)
        except WorldError:
            assert (kms.keys, kms.aliases) == ((), ())
        kms.clock.advance(days=1)
        for key in kms.keys:
            with contextlib.suppress(ClientError):
                kms.client(region=key.region_name).describe_key(KeyId=key.arn)


@given(st.lists(steps, max_size=20), st.lists(steps, max_size=20), st.integers(0, 800))
@examples(8)
def test_a_world_is_the_same_after_it_was_restored(
    done: list[Step], later: list[Step], days: int
) -> None:
    with mock_kms(seed=1) as kms:
        client = kms.client()
        for step in done:
            with contextlib.suppress(ClientError, ValueError):
                step(kms, client)
        blobs = [blob for key in kms.keys for blob in blobs_of(kms, key)]
        checkpoint, before = kms.checkpoint(), answers(kms)

        for _ in range(2):
            kms.restore(checkpoint)
            for step in later:
                with contextlib.suppress(ClientError, ValueError):
                    step(kms, client)
            kms.clock.advance(days=days)
        kms.restore(checkpoint)

        assert answers(kms) == before
        for key, blob in blobs:
            there = kms.client(region=key.split(":")[3])
            assert there.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
