"""The control plane: what tests do with ``kms``, for programs in other languages, as JSON."""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from kmsmock.misuse.suggestions import suggest
from kmsmock.protocols.boundaries import TOO_LARGE_BODY
from kmsmock.protocols.messages import HttpRequest, HttpResponse
from kmsmock.server.browser_access import find_refusal
from kmsmock.server.control_routes import ROUTES, WHOLE_BODY, Control, Route

if TYPE_CHECKING:
    from kmsmock.control import KMSMock

_logger = logging.getLogger("kmsmock.server")
#: What precedes the paths of all routes.
PREFIX = "/_kmsmock"
#: What says that the caller was wrong, and how.
_WRONG_USE = (ValueError, TypeError, KeyError, RuntimeError, OSError)


class _RefusalError(Exception):
    """A request that is refused. headers: those of the response."""

    def __init__(self, status: HTTPStatus, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


class ControlPlane:
    """The control plane of a mock.

    allow_remote: see `find_refusal`. is_strict: whether requests need access keys of the mock.
    """

    def __init__(self, kms: KMSMock, *, allow_remote: bool, is_strict: bool = False) -> None:
        self._control = Control(kms, is_strict=is_strict)
        self._allow_remote = allow_remote

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer a request whose path begins with `PREFIX`."""
        try:
            return _respond(HTTPStatus.OK, self._call(request))
        except _RefusalError as refusal:
            return _respond(refusal.status, _format_error(str(refusal)), refusal.headers)
        except Exception as error:
            _logger.exception("A request to the control plane could not be answered")
            message = f"This is a defect of the server: {type(error).__name__}."
            return _respond(HTTPStatus.INTERNAL_SERVER_ERROR, _format_error(message))

    def _call(self, request: HttpRequest) -> Any:
        refusal = find_refusal(request.headers, allow_remote=self._allow_remote)
        if refusal is not None:
            raise _RefusalError(HTTPStatus.FORBIDDEN, refusal)
        route = _find_route(request)
        arguments = _read_arguments(route, request)
        try:
            return route.answer(self._control, **arguments)
        except _WRONG_USE as reason:
            message = str(reason.args[0]) if isinstance(reason, KeyError) else str(reason)
            raise _RefusalError(HTTPStatus.BAD_REQUEST, message) from None


def _find_route(request: HttpRequest) -> Route:
    path = request.target.partition("?")[0].removeprefix(PREFIX)
    routes = {route.method: route for route in ROUTES if route.path == path}
    if not routes:
        known = list(dict.fromkeys(f"{PREFIX}{route.path}" for route in ROUTES))
        raise _RefusalError(
            HTTPStatus.NOT_FOUND, f"There is no {PREFIX}{path}{suggest(path, known, 'there are')}"
        )
    route = routes.get("GET" if request.method == "HEAD" else request.method)
    if route is None:
        methods = ", ".join(sorted(routes))
        raise _RefusalError(
            HTTPStatus.METHOD_NOT_ALLOWED, f"{PREFIX}{path} has {methods} only.", allow=methods
        )
    return route


def _read_arguments(route: Route, request: HttpRequest) -> dict[str, Any]:
    if route.method == "POST":
        values = _read_json(request)
    else:
        values = dict(parse_qsl(request.target.partition("?")[2], keep_blank_values=True))
    names = list(inspect.signature(route.answer).parameters)[1:]
    if names == [WHOLE_BODY]:
        return {WHOLE_BODY: values}
    for name in values:
        if name not in names:
            raise _RefusalError(
                HTTPStatus.BAD_REQUEST,
                f"{PREFIX}{route.path} takes no {name!r}{suggest(name, names, 'it takes')}",
            )
    return dict(values)


def _read_json(request: HttpRequest) -> Mapping[str, Any]:
    if request.body is TOO_LARGE_BODY:
        raise _RefusalError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body has too many bytes.")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":  # which a page of another site cannot send unasked
        raise _RefusalError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "The header Content-Type must be application/json, also without a body.",
        )
    try:
        body = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        raise _RefusalError(HTTPStatus.BAD_REQUEST, "The body is not JSON.") from None
    if not isinstance(body, dict):
        raise _RefusalError(HTTPStatus.BAD_REQUEST, "The body must be a JSON object.")
    return body


def _format_error(message: str) -> dict[str, Any]:
    return {"error": {"message": message}}


def _respond(
    status: HTTPStatus, content: Any, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    text = json.dumps(content, ensure_ascii=False, default=_to_json)
    body = f"{text}\n".encode(errors="backslashreplace")
    return HttpResponse(
        status,
        {
            "content-type": "application/json",
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
            **(headers or {}),
        },
        body,
    )


#: Type -> the function that converts its values to JSON.
_CONVERSIONS: dict[type, Callable[[Any], Any]] = {datetime: datetime.isoformat, Decimal: str}


def _to_json(value: Any) -> Any:
    return _CONVERSIONS[type(value)](value)
