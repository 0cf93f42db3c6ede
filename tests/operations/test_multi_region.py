"""Multi-Region keys: a primary key, its replicas, and what they share."""

from __future__ import annotations

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from tests.material import import_material, import_parameters
from tests.refusals import refused

ACCOUNT = "123456789012"
HOME, AWAY, FAR = "us-east-1", "eu-west-1", "ap-south-1"
NEW = "NEW_KEY_MATERIAL"


@pytest.fixture
def away(kms):
    """A client of the Region that replicas are made in."""
    return kms.client(region=AWAY)


@pytest.fixture
def primary(new_key):
    """A multi-Region primary key without replicas."""
    return new_key(MultiRegion=True)


@pytest.fixture
def replica(client, primary):
    """A replica of the primary key, ready for use."""
    answer = client.replicate_key(KeyId=primary["KeyId"], ReplicaRegion=AWAY)
    return answer["ReplicaKeyMetadata"]


def metadata_of(client, key):
    return client.describe_key(KeyId=key["KeyId"])["KeyMetadata"]


def replicate(client, key, region=AWAY, **parameters):
    return client.replicate_key(KeyId=key["KeyId"], ReplicaRegion=region, **parameters)


# --- ReplicateKey ---------------------------------------------------------------------------


def test_a_new_replica_is_being_created(client, primary):
    answer = replicate(client, primary)

    metadata = answer["ReplicaKeyMetadata"]
    arn = primary["Arn"].replace(HOME, AWAY)
    assert "ReplicaTags" not in answer
    assert '"AWS" : "arn:aws:iam::123456789012:root"' in answer["ReplicaPolicy"]
    assert metadata.pop("CreationDate")
    assert metadata == {
        "AWSAccountId": ACCOUNT,
        "KeyId": primary["KeyId"],
        "Arn": arn,
        "Enabled": False,
        "Description": "",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": "Creating",
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": True,
        "MultiRegionConfiguration": {
            "MultiRegionKeyType": "REPLICA",
            "PrimaryKey": {"Arn": primary["Arn"], "Region": HOME},
            "ReplicaKeys": [{"Arn": arn, "Region": AWAY}],
        },
    }


def test_a_replica_is_enabled_a_moment_later(away, primary, replica):
    metadata = metadata_of(away, replica)

    assert (metadata["KeyState"], metadata["Enabled"]) == ("Enabled", True)
    assert metadata["CurrentKeyMaterialId"] == primary["CurrentKeyMaterialId"]


