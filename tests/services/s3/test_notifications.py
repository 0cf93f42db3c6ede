"""Buckets that notify encrypted queues, with moto as their storage."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from tests.services.beside.conftest import ACCOUNT

QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:uploads"
BUCKET = "arn:aws:s3:::documents"
CONFIGURATION = {"QueueConfigurations": [{"QueueArn": QUEUE, "Events": ["s3:ObjectCreated:*"]}]}
BOTH = ("kms:GenerateDataKey", "kms:Decrypt")


@pytest.fixture
def s3(kms):
    client = kms.client("s3")
    client.create_bucket(Bucket="documents")
    return client


@pytest.fixture
def create_queue(kms):
    """Return a function that creates the queue, with the attributes that it is called with."""

    def create_queue(**attributes):
        return kms.client("sqs").create_queue(QueueName="uploads", Attributes=attributes)

    return create_queue


def allow_s3(kms, key, actions=BOTH, **condition):
    """Allow S3 to use the key of a queue."""
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    service = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": list(actions),
        "Resource": "*",
        **({"Condition": {"StringEquals": condition}} if condition else {}),
    }
    all_ = {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [all_, service]}
    kms.client().put_key_policy(KeyId=key, Policy=json.dumps(policy))


def put_notifications(s3, **more):
    s3.put_bucket_notification_configuration(
        Bucket="documents", NotificationConfiguration=CONFIGURATION, **more
    )


def list_queues(s3):
    return s3.get_bucket_notification_configuration(Bucket="documents").get("QueueConfigurations")


def test_a_queue_without_a_key_is_notified_without_kms(kms, s3, create_queue):
    create_queue()
    put_notifications(s3)
    assert list_queues(s3)
    assert kms.calls == []


def test_the_default_key_policy_does_not_let_s3_notify_a_queue(s3, create_queue, key):
    create_queue(KmsMasterKeyId=key)
    with pytest.raises(ClientError) as caught:
        put_notifications(s3)
    error = caught.value.response["Error"]
    assert error["Code"] == "InvalidArgument"
    assert error["Message"] == "Unable to validate the following destination configurations"
    assert any("kms:GenerateDataKey" in note for note in caught.value.__notes__)
    assert not list_queues(s3)


def test_s3_itself_tries_the_key_of_a_queue(kms, s3, create_queue, key):
    create_queue(KmsMasterKeyId=key)
    allow_s3(kms, key)
    put_notifications(s3)
    assert list_queues(s3)
    context = {"aws:sqs:arn": QUEUE}
    assert [
        (call.operation, call.encryption_context)
        for call in kms.calls.filter(caller="s3.amazonaws.com")
    ] == [("GenerateDataKey", context), ("Decrypt", context)]


@pytest.mark.parametrize("action", BOTH)
def test_s3_needs_both_permissions(kms, s3, create_queue, key, action):
    create_queue(KmsMasterKeyId=key)
    allow_s3(kms, key, [action])
    with pytest.raises(ClientError, match="Unable to validate"):
        put_notifications(s3)


@pytest.mark.parametrize(
    ("condition", "is_let_in"),
    [
        ({"aws:SourceArn": BUCKET}, True),
        ({"aws:SourceArn": f"{BUCKET}-other"}, False),
        ({"aws:SourceAccount": ACCOUNT}, True),
        ({"aws:SourceAccount": "999999999999"}, False),
        ({"kms:EncryptionContext:aws:sqs:arn": QUEUE}, True),
        ({"kms:ViaService": "sqs.us-east-1.amazonaws.com"}, False),
    ],
)
def test_a_key_policy_can_let_s3_in_for_one_bucket_or_account(
    kms, s3, create_queue, key, condition, is_let_in
):
    create_queue(KmsMasterKeyId=key)
    allow_s3(kms, key, **condition)
    if is_let_in:
        put_notifications(s3)
    else:
        with pytest.raises(ClientError, match="Unable to validate"):
            put_notifications(s3)
    assert bool(list_queues(s3)) is is_let_in


def test_surprisingly_the_managed_key_lets_no_bucket_notify(s3, create_queue):
    create_queue(KmsMasterKeyId="alias/aws/sqs")
    with pytest.raises(ClientError, match="Unable to validate"):
        put_notifications(s3)


def test_a_disabled_key_cannot_be_validated(kms, s3, create_queue, key):
    create_queue(KmsMasterKeyId=key)
    allow_s3(kms, key)
    kms.client().disable_key(KeyId=key)
    with pytest.raises(ClientError, match="Unable to validate"):
        put_notifications(s3)


def test_the_validation_can_be_skipped(s3, create_queue, key):
    create_queue(KmsMasterKeyId=key)
    put_notifications(s3, SkipDestinationValidation=True)
    assert list_queues(s3)
