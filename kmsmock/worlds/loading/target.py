"""Where a world is loaded to, and what is known while it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kmsmock.backend import Backend
from kmsmock.identities.directory import Identities
from kmsmock.worlds.errors import WorldError


@dataclass(frozen=True)
class Target:
    """The mock that a world is loaded into.

    now: what dates are that are left out. partition: that of principals which name none.
    same_ids: unique id in the file -> id that the same principal has here. taken: the ids, of all
    kinds, that are in use.
    """

    backend: Backend
    now: datetime
    partition: str
    same_ids: dict[str, str] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)

    @property
    def identities(self) -> Identities:
        """The principals of the mock."""
        return self.backend.identities

    def take(self, unique: str, words: str, *steps: str) -> str:
        """Take an id that nothing else must have. words: what takes it. steps: where it is."""
        other = self.taken.setdefault(unique, words)
        if other is not words:
            raise WorldError(f"{unique} is taken: it belongs to {other}", *steps)
        return unique

    def meant(self, ids: Mapping[str, str]) -> dict[str, str]:
        """Give unique ids as they are here."""
        return {name: self.same_ids.get(unique, unique) for name, unique in ids.items()}


def state_of(entropy: Any) -> Any:
    """Give what a source of bytes that a seed determines needs to go back; None for others."""
    return entropy.state() if hasattr(entropy, "state") else None
