"""What is known of one request, from which the values of its condition keys are read."""

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
#: Actions on a key that may not exist yet; PutKeyPolicy is in the lockout safety check.
_ON_NEW_KEYS = ("kms:CreateKey", "kms:PutKeyPolicy")


class KeyAttributes(NamedTuple):
    """What condition keys say about a key, or of one that is to be made."""

    spec: str
    usage: str
    origin: str
    is_multi_region: bool
    is_replica: bool


def encryption_context(
    member: str | None, parameters: Mapping[str, Any], constraints: GrantConstraints | None
) -> Mapping[str, str] | None:
    """Give the encryption context of an action; None without one.

    member: the parameter that is it. constraints: of the grant that the action is about, whose
    pairs stand for it.
    """
    if member is not None:
        pairs: Mapping[str, str] | None = parameters.get(member)
        return pairs
    return None if constraints is None else constraints.equals or constraints.subset


@dataclass(slots=True, kw_only=True)
class Facts:
    """What is known of one request: all but the action can be unknown.

    action: such as ``kms:Decrypt``. principal: who makes it. identities: what is known of users,
    roles, sessions and organizations. key: that it is about. other_key: the other one of ReEncrypt,
    once it is located. primary: the key that a new one is to be a replica of. owner: the account of
    the resource. alias: the name that the request has for the key. parameters: those of the call,
    as the API has them; empty for a call that leaves out what it can. encryption_context: of the
    action. constraints: of the grant that is to be made or retired. attestation: gives what the
    attestation document of the request attests, if it has one that holds. region: where the action
    takes place. now: when. user_agent: of the client. overrides: further condition
    keys, which replace what the rest says.
    """

    action: str
    principal: Principal | None = None
    identities: Identities | None = None
    key: Key | None = None
    other_key: Key | None = None
    primary: Key | None = None
    owner: str | None = None
    alias: str | None = None
    parameters: Mapping[str, Any] | None = None
    encryption_context: Mapping[str, str] | None = None
    constraints: GrantConstraints | None = None
    attestation: Callable[[], Attestation | None] | None = None
    region: str | None = None
    now: datetime | None = None
    user_agent: str | None = None
    overrides: Mapping[str, str | list[str]] | None = None

    @property
    def account(self) -> str | None:
        """The account of the resource that the request is about."""
        return self.owner if self.key is None else self.key.account

    def parameter(self, member: str, default: Any = None) -> Any:
        """Give a parameter of the call, or what holds when it is left out; None when unknown."""
        return None if self.parameters is None else self.parameters.get(member, default)

    def key_attributes(self) -> KeyAttributes | None:
        """Give what is known of the key, or of the one that is to be made."""
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
