"""What of a state has changed since it was last written.

A call can change the keys that it names, and what belongs to them; everything else is looked at
only where such a call cannot be the reason. An object is compared by the identity of its values, of
which most never change themselves, and written if its text is another one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from kmsmock.aws.paging import Markers
from kmsmock.crypto.seeded import SeededEntropy
from kmsmock.identities.credentials import CredentialStore
from kmsmock.ledger.usage import make_usage_line
from kmsmock.persistence.changes import CLEAR, CLEAR_COUNTS, DELETE_OBJECT, PUT_COUNT, Statement
from kmsmock.persistence.objects import Look, TrackedObject
from kmsmock.persistence.persisted_types import KMS_TYPES, ROOTS, TYPES
from kmsmock.persistence.records import TrackedRecords
from kmsmock.persistence.values import Writer
from kmsmock.state.backend import Backend
from kmsmock.timing.passing_states import PassingStates

if TYPE_CHECKING:
    from kmsmock.ledger.call_record import Call

#: With how many objects those that nothing refers to are deleted for the first time.
_FEW_OBJECTS = 10_000
_OF_KMS = frozenset(each.type for each in KMS_TYPES)
#: What tells by its value, and what by its size, whether one of `_changing` has changed.
_VALUES = attrgetter("numbers.last", "clock._shift", "clock.scheduled_count")
_SIZES = attrgetter(
    *("regions", "deleted_materials", "_service_states", "clock.scheduled"),
    *("identities._by_arn", "identities.entities", "identities.managed._by_arn"),
)


def _read_signs(backend: Backend) -> tuple[Any, ...]:
    left = backend.source.rsa_pool.count_left()
    return (*_VALUES(backend), *map(len, _SIZES(backend)), *left)


class Tracker:
    """The objects of a mock that are in its file, and the statements for what has changed."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._writer = Writer(self._number_of)
        #: Statements that have not been written yet.
        self.statements: list[Statement] = []
        self.begin()

    def begin(self) -> None:
        """Begin without any object in the file."""
        backend = self._backend
        self._generation, self._done_count = backend.generation, backend.clock.done_count
        self._was_passing = True
        self._signs: tuple[Any, ...] = ()
        #: How many usage lines there are in the file.
        self._counted = 0
        self._objects: dict[int, TrackedObject] = {}
        self._numbers: dict[int, int] = {}
        self._last_number = len(ROOTS)
        self._most_objects = _FEW_OBJECTS
        #: Objects that were found and not looked at yet.
        self._waiting: list[TrackedObject] = []
        log = backend.call_log
        self.calls = TrackedRecords("calls", lambda: log.records, self._count)
        self.service_events = TrackedRecords("service_events", lambda: backend.service_events)
        self.deleted_keys = TrackedRecords("deleted_keys", lambda: backend.key_lifetimes.deleted)
        self.records = (self.calls, self.service_events, self.deleted_keys)
        roots = {number: find(backend) for number, find in enumerate(ROOTS, 1)}
        self._roots = {
            type(root): self.track(number, root)
            for number, root in roots.items()
            if type(root) in TYPES
        }
        #: What a call can change that is not about its keys.
        self._changing = [
            tracked
            for kind, tracked in self._roots.items()
            if kind not in (CredentialStore, PassingStates, Markers, SeededEntropy)
        ]

    def begin_again(self) -> None:
        """Emit the statements that write all of the state, in place of what is in the file."""
        self.begin()
        self.statements[:] = [(statement, ()) for statement in CLEAR]
        self._write_counts()

    def track(self, number: int, obj: Any) -> TrackedObject:
        """Track an object. number: its number in the file."""
        tracked = TrackedObject(number, obj)
        self._objects[number] = tracked
        self._numbers[id(obj)] = number
        self._last_number = max(self._last_number, number)
        return tracked

    @property
    def objects(self) -> Collection[TrackedObject]:
        """All objects that are in the file, or are to be."""
        return self._objects.values()

    def get(self, number: int) -> TrackedObject:
        """Return the tracked object with a number."""
        return self._objects[number]

    def _number_of(self, obj: Any) -> int:
        number = self._numbers.get(id(obj))
        if number is None:
            tracked = self.track(self._last_number + 1, obj)
            self._waiting.append(tracked)
            number = tracked.number
        return number

    # --- changes -----------------------------------------------------------------------

    def find_all_changes(self, look: Look = Look.NORMAL) -> None:
        """Find what has changed, whatever it is."""
        if self._generation != self._backend.generation:
            self.begin_again()
        self._done_count = self._backend.clock.done_count
        self._look(list(self._objects.values()), look)
        self._finish()

    def find_changes_beside_keys(self, events: Iterable[Call]) -> None:
        """Find what a request to another service than KMS has changed.

        events: the calls of KMS that it made.
        """
        if self._is_all_uncertain:
            self.find_all_changes()
            return
        others = [each for each in self._objects.values() if type(each.obj) not in _OF_KMS]
        self._look(others, Look.NORMAL)
        self.find_changes_of_calls(events)

    def find_changes_of_calls(self, events: Iterable[Call]) -> None:
        """Find what calls of KMS have changed. events: their records."""
        if self._is_all_uncertain:
            self.find_all_changes()
            return
        signs = _read_signs(self._backend)
        if signs != self._signs:
            self._signs = signs
            self._look(self._changing, Look.QUICK)
        if SeededEntropy in self._roots:
            self._look([self._roots[SeededEntropy]], Look.QUICK)
        passing = self._backend.passing
        if passing.open or self._was_passing:
            self._was_passing = bool(passing.open)
            states = (state for named in passing.open.values() for state in named.values())
            self._look([self._roots[PassingStates]], Look.NORMAL)
            self._look_at(states)
        for event in events:
            self._look_at(_list_touched(self._backend, event))
        self._finish()

    @property
    def _is_all_uncertain(self) -> bool:
        """Whether a state was restored, or work that was due has been carried out."""
        backend = self._backend
        return (
            self._generation != backend.generation or self._done_count != backend.clock.done_count
        )

    def _look_at(self, objects: Iterable[Any]) -> None:
        """Look at objects, as far as they are tracked."""
        numbers = self._numbers
        self._look([self._objects[numbers[id(o)]] for o in objects if id(o) in numbers], Look.QUICK)

    def _look(self, objects: Iterable[TrackedObject], look: Look) -> None:
        """Look at objects, and at those that they refer to for the first time."""
        writer, emit, waiting = self._writer, self.statements.append, self._waiting
        for tracked in objects:
            tracked.find_changes(writer, emit, look)
        while waiting:
            waiting.pop().find_changes(writer, emit, Look.NORMAL)

    def _finish(self) -> None:
        counts = self._backend.call_log.counts
        if len(counts) < self._counted:  # the calls were cleared
            self.statements.append((CLEAR_COUNTS, ()))
            self._write_counts()
        self._counted = len(counts)
        for records in self.records:
            records.find_changes(self._writer, self.statements.append)
        self._look((), Look.QUICK)
        if len(self._objects) > self._most_objects:
            self.delete_unused()
            self._most_objects = max(_FEW_OBJECTS, 2 * len(self._objects))

    def _count(self, dropped: Call) -> None:
        line = make_usage_line(dropped)
        count = self._backend.call_log.counts.get(line)
        if count is not None:
            self.statements.append((PUT_COUNT, (self._writer.dump(line), count)))

    def _write_counts(self) -> None:
        for line, count in self._backend.call_log.counts.items():
            self.statements.append((PUT_COUNT, (self._writer.dump(line), count)))

    def delete_unused(self) -> None:
        """Emit the statements that delete the objects to which nothing refers any more."""
        used: set[int] = set()
        waiting = [root.number for root in self._roots.values()]
        waiting += (number for records in self.records for number in records.list_references())
        while waiting:
            number = waiting.pop()
            if number not in used:
                used.add(number)
                waiting += self._objects[number].list_references()
        for number in self._objects.keys() - used:
            del self._numbers[id(self._objects.pop(number).obj)]
            self.statements += ((statement, (number,)) for statement in DELETE_OBJECT)


def _list_touched(backend: Backend, event: Call) -> Iterator[Any]:
    """Yield the objects that a call can have changed; new ones are found where they are."""
    keys = [member for key in event.keys for member in key.related_keys]
    places = {(event.account, event.region), *((key.account, key.region_name) for key in keys)}
    for region in filter(None, map(backend.regions.get, places)):
        yield region
        yield from region.custom_key_stores.values()
        if event.grant_id is not None:
            yield region.grants.get(event.grant_id)
    for key in keys:
        if key.aliases:
            aliases = backend.region(key.account, key.region_name).aliases
            yield from map(aliases.get, key.aliases)
        yield from (key, *key.materials, key.rotation, key.multi_region)
