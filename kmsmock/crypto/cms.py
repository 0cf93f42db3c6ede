"""CMS EnvelopedData, which KMS returns to Nitro enclaves as CiphertextForRecipient.

It has one recipient, identified by its subject key identifier; the AES-256-CBC content key is
encrypted with RSAES-OAEP and SHA-256. Source: RFC 5652, RFC 8017; the version numbers are those
that AWS's enclave SDK expects.
"""

from __future__ import annotations

import hashlib
from typing import Any

from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.asymmetric import padding as asymmetric_padding
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from kmsmock.crypto import Entropy, der, encodings
from kmsmock.crypto.errors import DecryptionFailed, InvalidAttestation, InvalidKeyEncoding

_ENVELOPED_DATA = der.oid("1.2.840.113549.1.7.3")
_DATA = der.oid("1.2.840.113549.1.7.1")
_AES_256_CBC = der.oid("2.16.840.1.101.3.4.1.42")
_SHA_256 = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"), der.NULL)
_MGF1 = der.sequence(der.oid("1.2.840.113549.1.1.8"), _SHA_256)
_OAEP = der.sequence(
    der.oid("1.2.840.113549.1.1.7"),
    der.sequence(der.context(0, _SHA_256), der.context(1, _MGF1)),
)
_VERSION = der.integer(2)
_BLOCK_BITS = 128


def _oaep_padding() -> Any:
    return asymmetric_padding.OAEP(asymmetric_padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


def make_envelope(plaintext: bytes, recipient_spki: bytes, entropy: Entropy) -> bytes:
    """Encrypt for the RSA public key of a recipient; return the DER of a ContentInfo.

    Raises InvalidKeyEncoding if that is not a public key, InvalidAttestation if it is not RSA.
    """
    public = encodings.public_key(recipient_spki)
    if not isinstance(public, rsa.RSAPublicKey):
        raise InvalidAttestation("its public key is not an RSA key")
    content_key, initial = entropy(32), entropy(16)
    try:
        wrapped = public.encrypt(content_key, _oaep_padding())
    except ValueError:
        raise InvalidAttestation("its RSA key is too short to encrypt for") from None
    padder = padding.PKCS7(_BLOCK_BITS).padder()
    padded = padder.update(plaintext) + padder.finalize()
    encryptor = Cipher(algorithms.AES(content_key), modes.CBC(initial)).encryptor()
    encrypted = encryptor.update(padded) + encryptor.finalize()
    # RFC 5280, 4.2.1.2: the SHA-1 of the public key's bits.
    key_bits = der.children(der.only(recipient_spki, der.SEQUENCE))[1][1][1:]
    recipient = der.sequence(
        _VERSION,
        der.tlv(0x80, hashlib.sha1(key_bits, usedforsecurity=False).digest()),
        _OAEP,
        der.octets(wrapped),
    )
    content = der.sequence(
        _DATA,
        der.sequence(_AES_256_CBC, der.octets(initial)),
        der.tlv(0x80, encrypted),
    )
    enveloped = der.sequence(_VERSION, der.tlv(der.SET, recipient), content)
    return der.sequence(_ENVELOPED_DATA, der.context(0, enveloped))


def open_envelope(blob: bytes, private_key: rsa.RSAPrivateKey) -> bytes:
    """Decrypt an envelope with the private key of its recipient; raises DecryptionFailed."""
    try:
        info = der.children(der.only(blob, der.SEQUENCE))
        _, recipients, content = der.children(der.only(info[1][1], der.SEQUENCE))
        wrapped = der.children(der.only(recipients[1], der.SEQUENCE))[3][1]
        _, algorithm, encrypted = der.children(content[1])
        initial = der.children(algorithm[1])[1][1]
        content_key = private_key.decrypt(wrapped, _oaep_padding())
        decryptor = Cipher(algorithms.AES(content_key), modes.CBC(initial)).decryptor()
        padded = decryptor.update(encrypted[1]) + decryptor.finalize()
        unpadder = padding.PKCS7(_BLOCK_BITS).unpadder()
        return unpadder.update(padded) + unpadder.finalize()
    except (InvalidKeyEncoding, ValueError, IndexError) as reason:
        raise DecryptionFailed(f"not for this recipient, or damaged: {reason}") from None
