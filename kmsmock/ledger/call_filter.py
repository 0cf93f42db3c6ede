"""Filters of calls, for `kms.calls.filter` and assertions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kmsmock.aws.arns import ALIAS_PREFIX, Arn, name_in, resource_of
from kmsmock.aws.operations import OPERATION_FACTS
from kmsmock.keys.key import Key
from kmsmock.ledger.call_record import Call
from kmsmock.ledger.member_values import READERS, read_member
from kmsmock.ledger.usage import UsageLine
from kmsmock.misuse.suggestions import did_you_mean

#: Member of `Call` -> member of `UsageLine`: what is still known of calls whose records were
#: dropped, and which are only counted.
_USAGE_LINE_MEMBERS = {"region": "region", "key_arn": "key", "test_id": "test"}


class CallFilter:
    """Matches calls by operation and by values of members.

    operation: the name of an operation; None for all.

    members: member of `Call` -> value that it must have; None for calls without it. These have more
    than one form:

    - key: what `read_key_reference` takes: an id, ARN, alias name or alias ARN, an object with an
      ``arn``, key metadata, a response that names a key.
    - caller: the ARN of a principal, or an object with one. The ARN of a role matches all of its
      sessions, the ARN of a session only that session.
    - account: 12 digits, or an `Account`.
    - via_service: such as ``s3``, or the value of ``kms:ViaService``.

    Raises TypeError for a member that records do not have, TypeError and ValueError for a value
    that no call can have.
    """

    __slots__ = ("members", "operation")

    def __init__(self, operation: str | None, members: Mapping[str, Any]) -> None:
        unknown = members.keys() - READERS.keys()
        if unknown:
            name = min(unknown)
            raise TypeError(
                f"records of calls have no {name!r}; they have {', '.join(READERS)}"
                f"{did_you_mean(name, READERS)}"
            )
        self.operation = None if operation is None else read_member("operation", operation)
        self.members = {name: read_member(name, value) for name, value in members.items()}
        via = getattr(getattr(members.get("caller"), "principal", None), "via", None)
        if via is not None:
            self.members.setdefault("via_service", via)

    def __str__(self) -> str:
        members = [f"{name}={value!r}" for name, value in self.members.items()]
        if self.operation is None:
            return f"a call with {', '.join(members)}" if members else "a call"
        return f"{self.operation} with {', '.join(members)}" if members else self.operation

    def matches(self, event: Call) -> bool:
        """Return whether a call matches."""
        return self.operation in (None, event.operation) and not self.find_differences(event)

    def find_differences(self, event: Call) -> dict[str, Any]:
        """Return the members of a call that do not match, with their values in the call."""
        return {
            name: (event.alias or event.key_arn) if name == "key" else getattr(event, name)
            for name, value in self.members.items()
            if not (
                _MATCHES[name](event, value) if name in _MATCHES else getattr(event, name) == value
            )
        }

    def can_match_line(self, usage_line: UsageLine) -> bool:
        """Return whether some of the calls that a usage line counts can match."""
        if self.operation not in (None, usage_line.operation):
            return False
        if any(
            getattr(usage_line, _USAGE_LINE_MEMBERS[name]) != value
            for name, value in self.members.items()
            if name in _USAGE_LINE_MEMBERS
        ):
            return False
        return "key" not in self.members or self._may_concern_key(usage_line)

    def matches_whole_line(self, usage_line: UsageLine) -> bool:
        """Return whether all calls of a usage line match, if `can_match_line` is true for it."""
        others = self.members.keys() - _USAGE_LINE_MEMBERS.keys() - {"key"}
        return not others and (
            "key" not in self.members or _has_identifier(usage_line.key, self.members["key"])
        )

    def _may_concern_key(self, usage_line: UsageLine) -> bool:
        key = self.members["key"]
        if key is None:
            return usage_line.key is None
        if (
            _has_identifier(usage_line.key, key)
            or len(OPERATION_FACTS[usage_line.operation].key_permissions) > 1
        ):
            return True  # a usage line of ReEncrypt only has the first key
        return _alias_name(key) is not None


def concerns_key(event: Call, key: str | None) -> bool:
    """Return whether a call used or named a key.

    key: id, ARN, alias name or alias ARN; an alias means the key that it had at the time of the
    call, or the one that it has now. None for calls about no key.
    """
    if key is None:
        return not event.keys and not event.key_references
    if key in event.key_references:
        return True
    alias = _alias_name(key)
    if alias is not None and event.alias is not None and alias == resource_of(event.alias):
        return _is_in_same_region(key, event.key)
    return any(is_name_of(key, used) for used in event.keys)


def is_name_of(reference: str, key: Key) -> bool:
    """Return whether a reference names a key: its id or ARN, or an alias that it has now."""
    alias = _alias_name(reference)
    if alias is None:
        return _has_identifier(key.arn, reference)
    return alias in key.aliases and _is_in_same_region(reference, key)


#: Member that matches more than one value -> function that compares it with a call.
_MATCHES: dict[str, Callable[[Call, Any], bool]] = {
    "key": concerns_key,
    "caller": lambda event, arn: arn in (event.caller, event.principal.principal_arn),
    "via_service": lambda event, name: name in (event.via_service, event.principal.via),
}


def _has_identifier(key_arn: str | None, identifier: str | None) -> bool:
    """Return whether an identifier is the key ARN or the key id of a key."""
    if not key_arn or not identifier:
        return False
    return identifier in (key_arn, name_in(key_arn))


def _alias_name(key: str | None) -> str | None:
    resource = resource_of(str(key))
    return resource if resource.startswith(ALIAS_PREFIX) else None


def _is_in_same_region(alias: str, key: Key | None) -> bool:
    """Return whether an alias, if it is an ARN, is in the account and Region of a key."""
    arn = Arn.parse(alias)
    if arn is None or key is None:
        return True
    return (arn.account, arn.region) == (key.account, key.region_name)
