"""Values that are nested without end, or too large when what they share is written out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

#: How deep a document can be nested: far more than any that is read has a meaning for.
DEEPEST = 64
#: How many values a document can have, each as often as it occurs.
MOST_VALUES = 10_000_000
#: From this number on, each container is visited once, and what it has is counted again.
_MANY = 200_000

Step = str | int
_PLAIN = frozenset({str, int, float, bool, type(None), bytes})
_CONTAINERS = (dict, list, tuple, Mapping)


class NestingError(ValueError):
    """A value is nested too deeply, contains itself, or is too large.

    reason: the sentence. steps: the way to the value: names of members, and positions in lists.
    """

    def __init__(self, reason: str, *steps: Step) -> None:
        super().__init__(reason)
        self.reason = reason
        self.steps = steps


def require_bounded(value: Any, deepest: int = DEEPEST, most: int = MOST_VALUES) -> None:
    """Require that a value of dicts and lists can be walked through. Raises NestingError.

    What occurs several times counts each time, such as the aliases of YAML. deepest: how many
    levels of dicts and lists there can be. most: how many values.
    """
    level = [value] if _is_container(value) else []
    number = 0
    for _ in range(deepest):
        following: list[Any] = []
        for container in level:
            number += len(container)
            if number > _MANY:
                return _require_bounded_size(value, deepest, most)
            following += filter(_is_container, _items(container))
        if not following:
            return None
        level = following
    return _require_bounded_size(value, deepest, most)


def _require_bounded_size(value: Any, deepest: int, most: int) -> None:
    fault = _find_fault(value, deepest, most)
    if fault is not None:
        raise fault


def _is_container(value: Any) -> bool:
    return type(value) not in _PLAIN and isinstance(value, _CONTAINERS)


def _items(container: Any) -> Iterable[Any]:
    return container.values() if isinstance(container, (dict, Mapping)) else container


def _steps(container: Any) -> Iterator[tuple[Any, Any]]:
    is_object = isinstance(container, (dict, Mapping))
    return iter(container.items() if is_object else enumerate(container))


class _Visit:
    """A container whose items are being visited."""

    __slots__ = ("container", "height", "items", "size", "step")

    def __init__(self, container: Any, step: Step | None) -> None:
        self.container = container
        #: The step that leads to it; None for the whole value.
        self.step = step
        self.items = _steps(container)
        #: How many values there are in it, and how many levels of containers, itself included.
        self.size = len(container)
        self.height = 1

    def add(self, size: int, height: int) -> None:
        """Count a container in it."""
        self.size += size
        self.height = max(self.height, height + 1)


def _find_fault(value: Any, deepest: int, most: int) -> NestingError | None:
    """Return the error about a value that is not bounded, with the place of the fault.

    It visits each container once.
    """
    visits = [_Visit(value, None)]
    #: Id of a container that was visited -> its size and height; None while it is being visited.
    known: dict[int, tuple[int, int] | None] = {id(value): None}
    while visits:
        visit = visits[-1]
        if visit.size > most:
            return _error(f"it has more than {most:,} values, as often as they occur", visits)
        if len(visits) - 1 + visit.height > deepest:
            return _error(f"it is nested more than {deepest} deep", visits)
        step, item = next(filter(_has_container, visit.items), (None, None))
        if step is None:
            visits.pop()
            known[id(visit.container)] = (visit.size, visit.height)
            if visits:
                visits[-1].add(visit.size, visit.height)
        elif id(item) not in known:
            known[id(item)] = None
            visits.append(_Visit(item, step))
        else:
            measured = known[id(item)]
            if measured is None:
                return _error("it contains itself", visits, step)
            visit.add(*measured)
    return None


def _has_container(pair: tuple[Any, Any]) -> bool:
    return _is_container(pair[1])


def _error(reason: str, visits: list[_Visit], *last: Step) -> NestingError:
    steps = [visit.step for visit in visits if visit.step is not None]
    return NestingError(reason, *(s if isinstance(s, int) else str(s) for s in (*steps, *last)))
