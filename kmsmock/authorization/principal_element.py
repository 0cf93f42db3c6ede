"""The Principal element: whom a statement of a resource policy means.

Source: IAM User Guide, "AWS JSON policy elements: Principal"; AWS KMS Developer Guide, "Key
policies in AWS KMS", on what naming the account does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from kmsmock.aws.arns import read_account_principal
from kmsmock.aws.principals import Principal, PrincipalKind


class Match(IntEnum):
    """How a statement or grant matches a principal, from not at all to without limits."""

    NONE = 0
    #: By its account, whose identity policies decide.
    DELEGATED = 1
    #: By its role or user, so that permissions boundary and session policies have to allow it too.
    LIMITED = 2
    #: By its own ARN, or as everybody.
    DIRECT = 3


def match_name(
    principal: Principal, name: str, unique_ids: Mapping[str, str] | None = None
) -> Match:
    """Return how a name in a policy or grant matches a principal.

    name: an ARN, an account, or ``*``. unique_ids: ARN -> id of the user or role that had it when
    the policy was put; one that was deleted and created again since is another.
    """
    if name == "*":
        return Match.DIRECT
    if name == principal.arn and principal.kind is not PrincipalKind.ROOT:
        return Match.DIRECT if _is_same(principal, name, unique_ids) else Match.NONE
    if name == principal.entity_arn:
        return Match.LIMITED if _is_same(principal, name, unique_ids) else Match.NONE
    account = read_account_principal(name)
    if account is None or account[1] != principal.account:
        return Match.NONE
    return Match.DELEGATED if account[0] in (None, principal.partition) else Match.NONE


def _is_same(principal: Principal, name: str, unique_ids: Mapping[str, str] | None) -> bool:
    bound = None if unique_ids is None else unique_ids.get(name)
    return bound is None or bound == principal.entity_id


@dataclass(frozen=True, slots=True)
class PrincipalElement:
    """A Principal or NotPrincipal element of a policy."""

    #: The AWS principals, as in the policy.
    names: tuple[str, ...]
    #: The service principals.
    services: frozenset[str]
    #: Whether it is a NotPrincipal element.
    negated: bool
    #: Whether the AWS principals include ``*``.
    is_everybody: bool
    #: (partition or None for any, account id) of the accounts among the AWS principals.
    accounts: frozenset[tuple[str | None, str]]
    #: The ARNs of users, roles and sessions among the AWS principals.
    arns: frozenset[str]

    @classmethod
    def of(cls, value: Any, *, negated: bool) -> PrincipalElement:
        """Read the element; ``Federated`` and ``CanonicalUser`` never match a caller of KMS."""
        element = {"AWS": value} if isinstance(value, str) else value
        names = tuple(_texts(element.get("AWS", [])))
        accounts = {
            name: account for name in names if (account := read_account_principal(name)) is not None
        }
        return cls(
            names,
            frozenset(_texts(element.get("Service", []))),
            negated,
            "*" in names,
            frozenset(accounts.values()),
            frozenset(names) - accounts.keys() - {"*"},
        )

    def match(
        self, principal: Principal, unique_ids: Mapping[str, str] | None, *, spares_nobody: bool
    ) -> Match:
        """Return how the element matches a principal; NotPrincipal spares those that it lists.

        Listing the account spares its root user alone: others have to be listed themselves, or
        by their role.
        """
        found = self._match(principal, unique_ids)
        if not self.negated:
            return found
        least = Match.DELEGATED if principal.kind is PrincipalKind.ROOT else Match.LIMITED
        return Match.NONE if found >= least and not spares_nobody else Match.DIRECT

    def _match(self, principal: Principal, unique_ids: Mapping[str, str] | None) -> Match:
        if self.is_everybody:
            return Match.DIRECT
        if principal.kind is PrincipalKind.SERVICE:
            return Match.DIRECT if principal.arn in self.services else Match.NONE
        arns = self.arns
        if arns:
            # Only these two names can match; the element may have thousands.
            for name in (principal.arn, principal.entity_arn):
                if name in arns and (match := match_name(principal, name, unique_ids)):
                    return match
        accounts = self.accounts
        account = principal.account
        if accounts and ((None, account) in accounts or (principal.partition, account) in accounts):
            return Match.DELEGATED
        return Match.NONE


def _texts(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
