"""What a test wants of a call, and whether a record has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kmsmock.aws.arns import ALIAS_PREFIX, Arn, name_in, resource_of
from kmsmock.aws.errors import error_class
from kmsmock.aws.operations import OPERATION_FACTS
from kmsmock.aws.prices import dollars
from kmsmock.keys.key import Key
from kmsmock.ledger.events import MEMBERS, Call
from kmsmock.ledger.operation_names import require_operation
from kmsmock.ledger.usage import Line

#: Members that calls are still told apart by when they are only counted: member -> that of a line.
_COUNTED = {"region": "region", "key_arn": "key", "test_id": "test"}
#: Members that no text is ever equal to.
_NO_TEXTS = ("allowed", "at", "dry_run")
#: Members that things can be given for -> the attribute of these that is meant.
_STANDING_FOR = {"key": "arn", "key_arn": "arn", "caller": "arn", "account": "id"}


class Wanted:
    """An operation, if any, and values of members.

    members: those of `Call`, and key: a key id, key ARN, alias name or alias ARN, or anything with
    an ``arn``. caller: of a role all its sessions, or one by its ARN. via_service: with or without
    the Region. Raises TypeError for a member that records do not have, ValueError for an operation
    or error code that KMS does not have.
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
        for name in _NO_TEXTS:
            if isinstance(self.members.get(name), str):
                raise TypeError(f"{name} of a call is never a text, such as {members[name]!r}")
        if self.members.get("encryption_context") == {}:
            self.members["encryption_context"] = None  # which is the same to KMS
        if "price" in self.members:
            self.members["price"] = dollars(self.members["price"], "price")
        for name in _STANDING_FOR.keys() & self.members.keys():
            given = self.members[name]
            self.members[name] = getattr(given, _STANDING_FOR[name], given)
        if self.members.get("error_code") is not None:
            error_class(self.members["error_code"])

    def __str__(self) -> str:
        members = [f"{name}={value!r}" for name, value in self.members.items()]
        if self.operation is None:
            return f"a call with {', '.join(members)}" if members else "a call"
        return f"{self.operation} with {', '.join(members)}" if members else self.operation

    def matches(self, event: Call) -> bool:
        """Tell whether a call is one of those that are wanted."""
        return self.operation in (None, event.operation) and not self.unlike(event)

    def unlike(self, event: Call) -> dict[str, Any]:
        """Give the members of a call that are not as they are wanted, with what they are."""
        return {
            name: (event.alias or event.key_arn) if name == "key" else getattr(event, name)
            for name, value in self.members.items()
            if not (
                _MATCHES[name](event, value) if name in _MATCHES else getattr(event, name) == value
            )
        }

    def may_match(self, line: Line) -> bool:
        """Tell whether calls that are only counted may be among those that are wanted."""
        if self.operation not in (None, line.operation):
            return False
        if any(
            getattr(line, _COUNTED[name]) != value
            for name, value in self.members.items()
            if name in _COUNTED
        ):
            return False
        return "key" not in self.members or self._may_be_about(line)

    def is_sure(self, line: Line) -> bool:
        """Tell whether calls that may match do."""
        others = self.members.keys() - _COUNTED.keys() - {"key"}
        return not others and ("key" not in self.members or _names(line.key, self.members["key"]))

    def _may_be_about(self, line: Line) -> bool:
        key = self.members["key"]
        if key is None:
            return line.key is None
        if _names(line.key, key) or len(OPERATION_FACTS[line.operation].key_permissions) > 1:
            return True  # only the first of its keys is still known
        return _alias_name(key) is not None


def is_about(event: Call, key: str | None) -> bool:
    """Tell whether a call is about a key, as it named it, or as it is named now.

    key: id, ARN, alias name or alias ARN; None for none at all.
    """
    if key is None:
        return not event.keys and not event.named
    if key in event.named:
        return True
    alias = _alias_name(key)
    if alias is None:
        return any(_names(found.arn, key) for found in event.keys)
    if event.alias is not None and alias == resource_of(event.alias):
        return _is_in_place(key, event.key)
    return any(alias in found.aliases and _is_in_place(key, found) for found in event.keys)


#: Members that have more than one name -> whether a value is one of them.
_MATCHES: dict[str, Callable[[Call, Any], bool]] = {
    "key": is_about,
    "caller": lambda event, arn: arn in (event.caller, event.principal.own_arn),
    "via_service": lambda event, name: name in (event.via_service, event.principal.via),
}


def _names(arn: str | None, key: str | None) -> bool:
    return bool(arn) and bool(key) and (arn == key or name_in(str(arn)) == key)


def _alias_name(key: str | None) -> str | None:
    resource = resource_of(str(key))
    return resource if resource.startswith(ALIAS_PREFIX) else None


def _is_in_place(key: str, found: Key | None) -> bool:
    """Tell whether an alias ARN is one of the account and Region of a key."""
    arn = Arn.parse(key)
    if arn is None or found is None:
        return True
    return (arn.account, arn.region) == (found.account, found.region_name)
