"""The users, roles, groups and policies that another mock has created, and removes all at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from kmsmock.services.registry import ServiceCall
from kmsmock.services.store_reader import StoredElsewhere
from kmsmock.state.backend import Backend


@dataclass(slots=True)
class MirroredIdentities(StoredElsewhere):
    """The ARNs of what was created here because another mock has created it."""

    entities: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    policies: list[str] = field(default_factory=list)

    def remove_from(self, backend: Backend) -> None:
        """Remove all of it that there still is."""
        identities = backend.identities
        for arn in self.entities:
            identities.delete(arn)
        for arn in self.groups:
            group = identities.groups.get(arn)
            if group is not None:
                identities.remove_group(group)
        for arn in self.policies:
            policy = identities.managed.get(arn)
            if policy is not None:
                identities.managed.remove(policy)


def mirrored_identities(call: ServiceCall) -> MirroredIdentities:
    """Return what was created here because another mock has created it."""
    return call.backend.service_state(MirroredIdentities)
