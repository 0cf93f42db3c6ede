"""Keys of algorithms that not every installation has: what is read of them, and what is refused."""

from __future__ import annotations

import hashlib
import os
from types import ModuleType
from typing import Any

import pytest

from kmsmock.crypto import der, elliptic, post_quantum
from kmsmock.crypto.errors import AlgorithmUnavailable, DecryptionFailed, InvalidKeyEncoding
from tests.refusals import refused

# --- ML-DSA and ML-KEM ----------------------------------------------------------------------------

SEED = bytes(range(32))
ML_DSA_44 = der.sequence(der.oid("2.16.840.1.101.3.4.3.17"))


@pytest.fixture
def ml_dsa() -> None:
    pytest.importorskip(
        "cryptography.hazmat.primitives.asymmetric.mldsa", reason="cryptography is older"
    )


def pkcs8(inside: bytes, algorithm: bytes = ML_DSA_44) -> bytes:
    return der.sequence(der.integer(0), algorithm, der.octets(inside))


@pytest.mark.parametrize(
    "inside",
    [der.tlv(0x80, SEED), der.sequence(der.octets(SEED), der.octets(bytes(2560)))],
    ids=["seed", "seed and expanded key"],
)
@pytest.mark.usefixtures("ml_dsa")
def test_a_key_is_read_from_its_seed(inside: bytes) -> None:
    key = post_quantum.load("ML_DSA_44", pkcs8(inside))

    assert key.private_der() == post_quantum.generate("ML_DSA_44", lambda _: SEED).private_der()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (der.sequence(der.integer(0), ML_DSA_44), "not a PKCS#8 private key"),
        (der.sequence(der.integer(0), ML_DSA_44, der.integer(0)), "not a PKCS#8 private key"),
        (pkcs8(der.tlv(0x80, SEED), der.sequence(der.oid("1.2.3"))), "not an ML_DSA_44 key"),
        (pkcs8(b""), "it has no seed of 32 bytes"),
        (pkcs8(der.tlv(0x80, SEED * 2)), "it has no seed of 32 bytes"),
        (pkcs8(der.octets(SEED)), "it has no seed of 32 bytes"),
    ],
    ids=["two fields", "no octets", "algorithm", "empty", "long", "expanded"],
)
def test_a_key_without_its_seed_says_what_is_missing(data: bytes, words: str) -> None:
    with pytest.raises(InvalidKeyEncoding) as caught:
        post_quantum.load("ML_DSA_44", data)

    assert str(caught.value) == words


def test_a_seed_of_ml_kem_has_64_bytes() -> None:
    data = pkcs8(der.tlv(0x80, SEED), der.sequence(der.oid("2.16.840.1.101.3.4.4.2")))

    with pytest.raises(InvalidKeyEncoding, match="it has no seed of 64 bytes"):
        post_quantum.load("ML_KEM_768", data)


@pytest.fixture
def ml_dsa_key(kms: Any, ml_dsa: None) -> Any:  # noqa: ARG001
    return kms.client().create_key(KeySpec="ML_DSA_44", KeyUsage="SIGN_VERIFY")["KeyMetadata"]


def mu_of(spki: bytes, message: bytes) -> bytes:
    """Return the mu of a message under an empty context (FIPS 204)."""
    public = der.children(der.only(spki, der.SEQUENCE))[1][1][1:]
    tr = hashlib.shake_256(public).digest(64)
    return hashlib.shake_256(tr + b"\0\0" + message).digest(64)


def test_a_signed_mu_is_the_signature_of_its_message(kms: Any, ml_dsa_key: Any) -> None:
    client = kms.client()
    request = {"KeyId": ml_dsa_key["KeyId"], "SigningAlgorithm": "ML_DSA_SHAKE_256"}
    mu = mu_of(client.get_public_key(KeyId=ml_dsa_key["KeyId"])["PublicKey"], b"text")

    signature = client.sign(Message=mu, MessageType="EXTERNAL_MU", **request)["Signature"]

    assert client.verify(Message=b"text", Signature=signature, **request)["SignatureValid"]


@pytest.mark.parametrize("message_type", ["RAW", "EXTERNAL_MU"])
def test_the_signature_of_another_message_is_refused(
    kms: Any, ml_dsa_key: Any, message_type: str
) -> None:
    client = kms.client()
    request = {"KeyId": ml_dsa_key["KeyId"], "SigningAlgorithm": "ML_DSA_SHAKE_256"}
    signature = client.sign(Message=b"text", **request)["Signature"]

    with refused("KMSInvalidSignatureException", ""):
        client.verify(Message=bytes(64), MessageType=message_type, Signature=signature, **request)


