"""Multi-Region keys: replicas, primaries, and what they share."""

from __future__ import annotations

import pytest

from tests.refusals import refused

ACCOUNT = "123456789012"
INVALID = "us-invalid-1"


@pytest.fixture
def primary(new_key):
    return new_key(MultiRegion=True, Description="orders", Tags=[{"TagKey": "a", "TagValue": "b"}])


@pytest.fixture
def there(kms):
    return kms.client(region="eu-west-1")


def test_a_replica_is_creating_at_first_and_enabled_then(client, there, primary):
    answer = client.replicate_key(KeyId=primary["KeyId"], ReplicaRegion="eu-west-1")

    created = answer["ReplicaKeyMetadata"]
    metadata = there.describe_key(KeyId=primary["KeyId"])["KeyMetadata"]
    assert (created["KeyState"], created["Enabled"]) == ("Creating", False)
    assert "CurrentKeyMaterialId" not in created
    assert "ReplicaTags" not in answer
    assert answer["ReplicaPolicy"] == client.get_key_policy(KeyId=primary["KeyId"])["Policy"]
    assert metadata["KeyState"] == "Enabled"
    assert metadata["Arn"] == f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{primary['KeyId']}"
    assert metadata["CurrentKeyMaterialId"] == primary["CurrentKeyMaterialId"]
    assert metadata["Description"] == ""
    assert metadata["MultiRegionConfiguration"] == {
        "MultiRegionKeyType": "REPLICA",
        "PrimaryKey": {"Arn": primary["Arn"], "Region": "us-east-1"},
        "ReplicaKeys": [{"Arn": metadata["Arn"], "Region": "eu-west-1"}],
    }


def test_tags_and_description_are_the_replicas_own(client, there, primary):
    tags = [{"TagKey": "x", "TagValue": "y"}]

    answer = client.replicate_key(
        KeyId=primary["KeyId"], ReplicaRegion="eu-west-1", Tags=tags, Description="copy"
    )

    assert answer["ReplicaTags"] == tags
    assert there.list_resource_tags(KeyId=primary["KeyId"])["Tags"] == tags
    assert there.describe_key(KeyId=primary["KeyId"])["KeyMetadata"]["Description"] == "copy"


def test_related_keys_open_each_others_ciphertexts_also_after_a_rotation(client, there, primary):
    key_id = primary["KeyId"]
    old = client.encrypt(KeyId=key_id, Plaintext=b"old")["CiphertextBlob"]
    client.replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")
    client.rotate_key_on_demand(KeyId=key_id)
    new = client.encrypt(KeyId=key_id, Plaintext=b"new")["CiphertextBlob"]
    from_there = there.encrypt(KeyId=key_id, Plaintext=b"there")["CiphertextBlob"]

    opened = [there.decrypt(CiphertextBlob=blob)["Plaintext"] for blob in (old, new)]

    assert opened == [b"old", b"new"]
    assert client.decrypt(CiphertextBlob=from_there)["Plaintext"] == b"there"
    histories = [
        [r["KeyMaterialId"] for r in c.list_key_rotations(KeyId=key_id)["Rotations"]]
        for c in (client, there)
    ]
    assert histories[0] == histories[1] != []


def test_the_arn_of_a_relative_elsewhere_is_an_incorrect_key(client, there, primary):
    client.replicate_key(KeyId=primary["KeyId"], ReplicaRegion="eu-west-1")
    blob = client.encrypt(KeyId=primary["KeyId"], Plaintext=b"text")["CiphertextBlob"]

    with refused("IncorrectKeyException"):
        there.decrypt(CiphertextBlob=blob, KeyId=primary["Arn"])


def test_asymmetric_relatives_share_their_key_pair(client, there, new_key):
    key_id = new_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY", MultiRegion=True)["KeyId"]
    client.replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")

    public_keys = [c.get_public_key(KeyId=key_id)["PublicKey"] for c in (there, client)]

    assert public_keys[0] == public_keys[1]


