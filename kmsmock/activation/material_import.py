"""Import key material with a KMS client: get the import parameters, wrap, import.

Source: AWS KMS Developer Guide, "Importing key material".
"""

from __future__ import annotations

from typing import Any

from kmsmock.aws.secret_values import SecretBytes, reveal
from kmsmock.crypto import rsa
from kmsmock.process.orderings import seeing_all

_RAW = ("SYMMETRIC_DEFAULT", "HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512")


def read_material(material: Any) -> SecretBytes:
    """Return key material as a secret value. Raises TypeError for material that is not bytes."""
    if not isinstance(material, (bytes, bytearray, memoryview)):
        raise TypeError(f"material: bytes, not {type(reveal(material)).__name__}")
    return SecretBytes(material)


def import_material(
    client: Any, key_id: str, material: SecretBytes, parameters: dict[str, Any]
) -> Any:
    """Import key material, and return the response of ImportKeyMaterial.

    material: raw bytes for symmetric and HMAC keys, PKCS #8 DER for asymmetric keys. parameters:
    further parameters of ImportKeyMaterial; without ValidTo the material does not expire. Raises
    botocore's ClientError.
    """
    with seeing_all():
        metadata = client.describe_key(KeyId=key_id)["KeyMetadata"]
        is_raw = metadata["KeySpec"] in _RAW
        algorithm = "RSAES_OAEP_SHA_256" if is_raw else "RSA_AES_KEY_WRAP_SHA_256"
        issued = client.get_parameters_for_import(
            KeyId=metadata["KeyId"], WrappingAlgorithm=algorithm, WrappingKeySpec="RSA_4096"
        )
        expires = "ValidTo" in parameters
        model = "KEY_MATERIAL_EXPIRES" if expires else "KEY_MATERIAL_DOES_NOT_EXPIRE"
        return client.import_key_material(
            KeyId=metadata["KeyId"],
            ImportToken=issued["ImportToken"],
            EncryptedKeyMaterial=rsa.wrap(issued["PublicKey"], algorithm, material),
            **{"ExpirationModel": model, **parameters},
        )
