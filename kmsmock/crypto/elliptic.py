"""Elliptic curves: ECDSA signatures and ECDH key agreement.

Source: FIPS 186-5, SEC 1 and SEC 2, SP 800-56A.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from kmsmock.crypto import Entropy, der, encodings
from kmsmock.crypto.errors import InvalidKeyEncoding


@dataclass(frozen=True, slots=True)
class _Curve:
    curve: ec.EllipticCurve
    oid: bytes
    field_bytes: int
    order: int


_CURVES = {
    "ECC_NIST_P256": _Curve(
        ec.SECP256R1(),
        der.oid("1.2.840.10045.3.1.7"),
        32,
        0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    ),
    "ECC_NIST_P384": _Curve(
        ec.SECP384R1(),
        der.oid("1.3.132.0.34"),
        48,
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
    ),
    "ECC_NIST_P521": _Curve(
        ec.SECP521R1(),
        der.oid("1.3.132.0.35"),
        66,
        0x01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409,
    ),
    "ECC_SECG_P256K1": _Curve(
        ec.SECP256K1(),
        der.oid("1.3.132.0.10"),
        32,
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
    ),
}
_PUBLIC_KEY = der.oid("1.2.840.10045.2.1")
_HASHES: dict[str, Any] = {
    "ECDSA_SHA_256": hashes.SHA256(),
    "ECDSA_SHA_384": hashes.SHA384(),
    "ECDSA_SHA_512": hashes.SHA512(),
}
#: (algorithm, message type) -> signature scheme of the library.
_SCHEMES = {
    (algorithm, message_type): ec.ECDSA(wrap(algorithm_hash))
    for algorithm, algorithm_hash in _HASHES.items()
    for message_type, wrap in (("RAW", lambda h: h), ("DIGEST", utils.Prehashed))
}


def digest_of(message: bytes, algorithm: str, message_type: str) -> tuple[str, bytes]:
    """Return the hash name of an algorithm, and the digest of a message, which may be a digest."""
    name = algorithm.replace("ECDSA_", "").replace("_", "").lower()
    return name, message if message_type == "DIGEST" else hashlib.new(name, message).digest()


class EllipticKey:
    """A private key on one of the curves."""

    __slots__ = ("_curve", "_key")

    def __init__(self, key: ec.EllipticCurvePrivateKey, curve: _Curve) -> None:
        self._key = key
        self._curve = curve

    def sign(self, message: bytes, algorithm: str, message_type: str) -> bytes:
        """Sign a message (RAW) or a digest (DIGEST); return DER of r and s."""
        return self._key.sign(message, _SCHEMES[algorithm, message_type])

    def verify(self, message: bytes, signature: bytes, algorithm: str, message_type: str) -> bool:
        """Return whether a signature is valid."""
        scheme = _SCHEMES[algorithm, message_type]
        try:
            self._key.public_key().verify(signature, message, scheme)
        except InvalidSignature:
            return False
        return True

    def exchange(self, peer_spki: bytes) -> bytes:
        """Derive the shared secret with a peer's public key: the x coordinate, in full length.

        Raises InvalidKeyEncoding if that is not a public key on the same curve.
        """
        peer = encodings.public_key(peer_spki)
        if (
            not isinstance(peer, ec.EllipticCurvePublicKey)
            or peer.curve.name != self._curve.curve.name
        ):
            raise InvalidKeyEncoding("it is on another curve, or on none")
        return self._key.exchange(ec.ECDH(), peer)

    def public_der(self) -> bytes:
        """Return the public key as SubjectPublicKeyInfo, the point uncompressed."""
        return self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def private_der(self) -> bytes:
        """Return the private key as PKCS#8, as KMS does with the curve and public key inside."""
        point = self._key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        scalar = self._key.private_numbers().private_value
        inside = der.sequence(
            der.integer(1),
            der.octets(scalar.to_bytes(self._curve.field_bytes, "big")),
            der.context(0, self._curve.oid),
            der.context(1, der.bits(point)),
        )
        algorithm = der.sequence(_PUBLIC_KEY, self._curve.oid)
        return der.sequence(der.integer(0), algorithm, der.octets(inside))


def generate(curve: str, entropy: Entropy) -> EllipticKey:
    """Generate a key on a curve, with a scalar from the entropy (FIPS 186-5, A.2.2)."""
    chosen = _CURVES[curve]
    bits = chosen.order.bit_length()
    while True:
        scalar = int.from_bytes(entropy((bits + 7) // 8), "big") >> (-bits % 8)
        if 0 < scalar < chosen.order:
            return EllipticKey(ec.derive_private_key(scalar, chosen.curve), chosen)


def load(pkcs8: bytes, curve: str) -> EllipticKey:
    """Load an imported key, in BER or DER; raises InvalidKeyEncoding."""
    encoded = der.private_key_to_der(pkcs8)
    key = encodings.private_key(encoded)
    chosen = _CURVES[curve]
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != chosen.curve.name:
        raise InvalidKeyEncoding("not a key on this curve")
    # cryptography < 45 does not check the public key inside: derive it from the scalar.
    key = ec.derive_private_key(key.private_numbers().private_value, chosen.curve)
    if der.inner_public_key(encoded) not in (None, *_encoded_points(key.public_key())):
        raise InvalidKeyEncoding("its public key belongs to another key")
    return EllipticKey(key, chosen)


def _encoded_points(key: ec.EllipticCurvePublicKey) -> Iterator[bytes]:
    forms = serialization.PublicFormat
    for form in (forms.UncompressedPoint, forms.CompressedPoint):
        yield key.public_bytes(serialization.Encoding.X962, form)
