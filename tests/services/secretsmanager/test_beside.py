"""Secrets of Secrets Manager under keys of KMS, with moto as their storage."""

from __future__ import annotations

import json

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.services.beside.conftest import ACCOUNT, MISSING, UNUSABLE

VALIDATION = "RequestToValidateKeyAccess"
#: Without the retries of botocore.
ONCE = Config(retries={"total_max_attempts": 1})
TOLD = "(Service: AWSKMS; Status Code: 400; Error Code: {}; Request ID: "


@pytest.fixture
def secrets(kms):
    return kms.client("secretsmanager")


@pytest.fixture
def other(kms):
    """A second customer managed key: its ARN."""
    return kms.client().create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def arn(secrets, key):
    """A secret under the customer managed key: its ARN."""
    return secrets.create_secret(Name="db", SecretString="one", KmsKeyId=key)["ARN"]


def context(arn, version):
    return {"SecretARN": arn, "SecretVersionId": version}


def error_of(caught):
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def policy_of(*actions, key=None):
    statements = [
        {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*"},
        {"Effect": "Allow", "Action": list(actions), "Resource": key or "*"},
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def versions_of(secrets, name):
    """Show the labels of versions, and the keys that open them."""
    versions = secrets.list_secret_version_ids(SecretId=name, IncludeDeprecated=True)["Versions"]
    return {tuple(version["VersionStages"]): version["KmsKeyIds"] for version in versions}


def deny(kms, key, action):
    """Deny an action to everybody in a key policy."""
    policy = json.loads(kms.client().get_key_policy(KeyId=key)["Policy"])
    denial = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"}
    policy["Statement"].append(denial)
    kms.client().put_key_policy(KeyId=key, Policy=json.dumps(policy))


# --- calls --------------------------------------------------------------------------------------


def test_a_new_secret_validates_its_key_and_makes_a_data_key(secrets, key, calls_by):
    answer = secrets.create_secret(Name="db", SecretString="one", KmsKeyId=key)
    (first, validated), (second, _), third = calls_by("secretsmanager")
    assert (first, second) == ("GenerateDataKey", "Decrypt")
    assert validated["SecretVersionId"] == VALIDATION
    # Its ending is of six letters, and not that of the secret, which is not known so early.
    assert validated["SecretARN"][:-6] == answer["ARN"][:-6]
    assert third == ("GenerateDataKey", context(answer["ARN"], answer["VersionId"]))


def test_without_a_key_there_is_no_validation(kms, secrets, calls_by):
    answer = secrets.create_secret(Name="db", SecretString="one")
    assert calls_by("secretsmanager") == [
        ("GenerateDataKey", context(answer["ARN"], answer["VersionId"]))
    ]
    managed = kms.client().describe_key(KeyId="alias/aws/secretsmanager")["KeyMetadata"]
    assert kms.calls[0].key_arn == managed["Arn"]


def test_a_key_is_validated_even_without_a_value(secrets, key, calls_by):
    secrets.create_secret(Name="db", KmsKeyId=key)
    assert [name for name, _ in calls_by("secretsmanager")] == ["GenerateDataKey", "Decrypt"]


def test_without_value_and_key_kms_is_not_called(secrets, calls_by):
    secrets.create_secret(Name="db")
    assert calls_by("secretsmanager") == []


def test_a_new_value_makes_one_data_key(secrets, arn, calls_by):
    before = len(calls_by("secretsmanager"))
    version = secrets.put_secret_value(SecretId="db", SecretString="two")["VersionId"]
    assert calls_by("secretsmanager")[before:] == [("GenerateDataKey", context(arn, version))]


def test_getting_a_value_opens_its_data_key(secrets, arn, calls_by):
    answer = secrets.get_secret_value(SecretId=arn)
    assert answer["SecretString"] == "one"
    assert calls_by("secretsmanager")[-1] == ("Decrypt", context(arn, answer["VersionId"]))


def test_a_value_that_is_put_again_is_opened_to_compare_it(secrets, arn, calls_by):
    token = "00000000-1111-2222-3333-444444444444"
    secrets.put_secret_value(SecretId=arn, SecretString="two", ClientRequestToken=token)
    before = len(calls_by("secretsmanager"))
    secrets.put_secret_value(SecretId=arn, SecretString="two", ClientRequestToken=token)
    assert calls_by("secretsmanager")[before:] == [
        ("GenerateDataKey", context(arn, token)),
        ("Decrypt", context(arn, token)),
    ]


@pytest.mark.usefixtures("arn")
def test_a_batch_opens_each_secret_and_tells_which_it_could_not(kms, secrets, key):
    secrets.create_secret(Name="open", SecretString="x")
    deny(kms, key, "kms:Decrypt")
    answer = secrets.batch_get_secret_value(SecretIdList=["db", "open"])
    assert [value["Name"] for value in answer["SecretValues"]] == ["open"]
    assert answer["Errors"] == [
        {
            "SecretId": "db",
            "ErrorCode": "AccessDeniedException",
            "Message": "Access to KMS is not allowed",
        }
    ]


@pytest.mark.parametrize("operation", ["describe_secret", "list_secrets", "delete_secret"])
def test_what_shows_no_value_makes_no_calls(secrets, arn, calls_by, operation):
    before = len(calls_by("secretsmanager"))
    name_or_id = {} if operation == "list_secrets" else {"SecretId": arn}
    getattr(secrets, operation)(**name_or_id)
    assert len(calls_by("secretsmanager")) == before


# --- what is shown ------------------------------------------------------------------------------


@pytest.mark.usefixtures("arn")
def test_answers_have_the_key_as_requested_and_not_the_managed_key(kms, secrets, key):
    kms.client().create_alias(AliasName="alias/app", TargetKeyId=key)
    secrets.create_secret(Name="by alias", SecretString="x", KmsKeyId="alias/app")
    secrets.create_secret(Name="managed", SecretString="x")
    shown = {one["Name"]: one.get("KmsKeyId") for one in secrets.list_secrets()["SecretList"]}
    assert shown == {"db": key, "by alias": "alias/app", "managed": None}
    assert "KmsKeyId" not in secrets.describe_secret(SecretId="managed")


def test_versions_show_the_keys_that_open_them(secrets, arn, key, other):
    secrets.create_secret(Name="managed", SecretString="x")
    secrets.update_secret(SecretId=arn, KmsKeyId=other)
    secrets.put_secret_value(SecretId=arn, SecretString="two")

    assert versions_of(secrets, "managed") == {("AWSCURRENT",): ["DefaultEncryptionKey"]}
    assert versions_of(secrets, arn) == {("AWSCURRENT",): [other], ("AWSPREVIOUS",): [key, other]}


@pytest.mark.parametrize(
    "key_id",
    ["alias/aws/secretsmanager", f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/aws/secretsmanager"],
    ids=["alias", "ARN of the alias"],
)
def test_answers_do_not_have_the_managed_key_when_it_was_requested_either(secrets, arn, key_id):
    secrets.create_secret(Name="named", SecretString="x", KmsKeyId=key_id)
    secrets.update_secret(SecretId=arn, KmsKeyId=key_id, SecretString="two")
    for name in ("named", arn):
        assert "KmsKeyId" not in secrets.describe_secret(SecretId=name)
        assert versions_of(secrets, name)["AWSCURRENT",] == ["DefaultEncryptionKey"]


def test_cloudtrail_shows_the_caller_and_names_no_key_where_one_is_opened(kms, secrets, arn, key):
    secrets.get_secret_value(SecretId=arn)
    generated, decrypted = [
        record for record in kms.trail if record["eventName"] in ("GenerateDataKey", "Decrypt")
    ][-2:]
    assert generated["requestParameters"]["keyId"] == key
    assert set(decrypted["requestParameters"]) == {"encryptionAlgorithm", "encryptionContext"}
    for record in (generated, decrypted):
        assert record["userIdentity"]["invokedBy"] == "secretsmanager.amazonaws.com"
        assert record["userIdentity"]["accountId"] == ACCOUNT
        assert record["additionalEventData"]["keyMaterialId"]


# --- another key --------------------------------------------------------------------------------


def test_another_key_wraps_the_labelled_versions_again(secrets, arn, other, calls_by):
    secrets.put_secret_value(SecretId=arn, SecretString="two")
    before = len(calls_by("secretsmanager"))
    secrets.update_secret(SecretId=arn, KmsKeyId=other)
    names = [name for name, _ in calls_by("secretsmanager")[before:]]
    assert names == ["GenerateDataKey", "Decrypt", *["Decrypt", "Encrypt"] * 2]


def test_only_versions_with_labels_of_aws_are_wrapped_again(secrets, arn, key, other):
    # Five versions: each label of AWS, one of the user's, and one without any.
    secrets.put_secret_value(SecretId=arn, SecretString="unlabelled", VersionStages=["later"])
    secrets.put_secret_value(SecretId=arn, SecretString="custom", VersionStages=["later"])
    secrets.put_secret_value(SecretId=arn, SecretString="current")
    secrets.put_secret_value(SecretId=arn, SecretString="pending", VersionStages=["AWSPENDING"])

    secrets.update_secret(SecretId=arn, KmsKeyId=other)

    assert versions_of(secrets, arn) == {
        (): [key],
        ("later",): [key],
        ("AWSCURRENT",): [key, other],
        ("AWSPREVIOUS",): [key, other],
        ("AWSPENDING",): [key, other],
    }


@pytest.mark.parametrize("which", ["old", "new"])
def test_after_a_change_either_key_opens_the_current_version(kms, secrets, arn, key, other, which):
    secrets.update_secret(SecretId=arn, KmsKeyId=other)
    readable_with = key if which == "old" else other
    role = kms.account(ACCOUNT).role(
        "Reader", policies=[policy_of("kms:Decrypt", key=readable_with)]
    )
    answer = role.client("secretsmanager").get_secret_value(SecretId=arn)
    assert answer["SecretString"] == "one"


@pytest.mark.parametrize("lacking", ["Decrypt on the old key", "Encrypt on the new key"])
def test_surprisingly_a_change_succeeds_without_wrapping_again(
    kms, secrets, arn, key, other, lacking
):
    if lacking == "Decrypt on the old key":
        deny(kms, key, "kms:Decrypt")
    else:
        deny(kms, other, "kms:Encrypt")
    secrets.update_secret(SecretId=arn, KmsKeyId=other)
    assert secrets.describe_secret(SecretId=arn)["KmsKeyId"] == other
    (version,) = secrets.list_secret_version_ids(SecretId=arn)["Versions"]
    assert version["KmsKeyIds"] == [key]


@pytest.mark.parametrize("action", ["kms:GenerateDataKey", "kms:Decrypt"])
def test_a_change_to_a_key_that_cannot_be_validated_is_refused(
    kms, secrets, arn, key, other, action
):
    deny(kms, other, action)
    with pytest.raises(ClientError) as caught:
        secrets.update_secret(SecretId=arn, KmsKeyId=other)
    assert error_of(caught) == ("AccessDeniedException", "Access to KMS is not allowed")
    assert secrets.describe_secret(SecretId=arn)["KmsKeyId"] == key


def test_an_empty_key_goes_back_to_the_managed_key(secrets, arn):
    secrets.update_secret(SecretId=arn, KmsKeyId="")
    assert "KmsKeyId" not in secrets.describe_secret(SecretId=arn)


def test_a_version_after_the_change_is_under_the_new_key_alone(kms, secrets, arn, key, other):
    secrets.update_secret(SecretId=arn, KmsKeyId=other, SecretString="two")
    kms.client().disable_key(KeyId=key)
    assert secrets.get_secret_value(SecretId=arn)["SecretString"] == "two"


def test_a_replica_is_under_a_key_of_its_region(kms, secrets, arn):
    secrets.replicate_secret_to_regions(SecretId=arn, AddReplicaRegions=[{"Region": "eu-west-1"}])
    calls = [(call.operation, call.region) for call in kms.calls if call.via_service]
    assert calls[-3:] == [
        ("Decrypt", "us-east-1"),
        ("GenerateDataKey", "eu-west-1"),
        ("Encrypt", "eu-west-1"),
    ]
    european = kms.client("secretsmanager", region="eu-west-1")
    assert european.get_secret_value(SecretId="db")["SecretString"] == "one"
    assert kms.calls[-1].region == "eu-west-1"


# --- replicas -----------------------------------------------------------------------------------

EUROPE = [{"Region": "eu-west-1"}]
REPLICATED = [("Decrypt", "us-east-1"), ("GenerateDataKey", "eu-west-1"), ("Encrypt", "eu-west-1")]


@pytest.fixture
def european(kms):
    """Return a client in the Region of the replica."""
    return kms.client("secretsmanager", region="eu-west-1")


def calls_of(kms):
    return [(call.operation, call.region) for call in kms.calls if call.via_service]


def test_a_secret_can_be_replicated_when_it_is_created(kms, secrets, european):
    answer = secrets.create_secret(Name="db", SecretString="one", AddReplicaRegions=EUROPE)
    assert answer["ReplicationStatus"][0]["Status"] == "InSync"
    assert calls_of(kms) == [("GenerateDataKey", "us-east-1"), *REPLICATED]
    assert european.get_secret_value(SecretId="db")["SecretString"] == "one"


@pytest.mark.parametrize("operation", ["put_secret_value", "update_secret"])
def test_a_new_value_gets_to_the_replica_under_its_key(kms, secrets, arn, european, operation):
    secrets.replicate_secret_to_regions(SecretId=arn, AddReplicaRegions=EUROPE)
    getattr(secrets, operation)(SecretId=arn, SecretString="two")
    assert calls_of(kms)[-4:] == [("GenerateDataKey", "us-east-1"), *REPLICATED]

    assert european.get_secret_value(SecretId="db")["SecretString"] == "two"

    assert calls_of(kms)[-1] == ("Decrypt", "eu-west-1")


def test_a_replica_is_as_closed_as_its_key(kms, secrets, arn, european):
    europe = kms.client(region="eu-west-1")
    their_key = europe.create_key()["KeyMetadata"]["Arn"]
    secrets.replicate_secret_to_regions(
        SecretId=arn, AddReplicaRegions=[{"Region": "eu-west-1", "KmsKeyId": their_key}]
    )
    secrets.put_secret_value(SecretId=arn, SecretString="two")
    europe.disable_key(KeyId=their_key)
    with pytest.raises(european.exceptions.DecryptionFailure, match=f"{their_key} is disabled"):
        european.get_secret_value(SecretId="db")


def test_a_replica_that_kms_refuses_fails_and_the_secret_is_there_without(secrets, european):
    europe = [{"Region": "eu-west-1", "KmsKeyId": "alias/none"}]
    answer = secrets.create_secret(Name="db", SecretString="one", AddReplicaRegions=europe)
    for shown in (answer, secrets.describe_secret(SecretId="db")):
        [status] = shown["ReplicationStatus"]
        assert (status["Status"], status["KmsKeyId"]) == ("Failed", "alias/none")
        assert "alias/none is not found" in status["StatusMessage"]
    assert secrets.get_secret_value(SecretId="db")["SecretString"] == "one"
    with pytest.raises(european.exceptions.ResourceNotFoundException) as caught:
        european.get_secret_value(SecretId="db")
    assert any("alias/none is not found" in note for note in caught.value.__notes__)


def test_a_version_without_a_label_gets_to_the_replica_when_it_is_current_again(
    kms, secrets, arn, european
):
    first = secrets.get_secret_value(SecretId=arn)["VersionId"]
    secrets.put_secret_value(SecretId=arn, SecretString="two")
    third = secrets.put_secret_value(SecretId=arn, SecretString="three")["VersionId"]
    secrets.replicate_secret_to_regions(SecretId=arn, AddReplicaRegions=EUROPE)
    with pytest.raises(european.exceptions.ResourceNotFoundException):
        european.get_secret_value(SecretId="db", VersionId=first)
    secrets.update_secret_version_stage(
        SecretId=arn,
        VersionStage="AWSCURRENT",
        MoveToVersionId=first,
        RemoveFromVersionId=third,
    )
    assert calls_of(kms)[-3:] == REPLICATED
    assert european.get_secret_value(SecretId="db", VersionId=first)["SecretString"] == "one"
    assert calls_of(kms)[-1] == ("Decrypt", "eu-west-1")


def test_a_removed_replica_is_no_longer_brought_in_sync(kms, secrets, arn):
    secrets.replicate_secret_to_regions(SecretId=arn, AddReplicaRegions=EUROPE)
    secrets.remove_regions_from_replication(SecretId=arn, RemoveReplicaRegions=["eu-west-1"])
    before = len(calls_of(kms))
    secrets.put_secret_value(SecretId=arn, SecretString="two")
    assert calls_of(kms)[before:] == [("GenerateDataKey", "us-east-1")]


# --- refusals -----------------------------------------------------------------------------------


def test_a_secret_that_kms_refuses_is_not_stored(kms, secrets):
    allowed = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    denied = {"Effect": "Deny", "Action": "kms:GenerateDataKey", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [allowed, denied]}
    client = kms.account(ACCOUNT).role("Denied", policies=[policy]).client("secretsmanager")
    with pytest.raises(ClientError) as caught:
        client.create_secret(Name="db", SecretString="one")
    assert error_of(caught) == ("AccessDeniedException", "Access to KMS is not allowed")
    assert [(call.operation, call.error_code) for call in kms.calls] == [
        ("GenerateDataKey", "AccessDeniedException")
    ]
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.get_secret_value(SecretId="db")


@pytest.mark.parametrize("which", [1, 2], ids=["to validate the key", "for the value"])
def test_a_secret_is_stored_only_when_all_calls_of_kms_went_well(kms, secrets, key, which):
    kms.faults.throttle("GenerateDataKey", on_call=which, times=5)
    with pytest.raises(ClientError, match="Rate exceeded"):
        secrets.create_secret(Name="db", SecretString="one", KmsKeyId=key)
    kms.faults.clear()
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.get_secret_value(SecretId="db")


def test_a_fault_meets_the_call_that_it_is_armed_for(kms, secrets, key):
    # The third, which is not of the secret's two: to see beforehand that it can be stored is none.
    kms.faults.throttle("GenerateDataKey", on_call=3)
    secrets.create_secret(Name="db", SecretString="one", KmsKeyId=key)
    with pytest.raises(ClientError, match="ThrottlingException"):
        boto3.client("kms", config=ONCE).generate_data_key(KeyId=key, KeySpec="AES_256")


def test_what_is_there_already_is_refused_by_the_storage_without_a_call_of_kms(secrets, calls_by):
    secrets.create_secret(Name="db", SecretString="one")
    with pytest.raises(secrets.exceptions.ResourceExistsException):
        secrets.create_secret(Name="db", SecretString="two")
    assert len(calls_by("secretsmanager")) == 1


@pytest.mark.parametrize(("key_id", "words"), MISSING)
def test_a_missing_key_is_an_invalid_parameter_and_nothing_is_stored(secrets, key_id, words):
    with pytest.raises(secrets.exceptions.InvalidParameterException) as caught:
        secrets.create_secret(Name="db", SecretString="x", KmsKeyId=key_id)
    assert error_of(caught)[1].startswith(
        "The operation failed because of an invalid KMS key: "
        f"{words} {TOLD.format('NotFoundException')}"
    )
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.get_secret_value(SecretId="db")


@pytest.fixture(params=["create_secret", "update_secret"])
def use_key(request, secrets, arn):
    """Return a function that uses a key for a new secret or for the existing one."""
    name_or_id = {"Name": "new"} if request.param == "create_secret" else {"SecretId": arn}

    def use_key(key):
        getattr(secrets, request.param)(SecretString="x", KmsKeyId=key, **name_or_id)

    return use_key


def test_a_disabled_key_cannot_be_taken(kms, secrets, other, use_key):
    kms.client().disable_key(KeyId=other)
    with pytest.raises(secrets.exceptions.InvalidParameterException) as caught:
        use_key(other)
    assert error_of(caught)[1] == "The operation failed because the specified KMS key is disabled."


def test_a_key_pending_deletion_cannot_be_taken(kms, secrets, other, use_key):
    kms.client().schedule_key_deletion(KeyId=other)
    with pytest.raises(secrets.exceptions.InvalidParameterException) as caught:
        use_key(other)
    assert error_of(caught)[1].startswith(
        "The operation failed because of an invalid KMS key: "
        f"{other} is pending deletion. {TOLD.format('KMSInvalidStateException')}"
    )


def test_a_key_for_signatures_cannot_be_taken(kms, secrets, use_key):
    signing = kms.client().create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    with pytest.raises(secrets.exceptions.InvalidParameterException, match="InvalidKeyUsage"):
        use_key(signing["Arn"])


@pytest.mark.parametrize(("break_key", "words", "code"), UNUSABLE)
def test_a_key_in_the_wrong_state_opens_no_secret(kms, secrets, arn, key, break_key, words, code):
    getattr(kms.client(), break_key)(KeyId=key)
    with pytest.raises(secrets.exceptions.DecryptionFailure) as caught:
        secrets.get_secret_value(SecretId=arn)
    assert error_of(caught)[1].startswith(
        f"Secrets Manager can't decrypt the secret value: {key} {words} {TOLD.format(code)}"
    )


def test_nothing_is_written_under_a_key_that_became_disabled(kms, secrets, arn, key):
    kms.client().disable_key(KeyId=key)
    with pytest.raises(secrets.exceptions.EncryptionFailure) as caught:
        secrets.put_secret_value(SecretId=arn, SecretString="two")
    assert error_of(caught)[1].startswith(
        f"Secrets Manager can't encrypt the secret value: {key} is disabled. "
        f"{TOLD.format('DisabledException')}"
    )


def test_a_value_put_again_needs_a_data_key_though_it_is_only_compared(kms, secrets, arn, key):
    token = "00000000-1111-2222-3333-444444444444"
    secrets.put_secret_value(SecretId=arn, SecretString="two", ClientRequestToken=token)
    deny(kms, key, "kms:GenerateDataKey")
    with pytest.raises(ClientError, match="Access to KMS is not allowed"):
        secrets.put_secret_value(SecretId=arn, SecretString="two", ClientRequestToken=token)


@pytest.mark.parametrize("operation", ["create_secret", "put_secret_value", "get_secret_value"])
def test_a_denial_tells_no_detail(arn, key, role, operation):
    given = {
        "create_secret": {"Name": "new", "SecretString": "x", "KmsKeyId": key},
        "put_secret_value": {"SecretId": arn, "SecretString": "x"},
        "get_secret_value": {"SecretId": arn},
    }[operation]
    with pytest.raises(ClientError) as caught:
        getattr(role.client("secretsmanager"), operation)(**given)
    assert error_of(caught) == ("AccessDeniedException", "Access to KMS is not allowed")
    assert any("no identity-based policy allows" in note for note in caught.value.__notes__)


@pytest.mark.parametrize("action", ["kms:Decrypt", "kms:Encrypt"])
def test_a_new_value_needs_nothing_but_a_data_key(kms, secrets, arn, key, action):
    deny(kms, key, action)
    secrets.put_secret_value(SecretId=arn, SecretString="two")


def test_the_managed_key_needs_no_permission_of_kms(secrets, role):
    secrets.create_secret(Name="managed", SecretString="x")
    answer = role.client("secretsmanager").get_secret_value(SecretId="managed")
    assert answer["SecretString"] == "x"


# --- other accounts -------------------------------------------------------------------------------

OF_ANOTHER = (
    "InvalidRequestException",
    "You can't access a secret from a different AWS account if you encrypt the secret with the "
    "default KMS service key.",
)


@pytest.fixture
def foreign(kms):
    """A client of another account."""
    return kms.account("111122223333").client("secretsmanager")


@pytest.fixture
def managed(secrets):
    """A secret under the AWS managed key: its ARN."""
    return secrets.create_secret(Name="managed", SecretString="one")["ARN"]


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("get_secret_value", {}),
        ("put_secret_value", {"SecretString": "two"}),
        ("update_secret", {"SecretString": "two"}),
        ("update_secret", {"Description": "text"}),
    ],
    ids=["get", "put", "update value", "update description"],
)
def test_the_default_key_is_for_its_own_account(
    kms, secrets, foreign, managed, operation, parameters
):
    before = len(kms.calls)
    with pytest.raises(ClientError) as caught:
        getattr(foreign, operation)(SecretId=managed, **parameters)
    assert error_of(caught) == OF_ANOTHER
    assert len(kms.calls) == before
    assert secrets.get_secret_value(SecretId=managed)["SecretString"] == "one"


def test_the_default_key_cannot_be_chosen_from_another_account(foreign, arn):
    with pytest.raises(ClientError) as caught:
        foreign.update_secret(SecretId=arn, KmsKeyId="alias/aws/secretsmanager")
    assert error_of(caught) == OF_ANOTHER


def test_in_a_batch_the_other_secrets_are_returned(kms, foreign, managed, arn):
    policy = json.loads(kms.client().get_key_policy(KeyId=key_of(kms, arn))["Policy"])
    policy["Statement"][0]["Principal"] = "*"
    kms.client().put_key_policy(KeyId=key_of(kms, arn), Policy=json.dumps(policy))
    answer = foreign.batch_get_secret_value(SecretIdList=[managed, arn])
    assert [value["ARN"] for value in answer["SecretValues"]] == [arn]
    assert [(one["ErrorCode"], one["Message"]) for one in answer["Errors"]] == [OF_ANOTHER]


def key_of(kms, secret):
    return kms.client("secretsmanager").describe_secret(SecretId=secret)["KmsKeyId"]


def test_a_key_id_names_a_key_of_the_caller_s_account(secrets, foreign, key):
    arn = secrets.create_secret(Name="db", SecretString="x", KmsKeyId=key.rpartition("/")[2])["ARN"]
    with pytest.raises(ClientError) as caught:
        foreign.put_secret_value(SecretId=arn, SecretString="two")
    code, message = error_of(caught)
    assert code == "EncryptionFailure"
    assert f"Key '{key.replace(ACCOUNT, '111122223333')}' does not exist" in message
