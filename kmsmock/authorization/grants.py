"""Grants: permissions on one key for a principal, in addition to the policies.

Source: AWS KMS Developer Guide, "Grants in AWS KMS"; API Reference, GrantConstraints.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from kmsmock.authorization.principal_element import Match, match_name
from kmsmock.aws.operations import find_permission
from kmsmock.aws.principals import Principal, PrincipalKind


def has_context(operation: str) -> bool:
    """Return whether an operation has an encryption context, which grant constraints compare."""
    return find_permission(f"kms:{operation}").context_member is not None


@dataclass(frozen=True, slots=True)
class GrantConstraints:
    """What a request must bring for a grant to apply."""

    #: The encryption context that the request must have (EncryptionContextEquals).
    equals: Mapping[str, str] | None = None
    #: Pairs that its encryption context must contain (EncryptionContextSubset).
    subset: Mapping[str, str] | None = None
    #: The ``aws:SourceArn`` that it must have.
    source_arn: str | None = None

    def allow_context(self, context: Mapping[str, str] | None) -> bool:
        """Return whether an encryption context meets the constraints.

        Source: API Reference, GrantConstraints: names of pairs match in any case, values do not.
        """
        pairs = pairs_of(context)
        if self.equals is not None and pairs != pairs_of(self.equals):
            return False
        return self.subset is None or pairs_of(self.subset) <= pairs

    def allow_child(self, child: GrantConstraints | None) -> bool:
        """Return whether the constraints of a grant made by this one are at least as strict."""
        theirs = child or GrantConstraints()
        if self.source_arn not in (None, theirs.source_arn):
            return False
        if self.equals is not None:
            return theirs.equals is not None and pairs_of(theirs.equals) == pairs_of(self.equals)
        if self.subset is None:
            return True
        pairs = theirs.equals if theirs.equals is not None else theirs.subset
        return pairs is not None and pairs_of(self.subset) <= pairs_of(pairs)


def pairs_of(context: Mapping[str, str] | None) -> frozenset[tuple[str, str]]:
    """Return an encryption context as constraints compare it: names in lower case."""
    return frozenset((name.lower(), value) for name, value in (context or {}).items())


@dataclass(frozen=True, slots=True)
class GrantTerms:
    """What a grant says; two grants of one name with the same terms are one grant.

    Principals are ARNs, or service principals where the name says so. unique_ids: ARN -> id of
    the user or role behind it when the grant was made.
    """

    operations: tuple[str, ...]
    grantee_principal: str | None = None
    grantee_service_principal: str | None = None
    retiring_principal: str | None = None
    retiring_service_principal: str | None = None
    constraints: GrantConstraints | None = None
    name: str | None = None
    unique_ids: Mapping[str, str] = field(default_factory=dict)

    def key(self) -> Hashable:
        """Return what equal terms have in common, and no others, to find them in a dict."""
        constraints = self.constraints or GrantConstraints()
        return (
            *(self.name, self.operations, self.grantee_principal, self.grantee_service_principal),
            *(self.retiring_principal, self.retiring_service_principal),
            *(self.constraints is None, constraints.source_arn),
            *map(_items, (constraints.equals, constraints.subset, self.unique_ids)),
        )

    def cover(self, child: GrantTerms) -> bool:
        """Return whether one who holds these terms may give the child's."""
        if not set(child.operations) <= set(self.operations):
            return False
        return self.constraints is None or self.constraints.allow_child(child.constraints)


def _items(pairs: Mapping[str, str] | None) -> frozenset[tuple[str, str]] | None:
    return None if pairs is None else frozenset(pairs.items())


@dataclass(slots=True, eq=False)
class Grant:
    """One grant on a key. tokens: the grant tokens that CreateGrant returned."""

    grant_id: str
    key_arn: str
    key_id: str
    terms: GrantTerms
    issuing_account: str
    creation_date: datetime
    sequence: int
    tokens: list[str] = field(default_factory=list)

    @property
    def grantee(self) -> str:
        """The principal, or service principal, that the grant is for."""
        return self.terms.grantee_principal or self.terms.grantee_service_principal or ""

    @property
    def retiring_names(self) -> tuple[str, ...]:
        """The retiring principal and the retiring service principal that the grant has."""
        terms = self.terms
        both = (terms.retiring_principal, terms.retiring_service_principal)
        return tuple(name for name in both if name is not None)

    @property
    def retirers(self) -> frozenset[str]:
        """The principals who may retire the grant by its own terms."""
        terms = self.terms
        named = {terms.retiring_principal, terms.retiring_service_principal}
        if "RetireGrant" in terms.operations:
            named |= {terms.grantee_principal, terms.grantee_service_principal}
        return frozenset(name for name in named if name is not None)

    def match_grantee(self, principal: Principal) -> Match:
        """Return how the grantee matches a principal."""
        return self._match(principal, self.terms.grantee_principal, service=self.grantee)

    def match_retirer(self, principal: Principal) -> Match:
        """Return the closest match of a principal with those who can retire the grant."""
        return max(
            (self._match(principal, name, service=name) for name in self.retirers),
            default=Match.NONE,
        )

    def _match(self, principal: Principal, name: str | None, *, service: str) -> Match:
        if principal.kind is PrincipalKind.SERVICE:
            return Match.DIRECT if principal.arn == service else Match.NONE
        if name is None:
            return Match.NONE
        return match_name(principal, name, self.terms.unique_ids)

    def allows(
        self,
        operation: str,
        encryption_context: Mapping[str, str] | None,
        source_arn: Callable[[], str | None],
        child: GrantTerms | None,
    ) -> bool:
        """Return whether the grant lets its grantee do something.

        operation: the action without ``kms:``. source_arn: gives ``aws:SourceArn`` of the request.
        child: the terms of the grant that is to be made.
        """
        terms = self.terms
        if operation not in terms.operations:
            return False
        if operation == "CreateGrant" and (child is None or not terms.cover(child)):
            return False
        constraints = terms.constraints
        if constraints is None or operation == "RetireGrant":
            return True
        if has_context(operation) and not constraints.allow_context(encryption_context):
            return False
        return constraints.source_arn is None or constraints.source_arn == source_arn()


class EndedGrant(NamedTuple):
    """A grant that there is no more. how: ``revoked`` or ``retired``."""

    grant: Grant
    how: str
    at: datetime

    def __str__(self) -> str:
        return f"was {self.how} at {self.at:%Y-%m-%d %H:%M:%S} UTC"
