"""Each operation over HTTP: botocore writes what is read here, and reads what is written here.

The operations are those of the registries, so that a new one is tested without a line here.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from kmsmock.aws.api_call import Answer
from kmsmock.aws.coded_error import CodedError
from kmsmock.aws.services import ANSWERED, AWS_SERVICES
from kmsmock.operations import OPERATIONS
from kmsmock.protocols import kms
from kmsmock.protocols.json_body import read_json
from kmsmock.protocols.scope import read_scope
from kmsmock.protocols.service_protocols import PROTOCOLS, ServiceProtocol
from tests.protocols.requests import make_request, parse, service_model
from tests.protocols.samples import make_sample

#: Text of each kind of member, and the number of items in lists.
SAMPLES = {
    "plain": ("text", 1),
    "special": ("ü <&> \"'+%20 %]]> \n\t\r\n 😀;=", 2),
    "many": ("a.b.1", 11),
    "empty": ("", 0),
}
OTHERS = tuple(service for service in ANSWERED if service != "kms")


def list_operations(service: str) -> list[str]:
    row = AWS_SERVICES[service]
    operations = (
        OPERATIONS if row.answered is None else import_module(row.answered).SERVICE.operations
    )
    # An older botocore lacks some.
    return [each for each in operations if each in service_model(service).operation_names]


def protocol_of(service: str) -> ServiceProtocol:
    return PROTOCOLS[service_model(service).metadata["protocol"]]


def each_model(service: str) -> Iterator[Any]:
    for operation in list_operations(service):
        yield service_model(service).operation_model(operation)


def drop_empty(value: Any) -> Any:
    """Return parameters without what EC2's protocol cannot send: empty lists and structures."""
    if not isinstance(value, dict):
        return value
    members = {name: drop_empty(member) for name, member in value.items()}
    return {name: member for name, member in members.items() if member not in ([], {})}


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("service", OTHERS)
def test_requests_are_read_as_botocore_writes_them(service: str, sample: str):
    model = service_model(service)
    for operation in each_model(service):
        shape = operation.input_shape
        parameters = {} if shape is None else make_sample(shape, *SAMPLES[sample])
        request = make_request(service, operation.name, parameters)

        read = protocol_of(service).read(request, model)

        if service == "ec2":
            parameters = drop_empty(parameters)
        assert (read.operation, read.parameters) == (operation.name, parameters)


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("service", OTHERS)
def test_answers_are_written_as_botocore_reads_them(service: str, sample: str):
    for operation in each_model(service):
        shape = operation.output_shape
        members = {} if shape is None else make_sample(shape, *SAMPLES[sample])

        response = protocol_of(service).write(members, operation, "id-of-the-request")

        read = parse(response, service, operation.name)
        assert read.pop("ResponseMetadata")["RequestId"] == "id-of-the-request"
        assert read == members, operation.name


def test_requests_to_kms_are_read_as_botocore_writes_them():
    for operation in each_model("kms"):
        shape = operation.input_shape
        parameters = {} if shape is None else make_sample(shape, *SAMPLES["special"])
        request = make_request("kms", operation.name, parameters, region="eu-west-1")

        call = kms.read_call(request, read_scope(request), "")

        assert (call.operation, call.access_key, call.region) == (
            operation.name,
            "testing",
            "eu-west-1",
        )
        assert isinstance(call.body, bytes)
        assert read_json(call.body, shape) == parameters, operation.name


@pytest.mark.parametrize("sample", SAMPLES)
def test_answers_of_kms_are_written_as_botocore_reads_them(sample: str):
    for operation in each_model("kms"):
        shape = operation.output_shape
        members = {} if shape is None else make_sample(shape, *SAMPLES[sample])

        response = kms.write_answer(Answer("id-of-the-request", members))

        read = parse(response, "kms", operation.name)
        assert read.pop("ResponseMetadata")["RequestId"] == "id-of-the-request"
        assert read == members, operation.name


@pytest.mark.parametrize("service", ANSWERED)
def test_errors_are_written_as_botocore_reads_them(service: str):
    error = CodedError("TextCode", SAMPLES["special"][0], status=409)

    response = protocol_of(service).write_error(error, service_model(service), "id-of-the-request")

    operation = list_operations(service)[0]
    read = parse(response, service, operation)
    assert response.status == 409
    assert read["ResponseMetadata"]["RequestId"] == "id-of-the-request"
    assert (read["Error"]["Code"], read["Error"]["Message"]) == (error.code, error.message)
