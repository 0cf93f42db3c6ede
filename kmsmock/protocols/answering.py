"""The HTTP answer of a mock: one function from request to response, without sockets."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from kmsmock.aws.api_call import Answer, ApiCall
from kmsmock.aws.disruptions import LostConnection
from kmsmock.aws.errors import ServiceError, UnknownOperationException
from kmsmock.aws.regions import DEFAULT_REGION
from kmsmock.identities.credentials import CredentialsError
from kmsmock.protocols import kms
from kmsmock.protocols.messages import HttpRequest, HttpResponse
from kmsmock.protocols.scope import SignatureScope, read_scope
from kmsmock.protocols.signatures import authenticate
from kmsmock.state.backend import Backend


class Responder(Protocol):
    """The interface of a mock's responder that HTTP requests need."""

    #: The state of the mock.
    backend: Backend
    #: Answers a request to KMS.
    answer: Callable[[ApiCall], Answer]

    @property
    def services(self) -> Collection[str]:
        """The names of the AWS services that the mock answers."""
        ...

    @property
    def answer_service(self) -> Callable[..., Answer]:
        """The function that answers a request to another service than KMS."""
        ...


def answer_http(
    responder: Responder, request: HttpRequest, *, strict_credentials: bool = False
) -> HttpResponse | LostConnection:
    """Answer an HTTP request to AWS; whatever it contains, the answer is a response.

    The signature names Region and service; the host can be any. strict_credentials: whether
    unknown access keys are refused, instead of being those of the administrator. Returns a lost
    connection if a fault ends it.
    """
    scope = read_scope(request)
    answer = _answer(responder, request, scope, is_strict=strict_credentials)
    if isinstance(answer.result, LostConnection):
        return answer.result
    return kms.write_answer(answer)


def _answer(
    responder: Responder, request: HttpRequest, scope: SignatureScope | None, *, is_strict: bool
) -> Answer:
    backend = responder.backend
    try:
        call = kms.read_call(request, scope, DEFAULT_REGION)
        if call.model is None:
            raise UnknownOperationException
        signer = authenticate(backend, request, "kms", strict=is_strict)
        call = call._replace(access_key=signer.access_key, region=signer.region)
    except CredentialsError as refusal:
        return Answer(backend.new_uuid(), refusal.error_of("kms"))
    except ServiceError as error:
        return Answer(backend.new_uuid(), error)
    return responder.answer(call)
