"""The history of one mock, in scenes: from its start or a restored checkpoint to the next end."""

from __future__ import annotations

from datetime import datetime
from itertools import takewhile
from typing import TYPE_CHECKING

from kmsmock.keys.key import Key
from kmsmock.ledger.call_record import Call
from kmsmock.ledger.service_events import DELETE_EXPIRED, DELETE_KEY, ROTATE_KEY, ServiceEvent
from kmsmock.operations import OPERATIONS
from kmsmock.process.running_test import running_test
from kmsmock.reports.permissions import ObservedUse, permissions
from kmsmock.reports.report import (
    ZERO,
    KeyRecord,
    Lane,
    Report,
    Rotation,
    Scene,
    StateChange,
)
from kmsmock.reports.sums import Sums

if TYPE_CHECKING:
    from kmsmock.control import KMSMock


class MockHistory:
    """What happened in a mock while it was active: calls, states of keys, costs, permissions.

    name: of the mock in the report. sums: of the run, to which the history adds.
    """

    def __init__(self, kms: KMSMock, name: str, sums: Sums) -> None:
        self._kms = kms
        self._name = name
        self._sums = sums
        self._records: dict[str, tuple[KeyRecord, Key]] = {}
        self.begin_scene()

    # --- scenes -------------------------------------------------------------------------------

    def begin_scene(self) -> None:
        """Begin with what there is now."""
        kms = self._kms
        with kms.backend.lock:
            now = kms.clock.now()
            self._scene = Scene(self._name, running_test(), now, now, kms.backend.enforces_policies)
            self._calls_before = kms.calls.made
            self._newest_service_event = next(reversed(kms.backend.service_events), None)
            self._lanes: dict[str, Lane] = {}
            self._touched: set[str] = set()
            self._uses = ObservedUse()
            self._storage_before = kms.costs.storage_by_key()
            for key in kms.keys:
                self._note_state(key, now)

    def end_scene(self) -> None:
        """Complete the scene with what is known at its end, and report it."""
        kms, scene, report = self._kms, self._scene, self._sums.report
        with kms.backend.lock:
            scene.ended = kms.clock.now()
            kms.backend.clock.settle(scene.ended)
            self._note_service_events()
            for key in kms.keys:
                record = self._record_of(key)
                record.state = key.state.value
                self._note_state(key, scene.ended)
                self._records[key.arn] = (record, key)
            self._note_storage(report)
            scene.lanes = [self._lanes[arn] for arn in self._lanes if arn in self._touched]
            if self._sums.with_details and scene.enforced and self._uses:
                scene.permissions = permissions(kms, self._uses, report)
        if scene.calls or scene.lanes:
            report.scenes.append(scene)

    def _note_storage(self, report: Report) -> None:
        """Note what it costs to keep keys in this scene."""
        for arn, storage in self._kms.costs.storage_by_key().items():
            fresh = storage - self._storage_before.get(arn, ZERO)
            report.storage += fresh
            if arn in self._records:
                self._records[arn][0].storage += fresh

    def close(self) -> None:
        """End the last scene, and report the keys."""
        self.end_scene()
        for record, key in self._records.values():
            record.description, record.aliases = key.description, list(key.aliases)
            self._sums.note_key(record)

    # --- calls --------------------------------------------------------------------------------

    def note_call(self, event: Call, seconds: float) -> None:
        """Note a call, and what it did to keys; the lock of the mock is held."""
        self._note_service_events()
        records = [self._record_of(key, event) for key in event.keys]
        if event.failure is None and OPERATIONS[event.operation].is_cryptographic:
            for record in records:
                record.used = True
        self._touched.update(record.arn for record in records)
        self._uses.note(event)
        tally = records[0].tally if records else None
        row = self._sums.note_call(event, seconds, tally, self._ms_since(event.at))
        if row is not None:
            self._scene.calls.append(row)
        if not OPERATIONS[event.operation].trail.is_read_only:
            self._note_states(event)

    def _record_of(self, key: Key, event: Call | None = None) -> KeyRecord:
        """Give the record of a key, made on first use. event: a call with it."""
        known = self._records.get(key.arn)
        if known is not None:
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

    # --- states of keys -----------------------------------------------------------------------

    def _note_states(self, event: Call) -> None:
        """Note the states of all keys that a call may have changed."""
        affected = event.keys
        if not affected:  # it may have been about a custom key store, which its keys depend on
            affected = tuple(k for k in self._kms.keys if k.custom_key_store is not None)
        for key in affected:
            related = [key] if key.multi_region is None else key.multi_region.members.values()
            for each in related:
                self._note_state(each, event.at)

    def _note_state(self, key: Key, at: datetime) -> None:
        self._change_state(key.arn, at, self._calls_so_far(), key.state.value)

    def _change_state(self, arn: str, at: datetime, after: int, state: str) -> None:
        """Note a state of a key, if it is another than before. after: how many calls."""
        lane = self._lanes.get(arn)
        if lane is None:
            lane = self._lanes[arn] = Lane(arn)
        elif lane.states and lane.states[-1].state == state:
            return
        if lane.states or at != self._scene.began:
            self._touched.add(arn)
        lane.states.append(StateChange(self._ms_since(at), after, state))

    def _note_service_events(self) -> None:
        """Note what KMS has done by itself since the last time."""
        newest = self._newest_service_event
        events = reversed(self._kms.backend.service_events)
        fresh = list(takewhile(lambda event: event is not newest, events))
        for event in reversed(fresh):
            self._note_service_event(event)
        if fresh:
            self._newest_service_event = fresh[0]

    def _note_service_event(self, event: ServiceEvent) -> None:
        after = event.calls_before - self._calls_before
        if event.name == ROTATE_KEY:
            lane = self._lanes.setdefault(event.key_arn, Lane(event.key_arn))
            lane.rotations.append(Rotation(self._ms_since(event.at), after, event.kind or ""))
            self._touched.add(event.key_arn)
        elif event.name == DELETE_KEY:
            self._change_state(event.key_arn, event.at, after, "Deleted")
            if event.key_arn in self._records:
                self._records[event.key_arn][0].state = "Deleted"
        elif event.name == DELETE_EXPIRED:
            self._change_state(event.key_arn, event.at, after, "PendingImport")

    # --- places in the scene ------------------------------------------------------------------

    def _ms_since(self, time: datetime) -> int:
        """Give a time in ms since the scene began."""
        return round((time - self._scene.began).total_seconds() * 1000)

    def _calls_so_far(self) -> int:
        return self._kms.calls.made - self._calls_before
