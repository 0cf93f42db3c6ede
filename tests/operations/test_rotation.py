"""Rotation of key material: switching it on, on demand, its history."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kmsmock.keys import rotation as rotation_module
from tests.models import installed
from tests.refusals import refused


def status(client, key_id):
    answer = client.get_key_rotation_status(KeyId=key_id)
    del answer["ResponseMetadata"]
    return answer


def test_rotation_is_off_at_first(client, new_key):
    key = new_key()

    expected = {"KeyRotationEnabled": False, "KeyId": key["Arn"]}
    assert status(client, key["KeyId"]) == installed(
        client, "GetKeyRotationStatusResponse", expected
    )


@pytest.mark.parametrize(("given", "days"), [({}, 365), ({"RotationPeriodInDays": 90}, 90)])
def test_rotation_is_due_one_period_after_it_was_enabled(kms, client, new_key, given, days):
    key_id = new_key()["KeyId"]

    client.enable_key_rotation(KeyId=key_id, **given)

    shown = status(client, key_id)
    assert (shown["KeyRotationEnabled"], shown["RotationPeriodInDays"]) == (True, days)
    due = shown["NextRotationDate"] - kms.clock.now()
    assert timedelta(days=days, seconds=-10) < due <= timedelta(days=days)


def test_the_same_period_again_changes_nothing_another_starts_anew(kms, client, new_key):
    key_id = new_key()["KeyId"]
    client.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=100)
    first = status(client, key_id)
    kms.clock.advance(days=10)

    client.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=100)
    client.enable_key_rotation(KeyId=key_id)
    assert status(client, key_id) == first
    client.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=200)

    assert status(client, key_id)["NextRotationDate"] > first["NextRotationDate"]


def test_after_disabling_the_period_is_the_default_again(client, new_key):
    key_id = new_key()["KeyId"]
    client.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=100)

    client.disable_key_rotation(KeyId=key_id)
    assert status(client, key_id)["KeyRotationEnabled"] is False
    client.enable_key_rotation(KeyId=key_id)

    assert status(client, key_id)["RotationPeriodInDays"] == 365


def test_a_key_pending_deletion_shows_no_dates_and_gets_them_back(client, new_key):
    key_id = new_key()["KeyId"]
    client.enable_key_rotation(KeyId=key_id)
    before = status(client, key_id)

    client.schedule_key_deletion(KeyId=key_id)
    pending = status(client, key_id)
    client.cancel_key_deletion(KeyId=key_id)

    assert (pending["KeyRotationEnabled"], "NextRotationDate" in pending) == (False, False)
    assert status(client, key_id) == before


@pytest.mark.parametrize(
    ("days", "constraint"),
    [(89, "greater than or equal to 90"), (2561, "less than or equal to 2560")],
)
def test_a_period_out_of_range_is_refused(new_key, days, constraint):
    import boto3
    from botocore.config import Config

    key_id = new_key()["KeyId"]
    unchecked = boto3.client("kms", config=Config(parameter_validation=False))
    text = (
        f"1 validation error detected: Value '{days}' at 'rotationPeriodInDays' failed to satisfy "
        f"constraint: Member must have value {constraint}"
    )

    with refused("ValidationException", text):
        unchecked.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=days)


@pytest.mark.parametrize(
    "kind",
    [
        {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"},
        {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
    ],
    ids=["RSA", "HMAC"],
)
def test_only_symmetric_encryption_keys_are_rotated(client, new_key, kind):
    key = new_key(**kind)

    with refused("UnsupportedOperationException", ""):
        client.enable_key_rotation(KeyId=key["KeyId"])
    with refused("UnsupportedOperationException", ""):
        client.rotate_key_on_demand(KeyId=key["KeyId"])
    client.disable_key_rotation(KeyId=key["KeyId"])

    assert status(client, key["KeyId"]) == {"KeyRotationEnabled": False, "KeyId": key["Arn"]}
    assert client.list_key_rotations(KeyId=key["KeyId"])["Rotations"] == []
    text = "Input parameter includeKeyMaterial can only be used with symmetric keys."
    with refused("ValidationException", text):
        client.list_key_rotations(KeyId=key["KeyId"], IncludeKeyMaterial="ALL_KEY_MATERIAL")


@pytest.mark.parametrize("method", ["enable_key_rotation", "disable_key_rotation"])
def test_imported_keys_are_not_rotated_automatically(client, new_key, method):
    key = new_key(Origin="EXTERNAL")
    text = f"{key['Arn']} origin is EXTERNAL which is not valid for this operation."

    with refused("UnsupportedOperationException", text):
        getattr(client, method)(KeyId=key["KeyId"])


@pytest.mark.parametrize(
    ("method", "operation"),
    [
        ("enable_key_rotation", "EnableKeyRotation"),
        ("disable_key_rotation", "DisableKeyRotation"),
        ("rotate_key_on_demand", "RotateKeyOnDemand"),
    ],
)
def test_rotation_is_not_set_on_a_replica(kms, client, new_key, method, operation):
    key_id = new_key(MultiRegion=True)["KeyId"]
    client.replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")
    there = kms.client(region="eu-west-1")
    arn = f"arn:aws:kms:eu-west-1:123456789012:key/{key_id}"
    text = f"{arn} is a multi-region replica key which is not valid for {operation}."

    with refused("UnsupportedOperationException", text):
        getattr(there, method)(KeyId=key_id)


def test_a_rotation_on_demand_is_done_at_the_next_call(client, new_key):
    key = new_key()
    blob = client.encrypt(KeyId=key["KeyId"], Plaintext=b"old")["CiphertextBlob"]

    answer = client.rotate_key_on_demand(KeyId=key["KeyId"])

    metadata = client.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    assert answer["KeyId"] == key["Arn"]
    assert metadata["CurrentKeyMaterialId"] != key["CurrentKeyMaterialId"]
    opened = client.decrypt(CiphertextBlob=blob)
    assert opened["Plaintext"] == b"old"
    assert opened["KeyMaterialId"] == key["CurrentKeyMaterialId"]
    new_blob = client.encrypt(KeyId=key["KeyId"], Plaintext=b"new")["CiphertextBlob"]
    assert (
        client.decrypt(CiphertextBlob=new_blob)["KeyMaterialId"] == metadata["CurrentKeyMaterialId"]
    )


def test_reencrypt_moves_data_to_the_newest_material(client, new_key):
    key = new_key()
    blob = client.encrypt(KeyId=key["KeyId"], Plaintext=b"old")["CiphertextBlob"]
    client.rotate_key_on_demand(KeyId=key["KeyId"])

    answer = client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key["KeyId"])

    assert answer["SourceKeyMaterialId"] == key["CurrentKeyMaterialId"]
    assert answer["DestinationKeyMaterialId"] != key["CurrentKeyMaterialId"]


def test_the_history_lists_rotations_or_all_materials(client, new_key):
    key = new_key()
    for _ in range(2):
        client.rotate_key_on_demand(KeyId=key["KeyId"])

    rotations = client.list_key_rotations(KeyId=key["KeyId"])["Rotations"]
    everything = client.list_key_rotations(
        KeyId=key["KeyId"], IncludeKeyMaterial="ALL_KEY_MATERIAL"
    )["Rotations"]

    assert [r["KeyMaterialState"] for r in everything] == ["NON_CURRENT", "NON_CURRENT", "CURRENT"]
    assert everything[0] == {
        "KeyId": key["Arn"],
        "KeyMaterialId": key["CurrentKeyMaterialId"],
        "KeyMaterialState": "NON_CURRENT",
    }
    assert rotations == everything[1:]
    assert all(r["RotationType"] == "ON_DEMAND" for r in rotations)


def test_rotations_on_demand_are_limited(client, new_key, monkeypatch):
    monkeypatch.setattr(rotation_module, "ON_DEMAND_LIMIT", 2)
    key = new_key()
    for _ in range(2):
        client.rotate_key_on_demand(KeyId=key["KeyId"])
    text = (
        "The on-demand rotations limit has been reached for the given keyId. No more on-demand "
        f"rotations can be performed for this key: {key['Arn']}"
    )

    with refused("LimitExceededException", text):
        client.rotate_key_on_demand(KeyId=key["KeyId"])


def test_a_wrong_marker_is_refused_without_text(client, new_key):
    with refused("InvalidMarkerException", ""):
        client.list_key_rotations(KeyId=new_key()["KeyId"], Marker="x")
