"""The operations of the KMS API: what AWS tabulates about each, as data.

`kmsmock.operations` declares an operation next to the function that carries it out, and registers
the facts here when it is imported. What lies below it (authorization, ledger, the protocol) reads
them here at run time. No other list of operations exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cache
from typing import Any


class KeyNaming(Enum):
    """How an operation names the key that it acts on.

    Source: AWS KMS API Reference, KeyId of each operation.
    """

    #: By key id, key ARN, alias name or alias ARN.
    ANY_IDENTIFIER = auto()
    #: By key id or key ARN.
    ID_OR_ARN = auto()
    #: By the ciphertext, and optionally by any identifier.
    CIPHERTEXT = auto()
    #: By an alias that the operation is about.
    OWN_ALIAS = auto()
    #: By its ARN and a grant id, or by a grant token.
    GRANT = auto()
    #: As a related multi-Region key of another one.
    RELATED_KEY = auto()

    @property
    def takes_alias(self) -> bool:
        """Whether a request can name the key by an alias, so that it has kms:RequestAlias."""
        return self in (KeyNaming.ANY_IDENTIFIER, KeyNaming.CIPHERTEXT)


class ManagedKeyUse(Enum):
    """Who may perform an action on an AWS managed key, as far as KMS lets anybody.

    Source: AWS KMS Developer Guide, "AWS managed keys".
    """

    NOBODY = auto()
    SERVICES = auto()
    ANYBODY = auto()


@dataclass(frozen=True, slots=True)
class Permission:
    """An IAM action that an operation needs to be allowed, on one resource.

    action: such as ``kms:Decrypt``. naming: how the request names the key; None for actions that
    are not about one key. key_member: the parameter that names it. works_across_accounts: whether
    the key can be another account's. grant_order: the place among the operations that a grant can
    allow, in the order in which KMS lists them; None for those that no grant can. context_member:
    the parameter that is the encryption context, if the action has one. managed_key_use: who may do
    it with an AWS managed key. is_about_grant: whether its encryption context is that of the
    constraints of a grant.

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

#: Stands, among the elements of an answer, for the key that the call changed.
KEY = "KeyId"
#: Stands for that key by the name that the caller gave it.
KEY_AS_GIVEN = "KeyId as given"


class AliasPlace(Enum):
    """Where the alias stands among the resources of a record about one."""

    FIRST = auto()
    LAST = auto()


