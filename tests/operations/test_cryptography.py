"""Encryption, data keys, signatures, MACs, agreement: checked from outside the mock."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, utils

from tests.material import rsa_key
from tests.refusals import refused

HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
CONTEXT = {"tenant": "a", "purpose": "test"}
RSA_CONTEXT_TEXT = (
    "EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs."
)


def public_key(client, key_id):
    return serialization.load_der_public_key(client.get_public_key(KeyId=key_id)["PublicKey"])


# --- symmetric encryption ----------------------------------------


@pytest.mark.parametrize(
    ("plaintext_bytes", "blob_bytes"), [(1, 153), (22, 174), (32, 184), (48, 201), (4096, 4258)]
)
def test_ciphertexts_are_as_long_as_those_of_aws(client, new_key, plaintext_bytes, blob_bytes):
    answer = client.encrypt(KeyId=new_key()["KeyId"], Plaintext=b"x" * plaintext_bytes)

    assert len(answer["CiphertextBlob"]) == blob_bytes
    assert answer["CiphertextBlob"].startswith(bytes.fromhex("0102020078"))


def test_encrypt_and_decrypt_tell_key_and_algorithm(client, new_key):
    key = new_key()

    sealed = client.encrypt(KeyId=key["KeyId"], Plaintext=b"text", EncryptionContext=CONTEXT)
    opened = client.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=CONTEXT)

    for answer in (sealed, opened):
        del answer["ResponseMetadata"]
    assert set(sealed) == {"CiphertextBlob", "KeyId", "EncryptionAlgorithm"}
    assert opened == {
        "KeyId": key["Arn"],
        "Plaintext": b"text",
        "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "KeyMaterialId": key["CurrentKeyMaterialId"],
    }


@pytest.mark.parametrize(
    "context",
    [
        pytest.param(None, id="none"),
        pytest.param({"ab": "c"}, id="shifted"),
        pytest.param({"a": "bc", "x": "y"}, id="more"),
        pytest.param({"A": "bc"}, id="other case"),
    ],
)
def test_another_context_does_not_open_a_ciphertext(client, new_key, context):
    blob = client.encrypt(
        KeyId=new_key()["KeyId"], Plaintext=b"text", EncryptionContext={"a": "bc"}
    )["CiphertextBlob"]

    with refused("InvalidCiphertextException", ""):
        client.decrypt(
            CiphertextBlob=blob, **({} if context is None else {"EncryptionContext": context})
        )


def test_the_order_of_a_context_does_not_matter_and_any_text_may_be_in_it(client, new_key):
    context = {"ключ": "значение", "a": "", "z": "\U0001f511"}
    blob = client.encrypt(KeyId=new_key()["KeyId"], Plaintext=b"text", EncryptionContext=context)[
        "CiphertextBlob"
    ]

    turned = dict(reversed(context.items()))
    answer = client.decrypt(CiphertextBlob=blob, EncryptionContext=turned)

    assert answer["Plaintext"] == b"text"


def test_every_flipped_bit_makes_a_ciphertext_invalid(kms, client, new_key):
    if kms.options["wire"]:
        pytest.skip("once is enough for 1,400 calls")
    blob = client.encrypt(KeyId=new_key()["KeyId"], Plaintext=b"text")["CiphertextBlob"]

    for bit in range(8 * len(blob)):
        flipped = bytearray(blob)
        flipped[bit // 8] ^= 1 << bit % 8
        with refused("InvalidCiphertextException", ""):
            client.decrypt(CiphertextBlob=bytes(flipped))


@pytest.mark.parametrize("change", [lambda b: b[:-1], lambda b: b + b"\0", lambda b: b[1:]])
def test_a_shortened_or_lengthened_ciphertext_is_invalid(client, new_key, change):
    blob = client.encrypt(KeyId=new_key()["KeyId"], Plaintext=b"text")["CiphertextBlob"]

    with refused("InvalidCiphertextException", ""):
        client.decrypt(CiphertextBlob=change(blob))


#: A ciphertext of the real KMS, whose keys no mock has.
OF_AWS = base64.b64decode(
    "AQICAHir0ui59IhhxerNSGWcivuEKUVOTTUODvAwMZqqKIhn7wFu8PiQgBGXfPYCWczVO42JAAAAdDByBgkqhkiG"
    "9w0BBwagZTBjAgEAMF4GCSqGSIb3DQEHATAeBglghkgBZQMEAS4wEQQMpv0Kyh8bR051kBTtAgEQgDFeBLCU2kY3"
    "ZjO2Tm9D7e+mLF1L4bCooYlMn5/sJaA4ur3GACXGbcpXNZQ0pF3uurKw"
)


def test_a_ciphertext_of_aws_itself_has_an_unknown_key(client, new_key):
    with refused("AccessDeniedException") as caught:
        client.decrypt(CiphertextBlob=OF_AWS)

    assert caught.value.response["Error"]["Message"].endswith(
        "is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext "
        "because the resource does not exist in this Region, no resource-based policies allow "
        "access, or a resource-based policy explicitly denies access"
    )
    with refused("AccessDeniedException"):
        client.re_encrypt(CiphertextBlob=OF_AWS, DestinationKeyId=new_key()["KeyId"])
    with refused("IncorrectKeyException"):
        client.decrypt(CiphertextBlob=OF_AWS, KeyId=new_key()["KeyId"])


@pytest.mark.parametrize(
    "change",
    [lambda b: b[:-1], lambda b: b + b"\0", lambda b: b"\2" + b[1:]],
    ids=["shorter", "longer", "prefix"],
)
def test_a_damaged_ciphertext_of_aws_itself_is_invalid(client, change):
    with refused("InvalidCiphertextException", ""):
        client.decrypt(CiphertextBlob=change(OF_AWS))


def test_a_damaged_ciphertext_of_a_deleted_key_is_invalid(kms, client, new_key):
    key_id = new_key()["KeyId"]
    blob = client.encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"]
    client.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    kms.clock.advance(days=8)

    with refused("InvalidCiphertextException", ""):
        client.decrypt(CiphertextBlob=blob[:40] + bytes((blob[40] ^ 1,)) + blob[41:])
    with refused("AccessDeniedException"):
        client.decrypt(CiphertextBlob=blob)


def test_a_key_id_that_is_not_the_ciphertexts_is_incorrect(client, new_key):
    blob = client.encrypt(KeyId=new_key()["KeyId"], Plaintext=b"text")["CiphertextBlob"]
    others = [
        new_key()["KeyId"],
        new_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyId"],
    ]
    client.disable_key(KeyId=others[0])
    text = "The key ID in the request does not identify a CMK that can perform this operation."

    for other in others:
        with refused("IncorrectKeyException", text):
            client.decrypt(CiphertextBlob=blob, KeyId=other)


def test_a_ciphertext_of_another_mock_is_told_as_such(client):
    from kmsmock import mock_kms

    with mock_kms(isolated=True) as other:
        stranger = other.client()
        key_id = stranger.create_key()["KeyMetadata"]["KeyId"]
        blob = stranger.encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"]

    with refused("AccessDeniedException") as caught:
        client.decrypt(CiphertextBlob=blob)

    assert "on the resource associated with this ciphertext because" in str(caught.value)
    assert f"{key_id} of another mock" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    ("plaintext", "constraint"),
    [(b"", "greater than or equal to 1"), (b"x" * 4097, "less than or equal to 4096")],
)
def test_a_plaintext_of_a_wrong_length_is_not_printed(client, new_key, plaintext, constraint):
    text = (
        "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member "
        f"must have length {constraint}"
    )

    with refused("ValidationException", text):
        client.encrypt(KeyId=new_key()["KeyId"], Plaintext=plaintext)


# --- RSA encryption ----------------------------------------


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
@pytest.mark.parametrize(
    ("algorithm", "digest"),
    [("RSAES_OAEP_SHA_1", hashes.SHA1()), ("RSAES_OAEP_SHA_256", hashes.SHA256())],
)
def test_what_was_encrypted_offline_decrypts(client, new_key, bits, algorithm, digest):
    key_id = new_key(KeySpec=f"RSA_{bits}", KeyUsage="ENCRYPT_DECRYPT")["KeyId"]
    oaep = padding.OAEP(padding.MGF1(digest), digest, None)

    blob = public_key(client, key_id).encrypt(b"text", oaep)

    answer = client.decrypt(CiphertextBlob=blob, KeyId=key_id, EncryptionAlgorithm=algorithm)
    assert answer["Plaintext"] == b"text"
    assert "KeyMaterialId" not in answer


@pytest.mark.parametrize(
    ("bits", "algorithm", "longest"),
    [
        (2048, "RSAES_OAEP_SHA_1", 214),
        (3072, "RSAES_OAEP_SHA_1", 342),
        (4096, "RSAES_OAEP_SHA_1", 470),
        (2048, "RSAES_OAEP_SHA_256", 190),
        (3072, "RSAES_OAEP_SHA_256", 318),
        (4096, "RSAES_OAEP_SHA_256", 446),
    ],
)
def test_rsa_encrypts_up_to_its_limit(client, new_key, bits, algorithm, longest):
    key_id = new_key(KeySpec=f"RSA_{bits}", KeyUsage="ENCRYPT_DECRYPT")["KeyId"]
    text = (
        f"Algorithm {algorithm} and key spec RSA_{bits} cannot encrypt data larger than {longest} "
        "bytes."
    )

    blob = client.encrypt(KeyId=key_id, Plaintext=b"x" * longest, EncryptionAlgorithm=algorithm)[
        "CiphertextBlob"
    ]
    with refused("ValidationException", text):
        client.encrypt(KeyId=key_id, Plaintext=b"x" * (longest + 1), EncryptionAlgorithm=algorithm)

    assert len(blob) == bits // 8


def test_rsa_needs_the_key_id_the_algorithm_and_no_context(client, new_key):
    key = new_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
    oaep = {"EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    blob = client.encrypt(KeyId=key["KeyId"], Plaintext=b"text", **oaep)["CiphertextBlob"]

    with refused("ValidationException", "KeyId must not be null"):
        client.decrypt(CiphertextBlob=blob, **oaep)
    with refused("InvalidCiphertextException", ""):
        client.decrypt(CiphertextBlob=blob, KeyId=key["KeyId"])
    incompatible = "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048."
    with refused("InvalidKeyUsageException", incompatible):
        client.encrypt(KeyId=key["KeyId"], Plaintext=b"text")
    with refused("ValidationException", RSA_CONTEXT_TEXT):
        client.encrypt(KeyId=key["KeyId"], Plaintext=b"t", EncryptionContext=CONTEXT, **oaep)
    with refused("ValidationException", RSA_CONTEXT_TEXT):
        client.decrypt(KeyId=key["KeyId"], CiphertextBlob=blob, EncryptionContext=CONTEXT, **oaep)
    assert client.encrypt(KeyId=key["KeyId"], Plaintext=b"t", EncryptionContext={}, **oaep)


@pytest.mark.parametrize("blob", [b"x", b"x" * 255, b"x" * 256, b"\xff" * 256])
def test_garbage_is_no_rsa_ciphertext(client, new_key, blob):
    key_id = new_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyId"]

    with refused("InvalidCiphertextException", ""):
        client.decrypt(CiphertextBlob=blob, KeyId=key_id, EncryptionAlgorithm="RSAES_OAEP_SHA_256")


# --- ReEncrypt ----------------------------------------


def test_reencrypt_moves_data_to_another_key_and_context(client, new_key):
    source, destination = new_key(), new_key()
    blob = client.encrypt(KeyId=source["KeyId"], Plaintext=b"text", EncryptionContext=CONTEXT)[
        "CiphertextBlob"
    ]

    answer = client.re_encrypt(
        CiphertextBlob=blob,
        SourceEncryptionContext=CONTEXT,
        DestinationKeyId=destination["KeyId"],
        DestinationEncryptionContext={"new": "context"},
    )

    opened = client.decrypt(
        CiphertextBlob=answer.pop("CiphertextBlob"), EncryptionContext={"new": "context"}
    )
    del answer["ResponseMetadata"]
    assert (opened["Plaintext"], opened["KeyId"]) == (b"text", destination["Arn"])
    assert answer == {
        "SourceKeyId": source["Arn"],
        "KeyId": destination["Arn"],
        "SourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "DestinationEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "SourceKeyMaterialId": source["CurrentKeyMaterialId"],
        "DestinationKeyMaterialId": destination["CurrentKeyMaterialId"],
    }


def test_reencrypt_goes_from_symmetric_to_rsa_and_back(client, new_key):
    symmetric = new_key()["KeyId"]
    asymmetric = new_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyId"]
    blob = client.encrypt(KeyId=symmetric, Plaintext=b"text")["CiphertextBlob"]

    there = client.re_encrypt(
        CiphertextBlob=blob,
        DestinationKeyId=asymmetric,
        DestinationEncryptionAlgorithm="RSAES_OAEP_SHA_256",
    )
    back = client.re_encrypt(
        CiphertextBlob=there["CiphertextBlob"],
        SourceKeyId=asymmetric,
        SourceEncryptionAlgorithm="RSAES_OAEP_SHA_256",
        DestinationKeyId=symmetric,
    )

    assert "DestinationKeyMaterialId" not in there
    assert "SourceKeyMaterialId" not in back
    assert client.decrypt(CiphertextBlob=back["CiphertextBlob"])["Plaintext"] == b"text"


# --- data keys ----------------------------------------


@pytest.mark.parametrize(
    ("size", "length"),
    [({"KeySpec": "AES_256"}, 32), ({"KeySpec": "AES_128"}, 16), ({"NumberOfBytes": 1024}, 1024)],
)
def test_a_data_key_is_given_plain_and_encrypted(client, new_key, size, length):
    key = new_key()

    answer = client.generate_data_key(KeyId=key["KeyId"], EncryptionContext=CONTEXT, **size)

    opened = client.decrypt(CiphertextBlob=answer["CiphertextBlob"], EncryptionContext=CONTEXT)
    assert len(answer["Plaintext"]) == length
    assert opened["Plaintext"] == answer["Plaintext"]
    assert answer["KeyMaterialId"] == key["CurrentKeyMaterialId"]
    assert answer["CiphertextBlob"].startswith(bytes.fromhex("0102030078"))


def test_a_data_key_without_plaintext_can_be_decrypted_later(client, new_key):
    answer = client.generate_data_key_without_plaintext(KeyId=new_key()["KeyId"], KeySpec="AES_256")

    assert "Plaintext" not in answer
    assert len(client.decrypt(CiphertextBlob=answer["CiphertextBlob"])["Plaintext"]) == 32


@pytest.mark.parametrize("size", [{}, {"KeySpec": "AES_256", "NumberOfBytes": 32}])
def test_the_size_of_a_data_key_is_told_in_just_one_way(client, new_key, size):
    key_id = new_key()["KeyId"]
    client.disable_key(KeyId=key_id)  # the size is looked at first

    with refused("ValidationException", "Please specify either number of bytes or key spec."):
        client.generate_data_key(KeyId=key_id, **size)


PAIRS = {
    "RSA_2048": (294, None),
    "RSA_3072": (422, None),
    "RSA_4096": (550, None),
    "ECC_NIST_P256": (91, 150),
    "ECC_NIST_P384": (120, 194),
    "ECC_NIST_P521": (158, 250),
    "ECC_SECG_P256K1": (88, 144),
    "ECC_NIST_EDWARDS25519": (44, 48),
}


@pytest.mark.parametrize("spec", PAIRS)
def test_a_data_key_pair_is_a_pair_and_as_long_as_that_of_aws(client, new_key, spec):
    key = new_key()

    answer = client.generate_data_key_pair(KeyId=key["KeyId"], KeyPairSpec=spec)

    private = serialization.load_der_private_key(answer["PrivateKeyPlaintext"], None)
    encoded = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    opened = client.decrypt(CiphertextBlob=answer["PrivateKeyCiphertextBlob"])
    public_bytes, private_bytes = PAIRS[spec]
    assert encoded == answer["PublicKey"]
    assert opened["Plaintext"] == answer["PrivateKeyPlaintext"]
    assert len(answer["PublicKey"]) == public_bytes
    assert private_bytes in (None, len(answer["PrivateKeyPlaintext"]))
    assert (answer["KeyId"], answer["KeyPairSpec"]) == (key["Arn"], spec)
    assert answer["KeyMaterialId"] == key["CurrentKeyMaterialId"]


def test_a_data_key_pair_without_plaintext_keeps_its_private_key(client, new_key):
    answer = client.generate_data_key_pair_without_plaintext(
        KeyId=new_key()["KeyId"], KeyPairSpec="ECC_NIST_P256"
    )

    assert "PrivateKeyPlaintext" not in answer
    assert client.decrypt(CiphertextBlob=answer["PrivateKeyCiphertextBlob"])["Plaintext"]


def test_asymmetric_keys_make_no_data_keys(client, new_key):
    key_id = new_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyId"]

    with refused(
        "InvalidKeyUsageException", "You cannot generate a data key with an asymmetric CMK"
    ):
        client.generate_data_key(KeyId=key_id, KeySpec="AES_256")
    with refused(
        "InvalidKeyUsageException", "You cannot generate a data key pair with an asymmetric CMK"
    ):
        client.generate_data_key_pair(KeyId=key_id, KeyPairSpec="ECC_NIST_P256")


def test_random_bytes_are_as_many_as_asked_for(client):
    answers = [client.generate_random(NumberOfBytes=1024)["Plaintext"] for _ in range(2)]

    assert [len(answer) for answer in answers] == [1024, 1024]
    assert answers[0] != answers[1]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        pytest.param({}, "NumberOfBytes is required.", id="missing"),
        pytest.param(
            {"NumberOfBytes": 1025},
            "1 validation error detected: Value '1025' at 'numberOfBytes' failed to satisfy "
            "constraint: Member must have value less than or equal to 1024",
            id="too many",
        ),
    ],
)
def test_a_wrong_number_of_random_bytes_is_refused(client, parameters, message):
    with refused("ValidationException", message):
        client.generate_random(**parameters)


# --- signatures ----------------------------------------

SIGNATURES = [
    *(
        (f"RSA_{bits}", f"RSASSA_{scheme}_SHA_{digest}")
        for bits in (2048, 3072, 4096)
        for scheme in ("PKCS1_V1_5", "PSS")
        for digest in (256, 384, 512)
    ),
    ("ECC_NIST_P256", "ECDSA_SHA_256"),
    ("ECC_NIST_P384", "ECDSA_SHA_384"),
    ("ECC_NIST_P521", "ECDSA_SHA_512"),
    ("ECC_SECG_P256K1", "ECDSA_SHA_256"),
]


def verify_offline(key, signature, message, algorithm):
    digest = HASHES[algorithm[-3:]]
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, message, ec.ECDSA(digest))
    elif "PSS" in algorithm:
        pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
        key.verify(signature, message, pss, digest)
    else:
        key.verify(signature, message, padding.PKCS1v15(), digest)


@pytest.mark.parametrize(("spec", "algorithm"), SIGNATURES)
@pytest.mark.parametrize("message_type", ["RAW", "DIGEST"])
def test_a_signature_verifies_offline_and_here(client, new_key, spec, algorithm, message_type):
    key = new_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")
    message = b"a message"
    digest = hashlib.new(f"sha{algorithm[-3:]}", message).digest()
    request = {"KeyId": key["KeyId"], "SigningAlgorithm": algorithm}

    signature = client.sign(
        Message=message if message_type == "RAW" else digest, MessageType=message_type, **request
    )["Signature"]

    verify_offline(public_key(client, key["KeyId"]), signature, message, algorithm)
    raw = client.verify(Message=message, Signature=signature, **request)
    hashed = client.verify(Message=digest, MessageType="DIGEST", Signature=signature, **request)
    assert raw["SignatureValid"] is hashed["SignatureValid"] is True
    assert (raw["KeyId"], raw["SigningAlgorithm"]) == (key["Arn"], algorithm)


def test_ed25519_signs_messages_as_others_do(client, new_key):
    key_id = new_key(KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY")["KeyId"]
    request = {"KeyId": key_id, "Message": b"text", "SigningAlgorithm": "ED25519_SHA_512"}

    signature = client.sign(**request)["Signature"]

    key = public_key(client, key_id)
    assert isinstance(key, ed25519.Ed25519PublicKey)
    key.verify(signature, b"text")
    assert client.sign(**request)["Signature"] == signature


def test_ed25519ph_takes_the_digest_as_its_message(client, new_key):
    pytest.importorskip("Crypto", reason="Ed25519ph needs pycryptodome")
    from Crypto.Hash import SHA512
    from Crypto.PublicKey import ECC
    from Crypto.Signature import eddsa

    key_id = new_key(KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY")["KeyId"]
    digest = hashlib.sha512(b"text").digest()
    request = {
        "KeyId": key_id,
        "Message": digest,
        "MessageType": "DIGEST",
        "SigningAlgorithm": "ED25519_PH_SHA_512",
    }

    signature = client.sign(**request)["Signature"]

    key = ECC.import_key(client.get_public_key(KeyId=key_id)["PublicKey"])
    eddsa.new(key, "rfc8032").verify(SHA512.new(digest), signature)
    assert client.verify(Signature=signature, **request)["SignatureValid"] is True


@pytest.mark.parametrize(
    "signature", [b"x", b"x" * 64, b"x" * 256, b"x" * 6144], ids=lambda s: f"{len(s)} bytes"
)
@pytest.mark.parametrize(
    ("spec", "algorithm"),
    [
        ("RSA_2048", "RSASSA_PSS_SHA_256"),
        ("ECC_NIST_P256", "ECDSA_SHA_256"),
        ("ECC_NIST_EDWARDS25519", "ED25519_SHA_512"),
    ],
)
def test_junk_is_an_invalid_signature(client, new_key, spec, algorithm, signature):
    key_id = new_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyId"]

    with refused("KMSInvalidSignatureException", ""):
        client.verify(
            KeyId=key_id, Message=b"text", Signature=signature, SigningAlgorithm=algorithm
        )


def test_a_pss_signature_with_another_salt_length_is_invalid(client, new_key):
    offline = rsa_key()
    key_id = new_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY", Origin="EXTERNAL")["KeyId"]
    import_material(client, key_id, offline)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 20)
    signature = offline.sign(b"text", pss, hashes.SHA256())

    with refused("KMSInvalidSignatureException"):
        client.verify(
            KeyId=key_id,
            Message=b"text",
            Signature=signature,
            SigningAlgorithm="RSASSA_PSS_SHA_256",
        )


def import_material(client, key_id, private_key):
    from cryptography.hazmat.primitives import keywrap

    material = private_key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    offer = client.get_parameters_for_import(
        KeyId=key_id, WrappingAlgorithm="RSA_AES_KEY_WRAP_SHA_256", WrappingKeySpec="RSA_2048"
    )
    aes_key = os.urandom(32)
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    wrapping_key = serialization.load_der_public_key(offer["PublicKey"])
    wrapped = wrapping_key.encrypt(aes_key, oaep) + keywrap.aes_key_wrap_with_padding(
        aes_key, material
    )
    client.import_key_material(
        KeyId=key_id,
        ImportToken=offer["ImportToken"],
        EncryptedKeyMaterial=wrapped,
        ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE",
    )


def test_a_signature_made_offline_with_imported_material_verifies(client, new_key):
    offline = ec.generate_private_key(ec.SECP256R1())
    key_id = new_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY", Origin="EXTERNAL")["KeyId"]
    import_material(client, key_id, offline)
    digest = hashlib.sha256(b"text").digest()

    signature = offline.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))

    assert client.verify(
        KeyId=key_id, Message=b"text", Signature=signature, SigningAlgorithm="ECDSA_SHA_256"
    )["SignatureValid"]


@pytest.mark.parametrize(
    ("spec", "request_", "code", "message"),
    [
        pytest.param(
            "ECC_NIST_P384",
            {"SigningAlgorithm": "RSASSA_PSS_SHA_256"},
            "InvalidKeyUsageException",
            "Algorithm RSASSA_PSS_SHA_256 is incompatible with key spec ECC_NIST_P384.",
            id="algorithm of another spec",
        ),
        pytest.param(
            "ECC_NIST_P256",
            {"SigningAlgorithm": "SYMMETRIC_DEFAULT"},
            "InvalidKeyUsageException",
            "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec ECC_NIST_P256.",
            id="an algorithm for encryption",
        ),
        pytest.param(
            "ECC_NIST_P256",
            {"SigningAlgorithm": "ECDSA_SHA_256", "MessageType": "DIGEST"},
            "ValidationException",
            "Digest is invalid length for algorithm ECDSA_SHA_256.",
            id="short digest",
        ),
        pytest.param(
            "ECC_NIST_P384",
            {"SigningAlgorithm": "ECDSA_SHA_256", "MessageType": "DIGEST"},
            "InvalidKeyUsageException",
            "Algorithm ECDSA_SHA_256 is incompatible with key spec ECC_NIST_P384.",
            id="the algorithm comes before the digest",
        ),
        pytest.param(
            "ECC_NIST_P256",
            {"SigningAlgorithm": "ECDSA_SHA_256", "MessageType": "EXTERNAL_MU"},
            "ValidationException",
            "Message type EXTERNAL_MU is incompatible with key spec ECC_NIST_P256.",
            id="mu for ECDSA",
        ),
        pytest.param(
            "ECC_NIST_EDWARDS25519",
            {"SigningAlgorithm": "ED25519_SHA_512", "MessageType": "DIGEST"},
            "ValidationException",
            "Message type DIGEST is incompatible with algorithm ED25519_SHA_512.",
            id="digest for pure Ed25519",
        ),
        pytest.param(
            "ECC_NIST_EDWARDS25519",
            {"SigningAlgorithm": "ED25519_PH_SHA_512"},
            "ValidationException",
            "Message type RAW is incompatible with algorithm ED25519_PH_SHA_512.",
            id="message for Ed25519ph",
        ),
        pytest.param(
            "ML_DSA_44",
            {"SigningAlgorithm": "ML_DSA_SHAKE_256", "MessageType": "DIGEST"},
            "ValidationException",
            "Message type DIGEST is incompatible with key spec ML_DSA_44.",
            id="digest for ML-DSA",
        ),
        pytest.param(
            "ML_DSA_44",
            {"SigningAlgorithm": "ML_DSA_SHAKE_256", "MessageType": "EXTERNAL_MU"},
            "ValidationException",
            "External Mu is invalid length for algorithm ML_DSA_SHAKE_256.",
            id="short mu",
        ),
    ],
)
def test_a_message_that_does_not_fit_is_refused(client, new_key, spec, request_, code, message):
    key_id = new_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyId"]

    with refused(code, message):
        client.sign(KeyId=key_id, Message=b"text", **request_)


VERIFYING = {
    "verify": (
        {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"},
        {"SigningAlgorithm": "ECDSA_SHA_384", "Signature": b"s"},
        "Algorithm ECDSA_SHA_384 is incompatible with key spec ECC_NIST_P256.",
    ),
    "verify_mac": (
        {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
        {"MacAlgorithm": "HMAC_SHA_512", "Mac": b"m"},
        "Algorithm HMAC_SHA_512 is incompatible with key spec HMAC_256.",
    ),
}


@pytest.mark.parametrize("method", VERIFYING)
def test_an_algorithm_that_does_not_fit_the_key_verifies_nothing(client, new_key, method):
    key, request, text = VERIFYING[method]

    with refused("InvalidKeyUsageException", text):
        getattr(client, method)(KeyId=new_key(**key)["KeyId"], Message=b"text", **request)


# --- ML-DSA and ML-KEM ----------------------------------------


@pytest.mark.parametrize(
    ("level", "signature_bytes", "public_bytes"),
    [(44, 2420, 1334), (65, 3309, 1974), (87, 4627, 2614)],
)
def test_ml_dsa_signatures_verify_offline(client, new_key, level, signature_bytes, public_bytes):
    pytest.importorskip(
        "cryptography.hazmat.primitives.asymmetric.mldsa", reason="cryptography is older"
    )
    key_id = new_key(KeySpec=f"ML_DSA_{level}", KeyUsage="SIGN_VERIFY")["KeyId"]
    spki = client.get_public_key(KeyId=key_id)["PublicKey"]
    request = {"KeyId": key_id, "SigningAlgorithm": "ML_DSA_SHAKE_256"}

    signature = client.sign(Message=b"text", **request)["Signature"]

    # FIPS 204: mu of a message under an empty context.
    raw_public = spki[-(public_bytes - 22) :]
    tr = hashlib.shake_256(raw_public).digest(64)
    mu = hashlib.shake_256(tr + b"\0\0" + b"text").digest(64)
    serialization.load_der_public_key(spki).verify(signature, b"text")
    assert (len(signature), len(spki)) == (signature_bytes, public_bytes)
    assert client.verify(Message=mu, MessageType="EXTERNAL_MU", Signature=signature, **request)


@pytest.mark.parametrize(("level", "blob_bytes"), [(512, 768), (768, 1088), (1024, 1568)])
def test_ml_kem_agrees_on_a_secret(client, new_key, level, blob_bytes):
    if "encapsulate" not in dir(client):
        pytest.skip("the installed botocore does not know ML-KEM")
    if level == 512:
        pytest.importorskip("kyber_py", reason="ML-KEM-512 needs kyber-py")
    else:
        pytest.importorskip(
            "cryptography.hazmat.primitives.asymmetric.mlkem", reason="cryptography is older"
        )
    key = new_key(KeySpec=f"ML_KEM_{level}", KeyUsage="ENCAPSULATE_DECAPSULATE")
    request = {"KeyId": key["KeyId"], "EncapsulationAlgorithm": "ML_KEM"}

    made = client.encapsulate(**request)
    blob = made["SharedSecretCiphertextBlob"]
    recovered = client.decapsulate(SharedSecretCiphertextBlob=blob, **request)
    rejected = client.decapsulate(SharedSecretCiphertextBlob=b"x" * blob_bytes, **request)

    assert (len(made["SharedSecret"]), len(blob)) == (32, blob_bytes)
    for answer in (made, recovered):
        assert (answer["KeyId"], answer["EncapsulationAlgorithm"]) == (key["Arn"], "ML_KEM")
    assert recovered["SharedSecret"] == made["SharedSecret"] != rejected["SharedSecret"]
    with refused("InvalidCiphertextException", ""):
        client.decapsulate(SharedSecretCiphertextBlob=blob[:-1], **request)


# --- MACs ----------------------------------------


@pytest.mark.parametrize("bits", [224, 256, 384, 512])
def test_a_mac_verifies_and_is_as_long_as_its_hash(client, new_key, bits):
    key = new_key(KeySpec=f"HMAC_{bits}", KeyUsage="GENERATE_VERIFY_MAC")
    request = {"KeyId": key["KeyId"], "Message": b"text", "MacAlgorithm": f"HMAC_SHA_{bits}"}

    mac = client.generate_mac(**request)["Mac"]

    assert len(mac) == bits // 8
    answer = client.verify_mac(Mac=mac, **request)
    assert (answer["MacValid"], answer["KeyId"]) == (True, key["Arn"])
    for wrong in (mac[:-1], mac + b"\0", b"x"):
        with refused("KMSInvalidMacException", ""):
            client.verify_mac(Mac=wrong, **request)


def test_imported_hmac_material_makes_the_macs_that_others_make(client, new_key):
    key_id = new_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC", Origin="EXTERNAL")["KeyId"]
    material = os.urandom(32)
    offer = client.get_parameters_for_import(
        KeyId=key_id, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
    )
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    client.import_key_material(
        KeyId=key_id,
        ImportToken=offer["ImportToken"],
        EncryptedKeyMaterial=serialization.load_der_public_key(offer["PublicKey"]).encrypt(
            material, oaep
        ),
        ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE",
    )

    mac = client.generate_mac(KeyId=key_id, Message=b"text", MacAlgorithm="HMAC_SHA_256")["Mac"]

    assert mac == hmac.digest(material, b"text", "sha256")


def test_a_mac_algorithm_of_another_spec_is_refused(client, new_key):
    key_id = new_key(KeySpec="HMAC_224", KeyUsage="GENERATE_VERIFY_MAC")["KeyId"]
    text = "Algorithm HMAC_SHA_256 is incompatible with key spec HMAC_224."

    with refused("InvalidKeyUsageException", text):
        client.generate_mac(KeyId=key_id, Message=b"text", MacAlgorithm="HMAC_SHA_256")


# --- key agreement ----------------------------------------

CURVES = {
    "ECC_NIST_P256": ec.SECP256R1(),
    "ECC_NIST_P384": ec.SECP384R1(),
    "ECC_NIST_P521": ec.SECP521R1(),
}


def spki(private_key):
    return private_key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


@pytest.mark.parametrize("spec", CURVES)
def test_a_shared_secret_is_that_of_the_peer(client, new_key, spec):
    key = new_key(KeySpec=spec, KeyUsage="KEY_AGREEMENT")
    peer = ec.generate_private_key(CURVES[spec])

    answer = client.derive_shared_secret(
        KeyId=key["KeyId"], KeyAgreementAlgorithm="ECDH", PublicKey=spki(peer)
    )

    ours = peer.exchange(ec.ECDH(), public_key(client, key["KeyId"]))
    assert answer["SharedSecret"] == ours
    assert (answer["KeyId"], answer["KeyOrigin"]) == (key["Arn"], "AWS_KMS")


@pytest.mark.parametrize("kind", ["garbage", "other curve", "other algorithm"])
def test_a_public_key_that_does_not_fit_is_refused_without_text(client, new_key, kind):
    key_id = new_key(KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT")["KeyId"]
    keys = {
        "garbage": b"garbage",
        "other curve": spki(ec.generate_private_key(ec.SECP384R1())),
        "other algorithm": spki(ed25519.Ed25519PrivateKey.generate()),
    }

    with refused("ValidationException", ""):
        client.derive_shared_secret(
            KeyId=key_id, KeyAgreementAlgorithm="ECDH", PublicKey=keys[kind]
        )


# --- public keys, usages, dry runs ----------------------------------------


def test_a_symmetric_key_has_no_public_key(client, new_key):
    for parameters in ({}, {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}):
        with refused("UnsupportedOperationException", ""):
            client.get_public_key(KeyId=new_key(**parameters)["KeyId"])


def test_the_public_key_comes_with_what_it_is_for(client, new_key):
    key = new_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")

    answer = client.get_public_key(KeyId=key["KeyId"])

    del answer["ResponseMetadata"], answer["PublicKey"]
    assert answer == {
        "KeyId": key["Arn"],
        "CustomerMasterKeySpec": "ECC_NIST_P256",
        "KeySpec": "ECC_NIST_P256",
        "KeyUsage": "SIGN_VERIFY",
        "SigningAlgorithms": ["ECDSA_SHA_256"],
    }


CALLS = {
    "Encrypt": ("encrypt", {"Plaintext": b"t"}, "ENCRYPT_DECRYPT"),
    "Decrypt": (
        "decrypt",
        {"CiphertextBlob": b"t", "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"},
        "ENCRYPT_DECRYPT",
    ),
    "GenerateDataKey": ("generate_data_key", {"KeySpec": "AES_256"}, "ENCRYPT_DECRYPT"),
    "Sign": ("sign", {"Message": b"t", "SigningAlgorithm": "ECDSA_SHA_256"}, "SIGN_VERIFY"),
    "Verify": (
        "verify",
        {"Message": b"t", "Signature": b"t", "SigningAlgorithm": "ECDSA_SHA_256"},
        "SIGN_VERIFY",
    ),
    "GenerateMac": (
        "generate_mac",
        {"Message": b"t", "MacAlgorithm": "HMAC_SHA_256"},
        "GENERATE_VERIFY_MAC",
    ),
    "VerifyMac": (
        "verify_mac",
        {"Message": b"t", "Mac": b"t", "MacAlgorithm": "HMAC_SHA_256"},
        "GENERATE_VERIFY_MAC",
    ),
    "DeriveSharedSecret": (
        "derive_shared_secret",
        {"KeyAgreementAlgorithm": "ECDH", "PublicKey": b"t"},
        "KEY_AGREEMENT",
    ),
}


@pytest.mark.parametrize("operation", CALLS)
def test_a_key_of_another_usage_is_refused_before_its_state(client, new_key, operation):
    method, parameters, usage = CALLS[operation]
    other = (
        {"KeySpec": "HMAC_384", "KeyUsage": "GENERATE_VERIFY_MAC"}
        if usage != "GENERATE_VERIFY_MAC"
        else {}
    )
    key = new_key(**other)
    client.disable_key(KeyId=key["KeyId"])
    text = f"{key['Arn']} key usage is {key['KeyUsage']} which is not valid for {operation}."

    with refused("InvalidKeyUsageException", text):
        getattr(client, method)(KeyId=key["KeyId"], **parameters)


DRY_RUN_TEXT = "The request would have succeeded, but the DryRun option is set."


def test_a_dry_run_of_what_would_succeed_ends_in_its_own_error(client, new_key):
    key_id = new_key()["KeyId"]
    blob = client.encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"]

    for call in (
        lambda: client.encrypt(KeyId=key_id, Plaintext=b"text", DryRun=True),
        lambda: client.decrypt(CiphertextBlob=blob, DryRun=True),
        lambda: client.generate_data_key(KeyId=key_id, KeySpec="AES_256", DryRun=True),
        lambda: client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key_id, DryRun=True),
    ):
        with refused("DryRunOperationException", DRY_RUN_TEXT):
            call()


def test_a_dry_run_still_checks_the_cryptography(client, new_key):
    signing = new_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyId"]
    mac = new_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyId"]

    with refused("KMSInvalidSignatureException", ""):
        client.verify(
            KeyId=signing,
            Message=b"t",
            Signature=b"t",
            SigningAlgorithm="ECDSA_SHA_256",
            DryRun=True,
        )
    with refused("KMSInvalidMacException", ""):
        client.verify_mac(
            KeyId=mac, Message=b"t", Mac=b"t", MacAlgorithm="HMAC_SHA_256", DryRun=True
        )
    with refused("InvalidCiphertextException", ""):
        client.decrypt(CiphertextBlob=b"t", DryRun=True)


RSA = {"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"}
OAEP = {"EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}


@pytest.mark.parametrize(
    ("key", "state", "parameters", "code"),
    [
        pytest.param({}, "enable_key", OAEP, "InvalidKeyUsageException", id="algorithm"),
        pytest.param({}, "disable_key", {}, "DisabledException", id="disabled"),
        pytest.param(
            {}, "schedule_key_deletion", {}, "KMSInvalidStateException", id="pending deletion"
        ),
        pytest.param(
            RSA, "enable_key", {**OAEP, "Plaintext": b"t" * 191}, "ValidationException", id="size"
        ),
        pytest.param(
            RSA,
            "enable_key",
            {**OAEP, "EncryptionContext": {"a": "b"}},
            "ValidationException",
            id="context",
        ),
    ],
)
def test_a_dry_run_of_encrypt_is_refused_as_the_call_would_be(
    client, new_key, key, state, parameters, code
):
    key_id = new_key(**key)["KeyId"]
    getattr(client, state)(KeyId=key_id)
    request = {"KeyId": key_id, "Plaintext": b"text", **parameters}

    with refused(code) as called:
        client.encrypt(**request)
    with refused(code, called.value.response["Error"].get("Message", "")):
        client.encrypt(**request, DryRun=True)


def test_a_dry_run_of_encrypt_under_a_public_key_ends_in_its_own_error(client, new_key):
    with refused("DryRunOperationException", DRY_RUN_TEXT):
        client.encrypt(KeyId=new_key(**RSA)["KeyId"], Plaintext=b"text", **OAEP, DryRun=True)


def test_a_dry_run_may_leave_out_the_ciphertext_when_it_says_so(client, new_key):
    if (
        "DryRunModifiers"
        not in client.meta.service_model.operation_model("Decrypt").input_shape.members
    ):
        pytest.skip("the installed botocore does not know DryRunModifiers")
    key_id = new_key()["KeyId"]
    modifiers = {"DryRunModifiers": ["IGNORE_CIPHERTEXT"]}

    with refused("DryRunOperationException", DRY_RUN_TEXT):
        client.decrypt(KeyId=key_id, DryRun=True, **modifiers)
    with refused("DryRunOperationException", DRY_RUN_TEXT):
        client.decrypt(KeyId=key_id, CiphertextBlob=b"none", DryRun=True, **modifiers)
    with refused("ValidationException", "KeyId must not be null"):
        client.decrypt(DryRun=True, **modifiers)
    with refused(
        "ValidationException", "DryRunModifiers can only be specified when DryRun is true"
    ):
        client.decrypt(KeyId=key_id, **modifiers)


# --- enclaves ----------------------------------------


def test_an_enclave_gets_its_answer_sealed(kms, client, new_key):
    from kmsmock.crypto import cms

    enclave = rsa_key()
    document = kms.attestation.document(spki(enclave), pcrs={0: b"x" * 48})
    recipient = {
        "KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256",
        "AttestationDocument": document,
    }
    key_id = new_key()["KeyId"]
    blob = client.encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"]

    opened = client.decrypt(CiphertextBlob=blob, Recipient=recipient)
    data_key = client.generate_data_key(KeyId=key_id, KeySpec="AES_256", Recipient=recipient)
    random = client.generate_random(NumberOfBytes=8, Recipient=recipient)

    assert cms.open_envelope(opened["CiphertextForRecipient"], enclave) == b"text"
    assert not {"Plaintext", "KeyMaterialId"} & {*opened, *data_key, *random}
    plain = client.decrypt(CiphertextBlob=data_key["CiphertextBlob"])["Plaintext"]
    assert cms.open_envelope(data_key["CiphertextForRecipient"], enclave) == plain
    assert len(cms.open_envelope(random["CiphertextForRecipient"], enclave)) == 8


def test_a_private_key_and_a_shared_secret_are_sealed_for_an_enclave(kms, client, new_key):
    from kmsmock.crypto import cms

    enclave = rsa_key()
    recipient = {
        "KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256",
        "AttestationDocument": kms.attestation.document(spki(enclave)),
    }
    peer = ec.generate_private_key(ec.SECP256R1())
    agreeing = new_key(KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT")["KeyId"]

    pair = client.generate_data_key_pair(
        KeyId=new_key()["KeyId"], KeyPairSpec="ECC_NIST_P256", Recipient=recipient
    )
    shared = client.derive_shared_secret(
        KeyId=agreeing, KeyAgreementAlgorithm="ECDH", PublicKey=spki(peer), Recipient=recipient
    )

    opened = cms.open_envelope(pair["CiphertextForRecipient"], enclave)
    assert opened == client.decrypt(CiphertextBlob=pair["PrivateKeyCiphertextBlob"])["Plaintext"]
    secret = peer.exchange(ec.ECDH(), public_key(client, agreeing))
    assert cms.open_envelope(shared["CiphertextForRecipient"], enclave) == secret
    assert not {"PrivateKeyPlaintext", "SharedSecret"} & {*pair, *shared}


@pytest.mark.parametrize("missing", ["KeyEncryptionAlgorithm", "AttestationDocument"])
def test_a_recipient_has_algorithm_and_document(kms, client, missing):
    enclave = rsa_key()
    recipient = {
        "KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256",
        "AttestationDocument": kms.attestation.document(spki(enclave)),
    }
    del recipient[missing]

    text = "Recipient needs both KeyEncryptionAlgorithm and AttestationDocument."
    with refused("ValidationException", text):
        client.generate_random(NumberOfBytes=8, Recipient=recipient)


def test_a_document_of_another_authority_is_refused(client):
    from kmsmock.crypto.attestation import AttestationAuthority

    enclave = rsa_key()
    document = AttestationAuthority().document(spki(enclave))

    with refused("ValidationException"):
        client.generate_random(
            NumberOfBytes=8,
            Recipient={
                "KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256",
                "AttestationDocument": document,
            },
        )
