"""AES-256-XTS of disk sectors (IEEE 1619)."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

#: Length of a sector, and of the two AES-256 keys of XTS together.
SECTOR_BYTES = 512
KEY_BYTES = 64


def encrypt(key: bytes, number: int, sector: bytes) -> bytes:
    """Encrypt one sector. number: of the sector on the disk, which is the tweak."""
    encryptor = _cipher(key, number).encryptor()
    return encryptor.update(sector) + encryptor.finalize()


def decrypt(key: bytes, number: int, encrypted: bytes) -> bytes:
    """Decrypt one sector; with a wrong key the result is random, as XTS does not authenticate."""
    decryptor = _cipher(key, number).decryptor()
    return decryptor.update(encrypted) + decryptor.finalize()


def _cipher(key: bytes, number: int) -> Cipher[modes.XTS]:
    return Cipher(algorithms.AES(key), modes.XTS(number.to_bytes(16, "little")))
