"""The sequence of CloudTrail records, which tests can search and write to files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, overload

from kmsmock.aws.errors import AccessDeniedException, error_class
from kmsmock.aws.principals import PrincipalKind
from kmsmock.aws.references import read_account_id
from kmsmock.ledger.calls import Calls
from kmsmock.ledger.operation_names import require_operation
from kmsmock.ledger.service_events import SERVICE_EVENT_NAMES, ServiceEvent
from kmsmock.misuse.caller_warnings import warn_caller
from kmsmock.misuse.public_object import PublicObject
from kmsmock.misuse.suggestions import did_you_mean
from kmsmock.trail.configured_trails import ConfiguredTrail
from kmsmock.trail.event_history import access_key_id, username
from kmsmock.trail.log_entries import Entry, list_entries
from kmsmock.trail.log_files import write_log_files
from kmsmock.trail.record import ACCESS_DENIED, Record

_SCHEMA = Path(__file__).with_name("record.schema.json")


def _principal(record: Record) -> tuple[str | None, ...]:
    """Return the ARN of the caller and, for a role session, that of the role."""
    identity = record["userIdentity"]
    arns = [identity.get("arn")]
    if identity.get("type") == PrincipalKind.ASSUMED_ROLE.value:
        arns.append(identity["sessionContext"]["sessionIssuer"]["arn"])
    return tuple(arns)


#: Arguments of `Trail.lookup` that are no attributes.
_ARGUMENTS = ("account", "region", "start", "end", "key")
#: Attribute of `Trail.lookup` -> returns the value of a record, or a tuple if it has several.
#: Event name, account, Region, time and key are not among them.
_ATTRIBUTES: dict[str, Callable[[Record], Any]] = {
    "access_key_id": access_key_id,
    "encryption_context": lambda record: (record["requestParameters"] or {}).get(
        "encryptionContext"
    ),
    "error_code": lambda record: record.get("errorCode"),
    "error_message": lambda record: record.get("errorMessage"),
    "event_id": lambda record: record["eventID"],
    "event_type": lambda record: record["eventType"],
    "invoked_by": lambda record: record["userIdentity"].get("invokedBy"),
    "principal": _principal,
    "read_only": lambda record: record["readOnly"],
    "request_id": lambda record: record.get("requestID"),
    "shared_event_id": lambda record: record.get("sharedEventID"),
    "source_ip_address": lambda record: record["sourceIPAddress"],
    "user_agent": lambda record: record.get("userAgent"),
    "username": username,
}


class Trail(PublicObject, Sequence[Record]):
    """All CloudTrail records of a mock, of all accounts and Regions, oldest first.

    They are made from the records of calls on each access.
    """

    def __init__(
        self,
        calls: Calls,
        service_events: Iterable[ServiceEvent] = (),
        configured: Iterable[ConfiguredTrail] = (),
    ) -> None:
        self._calls = calls
        self._service_events = service_events
        self._configured = configured

    def _entries(self) -> Iterator[Entry]:
        return list_entries(self._calls, self._service_events)

    @property
    def events(self) -> list[Record]:
        """All records, oldest first."""
        return list(self)

    @staticmethod
    def schema() -> dict[str, Any]:
        """Return the JSON Schema (draft 7) of records."""
        schema: dict[str, Any] = json.loads(_SCHEMA.read_text(encoding="utf-8"))
        return schema

    def __len__(self) -> int:
        return sum(1 for _ in self._entries())

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> list[Record]: ...
    def __getitem__(self, index: int | slice) -> Record | list[Record]:
        selected = list(self._entries())[index]
        if isinstance(selected, Entry):
            return selected.make()
        return [entry.make() for entry in selected]

    def __iter__(self) -> Iterator[Record]:
        return (entry.make() for entry in self._entries())

    def __repr__(self) -> str:
        found = list(self._entries())
        if not found:
            return "<no records>"
        newest = "\n".join(f"  {_line(entry.make())}" for entry in islice(reversed(found), 10))
        more = f" (newest 10 of {len(found)})" if len(found) > 10 else ""
        note = f"\n  ({self._calls.note})" if self._calls.dropped else ""
        return f"<{len(found)} records{more}:\n{newest}{note}\n>"

    def lookup(
        self,
        event_name: str | None = None,
        /,
        *,
        account: Any = None,
        region: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        key: Any = None,
        **attributes: Any,
    ) -> list[Record]:
        """Return the records that match all arguments, oldest first.

        account: the one that receives the record; 12 digits, or an `Account`. start, end: aware
        datetimes, both inclusive. key: as for ``kms.calls.filter``; an alias means its key.
        attributes: error_code, read_only, username, access_key_id, principal (an ARN, or anything
        with an ``arn``; a role matches all its sessions), invoked_by and others; the value None
        matches records without the attribute.
        Raises TypeError for an unknown attribute and for a time that is not a datetime, ValueError
        for a time without time zone, and for a key, principal, Region, event name or error code
        that no record can have.
        Warns if records of older calls are missing.
        """
        self._warn_if_incomplete()
        if event_name is not None:
            require_operation(event_name, SERVICE_EVENT_NAMES)
        unknown = attributes.keys() - _ATTRIBUTES.keys()
        if unknown:
            name, known = min(unknown), (*_ARGUMENTS, *_ATTRIBUTES)
            raise TypeError(
                f"records are not searched by {name!r}, but by {', '.join(known)}"
                f"{did_you_mean(name, known)}"
            )
        if isinstance(attributes.get("read_only"), str):
            raise TypeError(f"read_only is True or False, not {attributes['read_only']!r}")
        _require_error_code(attributes.get("error_code"))
        filters = {"key": key, "region": region, "caller": attributes.get("principal")}
        members = {name: value for name, value in filters.items() if value is not None}
        read = self._calls.read_filter(None, members).members
        if "caller" in read:
            attributes["principal"] = read["caller"]
        account = None if account is None else read_account_id(account)
        for time in (start, end):
            if not isinstance(time, (datetime, type(None))):
                raise TypeError(
                    f"start and end are aware datetimes, and {time!r} is a {type(time).__name__}"
                )
            if time is not None and time.tzinfo is None:
                raise ValueError(f"start and end need a time zone; {time!r} has none")
        records = (
            entry.make()
            for entry in self._entries()
            if event_name in (None, entry.name)
            and account in (None, entry.account)
            and region in (None, entry.region)
            and (start is None or start <= entry.at)
            and (end is None or entry.second <= end)
            and (key is None or entry.concerns_key(read["key"]))
        )
        return [
            record
            for record in records
            if all(_has(record, name, value) for name, value in attributes.items())
        ]

    def write_jsonl(self, path: str | Path) -> None:
        """Write one record a line; warns as `lookup` does."""
        self._warn_if_incomplete()
        with Path(path).open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(record, separators=(",", ":")) + "\n" for record in self)

    def write_files(self, folder: str | Path, *, trail: str | None = None) -> list[Path]:
        """Write log files as CloudTrail delivers them to a bucket; return their paths.

        folder: is used like the bucket. trail: name or ARN of a trail created with CreateTrail, to
        write only what it delivers: while it was logging, of its Regions, by its event selectors,
        with its prefix. None for all records. Raises ValueError for an unknown trail; warns as
        `lookup` does.
        """
        self._warn_if_incomplete()
        delivered: Iterable[tuple[Entry, Record]]
        delivered = ((entry, entry.make()) for entry in self._entries())
        prefix = ""
        if trail is not None:
            settings = self._find(trail)
            delivered = (pair for pair in delivered if settings.delivers(*pair))
            prefix = settings.prefix
        return write_log_files(Path(folder), delivered, prefix)

    def _warn_if_incomplete(self) -> None:
        if self._calls.dropped:
            warn_caller(f"the trail is not complete: {self._calls.note}")

    def _find(self, trail: str) -> ConfiguredTrail:
        found = [known for known in self._configured if trail in (known.name, known.arn)]
        if len(found) != 1:
            raise ValueError(
                f"{'no trail is' if not found else 'more than one trail is'} called {trail!r}; "
                f"there are: {', '.join(known.arn for known in self._configured) or 'none'}"
            )
        return found[0]


def _require_error_code(code: str | None) -> None:
    """Raise ValueError for an error code that no record has; CloudTrail renames one of KMS's."""
    if code in (None, ACCESS_DENIED):
        return
    if error_class(str(code)) is AccessDeniedException:
        raise ValueError(f"CloudTrail calls {code!r} {ACCESS_DENIED!r}")


def _has(record: Record, name: str, value: Any) -> bool:
    actual = _ATTRIBUTES[name](record)
    return value in actual if isinstance(actual, tuple) else bool(actual == value)


def _line(record: Record) -> str:
    identity = record["userIdentity"]
    caller = identity.get("arn") or identity.get("principalId") or identity.get("invokedBy")
    outcome = record.get("errorCode", "ok")
    return (
        f"{record['eventTime']} {record['eventName']} by {caller} -> {outcome} "
        f"({record['recipientAccountId']}, {record['awsRegion']})"
    )
