"""Databases whose key cannot be used any more.

RDS looks after the keys of running databases from time to time. It notices here with the next call
of RDS, or within an hour.

Source: Amazon RDS User Guide, "AWS KMS key management": inaccessible-encryption-credentials.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from kmsmock.arns import Arn
from kmsmock.backend import Backend
from kmsmock.keys.key import Key
from kmsmock.keys.states import KeyState
from kmsmock.services.rds.storage import LOST, RECOVERABLE, Database, Storage

_HOUR, _WEEK = timedelta(hours=1), timedelta(days=7)


def find_key(backend: Backend, key_arn: str) -> Key | None:
    """Find a key by its ARN; None when it has been deleted."""
    arn = Arn.parse(key_arn)
    assert arn is not None
    region = backend.region(arn.account, arn.region)
    return region.keys.get(arn.resource.removeprefix("key/"))


def why_unusable(backend: Backend, database: Database) -> str | None:
    """Tell why RDS cannot use the key of a database; None when it can."""
    assert database.key_arn is not None
    key = find_key(backend, database.key_arn)
    if key is None:
        return f"{database.key_arn} is gone, and the data with it"
    if key.state is not KeyState.ENABLED:
        return f"{key.arn} is in state {key.state.value}"
    for grant in database.grants:
        if key.grants.get(grant.grant_id) is None:
            return f"the grant of {grant.grantee} on {key.arn} has been revoked"
    return None


def watch(backend: Backend, now: datetime) -> None:
    """Look after the keys from now on, as long as there are encrypted databases."""
    held = backend.service_state(Storage)
    if not held.is_watched:
        held.is_watched = True
        backend.clock.at(now + _HOUR, partial(_watch_again, backend))


def _watch_again(backend: Backend, now: datetime) -> None:
    held = backend.service_state(Storage)
    held.is_watched = any(database.key is not None for database in held.databases())
    if held.is_watched:
        look_after_keys(backend, now)
        backend.clock.at(now + _HOUR, partial(_watch_again, backend))


def look_after_keys(backend: Backend, now: datetime) -> None:
    """Notice which running databases have lost their key; only StartDB… brings them back."""
    for database in backend.service_state(Storage).databases():
        if database.key is None or database.status != "available":
            continue
        why = why_unusable(backend, database)
        if why is not None:
            database.status, database.lost_since, database.opened = RECOVERABLE, now, None
            backend.service_state(Storage).failures[database.arn] = why
            backend.clock.at(now + _WEEK, partial(_give_up, database, now))


def _give_up(database: Database, since: datetime, now: datetime) -> None:  # noqa: ARG001
    if database.lost_since == since:
        database.status = LOST
