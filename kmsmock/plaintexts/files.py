"""Files to search: single ones, folders, and files that are open."""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kmsmock.plaintexts.location import Location, Locations, Skipped, make_text_location

#: How much of a file is searched, in bytes; of a compressed one, of what is in it.
LARGEST_BYTES = 1 << 24
_CHUNK_BYTES = 1 << 22
_GZIP = b"\x1f\x8b\x08"
_NO_FILE = "neither a file nor a folder"
_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class TooLargeError(OSError):
    """A file is larger than what is searched of it."""

    def __init__(self) -> None:
        super().__init__(0, f"only its first {LARGEST_BYTES >> 20} MiB were searched")


def is_path(text: str) -> bool:
    """Return whether a text is the path of an existing file or folder."""
    if not 0 < len(text) < 4096 or "\n" in text or "\0" in text:
        return False
    return os.path.exists(text)  # noqa: PTH110


def find_files(path: Path, name: str | None) -> Locations:
    """Yield the location of a file, or those of all files in a folder.

    name: of the location, by default the path. Raises OSError for a path that cannot be read.
    """
    name = name or str(path)
    if path.is_dir():
        yield from _iterate_folder(path, name)
        return
    kind = _KINDS.get(stat.S_IFMT(path.stat().st_mode))
    if kind is None:
        path.open("rb").close()
        yield Location(name, lambda: _read_chunks(path))
    else:  # reading it could wait forever
        yield Skipped(name, f"it is {kind}")


def _iterate_folder(top: Path, name: str) -> Locations:
    """Yield the files in a folder and its subfolders, without following links to folders.

    The names of all, and the targets of links, are a location, too.
    """
    names: list[str] = []
    # Not by recursion: a folder can be deeper than that goes.
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(top / folder) as scanned:
                entries = sorted(scanned, key=lambda entry: entry.name)
        except OSError as reason:
            yield Skipped(_join(name, folder), reason.strerror or str(reason))
            continue
        folders = []
        for entry in entries:
            inside = f"{folder}{os.sep}{entry.name}" if folder else entry.name
            names.append(inside)
            if entry.is_symlink():
                names.append(_read_link(entry.path))
            if entry.is_dir(follow_symlinks=False):
                folders.append(inside)
            else:
                yield from _find_entry(entry, _join(name, inside))
        waiting += reversed(folders)
    yield make_text_location(f"names of the files in {name}", "\n".join(names))


def _find_entry(entry: os.DirEntry[str], name: str) -> Locations:
    """Yield the location of a file in a folder."""
    try:
        kind = stat.S_IFMT(entry.stat().st_mode)  # of what a link leads to
    except OSError as reason:
        leads_nowhere = entry.is_symlink()
        yield Skipped(name, _NO_FILE if leads_nowhere else reason.strerror or str(reason))
        return
    path = Path(entry.path)
    if kind == stat.S_IFREG:
        yield Location(name, lambda: _read_chunks(path))
    elif kind != stat.S_IFDIR:
        yield Skipped(name, f"it is {_KINDS.get(kind, _NO_FILE)}")


def _join(name: str, inside: str) -> str:
    return f"{name}{os.sep}{inside}" if inside else name


def _read_link(path: str) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115
    except OSError:
        return ""


def read_open_file(file: Any, name: str) -> Locations:
    """Yield the location of an open file, whose position stays as it is."""
    if not (hasattr(file, "seekable") and file.seekable()):
        content: str | bytes = file.read()
    else:
        if hasattr(file, "writable") and file.writable():
            file.flush()
        position = file.tell()
        file.seek(0)
        try:
            content = file.read(LARGEST_BYTES + 1)
        finally:
            file.seek(position)
    yield make_text_location(name, content[:LARGEST_BYTES])
    if len(content) > LARGEST_BYTES:
        yield Skipped(name, str(TooLargeError().strerror))


def _read_chunks(path: Path) -> Iterator[bytes]:
    """Yield the content of a file, decompressed. Raises OSError; TooLargeError at the limit."""
    with path.open("rb") as file:
        is_gzip = file.read(len(_GZIP)) == _GZIP
        file.seek(0)
        if is_gzip:
            try:
                with gzip.open(file) as opened:
                    yield from _read_up_to_limit(opened)
            except TooLargeError:
                raise
            except (OSError, EOFError, zlib.error):
                file.seek(0)  # it is truncated, or only begins like a gzip file
            else:
                return
        yield from _read_up_to_limit(file)


def _read_up_to_limit(file: Any) -> Iterator[bytes]:
    left = LARGEST_BYTES
    while chunk := file.read(min(_CHUNK_BYTES, left + 1)):
        yield chunk[:left]
        left -= len(chunk)
        if left < 0:
            raise TooLargeError
