"""Seed files of local-kms as documents of worlds.

Source: README of nsmithuk/local-kms, "Seeding".
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from kmsmock.crypto import encodings
from kmsmock.crypto.errors import CryptoError
from kmsmock.keys.specs import KEY_SPECS
from kmsmock.worlds.errors import At, WorldError
from kmsmock.worlds.reading import Object, hexadecimal, list_of, text

#: Where keys are in a seed file -> the beginnings of the key specs that they can have.
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
    keys: list[dict[str, Any]] = item.get("Keys", lambda given: list(_keys(given))) or []
    aliases = item.each("Aliases", _alias)
    item.end()
    return {"kmsmock": 1, "keys": keys, "aliases": aliases}


def _keys(value: Any) -> Iterator[dict[str, Any]]:
    groups = Object(value)
    for (group, family), start in _FAMILIES.items():
        families = groups.get(group, Object)
        if families is not None:
            with At(group):
                yield from families.each(family, partial(_key, start))
    groups.end()


def _key(start: str, value: Any) -> dict[str, Any]:
    item = Object(value)
    told = item.need("Metadata", Object)
    with At("Metadata"):
        key: dict[str, Any] = {
            "id": told.need("KeyId", text),
            "description": told.get("Description", text),
            "usage": told.get("KeyUsage", text),
            "origin": told.get("Origin", text),
            "spec": told.get("KeySpec", text) or told.get("CustomerMasterKeySpec", text),
        }
        told.end()
    backing = item.get("BackingKeys", list_of(hexadecimal))
    pem = item.get("PrivateKeyPem", text)
    item.get("NextKeyRotation", lambda given: given)
    if backing:
        key["materials"] = [{"secret": b64encode(secret).decode()} for secret in backing]
        key["spec"] = key["spec"] or ("SYMMETRIC_DEFAULT" if start != "HMAC_" else "HMAC_256")
    elif pem is not None:
        key["material"] = pem
        with At("PrivateKeyPem"):
            key["spec"] = key["spec"] or _spec_of(pem, start)
    else:
        raise WorldError("it has neither 'BackingKeys' nor 'PrivateKeyPem'")
    item.end()
    return {name: given for name, given in key.items() if given is not None}


def _spec_of(pem: str, start: str) -> str:
    """Find the key spec of a private key: the one that takes it."""
    try:
        secret = encodings.pkcs8_of_pem(pem)
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
    alias = {"name": item.need("AliasName", text), "key": item.need("TargetKeyId", text)}
    item.end()
    return alias
