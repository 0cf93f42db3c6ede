"""Importing key material: wrapping, tokens, states of materials."""

from __future__ import annotations

import hmac
import itertools
import os
import re
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding

from tests.material import rsa_key
from tests.refusals import refused

HASH = {"SHA_1": hashes.SHA1(), "SHA_256": hashes.SHA256()}
NEVER = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
OAEP_256 = "RSAES_OAEP_SHA_256"


def wrap(offer, algorithm, material):
    """Wrap material as the algorithm says, outside of the mock."""
    digest = HASH["SHA_1" if algorithm.endswith("SHA_1") else "SHA_256"]
    oaep = padding.OAEP(padding.MGF1(digest), digest, None)
    key = serialization.load_der_public_key(offer["PublicKey"])
    if algorithm.startswith("RSAES"):
        return key.encrypt(material, oaep)
    aes_key = os.urandom(32)
    return key.encrypt(aes_key, oaep) + keywrap.aes_key_wrap_with_padding(aes_key, material)


def offer_of(client, key_id, algorithm=OAEP_256, spec="RSA_2048"):
    return client.get_parameters_for_import(
        KeyId=key_id, WrappingAlgorithm=algorithm, WrappingKeySpec=spec
    )


def import_into(client, key_id, material, algorithm=OAEP_256, spec="RSA_2048", **parameters):
    offer = offer_of(client, key_id, algorithm, spec)
    return client.import_key_material(
        KeyId=key_id,
        ImportToken=offer["ImportToken"],
        EncryptedKeyMaterial=wrap(offer, algorithm, material),
        **({} if "ValidTo" in parameters else NEVER),
        **parameters,
    )


def pkcs8(key):
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def state(client, key_id):
    return client.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"]


