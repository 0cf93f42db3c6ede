"""Databases whose key has become unusable, whichever mock stores them.

RDS checks the keys of running databases from time to time: here with the next call of RDS, or
within an hour.

Source: Amazon RDS User Guide, "AWS KMS key management": inaccessible-encryption-credentials.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from kmsmock.services.rds.kms_use.encryption import DatabaseEncryption
from kmsmock.services.rds.kms_use.keys import why_unusable
from kmsmock.state.backend import Backend
from kmsmock.state.failures import failures_of

#: The states of a database whose key cannot be used; the first for a week, then the other.
RECOVERABLE = "inaccessible-encryption-credentials-recoverable"
LOST = "inaccessible-encryption-credentials"
AVAILABLE, DELETING = "available", "deleting"
#: The states that a database does not leave any more.
_FINAL = (LOST, DELETING, "failed")
_HOUR, _WEEK = timedelta(hours=1), timedelta(days=7)


class CheckedDatabase(Protocol):
    """An encrypted database, as a host stores it."""

    #: Its status; ``available`` while it runs, ``deleting`` once it need not be checked.
    status: str
    #: When RDS noticed that it cannot use the key.
    lost_since: datetime | None

    @property
    def arn(self) -> str:
        """Its ARN."""
        ...

    @property
    def encryption(self) -> DatabaseEncryption | None:
        """The encryption of its storage."""
        ...


@dataclass(slots=True)
class CheckedDatabases:
    """The databases whose keys are checked. is_scheduled: whether the next check is."""

    databases: list[CheckedDatabase] = field(default_factory=list)
    is_scheduled: bool = False


def begin_key_checks(
    backend: Backend,
    now: datetime,
    database: CheckedDatabase,
    checks: type[CheckedDatabases] = CheckedDatabases,
) -> None:
    """Check the key of a database each hour from now on, and with each call of RDS.

    checks: where the host keeps which databases are checked.
    """
    checked = backend.service_state(checks)
    if not any(each is database for each in checked.databases):
        checked.databases.append(database)
    _schedule(backend, now, checked)


def _schedule(backend: Backend, now: datetime, checked: CheckedDatabases) -> None:
    if not checked.is_scheduled:
        checked.is_scheduled = True
        again = partial(_check_keys_again, backend, type(checked))
        backend.clock.schedule_after(now, _HOUR, again)


def _check_keys_again(backend: Backend, checks: type[CheckedDatabases], now: datetime) -> None:
    checked = backend.service_state(checks)
    checked.is_scheduled = False
    checked.databases = [each for each in checked.databases if each.status not in _FINAL]
    if checked.databases:
        check_keys(backend, now, checks)
        _schedule(backend, now, checked)


def check_keys(
    backend: Backend, now: datetime, checks: type[CheckedDatabases] = CheckedDatabases
) -> None:
    """Find running databases whose key has become unusable; only StartDB… recovers them.

    checks: see `begin_key_checks`.
    """
    for database in backend.service_state(checks).databases:
        encryption = database.encryption
        if encryption is None or database.status != AVAILABLE:
            continue
        why = why_unusable(backend, encryption)
        if why is not None:
            encryption.plaintext_key = None
            database.status, database.lost_since = RECOVERABLE, now
            failures_of(backend)[database.arn] = why
            backend.clock.schedule_after(now, _WEEK, partial(_lose_for_good, database, now))


def _lose_for_good(database: CheckedDatabase, since: datetime, now: datetime) -> None:  # noqa: ARG001 - the clock gives it
    if database.lost_since == since and database.status == RECOVERABLE:
        database.status = LOST
