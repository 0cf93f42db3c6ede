"""The names that calls of a mock can have, since a misspelt one would match no call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from kmsmock.aws.arns import Arn, name_in
from kmsmock.aws.regions import is_known_region, list_regions
from kmsmock.aws.via_service import read_via_service, require_via_service
from kmsmock.identities.directory import Identities
from kmsmock.keys.aws_managed import AWS_MANAGED_KEYS
from kmsmock.ledger.call_filter import CallFilter
from kmsmock.ledger.call_record import Call
from kmsmock.ledger.key_storage import KeyLifetimes
from kmsmock.ledger.member_values import SERVICE_DOMAINS
from kmsmock.misuse.suggestions import did_you_mean

#: How many names are compared with a misspelt one.
_MAX_COMPARED = 2_000


class KnownNames:
    """The keys, aliases and principals that a mock has or had.

    lifetimes: of all its keys. get_identities: returns its present principals.
    """

    def __init__(self, lifetimes: KeyLifetimes, get_identities: Callable[[], Identities]) -> None:
        self.lifetimes = lifetimes
        self._get_identities = get_identities

    def require_key(self, reference: str, calls: Iterable[Call]) -> None:
        """Require that a key or alias exists, has existed, or was named in a call (ValueError).

        reference: a key id, key ARN, alias name or alias ARN, whose account and Region do not
        matter. calls: the records that can have named it.
        """
        name = _name_of_key(reference)
        regions = list(self.lifetimes.regions.values())
        if any(
            name in region.keys or name in region.aliases or name in region.deleted_aliases
            for region in regions
        ):
            return
        if name in AWS_MANAGED_KEYS or name in self._past_names():
            return
        if any(name in map(_name_of_key, _named_in(call)) for call in calls):
            return
        aliases = [alias for region in regions for alias in region.aliases]
        known = aliases or [key_id for region in regions for key_id in region.keys]
        raise ValueError(
            f"there is no key {reference!r}, and no call has named it"
            f"{did_you_mean(name, known[:_MAX_COMPARED])}"
        )

    def require(self, call_filter: CallFilter, calls: Iterable[Call]) -> None:
        """Require that calls can have the names in a filter (ValueError).

        calls: the records, all of them: those that are no longer kept can have had other names.
        """
        members = call_filter.members
        for member in ("key", "key_arn", "alias"):
            if members.get(member) is not None:
                self.require_key(members[member], calls)
        if "caller" in members:
            self.require_caller(members["caller"], calls)
        if "region" in members:
            require_region(members["region"], calls)
        if members.get("via_service") is not None:
            through = read_via_service(members["via_service"]).service
            require_via_service(through, lambda: {call.principal.via or "" for call in calls})

    def require_caller(self, arn: str, calls: Iterable[Call]) -> None:
        """Require that a principal exists, has existed, or has made a call (ValueError)."""
        identities = self._get_identities()
        if identities.names.is_valid_principal(arn) or identities.credentials.have_been_of(arn):
            return
        if arn.endswith(SERVICE_DOMAINS) or any(
            arn in (call.caller, call.principal.principal_arn) for call in calls
        ):
            return
        known = list(identities.entities)[:_MAX_COMPARED]
        raise ValueError(
            f"there is no principal {arn!r}, and it has made no call{did_you_mean(arn, known)}"
        )

    def _past_names(self) -> set[str]:
        """Return the key ids and aliases of deleted keys."""
        deleted = self.lifetimes.deleted
        return {name for one in deleted for name in (name_in(one.arn), *one.aliases)}


def require_region(region: str, calls: Iterable[Call]) -> None:
    """Require that AWS has a Region, or that a call was made there (ValueError)."""
    if is_known_region(region) or any(call.region == region for call in calls):
        return
    raise ValueError(f"AWS has no Region {region!r}{did_you_mean(region, list_regions())}")


def _name_of_key(reference: str) -> str:
    """Return the key id or the alias name of an identifier."""
    arn = Arn.parse(reference)
    return reference if arn is None else arn.key_or_alias or reference


def _named_in(call: Call) -> Iterator[str]:
    yield from call.key_references
    yield from (key.arn for key in call.keys)
    yield from (alias for alias in (call.alias, call.parameter("AliasName")) if alias)