def materials(client, key_id):
    listed = client.list_key_rotations(KeyId=key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL")
    return [(r["KeyMaterialState"], r["ImportState"]) for r in listed["Rotations"]]


@pytest.fixture
def external(new_key):
    return new_key(Origin="EXTERNAL")


# --- wrapping ----------------------------------------------------------------------------

OAEP, WRAP = ("RSAES_OAEP_SHA_1", OAEP_256), ("RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256")
RSA_SPECS = ("RSA_2048", "RSA_3072", "RSA_4096")
#: Source: AWS KMS Developer Guide, "Select a wrapping algorithm".
WRAPPINGS = {
    ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"): {(a, s) for a in OAEP for s in RSA_SPECS},
    **{
        (f"HMAC_{bits}", "GENERATE_VERIFY_MAC"): {(a, s) for a in OAEP for s in RSA_SPECS}
        for bits in (224, 256, 384, 512)
    },
    **{(name, "SIGN_VERIFY"): {(a, s) for a in WRAP for s in RSA_SPECS} for name in RSA_SPECS},
    **{
        (f"ECC_{curve}", "SIGN_VERIFY"): {(a, s) for a in OAEP + WRAP for s in RSA_SPECS}
        for curve in ("NIST_P256", "NIST_P384", "SECG_P256K1")
    },
    ("ECC_NIST_P521", "SIGN_VERIFY"): {(a, s) for a in WRAP for s in RSA_SPECS}
    | {(a, s) for a in OAEP for s in RSA_SPECS[1:]},
    ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY"): {(a, s) for a in WRAP for s in RSA_SPECS}
    | {(a, s) for a in OAEP for s in RSA_SPECS[1:]},
}


@pytest.mark.parametrize(("spec", "usage"), WRAPPINGS)
@pytest.mark.parametrize("wrapping_spec", RSA_SPECS)
@pytest.mark.parametrize("algorithm", [*OAEP, *WRAP, "RSAES_PKCS1_V1_5"])
def test_which_wrapping_carries_which_material(
    client, new_key, spec, usage, wrapping_spec, algorithm
):
    key_id = new_key(KeySpec=spec, KeyUsage=usage, Origin="EXTERNAL")["KeyId"]
    text = (
        f"Wrapping algorithm {algorithm} and wrapping key spec {wrapping_spec} cannot be used to "
        f"import a {spec} key."
    )

    if (algorithm, wrapping_spec) in WRAPPINGS[spec, usage]:
        assert offer_of(client, key_id, algorithm, wrapping_spec)["ImportToken"]
    else:
        with refused("ValidationException", text):
            offer_of(client, key_id, algorithm, wrapping_spec)


TURNS = itertools.count()
#: What makes material, another one each time.
MATERIALS = {
    ("RSA_3072", "SIGN_VERIFY"): lambda: pkcs8(rsa_key(3072, next(TURNS) % 2)),
    ("ECC_NIST_P384", "SIGN_VERIFY"): lambda: pkcs8(ec.generate_private_key(ec.SECP384R1())),
    ("ECC_NIST_P521", "KEY_AGREEMENT"): lambda: pkcs8(ec.generate_private_key(ec.SECP521R1())),
    ("ECC_SECG_P256K1", "SIGN_VERIFY"): lambda: pkcs8(ec.generate_private_key(ec.SECP256K1())),
    ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY"): lambda: pkcs8(ed25519.Ed25519PrivateKey.generate()),
    ("HMAC_512", "GENERATE_VERIFY_MAC"): lambda: os.urandom(64),
    ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"): lambda: os.urandom(32),
}


@pytest.mark.parametrize(("spec", "usage"), MATERIALS)
def test_material_of_each_kind_can_be_imported_again_but_not_exchanged(
    client, new_key, spec, usage
):
    key_id = new_key(KeySpec=spec, KeyUsage=usage, Origin="EXTERNAL")["KeyId"]
    how = (OAEP_256, "RSA_2048")
    if how not in WRAPPINGS.get((spec, usage), ()) and not spec.startswith(("HMAC", "SYMM")):
        how = ("RSA_AES_KEY_WRAP_SHA_256", "RSA_4096")
    material = MATERIALS[spec, usage]()

    import_into(client, key_id, material, *how)
    assert state(client, key_id) == "Enabled"
    client.delete_imported_key_material(KeyId=key_id)
    assert state(client, key_id) == "PendingImport"
    with refused("IncorrectKeyMaterialException"):
        import_into(client, key_id, MATERIALS[spec, usage](), *how)
    import_into(client, key_id, material, *how)

    assert state(client, key_id) == "Enabled"


@pytest.mark.parametrize(
    ("spec", "usage", "material"),
    [
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", b"x" * 31),
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", b"x" * 33),
        *(
            (f"HMAC_{bits}", "GENERATE_VERIFY_MAC", b"x" * (bits // 8 - 1))
            for bits in (224, 256, 384, 512)
        ),
        ("HMAC_256", "GENERATE_VERIFY_MAC", b"x" * 129),
        ("ECC_NIST_P256", "SIGN_VERIFY", b"garbage"),
    ],
    ids=lambda value: f"{len(value)} bytes" if isinstance(value, bytes) else None,
)
def test_material_of_a_wrong_length_or_kind_is_invalid(client, new_key, spec, usage, material):
    key_id = new_key(KeySpec=spec, KeyUsage=usage, Origin="EXTERNAL")["KeyId"]

    with refused("InvalidCiphertextException", ""):
        import_into(client, key_id, material)

    assert state(client, key_id) == "PendingImport"


def test_material_on_another_curve_is_invalid(client, new_key):
    key_id = new_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY", Origin="EXTERNAL")["KeyId"]
    other = pkcs8(ec.generate_private_key(ec.SECP256K1()))

    with refused("InvalidCiphertextException", ""):
        import_into(client, key_id, other)


def test_material_of_another_modulus_size_is_invalid(client, new_key):
    key_id = new_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY", Origin="EXTERNAL")["KeyId"]
    other = pkcs8(rsa_key(3072))

    with refused("InvalidCiphertextException", ""):
        import_into(client, key_id, other, "RSA_AES_KEY_WRAP_SHA_256")


@pytest.mark.parametrize("bits", [224, 256, 384, 512])
def test_an_hmac_key_may_be_as_short_as_its_hash_or_longer(client, new_key, bits):
    for size in (bits // 8, 128):
        key = new_key(KeySpec=f"HMAC_{bits}", KeyUsage="GENERATE_VERIFY_MAC", Origin="EXTERNAL")
        import_into(client, key["KeyId"], b"k" * size)

        mac = client.generate_mac(
            KeyId=key["KeyId"], Message=b"text", MacAlgorithm=f"HMAC_SHA_{bits}"
        )["Mac"]
        assert mac == hmac.digest(b"k" * size, b"text", f"sha{bits}")


def in_ber(der):
    """Write a DER key in BER: the outer SEQUENCE with an indefinite length (X.690, 8.1.3.6)."""
    header = 2 + (der[1] & 0x7F if der[1] & 0x80 else 0)
    return b"\x30\x80" + der[header:] + b"\x00\x00"


@pytest.mark.parametrize(
    ("spec", "make_key"),
    [
        ("RSA_2048", rsa_key),
        ("ECC_NIST_P256", lambda: ec.generate_private_key(ec.SECP256R1())),
        ("ECC_NIST_EDWARDS25519", ed25519.Ed25519PrivateKey.generate),
    ],
    ids=["RSA", "ECC", "Ed25519"],
)
def test_a_key_pair_in_ber_is_the_same_material_but_for_ed25519(client, new_key, spec, make_key):
    private_key = make_key()
    key_id = new_key(KeySpec=spec, KeyUsage="SIGN_VERIFY", Origin="EXTERNAL")["KeyId"]
    import_into(client, key_id, pkcs8(private_key), "RSA_AES_KEY_WRAP_SHA_256")
    client.delete_imported_key_material(KeyId=key_id)

    if spec == "ECC_NIST_EDWARDS25519":
        with refused("InvalidCiphertextException", ""):
            import_into(client, key_id, in_ber(pkcs8(private_key)), "RSA_AES_KEY_WRAP_SHA_256")
    else:
        import_into(client, key_id, in_ber(pkcs8(private_key)), "RSA_AES_KEY_WRAP_SHA_256")
        assert state(client, key_id) == "Enabled"


# --- tokens ------------------------------------------------------------------------------


def test_several_parameters_are_valid_at_once_and_each_more_than_once(client, external):
    offers = [offer_of(client, external["KeyId"]) for _ in range(2)]

    assert offers[0]["PublicKey"] != offers[1]["PublicKey"]
    for offer in (*offers, *offers):
        client.import_key_material(
            KeyId=external["KeyId"],
            ImportToken=offer["ImportToken"],
            EncryptedKeyMaterial=wrap(offer, OAEP_256, b"x" * 32),
            **NEVER,
        )


def test_the_parameters_are_valid_for_a_day(kms, client, external):
    offer = offer_of(client, external["KeyId"])

    left = offer["ParametersValidTo"] - kms.clock.now()
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)
    assert offer["KeyId"] == external["Arn"]
    kms.clock.advance(hours=24)
    with refused("ExpiredImportTokenException"):
        client.import_key_material(
            KeyId=external["KeyId"],
            ImportToken=offer["ImportToken"],
            EncryptedKeyMaterial=wrap(offer, OAEP_256, b"x" * 32),
            **NEVER,
        )


@pytest.mark.parametrize("kind", ["garbage", "of another key"])
def test_a_token_is_bound_to_its_key(client, external, new_key, kind):
    offer = offer_of(client, new_key(Origin="EXTERNAL")["KeyId"])
    token = b"garbage" if kind == "garbage" else offer["ImportToken"]

    with refused("InvalidImportTokenException", ""):
        client.import_key_material(
            KeyId=external["KeyId"],
            ImportToken=token,
            EncryptedKeyMaterial=wrap(offer, OAEP_256, b"x" * 32),
            **NEVER,
        )


def test_material_must_be_wrapped_as_its_token_says(client, external):
    offer = offer_of(client, external["KeyId"])

    with refused("InvalidCiphertextException", ""):
        client.import_key_material(
            KeyId=external["KeyId"],
            ImportToken=offer["ImportToken"],
            EncryptedKeyMaterial=wrap(offer, "RSAES_OAEP_SHA_1", b"x" * 32),
            **NEVER,
        )


# --- rules -------------------------------------------------------------------------------


def test_an_import_enables_the_key_and_shows_its_material(client, external):
    answer = import_into(client, external["KeyId"], b"x" * 32)

    metadata = client.describe_key(KeyId=external["KeyId"])["KeyMetadata"]
    assert answer["KeyMaterialId"] == metadata["CurrentKeyMaterialId"]
    assert answer["KeyId"] == external["Arn"]
    assert metadata["ExpirationModel"] == "KEY_MATERIAL_DOES_NOT_EXPIRE"
    assert materials(client, external["KeyId"]) == [("CURRENT", "IMPORTED")]


def test_the_id_of_a_material_depends_on_key_and_bytes(client, new_key):
    keys = [new_key(Origin="EXTERNAL")["KeyId"] for _ in range(2)]

    ids = [import_into(client, key, b"x" * 32)["KeyMaterialId"] for key in (*keys, keys[0])]

    assert ids[0] == ids[2] != ids[1]


def test_an_import_enables_a_disabled_key(client, external):
    import_into(client, external["KeyId"], b"x" * 32)
    client.disable_key(KeyId=external["KeyId"])

    import_into(client, external["KeyId"], b"x" * 32)

    assert state(client, external["KeyId"]) == "Enabled"


def test_a_cancelled_deletion_leaves_a_key_without_material_waiting_for_it(client, external):
    import_into(client, external["KeyId"], b"x" * 32)
    client.schedule_key_deletion(KeyId=external["KeyId"])
    client.delete_imported_key_material(KeyId=external["KeyId"])
    going = client.describe_key(KeyId=external["KeyId"])["KeyMetadata"]
    client.cancel_key_deletion(KeyId=external["KeyId"])

    assert going["KeyState"] == "PendingDeletion"
    assert not {"ExpirationModel", "ValidTo"} & set(going)
    assert state(client, external["KeyId"]) == "PendingImport"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"ExpirationModel": "KEY_MATERIAL_EXPIRES"},
            "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES",
        ),
        ({}, "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES"),
        (
            {**NEVER, "ValidTo": timedelta(days=1)},
            "A validTo date cannot be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE",
        ),
        ({"ValidTo": timedelta(days=-1)}, "ValidTo must be in the future"),
        ({"ValidTo": timedelta(days=366)}, "ValidTo must be less than 365 days in the future"),
    ],
)
def test_expiry_must_make_sense(kms, client, external, parameters, message):
    offer = offer_of(client, external["KeyId"])
    if "ValidTo" in parameters:
        parameters = {**parameters, "ValidTo": kms.clock.now() + parameters["ValidTo"]}

    with refused("ValidationException", message):
        client.import_key_material(
            KeyId=external["KeyId"],
            ImportToken=offer["ImportToken"],
            EncryptedKeyMaterial=wrap(offer, OAEP_256, b"x" * 32),
            **parameters,
        )


