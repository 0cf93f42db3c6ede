"""The history of one mock, in scenes: from its start, or a restored checkpoint, to the next end."""

from __future__ import annotations

from datetime import datetime
from itertools import takewhile
from typing import TYPE_CHECKING

from kmsmock.keys.key import Key
from kmsmock.ledger.call_record import Call
from kmsmock.ledger.request_rates import PeakRates
from kmsmock.ledger.service_events import DELETE_EXPIRED, DELETE_KEY, ROTATE_KEY, ServiceEvent
from kmsmock.operations import OPERATIONS
from kmsmock.process.contexts import get_running_test
from kmsmock.reports.moved_time import MovedTime
from kmsmock.reports.permissions import ObservedUse, evaluate_permissions
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
    """The calls, key states, costs and permissions of a mock.

    name: of the mock in the report. sums: of the run, to which the history is added.
    """

    def __init__(self, kms: KMSMock, name: str, sums: Sums) -> None:
        self._kms = kms
        self._name = name
        self._sums = sums
        self._records: dict[str, tuple[KeyRecord, Key]] = {}
        # Without the quotas that tests arm, which say nothing about their traffic.
        self._rates = PeakRates(kms.backend.quotas.get_own_rate)
        self.begin_scene()

    # --- scenes -------------------------------------------------------------------------------

    def begin_scene(self) -> None:
        """Begin a scene with the present state of the mock."""
        kms = self._kms
        with kms.backend.lock:
            now = kms.clock.now()
            self._scene = Scene(
                self._name, get_running_test(), now, now, kms.backend.enforces_policies
            )
            self._calls_before = kms.calls.made
            self._newest_service_event = next(reversed(kms.backend.service_events), None)
            self._lanes: dict[str, Lane] = {}
            self._touched: set[str] = set()
            self._uses = ObservedUse()
            self._storage_before = kms.costs.storage_by_key()
            self._moved_time = MovedTime(now)
            for key in kms.keys:
                self._note_state(key, now)

    def end_scene(self) -> None:
        """Complete the scene with the state at its end, and add it to the report."""
        self._complete_scene(self._sums.report)

    def add_present(self, sums: Sums) -> None:
        """Add the scene until now, and the keys, to a copy of the sums; the scene goes on."""
        self._complete_scene(sums.report)
        self._add_keys(sums)

    def note_present(self) -> None:
        """Add what keys cost until now to the sums of the run."""
        with self._kms.backend.lock:
            self._scene.ended = self._kms.clock.now()
            self._moved_time.note(self._scene.ended)
            self._note_storage(self._sums.report)
            # What follows is added the next time.
            self._storage_before = self._kms.costs.storage_by_key()
            self._moved_time = MovedTime(self._scene.ended)

    def _complete_scene(self, report: Report) -> None:
        """Complete the scene with the present state, and add it to a report."""
        kms, scene = self._kms, self._scene
        with kms.backend.lock:
            scene.ended = kms.clock.now()
            kms.backend.clock.run_due_work(scene.ended)
            self._moved_time.note(scene.ended)
            self._note_service_events()
            for key in kms.keys:
                record = self._get_record(key)
                record.state = key.state.value
                self._note_state(key, scene.ended)
                self._records[key.arn] = (record, key)
            self._note_storage(self._sums.report)
            scene.lanes = [self._lanes[arn] for arn in self._lanes if arn in self._touched]
            if self._sums.with_details and scene.enforced and self._uses:
                scene.permissions = evaluate_permissions(kms, self._uses, report)
        if scene.calls or (scene.lanes and not self._sums.is_full):
            report.scenes.append(scene)
        elif scene.lanes:  # a server can be reset before each of a million tests
            report.omit("scenes", 1)

    def _note_storage(self, report: Report) -> None:
        """Add the charges of keys in this scene."""
        moved = self._moved_time.sum_up_storage(self._kms.backend, self._scene.ended)
        for arn, storage in self._kms.costs.storage_by_key().items():
            added = storage - self._storage_before.get(arn, ZERO)
            added_moved = min(added, max(ZERO, moved.get(arn, ZERO)))
            report.storage += added
            report.storage_moved += added_moved
            if arn in self._records:
                self._records[arn][0].storage += added
                self._records[arn][0].storage_moved += added_moved

    def close(self) -> None:
        """End the last scene, and add the keys to the report."""
        self.end_scene()
        self._add_keys(self._sums)

    def _add_keys(self, sums: Sums) -> None:
        for record, key in self._records.values():
            record.description, record.aliases = key.description, list(key.aliases)
            sums.note_key(record)
        sums.note_peaks(self._rates.peaks.values())

    # --- calls --------------------------------------------------------------------------------

    def note_call(self, event: Call, seconds: float) -> None:
        """Add a call, and the key states that it has changed; requires the mock's lock."""
        self._moved_time.note(event.at)
        self._note_service_events()
        self._begin_lanes(event)
        records = [self._get_record(key, event) for key in event.keys]
        if event.failure is None and OPERATIONS[event.operation].is_cryptographic:
            for record in records:
                record.used = True
        self._touched.update(record.arn for record in records)
        self._uses.note(event)
        self._rates.note(event)
        tally = records[0].tally if records else None
        row = self._sums.note_call(event, seconds, tally, self._convert_to_ms(event.at))
        if row is not None:
            self._scene.calls.append(row)
        if not OPERATIONS[event.operation].trail.is_read_only:
            self._note_states(event)

    def _get_record(self, key: Key, event: Call | None = None) -> KeyRecord:
        """Return the record of a key, created on first use. event: a call with the key."""
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

    def _begin_lanes(self, event: Call) -> None:
        """Begin the lanes of keys that appear with a call, without being created by it.

        Such are AWS managed keys, and those of a world that was loaded since. They begin before
        the call.
        """
        if event.operation != "CreateKey":
            for key in event.keys:
                if key.arn not in self._lanes:
                    self._change_state(key.arn, event.at, self._count_calls() - 1, key.state.value)

    # --- states of keys -----------------------------------------------------------------------

    def _note_states(self, event: Call) -> None:
        """Add the states of all keys that a call may have changed."""
        affected = event.keys
        if not affected:  # the call may have changed a custom key store, and so its keys
            affected = tuple(k for k in self._kms.keys if k.custom_key_store is not None)
        for key in affected:
            related = [key] if key.multi_region is None else key.multi_region.members.values()
            for each in related:
                self._note_state(each, event.at)

    def _note_state(self, key: Key, at: datetime) -> None:
        self._change_state(key.arn, at, self._count_calls(), key.state.value)

    def _change_state(self, arn: str, at: datetime, after: int, state: str) -> None:
        """Add a key state if it differs from the last one. after: the number of earlier calls."""
        lane = self._lanes.get(arn)
        if lane is None:
            lane = self._lanes[arn] = Lane(arn)
        elif lane.states and lane.states[-1].state == state:
            return
        if lane.states or at != self._scene.began:
            self._touched.add(arn)
        lane.states.append(StateChange(self._convert_to_ms(at), after, state))

    def _note_service_events(self) -> None:
        """Add the service events since the last time, such as automatic rotations."""
        newest = self._newest_service_event
        events = reversed(self._kms.backend.service_events)
        new = list(takewhile(lambda event: event is not newest, events))
        for event in reversed(new):
            self._note_service_event(event)
        if new:
            self._newest_service_event = new[0]

    def _note_service_event(self, event: ServiceEvent) -> None:
        after = event.calls_before - self._calls_before
        if event.name == ROTATE_KEY:
            lane = self._lanes.setdefault(event.key_arn, Lane(event.key_arn))
            at, rotation_type = self._convert_to_ms(event.at), event.rotation_type or ""
            lane.rotations.append(Rotation(at, after, rotation_type))
            self._touched.add(event.key_arn)
        elif event.name == DELETE_KEY:
            self._change_state(event.key_arn, event.at, after, "Deleted")
            if event.key_arn in self._records:
                self._records[event.key_arn][0].state = "Deleted"
        elif event.name == DELETE_EXPIRED:
            self._change_state(event.key_arn, event.at, after, "PendingImport")

    # --- positions in the scene ---------------------------------------------------------------

    def _convert_to_ms(self, time: datetime) -> int:
        """Convert a time to ms since the start of the scene."""
        return round((time - self._scene.began).total_seconds() * 1000)

    def _count_calls(self) -> int:
        return self._kms.calls.made - self._calls_before
