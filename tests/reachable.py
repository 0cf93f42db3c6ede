"""All objects that are reachable from one, and the forms in which a repr would show a secret."""

from __future__ import annotations

import gc
import types
from base64 import b64encode, urlsafe_b64encode
from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Any

#: Shared by all of the process: their content does not belong to a mock.
_SHARED = (type, types.ModuleType, types.CodeType, types.FrameType)
#: Their repr is made of the reprs of their items, which are reached, too.
_CONTAINERS = (dict, list, tuple, set, frozenset, deque, OrderedDict)


def iterate_reachable(*roots: Any) -> Iterator[tuple[Any, str]]:
    """Yield each object that is reachable, whatever holds it, with the types on the way to it."""
    seen: dict[int, Any] = {}
    waiting = [(root, type(root).__name__) for root in roots]
    while waiting:
        found, path = waiting.pop()
        if id(found) in seen or isinstance(found, _SHARED):
            continue
        if type(found) is dict and "__builtins__" in found:  # the globals of a module
            continue
        seen[id(found)] = found
        yield found, path
        members: list[Any]
        if isinstance(found, types.FunctionType):
            members = [found.__closure__, found.__defaults__, found.__kwdefaults__, vars(found)]
        else:
            members = gc.get_referents(found)
        waiting += [(member, f"{path} > {type(member).__name__}") for member in members]


def list_forms(secret: bytes | str | int) -> set[str]:
    """Return what a repr would show of a secret: itself, or hexadecimal digits, Base64, numbers."""
    if isinstance(secret, int):
        return {str(int(secret)), f"{int(secret):x}", f"{int(secret):X}"}
    if isinstance(secret, str):
        return {str(secret), *list_forms(secret.encode())}
    plain = bytes(secret)
    url_safe = urlsafe_b64encode(plain).decode().rstrip("=")
    number = list_forms(int.from_bytes(plain, "big")) if len(plain) < 1000 else set()
    return {
        *(plain.hex(), plain.hex().upper(), repr(plain)[2:-1], str(list(plain))[1:-1]),
        *(b64encode(plain).decode(), url_safe, *number),
    }


def find_shown(roots: list[Any], secrets: dict[str, list[Any]]) -> dict[str, set[str]]:
    """Return name of a secret -> the objects whose repr shows it, with the way to them.

    roots: where the search begins. secrets: name -> values.
    """
    forms = {
        form: name
        for name, values in secrets.items()
        for value in values
        for form in list_forms(value)
    }
    shown: dict[str, set[str]] = {}
    for found, path in iterate_reachable(*roots):
        if type(found) in _CONTAINERS:
            continue
        text = repr(found)
        for form, name in forms.items():
            if form in text:
                shown.setdefault(name, set()).add(path)
    return shown
