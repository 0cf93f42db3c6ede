"""Filters of calls, for `kms.calls.filter` and assertions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kmsmock.aws.arns import ALIAS_PREFIX, Arn, name_in, resource_of
from kmsmock.aws.errors import error_class
from kmsmock.aws.operations import OPERATION_FACTS
from kmsmock.aws.prices import parse_usd
from kmsmock.keys.key import Key
from kmsmock.ledger.call_record import MEMBERS, Call
from kmsmock.ledger.operation_names import require_operation
from kmsmock.ledger.usage import UsageLine

#: Member of `Call` -> member of `UsageLine`: what is still known of calls whose records were
#: dropped, and which are only counted.
_USAGE_LINE_MEMBERS = {"region": "region", "key_arn": "key", "test_id": "test"}
#: Members that are never text.
_NEVER_TEXT = ("allowed", "at", "dry_run")
#: Members whose value can be an object, such as a principal -> the attribute that is compared.
_OBJECT_ATTRIBUTES = {"key": "arn", "key_arn": "arn", "caller": "arn", "account": "id"}


class CallFilter:
    """Matches calls by operation and by values of members.

    operation: the name of an operation; None for all.

    members: member of `Call` -> value that it must have. These have more than one form:

    - key: a key id, key ARN, alias name or alias ARN, or an object with an ``arn``.
    - caller: the ARN of a principal, or an object with one. The ARN of a role matches all of its
      sessions, the ARN of a session only that session.
    - via_service: such as ``s3``, or the value of ``kms:ViaService``.

    Raises TypeError for a member that records do not have, ValueError for an operation or error
    code that KMS does not have.
    """

    def __init__(self, operation: str | None, members: Mapping[str, Any]) -> None:
        if operation is not None:
            require_operation(operation)
        self.operation = operation
        self.members = dict(members)
        unknown = self.members.keys() - {*MEMBERS, "key"}
        if unknown:
            raise TypeError(
                f"records of calls have no {min(unknown)!r}; they have key, {', '.join(MEMBERS)}"
            )
        for name in _NEVER_TEXT:
            if isinstance(self.members.get(name), str):
                raise TypeError(f"{name} of a call is never a text, such as {members[name]!r}")
        if self.members.get("encryption_context") == {}:
            self.members["encryption_context"] = None  # KMS does not distinguish them
        if "price" in self.members:
            self.members["price"] = parse_usd(self.members["price"], "price")
        for name in _OBJECT_ATTRIBUTES.keys() & self.members.keys():
            value = self.members[name]
            self.members[name] = getattr(value, _OBJECT_ATTRIBUTES[name], value)
        if self.members.get("error_code") is not None:
            error_class(self.members["error_code"])

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
    if alias is None:
        return any(_has_identifier(used.arn, key) for used in event.keys)
    if event.alias is not None and alias == resource_of(event.alias):
        return _is_in_same_region(key, event.key)
    return any(alias in used.aliases and _is_in_same_region(key, used) for used in event.keys)


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
