"""Locations to search: named texts and files, found in the arguments of a search."""

from __future__ import annotations

import gzip
import logging
import os
import traceback
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, NamedTuple

_CHUNK_BYTES = 1 << 22
_GZIP = b"\x1f\x8b\x08"
#: The attributes that all log records have; others were added by the program with ``extra``.
_STANDARD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class Location(NamedTuple):
    """A text or file to search. chunks: returns its content, each time from the beginning."""

    name: str
    chunks: Callable[[], Iterable[bytes]]


class Skipped(NamedTuple):
    """Something that cannot be searched, and why."""

    name: str
    reason: str


Locations = Iterator[Location | Skipped]


def find_locations(value: Any, name: str | None = None) -> Locations:
    """Yield the locations that a value consists of.

    value: text, bytes, the path of a file or folder (also as text), an open file, a log record,
    ``caplog``, an exception, a dataclass, or a mapping or collection of these. Within those, paths
    and files are not opened: only their repr is searched. name: of the location; text with a name
    is not taken for a path. Raises TypeError for other values, OSError for an unreadable path.
    """
    if isinstance(value, os.PathLike):
        yield from _from_path(Path(os.fsdecode(value)), name)
    elif hasattr(value, "read"):
        yield _text_location(
            name or str(getattr(value, "name", type(value).__name__)), _read(value)
        )
    elif _is_supported(value):
        kind = "text" if isinstance(value, str) else type(value).__name__
        yield from _from_value(value, name or kind, set())
        if isinstance(value, str) and name is None and _is_path(value):
            yield from _from_path(Path(value), name)
    elif isinstance(getattr(value, "records", None), list):
        yield from _from_value(value.records, name or "log records", set())
    else:
        raise TypeError(
            f"{type(value).__name__} cannot be searched: pass text, bytes, a path, an open file, "
            "log records, an exception, or a mapping or collection of these"
        )


def _text_location(name: str, content: str | bytes | bytearray | memoryview) -> Location:
    data = _encode(content) if isinstance(content, str) else bytes(content)
    return Location(name, lambda: (data,))


def _encode(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")  # as in file names that are not UTF-8
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


# --- values ---------------------------------------------------------------------------------


def _is_supported(value: Any) -> bool:
    return (
        isinstance(value, (str, memoryview, logging.LogRecord, BaseException))
        or (isinstance(value, Iterable) and hasattr(value, "__len__"))
        or (is_dataclass(value) and not isinstance(value, type))
    )


def _from_value(value: Any, name: str, parents: set[int]) -> Locations:
    """Yield the locations in a value. parents: ids of the structures around it, against cycles."""
    if isinstance(value, (str, bytes, bytearray, memoryview)):
        yield _text_location(name, value)
    elif not _is_supported(value):
        try:
            yield _text_location(name, repr(value))
        except Exception as reason:  # noqa: BLE001 - whatever the object raises
            yield Skipped(name, f"its repr raises {type(reason).__name__}")
    elif id(value) not in parents:
        parents = parents | {id(value)}
        if isinstance(value, BaseException):
            yield from _from_exception(value, name, parents)
        elif isinstance(value, logging.LogRecord):
            yield from _from_log_record(value, name, parents)
        else:
            try:
                members = list(_members(value))
            except Exception as reason:  # noqa: BLE001 - as above
                yield Skipped(name, f"reading it raises {type(reason).__name__}")
                return
            for suffix, member in members:
                yield from _from_value(member, name + suffix, parents)


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the members of a structure, each with the end of its name."""
    if isinstance(value, Mapping):
        for number, (key, item) in enumerate(value.items()):
            if not isinstance(key, int):
                yield f", key {number}", key
            yield f"[{key!r}]" if isinstance(key, (str, int)) else f", value {number}", item
    elif isinstance(value, Iterable):
        members = list(value)
        if members and all(type(member) is int for member in members):
            yield "", repr(members)  # may be the bytes of a plaintext, as decimal numbers
        else:
            yield from ((f"[{index}]", item) for index, item in enumerate(members))
    else:
        yield from ((f".{field.name}", getattr(value, field.name)) for field in fields(value))


def _from_exception(error: BaseException, name: str, parents: set[int]) -> Locations:
    """Yield the locations in an exception, its cause and its context.

    Tracebacks are left out: they have source lines, and no values of the run.
    """
    yield _text_location(name, "".join(traceback.format_exception_only(type(error), error)))
    yield from _from_value(error.args, f"{name}.args", parents)
    for earlier in (error.__cause__, error.__context__):
        if earlier is not None:
            yield from _from_value(earlier, f"{name}, from {type(earlier).__name__}", parents)


def _from_log_record(record: logging.LogRecord, name: str, parents: set[int]) -> Locations:
    name = f"{name}, {record.levelname} of {record.name} ({record.filename}:{record.lineno})"
    try:
        yield _text_location(name, record.getMessage())
    except Exception:  # noqa: BLE001 - whatever the arguments raise; logging ignores it too
        yield _text_location(name, f"{record.msg!r} {record.args!r}")
    if record.exc_info and record.exc_info[1] is not None:
        yield from _from_value(record.exc_info[1], f"{name}, exception", parents)
    elif record.exc_text:
        yield _text_location(f"{name}, exception", record.exc_text)
    extra = {key: value for key, value in vars(record).items() if key not in _STANDARD_ATTRIBUTES}
    yield from _from_value(extra, f"{name}, extra", parents)


# --- files ----------------------------------------------------------------------------------


def _is_path(text: str) -> bool:
    """Return whether a text is the path of an existing file or folder."""
    if not 0 < len(text) < 4096 or "\n" in text or "\0" in text:
        return False
    return os.path.exists(text)  # noqa: PTH110


def _read(file: Any) -> str | bytes:
    """Return all that is in an open file, which is left name it stands."""
    if not (hasattr(file, "seekable") and file.seekable()):
        remaining: str | bytes = file.read()
        return remaining
    if hasattr(file, "writable") and file.writable():
        file.flush()
    position = file.tell()
    file.seek(0)
    try:
        content: str | bytes = file.read()
    finally:
        file.seek(position)
    return content


def _from_path(path: Path, name: str | None) -> Locations:
    if path.is_dir():
        yield from _from_folder(path, name or str(path))
    else:
        path.open("rb").close()  # an unreadable path that was passed raises here
        yield _file_location(path, name or str(path))


def _from_folder(top: Path, name: str) -> Locations:
    """Yield the files in a folder and its subfolders, without following links to folders."""
    names: list[str] = []
    unreadable: list[OSError] = []
    for folder, folders, files in os.walk(top, onerror=unreadable.append):
        folders.sort()
        names += (str(Path(folder, entry).relative_to(top)) for entry in folders + files)
        for entry in sorted(files):
            path = Path(folder, entry)
            file_name = f"{name}{os.sep}{path.relative_to(top)}"
            if path.is_file():
                yield _file_location(path, file_name)
            else:
                yield Skipped(file_name, "neither a file nor a folder")
    for error in unreadable:
        yield Skipped(str(error.filename), error.strerror or str(error))
    yield _text_location(f"names of the files in {name}", "\n".join(names))


def _file_location(path: Path, name: str) -> Location:
    return Location(name, lambda: _read_chunks(path))


def _read_chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        is_gzip = file.read(len(_GZIP)) == _GZIP
        file.seek(0)
        if is_gzip:
            try:
                with gzip.open(file) as opened:
                    while chunk := opened.read(_CHUNK_BYTES):
                        yield chunk
            except (OSError, EOFError, zlib.error):
                file.seek(0)  # it is truncated, or only begins like a gzip file
            else:
                return
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
