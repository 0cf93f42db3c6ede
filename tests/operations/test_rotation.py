"""Rotation: switched on and off, on demand, and its history."""

from __future__ import annotations

import contextlib
import os
from datetime import timedelta

import pytest

from kmsmock.keys import rotation as rotation_module
from tests.material import import_material, import_parameters
from tests.refusals import refused

NEW = "NEW_KEY_MATERIAL"
_SOON = timedelta(minutes=1)
NOT_SYMMETRIC = [
    pytest.param({"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}, id="RSA_2048"),
    pytest.param({"KeySpec": "ECC_NIST_P256", "KeyUsage": "KEY_AGREEMENT"}, id="ECC_NIST_P256"),
    pytest.param({"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}, id="HMAC_256"),
]
SWITCHES = ["enable_key_rotation", "disable_key_rotation"]


def status_of(client, key_id):
    answer = client.get_key_rotation_status(KeyId=key_id)
    del answer["ResponseMetadata"]
    return answer


def is_off(status):
    dates = {"RotationPeriodInDays", "NextRotationDate"}
    return status["KeyRotationEnabled"] is False and not dates & status.keys()


def rotations_of(client, key_id, **parameters):
    return client.list_key_rotations(KeyId=key_id, **parameters)["Rotations"]


def materials_of(client, key_id):
    return rotations_of(client, key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL")


def current_material_of(client, key_id):
    return client.describe_key(KeyId=key_id)["KeyMetadata"]["CurrentKeyMaterialId"]


# --- automatic rotation, switched on and off ------------------------------------------------


def test_rotation_is_off_at_first(client, new_key):
    key = new_key()

    assert is_off(status_of(client, key["KeyId"]))


@pytest.mark.parametrize("days", [None, 90, 2560])
def test_enabled_rotation_shows_its_period_and_next_date(kms, client, new_key, days):
    key = new_key()
    before = kms.clock.now()

    client.enable_key_rotation(
        KeyId=key["KeyId"], **({} if days is None else {"RotationPeriodInDays": days})
    )

    after = kms.clock.now()
    status = status_of(client, key["KeyId"])
    period = timedelta(days=days or 365)
    assert before <= status.pop("NextRotationDate") - period <= after
    assert status == {
        "KeyRotationEnabled": True,
        "KeyId": key["Arn"],
        "RotationPeriodInDays": days or 365,
    }


@pytest.mark.parametrize("again", [{}, {"RotationPeriodInDays": 100}], ids=["no", "same"])
def test_enabling_again_with_no_other_period_changes_nothing(kms, client, new_key, again):
    key_id = new_key()["KeyId"]
    client.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=100)
    before = status_of(client, key_id)
    kms.clock.advance(days=1)

    client.enable_key_rotation(KeyId=key_id, **again)

    assert status_of(client, key_id) == before


def test_enabling_again_with_another_period_starts_it_now(kms, client, new_key):
    key_id = new_key()["KeyId"]
    client.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=100)
    before = status_of(client, key_id)
    kms.clock.advance(days=1)

    client.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=200)

    step = status_of(client, key_id)["NextRotationDate"] - before["NextRotationDate"]
    assert timedelta(days=101) <= step < timedelta(days=101, minutes=1)


def test_the_period_is_forgotten_when_rotation_is_disabled(client, new_key):
    key = new_key()
    client.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=100)

    client.disable_key_rotation(KeyId=key["KeyId"])
    disabled = status_of(client, key["KeyId"])
    client.enable_key_rotation(KeyId=key["KeyId"])

    assert disabled == {"KeyRotationEnabled": False, "KeyId": key["Arn"]}
    assert status_of(client, key["KeyId"])["RotationPeriodInDays"] == 365


def test_a_period_that_is_too_long_is_refused(client, new_key):
    text = (
        "1 validation error detected: Value '2561' at 'rotationPeriodInDays' failed to satisfy "
        "constraint: Member must have value less than or equal to 2560"
    )

    with refused("ValidationException", text):
        client.enable_key_rotation(KeyId=new_key()["KeyId"], RotationPeriodInDays=2561)


@pytest.mark.parametrize("days", [90, 2560])
def test_the_shortest_and_the_longest_period_are_taken(kms, client, new_key, days):
    key_id = new_key()["KeyId"]
    before = kms.clock.now()
    client.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=days)

    status = status_of(client, key_id)
    assert status["RotationPeriodInDays"] == days
    assert timedelta() <= status["NextRotationDate"] - before - timedelta(days=days) < _SOON


