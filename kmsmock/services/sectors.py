"""The contents of volumes and snapshots: the sectors that were written, encrypted or not."""

from __future__ import annotations

from kmsmock.crypto.xts import SECTOR_BYTES, decrypt, encrypt

#: Sector number -> its bytes as they are stored. What was never written reads as zeros.
Sectors = dict[int, bytes]
_ZEROS = bytes(SECTOR_BYTES)
#: Source: Amazon EBS User Guide, "EBS direct APIs": snapshots consist of blocks of 512 KiB.
_BLOCK_BYTES = 512 * 1024


def read(sectors: Sectors, key: bytes | None, offset: int, length: int) -> bytes:
    """Read bytes. key: the data key in plaintext; None for what is not encrypted."""
    first, last = offset // SECTOR_BYTES, (offset + length + SECTOR_BYTES - 1) // SECTOR_BYTES
    data = b"".join(_read_sector(sectors, key, number) for number in range(first, last))
    start = offset - first * SECTOR_BYTES
    return data[start : start + length]


def write(sectors: Sectors, key: bytes | None, offset: int, data: bytes) -> None:
    """Write bytes, which may begin and end within sectors."""
    first, last = offset // SECTOR_BYTES, (offset + len(data) + SECTOR_BYTES - 1) // SECTOR_BYTES
    start = offset - first * SECTOR_BYTES
    whole = bytearray(read(sectors, key, first * SECTOR_BYTES, (last - first) * SECTOR_BYTES))
    whole[start : start + len(data)] = data
    for number in range(first, last):
        at = (number - first) * SECTOR_BYTES
        sector = bytes(whole[at : at + SECTOR_BYTES])
        sectors[number] = sector if key is None else encrypt(key, number, sector)


def rewrite(sectors: Sectors, old_key: bytes | None, new_key: bytes | None) -> Sectors:
    """Return the same contents, encrypted with another data key."""
    plaintexts = {number: _read_sector(sectors, old_key, number) for number in sectors}
    if new_key is None:
        return plaintexts
    return {number: encrypt(new_key, number, sector) for number, sector in plaintexts.items()}


def stored_bytes(sectors: Sectors) -> int:
    """Return the bytes of a full snapshot: the blocks that were written to."""
    blocks = {number * SECTOR_BYTES // _BLOCK_BYTES for number in sectors}
    return len(blocks) * _BLOCK_BYTES


def _read_sector(sectors: Sectors, key: bytes | None, number: int) -> bytes:
    sector = sectors.get(number)
    if sector is None:
        return _ZEROS
    return sector if key is None else decrypt(key, number, sector)
