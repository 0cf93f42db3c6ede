"""SecureString parameters of SSM: moto stores them, kmsmock encrypts and decrypts them."""

from base64 import b64decode

import pytest
from botocore.exceptions import ClientError

mock_aws = pytest.importorskip("moto", reason="moto stores the parameters").mock_aws


def read_setting(ssm, name):
    """Read a parameter, as an application does."""
    return ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]


@pytest.fixture
def ssm(kms):
    with mock_aws():
        yield kms.client("ssm")


@pytest.fixture
def key(kms):
    return kms.client().create_key()["KeyMetadata"]["Arn"]


def test_a_setting_is_encrypted_under_the_named_key(kms, ssm, key):
    ssm.put_parameter(Name="/app/token", Value="hunter2", Type="SecureString", KeyId=key)

    assert read_setting(ssm, "/app/token") == "hunter2"
    arn = "arn:aws:ssm:us-east-1:123456789012:parameter/app/token"
    kms.calls.assert_called("Encrypt", times=1, key=key, encryption_context={"PARAMETER_ARN": arn})


def test_the_stored_value_is_a_kms_ciphertext(kms, ssm, key):
    ssm.put_parameter(Name="/app/token", Value="hunter2", Type="SecureString", KeyId=key)
    stored = ssm.get_parameter(Name="/app/token")["Parameter"]["Value"]

    arn = "arn:aws:ssm:us-east-1:123456789012:parameter/app/token"
    decrypted = kms.client().decrypt(
        CiphertextBlob=b64decode(stored), EncryptionContext={"PARAMETER_ARN": arn}
    )
    assert decrypted["Plaintext"] == b"hunter2"


def test_a_role_needs_the_key_as_well_as_the_parameter(kms, ssm, key):
    ssm.put_parameter(Name="/app/token", Value="hunter2", Type="SecureString", KeyId=key)
    may_read = {"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": "*"}
    may_decrypt = {
        "Effect": "Allow",
        "Action": "kms:Decrypt",
        "Resource": key,
        "Condition": {"StringEquals": {"kms:ViaService": "ssm.us-east-1.amazonaws.com"}},
    }
    account = kms.account("123456789012")
    half = account.role("Half", policies=[{"Version": "2012-10-17", "Statement": may_read}])
    whole = account.role(
        "Whole", policies=[{"Version": "2012-10-17", "Statement": [may_read, may_decrypt]}]
    )

    with pytest.raises(ClientError, match="not authorized to perform: kms:Decrypt"):
        read_setting(half.client("ssm"), "/app/token")
    assert read_setting(whole.client("ssm"), "/app/token") == "hunter2"


def test_overwriting_without_a_key_falls_back_to_the_managed_key(kms, ssm, key):
    ssm.put_parameter(Name="/app/token", Value="one", Type="SecureString", KeyId=key)
    ssm.put_parameter(Name="/app/token", Value="two", Type="SecureString", Overwrite=True)

    kms.client().disable_key(KeyId=key)
    assert read_setting(ssm, "/app/token") == "two"
