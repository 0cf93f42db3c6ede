"""The grants on one key, found by what a request brings, so that many do not make one slow.

Only grants whose grantee, operation and constraints can fit a request are looked at. Which of them
allow it, `Grant` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

from kmsmock.authorization.grants import Grant, GrantTerms, has_context, pairs_of
from kmsmock.authorization.principal_element import Match
from kmsmock.authorization.request import Request
from kmsmock.aws.arns import root_arn
from kmsmock.aws.principals import Principal

_Group = dict[str, Grant]
#: What an encryption context must have for a constraint to be met: all of these pairs and no more,
#: this pair at least, or nothing.
_Wanted = frozenset[tuple[str, str]] | tuple[str, str] | None
#: Operations and issuing account -> required ``aws:SourceArn`` -> required context -> grants by id.
_OfGrantee = dict[tuple[tuple[str, ...], str], dict[str | None, dict[_Wanted, _Group]]]


class Grants:
    """The grants on one key, oldest first: by id, and by grantee and terms."""

    __slots__ = ("_by_grantee", "_by_id", "_by_name")

    def __init__(self) -> None:
        # Made with the first grant: most keys have none, and there may be 100,000 keys.
        self._by_id: _Group | None = None
        self._by_grantee: dict[str, _OfGrantee] = _NO_GRANTEES
        self._by_name: dict[tuple[str, str, _Wanted], _Group] = _NO_NAMES

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
        same_name = self._by_name.get(_name_key(terms), {})
        return next((grant for grant in same_name.values() if grant.terms == terms), None)

    def add(self, grant: Grant) -> None:
        """Add a grant."""
        if self._by_id is None:
            self._by_id, self._by_grantee, self._by_name = {}, {}, {}
        self._by_id[grant.grant_id] = grant
        terms = grant.terms
        by_source = self._by_grantee.setdefault(grant.grantee, {}).setdefault(
            (terms.operations, grant.issuing_account), {}
        )
        group = by_source.setdefault(_wanted_source(terms), {}).setdefault(_wanted(terms), {})
        group[grant.grant_id] = grant
        if terms.name is not None:
            self._by_name.setdefault(_name_key(terms), {})[grant.grant_id] = grant

    def remove(self, grant: Grant) -> None:
        """Remove a grant, which must be one of these."""
        assert self._by_id is not None
        del self._by_id[grant.grant_id]
        terms = grant.terms
        path = (
            grant.grantee,
            (terms.operations, grant.issuing_account),
            _wanted_source(terms),
            _wanted(terms),
        )
        _remove(self._by_grantee, (*path, grant.grant_id))
        if terms.name is not None:
            _remove(self._by_name, (_name_key(terms), grant.grant_id))

    def naming(self, principal: Principal) -> GrantsOfPrincipal:
        """Return the grants whose grantee can match a principal: its ARN, its role, its account."""
        found = [of for name in _names(principal) if (of := self._by_grantee.get(name))]
        return GrantsOfPrincipal(found) if found else _NONE

    def name(self, principal: Principal) -> bool:
        """Return whether there are grants whose grantee can match a principal."""
        by_grantee = self._by_grantee
        return bool(by_grantee) and any(name in by_grantee for name in _names(principal))


_NO_GRANTEES: dict[str, _OfGrantee] = {}
_NO_NAMES: dict[tuple[str, str, _Wanted], _Group] = {}


class GrantsOfPrincipal:
    """The grants on a key that can mean one principal, by the names that they have for it."""

    __slots__ = ("_by_name",)

    def __init__(self, by_name: Sequence[_OfGrantee]) -> None:
        self._by_name = by_name

    def __bool__(self) -> bool:
        return bool(self._by_name)

    def __iter__(self) -> Iterator[Grant]:
        for of_grantee in self._by_name:
            for by_source in of_grantee.values():
                for by_context in by_source.values():
                    for group in by_context.values():
                        yield from group.values()

    def allowing(self, request: Request) -> Iterator[Grant]:
        """Return those that allow a request: the oldest of each account's that say the same."""
        for of_grantee in self._by_name:
            allowing = (
                next((grant for grant in group.values() if _allows(grant, request)), None)
                for group in _groups_fitting(of_grantee, request)
            )
            yield from sorted(filter(None, allowing), key=attrgetter("sequence"))


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


def _groups_fitting(of_grantee: _OfGrantee, request: Request) -> Iterator[_Group]:
    """Return the groups in which grants may fit the operation, source and context of a request."""
    operation = request.action.removeprefix("kms:")
    wanted = _wanted_by(request, operation)
    for (operations, _), by_source in of_grantee.items():
        if operation not in operations:
            continue
        for source in _sources(by_source, request, operation):
            by_context = by_source[source]
            if wanted is None:
                yield from by_context.values()
            else:
                yield from (by_context[key] for key in wanted if key in by_context)


def _sources(
    by_source: Mapping[str | None, object], request: Request, operation: str
) -> Iterable[str | None]:
    """Return the required sources that a request meets; constraints do not limit RetireGrant."""
    if operation == "RetireGrant" or by_source.keys() <= {None}:
        return by_source
    return [source for source in (None, request.source_arn()) if source in by_source]


def _wanted_by(request: Request, operation: str) -> Iterable[_Wanted] | None:
    """Return what a constraint may want that a request meets; None where none looks at it."""
    if operation == "CreateGrant":
        constraints = None if request.child is None else request.child.constraints
        given = None if constraints is None else constraints.equals or constraints.subset
    elif has_context(operation):
        given = request.encryption_context
    else:
        return None
    pairs = pairs_of(given)
    return (None, pairs, *pairs)


def _wanted(terms: GrantTerms) -> _Wanted:
    constraints = terms.constraints
    if constraints is None:
        return None
    if constraints.equals is not None:
        return pairs_of(constraints.equals)
    # Any one pair tells most grants apart; the constraint itself looks at all of them.
    return min(pairs_of(constraints.subset), default=None)


def _wanted_source(terms: GrantTerms) -> str | None:
    return None if terms.constraints is None else terms.constraints.source_arn


def _name_key(terms: GrantTerms) -> tuple[str, str, _Wanted]:
    grantee = terms.grantee_principal or terms.grantee_service_principal or ""
    return terms.name or "", grantee, _wanted(terms)


def _remove(table: Any, path: Sequence[Any]) -> None:
    """Remove what is at the end of a path through tables, and tables that are empty then."""
    tables = [table]
    for step in path[:-1]:
        tables.append(tables[-1][step])
    for inner, step in zip(reversed(tables), reversed(path), strict=True):
        del inner[step]
        if inner:
            return


def _names(principal: Principal) -> Iterable[str]:
    """Return what a grant can call a principal, each once."""
    root = root_arn(principal.partition, principal.account)
    return dict.fromkeys((principal.arn, principal.entity_arn or "", root))
