"""Seed files of local-kms as documents of worlds, of both versions.

Source: README of nsmithuk/local-kms, "Seeding file format"; of version 2 its reader.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from kmsmock.aws.arns import ALIAS_PREFIX
from kmsmock.crypto import encodings
from kmsmock.crypto.errors import CryptoError
from kmsmock.keys.specs import KEY_SPECS
from kmsmock.worlds.errors import At, WorldError
from kmsmock.worlds.reading import Object, hexadecimal, list_of, text, time, whole
from kmsmock.worlds.writing import shown_time, told

#: Where version 1 has keys -> the beginning of the key specs that they can have, the first of
#: which it means when it names none.
_FAMILIES = {
    ("Symmetric", "Aes"): "SYMMETRIC_DEFAULT",
    ("Symmetric", "Hmac"): "HMAC_",
    ("Asymmetric", "Rsa"): "RSA_",
    ("Asymmetric", "Ecc"): "ECC_",
}


def is_of_local_kms(document: Any) -> bool:
    """Tell a seed file of local-kms by its members."""
    return isinstance(document, Mapping) and bool({"Keys", "Aliases"} & document.keys())


def from_local_kms(document: Mapping[str, Any]) -> dict[str, Any]:
    """Give the document of a world that a seed file means. Raises WorldError."""
    item = Object(document)
    version = item.get("Version", whole(1, 2)) or 1
    read = _keys if version == 1 else list_of(_key)
    keys = item.get("Keys", read) or []
    aliases = item.each("Aliases", _alias)
    item.end()
    return {"keys": keys, "aliases": aliases}


def _keys(value: Any) -> list[dict[str, Any]]:
    """Read the keys of version 1, which stand in groups of families."""
    groups = Object(value)
    keys: list[dict[str, Any]] = []
    for group in dict.fromkeys(group for group, _ in _FAMILIES):
        families = groups.get(group, Object)
        if families is not None:
            with At(group):
                keys += _of_families(group, families)
    groups.end()
    return keys


def _of_families(group: str, families: Object) -> Iterator[dict[str, Any]]:
    for (place, family), start in _FAMILIES.items():
        if place == group:
            yield from families.each(family, partial(_key, start=start))
    families.end()


def _key(value: Any, start: str = "") -> dict[str, Any]:
    """Read a key. start: that of its key spec."""
    item = Object(value)
    metadata = item.need("Metadata", Object)
    material = item.get("Material", Object) or item
    backing = material.get("BackingKeys", list_of(hexadecimal))
    pem = material.get("PrivateKeyPem", text)
    rotation = item.get("NextKeyRotation", time)
    with At("Metadata"):
        key_id = item.get("KeyId", text) or metadata.need("KeyId", text)
        spec = metadata.get("KeySpec", text) or metadata.get("CustomerMasterKeySpec", text)
        usage, origin = metadata.get("KeyUsage", text), metadata.get("Origin", text)
        description = metadata.get("Description", text)
        metadata.end()
    item.end()
    if material is not item:
        with At("Material"):
            material.end()
    if not backing and pem is None and origin != "EXTERNAL":
        raise WorldError("it has neither 'BackingKeys' nor 'PrivateKeyPem'")
    with At("PrivateKeyPem"):
        spec = spec or (_spec_of(start, backing or []) if pem is None else _spec_of_pem(start, pem))
    return told(
        {
            "id": key_id,
            "description": description,
            "spec": spec,
            "usage": usage,
            "origin": origin,
            "material": pem,
            "materials": backing and [{"secret": b64encode(one).decode()} for one in backing],
            "rotation": rotation and {"next": shown_time(rotation)},
        }
    )


def _spec_of(start: str, secrets: list[bytes]) -> str:
    """Find the key spec of symmetric keys: of an HMAC key by its length."""
    sizes = [len(secret) for secret in secrets]
    fitting = (name for name, spec in KEY_SPECS.items() if spec.secret_bytes in sizes)
    return next((name for name in fitting if name.startswith(start)), "SYMMETRIC_DEFAULT")


def _spec_of_pem(start: str, pem: str) -> str:
    """Find the key spec of a private key: the one that takes it."""
    try:
        secret = encodings.pem_to_pkcs8(pem)
    except CryptoError as reason:
        raise WorldError(f"is no private key: {reason}") from None
    for name, spec in KEY_SPECS.items():
        if name.startswith(start) and spec.reopen is not None:
            try:
                spec.reopen(secret)
            except CryptoError:
                continue
            return name
    raise WorldError(f"is of no key spec {start}*")


def _alias(value: Any) -> dict[str, str]:
    item = Object(value)
    name = item.need("AliasName", text).removeprefix(ALIAS_PREFIX)
    alias = {"name": ALIAS_PREFIX + name, "key": item.need("TargetKeyId", text)}
    item.end()
    return alias
