"""Records of Kinesis streams under keys of KMS, with moto as their storage."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.services.beside.conftest import ACCOUNT, MISSING

CONTEXT = {"aws:kinesis:arn": f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/clicks"}


@pytest.fixture
def kinesis(kms):
    client = kms.client("kinesis")
    client.create_stream(StreamName="clicks", ShardCount=1)
    return client


@pytest.fixture
def encrypted_stream(kinesis, key):
    """Encrypt the stream with the customer managed key."""
    kinesis.start_stream_encryption(StreamName="clicks", EncryptionType="KMS", KeyId=key)


def put(client):
    client.put_record(StreamName="clicks", Data=b"x", PartitionKey="1")


def get_iterator(client, kind="TRIM_HORIZON"):
    stream = client.describe_stream(StreamName="clicks")["StreamDescription"]
    return client.get_shard_iterator(
        StreamName="clicks", ShardId=stream["Shards"][0]["ShardId"], ShardIteratorType=kind
    )["ShardIterator"]


def read(client):
    return client.get_records(ShardIterator=get_iterator(client))["Records"]


def test_a_stream_without_a_key_makes_no_calls(kinesis, calls_by):
    put(kinesis)
    assert len(read(kinesis)) == 1
    assert calls_by("kinesis") == []


@pytest.mark.usefixtures("encrypted_stream")
def test_producers_make_a_data_key_and_consumers_open_it(kinesis, calls_by):
    put(kinesis)
    assert len(read(kinesis)) == 1
    assert calls_by("kinesis")[1:] == [("GenerateDataKey", CONTEXT), ("Decrypt", CONTEXT)]


@pytest.mark.usefixtures("encrypted_stream")
def test_kms_is_called_once_in_five_minutes(kms, kinesis, calls_by):
    put(kinesis)
    put(kinesis)
    kms.clock.advance(minutes=5)
    put(kinesis)
    assert [name for name, _ in calls_by("kinesis")[1:]] == ["GenerateDataKey", "GenerateDataKey"]


@pytest.mark.usefixtures("encrypted_stream")
def test_encryption_can_be_stopped(kinesis, key, calls_by):
    kinesis.stop_stream_encryption(StreamName="clicks", EncryptionType="KMS", KeyId=key)
    before = len(calls_by("kinesis"))
    put(kinesis)
    assert len(calls_by("kinesis")) == before


@pytest.mark.usefixtures("encrypted_stream")
@pytest.mark.parametrize(
    ("break_key", "kind"),
    [
        ("disable_key", "KMSDisabledException"),
        ("schedule_key_deletion", "KMSInvalidStateException"),
    ],
)
def test_a_key_in_the_wrong_state_serves_no_records(kms, kinesis, key, break_key, kind):
    put(kinesis)
    getattr(kms.client(), break_key)(KeyId=key)
    with pytest.raises(getattr(kinesis.exceptions, kind)):
        read(kinesis)
    kms.clock.advance(minutes=5)
    with pytest.raises(getattr(kinesis.exceptions, kind)):
        put(kinesis)


@pytest.mark.usefixtures("encrypted_stream")
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


UNUSABLE = [
    pytest.param(
        {},
        lambda client, key: client.disable_key(KeyId=key),
        "KMSDisabledException",
        "is disabled.",
        id="disabled",
    ),
    pytest.param(
        {},
        lambda client, key: client.schedule_key_deletion(KeyId=key),
        "KMSInvalidStateException",
        "is pending deletion.",
        id="pending deletion",
    ),
    pytest.param(
        {"Origin": "EXTERNAL"},
        lambda *_: None,
        "KMSInvalidStateException",
        "is pending import.",
        id="pending import",
    ),
    pytest.param(
        {"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"},
        lambda *_: None,
        "KMSInvalidStateException",
        "is not a symmetric encryption key.",
        id="RSA",
    ),
    pytest.param(
        {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
        lambda *_: None,
        "KMSInvalidStateException",
        "is not a symmetric encryption key.",
        id="HMAC",
    ),
]


@pytest.mark.parametrize(("kind", "break_key", "code", "words"), UNUSABLE)
def test_a_key_that_cannot_encrypt_cannot_be_taken(kms, kinesis, kind, break_key, code, words):
    client = kms.client()
    key = client.create_key(**kind)["KeyMetadata"]["Arn"]
    break_key(client, key)
    with pytest.raises(ClientError) as caught:
        kinesis.start_stream_encryption(StreamName="clicks", EncryptionType="KMS", KeyId=key)
    error = caught.value.response["Error"]
    assert error["Code"] == code
    assert error["Message"].startswith(f"{key} {words} (Service: AWSKMS; ")
    stream = kinesis.describe_stream(StreamName="clicks")["StreamDescription"]
    assert stream["EncryptionType"] == "NONE"


def test_who_takes_a_key_must_be_allowed_to_describe_it(kinesis, role, key):
    with pytest.raises(kinesis.exceptions.KMSAccessDeniedException, match="kms:DescribeKey"):
        role.client("kinesis").start_stream_encryption(
            StreamName="clicks", EncryptionType="KMS", KeyId=key
        )


def test_the_managed_key_needs_no_permission_of_kms(kms, kinesis, role):
    kinesis.start_stream_encryption(
        StreamName="clicks", EncryptionType="KMS", KeyId="alias/aws/kinesis"
    )
    put(role.client("kinesis"))
    assert len(read(role.client("kinesis"))) == 1
    managed = kms.client().describe_key(KeyId="alias/aws/kinesis")["KeyMetadata"]["Arn"]
    assert {call.key_arn for call in kms.calls if call.via_service} == {managed}


@pytest.mark.usefixtures("encrypted_stream")
def test_a_consumer_who_may_not_decrypt_is_refused_each_time(kinesis, role):
    put(kinesis)
    consumer = role.client("kinesis")
    first = get_iterator(consumer)
    for _ in range(2):
        with pytest.raises(kinesis.exceptions.KMSAccessDeniedException, match="kms:Decrypt"):
            consumer.get_records(ShardIterator=first)


@pytest.mark.usefixtures("encrypted_stream")
def test_answers_tell_that_records_are_encrypted(kinesis):
    put_ = kinesis.put_record(StreamName="clicks", Data=b"x", PartitionKey="1")
    assert put_["EncryptionType"] == "KMS"
    assert read(kinesis)[0]["EncryptionType"] == "KMS"


@pytest.mark.usefixtures("encrypted_stream")
@pytest.mark.parametrize("how", ["changed", "stopped"])
def test_older_records_need_the_key_that_they_were_encrypted_with(kms, kinesis, key, how):
    put(kinesis)
    which = {"StreamName": "clicks", "EncryptionType": "KMS"}
    if how == "changed":
        other = kms.client().create_key()["KeyMetadata"]["Arn"]
        kinesis.start_stream_encryption(**which, KeyId=other)
    else:
        kinesis.stop_stream_encryption(**which, KeyId=key)
    kms.client().disable_key(KeyId=key)
    latest = get_iterator(kinesis, "LATEST")
    kinesis.put_records(StreamName="clicks", Records=[{"Data": b"y", "PartitionKey": "1"}])

    with pytest.raises(kinesis.exceptions.KMSDisabledException):
        read(kinesis)
    assert len(kinesis.get_records(ShardIterator=latest)["Records"]) == 1


def test_records_from_before_a_stream_had_a_key_need_none(kms, kinesis, key, calls_by):
    put(kinesis)
    kinesis.start_stream_encryption(StreamName="clicks", EncryptionType="KMS", KeyId=key)
    kms.client().disable_key(KeyId=key)
    assert len(read(kinesis)) == 1
    assert [name for name, _ in calls_by("kinesis")] == ["DescribeKey"]


@pytest.mark.usefixtures("encrypted_stream")
def test_a_consumer_opens_one_data_key_however_many_producers_there_are(kms, kinesis, calls_by):
    allowed = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": allowed}
    for name in ("A", "B"):
        put(kms.account(ACCOUNT).role(name, policies=[policy]).client("kinesis"))
    assert len(read(kinesis)) == 2
    assert [name for name, _ in calls_by("kinesis")[1:]] == ["GenerateDataKey"] * 2 + ["Decrypt"]


@pytest.mark.usefixtures("encrypted_stream")
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("ThrottlingException", "KMSThrottlingException"),
        ("OptInRequired", "KMSOptInRequired"),
    ],
)
def test_faults_of_kms_are_those_of_the_stream(kms, kinesis, fault, kind):
    kms.faults.fail("GenerateDataKey", fault)
    with pytest.raises(getattr(kinesis.exceptions, kind)) as caught:
        put(kinesis)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    put(kinesis)