@pytest.mark.parametrize(
    ("parameters", "allowed"),
    [({}, True), ({"RotationPeriodInDays": 365}, True), ({"RotationPeriodInDays": 366}, False)],
    ids=["left out", "365 days", "366 days"],
)
def test_policies_take_a_period_that_is_left_out_for_365_days(kms, new_key, parameters, allowed):
    statement = {
        "Effect": "Allow",
        "Action": "kms:EnableKeyRotation",
        "Resource": "*",
        "Condition": {"NumericEquals": {"kms:RotationPeriodInDays": "365"}},
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    role = kms.account("123456789012").role("Rotator", policies=[policy])
    key_id = new_key()["KeyId"]

    with contextlib.nullcontext() if allowed else refused("AccessDeniedException"):
        role.client("kms").enable_key_rotation(KeyId=key_id, **parameters)


def test_a_disabled_key_shows_its_rotation(client, new_key):
    key_id = new_key()["KeyId"]
    client.enable_key_rotation(KeyId=key_id)
    before = status_of(client, key_id)

    client.disable_key(KeyId=key_id)

    assert status_of(client, key_id) == before


def test_a_key_pending_deletion_does_not_show_it_until_that_is_cancelled(client, new_key):
    key = new_key()
    client.enable_key_rotation(KeyId=key["KeyId"])
    before = status_of(client, key["KeyId"])

    client.schedule_key_deletion(KeyId=key["KeyId"])
    pending = status_of(client, key["KeyId"])
    client.cancel_key_deletion(KeyId=key["KeyId"])

    assert is_off(pending)
    assert status_of(client, key["KeyId"]) == before


@pytest.mark.parametrize("parameters", NOT_SYMMETRIC)
def test_only_symmetric_encryption_keys_are_rotated(client, new_key, parameters):
    key = new_key(**parameters)

    for method in ("enable_key_rotation", "rotate_key_on_demand"):
        with refused("UnsupportedOperationException", ""):
            getattr(client, method)(KeyId=key["KeyId"])
    client.disable_key_rotation(KeyId=key["KeyId"])

    assert is_off(status_of(client, key["KeyId"]))


@pytest.mark.parametrize("parameters", NOT_SYMMETRIC)
def test_the_state_is_looked_at_before_the_spec(client, new_key, parameters):
    key = new_key(**parameters)
    client.disable_key(KeyId=key["KeyId"])

    for method in (*SWITCHES, "rotate_key_on_demand"):
        with refused("DisabledException", f"{key['Arn']} is disabled."):
            getattr(client, method)(KeyId=key["KeyId"])


@pytest.mark.parametrize("method", SWITCHES)
def test_imported_material_is_not_rotated_automatically_in_any_state(client, new_key, method):
    key = new_key(Origin="EXTERNAL")
    text = f"{key['Arn']} origin is EXTERNAL which is not valid for this operation."

    with refused("UnsupportedOperationException", text):
        getattr(client, method)(KeyId=key["KeyId"])
    import_material(client, key["KeyId"], os.urandom(32))
    client.disable_key(KeyId=key["KeyId"])
    with refused("UnsupportedOperationException", text):
        getattr(client, method)(KeyId=key["KeyId"])


# --- on demand --------------------------------------------------------------------------------


def test_a_rotation_on_demand_makes_new_material_current(client, new_key):
    key = new_key()
    blob = client.encrypt(KeyId=key["KeyId"], Plaintext=b"old")["CiphertextBlob"]

    answer = client.rotate_key_on_demand(KeyId=key["KeyId"])

    current = current_material_of(client, key["KeyId"])
    opened = client.decrypt(CiphertextBlob=blob)
    data_key = client.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256")
    assert answer["KeyId"] == key["Arn"]
    assert current != key["CurrentKeyMaterialId"]
    assert (opened["Plaintext"], opened["KeyMaterialId"]) == (b"old", key["CurrentKeyMaterialId"])
    assert data_key["KeyMaterialId"] == current


def test_reencrypting_under_the_same_key_moves_data_to_the_newest_material(client, new_key):
    key = new_key()
    blob = client.encrypt(KeyId=key["KeyId"], Plaintext=b"old")["CiphertextBlob"]
    client.rotate_key_on_demand(KeyId=key["KeyId"])

    answer = client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key["KeyId"])

    assert answer["SourceKeyMaterialId"] == key["CurrentKeyMaterialId"]
    assert answer["DestinationKeyMaterialId"] == current_material_of(client, key["KeyId"])
    opened = client.decrypt(CiphertextBlob=answer["CiphertextBlob"])
    assert opened["KeyMaterialId"] == answer["DestinationKeyMaterialId"]