def test_expired_material_is_gone_and_the_same_brings_it_back(kms, client, external):
    key_id = external["KeyId"]
    import_into(client, key_id, b"x" * 32, ValidTo=kms.clock.now() + timedelta(days=1))
    blob = client.encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"]
    shown = client.describe_key(KeyId=key_id)["KeyMetadata"]

    kms.clock.advance(days=1)

    assert shown["ExpirationModel"] == "KEY_MATERIAL_EXPIRES"
    assert "ValidTo" in shown
    expired = client.describe_key(KeyId=key_id)["KeyMetadata"]
    assert expired["KeyState"] == "PendingImport"
    assert not {"ValidTo", "ExpirationModel"} & set(expired)
    with refused("KMSInvalidStateException", f"{external['Arn']} is pending import."):
        client.decrypt(CiphertextBlob=blob)
    import_into(client, key_id, b"x" * 32)
    assert client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"text"


def test_a_key_shows_the_earliest_expiry_of_all_it_is_tied_to(kms, client, external):
    key_id = external["KeyId"]
    days = [kms.clock.now().replace(microsecond=0) + timedelta(days=n) for n in range(10)]
    new = {"ImportType": "NEW_KEY_MATERIAL"}

    def shown():
        return client.describe_key(KeyId=key_id)["KeyMetadata"].get("ValidTo")

    import_into(client, key_id, b"1" * 32, ValidTo=days[5])
    import_into(client, key_id, b"2" * 32, ValidTo=days[3], **new)
    assert shown() == days[5]
    client.rotate_key_on_demand(KeyId=key_id)
    assert shown() == days[3]
    import_into(client, key_id, b"2" * 32, ValidTo=days[7])
    assert shown() == days[5]
    import_into(client, key_id, b"1" * 32)
    import_into(client, key_id, b"2" * 32)
    assert shown() is None


