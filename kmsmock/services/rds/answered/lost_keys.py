"""Databases whose key has become unusable.

RDS checks the keys of running databases from time to time: here with the next call of RDS, or
within an hour.

Source: Amazon RDS User Guide, "AWS KMS key management": inaccessible-encryption-credentials.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from kmsmock.services.rds.answered.storage import LOST, RECOVERABLE, Database, Storage
from kmsmock.services.rds.kms_use.keys import why_unusable
from kmsmock.state.backend import Backend
from kmsmock.state.failures import failures_of

_HOUR, _WEEK = timedelta(hours=1), timedelta(days=7)


def begin_key_checks(backend: Backend, now: datetime) -> None:
    """Check the keys each hour from now on, as long as there are encrypted databases."""
    storage = backend.service_state(Storage)
    if not storage.checks_keys:
        storage.checks_keys = True
        backend.clock.schedule_after(now, _HOUR, partial(_check_keys_again, backend))


def _check_keys_again(backend: Backend, now: datetime) -> None:
    storage = backend.service_state(Storage)
    storage.checks_keys = any(_has_data_key(database) for database in storage.databases())
    if storage.checks_keys:
        check_keys(backend, now)
        backend.clock.schedule_after(now, _HOUR, partial(_check_keys_again, backend))


def _has_data_key(database: Database) -> bool:
    return database.encryption is not None and database.encryption.data_key is not None


def check_keys(backend: Backend, now: datetime) -> None:
    """Find running databases whose key has become unusable; only StartDB… recovers them."""
    for database in backend.service_state(Storage).databases():
        encryption = database.encryption
        if encryption is None or encryption.data_key is None or database.status != "available":
            continue
        why = why_unusable(backend, encryption)
        if why is not None:
            encryption.plaintext_key = None
            database.status, database.lost_since = RECOVERABLE, now
            failures_of(backend)[database.arn] = why
            backend.clock.schedule_after(now, _WEEK, partial(_lose_for_good, database, now))


def _lose_for_good(database: Database, since: datetime, now: datetime) -> None:  # noqa: ARG001 - the clock gives it
    if database.lost_since == since:
        database.status = LOST
