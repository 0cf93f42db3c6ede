"""Messages of SQS in encrypted queues, with moto as their storage."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.overlays.conftest import ACCOUNT, MISSING, SPOILED

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


def test_a_queue_without_a_key_makes_no_calls(sqs, made):
    queue = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    send(sqs, queue)
    receive(sqs, queue)
    assert made("sqs") == []


def test_the_first_message_makes_a_data_key_and_opens_it_once(sqs, queue, made):
    send(sqs, queue)
    assert made("sqs") == SENT


def test_a_consumer_opens_the_data_key(sqs, queue, made):
    send(sqs, queue)
    assert receive(sqs, queue)[0]["Body"] == "hello"
    assert made("sqs") == [*SENT, ("Decrypt", CONTEXT)]


def test_within_the_reuse_period_kms_is_not_called_again(kms, sqs, queue, made):
    for _ in range(3):
        send(sqs, queue)
        receive(sqs, queue)
    kms.clock.advance(seconds=299)
    send(sqs, queue)
    assert len(made("sqs")) == 3


def test_after_the_reuse_period_a_new_data_key_is_made(kms, sqs, queue, made):
    send(sqs, queue)
    kms.clock.advance(seconds=300)
    send(sqs, queue)
    assert made("sqs") == SENT * 2


def test_the_reuse_period_can_be_set(kms, sqs, queue, made):
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"KmsDataKeyReusePeriodSeconds": "86400"})
    send(sqs, queue)
    kms.clock.advance(hours=23)
    send(sqs, queue)
    assert made("sqs") == SENT


def test_principals_do_not_share_data_keys(kms, sqs, queue, made):
    allowed = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": allowed}
    other = kms.account(ACCOUNT).role("B", policies=[policy])
    send(sqs, queue)
    send(other.client("sqs"), queue)
    assert made("sqs") == SENT * 2


@pytest.mark.parametrize(
    ("hours", "reuse", "producers", "consumers"),
    [pytest.param(1, 300, 1, 1, id="one of each"), pytest.param(6, 3600, 3, 1, id="three to one")],
)
def test_the_calls_of_a_busy_queue_are_those_of_awss_formula(
    kms, sqs, queue, made, hours, reuse, producers, consumers
):
    attributes = {"KmsDataKeyReusePeriodSeconds": str(reuse), "VisibilityTimeout": "0"}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=attributes)
    allowed = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": allowed}
    account = kms.account(ACCOUNT)
    roles = [account.role(f"P{n}", policies=[policy]).client("sqs") for n in range(producers)]
    for _ in range(0, hours * 3600, reuse):
        for producer in roles:
            send(producer, queue)
        for _ in range(consumers):
            sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        kms.clock.advance(seconds=reuse)
    sent = len([name for name, _ in made("sqs") if name == "GenerateDataKey"])
    assert sent == hours * 3600 // reuse * producers


def test_the_key_of_a_queue_is_not_checked_when_it_is_set(sqs):
    queue = sqs.create_queue(QueueName="jobs", Attributes={"KmsMasterKeyId": "no-key"})["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["KmsMasterKeyId"])
    assert attributes["Attributes"]["KmsMasterKeyId"] == "no-key"
    with pytest.raises(sqs.exceptions.KmsNotFound):
        send(sqs, queue)


def test_a_queue_has_one_kind_of_encryption(sqs, key):
    with pytest.raises(ClientError, match="You can use one type of server-side encryption"):
        sqs.create_queue(
            QueueName="jobs", Attributes={"KmsMasterKeyId": key, "SqsManagedSseEnabled": "true"}
        )


def test_a_changed_key_is_for_new_messages_and_old_ones_need_the_old(kms, sqs, queue, key):
    send(sqs, queue)
    other = kms.client().create_key()["KeyMetadata"]["Arn"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"KmsMasterKeyId": other})
    kms.client().disable_key(KeyId=key)
    with pytest.raises(sqs.exceptions.KmsDisabled):
        receive(sqs, queue)


def test_a_queue_whose_key_is_taken_away_makes_no_more_calls(sqs, queue, made):
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"KmsMasterKeyId": ""})
    send(sqs, queue)
    assert made("sqs") == []


@pytest.mark.parametrize(
    ("spoil", "code", "shown", "kind"),
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
    kms, sqs, queue, key, spoil, code, shown, kind
):
    getattr(kms.client(), spoil)(KeyId=key)
    with pytest.raises(getattr(sqs.exceptions, kind)) as caught:
        send(sqs, queue)
    error = caught.value.response["Error"]
    assert (error["Code"], error["QueryErrorCode"]) == (shown, kind)
    assert SUFFIX.format(code) in error["Message"]


@pytest.mark.parametrize(("spoil", "words", "code"), SPOILED)
def test_messages_go_on_for_the_reuse_period_after_the_key_is_spoiled(
    kms, sqs, queue, key, spoil, words, code
):
    send(sqs, queue)
    getattr(kms.client(), spoil)(KeyId=key)
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


def test_a_batch_shares_one_data_key(sqs, queue, made):
    entries = [{"Id": name, "MessageBody": "x"} for name in ("1", "2")]
    sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    assert made("sqs") == SENT
