"""A transport that calls the application of a server, and clients of its mock."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from kmsmock.protocols.messages import HttpRequest, HttpResponse
from kmsmock.remote.connecting import connect_through
from kmsmock.server.application import Application
from kmsmock.server.settings import Settings


class Direct:
    """The application of a server, as a transport. options: of its mock."""

    host = "localhost:4599"
    name = "http://localhost:4599"

    def __init__(self, **options: Any) -> None:
        self.settings = Settings(options)
        self.messages: list[Any] = []
        self.is_closed = False
        self.restart()

    def restart(self) -> None:
        """Replace the server by a new one, as if it had been started again."""
        self.application = Application(lambda: self.settings)

    def send(self, request: HttpRequest) -> HttpResponse:
        self.messages.append(json.loads(request.body))
        answer = self.application._call(request)
        assert isinstance(answer, HttpResponse)
        return answer

    def close(self) -> None:
        self.is_closed = True


class OwnClients:
    """Makes the clients of the mock itself."""

    def __init__(self, direct: Direct) -> None:
        self._direct = direct

    def set_up(self, services: Iterable[str]) -> None:
        self.services = set(services)

    def get(self, service: str, region: str, credentials: Any) -> Any:
        return self._direct.application.kms._clients.get(service, region, credentials)

    def make_session(self, region: str, credentials: Any) -> Any:
        return self._direct.application.kms._clients.make_session(region, credentials)

    def clear(self) -> None:
        self._direct.application.kms._clients.clear()


def connect_directly(direct: Direct) -> Any:
    return connect_through(direct, OwnClients(direct))