def test_material_that_awaits_rotation_only_expires_once_it_is_current(kms, client, external):
    key_id = external["KeyId"]
    import_into(client, key_id, b"1" * 32)
    tomorrow = kms.clock.now() + timedelta(days=1)
    import_into(client, key_id, b"2" * 32, ImportType="NEW_KEY_MATERIAL", ValidTo=tomorrow)
    kms.clock.advance(days=2)

    assert materials(client, key_id)[1] == ("PENDING_ROTATION", "IMPORTED")
    assert state(client, key_id) == "Enabled"
    client.rotate_key_on_demand(KeyId=key_id)
    assert materials(client, key_id)[1] == ("CURRENT", "PENDING_IMPORT")
    assert state(client, key_id) == "PendingImport"


def test_importing_the_same_again_keeps_the_description_and_sets_another_expiry(
    kms, client, external
):
    key_id = external["KeyId"]
    import_into(client, key_id, b"1" * 32, KeyMaterialDescription="first")
    until = kms.clock.now().replace(microsecond=0) + timedelta(days=1)
    import_into(client, key_id, b"1" * 32, ValidTo=until)

    [entry] = client.list_key_rotations(KeyId=key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL")[
        "Rotations"
    ]
    assert entry["KeyMaterialDescription"] == "first"
    assert (entry["ExpirationModel"], entry["ValidTo"]) == ("KEY_MATERIAL_EXPIRES", until)


