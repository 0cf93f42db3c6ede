"""The protocols of AWS's services: how each reads its requests, and writes its responses.

Source: Smithy, "AWS protocols"; headers as in debug logs of the AWS CLI.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kmsmock.aws.api_model import serialize_response
from kmsmock.aws.coded_error import CodedError
from kmsmock.aws.errors import ServiceError
from kmsmock.aws.installed_model import get_text_member
from kmsmock.protocols import errors
from kmsmock.protocols.forms import read_form
from kmsmock.protocols.json_body import read_json, require_json_type
from kmsmock.protocols.messages import HttpRequest, HttpResponse
from kmsmock.protocols.query_parameters import Ec2Reader, QueryReader
from kmsmock.protocols.xml_values import to_xml_text, write_members


class OperationRequest(NamedTuple):
    """What a request asks for."""

    operation: str
    #: botocore's model of the operation; None if the service has none in the version.
    model: Any
    #: The version of the API that the request names.
    version: str
    #: As boto3 takes them.
    parameters: dict[str, Any]

    def __repr__(self) -> str:
        # The parameters can have a password.
        return f"<{self.operation}: {', '.join(self.parameters)}>"


class ServiceProtocol:
    """How a service reads its requests, and writes its responses."""

    #: The service whose errors requests get that name no service.
    typical_service = "sts"

    def read(self, request: HttpRequest, service: Any) -> OperationRequest:
        """Read a request. service: botocore's model. Raises the protocol's own errors."""
        raise NotImplementedError

    def write(self, result: dict[str, Any], model: Any, request_id: str) -> HttpResponse:
        """Return the response with a result. model: botocore's of the operation."""
        raise NotImplementedError

    def write_error(self, error: ServiceError, service: Any, request_id: str) -> HttpResponse:
        """Return the response with an error. service: botocore's model; None if it is unknown."""
        raise NotImplementedError

    def refuse_service(self, message: str) -> ServiceError:
        """Return the error for a request to a service that is not answered."""
        return errors.InvalidAction.in_own_words(message)


class JsonProtocol(ServiceProtocol):
    """AWS JSON 1.0 and 1.1."""

    typical_service = "kms"

    def read(self, request: HttpRequest, service: Any) -> OperationRequest:
        """Read a request. Raises UnknownOperationException, SerializationException."""
        prefix, _, operation = request.headers.get("x-amz-target", "").rpartition(".")
        # SDKs with models in Smithy send just the last part, such as CloudTrail_20131101.
        known = service.metadata["targetPrefix"].rpartition(".")[2]
        is_known = prefix.rpartition(".")[2] == known and operation in service.operation_names
        if not is_known or request.method != "POST":
            raise errors.UnknownOperationException
        require_json_type(request)
        model = service.operation_model(operation)
        parameters = read_json(request.body, model.input_shape)
        return OperationRequest(operation, model, service.api_version, parameters)

    def write(self, result: dict[str, Any], model: Any, request_id: str) -> HttpResponse:
        """Return the response with a result, as JSON."""
        return self._respond(200, result, model.service_model, request_id)

    def write_error(self, error: ServiceError, service: Any, request_id: str) -> HttpResponse:
        """Return the response with an error, as JSON."""
        body = error.body()
        member = None if service is None else get_text_member(service, error.code)
        if member is not None and error.message is not None:
            body = {"__type": error.code, member: error.message}
        return self._respond(error.status, body, service, request_id)

    def refuse_service(self, message: str) -> ServiceError:
        """Return the error for a request to a service that is not answered."""
        return errors.UnknownOperationException.in_own_words(message)

    @staticmethod
    def _respond(status: int, body: dict[str, Any], service: Any, request_id: str) -> HttpResponse:
        version = "1.1" if service is None else service.metadata.get("jsonVersion", "1.1")
        headers = {
            "x-amzn-requestid": request_id,
            "content-type": f"application/x-amz-json-{version}",
        }
        return HttpResponse(status, headers, serialize_response(body))


