"""The grants on one key, found by what a request brings, so that many do not make one slow.

Only grants whose grantee, operation and constraints can fit a request are looked at, and of those
that say the same only the oldest. Which of them allow it, `Grant` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

from kmsmock.authorization.grant_contexts import GrantsByContext
from kmsmock.authorization.grants import EndedGrant, Grant, GrantTerms, has_context, pairs_of
from kmsmock.authorization.principal_element import Match
from kmsmock.authorization.request import Request
from kmsmock.aws.arns import root_arn
from kmsmock.aws.principals import Principal

_ENDED_KEPT = 20
_ById = dict[str, Grant]
#: Operations, issuing account, and unique id of the grantee: what makes grants of one name alike,
#: but for their constraints.
_Kind = tuple[frozenset[str], str, str | None]


class _OfGrantee:
    """The grants of one grantee name, oldest first, and by kind and required ``aws:SourceArn``."""

    __slots__ = ("by_id", "by_kind")

    def __init__(self) -> None:
        self.by_id: _ById = {}
        self.by_kind: dict[_Kind, dict[str | None, GrantsByContext]] = {}

    def add(self, grant: Grant) -> None:
        """Add a grant."""
        self.by_id[grant.grant_id] = grant
        by_source = self.by_kind.setdefault(_kind(grant), {})
        source = _wanted_source(grant.terms)
        by_context = by_source.get(source)
        if by_context is None:
            by_context = by_source[source] = GrantsByContext()
        by_context.add(grant)

    def remove(self, grant: Grant) -> None:
        """Remove a grant, which must be one of these."""
        del self.by_id[grant.grant_id]
        kind, source = _kind(grant), _wanted_source(grant.terms)
        by_source = self.by_kind[kind]
        by_context = by_source[source]
        by_context.remove(grant)
        if not by_context.by_id:
            del by_source[source]
            if not by_source:
                del self.by_kind[kind]


class Grants:
    """The grants on one key, oldest first: by id, by grantee, and by terms."""

    __slots__ = ("_by_grantee", "_by_id", "_by_terms", "ended")

    def __init__(self) -> None:
        # Made with the first grant: most keys have none, and there may be 100,000 keys.
        self._by_id: _ById | None = None
        self._by_grantee: dict[str, _OfGrantee] = _NO_GRANTEES
        #: Only those with a name.
        self._by_terms: dict[Any, _ById] = _NO_TERMS
        #: The last grants that have ended, the newest first, for explanations.
        self.ended: tuple[EndedGrant, ...] = ()

    def __len__(self) -> int:
        return len(self._by_id or ())

    def __iter__(self) -> Iterator[Grant]:
        return iter((self._by_id or {}).values())

    def get(self, grant_id: str) -> Grant | None:
        """Find a grant by its id."""
        return (self._by_id or {}).get(grant_id)

    def with_terms(self, terms: GrantTerms) -> Grant | None:
        """Find the grant of this name and with these terms; None for terms without a name."""
        if terms.name is None:
            return None
        return next(iter(self._by_terms.get(terms.key(), _NO_GRANTS).values()), None)

    def of_grantee(self, name: str) -> list[Grant]:
        """Return the grants of a grantee, by the name that they have for it, oldest first."""
        found = self._by_grantee.get(name)
        return [] if found is None else list(found.by_id.values())

    def add(self, grant: Grant) -> None:
        """Add a grant, unless it is one of these."""
        if self._by_id is None:
            self._by_id, self._by_grantee, self._by_terms = {}, {}, {}
        if grant.grant_id in self._by_id:
            return
        self._by_id[grant.grant_id] = grant
        self._by_grantee.setdefault(grant.grantee, _OfGrantee()).add(grant)
        if grant.terms.name is not None:
            self._by_terms.setdefault(grant.terms.key(), {})[grant.grant_id] = grant

    def end(self, ended: EndedGrant) -> None:
        """Remove a grant, which must be one of these, and remember that it has ended."""
        self.remove(ended.grant)
        self.ended = (ended, *self.ended[: _ENDED_KEPT - 1])

    def remove(self, grant: Grant) -> None:
        """Remove a grant, which must be one of these."""
        assert self._by_id is not None
        del self._by_id[grant.grant_id]
        of_grantee = self._by_grantee[grant.grantee]
        of_grantee.remove(grant)
        if not of_grantee.by_id:
            del self._by_grantee[grant.grantee]
        if grant.terms.name is not None:
            key = grant.terms.key()
            del self._by_terms[key][grant.grant_id]
            if not self._by_terms[key]:
                del self._by_terms[key]

    def replace_all(self, grants: Sequence[Grant]) -> None:
        """Have only these grants, oldest first, as if none had ended."""
        self.ended = ()
        if not self._by_id or all(map(self._by_id.__contains__, (one.grant_id for one in grants))):
            kept = {grant.grant_id for grant in grants}
            for grant in [grant for grant in self if grant.grant_id not in kept]:
                self.remove(grant)
        else:
            self._by_id, self._by_grantee, self._by_terms = {}, {}, {}
        for grant in grants:
            self.add(grant)

    def naming(self, principal: Principal) -> GrantsOfPrincipal:
        """Return the grants whose grantee can match a principal: its ARN, its role, its account."""
        found = [of for name in _names(principal) if (of := self._by_grantee.get(name))]
        return GrantsOfPrincipal(found) if found else _NONE

    def name(self, principal: Principal) -> bool:
        """Return whether there are grants whose grantee can match a principal."""
        by_grantee = self._by_grantee
        return bool(by_grantee) and any(name in by_grantee for name in _names(principal))


_NO_GRANTS: _ById = {}
_NO_GRANTEES: dict[str, _OfGrantee] = {}
_NO_TERMS: dict[Any, _ById] = {}


class GrantsOfPrincipal:
    """The grants on a key that can mean one principal, by the names that they have for it."""

    __slots__ = ("_by_name",)

    def __init__(self, by_name: Sequence[_OfGrantee]) -> None:
        self._by_name = by_name

    def __bool__(self) -> bool:
        return bool(self._by_name)

    def __iter__(self) -> Iterator[Grant]:
        for of_grantee in self._by_name:
            yield from of_grantee.by_id.values()

    def allowing(self, request: Request) -> Iterator[Grant]:
        """Return those that allow a request: the oldest of each account's that say the same."""
        for of_grantee in self._by_name:
            fitting = _fitting(of_grantee, request)
            allowing = [grant for grant in fitting if _allows(grant, request)]
            allowing.sort(key=attrgetter("sequence"))
            yield from allowing