def test_waiting_material_is_imported_again_without_being_named(client, external):
    key_id = external["KeyId"]
    import_into(client, key_id, b"1" * 32)
    second = import_into(client, key_id, b"2" * 32, ImportType="NEW_KEY_MATERIAL")

    again = import_into(client, key_id, b"2" * 32, KeyMaterialDescription="second")

    assert again["KeyMaterialId"] == second["KeyMaterialId"]
    assert materials(client, key_id) == [("CURRENT", "IMPORTED"), ("PENDING_ROTATION", "IMPORTED")]


def test_new_material_awaits_rotation(client, external):
    key_id = external["KeyId"]
    first = import_into(client, key_id, b"1" * 32)["KeyMaterialId"]
    blob = client.encrypt(KeyId=key_id, Plaintext=b"old")["CiphertextBlob"]
    text = f"No available key material pending rotation for the key: {external['Arn']}."
    with refused("KMSInvalidStateException", text):
        client.rotate_key_on_demand(KeyId=key_id)

    second = import_into(client, key_id, b"2" * 32, ImportType="NEW_KEY_MATERIAL")
    pending = materials(client, key_id)
    client.rotate_key_on_demand(KeyId=key_id)

    assert pending == [("CURRENT", "IMPORTED"), ("PENDING_ROTATION", "IMPORTED")]
    assert materials(client, key_id) == [("NON_CURRENT", "IMPORTED"), ("CURRENT", "IMPORTED")]
    metadata = client.describe_key(KeyId=key_id)["KeyMetadata"]
    assert metadata["CurrentKeyMaterialId"] == second["KeyMaterialId"] != first
    assert client.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == first


