"""The condition context of a request: condition key -> value, each value read on first access.

All policy evaluations use it: calls of KMS and of other services, `kms.explain`, IAM's policy
simulator, and the command ``kmsmock explain``. They differ only in the facts that they know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from kmsmock.access.condition_keys.registry import READERS
from kmsmock.access.facts import Facts
from kmsmock.authorization.joined_texts import keep_prepared
from kmsmock.authorization.request_values import ValueList
from kmsmock.aws.condition_keys import CONDITION_KEYS, ConditionKey, get_condition_key
from kmsmock.misuse.suggestions import did_you_mean, get_nearest

#: The value of a condition key: a string, or the strings of a multivalued one.
Value = str | list[str]
#: Condition key -> value, as tests and services supply them.
ContextKeys = dict[str, Value]


class ConditionContext(Mapping[str, Value]):
    """The condition keys of a request, in lower case.

    A value is read when a policy first uses the key: most evaluations use few of them.
    """

    __slots__ = ("_facts", "_families", "_known")

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        overrides = facts.overrides or {}
        self._known: dict[str, Value | None] = {
            name.lower(): _of_test(overrides[name]) for name in overrides
        }
        self._families: dict[str, Mapping[str, str]] = {}

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a condition key, or the default if the request does not have it."""
        try:
            value = self._known[key]
        except KeyError:
            value = self._known[key] = self._read(key)
        return default if value is None else value

    def __getitem__(self, key: str) -> Value:
        value: Value | None = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.get(key) is not None

    def __iter__(self) -> Iterator[str]:
        names = dict.fromkeys(self._known)
        for lower, declared in CONDITION_KEYS.items():
            if declared.is_family:
                names.update(dict.fromkeys(lower + rest for rest in self._read_family(declared)))
            else:
                names[lower] = None
        return (name for name in names if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _read(self, key: str) -> Value | None:
        declared = get_condition_key(key)
        if declared is None:
            return None
        if declared.is_family:
            text = self._read_family(declared).get(key[len(declared.name) :])
            return None if text is None else keep_prepared(text)
        if not declared.is_of(self._facts.action):
            return None
        return _format_value(READERS[key](self._facts))

    def _read_family(self, declared: ConditionKey) -> Mapping[str, str]:
        """Return the values of a family, such as aws:ResourceTag/, by lower-case key suffix."""
        known = self._families.get(declared.name)
        if known is None:
            known = {}
            if declared.is_of(self._facts.action):
                values: Mapping[str, str] = READERS[declared.name.lower()](self._facts)
                known = {name.lower(): value for name, value in values.items()}
            # A policy can have a condition on each of many keys of a family.
            self._families[declared.name] = known
        return known


def read_keys(facts: Facts, *names: str) -> dict[str, Value]:
    """Return the values of some condition keys, in their original spelling, if present.

    names: of condition keys, or of families such as ``kms:EncryptionContext:``.
    """
    present: dict[str, Value] = {}
    for name in names:
        declared = CONDITION_KEYS[name.lower()]
        if not declared.is_of(facts.action):
            continue
        read = READERS[name.lower()](facts)
        if declared.is_family:
            present.update((f"{declared.name}{rest}", value) for rest, value in read.items())
        elif (value := _format_value(read)) is not None:
            present[declared.name] = value
    return present


def check_context_key(name: str) -> None:
    """Require that KMS has a condition key (ValueError); keys of other services are accepted.

    All have the prefix of a service, such as ``aws:``.
    """
    known = [declared.name for declared in CONDITION_KEYS.values()]
    if ":" not in name:
        meant = get_nearest(f"aws:{name}", known)
        hint = "" if meant is None else f"; did you mean {meant!r}?"
        raise ValueError(f"a condition key has a prefix such as aws:, and {name!r} has none{hint}")
    if not name.lower().startswith("kms:") or get_condition_key(name.lower()) is not None:
        return
    raise ValueError(f"KMS has no condition key {name!r}{did_you_mean(name, known)}")


def _format_value(value: Any) -> Value | None:
    """Convert a value to the string, or list of strings, that policies compare."""
    if value is None:
        return None
    if isinstance(value, str):
        return keep_prepared(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return str(value.timestamp())
    if isinstance(value, list):
        return ValueList(str(item) for item in value)
    return str(value)


def _of_test(value: Value) -> Value:
    """Return a value that a test or service has supplied, a list or tuple as that of a key."""
    return keep_prepared(value) if isinstance(value, str) else ValueList(value)
