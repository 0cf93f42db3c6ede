"""Servers with a state file, without sockets: their application answers requests of botocore."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kmsmock.persistence.objects import Look
from kmsmock.protocols.messages import HttpRequest, HttpResponse
from kmsmock.server.application import Application
from kmsmock.server.settings import Settings
from tests.protocols.requests import make_request, parse


class Refused(Exception):  # noqa: N818 - an answer
    """An answer of AWS with an error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code, message)
        self.status = status
        self.code = code


class StateServer:
    """A server with a state file, which can be started again. options: those of its mock."""

    def __init__(self, path: Path, **options: Any) -> None:
        self.path = path
        self.options = {"region": "us-east-1", **options}
        self.start()

    def start(self, **options: Any) -> None:
        self.options |= options
        settings = Settings(self.options, state=str(self.path))
        self.application = Application(lambda: settings)
        self.application.page  # noqa: B018 - makes the mock
        self.kms = self.application.kms

    def stop(self) -> None:
        self.application.stop()

    def restart(self, **options: Any) -> None:
        """Stop, and start with other options."""
        self.stop()
        self.start(**options)

    def send(self, request: HttpRequest) -> HttpResponse:
        response = self.application._call(request)
        assert isinstance(response, HttpResponse)
        self._require_all_written()
        return response

    def _require_all_written(self) -> None:
        """Require that nothing has changed which was not noticed, unless it cannot be written."""
        state = self.application._state
        assert state is not None
        tracker = state._tracker
        if not tracker.statements and not state._is_lost:
            tracker.find_all_changes(Look.THOROUGH)
            assert tracker.statements == []

    def call(
        self,
        operation: str,
        service: str = "kms",
        *,
        region: str = "us-east-1",
        credentials: dict[str, Any] | None = None,
        **parameters: Any,
    ) -> Any:
        """Call an operation, and return the answer. credentials: as answers have them."""
        signing = {} if credentials is None else _read_credentials(credentials)
        request = make_request(service, operation, parameters, region=region, **signing)
        response = self.send(request)
        answer = parse(response, service, operation)
        if "Error" in answer:
            error = answer["Error"]
            raise Refused(response.status, error["Code"], error.get("Message", ""))
        answer.pop("ResponseMetadata", None)
        return answer

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the control plane; return its answer."""
        headers = {"host": "127.0.0.1", "content-type": "application/json"}
        content = b"" if body is None else json.dumps(body).encode()
        response = self.send(HttpRequest(method, f"/_kmsmock/v1/{path}", headers, content))
        assert response.status == 200, response.body
        return json.loads(response.body)


def _read_credentials(credentials: dict[str, Any]) -> dict[str, Any]:
    token = credentials.get("SessionToken")
    return {
        "access_key": credentials["AccessKeyId"],
        "secret_key": credentials["SecretAccessKey"],
        **({} if token is None else {"session_token": token}),
    }
