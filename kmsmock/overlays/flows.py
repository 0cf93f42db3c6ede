"""How flows are driven where something else stores what a service is asked to store."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from kmsmock.overlays.registry import NotStored
from kmsmock.services.flows import Flow


def until_stored(flow: Flow) -> Generator[None, dict[str, Any], dict[str, Any]]:
    """Do the first half of a flow and wait for the answer of what stores; gives that answer.

    For ``yield from`` in the steps of an overlay. A flow whose resource is not stored is cancelled.
    """
    flow.request()
    try:
        answer = yield
    except NotStored:
        flow.cancel()
        raise
    return answer
