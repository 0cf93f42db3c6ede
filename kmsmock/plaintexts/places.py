"""From what a test hands over to places with names, whose contents come as pieces of bytes."""

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

_PIECE_BYTES = 1 << 22
_GZIP = b"\x1f\x8b\x08"
#: What each log record has of its own accord; the rest is what the program added to it.
_OF_ALL_RECORDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class Place(NamedTuple):
    """Something to look through. pieces: gives its contents anew each time."""

    name: str
    pieces: Callable[[], Iterable[bytes]]


class Skipped(NamedTuple):
    """Something that was not looked through, and why."""

    name: str
    reason: str


Found = Iterator[Place | Skipped]


def places_of(thing: Any, name: str | None = None) -> Found:
    """Give the places that a thing is made of.

    thing: text, bytes, a path to a file or folder (as text, too), an open file, a log record,
    ``caplog``, an exception, a dataclass, or a mapping or collection of these. Inside those, paths
    and files count as what is printed of them. name: how the place is called; text that has one is
    no path. Raises TypeError for other things, OSError for a path that cannot be read.
    """
    if isinstance(thing, os.PathLike):
        yield from _path(Path(os.fsdecode(thing)), name)
    elif hasattr(thing, "read"):
        yield _text(name or str(getattr(thing, "name", type(thing).__name__)), _read(thing))
    elif _is_looked_into(thing):
        kind = "text" if isinstance(thing, str) else type(thing).__name__
        yield from _inside(thing, name or kind, set())
        if isinstance(thing, str) and name is None and _names_something(thing):
            yield from _path(Path(thing), name)
    elif isinstance(getattr(thing, "records", None), list):
        yield from _inside(thing.records, name or "log records", set())
    else:
        raise TypeError(
            f"{type(thing).__name__} is nothing to look through: give text, bytes, a path, an open "
            "file, log records, an exception, or a mapping or collection of these"
        )


def _text(name: str, content: str | bytes | bytearray | memoryview) -> Place:
    whole = _encoded(content) if isinstance(content, str) else bytes(content)
    return Place(name, lambda: (whole,))


def _encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")  # as names of files hold bytes
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


# --- values ---------------------------------------------------------------------------------


def _is_looked_into(thing: Any) -> bool:
    return (
        isinstance(thing, (str, memoryview, logging.LogRecord, BaseException))
        or (isinstance(thing, Iterable) and hasattr(thing, "__len__"))
        or (is_dataclass(thing) and not isinstance(thing, type))
    )


def _inside(thing: Any, name: str, within: set[int]) -> Found:
    """Go through a value. within: the ids of those around it, which may contain themselves."""
    if isinstance(thing, (str, bytes, bytearray, memoryview)):
        yield _text(name, thing)
    elif not _is_looked_into(thing):
        try:
            yield _text(name, repr(thing))
        except Exception as reason:  # noqa: BLE001 - whatever the object raises
            yield Skipped(name, f"its repr raises {type(reason).__name__}")
    elif id(thing) not in within:
        within = within | {id(thing)}
        if isinstance(thing, BaseException):
            yield from _exception(thing, name, within)
        elif isinstance(thing, logging.LogRecord):
            yield from _record(thing, name, within)
        else:
            try:
                members = list(_members(thing))
            except Exception as reason:  # noqa: BLE001 - as above
                yield Skipped(name, f"reading it raises {type(reason).__name__}")
                return
            for way, member in members:
                yield from _inside(member, name + way, within)


def _members(thing: Any) -> Iterator[tuple[str, Any]]:
    """Give what is in a structure, with the way to it."""
    if isinstance(thing, Mapping):
        for place, (key, value) in enumerate(thing.items()):
            if not isinstance(key, int):
                yield f", key {place}", key
            yield f"[{key!r}]" if isinstance(key, (str, int)) else f", value {place}", value
    elif isinstance(thing, Iterable):
        members = list(thing)
        if members and all(type(member) is int for member in members):
            yield "", repr(members)  # which may be the bytes of a value
        else:
            yield from ((f"[{place}]", value) for place, value in enumerate(members))
    else:
        yield from ((f".{field.name}", getattr(thing, field.name)) for field in fields(thing))


def _exception(error: BaseException, name: str, within: set[int]) -> Found:
    """Go through an exception and those behind it, without the source lines of tracebacks.

    Those show what tests have written, and nothing that was there at run time.
    """
    yield _text(name, "".join(traceback.format_exception_only(type(error), error)))
    yield from _inside(error.args, f"{name}.args", within)
    for behind in (error.__cause__, error.__context__):
        if behind is not None:
            yield from _inside(behind, f"{name}, from {type(behind).__name__}", within)


def _record(record: logging.LogRecord, name: str, within: set[int]) -> Found:
    where = f"{name}, {record.levelname} of {record.name} ({record.filename}:{record.lineno})"
    try:
        yield _text(where, record.getMessage())
    except Exception:  # noqa: BLE001 - whatever the arguments raise; logging itself goes on, too
        yield _text(where, f"{record.msg!r} {record.args!r}")
    if record.exc_info and record.exc_info[1] is not None:
        yield from _inside(record.exc_info[1], f"{where}, exception", within)
    elif record.exc_text:
        yield _text(f"{where}, exception", record.exc_text)
    extra = {key: value for key, value in vars(record).items() if key not in _OF_ALL_RECORDS}
    yield from _inside(extra, f"{where}, extra", within)


# --- files ----------------------------------------------------------------------------------


def _names_something(text: str) -> bool:
    """Tell whether a text is the path of something, from the working directory or the root on."""
    if not 0 < len(text) < 4096 or "\n" in text or "\0" in text:
        return False
    return os.path.exists(text)  # noqa: PTH110


def _read(file: Any) -> str | bytes:
    """Give all that is in an open file, which is left where it stands."""
    if not (hasattr(file, "seekable") and file.seekable()):
        rest: str | bytes = file.read()
        return rest
    if hasattr(file, "writable") and file.writable():
        file.flush()
    place = file.tell()
    file.seek(0)
    try:
        content: str | bytes = file.read()
    finally:
        file.seek(place)
    return content


def _path(path: Path, name: str | None) -> Found:
    if path.is_dir():
        yield from _folder(path, name or str(path))
    else:
        path.open("rb").close()  # so that one that was named, and cannot be read, is told at once
        yield _file(path, name or str(path))


def _folder(top: Path, name: str) -> Found:
    """Go through a folder and those in it; links to folders lead back or elsewhere."""
    names: list[str] = []
    unreadable: list[OSError] = []
    for folder, folders, files in os.walk(top, onerror=unreadable.append):
        folders.sort()
        names += (str(Path(folder, entry).relative_to(top)) for entry in folders + files)
        for entry in sorted(files):
            path = Path(folder, entry)
            shown = f"{name}{os.sep}{path.relative_to(top)}"
            if path.is_file():
                yield _file(path, shown)
            else:
                yield Skipped(shown, "neither a file nor a folder")
    for error in unreadable:
        yield Skipped(str(error.filename), error.strerror or str(error))
    yield _text(f"names of the files in {name}", "\n".join(names))


def _file(path: Path, name: str) -> Place:
    return Place(name, lambda: _pieces(path))


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        is_gzip = file.read(len(_GZIP)) == _GZIP
        file.seek(0)
        if is_gzip:
            try:
                with gzip.open(file) as opened:
                    while piece := opened.read(_PIECE_BYTES):
                        yield piece
            except (OSError, EOFError, zlib.error):
                file.seek(0)  # it only begins like one, or is cut off
            else:
                return
        while piece := file.read(_PIECE_BYTES):
            yield piece