def test_a_rotation_on_demand_leaves_the_schedule_alone(kms, client, new_key):
    key_id = new_key()["KeyId"]
    client.enable_key_rotation(KeyId=key_id)
    before = status_of(client, key_id)
    kms.clock.advance(days=1)

    client.rotate_key_on_demand(KeyId=key_id)

    assert status_of(client, key_id) == before


@pytest.mark.parametrize("method", ["disable_key", "schedule_key_deletion"])
def test_a_rotation_that_has_begun_is_completed(client, new_key, method):
    key = new_key()
    client.rotate_key_on_demand(KeyId=key["KeyId"])

    getattr(client, method)(KeyId=key["KeyId"])

    assert current_material_of(client, key["KeyId"]) != key["CurrentKeyMaterialId"]


def test_a_key_is_rotated_on_demand_25_times_and_no_more(kms, client, new_key):
    key = new_key()
    client.enable_key_rotation(KeyId=key["KeyId"])
    kms.clock.advance(days=365)  # rotations that come by themselves do not count
    for _ in range(25):
        client.rotate_key_on_demand(KeyId=key["KeyId"])
    text = (
        "The on-demand rotations limit has been reached for the given keyId. No more on-demand "
        f"rotations can be performed for this key: {key['Arn']}"
    )

    with refused("LimitExceededException", text):
        client.rotate_key_on_demand(KeyId=key["KeyId"])


# --- history ------------------------------------------------------------------------------------


def test_a_key_that_was_never_rotated_has_no_rotations(client, new_key):
    key = new_key()

    assert rotations_of(client, key["KeyId"]) == []
    assert materials_of(client, key["KeyId"]) == [
        {
            "KeyId": key["Arn"],
            "KeyMaterialId": key["CurrentKeyMaterialId"],
            "KeyMaterialState": "CURRENT",
        }
    ]


def test_the_history_has_the_oldest_first_and_the_first_material_only_on_request(
    kms, client, new_key
):
    key = new_key()
    for _ in range(2):
        kms.clock.advance(days=1)
        client.rotate_key_on_demand(KeyId=key["KeyId"])

    rotations, materials = rotations_of(client, key["KeyId"]), materials_of(client, key["KeyId"])

    assert materials[1:] == rotations
    assert materials[0] == {
        "KeyId": key["Arn"],
        "KeyMaterialId": key["CurrentKeyMaterialId"],
        "KeyMaterialState": "NON_CURRENT",
    }
    assert [r["KeyMaterialState"] for r in rotations] == ["NON_CURRENT", "CURRENT"]
    assert {r["RotationType"] for r in rotations} == {"ON_DEMAND"}
    first, second = (r["RotationDate"] for r in rotations)
    assert timedelta(days=1) <= second - first < timedelta(days=1, minutes=1)


@pytest.mark.parametrize("parameters", NOT_SYMMETRIC)
def test_keys_that_are_not_rotated_have_an_empty_history(client, new_key, parameters):
    key_id = new_key(**parameters)["KeyId"]
    text = "Input parameter includeKeyMaterial can only be used with symmetric keys."

    assert rotations_of(client, key_id) == []
    with refused("ValidationException", text):
        materials_of(client, key_id)


# --- imported material ----------------------------------------------------------------------------


@pytest.fixture
def external_key(client, new_key):
    """A key with one imported material."""
    key = new_key(Origin="EXTERNAL")
    import_material(client, key["KeyId"], os.urandom(32))
    return key


def test_without_new_material_there_is_nothing_to_rotate_to(client, external_key):
    text = f"No available key material pending rotation for the key: {external_key['Arn']}."

    with refused("KMSInvalidStateException", text):
        client.rotate_key_on_demand(KeyId=external_key["KeyId"])


def test_rotating_makes_the_imported_new_material_current(client, external_key):
    key_id = external_key["KeyId"]
    blob = client.encrypt(KeyId=key_id, Plaintext=b"old")["CiphertextBlob"]
    new = import_material(client, key_id, os.urandom(32), ImportType=NEW)["KeyMaterialId"]

    client.rotate_key_on_demand(KeyId=key_id)

    [rotation] = rotations_of(client, key_id)
    assert current_material_of(client, key_id) == rotation["KeyMaterialId"] == new
    assert (rotation["RotationType"], rotation["ImportState"]) == ("ON_DEMAND", "IMPORTED")
    assert client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"old"


