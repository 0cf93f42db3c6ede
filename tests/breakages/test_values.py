"""Parameters of the right type and the wrong content: encodings, sizes, values, key material."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import boto3
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from kmsmock import KMSMock, mock_kms
from kmsmock.aws.installed_model import get_operation_model
from tests.breakages.table import Table, read_note
from tests.material import NEVER, import_parameters

TABLE = Table()
TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}
MATERIAL = bytes(range(200, 232))


def make_key(kms: KMSMock, **more: Any) -> str:
    key_id: str = kms.client().create_key(**more)["KeyMetadata"]["KeyId"]
    return key_id


def decrypt(kms: KMSMock, encode: Callable[[bytes], bytes | str]) -> None:
    client = kms.client()
    blob = client.encrypt(KeyId=make_key(kms), Plaintext=b"text")["CiphertextBlob"]
    client.decrypt(CiphertextBlob=encode(blob))


# --- texts of ciphertexts, signatures and MACs ------------------------


@TABLE.breakage(
    "CiphertextBlob is Base64 text: boto3 takes bytes and encodes them itself. Pass "
    "base64.b64decode(value)."
)
def a_ciphertext_in_base64(kms):
    decrypt(kms, base64.b64encode)


@TABLE.breakage("CiphertextBlob is Base64 text")
def a_ciphertext_in_base64_as_text(kms):
    decrypt(kms, lambda blob: base64.b64encode(blob).decode())


@TABLE.breakage("CiphertextBlob is Base64 text")
def a_ciphertext_in_base64_in_lines(kms):
    decrypt(kms, base64.encodebytes)


@TABLE.breakage("CiphertextBlob is hexadecimal text: boto3 takes bytes and encodes them itself. Pa")
def a_ciphertext_in_hexadecimal_digits(kms):
    decrypt(kms, bytes.hex)


@TABLE.breakage("a JSON string, with quotes around it")
def a_ciphertext_in_json(kms):
    decrypt(kms, lambda blob: json.dumps(base64.b64encode(blob).decode()))


@TABLE.breakage("CiphertextBlob is the text that str() makes of bytes")
def the_text_of_a_ciphertext(kms):
    decrypt(kms, str)


@TABLE.breakage("CiphertextBlob is the text of a whole response")
def the_text_of_the_response_of_encrypt(kms):
    decrypt(kms, lambda blob: str({"CiphertextBlob": blob}))


@TABLE.breakage("which loses some of them")
def a_ciphertext_that_was_decoded_with_replacements(kms):
    decrypt(kms, lambda blob: blob.decode(errors="replace"))


@TABLE.breakage('Pass value.decode().encode("latin-1")')
def a_ciphertext_that_was_decoded_as_latin_1(kms):
    decrypt(kms, lambda blob: blob.decode("latin-1"))


@TABLE.breakage(
    "It has 32 bytes, as the Plaintext of GenerateDataKey: Decrypt takes the CiphertextBl"
)
def decrypting_a_plaintext_data_key(kms):
    data_key = kms.client().generate_data_key(KeyId=make_key(kms), KeySpec="AES_256")
    kms.client().decrypt(CiphertextBlob=data_key["Plaintext"])


@TABLE.breakage("The CiphertextBlob is cut off: it has 100 bytes, and a header for ")
def a_ciphertext_that_was_cut_off(kms):
    decrypt(kms, lambda blob: blob[:100])


@TABLE.breakage("The CiphertextBlob is followed by other bytes: it has ")
def a_ciphertext_with_a_line_break(kms):
    decrypt(kms, lambda blob: blob + b"\n")


@TABLE.breakage("CiphertextBlob is Base64 text")
def re_encrypting_base64(kms):
    key_id, client = make_key(kms), kms.client()
    blob = base64.b64encode(client.encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"])
    client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key_id)


@TABLE.breakage("Signature is Base64 text")
def verifying_a_signature_in_base64(kms):
    key_id = make_key(kms, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    request = {"KeyId": key_id, "Message": b"text", "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = kms.client().sign(**request)["Signature"]
    kms.client().verify(**request, Signature=base64.b64encode(signature))


@TABLE.breakage("Mac is hexadecimal text")
def verifying_a_mac_in_hexadecimal_digits(kms):
    key_id = make_key(kms, KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    request = {"KeyId": key_id, "Message": b"text", "MacAlgorithm": "HMAC_SHA_256"}
    mac = kms.client().generate_mac(**request)["Mac"]
    kms.client().verify_mac(**request, Mac=mac.hex())


@TABLE.breakage(
    "A ciphertext of an asymmetric key does not identify its key: the request needs both the key"
)
def a_ciphertext_of_a_public_key_alone(kms):
    kms.client().decrypt(CiphertextBlob=bytes(384))


@TABLE.breakage("PublicKey is PEM: boto3 takes bytes and encodes them itself. Pass the DER of it")
def a_public_key_in_pem(kms):
    key_id = make_key(kms, KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT")
    der = kms.client().get_public_key(KeyId=key_id)["PublicKey"]
    pem = serialization.load_der_public_key(der).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    kms.client().derive_shared_secret(KeyId=key_id, KeyAgreementAlgorithm="ECDH", PublicKey=pem)


# --- imported key material --------------------------------------------


def import_material(kms: KMSMock, material: bytes, **more: Any) -> str:
    """Wrap key material, and import it into a new key."""
    key_id, client = make_key(kms, Origin="EXTERNAL"), kms.client()
    issued = client.get_parameters_for_import(
        KeyId=key_id, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
    )
    public_key = serialization.load_der_public_key(issued["PublicKey"])
    assert isinstance(public_key, rsa.RSAPublicKey)
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    wrapped = public_key.encrypt(material, oaep)
    request = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE", **more}
    wrap = request.pop("wrap", bytes)
    client.import_key_material(
        KeyId=key_id,
        ImportToken=issued["ImportToken"],
        EncryptedKeyMaterial=wrap(wrapped),
        **request,
    )
    return key_id


@TABLE.breakage("EncryptedKeyMaterial is Base64 text")
def wrapped_key_material_in_base64(kms):
    import_material(kms, MATERIAL, wrap=base64.b64encode)


@TABLE.breakage(
    "The unwrapped material has 44 bytes; SYMMETRIC_DEFAULT needs 32. It is Base64 text: wrap "
    "base64.b64decode(value)."
)
def key_material_in_base64(kms):
    import_material(kms, base64.b64encode(MATERIAL))


@TABLE.breakage("It is hexadecimal text: wrap bytes.fromhex(value)")
def key_material_in_hexadecimal_digits(kms):
    import_material(kms, MATERIAL.hex().encode())


@TABLE.breakage("The unwrapped material has 16 bytes; SYMMETRIC_DEFAULT needs 32.")
def key_material_that_is_too_short(kms):
    import_material(kms, b"a" * 16)


@TABLE.breakage("UTC: import it again. GetParametersForImport and ImportKeyMaterial give it key ma")
def key_material_that_has_expired(kms):
    key_id = import_material(
        kms,
        MATERIAL,
        ExpirationModel="KEY_MATERIAL_EXPIRES",
        ValidTo=kms.clock.now() + timedelta(days=1),
    )
    kms.clock.advance(days=2)
    kms.client().encrypt(KeyId=key_id, Plaintext=b"text")


@TABLE.breakage("GetParametersForImport and ImportKeyMaterial give it key material")
def key_material_that_was_never_imported(kms):
    kms.client().encrypt(KeyId=make_key(kms, Origin="EXTERNAL"), Plaintext=b"text")


@TABLE.breakage("The time of KMS is 2030-01-11 00:00:00 UTC, that of kms.clock.now(), and not alwa")
def key_material_that_expires_by_another_clock(kms):
    start = datetime(2030, 1, 1, tzinfo=timezone.utc)
    kms.clock.move_to(start + timedelta(days=10))
    import_material(
        kms, MATERIAL, ExpirationModel="KEY_MATERIAL_EXPIRES", ValidTo=start + timedelta(days=2)
    )


def get_parameters(kms: KMSMock, key_id: str) -> dict[str, Any]:
    issued = kms.client().get_parameters_for_import(
        KeyId=key_id, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
    )
    return {
        "ImportToken": issued["ImportToken"],
        "EncryptedKeyMaterial": b"\xff" * 256,
        "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
    }


@TABLE.breakage(": each key needs its own.")
def the_import_token_of_another_key(kms):
    parameters = get_parameters(kms, make_key(kms, Origin="EXTERNAL"))
    kms.client().import_key_material(KeyId=make_key(kms, Origin="EXTERNAL"), **parameters)


@TABLE.breakage("(24 hours): call GetParametersForImport again.")
def an_import_token_that_has_expired(kms):
    key_id = make_key(kms, Origin="EXTERNAL")
    parameters = get_parameters(kms, key_id)
    kms.clock.advance(hours=25)
    kms.client().import_key_material(KeyId=key_id, **parameters)


@TABLE.breakage(
    "EncryptedKeyMaterial cannot be unwrapped with RSAES_OAEP_SHA_256, the algorithm that the impor"
)
def key_material_that_is_not_wrapped(kms):
    import_material(kms, MATERIAL, wrap=lambda _: bytes(256))


@TABLE.breakage("It was valid until 20")
def a_late_import(kms):
    an_import_token_that_has_expired(kms)


@TABLE.breakage("The token was issued for arn:aws:kms:us-east-1:123456789012:key/")
def a_swapped_import_token(kms):
    the_import_token_of_another_key(kms)


def wrapping_that_an_algorithm_cannot_do(kms):
    kms.client().get_parameters_for_import(
        KeyId=make_key(kms, Origin="EXTERNAL"),
        WrappingAlgorithm="SM2PKE",
        WrappingKeySpec="RSA_2048",
    )


_IMPORT = get_operation_model("GetParametersForImport").input_shape
if "SM2PKE" in _IMPORT.members["WrappingAlgorithm"].enum:  # which older versions of botocore lack
    TABLE.breakage(
        "Supported: RSAES_OAEP_SHA_1 with RSA_2048, RSAES_OAEP_SHA_1 with RSA_3072, RSAES_"
    )(wrapping_that_an_algorithm_cannot_do)


# --- keys -------------------------------------------------------------


@TABLE.breakage("RSA_2048 keys can have: ENCRYPT_DECRYPT, SIGN_VERIFY.")
def a_key_pair_without_usage(kms):
    make_key(kms, KeySpec="RSA_2048")


@TABLE.breakage("HMAC_256 keys can have: GENERATE_VERIFY_MAC.")
def a_key_with_the_usage_of_another(kms):
    make_key(kms, KeySpec="HMAC_256", KeyUsage="ENCRYPT_DECRYPT")


@TABLE.breakage("AWS offers it only in cn-north-1 and cn-northwest-1.")
def a_key_of_china(kms):
    make_key(kms, KeySpec="SM2", KeyUsage="SIGN_VERIFY")


@TABLE.breakage("It has keys in: us-east-1, eu-west-1.")
def a_primary_region_without_replica(kms):
    key_id = make_key(kms, MultiRegion=True)
    kms.client().replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")
    kms.clock.advance(hours=1)
    kms.client().update_primary_region(KeyId=key_id, PrimaryRegion="eu-west-3")


@TABLE.breakage("; UpdateAlias changes the key.")
def an_alias_that_is_there_already(kms):
    for _ in range(2):
        kms.client().create_alias(AliasName="alias/app", TargetKeyId=make_key(kms))


def test_the_note_on_an_alias_names_the_key_that_it_has() -> None:
    made: list[str] = []

    def run(kms: KMSMock) -> None:
        for _ in range(2):
            made.append(make_key(kms))
            kms.client().create_alias(AliasName="alias/app", TargetKeyId=made[-1])

    assert read_note(run) == f"Its key is {made[0]}; UpdateAlias changes the key."


# --- sizes and values -------------------------------------------------


@TABLE.breakage('data_key = client.generate_data_key(KeyId=key_id, KeySpec="AES_256")')
def a_plaintext_of_more_than_4096_bytes(kms):
    kms.client().encrypt(KeyId=make_key(kms), Plaintext=b"x" * 4097)


@TABLE.breakage("sign the hash of more, as Message with MessageType='DIGEST'")
def a_message_of_more_than_4096_bytes(kms):
    key_id = make_key(kms, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    kms.client().sign(KeyId=key_id, Message=b"x" * 4097, SigningAlgorithm="ECDSA_SHA_256")


@TABLE.breakage("GenerateMac takes 4096 bytes: pass the hash of more.")
def a_message_of_more_than_4096_bytes_for_a_mac(kms):
    key_id = make_key(kms, KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    kms.client().generate_mac(KeyId=key_id, Message=b"x" * 4097, MacAlgorithm="HMAC_SHA_256")


@TABLE.breakage("which GenerateDataKey makes under a symmetric encryption key")
def a_plaintext_of_more_bytes_than_rsa_takes(kms):
    key_id = make_key(kms, KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
    kms.client().encrypt(
        KeyId=key_id, Plaintext=b"x" * 191, EncryptionAlgorithm="RSAES_OAEP_SHA_256"
    )


def sign_digest(kms: KMSMock, digest: bytes) -> None:
    key_id = make_key(kms, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    kms.client().sign(
        KeyId=key_id, Message=digest, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256"
    )


@TABLE.breakage(
    "must have 32: pass the hash of the message, from hashlib's digest(), or the message i"
)
def a_message_where_its_hash_is_signed(kms):
    sign_digest(kms, b"message")


@TABLE.breakage("must have 32: this is hexadecimal text. Pass the bytes of hashlib's digest().")
def the_hexadecimal_digits_of_a_hash(kms):
    sign_digest(kms, b"a1" * 32)


@TABLE.breakage("Did you mean KeySpec='RSA_2048'?")
def a_misspelt_key_spec(kms):
    make_key(kms, KeySpec="RSA2048", KeyUsage="SIGN_VERIFY")


@TABLE.breakage("KeySpec='SYMMETRIC_DEFAULT' makes an AES key; AES_256 is for data keys")
def the_spec_of_a_data_key_for_a_key(kms):
    make_key(kms, KeySpec="AES_256")


@TABLE.breakage("Did you mean Operations='GenerateDataKey'?")
def a_misspelt_operation_of_a_grant(kms):
    kms.client().create_grant(
        KeyId=make_key(kms),
        GranteePrincipal=kms.account("123456789012").root.arn,
        Operations=["GenerateDatakey"],
    )


@TABLE.breakage("Encrypt needs a key created with KeyUsage=ENCRYPT_DECRYPT")
def encrypting_with_a_signing_key(kms):
    key_id = make_key(kms, KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    kms.client().encrypt(KeyId=key_id, Plaintext=b"text")


@TABLE.breakage("EnableKey makes it usable again")
def a_disabled_key(kms):
    key_id = make_key(kms)
    kms.client().disable_key(KeyId=key_id)
    kms.client().encrypt(KeyId=key_id, Plaintext=b"text")


@TABLE.breakage("CancelKeyDeletion, then EnableKey, make it usable again")
def a_key_that_is_pending_deletion(kms):
    key_id = make_key(kms)
    kms.client().schedule_key_deletion(KeyId=key_id)
    kms.client().encrypt(KeyId=key_id, Plaintext=b"text")


@TABLE.breakage("Recently used with this key: tenant=a.")
def another_encryption_context(kms):
    key_id, client = make_key(kms), kms.client()
    blob = client.encrypt(KeyId=key_id, Plaintext=b"text", EncryptionContext={"tenant": "a"})[
        "CiphertextBlob"
    ]
    client.decrypt(CiphertextBlob=blob, EncryptionContext={"tenant": "b"})


@TABLE.breakage("Only a symmetric ciphertext identifies its key")
def decrypting_with_rsa_without_key_id(kms):
    key_id = make_key(kms, KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
    algorithm = {"EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    blob = kms.client().encrypt(KeyId=key_id, Plaintext=b"text", **algorithm)["CiphertextBlob"]
    kms.client().decrypt(CiphertextBlob=blob, **algorithm)


@TABLE.breakage(
    "needs both the key and the algorithm, as in KeyId=key_id, EncryptionAlgorithm='RSA"
)
def decrypting_with_rsa_without_key_id_and_algorithm(kms):
    key_id = make_key(kms, KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
    algorithm = {"EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    blob = kms.client().encrypt(KeyId=key_id, Plaintext=b"text", **algorithm)["CiphertextBlob"]
    kms.client().decrypt(CiphertextBlob=blob)


@TABLE.breakage(
    "A ciphertext of an asymmetric key does not identify its key: the request needs both"
)
def decrypting_with_rsa_without_algorithm(kms):
    key_id = make_key(kms, KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
    kms.client().decrypt(CiphertextBlob=b"\xff" * 60, KeyId=key_id)


@TABLE.breakage("RSAES_OAEP_SHA_256. Without an EncryptionAlgorithm it is SYMMETRIC_DEFAULT.")
def encrypting_with_rsa_without_algorithm(kms):
    key_id = make_key(kms, KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
    kms.client().encrypt(KeyId=key_id, Plaintext=b"text")


@TABLE.breakage(
    "expired on 2030-01-01 01:00 UTC. New ones come from where these came from, such as "
)
def a_role_session_that_has_expired(kms):
    kms.clock.move_to(datetime(2030, 1, 1, tzinfo=timezone.utc))
    role = kms.account("123456789012").role("App", trust={"Statement": TRUST})
    session = kms.client("sts").assume_role(RoleArn=role.arn, RoleSessionName="job")["Credentials"]
    kms.clock.advance(hours=2)
    client = boto3.client(
        "kms",
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )
    client.list_keys()


@TABLE.parametrize()
def test_the_note_names_the_fix(sentence: str, run: Callable[[KMSMock], Any]) -> None:
    assert sentence in read_note(run)


def test_digits_that_are_no_key_material_are_not_called_the_text_of_it() -> None:
    assert "text" not in read_note(key_material_that_is_too_short)


@pytest.mark.parametrize("encode", [base64.b64encode, bytes.hex, str])
def test_the_note_on_text_of_a_ciphertext_says_nothing_else(encode: Callable[..., Any]) -> None:
    note = read_note(lambda kms: decrypt(kms, encode))

    assert note.startswith("CiphertextBlob is ")
    assert "cannot be read" not in note


@pytest.mark.parametrize("size", [256, 384, 512])
def test_a_ciphertext_as_long_as_a_modulus_is_taken_for_one_of_a_public_key(size: int) -> None:
    note = read_note(lambda kms: kms.client().decrypt(CiphertextBlob=b"\xff" * size))

    assert "needs both the key and the algorithm, as in KeyId=key_id, EncryptionAlgorithm=" in note


@pytest.mark.parametrize("size", [16, 32])
def test_a_ciphertext_as_long_as_a_data_key_is_taken_for_its_plaintext(size: int) -> None:
    note = read_note(lambda kms: kms.client().decrypt(CiphertextBlob=b"\xff" * size))

    assert f"It has {size} bytes, as the Plaintext of GenerateDataKey" in note


@pytest.mark.parametrize("size", [15, 33, 255, 400])
def test_a_ciphertext_of_another_length_is_just_damaged(size: int) -> None:
    note = read_note(lambda kms: kms.client().decrypt(CiphertextBlob=b"\xff" * size))

    assert note.endswith(
        "It was damaged, or was not made by Encrypt, ReEncrypt or GenerateDataKey with a symmetric "
        "key of this mock."
    )


def base64_import_token(kms: KMSMock) -> None:
    parameters = import_parameters(kms.client(), make_key(kms, Origin="EXTERNAL"), MATERIAL)
    parameters["ImportToken"] = base64.b64encode(parameters["ImportToken"])
    kms.client().import_key_material(**parameters, ExpirationModel=NEVER)


TEXTS_ALONE: dict[str, Callable[[KMSMock], None]] = {
    "ImportToken": base64_import_token,
    "EncryptedKeyMaterial": wrapped_key_material_in_base64,
    "Signature": verifying_a_signature_in_base64,
    "Mac": verifying_a_mac_in_hexadecimal_digits,
}


@pytest.mark.parametrize("member", TEXTS_ALONE)
def test_the_note_on_a_text_says_nothing_else(member: str) -> None:
    note = read_note(TEXTS_ALONE[member])

    assert note.startswith(f"{member} is ")
    assert note.count(". ") == 1  # what it is, and what to pass


# --- what is no mistake -----------------------------------------------


@pytest.mark.parametrize(
    "plaintext", [b"c2VjcmV0c2VjcmV0c2VjcmV0", b"00" * 32, b'{"a": "1234567"}']
)
def test_plaintexts_may_be_text_of_any_kind(plaintext: bytes) -> None:
    def run(kms: KMSMock) -> None:
        key_id = make_key(kms)
        kms.client().disable_key(KeyId=key_id)
        kms.client().encrypt(KeyId=key_id, Plaintext=plaintext)

    assert read_note(run) == "EnableKey makes it usable again."


def test_the_envelope_in_the_note_works_as_it_is_written() -> None:
    aead = pytest.importorskip("cryptography.hazmat.primitives.ciphers.aead")
    code = []
    with mock_kms() as kms:
        client, key_id = kms.client(), make_key(kms)
        with pytest.raises(client.exceptions.ClientError) as caught:
            client.encrypt(KeyId=key_id, Plaintext=b"x" * 5000)
        lines = caught.value.__notes__[0].splitlines()
        code = [line.strip() for line in lines if line.startswith("    ")]
        names = {"client": client, "key_id": key_id, "plaintext": b"x" * 5000}
        exec("\n".join(["import os", *code]), names | {"AESGCM": aead.AESGCM}, names)
        data_key: Any = names["data_key"]
        opened = client.decrypt(CiphertextBlob=data_key["CiphertextBlob"])["Plaintext"]
        plaintext = aead.AESGCM(opened).decrypt(names["nonce"], names["sealed"], None)

    assert len(code) == 3
    assert plaintext == b"x" * 5000


def test_no_note_shows_key_material() -> None:
    for encode in (base64.b64encode, lambda material: material.hex().encode()):
        encoded = encode(MATERIAL)

        def run(kms: KMSMock, encoded: bytes = encoded) -> None:
            import_material(kms, encoded)

        assert encoded.decode()[:12] not in read_note(run)
