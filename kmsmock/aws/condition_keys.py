"""The condition keys of policies: what AWS tabulates about each, as data.

`kmsmock.access.condition_keys` declares each key together with how its value is read, and
registers the facts here when it is imported, for what lies below it. No other list of condition
keys exists.

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
    """What the value of a condition key is, in AWS's words."""

    STRING = "String"
    BOOL = "Bool"
    NUMERIC = "Numeric"
    DATE = "Date"
    ARN = "ARN"
    IP_ADDRESS = "IPAddress"


@dataclass(frozen=True, slots=True)
class ConditionKey:
    """One condition key, or a family of keys that begin alike.

    name: such as ``kms:KeySpec``; that of a family ends with ``/`` or ``:``. type: of its value.
    is_multivalued: whether it has a list of values, and so needs a set operator. actions: says
    which actions have it; None where any can. is_hidden_from_key_policies: whether only policies of
    identities and organizations can see it.
    """

    name: str
    type: ValueType = ValueType.STRING
    is_multivalued: bool = False
    actions: Actions | None = None
    is_hidden_from_key_policies: bool = False

    @property
    def is_family(self) -> bool:
        """Whether it stands for all keys that begin so."""
        return self.name.endswith(("/", ":"))

    def is_of(self, action: str) -> bool:
        """Return whether requests for an action can have the key."""
        return self.actions is None or self.actions(action)


#: Name in lower case -> condition key. Filled when `kmsmock.access.condition_keys` is imported.
CONDITION_KEYS: dict[str, ConditionKey] = {}
_FAMILIES: dict[str, ConditionKey] = {}


def register(key: ConditionKey) -> None:
    """Take a condition key into the table."""
    CONDITION_KEYS[key.name.lower()] = key
    if key.is_family:
        _FAMILIES[key.name.lower()] = key


def unregister(name: str) -> None:
    """Remove a condition key from the table, which tests of made-up ones do."""
    del CONDITION_KEYS[name.lower()]
    _FAMILIES.pop(name.lower(), None)


def condition_key(name: str) -> ConditionKey | None:
    """Find a condition key, or the family it belongs to; None for one of other services.

    name: in lower case.
    """
    if not CONDITION_KEYS:
        raise RuntimeError("nothing is known of condition keys before kmsmock.access is imported")
    known = CONDITION_KEYS.get(name)
    if known is not None:
        return known
    return next((key for prefix, key in _FAMILIES.items() if name.startswith(prefix)), None)
