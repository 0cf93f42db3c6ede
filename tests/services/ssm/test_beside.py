"""Secure strings of Parameter Store, with moto as their storage."""

from __future__ import annotations

import json
from base64 import b64decode

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from kmsmock import mock_kms

CONTEXT = {"PARAMETER_ARN": "arn:aws:ssm:us-east-1:123456789012:parameter/app/password"}
NAME = "/app/password"
SUFFIX = (
    r" \(Service: AWSKMS; Status Code: 400; Error Code: {}; Request ID: [0-9a-f-]{{36}}; "
    r"Proxy: null\)"
)


@pytest.fixture
def ssm(kms):
    return kms.client("ssm")


@pytest.fixture
def put(ssm, key):
    """Put a secure string under the customer managed key, or as told."""

    def put(value="hunter2", **parameters):
        given = {"Name": NAME, "Type": "SecureString", "KeyId": key, **parameters}
        return ssm.put_parameter(Value=value, **given)

    return put


def value_of(ssm, **parameters):
    return ssm.get_parameter(Name=NAME, **parameters)["Parameter"]["Value"]


def test_a_secure_string_is_encrypted_when_it_is_put(put, calls_by):
    put()
    assert calls_by("ssm") == [("Encrypt", CONTEXT)]


def test_a_secure_string_is_decrypted_when_asked_for(ssm, put, calls_by):
    put()
    assert value_of(ssm, WithDecryption=True) == "hunter2"
    assert calls_by("ssm") == [("Encrypt", CONTEXT), ("Decrypt", CONTEXT)]


def test_without_decryption_kms_is_not_called(ssm, put, calls_by):
    put()
    value_of(ssm)
    assert calls_by("ssm") == [("Encrypt", CONTEXT)]


def test_what_is_stored_can_be_decrypted_with_kms_directly(kms, ssm, put):
    put()
    stored = b64decode(value_of(ssm))
    decrypted = kms.client().decrypt(CiphertextBlob=stored, EncryptionContext=CONTEXT)
    assert decrypted["Plaintext"] == b"hunter2"


def test_a_plain_parameter_has_nothing_to_do_with_kms(ssm, calls_by):
    ssm.put_parameter(Name=NAME, Value="x", Type="String")
    assert value_of(ssm, WithDecryption=True) == "x"
    assert calls_by("ssm") == []


def test_a_plain_parameter_takes_no_key(ssm, key):
    with pytest.raises(ClientError, match="KeyId is required for SecureString type parameter only"):
        ssm.put_parameter(Name=NAME, Value="x", Type="String", KeyId=key)


def test_without_a_key_the_aws_managed_key_is_made_and_used(kms, ssm):
    ssm.put_parameter(Name=NAME, Value="x", Type="SecureString")
    managed = kms.client().describe_key(KeyId="alias/aws/ssm")["KeyMetadata"]
    assert [call.key_arn for call in kms.calls if call.operation == "Encrypt"] == [managed["Arn"]]


def test_answers_have_the_key_as_requested(kms, ssm, put, key):
    kms.client().create_alias(AliasName="alias/app", TargetKeyId=key)
    put(KeyId="alias/app")
    assert ssm.describe_parameters()["Parameters"][0]["KeyId"] == "alias/app"
    assert ssm.get_parameter_history(Name=NAME)["Parameters"][0]["KeyId"] == "alias/app"


def test_overwriting_without_a_key_goes_to_the_managed_key_not_to_the_one_before(ssm, put):
    put()
    ssm.put_parameter(Name=NAME, Value="y", Type="SecureString", Overwrite=True)
    assert ssm.describe_parameters()["Parameters"][0]["KeyId"] == "alias/aws/ssm"


def test_history_decrypts_every_version(ssm, put, calls_by):
    put("one")
    put("two", Overwrite=True)
    history = ssm.get_parameter_history(Name=NAME, WithDecryption=True)["Parameters"]
    assert [version["Value"] for version in history] == ["one", "two"]
    assert [name for name, _ in calls_by("ssm")].count("Decrypt") == 2


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(
            lambda ssm: ssm.get_parameters(Names=["/app/a", "/app/b"], WithDecryption=True),
            id="GetParameters",
        ),
        pytest.param(
            lambda ssm: ssm.get_parameters_by_path(Path="/app", WithDecryption=True),
            id="GetParametersByPath",
        ),
    ],
)
def test_reading_many_decrypts_each(ssm, put, read, calls_by):
    put("1", Name="/app/a")
    put("2", Name="/app/b")
    assert sorted(found["Value"] for found in read(ssm)["Parameters"]) == ["1", "2"]
    assert [name for name, _ in calls_by("ssm")] == ["Encrypt", "Encrypt", "Decrypt", "Decrypt"]


