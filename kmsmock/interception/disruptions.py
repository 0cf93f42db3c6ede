"""Failures of the network, as botocore's HTTP session reports them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    HTTPClientError,
    ReadTimeoutError,
)

from kmsmock.aws.disruptions import ARMED, Loss, LostConnection
from kmsmock.process.exceptions import add_note, hide_frames_of

#: The retries of a client without a configuration of them.
_UNCONFIGURED = {"mode": BOTOCORE_DEFAUT_SESSION_VARIABLES["retry_mode"][2]}
_ERRORS: dict[Loss, Any] = {
    Loss.CLOSED: ConnectionClosedError,
    Loss.READ_TIMEOUT: ReadTimeoutError,
    Loss.CONNECT_TIMEOUT: ConnectTimeoutError,
}


def make_connection_error(lost: LostConnection, request: Any) -> HTTPClientError:
    """Return the error that botocore raises for a lost connection. request: the HTTP request."""
    how = lost.how
    error = _ERRORS[how](endpoint_url=request.url, request=request, error=how.value)
    error.is_retried = lost.is_retried
    add_note(error, ARMED)
    hide_frames_of(error)
    return error


def hide_from_retries(*, response: Any, caught_exception: Any, request_dict: Any, **_: Any) -> None:
    """Hide what the caller is to see from botocore's retries, which would retry the request.

    Handles ``needs-retry`` before botocore does. Older versions have no result that ends retries.
    """
    answer = caught_exception if response is None else response[0]
    is_retried = getattr(answer, "is_retried", True)
    if is_retried is None:
        is_retried = request_dict["context"]["client_config"].retries != _UNCONFIGURED
    if is_retried:
        return
    if response is None:
        raise caught_exception
    http_response, parsed = response
    http_response.hidden = (http_response.status_code, parsed.pop("Error", None))
    http_response.status_code = HTTPStatus.OK


def show_after_retries(*, response: Any, **_: Any) -> None:
    """Restore the response that `hide_from_retries` has hidden.

    Handles ``needs-retry`` after botocore.
    """
    if response is None or not hasattr(response[0], "hidden"):
        return
    http_response, parsed = response
    http_response.status_code, error = vars(http_response).pop("hidden")
    if error is not None:
        parsed["Error"] = error
