"""What services know of resources is read from the store, and forgotten when it changes."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core import set_initial_no_auth_action_count
from moto.sqs import sqs_backends

from kmsmock import mock_kms
from kmsmock.process import moto_changes as watched

REGION = "us-east-1"


@pytest.fixture
def sqs(kms):
    return kms.client("sqs")


@pytest.fixture
def asked(monkeypatch) -> Counter[str]:
    """Count the requests that ask moto how its queues are encrypted."""
    from moto.sqs.responses import SQSResponse

    counted: Counter[str] = Counter()
    original = SQSResponse.get_queue_attributes

    def get_queue_attributes(response: Any) -> Any:
        counted["GetQueueAttributes"] += 1
        return original(response)

    monkeypatch.setattr(SQSResponse, "get_queue_attributes", get_queue_attributes)
    return counted


def send(sqs, url):
    sqs.send_message(QueueUrl=url, MessageBody="x")


def stack(template: dict[str, Any]) -> None:
    pytest.importorskip("openapi_spec_validator")  # moto's CloudFormation needs it
    client = boto3.client("cloudformation", REGION)
    client.create_stack(StackName="s", TemplateBody=json.dumps({"Resources": template}))


def queue_of_stack(key: str) -> dict[str, Any]:
    properties = {"QueueName": "jobs", "KmsMasterKeyId": key}
    return {"Q": {"Type": "AWS::SQS::Queue", "Properties": properties}}


def test_a_queue_from_before_the_mock_is_encrypted_with_its_key():
    with mock_aws():
        plain = boto3.client("sqs", REGION)
        attributes = {"KmsMasterKeyId": "alias/aws/sqs"}
        url = plain.create_queue(QueueName="jobs", Attributes=attributes)["QueueUrl"]
        with mock_kms() as kms:
            send(plain, url)
            kms.calls.assert_called("GenerateDataKey", key="alias/aws/sqs", times=1)


def test_the_queue_of_a_stack_is_encrypted_with_its_key(kms, sqs, key):
    stack(queue_of_stack(key))
    send(sqs, sqs.get_queue_url(QueueName="jobs")["QueueUrl"])
    kms.calls.assert_called("GenerateDataKey", key=key, times=1)


def test_a_stack_can_make_a_queue_anew_with_another_key(kms, sqs, key):
    stack(queue_of_stack("alias/aws/sqs"))
    url = sqs.get_queue_url(QueueName="jobs")["QueueUrl"]
    send(sqs, url)
    boto3.client("cloudformation", REGION).delete_stack(StackName="s")
    stack(queue_of_stack(key))
    send(sqs, url)
    kms.calls.assert_called("GenerateDataKey", key=key, times=1)


def test_a_change_while_the_mock_is_paused_counts(kms, sqs, key):
    url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    send(sqs, url)
    with kms.pause():
        plain = boto3.client("sqs", REGION)
        plain.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": key})
    send(sqs, url)
    kms.calls.assert_called("GenerateDataKey", key=key, times=1)


def test_a_change_of_the_backend_of_moto_counts(kms, sqs, key):
    url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    send(sqs, url)
    sqs_backends["123456789012"][REGION].queues["jobs"].kms_master_key_id = key
    send(sqs, url)
    kms.calls.assert_called("GenerateDataKey", key=key, times=1)


def test_a_queue_that_was_made_anew_under_its_name_is_another(kms, sqs, key):
    url = sqs.create_queue(QueueName="jobs", Attributes={"KmsMasterKeyId": key})["QueueUrl"]
    with kms.pause():
        plain = boto3.client("sqs", REGION)
        plain.delete_queue(QueueUrl=url)
        plain.create_queue(QueueName="jobs")
    kms.client().disable_key(KeyId=key)
    send(sqs, url)


def test_what_a_mock_of_moto_removed_is_forgotten():
    with mock_kms() as kms:
        key = kms.client().create_key()["KeyMetadata"]["Arn"]
        attributes = {"KmsMasterKeyId": key}
        with mock_aws():
            sqs = kms.client("sqs")
            send(sqs, sqs.create_queue(QueueName="jobs", Attributes=attributes)["QueueUrl"])
        kms.client().disable_key(KeyId=key)
        with mock_aws():
            send(sqs, sqs.create_queue(QueueName="jobs")["QueueUrl"])


def test_what_moto_keeps_is_not_forgotten(kms, sqs, key):
    url = sqs.create_queue(QueueName="jobs", Attributes={"KmsMasterKeyId": key})["QueueUrl"]
    with mock_aws():
        send(sqs, url)
    send(sqs, url)
    kms.calls.assert_called("GenerateDataKey", key=key, times=1)  # the second is within 5 minutes


def test_after_a_restore_the_store_is_asked_again(kms, sqs, key):
    url = sqs.create_queue(QueueName="jobs", Attributes={"KmsMasterKeyId": key})["QueueUrl"]
    checkpoint = kms.checkpoint()
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": "alias/aws/sqs"})
    kms.restore(checkpoint)
    send(sqs, url)
    kms.calls.assert_called("GenerateDataKey", key="alias/aws/sqs", times=1)


def test_a_checkpoint_from_an_earlier_mock_of_moto_brings_no_resources_back():
    with mock_kms() as kms:
        key = kms.client().create_key()["KeyMetadata"]["Arn"]
        with mock_aws():
            attributes = {"KmsMasterKeyId": key}
            kms.client("sqs").create_queue(QueueName="jobs", Attributes=attributes)
            checkpoint = kms.checkpoint()
        with mock_aws():
            kms.restore(checkpoint)
            kms.client().disable_key(KeyId=key)
            sqs = kms.client("sqs")
            send(sqs, sqs.create_queue(QueueName="jobs")["QueueUrl"])


def test_the_store_is_asked_once(sqs, key, asked):
    url = sqs.create_queue(QueueName="jobs", Attributes={"KmsMasterKeyId": key})["QueueUrl"]
    for _ in range(3):
        send(sqs, url)
        sqs.receive_message(QueueUrl=url)
    assert asked == {"GetQueueAttributes": 1}


def test_a_request_that_writes_lets_the_store_be_asked_again(sqs, key, asked):
    url = sqs.create_queue(QueueName="jobs", Attributes={"KmsMasterKeyId": key})["QueueUrl"]
    send(sqs, url)
    sqs.tag_queue(QueueUrl=url, Tags={"a": "b"})
    send(sqs, url)
    assert asked == {"GetQueueAttributes": 2}


def test_asking_makes_no_calls_of_kms_and_leaves_no_trace(kms, sqs):
    url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    send(sqs, url)
    assert not list(kms.calls)


@set_initial_no_auth_action_count(2)
def test_a_moto_that_authorizes_does_not_count_or_refuse_what_asks_it(kms, sqs, key):
    # Only the requests of the test count, of which moto authorizes the third.
    url = sqs.create_queue(QueueName="jobs", Attributes={"KmsMasterKeyId": key})["QueueUrl"]
    send(sqs, url)
    with pytest.raises(ClientError):
        send(sqs, url)
    kms.calls.assert_called("GenerateDataKey", key=key, times=1)


def test_a_store_that_cannot_tell_leaves_what_the_mock_has_seen(sqs, key, monkeypatch, kms):
    from moto.sqs.responses import SQSResponse

    url = sqs.create_queue(QueueName="jobs", Attributes={"KmsMasterKeyId": key})["QueueUrl"]

    def get_queue_attributes(_: Any) -> Any:
        raise NotImplementedError

    monkeypatch.setattr(SQSResponse, "get_queue_attributes", get_queue_attributes)
    send(sqs, url)
    kms.calls.assert_called("GenerateDataKey", key=key, times=1)


def test_a_moto_that_cannot_be_watched_is_asked_for_each_request(sqs, key, asked, monkeypatch):
    url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    monkeypatch.setattr(watched.changes, "is_watched", False)
    monkeypatch.delattr("moto.core.base_backend.BaseBackend.reset")
    with pytest.warns(UserWarning, match="asks moto again for each request"):
        send(sqs, url)
    sqs_backends["123456789012"][REGION].queues["jobs"].kms_master_key_id = key
    send(sqs, url)
    assert asked == {"GetQueueAttributes": 2}


def test_a_moto_that_has_moved_is_told_once(sqs, monkeypatch):
    url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    monkeypatch.setattr(watched.changes, "is_watched", False)
    monkeypatch.delattr("moto.core.base_backend.BaseBackend.reset")
    with pytest.warns(UserWarning, match="this version of moto is not as kmsmock knows it"):
        send(sqs, url)
    send(sqs, url)  # a second warning would be an error


def test_a_queue_that_is_gone_is_refused_by_its_store(kms, sqs, key):
    url = sqs.create_queue(QueueName="jobs", Attributes={"KmsMasterKeyId": key})["QueueUrl"]
    with kms.pause():
        boto3.client("sqs", REGION).delete_queue(QueueUrl=url)
    kms.client().disable_key(KeyId=key)
    with pytest.raises(ClientError) as caught:
        send(sqs, url)
    assert caught.value.response["Error"]["Code"] == "AWS.SimpleQueueService.NonExistentQueue"