def test_the_first_multi_region_key_makes_the_service_linked_role(kms, new_key):
    iam, name = kms.client("iam"), "AWSServiceRoleForKeyManagementServiceMultiRegionKeys"
    new_key()
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.get_role(RoleName=name)

    new_key(MultiRegion=True)
    made = iam.get_role(RoleName=name)["Role"]
    new_key(MultiRegion=True)

    assert iam.get_role(RoleName=name)["Role"] == made
    assert made["Path"] == "/aws-service-role/mrk.kms.amazonaws.com/"
    trusted = made["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]
    assert trusted == {"Service": "mrk.kms.amazonaws.com"}
    [attached] = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert attached["PolicyArn"] == (
        "arn:aws:iam::aws:policy/aws-service-role/"
        "AWSKeyManagementServiceMultiRegionKeysServiceRolePolicy"
    )
    with pytest.raises(ClientError, match="UnmodifiableEntity"):
        iam.delete_role(RoleName=name)


def test_updating_the_primary_region_to_its_own_changes_nothing(client, new_key):
    key = new_key(MultiRegion=True)

    client.update_primary_region(KeyId=key["KeyId"], PrimaryRegion="us-east-1")

    assert metadata_of(client, key) == key


def test_a_replica_has_description_tags_and_policy_of_its_own(client, away, new_key):
    primary = new_key(
        MultiRegion=True, Description="primary", Tags=[{"TagKey": "a", "TagValue": "b"}]
    )
    tags = [{"TagKey": "where", "TagValue": "away"}]
    default = client.get_key_policy(KeyId=primary["KeyId"])["Policy"]
    policy = default.replace("key-default-1", "away")

    answer = replicate(client, primary, Description="replica", Tags=tags, Policy=policy)

    assert (answer["ReplicaTags"], answer["ReplicaPolicy"]) == (tags, policy)
    assert metadata_of(away, primary)["Description"] == "replica"
    assert away.list_resource_tags(KeyId=primary["KeyId"])["Tags"] == tags
    assert away.get_key_policy(KeyId=primary["KeyId"])["Policy"] == policy
    assert metadata_of(client, primary)["Description"] == "primary"


def test_a_replica_has_nothing_of_its_primarys_that_is_not_shared(client, away, new_key):
    primary = new_key(
        MultiRegion=True, Description="primary", Tags=[{"TagKey": "a", "TagValue": "b"}]
    )
    client.create_alias(AliasName="alias/app", TargetKeyId=primary["KeyId"])

    replicate(client, primary)

    assert metadata_of(away, primary)["Description"] == ""
    assert away.list_resource_tags(KeyId=primary["KeyId"])["Tags"] == []
    assert away.list_aliases(KeyId=primary["KeyId"])["Aliases"] == []


@pytest.mark.parametrize(
    ("region", "code", "message"),
    [
        pytest.param(
            HOME,
            "ValidationException",
            "us-east-1 cannot have a replica because it contains the primary.",
            id="the primary's Region",
        ),
        pytest.param(
            "cn-north-1",
            "ValidationException",
            "The replica key Region must be in the same AWS partition as the primary key Region.",
            id="another partition",
        ),
        pytest.param(
            "us-invalid-1",
            "ValidationException",
            "Region us-invalid-1 is not a valid Region or multi-Region keys are not supported in "
            "Region us-invalid-1.",
            id="no Region",
        ),
        pytest.param(
            "here",
            "ValidationException",
            "1 validation error detected: Value 'here' at 'replicaRegion' failed to satisfy "
            r"constraint: Member must satisfy regular expression pattern: ^([a-z]+-){2,3}\d+$",
            id="not the form of a Region",
        ),
    ],
)
def test_a_region_that_cannot_have_a_replica_is_refused(client, primary, region, code, message):
    with refused(code, message):
        replicate(client, primary, region)


def test_a_second_replica_in_a_region_is_refused_even_while_the_first_is_going(
    client, away, primary, replica
):
    text = "You can create only one replica of each primary key in each AWS Region."

    with refused("AlreadyExistsException", text):
        replicate(client, primary)
    away.schedule_key_deletion(KeyId=replica["KeyId"])
    with refused("AlreadyExistsException", text):
        replicate(client, primary)


def test_only_a_primary_key_is_replicated(client, away, new_key, replica):
    single = new_key()

    for asked, key in ((away, replica), (client, single)):
        text = f"{key['Arn']} is not a multi-region primary key."
        with refused("UnsupportedOperationException", text):
            replicate(asked, key, FAR)


# --- what related keys share ------------------------------------------------------------------


def test_a_replica_decrypts_what_the_primary_encrypted_and_the_reverse(
    client, away, primary, replica
):
    for source, target, arn in (
        (client, away, replica["Arn"]),
        (away, client, primary["Arn"]),
    ):
        blob = source.encrypt(KeyId=primary["KeyId"], Plaintext=b"text")["CiphertextBlob"]

        for named in ({}, {"KeyId": primary["KeyId"]}, {"KeyId": arn}):
            answer = target.decrypt(CiphertextBlob=blob, **named)
            assert (answer["Plaintext"], answer["KeyId"]) == (b"text", arn)


@pytest.mark.usefixtures("replica")
def test_the_arn_of_the_other_region_is_an_incorrect_key(client, away, primary):
    blob = client.encrypt(KeyId=primary["KeyId"], Plaintext=b"text")["CiphertextBlob"]
    text = "The key ID in the request does not identify a CMK that can perform this operation."

    with refused("IncorrectKeyException", text):
        away.decrypt(CiphertextBlob=blob, KeyId=primary["Arn"])


@pytest.mark.parametrize(
    ("spec", "usage", "method", "parameters", "member"),
    [
        (
            "RSA_2048",
            "SIGN_VERIFY",
            "sign",
            {"Message": b"text", "SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"},
            "Signature",
        ),
        (
            "HMAC_256",
            "GENERATE_VERIFY_MAC",
            "generate_mac",
            {"Message": b"text", "MacAlgorithm": "HMAC_SHA_256"},
            "Mac",
        ),
        ("ECC_NIST_P384", "KEY_AGREEMENT", "get_public_key", {}, "PublicKey"),
    ],
)
def test_a_replica_has_the_same_material(
    client, away, new_key, spec, usage, method, parameters, member
):
    key = new_key(KeySpec=spec, KeyUsage=usage, MultiRegion=True)
    replicate(client, key)

    answers = [
        getattr(asked, method)(KeyId=key["KeyId"], **parameters)[member] for asked in (away, client)
    ]

    assert answers[0] == answers[1]


@pytest.mark.usefixtures("replica")
def test_the_state_of_each_key_is_its_own(client, away, primary):
    blob = client.encrypt(KeyId=primary["KeyId"], Plaintext=b"text")["CiphertextBlob"]

    client.disable_key(KeyId=primary["KeyId"])

    assert away.decrypt(CiphertextBlob=blob)["Plaintext"] == b"text"
    with refused("DisabledException", f"{primary['Arn']} is disabled."):
        client.decrypt(CiphertextBlob=blob)


def test_the_last_use_of_each_key_is_its_own(client, away, primary, replica):
    away.encrypt(KeyId=replica["KeyId"], Plaintext=b"text")

    assert client.get_key_last_usage(KeyId=primary["KeyId"])["KeyLastUsage"] == {}
    assert away.get_key_last_usage(KeyId=replica["KeyId"])["KeyLastUsage"]


def test_a_replica_shows_the_rotation_of_its_primary(client, away, primary, replica):
    client.enable_key_rotation(KeyId=primary["KeyId"], RotationPeriodInDays=100)
    client.rotate_key_on_demand(KeyId=primary["KeyId"])

    there, here = (
        asked.get_key_rotation_status(KeyId=primary["KeyId"]) for asked in (away, client)
    )
    history_there, history_here = (
        asked.list_key_rotations(KeyId=primary["KeyId"])["Rotations"] for asked in (away, client)
    )

    assert there["KeyId"] == replica["Arn"]
    for member in ("KeyRotationEnabled", "RotationPeriodInDays", "NextRotationDate"):
        assert there[member] == here[member]
    for member in ("KeyMaterialId", "RotationDate"):
        assert history_there[0][member] == history_here[0][member]


def test_a_replica_follows_a_rotation_of_its_primary(client, away, primary, replica):
    client.rotate_key_on_demand(KeyId=primary["KeyId"])
    blob = client.encrypt(KeyId=primary["KeyId"], Plaintext=b"text")["CiphertextBlob"]

    answer = away.decrypt(CiphertextBlob=blob)

    assert answer["KeyMaterialId"] == metadata_of(away, replica)["CurrentKeyMaterialId"]
    assert answer["KeyMaterialId"] != primary["CurrentKeyMaterialId"]


@pytest.mark.parametrize(
    ("method", "operation"),
    [
        ("enable_key_rotation", "EnableKeyRotation"),
        ("disable_key_rotation", "DisableKeyRotation"),
        ("rotate_key_on_demand", "RotateKeyOnDemand"),
    ],
)
def test_rotation_is_managed_on_the_primary_only(away, replica, method, operation):
    text = f"{replica['Arn']} is a multi-region replica key which is not valid for {operation}."

    with refused("UnsupportedOperationException", text):
        getattr(away, method)(KeyId=replica["KeyId"])


# --- UpdatePrimaryRegion ----------------------------------------------------------------------


def test_a_replica_becomes_the_primary(client, away, primary, replica):
    client.enable_key_rotation(KeyId=primary["KeyId"])

    client.update_primary_region(KeyId=primary["KeyId"], PrimaryRegion=AWAY)

    for asked, kind in ((client, "REPLICA"), (away, "PRIMARY")):
        metadata = metadata_of(asked, primary)
        assert metadata["KeyState"] == "Enabled"
        assert metadata["MultiRegionConfiguration"] == {
            "MultiRegionKeyType": kind,
            "PrimaryKey": {"Arn": replica["Arn"], "Region": AWAY},
            "ReplicaKeys": [{"Arn": primary["Arn"], "Region": HOME}],
        }
    assert away.get_key_rotation_status(KeyId=replica["KeyId"])["KeyRotationEnabled"]
    assert replicate(away, replica, FAR)


def test_descriptions_stay_where_they_are_when_the_primary_moves(client, away, new_key):
    key = new_key(MultiRegion=True, Description="home")
    replicate(client, key, Description="away")

    client.update_primary_region(KeyId=key["KeyId"], PrimaryRegion=AWAY)

    assert metadata_of(client, key)["Description"] == "home"
    assert metadata_of(away, key)["Description"] == "away"


def test_the_current_primary_may_be_named_and_nothing_changes(client, primary):
    client.update_primary_region(KeyId=primary["KeyId"], PrimaryRegion=HOME)

    assert metadata_of(client, primary) == primary


def test_a_region_without_replica_cannot_be_primary(client, primary):
    text = f"{primary['KeyId']} does not have a replica key in the specified Region."

    with refused("ValidationException", text):
        client.update_primary_region(KeyId=primary["KeyId"], PrimaryRegion=AWAY)


def test_the_primary_is_changed_where_it_is(away, replica):
    text = f"{replica['Arn']} is not a multi-Region primary key."

    with refused("KMSInvalidStateException", text):
        away.update_primary_region(KeyId=replica["KeyId"], PrimaryRegion=AWAY)


def test_a_single_region_key_has_no_primary_to_change(client, new_key):
    with refused("UnsupportedOperationException"):
        client.update_primary_region(KeyId=new_key()["KeyId"], PrimaryRegion=AWAY)


@pytest.mark.parametrize(
    ("method", "code", "text"),
    [
        ("disable_key", "DisabledException", "is disabled."),
        ("schedule_key_deletion", "KMSInvalidStateException", "is pending deletion."),
    ],
)
def test_a_replica_that_is_not_enabled_cannot_be_primary(
    client, away, primary, replica, method, code, text
):
    getattr(away, method)(KeyId=replica["KeyId"])

    with refused(code, f"{replica['Arn']} {text}"):
        client.update_primary_region(KeyId=primary["KeyId"], PrimaryRegion=AWAY)


# --- deletion ---------------------------------------------------------------------------------


def test_a_primary_waits_for_its_replicas(kms, client, away, primary, replica):
    answer = client.schedule_key_deletion(KeyId=primary["KeyId"], PendingWindowInDays=10)
    waiting = metadata_of(client, primary)
    away.schedule_key_deletion(KeyId=replica["KeyId"], PendingWindowInDays=7)

    kms.clock.advance(days=7)
    pending = metadata_of(client, primary)
    gone = kms.clock.now()
    kms.clock.advance(days=10)

    assert (answer["KeyState"], answer["PendingWindowInDays"]) == ("PendingReplicaDeletion", 10)
    assert "DeletionDate" not in {**answer, **waiting}
    assert waiting["PendingDeletionWindowInDays"] == 10
    assert pending["KeyState"] == "PendingDeletion"
    assert timedelta() <= gone + timedelta(days=10) - pending["DeletionDate"] < timedelta(minutes=1)
    assert kms.keys == ()


def test_a_replica_that_is_going_is_still_listed(client, away, primary, replica):
    away.schedule_key_deletion(KeyId=replica["KeyId"])

    configuration = metadata_of(client, primary)["MultiRegionConfiguration"]

    assert configuration["ReplicaKeys"] == [{"Arn": replica["Arn"], "Region": AWAY}]


def test_a_replica_that_is_gone_can_be_made_again(kms, client, away, primary, replica):
    away.schedule_key_deletion(KeyId=replica["KeyId"], PendingWindowInDays=7)
    kms.clock.advance(days=7)

    assert metadata_of(client, primary)["MultiRegionConfiguration"]["ReplicaKeys"] == []
    assert replicate(client, primary)


def test_a_cancelled_deletion_of_a_primary_leaves_it_disabled(kms, client, away, primary, replica):
    client.schedule_key_deletion(KeyId=primary["KeyId"])
    client.cancel_key_deletion(KeyId=primary["KeyId"])
    away.schedule_key_deletion(KeyId=replica["KeyId"], PendingWindowInDays=7)

    kms.clock.advance(days=60)

    metadata = metadata_of(client, primary)
    assert metadata["KeyState"] == "Disabled"
    assert not {"DeletionDate", "PendingDeletionWindowInDays"} & set(metadata)


# --- imported material ------------------------------------------------------------------------


@pytest.fixture
def external(client, new_key):
    """A multi-Region primary key with imported material."""
    key = new_key(MultiRegion=True, Origin="EXTERNAL")
    import_material(client, key["KeyId"], b"1" * 32)
    return key


def states_of(client, key):
    answer = client.list_key_rotations(KeyId=key["KeyId"], IncludeKeyMaterial="ALL_KEY_MATERIAL")
    return [(m["KeyMaterialState"], m["ImportState"]) for m in answer["Rotations"]]


def test_a_replica_gets_no_imported_material_but_knows_it(client, away, external):
    created = replicate(client, external)["ReplicaKeyMetadata"]

    metadata = metadata_of(away, external)
    expected = metadata_of(client, external)["CurrentKeyMaterialId"]
    assert created["ExpirationModel"] == "KEY_MATERIAL_DOES_NOT_EXPIRE"
    assert "CurrentKeyMaterialId" not in created
    assert (metadata["KeyState"], metadata["CurrentKeyMaterialId"]) == ("PendingImport", expected)
    assert "ExpirationModel" not in metadata
    assert states_of(away, external) == [("CURRENT", "PENDING_IMPORT")]


def test_the_same_material_makes_a_replica_usable(client, away, external):
    replicate(client, external)
    blob = client.encrypt(KeyId=external["KeyId"], Plaintext=b"text")["CiphertextBlob"]

    answer = import_material(away, external["KeyId"], b"1" * 32)

    assert answer["KeyMaterialId"] == metadata_of(client, external)["CurrentKeyMaterialId"]
    assert away.decrypt(CiphertextBlob=blob)["Plaintext"] == b"text"


def test_other_material_is_refused_by_a_replica(client, away, external):
    replicate(client, external)
    expected = metadata_of(client, external)["CurrentKeyMaterialId"]
    text = f"Imported key material does not have the expected identifier ({expected})."

    with refused("IncorrectKeyMaterialException", text):
        import_material(away, external["KeyId"], b"2" * 32)


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        (
            {"ImportType": NEW},
            "Input parameter ImportType NEW_KEY_MATERIAL cannot be used on replica Multi-Region "
            "keys",
        ),
        (
            {"KeyMaterialDescription": "text"},
            "Key material description can only be specified on primary Multi-Region keys",
        ),
    ],
)
def test_new_material_and_descriptions_are_for_the_primary(
    client, away, external, parameters, text
):
    replicate(client, external)

    with refused("ValidationException", text):
        import_material(away, external["KeyId"], b"1" * 32, **parameters)


