"""Import of key material: wrapping algorithms, checks, and deletion of imported material."""

from __future__ import annotations

import base64
import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from kmsmock.aws import errors
from kmsmock.aws.secret_values import SecretBytes
from kmsmock.crypto.errors import CryptoError
from kmsmock.keys import rotation
from kmsmock.keys.key import Key
from kmsmock.keys.material import KeyMaterial, MaterialState, material_id
from kmsmock.keys.multi_region import update_pending_material
from kmsmock.keys.specs import KeySpec
from kmsmock.keys.states import KeyState
from kmsmock.misuse.encodings import get_encoding

_URL_SAFE = re.compile("[-_]")

NEW = "NEW_KEY_MATERIAL"
EXISTING = "EXISTING_KEY_MATERIAL"

_OAEP = ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256")
_KEY_WRAP = ("RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256")
_ANY_RSA = ("RSA_2048", "RSA_3072", "RSA_4096")
_LARGE_RSA = ("RSA_3072", "RSA_4096")
_SMALL_CURVES = ("ECC_NIST_P256", "ECC_NIST_P384", "ECC_SECG_P256K1")
_LONGEST_HMAC_BYTES = 128


def _pairs(algorithms: tuple[str, ...], specs: tuple[str, ...]) -> frozenset[tuple[str, str]]:
    return frozenset((algorithm, spec) for algorithm in algorithms for spec in specs)


_SECRET = _pairs(_OAEP, _ANY_RSA)
_WRAPPED = _pairs(_KEY_WRAP, _ANY_RSA)
#: Key spec -> the pairs (wrapping algorithm, wrapping key spec) that can wrap its material.
#: Source: AWS KMS Developer Guide, "Select a wrapping algorithm".
WRAPPINGS: dict[str, frozenset[tuple[str, str]]] = {
    "SYMMETRIC_DEFAULT": _SECRET,
    **{f"HMAC_{bits}": _SECRET for bits in (224, 256, 384, 512)},
    **dict.fromkeys(_ANY_RSA, _WRAPPED),
    **dict.fromkeys(_SMALL_CURVES, _SECRET | _WRAPPED),
    "ECC_NIST_P521": _pairs(_OAEP, _LARGE_RSA) | _WRAPPED,
    "ECC_NIST_EDWARDS25519": _pairs(_OAEP, _LARGE_RSA) | _WRAPPED,
    "SM2": _SECRET,
}


@dataclass(frozen=True, slots=True)
class ImportParameters:
    """What an import token of GetParametersForImport stands for."""

    key: Key
    algorithm: str
    #: The private half of the wrapping key pair.
    wrapping_key: Any
    #: When import token and wrapping key expire.
    valid_to: datetime


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """The parameters of ImportKeyMaterial except the material; None for those that are absent."""

    import_type: str | None
    material_id: bytes | None
    description: str | None
    expiration_model: str
    valid_to: datetime | None


def parse_material(spec: KeySpec, unwrapped: bytes) -> tuple[SecretBytes, Any]:
    """Parse unwrapped material as material of a key spec.

    Returns the canonical secret (raw bytes, or PKCS#8 DER), and for key pairs the private key.
    Raises InvalidCiphertextException for a wrong length, curve, modulus or encoding.
    """
    if spec.secret_bytes is None:
        assert spec.load is not None
        try:
            key_pair = spec.load(unwrapped)
        except CryptoError as reason:
            raise errors.InvalidCiphertextException(
                explanation=f"The unwrapped material is not a PKCS#8 {spec.name} key: {reason}."
                + _describe_text(unwrapped)
            ) from None
        return SecretBytes(key_pair.private_der()), key_pair
    problem = get_length_problem(spec, len(unwrapped))
    if problem is not None:
        raise errors.InvalidCiphertextException(
            explanation=f"The unwrapped material {problem}."
            + _describe_text(unwrapped, lambda size: get_length_problem(spec, size) is None)
        )
    return SecretBytes(unwrapped), None


def _describe_text(material: bytes, fits: Callable[[int], bool] = bool) -> str:
    """Say that material is the text of other bytes; empty if it is none.

    fits: returns whether these bytes can have a size.
    """
    encoding = get_encoding(material)
    sizes = list(_list_decoded_sizes(material.decode(errors="replace").strip().strip('"')))
    if encoding is None or (sizes and not any(map(fits, sizes))):
        return ""
    return f" It is {encoding.name}: wrap {encoding.fix}."


def _list_decoded_sizes(text: str) -> Iterator[int]:
    """Yield how many bytes a text stands for, as hexadecimal digits and in Base64."""
    with contextlib.suppress(ValueError):
        yield len(bytes.fromhex(text.removeprefix("0x")))
    with contextlib.suppress(ValueError):
        yield len(base64.b64decode(text, altchars=b"-_" if _URL_SAFE.search(text) else None))


