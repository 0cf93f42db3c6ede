"""The ASGI application: it reads requests, and sends the answers of a mock.

Requests are answered in the event loop, one after the other, as the lock of a mock demands anyway.
None takes long: RSA keys come from a pool, and the slowest calls, such as a signature with RSA_4096
or the first use of a key, take a few milliseconds; a change of threads would cost each of the
others more than it saves. Only the report page is rendered in another thread.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from kmsmock.aws.disruptions import Loss, LostConnection
from kmsmock.protocols.boundaries import MAX_BODY, TOO_LARGE_BODY
from kmsmock.protocols.messages import HttpRequest, HttpResponse
from kmsmock.server.settings import Settings
from kmsmock.serving.http_framing import BadRequestError

if TYPE_CHECKING:
    from kmsmock.control import KMSMock
    from kmsmock.persistence.state_file import StateFile
    from kmsmock.server.control_plane import ControlPlane
    from kmsmock.server.live_page import LivePage

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_logger = logging.getLogger("kmsmock.server")
#: The extension of ASGI with a function that ends the connection, which `connections` adds.
ABORT = "kmsmock.abort"
#: The statuses of failures of the server begin here.
_FAILURES = 500
#: What precedes the paths of the control plane.
CONTROL = "/_kmsmock/"
#: The largest body of a request to the control plane, in bytes: a world with its key material.
MAX_WORLD = 64 * 2**20


class Application:
    """An application of ASGI 3.0 that answers AWS's protocols from a mock.

    find_settings: called when the server starts. Raises ValueError if they are wrong.
    """

    def __init__(self, find_settings: Callable[[], Settings]) -> None:
        self._find_settings = find_settings
        self._kms: KMSMock | None = None
        self._settings = Settings()
        self._plane: ControlPlane | None = None
        self._page: LivePage | None = None
        self._state: StateFile | None = None

    @property
    def kms(self) -> KMSMock:
        """The control object of the mock, which is made when it is first needed.

        Raises ValueError, TypeError and OSError for wrong settings.
        """
        if self._kms is None:
            from kmsmock.server.served_mock import make_mock

            self._settings = self._find_settings()
            kms = make_mock(self._settings.options)
            if self._settings.state is not None:
                from kmsmock import __version__
                from kmsmock.persistence.state_file import StateFile

                self._state = StateFile(kms.backend, self._settings.state, __version__)
            self._kms = kms
        return self._kms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a connection, as ASGI defines it."""
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})

    async def _live(self, receive: Receive, send: Send) -> None:
        """Make the mock when the server starts, so that wrong settings prevent that."""
        while True:
            kind = (await receive())["type"]
            if kind == "lifespan.startup":
                try:
                    self.page  # noqa: B018 - makes the mock, too
                except (ValueError, TypeError, OSError) as reason:
                    await send({"type": "lifespan.startup.failed", "message": str(reason)})
                    return
            if kind == "lifespan.shutdown":
                self.stop()
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _read_headers(scope["headers"])
        body = await _read_body(headers, receive, _find_limit(scope, headers))
        if body is None:  # the client has gone
            return
        request = HttpRequest(scope["method"], _read_target(scope), headers, body)
        render = self._prepare_page(request)
        answer = self._call(request) if render is None else await _run_beside(render)
        if isinstance(answer, LostConnection):
            await _lose(answer.how, scope, receive, send)
            return
        if body is TOO_LARGE_BODY and "expect" in headers:  # nobody knows whether it follows
            answer = answer._replace(headers={**answer.headers, "connection": "close"})
        await _send(answer, send)

    @property
    def _control_plane(self) -> ControlPlane:
        if self._plane is None:
            from kmsmock.server.control_plane import ControlPlane

            kms = self.kms
            settings = self._settings
            self._plane = ControlPlane(
                kms,
                allow_remote=settings.allow_remote,
                is_strict=settings.strict_credentials,
            )
        return self._plane

    @property
    def page(self) -> LivePage:
        """The report page; it observes the mock from its first use on."""
        if self._page is None:
            from kmsmock.server.live_page import LivePage

            kms = self.kms
            self._page = LivePage(kms, allow_remote=self._settings.allow_remote)
        return self._page

    def stop(self) -> None:
        """End what observes the mock, and close its state file; a later request starts again."""
        if self._page is not None:
            self._page.stop()
            self._page = None
        if self._state is not None:
            self._state.close()
            self._state = self._kms = self._plane = None

    @contextmanager
    def observed(self) -> Iterator[None]:
        """Let the report page observe the mock during the block."""
        self.page  # noqa: B018 - begins to
        try:
            yield
        finally:
            self.stop()

    def _prepare_page(self, request: HttpRequest) -> Callable[[], HttpResponse] | None:
        """Return what renders the report page; None for another request."""
        from kmsmock.server.live_page import is_page_request

        return self.page.prepare(request) if is_page_request(request) else None

    def _call(self, request: HttpRequest) -> HttpResponse | LostConnection:
        answer = self._answer_request(request)
        return answer if self._state is None else self._write(self._state, request, answer)

    def _write(
        self, state: StateFile, request: HttpRequest, answer: HttpResponse | LostConnection
    ) -> HttpResponse | LostConnection:
        """Write what a request has changed; return its answer, or that of an internal error."""
        from kmsmock.protocols.answering import answer_failure
        from kmsmock.protocols.scope import read_scope

        is_failure = isinstance(answer, HttpResponse) and answer.status >= _FAILURES
        is_read, is_control = request.method == "GET", _is_control(request)
        scope = read_scope(request)
        try:
            if is_failure or (is_control and not is_read):
                state.write_all()
            elif not is_read and scope is not None and scope.service == "kms":
                state.write_calls()
            else:
                state.write_service()
        except Exception as reason:
            _logger.exception("The state could not be written")
            if is_control:
                return self._control_plane.fail(str(reason))
            responder = self.kms._responder  # noqa: SLF001 - both are parts of the mock
            return answer_failure(responder, request, str(reason))
        return answer

    def _answer_request(self, request: HttpRequest) -> HttpResponse | LostConnection:
        if _is_control(request):
            return self._control_plane.answer(request)
        from kmsmock.protocols.answering import answer_http

        responder = self.kms._responder  # noqa: SLF001 - both are parts of the mock
        try:
            return answer_http(
                responder, request, strict_credentials=self._settings.strict_credentials
            )
        except Exception as error:
            _logger.exception("A request could not be answered")
            return BadRequestError(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                f"The request could not be answered, by a defect of the server: "
                f"{type(error).__name__}. The server has written more to its standard error.",
            ).respond()


