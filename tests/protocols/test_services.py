"""Services other than KMS over HTTP: the same answers as to clients in the process."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from kmsmock import mock_kms
from kmsmock.aws.errors import ServiceError
from kmsmock.interception.parsed_responses import to_botocore_response
from tests.protocols.requests import call, service_model
from tests.protocols.test_round_trips import OTHERS, each_model
from tests.services.generated_requests import make_value


def in_process(kms: Any, service: str, operation: str, parameters: dict[str, Any]) -> Any:
    """Return an answer or an error, as clients in the process get them."""
    model = service_model(service).operation_model(operation)
    answer = kms._responder.answer_service(
        service=service,
        operation=operation,
        parameters=parameters,
        access_key="testing",
        region="us-east-1",
        model=model,
    )
    is_error = isinstance(answer.result, ServiceError)
    _, parsed = to_botocore_response(answer, model if is_error else None)
    del parsed["ResponseMetadata"]
    return parsed if is_error or not parsed else as_received(parsed, model.output_shape)


def over_http(kms: Any, service: str, operation: str, parameters: dict[str, Any]) -> Any:
    """Return an answer or an error, as botocore parses it."""
    parsed = call(kms, service, operation, parameters)
    del parsed["ResponseMetadata"]
    return parsed


def as_received(value: Any, shape: Any) -> Any:
    """Return a value as a client gets it.

    Times have milliseconds, and an older botocore does not know all members.
    """
    if isinstance(value, dict) and shape.type_name == "structure":
        known = {name: member for name, member in value.items() if name in shape.members}
        return {
            name: as_received(member, shape.members[name])
            for name, member in known.items()
            if member is not None
        }
    if isinstance(value, list):
        return [as_received(item, shape.member) for item in value]
    if isinstance(value, datetime):
        return value.replace(microsecond=value.microsecond // 1000 * 1000)
    return value


@pytest.mark.parametrize("service", OTHERS)
def test_each_operation_answers_as_it_does_in_the_process(service: str):
    with mock_kms(seed=1) as here, mock_kms(seed=1) as there:
        for operation in each_model(service):
            shape = operation.input_shape
            parameters = {} if shape is None else make_value(shape)

            answer = in_process(here, service, operation.name, parameters)

            assert over_http(there, service, operation.name, parameters) == answer, operation.name


def test_each_operation_of_kms_answers_as_it_does_in_the_process():
    with mock_kms(seed=1) as here, mock_kms(seed=1) as there:
        client = here.client()
        for operation in each_model("kms"):
            shape = operation.input_shape
            parameters = {} if shape is None else make_value(shape)
            try:
                answer = getattr(client, xform_name(operation.name))(**parameters)
            except ClientError as error:
                answer = dict(error.response)
            del answer["ResponseMetadata"]

            assert over_http(there, "kms", operation.name, parameters) == answer, operation.name


VOLUME = {"AvailabilityZone": "us-east-1a", "Size": 8, "Encrypted": True}
TRUST = '{"Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}}'
POLICY = '{"Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}}'
SPECIAL = "ü <&> \"'+%20 %]]> \n 😀;="
STEPS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "sts": [
        ("GetCallerIdentity", {}),
        (
            "AssumeRole",
            {
                "RoleArn": "arn:aws:iam::123456789012:role/Administrator",
                "RoleSessionName": "x",
                "Tags": [{"Key": "team", "Value": "ü"}],
            },
        ),
        ("GetSessionToken", {"DurationSeconds": 900}),
    ],
    "iam": [
        ("CreateUser", {"UserName": "ann", "Tags": [{"Key": "team", "Value": "a & b"}]}),
        ("CreateRole", {"RoleName": "App", "AssumeRolePolicyDocument": TRUST}),
        (
            "PutRolePolicy",
            {"RoleName": "App", "PolicyName": "keys", "PolicyDocument": POLICY},
        ),
        ("GetRole", {"RoleName": "App"}),
        ("GetUser", {"UserName": "ann"}),
        ("ListUsers", {"MaxItems": 1}),
        ("CreateAccessKey", {"UserName": "ann"}),
        ("ListRolePolicies", {"RoleName": "App"}),
        (
            "SimulateCustomPolicy",
            {"PolicyInputList": [POLICY], "ActionNames": ["kms:Decrypt", "s3:GetObject"]},
        ),
        ("DeleteUser", {"UserName": "nobody"}),
    ],
    "ec2": [
        ("CreateVolume", VOLUME),
        ("CreateVolume", {**VOLUME, "Encrypted": False}),
        ("DescribeVolumes", {"Filters": [{"Name": "encrypted", "Values": ["true", "x"]}]}),
        ("EnableEbsEncryptionByDefault", {}),
        ("GetEbsEncryptionByDefault", {}),
        ("DescribeSnapshots", {"OwnerIds": ["self"]}),
        ("DeleteVolume", {"VolumeId": "vol-0123456789abcdef0"}),
        ("DeleteVolume", {"VolumeId": SPECIAL}),
    ],
    "rds": [
        (
            "CreateDBInstance",
            {
                "DBInstanceIdentifier": "db",
                "DBInstanceClass": "db.t3.micro",
                "Engine": "postgres",
                "MasterUsername": "root",
                "MasterUserPassword": "secret & <long>",
                "AllocatedStorage": 20,
                "StorageEncrypted": True,
                "Tags": [{"Key": "team", "Value": "x"}, {"Key": "empty", "Value": ""}],
            },
        ),
        ("DescribeDBInstances", {}),
        ("DescribeDBInstances", {"DBInstanceIdentifier": "none"}),
        ("DescribeDBSnapshots", {}),
    ],
    "cloudtrail": [
        ("LookupEvents", {"StartTime": datetime(2025, 12, 1, tzinfo=timezone.utc)}),
        ("DescribeTrails", {}),
        ("CreateTrail", {"Name": "trail", "S3BucketName": "bucket"}),
        ("GetTrail", {"Name": "none"}),
        ("LookupEvents", {"MaxResults": 1}),
    ],
}


@pytest.mark.parametrize("service", STEPS)
def test_resources_are_those_of_clients_in_the_process(service: str):
    with mock_kms(seed=1) as here, mock_kms(seed=1) as there:
        for operation, parameters in STEPS[service]:
            answer = in_process(here, service, operation, parameters)

            assert over_http(there, service, operation, parameters) == answer

        assert [str(each) for each in there.calls] == [str(each) for each in here.calls]
