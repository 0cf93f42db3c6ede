"""Reading a state from its rows into a mock, in place of the state that this has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from kmsmock.authorization.grant_index import Grants
from kmsmock.aws.arns import Arn
from kmsmock.identities.entities import Entity
from kmsmock.keys.key import Key, MultiRegionKey
from kmsmock.keys.region import KmsRegion, MaterialIndex
from kmsmock.keys.specs import Origin
from kmsmock.ledger.call_log import RecordedCalls
from kmsmock.persistence.objects import MAIN
from kmsmock.persistence.persisted_types import ITSELF, ROOTS, TYPES
from kmsmock.persistence.records import TrackedRecords
from kmsmock.persistence.tracking import Tracker
from kmsmock.persistence.values import Reader
from kmsmock.state.backend import Backend

T = TypeVar("T")
#: Returns the rows of a table, in the order of its primary key; entries by position.
Rows = Callable[[str], Iterable[tuple[Any, ...]]]
_CLASSES = {each.name: each.type for each in TYPES.values()}


def restore(backend: Backend, tracker: Tracker, rows: Rows) -> None:
    """Read the state of a mock. tracker: knows afterwards what is in the file.

    Raises `values.READING_ERRORS` for rows that no state has; the mock is then unusable.
    """
    backend.clear()
    tracker.begin()
    _Restoration(backend, tracker, rows).run()


class _Restoration:
    """The reading of one state."""

    def __init__(self, backend: Backend, tracker: Tracker, rows: Rows) -> None:
        self._backend = backend
        self._tracker = tracker
        self._rows = rows
        self._reader = Reader(lambda number: tracker.get(number).obj)

    def run(self) -> None:
        """Read all rows, and make what follows from them."""
        self._make_objects()
        self._read_entries()
        self._read_records()
        for tracked in self._tracker.objects:
            tracked.keep_values()
        self._complete()

    def _make_objects(self) -> None:
        """Make all objects, and then set their attributes, which can refer to any of them."""
        texts = list(self._rows("objects"))
        for number, name, _ in texts:
            cls: Any = _CLASSES[name]
            if number > len(ROOTS):
                self._tracker.track(number, self._make(cls))
                continue
            root = self._tracker.get(number).obj
            if type(root) is not cls:
                raise ValueError(f"object {number} is a {name}")
            for attribute in TYPES[cls].entries:
                getattr(root, attribute).clear()
        for number, _, text in texts:
            tracked = self._tracker.get(number)
            self._set(tracked.obj, self._reader.load(text))
            tracked.rows[MAIN].adopt(text, self._reader.references)
        for number, name, text in self._rows("parts"):
            tracked = self._tracker.get(number)
            self._set(tracked.obj, {name: self._reader.load(text)})
            tracked.rows[name].adopt(text, self._reader.references)

    @staticmethod
    def _make(kind: Any) -> Any:
        """Make an object without values."""
        made, persisted = kind.__new__(kind), TYPES[kind]
        for name in (*persisted.left_out, *persisted.decisive):
            object.__setattr__(made, name, None)
        for name in persisted.entries:
            if name != ITSELF:
                object.__setattr__(made, name, {})
        return made

    @staticmethod
    def _set(obj: Any, attributes: Mapping[str, Any]) -> None:
        persisted = TYPES[type(obj)]
        wanted = {*persisted.list_fields(), *persisted.apart}
        for name, value in attributes.items():
            if name not in wanted:
                raise ValueError(f"a {persisted.name} has no {name}")
            object.__setattr__(obj, name, value)

    def _read_entries(self) -> None:
        for number, name, key_text, position, text in self._rows("entries"):
            tracked = self._tracker.get(number)
            key = self._reader.load(key_text)
            references = self._reader.references
            value = self._reader.load(text)
            references += self._reader.references
            container = tracked.obj if name == ITSELF else getattr(tracked.obj, name)
            if isinstance(container, list):
                container.append(value)
            elif isinstance(container, set):
                container.add(key)
            else:
                container[key] = value
            tracked.entries[name].adopt(key, value, position, text, references)

    def _read_records(self) -> None:
        backend, tracker = self._backend, self._tracker
        counts = {self._reader.load(line): count for line, count in self._rows("counts")}
        calls = self._read_table("calls", tracker.calls)
        backend.call_log.restore(RecordedCalls(tuple(calls), counts))
        events = self._read_table("service_events", tracker.service_events)
        backend.service_events.restore(events)
        backend.key_lifetimes.deleted.extend(self._read_table("deleted_keys", tracker.deleted_keys))

    def _read_table(self, table: str, records: TrackedRecords) -> list[Any]:
        found = []
        for number, text in self._rows(table):
            record = self._reader.load(text)
            records.adopt(record, number, self._reader.references)
            found.append(record)
        return found

    # --- what follows from the rest ----------------------------------------------------

    def _complete(self) -> None:
        """Set the attributes that are not written: indexes, and what all objects share."""
        backend = self._backend
        for key in self._list(Key):
            key.source, key.grants = backend.source, Grants()
        for family in self._list(MultiRegionKey):
            _share_materials(family)
        for region in self._list(KmsRegion):
            materials = backend.materials.setdefault(region.name, MaterialIndex())
            region.complete(materials, backend.numbers)
        for entity in self._list(Entity):
            entity.update_policies()
        self._complete_identities()
        backend.clock.resume()

    def _list(self, cls: type[T]) -> Iterator[T]:
        return (tracked.obj for tracked in self._tracker.objects if isinstance(tracked.obj, cls))

    def _complete_identities(self) -> None:
        identities = self._backend.identities
        identities._named.clear()  # noqa: SLF001 - that follows from the users and roles
        for arn, entity in list(identities.entities.items()):
            parsed = Arn.of(arn)
            identities.add_entity(entity, parsed.account, parsed.partition)
        account = self._backend.options["account_id"]
        if identities.administrator.account != account:
            identities.administrator = identities.administrator_of(account)
        identities.defaults = [identities.administrator]


def _share_materials(family: MultiRegionKey) -> None:
    """Let related keys have one list of materials, unless these are imported into each."""
    if family.primary.origin is not Origin.EXTERNAL:
        for key in family.members.values():
            key.materials = family.primary.materials
