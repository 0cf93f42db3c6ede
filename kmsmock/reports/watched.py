"""One mock under watch: its calls are timed, and what it did is read scene by scene."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from time import perf_counter
from typing import TYPE_CHECKING

from kmsmock.api_call import Answer, ApiCall
from kmsmock.keys.key import Key
from kmsmock.ledger.events import Event
from kmsmock.ledger.service_events import DELETE_EXPIRED, DELETE_KEY, ROTATE_KEY, ServiceEvent
from kmsmock.operations import OPERATIONS
from kmsmock.options import ENFORCED
from kmsmock.reports.permissions import Deeds, permissions
from kmsmock.reports.report import (
    ZERO,
    KeyRecord,
    Lane,
    Report,
    Rotation,
    Scene,
    StateChange,
)

if TYPE_CHECKING:
    from kmsmock.control import KMSMock
    from kmsmock.reports.collecting import Collector

#: Records are read at the latest after so many calls, before the mock drops any.
_READ_EVERY = 10_000


class WatchedMock:
    """A mock, and how far its records have been read.

    Calls are recorded by the mock; they are read here in one go before they are forgotten.
    """

    def __init__(self, kms: KMSMock, name: str, collector: Collector) -> None:
        self._kms = kms
        self._name = name
        self._collector = collector
        self._records: dict[str, tuple[KeyRecord, Key]] = {}
        self._answer = kms.answer
        kms.answer = self._timed
        self.begin_scene()

    # --- scenes -------------------------------------------------------------------------------

    def begin_scene(self) -> None:
        """Begin to read, from the records of the mock that there are now on."""
        kms = self._kms
        with kms.backend.lock:
            now = kms.clock.now()
            test = self._collector.test_id()
            enforced = kms.options.authorization == ENFORCED
            self._scene = Scene(self._name, test, now, now, enforced)
            self._read_calls = self._calls_before = kms.calls.dropped + len(kms.calls)
            self._read_service_events = len(kms.backend.service_events)
            self._lanes: dict[str, Lane] = {}
            self._touched: set[str] = set()
            self._deeds = Deeds()
            self._storage_before = kms.costs.storage_by_key()
            for key in kms.keys:
                self._see_state(key, now)

    def end_scene(self) -> None:
        """Read what is left, and what there is to know at the end."""
        kms, scene, report = self._kms, self._scene, self._collector.report
        with kms.backend.lock:
            scene.ended = kms.clock.now()
            kms.backend.clock.settle(scene.ended)
            self._read()
            for key in kms.keys:
                self._note_key(key)
                self._see_state(key, scene.ended)
                self._records[key.arn] = (self._records[key.arn][0], key)
            self._note_storage(report)
            scene.lanes = [self._lanes[arn] for arn in self._lanes if arn in self._touched]
            if self._collector.with_details and scene.enforced and self._deeds:
                scene.permissions = permissions(kms, self._deeds, report)
        if scene.calls or scene.lanes:
            report.scenes.append(scene)

    def _note_storage(self, report: Report) -> None:
        """Take in what it costs to keep keys in this scene."""
        for arn, storage in self._kms.costs.storage_by_key().items():
            fresh = storage - self._storage_before.get(arn, ZERO)
            report.storage += fresh
            if arn in self._records:
                self._records[arn][0].storage += fresh

    def close(self) -> None:
        """End the last scene, and let the mock go."""
        self.end_scene()
        self._kms.answer = self._answer
        for record, key in self._records.values():
            record.description, record.aliases = key.description, list(key.aliases)
            self._collector.note_key(record)

    # --- while it runs --------------------------------------------------------------------------

    def _timed(self, api_call: ApiCall) -> Answer:
        """Answer a call, and see how long it takes and what it does to keys."""
        kms = self._kms
        with kms.backend.lock:
            start = perf_counter()
            answer = self._answer(api_call)
            seconds = perf_counter() - start
            calls = kms.calls
            if len(calls) and (event := calls[-1]).request_id == answer.request_id:
                self._collector.note_time(event, seconds)
                if not OPERATIONS[event.operation].trail.is_read_only:
                    self._see_states(event)
                if calls.dropped + len(calls) - self._read_calls >= _READ_EVERY:
                    self._read()
        return answer

    def _see_states(self, event: Event) -> None:
        """See the states of all keys that a call may have changed."""
        affected = event.keys
        if not affected:  # it may have been about a custom key store, which its keys depend on
            affected = tuple(k for k in self._kms.keys if k.custom_key_store is not None)
        for key in affected:
            related = [key] if key.multi_region is None else key.multi_region.members.values()
            for each in related:
                self._see_state(each, event.at)

    def _see_state(self, key: Key, now: datetime) -> None:
        self._change_state(key.arn, now, key.state.value)

    def _change_state(self, arn: str, now: datetime, state: str) -> None:
        lane = self._lanes.get(arn)
        if lane is None:
            lane = self._lanes[arn] = Lane(arn)
        elif lane.states and lane.states[-1].state == state:
            return
        if lane.states or now != self._scene.began:
            self._touched.add(arn)
        lane.states.append(StateChange(self._since(now), self._calls_so_far(), state))

    def _since(self, time: datetime) -> int:
        """Give a time in ms since the scene began."""
        return round((time - self._scene.began).total_seconds() * 1000)

    def _calls_so_far(self) -> int:
        return self._kms.calls.dropped + len(self._kms.calls) - self._calls_before

    # --- reading the records --------------------------------------------------------------------

    def _read(self) -> None:
        """Read the records that came since the last time."""
        calls, events = self._kms.calls, self._kms.backend.service_events
        fresh = islice(calls, max(0, self._read_calls - calls.dropped), None)
        self._read_calls = calls.dropped + len(calls)
        for event in fresh:
            self._read_call(event)
        news = list(islice(events, self._read_service_events, None))
        self._read_service_events = len(events)
        for service_event in news:
            self._read_service_event(service_event)

    def _read_call(self, event: Event) -> None:
        records = [self._note_key(key, event) for key in event.keys]
        if event.failure is None and OPERATIONS[event.operation].is_cryptographic:
            for record in records:
                record.used = True
        self._touched.update(record.arn for record in records)
        self._deeds.note(event)
        tally = records[0].tally if records else None
        row = self._collector.note_call(event, tally, self._since(event.at))
        if row is not None:
            self._scene.calls.append(row)

    def _read_service_event(self, event: ServiceEvent) -> None:
        if event.name == ROTATE_KEY:
            lane = self._lanes.setdefault(event.key_arn, Lane(event.key_arn))
            place = (self._since(event.at), self._calls_so_far())
            lane.rotations.append(Rotation(*place, event.kind or ""))
            self._touched.add(event.key_arn)
        elif event.name == DELETE_KEY:
            self._change_state(event.key_arn, event.at, "Deleted")
            if event.key_arn in self._records:
                self._records[event.key_arn][0].state = "Deleted"
        elif event.name == DELETE_EXPIRED:
            self._change_state(event.key_arn, event.at, "PendingImport")

    def _note_key(self, key: Key, event: Event | None = None) -> KeyRecord:
        known = self._records.get(key.arn)
        if known is not None:
            if event is None:
                known[0].state = key.state.value
            return known[0]
        record = KeyRecord(
            self._name,
            key.arn,
            event.test_id if event is not None else self._scene.test,
            key.spec.name,
            key.usage.value,
            key.origin.value,
            key.manager.value,
            key.creation_date,
            state=key.state.value,
        )
        self._records[key.arn] = (record, key)
        return record
