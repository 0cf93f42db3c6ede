"""Convert answers to what botocore's parser would return for the HTTP response."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSResponse
from dateutil.tz import tzlocal

from kmsmock.aws.api_call import Answer
from kmsmock.aws.disruptions import Disruption
from kmsmock.aws.installed_model import get_text_member
from kmsmock.interception.error_notes import keep_explanation
from kmsmock.protocols.kms import HEADERS

if TYPE_CHECKING:
    from kmsmock.aws.errors import ServiceError

#: The protocols with responses in XML.
_XML = ("query", "ec2", "rest-xml")


def to_botocore_response(answer: Answer, model: Any) -> tuple[AWSResponse, dict[str, Any]]:
    """Convert an answer to what a ``before-call`` handler returns: HTTP response and parsed body.

    model: the operation model; None to leave the values unchanged.
    """
    request_id, result = answer
    response: Any = _new_response(_Response)
    response.headers = headers = {"x-amzn-requestid": request_id, **HEADERS}
    if isinstance(result, dict):
        parsed = result
        if model is not None:
            output = _output_structures.get(model.name) or _add_output_structure(model)
            if output.converters or not result.keys() <= output.members:
                parsed = output.convert(result)
    else:
        assert not isinstance(result, Disruption), "only HTTP requests are disrupted"
        response.status_code = result.status
        parsed = _parse_error(result, model)
        keep_explanation(request_id, result.explanation)
    parsed["ResponseMetadata"] = {
        "RequestId": request_id,
        "HTTPStatusCode": response.status_code,
        "HTTPHeaders": headers,
        "RetryAttempts": 0,
    }
    return response, parsed


def _parse_error(error: ServiceError, model: Any) -> dict[str, Any]:
    """Return what botocore's parser returns for an error response."""
    parsed: dict[str, Any] = {"Error": {"Message": error.message or "", "Code": error.code}}
    protocol = model.service_model.metadata["protocol"]
    if protocol == "query":
        parsed["Error"]["Type"] = "Sender"
    member = get_text_member(model.service_model, error.code)
    # In XML the text is always in Message, so that the parser does not find other members.
    if error.message is not None and (member == "Message" or (member and protocol not in _XML)):
        parsed[member] = error.message
    return parsed


class _Response(AWSResponse):  # type: ignore[misc] # botocore has no types
    """An HTTP response without a body, since botocore only reads its status and headers.

    Created without calling `__init__`, which would slow down each call.
    """

    url = "https://kms.amazonaws.com/"
    status_code = 200
    raw = None
    _content = b""


_new_response = _Response.__new__


class _Structure:
    """Converts a structure as botocore's parser does. shape: its shape in botocore's model."""

    __slots__ = ("converters", "members")

    def __init__(self, shape: Any) -> None:
        members = shape.members if shape is not None else {}
        #: The members in the installed model; clients receive no others.
        self.members = frozenset(members)
        #: Member name -> converter of its values, for timestamps, which botocore returns in the
        #: local time zone.
        self.converters = {
            name: convert
            for name, member in members.items()
            if (convert := _make_converter(member)) is not None
        }

    def convert(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return a structure as the parser would; may change it in place."""
        if not value.keys() <= self.members:
            value = {name: item for name, item in value.items() if name in self.members}
        if self.converters:
            for name, convert in self.converters.items():
                if name in value:
                    value[name] = convert(value[name])
        return value


#: Operation name -> its output structure.
_output_structures: dict[str, _Structure] = {}


def _add_output_structure(model: Any) -> _Structure:
    output = _output_structures[model.name] = _Structure(model.output_shape)
    return output


def _make_converter(shape: Any) -> Callable[[Any], Any] | None:
    """Return the function that converts values of a shape; None if they stay unchanged."""
    if shape.type_name == "timestamp":
        return _to_local_time
    if shape.type_name == "list":
        item = _make_converter(shape.member)
        return None if item is None else lambda values: [item(value) for value in values]
    return _Structure(shape).convert if shape.type_name == "structure" else None


def _to_local_time(moment: datetime) -> datetime:
    # Zones can have the same names, such as CST in Chicago and Shanghai.
    return _to_time_zone(moment, time.tzname, time.timezone, time.altzone)


@functools.lru_cache(maxsize=64)
def _to_time_zone(moment: datetime, *zone: object) -> datetime:  # noqa: ARG001 - part of the key
    # Cached, since it is the slowest part of many answers, which mostly have the same few times.
    try:
        return moment.astimezone(tzlocal())
    except OverflowError:  # in the first and the last hours of the calendar
        return moment
