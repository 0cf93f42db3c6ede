"""What takes a while on the mock's clock, as on AWS, and what that means meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kmsmock import mock_kms
from tests.material import import_material, wrap
from tests.operations.test_custom_key_stores import CLOUDHSM, PROXY, create
from tests.refusals import refused

ENDPOINTS = {"CLOUDHSM": (CLOUDHSM, 10), "XKS": (PROXY, 5)}


@pytest.fixture
def kms():
    with mock_kms(seed=1, waiting="clock") as kms:
        yield kms


@pytest.fixture
def replicated(client):
    key = client.create_key(MultiRegion=True)["KeyMetadata"]
    client.replicate_key(KeyId=key["KeyId"], ReplicaRegion="eu-west-1")
    return key


def state_of(client, key_id):
    metadata = client.describe_key(KeyId=key_id)["KeyMetadata"]
    assert metadata["Enabled"] is (metadata["KeyState"] == "Enabled")
    return metadata["KeyState"]


def store_state(client, store_id):
    return client.describe_custom_key_stores(CustomKeyStoreId=store_id)["CustomKeyStores"][0][
        "ConnectionState"
    ]


def rotations(client, key_id):
    return client.list_key_rotations(KeyId=key_id)["Rotations"]


# --- replicas and primaries -------------------------------------------------------------------


def test_a_replica_is_creating_for_a_while_and_cannot_be_used(kms, replicated):
    there = kms.client(region="eu-west-1")

    assert state_of(there, replicated["KeyId"]) == "Creating"
    arn = replicated["Arn"].replace("us-east-1", "eu-west-1")
    with refused("KMSInvalidStateException", f"{arn} is creating."):
        there.encrypt(KeyId=replicated["KeyId"], Plaintext=b"x")
    assert "kms.clock.advance" in kms.calls[-1].explanation

    kms.clock.advance(seconds=10)
    assert state_of(there, replicated["KeyId"]) == "Enabled"
    there.encrypt(KeyId=replicated["KeyId"], Plaintext=b"x")


def test_both_keys_are_updating_for_a_while_and_can_be_used(kms, client, replicated):
    key_id = replicated["KeyId"]
    there = kms.client(region="eu-west-1")
    kms.clock.advance(seconds=10)
    client.update_primary_region(KeyId=key_id, PrimaryRegion="eu-west-1")

    for member in (client, there):
        assert state_of(member, key_id) == "Updating"
        member.encrypt(KeyId=key_id, Plaintext=b"x")

    kms.clock.advance(seconds=10)
    assert state_of(client, key_id) == state_of(there, key_id) == "Enabled"


def test_importing_while_the_primary_moves_does_not_end_the_move(kms, client):
    key_id = client.create_key(Origin="EXTERNAL", MultiRegion=True)["KeyMetadata"]["KeyId"]
    kms.import_material(key_id, b"m" * 32)
    client.replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")
    kms.clock.advance(seconds=10)
    arn = f"arn:aws:kms:eu-west-1:123456789012:key/{key_id}"
    kms.import_material(arn, b"m" * 32)
    offer = client.get_parameters_for_import(
        KeyId=key_id, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
    )
    client.update_primary_region(KeyId=key_id, PrimaryRegion="eu-west-1")

    client.import_key_material(
        KeyId=key_id,
        ImportToken=offer["ImportToken"],
        EncryptedKeyMaterial=wrap(b"m" * 32, offer["PublicKey"]),
        ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE",
    )

    assert state_of(client, key_id) == "Updating"


# --- rotation on demand -----------------------------------------------------------------------


def test_a_rotation_on_demand_is_in_progress_for_a_while(kms, client):
    key = client.create_key()["KeyMetadata"]
    key_id = key["KeyId"]
    started = kms.clock.now()
    client.rotate_key_on_demand(KeyId=key_id)
    kms.clock.advance(seconds=99)

    status = client.get_key_rotation_status(KeyId=key_id)
    assert status["OnDemandRotationStartDate"] == started
    assert rotations(client, key_id) == []
    before = client.describe_key(KeyId=key_id)["KeyMetadata"]["CurrentKeyMaterialId"]
    assert before == key["CurrentKeyMaterialId"]

    kms.clock.advance(seconds=1)
    assert "OnDemandRotationStartDate" not in client.get_key_rotation_status(KeyId=key_id)
    [rotation] = rotations(client, key_id)
    assert rotation["RotationDate"] == started + timedelta(seconds=100)
    assert rotation["KeyMaterialId"] != before


def test_asking_again_while_a_rotation_is_in_progress_rotates_once(kms, client):
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    for _ in range(3):
        client.rotate_key_on_demand(KeyId=key_id)
        kms.clock.advance(seconds=20)
    kms.clock.advance(minutes=15)

    assert len(rotations(client, key_id)) == 1


@pytest.mark.parametrize("method", ["disable_key", "schedule_key_deletion"])
def test_a_rotation_in_progress_ends_whatever_becomes_of_the_key(kms, client, method):
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    client.rotate_key_on_demand(KeyId=key_id)
    getattr(client, method)(KeyId=key_id)
    kms.clock.advance(minutes=2)

    assert len(rotations(client, key_id)) == 1


def test_a_rotation_in_progress_goes_on_when_the_primary_moves(kms, client, replicated):
    key_id = replicated["KeyId"]
    kms.clock.advance(seconds=10)
    client.rotate_key_on_demand(KeyId=key_id)
    client.update_primary_region(KeyId=key_id, PrimaryRegion="eu-west-1")

    there = kms.client(region="eu-west-1")
    assert "OnDemandRotationStartDate" in there.get_key_rotation_status(KeyId=key_id)
    kms.clock.advance(minutes=2)
    assert (
        rotations(client, key_id)[0]["KeyMaterialId"]
        == (rotations(there, key_id)[0]["KeyMaterialId"])
    )
    assert "OnDemandRotationStartDate" not in there.get_key_rotation_status(KeyId=key_id)


def test_a_primary_that_moves_twice_is_updating_until_the_second_move_is_done(
    kms, client, replicated
):
    key_id = replicated["KeyId"]
    kms.clock.advance(seconds=10)
    client.update_primary_region(KeyId=key_id, PrimaryRegion="eu-west-1")
    kms.clock.advance(seconds=6)
    there = kms.client(region="eu-west-1")
    there.update_primary_region(KeyId=key_id, PrimaryRegion="us-east-1")
    kms.clock.advance(seconds=6)

    assert [state_of(c, key_id) for c in (client, there)] == ["Updating"] * 2
    kms.clock.advance(seconds=4)
    assert [state_of(c, key_id) for c in (client, there)] == ["Enabled"] * 2


def test_material_deleted_on_a_replica_meanwhile_does_not_stop_the_rotation(kms):
    client, there = kms.client(), kms.client(region="eu-west-1")
    key_id = client.create_key(Origin="EXTERNAL", MultiRegion=True)["KeyMetadata"]["KeyId"]
    import_material(client, key_id, b"1" * 32)
    client.replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")
    kms.clock.advance(seconds=10)
    import_material(there, key_id, b"1" * 32)
    new = import_material(client, key_id, b"2" * 32, ImportType="NEW_KEY_MATERIAL")
    import_material(there, key_id, b"2" * 32)
    client.rotate_key_on_demand(KeyId=key_id)
    there.delete_imported_key_material(KeyId=key_id, KeyMaterialId=new["KeyMaterialId"])
    kms.clock.advance(minutes=2)

    assert (state_of(client, key_id), state_of(there, key_id)) == ("Enabled", "PendingImport")
    [rotation] = rotations(there, key_id)
    shown = (rotation["KeyMaterialState"], rotation["ImportState"])
    assert shown == ("CURRENT", "PENDING_IMPORT")


def test_waiting_material_that_is_deleted_ends_the_rotation_in_silence(kms, client):
    key_id = client.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
    kms.import_material(key_id, b"1" * 32)
    new = kms.import_material(key_id, b"2" * 32, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    client.rotate_key_on_demand(KeyId=key_id)
    client.delete_imported_key_material(KeyId=key_id, KeyMaterialId=new)
    kms.clock.advance(minutes=2)

    assert rotations(client, key_id) == []
    assert state_of(client, key_id) == "Enabled"


def test_a_rotation_in_progress_takes_the_material_that_is_imported_meanwhile(kms, client):
    key_id = client.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
    kms.import_material(key_id, b"1" * 32)
    old = kms.import_material(key_id, b"2" * 32, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    client.rotate_key_on_demand(KeyId=key_id)
    client.delete_imported_key_material(KeyId=key_id, KeyMaterialId=old)
    new = kms.import_material(key_id, b"3" * 32, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    kms.clock.advance(minutes=2)

    assert [entry["KeyMaterialId"] for entry in rotations(client, key_id)] == [new]


def test_no_rotation_on_demand_begins_shortly_before_an_automatic_one(kms, client):
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    client.enable_key_rotation(KeyId=key_id)
    kms.clock.advance(days=365)
    kms.clock.advance(days=364, hours=23, minutes=45)

    with refused("ConflictException"):
        client.rotate_key_on_demand(KeyId=key_id)
    kms.clock.advance(minutes=15)
    client.rotate_key_on_demand(KeyId=key_id)


# --- custom key stores ------------------------------------------------------------------------


@pytest.mark.parametrize(("settings", "minutes"), ENDPOINTS.values(), ids=ENDPOINTS)
def test_connecting_a_store_takes_a_while(kms, client, settings, minutes):
    store_id = create(client, settings=settings)
    client.connect_custom_key_store(CustomKeyStoreId=store_id)
    assert store_state(client, store_id) == "CONNECTING"

    kms.clock.advance(minutes=minutes)
    assert store_state(client, store_id) == "CONNECTED"


def test_a_connecting_store_takes_no_keys_and_the_note_says_until_when(kms, client):
    store_id = create(client)
    client.connect_custom_key_store(CustomKeyStoreId=store_id)

    with refused("CustomKeyStoreInvalidStateException"):
        client.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store_id)
    assert "CONNECTING until 2026-01-01 00:10:00 UTC" in kms.calls[-1].explanation


def test_a_cloudhsm_key_store_is_renamed_while_connected_or_disconnected(kms, client):
    store_id = create(client)

    def rename(name):
        client.update_custom_key_store(CustomKeyStoreId=store_id, NewCustomKeyStoreName=name)

    rename("disconnected")
    client.connect_custom_key_store(CustomKeyStoreId=store_id)
    with refused("CustomKeyStoreInvalidStateException"):
        rename("connecting")
    kms.clock.advance(minutes=10)
    rename("connected")
    client.disconnect_custom_key_store(CustomKeyStoreId=store_id)
    with refused("CustomKeyStoreInvalidStateException"):
        rename("disconnecting")


def test_an_external_key_store_is_renamed_in_any_state(client):
    store_id = create(client, settings=PROXY)
    client.connect_custom_key_store(CustomKeyStoreId=store_id)
    assert store_state(client, store_id) == "CONNECTING"

    client.update_custom_key_store(CustomKeyStoreId=store_id, NewCustomKeyStoreName="other")


def test_disconnecting_takes_a_while_in_which_keys_are_unavailable(kms, client):
    store_id = create(client)
    client.connect_custom_key_store(CustomKeyStoreId=store_id)
    kms.clock.advance(minutes=10)
    key = client.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store_id)["KeyMetadata"]
    client.disconnect_custom_key_store(CustomKeyStoreId=store_id)

    assert store_state(client, store_id) == "DISCONNECTING"
    with refused("KMSInvalidStateException", f"{key['Arn']} is unavailable."):
        client.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    for method in ("connect_custom_key_store", "disconnect_custom_key_store"):
        with refused("CustomKeyStoreInvalidStateException"):
            getattr(client, method)(CustomKeyStoreId=store_id)

    kms.clock.advance(minutes=1)
    assert store_state(client, store_id) == "DISCONNECTED"


def test_an_attempt_to_connect_that_was_given_up_does_not_end_the_next_one(kms, client):
    store_id = create(client)
    client.connect_custom_key_store(CustomKeyStoreId=store_id)
    kms.clock.advance(minutes=8)
    client.disconnect_custom_key_store(CustomKeyStoreId=store_id)
    kms.clock.advance(minutes=1)
    client.connect_custom_key_store(CustomKeyStoreId=store_id)

    kms.clock.advance(minutes=9)
    assert store_state(client, store_id) == "CONNECTING"
    kms.clock.advance(minutes=1)
    assert store_state(client, store_id) == "CONNECTED"


def test_a_store_that_breaks_while_connecting_fails_when_that_is_due(kms, client):
    store_id = create(client)
    client.connect_custom_key_store(CustomKeyStoreId=store_id)
    kms.key_store(store_id).fail("USER_LOCKED_OUT")
    assert store_state(client, store_id) == "CONNECTING"

    kms.clock.advance(minutes=10)
    [store] = client.describe_custom_key_stores(CustomKeyStoreId=store_id)["CustomKeyStores"]
    assert (store["ConnectionState"], store["ConnectionErrorCode"]) == ("FAILED", "USER_LOCKED_OUT")


# --- the option -------------------------------------------------------------------------------


def test_without_delays_things_are_done_at_the_next_call():
    with mock_kms(delays="none") as kms:
        client = kms.client()
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        client.rotate_key_on_demand(KeyId=key_id)

        assert len(rotations(client, key_id)) == 1


def test_an_unknown_kind_of_delay_is_refused_with_those_that_there_are():
    with pytest.raises(TypeError, match="'kms' or 'all' or 'none'"):
        mock_kms(delays="some")


def test_a_checkpoint_keeps_what_is_under_way(kms, client):
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    client.rotate_key_on_demand(KeyId=key_id)
    checkpoint = kms.checkpoint()
    kms.clock.advance(minutes=2)
    assert len(rotations(client, key_id)) == 1

    kms.restore(checkpoint)
    assert rotations(client, key_id) == []
    kms.clock.advance(minutes=2)
    assert len(rotations(client, key_id)) == 1
