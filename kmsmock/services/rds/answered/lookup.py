"""Identifiers and ARNs in requests: which are valid, and what they name.

Source: Amazon RDS API Reference, CreateDBInstance, CopyDBSnapshot.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kmsmock.aws.arns import Arn
from kmsmock.aws.errors import ServiceError
from kmsmock.aws.regions import partition_of
from kmsmock.misuse.suggestions import did_you_mean, end_sentence
from kmsmock.services.rds.answered.registry import account_region, require_parameter, storage
from kmsmock.services.rds.answered.storage import Database, Snapshot
from kmsmock.services.rds.arns import snapshot_arn
from kmsmock.services.rds.errors import InvalidParameterValue
from kmsmock.services.rds.kinds import KINDS, Kind
from kmsmock.services.registry import ServiceCall

_NAME = re.compile(r"[a-z](-?[a-z0-9])*", re.ASCII)
_SHOWN = 10
_LONGEST = {"database": 63, "snapshot": 255}
_RULES = (
    "Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; "
    "and must not end with a hyphen or contain two consecutive hyphens."
)
#: The prefixes in the names of snapshots that RDS and AWS Backup create automatically.
_AUTOMATED, _BACKUP = "rds:", "awsbackup:"


def read_new_identifier(call: ServiceCall, member: str, *, of: str) -> str:
    """Read the identifier of a new database or snapshot. of: ``database`` or ``snapshot``."""
    name: str = require_parameter(call, member).lower()
    if not _NAME.fullmatch(name) or len(name) > _LONGEST[of]:
        raise InvalidParameterValue(f"The parameter {member} is not a valid identifier. {_RULES}")
    return name


def require_manual_snapshot(call: ServiceCall, member: str) -> None:
    """Refuse the name or ARN of a snapshot that RDS or AWS Backup has created automatically."""
    name_or_arn: str = require_parameter(call, member)
    arn = Arn.parse(name_or_arn)
    name = (name_or_arn if arn is None else arn.resource_id).lower()
    why = "Automated snapshots cannot be shared; copy them, and share the copy."
    if name.startswith(_BACKUP):
        raise InvalidParameterValue(
            f"The parameter {name_or_arn} is not a valid identifier.", explanation=why
        )
    if name.startswith(_AUTOMATED):
        raise InvalidParameterValue(
            f"The parameter {member} is not a valid identifier. {_RULES}", explanation=why
        )


def read_database_identifier(call: ServiceCall, kind: Kind, member: str | None = None) -> str:
    """Read the name or ARN of a database of the account; return its identifier."""
    name_or_arn: str = require_parameter(call, member or kind.identifier)
    arn = Arn.parse(name_or_arn)
    if arn is None:
        return name_or_arn.lower()
    here = (arn.service, arn.region, arn.account, arn.resource_type)
    return arn.resource_id if here == ("rds", call.region, call.account, kind.arn) else name_or_arn


def find_database(call: ServiceCall, kind: Kind, name: str) -> Database:
    """Find a database of the account."""
    database = account_region(call).databases.get((kind.name, name))
    if database is None:
        raise database_not_found_error(call, kind, name)
    return database


def database_not_found_error(call: ServiceCall, kind: Kind, name: str) -> ServiceError:
    """Return the error for a database that does not exist; its note says which do."""
    regions = [
        region
        for (account, region), stored in storage(call).account_regions.items()
        if account == call.account and (kind.name, name.lower()) in stored.databases
    ]
    names = [each.identifier for each in account_region(call).databases_of(kind)]
    if regions:
        why = f"It is in {', '.join(regions)}; this client talks to {call.region}."
    elif names:
        more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
        why = end_sentence(
            f"{call.account} has in {call.region}: {', '.join(names[:_SHOWN])}{more}"
            f"{did_you_mean(name, names)}"
        )
    else:
        why = f"{call.account} has no {kind.label} in {call.region}."
    return kind.errors.not_found(f"{kind.name} {name} not found.", explanation=why)


def find_snapshot(call: ServiceCall, kind: Kind, name_or_arn: str) -> Snapshot:
    """Find a snapshot that the account may use; an ARN may name one in another Region."""
    arn = Arn.of(snapshot_arn(call, kind, name_or_arn))
    if arn.service == "rds" and arn.resource_type == kind.snapshot_arn:
        snapshots = storage(call).account_region(arn.account, arn.region).snapshots
        snapshot = snapshots.get((kind.name, arn.resource_id.lower()))
        if snapshot is not None and snapshot.may_be_used_by(call.account):
            return snapshot
    raise snapshot_not_found_error(call, kind, name_or_arn)


def find_own_snapshot(call: ServiceCall, kind: Kind, name_or_arn: str) -> Snapshot:
    """Find a snapshot of the account in the Region of the call."""
    snapshot = find_snapshot(call, kind, name_or_arn)
    if (snapshot.owner, snapshot.region) != (call.account, call.region):
        raise snapshot_not_found_error(call, kind, name_or_arn)
    return snapshot


def snapshot_not_found_error(call: ServiceCall, kind: Kind, name_or_arn: str) -> ServiceError:
    """Return the error for a snapshot that does not exist or is not shared."""
    return kind.errors.snapshot_not_found(
        f"{kind.snapshot} not found: {name_or_arn}",
        explanation=_why_not_found(call, kind, name_or_arn),
    )


def _why_not_found(call: ServiceCall, kind: Kind, name_or_arn: str) -> str | None:
    """Explain which snapshot may be meant, of those that the account may use."""
    arn = Arn.parse(name_or_arn)
    usable = _list_usable(call, kind)
    candidate = next((each for each in usable if name_or_arn.lower() in _names(each)), None)
    if candidate is None:
        if arn is None or arn.account == call.account:
            return None
        return (
            f"If it exists, its owner has not shared it with account {call.account} "
            f"(Modify{kind.snapshot}Attribute)."
        )
    if partition_of(candidate.region) != partition_of(call.region):
        return f"{candidate.arn} is in another partition, from which it cannot be copied."
    if candidate.region != call.region:
        return (
            f"{candidate.arn} is in {candidate.region}, this client talks to {call.region}. Only "
            f"Copy{kind.snapshot} reaches other Regions, by the ARN."
        )
    if arn is None:
        return f"Name a snapshot of another account by its ARN: {candidate.arn}."
    owner = candidate.owner
    return f"It is shared with account {call.account}, but only its owner {owner} can do this."


def _list_usable(call: ServiceCall, kind: Kind) -> Iterator[Snapshot]:
    """List the snapshots that the account may use, those in the Region of the call first."""
    stored = storage(call).account_regions.items()
    for _, here in sorted(stored, key=lambda item: item[0][1] != call.region):
        yield from (s for s in here.snapshots_of(kind) if s.may_be_used_by(call.account))


def _names(snapshot: Snapshot) -> tuple[str, str]:
    return snapshot.identifier, snapshot.arn.lower()


def find_by_arn(call: ServiceCall, name_or_arn: str) -> Database | Snapshot:
    """Find what an ARN names in the account and Region of the call."""
    arn = Arn.parse(name_or_arn)
    if arn is None or arn.service != "rds":
        raise InvalidParameterValue(f"Invalid resource name: {name_or_arn}")
    resource_type, name = arn.resource_type, arn.resource_id
    here = account_region(call)
    is_here = (arn.account, arn.region) == (call.account, call.region)
    for kind in KINDS:
        key = (kind.name, name.lower())
        if resource_type == kind.arn:
            if is_here and key in here.databases:
                return here.databases[key]
            raise database_not_found_error(call, kind, name)
        if resource_type == kind.snapshot_arn:
            if is_here and key in here.snapshots:
                return here.snapshots[key]
            raise snapshot_not_found_error(call, kind, name_or_arn)
    raise InvalidParameterValue(
        f"Invalid resource name: {name_or_arn}",
        explanation="Only instances, clusters and their snapshots can be tagged.",
    )
