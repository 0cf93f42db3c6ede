"""`kmsmock.connect`: the control object of a running server."""

from __future__ import annotations

from typing import cast

from kmsmock.misuse.values import require_type
from kmsmock.remote.clients import ClientMaker, EndpointClients
from kmsmock.remote.connection import Connection
from kmsmock.remote.local_parts import ConnectedKMSMock
from kmsmock.remote.proxies import make_proxy
from kmsmock.remote.transport import HttpTransport, Transport


def connect(url: str, *, timeout: float = 60) -> ConnectedKMSMock:
    """Return the control object of a running `kmsmock serve`.

    It is used like that of a mock in this process; its clients call the server. It can be the
    context manager of a ``with`` statement, which ends the connection. url: of the server, such as
    ``http://127.0.0.1:4599``. timeout: in seconds, for the answer to each request. Proxies of the
    environment are not used. Raises ConnectionError if no server of this version of kmsmock answers
    there, TimeoutError, and ValueError and TypeError for a wrong url or timeout.
    """
    require_type(timeout, (int, float), "timeout", "a number of seconds")
    if not timeout > 0:
        raise ValueError(f"timeout must be above 0, not {timeout!r}")
    transport = HttpTransport(url, timeout)
    return connect_through(transport, EndpointClients(transport.name))


def connect_through(transport: Transport, clients: ClientMaker) -> ConnectedKMSMock:
    """Return the control object of a mock that a transport reaches.

    clients: makes its boto3 clients. Raises ConnectionError.
    """
    try:
        connection = Connection(transport, clients, make_proxy)
    except BaseException:
        transport.close()
        raise
    return cast(ConnectedKMSMock, connection.kms)