def test_new_material_is_rotated_to_when_every_replica_has_it(client, away, external):
    key_id = external["KeyId"]
    replicate(client, external)
    import_material(away, key_id, b"1" * 32)
    import_material(client, key_id, b"2" * 32, ImportType=NEW)
    text = (
        "Cannot perform key material rotation: Key material has not been imported for replicas of "
        "the Multi-Region key."
    )

    assert states_of(client, external)[-1] == (
        "PENDING_MULTI_REGION_IMPORT_AND_ROTATION",
        "IMPORTED",
    )
    with refused("KMSInvalidStateException", text):
        client.rotate_key_on_demand(KeyId=key_id)
    import_material(away, key_id, b"2" * 32)
    assert states_of(client, external)[-1] == ("PENDING_ROTATION", "IMPORTED")
    client.rotate_key_on_demand(KeyId=key_id)

    for asked in (client, away):
        assert states_of(asked, external) == [("NON_CURRENT", "IMPORTED"), ("CURRENT", "IMPORTED")]
        assert asked.encrypt(KeyId=key_id, Plaintext=b"text")


def test_a_new_replica_has_to_get_waiting_material_first(client, away, external):
    import_material(client, external["KeyId"], b"2" * 32, ImportType=NEW)

    replicate(client, external)

    with refused("KMSInvalidStateException"):
        client.rotate_key_on_demand(KeyId=external["KeyId"])
    assert states_of(away, external)[-1] == (
        "PENDING_MULTI_REGION_IMPORT_AND_ROTATION",
        "PENDING_IMPORT",
    )


