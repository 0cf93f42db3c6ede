"""The table of condition keys, with the facts that AWS documents about each.

`kmsmock.access.condition_keys` declares each condition key together with the function that reads
its value, and registers the facts here when it is imported, for lower packages. There is no other
list of condition keys.

Source: AWS KMS Developer Guide, "Condition keys for AWS KMS"; IAM User Guide, "AWS global condition
context keys".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

#: Returns whether requests for an action have a condition key. action: such as ``kms:Decrypt``.
Actions = Callable[[str], bool]


class ValueType(Enum):
    """The type of a condition key's values, with AWS's names."""

    STRING = "String"
    BOOL = "Bool"
    NUMERIC = "Numeric"
    DATE = "Date"
    ARN = "ARN"
    IP_ADDRESS = "IPAddress"


@dataclass(frozen=True, slots=True)
class ConditionKey:
    """A condition key, or a family of condition keys with a common prefix."""

    #: The name, such as ``kms:KeySpec``; the name of a family ends with ``/`` or ``:``.
    name: str
    #: The type of its values.
    type: ValueType = ValueType.STRING
    #: Whether it has a list of values, and so requires a set operator.
    is_multivalued: bool = False
    #: Returns whether requests for an action have it; None if all have it.
    actions: Actions | None = None
    #: Whether it is absent when key policies are evaluated.
    is_hidden_from_key_policies: bool = False

    @property
    def is_family(self) -> bool:
        """Whether it is a family, such as ``aws:ResourceTag/``."""
        return self.name.endswith(("/", ":"))

    def is_of(self, action: str) -> bool:
        """Return whether requests for an action can have the key."""
        return self.actions is None or self.actions(action)


#: Name in lower case -> condition key. Filled when `kmsmock.access.condition_keys` is imported.
CONDITION_KEYS: dict[str, ConditionKey] = {}
_FAMILIES: dict[str, ConditionKey] = {}


def register(key: ConditionKey) -> None:
    """Add a condition key to the table."""
    CONDITION_KEYS[key.name.lower()] = key
    if key.is_family:
        _FAMILIES[key.name.lower()] = key


def unregister(name: str) -> None:
    """Remove a condition key from the table, for tests that have declared one."""
    del CONDITION_KEYS[name.lower()]
    _FAMILIES.pop(name.lower(), None)


def get_condition_key(name: str) -> ConditionKey | None:
    """Return a condition key, or the family that it belongs to; None if it is unknown.

    name: in lower case.
    """
    if not CONDITION_KEYS:
        raise RuntimeError("import kmsmock.access first, which registers the condition keys")
    known = CONDITION_KEYS.get(name)
    if known is not None:
        return known
    return next((key for prefix, key in _FAMILIES.items() if name.startswith(prefix)), None)
