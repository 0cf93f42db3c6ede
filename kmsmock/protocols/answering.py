"""The HTTP answer of a mock: one function from request to response, without sockets."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from kmsmock.aws.api_call import Answer, ApiCall
from kmsmock.aws.coded_error import CodedError
from kmsmock.aws.disruptions import LostConnection
from kmsmock.aws.errors import ServiceError, UnknownOperationException
from kmsmock.aws.installed_model import get_service_model
from kmsmock.aws.services import ANSWERED
from kmsmock.identities.credentials import CredentialsError, UnsignedRequestError
from kmsmock.process.environment import DUMMY
from kmsmock.protocols import kms
from kmsmock.protocols.boundaries import require_boundaries, require_root
from kmsmock.protocols.json_body import read_text, require_json_type
from kmsmock.protocols.messages import HttpRequest, HttpResponse
from kmsmock.protocols.routing import find_service, get_protocol_name
from kmsmock.protocols.scope import read_scope
from kmsmock.protocols.service_protocols import PROTOCOLS, guess_protocol
from kmsmock.protocols.signatures import Signer, authenticate
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
    responder: Responder,
    request: HttpRequest,
    *,
    strict_credentials: bool = False,
    checks_signatures: bool = True,
) -> HttpResponse | LostConnection:
    """Answer an HTTP request to AWS; whatever it contains, the answer is a response.

    The signature names Region and service; the host can be any. strict_credentials: whether
    unknown access keys are refused, instead of being those of the administrator.
    checks_signatures: whether requests by access keys of the mock must have valid signatures.
    Returns a lost connection if a fault ends it.
    """
    arrived = _Arrived(
        responder, request, is_strict=strict_credentials, checks_signatures=checks_signatures
    )
    response = arrived.answer()
    if isinstance(response, LostConnection):
        return response
    headers = {**response.headers, "content-length": str(len(response.body))}
    return response._replace(headers=headers)


class _Arrived:
    """A request that has arrived at a mock."""

    def __init__(
        self,
        responder: Responder,
        request: HttpRequest,
        *,
        is_strict: bool,
        checks_signatures: bool,
    ) -> None:
        self._responder = responder
        self._request = request
        self._is_strict = is_strict
        self._checks_signatures = checks_signatures
        self._scope = read_scope(request)
        self._service = find_service(request, self._scope)
        name = None if self._service is None else get_protocol_name(self._service)
        self._model = None if name is None else get_service_model(self._service)
        self._protocol = PROTOCOLS.get(name or "") or guess_protocol(request)

    def answer(self) -> HttpResponse | LostConnection:
        """Answer the request."""
        try:
            require_boundaries(self._request)
            service = self._require_service()
            require_root(self._request)
            signer = authenticate(
                self._responder.backend,
                self._request,
                service,
                strict=self._is_strict,
                checks=self._checks_signatures,
            )
            if service == "kms":
                return self._answer_kms(signer)
            return self._answer_service(service, signer)
        except CredentialsError as refusal:
            return self._refuse(refusal.error_of(self._service or self._protocol.typical_service))
        except ServiceError as error:
            return self._refuse(error)

    def _refuse(self, error: ServiceError) -> HttpResponse:
        with self._responder.backend.lock:
            request_id = self._responder.backend.new_uuid()
        return self._protocol.write_error(error, self._model, request_id)

    def _require_service(self) -> str:
        """Return the service of the request, which the mock must answer."""
        service, services = self._service, self._responder.services
        answered = [each for each in ANSWERED if each in services]
        if service in answered:
            return service
        if service is None and self._scope is None:
            raise UnsignedRequestError
        raise self._protocol.refuse_service(
            f"The service {service} is not emulated here; those that are: {', '.join(answered)}."
        )

    def _answer_kms(self, signer: Signer) -> HttpResponse | LostConnection:
        call = kms.read_call(self._request, self._scope, signer.region)
        if call.model is None or self._request.method != "POST":
            raise UnknownOperationException
        require_json_type(self._request)
        read_text(self._request.body)  # refuses what is none
        call = call._replace(access_key=signer.access_key, region=signer.region)
        answer = self._responder.answer(call)
        if isinstance(answer.result, LostConnection):
            return answer.result
        return kms.write_answer(answer)

    def _answer_service(self, service: str, signer: Signer) -> HttpResponse:
        called = self._protocol.read(self._request, self._model)
        access_key = signer.access_key
        if access_key is None and called.model is not None and called.model.auth_type == "none":
            access_key = DUMMY  # needs no signature, such as AssumeRoleWithWebIdentity
        answer = self._responder.answer_service(
            service=service,
            operation=called.operation,
            parameters=called.parameters,
            access_key=access_key,
            region=signer.region,
            model=called.model,
            unknown_in=called.version if called.model is None else None,
        )
        if isinstance(answer.result, dict):
            return self._protocol.write(answer.result, called.model, answer.request_id)
        assert isinstance(answer.result, ServiceError), "only requests to KMS are disrupted"
        return self._protocol.write_error(answer.result, self._model, answer.request_id)


# --- internal errors ---------------------------------------------------------------------------

#: Service -> the code of its internal errors, where that is not InternalFailure.
#: Sources: the API References of the services, "Common Errors", and those of their operations.
_INTERNAL_ERRORS = {
    "kms": "KMSInternalException",
    "iam": "ServiceFailure",
    "ec2": "InternalError",
    "organizations": "ServiceException",
}


def answer_failure(responder: Responder, request: HttpRequest, reason: str) -> HttpResponse:
    """Return the answer to a request when its service has an internal error.

    reason: in words of kmsmock, which have no place in a text of AWS.
    """
    service = find_service(request, read_scope(request))
    name = None if service is None else get_protocol_name(service)
    model = None if name is None else get_service_model(service)
    protocol = PROTOCOLS.get(name or "") or guess_protocol(request)
    code = _INTERNAL_ERRORS.get(service or "", "InternalFailure")
    with responder.backend.lock:
        request_id = responder.backend.new_uuid()
    return protocol.write_error(CodedError(code, reason, status=500), model, request_id)
