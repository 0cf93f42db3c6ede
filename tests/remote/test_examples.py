"""Each public name is the same connected as in the process of the mock, or has a reason."""

from __future__ import annotations

import inspect
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from kmsmock.misuse.public_object import PlainPublicObject
from kmsmock.remote.proxies import Proxy
from kmsmock.remote.public_names import UNAVAILABLE, find_reason, list_public
from tests.remote.examples import EXAMPLES, USES, prepare, store
from tests.remote.in_process import Direct, connect_directly
from tests.remote.walk import is_of_package, iterate_members

OPTIONS = {"region": "us-east-1", "seed": 7}
#: Tested with files, in `test_files`.
DOCS = (Path(__file__).parents[2] / "docs" / "server.md").read_text()
WITH_FILES = {"KMSMock.export", "Trail.write_files", "Trail.write_jsonl"}


class Pair:
    """Two mocks that are alike: one in this process, one connected."""

    def __init__(self) -> None:
        self.here, there = Direct(**OPTIONS).application.kms, Direct(**OPTIONS)
        for kms in (self.here, there.application.kms):
            prepare(kms)
        self.connected = connect_directly(there)
        self._checkpoints = [kms.checkpoint() for kms in (self.here, self.connected)]

    def restore(self) -> None:
        for kms, checkpoint in zip((self.here, self.connected), self._checkpoints, strict=True):
            kms.restore(checkpoint)
            kms.faults.clear()


@pytest.fixture(scope="module")
def prepared() -> Pair:
    return Pair()


@pytest.fixture
def pair(prepared: Pair) -> Pair:
    prepared.restore()
    return prepared


def shown(value: Any) -> Any:
    """Return a value as it can be compared: of objects of a mock their repr, of errors the text."""
    if isinstance(value, BaseException):
        notes = getattr(value, "__notes__", [])
        return type(value).__name__, str(value), notes
    if isinstance(value, Mapping) and not is_of_package(value):
        return type(value), [(shown(name), shown(item)) for name, item in value.items()]
    if isinstance(value, (list, tuple)) and not is_of_package(value):
        return type(value), [shown(item) for item in value]
    if is_of_package(value):
        kind = type(value).__mro__[2] if isinstance(value, Proxy) else type(value)
        return _own_class(kind).__name__, repr(value).partition(" at 0x")[0]
    return value


def _own_class(kind: type) -> type:
    """Return the class of an object in the process of the mock."""
    return kind.__mro__[1] if kind.__name__.startswith("Connected") else kind


@pytest.mark.parametrize("name", [*EXAMPLES, *USES])
def test_an_example_has_the_same_result(pair: Pair, name: str) -> None:
    example = {**EXAMPLES, **USES}[name]

    expected = shown(example(pair.here))

    assert shown(example(pair.connected)) == expected


# --- all names --------------------------------------------------------------------------------

#: Objects that no attribute leads to.
STARTING: list[Callable[[Any], Any]] = [
    *(EXAMPLES[name] for name in ("KMSMock.checkpoint", "KMSMock.least_privilege")),
    *(EXAMPLES[name] for name in ("Costs.by_operation", "Costs.project", "Faults.quota")),
    EXAMPLES["Faults.delay"],
    lambda kms: kms.account("111122223333"),
    lambda kms: kms.account("111122223333").role("App"),
    lambda kms: kms.explain(kms.account("444455556666").role("New"), "kms:Sign", kms.keys[0]),
    lambda kms: kms.explain(kms.account("111122223333").role("App"), "kms:Decrypt", kms.keys[0]),
    lambda kms: kms.quotas.headroom(),
    lambda kms: kms.secrets.find_in(kms.secrets[0].reveal()),
    lambda kms: kms.budget(requests=1),
    store,
]
#: Public classes of what is no part of a mock, of numbers, and base classes.
ELSE = {
    *("Calls", "ClientSource", "KMSMocker", "KmsKey", "KmsKeyFactory", "KmsServer"),
    *("PublicObject", "RequestCount", "SharedClock", "SharedFaults", "SharedKMS"),
}
#: Properties whose values differ with each use.
DIFFERENT = {("AttestationAuthority", "root_der")}


def is_method(kind: type, name: str) -> bool:
    member = inspect.getattr_static(kind, name, None)
    return inspect.isroutine(member) and not inspect.ismemberdescriptor(member)


def iterate_pairs(pair: Pair) -> Iterator[tuple[Any, Any]]:
    """Yield each object that the control objects lead to, and the one that is alike."""
    waiting: deque[tuple[Any, Any]] = deque([(pair.here, pair.connected)])
    waiting.extend((make(pair.here), make(pair.connected)) for make in STARTING)
    seen: set[tuple[type, str]] = set()
    while waiting:
        here, connected = waiting.popleft()
        if is_of_package(here) and not isinstance(here, (str, bytes, int, Enum)):
            known = (type(here), repr(here))
            if known in seen:
                continue
            seen.add(known)
            yield here, connected
            for name in list_public(type(here)):
                if not is_method(type(here), name) and not find_reason(type(here), name):
                    waiting.append((getattr(here, name), getattr(connected, name)))
        if hasattr(here, "__iter__") and not isinstance(here, (str, bytes)):
            waiting.extend(zip(iterate_members(here), iterate_members(connected), strict=True))


def iterate_public_classes(base: type) -> Iterator[type]:
    for kind in base.__subclasses__():
        if kind.__module__.startswith("kmsmock.") and not kind.__module__.startswith(
            "kmsmock.remote."
        ):
            yield kind
            yield from iterate_public_classes(kind)


def test_all_attributes_have_the_same_values(pair: Pair) -> None:
    different = {
        (type(here).__name__, name)
        for here, connected in iterate_pairs(pair)
        for name in list_public(type(here))
        if not is_method(type(here), name)
        and not find_reason(type(here), name)
        and shown(getattr(here, name)) != shown(getattr(connected, name))
    }

    assert different == DIFFERENT


def test_all_objects_have_the_same_names(pair: Pair) -> None:
    for here, connected in iterate_pairs(pair):
        names = {name for name in list_public(type(here)) if not find_reason(type(here), name)}
        own = {"close"} if here is pair.here else set()

        assert {name for name in dir(connected) if name[0] != "_"} - own == names
        assert isinstance(connected, type(here))


def test_each_method_has_an_example_or_a_reason(pair: Pair) -> None:
    methods = {
        f"{type(here).__name__}.{name}"
        for here, connected in iterate_pairs(pair)
        if isinstance(connected, Proxy)
        for name in list_public(type(here))
        if is_method(type(here), name) and not find_reason(type(here), name)
    }

    assert methods == EXAMPLES.keys() | WITH_FILES


def test_all_public_classes_are_reached(pair: Pair) -> None:
    reached = {type(here).__name__ for here, _ in iterate_pairs(pair)}

    assert {kind.__name__ for kind in iterate_public_classes(PlainPublicObject)} - reached <= ELSE


@pytest.mark.parametrize(("kind", "name"), UNAVAILABLE)
def test_what_is_not_available_says_why(pair: Pair, kind: type, name: str) -> None:
    for here, connected in iterate_pairs(pair):
        if isinstance(here, kind):
            with pytest.raises(AttributeError, match=re.escape(UNAVAILABLE[kind, name])):
                getattr(connected, name)
            return
    pytest.fail(f"no {kind.__name__} was found")


def test_the_documentation_says_what_is_not_available() -> None:
    assert [name for _, name in UNAVAILABLE if f"`kms.{name}`" not in DOCS] == []