class QueryProtocol(ServiceProtocol):
    """AWS query, the protocol of IAM, RDS and STS."""

    _content_type = "text/xml"
    _reader = QueryReader()

    def read(self, request: HttpRequest, service: Any) -> OperationRequest:
        """Read a request. Raises MissingAction, MalformedQueryString, MalformedInput."""
        if request.method not in ("GET", "POST"):
            raise errors.MalformedHttpRequestException.in_own_words(
                f"The request method {request.method} is not supported."
            )
        fields = read_form(request)
        operation = fields.get("Action", "")
        if not operation:
            raise errors.MissingAction
        version = fields.get("Version") or "NO_VERSION_SPECIFIED"
        if version != service.api_version or operation not in service.operation_names:
            return OperationRequest(operation, None, version, {})
        model = service.operation_model(operation)
        parameters = self._reader.read(fields, model.input_shape)
        return OperationRequest(operation, model, version, parameters)

    def write(self, result: dict[str, Any], model: Any, request_id: str) -> HttpResponse:
        """Return the response with a result, as XML."""
        content = self._write_result(result, model.output_shape, request_id)
        return self._respond(200, f"{model.name}Response", model.service_model, content, request_id)

    @staticmethod
    def _write_result(result: dict[str, Any], shape: Any, request_id: str) -> str:
        """Return the content of the response. shape: the output; None if there is none."""
        content = "" if shape is None else write_members(result, shape)
        wrapper = None if shape is None else shape.serialization.get("resultWrapper")
        if wrapper is not None:
            content = f"<{wrapper}>{content}</{wrapper}>"
        metadata = f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
        return content + metadata

    def write_error(self, error: ServiceError, service: Any, request_id: str) -> HttpResponse:
        """Return the response with an error, as XML."""
        who = "Sender" if error.status < 500 else "Receiver"
        content = (
            f"<Error><Type>{who}</Type>{_write_error_members(error)}</Error>"
            f"<RequestId>{request_id}</RequestId>"
        )
        return self._respond(error.status, "ErrorResponse", service, content, request_id)

    def _respond(
        self, status: int, root: str, service: Any, content: str, request_id: str
    ) -> HttpResponse:
        namespace = None if service is None else service.metadata.get("xmlNamespace")
        attribute = f' xmlns="{namespace}"' if namespace else ""
        headers = {"x-amzn-requestid": request_id, "content-type": self._content_type}
        body = f"{_DECLARATION}<{root}{attribute}>{content}</{root}>"
        return HttpResponse(status, headers, body.encode())


class Ec2Protocol(QueryProtocol):
    """EC2's variant of AWS query."""

    _content_type = "text/xml;charset=UTF-8"
    _reader = Ec2Reader()

    @staticmethod
    def _write_result(result: dict[str, Any], shape: Any, request_id: str) -> str:
        """Return the content of the response. shape: the output; None if there is none."""
        content = "<return>true</return>" if shape is None else write_members(result, shape)
        return f"<requestId>{request_id}</requestId>{content}"

    def write_error(self, error: ServiceError, service: Any, request_id: str) -> HttpResponse:  # noqa: ARG002 - EC2's errors have no namespace
        """Return the response with an error, as XML."""
        content = (
            f"<Errors><Error>{_write_error_members(error)}</Error></Errors>"
            f"<RequestID>{request_id}</RequestID>"
        )
        return self._respond(error.status, "Response", None, content, request_id)


_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def _write_error_members(error: ServiceError) -> str:
    """Return the elements of the code, the text and further members of an error."""
    members = {"Code": error.code, "Message": error.message or ""}
    if isinstance(error, CodedError):
        members.update(error.members)
    return "".join(f"<{name}>{to_xml_text(text)}</{name}>" for name, text in members.items())


_JSON, _QUERY, _EC2 = JsonProtocol(), QueryProtocol(), Ec2Protocol()
#: Name of a protocol in botocore's models -> the protocol. Errors for requests to services that are
#: not answered are written for the others, too.
PROTOCOLS: dict[str, ServiceProtocol] = {
    "json": _JSON,
    "rest-json": _JSON,
    "query": _QUERY,
    "rest-xml": _QUERY,
    "ec2": _EC2,
}


def guess_protocol(request: HttpRequest) -> ServiceProtocol:
    """Return the protocol of a request that names no service that is known."""
    content_type = request.headers.get("content-type", "")
    return _JSON if "x-amz-target" in request.headers or "json" in content_type else _QUERY