def test_waiting_material_is_no_rotation_yet(client, external_key):
    key_id = external_key["KeyId"]
    import_material(client, key_id, os.urandom(32), ImportType=NEW)

    assert rotations_of(client, key_id) == []
    assert not {"RotationDate", "RotationType"} & set(materials_of(client, key_id)[-1])


def test_imported_material_counts_towards_the_limit(client, external_key, monkeypatch):
    monkeypatch.setattr(rotation_module, "ON_DEMAND_LIMIT", 1)
    key_id = external_key["KeyId"]
    import_material(client, key_id, os.urandom(32), ImportType=NEW)
    client.rotate_key_on_demand(KeyId=key_id)
    import_material(client, key_id, os.urandom(32), ImportType=NEW)

    with refused("LimitExceededException"):
        client.rotate_key_on_demand(KeyId=key_id)


def test_data_of_every_material_decrypts_after_many_rotations(client, external_key):
    key_id = external_key["KeyId"]
    blobs = []
    for number in range(3):
        plaintext = bytes([number])
        blobs.append(client.encrypt(KeyId=key_id, Plaintext=plaintext)["CiphertextBlob"])
        request = import_parameters(client, key_id, os.urandom(32))
        client.import_key_material(
            **request, ImportType=NEW, ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE"
        )
        client.rotate_key_on_demand(KeyId=key_id)

    opened = [client.decrypt(CiphertextBlob=blob) for blob in blobs]

    assert [answer["Plaintext"] for answer in opened] == [b"\0", b"\1", b"\2"]
    assert len({answer["KeyMaterialId"] for answer in opened}) == 3


# --- automatic rotation, on the clock ---------------------------------------------------------


def test_a_rotated_key_opens_what_each_of_its_materials_has_encrypted(kms, client, new_key):
    key_id = new_key()["KeyId"]
    client.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=100)
    blobs, materials = [], []
    for _ in range(4):
        materials.append(current_material_of(client, key_id))
        blobs.append(client.encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"])
        kms.clock.advance(days=100)

    assert len(set(materials)) == 4
    answers = [client.decrypt(CiphertextBlob=blob) for blob in blobs]
    assert [answer["Plaintext"] for answer in answers] == [b"text"] * 4
    assert [answer["KeyMaterialId"] for answer in answers] == materials


def test_each_rotation_has_its_own_date_however_far_the_clock_jumps(kms, client, new_key):
    key_id = new_key()["KeyId"]
    client.enable_key_rotation(KeyId=key_id)
    first = status_of(client, key_id)["NextRotationDate"]
    kms.clock.advance(days=3 * 365)

    rotations = rotations_of(client, key_id)
    dates = [first + timedelta(days=365 * n) for n in range(3)]
    assert [rotation["RotationDate"] for rotation in rotations] == dates
    assert {rotation["RotationType"] for rotation in rotations} == {"AUTOMATIC"}
    states = [material["KeyMaterialState"] for material in materials_of(client, key_id)]
    assert states == ["NON_CURRENT"] * 3 + ["CURRENT"]
    assert status_of(client, key_id)["NextRotationDate"] == first + timedelta(days=3 * 365)


def test_a_key_whose_rotation_was_switched_off_keeps_its_material(kms, client, new_key):
    key_id = new_key()["KeyId"]
    client.enable_key_rotation(KeyId=key_id)
    client.disable_key_rotation(KeyId=key_id)
    kms.clock.advance(days=400)

    assert rotations_of(client, key_id) == []


def test_rotation_switched_on_again_begins_again(kms, client, new_key):
    key_id = new_key()["KeyId"]
    client.enable_key_rotation(KeyId=key_id)
    kms.clock.advance(days=300)
    client.disable_key_rotation(KeyId=key_id)
    client.enable_key_rotation(KeyId=key_id)
    kms.clock.advance(days=100)
    assert rotations_of(client, key_id) == []

    kms.clock.advance(days=265)
    assert len(rotations_of(client, key_id)) == 1


def test_another_period_counts_from_now(kms, client, new_key):
    key_id = new_key()["KeyId"]
    client.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=100)
    kms.clock.advance(days=50)
    client.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=200)
    kms.clock.advance(days=199)
    assert rotations_of(client, key_id) == []

    kms.clock.advance(days=1)
    assert len(rotations_of(client, key_id)) == 1


