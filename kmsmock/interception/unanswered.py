"""Requests that nothing answers: block those to AWS, or explain in a note where they went.

A request gets here after all that could answer it: the handlers of this package, moto, and other
handlers of botocore's events.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import botocore.endpoint
from botocore import UNSIGNED
from botocore.exceptions import (
    CredentialRetrievalError,
    NoAuthTokenError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from kmsmock.aws.hosts import is_aws_host, read_host
from kmsmock.aws.services import ANSWERED, ONLY_BESIDE
from kmsmock.interception import moto_bridge
from kmsmock.interception.error_notes import keep_note
from kmsmock.interception.kms import read_access_key
from kmsmock.interception.patches import wrap_methods
from kmsmock.process.active_mocks import answering
from kmsmock.process.bound_clients import get_mock
from kmsmock.process.environment import DUMMY
from kmsmock.process.exceptions import add_note, hide_frames_of
from kmsmock.process.moto import answer_by_moto, is_moto_active
from kmsmock.process.moto_changes import set_changes_nothing
from kmsmock.process.real_aws_block import RealAWSBlocked, RealKMSBlocked, find_block

#: The attribute of responses and exceptions of requests that were sent.
_SENT = "_kmsmock_sent"
#: The member of a request's context that has the `Unanswered`.
_UNANSWERED = "kmsmock_unanswered"
#: What a client raises if it has no valid credentials, so that it sends nothing.
_NOT_SENT = (
    CredentialRetrievalError,
    NoAuthTokenError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)


# --- the block -------------------------------------------------------------------------------


def install_block() -> None:
    """Patch botocore's endpoints to check each request that they are about to send.

    Endpoints are the last code of botocore that a request passes, whatever client, session and
    handlers it comes from.
    """
    wrap_methods(botocore.endpoint.Endpoint, {"_send": _guard_sending}, lambda _: True)


def _guard_sending(original: Any) -> Any:
    @functools.wraps(original)
    def send(endpoint: Any, request: Any) -> Any:
        mock = answering[0]
        if mock is not None and mock.follows_moto:
            response = answer_by_moto(request)
            if response is not None:
                return response
        with _sending(endpoint, request):
            response = original(endpoint, request)
        setattr(response, _SENT, True)
        return response

    @functools.wraps(original)
    async def send_async(endpoint: Any, request: Any) -> Any:
        with _sending(endpoint, request):
            response = await original(endpoint, request)
        setattr(response, _SENT, True)
        return response

    return send_async if inspect.iscoroutinefunction(original) else send


@contextmanager
def _sending(endpoint: Any, request: Any) -> Iterator[None]:
    _require_allowed(endpoint._endpoint_prefix, request.url)  # noqa: SLF001 - not public
    try:
        yield
    except Exception as error:
        setattr(error, _SENT, True)
        raise


def _require_allowed(service: str, url: str) -> None:
    """Raise RealAWSBlocked for a request to AWS, if it is blocked.

    service: the first label of the service's endpoints, which is its name in most cases.
    """
    is_for_kms = service == "kms"
    if find_block(for_kms=is_for_kms) is None:
        return
    host = read_host(url)
    if not is_aws_host(host):
        return
    if is_for_kms:
        raise RealKMSBlocked(host)
    raise RealAWSBlocked(host, _advise(service))


# --- the notes -------------------------------------------------------------------------------


class Unanswered(NamedTuple):
    """A request that the active mock does not answer."""

    #: The service, as boto3 names it.
    service: str
    #: The URL that the request is for.
    url: str
    #: botocore's RequestSigner.
    signer: Any
    #: The names of the services that the active mock answers.
    services: Collection[str]

    def __deepcopy__(self, memo: object) -> Unanswered:
        """Return the same object; botocore copies requests with their context."""
        return self

    def explain(self, where: str) -> str:
        """Return the note for an error. where: how far the request came, for example "went"."""
        return (
            f"{self._say_why()} The request {where} to the real AWS, at {read_host(self.url)}, "
            f"{_describe_credentials(self.signer)}. {_advise(self.service)} The option "
            "`block_real_aws` blocks such requests."
        )

    def _say_why(self) -> str:
        service = self.service
        if is_moto_active():
            return f"moto is active, but has not answered this request to {service}."
        if service in ANSWERED and service not in self.services:
            return f"kmsmock does not answer {service}, which is not among the mock's `services`."
        if service in ONLY_BESIDE:
            return (
                f"kmsmock does not answer {service}: it makes only the KMS calls of {service}, if "
                "something else answers its requests."
            )
        return f"kmsmock does not answer {service}, but only {', '.join(ANSWERED)}."


def keep_unanswered(
    *, model: Any, params: Any, request_signer: Any, context: Any, **_: Any
) -> None:
    """Store what a note needs to know about a call that no handler has answered.

    Handles ``before-call``, after all other handlers.
    """
    service = model.service_model.service_name
    mock = get_mock(context)
    if mock is not None and service != "kms":
        moto_bridge.install()
        context[_UNANSWERED] = Unanswered(service, params["url"], request_signer, mock.services)


def explain_response(*, response: Any, request_dict: Any, **_: Any) -> None:
    """Keep a note for the ClientError that AWS's response to an unanswered request becomes.

    Handles ``needs-retry``, which botocore emits for each response to an HTTP request.
    """
    request = request_dict["context"].get(_UNANSWERED)
    if request is None or response is None:
        return
    http_response, parsed = response
    was_sent = hasattr(http_response, _SENT)
    if was_sent and http_response.status_code >= 300 and is_aws_host(read_host(request.url)):
        keep_note(parsed, request.explain("went"))


def explain_exception(*, exception: Any, context: Any = None, **_: Any) -> None:
    """Attach a note to an exception of an unanswered request: not sent, or without a response.

    Handles ``after-call-error``.
    """
    set_changes_nothing(changes_nothing=False)
    request = context.get(_UNANSWERED) if isinstance(context, dict) else None
    if request is None or not is_aws_host(read_host(request.url)):
        return
    if hasattr(exception, _SENT):
        where = "was on its way"
    elif is_moto_active():
        return
    elif isinstance(exception, ResponseParserError):
        where = "went"
    elif isinstance(exception, _NOT_SENT):
        where = "would have gone"
    else:
        return
    add_note(exception, request.explain(where))
    hide_frames_of(exception)


def _advise(service: str) -> str:
    """Return how to answer requests to a service from memory."""
    if service in ANSWERED:
        return (
            f"To answer it from memory, use a mock that has {service} in its `services`, or moto's "
            "`mock_aws`."
        )
    return "To answer it from memory, use moto's `mock_aws`, or the `endpoint_url` of an emulator."


def _describe_credentials(signer: Any) -> str:
    """Return what a request is signed with while a mock is active."""
    if signer._signature_version is UNSIGNED:  # noqa: SLF001 - there is no public attribute
        return "unsigned"
    if signer._signature_version == "bearer":  # noqa: SLF001 - as above
        return "with a bearer token" if signer._auth_token else "without a bearer token"  # noqa: SLF001
    key = read_access_key(signer) or DUMMY
    if key == DUMMY:
        return f"signed with the dummy access key {key}"
    provider = signer._credentials.method  # noqa: SLF001 - as above
    return f"signed with the access key {key} (from botocore's provider: {provider})"
