"""`kms.quotas.headroom`: how near the recorded calls have come to the request quotas."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from kmsmock import KMSMock, mock_kms
from tests.operations.test_custom_key_stores import CLOUDHSM, connected
from tests.quotas.calls import OTHER, OWN, count_answered, make_client, new_key


@pytest.fixture
def kms() -> Iterator[KMSMock]:
    """A mock whose quotas are off, and whose clock stands still."""
    with mock_kms(seed=1) as kms:
        yield kms


def find(kms: KMSMock, quota: str, factor: float = 1) -> Any:
    [use] = [use for use in kms.quotas.headroom(factor).quotas if use.quota == quota]
    return use


def encrypt(kms: KMSMock, key: str, times: int, region: str = "us-east-1") -> None:
    client = kms.client(region=region)
    for _ in range(times):
        client.encrypt(KeyId=key, Plaintext=b"x")


def test_it_is_known_without_the_option_and_counts_nothing_while_calls_are_made(
    kms: KMSMock,
) -> None:
    key = new_key(kms)
    encrypt(kms, key, 4)
    kms.clock.advance(seconds=1)
    encrypt(kms, key, 2)
    kms.client(region="us-east-1").generate_random(NumberOfBytes=1)

    use = find(kms, "cryptographic-symmetric")

    assert not kms.backend.quotas.is_on
    assert (use.account, use.region, use.key_store) == (OWN, "us-east-1", "")
    assert (use.peak, use.per_second, use.share) == (4, 100_000, 4 / 100_000)
    assert use.throttles_at == 25_000
    assert use.operations == {"Encrypt": 4}
    assert use.at == kms.clock.now() - timedelta(seconds=1)
    assert (use.throttled, use.is_throttled) == (0, False)
    assert use.test_id.endswith(
        "test_it_is_known_without_the_option_and_counts_nothing_while_calls_are_made"
    )


def test_a_factor_shows_what_more_traffic_would_exceed(kms: KMSMock) -> None:
    client = kms.client(region="eu-west-1")
    key = client.create_key()["KeyMetadata"]["Arn"]
    encrypt(kms, key, 3, "eu-west-1")
    client.generate_data_key(KeyId=key, KeySpec="AES_256")

    assert kms.quotas.headroom()
    assert kms.quotas.headroom(5)
    assert not kms.quotas.headroom(5.1)
    headroom = kms.quotas.headroom(30_000)
    assert [use.quota for use in headroom.throttled] == ["CreateKey", "cryptographic-symmetric"]
    assert str(headroom).splitlines()[-1] == (
        "30,000 times this traffic would throttle Encrypt, GenerateDataKey "
        "(cryptographic-symmetric) in eu-west-1: the peak is 4 per second (3 Encrypt, 1 "
        "GenerateDataKey), times 30,000 is 120,000; the quota of account 123456789012 is 100,000 "
        "per second"
    )


def test_it_prints_as_a_table(kms: KMSMock) -> None:
    key = new_key(kms)
    encrypt(kms, key, 4)

    assert str(kms.quotas.headroom(2)).splitlines() == [
        "quota                    account or store  Region     peak/s  quota/s  share  limit at",
        "CreateKey                123456789012      us-east-1       1        5  20.0%     x 5.0",
        "cryptographic-symmetric  123456789012      us-east-1       4  100,000   0.0%  x 25,000",
        "2 times this traffic would not be throttled",
    ]
    assert repr(kms.quotas.headroom(2)) == "<2 times this traffic would not be throttled>"
    assert repr(kms.quotas.headroom(2).quotas[0]) == (
        "<CreateKey of 123456789012 in us-east-1: 1 of 5 per second>"
    )


def test_without_calls_it_says_so(kms: KMSMock) -> None:
    headroom = kms.quotas.headroom(10)

    assert headroom
    assert headroom.quotas == ()
    assert str(headroom) == "no calls count against request quotas"


def test_an_assertion_tells_what_would_be_throttled(kms: KMSMock) -> None:
    new_key(kms)
    kms.quotas.assert_headroom(factor=5)

    with pytest.raises(AssertionError) as caught:
        kms.quotas.assert_headroom(factor=10)

    assert str(caught.value) == (
        "10 times this traffic would throttle CreateKey in us-east-1: the peak is 1 per second (1 "
        "CreateKey), times 10 is 10; the quota of account 123456789012 is 5 per second"
    )


def test_accounts_regions_and_key_stores_have_rows_of_their_own() -> None:
    with mock_kms(seed=1, authorization="off", delays="none") as kms:
        store = connected(kms.client(region="us-east-1"), settings=CLOUDHSM)
        created = kms.client(region="us-east-1").create_key(
            CustomKeyStoreId=store, Origin="AWS_CLOUDHSM"
        )
        key = created["KeyMetadata"]["Arn"]
        for principal in (None, kms.account(OTHER).root):
            make_client(principal=principal).encrypt(KeyId=key, Plaintext=b"x")
        make_client(region="eu-west-1").generate_random(NumberOfBytes=1)

        rows = {
            (use.quota, use.account, use.key_store, use.region): use.peak
            for use in kms.quotas.headroom().quotas
            if not use.quota.endswith(("Store", "Stores", "Key"))
        }
        assert rows == {
            ("custom-key-store", "", store, "us-east-1"): 2,
            ("cryptographic-symmetric", OWN, "", "us-east-1"): 1,
            ("cryptographic-symmetric", OTHER, "", "us-east-1"): 1,
            ("cryptographic-symmetric", OWN, "", "eu-west-1"): 1,
        }


def test_a_replication_counts_in_both_regions(kms: KMSMock) -> None:
    client = kms.client(region="us-east-1")
    key = client.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    client.replicate_key(KeyId=key, ReplicaRegion="eu-west-1")

    rows = {(use.quota, use.region): use.peak for use in kms.quotas.headroom().quotas}

    assert rows == {
        ("CreateKey", "us-east-1"): 1,
        ("CreateKey", "eu-west-1"): 2,
        ("ReplicateKey", "us-east-1"): 1,
    }
    assert (
        "would throttle ReplicateKey (CreateKey) in eu-west-1: the peak is 2 per second (1 "
        "ReplicateKey (which counts as 2)), times 3 is 6"
    ) in str(kms.quotas.headroom(3))
    [there] = [use for use in kms.quotas.headroom().quotas if use.region == "eu-west-1"]
    assert there.operations == {"ReplicateKey": 1}


def test_calls_of_services_are_among_them(kms: KMSMock) -> None:
    key = new_key(kms)
    kms.client("ec2", region="us-east-1").create_volume(
        AvailabilityZone="us-east-1a", Size=1, Encrypted=True, KmsKeyId=key
    )

    use = find(kms, "cryptographic-symmetric")

    assert use.operations == {"GenerateDataKeyWithoutPlaintext": 1, "Decrypt": 1}
    assert use.account == OWN


def test_values_are_those_of_the_option_and_of_armed_quotas() -> None:
    with mock_kms(seed=1, quotas={"ListKeys": 7}) as kms:
        make_client().list_keys()
        assert find(kms, "ListKeys").per_second == 7

        kms.faults.quota("ListKeys", per_second=2)
        assert find(kms, "ListKeys").per_second == 2
        assert count_answered(make_client().list_keys) == 2


def test_throttled_requests_count_and_are_told() -> None:
    with mock_kms(seed=1, quotas={"ListKeys": 2}) as kms:
        for _ in range(2):
            count_answered(make_client().list_keys)

        use = find(kms, "ListKeys")

        assert (use.peak, use.throttled, use.share) == (4, 2, 2)
        assert not kms.quotas.headroom()


def test_a_quota_with_a_fraction_is_compared_by_its_interval() -> None:
    with mock_kms(seed=1, quotas={"ListKeys": 0.5}) as kms:
        for _ in range(3):
            make_client().list_keys()
            kms.clock.advance(seconds=2)

        assert (find(kms, "ListKeys").peak, find(kms, "ListKeys").share) == (0.5, 1)
        assert kms.quotas.headroom()


def test_calls_that_are_no_longer_recorded_are_told() -> None:
    with mock_kms(seed=1, calls_kept=2) as kms:
        for _ in range(5):
            make_client().list_keys()

        assert find(kms, "ListKeys").peak == 2
        assert "3 older calls of these are no longer kept one by one" in str(kms.quotas.headroom())


def test_it_is_false_and_the_assertion_says_so_if_calls_are_no_longer_recorded() -> None:
    with mock_kms(seed=1, calls_kept=3) as kms:
        for _ in range(10):
            make_client().create_key()

        assert not kms.quotas.headroom()
        with pytest.raises(AssertionError) as caught:
            kms.quotas.assert_headroom()
        assert str(caught.value).splitlines() == [
            "Whether this traffic would be throttled is not known:",
            "7 older calls of these are no longer kept one by one; mock_kms(calls_kept=...) keeps "
            "more",
        ]
        # What exceeds a quota without them does so.
        with pytest.raises(AssertionError, match="2 times this traffic would throttle CreateKey"):
            kms.quotas.assert_headroom(factor=2)


@pytest.mark.parametrize(
    ("factor", "error"),
    [(0, ValueError), (-1, ValueError), (float("nan"), ValueError), ("10", TypeError)],
    ids=str,
)
def test_a_factor_must_be_a_positive_number(kms: KMSMock, factor: Any, error: Any) -> None:
    with pytest.raises(error, match="factor must be a"):
        kms.quotas.headroom(factor)
