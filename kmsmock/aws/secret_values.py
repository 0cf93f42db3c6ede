"""Secret values: they have the content, but neither their repr nor that of a structure shows it.

Key material, plaintexts, passwords and secret access keys are kept as these, so that no failed
assertion, traceback with local variables, log record or report of a test run can contain them.

Imported together with botocore, so this module must not import anything slow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Any


class SecretBytes(bytes):
    """Secret bytes. Slices and sums of them are plain bytes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} secret bytes>"

    # Otherwise str() would show them, too.
    __str__ = __repr__


class SecretText(str):
    """Secret text. `str` returns it as plain text, and formatting shows it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<secret text>"


class SecretInt(int):
    """A secret number, such as the private number of a key. Results of arithmetic are plain."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<secret number>"

    __str__ = __repr__


def is_secret(shape: Any) -> bool:
    """Return whether the values of a shape in botocore's model are secret (``sensitive``)."""
    return bool(shape.metadata.get("sensitive"))


def hide(value: Any) -> Any:
    """Return a text, bytes or a number as a secret value; other values unchanged."""
    if isinstance(value, str):
        return SecretText(value)
    if isinstance(value, (bytes, bytearray)):
        return SecretBytes(value)
    return SecretInt(value) if type(value) is int else value


def reveal(value: Any) -> Any:
    """Return a secret value as a plain one with the same content; other values unchanged."""
    plain = _PLAIN.get(type(value))
    return value if plain is None else plain(value)


_PLAIN: dict[type, Any] = {SecretBytes: bytes, SecretText: str, SecretInt: int}


# --- documents ----------------------------------------------------------------------------------


class _Part(Enum):
    """The parts of a document: what in them is secret."""

    #: Some members of its objects.
    ABOVE = auto()
    #: The same; a text in the place of such an object, by mistake, is secret, too.
    HOLDER = auto()
    #: All that is in it.
    SECRET = auto()


#: Member of a world, a seed file of local-kms or the settings of a key store -> what is in it.
#: Secrets are not in other members.
_PARTS: dict[object, _Part] = {
    **dict.fromkeys(("keys", "users", "roles", "custom_key_stores", "settings"), _Part.ABOVE),
    **dict.fromkeys(("materials", "access_keys"), _Part.HOLDER),
    **dict.fromkeys(("material", "secret"), _Part.SECRET),
    "XksProxyAuthenticationCredential": _Part.HOLDER,
    **dict.fromkeys(("RawSecretAccessKey", "KeyStorePassword"), _Part.SECRET),
    **dict.fromkeys(("Keys", "Symmetric", "Asymmetric", "Aes", "Hmac", "Rsa", "Ecc"), _Part.ABOVE),
    "Material": _Part.HOLDER,
    **dict.fromkeys(("BackingKeys", "PrivateKeyPem"), _Part.SECRET),
}
#: No secret is deeper in a document; one in Python or YAML can contain itself.
_DEEPEST = 16
#: Types of values that contain no others.
_PLAIN_TYPES = frozenset({str, int, float, bool, type(None), bytes})


def hide_secrets(document: Any) -> Any:
    """Return a copy of a world in which all secrets are secret values, whatever its shape.

    A path is returned unchanged.
    """
    if isinstance(document, (bytes, bytearray)):  # a document that was not read
        return hide(document)
    return _Change(hide).apply(document, _Part.ABOVE, 0)


def reveal_secrets(document: Any) -> Any:
    """Return a copy of a document in which all secrets are plain values."""
    return _Change(reveal).apply(document, _Part.SECRET, 0)


class _Change:
    """A copy of a document with other secrets. change: returns the one that replaces a secret."""

    def __init__(self, change: Callable[[Any], Any]) -> None:
        self._change = change
        #: Id of an object or list, its part and depth -> the object, which so keeps its id, and
        #: its copy: what occurs often, such as an alias of YAML, is copied once.
        self._copies: dict[tuple[int, _Part, int], tuple[Any, Any]] = {}

    def apply(self, value: Any, part: _Part, depth: int) -> Any:
        """Return a copy of a part of the document. depth: how many others it is in."""
        if type(value) in _PLAIN_TYPES or depth >= _DEEPEST:
            return value if part is _Part.ABOVE else self._change(value)
        known = (id(value), part, depth)
        if known in self._copies:
            return self._copies[known][1]
        if isinstance(value, Mapping):
            copy: Any = self._copy_object(value, part, depth)
        elif isinstance(value, (list, tuple)):
            copy = [self.apply(item, part, depth + 1) for item in value]
        else:
            return value if part is _Part.ABOVE else self._change(value)
        self._copies[known] = (value, copy)
        return copy

    def _copy_object(self, value: Mapping[Any, Any], part: _Part, depth: int) -> dict[Any, Any]:
        members = dict(value)
        for name in members if part is _Part.SECRET else _PARTS.keys() & members:
            inner = _Part.SECRET if part is _Part.SECRET else _PARTS[name]
            members[name] = self.apply(members[name], inner, depth + 1)
        return members
