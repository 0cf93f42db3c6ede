"""The edge to botocore: its events come in here, and answers go back.

Handlers are registered once, when botocore is imported, and look at the stack of active mocks
with each call. So any client is covered: one made before a mock starts, in another thread, or
before this package was imported at all.
"""

from __future__ import annotations

import functools
import re
import sys
import time
from collections.abc import Callable, Generator
from datetime import datetime
from io import BytesIO
from typing import Any, Protocol
from urllib.parse import urlsplit

import botocore
import botocore.client
import botocore.exceptions
import botocore.handlers
import wrapt
from botocore.awsrequest import AWSResponse
from dateutil.tz import tzlocal

from kmsmock.blocking import RealKMSBlocked, real_kms_is_blocked
from kmsmock.errors import ServiceError, UnknownOperationException
from kmsmock.protocol import Answer, ApiCall, write

#: botocore's name for "put this handler before all others".
_REGISTER_FIRST = botocore.handlers.REGISTER_FIRST
_CONTENT_TYPE = "application/x-amz-json-1.1"
_TARGET = "TrentService."
_UNSIGNED = "kmsmock_unsigned"
_PARAMETERS = "kmsmock_parameters"
_COVERED = "_kmsmock_covered"
_CREDENTIAL = re.compile(r"Credential=([^/]+)/[^/]*/([^/]+)/")
_NOTES_KEPT = 64
#: Hosts that answer for AWS KMS: plain, FIPS, dual-stack, and VPC interface endpoints.
#: Source: AWS General Reference, "AWS Key Management Service endpoints and quotas".
_KMS_HOST = re.compile(
    r"(?:.+\.)?kms(?:-fips)?\.([a-z0-9-]+)\.(?:vpce\.)?"
    r"(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|api\.aws|api\.amazonwebservices\.(?:com\.cn|eu)"
    r"|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)"
)


class ActiveMock(Protocol):
    """What the edge needs of a mock."""

    @property
    def wire(self) -> bool:
        """Whether requests are answered as HTTP, behind all of botocore's own machinery."""
        ...

    @property
    def answer(self) -> Callable[[ApiCall], Answer]:
        """What answers a request."""
        ...

    @property
    def services(self) -> tuple[str, ...]:
        """The names of the AWS services that are answered."""
        ...

    @property
    def answer_service(self) -> Callable[..., Answer]:
        """What answers a request to another service than KMS."""
        ...


#: The mocks that have been started, the innermost last. The only state of this module, with
#: the explanations of errors that clients have not raised yet.
active: list[ActiveMock] = []
_explanations: dict[str, str] = {}


# --- the everyday door: before-call ---------------------------------------------------------


def answer_before_call(
    *, model: Any, params: Any, request_signer: Any, context: Any, **_: Any
) -> tuple[AWSResponse, dict[str, Any]] | None:
    """Answer a call of a KMS client before it becomes HTTP; None when no mock is active."""
    if not active:
        return None
    mock = active[-1]
    credentials = request_signer._credentials  # noqa: SLF001 - reading it must not refresh it
    if mock.wire:
        if credentials is None:
            context[_UNSIGNED] = True
        return None
    call = ApiCall(
        model.name,
        params["body"],
        _access_key(credentials),
        context["client_region"],
        model,
    )
    return _to_client(mock.answer(call), model)


def _access_key(credentials: Any) -> str | None:
    """Read the access key; the property of refreshable credentials would refresh them."""
    if credentials is None:
        return None
    members = vars(credentials)
    key: str | None = members.get("access_key") or members.get("_access_key")
    return key


def _to_client(answer: Answer, model: Any) -> tuple[AWSResponse, dict[str, Any]]:
    request_id, result = answer
    headers = _headers(request_id)
    status = 200
    if isinstance(result, ServiceError):
        status = result.status
        parsed = _parsed_error(result, model)
        _keep_explanation(request_id, result)
    else:
        shape = _shaper_of(model) if model is not None else None
        parsed = result if shape is None else shape(result)
    parsed["ResponseMetadata"] = {
        "RequestId": request_id,
        "HTTPStatusCode": status,
        "HTTPHeaders": headers,
        "RetryAttempts": 0,
    }
    return _Answered(status, headers), parsed


def _parsed_error(error: ServiceError, model: Any) -> dict[str, Any]:
    """Give what botocore's parser makes of an error body."""
    parsed: dict[str, Any] = {"Error": {"Message": error.message or "", "Code": error.code}}
    modelled = model.service_model.shape_for_error_code(error.code)
    if modelled is not None and error.message is not None:
        parsed["message"] = error.message
    return parsed


