"""The ciphertexts of SecureString parameters; the store that answers SSM has the plaintexts."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from kmsmock.services.registry import ServiceCall
from kmsmock.services.store_reader import StoredElsewhere

MANAGED_KEY = "alias/aws/ssm"
#: The type of encrypted parameters, and a tier.
SECURE, ADVANCED = "SecureString", "Advanced"


@dataclass(frozen=True, slots=True)
class SecureString:
    """A version of a SecureString parameter."""

    #: The KeyId of the request.
    key_id: str
    #: The ciphertext of the value in the standard tier, of the data key in the advanced tier.
    ciphertext: bytes
    is_advanced: bool
    #: The digest of the value, to notice that the store has another one.
    value_digest: bytes
    #: Another key that the store may show: that of the version before, if the request had none.
    shown_key_id: str | None = None

    @staticmethod
    def digest(value: bytes) -> bytes:
        """Return the digest of a value."""
        return sha256(value).digest()

    def is_of(self, value: bytes, key_id: str) -> bool:
        """Return whether this is a value under a key, named as in the request."""
        is_key = key_id in (self.key_id, self.shown_key_id)
        return is_key and self.value_digest == self.digest(value)


@dataclass(slots=True)
class SecureStrings(StoredElsewhere):
    """The versions of SecureString parameters: ARN of the parameter -> number -> version."""

    versions: dict[str, dict[int, SecureString]] = field(default_factory=dict)


def versions_of(call: ServiceCall) -> dict[str, dict[int, SecureString]]:
    """Return the versions of SecureString parameters in a mock, see `SecureStrings`."""
    return call.backend.service_state(SecureStrings).versions


def context_of(arn: str) -> dict[str, str]:
    """Return the encryption context of a parameter. arn: of the parameter."""
    return {"PARAMETER_ARN": arn}
