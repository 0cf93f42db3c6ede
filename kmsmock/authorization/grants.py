"""Grants: permissions on one key that are given to a principal beside the policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class GrantConstraints:
    """What a request must bring for a grant to apply.

    equals: the whole encryption context; subset: pairs that it must hold; source_arn: the value
    of ``aws:SourceArn``.
    """

    equals: Mapping[str, str] | None = None
    subset: Mapping[str, str] | None = None
    source_arn: str | None = None

    def allow_context(self, context: Mapping[str, str] | None) -> bool:
        """Tell whether an encryption context meets the constraints."""
        given = context or {}
        if self.equals is not None and dict(given) != dict(self.equals):
            return False
        return self.subset is None or self.subset.items() <= given.items()


@dataclass(frozen=True, slots=True)
class GrantTerms:
    """What a grant says; two grants of one name with the same terms are one grant.

    Principals are ARNs, or service principals where the name says so.
    """

    operations: tuple[str, ...]
    grantee_principal: str | None = None
    grantee_service_principal: str | None = None
    retiring_principal: str | None = None
    retiring_service_principal: str | None = None
    constraints: GrantConstraints | None = None
    name: str | None = None


@dataclass(slots=True, eq=False)
class Grant:
    """One grant on a key. tokens: those handed out for it, never shown again."""

    grant_id: str
    key_arn: str
    key_id: str
    terms: GrantTerms
    issuing_account: str
    creation_date: datetime
    sequence: int
    tokens: list[str] = field(default_factory=list)

    @property
    def retirers(self) -> frozenset[str]:
        """The principals who may retire the grant by its own terms."""
        terms = self.terms
        named = {terms.retiring_principal, terms.retiring_service_principal}
        if "RetireGrant" in terms.operations:
            named |= {terms.grantee_principal, terms.grantee_service_principal}
        return frozenset(name for name in named if name is not None)