def _headers(request_id: str) -> dict[str, str]:
    return {
        "x-amzn-requestid": request_id,
        "cache-control": "no-cache, no-store, must-revalidate, private",
        "expires": "0",
        "pragma": "no-cache",
        "content-type": _CONTENT_TYPE,
    }


class _Answered(AWSResponse):  # type: ignore[misc] # botocore has no types
    """A response that was never bytes; botocore only asks it for the status."""

    def __init__(self, status: int, headers: dict[str, str]) -> None:
        self.url = "https://kms.amazonaws.com/"
        self.status_code = status
        self.headers = headers
        self.raw = None
        self._content = b""


# --- answers as botocore's parser gives them ------------------------------------------------------

Shape = Callable[[Any], Any]
_UNKNOWN: Any = object()
_shapers: dict[str, Shape | None] = {}


def _shaper_of(model: Any) -> Shape | None:
    shape: Shape | None = _shapers.get(model.name, _UNKNOWN)
    if shape is _UNKNOWN:
        output = model.output_shape
        shape = _shapers[model.name] = _shaper(output) if output is not None else None
    return shape


def _shaper(shape: Any) -> Shape | None:
    """Make the function that gives a value the form that the parser would have given it.

    Timestamps are in the computer's own time zone, and members that an older model does not know
    are not there. None for shapes whose values stay as they are.
    """
    if shape.type_name == "timestamp":
        return _local
    if shape.type_name == "list":
        item = _shaper(shape.member)
        return None if item is None else lambda values: [item(value) for value in values]
    if shape.type_name != "structure":
        return None
    known = frozenset(shape.members)
    members = [
        (name, shaper)
        for name, member in shape.members.items()
        if (shaper := _shaper(member)) is not None
    ]

    def shape_structure(value: dict[str, Any]) -> dict[str, Any]:
        if not value.keys() <= known:
            value = {name: item for name, item in value.items() if name in known}
        for name, shaper in members:
            if name in value:
                value[name] = shaper(value[name])
        return value

    return shape_structure


def _local(moment: datetime) -> datetime:
    return _localized(moment, time.tzname)


@functools.lru_cache(maxsize=64)
def _localized(moment: datetime, zone: tuple[str, str]) -> datetime:  # noqa: ARG001 - part of the key
    # The slowest part of many answers, and most of them show the same few dates.
    return moment.astimezone(tzlocal())


# --- other services, by the parameters of the call ------------------------------------------------


def keep_parameters(*, params: Any, context: Any, **_: Any) -> None:
    """Keep what a call was given, before botocore makes a query of it."""
    if active:
        context[_PARAMETERS] = params


def answer_service_before_call(
    *, model: Any, request_signer: Any, context: Any, **_: Any
) -> tuple[AWSResponse, dict[str, Any]] | None:
    """Answer a call of another service than KMS; None when it is not one of the mock's.

    This is the only door for these services, with ``wire=True`` too.
    """
    service = model.service_model.service_name
    if not active or service not in active[-1].services or _moto_answers():
        return None
    answer = active[-1].answer_service(
        service,
        model.name,
        context.get(_PARAMETERS, {}),
        access_key=_access_key(request_signer._credentials),  # noqa: SLF001
        region=context["client_region"],
    )
    return _to_client(answer, None if isinstance(answer.result, dict) else model)


# --- the wire door: before-send -----------------------------------------------------------------


def answer_before_send(*, request: Any, **_: Any) -> AWSResponse | None:
    """Answer an HTTP request of a KMS client, or keep it from reaching AWS.

    None when no mock is active and the request may go on. Raises RealKMSBlocked.
    """
    if active:
        _keep_moto_out()
        return _to_http(request, active[-1])
    host = urlsplit(request.url).hostname or ""
    if real_kms_is_blocked() and _KMS_HOST.fullmatch(host) and not _moto_answers():
        raise RealKMSBlocked(host)
    return None


def _to_http(request: Any, mock: ActiveMock) -> AWSResponse:
    """Answer real HTTP: read target, credential and body, and write the bytes that KMS writes."""
    target = _text(request.headers.get("X-Amz-Target", ""))
    operation = target.removeprefix(_TARGET)
    signed = _CREDENTIAL.search(_text(request.headers.get("Authorization", "")))
    host = _KMS_HOST.fullmatch(urlsplit(request.url).hostname or "")
    region = signed.group(2) if signed else host.group(1) if host else "us-east-1"
    call = ApiCall(
        operation,
        request.body or b"{}",
        signed.group(1) if signed else None,
        region,
        _operation_model(operation),
    )
    answer = Answer("", UnknownOperationException()) if call.model is None else mock.answer(call)
    result = answer.result
    status = 200
    if isinstance(result, ServiceError):
        status = result.status
        _keep_explanation(answer.request_id, result)
        body = write(result.body())
    else:
        body = write(result)
    return _HttpResponse(request.url, status, _headers(answer.request_id), body)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


