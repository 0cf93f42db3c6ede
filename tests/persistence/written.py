"""The state of a mock in rows, in memory: written as by a server, and read into another mock."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kmsmock import KMSMock, mock_kms
from kmsmock.persistence.changes import SCHEMA
from kmsmock.persistence.objects import Look
from kmsmock.persistence.restoring import restore
from kmsmock.persistence.tracking import Tracker
from kmsmock.process.watchers import Watcher, watchers

ORDERS = {"entries": " ORDER BY number, name, position"}


class Written(Watcher):
    """The rows of the state of a mock, brought up to date by `write`."""

    def __init__(self, kms: KMSMock) -> None:
        self.backend = kms.backend
        self.database = sqlite3.connect(":memory:", isolation_level=None)
        self.database.executescript(SCHEMA)
        self.tracker = Tracker(self.backend)
        self.events: list[Any] = []
        self.tracker.begin_again()
        self.tracker.find_all_changes()
        self._execute()
        watchers.add(self)

    def called(self, backend: Any, event: Any, seconds: float) -> None:  # noqa: ARG002
        if backend is self.backend:
            self.events.append(event)

    def write(self, *, with_services: bool = False) -> list[str]:
        """Write what the calls since the last time have changed; return the rows."""
        events, self.events = self.events, []
        if with_services:
            self.tracker.find_changes_beside_keys(events)
        else:
            self.tracker.find_changes_of_calls(events)
        return self._execute()

    def find_missed(self) -> list[Any]:
        """Return the statements for changes that `write` has not noticed."""
        self.tracker.find_all_changes(Look.THOROUGH)
        return list(self.tracker.statements)

    def _execute(self) -> list[str]:
        rows = []
        for statement, parameters in self.tracker.statements:
            self.database.execute(statement, parameters)
            rows.append(
                " ".join([statement.split(" (")[0].split("VALUES")[0], *map(str, parameters)])
            )
        self.tracker.statements.clear()
        return rows

    def read_into(self, kms: KMSMock) -> None:
        """Let a mock have the state in the rows, and nothing to write then."""
        tracker = Tracker(kms.backend)
        restore(
            kms.backend,
            tracker,
            lambda table: self.database.execute(f"SELECT * FROM {table}{ORDERS.get(table, '')}"),
        )
        tracker.find_all_changes(Look.THOROUGH)
        assert tracker.statements == []

    def end(self) -> None:
        watchers.remove(self)
        self.database.close()


@contextmanager
def written(kms: KMSMock) -> Iterator[Written]:
    rows = Written(kms)
    try:
        yield rows
    finally:
        rows.end()


@contextmanager
def reopened(rows: Written, **options: Any) -> Iterator[KMSMock]:
    """A mock with the state in rows."""
    with mock_kms(isolated=True, **options) as kms:
        rows.read_into(kms)
        yield kms


def list_rows(kms: KMSMock) -> list[str]:
    """Return all rows of a state, whose numbers only depend on its content."""
    rows = Written(kms)
    rows.end()
    tracker = Tracker(kms.backend)
    tracker.begin_again()
    tracker.find_all_changes()
    return [repr(statement) for statement in tracker.statements]
