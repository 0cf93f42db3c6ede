"""The layout of a symmetric ciphertext blob.

Its outer form, and its size, are those of KMS: a header with the key material id, and a CMS
EncryptedData (RFC 5652) with AES-256-GCM (RFC 5084). Where KMS has bytes of unknown meaning, this
layout identifies the key.

======  =====  ==================================================================
offset  bytes  content
======  =====  ==================================================================
0       5      ``01 02 02 00 78``, or ``01 02 03 00 78`` for generated data keys
5       32     key material id
37      1      ``01``
38      16     key id, without dashes and without ``mrk-``
54      4      length of the rest, big-endian
58      …      DER ContentInfo: OIDs, 12-byte nonce, ``[0]`` content
content 1      layout version (low 4 bits), 0x80 = multi-Region key
+1      5      account, big-endian
+6      1      Region: index in the list of known Regions, from 1; 0 = another Region
+7      4      CRC-32 of all bytes in front of it
+11     …      AES-GCM ciphertext and its 16-byte tag
======  =====  ==================================================================

The CRC distinguishes an intact blob from a damaged one; a blob of AWS KMS itself has no such CRC.
Everything before the ciphertext is authenticated together with the encryption context.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from kmsmock.aws.arns import key_arn
from kmsmock.aws.regions import REGIONS
from kmsmock.crypto.errors import DecryptionFailed, UnknownFraming

VERSION: Final = 1
NONCE_BYTES: Final = 12
ENCRYPT_PREFIX: Final = bytes.fromhex("0102020078")
DATA_KEY_PREFIX: Final = bytes.fromhex("0102030078")

_MULTI_REGION = 0x80
_AFTER_MATERIAL_ID = 37
_KEY_ID = slice(38, 54)
_SMALLEST_ENVELOPE = 59
_FRAMING_BYTES = 11
_TAG_BYTES = 16
#: The offset of the envelope, which begins with its length.
_ENVELOPE = 54
_SMALLEST = _ENVELOPE + NONCE_BYTES + _SMALLEST_ENVELOPE + _FRAMING_BYTES + _TAG_BYTES + 1
_ENCRYPTED_DATA = bytes.fromhex("06092a864886f70d010706")
_DATA = bytes.fromhex("06092a864886f70d010701")
_AES_256_GCM = bytes.fromhex("060960864801650304012e")
_TAG_LENGTH_PARAMETER = bytes.fromhex("020110")
_REGIONS = tuple(name for names in REGIONS.values() for name in names)
_REGION_CODES = {name: code for code, name in enumerate(_REGIONS, start=1)}


class Blob(NamedTuple):
    """A parsed ciphertext blob."""

    #: The id of the key material, 32 bytes.
    material_id: bytes
    nonce: bytes
    #: The AES-GCM ciphertext.
    encrypted: bytes
    #: All bytes before `encrypted`.
    authenticated: bytes
    #: The content up to the CRC: layout version, account and Region; parsed on access.
    framing: bytes

    @property
    def account(self) -> str:
        """The account of the key, 12 digits."""
        return f"{int.from_bytes(self.framing[1:6], 'big'):012}"

    @property
    def region(self) -> str | None:
        """The Region of the key; None for a Region that is not in the list."""
        code = self.framing[6]
        return _REGIONS[code - 1] if 0 < code <= len(_REGIONS) else None

    @property
    def key_id(self) -> str:
        """The id of the key."""
        digits = self.authenticated[_KEY_ID].hex()
        if self.framing[0] & _MULTI_REGION:
            return f"mrk-{digits}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    @property
    def key_arn(self) -> str:
        """The ARN of the key that encrypted the blob, according to the blob."""
        return key_arn(self.region or "unknown-region", self.account, self.key_id)


class BlobHeader(NamedTuple):
    """The bytes that all blobs of one key material share."""

    #: Offsets 5 to 53: the key material id and the key id.
    ids: bytes
    #: The content up to the CRC: layout version, account and Region.
    framing: bytes


def make_blob_header(material_id: bytes, key_id: str, account: str, region: str) -> BlobHeader:
    """Make the bytes that all blobs of a key material share.

    material_id: 32 bytes; key_id: with or without ``mrk-``; account: 12 digits.
    """
    flags = VERSION | (_MULTI_REGION if key_id.startswith("mrk-") else 0)
    identity = bytes.fromhex(key_id.removeprefix("mrk-").replace("-", ""))
    framing = bytes((flags,)) + int(account).to_bytes(5, "big")
    return BlobHeader(
        material_id + b"\x01" + identity, framing + bytes((_REGION_CODES.get(region, 0),))
    )


def make_authenticated(
    header: BlobHeader, prefix: bytes, nonce: bytes, plaintext_bytes: int
) -> bytes:
    """Make `Blob.authenticated`: all bytes before the AES-GCM ciphertext, including the CRC.

    prefix: the first 5 bytes, `ENCRYPT_PREFIX` or `DATA_KEY_PREFIX`.
    """
    before_nonce, after_nonce = _envelope(plaintext_bytes + _FRAMING_BYTES + _TAG_BYTES)
    start = b"".join((prefix, header.ids, before_nonce, nonce, after_nonce, header.framing))
    return start + zlib.crc32(start).to_bytes(4, "big")


def parse(blob: bytes) -> Blob:
    """Parse a blob.

    Raises DecryptionFailed for bytes that are not an intact blob, and its subclass UnknownFraming
    if they have the outer form of one.
    """
    if len(blob) < _SMALLEST or blob[:5] not in (ENCRYPT_PREFIX, DATA_KEY_PREFIX):
        raise DecryptionFailed("not a symmetric ciphertext blob")
    # The envelope depends only on the length of the content, which follows from the blob's length.
    layout = _layout(len(blob))
    material_id, before_nonce, nonce, after_nonce, framing, crc, encrypted = layout.unpack(blob)
    if (before_nonce, after_nonce) != layout.envelope or blob[_AFTER_MATERIAL_ID] != 1:
        raise DecryptionFailed("not an intact symmetric ciphertext blob")
    version = framing[0] & ~_MULTI_REGION
    if crc != zlib.crc32(blob[: layout.crc_offset]) or version != VERSION:
        raise UnknownFraming(material_id, blob[_KEY_ID].hex())
    return Blob(material_id, nonce, encrypted, blob[: layout.crc_offset + 4], framing)


def read_size(blob: bytes) -> int | None:
    """Return the size that a blob has according to its header, in bytes; None without a header."""
    if blob[:5] not in (ENCRYPT_PREFIX, DATA_KEY_PREFIX) or len(blob) < _ENVELOPE + 4:
        return None
    return _ENVELOPE + 4 + int.from_bytes(blob[_ENVELOPE : _ENVELOPE + 4], "big")


def encode_context(context: Mapping[str, str] | None) -> bytes:
    """Encode an encryption context as bytes without ambiguity.

    Pairs are sorted by name, and each name and value has its length (4 bytes) in front, so
    that ``{"a": "bc"}`` and ``{"ab": "c"}`` differ. No context and an empty one are the same.
    """
    if not context:
        return b""
    parts: list[bytes] = []
    for pair in sorted(context.items()):
        for text in pair:
            encoded = text.encode()
            parts += (struct.pack(">I", len(encoded)), encoded)
    return b"".join(parts)


@lru_cache(maxsize=8192)
def _envelope(content_bytes: int) -> tuple[bytes, bytes]:
    """Return the bytes between key id and nonce, and between nonce and content."""
    parameters = _tlv(0x30, 14 + 3)
    algorithm = _tlv(0x30, len(_AES_256_GCM) + len(parameters) + 17)
    after_nonce = _TAG_LENGTH_PARAMETER + _tlv(0x80, content_bytes)
    inside = (
        len(_DATA) + len(algorithm) + len(_AES_256_GCM) + len(parameters) + 14 + len(after_nonce)
    )
    content_info = _tlv(0x30, inside + content_bytes)
    version = b"\x02\x01\x00"
    sequence = _tlv(0x30, len(version) + len(content_info) + inside + content_bytes)
    body = len(version) + len(content_info) + inside + content_bytes
    explicit = _tlv(0xA0, len(sequence) + body)
    outer_bytes = len(_ENCRYPTED_DATA) + len(explicit) + len(sequence) + body
    outer = _tlv(0x30, outer_bytes)
    before_nonce = b"".join(
        (
            (len(outer) + outer_bytes).to_bytes(4, "big"),
            *(outer, _ENCRYPTED_DATA, explicit, sequence, version, content_info, _DATA),
            *(algorithm, _AES_256_GCM, parameters, b"\x04\x0c"),
        )
    )
    return before_nonce, after_nonce


class _Layout(NamedTuple):
    """The layout of the blobs of one length."""

    #: Splits a blob into material id, bytes before the nonce, nonce, bytes after it, framing
    #: without its CRC, CRC, and AES-GCM ciphertext.
    unpack: Callable[[bytes], tuple[bytes, bytes, bytes, bytes, bytes, int, bytes]]
    #: The bytes between key id and nonce, and between nonce and content.
    envelope: tuple[bytes, bytes]
    #: The offset of the CRC in bytes.
    crc_offset: int


@lru_cache(maxsize=8192)
def _layout(blob_bytes: int) -> _Layout:
    content_bytes = _content_bytes(blob_bytes)
    envelope = before_nonce, after_nonce = _envelope(content_bytes)
    crc_offset = _ENVELOPE + len(before_nonce) + NONCE_BYTES + len(after_nonce) + _FRAMING_BYTES - 4
    form = struct.Struct(
        f">5x32s17x{len(before_nonce)}s{NONCE_BYTES}s{len(after_nonce)}s{_FRAMING_BYTES - 4}sI"
        f"{content_bytes - _FRAMING_BYTES}s"
    )
    return _Layout(form.unpack, envelope, crc_offset)


def _content_bytes(blob_bytes: int) -> int:
    """Find the content length of a blob; the envelope's length grows with it."""
    for envelope_bytes in range(_SMALLEST_ENVELOPE, _SMALLEST_ENVELOPE + 20):
        content_bytes = blob_bytes - _ENVELOPE - NONCE_BYTES - envelope_bytes
        if content_bytes <= 0:
            break
        if sum(map(len, _envelope(content_bytes))) == envelope_bytes:
            return content_bytes
    raise DecryptionFailed("not an intact symmetric ciphertext blob")


def _tlv(tag: int, length: int) -> bytes:
    """Encode tag and length of a DER value (X.690)."""
    if length < 0x80:
        return bytes((tag, length))
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(digits))) + digits
