"""What was stored unrecorded, in the operations that read it: as if the mock had recorded it."""

from __future__ import annotations

import json
import time

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from kmsmock import mock_kms
from tests.services.beside.unrecorded import ACCOUNT, KINDS, REGION, client


@pytest.fixture
def kms():
    with mock_aws(config={"lambda": {"use_docker": False}}), mock_kms() as kms:
        yield kms


@pytest.fixture
def key(kms):
    return kms.client().create_key()["KeyMetadata"]["Arn"]


def allow(kms, key, service):
    """Allow a service to use a key in its own name."""
    policy = json.loads(kms.client().get_key_policy(KeyId=key)["Policy"])
    who = {"Service": service}
    statement = {"Effect": "Allow", "Principal": who, "Action": "kms:*", "Resource": "*"}
    policy["Statement"].append(statement)
    kms.client().put_key_policy(KeyId=key, Policy=json.dumps(policy))


def test_messages_reach_a_queue_that_was_subscribed_unrecorded_if_sns_may_use_its_key(kms, key):
    sns, sqs = client("sns"), client("sqs")
    with kms.pause():
        KINDS["topic"].kind.make(None)
        KINDS["queue"].kind.make(key)
        topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:news"
        queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:jobs"
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    url = sqs.get_queue_url(QueueName="jobs")["QueueUrl"]
    sns.publish(TopicArn=topic, Message="one")
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    allow(kms, key, "sns.amazonaws.com")
    sns.publish(TopicArn=topic, Message="two")
    assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1


def test_s3_checks_the_key_of_an_unrecorded_queue(kms, key):
    with kms.pause():
        KINDS["bucket"].kind.make(None)
        KINDS["queue"].kind.make(key)
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:jobs"
    to_queue = [{"QueueArn": queue, "Events": ["s3:ObjectCreated:*"]}]
    with pytest.raises(ClientError, match="Unable to validate"):
        client("s3").put_bucket_notification_configuration(
            Bucket="papers", NotificationConfiguration={"QueueConfigurations": to_queue}
        )


def test_parameters_under_a_path_are_each_decrypted(kms, key):
    ssm = client("ssm")
    with kms.pause():
        for name in ("one", "two"):
            ssm.put_parameter(Name=f"/p/{name}", Value=name, Type="SecureString", KeyId=key)
        ssm.put_parameter(Name="/p/z", Value="plain", Type="String")
    shown = ssm.get_parameters_by_path(Path="/p", WithDecryption=True)["Parameters"]
    assert [each["Value"] for each in shown] == ["one", "two", "plain"]
    kms.calls.assert_called("Decrypt", key=key, times=2)
    described = ssm.describe_parameters()["Parameters"]
    assert [each.get("KeyId") for each in described] == [key, key, None]


def test_secrets_of_a_batch_are_each_decrypted(kms, key):
    secrets = client("secretsmanager")
    with kms.pause():
        for name in ("one", "two"):
            secrets.create_secret(Name=name, SecretString=name, KmsKeyId=key)
    shown = secrets.batch_get_secret_value(SecretIdList=["one", "two"])["SecretValues"]
    assert len(shown) == 2
    kms.calls.assert_called("Decrypt", key=key, times=2)
    [version] = secrets.list_secret_version_ids(SecretId="one")["Versions"]
    assert version["KmsKeyIds"] == [key]


def test_records_of_a_stream_are_decrypted(kms, key):
    kinesis = client("kinesis")
    with kms.pause():
        KINDS["stream"].kind.make(key)
        KINDS["stream"].kind.use()
    [shard] = kinesis.list_shards(StreamName="events")["Shards"]
    iterator = kinesis.get_shard_iterator(
        StreamName="events", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    assert kinesis.get_records(ShardIterator=iterator)["Records"]
    kms.calls.assert_called("Decrypt", key=key, times=1)


def test_log_events_are_decrypted(kms, key):
    allow(kms, key, f"logs.{REGION}.amazonaws.com")
    with kms.pause():
        KINDS["log group"].kind.make(key)
        KINDS["log group"].kind.use()
    assert client("logs").get_log_events(logGroupName="app", logStreamName="one")["events"]
    kms.calls.assert_called("Decrypt", key=key, times=1)


def test_log_groups_whose_names_begin_alike_are_told_apart(kms, key):
    allow(kms, key, f"logs.{REGION}.amazonaws.com")
    logs = client("logs")
    with kms.pause():
        KINDS["log group"].kind.make(None)
        logs.create_log_group(logGroupName="app-two", kmsKeyId=key)
    before = len(kms.calls)
    KINDS["log group"].kind.use()
    assert len(kms.calls) == before
    logs.create_log_stream(logGroupName="app-two", logStreamName="one")
    event = {"timestamp": int(time.time() * 1000), "message": "x"}
    logs.put_log_events(logGroupName="app-two", logStreamName="one", logEvents=[event])
    assert kms.calls[-1].key_arn == key


def test_versions_and_aliases_of_a_function_are_decrypted(kms, key):
    functions = client("lambda")
    with kms.pause():
        KINDS["function"].kind.make(key)
        version = functions.publish_version(FunctionName="job")["Version"]
        functions.create_alias(FunctionName="job", Name="live", FunctionVersion=version)
    for qualifier in (version, "live"):
        functions.invoke(FunctionName="job", Qualifier=qualifier)
    kms.calls.assert_called("Decrypt", key=key, times=2)
    changed = {"Variables": {"A": "new"}}
    functions.update_function_configuration(FunctionName="job", Environment=changed)
    assert functions.get_function_configuration(FunctionName="job")["Environment"] == changed
    before = functions.get_function_configuration(FunctionName="job", Qualifier=version)
    assert before["Environment"] == {"Variables": {"A": "b"}}


@pytest.mark.parametrize("name", ["table", "function"])
def test_grants_of_what_was_made_unrecorded_end_with_it(kms, key, name):
    kind = KINDS[name].kind
    with kms.pause():
        kind.make(key)
    kind.use()
    assert len(kms.client().list_grants(KeyId=key)["Grants"]) == 1
    kind.remove()
    assert kms.client().list_grants(KeyId=key)["Grants"] == []


def test_an_unrecorded_table_can_change_its_key(kms, key):
    dynamodb = client("dynamodb")
    with kms.pause():
        KINDS["table"].kind.make(key)
    encryption = dynamodb.describe_table(TableName="orders")["Table"]["SSEDescription"]
    assert encryption["KMSMasterKeyArn"] == key
    other = kms.client().create_key()["KeyMetadata"]["Arn"]
    specification = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": other}
    dynamodb.update_table(TableName="orders", SSESpecification=specification)
    KINDS["table"].kind.use()
    assert kms.calls[-1].key_arn == other
