"""Declaring condition keys: which requests have one, and what tells its value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kmsmock.access.facts import Facts
from kmsmock.aws import condition_keys
from kmsmock.aws.condition_keys import Actions, ConditionKey, ValueType
from kmsmock.identities.entities import Organization

#: Gives the value; None when the request does not have the key, or nobody knows. That of a family
#: gives all of its keys, by the rest of their names.
Tell = Callable[[Facts], Any]

#: Name in lower case -> what tells the value.
TELLERS: dict[str, Tell] = {}


def declare(
    name: str,
    tell: Tell,
    actions: Actions | None = None,
    value_type: ValueType = ValueType.STRING,
    *,
    is_multivalued: bool = False,
    is_hidden_from_key_policies: bool = False,
) -> None:
    """Declare a condition key; see `ConditionKey`. This is all that is known of it.

    name: such as ``kms:KeySpec``; that of a family ends with ``/`` or ``:``. tell: what tells the
    value. actions: which have it; all, when None.
    """
    condition_keys.register(
        ConditionKey(name, value_type, is_multivalued, actions, is_hidden_from_key_policies)
    )
    TELLERS[name.lower()] = tell


def remove(name: str) -> None:
    """Remove a condition key again, as tests do with those that they made up."""
    condition_keys.unregister(name)
    del TELLERS[name.lower()]


def only(*names: str) -> Actions:
    """Tell of some actions of KMS, given without ``kms:``."""
    actions = frozenset(f"kms:{name}" for name in names)
    return actions.__contains__


def parameter(member: str, default: Any = None) -> Tell:
    """Tell a parameter of the call. default: what holds when it is left out."""

    def tell(facts: Facts) -> Any:
        return facts.parameter(member, default)

    return tell


def of_organization(
    account: Callable[[Facts], str | None], tell: Callable[[Organization], Any]
) -> Tell:
    """Tell of the organization of an account."""

    def tell_of_organization(facts: Facts) -> Any:
        number = account(facts)
        if not number or facts.identities is None:
            return None
        return tell(facts.identities.organization_of(number))

    return tell_of_organization


def organization_id(organization: Organization) -> str | None:
    """Tell its id; None for an account that is in none."""
    return organization.organization_id


def organization_paths(organization: Organization) -> list[str] | None:
    """Tell where in it an account is."""
    if organization.organization_id is None or organization.path is None:
        return None
    return [organization.path]