@pytest.mark.parametrize(
    ("tier", "size"), [("Advanced", 10), ("Intelligent-Tiering", 5000)], ids=["named", "by size"]
)
def test_the_advanced_tier_has_a_data_key(ssm, put, calls_by, tier, size):
    put("x" * size, Tier=tier)
    assert value_of(ssm, WithDecryption=True) == "x" * size
    assert calls_by("ssm") == [("GenerateDataKey", CONTEXT), ("Decrypt", CONTEXT)]


def test_a_parameter_never_leaves_the_advanced_tier(put, calls_by):
    put("one", Tier="Advanced")
    put("two", Overwrite=True)
    assert [name for name, _ in calls_by("ssm")] == ["GenerateDataKey", "GenerateDataKey"]


def test_a_parameter_cannot_be_put_back_into_the_standard_tier(ssm, put, calls_by):
    put("one", Tier="Advanced")
    with pytest.raises(ClientError) as caught:
        put("two", Tier="Standard", Overwrite=True)
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert error["Message"].startswith("This parameter uses the advanced-parameter tier. You can't")
    assert [name for name, _ in calls_by("ssm")] == ["GenerateDataKey"]
    assert value_of(ssm, WithDecryption=True) == "one"


def test_a_deleted_advanced_parameter_can_be_put_as_a_standard_one(ssm, put, calls_by):
    put("one", Tier="Advanced")
    ssm.delete_parameter(Name=NAME)
    put("two", Tier="Standard")
    assert [name for name, _ in calls_by("ssm")] == ["GenerateDataKey", "Encrypt"]


@pytest.mark.parametrize(
    "selector",
    [
        pytest.param(f"{NAME}:1", id="version"),
        pytest.param(f"{NAME}:old", id="label"),
        pytest.param(CONTEXT["PARAMETER_ARN"], id="ARN"),
    ],
)
def test_each_way_to_name_a_parameter_decrypts_what_it_names(ssm, put, calls_by, selector):
    put("one")
    if selector != CONTEXT["PARAMETER_ARN"]:
        ssm.label_parameter_version(Name=NAME, ParameterVersion=1, Labels=["old"])
        put("two", Overwrite=True)
    answer = ssm.get_parameter(Name=selector, WithDecryption=True)["Parameter"]
    assert (answer["Value"], answer["Version"]) == ("one", 1)
    assert calls_by("ssm")[-1] == ("Decrypt", CONTEXT)


@pytest.mark.parametrize("is_decrypted", [False, True])
def test_getting_a_parameter_does_not_show_its_key(ssm, put, is_decrypted):
    put()
    answer = ssm.get_parameter(Name=NAME, WithDecryption=is_decrypted)["Parameter"]
    assert set(answer) == {
        *("ARN", "DataType", "LastModifiedDate", "Name", "Type", "Value", "Version"),
    }


def test_a_deleted_parameter_can_be_put_again_without_its_history(ssm, put):
    put("one")
    ssm.delete_parameter(Name=NAME)
    put("two")
    assert value_of(ssm, WithDecryption=True) == "two"


def test_the_storage_refuses_a_parameter_that_is_there_before_kms_is_called(ssm, put, calls_by):
    put()
    with pytest.raises(ssm.exceptions.ParameterAlreadyExists):
        put()
    assert len(calls_by("ssm")) == 1


@pytest.mark.parametrize(
    ("key_id", "words"),
    [
        ("nonsense", r"Invalid keyId 'nonsense'"),
        (
            "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555",
            r"Key 'arn:aws:kms:us-east-1:123456789012:key/11111111-\S+' does not exist",
        ),
        ("alias/none", r"Alias arn:aws:kms:us-east-1:123456789012:alias/none is not found\."),
    ],
)
def test_a_key_that_is_missing_is_an_invalid_key_id_and_nothing_is_stored(ssm, put, key_id, words):
    with pytest.raises(ssm.exceptions.InvalidKeyId, match=words + SUFFIX.format("NotFound\\w+")):
        put(KeyId=key_id)
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.get_parameter(Name=NAME)


def disable(client, key):
    client.disable_key(KeyId=key)


def schedule(client, key):
    client.schedule_key_deletion(KeyId=key)


