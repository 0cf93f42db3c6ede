"""Deciding a request: who asks for which action on what, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kmsmock.principals import Principal


class Request:
    """One question: whether a principal may perform an action on a resource.

    action: for example ``kms:Decrypt``. resource: a key ARN, an alias ARN, or ``*``.
    context_source: gives the condition keys of the request; asked only when a policy needs them.
    """

    # Made for each call, so as plain as can be.
    __slots__ = ("_context", "_context_source", "action", "principal", "resource")

    def __init__(
        self,
        principal: Principal,
        action: str,
        resource: str,
        context_source: Callable[[], Mapping[str, Any]],
    ) -> None:
        self.principal = principal
        self.action = action
        self.resource = resource
        self._context_source = context_source
        self._context: Mapping[str, Any] | None = None

    @property
    def context(self) -> Mapping[str, Any]:
        """The condition keys of the request: a single value, or a list for multivalued keys."""
        if self._context is None:
            self._context = self._context_source()
        return self._context


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer; truthy when allowed. reason: one sentence that says why."""

    allowed: bool
    reason: str

    def __bool__(self) -> bool:
        return self.allowed


Authorizer = Callable[[Request], Decision]

_OFF = Decision(allowed=True, reason='authorization="off": every principal may do everything')


def allow_everything(request: Request) -> Decision:  # noqa: ARG001 - an Authorizer
    """Allow any request: the rule of ``authorization="off"``."""
    return _OFF
