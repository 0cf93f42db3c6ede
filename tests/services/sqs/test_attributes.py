"""What queues of SQS tell of their encryption, with moto as their storage."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from kmsmock import mock_kms


@pytest.fixture
def sqs(kms):
    return kms.client("sqs")


@pytest.fixture
def queue(sqs, key):
    return sqs.create_queue(QueueName="jobs", Attributes={"KmsMasterKeyId": key})["QueueUrl"]


def attributes_of(sqs, queue, *names):
    return sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names or ["All"])["Attributes"]


def test_a_queue_shows_that_its_key_took_the_place_of_the_keys_of_sqs(sqs, key):
    queue = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    assert attributes_of(sqs, queue)["SqsManagedSseEnabled"] == "true"
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"KmsMasterKeyId": key})
    assert attributes_of(sqs, queue, "SqsManagedSseEnabled") == {"SqsManagedSseEnabled": "false"}
    assert attributes_of(sqs, queue)["KmsMasterKeyId"] == key


def test_the_keys_of_sqs_take_the_place_of_the_key_of_a_queue(sqs, queue, calls_by):
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"SqsManagedSseEnabled": "true"})
    shown = attributes_of(sqs, queue)
    assert shown["SqsManagedSseEnabled"] == "true"
    assert not shown.keys() & {"KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds"}
    sqs.send_message(QueueUrl=queue, MessageBody="hello")
    assert calls_by("sqs") == []


@pytest.mark.parametrize("seconds", ["59", "86401", "-60", "5m"])
def test_a_reuse_period_is_a_minute_to_a_day(sqs, queue, seconds):
    attributes = {"KmsDataKeyReusePeriodSeconds": seconds}
    for call in (
        lambda: sqs.set_queue_attributes(QueueUrl=queue, Attributes=attributes),
        lambda: sqs.create_queue(QueueName="other", Attributes=attributes),
    ):
        with pytest.raises(ClientError) as caught:
            call()
        error = caught.value.response["Error"]
        assert error["Code"] == "InvalidAttributeValue"
        assert error["Message"] == "Invalid value for the parameter KmsDataKeyReusePeriodSeconds."
    assert attributes_of(sqs, queue)["KmsDataKeyReusePeriodSeconds"] == "300"
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix="other")


@pytest.mark.parametrize("seconds", ["60", "86400"])
def test_both_ends_of_the_reuse_period_can_be_set(sqs, queue, seconds):
    attributes = {"KmsDataKeyReusePeriodSeconds": seconds}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=attributes)
    assert attributes_of(sqs, queue)["KmsDataKeyReusePeriodSeconds"] == seconds


def test_a_queue_has_one_kind_of_encryption(sqs, key):
    with pytest.raises(ClientError, match="You can use one type of server-side encryption"):
        sqs.create_queue(
            QueueName="jobs", Attributes={"KmsMasterKeyId": key, "SqsManagedSseEnabled": "true"}
        )


def test_a_queue_without_any_encryption_shows_none(sqs):
    attributes = {"SqsManagedSseEnabled": "false"}
    queue = sqs.create_queue(QueueName="jobs", Attributes=attributes)["QueueUrl"]
    shown = attributes_of(sqs, queue)
    assert shown["SqsManagedSseEnabled"] == "false"
    assert "KmsMasterKeyId" not in shown


def test_a_queue_from_before_the_mock_keeps_the_key_that_it_shows():
    with mock_aws():
        with mock_kms() as kms:
            sqs = kms.client("sqs")
            attributes = {"KmsMasterKeyId": "alias/mine"}
            queue = sqs.create_queue(QueueName="jobs", Attributes=attributes)["QueueUrl"]
        with mock_kms() as kms:
            sqs = kms.client("sqs")
            period = {"KmsDataKeyReusePeriodSeconds": "60"}
            sqs.set_queue_attributes(QueueUrl=queue, Attributes=period)
            shown = attributes_of(sqs, queue)
    assert (shown["KmsMasterKeyId"], shown["KmsDataKeyReusePeriodSeconds"]) == ("alias/mine", "60")
