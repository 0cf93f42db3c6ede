"""Credentials that are not valid are refused before the other store answers, as on AWS."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from io import BytesIO
from typing import Any, NamedTuple
from zipfile import ZipFile

import pytest
from botocore.exceptions import ClientError

from kmsmock.aws.services import AWS_SERVICES, MOCKED
from tests.services.beside.conftest import ACCOUNT
from tests.test_admission import (
    DELETED,
    NAMES,
    REFUSED,
    UNSIGNED_REQUEST,
    VALID,
    client_maker,
    deleted_user,
    expired_session,
    keys_in,
    none_for_the_request_is_unsigned,
    refused,
)

ENCRYPTED = {"KmsMasterKeyId": "alias/aws/sqs"}
TABLE: dict[str, Any] = {
    "TableName": "items",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


class Request(NamedTuple):
    """A request that stores something, with what is stored, and what exists before."""

    send: Callable[[Any], Any]
    stored: Callable[[Any], Any]
    prepare: Callable[[Any], Any] = lambda _: None


def layer():
    code = BytesIO()
    with ZipFile(code, "w") as archive:
        archive.writestr("job.py", "def run(event, context): return 1")
    return {"ZipFile": code.getvalue()}


def queue_url(client):
    return client.get_queue_url(QueueName="orders")["QueueUrl"]


def messages(client):
    answer = client.get_queue_attributes(
        QueueUrl=queue_url(client), AttributeNames=["ApproximateNumberOfMessages"]
    )
    return answer["Attributes"]["ApproximateNumberOfMessages"]


#: Name of the service, and whether KMS is used -> a request.
REQUESTS = {
    ("dynamodb", "with KMS"): Request(
        lambda client: client.create_table(
            **TABLE, SSESpecification={"Enabled": True, "SSEType": "KMS"}
        ),
        lambda client: client.list_tables()["TableNames"],
    ),
    ("dynamodb", "without"): Request(
        lambda client: client.create_table(**TABLE),
        lambda client: client.list_tables()["TableNames"],
    ),
    ("ec2", "with KMS"): Request(
        lambda client: client.create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True),
        lambda client: client.describe_volumes()["Volumes"],
    ),
    ("ec2", "without"): Request(
        lambda client: client.create_key_pair(KeyName="login"),
        lambda client: client.describe_key_pairs()["KeyPairs"],
    ),
    ("kinesis", "with KMS"): Request(
        lambda client: client.start_stream_encryption(
            StreamName="clicks", EncryptionType="KMS", KeyId="alias/aws/kinesis"
        ),
        lambda client: client.describe_stream(StreamName="clicks")["StreamDescription"],
        lambda client: client.create_stream(StreamName="clicks", ShardCount=1),
    ),
    ("kinesis", "without"): Request(
        lambda client: client.create_stream(StreamName="clicks", ShardCount=1),
        lambda client: client.list_streams()["StreamNames"],
    ),
    ("lambda", "without"): Request(
        lambda client: client.publish_layer_version(LayerName="tools", Content=layer()),
        lambda client: client.list_layers()["Layers"],
    ),
    ("logs", "without"): Request(
        lambda client: client.create_log_group(logGroupName="audit"),
        lambda client: client.describe_log_groups()["logGroups"],
    ),
    ("rds", "with KMS"): Request(
        lambda client: client.create_db_instance(
            DBInstanceIdentifier="orders",
            DBInstanceClass="db.m5.large",
            Engine="postgres",
            AllocatedStorage=20,
            MasterUsername="root",
            MasterUserPassword="password",
            StorageEncrypted=True,
        ),
        lambda client: client.describe_db_instances()["DBInstances"],
    ),
    ("rds", "without"): Request(
        lambda client: client.create_db_parameter_group(
            DBParameterGroupName="fast", DBParameterGroupFamily="postgres16", Description="fast"
        ),
        lambda client: client.describe_db_parameter_groups()["DBParameterGroups"],
    ),
    ("s3", "with KMS"): Request(
        lambda client: client.put_object(
            Bucket="papers", Key="a.txt", Body=b"a", ServerSideEncryption="aws:kms"
        ),
        lambda client: client.list_objects_v2(Bucket="papers")["KeyCount"],
        lambda client: client.create_bucket(Bucket="papers"),
    ),
    ("s3", "without"): Request(
        lambda client: client.create_bucket(Bucket="papers"),
        lambda client: client.list_buckets()["Buckets"],
    ),
    ("secretsmanager", "with KMS"): Request(
        lambda client: client.create_secret(Name="token", SecretString="hunter2"),
        lambda client: client.list_secrets()["SecretList"],
    ),
    ("secretsmanager", "without"): Request(
        lambda client: client.tag_resource(
            SecretId="token", Tags=[{"Key": "team", "Value": "red"}]
        ),
        lambda client: client.describe_secret(SecretId="token").get("Tags"),
        lambda client: client.create_secret(Name="token"),
    ),
    ("sns", "without"): Request(
        lambda client: client.create_topic(Name="news"),
        lambda client: client.list_topics()["Topics"],
    ),
    ("sqs", "with KMS"): Request(
        lambda client: client.send_message(QueueUrl=queue_url(client), MessageBody="hello"),
        messages,
        lambda client: client.create_queue(QueueName="orders", Attributes=ENCRYPTED),
    ),
    ("sqs", "without"): Request(
        lambda client: client.create_queue(QueueName="orders"),
        lambda client: client.list_queues().get("QueueUrls"),
    ),
    ("ssm", "with KMS"): Request(
        lambda client: client.put_parameter(Name="/token", Value="hunter2", Type="SecureString"),
        lambda client: client.describe_parameters()["Parameters"],
    ),
    ("ssm", "without"): Request(
        lambda client: client.put_parameter(Name="/token", Value="hunter2", Type="String"),
        lambda client: client.describe_parameters()["Parameters"],
    ),
}
IDS = [" ".join(row) for row in REQUESTS]


#: Services that can take unsigned requests, as far as these do not need KMS.
TAKE_UNSIGNED = ("s3", "sqs")


NOT_VALID = [
    pytest.param(service, use, credentials, id=f"{service} {use}-{credentials.__name__}")
    for service, use in REQUESTS
    for credentials in (deleted_user, expired_session, none_for_the_request_is_unsigned)
    if (credentials, use) != (none_for_the_request_is_unsigned, "without")
    or service not in TAKE_UNSIGNED
]


@pytest.mark.parametrize(("service", "use", "credentials"), NOT_VALID)
def test_a_request_with_credentials_that_are_not_valid_stores_nothing(
    kms, service, use, credentials
):
    request, client = REQUESTS[service, use], kms.client(service)
    request.prepare(client)
    arguments, arn, reason = credentials(kms)
    stored, calls = request.stored(client), len(kms.calls)

    with refused(service, reason, arn):
        request.send(client_maker(arguments)(service))

    assert request.stored(client) == stored
    assert len(kms.calls) == calls


@pytest.mark.parametrize("service", TAKE_UNSIGNED)
def test_an_unsigned_request_that_needs_no_kms_is_left_to_the_store(kms, service):
    request, client = REQUESTS[service, "without"], kms.client(service)
    arguments, *_ = none_for_the_request_is_unsigned(kms)
    stored = request.stored(client)

    request.send(client_maker(arguments)(service))

    assert request.stored(client) != stored


def test_an_unsigned_request_cannot_read_what_s3_encrypts_with_kms(kms):
    client = kms.client("s3")
    client.create_bucket(Bucket="papers")
    public = {"Bucket": "papers", "ACL": "public-read"}
    client.put_object(**public, Key="a", Body=b"a", ServerSideEncryption="aws:kms")
    client.put_object(**public, Key="b", Body=b"b")
    arguments, *_ = none_for_the_request_is_unsigned(kms)
    anonymous = client_maker(arguments)("s3")

    assert anonymous.get_object(Bucket="papers", Key="b")["Body"].read() == b"b"
    with refused("s3", UNSIGNED_REQUEST, "") as caught:
        anonymous.get_object(Bucket="papers", Key="a")
    error = caught.value.response["Error"]
    assert (error["ArgumentName"], error["ArgumentValue"]) == ("Authorization", "null")


@pytest.mark.parametrize(("service", "use"), REQUESTS, ids=IDS)
def test_the_same_request_with_an_unknown_access_key_stores_something(kms, service, use):
    request, client = REQUESTS[service, use], kms.client(service)
    request.prepare(client)
    stored = request.stored(client)
    keys = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "x"}

    request.send(client_maker(keys)(service))

    assert request.stored(client) != stored


def test_the_table_has_all_services_that_do_not_leave_credentials_to_the_other_store():
    beside = {name for name in MOCKED if AWS_SERVICES[name].beside}

    assert {service for service, _ in REQUESTS} == beside - {"iam", "sts"}


@pytest.mark.parametrize("credentials", REFUSED, **NAMES)
def test_no_credentials_that_are_not_valid_reach_the_store(kms, credentials):
    arguments, arn, reason = credentials(kms)

    with refused("ssm", reason, arn):
        client_maker(arguments)("ssm").put_parameter(Name="/a", Value="hunter2", Type="String")

    assert kms.client("ssm").describe_parameters()["Parameters"] == []


@pytest.mark.parametrize("credentials", VALID, **NAMES)
def test_a_service_calls_kms_for_the_caller(kms, credentials):
    arguments, arn, _ = credentials(kms)
    before = len(kms.calls)

    client_maker(arguments)("ssm").put_parameter(Name="/a", Value="hunter2", Type="SecureString")

    assert [call.caller for call in kms.calls[before:]] == [arn]


def test_s3_repeats_the_access_key_that_it_does_not_know(kms):
    arguments, arn, reason = deleted_user(kms)

    with refused("s3", reason, arn) as caught:
        client_maker(arguments)("s3").list_buckets()

    assert caught.value.response["Error"]["AWSAccessKeyId"] == arguments["aws_access_key_id"]


def test_sqs_has_the_codes_of_its_json_protocol_and_of_its_query_protocol(kms):
    arguments, arn, reason = deleted_user(kms)

    with refused("sqs", reason, arn) as caught:
        client_maker(arguments)("sqs").list_queues()

    assert caught.value.response["Error"]["QueryErrorCode"] == "UnrecognizedClientException"


@pytest.mark.parametrize(
    ("credentials", "error"),
    [
        (deleted_user, {"Code": "403", "Message": "Forbidden"}),
        (expired_session, {"Code": "400", "Message": "Bad Request"}),
    ],
    ids=["deleted", "expired"],
)
def test_s3_answers_head_requests_with_a_status_only(kms, credentials, error):
    kms.client("s3").create_bucket(Bucket="papers")
    arguments, arn, _ = credentials(kms)

    with pytest.raises(ClientError) as caught:
        client_maker(arguments)("s3").head_bucket(Bucket="papers")

    assert caught.value.response["Error"] == error
    assert arn in caught.value.__notes__[0]


def test_a_user_who_is_made_again_has_a_new_access_key_that_works(kms):
    arguments, arn, reason = deleted_user(kms)
    bob = kms.account(ACCOUNT).user("bob")

    bob.client("s3").create_bucket(Bucket="papers")

    with refused("s3", reason, arn):
        client_maker(arguments)("s3").delete_bucket(Bucket="papers")
    assert bob.credentials.access_key != arguments["aws_access_key_id"]


def test_an_access_key_that_moto_has_deleted_is_refused_by_other_services(kms):
    iam = kms.client("iam")
    arn = iam.create_user(UserName="carol")["User"]["Arn"]
    key = iam.create_access_key(UserName="carol")["AccessKey"]
    queues = client_maker(keys_in(key))("sqs")
    queues.create_queue(QueueName="orders")
    iam.delete_access_key(UserName="carol", AccessKeyId=key["AccessKeyId"])

    with refused("sqs", DELETED, arn):
        queues.list_queues()


@pytest.mark.parametrize("credentials", REFUSED, **NAMES)
def test_moto_decides_about_credentials_of_requests_to_iam(kms, credentials):
    arguments, *_ = credentials(kms)

    client_maker(arguments)("iam").create_group(GroupName="team")

    assert [group["GroupName"] for group in kms.client("iam").list_groups()["Groups"]] == ["team"]


@pytest.mark.parametrize("credentials", [*VALID, *REFUSED], **NAMES)
def test_a_session_that_moto_gave_is_that_of_the_caller_or_of_the_root_user(kms, credentials):
    arguments, caller, reason = credentials(kms)
    answer = client_maker(arguments)("sts").get_session_token()

    keys = {**arguments, "config": None, **keys_in(answer["Credentials"])}
    client = client_maker(keys)("kms")
    with contextlib.suppress(ClientError):  # the session of a role is no administrator's
        client.list_keys()

    if reason in (DELETED, UNSIGNED_REQUEST):
        caller = f"arn:aws:iam::{ACCOUNT}:root"
    assert kms.calls[-1].caller == caller


def test_scheduled_work_is_carried_out_before_a_service_answers(kms):
    key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
    kms.client().schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    key = kms.keys[-1]
    kms.clock.advance(days=8)

    kms.client("kinesis").list_streams()

    assert key not in kms.keys
