"""Messages of SNS in encrypted topics, with moto as their storage."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from tests.services.beside.conftest import ACCOUNT, MISSING, THROTTLED, error_of

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


def test_a_topic_without_a_key_makes_no_calls(sns, calls_by):
    publish(sns, sns.create_topic(Name="news")["TopicArn"])
    assert calls_by("sns") == []


def test_publishing_makes_a_data_key_and_opens_it(sns, topic, calls_by):
    publish(sns, topic)
    assert calls_by("sns") == PUBLISHED


def test_a_data_key_is_used_again_for_five_minutes(kms, sns, topic, calls_by):
    publish(sns, topic)
    kms.clock.advance(seconds=299)
    publish(sns, topic)
    assert calls_by("sns") == PUBLISHED
    kms.clock.advance(seconds=1)
    publish(sns, topic)
    assert calls_by("sns") == PUBLISHED * 2


def test_a_batch_shares_one_data_key(sns, topic, calls_by):
    entries = [{"Id": name, "Message": "x"} for name in ("1", "2")]
    sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert calls_by("sns") == PUBLISHED


def test_the_key_of_a_topic_can_be_changed_and_taken_away(kms, sns, topic, calls_by):
    other = kms.client().create_key()["KeyMetadata"]["Arn"]
    set_to = {"TopicArn": topic, "AttributeName": "KmsMasterKeyId"}
    sns.set_topic_attributes(**set_to, AttributeValue=other)
    publish(sns, topic)
    assert {call.key_arn for call in kms.calls if call.via_service} == {other}
    sns.set_topic_attributes(**set_to, AttributeValue="")
    kms.clock.advance(hours=1)
    publish(sns, topic)
    assert calls_by("sns") == PUBLISHED


def test_the_managed_key_needs_no_permission_of_kms(sns, role):
    attributes = {"KmsMasterKeyId": "alias/aws/sns"}
    topic = sns.create_topic(Name="news", Attributes=attributes)["TopicArn"]
    assert publish(role.client("sns"), topic)["MessageId"]


@pytest.mark.parametrize(
    ("break_key", "code"),
    [("disable_key", "KMSDisabled"), ("schedule_key_deletion", "KMSInvalidState")],
)
def test_a_key_in_the_wrong_state_serves_no_messages(kms, sns, topic, key, break_key, code):
    getattr(kms.client(), break_key)(KeyId=key)
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


def test_a_publisher_needs_decrypt_to_see_that_a_data_key_is_whole(kms, topic):
    allowed = [
        {"Effect": "Allow", "NotAction": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Action": "kms:GenerateDataKey", "Resource": "*"},
    ]
    policy = {"Version": "2012-10-17", "Statement": allowed}
    publisher = kms.account(ACCOUNT).role("Half", policies=[policy]).client("sns")
    with pytest.raises(publisher.exceptions.KMSAccessDeniedException, match="kms:Decrypt"):
        publish(publisher, topic)


def test_a_key_that_waits_for_its_material_serves_no_messages(kms, sns):
    waiting = kms.client().create_key(Origin="EXTERNAL")["KeyMetadata"]["Arn"]
    topic = sns.create_topic(Name="news", Attributes={"KmsMasterKeyId": waiting})["TopicArn"]
    with pytest.raises(sns.exceptions.KMSInvalidStateException, match="is pending import"):
        publish(sns, topic)


@pytest.mark.parametrize(
    ("fault", "kind", "code", "text", "status"),
    [
        ("ThrottlingException", "KMSThrottlingException", "KMSThrottling", THROTTLED, 400),
        ("OptInRequired", "KMSOptInRequired", "KMSOptInRequired", "null", 403),
    ],
)
def test_faults_of_kms_are_those_of_the_topic(kms, sns, topic, fault, kind, code, text, status):
    kms.faults.fail("GenerateDataKey", fault)
    with pytest.raises(getattr(sns.exceptions, kind)) as caught:
        publish(sns, topic)
    answer = caught.value.response
    assert answer["Error"]["Code"] == code
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status
    assert answer["Error"]["Message"].startswith(
        f"{text} (Service: AWSKMS; Status Code: {status}; "
    )
    assert publish(sns, topic)["MessageId"]


@pytest.mark.parametrize("key_id", ["alias/mine", "no-key", "alias/aws/sns"])
def test_the_key_of_a_topic_is_returned_as_requested(sns, key_id, calls_by):
    topic = sns.create_topic(Name="news", Attributes={"KmsMasterKeyId": key_id})["TopicArn"]
    shown = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert shown["KmsMasterKeyId"] == key_id
    assert calls_by("sns") == []


# --- encrypted queues that subscribe ----------------------------------------------------------

QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:orders"
DELIVERED = {"aws:sqs:arn": QUEUE}


def allow_sns(kms, key, **condition):
    """Allow SNS to use the key of a queue."""
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    service = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
        "Resource": "*",
        **condition,
    }
    all_ = {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [all_, service]}
    kms.client().put_key_policy(KeyId=key, Policy=json.dumps(policy))


@pytest.fixture
def subscribe_queue(kms, sns):
    """Subscribe an encrypted queue to a topic; return the topic, and what reads the queue."""

    def subscribe_queue(key, *, raw=False):
        sqs = kms.client("sqs")
        url = sqs.create_queue(QueueName="orders", Attributes={"KmsMasterKeyId": key})["QueueUrl"]
        topic = sns.create_topic(Name="news")["TopicArn"]
        attributes = {"RawMessageDelivery": "true"} if raw else {}
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=QUEUE, Attributes=attributes)

        def read(client=sqs):
            answer = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
            return [message["Body"] for message in answer.get("Messages", ())]

        return topic, read

    return subscribe_queue


@pytest.mark.parametrize("raw", [False, True], ids=["in an envelope", "raw"])
def test_sns_itself_encrypts_what_it_delivers_to_an_encrypted_queue(
    kms, sns, subscribe_queue, key, calls_by, raw
):
    allow_sns(kms, key)
    topic, read = subscribe_queue(key, raw=raw)

    publish(sns, topic)

    own = [
        (c.operation, c.encryption_context) for c in kms.calls.filter(caller="sns.amazonaws.com")
    ]
    assert own == [("GenerateDataKey", DELIVERED), ("Decrypt", DELIVERED)]
    [body] = read()
    assert (body if raw else json.loads(body)["Message"]) == "hello"
    assert calls_by("sqs") == [("Decrypt", DELIVERED)]


@pytest.mark.parametrize("raw", [False, True], ids=["in an envelope", "raw"])
def test_without_permission_for_sns_a_message_is_not_delivered_and_no_error_is_raised(
    kms, sns, subscribe_queue, key, raw
):
    topic, read = subscribe_queue(key, raw=raw)

    assert publish(sns, topic)["MessageId"]

    assert read() == []
    [denied] = kms.calls.filter(caller="sns.amazonaws.com")
    assert (denied.operation, denied.error_code) == ("GenerateDataKey", "AccessDeniedException")


def test_surprisingly_the_managed_key_lets_no_service_deliver(sns, subscribe_queue):
    topic, read = subscribe_queue("alias/aws/sqs")
    publish(sns, topic)
    assert read() == []


def test_a_key_policy_can_let_sns_deliver_for_one_topic(kms, sns, subscribe_queue, key):
    topic, read = subscribe_queue(key)
    allow_sns(kms, key, Condition={"ArnEquals": {"aws:SourceArn": f"{topic}-other"}})
    publish(sns, topic)
    assert read() == []
    allow_sns(kms, key, Condition={"ArnEquals": {"aws:SourceArn": topic}})
    publish(sns, topic)
    assert len(read()) == 1


def test_a_batch_is_delivered_under_one_data_key(kms, sns, subscribe_queue, key):
    allow_sns(kms, key)
    topic, read = subscribe_queue(key)
    entries = [{"Id": name, "Message": name} for name in ("1", "2")]
    sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert sorted(json.loads(body)["Message"] for body in read()) == ["1", "2"]
    assert len(kms.calls.filter("GenerateDataKey", caller="sns.amazonaws.com")) == 1


def test_a_consumer_needs_decrypt_for_what_sns_delivered(kms, sns, subscribe_queue, key, role):
    allow_sns(kms, key)
    topic, read = subscribe_queue(key)
    publish(sns, topic)
    with pytest.raises(ClientError, match="kms:Decrypt") as caught:
        read(role.client("sqs"))
    assert caught.value.response["Error"]["Code"] == "KMS.AccessDeniedException"


def test_a_queue_that_has_left_is_not_encrypted_for(kms, sns, subscribe_queue, key):
    topic, _ = subscribe_queue(key)
    [subscription] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    publish(sns, topic)
    assert len(kms.calls) == 1  # the key itself


def test_a_dead_letter_from_sns_is_opened_with_the_key_of_its_source_queue(
    kms, sns, subscribe_queue, key
):
    allow_sns(kms, key)
    topic, read = subscribe_queue(key)
    sqs = kms.client("sqs")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    redrive = {"deadLetterTargetArn": QUEUE.replace(":orders", ":dead"), "maxReceiveCount": 1}
    attributes = {"RedrivePolicy": json.dumps(redrive), "VisibilityTimeout": "0"}
    url = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    publish(sns, topic)
    read()
    assert read() == []
    kms.clock.advance(seconds=300)

    assert sqs.receive_message(QueueUrl=dead)["Messages"]

    opened = kms.calls[-1]
    assert (opened.operation, opened.encryption_context) == ("Decrypt", DELIVERED)


def test_sns_calls_kms_for_each_topic(kms, sns, subscribe_queue, key):
    topic, read = subscribe_queue(key)
    other = sns.create_topic(Name="other")["TopicArn"]
    sns.subscribe(TopicArn=other, Protocol="sqs", Endpoint=QUEUE)
    allow_sns(kms, key, Condition={"ArnEquals": {"aws:SourceArn": topic}})
    publish(sns, topic)
    publish(sns, other)
    assert len(read()) == 1


@pytest.mark.parametrize("names_key", [False, True], ids=["no attribute", "its own key"])
def test_creating_a_topic_that_exists_changes_nothing(sns, topic, key, names_key, calls_by):
    attributes = {"KmsMasterKeyId": key} if names_key else {}
    assert sns.create_topic(Name="news", Attributes=attributes)["TopicArn"] == topic
    publish(sns, topic)
    assert calls_by("sns") == PUBLISHED


def test_a_topic_that_exists_is_not_created_with_another_key(sns, topic, calls_by):
    with pytest.raises(ClientError) as caught:
        sns.create_topic(Name="news", Attributes={"KmsMasterKeyId": "alias/aws/sns"})
    assert error_of(caught) == (
        "InvalidParameter",
        "Invalid parameter: Attributes Reason: Topic already exists with different attributes",
    )
    publish(sns, topic)
    assert calls_by("sns") == PUBLISHED


@pytest.mark.parametrize("name", ["id", "alias"])
def test_a_key_id_names_a_key_of_the_topic_s_account(kms, sns, key, name):
    kms.client().create_alias(AliasName="alias/app", TargetKeyId=key)
    key_id = "alias/app" if name == "alias" else key.rpartition("/")[2]
    topic = sns.create_topic(Name="news", Attributes={"KmsMasterKeyId": key_id})["TopicArn"]
    policy = json.loads(kms.client().get_key_policy(KeyId=key)["Policy"])
    policy["Statement"][0]["Principal"] = "*"
    kms.client().put_key_policy(KeyId=key, Policy=json.dumps(policy))
    other = kms.account("111122223333")
    publish(other.client("sns"), topic)
    call = kms.calls.filter("GenerateDataKey")[-1]
    assert (call.account, call.key_arn) == (other.id, key)


def test_a_topic_without_a_key_is_not_created_with_one(sns, key, calls_by):
    topic = sns.create_topic(Name="news")["TopicArn"]
    with pytest.raises(ClientError, match="Topic already exists with different attributes"):
        sns.create_topic(Name="news", Attributes={"KmsMasterKeyId": key})
    publish(sns, topic)
    assert calls_by("sns") == []


def test_a_topic_can_be_created_anew_with_a_key(sns, topic, key, calls_by):
    sns.delete_topic(TopicArn=topic)
    sns.create_topic(Name="news")
    publish(sns, topic)
    sns.delete_topic(TopicArn=topic)
    sns.create_topic(Name="news", Attributes={"KmsMasterKeyId": key})
    publish(sns, topic)
    assert calls_by("sns") == PUBLISHED
