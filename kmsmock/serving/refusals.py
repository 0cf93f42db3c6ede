"""Responses to processes that no mock answers, or that it is not to answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any
from xml.sax.saxutils import escape

from kmsmock.aws import errors
from kmsmock.aws.api_call import Answer
from kmsmock.aws.disruptions import LostConnection
from kmsmock.process.contexts import get_running_test
from kmsmock.protocols.answering import answer_http
from kmsmock.protocols.messages import HttpRequest, HttpResponse

_NOBODY = (
    "No mock answers this process: the test that has started it has ended, or has ended its mock."
)


class _Refusing:
    """A mock that answers each request with an error; see `kmsmock.protocols.answering`."""

    def __init__(self, responder: Any, error: errors.ServiceError) -> None:
        self.backend = responder.backend
        self.services: Collection[str] = responder.services
        self._error = error
        self.answer: Callable[..., Answer] = self._refuse
        self.answer_service: Callable[..., Answer] = self._refuse

    def _refuse(self, *_: object, **__: object) -> Answer:
        return Answer(self.backend.new_uuid(), self._error)


def refuse(responder: Any, request: HttpRequest) -> HttpResponse | LostConnection:
    """Return the response of a mock with the option ``processes="blocked"``."""
    test = get_running_test() or "the program"
    error = errors.AccessDeniedException.in_own_words(
        f'Processes that {test} has started are refused: its mock has processes="blocked".'
    )
    if responder.backend is None:
        return _refuse_without_state(request, str(error.message))
    return answer_http(_Refusing(responder, error), request)


def refuse_without_mock(request: HttpRequest) -> HttpResponse:
    """Return the response while no mock answers."""
    return _refuse_without_state(request, _NOBODY)


def _refuse_without_state(request: HttpRequest, text: str) -> HttpResponse:
    if "x-www-form-urlencoded" in request.headers.get("content-type", ""):
        body = (
            "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
            f"<Message>{escape(text)}</Message></Error></ErrorResponse>"
        )
        return HttpResponse(403, {"content-type": "text/xml"}, body.encode())
    error = {"__type": "AccessDeniedException", "message": text}
    headers = {"content-type": "application/x-amz-json-1.1"}
    return HttpResponse(400, headers, json.dumps(error).encode())
