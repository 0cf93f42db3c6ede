"""Messages of SQS in encrypted queues, with moto as their storage."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from tests.services.beside.conftest import ACCOUNT, MISSING, THROTTLED, UNUSABLE

CONTEXT = {"aws:sqs:arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:jobs"}
SUFFIX = " (Service: AWSKMS; Status Code: 400; Error Code: {}; Request ID: "
SENT = [("GenerateDataKey", CONTEXT), ("Decrypt", CONTEXT)]


@pytest.fixture
def sqs(kms):
    return kms.client("sqs")


@pytest.fixture
def queue(sqs, key):
    return sqs.create_queue(QueueName="jobs", Attributes={"KmsMasterKeyId": key})["QueueUrl"]


def send(client, queue):
    return client.send_message(QueueUrl=queue, MessageBody="hello")


def receive(client, queue):
    return client.receive_message(QueueUrl=queue, WaitTimeSeconds=0)["Messages"]


def test_a_queue_without_a_key_makes_no_calls(sqs, calls_by):
    queue = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    send(sqs, queue)
    receive(sqs, queue)
    assert calls_by("sqs") == []


def test_the_first_message_makes_a_data_key_and_opens_it_once(sqs, queue, calls_by):
    send(sqs, queue)
    assert calls_by("sqs") == SENT


def test_a_consumer_opens_the_data_key(sqs, queue, calls_by):
    send(sqs, queue)
    assert receive(sqs, queue)[0]["Body"] == "hello"
    assert calls_by("sqs") == [*SENT, ("Decrypt", CONTEXT)]


def test_within_the_reuse_period_kms_is_not_called_again(kms, sqs, queue, calls_by):
    for _ in range(3):
        send(sqs, queue)
        receive(sqs, queue)
    kms.clock.advance(seconds=299)
    send(sqs, queue)
    assert len(calls_by("sqs")) == 3


def test_after_the_reuse_period_a_new_data_key_is_made(kms, sqs, queue, calls_by):
    send(sqs, queue)
    kms.clock.advance(seconds=300)
    send(sqs, queue)
    assert calls_by("sqs") == SENT * 2


def test_the_reuse_period_can_be_set(kms, sqs, queue, calls_by):
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"KmsDataKeyReusePeriodSeconds": "86400"})
    send(sqs, queue)
    kms.clock.advance(hours=23)
    send(sqs, queue)
    assert calls_by("sqs") == SENT


def test_principals_do_not_share_data_keys(kms, sqs, queue, calls_by):
    allowed = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": allowed}
    other = kms.account(ACCOUNT).role("B", policies=[policy])
    send(sqs, queue)
    send(other.client("sqs"), queue)
    assert calls_by("sqs") == SENT * 2


# Source: Amazon SQS Developer Guide, "Estimating AWS KMS costs".
@pytest.mark.parametrize(
    ("hours", "reuse", "queues", "times", "calls"),
    [
        pytest.param(1, 300, [(1, 1)], 744, 26_784, id="an hour, of which a month has 744"),
        pytest.param(672, 86_400, [(3, 1), (5, 2)], 1, 532, id="two queues for four weeks"),
    ],
)
def test_the_calls_of_busy_queues_are_those_of_awss_formula(
    kms, key, calls_by, hours, reuse, queues, times, calls
):
    allowed = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": allowed}
    attributes = {"KmsMasterKeyId": key, "KmsDataKeyReusePeriodSeconds": str(reuse)}
    sqs, busy = kms.client("sqs"), []
    for number, (producers, consumers) in enumerate(queues):
        url = sqs.create_queue(QueueName=f"q{number}", Attributes=attributes)["QueueUrl"]
        clients = [
            kms.account(ACCOUNT).role(f"R{number}-{n}", policies=[policy]).client("sqs")
            for n in range(producers + consumers)
        ]
        busy.append((url, clients[:producers], clients[producers:]))

    for _ in range(0, hours * 3600, reuse):
        for url, producers, consumers in busy:
            for producer in producers:
                send(producer, url)
            for consumer in consumers:
                messages = consumer.receive_message(
                    QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0, WaitTimeSeconds=0
                )["Messages"]
                assert len(messages) == len(producers)
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        kms.clock.advance(seconds=reuse)

    assert len(calls_by("sqs")) * times == calls


def test_the_key_of_a_queue_is_not_checked_when_it_is_set(sqs):
    queue = sqs.create_queue(QueueName="jobs", Attributes={"KmsMasterKeyId": "no-key"})["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["KmsMasterKeyId"])
    assert attributes["Attributes"]["KmsMasterKeyId"] == "no-key"
    with pytest.raises(sqs.exceptions.KmsNotFound):
        send(sqs, queue)


def test_a_changed_key_is_for_new_messages_and_old_ones_need_the_old(kms, sqs, queue, key):
    send(sqs, queue)
    other = kms.client().create_key()["KeyMetadata"]["Arn"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"KmsMasterKeyId": other})
    kms.client().disable_key(KeyId=key)
    with pytest.raises(sqs.exceptions.KmsDisabled):
        receive(sqs, queue)


def test_a_queue_whose_key_is_taken_away_makes_no_more_calls(sqs, queue, calls_by):
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"KmsMasterKeyId": ""})
    send(sqs, queue)
    assert calls_by("sqs") == []


@pytest.mark.parametrize(
    ("break_key", "code", "shown", "kind"),
    [
        ("disable_key", "DisabledException", "KMS.DisabledException", "KmsDisabled"),
        (
            "schedule_key_deletion",
            "KMSInvalidStateException",
            "KMS.InvalidStateException",
            "KmsInvalidState",
        ),
    ],
)
def test_a_key_in_the_wrong_state_serves_no_messages(
    kms, sqs, queue, key, break_key, code, shown, kind
):
    getattr(kms.client(), break_key)(KeyId=key)
    with pytest.raises(getattr(sqs.exceptions, kind)) as caught:
        send(sqs, queue)
    error = caught.value.response["Error"]
    assert (error["Code"], error["QueryErrorCode"]) == (shown, kind)
    assert SUFFIX.format(code) in error["Message"]


@pytest.mark.parametrize(("break_key", "words", "code"), UNUSABLE)
def test_messages_are_sent_and_received_for_the_reuse_period_after_the_key_is_unusable(
    kms, sqs, queue, key, break_key, words, code
):
    send(sqs, queue)
    getattr(kms.client(), break_key)(KeyId=key)
    send(sqs, queue)
    kms.clock.advance(seconds=300)
    with pytest.raises(ClientError) as caught:
        send(sqs, queue)
    assert caught.value.response["Error"]["Message"].startswith(
        f"{key} {words}{SUFFIX.format(code)}"
    )


@pytest.mark.parametrize(("key_id", "words"), MISSING)
def test_a_missing_key_is_not_found(sqs, key_id, words):
    queue = sqs.create_queue(QueueName="jobs", Attributes={"KmsMasterKeyId": key_id})["QueueUrl"]
    with pytest.raises(sqs.exceptions.KmsNotFound) as caught:
        send(sqs, queue)
    error = caught.value.response["Error"]
    assert error["Code"] == "KMS.NotFoundException"
    assert error["Message"].startswith(words + SUFFIX.format("NotFoundException"))


def test_a_key_for_signatures_has_the_wrong_usage(kms, sqs):
    signing = kms.client().create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    arn = signing["KeyMetadata"]["Arn"]
    queue = sqs.create_queue(QueueName="jobs", Attributes={"KmsMasterKeyId": arn})["QueueUrl"]
    with pytest.raises(sqs.exceptions.KmsInvalidKeyUsage):
        send(sqs, queue)


def test_one_who_may_not_use_the_key_is_refused(queue, role, key):
    with pytest.raises(ClientError) as caught:
        send(role.client("sqs"), queue)
    error = caught.value.response["Error"]
    assert error["Code"] == "KMS.AccessDeniedException"
    assert (
        f"is not authorized to perform: kms:GenerateDataKey on resource: {key}"
        in (error["Message"])
    )


def test_a_producer_needs_decrypt_to_see_that_a_data_key_is_whole(kms, queue):
    allowed = [
        {"Effect": "Allow", "NotAction": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Action": "kms:GenerateDataKey", "Resource": "*"},
    ]
    policy = {"Version": "2012-10-17", "Statement": allowed}
    producer = kms.account(ACCOUNT).role("Half", policies=[policy]).client("sqs")
    with pytest.raises(producer.exceptions.KmsAccessDenied, match="kms:Decrypt"):
        send(producer, queue)


def test_a_consumer_may_be_refused_what_another_has_received(sqs, queue, role):
    send(sqs, queue)
    with pytest.raises(sqs.exceptions.KmsAccessDenied, match="kms:Decrypt"):
        receive(role.client("sqs"), queue)


def test_a_key_that_waits_for_its_material_serves_no_messages(kms, sqs):
    waiting = kms.client().create_key(Origin="EXTERNAL")["KeyMetadata"]["Arn"]
    queue = sqs.create_queue(QueueName="jobs", Attributes={"KmsMasterKeyId": waiting})["QueueUrl"]
    with pytest.raises(sqs.exceptions.KmsInvalidState, match="is pending import"):
        send(sqs, queue)


@pytest.mark.parametrize(
    ("fault", "kind", "shown", "text", "status"),
    [
        ("ThrottlingException", "KmsThrottled", "KMS.ThrottlingException", THROTTLED, 400),
        ("OptInRequired", "KmsOptInRequired", "KMS.OptInRequired", "null", 403),
    ],
)
def test_faults_of_kms_are_those_of_the_queue(kms, sqs, queue, fault, kind, shown, text, status):
    kms.faults.fail("GenerateDataKey", fault)
    with pytest.raises(getattr(sqs.exceptions, kind)) as caught:
        send(sqs, queue)
    answer = caught.value.response
    assert answer["Error"]["Code"] == shown
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status
    assert answer["Error"]["Message"].startswith(
        f"{text} (Service: AWSKMS; Status Code: {status}; Error Code: {fault}; Request ID: "
    )
    assert send(sqs, queue)["MessageId"]


def test_the_managed_key_needs_no_permission_of_kms(sqs, role):
    attributes = {"KmsMasterKeyId": "alias/aws/sqs"}
    queue = sqs.create_queue(QueueName="jobs", Attributes=attributes)["QueueUrl"]
    assert send(role.client("sqs"), queue)["MessageId"]


def test_a_batch_tells_the_refusal_of_each_entry(kms, sqs, queue, key):
    kms.client().disable_key(KeyId=key)
    entries = [{"Id": name, "MessageBody": "x"} for name in ("1", "2")]
    answer = sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    assert "Successful" not in answer
    assert [(entry["Id"], entry["Code"]) for entry in answer["Failed"]] == [
        ("1", "KMS.DisabledException"),
        ("2", "KMS.DisabledException"),
    ]


def test_a_batch_shares_one_data_key(sqs, queue, calls_by):
    entries = [{"Id": name, "MessageBody": "x"} for name in ("1", "2")]
    sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    assert calls_by("sqs") == SENT


# --- dead-letter queues -----------------------------------------------------------------------


@pytest.fixture
def dead_letters(kms, sqs, queue):
    """Create a dead-letter queue with another key; return both."""
    key = kms.client().create_key()["KeyMetadata"]["Arn"]
    attributes = {"KmsMasterKeyId": key, "VisibilityTimeout": "0"}
    url = sqs.create_queue(QueueName="dead", Attributes=attributes)["QueueUrl"]
    redrive = {
        "deadLetterTargetArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:dead",
        "maxReceiveCount": 1,
    }
    attributes = {"RedrivePolicy": json.dumps(redrive), "VisibilityTimeout": "0"}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=attributes)
    return url, key


def fail_to_process(client, queue):
    """Receive a message, and leave it there, so that it is moved."""
    receive(client, queue)
    assert "Messages" not in client.receive_message(QueueUrl=queue, WaitTimeSeconds=0)


def test_a_dead_letter_is_opened_with_the_key_and_context_of_its_own_queue(
    kms, sqs, queue, key, dead_letters
):
    url, _ = dead_letters
    send(sqs, queue)
    fail_to_process(sqs, queue)
    kms.clock.advance(seconds=300)
    assert receive(sqs, url)[0]["Body"] == "hello"
    opened = kms.calls[-1]
    assert (opened.operation, opened.key_arn, opened.encryption_context) == (
        "Decrypt",
        key,
        CONTEXT,
    )


def test_who_reads_dead_letters_needs_decrypt_on_the_key_of_the_source_queue(
    kms, sqs, queue, key, dead_letters
):
    url, own_key = dead_letters
    send(sqs, queue)
    fail_to_process(sqs, queue)

    def reader(name, key):
        allowed = [
            {"Effect": "Allow", "NotAction": "kms:*", "Resource": "*"},
            {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key},
        ]
        policy = {"Version": "2012-10-17", "Statement": allowed}
        return kms.account(ACCOUNT).role(name, policies=[policy]).client("sqs")

    with pytest.raises(sqs.exceptions.KmsAccessDenied, match="kms:Decrypt"):
        receive(reader("Wrong", own_key), url)
    assert receive(reader("Right", key), url)[0]["Body"] == "hello"


@pytest.mark.parametrize("name", ["id", "alias"])
def test_a_key_id_names_a_key_of_the_queue_s_account(kms, sqs, key, name):
    kms.client().create_alias(AliasName="alias/app", TargetKeyId=key)
    policy = json.loads(kms.client().get_key_policy(KeyId=key)["Policy"])
    policy["Statement"][0]["Principal"] = "*"
    kms.client().put_key_policy(KeyId=key, Policy=json.dumps(policy))
    key_id = "alias/app" if name == "alias" else key.rpartition("/")[2]
    url = sqs.create_queue(QueueName="jobs", Attributes={"KmsMasterKeyId": key_id})["QueueUrl"]
    other = kms.account("111122223333")
    send(other.client("sqs"), url)
    call = kms.calls.filter("GenerateDataKey")[-1]
    assert (call.account, call.key_arn) == (other.id, key)
