"""Clients that always reach one mock, such as those that its control object creates."""

from __future__ import annotations

from functools import partial
from typing import Any

from kmsmock.process.active_mock import ActiveMock
from kmsmock.process.active_mocks import answering_own, get_answering, is_started

#: The member of a request's context, and the attribute of an HTTP request, that has the mock.
MOCK = "kmsmock_mock"
#: An event of this package, with a context as calls have it; a client's mock puts itself there.
FIND_MOCK = "kmsmock-find-mock"


def bind(events: Any, mock: ActiveMock) -> None:
    """Let the clients with an event emitter reach a mock, whichever mock answers others.

    events: of a client, or of a session whose clients are created later.
    """
    for event in ("before-parameter-build", FIND_MOCK):
        events.register_first(event, partial(_bind_call, mock))
    # More specific than the handler that answers, and so called before it.
    events.register_first("before-send.kms.*", partial(_bind_http_request, mock))


def require_started(mock: ActiveMock, kind: str) -> None:
    """Require that a mock has not ended; raises RuntimeError.

    kind: of the object that belongs to it, such as ``client``.
    """
    if not (is_started(mock) or mock.is_served):
        raise RuntimeError(
            f"this {kind} belongs to a mock that has ended, {mock.kms!r}: get a {kind} from a "
            "mock that is active"
        )


def _bind_call(mock: ActiveMock, *, context: Any, **_: Any) -> None:
    if _answers(mock):
        context[MOCK] = mock
    else:
        require_started(mock, "client")


def _bind_http_request(mock: ActiveMock, *, request: Any, **_: Any) -> None:
    if _answers(mock):
        setattr(request, MOCK, mock)


def _answers(mock: ActiveMock) -> bool:
    return id(mock) in answering_own or mock.is_served


def get_mock(context: Any) -> ActiveMock | None:
    """Return the mock that answers a call. context: botocore's context of the request."""
    return context.get(MOCK) or get_answering()


def get_mock_of_http(request: Any) -> ActiveMock | None:
    """Return the mock that answers an HTTP request of botocore."""
    return getattr(request, MOCK, None) or get_answering()
