"""Run the server in this process until a signal ends it."""

from __future__ import annotations

import contextlib
import errno
import gc
import ipaddress
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from kmsmock.server.application import Application
from kmsmock.server.settings import Settings
from kmsmock.serving.variables import GLOBAL_ENDPOINT

if TYPE_CHECKING:
    import uvicorn

    from kmsmock.server.connections import Limits

#: How many connections there can be, and how many wait to be accepted.
CONNECTIONS, _BACKLOG = 2048, 2048
#: The seconds in which requests can still be answered after a signal to end.
_GRACE = 5
#: The signals that end the server.
_ENDING = (signal.SIGTERM, signal.SIGINT)
#: The files that the process needs beside its connections.
_OTHER_FILES = 64


class CannotServeError(Exception):
    """The server cannot start, for a reason that the message tells."""


def require_extra() -> None:
    """Require what the extra ``server`` installs. Raises CannotServeError."""
    missing = [name for name in ("uvicorn", "httptools") if find_spec(name) is None]
    if missing:
        raise CannotServeError(
            f"the server needs {' and '.join(missing)}: "
            "install the extra with pip install 'kmsmock[server]'"
        )


def require_loopback(host: str, settings: Settings) -> None:
    """Require a host that only this machine can reach, unless others are allowed.

    Raises ValueError, with the reason.
    """
    if settings.allow_remote or all(map(_is_loopback, _resolve(host, 0))):
        return
    raise ValueError(
        f"{host} can be reached from other machines: whoever reaches the server may use, read and "
        "replace all of its keys, since requests need no valid credentials. Use 127.0.0.1, or add "
        "--allow-remote if that is intended, as inside of a container."
    )


def _resolve(host: str, port: int) -> list[Any]:
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as reason:
        if "/" in host:
            raise ValueError(
                f"{host!r} is no host: the server listens at a TCP port, such as 127.0.0.1 with "
                "--port 4599, and at no path or URL"
            ) from None
        raise ValueError(f"the host {host!r} has no address: {reason}") from None


def _is_loopback(address: Any) -> bool:
    return ipaddress.ip_address(address[4][0].partition("%")[0]).is_loopback


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens. port: 0 for one that is free.

    Raises CannotServeError, ValueError for a host without an address.
    """
    family, kind, protocol, _, address = min(_resolve(host, port), key=lambda each: each[0])
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # elsewhere it would allow two servers at one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as reason:
        listener.close()
        raise CannotServeError(_explain(reason, host, port)) from None
    return listener


def _explain(reason: Exception, host: str, port: int) -> str:
    number = getattr(reason, "errno", None)
    if number == errno.EADDRINUSE:
        return (
            f"the port {port} of {host} is in use: choose another with --port, or --port 0 for "
            "one that is free"
        )
    if number == errno.EACCES:
        return f"the port {port} of {host} needs more rights: choose one above 1023 with --port"
    return f"{host} at port {port} cannot be used: {reason}"


def describe(listener: socket.socket, region: str) -> str:
    """Return the line that says where the server is, and how clients find it."""
    host, port = listener.getsockname()[:2]
    if ipaddress.ip_address(host).is_unspecified:
        host = "localhost"
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    return (
        f"kmsmock is ready at {url}  (AWS CLI, boto3, Terraform and other SDKs: "
        f"export {GLOBAL_ENDPOINT}={url} AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test "
        f"AWS_REGION={region} AWS_DEFAULT_REGION={region})"
    )


def serve(host: str, port: int, settings: Settings) -> None:
    """Answer requests until SIGTERM or SIGINT, and those that have arrived before.

    Raises CannotServeError, ValueError for a wrong host, and the errors of `Application.kms`.
    """
    with _ending_on_signals():
        require_extra()
        require_loopback(host, settings)
        application = Application(lambda: settings)
        region = application.kms.backend.default_region
        with bind(host, port) as listener, application.observed():
            _run(application, listener, describe(listener, region))


@contextlib.contextmanager
def _ending_on_signals() -> Iterator[None]:
    """Exit with the code 0 at a signal to end during the block, before uvicorn handles it."""

    def end(*_: object) -> None:
        raise SystemExit(0)

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread can have handlers
        return
    before = {number: signal.signal(number, end) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def make_server(application: Application, limits: Limits) -> uvicorn.Server:
    """Return uvicorn's server of an application; `run` takes its socket."""
    import uvicorn

    from kmsmock.server.connections import Phase, make_protocol

    config = uvicorn.Config(
        application,
        http=make_protocol(limits),
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=int(limits.seconds[Phase.IDLE]) + 5,  # ends later than by the phase
        timeout_graceful_shutdown=_GRACE,
    )
    return uvicorn.Server(config)


def _run(application: Application, listener: socket.socket, line: str) -> None:
    from kmsmock.server.connections import Limits

    server = make_server(application, Limits(_limit_connections()))
    # What is there stays, so that no collection of garbage looks at it again.
    gc.collect()
    gc.freeze()

    def end(*_: object) -> None:
        # For a signal that comes before uvicorn's handlers are there, or again after its end.
        server.should_exit = True

    for number in _ENDING:
        signal.signal(number, end)
    _print(line)
    server.run(sockets=[listener])


def _print(line: str) -> None:
    """Print a line, if somebody reads it."""
    try:
        print(line, flush=True)  # noqa: T201 - also where there is no stdout
    except OSError:
        # What is left in the buffer would be an error at the end of the process.
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _limit_connections() -> int:
    """Return how many connections there can be, with as many open files as can be allowed."""
    try:
        import resource
    except ImportError:  # pragma: no cover - Windows
        return 400
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return CONNECTIONS if soft == resource.RLIM_INFINITY else min(CONNECTIONS, soft - _OTHER_FILES)