def _is_control(request: HttpRequest) -> bool:
    path = request.target.partition("?")[0]
    return f"{path}/".startswith(CONTROL)


async def _run_beside(function: Callable[[], HttpResponse]) -> HttpResponse:
    """Return the result of a function that takes long, while other requests are answered."""
    import asyncio

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # the server has another event loop
        return function()
    return await loop.run_in_executor(None, function)


# --- ASGI messages ------------------------------------------------------------------------------


def _read_headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name_bytes, value_bytes in pairs:
        name, value = name_bytes.decode("latin-1").lower(), value_bytes.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def _read_target(scope: Scope) -> str:
    path = scope.get("raw_path")
    target: str = quote(scope["path"]) if path is None else path.decode("latin-1")
    query: bytes = scope.get("query_string", b"")
    return f"{target}?{query.decode('latin-1')}" if query else target


def _find_limit(scope: Scope, headers: dict[str, str]) -> int:
    """Return how many bytes the body can have."""
    # No page of another site can send JSON.
    is_json = headers.get("content-type", "").startswith("application/json")
    return MAX_WORLD if is_json and scope["path"].startswith(CONTROL) else MAX_BODY


async def _read_body(headers: dict[str, str], receive: Receive, most: int) -> bytes | None:
    """Return the body of a request; None if the client ends the connection.

    most: how many bytes it can have. Of a larger one the rest is not read, and `TOO_LARGE_BODY` is
    returned.
    """
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > most:
        return TOO_LARGE_BODY
    message = await receive()
    if message["type"] != "http.request":
        return None
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False) and len(body) <= most:
        return body
    parts = bytearray(body)
    while len(parts) <= most:
        if not message.get("more_body", False):
            return bytes(parts)
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts += message.get("body", b"")
    return TOO_LARGE_BODY


async def _send(response: HttpResponse, send: Send) -> None:
    headers = {"content-length": str(len(response.body)), **response.headers}
    await send(
        {
            "type": "http.response.start",
            "status": response.status,
            "headers": [
                (name.encode(), value.encode("latin-1")) for name, value in headers.items()
            ],
        }
    )
    await send({"type": "http.response.body", "body": response.body})


async def _lose(how: Loss, scope: Scope, receive: Receive, send: Send) -> None:
    """End a connection without a response, or leave the client waiting for one."""
    abort = scope.get("extensions", {}).get(ABORT)
    if how is not Loss.READ_TIMEOUT and abort is not None:
        abort()
    if how is Loss.READ_TIMEOUT or abort is not None:
        # Also so that the server does not log that there was no response.
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    # Without the extension the nearest is a response whose body is missing.
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]}
    )
    raise ConnectionAbortedError("a fault of the mock ends this connection")
