"""The state of a mock in a file: read when a server starts, written with each of its answers."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from kmsmock.ledger.call_record import Call
from kmsmock.persistence.database import Database, StateFileError
from kmsmock.persistence.restoring import restore
from kmsmock.persistence.tracking import Tracker
from kmsmock.persistence.values import READING_ERRORS
from kmsmock.process.watchers import Watcher, watchers
from kmsmock.state.backend import Backend

#: So many statements are kept while they cannot be written; later, all of the state is written.
_MOST_UNWRITTEN = 100_000


class StateWriteError(Exception):
    """What has changed could not be written; a later write includes it."""


class StateFile(Watcher):
    """The file with the state of one mock.

    path: of the file; a new one gets the state that the mock has, and a mock gets the state of any
    other. version: of this package. Raises StateFileError. It observes the mock until `close`.
    """

    def __init__(self, backend: Backend, path: str, version: str) -> None:
        self._backend = backend
        self._events: list[Call] = []
        self._is_lost = False
        self._tracker = Tracker(backend)
        self._database = Database(path, version)
        try:
            self._begin()
        except BaseException:
            self._database.close()
            raise
        watchers.add(self)

    def _begin(self) -> None:
        database, tracker = self._database, self._tracker
        seed = json.dumps(self._backend.options["seed"])
        if database.is_new:
            tracker.begin_again()
            database.set("seed", seed)
        else:
            found = database.get("seed")
            if found != seed:
                raise StateFileError(
                    f"{database.path} has the state of a mock with the seed {found}, and not "
                    f"{seed}: start the server with the same seed, or use another file"
                )
            try:
                restore(self._backend, tracker, database.rows)
            except (sqlite3.Error, *READING_ERRORS) as reason:
                raise database.damaged(f"{type(reason).__name__}: {reason}") from None
        tracker.find_all_changes()
        self._write()

    def called(self, backend: Any, event: Any, seconds: float) -> None:  # noqa: ARG002
        """Note a call of KMS."""
        if backend is self._backend:
            self._events.append(event)

    # --- writing -----------------------------------------------------------------------

    def write_calls(self) -> None:
        """Write what a request to KMS has changed. Raises StateWriteError."""
        with self._backend.lock:
            self._tracker.find_changes_of_calls(self._take_events())
            self._write()

    def write_service(self) -> None:
        """Write what a request to another service has changed. Raises StateWriteError."""
        with self._backend.lock:
            self._tracker.find_changes_beside_keys(self._take_events())
            self._write()

    def write_all(self) -> None:
        """Write what has changed, whatever it is. Raises StateWriteError."""
        with self._backend.lock:
            self._events.clear()
            self._tracker.find_all_changes()
            self._write()

    def _take_events(self) -> list[Call]:
        events, self._events = self._events, []
        return events

    def _write(self) -> None:
        tracker = self._tracker
        if self._is_lost:
            tracker.begin_again()
            tracker.find_all_changes()
        statements = tracker.statements
        if not statements:
            return
        try:
            self._database.write(statements)
        except sqlite3.Error as reason:
            if len(statements) > _MOST_UNWRITTEN:
                self._is_lost = True
                statements.clear()
            raise StateWriteError(
                f"{self._database.path} could not be written: {reason}"
            ) from reason
        self._is_lost = False
        statements.clear()

    def close(self) -> None:
        """End the observation, and close the file."""
        watchers.remove(self)
        self._database.close()