@pytest.mark.parametrize(
    ("region", "code", "message"),
    [
        (
            "us-east-1",
            "ValidationException",
            "us-east-1 cannot have a replica because it contains the primary.",
        ),
        (
            "cn-north-1",
            "ValidationException",
            "The replica key Region must be in the same AWS partition as the primary key Region.",
        ),
        (
            INVALID,
            "ValidationException",
            f"Region {INVALID} is not a valid Region or multi-Region keys are not supported in "
            f"Region {INVALID}.",
        ),
        (
            "eu-west-1",
            "AlreadyExistsException",
            "You can create only one replica of each primary key in each AWS Region.",
        ),
    ],
)
def test_a_region_that_cannot_have_a_replica_is_refused(client, primary, region, code, message):
    client.replicate_key(KeyId=primary["KeyId"], ReplicaRegion="eu-west-1")

    with refused(code, message):
        client.replicate_key(KeyId=primary["KeyId"], ReplicaRegion=region)


def test_only_a_primary_key_is_replicated(client, there, new_key, primary):
    client.replicate_key(KeyId=primary["KeyId"], ReplicaRegion="eu-west-1")
    single = new_key()
    replica_arn = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{primary['KeyId']}"

    with refused(
        "UnsupportedOperationException", f"{replica_arn} is not a multi-region primary key."
    ):
        there.replicate_key(KeyId=primary["KeyId"], ReplicaRegion="eu-west-2")
    with refused("UnsupportedOperationException"):
        client.replicate_key(KeyId=single["KeyId"], ReplicaRegion="eu-west-2")


def test_the_primary_can_move(client, there, primary):
    key_id = primary["KeyId"]
    client.replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")
    client.enable_key_rotation(KeyId=key_id)

    client.update_primary_region(KeyId=key_id, PrimaryRegion="eu-west-1")

    here = client.describe_key(KeyId=key_id)["KeyMetadata"]
    assert here["MultiRegionConfiguration"]["MultiRegionKeyType"] == "REPLICA"
    assert here["MultiRegionConfiguration"]["PrimaryKey"]["Region"] == "eu-west-1"
    assert there.get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"] is True
    assert here["Description"] == "orders"


def test_moving_the_primary_to_where_it_is_changes_nothing(client, primary):
    client.update_primary_region(KeyId=primary["KeyId"], PrimaryRegion="us-east-1")

    metadata = client.describe_key(KeyId=primary["KeyId"])["KeyMetadata"]
    assert metadata["KeyState"] == "Enabled"


def test_a_primary_cannot_move_to_where_no_usable_replica_is(client, there, new_key, primary):
    key_id = primary["KeyId"]
    client.replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")
    replica_arn = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{key_id}"

    with refused(
        "ValidationException", f"{key_id} does not have a replica key in the specified Region."
    ):
        client.update_primary_region(KeyId=key_id, PrimaryRegion="eu-west-2")
    with refused("KMSInvalidStateException", f"{replica_arn} is not a multi-Region primary key."):
        there.update_primary_region(KeyId=key_id, PrimaryRegion="us-east-1")
    there.disable_key(KeyId=key_id)
    with refused("DisabledException", f"{replica_arn} is disabled."):
        client.update_primary_region(KeyId=key_id, PrimaryRegion="eu-west-1")
    there.schedule_key_deletion(KeyId=key_id)
    with refused("KMSInvalidStateException", f"{replica_arn} is pending deletion."):
        client.update_primary_region(KeyId=key_id, PrimaryRegion="eu-west-1")
    with refused("UnsupportedOperationException"):
        client.update_primary_region(KeyId=new_key()["KeyId"], PrimaryRegion="eu-west-1")


def test_a_primary_waits_for_its_replicas_before_it_is_deleted(kms, client, there, primary):
    key_id = primary["KeyId"]
    client.replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")

    answer = client.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    waiting = client.describe_key(KeyId=key_id)["KeyMetadata"]
    with refused("KMSInvalidStateException", f"{primary['Arn']} is pending replica deletion."):
        client.encrypt(KeyId=key_id, Plaintext=b"text")
    there.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    kms.clock.advance(days=7)
    pending = client.describe_key(KeyId=key_id)["KeyMetadata"]
    kms.clock.advance(days=7)

    assert answer["KeyState"] == "PendingReplicaDeletion"
    assert "DeletionDate" not in answer
    assert waiting["PendingDeletionWindowInDays"] == 7
    assert pending["KeyState"] == "PendingDeletion"
    assert "DeletionDate" in pending
    assert kms.keys == ()
