"""What tests pass to say which key or account they mean: texts, objects and responses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kmsmock.aws.arns import Arn, is_account_id, looks_like_arn
from kmsmock.misuse.values import describe

#: Members of responses that have the metadata of a key.
_METADATA = ("KeyMetadata", "ReplicaKeyMetadata")
#: Members of responses, of key metadata and of list entries that name a key or an alias, the most
#: exact first. Source: AWS KMS API Reference.
_NAMING = ("Arn", "KeyArn", "AliasArn", "KeyId", "AliasName")


def read_key_reference(value: object, name: str = "key") -> str:
    """Return the key id, key ARN, alias name or alias ARN by which a value names a key.

    value: such a text; an object with an ``arn``, such as a `KmsKey`, an item of ``kms.keys`` or
    ``kms.aliases``; key metadata, an entry of ListKeys or ListAliases, or a response that has one
    of these or a KeyId. name: of the argument. Raises TypeError for other values, ValueError for a
    text that is empty or the ARN of something else.
    """
    reference = _get_reference(value)
    if reference is None:
        detail = f" ({describe(value)})" if isinstance(value, Mapping) else ""
        raise TypeError(
            f"{name} must be an id, ARN or alias, not {type(value).__name__}{detail}; accepted are "
            "also key metadata, responses that name a key, and objects with the arn of a key"
        )
    arn = Arn.parse(reference)
    if not reference or (looks_like_arn(reference) and (arn is None or arn.key_or_alias is None)):
        raise ValueError(
            f"{name} must be an id, ARN or alias of a key; {describe(reference)} is none of these"
        )
    return reference


def _get_reference(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if not isinstance(value, Mapping):
        arn: Any = getattr(value, "arn", None)
        return arn if isinstance(arn, str) else None
    inner = next((value[member] for member in _METADATA if member in value), value)
    if not isinstance(inner, Mapping):
        return None
    named = (inner[member] for member in _NAMING if isinstance(inner.get(member), str))
    return next(named, None)


def read_account_id(value: object, name: str = "account") -> str:
    """Return an account id. value: a string of 12 digits, or an object with such an ``id``.

    name: of the argument. Raises TypeError, ValueError.
    """
    account_id: Any = value if isinstance(value, str) else getattr(value, "id", None)
    if not isinstance(account_id, str):
        raise TypeError(
            f"{name} must be a string of 12 digits or an account, not {describe(value)}"
        )
    if not is_account_id(account_id):
        raise ValueError(f"{name} must be a string of 12 digits, not {describe(account_id)}")
    return account_id
