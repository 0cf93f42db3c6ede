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

    Source: AWS KMS Developer Guide, "AWS KMS permissions".
    """

    #: The IAM action, such as ``kms:Decrypt``.
    action: str
    #: How the request names the key; None for actions that are not about one key.
    naming: KeyNaming | None = None
    #: The parameter that names the key.
    key_member: str | None = None
    #: Whether the key can belong to another account.
    works_across_accounts: bool = False
    #: The position in AWS's list of grant operations; None if grants cannot allow the action.
    grant_order: int | None = None
    #: The parameter that has the encryption context, if there is one.
    context_member: str | None = None
    #: Who can be allowed the action on an AWS managed key.
    managed_key_use: ManagedKeyUse = ManagedKeyUse.NOBODY
    #: Whether kms:EncryptionContext condition keys have the context in the constraints of the
    #: request's grant, instead of the encryption context of the request.
    context_from_grant_constraints: bool = False

    @property
    def takes_alias(self) -> bool:
        """Whether a request can name the key by an alias."""
        return self.naming is not None and self.naming.takes_alias


# --- CloudTrail -----------------------------------------------------------------------------

#: In `TrailMembers.elements`: keyId is the ARN of the key that the call changed.
CHANGED_KEY_ARN = "ARN of the changed key"
#: In `TrailMembers.elements`: keyId is the KeyId of the request, unchanged.
REQUESTED_KEY_ID = "KeyId of the request"


class AliasPosition(Enum):
    """The position of the alias among the resources of a CloudTrail record."""

    FIRST = auto()
    LAST = auto()


@dataclass(frozen=True, slots=True)
class TrailMembers:
    """The members of requests and responses that CloudTrail shows for an operation.

    Plaintexts, ciphertexts, messages, signatures, tokens and secrets are not among them, so that no
    record contains them.

    Source: AWS KMS Developer Guide, "Logging AWS KMS API calls with CloudTrail".
    """

    #: The members in requestParameters, in AWS's order.
    request: tuple[str, ...]
    #: Whether the operation changes nothing.
    is_read_only: bool = True
    #: The response members whose values are recorded.
    response: tuple[str, ...] = ()
    #: The members in responseElements, in AWS's order: names from `response`, and
    #: `CHANGED_KEY_ARN` or `REQUESTED_KEY_ID`.
    elements: tuple[str, ...] = ()
    #: Request member -> the value that is shown if the request does not have it.
    defaults: Mapping[str, Any] = field(default_factory=dict)
    #: Request members that have the same value, whichever of them was in the request.
    synonyms: tuple[str, ...] = ()
    #: Whether a key that only the ciphertext identified is shown as KeyId.
    shows_key_of_ciphertext: bool = False
    #: Whether additionalEventData has the custom key store of the key.
    shows_key_store: bool = False
    #: Whether event history shows the resource type although the operation is read-only.
    shows_key_type: bool = False
    #: For operations on aliases: the position of the alias among the resources.
    alias_position: AliasPosition | None = None
    #: Whether requestParameters is null if a service principal is the caller.
    hides_request_of_services: bool = False
    #: Whether responseElements is null unless a service principal is the caller.
    shows_response_to_services_only: bool = False
    #: Whether additionalEventData has the id of the grant that the call deleted.
    shows_deleted_grant_id: bool = False


def read_event(
    *request: str,
    defaults: Mapping[str, Any] | None = None,
    shows_key_of_ciphertext: bool = False,
    shows_key_store: bool = False,
    shows_key_type: bool = False,
) -> TrailMembers:
    """Return what CloudTrail shows for an operation that changes nothing; see `TrailMembers`."""
    return TrailMembers(
        request,
        defaults=defaults or {},
        shows_key_of_ciphertext=shows_key_of_ciphertext,
        shows_key_store=shows_key_store,
        shows_key_type=shows_key_type,
    )


def write_event(
    *request: str,
    shows: tuple[str, ...] = (CHANGED_KEY_ARN,),
    defaults: Mapping[str, Any] | None = None,
    synonyms: tuple[str, ...] = (),
    alias_position: AliasPosition | None = None,
    hides_request_of_services: bool = False,
    shows_response_to_services_only: bool = False,
    shows_deleted_grant_id: bool = False,
) -> TrailMembers:
    """Return what CloudTrail shows for an operation that changes something; see `TrailMembers`.

    shows: `TrailMembers.elements`; for most operations just the ARN of the key.
    """
    return TrailMembers(
        request,
        is_read_only=False,
        response=tuple(name for name in shows if name not in (CHANGED_KEY_ARN, REQUESTED_KEY_ID)),
        elements=shows,
        defaults=defaults or {},
        synonyms=synonyms,
        alias_position=alias_position,
        hides_request_of_services=hides_request_of_services,
        shows_response_to_services_only=shows_response_to_services_only,
        shows_deleted_grant_id=shows_deleted_grant_id,
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
    """The request quota of an operation."""

    group: QuotaGroup
    #: The default value of an operation's own quota; None for shared quotas, which depend on the
    #: Region and key spec.
    per_second: int | None = None
    #: The parameter that names another Region in which a call also counts.
    region_member: str | None = None
    #: Operation -> how many of its requests one call counts as in that Region.
    counted_there: Mapping[str, int] = field(default_factory=dict)


CRYPTOGRAPHIC = RequestQuota(QuotaGroup.CRYPTOGRAPHIC)
DATA_KEY_PAIR = RequestQuota(QuotaGroup.DATA_KEY_PAIR)


def per_second(
    count: int, region_member: str | None = None, counted_there: Mapping[str, int] | None = None
) -> RequestQuota:
    """Return the request quota of a single operation; see `RequestQuota`.

    count: requests per second.
    """
    return RequestQuota(QuotaGroup.OWN, count, region_member, counted_there or {})


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
    """The facts that AWS documents about an operation."""

    name: str
    #: One for each resource, in the order in which they are checked.
    permissions: tuple[Permission, ...]
    #: What CloudTrail shows of the request and the response.
    trail: TrailMembers
    quota: RequestQuota
    price: PriceClass = PriceClass.STANDARD
    #: Whether it is a cryptographic operation, so that GetKeyLastUsage reports it.
    is_cryptographic: bool = False
    #: Whether it changes state, but counts as use of a key for cost projections, such as
    #: CreateGrant.
    is_use_of_keys: bool = False
    #: Whether the request has a key policy that undergoes the lockout safety check.
    puts_policy: bool = False
    #: The response member that is a plaintext, if there is one.
    hands_out: str | None = None
    #: The page sizes of a list operation.
    pages: PageSizes | None = None
    #: Whether it only requires the action with its own name, on one key or ``*``, with the
    #: encryption context of the request.
    needs_only_same_named_action: bool = False
    #: Whether it changes nothing, and answers the same request with the same answer.
    is_repeatable: bool = False

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


def find_permission(action: str) -> Permission:
    """Return the permission of an IAM action; an empty one for actions that KMS does not have."""
    return permissions().get(action, _OTHER)
