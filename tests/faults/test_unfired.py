"""Faults that did not fire are reported, with the reason."""

from __future__ import annotations

import contextlib

import pytest
from botocore.exceptions import ClientError, HTTPClientError

from kmsmock import mock_kms


def unfired(kms):
    with pytest.raises(AssertionError) as caught:
        kms.faults.assert_all_fired()
    return str(caught.value)


def test_a_fault_that_did_not_fire_is_told():
    with mock_kms() as kms:
        kms.faults.fail("Encrypt", "KMSInternalException")
        kms.faults.throttle("Decrypt", optional=True)

        assert unfired(kms) == (
            "faults that did not fire:\n"
            "  KMSInternalException on Encrypt, fired 0 of 1 times\n"
            "    no call has been made since it was armed"
        )


@pytest.mark.parametrize(
    ("terms", "mistake"),
    [
        (
            {"key": "alias/ap"},
            "there is no key 'alias/ap', and no call has named it; did you mean ",
        ),
        ({"region": "us-est-1"}, "AWS has no Region 'us-est-1'; did you mean 'us-east-1'?"),
        ({"via_service": "s4"}, "no service of AWS is 's4' in kms:ViaService"),
        (
            {"caller": "arn:aws:iam::123456789012:role/Ap"},
            "there is no principal 'arn:aws:iam::123456789012:role/Ap', and it has made no call",
        ),
    ],
    ids=["key", "region", "service", "caller"],
)
def test_a_fault_that_no_call_can_meet_is_told(terms, mistake):
    with mock_kms() as kms:
        key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
        kms.client().create_alias(AliasName="alias/app", TargetKeyId=key_id)
        kms.faults.throttle("Encrypt", **terms)

        assert f"\n    {mistake}" in unfired(kms)


def test_no_fault_is_armed_in_a_mock_that_has_ended():
    with mock_kms() as kms:
        kms.faults.throttle("Encrypt", optional=True)

    with pytest.raises(RuntimeError, match="the mock of these faults has ended"):
        kms.faults.throttle("Encrypt")
    kms.faults.assert_all_fired()


def test_a_fault_is_armed_in_a_mock_that_is_paused():
    with mock_kms() as kms:
        with kms.pause():
            kms.faults.throttle("ListKeys", retried=False)
        with pytest.raises(ClientError, match="ThrottlingException"):
            kms.client().list_keys()


def make_calls(kms):
    """Make a call of each kind: of a key with an alias, without a key, one that fails."""
    client = kms.client()
    with contextlib.suppress(ClientError, HTTPClientError):
        client.encrypt(KeyId="alias/app", Plaintext=b"x", EncryptionContext={"tenant": "b"})
    client.list_keys()
    with contextlib.suppress(ClientError):
        client.describe_key(KeyId="alias/none")


@pytest.mark.parametrize(
    ("arm", "reasons"),
    [
        (
            lambda f: f.fail("Encrypt", "KMSInternalException", key="alias/other"),
            [
                "calls since it was armed: 1 Encrypt, 1 ListKeys, 1 DescribeKey",
                "the nearest is call 1 of 3:",
                "key  'alias/other'  'alias/app'",
            ],
        ),
        (
            lambda f: f.throttle("Encrypt", region="eu-west-1"),
            ["the nearest is call 1 of 3:", "region  'eu-west-1'  'us-east-1'"],
        ),
        (
            lambda f: f.throttle("Encrypt", account="444455556666"),
            ["account  '444455556666'  '123456789012'"],
        ),
        (
            lambda f: f.throttle("Encrypt", caller="arn:aws:iam::123456789012:role/App"),
            ["caller  'arn:aws:iam::123456789012:role/App'", ":user/"],
        ),
        (
            lambda f: f.delay("Encrypt", seconds=5, encryption_context={"tenant": "a"}),
            ["a delay of 5 s on Encrypt", "tenant            'a'       'b'    different"],
        ),
        (
            lambda f: f.drop_connection("Decrypt"),
            ["a closed connection on Decrypt", "operation  Decrypt   DescribeKey"],
        ),
        (
            lambda f: f.fail("*", "KMSInvalidMacException"),
            ["DescribeKey, Encrypt, ListKeys cannot fail with KMSInvalidMacException"],
        ),
        (
            lambda f: f.timeout("Encrypt", times=3, retried=False),
            ["a read timeout on Encrypt, fired 1 of 3 times", "1 call matched"],
        ),
        (
            lambda f: f.throttle("ListKeys", on_call=2),
            ["1 call matched, but it waits for number 2", "ListKeys by arn:aws:iam::"],
        ),
        (
            lambda f: f.corrupt_response("DescribeKey"),
            ["1 call matched, but it only hits calls that have succeeded", "NotFoundException"],
        ),
        (
            lambda f: f.fail("Decrypt", "KMSInternalException", probability=0.9),
            ["KMSInternalException on Decrypt, fired 0 times"],
        ),
        (
            lambda f: f.throttle("*", times=None, region="eu-west-1"),
            ["ThrottlingException on * with region='eu-west-1', fired 0 times"],
        ),
    ],
)
def test_the_message_says_why_the_nearest_call_was_not_hit(kms, kms_key_factory, arm, reasons):
    kms_key_factory(alias="alias/app")
    kms_key_factory(alias="alias/other")
    arm(kms.faults)
    make_calls(kms)

    message = unfired(kms)

    assert [reason for reason in reasons if reason not in message] == [], message


def test_a_fault_that_is_armed_too_late_is_told_the_calls_before(kms):
    kms.client().list_keys()
    kms.faults.throttle("ListKeys")

    assert "armed too late, after these calls:\n      ListKeys by" in unfired(kms)


def test_calls_of_services_are_told_to_have_no_connection(kms):
    pytest.importorskip("moto")
    from moto import mock_aws

    kms.faults.drop_connection("GenerateDataKey")
    with mock_aws():
        s3 = kms.client("s3")
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="a", Body=b"x", ServerSideEncryption="aws:kms")

    assert "these were calls of services, which have no HTTP request:\n" in unfired(kms)


def test_calls_before_a_restored_checkpoint_are_forgotten(kms):
    checkpoint = kms.checkpoint()
    kms.client().list_keys()
    kms.faults.throttle("Encrypt")
    kms.restore(checkpoint)
    kms.client().list_aliases()

    assert "calls since it was armed: 1 ListAliases\n" in unfired(kms)


def test_a_checkpoint_restores_no_faults_and_disarms_none(kms, once):
    kms.faults.throttle("ListKeys", times=2)
    checkpoint = kms.checkpoint()
    with pytest.raises(ClientError):
        once.list_keys()
    kms.restore(checkpoint)

    with pytest.raises(ClientError):
        once.list_keys()
    once.list_keys()


@pytest.mark.parametrize("method", ["clear", "reset"])
def test_cleared_faults_hit_nothing_and_are_not_told(kms, once, method):
    kms.faults.throttle("ListKeys")

    kms.faults.clear() if method == "clear" else kms.reset()

    once.list_keys()
    kms.faults.assert_all_fired()
