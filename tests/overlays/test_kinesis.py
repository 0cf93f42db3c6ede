"""Records of Kinesis streams under keys of KMS, with moto as their storage."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.overlays.conftest import ACCOUNT, MISSING

CONTEXT = {"aws:kinesis:arn": f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/clicks"}


@pytest.fixture
def kinesis(kms):
    client = kms.client("kinesis")
    client.create_stream(StreamName="clicks", ShardCount=1)
    return client


@pytest.fixture
def encrypted(kinesis, key):
    """Put the stream under the customer managed key."""
    kinesis.start_stream_encryption(StreamName="clicks", EncryptionType="KMS", KeyId=key)


def put(client):
    client.put_record(StreamName="clicks", Data=b"x", PartitionKey="1")


def read(client):
    stream = client.describe_stream(StreamName="clicks")["StreamDescription"]
    iterator = client.get_shard_iterator(
        StreamName="clicks",
        ShardId=stream["Shards"][0]["ShardId"],
        ShardIteratorType="TRIM_HORIZON",
    )["ShardIterator"]
    return client.get_records(ShardIterator=iterator)["Records"]


def test_a_stream_without_a_key_makes_no_calls(kinesis, made):
    put(kinesis)
    assert len(read(kinesis)) == 1
    assert made("kinesis") == []


@pytest.mark.usefixtures("encrypted")
def test_producers_make_a_data_key_and_consumers_open_it(kinesis, made):
    put(kinesis)
    assert len(read(kinesis)) == 1
    assert made("kinesis")[1:] == [("GenerateDataKey", CONTEXT), ("Decrypt", CONTEXT)]


@pytest.mark.usefixtures("encrypted")
def test_kms_is_called_once_in_five_minutes(kms, kinesis, made):
    put(kinesis)
    put(kinesis)
    kms.clock.advance(minutes=5)
    put(kinesis)
    assert [name for name, _ in made("kinesis")[1:]] == ["GenerateDataKey", "GenerateDataKey"]


@pytest.mark.usefixtures("encrypted")
def test_encryption_can_be_stopped(kinesis, key, made):
    kinesis.stop_stream_encryption(StreamName="clicks", EncryptionType="KMS", KeyId=key)
    before = len(made("kinesis"))
    put(kinesis)
    assert len(made("kinesis")) == before


@pytest.mark.usefixtures("encrypted")
@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        ("disable_key", "KMSDisabledException"),
        ("schedule_key_deletion", "KMSInvalidStateException"),
    ],
)
def test_a_key_in_the_wrong_state_serves_no_records(kms, kinesis, key, spoil, kind):
    put(kinesis)
    getattr(kms.client(), spoil)(KeyId=key)
    with pytest.raises(getattr(kinesis.exceptions, kind)):
        read(kinesis)
    kms.clock.advance(minutes=5)
    with pytest.raises(getattr(kinesis.exceptions, kind)):
        put(kinesis)


@pytest.mark.usefixtures("encrypted")
def test_one_who_may_not_use_the_key_is_refused(kinesis, role):
    with pytest.raises(kinesis.exceptions.KMSAccessDeniedException):
        put(role.client("kinesis"))


@pytest.mark.parametrize(("key_id", "words"), MISSING)
def test_a_missing_key_cannot_be_taken(kinesis, key_id, words):
    with pytest.raises(ClientError) as caught:
        kinesis.start_stream_encryption(StreamName="clicks", EncryptionType="KMS", KeyId=key_id)
    error = caught.value.response["Error"]
    assert error["Code"] == "KMSNotFoundException"
    assert error["Message"].startswith(words)
