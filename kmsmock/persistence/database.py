"""The SQLite file of a state: its format, its versions, and its transactions.

Source: SQLite documentation, "Write-Ahead Logging" and "PRAGMA Statements".
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from kmsmock.persistence.changes import SCHEMA, TABLES, Statement

#: What says that an SQLite file is one of these: "kmsm".
APPLICATION_ID = 0x6B6D736D
#: The functions that migrate a file from version 1 to version 2, from version 2 to 3, and so on.
#: Each gets the connection, in a transaction.
MIGRATIONS: list[Callable[[sqlite3.Connection], None]] = []
_HEADER = b"SQLite format 3\0"
#: How long the log gets before its pages are moved to the file, which takes some milliseconds.
_LOG_PAGES = 4_000
_ORDERS = {"entries": " ORDER BY number, name, position"}


class StateFileError(ValueError):
    """A state file cannot be used, for a reason that the message tells."""


def newest_version() -> int:
    """Return the version of the format that this package writes."""
    return len(MIGRATIONS) + 1


class Database:
    """An open state file, which no other process can open.

    path: of the file, which is created if it is missing. writer: the version of this package, for
    messages of older ones. Raises StateFileError.
    """

    def __init__(self, path: str, writer: str) -> None:
        self.path = str(Path(path).resolve())
        _require_state_file(self.path)
        with self._explained():
            # Without URI names, so that each path means a file.
            self.connection = sqlite3.connect(
                self.path, timeout=0, isolation_level=None, check_same_thread=False
            )
        try:
            with self._explained():
                self._open(writer)
        except BaseException:
            self.connection.close()
            raise

    def _open(self, writer: str) -> None:
        execute = self.connection.execute
        execute("PRAGMA locking_mode = EXCLUSIVE")
        self._require_ours()
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = NORMAL")
        execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
        with self.transaction():
            version, found = newest_version(), self._get("user_version")
            #: Whether there is no state in it yet.
            self.is_new = found == 0
            if self.is_new:
                for statement in filter(str.strip, SCHEMA.split(";")):
                    execute(statement)
                execute(f"PRAGMA application_id = {APPLICATION_ID}")
            for migrate in MIGRATIONS[found - 1 :] if found else ():
                migrate(self.connection)
            execute(f"PRAGMA user_version = {version}")
            self.set("written by", writer)

    def _require_ours(self) -> None:
        """Require that the file is empty, or a state file of this version or an older one."""
        execute = self.connection.execute
        if not execute("SELECT 1 FROM sqlite_master").fetchone() and not self._get("user_version"):
            return
        if self._get("application_id") != APPLICATION_ID:
            raise StateFileError(f"{self.path} is an SQLite file, but no state file of kmsmock")
        found, newest = self._get("user_version"), newest_version()
        if found > newest:
            raise StateFileError(
                f"{self.path} has version {found} of the format, written by kmsmock "
                f"{self.get('written by')}; this kmsmock reads up to version {newest}: install a "
                "newer one, or use another file"
            )
        for (problem,) in execute("PRAGMA quick_check"):
            if problem != "ok":
                raise self.damaged(problem)

    def _get(self, pragma: str) -> int:
        value: int = self.connection.execute(f"PRAGMA {pragma}").fetchone()[0]
        return value

    def damaged(self, reason: object) -> StateFileError:
        """Return the error for a file with content that no state has."""
        return StateFileError(f"{self.path} is damaged: {reason}")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Translate SQLite's errors of a file that cannot be opened."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            if "locked" in str(error):
                raise StateFileError(
                    f"{self.path} is in use: another server, or another program, has it open"
                ) from None
            if isinstance(error, sqlite3.OperationalError):
                raise StateFileError(f"{self.path} cannot be used: {error}") from None
            raise self.damaged(error) from None

    # --- content -----------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write all that the block writes, or nothing if it raises."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    def write(self, statements: Sequence[Statement]) -> None:
        """Write rows in one transaction. Raises sqlite3.Error, and nothing is written then."""
        execute = self.connection.execute
        with self.transaction():
            for statement, parameters in statements:
                execute(statement, parameters)

    def rows(self, table: str) -> Iterable[tuple[Any, ...]]:
        """Return the rows of a table, those of an object's entries by position."""
        assert table in TABLES
        return self.connection.execute(f"SELECT * FROM {table}{_ORDERS.get(table, '')}")  # noqa: S608

    def get(self, name: str) -> str | None:
        """Return a setting of the file; None if it has none of this name."""
        query = "SELECT value FROM settings WHERE name = ?"
        row = self.connection.execute(query, (name,)).fetchone()
        return None if row is None else str(row[0])

    def set(self, name: str, value: str) -> None:
        """Set a setting of the file."""
        self.connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))

    def close(self) -> None:
        """Close the file; the log is moved into it."""
        self.connection.close()


def _require_state_file(path: str) -> None:
    """Require a file that can be a state file; create it, readable by its owner only."""
    try:
        opened = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
    except OSError as reason:
        raise StateFileError(f"{path} cannot be used: {reason.strerror}") from None
    with closing(os.fdopen(opened, "rb", closefd=True)) as file:
        start = file.read(len(_HEADER))
    if start not in (b"", _HEADER):
        raise StateFileError(f"{path} is no state file of kmsmock")
