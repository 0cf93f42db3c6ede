"""Read YAML, as strictly as JSON: a member is there once, and values are those that JSON has.

Times and bytes are values of YAML, too. What several aliases name is made once. Each error has line
and column, and no text of the file, which can have a secret.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kmsmock.aws.secret_values import reveal
from kmsmock.misuse.nesting import DEEPEST
from kmsmock.misuse.values import quote
from kmsmock.worlds.errors import WorldError

_TAG = "tag:yaml.org,2002:"
_MERGE, _VALUE = f"{_TAG}merge", f"{_TAG}value"
#: How many members all merge keys (``<<``) of a document can add.
_MOST_MERGED = 1_000_000
#: The longest text of a number, in characters: that of others takes long to read.
_LONGEST_NUMBER = 100


def parse_yaml(data: bytes, yaml: Any) -> Any:
    """Return what a document means. data: a secret value. yaml: the module. Raises WorldError."""
    try:
        return _construct(data, yaml)
    except WorldError as problem:
        reason = problem.reason
    except (yaml.YAMLError, RecursionError) as problem:
        reason = _locate(problem)
    # Raised here, where no variable has a value of the document, which can be a secret.
    raise WorldError(f"this is not YAML: {reason}")


def _construct(data: bytes, yaml: Any) -> Any:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(reveal(data))
    try:
        node = loader.get_single_node()
        return None if node is None else _Construction(loader).construct(node, 0)
    finally:
        loader.dispose()


def _locate(problem: Any) -> str:
    """Describe a problem without the line of the file, which can have a secret."""
    if isinstance(problem, RecursionError):
        return "it is nested too deeply"
    mark = getattr(problem, "problem_mark", None)
    where = "" if mark is None else _describe_mark(mark)
    position = getattr(problem, "position", None)
    if mark is None and isinstance(position, int):
        where = f" at position {position}"
    reason = getattr(problem, "problem", None) or getattr(problem, "reason", None)
    return f"{reason or type(problem).__name__}{where}"


def _describe_mark(mark: Any) -> str:
    return f", line {mark.line + 1}, column {mark.column + 1}"


def _refuse(reason: str, node: Any) -> WorldError:
    return WorldError(f"{reason}{_describe_mark(node.start_mark)}")


class _Construction:
    """The values of the nodes of a document. loader: that has read the nodes."""

    def __init__(self, loader: Any) -> None:
        #: Id of a node -> its value; the document keeps all nodes until the end.
        self._made: dict[int, Any] = {}
        self._merged = 0
        self._scalars: dict[str, Callable[[Any], Any]] = {
            f"{_TAG}null": loader.construct_yaml_null,
            f"{_TAG}bool": loader.construct_yaml_bool,
            f"{_TAG}int": loader.construct_yaml_int,
            f"{_TAG}float": loader.construct_yaml_float,
            f"{_TAG}binary": loader.construct_yaml_binary,
            f"{_TAG}timestamp": loader.construct_yaml_timestamp,
        }

    def construct(self, node: Any, depth: int) -> Any:
        """Return the value of a node. depth: how many others it is in."""
        kind, tag = node.id, node.tag
        if kind == "scalar":
            if tag in (f"{_TAG}str", _VALUE):
                return node.value
            return self._scalar(node, tag)
        if id(node) in self._made:
            return self._made[id(node)]
        if depth == DEEPEST:
            raise _refuse(f"it is nested more than {DEEPEST} deep", node)
        if kind == "sequence" and tag == f"{_TAG}seq":
            items: list[Any] = []
            self._made[id(node)] = items
            items.extend(self.construct(item, depth + 1) for item in node.value)
            return items
        if kind == "mapping" and tag == f"{_TAG}map":
            return self._mapping(node, depth)
        raise _refuse(f"{quote(tag)} is no type of values here", node)

    def _scalar(self, node: Any, tag: str) -> Any:
        construct = self._scalars.get(tag)
        if construct is None:
            raise _refuse(f"{quote(tag)} is no type of values here", node)
        is_number = tag in (f"{_TAG}int", f"{_TAG}float")
        if is_number and len(node.value) > _LONGEST_NUMBER:
            raise _refuse("the number is too long", node)
        try:
            return construct(node)
        except (ValueError, OverflowError, KeyError, AttributeError) as reason:
            what = tag.removeprefix(_TAG)
            raise _refuse(f"this is no {what}: {reason}", node) from None

    def _mapping(self, node: Any, depth: int) -> dict[Any, Any]:
        members: dict[Any, Any] = {}
        self._made[id(node)] = members
        merged: list[Any] = []
        for name_node, value_node in node.value:
            if name_node.tag == _MERGE:
                merged += self._merged_mappings(value_node, depth)
                continue
            if name_node.id != "scalar":
                raise _refuse("the name of a member must be a text", name_node)
            name = self.construct(name_node, depth)
            if name in members:
                raise _refuse(f"the member {quote(str(name))} is there twice", name_node)
            members[name] = self.construct(value_node, depth + 1)
        # The own members come first, then those of the first mapping.
        for mapping in merged:
            self._merged += len(mapping)
            if self._merged > _MOST_MERGED:
                raise _refuse(f"its merge keys have more than {_MOST_MERGED:,} members", node)
            for name, value in mapping.items():
                members.setdefault(name, value)
        return members

    def _merged_mappings(self, node: Any, depth: int) -> list[Any]:
        value = self.construct(node, depth + 1)
        mappings = value if isinstance(value, list) else [value]
        if not all(isinstance(mapping, dict) for mapping in mappings):
            raise _refuse("a merge key takes a mapping or a list of them", node)
        return mappings
