"""Wrapping and importing key material, as a customer of KMS does it."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

NEVER = "KEY_MATERIAL_DOES_NOT_EXPIRE"
EXPIRES = "KEY_MATERIAL_EXPIRES"
OAEP_256 = "RSAES_OAEP_SHA_256"


@cache
def rsa_key(bits: int = 2048, number: int = 0) -> Any:
    """Generate an RSA key, once, since that takes long. number: tells keys of a size apart."""
    del number
    return rsa.generate_private_key(65537, bits)


def pkcs8(private_key: Any) -> bytes:
    """Encode a private key as it is imported."""
    encoded: bytes = private_key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return encoded


def wrap(material: bytes, public_key_der: bytes, algorithm: str = OAEP_256) -> bytes:
    """Wrap material with the public key of GetParametersForImport."""
    digest = hashes.SHA1() if algorithm.endswith("SHA_1") else hashes.SHA256()
    oaep = padding.OAEP(padding.MGF1(digest), digest, None)
    wrapping_key: Any = serialization.load_der_public_key(public_key_der)
    if algorithm.startswith("RSAES_OAEP"):
        return wrapping_key.encrypt(material, oaep)
    aes_key = os.urandom(32)
    wrapped = keywrap.aes_key_wrap_with_padding(aes_key, material)
    return wrapping_key.encrypt(aes_key, oaep) + wrapped


def import_parameters(
    client: Any,
    key_id: str,
    material: bytes,
    algorithm: str = OAEP_256,
    wrapping_spec: str = "RSA_2048",
) -> dict[str, Any]:
    """Give the parameters of ImportKeyMaterial that bring this material."""
    offer = client.get_parameters_for_import(
        KeyId=key_id, WrappingAlgorithm=algorithm, WrappingKeySpec=wrapping_spec
    )
    return {
        "KeyId": key_id,
        "ImportToken": offer["ImportToken"],
        "EncryptedKeyMaterial": wrap(material, offer["PublicKey"], algorithm),
    }


def import_material(client: Any, key_id: str, material: bytes, **parameters: Any) -> Any:
    """Import material that does not expire, unless the parameters say so."""
    request = {"ExpirationModel": NEVER, **parameters}
    return client.import_key_material(**import_parameters(client, key_id, material), **request)
