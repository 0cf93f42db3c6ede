"""Key material: one secret of a KMS key, and its state in the key's rotation history."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from kmsmock.aws.secret_values import SecretBytes
from kmsmock.crypto import ciphertext
from kmsmock.crypto.symmetric import SymmetricKey
from kmsmock.misuse.public_object import PlainPublicObject


class MaterialState(Enum):
    """The states of a key material. Source: AWS KMS API Reference, RotationsListEntry."""

    CURRENT = "CURRENT"
    NON_CURRENT = "NON_CURRENT"
    PENDING_ROTATION = "PENDING_ROTATION"
    PENDING_MULTI_REGION = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"


class RotationType(Enum):
    """What made a key material the current one."""

    AUTOMATIC = "AUTOMATIC"
    ON_DEMAND = "ON_DEMAND"


@dataclass(slots=True)
class KeyMaterial(
    PlainPublicObject, internal=("expired_at", "is_permanent", "opened", "remove", "symmetric")
):
    """One key material of a key; the fields without a comment are members of ListKeyRotations."""

    #: The key material id, 32 bytes.
    id: bytes
    #: The key material: raw bytes, or PKCS#8 DER of a private key; None before it is imported, or
    #: before a key pair is first used.
    secret: SecretBytes | None = field(repr=False)
    state: MaterialState = MaterialState.CURRENT
    rotation_date: datetime | None = None
    rotation_type: RotationType | None = None
    expiration_model: str | None = None
    valid_to: datetime | None = None
    description: str | None = None
    #: When imported material expired; None if it has not, or was imported again.
    expired_at: datetime | None = None
    #: The key object made from the secret, kept between calls.
    opened: Any = field(default=None, repr=False)

    @property
    def is_present(self) -> bool:
        """Whether the secret is available; an imported one may have expired or been deleted."""
        return self.secret is not None or self.opened is not None

    @property
    def is_permanent(self) -> bool:
        """Whether the key keeps this material for good; material pending rotation can go."""
        return self.state in (MaterialState.CURRENT, MaterialState.NON_CURRENT)

    def remove(self) -> None:
        """Remove the secret and its expiry; the id stays."""
        self.secret = self.opened = None
        self.expiration_model = self.valid_to = None

    def symmetric(self, header: ciphertext.BlobHeader) -> SymmetricKey:
        """Return the AES key, made from the secret on first use."""
        if self.opened is None:
            assert self.secret is not None  # states were checked before
            self.opened = SymmetricKey(self.secret, header)
        opened: SymmetricKey = self.opened
        return opened


def material_id(key_id: str, canonical_secret: bytes) -> bytes:
    """Compute the 32-byte id of a material from the key id and the secret.

    Source: AWS KMS API Reference, ImportKeyMaterial, KeyMaterialId.
    """
    return hashlib.sha256(key_id.encode() + b"\x00" + canonical_secret).digest()


def describe_expiry(materials: Iterable[KeyMaterial]) -> str:
    """Say when imported material has expired that is not there; empty if none has."""
    expired = [
        material.expired_at
        for material in materials
        if material.expired_at is not None and not material.is_present
    ]
    if not expired:
        return ""
    return f"Its key material expired on {min(expired):%Y-%m-%d %H:%M} UTC: import it again. "
