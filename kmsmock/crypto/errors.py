"""What can go wrong with bytes; the domain says what it means for a client."""

from __future__ import annotations


class CryptoError(Exception):
    """Something that a key, a ciphertext or an algorithm does not permit."""


class DecryptionFailed(CryptoError):
    """The key, the context, the padding or the length is not the right one."""


class InvalidKeyEncoding(CryptoError):
    """An imported private key, or the public key of a peer, is not of the wanted kind."""


class InvalidAttestation(CryptoError):
    """An attestation document does not hold."""


class AlgorithmUnavailable(CryptoError):
    """The installed libraries have no such primitive.

    algorithm: what was asked for. remedy: what to install.
    """

    def __init__(self, algorithm: str, remedy: str) -> None:
        super().__init__(algorithm, remedy)
        self.algorithm = algorithm
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.algorithm} is not available here: {self.remedy}"


def extra_missing(algorithm: str, package: str) -> AlgorithmUnavailable:
    """Name the package, and the extra that brings it."""
    return AlgorithmUnavailable(
        algorithm, f'it needs the package {package}, which the extra "algorithms" installs'
    )
