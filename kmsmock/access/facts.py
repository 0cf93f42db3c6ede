"""The facts about a request, from which the values of its condition keys are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from kmsmock.authorization.grants import GrantConstraints
from kmsmock.aws.principals import Principal
from kmsmock.crypto.attestation import Attestation
from kmsmock.identities.directory import Identities
from kmsmock.keys.key import Key

_SYMMETRIC = "SYMMETRIC_DEFAULT"
#: Actions on a key that may not exist yet; PutKeyPolicy for the lockout safety check of CreateKey.
_ON_NEW_KEYS = ("kms:CreateKey", "kms:PutKeyPolicy")


class KeyAttributes(NamedTuple):
    """The attributes of a key, or of one that is to be created, that condition keys are about."""

    spec: str
    usage: str
    origin: str
    is_multi_region: bool
    is_replica: bool


def encryption_context(
    member: str | None, parameters: Mapping[str, Any], constraints: GrantConstraints | None
) -> Mapping[str, str] | None:
    """Return the encryption context that applies to an action; None if it has none.

    member: the parameter that has the encryption context. constraints: of the grant that the
    action is about; used if member is None.
    """
    if member is not None:
        pairs: Mapping[str, str] | None = parameters.get(member)
        return pairs
    return None if constraints is None else constraints.equals or constraints.subset


@dataclass(slots=True, kw_only=True)
class Facts:
    """The facts about a request; all except the action can be unknown (None)."""

    #: The action, such as ``kms:Decrypt``.
    action: str
    #: The caller.
    principal: Principal | None = None
    #: Users, roles, sessions and organizations.
    identities: Identities | None = None
    #: The key that the request is about.
    key: Key | None = None
    #: The other key of ReEncrypt, once it is located.
    other_key: Key | None = None
    #: The primary key of a replica that is to be created.
    primary: Key | None = None
    #: The account id of the resource.
    owner: str | None = None
    #: The alias by which the request names the key.
    alias: str | None = None
    #: The parameters of the call, as in the API; empty for a call with default values only.
    parameters: Mapping[str, Any] | None = None
    #: The encryption context of the action.
    encryption_context: Mapping[str, str] | None = None
    #: The constraints of the grant that is created or retired.
    constraints: GrantConstraints | None = None
    #: Returns the content of the request's attestation document, or None if absent or invalid.
    attestation: Callable[[], Attestation | None] | None = None
    #: The name of the Region in which the action takes place.
    region: str | None = None
    #: The time of the request.
    now: datetime | None = None
    #: The User-Agent header of the client.
    user_agent: str | None = None
    #: Condition key -> value that takes precedence over all other facts.
    overrides: Mapping[str, str | list[str]] | None = None

    @property
    def account(self) -> str | None:
        """The account id of the resource that the request is about."""
        return self.owner if self.key is None else self.key.account

    def parameter(self, member: str, default: Any = None) -> Any:
        """Return a parameter of the call; the default if absent; None if parameters are unknown."""
        return None if self.parameters is None else self.parameters.get(member, default)

    def get_key_attributes(self) -> KeyAttributes | None:
        """Return the attributes of the key, or of the one to be created; None if unknown."""
        key = self.key
        if key is not None:
            return KeyAttributes(
                key.spec.name,
                key.usage.value,
                key.origin.value,
                key.multi_region is not None,
                key.is_replica,
            )
        if self.action not in _ON_NEW_KEYS:
            return None
        primary, parameters = self.primary, self.parameters
        if primary is not None:
            spec, usage, origin = primary.spec.name, primary.usage.value, primary.origin.value
            return KeyAttributes(spec, usage, origin, is_multi_region=True, is_replica=True)
        if parameters is None:
            return None
        return KeyAttributes(
            parameters.get("KeySpec") or parameters.get("CustomerMasterKeySpec", _SYMMETRIC),
            parameters.get("KeyUsage", "ENCRYPT_DECRYPT"),
            parameters.get("Origin", "AWS_KMS"),
            is_multi_region=parameters.get("MultiRegion", False),
            is_replica=False,
        )
