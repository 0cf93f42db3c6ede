"""First steps with a KMS key: encrypt and decrypt."""

import boto3
import pytest

from kmsmock import mock_kms


@mock_kms
def test_what_was_encrypted_can_be_decrypted():
    kms = boto3.client("kms")
    key_id = kms.create_key(Description="orders")["KeyMetadata"]["KeyId"]

    blob = kms.encrypt(KeyId=key_id, Plaintext=b"secret")["CiphertextBlob"]

    # A symmetric ciphertext identifies its key: Decrypt needs no KeyId.
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"


@mock_kms
def test_decrypt_needs_the_same_encryption_context():
    kms = boto3.client("kms")
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key_id, Plaintext=b"secret", EncryptionContext={"tenant": "a"})

    with pytest.raises(kms.exceptions.InvalidCiphertextException):
        kms.decrypt(CiphertextBlob=blob["CiphertextBlob"], EncryptionContext={"tenant": "b"})
