"""What is wrong with a key, a ciphertext or an attestation document, in words."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import rsa as library_rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from kmsmock.crypto import (
    attestation,
    cbor,
    ciphertext,
    cms,
    der,
    edwards,
    elliptic,
    encodings,
    rsa,
)
from kmsmock.crypto.errors import (
    CryptoError,
    DecryptionFailed,
    InvalidAttestation,
    InvalidKeyEncoding,
)
from kmsmock.crypto.rsa_pool import RsaPool
from tests.material import wrap

POOL = RsaPool(os.urandom)
RSA, OTHER_RSA = POOL.take(2048), POOL.take(2048)
EC = elliptic.generate("ECC_NIST_P256", os.urandom)
EDWARDS = edwards.generate(os.urandom)
Run = Callable[[], object]


def each(table: dict[str, tuple[Run, str]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("run", "words"), table.values(), ids=table)


def expect(error: type[CryptoError], words: str, run: Run) -> None:
    with pytest.raises(error) as caught:
        run()
    assert str(caught.value).startswith(words)


# --- private keys ---------------------------------------------------------------------------------


def pkcs8(inside: bytes) -> bytes:
    return der.sequence(der.integer(0), der.sequence(), inside)


def read(data: bytes) -> Run:
    return lambda: der.private_key_to_der(data)


SEGMENTS = der.tlv(0x23, der.tlv(der.BIT_STRING, b"\x01\xff") + der.tlv(der.BIT_STRING, b"\0\xff"))
ASN1: dict[str, tuple[Run, str]] = {
    "of no value": (read(b""), "an unexpected ASN.1 value"),
    "of two values": (read(der.sequence() * 2), "an unexpected ASN.1 value"),
    "of another type": (read(der.octets(b"x")), "an unexpected ASN.1 value"),
    "too long": (read(bytes(1 << 17)), "too long for a private key"),
    "of two fields": (read(der.sequence(der.integer(0), der.sequence())), "not a PKCS#8 private"),
    "without octets": (read(pkcs8(der.integer(0))), "not a PKCS#8 private key"),
    "unused bits": (read(pkcs8(SEGMENTS)), "a BIT STRING whose segments do not fit together"),
    "empty segment": (
        read(pkcs8(der.tlv(0x23, der.tlv(der.BIT_STRING, b"")))),
        "a BIT STRING whose segments do not fit together",
    ),
    "indefinite octets": (read(b"\x04\x80\0\0"), "an indefinite length where none is allowed"),
    "large tag": (read(b"\x1f\x81\x01\x00"), "not supported ASN.1"),
    "tag alone": (read(b"\x30"), "not supported ASN.1"),
    "length of nine bytes": (read(b"\x30\x89" + bytes(9)), "an ASN.1 length is too large"),
    "cut off": (read(b"\x30\x03\x02\x01"), "an ASN.1 value is cut off"),
}


@each(ASN1)
def test_a_key_that_is_not_asn1_says_why(run: Run, words: str) -> None:
    expect(InvalidKeyEncoding, words, run)


def test_a_length_of_eight_bytes_is_read() -> None:
    long = b"\x04\x88" + (1).to_bytes(8, "big") + b"x"

    assert der.children(long) == [(der.OCTET_STRING, b"x")]


def test_sixteen_levels_are_read() -> None:
    nested = b"\x30\x80" * 16 + b"\0\0" * 16

    assert len(der.children(nested)) == 1
    with pytest.raises(InvalidKeyEncoding, match=r"not supported ASN\.1"):
        der.children(b"\x30\x80" * 18 + b"\0\0" * 18)


def with_password() -> str:
    key = library_rsa.generate_private_key(65537, 1024)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.BestAvailableEncryption(b"password"),
    ).decode()


def inconsistent() -> bytes:
    """Return an RSA key with the private exponent of another."""
    fields = der.children(der.only(RSA.private_der(), der.SEQUENCE))
    numbers = der.children(der.only(fields[2][1], der.SEQUENCE))
    others = der.children(der.only(OTHER_RSA.private_der(), der.SEQUENCE))
    numbers[3] = der.children(der.only(others[2][1], der.SEQUENCE))[3]
    inside = der.sequence(*(der.tlv(*number) for number in numbers))
    return der.sequence(*(der.tlv(*field) for field in fields[:2]), der.octets(inside))


KEYS: dict[str, tuple[Run, str]] = {
    "PEM of something else": (
        lambda: encodings.pem_to_pkcs8("-----BEGIN PUBLIC KEY-----"),
        "there is no private key in it",
    ),
    "PEM with a password": (
        lambda: encodings.pem_to_pkcs8(with_password()),
        "not a private key without a password: ",
    ),
    "PEM that is not Base64": (
        lambda: encodings.pem_to_pkcs8("-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----"),
        "not a private key without a password: ",
    ),
    "junk": (lambda: encodings.private_key(b"junk"), "not a PKCS#8 private key: "),
    "junk as public key": (lambda: encodings.public_key(b"junk"), "not a public key: "),
    "EC for RSA": (lambda: rsa.load(EC.private_der(), 2048), "not an RSA key"),
    "RSA of another size": (
        lambda: rsa.load(RSA.private_der(), 3072),
        "the modulus has 2048 bits, not 3072",
    ),
    "RSA with a foreign exponent": (
        lambda: rsa.reopen(inconsistent()),
        "the numbers of the key are not consistent",
    ),
    "RSA for EC": (
        lambda: elliptic.load(RSA.private_der(), "ECC_NIST_P256"),
        "not a key on this curve",
    ),
    "another curve": (
        lambda: elliptic.load(EC.private_der(), "ECC_NIST_P384"),
        "not a key on this curve",
    ),
    "EC for Ed25519": (lambda: edwards.load(EC.private_der()), "not an Ed25519 key"),
    "BER for Ed25519": (
        lambda: edwards.load(b"\x30\x80" + EDWARDS.private_der()[2:] + b"\0\0"),
        "not DER",
    ),
}


@each(KEYS)
def test_a_key_of_another_kind_says_which_is_needed(run: Run, words: str) -> None:
    expect(InvalidKeyEncoding, words, run)


SIGNING = {
    "RSA": (RSA, "RSASSA_PSS_SHA_256"),
    "EC": (EC, "ECDSA_SHA_256"),
    "Ed25519": (EDWARDS, "ED25519_SHA_512"),
}


@pytest.mark.parametrize(("key", "algorithm"), SIGNING.values(), ids=SIGNING)
def test_a_signature_is_valid_or_not(key: Any, algorithm: str) -> None:
    signature = key.sign(b"text", algorithm, "RAW")

    assert key.verify(b"text", signature, algorithm, "RAW") is True
    for message, other in ((b"other", signature), (b"text", b"junk")):
        assert key.verify(message, other, algorithm, "RAW") is False


def test_a_pem_of_pkcs8_is_taken_as_it_is() -> None:
    pem = "text before\n-----BEGIN PRIVATE KEY-----\nAAEC\n-----END PRIVATE KEY-----\n"

    assert encodings.pem_to_pkcs8(pem) == b"\0\1\2"


# --- ciphertexts ----------------------------------------------------------------------------------

WRAPPED = wrap(b"material", RSA.public_der(), "RSA_AES_KEY_WRAP_SHA_256")
SHORT_KEY = wrap(bytes(16), RSA.public_der(), "RSAES_OAEP_SHA_256")
CIPHERTEXTS: dict[str, tuple[Run, str]] = {
    "wrapped key of 128 bits": (
        lambda: RSA.unwrap("RSA_AES_KEY_WRAP_SHA_256", SHORT_KEY + bytes(16)),
        "the wrapped AES key must have 256 bits",
    ),
    "damaged wrapped material": (
        lambda: RSA.unwrap("RSA_AES_KEY_WRAP_SHA_256", WRAPPED[:-1] + bytes(1)),
        "the AES key unwrap failed",
    ),
    "envelope for somebody else": (
        lambda: cms.open_envelope(
            cms.make_envelope(b"secret", OTHER_RSA.public_der(), os.urandom),
            encodings.private_key(RSA.private_der()),
        ),
        "not for this recipient, or damaged: ",
    ),
    "no envelope": (
        lambda: cms.open_envelope(b"junk", encodings.private_key(RSA.private_der())),
        "not for this recipient, or damaged: ",
    ),
}


@each(CIPHERTEXTS)
def test_a_ciphertext_that_cannot_be_decrypted_says_why(run: Run, words: str) -> None:
    expect(DecryptionFailed, words, run)


@pytest.mark.parametrize(
    ("prefix", "words"),
    [
        (b"", "not a symmetric ciphertext blob"),
        (ciphertext.ENCRYPT_PREFIX, "not an intact symmetric ciphertext blob"),
        (ciphertext.DATA_KEY_PREFIX, "not an intact symmetric ciphertext blob"),
    ],
    ids=["zeros", "prefix of Encrypt", "prefix of GenerateDataKey"],
)
def test_zeros_of_any_length_are_no_ciphertext(prefix: bytes, words: str) -> None:
    for size in range(150, 400):
        expect(DecryptionFailed, words, lambda: ciphertext.parse(prefix + bytes(size)))  # noqa: B023


def test_an_envelope_names_the_padding_of_its_key() -> None:
    """RSAES-OAEP with SHA-256 for the digest and the mask (RFC 4055, 4.1)."""
    algorithm = bytes.fromhex(
        "303c06092a864886f70d010107302fa00f300d06096086480165030402010500"
        "a11c301a06092a864886f70d010108300d06096086480165030402010500"
    )

    assert algorithm in cms.make_envelope(b"secret", RSA.public_der(), os.urandom)


# --- attestation documents ------------------------------------------------------------------------

AUTHORITY = attestation.AttestationAuthority()
DOCUMENT: list[Any] = cbor.decode(AUTHORITY.document(RSA.public_der()))


def verify(*document: Any) -> Run:
    encoded = cbor.encode(list(document))
    return lambda: attestation.verify(encoded, [AUTHORITY.root_der])


def claim(**changed: Any) -> Run:
    """Verify a document with other claims, whose signature is not looked at yet."""
    claims = {**cbor.decode(DOCUMENT[2]), **changed}
    kept = {name: value for name, value in claims.items() if value != "left out"}
    return verify(*DOCUMENT[:2], cbor.encode(kept), DOCUMENT[3])


def foreign(name: str) -> Any:
    document: list[Any] = cbor.decode(attestation.AttestationAuthority().document(b""))
    return cbor.decode(document[2])[name]


DOCUMENTS: dict[str, tuple[Run, str]] = {
    "three parts": (verify(*DOCUMENT[:3]), "it is not a COSE_Sign1"),
    "no list": (
        lambda: attestation.verify(cbor.encode({}), [AUTHORITY.root_der]),
        "it is not a COSE_Sign1",
    ),
    "a part that is a text": (verify(*DOCUMENT[:3], "text"), "it is not a COSE_Sign1"),
    "another algorithm": (
        verify(cbor.encode({1: -7}), *DOCUMENT[1:]),
        "it is not signed with ES384",
    ),
    "no map": (
        verify(*DOCUMENT[:2], cbor.encode([]), DOCUMENT[3]),
        "its payload is not a map",
    ),
    "no module id": (
        claim(module_id="left out"),
        "its module_id is missing or of a wrong type",
    ),
    "a certificate as text": (
        claim(certificate="text"),
        "its certificate is missing or of a wrong type",
    ),
    "no chain": (claim(cabundle="left out"), "its cabundle is missing or of a wrong type"),
    "no registers": (claim(pcrs="left out"), "its pcrs is missing or of a wrong type"),
    "registers of a NitroTPM in a list": (
        claim(nitrotpm_pcrs=[]),
        "its nitrotpm_pcrs is missing or of a wrong type",
    ),
    "no public key": (claim(public_key=None), "it has no public key to encrypt for"),
    "register with a name": (
        claim(pcrs={"0": b""}),
        "its pcrs are not numbers with measurements",
    ),
    "register with a text": (
        claim(pcrs={0: "text"}),
        "its pcrs are not numbers with measurements",
    ),
    "a text in the chain": (
        claim(cabundle=[AUTHORITY.root_der, "text"]),
        "its cabundle is not a list of certificates",
    ),
    "another root": (
        claim(cabundle=foreign("cabundle")),
        "its certificates do not begin with a root that is trusted here",
    ),
    "a certificate of another root": (
        claim(certificate=foreign("certificate")),
        "its certificates are not valid: ",
    ),
    "junk for a certificate": (claim(certificate=b"junk"), "its certificates are not valid: "),
    "a short signature": (
        verify(*DOCUMENT[:3], DOCUMENT[3][1:]),
        "its signature has a wrong length",
    ),
    "another signature": (
        verify(*DOCUMENT[:3], DOCUMENT[3][::-1]),
        "its signature is not valid",
    ),
    "a changed claim": (claim(module_id="other"), "its signature is not valid"),
    "a key for encryption that is not RSA": (
        lambda: cms.make_envelope(b"secret", EC.public_der(), os.urandom),
        "its public key is not an RSA key",
    ),
}


@each(DOCUMENTS)
def test_a_document_that_is_not_valid_says_why(run: Run, words: str) -> None:
    expect(InvalidAttestation, words, run)


def test_a_document_says_whose_registers_it_has() -> None:
    of_tpm = AUTHORITY.document(RSA.public_der(), nitro_tpm=True)

    verified = attestation.verify(of_tpm, [AUTHORITY.root_der])
    assert verified.is_tpm is True
    assert re.fullmatch(r"i-[0-9a-f]{17}-enc[0-9a-f]{16}", verified.module_id)
    assert verified.pcrs == {index: bytes(48) for index in range(16)}
    assert attestation.verify(cbor.encode(DOCUMENT), [AUTHORITY.root_der]).is_tpm is False


def test_a_document_is_signed_as_cose_says() -> None:
    """RFC 9052, 4.4: the signature is over a Sig_structure, with empty external data."""
    protected, unprotected, payload, signature = DOCUMENT
    claims = cbor.decode(payload)
    leaf = x509.load_der_x509_certificate(claims["certificate"])
    root = x509.load_der_x509_certificate(claims["cabundle"][0])
    signed = cbor.encode(["Signature1", protected, b"", payload])
    r, s = (int.from_bytes(part, "big") for part in (signature[:48], signature[48:]))

    public: Any = leaf.public_key()
    public.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA384()))
    assert (protected.hex(), unprotected) == ("a1013822", {})
    assert leaf.issuer == root.issuer == root.subject
    assert leaf.subject.rfc4514_string() == "CN=mock.enclave"
    assert root.subject.rfc4514_string() == "CN=mock.nitro-enclaves"


def test_a_document_has_the_claims_of_the_hypervisor() -> None:
    """AWS Nitro Enclaves User Guide, "Verifying the root of trust"."""
    now = datetime(2026, 4, 1, 12, 0, 0, 250_000, tzinfo=timezone.utc)
    authority = attestation.AttestationAuthority(lambda: now)
    document = authority.document(b"key", user_data=b"data", nonce=b"nonce")
    claims = cbor.decode(cbor.decode(document)[2])

    assert (claims["digest"], claims["timestamp"]) == ("SHA384", 1_775_044_800_250)
    assert (claims["public_key"], claims["user_data"], claims["nonce"]) == (
        b"key",
        b"data",
        b"nonce",
    )
    assert claims.keys() == {
        *("module_id", "digest", "timestamp", "pcrs", "certificate", "cabundle"),
        *("public_key", "user_data", "nonce"),
    }


# --- CBOR (examples of RFC 8949, Appendix A) ------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, "00"),
        (23, "17"),
        (24, "1818"),
        (255, "18ff"),
        (256, "190100"),
        (1000, "1903e8"),
        (65536, "1a00010000"),
        (1000000, "1a000f4240"),
        (4294967296, "1b0000000100000000"),
        (18446744073709551615, "1bffffffffffffffff"),
        (-1, "20"),
        (-10, "29"),
        (-1000, "3903e7"),
        (False, "f4"),
        (True, "f5"),
        (None, "f6"),
        (b"\1\2\3\4", "4401020304"),
        ("IETF", "6449455446"),
        ("\u00fc", "62c3bc"),
        ([1, [2, 3], [4, 5]], "8301820203820405"),
        ({"a": 1, "b": [2, 3]}, "a26161016162820203"),
    ],
    ids=str,
)
def test_a_value_has_the_encoding_of_the_standard(value: Any, encoded: str) -> None:
    assert cbor.encode(value).hex() == encoded
    assert cbor.decode(bytes.fromhex(encoded)) == value


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("", "it is not complete CBOR"),
        ("18", "it is not complete CBOR"),
        ("1c", "it is not complete CBOR"),
        ("4401", "it is not complete CBOR"),
        ("62c328", "it is not complete CBOR"),
        ("a18001", "it is not complete CBOR"),
        ("f9", "it has a CBOR value that documents do not have"),
        ("0000", "there is more behind the CBOR value"),
        ("81" * 9 + "00", "it is nested too deeply"),
    ],
)
def test_what_is_not_cbor_says_why(data: str, words: str) -> None:
    expect(InvalidAttestation, words, lambda: cbor.decode(bytes.fromhex(data)))


def test_tags_and_eight_levels_are_read() -> None:
    assert cbor.decode(bytes.fromhex("c100")) == 0
    assert cbor.decode(bytes.fromhex("f7")) is None
    assert cbor.decode(bytes.fromhex("81" * 8 + "00")) == [[[[[[[[0]]]]]]]]


def test_a_number_of_more_than_64_bits_is_not_encoded() -> None:
    with pytest.raises(ValueError, match="the number is too large"):
        cbor.encode(1 << 64)