@pytest.mark.parametrize("method", ["sign", "verify"])
def test_a_version_without_mu_is_named(method: str) -> None:
    key = post_quantum.MlDsaKey("ML_DSA_44", _KeyWithoutMu())
    arguments: Any = (b"mu", b"signature") if method == "verify" else (b"mu",)

    with pytest.raises(AlgorithmUnavailable) as caught:
        getattr(key, method)(*arguments, "ML_DSA_SHAKE_256", "EXTERNAL_MU")

    assert "ML_DSA_44 with MessageType EXTERNAL_MU" in str(caught.value)
    assert "cryptography >= 49" in str(caught.value)


class _KeyWithoutMu:
    """A private key as older versions of cryptography have it."""

    sign = verify = None

    def public_key(self) -> _KeyWithoutMu:
        return self


# --- SM2 ------------------------------------------------------------------------------------------


@pytest.fixture
def sm2() -> ModuleType:
    pytest.importorskip("gmalg", reason="SM2 needs the extra: algorithms")
    from kmsmock.crypto import sm2

    return sm2


def test_what_is_no_sm2_signature_is_not_valid(sm2: ModuleType) -> None:
    key = sm2.generate(os.urandom)

    for signature in (b"junk", der.sequence(der.integer(1)), der.sequence(*[der.octets(b"x")] * 2)):
        assert key.verify(b"text", signature, "SM2DSA", "RAW") is False


def test_what_is_no_sm2_ciphertext_is_refused(sm2: ModuleType) -> None:
    key = sm2.generate(os.urandom)
    damaged = key.encrypt(b"text", "SM2PKE")[:-1] + b"x"

    for blob in (b"junk", damaged, sm2.generate(os.urandom).encrypt(b"text", "SM2PKE")):
        with pytest.raises(DecryptionFailed, match=r"^wrong key or a damaged ciphertext: "):
            key.decrypt(blob, "SM2PKE")


def test_a_peer_on_another_curve_is_refused(sm2: ModuleType) -> None:
    key = sm2.generate(os.urandom)
    peer = elliptic.generate("ECC_NIST_P256", os.urandom).public_der()

    with pytest.raises(InvalidKeyEncoding, match="it is on another curve, or on none"):
        key.exchange(peer)


@pytest.mark.parametrize(
    ("point", "words"),
    [
        (b"\2" + bytes(32), "the point must be uncompressed"),
        (b"\4" + bytes(63), "the point must be uncompressed"),
        (b"\6" + bytes(64), "the point must be uncompressed"),
        (b"\4" + bytes(63) + b"\1", "the point is not on the curve"),
        (b"\4" + b"\xff" * 64, "the point is not on the curve"),
    ],
    ids=["compressed", "short", "hybrid", "beside the curve", "beyond the field"],
)
def test_a_peer_that_is_no_point_is_refused(sm2: ModuleType, point: bytes, words: str) -> None:
    key = sm2.generate(os.urandom)
    [algorithm, _] = der.children(der.only(key.public_der(), der.SEQUENCE))

    with pytest.raises(InvalidKeyEncoding, match=words):
        key.exchange(der.sequence(der.tlv(*algorithm), der.bits(point)))


def sm2_key(sm2: ModuleType, scalar: int) -> bytes:
    algorithm = der.sequence(der.oid("1.2.840.10045.2.1"), der.oid("1.2.156.10197.1.301"))
    number = (scalar % sm2._ORDER).to_bytes(32, "big")
    inside = der.sequence(der.integer(1), der.octets(number))
    return der.sequence(der.integer(0), algorithm, der.octets(inside))


@pytest.mark.parametrize("scalar", [0, -1], ids=["zero", "order - 1"])
def test_a_private_key_out_of_range_is_refused(sm2: ModuleType, scalar: int) -> None:
    with pytest.raises(InvalidKeyEncoding, match="the private key is out of range"):
        sm2.load(sm2_key(sm2, scalar))


@pytest.mark.parametrize("scalar", [1, -2], ids=["one", "order - 2"])
def test_a_private_key_in_its_range_is_read(sm2: ModuleType, scalar: int) -> None:
    assert sm2.load(sm2_key(sm2, scalar)).point()[:1] == b"\4"


def test_a_key_on_another_curve_is_no_sm2_key(sm2: ModuleType) -> None:
    with pytest.raises(InvalidKeyEncoding, match="not a key on the SM2 curve"):
        sm2.load(elliptic.generate("ECC_NIST_P256", os.urandom).private_der())


def test_a_key_with_the_point_of_another_is_refused(sm2: ModuleType) -> None:
    one, other = (sm2.generate(os.urandom).private_der() for _ in range(2))

    with pytest.raises(InvalidKeyEncoding, match="its public key belongs to another key"):
        sm2.load(one[:-65] + other[-65:])
