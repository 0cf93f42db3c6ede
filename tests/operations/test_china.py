"""What China Regions have besides: SM2 keys."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.refusals import refused

pytest.importorskip("gmalg", reason="SM2 needs gmalg")
OPENSSL = shutil.which("openssl")


@pytest.fixture
def client(kms):
    return kms.client(region="cn-north-1")


def test_arns_are_of_the_partition_of_china(new_key):
    assert new_key()["Arn"].startswith("arn:aws-cn:kms:cn-north-1:")


def test_there_are_no_ml_kem_keys(new_key):
    with refused(
        "UnsupportedOperationException", "KeySpec ML_KEM_768 is not supported in this Region"
    ):
        new_key(KeySpec="ML_KEM_768", KeyUsage="ENCAPSULATE_DECAPSULATE")


def test_nor_are_there_ml_kem_data_key_pairs(client, new_key):
    if "ML_KEM_768" not in client.meta.service_model.shape_for("DataKeyPairSpec").enum:
        pytest.skip("the installed botocore does not know these")
    with refused("UnsupportedOperationException"):
        client.generate_data_key_pair(KeyId=new_key()["KeyId"], KeyPairSpec="ML_KEM_768")


@pytest.mark.parametrize("message_type", ["RAW", "DIGEST"])
def test_an_sm2_signature_verifies(client, new_key, message_type):
    key = new_key(KeySpec="SM2", KeyUsage="SIGN_VERIFY")
    request = {
        "KeyId": key["KeyId"],
        "Message": b"m" * 32,
        "MessageType": message_type,
        "SigningAlgorithm": "SM2DSA",
    }

    signature = client.sign(**request)["Signature"]

    assert client.verify(Signature=signature, **request)["SignatureValid"] is True
    for junk in (b"junk", b"\x30\x06\x02\x01\x01\x02\x01\x01"):
        with refused("KMSInvalidSignatureException", ""):
            client.verify(**{**request, "Signature": junk})


def test_an_sm2_digest_has_32_bytes(client, new_key):
    key_id = new_key(KeySpec="SM2", KeyUsage="SIGN_VERIFY")["KeyId"]

    with refused("ValidationException", "Digest is invalid length for algorithm SM2DSA."):
        client.sign(KeyId=key_id, Message=b"m", MessageType="DIGEST", SigningAlgorithm="SM2DSA")


@pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")
def test_openssl_verifies_an_sm2_signature(client, new_key, tmp_path):
    key_id = new_key(KeySpec="SM2", KeyUsage="SIGN_VERIFY")["KeyId"]
    answer = client.sign(KeyId=key_id, Message=b"text", SigningAlgorithm="SM2DSA")
    (tmp_path / "key").write_bytes(client.get_public_key(KeyId=key_id)["PublicKey"])
    (tmp_path / "signature").write_bytes(answer["Signature"])
    (tmp_path / "message").write_bytes(b"text")

    result = subprocess.run(
        [
            *(OPENSSL, "pkeyutl", "-verify", "-rawin", "-digest", "sm3", "-pubin"),
            *("-keyform", "DER", "-inkey", "key", "-sigfile", "signature", "-in", "message"),
            *("-pkeyopt", "distid:1234567812345678"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "Signature Verified Successfully" in result.stdout


def test_sm2_encrypts_up_to_1024_bytes(client, new_key):
    key_id = new_key(KeySpec="SM2", KeyUsage="ENCRYPT_DECRYPT")["KeyId"]
    sm2 = {"KeyId": key_id, "EncryptionAlgorithm": "SM2PKE"}

    blob = client.encrypt(Plaintext=b"x" * 1024, **sm2)["CiphertextBlob"]

    assert client.decrypt(CiphertextBlob=blob, **sm2)["Plaintext"] == b"x" * 1024
    with refused("InvalidCiphertextException", ""):
        client.decrypt(CiphertextBlob=blob[:-1] + b"\0", **sm2)
    text = "Algorithm SM2PKE and key spec SM2 cannot encrypt data larger than 1024 bytes."
    with refused("ValidationException", text):
        client.encrypt(Plaintext=b"x" * 1025, **sm2)


def test_two_sm2_keys_agree_on_a_secret(client, new_key):
    keys = [new_key(KeySpec="SM2", KeyUsage="KEY_AGREEMENT")["KeyId"] for _ in range(2)]
    public = [client.get_public_key(KeyId=key)["PublicKey"] for key in keys]

    secrets = [
        client.derive_shared_secret(KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=peer)[
            "SharedSecret"
        ]
        for key, peer in zip(keys, reversed(public), strict=True)
    ]

    assert secrets[0] == secrets[1]
    assert len(secrets[0]) == 32
    for wrong in (b"junk", public[0][:-1] + bytes([public[0][-1] ^ 1])):
        with refused("ValidationException", ""):
            client.derive_shared_secret(
                KeyId=keys[0], KeyAgreementAlgorithm="ECDH", PublicKey=wrong
            )


def test_sm2_data_key_pairs_are_made_in_china_only(kms, client, new_key):
    pair = client.generate_data_key_pair(KeyId=new_key()["KeyId"], KeyPairSpec="SM2")
    elsewhere = kms.client(region="us-east-1")
    key_id = elsewhere.create_key()["KeyMetadata"]["KeyId"]

    assert len(pair["PublicKey"]) == 91
    with refused("UnsupportedOperationException"):
        elsewhere.generate_data_key_pair(KeyId=key_id, KeyPairSpec="SM2")