def test_a_missing_older_material_stops_the_whole_key(client, external):
    key_id = external["KeyId"]
    first = import_into(client, key_id, b"1" * 32)["KeyMaterialId"]
    import_into(client, key_id, b"2" * 32, ImportType="NEW_KEY_MATERIAL")
    client.rotate_key_on_demand(KeyId=key_id)
    blob = client.encrypt(KeyId=key_id, Plaintext=b"new")["CiphertextBlob"]

    client.delete_imported_key_material(KeyId=key_id, KeyMaterialId=first)

    with refused("KMSInvalidStateException", f"{external['Arn']} is pending import."):
        client.decrypt(CiphertextBlob=blob)
    import_into(client, key_id, b"1" * 32, KeyMaterialId=first)
    assert client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"new"


def test_one_new_material_at_a_time_and_none_twice(client, external):
    key_id, arn = external["KeyId"], external["Arn"]
    first = import_into(client, key_id, b"1" * 32)["KeyMaterialId"]
    new = {"ImportType": "NEW_KEY_MATERIAL"}
    text = (
        f"Key material (id: {first}) being imported as NEW_KEY_MATERIAL is already associated "
        f"with KMS key {arn}."
    )
    with refused("IncorrectKeyMaterialException", text):
        import_into(client, key_id, b"1" * 32, **new)
    import_into(client, key_id, b"2" * 32, **new)

    with refused("KMSInvalidStateException") as caught:
        import_into(client, key_id, b"3" * 32, **new)

    assert f"cannot be imported into KMS key {arn}, because another key material" in str(
        caught.value
    )
    with refused(
        "ValidationException",
        "Input parameter keyMaterialId cannot be used with NEW_KEY_MATERIAL importType.",
    ):
        import_into(client, key_id, b"3" * 32, KeyMaterialId=first, **new)


def test_other_material_is_refused_by_the_expected_identifier(client, external):
    first = import_into(client, external["KeyId"], b"1" * 32)["KeyMaterialId"]
    text = f"Imported key material does not have the expected identifier ({first})."

    with refused("IncorrectKeyMaterialException", text):
        import_into(client, external["KeyId"], b"2" * 32)


def test_the_expected_identifier_is_the_one_that_was_named(client, external):
    first = import_into(client, external["KeyId"], b"1" * 32)["KeyMaterialId"]
    new = {"ImportType": "NEW_KEY_MATERIAL"}
    second = import_into(client, external["KeyId"], b"2" * 32, **new)["KeyMaterialId"]
    text = f"Imported key material does not have the expected identifier ({second})."

    with refused("IncorrectKeyMaterialException", text):
        import_into(client, external["KeyId"], b"1" * 32, KeyMaterialId=second)
    assert import_into(client, external["KeyId"], b"1" * 32, KeyMaterialId=first)


def test_an_hmac_key_tells_its_hidden_identifier_when_other_material_comes(client, new_key):
    key_id = new_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC", Origin="EXTERNAL")["KeyId"]
    answer = import_into(client, key_id, b"1" * 32)

    with refused("IncorrectKeyMaterialException") as caught:
        import_into(client, key_id, b"2" * 32)

    text = caught.value.response["Error"]["Message"]
    form = r"Imported key material does not have the expected identifier \([0-9a-f]{64}\)\."
    assert re.fullmatch(form, text)
    assert "KeyMaterialId" not in answer


