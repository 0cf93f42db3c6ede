"""Checks of operation and action names in tests, since a misspelt name would match nothing."""

from __future__ import annotations

from collections.abc import Collection

from kmsmock.aws.operations import OPERATION_FACTS, permissions
from kmsmock.misuse.suggestions import did_you_mean, get_nearest

#: An action that only a service-linked role needs, and no operation.
_SYNCHRONIZE = "SynchronizeMultiRegionKey"
_PREFIX = "kms:"


def require_operation(name: str, others: Collection[str] = ()) -> None:
    """Require the name of an operation, or one of others; raises ValueError with a suggestion."""
    if name not in OPERATION_FACTS and name not in others:
        raise ValueError(f"KMS has no operation {name!r}{_hint(name, (*OPERATION_FACTS, *others))}")


def require_action(name: str) -> None:
    """Require an action of KMS, such as ``kms:Decrypt``; actions of other services are accepted."""
    known = (*(action.removeprefix(_PREFIX) for action in permissions()), _SYNCHRONIZE)
    is_of_kms = name.lower().startswith(_PREFIX)
    if is_of_kms and not (name.startswith(_PREFIX) and name.removeprefix(_PREFIX) in known):
        meant = get_nearest(name.rpartition(":")[2], known)
        hint = "" if meant is None else f"; did you mean {_PREFIX + meant!r}?"
        raise ValueError(f"KMS has no action {name!r}{hint}")


def _hint(name: str, known: Collection[str]) -> str:
    """Suggest a known name for one in any spelling, such as that of a boto3 method or an action."""
    return did_you_mean(name.rpartition(":")[2], known)