@dataclass(frozen=True, slots=True)
class TrailMembers:
    """What CloudTrail shows of one operation, by the names of the API.

    Plaintexts, ciphertexts, messages, signatures, tokens and secrets are in none of the members, so
    that no record holds them.

    request: members of the request, in the order in which they are shown. is_read_only: whether it
    changes nothing. response: members of the answer that are kept. elements: what is shown of the
    answer, in this order: some of the members of response, and `KEY` or `KEY_AS_GIVEN`. defaults:
    what is shown of members that were not given. synonyms: members that are shown with one and the
    same value, whichever was given. shows_key_of_ciphertext: whether the key that a ciphertext
    named is shown like one that was given. shows_key_store: whether the custom key store is shown.
    shows_key_type: whether event history tells that the resource is a key, although the operation
    only reads. alias_place: of operations on aliases. hides_request_of_services, and
    hides_response_of_others: of what services ask, and others are answered, nothing is shown.
    shows_grant: whether the grant that was ended is shown.

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
    alias_place: AliasPlace | None = None
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
    """Describe the record of an operation that changes nothing; see `TrailMembers`."""
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
    alias_place: AliasPlace | None = None,
    hides_request_of_services: bool = False,
    hides_response_of_others: bool = False,
    shows_grant: bool = False,
) -> TrailMembers:
    """Describe the record of an operation that changes something; see `TrailMembers`.

    shows: members of the answer that are shown; for most operations that is nothing but the key.
    """
    return TrailMembers(
        request,
        is_read_only=False,
        response=tuple(name for name in shows if name not in (KEY, KEY_AS_GIVEN)),
        elements=shows,
        defaults=defaults or {},
        synonyms=synonyms,
        alias_place=alias_place,
        hides_request_of_services=hides_request_of_services,
        hides_response_of_others=hides_response_of_others,
        shows_grant=shows_grant,
    )


# --- prices, quotas, pages ------------------------------------------------------------------


class PriceClass(Enum):
    """What the price of a request depends on. Source: AWS KMS pricing page."""

    STANDARD = auto()
    BY_KEY_SPEC = auto()
    BY_PAIR_SPEC = auto()


class QuotaGroup(Enum):
    """What request quota a request counts against, for each account and Region.

    Source: AWS KMS Developer Guide, "Request quotas".
    """

    #: A quota that cryptographic operations share, by the key spec: symmetric and HMAC keys, RSA,
    #: ECC and SM2, ML-DSA, ML-KEM; and besides it that of the custom key store.
    CRYPTOGRAPHIC = auto()
    #: A quota that two operations share, by the spec of the data key pair.
    DATA_KEY_PAIR = auto()
    #: A quota of the operation itself.
    OWN = auto()


@dataclass(frozen=True, slots=True)
class RequestQuota:
    """The request quota of an operation.

    group: which quota. per_second: the default value of an operation's own quota; those that are
    shared depend on Region and spec. region_member: the parameter that names another Region in
    which requests count, too. counts_there: operation -> how many requests of it one call is there.
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
    """Describe a quota of the operation itself; see `RequestQuota`."""
    return RequestQuota(QuotaGroup.OWN, count, region_member, counts_there or {})


@dataclass(frozen=True, slots=True)
class PageSizes:
    """How many entries a page of a list has: by default, and at most.

    Source: AWS KMS API Reference, Limit of each operation.
    """

    default: int
    most: int


# --- the table ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationFacts:
    """What AWS tabulates about one operation.

    permissions: one for each resource that it acts on, in the order in which they are decided.
    trail: what CloudTrail shows. is_cryptographic: whether it is a cryptographic use of its keys,
    which GetKeyLastUsage counts. is_routine: whether it belongs to the use of keys, and not to
    setting them up, although it changes something. puts_policy: whether the caller must be able to
    change the key policy that it gives (the lockout safety check). hands_out: the member of the
    answer that is a plaintext. pages: of lists. is_plain: whether it needs nothing but the
    permission of its own name, on its key or on none, with the encryption context of the request.
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
    is_plain: bool = False

    @property
    def key_permissions(self) -> tuple[Permission, ...]:
        """The permissions that are decided on a key, in the order of the keys of a call."""
        return tuple(p for p in self.permissions if p.naming is not None)


#: Name -> facts. Filled when `kmsmock.operations` is imported.
OPERATION_FACTS: dict[str, OperationFacts] = {}
_OTHER = Permission("")


def register(facts: OperationFacts) -> None:
    """Take an operation into the table."""
    OPERATION_FACTS[facts.name] = facts
    permissions.cache_clear()


def unregister(name: str) -> None:
    """Remove an operation from the table, which tests of made-up operations do."""
    del OPERATION_FACTS[name]
    permissions.cache_clear()


@cache
def permissions() -> dict[str, Permission]:
    """Give the facts of all IAM actions of KMS, by their names.

    Where several operations need one action, or one needs it twice, those of the key count.
    """
    if not OPERATION_FACTS:
        raise RuntimeError("nothing is known of operations before kmsmock.operations is imported")
    found: dict[str, Permission] = {}
    for facts in OPERATION_FACTS.values():
        for permission in facts.permissions:
            known = found.get(permission.action)
            if known is None or known.naming is None:
                found[permission.action] = permission
    return found


def permission_of(action: str) -> Permission:
    """Give the facts of an IAM action; of what is none of KMS's operations nothing is known."""
    return permissions().get(action, _OTHER)
