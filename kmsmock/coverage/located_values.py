"""JSON and YAML whose values know their lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_scan_string: Any = json.decoder.scanstring  # type: ignore[attr-defined] # which is not declared
_SPACE = re.compile(r"[ \t\r\n]*")
_SCALAR = re.compile(r"true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


@dataclass(slots=True)
class Located:
    """A value of a document, and the line in which it begins, from 1."""

    line: int
    #: Objects and lists have located members.
    value: Any

    @property
    def plain(self) -> Any:
        """The value without lines."""
        value = self.value
        if isinstance(value, dict):
            return {name: member.plain for name, member in value.items()}
        if isinstance(value, list):
            return [member.plain for member in value]
        return value

    def walk(self) -> Iterator[Located]:
        """Yield the value, and all values in it."""
        yield self
        value = self.value
        members = value.values() if isinstance(value, dict) else value
        if isinstance(value, (dict, list)):
            for member in members:
                yield from member.walk()


def read_json(text: str) -> Located:
    """Parse JSON. Raises ValueError, RecursionError."""
    value, end, _ = _JsonReader(text).read(_skip(text, 0), 0, 1)
    if _skip(text, end) != len(text):
        raise json.JSONDecodeError("Extra data", text, end)
    return value


def _skip(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    assert match is not None
    return match.end()


class _JsonReader:
    def __init__(self, text: str) -> None:
        self._text = text

    def read(self, place: int, counted: int, line: int) -> tuple[Located, int, int]:
        """Read the value at a place; return it, the place behind it, and the line there.

        counted, line: a place before it, and its line.
        """
        text = self._text
        line += text.count("\n", counted, place)
        first = text[place : place + 1]
        if first == '"':
            value, end = _scan_string(text, place + 1, True)  # noqa: FBT003
            return Located(line, value), end, line
        if first in ("{", "["):
            return self._read_members(place, line, is_object=first == "{")
        match = _SCALAR.match(text, place)
        if match is None:
            raise json.JSONDecodeError("Expecting value", text, place)
        return Located(line, json.loads(match[0])), match.end(), line

    def _read_members(self, place: int, line: int, *, is_object: bool) -> tuple[Located, int, int]:
        text, closing = self._text, "}" if is_object else "]"
        start = line
        members: dict[str, Located] = {}
        items: list[Located] = []
        counted, place = place, _skip(text, place + 1)
        while text[place : place + 1] != closing:
            if members or items:
                place = _skip(text, self._expect(",", place))
            name = ""
            if is_object:
                name, end = _scan_string(text, self._expect('"', place), True)  # noqa: FBT003
                place = _skip(text, self._expect(":", _skip(text, end)))
            value, counted, line = self.read(place, counted, line)
            place = _skip(text, counted)
            if is_object:
                members[name] = value
            else:
                items.append(value)
        line += text.count("\n", counted, place)
        return Located(start, members if is_object else items), place + 1, line

    def _expect(self, character: str, place: int) -> int:
        if self._text[place : place + 1] != character:
            raise json.JSONDecodeError(f"Expecting {character!r}", self._text, place)
        return place + 1


def read_yaml(text: str) -> Iterator[Located]:
    """Parse the documents of a YAML file; nothing without the package ``yaml``.

    Tags such as CloudFormation's ``!Sub`` are ignored. Raises ValueError, RecursionError.
    """
    try:
        import yaml  # type: ignore[import-untyped] # which has no types
    except ImportError:
        return
    loader = yaml.SafeLoader(text)
    try:
        while loader.check_node():
            yield _locate(loader.get_node(), loader, yaml)
    except yaml.YAMLError as reason:
        raise ValueError(str(reason)) from None
    finally:
        loader.dispose()


def _locate(node: Any, loader: Any, yaml: Any) -> Located:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        return Located(
            line, {name.value: _locate(value, loader, yaml) for name, value in node.value}
        )
    if isinstance(node, yaml.SequenceNode):
        return Located(line, [_locate(value, loader, yaml) for value in node.value])
    if node.tag == "tag:yaml.org,2002:timestamp":  # such as the Version of a policy
        return Located(line, node.value)
    if node.tag.startswith("tag:yaml.org,"):
        return Located(line, loader.construct_object(node))
    return Located(line, node.value)
