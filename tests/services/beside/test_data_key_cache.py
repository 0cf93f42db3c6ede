"""Which of KMS's answers services reuse, and until when, with moto as their storage."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from kmsmock import KMSMock
from tests.services.beside.conftest import ACCOUNT

ALL = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
ALIAS = "alias/app"


class World:
    """A mock, a key with an alias, and a role that may do everything."""

    def __init__(self, kms: KMSMock, key: str) -> None:
        self.kms, self.key = kms, key
        self.client = kms.client()
        self.client.create_alias(AliasName=ALIAS, TargetKeyId=key)
        self.become_role()

    def become_role(self, **parameters: Any) -> None:
        self.role = self.kms.account(ACCOUNT).role("App", policies=[ALL], **parameters)


class Service(NamedTuple):
    """How a resource is created with the alias as the role, used, and deleted."""

    make: Callable[[World], Any]
    use: Callable[[World], Any]
    delete: Callable[[World], Any]


def put_object(world: World) -> None:
    world.role.client("s3").put_object(
        Bucket="papers",
        Key="a",
        Body=b"hello",
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId=ALIAS,
        BucketKeyEnabled=True,
    )


def get_object(world: World) -> None:
    world.role.client("s3").get_object(Bucket="papers", Key="a")


def delete_bucket(world: World) -> None:
    s3 = world.kms.client("s3")
    s3.delete_object(Bucket="papers", Key="a")
    s3.delete_bucket(Bucket="papers")


def queue_url(world: World) -> str:
    url: str = world.kms.client("sqs").get_queue_url(QueueName="jobs")["QueueUrl"]
    return url


def topic(world: World) -> str:
    arn: str = world.kms.client("sns").list_topics()["Topics"][0]["TopicArn"]
    return arn


def make_stream(world: World) -> None:
    kinesis = world.kms.client("kinesis")
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    kinesis.start_stream_encryption(StreamName="clicks", EncryptionType="KMS", KeyId=ALIAS)


def read_stream(world: World) -> None:
    kinesis = world.role.client("kinesis")
    stream = kinesis.describe_stream(StreamName="clicks")["StreamDescription"]
    iterator = kinesis.get_shard_iterator(
        StreamName="clicks",
        ShardId=stream["Shards"][0]["ShardId"],
        ShardIteratorType="TRIM_HORIZON",
    )["ShardIterator"]
    assert kinesis.get_records(ShardIterator=iterator)["Records"]


def put_record(world: World) -> None:
    world.role.client("kinesis").put_record(StreamName="clicks", Data=b"x", PartitionKey="1")


def make_table(world: World) -> None:
    world.role.client("dynamodb").create_table(
        TableName="orders",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": ALIAS},
    )


ATTRIBUTES = {"KmsMasterKeyId": ALIAS}
SERVICES = {
    "s3": Service(
        lambda w: w.kms.client("s3").create_bucket(Bucket="papers"), put_object, delete_bucket
    ),
    "s3, reading": Service(
        lambda w: (w.kms.client("s3").create_bucket(Bucket="papers"), put_object(w)),
        get_object,
        delete_bucket,
    ),
    "sqs": Service(
        lambda w: w.kms.client("sqs").create_queue(QueueName="jobs", Attributes=ATTRIBUTES),
        lambda w: w.role.client("sqs").send_message(QueueUrl=queue_url(w), MessageBody="hello"),
        lambda w: w.kms.client("sqs").delete_queue(QueueUrl=queue_url(w)),
    ),
    "sns": Service(
        lambda w: w.kms.client("sns").create_topic(Name="news", Attributes=ATTRIBUTES),
        lambda w: w.role.client("sns").publish(TopicArn=topic(w), Message="hello"),
        lambda w: w.kms.client("sns").delete_topic(TopicArn=topic(w)),
    ),
    "kinesis": Service(
        make_stream,
        put_record,
        lambda w: w.kms.client("kinesis").delete_stream(StreamName="clicks"),
    ),
    "kinesis, reading": Service(
        lambda w: (make_stream(w), put_record(w)),
        read_stream,
        lambda w: w.kms.client("kinesis").delete_stream(StreamName="clicks"),
    ),
    "dynamodb": Service(
        make_table,
        lambda w: w.role.client("dynamodb").put_item(TableName="orders", Item={"id": {"S": "1"}}),
        lambda w: w.role.client("dynamodb").delete_table(TableName="orders"),
    ),
}


@pytest.fixture(params=SERVICES.values(), ids=SERVICES.keys())
def service(request: pytest.FixtureRequest) -> Service:
    value: Service = request.param
    return value


@pytest.fixture
def world(kms: KMSMock, key: str, service: Service) -> World:
    world = World(kms, key)
    service.make(world)
    return world


def calls_of(world: World, use: Callable[[World], Any]) -> int:
    before = len(world.kms.calls)
    use(world)
    return sum(
        call.operation in ("GenerateDataKey", "Decrypt") for call in world.kms.calls[before:]
    )


def end_lifetime(world: World) -> None:
    world.kms.clock.advance(seconds=301)


def recreate_role(world: World) -> None:
    world.role.delete()
    world.become_role()


def limit_session(world: World) -> None:
    world.become_role(session_policies=[ALL])


ENDS = {
    "time": end_lifetime,
    "role deleted and recreated": recreate_role,
    "session policy": limit_session,
}


@pytest.mark.parametrize("change", ENDS.values(), ids=ENDS.keys())
def test_kms_is_called_again_for_another_requester_and_after_the_lifetime(
    world: World, service: Service, change: Callable[[World], None]
) -> None:
    assert calls_of(world, service.use) > 0
    assert calls_of(world, service.use) == 0

    change(world)

    assert calls_of(world, service.use) > 0
    assert calls_of(world, service.use) == 0


def test_the_name_of_a_session_makes_no_other_requester(world: World, service: Service) -> None:
    assert calls_of(world, service.use) > 0
    world.become_role(session="another")
    assert calls_of(world, service.use) == 0


def test_a_session_policy_is_not_escaped_by_a_data_key_in_the_cache(
    world: World, service: Service
) -> None:
    service.use(world)
    denial = {"Effect": "Deny", "Action": "kms:*", "Resource": "*"}
    limits = {"Version": "2012-10-17", "Statement": [ALL["Statement"], denial]}
    world.become_role(session="limited", session_policies=[limits])
    with pytest.raises(ClientError):
        service.use(world)


def test_kms_is_called_again_for_a_recreated_resource(world: World, service: Service) -> None:
    service.use(world)
    service.delete(world)
    before = len(world.kms.calls)

    service.make(world)
    service.use(world)

    operations = {call.operation for call in world.kms.calls[before:]}
    assert operations & {"GenerateDataKey", "Decrypt"}


def put_key_policy(world: World) -> None:
    text = world.client.get_key_policy(KeyId=world.key)["Policy"]
    denial = {
        "Effect": "Deny",
        "Principal": {"AWS": world.role.arn},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": "*",
    }
    document = json.loads(text)
    document["Statement"].append(denial)
    world.client.put_key_policy(KeyId=world.key, Policy=json.dumps(document))


def move_alias(world: World) -> None:
    other = world.client.create_key()["KeyMetadata"]["KeyId"]
    world.client.update_alias(AliasName=ALIAS, TargetKeyId=other)


def join_organization(world: World) -> None:
    denial = {"Effect": "Deny", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*"}
    world.kms.account(ACCOUNT).join_organization(
        "o-a1b2c3d4e5",
        service_control=[[ALL, {"Version": "2012-10-17", "Statement": [denial]}]],
    )


def tag_key(world: World) -> None:
    world.client.tag_resource(KeyId=world.key, Tags=[{"TagKey": "a", "TagValue": "b"}])


KEEPS = {
    "policy of the key": put_key_policy,
    "SCP": join_organization,
    "boundary": lambda w: w.role.set_boundary(
        {**ALL, "Statement": {**ALL["Statement"], "Action": "s3:*"}}
    ),
    "alias moved": move_alias,
    "tag": tag_key,
    "key disabled": lambda w: w.client.disable_key(KeyId=w.key),
}


def test_until_then_kms_is_not_asked_whatever_changes_there(world: World, service: Service) -> None:
    service.use(world)

    for what, change in KEEPS.items():
        change(world)
        assert calls_of(world, service.use) == 0, what


def test_the_name_of_a_federated_user_makes_no_other_requester(kms: KMSMock, key: str) -> None:
    kms.client("sqs").create_queue(QueueName="jobs", Attributes={"KmsMasterKeyId": key})
    url = kms.client("sqs").get_queue_url(QueueName="jobs")["QueueUrl"]
    user = kms.account(ACCOUNT).user("Ana", policies=[ALL])
    senders = [user.federated_user(name, policies=[ALL]) for name in ("one", "two")]
    counts = []
    for sender in (*senders, user):
        sender.client("sqs").send_message(QueueUrl=url, MessageBody="hello")
        counts.append(len(kms.calls.filter("GenerateDataKey")))
    # The user has no session policies, and so is another requester.
    assert counts == [1, 1, 2]
