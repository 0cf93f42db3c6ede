"""The table of KMS operations, with the facts that AWS documents about each.

`kmsmock.operations` declares each operation together with its handler, and registers the facts here
when it is imported. Lower packages (authorization, ledger, trail) read them from here at run time.
There is no other list of operations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cache
from typing import Any


class KeyNaming(Enum):
    """The key identifiers by which a request can name its key.

    Source: AWS KMS API Reference, KeyId of each operation.
    """

    #: By key id, key ARN, alias name or alias ARN.
    ANY_IDENTIFIER = auto()
    #: By key id or key ARN.
    ID_OR_ARN = auto()
    #: By the ciphertext, and optionally by any identifier.
    CIPHERTEXT = auto()
    #: By the alias that the operation changes.
    OWN_ALIAS = auto()
    #: By key ARN and grant id, or by grant token.
    GRANT = auto()
    #: By another key of the same multi-Region key.
    RELATED_KEY = auto()

    @property
    def takes_alias(self) -> bool:
        """Whether a request can name the key by an alias, and so have kms:RequestAlias."""
        return self in (KeyNaming.ANY_IDENTIFIER, KeyNaming.CIPHERTEXT)


class ManagedKeyUse(Enum):
    """Who can be allowed an action on an AWS managed key.

    Source: AWS KMS Developer Guide, "AWS managed keys".
    """

    NOBODY = auto()
    SERVICES = auto()
    ANYBODY = auto()


@dataclass(frozen=True, slots=True)
class Permission:
    """An IAM action that an operation requires on one resource.

    action: such as ``kms:Decrypt``. naming: how the request names the key; None for actions that
    are not about one key. key_member: the parameter that names it. works_across_accounts: whether
    the key can belong to another account. grant_order: the position in AWS's list of grant
    operations; None if grants cannot allow the action. context_member: the parameter that has the
    encryption context, if there is one. managed_key_use: who can be allowed it on an AWS managed
    key. is_about_grant: whether the encryption context is that of the constraints of a grant.

    Source: AWS KMS Developer Guide, "AWS KMS permissions".
    """

    action: str
    naming: KeyNaming | None = None
    key_member: str | None = None
    works_across_accounts: bool = False
    grant_order: int | None = None
    context_member: str | None = None
    managed_key_use: ManagedKeyUse = ManagedKeyUse.NOBODY
    is_about_grant: bool = False

    @property
    def takes_alias(self) -> bool:
        """Whether a request can name the key by an alias."""
        return self.naming is not None and self.naming.takes_alias


# --- CloudTrail -----------------------------------------------------------------------------

#: In `TrailMembers.elements`: the ARN of the key that the call changed.
KEY = "KeyId"
#: In `TrailMembers.elements`: the key identifier from the request.
KEY_AS_REQUESTED = "KeyId as requested"


class AliasPosition(Enum):
    """The position of the alias among the resources of a CloudTrail record."""

    FIRST = auto()
    LAST = auto()


@dataclass(frozen=True, slots=True)
class TrailMembers:
    """The members of requests and responses that CloudTrail shows for an operation.

    Plaintexts, ciphertexts, messages, signatures, tokens and secrets are not among them, so that no
    record contains them.

    request: the members in requestParameters, in AWS's order. is_read_only: whether the operation
    changes nothing. response: the response members that are recorded. elements: the members in
    responseElements, in AWS's order: some of the members in response, and `KEY` or
    `KEY_AS_REQUESTED`. defaults: the values of absent request members. synonyms: request members
    that have the same value, whichever of them was in the request. shows_key_of_ciphertext: whether
    a key that only the ciphertext identified is shown as KeyId. shows_key_store: whether the custom
    key store is shown. shows_key_type: whether event history shows the resource type although the
    operation is read-only. alias_position: for operations on aliases. hides_request_of_services:
    whether requests of services are hidden. hides_response_of_others: whether responses to other
    callers are hidden. shows_grant: whether the deleted grant is shown.

    Source: AWS KMS Developer Guide, "Logging AWS KMS API calls with CloudTrail".
    """

    request: tuple[str, ...]
    is_read_only: bool = True
    response: tuple[str, ...] = ()
    elements: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    synonyms: tuple[str, ...] = ()
    shows_key_of_ciphertext: bool = False
    shows_key_store: bool = False
    shows_key_type: bool = False
    alias_position: AliasPosition | None = None
    hides_request_of_services: bool = False
    hides_response_of_others: bool = False
    shows_grant: bool = False


def reads(
    *request: str,
    defaults: Mapping[str, Any] | None = None,
    shows_key_of_ciphertext: bool = False,
    shows_key_store: bool = False,
    shows_key_type: bool = False,
) -> TrailMembers:
    """Return the trail members of an operation that changes nothing; see `TrailMembers`."""
    return TrailMembers(
        request,
        defaults=defaults or {},
        shows_key_of_ciphertext=shows_key_of_ciphertext,
        shows_key_store=shows_key_store,
        shows_key_type=shows_key_type,
    )


def writes(
    *request: str,
    shows: tuple[str, ...] = (KEY,),
    defaults: Mapping[str, Any] | None = None,
    synonyms: tuple[str, ...] = (),
    alias_position: AliasPosition | None = None,
    hides_request_of_services: bool = False,
    hides_response_of_others: bool = False,
    shows_grant: bool = False,
) -> TrailMembers:
    """Return the trail members of an operation that changes something; see `TrailMembers`.

    shows: the response elements; for most operations just the key.
    """
    return TrailMembers(
        request,
        is_read_only=False,
        response=tuple(name for name in shows if name not in (KEY, KEY_AS_REQUESTED)),
        elements=shows,
        defaults=defaults or {},
        synonyms=synonyms,
        alias_position=alias_position,
        hides_request_of_services=hides_request_of_services,
        hides_response_of_others=hides_response_of_others,
        shows_grant=shows_grant,
    )


# --- prices, quotas, pages ------------------------------------------------------------------


class PriceClass(Enum):
    """What the price of a request depends on: nothing, the key spec, or the key pair spec.

    Source: AWS KMS pricing page.
    """

    STANDARD = auto()
    BY_KEY_SPEC = auto()
    BY_PAIR_SPEC = auto()


class QuotaGroup(Enum):
    """The request quota against which a request counts, for each account and Region.

    Source: AWS KMS Developer Guide, "Request quotas".
    """

    #: Shared by cryptographic operations, for each group of key specs: symmetric and HMAC, RSA,
    #: ECC and SM2, ML-DSA, ML-KEM; in addition to that of the custom key store.
    CRYPTOGRAPHIC = auto()
    #: Shared by two operations, for each spec of the data key pair.
    DATA_KEY_PAIR = auto()
    #: Of the operation alone.
    OWN = auto()


@dataclass(frozen=True, slots=True)
class RequestQuota:
    """The request quota of an operation.

    per_second: the default value of an operation's own quota; shared quotas depend on Region and
    spec. region_member: the parameter that names another Region in which requests count, too.
    counts_there: operation -> the number of its requests as which a call counts in that Region.
    """

    group: QuotaGroup
    per_second: int | None = None
    region_member: str | None = None
    counts_there: Mapping[str, int] = field(default_factory=dict)


CRYPTOGRAPHIC = RequestQuota(QuotaGroup.CRYPTOGRAPHIC)
DATA_KEY_PAIR = RequestQuota(QuotaGroup.DATA_KEY_PAIR)


def per_second(
    count: int, region_member: str | None = None, counts_there: Mapping[str, int] | None = None
) -> RequestQuota:
    """Return the quota of a single operation; see `RequestQuota`. count: requests per second."""
    return RequestQuota(QuotaGroup.OWN, count, region_member, counts_there or {})


@dataclass(frozen=True, slots=True)
class PageSizes:
    """The default and maximum number of entries on a page of a list.

    Source: AWS KMS API Reference, Limit of each operation.
    """

    default: int
    maximum: int


# --- the table ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationFacts:
    """The facts that AWS documents about an operation.

    permissions: one for each resource, in the order in which they are checked. trail: what
    CloudTrail shows. is_cryptographic: whether it is a cryptographic operation, which
    GetKeyLastUsage shows. is_routine: whether it is part of the use of keys, and not of their
    management, although it changes something. puts_policy: whether its key policy undergoes the
    lockout safety check. hands_out: the response member that is a plaintext. pages: for list
    operations. is_own_action_only: whether it requires just the action with its own name, on one
    key or none, with the encryption context of the request.
    """

    name: str
    permissions: tuple[Permission, ...]
    trail: TrailMembers
    quota: RequestQuota
    price: PriceClass = PriceClass.STANDARD
    is_cryptographic: bool = False
    is_routine: bool = False
    puts_policy: bool = False
    hands_out: str | None = None
    pages: PageSizes | None = None
    is_own_action_only: bool = False

    @property
    def key_permissions(self) -> tuple[Permission, ...]:
        """The permissions that are about a key, in the order of the keys of a call."""
        return tuple(p for p in self.permissions if p.naming is not None)


#: Operation name -> facts. Filled when `kmsmock.operations` is imported.
OPERATION_FACTS: dict[str, OperationFacts] = {}
_OTHER = Permission("")


def register(facts: OperationFacts) -> None:
    """Add an operation to the table."""
    OPERATION_FACTS[facts.name] = facts
    permissions.cache_clear()


def unregister(name: str) -> None:
    """Remove an operation from the table, for tests that have declared one."""
    del OPERATION_FACTS[name]
    permissions.cache_clear()


@cache
def permissions() -> dict[str, Permission]:
    """Return IAM action -> permission, for all actions of KMS.

    If an action is required for a key and for another resource, it is the permission for the key.
    """
    if not OPERATION_FACTS:
        raise RuntimeError("import kmsmock.operations first, which registers the operations")
    by_action: dict[str, Permission] = {}
    for facts in OPERATION_FACTS.values():
        for permission in facts.permissions:
            known = by_action.get(permission.action)
            if known is None or known.naming is None:
                by_action[permission.action] = permission
    return by_action


def permission_of(action: str) -> Permission:
    """Return the permission of an IAM action; an empty one for actions that KMS does not have."""
    return permissions().get(action, _OTHER)
