"""Whatever a request lacks, and whatever its members are, no Python exception reaches the client.

It ends in what the store says, or in an error of AWS.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import moto
import pytest
from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError
from botocore.stub import Stubber
from moto import mock_aws

import kmsmock
from kmsmock import mock_kms
from kmsmock.aws.services import ANSWERED, AWS_SERVICES, MOCKED, ONLY_BESIDE
from tests.services.beside.conftest import error_of
from tests.services.generated_requests import REGION, list_operations, make_value, spoil
from tests.thoroughness import is_thorough

_PACKAGE, _MOTO = Path(kmsmock.__file__).parent, Path(moto.__file__).parent
#: Of the spoiled requests, every fourth one is sent; with a thorough profile of Hypothesis all.
_STEP = 4
UNCHECKED = Config(parameter_validation=False, retries={"total_max_attempts": 1})
CHECKED = Config(retries={"total_max_attempts": 1})


# Most of the resources in generated answers were never created.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def call(client: Any, operation: str, parameters: dict[str, Any]) -> str | None:
    """Send a request; return it with the exception of this package in which it ends, if any."""
    try:
        getattr(client, xform_name(operation))(**parameters)
    except (ClientError, ParamValidationError):
        return None
    except Exception as error:  # noqa: BLE001 - any but these is wrong
        return f"{operation}({parameters}): {error!r}" if is_of_package(error) else None
    return None


def is_of_package(error: BaseException) -> bool:
    """Return whether an exception comes from this package, and not from the store or botocore."""
    frames = [Path(frame.filename) for frame in traceback.extract_tb(error.__traceback__)]
    if frames[-1].is_relative_to(_PACKAGE):
        return True
    # Frames of the interception are also there when botocore or the store raises something.
    deciding = [
        path
        for path in frames
        if path.is_relative_to(_MOTO)
        or (path.is_relative_to(_PACKAGE) and "interception" not in path.parts)
    ]
    return bool(deciding) and deciding[-1].is_relative_to(_PACKAGE)


def list_requests(service: str, model: Any) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Yield operations, each with spoiled parameters and with a complete answer."""
    for operation in list_operations(service):
        if operation not in model.operation_names:
            continue  # The installed botocore is older.
        shapes = model.operation_model(operation)
        complete = make_value(shapes.input_shape) if shapes.input_shape else {}
        answer = make_value(shapes.output_shape) if shapes.output_shape else {}
        for parameters in (complete, *spoil(complete)):
            yield operation, parameters, answer


