"""Grants that are alike but for the encryption context that they require, found by it."""

from __future__ import annotations

from collections.abc import Iterator

from kmsmock.authorization.grants import Grant, pairs_of

_Pair = tuple[str, str]
_Pairs = frozenset[_Pair]
#: The pairs of EncryptionContextEquals and EncryptionContextSubset; None for an absent one.
_Required = tuple[_Pairs | None, _Pairs | None]
_ById = dict[str, Grant]


class GrantsByContext:
    """Some grants, oldest first, and by the encryption context that they require.

    Those with EncryptionContextEquals are found by all pairs of a request. The others are found by
    one pair of the EncryptionContextSubset: the one that had fewest when the first of them came, so
    that a pair that all have, as that of an application, tells nobody apart.
    """

    __slots__ = ("_by_equals", "_by_pair", "_groups", "_pairs", "by_id")

    def __init__(self) -> None:
        self.by_id: _ById = {}
        #: Those that require the same.
        self._groups: dict[_Required, _ById] = {}
        self._by_equals: dict[_Pairs, dict[_Required, None]] = {}
        #: None for those that require no pair.
        self._by_pair: dict[_Pair | None, dict[_Required, None]] = {}
        self._pairs: dict[_Required, _Pair | None] = {}

    @property
    def oldest(self) -> Grant:
        """The oldest grant; there has to be one."""
        return next(iter(self.by_id.values()))

    def add(self, grant: Grant) -> None:
        """Add a grant."""
        self.by_id[grant.grant_id] = grant
        required = _required_by(grant)
        group = self._groups.get(required)
        if group is not None:
            group[grant.grant_id] = grant
            return
        self._groups[required] = {grant.grant_id: grant}
        equals, subset = required
        if equals is not None:
            self._by_equals.setdefault(equals, {})[required] = None
            return
        by_pair = self._by_pair
        pair = min(subset or (), key=lambda one: (len(by_pair.get(one, ())), one), default=None)
        self._pairs[required] = pair
        by_pair.setdefault(pair, {})[required] = None

    def remove(self, grant: Grant) -> None:
        """Remove a grant, which must be one of these."""
        del self.by_id[grant.grant_id]
        required = _required_by(grant)
        group = self._groups[required]
        del group[grant.grant_id]
        if group:
            return
        del self._groups[required]
        equals, _ = required
        if equals is not None:
            del self._by_equals[equals][required]
            if not self._by_equals[equals]:
                del self._by_equals[equals]
            return
        pair = self._pairs.pop(required)
        del self._by_pair[pair][required]
        if not self._by_pair[pair]:
            del self._by_pair[pair]

    def fitting(self, pairs: _Pairs) -> Iterator[Grant]:
        """Yield the oldest grant of each group whose requirements these pairs may meet."""
        for required in self._by_equals.get(pairs, ()):
            yield self._oldest_of(required)
        for pair in (None, *pairs):
            for required in self._by_pair.get(pair, ()):
                if (required[1] or _NONE) <= pairs:
                    yield self._oldest_of(required)

    def _oldest_of(self, required: _Required) -> Grant:
        return next(iter(self._groups[required].values()))


_NONE: _Pairs = frozenset()


def _required_by(grant: Grant) -> _Required:
    constraints = grant.terms.constraints
    if constraints is None:
        return None, None
    equals, subset = constraints.equals, constraints.subset
    return (
        None if equals is None else pairs_of(equals),
        None if subset is None else pairs_of(subset),
    )
