"""`kms.faults.quota`: a test sets a quota, which must throttle a call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kmsmock import KMSMock, mock_kms
from tests.quotas.calls import OTHER, OWN, codes, count_answered, make_client, new_key
from tests.refusals import refused


@pytest.fixture
def kms() -> Iterator[KMSMock]:
    with mock_kms(seed=1) as kms:
        yield kms


def test_it_works_without_the_option(kms: KMSMock) -> None:
    key, client = new_key(kms), make_client()
    fault = kms.faults.quota("cryptographic-symmetric", per_second=10)

    assert count_answered(lambda: client.encrypt(KeyId=key, Plaintext=b"x")) == 10
    kms.clock.advance(seconds=1)
    assert count_answered(lambda: client.encrypt(KeyId=key, Plaintext=b"x")) == 10
    assert (fault.fired, fault.seen) == (2, 20)
    kms.faults.assert_all_fired()
    # All others are off.
    assert count_answered(client.create_key) == 20


def test_it_replaces_the_value_of_the_option() -> None:
    with mock_kms(seed=1, quotas={"ListKeys": 2}) as kms:
        kms.faults.quota("ListKeys", per_second=4)
        assert count_answered(make_client().list_keys) == 4

        kms.faults.clear()
        assert count_answered(make_client().list_keys) == 2


def test_of_two_for_the_same_quota_the_lower_one_throttles(kms: KMSMock) -> None:
    kms.faults.quota("ListKeys", per_second=2)
    kms.faults.quota("ListKeys", per_second=3, optional=True)

    assert count_answered(make_client().list_keys) == 2


def test_what_another_quota_throttles_does_not_count_and_is_told(kms: KMSMock) -> None:
    first = kms.faults.quota("CreateKey", per_second=8)
    client = make_client()
    assert [count_answered(client.create_key, most=1) for _ in range(10)] == [*[1] * 8, 0, 0]
    second = kms.faults.quota("CreateKey", per_second=2)
    assert [count_answered(client.create_key, most=1) for _ in range(4)] == [0] * 4

    assert (first.fired, second.fired) == (6, 0)
    with pytest.raises(AssertionError) as caught:
        kms.faults.assert_all_fired()
    assert str(caught.value).splitlines()[1:] == [
        "  a quota of 2 per second for CreateKey, fired 0 times",
        "    4 requests were throttled by another quota, and do not count here: 8 per second for "
        "CreateKey, set by the test with kms.faults.quota",
    ]


def test_of_two_that_are_full_the_lower_one_throttles(kms: KMSMock) -> None:
    higher, client = kms.faults.quota("ListKeys", per_second=4), make_client()
    client.list_keys()
    client.list_keys()
    lower = kms.faults.quota("ListKeys", per_second=2)

    assert count_answered(client.list_keys) == 2
    assert (higher.fired, lower.fired) == (0, 1)


def test_its_repr_says_what_it_is(kms: KMSMock) -> None:
    quota = kms.faults.quota("CreateKey", per_second=2, optional=True)
    throttled = kms.faults.throttle("Encrypt", optional=True)

    assert repr(quota) == "<a quota of 2 per second for CreateKey, fired 0 times>"
    assert repr(throttled) == "<ThrottlingException on Encrypt, fired 0 of 1 times>"


def test_it_counts_from_when_it_is_armed(kms: KMSMock) -> None:
    make_client().list_keys()
    kms.faults.quota("ListKeys", per_second=1)

    assert count_answered(make_client().list_keys) == 1


def test_it_applies_to_an_account_and_a_region(kms: KMSMock) -> None:
    kms.faults.quota("ListKeys", per_second=1, account=kms.account(OTHER), region="eu-west-1")
    other = kms.account(OTHER).root

    assert count_answered(make_client(region="eu-west-1").list_keys, most=3) == 3
    assert count_answered(make_client(principal=other).list_keys, most=3) == 3
    assert count_answered(make_client(principal=other, region="eu-west-1").list_keys) == 1


def test_botocore_retries_what_it_throttles(kms: KMSMock) -> None:
    kms.faults.quota("ListKeys", per_second=1)
    client = make_client(attempts=2)

    assert [client.list_keys()["ResponseMetadata"]["RetryAttempts"] for _ in range(3)] == [0, 1, 1]
    assert codes(kms, "ListKeys").count("ThrottlingException") == 2


def test_its_error_counts_as_one_of_the_test_and_says_who_has_set_it(kms: KMSMock) -> None:
    kms.faults.quota("ListKeys", per_second=0.5)
    client = make_client()
    client.list_keys()
    with refused("ThrottlingException") as caught:
        client.list_keys()

    assert caught.value.__notes__[0].startswith(
        "The request quota ListKeys of account 123456789012 in us-east-1 is 0.5 per second (1 in "
        "each 2-second interval) (set by the test with kms.faults.quota); this request is number 2 "
        "in 2 seconds after 1 ListKeys."
    )
    assert kms.calls[-1].failure is not None
    assert kms.calls[-1].failure.is_injected


def test_it_throttles_services() -> None:
    with mock_kms(seed=1) as kms:
        key = new_key(kms)
        kms.faults.quota("cryptographic-symmetric", per_second=1)
        for _ in range(2):
            kms.client("ec2", region="us-east-1").create_volume(
                AvailabilityZone="us-east-1a", Size=1, Encrypted=True, KmsKeyId=key
            )

        assert kms.calls[-1].error_code == "ThrottlingException"
        kms.faults.assert_all_fired()


# --- mistakes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "terms", "error", "message"),
    [
        ("CreateKye", {"per_second": 1}, ValueError, "did you mean 'CreateKey'?"),
        ("Decrypt", {"per_second": 1}, ValueError, "but shares cryptographic-symmetric"),
        ("ListKeys", {"per_second": 0}, ValueError, "per_second must be a positive number"),
        ("ListKeys", {"per_second": "1"}, TypeError, "per_second must be a number, not str: '1'"),
        ("ListKeys", {"persecond": 1}, TypeError, "did you mean 'per_second'?"),
        ("ListKeys", {"per_second": 1, "account": "12"}, (TypeError, ValueError), "account"),
        ("custom-key-store", {"per_second": 1, "account": OWN}, ValueError, "all accounts"),
    ],
    ids=["name", "shared", "zero", "text", "argument", "account", "key store"],
)
def test_a_mistake_is_told(
    kms: KMSMock, name: str, terms: dict[str, Any], error: Any, message: str
) -> None:
    with pytest.raises(error, match=message.replace("?", r"\?")):
        kms.faults.quota(name, **terms)


def test_no_quota_is_armed_in_a_mock_that_has_ended() -> None:
    with mock_kms() as kms:
        pass

    with pytest.raises(RuntimeError, match="the mock of these faults has ended"):
        kms.faults.quota("ListKeys", per_second=1)


# --- those that did not throttle -------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "calls", "reasons"),
    [
        ({}, [], ["no call has been made since it was armed"]),
        (
            {},
            ["list_aliases"],
            ["calls since it was armed: 1 ListAliases, which do not count here"],
        ),
        (
            {},
            ["list_keys", "list_keys"],
            [
                "at most 2 requests were made in a second, from 2026-01-01 00:00:00 UTC on: "
                "2 ListKeys"
            ],
        ),
        (
            {},
            ["list_keys"],
            ["at most 1 request was made in a second, from 2026-01-01 00:00:00 UTC on: 1 ListKeys"],
        ),
        (
            {"region": "eu-wst-1"},
            [],
            [
                "AWS has no Region 'eu-wst-1'; did you mean 'eu-west-1'?",
                "no call has been made since it was armed",
            ],
        ),
    ],
    ids=["no call", "other calls", "too few", "one", "no such Region"],
)
def test_one_that_did_not_throttle_is_told(
    kms: KMSMock, terms: dict[str, Any], calls: list[str], reasons: list[str]
) -> None:
    kms.faults.quota("ListKeys", per_second=3, **terms)
    for call in calls:
        getattr(make_client(), call)()

    with pytest.raises(AssertionError) as caught:
        kms.faults.assert_all_fired()

    whose = " with region='eu-wst-1'" if terms else ""
    assert str(caught.value).splitlines() == [
        "faults that did not fire:",
        f"  a quota of 3 per second for ListKeys{whose}, fired 0 times",
        *(f"    {reason}" for reason in reasons),
    ]


def test_one_that_did_not_throttle_fails_the_test_unless_it_is_optional(
    run_alone: Callable[..., pytest.RunResult],
) -> None:
    result = run_alone(
        """
        def test_unfired(kms):
            kms.faults.quota("ListKeys", per_second=3)

        def test_optional(kms):
            kms.faults.quota("ListKeys", per_second=3, optional=True)

        def test_is_off_again(kms):
            assert not kms.backend.quotas.is_on
        """
    )

    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(["*a quota of 3 per second for ListKeys, fired 0 times"])


def test_it_ends_with_the_test_that_arms_it(run_alone: Callable[..., pytest.RunResult]) -> None:
    result = run_alone(
        """
        def test_arms(module_kms):
            module_kms.faults.quota("ListKeys", per_second=1)
            for _ in range(2):
                module_kms.client().list_keys()
            assert module_kms.calls[-1].error_code is None

        def test_is_not_throttled(module_kms):
            for _ in range(3):
                module_kms.client().list_keys()
            assert not any(call.error_code for call in module_kms.calls[-3:])
        """
    )

    result.assert_outcomes(passed=2)
