"""The types of arguments, read from annotations: those for which Python's own errors say little."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from kmsmock.misuse.values import describe_wrong_type

_BRACKETS = re.compile(r"\[[^\[\]]*\]")
#: Name of a type in annotations -> the types of values, and what errors call them.
_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "str": ((str,), "a str"),
    "bytes": ((bytes, bytearray, memoryview), "bytes"),
    "bool": ((bool,), "True or False"),
    "Literal": ((str,), "a str"),  # no public method has others
    "Mapping": ((Mapping,), "a dict"),
    "Path": ((os.PathLike,), "a path"),
    "os.PathLike": ((os.PathLike,), "a path"),
    "None": ((type(None),), ""),
}


class _Expected(NamedTuple):
    """What an argument takes."""

    name: str
    types: tuple[type, ...]
    #: In words.
    words: str


class ArgumentTypes:
    """The types of the arguments of a method, as far as they are among these.

    own_checks: the names of parameters that the method checks itself.
    """

    def __init__(self, function: Callable[..., Any], own_checks: Collection[str]) -> None:
        from inspect import Parameter, signature

        parameters = list(signature(function).parameters.values())[1:]
        by_position = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
        expected = {p.name: None if p.name in own_checks else _read(p) for p in parameters}
        self._positional = [expected[p.name] for p in parameters if p.kind in by_position]
        self._by_name = expected

    def explain_wrong(self, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> str | None:
        """Return which argument has a wrong type; None if all are right.

        arguments: without ``self``.
        """
        by_name = ((self._by_name.get(name), value) for name, value in keywords.items())
        for expected, value in (*zip(self._positional, arguments, strict=False), *by_name):
            if expected is not None and not isinstance(value, expected.types):
                # What should have been bytes can be a secret.
                is_shown = bytes not in expected.types
                return describe_wrong_type(value, expected.name, expected.words, is_shown=is_shown)
        return None


def _read(parameter: Any) -> _Expected | None:
    """Read the annotation of a parameter; None if it has other types."""
    text = parameter.annotation
    if not isinstance(text, str) or parameter.kind in (
        parameter.VAR_KEYWORD,
        parameter.VAR_POSITIONAL,
    ):
        return None
    while _BRACKETS.search(text):
        text = _BRACKETS.sub("", text)
    names = [name.strip() for name in text.split("|")]
    if any(name not in _TYPES for name in names):
        return None
    types = tuple(one for name in names for one in _TYPES[name][0])
    words = " or ".join(words for name in names if (words := _TYPES[name][1]))
    return _Expected(parameter.name, types, words)