def get_length_problem(spec: KeySpec, size: int) -> str | None:
    """Return why symmetric material of a key spec cannot be of this size; None if it can.

    size: in bytes. The text completes a sentence: "The material has 16 bytes; ...".
    """
    assert spec.secret_bytes is not None
    longest = spec.secret_bytes if spec.is_symmetric_encryption else _LONGEST_HMAC_BYTES
    if spec.secret_bytes <= size <= longest:
        return None
    up_to = f" to {longest}" if longest > spec.secret_bytes else ""
    return f"has {size} bytes; {spec.name} needs {spec.secret_bytes}{up_to}"


def import_material(
    key: Key, secret: SecretBytes, opened: Any, request: ImportRequest
) -> KeyMaterial:
    """Import a secret into a key, as new or as existing material; return the material.

    opened: the private key, for key pairs.

    Raises IncorrectKeyMaterialException, KMSInvalidStateException or ValidationException.
    Source: AWS KMS Developer Guide, "Importing key material".
    """
    identifier = material_id(key.key_id, secret)
    import_type = request.import_type or (EXISTING if key.materials else NEW)
    if import_type == NEW:
        material = _new_material(key, identifier, request)
    else:
        material = _existing_material(key, identifier, request)
    material.secret = secret
    material.opened = opened
    material.expiration_model = request.expiration_model
    material.valid_to = request.valid_to
    material.expired_at = None
    if request.description is not None:
        material.description = request.description
    if key.has_all_material and key.status is not KeyState.UPDATING:
        key.status = KeyState.ENABLED
    if key.multi_region is not None:
        update_pending_material(key.multi_region)
    return material


def delete_material(key: Key, identifier: bytes | None) -> KeyMaterial | None:
    """Remove imported material: the current one, or that with the id.

    None when nothing was ever imported. Raises ValidationException for an unknown id.
    """
    if identifier is None:
        material = key.current_material
        if material is None:
            return None
    else:
        try:
            material = key.find_material(identifier)
        except KeyError:
            raise errors.ValidationException(
                f"Key material (id: {identifier.hex()}) has never been imported into KMS key "
                f"{key.arn}."
            ) from None
    remove_material(key, material)
    return material


def remove_material(key: Key, material: KeyMaterial) -> None:
    """Remove the secret of a material; remove material that is pending rotation altogether.

    Of a multi-Region key, material pending rotation is removed from the replicas too.
    """
    if material.is_permanent or key.is_replica:
        material.remove()
        if key.multi_region is not None:
            update_pending_material(key.multi_region)
        return
    for member in key.related_keys:
        member.materials = [m for m in member.materials if m.id != material.id]


def _new_material(key: Key, identifier: bytes, request: ImportRequest) -> KeyMaterial:
    if request.material_id is not None:
        raise errors.ValidationException(
            "Input parameter keyMaterialId cannot be used with NEW_KEY_MATERIAL importType."
        )
    if key.is_replica:
        raise errors.ValidationException(
            "Input parameter ImportType NEW_KEY_MATERIAL cannot be used on replica Multi-Region "
            "keys"
        )
    if any(material.id == identifier for material in key.materials):
        raise errors.IncorrectKeyMaterialException(
            f"Key material (id: {identifier.hex()}) being imported as NEW_KEY_MATERIAL is already "
            f"associated with KMS key {key.arn}."
        )
    pending = rotation.get_pending_material(key)
    if pending is not None:
        raise errors.KMSInvalidStateException(
            f"New key material (id: {identifier.hex()}) cannot be imported into KMS key "
            f"{key.arn}, because another key material (id: {pending.id.hex()}) is pending rotation."
        )
    material = KeyMaterial(identifier, None)
    if key.materials:
        material.state = MaterialState.PENDING_ROTATION
    for member in key.related_keys:
        member.materials.append(material if member is key else replace(material))
    return material


def _existing_material(key: Key, identifier: bytes, request: ImportRequest) -> KeyMaterial:
    current = key.current_material
    if current is None:
        raise errors.ValidationException.in_own_words(
            "Input parameter importType EXISTING_KEY_MATERIAL cannot be used on a KMS key into "
            "which no key material has been imported."
        )
    expected = request.material_id or current.id
    unnamed = request.material_id is None
    for material in key.materials:
        if material.id == identifier and (unnamed or identifier == expected):
            return material
    raise errors.IncorrectKeyMaterialException(
        f"Imported key material does not have the expected identifier ({expected.hex()}).",
        explanation="Only the same bytes that were imported before can be imported again.",
    )
