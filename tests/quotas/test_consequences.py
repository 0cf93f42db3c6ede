"""What a throttled request leaves: nothing but a record; and what services do with it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from kmsmock import KMSMock, mock_kms
from tests.operations.test_custom_key_stores import CLOUDHSM, connected
from tests.quotas.calls import OTHER, OWN, count_answered, make_client, new_key
from tests.records import check_record
from tests.refusals import refused


@pytest.fixture
def kms() -> Iterator[KMSMock]:
    with mock_kms(seed=1, quotas={"CreateKey": 1, "cryptographic-symmetric": 2}) as kms:
        yield kms


def test_a_throttled_request_changes_nothing_is_recorded_and_costs_nothing(kms: KMSMock) -> None:
    client = make_client()
    client.create_key()
    with refused("ThrottlingException"):
        client.create_key()

    assert len(kms.keys) == 1
    event = kms.calls[-1]
    assert (event.operation, event.error_code) == ("CreateKey", "ThrottlingException")
    assert event.price == Decimal(0)
    assert event.failure is not None
    assert not event.failure.is_injected


def test_it_is_in_cloudtrail(kms: KMSMock) -> None:
    key, client = new_key(kms), make_client()
    client.encrypt(KeyId=key, Plaintext=b"x")
    client.encrypt(KeyId=key, Plaintext=b"x")
    with refused("ThrottlingException"):
        client.encrypt(KeyId=key, Plaintext=b"x")

    record = list(kms.trail)[-1]
    check_record(record)
    assert record["errorCode"] == "ThrottlingException"
    assert record["errorMessage"].startswith("You have exceeded the rate")
    assert [each["ARN"] for each in record["resources"]] == [key]


def test_it_has_aws_text_and_status_and_our_note_beside_it(kms: KMSMock) -> None:
    key, client = new_key(kms), make_client()
    client.generate_random(NumberOfBytes=1)
    client.encrypt(KeyId=key, Plaintext=b"x")
    with pytest.raises(ClientError) as caught:
        client.encrypt(KeyId=key, Plaintext=b"x")

    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert caught.value.response["Error"]["Message"] == (
        "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."
    )
    assert caught.value.__notes__ == [
        "The request quota cryptographic-symmetric of account 123456789012 in us-east-1 is 2 per "
        "second (set by the option quotas); this request is number 3 in one second after 1 "
        "Encrypt, 1 GenerateRandom. AWS throttles the rest of the interval, which ends in 1 s: "
        "kms.clock.advance(seconds=1), since the clock stands still; or after 9 more throttled "
        "requests. Retry with backoff, as botocore does with more attempts; reuse data keys (data "
        "key caching of the AWS Encryption SDK, bucket keys of S3); or request a higher quota in "
        "Service Quotas."
    ]


def test_throttling_comes_before_permissions_and_key_states(kms: KMSMock) -> None:
    key, client = new_key(kms), make_client()
    count_answered(lambda: client.encrypt(KeyId=key, Plaintext=b"x"))
    kms.client().disable_key(KeyId=key)

    with refused("ThrottlingException"):
        client.encrypt(KeyId=key, Plaintext=b"x")
    with refused("ThrottlingException"):
        client.encrypt(KeyId="alias/none", Plaintext=b"x")
    role = kms.account(OWN).role("App")
    with refused("ThrottlingException"):
        make_client(principal=role).encrypt(KeyId=key, Plaintext=b"x")


def test_faults_do_not_meet_a_throttled_request() -> None:
    with mock_kms(seed=1, quotas={"ListKeys": 1}) as kms:
        client = make_client()
        client.list_keys()
        kms.faults.fail("ListKeys", "KMSInternalException")
        with refused("ThrottlingException"):
            client.list_keys()
        kms.clock.advance(seconds=1)
        with refused("KMSInternalException"):
            client.list_keys()
        with refused("ThrottlingException"):
            client.list_keys()
        kms.faults.assert_all_fired()


def test_a_request_that_never_reaches_kms_does_not_count() -> None:
    with mock_kms(seed=1, quotas={"ListKeys": 2}) as kms:
        client = make_client()
        client.list_keys()
        kms.faults.drop_connection("ListKeys")
        with pytest.raises(ConnectionClosedError):
            client.list_keys()
        assert count_answered(client.list_keys) == 1

        kms.clock.advance(seconds=1)
        kms.faults.drop_connection("ListKeys", after_effect=True)
        with pytest.raises(ConnectionClosedError):
            client.list_keys()
        assert count_answered(client.list_keys) == 1


# --- state -----------------------------------------------------------------------------------


def test_a_checkpoint_has_the_counts(kms: KMSMock) -> None:
    client = make_client()
    before = kms.checkpoint()
    assert count_answered(client.create_key) == 1
    full = kms.checkpoint()

    kms.restore(before)
    assert count_answered(client.create_key) == 1
    kms.restore(full)
    assert count_answered(client.create_key) == 0
    kms.restore(before)
    assert count_answered(client.create_key) == 1


def test_a_reset_forgets_the_counts(kms: KMSMock) -> None:
    assert count_answered(make_client().create_key) == 1

    kms.reset()

    assert count_answered(make_client().create_key) == 1


# --- custom key stores -----------------------------------------------------------------------


def test_a_key_store_has_a_quota_over_all_accounts_beside_the_symmetric_one() -> None:
    quotas = {"custom-key-store": 3, "cryptographic-symmetric": 2}
    with mock_kms(seed=1, quotas=quotas, authorization="off", delays="none") as kms:
        store = connected(kms.client(region="us-east-1"), settings=CLOUDHSM)
        created = kms.client().create_key(CustomKeyStoreId=store, Origin="AWS_CLOUDHSM")
        key, other = created["KeyMetadata"]["Arn"], kms.account(OTHER).root

        def encrypt(principal: object = None) -> int:
            client = make_client(principal=principal)  # type: ignore[arg-type]
            return count_answered(lambda: client.encrypt(KeyId=key, Plaintext=b"x"))

        assert encrypt() == 2
        assert "cryptographic-symmetric of account" in kms.calls[-1].explanation
        assert encrypt(other) == 1
        assert f"custom-key-store of {store} in us-east-1 is 3" in kms.calls[-1].explanation
        assert "AWS does not raise this quota" in kms.calls[-1].explanation
        # Another store and other keys have quotas of their own.
        kms.clock.advance(seconds=1)
        client = make_client()
        client.generate_random(NumberOfBytes=1, CustomKeyStoreId=store)
        client.encrypt(KeyId=new_key(kms), Plaintext=b"x")
        assert encrypt(other) == 2


def test_a_management_operation_on_a_key_in_a_store_does_not_count_there() -> None:
    with mock_kms(seed=1, quotas={"custom-key-store": 1}, delays="none") as kms:
        store = connected(kms.client(region="us-east-1"), settings=CLOUDHSM)
        created = kms.client().create_key(CustomKeyStoreId=store, Origin="AWS_CLOUDHSM")
        key = created["KeyMetadata"]["Arn"]

        assert count_answered(lambda: make_client().describe_key(KeyId=key), most=5) == 5


# --- calls of services -----------------------------------------------------------------------


def test_the_calls_of_a_service_count_for_its_caller_and_are_throttled() -> None:
    quotas = {"GenerateDataKeyPair-RSA_2048": 1, "cryptographic-symmetric": 2}
    with mock_kms(seed=1, quotas=quotas) as kms:
        key, ec2 = new_key(kms), kms.client("ec2", region="us-east-1")
        for _ in range(2):
            ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True, KmsKeyId=key)

        event = kms.calls.filter("GenerateDataKeyWithoutPlaintext")[-1]
        assert event.via_service == "ec2.us-east-1.amazonaws.com"
        with refused("ThrottlingException"):
            make_client().encrypt(KeyId=key, Plaintext=b"x")
        kms.client("ec2", region="us-east-1").create_volume(
            AvailabilityZone="us-east-1a", Size=1, Encrypted=True, KmsKeyId=key
        )
        assert kms.calls[-1].error_code == "ThrottlingException"
        assert kms.calls[-1].via_service == "ec2.us-east-1.amazonaws.com"
        # Another account has its own quotas.
        other = kms.account(OTHER).client(region="us-east-1")
        other.generate_random(NumberOfBytes=1)