def test_waiting_material_does_not_wait_for_a_replica_that_is_gone(kms, client, away, external):
    replicate(client, external)
    import_material(client, external["KeyId"], b"2" * 32, ImportType=NEW)
    away.schedule_key_deletion(KeyId=external["KeyId"], PendingWindowInDays=7)

    kms.clock.advance(days=7)

    assert client.rotate_key_on_demand(KeyId=external["KeyId"])


def test_an_older_material_that_a_replica_lacks_does_not_hinder_the_rotation(
    client, away, external
):
    replicate(client, external)
    import_material(client, external["KeyId"], b"2" * 32, ImportType=NEW)
    import_material(away, external["KeyId"], b"2" * 32)

    client.rotate_key_on_demand(KeyId=external["KeyId"])

    assert metadata_of(client, external)["KeyState"] == "Enabled"
    assert metadata_of(away, external)["KeyState"] == "PendingImport"


def test_waiting_material_deleted_on_the_primary_is_forgotten_everywhere(client, away, external):
    replicate(client, external)
    pending = import_material(client, external["KeyId"], b"2" * 32, ImportType=NEW)
    import_material(away, external["KeyId"], b"2" * 32)

    client.delete_imported_key_material(
        KeyId=external["KeyId"], KeyMaterialId=pending["KeyMaterialId"]
    )

    for asked in (client, away):
        assert [state for state, _ in states_of(asked, external)] == ["CURRENT"]


