"""The server of the fixture ``kms_server``: the world of a test, for all programs with HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kmsmock.aws.disruptions import LostConnection
from kmsmock.misuse.public_object import PublicObject
from kmsmock.protocols.messages import HttpRequest, HttpResponse
from kmsmock.serving.loopback import LoopbackServer
from kmsmock.serving.variables import list_endpoints, list_variables

if TYPE_CHECKING:
    from kmsmock.accounts import Principal


class KmsServer(PublicObject, internal=("stop",)):
    """A running server of a mock on the loopback address, at a port that is free.

    It answers AWS's protocols over HTTP, so SDKs in all languages, the AWS CLI and other processes
    reach the mock: with ``endpoint_url``, or with the environment variables in ``env``.
    """

    def __init__(self, responder: Any) -> None:
        self._responder = responder
        self._server = LoopbackServer(self._answer)
        self._server.start()

    def _answer(self, request: HttpRequest) -> HttpResponse | LostConnection:
        from kmsmock.protocols.answering import answer_http

        responder = self._responder
        if responder.forward is not None:
            answer: HttpResponse | LostConnection = responder.forward(
                request, is_signed_here=False
            ).answer
            return answer
        return answer_http(responder, request)

    @property
    def endpoint_url(self) -> str:
        """The URL of the server, for the ``endpoint_url`` of clients."""
        return self._server.url

    @property
    def env(self) -> dict[str, str]:
        """The environment variables by which SDKs find the server, and some Region and credentials.

        For subprocesses, ``env={**os.environ, **kms_server.env}``.
        """
        responder = self._responder
        return {
            **list_endpoints(self.endpoint_url, responder.services),
            **list_variables(responder.find_region()),
        }

    def client(
        self,
        service: str = "kms",
        region: str | None = None,
        *,
        principal: Principal | None = None,
    ) -> Any:
        """Return a new boto3 client, whose requests go to the server.

        service: as boto3 names it. region: by default that of the mock. principal: by default the
        default principal. Raises ValueError for a service that boto3 does not have.
        """
        from kmsmock.activation.clients import UNKNOWN, make_client_at
        from kmsmock.interception import let_send

        credentials = UNKNOWN if principal is None else principal.credentials
        chosen = region or self._responder.find_region()
        client = make_client_at(self.endpoint_url, service, chosen, credentials)
        let_send(client.meta.events)
        return client

    def stop(self) -> None:
        """End all connections."""
        self._server.stop()

    def __repr__(self) -> str:
        return f"<KmsServer at {self.endpoint_url}>"
