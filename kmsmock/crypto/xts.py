"""AES-256-XTS over sectors, as disks are encrypted (IEEE 1619)."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

#: Bytes of a sector, and of the two keys that XTS takes together.
SECTOR_BYTES = 512
KEY_BYTES = 64


def encrypt(key: bytes, number: int, sector: bytes) -> bytes:
    """Encrypt one sector. number: its place on the disk, which is the tweak."""
    encryptor = _cipher(key, number).encryptor()
    return encryptor.update(sector) + encryptor.finalize()


def decrypt(key: bytes, number: int, sealed: bytes) -> bytes:
    """Decrypt one sector; a wrong key gives noise, as XTS does not authenticate."""
    decryptor = _cipher(key, number).decryptor()
    return decryptor.update(sealed) + decryptor.finalize()


def _cipher(key: bytes, number: int) -> Cipher[modes.XTS]:
    return Cipher(algorithms.AES(key), modes.XTS(number.to_bytes(16, "little")))
