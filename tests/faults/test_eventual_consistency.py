"""`kms.faults.eventual_consistency`: from then on, changes are seen late."""

from __future__ import annotations

import boto3
import pytest

from kmsmock import mock_kms
from tests.consistency.conftest import attempt


def use_new_key(kms):
    client = kms.client()
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    return [attempt(lambda: client.encrypt(KeyId=key_id, Plaintext=b"x")) for _ in range(6)]


def test_changes_from_then_on_are_seen_late_and_those_before_are_not():
    late = 0
    for seed in range(8):
        with mock_kms(seed=seed) as kms:
            client = kms.client()
            before = client.create_key()["KeyMetadata"]["KeyId"]
            kms.faults.eventual_consistency(optional=True)
            late += use_new_key(kms).count("NotFoundException")

            assert attempt(lambda c=client, k=before: c.describe_key(KeyId=k)) == "ok"
    assert late


def test_all_nodes_see_a_change_within_the_time_of_the_fault():
    for seed in range(8):
        with mock_kms(seed=seed, waiting="clock") as kms:
            kms.faults.eventual_consistency(seconds=2, optional=True)
            use_new_key(kms)
            kms.clock.advance(seconds=2)
            key_id = kms.keys[0].key_id
            client = kms.client()

            assert {attempt(lambda c=client, k=key_id: c.describe_key(KeyId=k))} == {"ok"}


def test_a_fault_with_a_late_answer_has_fired():
    for seed in range(8):
        with mock_kms(seed=seed) as kms:
            fault = kms.faults.eventual_consistency()
            late = use_new_key(kms).count("NotFoundException")

            assert fault.fired == late
            if late:
                kms.faults.assert_all_fired()


def test_a_fault_without_any_change_is_told():
    with mock_kms() as kms:
        kms.faults.eventual_consistency()
        kms.client().list_keys()

        with pytest.raises(AssertionError) as caught:
            kms.faults.assert_all_fired()

    assert str(caught.value) == (
        "faults that did not fire:\n"
        "  eventual consistency on *, fired 0 times\n"
        "    no call has changed a key, alias or grant since it was armed"
    )


def test_a_fault_without_a_late_answer_is_told():
    with mock_kms() as kms:
        kms.faults.eventual_consistency()
        kms.client().create_key()

        with pytest.raises(AssertionError, match="1 change was made, but no later call"):
            kms.faults.assert_all_fired()


def test_cleared_faults_delay_nothing_more():
    for seed in range(8):
        with mock_kms(seed=seed, waiting="clock") as kms:
            kms.faults.eventual_consistency(optional=True)
            kms.client().create_key()
            kms.faults.clear()

            assert use_new_key(kms) == ["ok"] * 6
            assert len(kms.client().list_keys()["Keys"]) == 2


def test_calls_that_no_other_fault_can_hit_are_not_made_by_http():
    sent = []
    with mock_kms() as kms:
        client = boto3.client("kms", "us-east-1")
        client.meta.events.register("before-send.kms", lambda **_: sent.append(1))
        kms.faults.eventual_consistency(optional=True)
        client.create_key()
        assert sent == []

        kms.faults.throttle("ListKeys", optional=True)
        client.list_keys()

    assert sent


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), "30"])
def test_the_time_must_be_one(seconds):
    with mock_kms() as kms, pytest.raises((ValueError, TypeError), match="seconds"):
        kms.faults.eventual_consistency(seconds)


def test_a_test_fails_if_the_fault_of_its_fixture_did_not_fire(pytester):
    pytester.makepyfile(
        """
        def test_app(kms):
            kms.faults.eventual_consistency()
            kms.client().list_keys()
        """
    )

    result = pytester.runpytest_inprocess()

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*eventual consistency on *, fired 0 times"])


def test_the_repr_of_a_fault_says_what_it_does():
    with mock_kms() as kms:
        fault = kms.faults.eventual_consistency(optional=True)

        assert repr(fault) == "<eventual consistency on *, fired 0 times>"
