"""Errors of this package; `keys` and `operations` translate them to errors of KMS."""

from __future__ import annotations


class CryptoError(Exception):
    """The base class of all errors of this package."""


class DecryptionFailed(CryptoError):
    """The key, encryption context, padding or length is wrong."""


class UnknownFraming(DecryptionFailed):
    """A ciphertext has KMS's outer form, but not the inner one of this package.

    It is of AWS KMS itself, or was damaged. material_id: 32 bytes. key_id: the id of the key that
    made it, if this package did: 32 hexadecimal digits.
    """

    def __init__(self, material_id: bytes, key_id: str) -> None:
        super().__init__("not an intact symmetric ciphertext blob")
        self.material_id = material_id
        self.key_id = key_id


class InvalidKeyEncoding(CryptoError):
    """An imported private key, or the public key of a peer, is malformed or of the wrong kind."""


class InvalidAttestation(CryptoError):
    """An attestation document is not valid."""


class AlgorithmUnavailable(CryptoError):
    """The installed libraries do not have an algorithm.

    algorithm: its name. remedy: what to install.
    """

    def __init__(self, algorithm: str, remedy: str) -> None:
        super().__init__(algorithm, remedy)
        self.algorithm = algorithm
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.algorithm} is not available here: {self.remedy}"


def make_missing_extra_error(algorithm: str, package: str) -> AlgorithmUnavailable:
    """Make the error for an algorithm that needs a package of the extra ``algorithms``."""
    return AlgorithmUnavailable(
        algorithm, f'it needs the package {package}, which the extra "algorithms" installs'
    )