def test_deleting_pending_material_leaves_the_key_as_it_was(client, external):
    key_id = external["KeyId"]
    import_into(client, key_id, b"1" * 32)
    second = import_into(client, key_id, b"2" * 32, ImportType="NEW_KEY_MATERIAL")

    client.delete_imported_key_material(KeyId=key_id, KeyMaterialId=second["KeyMaterialId"])

    assert state(client, key_id) == "Enabled"
    assert materials(client, key_id) == [("CURRENT", "IMPORTED")]


def test_deleting_material_is_idempotent(client, external):
    key_id = external["KeyId"]
    nothing = client.delete_imported_key_material(KeyId=key_id)
    first = import_into(client, key_id, b"1" * 32)["KeyMaterialId"]

    answers = [client.delete_imported_key_material(KeyId=key_id) for _ in range(2)]

    assert "KeyMaterialId" not in nothing
    assert [answer["KeyMaterialId"] for answer in answers] == [first, first]
    text = f"Key material (id: {'0' * 64}) has never been imported into KMS key {external['Arn']}."
    with refused("ValidationException", text):
        client.delete_imported_key_material(KeyId=key_id, KeyMaterialId="0" * 64)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("importType", "EXISTING_KEY_MATERIAL"),
        ("keyMaterialId", "0" * 64),
        ("keyMaterialDescription", "text"),
    ],
)
def test_only_symmetric_keys_have_several_materials(client, new_key, member, value):
    key_id = new_key(KeySpec="HMAC_224", KeyUsage="GENERATE_VERIFY_MAC", Origin="EXTERNAL")["KeyId"]
    text = f"Input parameter {member} cannot be used with HMAC_224 imported keys."

    with refused("ValidationException", text):
        import_into(client, key_id, b"x" * 28, **{member[0].upper() + member[1:]: value})


def test_a_description_is_kept_with_its_material(client, external):
    key_id = external["KeyId"]
    import_into(client, key_id, b"1" * 32, KeyMaterialDescription="first")
    client.delete_imported_key_material(KeyId=key_id)

    [entry] = client.list_key_rotations(KeyId=key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL")[
        "Rotations"
    ]

    assert entry["KeyMaterialDescription"] == "first"
    assert entry["ImportState"] == "PENDING_IMPORT"
    assert "ExpirationModel" not in entry


@pytest.mark.parametrize("method", ["get_parameters_for_import", "delete_imported_key_material"])
def test_keys_of_other_origins_take_no_material(client, new_key, method):
    key = new_key()
    parameters = (
        {"WrappingAlgorithm": OAEP_256, "WrappingKeySpec": "RSA_2048"} if "get" in method else {}
    )
    text = f"{key['Arn']} origin is AWS_KMS which is not valid for this operation."

    with refused("UnsupportedOperationException", text):
        getattr(client, method)(KeyId=key["KeyId"], **parameters)


# --- multi-Region ------------------------------------------------------------------------


def test_a_replica_needs_the_same_material_itself(kms, client, new_key):
    key_id = new_key(Origin="EXTERNAL", MultiRegion=True)["KeyId"]
    import_into(client, key_id, b"1" * 32)
    client.replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")
    there = kms.client(region="eu-west-1")

    waiting = state(there, key_id)
    with refused("IncorrectKeyMaterialException"):
        import_into(there, key_id, b"2" * 32)
    import_into(there, key_id, b"1" * 32)

    assert waiting == "PendingImport"
    blob = client.encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"]
    assert there.decrypt(CiphertextBlob=blob)["Plaintext"] == b"text"