def test_material_deleted_on_a_replica_is_missing_there_only(client, away, external):
    replicate(client, external)
    import_material(away, external["KeyId"], b"1" * 32)

    away.delete_imported_key_material(KeyId=external["KeyId"])

    assert metadata_of(away, external)["KeyState"] == "PendingImport"
    assert metadata_of(client, external)["KeyState"] == "Enabled"


def test_the_expiration_of_each_key_is_its_own(kms, client, away, external):
    replicate(client, external)
    request = import_parameters(away, external["KeyId"], b"1" * 32)
    away.import_key_material(**request, ValidTo=kms.clock.now() + timedelta(days=1))

    kms.clock.advance(days=1)

    assert metadata_of(away, external)["KeyState"] == "PendingImport"
    assert metadata_of(client, external)["KeyState"] == "Enabled"


def test_the_same_material_in_unrelated_keys_does_not_interoperate(client, external, new_key):
    other = new_key(MultiRegion=True, Origin="EXTERNAL")
    import_material(client, other["KeyId"], b"1" * 32)
    blob = client.encrypt(KeyId=external["KeyId"], Plaintext=b"text")["CiphertextBlob"]

    with refused("IncorrectKeyException"):
        client.decrypt(CiphertextBlob=blob, KeyId=other["KeyId"])
