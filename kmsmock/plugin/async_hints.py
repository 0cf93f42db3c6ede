"""Hints at ``async with`` and ``await``, as notes on errors about clients of aiobotocore.

Types are compared by name, so that aiobotocore is not imported.
"""

from __future__ import annotations

import linecache
import re
import types
import warnings
from typing import Any

from kmsmock.process.exceptions import add_note, iterate_errors

_CREATE = (
    "clients of aiobotocore are created with `async with`: "
    "`async with session.create_client(...) as client:`"
)
_AWAIT = "calls of aiobotocore's clients are awaited: `await client.create_key(...)`"
_PAGES = "pages of aiobotocore's clients are iterated with `async for`"
#: Text of an error or warning -> hint.
_BY_TEXT = (
    (re.compile(r"\b(?:Client|Resource)CreatorContext\b|\bAioSession\._create_client\b"), _CREATE),
    (re.compile(r"\bAioPageIterator\._"), _PAGES),
    (re.compile(r"\bAio\w+\._"), _AWAIT),
)
_ABOUT_COROUTINE = re.compile(r"'coroutine'")
_METHOD = re.compile(r"\.(\w+)\(")


def hint_at_await(error: BaseException) -> None:
    """Add a hint to an error that comes from a client of aiobotocore without ``await``."""
    for each in iterate_errors(error):
        hint = _find_hint(each)
        if hint is not None:
            add_note(each, hint)


def add_hint_to_warning(recorded: warnings.WarningMessage) -> None:
    """Add a hint to the warning about a call of such a client that was never awaited."""
    if recorded.category is not RuntimeWarning:
        return
    text = str(recorded.message)
    hint = _find_by_text(text) if "was never awaited" in text else None
    if hint is not None and hint not in text:
        recorded.message = RuntimeWarning(f"{text}\n{hint}")


def _find_hint(error: BaseException) -> str | None:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - whatever the method of a user's class raises
        return None
    if isinstance(error, (AttributeError, TypeError)) and _ABOUT_COROUTINE.search(text):
        return _AWAIT if _comes_from_client(error.__traceback__) else None
    return _find_by_text(text)


def _find_by_text(text: str) -> str | None:
    return next((hint for pattern, hint in _BY_TEXT if pattern.search(text)), None)


def _comes_from_client(traceback: types.TracebackType | None) -> bool:
    """Return whether the line that has failed uses a coroutine of a client."""
    if traceback is None:
        return False
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    frame = traceback.tb_frame
    line = linecache.getline(frame.f_code.co_filename, traceback.tb_lineno, frame.f_globals)
    called = set(_METHOD.findall(line))
    for name, value in {**frame.f_globals, **frame.f_locals}.items():
        if re.search(rf"\b{re.escape(name)}\b", line) is None:
            continue
        if type(value) is types.CoroutineType:  # `isinstance` would ask the object
            if "aiobotocore" in value.cr_code.co_filename:
                return True
            continue
        for candidate in (value, *_list_attributes(value)):
            if called & _list_operations(candidate):
                return True
    return False


def _list_attributes(value: object) -> list[Any]:
    """Return the values of the attributes that an object has itself."""
    try:
        return [*vars(value).values()]
    except Exception:  # noqa: BLE001 - it has none, or is a proxy of what is not there
        return []


def _list_operations(value: object) -> set[str]:
    """Return the names of the methods of a client of aiobotocore that are calls."""
    names = {(base.__module__, base.__name__) for base in type(value).__mro__}
    if ("aiobotocore.client", "AioBaseClient") not in names:
        return set()
    client: Any = value
    return set(client.meta.method_to_api_mapping)
