"""The boto3 clients of a mock, which always reach it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsmock.process.bound_clients import bind, require_started

if TYPE_CHECKING:
    import boto3

    from kmsmock.identities.credentials import Credentials


class Clients:
    """Creates the clients and sessions of one mock, and keeps the clients.

    Imported in every pytest run, so slow imports are inside of functions. mock: the responder.
    """

    def __init__(self, mock: Any) -> None:
        self._mock = mock
        self._clients: dict[tuple[str, str, str], Any] = {}

    def get(self, service: str, region: str | None, credentials: Credentials | None = None) -> Any:
        """Return a client. credentials: those of the default principal if None."""
        from kmsmock.activation.clients import UNKNOWN, make_client

        credentials = credentials or UNKNOWN
        chosen: str = region or self._mock.find_region()
        cache_key = (service, chosen, credentials.access_key)
        client = self._clients.get(cache_key)
        if client is None:
            client = self._clients[cache_key] = make_client(service, chosen, credentials)
            bind(client.meta.events, self._mock)
        return client

    def make_session(self, region: str | None, credentials: Credentials) -> boto3.Session:
        """Create a session. region: the default Region of its clients."""
        from kmsmock.activation.clients import make_session

        session = make_session(region, credentials)
        bind(session.events, self._mock)
        return session

    def require_started(self) -> None:
        """Require that the mock has not ended, for a principal that is to be the default one.

        Raises RuntimeError.
        """
        require_started(self._mock, "principal")

    def clear(self) -> None:
        """Forget the clients, so that new ones are created."""
        self._clients.clear()