_NONE = GrantsOfPrincipal(())


def grants_that_allow(grants: Iterable[Grant], request: Request) -> Iterable[Grant]:
    """Return those of some grants that allow a request, without a look at each where possible."""
    if isinstance(grants, GrantsOfPrincipal):
        return grants.allowing(request)
    return (grant for grant in grants if _allows(grant, request))


def _allows(grant: Grant, request: Request) -> bool:
    operation = request.action.removeprefix("kms:")
    return grant.match_grantee(request.principal) is not Match.NONE and grant.allows(
        operation, request.encryption_context, request.source_arn, request.child
    )


def _fitting(of_grantee: _OfGrantee, request: Request) -> Iterator[Grant]:
    """Yield the oldest of the grants that say the same, and may allow a request."""
    operation = request.action.removeprefix("kms:")
    for (operations, _, _), by_source in of_grantee.by_kind.items():
        if operation not in operations:
            continue
        for source in _sources(by_source, request, operation):
            by_context = by_source[source]
            if operation == "CreateGrant" or has_context(operation):
                yield from by_context.fitting(_given_pairs(request, operation))
            else:
                yield by_context.oldest


def _sources(
    by_source: Mapping[str | None, object], request: Request, operation: str
) -> Iterable[str | None]:
    """Return the required sources that a request meets; constraints do not limit RetireGrant."""
    if operation == "RetireGrant" or by_source.keys() <= {None}:
        return by_source
    return [source for source in (None, request.source_arn()) if source in by_source]


def _given_pairs(request: Request, operation: str) -> frozenset[tuple[str, str]]:
    """Return the encryption context of a request, or that in the constraints of a new grant."""
    if operation != "CreateGrant":
        return pairs_of(request.encryption_context)
    constraints = None if request.child is None else request.child.constraints
    return pairs_of(None if constraints is None else constraints.equals or constraints.subset)


def _kind(grant: Grant) -> _Kind:
    terms = grant.terms
    return frozenset(terms.operations), grant.issuing_account, terms.unique_ids.get(grant.grantee)


def _wanted_source(terms: GrantTerms) -> str | None:
    return None if terms.constraints is None else terms.constraints.source_arn


def _names(principal: Principal) -> Iterable[str]:
    """Return what a grant can call a principal, each once."""
    root = root_arn(principal.partition, principal.account)
    return dict.fromkeys((principal.arn, principal.entity_arn or "", root))