@pytest.mark.parametrize("how", ["disabled", "pending deletion"])
def test_a_rotation_that_a_key_missed_is_made_up_for_when_it_is_enabled(kms, client, new_key, how):
    key_id = new_key()["KeyId"]
    client.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=90)
    kms.clock.advance(days=80)
    if how == "disabled":
        client.disable_key(KeyId=key_id)
    else:
        client.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=30)
    kms.clock.advance(days=20)
    assert rotations_of(client, key_id) == []

    if how == "pending deletion":
        client.cancel_key_deletion(KeyId=key_id)
    client.enable_key(KeyId=key_id)
    assert len(rotations_of(client, key_id)) == 1
    next_date = status_of(client, key_id)["NextRotationDate"]
    assert next_date - kms.clock.now() > timedelta(days=89)


def test_a_key_enabled_in_time_keeps_its_schedule(kms, client, new_key):
    key_id = new_key()["KeyId"]
    client.enable_key_rotation(KeyId=key_id)
    before = status_of(client, key_id)
    client.disable_key(KeyId=key_id)
    kms.clock.advance(days=10)
    client.enable_key(KeyId=key_id)

    assert rotations_of(client, key_id) == []
    assert status_of(client, key_id) == before


def test_replicas_rotate_with_their_primary(kms, client, new_key):
    key_id = new_key(MultiRegion=True)["KeyId"]
    client.replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")
    replica = kms.client(region="eu-west-1")
    client.enable_key_rotation(KeyId=key_id)
    client.update_primary_region(KeyId=key_id, PrimaryRegion="eu-west-1")
    kms.clock.advance(days=365)

    assert len(rotations_of(client, key_id)) == 1
    blob = client.encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"]
    assert replica.decrypt(CiphertextBlob=blob)["Plaintext"] == b"text"
    assert current_material_of(replica, key_id) == current_material_of(client, key_id)


def test_rotations_on_demand_do_not_move_the_schedule(kms, client, new_key):
    key_id = new_key()["KeyId"]
    client.enable_key_rotation(KeyId=key_id)
    before = status_of(client, key_id)["NextRotationDate"]
    kms.clock.advance(days=100)
    client.rotate_key_on_demand(KeyId=key_id)
    client.describe_key(KeyId=key_id)

    assert status_of(client, key_id)["NextRotationDate"] == before
    kms.clock.advance(days=265)
    types = [rotation["RotationType"] for rotation in rotations_of(client, key_id)]
    assert types == ["ON_DEMAND", "AUTOMATIC"]


def test_rotations_are_in_the_trail_as_what_the_service_did(kms, client, new_key):
    key = new_key()
    client.enable_key_rotation(KeyId=key["KeyId"])
    before = current_material_of(client, key["KeyId"])
    kms.clock.advance(days=365)

    (record,) = kms.trail.lookup("RotateKey")
    assert record["eventType"] == "AwsServiceEvent"
    assert record["userIdentity"] == {"accountId": key["AWSAccountId"], "invokedBy": "AWS Internal"}
    assert record["serviceEventDetails"] == {
        "rotationType": "AUTOMATIC",
        "keyOrigin": "AWS_KMS",
        "previousKeyMaterialId": before,
        "currentKeyMaterialId": current_material_of(client, key["KeyId"]),
        "keyId": key["KeyId"],
    }
    assert "requestID" not in record


def test_a_deleted_key_is_in_the_trail_and_rotates_no_more(kms, client, new_key):
    key_id = new_key()["KeyId"]
    client.enable_key_rotation(KeyId=key_id)
    client.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    kms.clock.advance(days=1000)

    assert [e["eventName"] for e in kms.trail.events if e["eventType"] == "AwsServiceEvent"] == [
        "DeleteKey"
    ]


def test_a_checkpoint_brings_back_the_schedule(kms, client, new_key):
    key_id = new_key()["KeyId"]
    client.enable_key_rotation(KeyId=key_id)
    checkpoint = kms.checkpoint()
    for _ in range(2):
        kms.clock.advance(days=400)
        assert len(rotations_of(client, key_id)) == 1
        kms.restore(checkpoint)
        assert rotations_of(client, key_id) == []
        assert kms.trail.lookup("RotateKey") == []