class _Body(bytes):
    """Bytes that can also be awaited, as aiobotocore awaits the content of its responses."""

    def __await__(self) -> Generator[Any, Any, bytes]:
        return self
        yield


class _Raw(BytesIO):
    def stream(self) -> Generator[bytes, None, None]:
        yield self.read()


class _HttpResponse(AWSResponse):  # type: ignore[misc] # botocore has no types
    def __init__(self, url: str, status: int, headers: dict[str, str], body: bytes) -> None:
        super().__init__(url, status, headers, _Raw(body))
        self._content = _Body(body)


_service_model: Any = None


def _operation_model(name: str) -> Any:
    """Find an operation in the installed botocore's model; None for one it does not know."""
    global _service_model  # noqa: PLW0603 - read once from botocore's data
    if _service_model is None:
        from botocore.loaders import Loader
        from botocore.model import ServiceModel

        _service_model = ServiceModel(Loader().load_service_model("kms", "service-2"))
    if name not in _service_model.operation_names:
        return None
    return _service_model.operation_model(name)


def leave_unsigned(*, context: Any = None, **_: Any) -> Any:
    """Let a client without credentials send its request unsigned; nobody checks a signature."""
    return botocore.UNSIGNED if active and context and context.get(_UNSIGNED) else None


# --- beside moto --------------------------------------------------------------------------------


def _moto_answers() -> bool:
    models = sys.modules.get("moto.core.models")
    stubber = getattr(models, "botocore_stubber", None)
    return bool(stubber is not None and stubber.enabled)


def _keep_moto_out() -> None:
    """Tell an active moto, by its own configuration, that KMS is answered elsewhere."""
    if not _moto_answers():
        return
    config = sys.modules["moto.core.config"].default_user_config
    services = (
        config.setdefault("core", {}).setdefault("passthrough", {}).setdefault("services", [])
    )
    if "kms" not in services:
        services.append("kms")
        _told_moto.append(services)


_told_moto: list[list[str]] = []


def let_moto_in() -> None:
    """Take back what moto was told."""
    while _told_moto:
        _told_moto.pop().remove("kms")


# --- explanations beside errors -------------------------------------------------------------------


def _keep_explanation(request_id: str, error: ServiceError) -> None:
    if error.explanation is None:
        return
    if len(_explanations) >= _NOTES_KEPT:
        del _explanations[next(iter(_explanations))]
    _explanations[request_id] = error.explanation


def _explain(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> None:
    """Attach our explanation to an error of botocore's as a note (PEP 678)."""
    wrapped(*args, **kwargs)
    if not _explanations:
        return
    request_id = instance.response.get("ResponseMetadata", {}).get("RequestId")
    note = _explanations.pop(request_id, None)
    if note is not None:
        # Before Python 3.11 nobody prints notes, but pytest and we find them.
        instance.__notes__ = [*getattr(instance, "__notes__", ()), note]


# --- registration ---------------------------------------------------------------------------------

_HANDLERS: tuple[tuple[str, Callable[..., Any]], ...] = (
    ("before-call.kms", answer_before_call),
    ("before-send.kms", answer_before_send),
    ("choose-signer.kms", leave_unsigned),
    ("before-parameter-build.sts", keep_parameters),
    ("before-call.sts", answer_service_before_call),
)
_installed = False


def install(*, late: bool = False) -> None:
    """Register the handlers, once.

    late: botocore was in use before, so that clients may exist which have no handlers yet; they
    get them when they announce their next event.
    """
    global _installed  # noqa: PLW0603 - once per process
    if _installed:
        return
    _installed = True
    for event, handler in _HANDLERS:
        botocore.handlers.BUILTIN_HANDLERS.append((event, handler, _REGISTER_FIRST))
    wrapt.wrap_function_wrapper(botocore.exceptions, "ClientError.__init__", _explain)
    if late:
        meta: Any = botocore.client.ClientMeta
        meta.events = property(_events_of, _set_events)


def _events_of(meta: Any) -> Any:
    members = vars(meta)
    events = members["events"]
    if _COVERED not in members:
        for event, handler in _HANDLERS:
            events.register_first(event, handler, f"kmsmock.{event}")
        members[_COVERED] = True
    return events


def _set_events(meta: Any, events: Any) -> None:
    vars(meta)["events"] = events
