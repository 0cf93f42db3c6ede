"""Lone surrogates: code points of strings that are no characters, so that UTF-8 has no bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any


def find_lone_surrogate(value: Any) -> str | None:
    """Return the first lone surrogate in texts, such as ``U+D800``; None if there is none.

    value: a text, or dicts and lists of texts; anything else in them is not looked at.
    """
    if isinstance(value, (list, tuple)) and set(map(type, value)) == {str}:
        value = " ".join(value)  # a list can be long
    if isinstance(value, str):
        return None if value.isascii() else _find_in_text(value)
    if isinstance(value, Mapping):
        parts: Iterator[Any] = chain.from_iterable(value.items())
    elif isinstance(value, (list, tuple)):
        parts = iter(value)
    else:
        return None
    for part in parts:
        if (type(part) is not str or not part.isascii()) and (found := find_lone_surrogate(part)):
            return found
    return None


def _find_in_text(text: str) -> str | None:
    try:
        text.encode()
    except UnicodeEncodeError as reason:
        return f"U+{ord(text[reason.start]):04X}"
    return None


def require_encodable(value: Any, name: str) -> None:
    """Require that texts have no lone surrogate (ValueError). name: of the argument."""
    found = find_lone_surrogate(value)
    if found is not None:
        raise ValueError(f"{name} has the lone surrogate {found}, which is no character")


def explain_blob(error: UnicodeEncodeError) -> str | None:
    """Explain an error of botocore, which encodes a blob that is given as text.

    None if the error is another one.
    """
    if error.reason != "surrogates not allowed":
        return None
    traceback = error.__traceback__
    while traceback is not None:
        name = traceback.tb_frame.f_globals.get("__name__", "")
        if name in ("botocore.serialize", "botocore.validate"):
            found = f"U+{ord(error.object[error.start]):04X}"
            return (
                f"a blob of the request is text with the lone surrogate {found}, which is no "
                "character, so that botocore cannot encode it, with AWS neither; pass bytes"
            )
        traceback = traceback.tb_next
    return None
