"""Write and load key materials of a world, with or without their secrets."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from typing import Any

from kmsmock.aws.secret_values import SecretBytes
from kmsmock.crypto import encodings
from kmsmock.crypto.errors import CryptoError
from kmsmock.crypto.rsa import RsaKey
from kmsmock.keys.key import Key
from kmsmock.keys.material import KeyMaterial, MaterialState, RotationType, material_id
from kmsmock.keys.material_import import parse_material
from kmsmock.keys.specs import Origin
from kmsmock.state.backend import Backend
from kmsmock.worlds.errors import Within, WorldError
from kmsmock.worlds.reading import (
    Object,
    binary,
    hexadecimal,
    list_of,
    member_of,
    one_of,
    text,
)
from kmsmock.worlds.reading import time as read_time
from kmsmock.worlds.writing import without_none, write_time

_EXPIRES, _STAYS = "KEY_MATERIAL_EXPIRES", "KEY_MATERIAL_DOES_NOT_EXPIRE"


def write_materials(key: Key, *, secrets: bool) -> list[dict[str, Any]] | None:
    """Return the materials of a key, oldest first; None if it shares those of its primary."""
    if shares_materials(key):
        return None
    return [_write_material(key, material, secrets=secrets) for material in key.materials]


def _write_material(key: Key, material: KeyMaterial, *, secrets: bool) -> dict[str, Any]:
    secret = material.secret
    if secret is None and material.opened is not None:
        secret = SecretBytes(material.opened.private_der())
    if not secrets:
        secret = None
    # The id of imported material is written even without its secret.
    has_id = material.id and (secret is not None or key.origin is Origin.EXTERNAL)
    is_here = secret is not None or key.origin is not Origin.EXTERNAL
    return without_none(
        {
            "id": material.id.hex() if has_id else None,
            "secret": None if secret is None else b64encode(secret).decode(),
            "state": material.state.value,
            "rotated": write_time(material.rotation_date),
            "rotation": material.rotation_type and material.rotation_type.value,
            "expiration_model": material.expiration_model if is_here else None,
            "expires": write_time(material.valid_to) if is_here else None,
            "description": material.description,
        }
    )


def shares_materials(key: Key) -> bool:
    """Return whether a key is a replica that shares the materials of its primary."""
    return key.is_replica and key.origin is Origin.AWS_KMS


def load_materials(item: Object, key: Key, backend: Backend) -> None:
    """Set the materials of a key to those of a document, or to new ones. Raises WorldError."""
    single = item.get("material", lambda value: _of_secret(key, value))
    stated = item.get("materials", list_of(lambda value: _material(key, value)))
    if single is not None and stated is not None:
        raise WorldError("'material' is short for 'materials': give one of them")
    materials = None if single is None else [single]
    if stated is not None:
        materials = [material for material, _ in stated]
        for material, state in stated:
            # By default, the newest material is the current one.
            is_newest = material is materials[-1]
            material.state = state or (
                MaterialState.CURRENT if is_newest else MaterialState.NON_CURRENT
            )
    if shares_materials(key):
        if materials is not None:
            raise WorldError("a replica has the material of its primary: leave it out")
    elif materials is not None:
        key.materials = materials
    elif key.origin is not Origin.EXTERNAL:
        key.materials = [key.new_material()]
    with Within("materials"):
        _require_one_current(key)
    for material in key.materials:
        if isinstance(material.opened, RsaKey):
            backend.source.rsa_pool.exclude(material.opened)


def _require_one_current(key: Key) -> None:
    current = [m for m in key.materials if m.state is MaterialState.CURRENT]
    if len(current) != 1 and (key.materials or key.origin is not Origin.EXTERNAL):
        raise WorldError(f"one material must be CURRENT, not {len(current)}")
    ids = [material.id for material in key.materials if material.id]
    if len(set(ids)) != len(ids):
        raise WorldError("no material can be there twice")


def _material(key: Key, value: Any) -> tuple[KeyMaterial, MaterialState | None]:
    """Read a material; return it and its state, None if the document has no state."""
    item = Object(value)
    made = item.get("secret", lambda value: _of_secret(key, value))
    identifier = item.get("id", hexadecimal)
    if made is None and key.origin is Origin.EXTERNAL:
        made = KeyMaterial(identifier or item.missing("id"), None)
    made = made or key.new_material()
    made.id = identifier or made.id
    made.rotation_date = item.get("rotated", read_time)
    made.rotation_type = item.get("rotation", member_of(RotationType))
    state = item.get("state", member_of(MaterialState))
    made.description = item.get("description", text)
    expires = item.get("expires", read_time)
    model = item.get("expiration_model", one_of((_EXPIRES, _STAYS)))
    item.end()
    _set_expiry(key, made, expires, model)
    return made, state


def _set_expiry(
    key: Key, material: KeyMaterial, expires: datetime | None, model: str | None
) -> None:
    is_imported = key.origin is Origin.EXTERNAL and material.secret is not None
    if not is_imported:
        if expires is not None or model is not None:
            raise WorldError("only imported material that is there can expire")
        return
    material.valid_to = expires
    material.expiration_model = _STAYS if expires is None else _EXPIRES
    if model not in (None, material.expiration_model):
        raise WorldError(f"'expires' belongs to {_EXPIRES}, and the reverse")


def _of_secret(key: Key, value: Any) -> KeyMaterial:
    """Read a secret: base64 of raw bytes or of PKCS#8, or a private key in PEM."""
    spec, opened = key.spec, None
    if isinstance(value, str) and len(value) > encodings.LONGEST_KEY:
        raise WorldError(f"is no key material: it has {len(value):,} characters")
    is_pem = isinstance(value, str) and "-----BEGIN" in value
    try:
        secret = SecretBytes(encodings.pem_to_pkcs8(value) if is_pem else binary(value))
        if spec.reopen is not None:
            opened = spec.reopen(secret)
        else:
            secret, _ = parse_material(spec, secret)
    except CryptoError as reason:
        raise WorldError(f"is no private key of {spec.name}: {reason}") from None
    has_id = spec.secret_bytes is not None or key.origin is Origin.EXTERNAL
    return KeyMaterial(material_id(key.key_id, secret) if has_id else b"", secret, opened=opened)
