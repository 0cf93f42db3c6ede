"""Declare condition keys: which requests have one, and how its value is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kmsmock.access.facts import Facts
from kmsmock.aws import condition_keys
from kmsmock.aws.condition_keys import Actions, ConditionKey, ValueType
from kmsmock.identities.entities import Organization

#: Returns the value; None if the request does not have the key, or the value is unknown.
#: The reader of a family, such as aws:ResourceTag/, returns its values by key suffix.
Reader = Callable[[Facts], Any]

#: Condition key in lower case -> its reader.
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
    """Declare a condition key (see `ConditionKey`).

    name: such as ``kms:KeySpec``; the name of a family ends with ``/`` or ``:``. read: returns the
    value. actions: returns whether an action has the key; None for all actions.
    """
    condition_keys.register(
        ConditionKey(name, value_type, is_multivalued, actions, is_hidden_from_key_policies)
    )
    READERS[name.lower()] = read


def remove(name: str) -> None:
    """Remove a condition key that a test has declared."""
    condition_keys.unregister(name)
    del READERS[name.lower()]


def only(*names: str) -> Actions:
    """Return a predicate for actions of KMS. names: without ``kms:``."""
    actions = frozenset(f"kms:{name}" for name in names)
    return actions.__contains__


def parameter(member: str, default: Any = None) -> Reader:
    """Return a reader of a request parameter. default: the value if the parameter is absent."""

    def read(facts: Facts) -> Any:
        return facts.parameter(member, default)

    return read


def of_organization(
    account: Callable[[Facts], str | None], read: Callable[[Organization], Any]
) -> Reader:
    """Return a reader of an attribute of the organization of an account.

    account: returns the account id. read: returns the attribute.
    """

    def read_organization(facts: Facts) -> Any:
        account_id = account(facts)
        if not account_id or facts.identities is None:
            return None
        return read(facts.identities.organization_of(account_id))

    return read_organization


def read_organization_id(organization: Organization) -> str | None:
    """Return the id of an organization; None for an account without organization."""
    return organization.organization_id


def read_organization_paths(organization: Organization) -> list[str] | None:
    """Return the path of an account in its organization, as a list; None if unknown."""
    if organization.organization_id is None or organization.path is None:
        return None
    return [organization.path]
