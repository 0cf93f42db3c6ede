"""Key material: one secret of a KMS key, made on first use, and its place in the key's history."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from kmsmock.crypto import ciphertext
from kmsmock.crypto.symmetric import SymmetricKey


class MaterialState(Enum):
    """The states of a key material, as ListKeyRotations shows them."""

    CURRENT = "CURRENT"
    NON_CURRENT = "NON_CURRENT"
    PENDING_ROTATION = "PENDING_ROTATION"
    PENDING_MULTI_REGION = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"


class RotationType(Enum):
    """What made a key material the current one."""

    AUTOMATIC = "AUTOMATIC"
    ON_DEMAND = "ON_DEMAND"


@dataclass(slots=True)
class KeyMaterial:
    """One key material.

    id: 32 bytes. secret: raw bytes, or PKCS#8 DER of a private key; None while it is not
    imported, or has not been needed yet. The other members are what ListKeyRotations tells.
    """

    id: bytes
    secret: bytes | None
    state: MaterialState = MaterialState.CURRENT
    rotation_date: datetime | None = None
    rotation_type: RotationType | None = None
    expiration_model: str | None = None
    valid_to: datetime | None = None
    description: str | None = None
    opened: Any = None  # the key object made from the secret, kept between calls

    @property
    def is_present(self) -> bool:
        """Whether the secret is here (an imported one may be missing)."""
        return self.secret is not None or self.opened is not None

    @property
    def is_permanent(self) -> bool:
        """Whether the key is tied to this material; one that awaits rotation can still go."""
        return self.state in (MaterialState.CURRENT, MaterialState.NON_CURRENT)

    def remove(self) -> None:
        """Forget the secret; the identity stays."""
        self.secret = self.opened = None
        self.expiration_model = self.valid_to = None

    def symmetric(self, origin: ciphertext.Origin) -> SymmetricKey:
        """Give the AES key, opened on first use."""
        if self.opened is None:
            assert self.secret is not None  # states were checked before
            self.opened = SymmetricKey(self.secret, origin)
        opened: SymmetricKey = self.opened
        return opened


def material_id(key_id: str, canonical_secret: bytes) -> bytes:
    """Give the 32-byte identifier of a material: a function of the key id and the secret.

    Source: AWS KMS API Reference, ImportKeyMaterial, KeyMaterialId.
    """
    return hashlib.sha256(key_id.encode() + b"\x00" + canonical_secret).digest()
