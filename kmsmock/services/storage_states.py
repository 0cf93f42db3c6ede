"""The passing states of volumes, snapshots, images and databases, which last as storage takes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from kmsmock.state.backend import Backend
from kmsmock.timing.dates import add_or_last
from kmsmock.timing.passing_states import ShownState


def begin(
    backend: Backend,
    now: datetime,
    state: ShownState,
    resource: str,
    finish: Callable[[datetime], None],
    *,
    until: str,
    name: str = "",
) -> None:
    """Begin a passing state, which ends after the delay of storage at the latest.

    now: when it begins. The other arguments are those of `PassingStates.begin`.
    """
    due = add_or_last(now, backend.delays.storage)
    backend.passing.begin(state, resource, due, finish, until=until, name=name)
