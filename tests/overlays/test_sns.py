"""Messages of SNS in encrypted topics, with moto as their storage."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.overlays.conftest import ACCOUNT, MISSING

CONTEXT = {"aws:sns:topicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:news"}
PUBLISHED = [("GenerateDataKey", CONTEXT), ("Decrypt", CONTEXT)]


@pytest.fixture
def sns(kms):
    return kms.client("sns")


@pytest.fixture
def topic(sns, key):
    return sns.create_topic(Name="news", Attributes={"KmsMasterKeyId": key})["TopicArn"]


def publish(client, topic):
    return client.publish(TopicArn=topic, Message="hello")


def test_a_topic_without_a_key_makes_no_calls(sns, made):
    publish(sns, sns.create_topic(Name="news")["TopicArn"])
    assert made("sns") == []


def test_publishing_makes_a_data_key_and_opens_it(sns, topic, made):
    publish(sns, topic)
    assert made("sns") == PUBLISHED


def test_a_data_key_is_used_again_for_five_minutes(kms, sns, topic, made):
    publish(sns, topic)
    kms.clock.advance(seconds=299)
    publish(sns, topic)
    assert made("sns") == PUBLISHED
    kms.clock.advance(seconds=1)
    publish(sns, topic)
    assert made("sns") == PUBLISHED * 2


def test_a_batch_shares_one_data_key(sns, topic, made):
    entries = [{"Id": name, "Message": "x"} for name in ("1", "2")]
    sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert made("sns") == PUBLISHED


def test_the_key_of_a_topic_can_be_changed_and_taken_away(kms, sns, topic, made):
    other = kms.client().create_key()["KeyMetadata"]["Arn"]
    set_to = {"TopicArn": topic, "AttributeName": "KmsMasterKeyId"}
    sns.set_topic_attributes(**set_to, AttributeValue=other)
    publish(sns, topic)
    assert {call.key_arn for call in kms.calls if call.via_service} == {other}
    sns.set_topic_attributes(**set_to, AttributeValue="")
    kms.clock.advance(hours=1)
    publish(sns, topic)
    assert made("sns") == PUBLISHED


def test_the_managed_key_needs_no_permission_of_kms(sns, role):
    attributes = {"KmsMasterKeyId": "alias/aws/sns"}
    topic = sns.create_topic(Name="news", Attributes=attributes)["TopicArn"]
    assert publish(role.client("sns"), topic)["MessageId"]


@pytest.mark.parametrize(
    ("spoil", "code"),
    [("disable_key", "KMSDisabled"), ("schedule_key_deletion", "KMSInvalidState")],
)
def test_a_key_in_the_wrong_state_serves_no_messages(kms, sns, topic, key, spoil, code):
    getattr(kms.client(), spoil)(KeyId=key)
    with pytest.raises(ClientError) as caught:
        publish(sns, topic)
    assert caught.value.response["Error"]["Code"] == code


@pytest.mark.parametrize(("key_id", "words"), MISSING)
def test_a_missing_key_is_not_found(sns, key_id, words):
    topic = sns.create_topic(Name="news", Attributes={"KmsMasterKeyId": key_id})["TopicArn"]
    with pytest.raises(sns.exceptions.KMSNotFoundException) as caught:
        publish(sns, topic)
    assert caught.value.response["Error"]["Message"].startswith(words)


def test_one_who_may_not_use_the_key_is_refused(topic, role):
    with pytest.raises(ClientError, match="kms:GenerateDataKey") as caught:
        publish(role.client("sns"), topic)
    assert caught.value.response["Error"]["Code"] == "KMSAccessDenied"