@pytest.mark.parametrize(
    ("break_key", "words", "code"),
    [
        pytest.param(disable, "is disabled.", "DisabledException", id="disabled"),
        pytest.param(schedule, "is pending deletion.", "KMSInvalidStateException", id="pending"),
    ],
)
def test_a_key_that_cannot_be_used_is_an_invalid_key_id(kms, ssm, put, key, break_key, words, code):
    put()
    break_key(kms.client(), key)
    text = f"{key} {words}" + SUFFIX.format(code)
    with pytest.raises(ssm.exceptions.InvalidKeyId, match=text):
        put("again", Overwrite=True)
    with pytest.raises(ssm.exceptions.InvalidKeyId, match=text):
        value_of(ssm, WithDecryption=True)


def test_a_key_for_signatures_is_an_invalid_key_id(kms, ssm, put):
    signing = kms.client().create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    with pytest.raises(ssm.exceptions.InvalidKeyId):
        put(KeyId=signing["Arn"])


def test_a_key_that_waits_for_its_material_is_an_invalid_key_id(kms, ssm, put):
    waiting = kms.client().create_key(Origin="EXTERNAL")["KeyMetadata"]["Arn"]
    text = f"{waiting} is pending import." + SUFFIX.format("KMSInvalidStateException")
    with pytest.raises(ssm.exceptions.InvalidKeyId, match=text):
        put(KeyId=waiting)


@pytest.mark.parametrize("operation", ["Encrypt", "Decrypt"])
def test_when_kms_is_throttled_so_is_parameter_store(kms, put, key, operation):
    put()
    once = boto3.client("ssm", config=Config(retries={"total_max_attempts": 1}))
    kms.faults.throttle(operation)
    use, given = once.get_parameter, {"WithDecryption": True}
    if operation == "Encrypt":
        use, given = once.put_parameter, {"Value": "two", "KeyId": key, "Overwrite": True}
    with pytest.raises(ClientError) as caught:
        use(Name=NAME, **given)
    assert caught.value.response["Error"]["Code"] == "ThrottlingException"


READER = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "ssm:*", "Resource": "*"},
}


@pytest.mark.parametrize(
    ("tier", "action"), [("Standard", "Encrypt"), ("Advanced", "GenerateDataKey")]
)
def test_one_who_may_not_use_the_key_cannot_write_in_either_tier(ssm, role, key, tier, action):
    with pytest.raises(ClientError) as caught:
        role.client("ssm").put_parameter(
            Name=NAME, Value="x", Type="SecureString", KeyId=key, Tier=tier
        )
    error = caught.value.response["Error"]
    assert error["Code"] == "AccessDeniedException"
    assert error["Message"].startswith(
        "User: arn:aws:sts::123456789012:assumed-role/App/session is not authorized to perform: "
        f"kms:{action} on resource: {key} because no identity-based policy allows the kms:{action} "
        "action (Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException; Request ID: "
    )
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.get_parameter(Name=NAME)


def test_one_who_may_not_decrypt_gets_kms_own_words(kms, put, key):
    put()
    role = kms.account("123456789012").role("App", policies=[json.dumps(READER)])
    with pytest.raises(ClientError) as caught:
        value_of(role.client("ssm"), WithDecryption=True)
    error = caught.value.response["Error"]
    assert error["Code"] == "AccessDeniedException"
    assert error["Message"].startswith(
        "User: arn:aws:sts::123456789012:assumed-role/App/session is not authorized to perform: "
        f"kms:Decrypt on resource: {key} because no identity-based policy allows the kms:Decrypt "
        "action (Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException; Request ID: "
    )


def test_the_managed_key_needs_no_permission_of_kms(kms, ssm):
    ssm.put_parameter(Name=NAME, Value="x", Type="SecureString")
    role = kms.account("123456789012").role("App", policies=[json.dumps(READER)])
    assert value_of(role.client("ssm"), WithDecryption=True) == "x"


def test_a_parameter_under_a_key_of_another_kms_is_returned_with_a_warning(kms, ssm):
    with kms.pause():
        ssm.put_parameter(Name=NAME, Value="x", Type="SecureString", KeyId="alias/none")
    with pytest.warns(UserWarning, match="this mock of KMS does not have its key"):
        value_of(ssm, WithDecryption=True)


@pytest.mark.usefixtures("ssm")
def test_a_mock_without_the_service_leaves_it_alone():
    with mock_kms(services=("kms",)):
        boto3.client("ssm").put_parameter(
            Name=NAME, Value="x", Type="SecureString", KeyId="nonsense"
        )
