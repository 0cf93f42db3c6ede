"""Answers in the form that botocore's parser would have given them."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSResponse
from dateutil.tz import tzlocal

from kmsmock.api_call import Answer
from kmsmock.interception.notes import keep_explanation

if TYPE_CHECKING:
    from kmsmock.errors import ServiceError

_CONTENT_TYPE = "application/x-amz-json-1.1"


def to_client(answer: Answer, model: Any) -> tuple[AWSResponse, dict[str, Any]]:
    """Give what a ``before-call`` handler answers with. model: None to leave values as they are."""
    request_id, result = answer
    headers = headers_of(request_id)
    status = 200
    if isinstance(result, dict):
        shape = _shaper_of(model) if model is not None else None
        parsed = result if shape is None else shape(result)
    else:
        status = result.status
        parsed = _parsed_error(result, model)
        keep_explanation(request_id, result)
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


def headers_of(request_id: str) -> dict[str, str]:
    """Give the HTTP headers that KMS answers with."""
    return {
        "x-amzn-requestid": request_id,
        "cache-control": "no-cache, no-store, must-revalidate, private",
        "expires": "0",
        "pragma": "no-cache",
        "content-type": _CONTENT_TYPE,
    }


class _Answered(AWSResponse):  # type: ignore[misc] # botocore has no types
    """A response that was never bytes; botocore only asks it for the status."""

    def __init__(self, status: int, headers: Any) -> None:
        self.url = "https://kms.amazonaws.com/"
        self.status_code = status
        self.headers = headers
        self.raw = None
        self._content = b""


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
