"""Whatever stands in bytes from outside, nothing but CryptoError comes out."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa as library_rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from kmsmock.crypto import attestation, cbor, cms, der, edwards, elliptic, rsa
from kmsmock.crypto.errors import CryptoError, InvalidAttestation, InvalidKeyEncoding
from kmsmock.crypto.rsa_pool import RsaPool
from tests.thoroughness import examples

RSA = RsaPool(os.urandom).take(2048)
EC = elliptic.generate("ECC_NIST_P256", os.urandom)
EDWARDS = edwards.generate(os.urandom)
AUTHORITY = attestation.AttestationAuthority()

PARSERS: dict[str, tuple[bytes, Callable[[bytes], object]]] = {
    "rsa key": (RSA.private_der(), lambda data: rsa.load(data, 2048)),
    "ec key": (EC.private_der(), lambda data: elliptic.load(data, "ECC_NIST_P256")),
    "edwards key": (EDWARDS.private_der(), edwards.load),
    "peer's key": (EC.public_der(), EC.exchange),
    "recipient's key": (
        RSA.public_der(),
        lambda data: cms.make_envelope(b"secret", data, os.urandom),
    ),
    "attestation": (
        AUTHORITY.document(RSA.public_der()),
        lambda data: attestation.verify(data, [AUTHORITY.root_der]),
    ),
    "wrapped material": (
        bytes(300),
        lambda data: RSA.unwrap("RSA_AES_KEY_WRAP_SHA_256", data),
    ),
}


@pytest.mark.parametrize(("sound", "parse"), PARSERS.values(), ids=PARSERS)
@examples(30)
@given(data=st.data())
def test_only_crypto_errors_come_out_of_damaged_bytes(
    sound: bytes, parse: Callable[[bytes], object], data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(sound)))
    end = data.draw(st.integers(start, min(len(sound), start + 8)))
    damaged = sound[:start] + data.draw(st.binary(max_size=8)) + sound[end:]
    with contextlib.suppress(CryptoError):
        parse(damaged)


@pytest.mark.parametrize(
    "bomb",
    [b"\x30\x80" * 30_000, b"\x24\x80" * 30_000, b"\x81" * 200_000, b"\xc0" * 200_000],
    ids=["sequences", "strings", "arrays", "tags"],
)
@pytest.mark.parametrize("parse", [der.private_key_to_der, cbor.decode], ids=["der", "cbor"])
def test_endless_nesting_is_refused(parse: Callable[[bytes], object], bomb: bytes) -> None:
    with pytest.raises(CryptoError):
        parse(bomb)


def test_a_recipient_with_a_short_rsa_key_is_refused() -> None:
    numbers = library_rsa.RSAPublicNumbers(65537, (1 << 767) + 12345)
    spki = numbers.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(CryptoError):
        cms.make_envelope(b"secret", spki, os.urandom)


def test_pcrs_that_are_no_measurements_are_refused() -> None:
    document = AUTHORITY.document(RSA.public_der(), pcrs={0: "text"})  # type: ignore[dict-item]
    with pytest.raises(InvalidAttestation):
        attestation.verify(document, [AUTHORITY.root_der])


@pytest.mark.parametrize(
    "change",
    [
        lambda key: b"\x30\x80" + key[2:] + b"\x00\x00",
        lambda key: b"\x30\x81" + key[1:],
        lambda key: key + b"\x00",
    ],
    ids=["indefinite", "long length", "trailing byte"],
)
def test_edwards_keys_must_be_strict_der(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(InvalidKeyEncoding):
        edwards.load(change(EDWARDS.private_der()))


@pytest.mark.parametrize("family", ["ecc", "sm2"])
def test_a_key_with_a_foreign_public_key_is_refused(family: str) -> None:
    if family == "sm2":
        pytest.importorskip("gmalg", reason="SM2 needs the extra: algorithms")
        from kmsmock.crypto import sm2

        one, other = (sm2.generate(os.urandom).private_der() for _ in range(2))
        load: Callable[[bytes], object] = sm2.load
    else:
        one, other = EC.private_der(), elliptic.generate("ECC_NIST_P256", os.urandom).private_der()

        def load(data: bytes) -> object:
            return elliptic.load(data, "ECC_NIST_P256")

    with pytest.raises(InvalidKeyEncoding):
        load(one[:-65] + other[-65:])


def test_a_ber_key_with_strings_in_segments_is_read() -> None:
    fields = der.children(der.only(EC.private_der(), der.SEQUENCE))
    inner = der.children(der.only(fields[2][1], der.SEQUENCE))
    point = der.only(inner[3][1], der.BIT_STRING)[1:]
    segments = der.tlv(0x23, der.bits(point[:30]), der.bits(point[30:]))
    inside = der.sequence(*(der.tlv(*field) for field in inner[:3]), der.context(1, segments))
    halves = der.octets(inside[:40]) + der.octets(inside[40:])
    ber = der.sequence(*(der.tlv(*field) for field in fields[:2]), b"\x24\x80" + halves + b"\0\0")
    assert elliptic.load(ber, "ECC_NIST_P256").private_der() == EC.private_der()
