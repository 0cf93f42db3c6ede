"""Convert seed files of local-kms, of both versions, to documents of worlds.

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
from kmsmock.worlds.errors import Within, WorldError
from kmsmock.worlds.reading import Object, hexadecimal, list_of, text, time, whole_number
from kmsmock.worlds.writing import without_none, write_time

#: (group, family) of keys in version 1 -> prefix of their key specs; the first spec with the prefix
#: is the default.
_FAMILIES = {
    ("Symmetric", "Aes"): "SYMMETRIC_DEFAULT",
    ("Symmetric", "Hmac"): "HMAC_",
    ("Asymmetric", "Rsa"): "RSA_",
    ("Asymmetric", "Ecc"): "ECC_",
}


def is_local_kms(document: Any) -> bool:
    """Return whether a document is a seed file of local-kms."""
    return isinstance(document, Mapping) and bool({"Keys", "Aliases"} & document.keys())


def from_local_kms(document: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a seed file to the document of a world. Raises WorldError."""
    item = Object(document)
    version = item.get("Version", whole_number(1, 2)) or 1
    read = _keys if version == 1 else list_of(_key)
    keys = item.get("Keys", read) or []
    aliases = item.each("Aliases", _alias)
    item.end()
    return {"keys": keys, "aliases": aliases}


def _keys(value: Any) -> list[dict[str, Any]]:
    """Read the keys of version 1, which are grouped by kind and family."""
    groups = Object(value)
    keys: list[dict[str, Any]] = []
    for group in dict.fromkeys(group for group, _ in _FAMILIES):
        families = groups.get(group, Object)
        if families is not None:
            with Within(group):
                keys += _of_families(group, families)
    groups.end()
    return keys


def _of_families(group: str, families: Object) -> Iterator[dict[str, Any]]:
    for (known_group, family), prefix in _FAMILIES.items():
        if known_group == group:
            yield from families.each(family, partial(_key, prefix=prefix))
    families.end()


def _key(value: Any, prefix: str = "") -> dict[str, Any]:
    """Read a key. prefix: of its key spec."""
    item = Object(value)
    metadata = item.require("Metadata", Object)
    material = item.get("Material", Object) or item
    backing = material.get("BackingKeys", list_of(hexadecimal))
    pem = material.get("PrivateKeyPem", text)
    rotation = item.get("NextKeyRotation", time)
    with Within("Metadata"):
        key_id = item.get("KeyId", text) or metadata.require("KeyId", text)
        spec = metadata.get("KeySpec", text) or metadata.get("CustomerMasterKeySpec", text)
        usage, origin = metadata.get("KeyUsage", text), metadata.get("Origin", text)
        description = metadata.get("Description", text)
        metadata.end()
    item.end()
    if material is not item:
        with Within("Material"):
            material.end()
    if not backing and pem is None and origin != "EXTERNAL":
        raise WorldError("it has neither 'BackingKeys' nor 'PrivateKeyPem'")
    with Within("PrivateKeyPem"):
        spec = spec or (
            _spec_of(prefix, backing or []) if pem is None else _spec_of_pem(prefix, pem)
        )
    return without_none(
        {
            "id": key_id,
            "description": description,
            "spec": spec,
            "usage": usage,
            "origin": origin,
            "material": pem,
            "materials": backing and [{"secret": b64encode(one).decode()} for one in backing],
            "rotation": rotation and {"next": write_time(rotation)},
        }
    )


def _spec_of(prefix: str, secrets: list[bytes]) -> str:
    """Find the key spec of symmetric key material, of an HMAC key by its length."""
    sizes = [len(secret) for secret in secrets]
    fitting = (name for name, spec in KEY_SPECS.items() if spec.secret_bytes in sizes)
    return next((name for name in fitting if name.startswith(prefix)), "SYMMETRIC_DEFAULT")


def _spec_of_pem(prefix: str, pem: str) -> str:
    """Find the key spec of a private key: the one that can load it."""
    try:
        secret = encodings.pem_to_pkcs8(pem)
    except CryptoError as reason:
        raise WorldError(f"is no private key: {reason}") from None
    for name, spec in KEY_SPECS.items():
        if name.startswith(prefix) and spec.reopen is not None:
            try:
                spec.reopen(secret)
            except CryptoError:
                continue
            return name
    raise WorldError(f"is of no key spec {prefix}*")


def _alias(value: Any) -> dict[str, str]:
    item = Object(value)
    name = item.require("AliasName", text).removeprefix(ALIAS_PREFIX)
    alias = {"name": ALIAS_PREFIX + name, "key": item.require("TargetKeyId", text)}
    item.end()
    return alias