def test_new_material_rotates_when_every_replica_has_it(kms, client, new_key):
    key_id = new_key(Origin="EXTERNAL", MultiRegion=True)["KeyId"]
    import_into(client, key_id, b"1" * 32)
    client.replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")
    there = kms.client(region="eu-west-1")
    import_into(there, key_id, b"1" * 32)
    with refused(
        "ValidationException",
        "Input parameter ImportType NEW_KEY_MATERIAL cannot be used on replica Multi-Region keys",
    ):
        import_into(there, key_id, b"2" * 32, ImportType="NEW_KEY_MATERIAL")
    with refused(
        "ValidationException",
        "Key material description can only be specified on primary Multi-Region keys",
    ):
        import_into(there, key_id, b"1" * 32, KeyMaterialDescription="text")

    import_into(client, key_id, b"2" * 32, ImportType="NEW_KEY_MATERIAL")
    text = (
        "Cannot perform key material rotation: Key material has not been imported for replicas of "
        "the Multi-Region key."
    )
    with refused("KMSInvalidStateException", text):
        client.rotate_key_on_demand(KeyId=key_id)
    import_into(there, key_id, b"2" * 32)
    client.rotate_key_on_demand(KeyId=key_id)

    expected = [("NON_CURRENT", "IMPORTED"), ("CURRENT", "IMPORTED")]
    assert materials(client, key_id) == materials(there, key_id) == expected
    blob = client.encrypt(KeyId=key_id, Plaintext=b"new")["CiphertextBlob"]
    assert there.decrypt(CiphertextBlob=blob)["Plaintext"] == b"new"


@pytest.mark.parametrize(
    ("spec", "usage", "material"),
    [
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", bytes(range(32))),
        ("HMAC_256", "GENERATE_VERIFY_MAC", bytes(range(32))),
        ("ECC_NIST_P256", "SIGN_VERIFY", pkcs8(ec.generate_private_key(ec.SECP256R1()))),
    ],
    ids=["symmetric", "HMAC", "key pair"],
)
def test_the_mock_imports_material_in_one_call(kms, client, spec, usage, material):
    key = client.create_key(KeySpec=spec, KeyUsage=usage, Origin="EXTERNAL")["KeyMetadata"]
    until = kms.clock.now() + timedelta(days=30)

    kms.import_material(key["KeyId"], material, ValidTo=until)
    shown = client.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    assert (shown["KeyState"], shown["ExpirationModel"]) == ("Enabled", "KEY_MATERIAL_EXPIRES")
    kms.clock.advance(days=31)
    assert client.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "PendingImport"
    kms.import_material(key["Arn"], material)
    shown = client.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    assert shown["ExpirationModel"] == "KEY_MATERIAL_DOES_NOT_EXPIRE"


def test_the_mock_imports_material_into_keys_of_other_accounts(kms):
    theirs = kms.account("444455556666").administrator.client(region="eu-west-1")
    key = theirs.create_key(Origin="EXTERNAL")["KeyMetadata"]

    kms.import_material(key["Arn"], bytes(32))

    assert theirs.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "Enabled"


def test_a_checkpoint_brings_back_when_material_expires(kms, client):
    key_id = client.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
    kms.import_material(key_id, bytes(32), ValidTo=kms.clock.now() + timedelta(days=1))
    blob = client.encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"]
    saved = kms.checkpoint()

    for _ in range(2):
        assert client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"text"
        kms.clock.advance(days=1)
        state = client.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"]
        assert state == "PendingImport"
        kms.restore(saved)


def test_expired_material_is_in_the_trail(kms, client):
    key_id = client.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
    answer = kms.import_material(key_id, bytes(32), ValidTo=kms.clock.now() + timedelta(days=1))
    kms.clock.advance(days=2)

    (record,) = kms.trail.lookup("DeleteExpiredKeyMaterial")
    assert record["serviceEventDetails"] == {
        "keyId": key_id,
        "keyMaterialId": answer["KeyMaterialId"],
    }
