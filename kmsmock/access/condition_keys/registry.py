"""Declaring condition keys: which requests have one, and how its value is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kmsmock.access.facts import Facts
from kmsmock.aws import condition_keys
from kmsmock.aws.condition_keys import Actions, ConditionKey, ValueType
from kmsmock.identities.entities import Organization

#: Reads the value from the facts; None when the request does not have the key, or it is unknown.
#: The reader of a family returns all of its keys, by the rest of their names.
Reader = Callable[[Facts], Any]

#: Name in lower case -> what reads the value.
READERS: dict[str, Reader] = {}


def declare(
    name: str,
    read: Reader,
    actions: Actions | None = None,
    value_type: ValueType = ValueType.STRING,
    *,
    is_multivalued: bool = False,
    is_hidden_from_key_policies: bool = False,
) -> None:
    """Declare a condition key; see `ConditionKey`. This is all that is known of it.

    name: such as ``kms:KeySpec``; that of a family ends with ``/`` or ``:``. read: reads the value
    from the facts. actions: which have it; all, when None.
    """
    condition_keys.register(
        ConditionKey(name, value_type, is_multivalued, actions, is_hidden_from_key_policies)
    )
    READERS[name.lower()] = read


def remove(name: str) -> None:
    """Remove a condition key again, as tests do with those that they made up."""
    condition_keys.unregister(name)
    del READERS[name.lower()]


def only(*names: str) -> Actions:
    """Select some actions of KMS, written without ``kms:``."""
    actions = frozenset(f"kms:{name}" for name in names)
    return actions.__contains__


def parameter(member: str, default: Any = None) -> Reader:
    """Read a parameter of the call. default: what holds when it is left out."""

    def read(facts: Facts) -> Any:
        return facts.parameter(member, default)

    return read


def of_organization(
    account: Callable[[Facts], str | None], read: Callable[[Organization], Any]
) -> Reader:
    """Read something about the organization of an account."""

    def read_organization(facts: Facts) -> Any:
        number = account(facts)
        if not number or facts.identities is None:
            return None
        return read(facts.identities.organization_of(number))

    return read_organization


def organization_id(organization: Organization) -> str | None:
    """Return its id; None for an account that is in none."""
    return organization.organization_id


def organization_paths(organization: Organization) -> list[str] | None:
    """Return where in it an account is."""
    if organization.organization_id is None or organization.path is None:
        return None
    return [organization.path]
