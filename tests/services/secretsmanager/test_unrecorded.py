"""Secrets that the mock has not seen created or changed are encrypted as their store says."""

from __future__ import annotations

from contextlib import nullcontext

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from kmsmock import mock_kms

REGION = "us-east-1"


@pytest.fixture
def secrets(kms):
    return kms.client("secretsmanager")


@pytest.fixture
def plain():
    """Return a client whose calls the mock sees only outside of ``kms.pause()``."""
    return boto3.client("secretsmanager", REGION)


def read(secrets, name="db"):
    return secrets.get_secret_value(SecretId=name)["SecretString"]


def test_a_secret_from_before_the_mock_is_decrypted_with_its_key():
    with mock_aws():
        client = boto3.client("secretsmanager", REGION)
        client.create_secret(Name="db", SecretString="one")
        with mock_kms() as kms:
            assert read(client) == "one"
            kms.calls.assert_called("Decrypt", via_service="secretsmanager", times=1)
            assert len(kms.calls) == 1


def test_the_customer_managed_key_of_an_unrecorded_secret_counts(kms, key, plain):
    with kms.pause():
        plain.create_secret(Name="db", SecretString="one", KmsKeyId=key)
    assert read(plain) == "one"
    kms.client().disable_key(KeyId=key)
    with pytest.raises(plain.exceptions.DecryptionFailure, match="is disabled"):
        read(plain)


def test_a_secret_under_a_key_of_another_kms_warns(kms, plain):
    with kms.pause():
        plain.create_secret(Name="db", SecretString="one", KmsKeyId="alias/none")
    with pytest.warns(UserWarning, match="this mock of KMS does not have its key"):
        assert read(plain) == "one"


def test_a_version_that_was_put_unrecorded_is_under_the_key_of_its_secret(kms, secrets, plain, key):
    secrets.create_secret(Name="db", SecretString="one", KmsKeyId=key)
    with kms.pause():
        plain.put_secret_value(SecretId="db", SecretString="two")
    assert read(secrets) == "two"
    kms.calls.assert_called("Decrypt", key=key, via_service="secretsmanager")


def test_a_key_that_was_changed_unrecorded_decrypts(kms, secrets, plain, key):
    secrets.create_secret(Name="db", SecretString="one")
    with kms.pause():
        plain.update_secret(SecretId="db", KmsKeyId=key)
    assert secrets.describe_secret(SecretId="db")["KmsKeyId"] == key
    assert read(secrets) == "one"
    assert kms.calls[-1].key_arn == key


def test_a_secret_made_anew_under_its_name_is_another(kms, secrets, plain, key):
    secrets.create_secret(Name="db", SecretString="one", KmsKeyId=key)
    with kms.pause():
        plain.delete_secret(SecretId="db", ForceDeleteWithoutRecovery=True)
        plain.create_secret(Name="db", SecretString="two")
    kms.client().disable_key(KeyId=key)
    assert read(secrets) == "two"


def test_a_secret_that_is_gone_is_refused_by_its_store(kms, secrets, plain, key):
    secrets.create_secret(Name="db", SecretString="one", KmsKeyId=key)
    with kms.pause():
        plain.delete_secret(SecretId="db", ForceDeleteWithoutRecovery=True)
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        read(secrets)


@pytest.mark.parametrize("is_own", [True, False], ids=["own key", "default key"])
def test_the_secret_that_rds_makes_is_under_its_key(kms, secrets, key, is_own):
    rds = kms.client("rds")
    database = rds.create_db_instance(
        DBInstanceIdentifier="d",
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        AllocatedStorage=20,
        MasterUsername="u",
        ManageMasterUserPassword=True,
        **({"MasterUserSecretKmsKeyId": key} if is_own else {}),
    )["DBInstance"]
    shown = database["MasterUserSecret"]
    secrets.get_secret_value(SecretId=shown["SecretArn"])
    used = kms.calls[-1]
    assert (used.operation, used.key_arn) == ("Decrypt", shown["KmsKeyId"])
    assert not is_own or used.key_arn == key


# --- Parameter Store reads through Secrets Manager -----------------------------------------------

REFERENCE = "/aws/reference/secretsmanager/db"


@pytest.fixture
def ssm(kms):
    return kms.client("ssm")


def test_a_parameter_that_refers_to_a_secret_reads_it_through_secrets_manager(kms, secrets, ssm):
    secrets.create_secret(Name="db", SecretString="one")
    shown = ssm.get_parameter(Name=REFERENCE, WithDecryption=True)["Parameter"]
    assert shown["Value"] == "one"
    kms.calls.assert_called("Decrypt", via_service="secretsmanager", times=1)
    assert not [call for call in kms.calls if (call.via_service or "").startswith("ssm.")]


def test_several_parameters_may_refer_to_secrets(kms, secrets, ssm):
    secrets.create_secret(Name="db", SecretString="one")
    ssm.put_parameter(Name="other", Value="x", Type="SecureString")
    shown = ssm.get_parameters(Names=[REFERENCE, "other"], WithDecryption=True)["Parameters"]
    assert {each["Value"] for each in shown} == {"one", "x"}
    for service in ("secretsmanager", "ssm"):
        kms.calls.assert_called("Decrypt", via_service=service, times=1)


def test_a_refusal_of_secrets_manager_names_it(kms, secrets, ssm, key):
    secrets.create_secret(Name="db", SecretString="one", KmsKeyId=key)
    kms.client().disable_key(KeyId=key)
    with pytest.raises(ClientError, match="when referencing Secrets Manager") as caught:
        ssm.get_parameter(Name=REFERENCE, WithDecryption=True)
    error = caught.value.response["Error"]
    assert error["Code"] == "ParameterNotFound"
    assert error["Message"].startswith("An error occurred (DecryptionFailure) when referencing")


def test_a_reference_can_name_the_version_of_a_secret(kms, secrets, ssm):
    first = secrets.create_secret(Name="db", SecretString="one")["VersionId"]
    secrets.put_secret_value(SecretId="db", SecretString="two")
    shown = ssm.get_parameter(Name=f"{REFERENCE}:{first}", WithDecryption=True)["Parameter"]
    assert shown["Value"] == "one"
    assert kms.calls[-1].encryption_context["SecretVersionId"] == first


@pytest.mark.parametrize("is_seen", [True, False], ids=["recorded", "unrecorded"])
def test_the_account_of_moto_is_that_of_the_mock(is_seen):
    with mock_aws(), mock_kms(account_id="111122223333") as kms:
        client = boto3.client("secretsmanager", REGION)
        with nullcontext() if is_seen else kms.pause():
            client.create_secret(Name="db", SecretString="one")
        assert read(client) == "one"
        assert ":111122223333:" in str(kms.calls[-1].key_arn)
