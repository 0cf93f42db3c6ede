"""The ciphertexts of SecureString parameters; the store that answers SSM has the plaintexts."""

from __future__ import annotations

from dataclasses import dataclass, field

from kmsmock.services.registry import ServiceCall
from kmsmock.services.store_reader import StoredElsewhere


@dataclass(frozen=True, slots=True)
class SecureString:
    """A version of a SecureString parameter."""

    #: The KeyId of the request.
    key_id: str
    #: The ciphertext of the value in the standard tier, of the data key in the advanced tier.
    ciphertext: bytes
    is_advanced: bool


@dataclass(slots=True)
class SecureStrings(StoredElsewhere):
    """The versions of SecureString parameters: ARN of the parameter -> number -> version."""

    versions: dict[str, dict[int, SecureString]] = field(default_factory=dict)


def versions_of(call: ServiceCall) -> dict[str, dict[int, SecureString]]:
    """Return the versions of SecureString parameters in a mock, see `SecureStrings`."""
    return call.backend.service_state(SecureStrings).versions