def find_escaped(service: str, *, has_store: bool) -> list[str]:
    """Send spoiled requests, and return those that end in an exception of this package.

    has_store: whether something answers them that says whatever the model permits, or nothing.
    """
    clients = [boto3.client(service, REGION, config=each) for each in (UNCHECKED, CHECKED)]
    answers: list[dict[str, Any]] = []

    def answer_request(**_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        metadata = {"ResponseMetadata": {"HTTPStatusCode": 200}}
        return AWSResponse("https://store", 200, {}, None), {**answers[-1], **metadata}

    if has_store:
        event = f"before-call.{AWS_SERVICES[service].event_name or service}"
        for client in clients:
            client.meta.events.register_last(event, answer_request)
    step = 1 if is_thorough() else _STEP
    escaped = []
    for number, request in enumerate(list_requests(service, clients[0].meta.service_model)):
        operation, parameters, answer = request
        if number % step:
            continue
        answers[:] = [answer if number // step % 3 else {}]
        escaped.append(call(clients[number // step % 2], operation, parameters))
    return [each for each in escaped if each is not None]


@pytest.mark.thorough
@pytest.mark.parametrize("service", [each for each in MOCKED if each != "kms"])
def test_beside_a_store_none_escapes(service):
    with mock_aws(), mock_kms(seed=1, authorization="off", isolated=True):
        assert find_escaped(service, has_store=True) == []


@pytest.mark.thorough
@pytest.mark.parametrize("service", ANSWERED)
def test_alone_none_escapes(service):
    with mock_kms(seed=1, authorization="off", isolated=True):
        assert find_escaped(service, has_store=False) == []


def test_beside_moto_none_escapes(kms):  # noqa: ARG001 - the mock
    for service in ONLY_BESIDE:
        client = boto3.client(service, REGION, config=UNCHECKED)
        for operation in list_operations(service):
            assert call(client, operation, {}) is None


@pytest.mark.parametrize("service", MOCKED)
def test_each_generated_request_is_complete(service):
    """Otherwise botocore would refuse them all, and nothing would be tested."""
    client = boto3.client(service, REGION, config=CHECKED)
    model = client.meta.service_model
    for operation in set(list_operations(service)) & set(model.operation_names):
        shape = model.operation_model(operation).input_shape
        if shape is not None:
            client._serializer.serialize_to_request(
                make_value(shape), model.operation_model(operation)
            )


# --- what they end in -----------------------------------------------------------------------------


@pytest.fixture
def unchecked(kms) -> Callable[[str], Any]:  # noqa: ARG001 - the mock
    """Return a function that makes clients whose parameters boto3 does not check."""
    return lambda service: boto3.client(service, REGION, config=UNCHECKED)


_NULL = "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must "
MISSING = {
    "ssm": ("put_parameter", "ValidationException", _NULL.format("name") + "not be null"),
    "logs": ("create_log_group", "InvalidParameterException", _NULL.format("logGroupName")),
    "kinesis": ("start_stream_encryption", "ValidationException", _NULL.format("encryptionType")),
    "dynamodb": ("create_backup", "ValidationException", _NULL.format("tableName")),
    "secretsmanager": ("get_secret_value", "ValidationException", _NULL.format("secretId")),
    "sqs": ("create_queue", "MissingParameter", "The request must contain the parameter QueueName"),
    "sns": ("subscribe", "InvalidParameter", "Invalid parameter: TopicArn Reason: no value for"),
    "rds": ("delete_db_snapshot", "MissingParameter", "contain the parameter DBSnapshotIdentifier"),
    "ec2": ("copy_snapshot", "MissingParameter", "contain the parameter SourceSnapshotId"),
    "sts": ("assume_role", "ValidationError", _NULL.format("roleArn")),
}


@pytest.mark.parametrize("service", MISSING)
@pytest.mark.parametrize("parameters", [False, True], ids=["absent", "null"])
def test_a_missing_parameter_is_refused_in_the_words_of_the_service(unchecked, service, parameters):
    operation, code, text = MISSING[service]
    client = unchecked(service)
    if parameters:
        name = client.meta.method_to_api_mapping[operation]
        members = client.meta.service_model.operation_model(name).input_shape.required_members
    with pytest.raises(ClientError) as caught:
        getattr(client, operation)(**(dict.fromkeys(members) if parameters else {}))
    assert error_of(caught)[0] == code
    assert text in error_of(caught)[1]


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "code"),
    [
        ("ssm", "put_parameter", {"Name": "a", "Value": 1}, "SerializationException"),
        ("secretsmanager", "get_secret_value", {"SecretId": ["x"]}, "SerializationException"),
        ("sqs", "send_message", {"QueueUrl": 1, "MessageBody": "x"}, "SerializationException"),
        ("sns", "publish", {"TopicArn": 1, "Message": "x"}, "MalformedQueryString"),
    ],
    ids=["text", "list", "URL", "query"],
)
def test_a_value_of_another_type_is_refused(unchecked, service, operation, parameters, code):
    with pytest.raises(ClientError) as caught:
        getattr(unchecked(service), operation)(**parameters)
    assert error_of(caught)[0] == code
    assert "must be of type" in "".join(caught.value.__notes__)


def test_null_is_no_value(kms, unchecked):
    unchecked("ssm").put_parameter(Name="a", Value="x", Type="SecureString", KeyId=None)
    kms.calls.assert_called("Encrypt", key="alias/aws/ssm")


def test_a_stream_without_a_name_is_for_the_store_to_refuse(kms):
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        kms.client("kinesis").put_record(Data=b"x", PartitionKey="a")


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("sns", "create_topic", {"Name": "news", "Attributes": {"KmsMasterKeyId": "alias/x"}}),
        ("sqs", "create_queue", {"QueueName": "jobs"}),
        ("kinesis", "get_shard_iterator", {"ShardId": "x", "ShardIteratorType": "LATEST"}),
        ("ssm", "get_parameter", {"Name": "a"}),
        ("secretsmanager", "create_secret", {"Name": "a"}),
    ],
)
def test_an_answer_without_members_is_returned(kms, service, operation, parameters):
    client = kms.client(service)
    with Stubber(client) as stub:
        stub.add_response(operation, {})
        answer = getattr(client, operation)(**parameters)
    assert answer.keys() <= {"ResponseMetadata"}


def test_answers_have_plain_dictionaries(kms):
    ssm = kms.client("ssm")
    ssm.put_parameter(Name="a", Value="x", Type="SecureString")
    parameter = ssm.get_parameter(Name="a")["Parameter"]
    assert type(parameter) is dict
    with pytest.raises(KeyError) as caught:
        parameter["Nothing"]
    assert type(caught.value) is KeyError
