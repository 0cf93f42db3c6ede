"""The mock of a server, which answers HTTP requests, and no clients of its own process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kmsmock.control import KMSMock
from kmsmock.options import complete
from kmsmock.responder import Responder


class ServedResponder(Responder):
    """The responder of a mock that is not among the active ones of the process."""

    is_served = True

    @property
    def is_started(self) -> bool:
        """Whether it can be reached: as long as the server runs."""
        return True

    @property
    def is_active(self) -> bool:
        """Whether it answers clients: as long as the server runs."""
        return True

    @property
    def state(self) -> str:
        """What the control object shows."""
        return "of a server"


def make_mock(options: Mapping[str, Any]) -> KMSMock:
    """Make a mock, and return its control object.

    options: by name; absent ones have their defaults. Raises ValueError, TypeError and OSError.
    """
    responder = ServedResponder(complete(options), {}, has_own_ordering=True)
    responder.kms = kms = KMSMock(responder)
    return kms
