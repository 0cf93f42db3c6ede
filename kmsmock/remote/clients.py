"""The boto3 clients and sessions of a connected object: their requests go to the server."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

from kmsmock.misuse.suggestions import suggest

if TYPE_CHECKING:
    import boto3

    from kmsmock.identities.credentials import Credentials


class ClientMaker(Protocol):
    """Makes the clients of a connected object."""

    def set_up(self, services: Iterable[str]) -> None:
        """Take the names of the services that the mock answers."""
        ...

    def get(self, service: str, region: str, credentials: Credentials | None) -> Any:
        """Return a client. credentials: None for those of the default principal.

        Raises ValueError for a service that the mock does not answer.
        """
        ...

    def make_session(self, region: str, credentials: Credentials) -> boto3.Session:
        """Return a new session. region: the default Region of its clients."""
        ...

    def clear(self) -> None:
        """Forget the clients, so that new ones are made."""
        ...


class EndpointClients:
    """Makes clients for the URL of a server, and keeps them."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._services: frozenset[str] = frozenset()
        self._clients: dict[tuple[str, str, str], Any] = {}

    def set_up(self, services: Iterable[str]) -> None:
        """Take the names of the services that the mock answers."""
        self._services = frozenset(services)

    def get(self, service: str, region: str, credentials: Credentials | None) -> Any:
        """Return a client. credentials: None for those of the default principal.

        Raises ValueError for a service that the mock does not answer.
        """
        from kmsmock.activation.clients import UNKNOWN, make_client_at
        from kmsmock.interception import let_send

        self.require(service)
        signer = credentials or UNKNOWN
        kind = (service, region, signer.access_key)
        client = self._clients.get(kind)
        if client is None:
            client = make_client_at(self._url, service, region, signer)
            let_send(client.meta.events)
            client = self._clients.setdefault(kind, client)
        return client

    def make_session(self, region: str, credentials: Credentials) -> boto3.Session:
        """Return a new session. region: the default Region of its clients."""
        from kmsmock.interception import let_send
        from kmsmock.remote.sessions import EndpointSession

        session = EndpointSession(self._url, self.require, region, credentials)
        let_send(session.events)
        return session

    def require(self, service: str) -> None:
        """Require that the mock answers a service. Raises ValueError."""
        if service not in self._services:
            raise ValueError(
                f"the server at {self._url} does not answer {service!r}"
                f"{suggest(service, sorted(self._services), 'it answers')}"
            )

    def clear(self) -> None:
        """Forget the clients, so that new ones are made."""
        self._clients.clear()
