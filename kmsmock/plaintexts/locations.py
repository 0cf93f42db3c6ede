"""Locations to search: named texts and files, found in the arguments of a search."""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from kmsmock.plaintexts.files import find_files, is_path, read_open_file
from kmsmock.plaintexts.location import Locations, Skipped, make_text_location

#: Values in deeper structures are not searched.
_DEEPEST = 100
#: The attributes that all log records have; others were added by the program with ``extra``.
_STANDARD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


def find_locations(value: Any, name: str | None = None) -> Locations:
    """Yield the locations that a value consists of.

    value: text, bytes, the path of a file or folder (also as text), an open file, a log record,
    ``caplog``, an exception, a dataclass, or a mapping or collection of these. Within those, paths
    and files are not opened: only their repr is searched. name: of the location; text with a name
    is not taken for a path. Raises TypeError for other values, OSError for an unreadable path.
    """
    if isinstance(value, os.PathLike):
        yield from find_files(Path(os.fsdecode(value)), name)
    elif hasattr(value, "read"):
        yield from read_open_file(value, name or str(getattr(value, "name", type(value).__name__)))
    elif _is_supported(value):
        kind = "text" if isinstance(value, str) else type(value).__name__
        yield from _from_value(value, name or kind, set())
        if isinstance(value, str) and name is None and is_path(value):
            yield from find_files(Path(value), name)
    elif isinstance(getattr(value, "records", None), list):
        yield from _from_value(value.records, name or "log records", set())
    else:
        raise TypeError(
            f"{type(value).__name__} cannot be searched: pass text, bytes, a path, an open file, "
            "log records, an exception, or a mapping or collection of these"
        )


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
        yield make_text_location(name, value)
    elif not _is_supported(value):
        try:
            yield make_text_location(name, repr(value))
        except Exception as reason:  # noqa: BLE001 - whatever the object raises
            yield Skipped(name, f"its repr raises {type(reason).__name__}")
    elif len(parents) == _DEEPEST:
        yield Skipped(name[:_DEEPEST] + "...", "it is nested too deeply")
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
    yield make_text_location(name, "".join(traceback.format_exception_only(type(error), error)))
    yield from _from_value(error.args, f"{name}.args", parents)
    for earlier in (error.__cause__, error.__context__):
        if earlier is not None:
            yield from _from_value(earlier, f"{name}, from {type(earlier).__name__}", parents)


def _from_log_record(record: logging.LogRecord, name: str, parents: set[int]) -> Locations:
    name = f"{name}, {record.levelname} of {record.name} ({record.filename}:{record.lineno})"
    try:
        yield make_text_location(name, record.getMessage())
    except Exception:  # noqa: BLE001 - whatever the arguments raise; logging ignores it too
        yield make_text_location(name, f"{record.msg!r} {record.args!r}")
    if record.exc_info and record.exc_info[1] is not None:
        yield from _from_value(record.exc_info[1], f"{name}, exception", parents)
    elif record.exc_text:
        yield make_text_location(f"{name}, exception", record.exc_text)
    extra = {key: value for key, value in vars(record).items() if key not in _STANDARD_ATTRIBUTES}
    yield from _from_value(extra, f"{name}, extra", parents)
