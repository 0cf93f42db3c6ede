"""The changes of a state, as rows to write and to delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: A statement of SQL with its parameters.
Statement = tuple[str, tuple[Any, ...]]
Emit = Callable[[Statement], None]

#: The tables of the format's newest version. ``objects`` has the fields of an object, ``parts``
#: those that have rows of their own, ``entries`` those of its dicts and sets.
SCHEMA = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE objects (number INTEGER PRIMARY KEY, type TEXT NOT NULL, data TEXT NOT NULL);
CREATE TABLE parts (
    number INTEGER NOT NULL, name TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY (number, name)
) WITHOUT ROWID;
CREATE TABLE entries (
    number INTEGER NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL, position INTEGER NOT NULL,
    value TEXT NOT NULL, PRIMARY KEY (number, name, key)
) WITHOUT ROWID;
CREATE TABLE calls (number INTEGER PRIMARY KEY, data TEXT NOT NULL);
CREATE TABLE counts (line TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE service_events (number INTEGER PRIMARY KEY, data TEXT NOT NULL);
CREATE TABLE deleted_keys (number INTEGER PRIMARY KEY, data TEXT NOT NULL);
"""
#: The tables that have the state itself.
TABLES = ("objects", "parts", "entries", "calls", "counts", "service_events", "deleted_keys")

PUT_OBJECT = "INSERT OR REPLACE INTO objects VALUES (?, ?, ?)"
PUT_PART = "INSERT OR REPLACE INTO parts VALUES (?, ?, ?)"
PUT_ENTRY = "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)"
DELETE_ENTRY = "DELETE FROM entries WHERE number = ? AND name = ? AND key = ?"
CLEAR_COUNTS = "DELETE FROM counts"
PUT_COUNT = "INSERT OR REPLACE INTO counts VALUES (?, ?)"
#: What is deleted with an object.
DELETE_OBJECT = (
    "DELETE FROM objects WHERE number = ?",
    "DELETE FROM parts WHERE number = ?",
    "DELETE FROM entries WHERE number = ?",
)
CLEAR = tuple(f"DELETE FROM {table}" for table in TABLES)  # noqa: S608 - names of this module
