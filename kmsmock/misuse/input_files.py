"""Read files that users name, which can be anything: huge, endless, a pipe, or no JSON.

What is read is bounded in size and depth, so that it neither blocks nor fills the memory.
"""

from __future__ import annotations

import json
import os
import select
import stat
from collections.abc import Callable
from typing import Any

from kmsmock.misuse.values import quote

_MIB = 2**20
#: The largest file that is read, unless the reader says another size; the most of a pipe or device.
MOST_BYTES = 32 * _MIB
#: How long somebody may take to open the other end of a pipe, in milliseconds.
_PATIENCE_MS = 200
#: Not to wait for somebody who opens the other end of a pipe; Windows has other pipes.
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class BadFileError(ValueError):
    """The content of a file cannot be read; the message is the reason."""


def read_bytes(path: str | os.PathLike[str], most: int = MOST_BYTES) -> bytes:
    """Return the content of a file, or of what is written to a pipe.

    most: the size of the largest file, in bytes. Raises OSError, and BadFileError for a path that
    no file can have, and for a file that is larger, such as a device without end.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except ValueError as reason:  # NUL, or a lone surrogate
        raise BadFileError(f"no file has such a path: {reason}") from None
    try:
        return _read_all(descriptor, os.fstat(descriptor), most)
    finally:
        os.close(descriptor)


def _read_all(descriptor: int, status: os.stat_result, most: int) -> bytes:
    if not status.st_size:  # a pipe or a device, or a file of /proc
        most = min(most, MOST_BYTES)
    if stat.S_ISREG(status.st_mode) and status.st_size > most:
        raise _too_large(most)
    if stat.S_ISFIFO(status.st_mode):
        _wait(descriptor, _PATIENCE_MS)
    content = bytearray()
    while True:
        try:
            chunk = os.read(descriptor, _MIB)
        except BlockingIOError:  # somebody has the pipe open, but has not written yet
            _wait(descriptor, None)
            continue
        if not chunk:
            return bytes(content)
        content += chunk
        if len(content) > most:
            del content, chunk  # which can have secrets, and an error shows variables
            raise _too_large(most)


def _wait(descriptor: int, milliseconds: int | None) -> None:
    """Wait until there is something to read, or nobody has the other end open any more."""
    if not hasattr(select, "poll"):  # on Windows, where reading waits
        return
    poll = select.poll()  # not select, which takes low descriptors only
    poll.register(descriptor, select.POLLIN)
    poll.poll(milliseconds)


def _too_large(most: int) -> BadFileError:
    return BadFileError(f"it has more than {most // _MIB} MiB, the most that is read")


def parse_json(data: bytes | str, parse_float: Callable[[str], Any] | None = None) -> Any:
    """Return what JSON means; raises BadFileError, also for a member that is there twice."""
    try:
        return json.loads(data, object_pairs_hook=_object, parse_float=parse_float)
    except RecursionError:
        raise BadFileError("it is nested too deeply") from None
    except ValueError as reason:
        raise BadFileError(str(reason)) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise BadFileError(f"the member {quote(_find_repeated(pairs))} is there twice")
    return members


def _find_repeated(pairs: list[tuple[str, Any]]) -> str:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            return name
        seen.add(name)
    raise AssertionError("no name is there twice")
