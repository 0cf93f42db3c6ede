"""Retries end throttling: those of botocore in each mode, and those of a test itself."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from kmsmock import mock_kms
from tests.quotas.calls import codes, count_answered, make_client, new_key
from tests.refusals import refused

MODES = ("legacy", "standard", "adaptive")
SEEDS = pytest.mark.parametrize("seed", [None, 7], ids=["unseeded", "seeded"])
THROTTLED = "ThrottlingException"


@SEEDS
@pytest.mark.parametrize("wire", [False, True], ids=["before-call", "wire"])
@pytest.mark.parametrize("mode", MODES)
def test_retries_of_botocore_end_throttling(mode: str, wire: bool, seed: int | None) -> None:
    with mock_kms(quotas={"ListKeys": 2}, seed=seed, wire=wire) as kms:
        client, start = make_client(attempts=2, mode=mode), kms.clock.now()

        attempts = [client.list_keys()["ResponseMetadata"]["RetryAttempts"] for _ in range(3)]

        assert attempts == [0, 0, 1]
        assert codes(kms, "ListKeys") == [None, None, THROTTLED, None]
        assert (kms.clock.now() - start).total_seconds() >= 1


@SEEDS
def test_a_client_without_configured_retries_retries_too(seed: int | None) -> None:
    with mock_kms(quotas={"ListKeys": 1}, seed=seed) as kms:
        kms.client().list_keys()

        assert kms.client().list_keys()["ResponseMetadata"]["RetryAttempts"] == 1


def test_with_a_seed_each_retry_is_a_second_later() -> None:
    with mock_kms(quotas={"ListKeys": 0.5}, seed=7) as kms:
        client, start = make_client(attempts=3, mode="adaptive"), kms.clock.now()

        assert [client.list_keys()["ResponseMetadata"]["RetryAttempts"] for _ in range(3)] == [
            *(0, 2, 2)
        ]
        assert (kms.clock.now() - start).total_seconds() == 4


@pytest.mark.parametrize("mode", MODES)
def test_retries_end_with_the_error_if_the_interval_is_longer(mode: str) -> None:
    with mock_kms(quotas={"ListKeys": 0.1}, seed=7):
        client = make_client(attempts=3, mode=mode)
        client.list_keys()

        with refused(THROTTLED) as caught:
            client.list_keys()
        assert caught.value.response["ResponseMetadata"]["RetryAttempts"] == 2


def test_a_retry_makes_the_request_with_the_same_parameters() -> None:
    with mock_kms(quotas={"cryptographic-symmetric": 1}, seed=7) as kms:
        key = new_key(kms)
        make_client().generate_random(NumberOfBytes=8)

        answer = make_client(attempts=2).encrypt(
            KeyId=key, Plaintext=b"text", EncryptionContext={"tenant": "a"}
        )

        assert answer["ResponseMetadata"]["RetryAttempts"] == 1
        events = kms.calls.filter("Encrypt")
        assert [event.error_code for event in events] == [THROTTLED, None]
        assert {event.encryption_context["tenant"] for event in events} == {"a"}
        assert [event.key_arn for event in events] == [key, key]


@SEEDS
def test_a_test_that_moves_the_clock_ends_throttling(seed: int | None) -> None:
    with mock_kms(quotas={"ListKeys": 1}, seed=seed) as kms:
        client = make_client()
        for _ in range(3):
            assert count_answered(client.list_keys) == 1
            kms.clock.advance(seconds=1)


@SEEDS
def test_a_loop_that_waits_until_it_succeeds_ends(seed: int | None) -> None:
    with mock_kms(quotas={"ListKeys": 1}, seed=seed) as kms:
        client = make_client()
        client.list_keys()

        tried = 0
        while count_answered(client.list_keys, most=1) == 0:
            tried += 1
            if seed is None:
                kms.clock.advance(seconds=0.3)

        # With a seed, the clock stands still whatever the loop does.
        assert tried in ((3, 4) if seed is None else (10,))


@pytest.mark.parametrize("seconds", [0, 5])
def test_real_time_does_not_count_with_a_seed(
    seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kmsmock.process.real_time import RealTime

    passed = itertools.count(step=seconds)  # made up, so that the test takes none
    monkeypatch.setattr(RealTime, "seconds", lambda: next(passed))
    with mock_kms(quotas={"ListKeys": 1}, seed=7):
        client = make_client()

        answered = [count_answered(client.list_keys, most=1) for _ in range(13)]

        assert answered == [1, *[0] * 10, 1, 0]


def test_with_waiting_clock_only_the_clock_ends_throttling() -> None:
    with mock_kms(quotas={"ListKeys": 1}, seed=7, waiting="clock") as kms:
        client = make_client()
        client.list_keys()

        assert [count_answered(client.list_keys, most=1) for _ in range(50)] == [0] * 50
        assert kms.calls[-1].explanation is not None
        assert "more throttled" not in kms.calls[-1].explanation


def test_requests_that_are_throttled_at_different_times_do_not_end_it() -> None:
    with mock_kms(quotas={"ListKeys": 1}, seed=7) as kms:
        client = make_client()
        client.list_keys()

        for _ in range(30):
            kms.clock.advance(seconds=0.01)
            assert count_answered(client.list_keys, most=1) == 0


def test_the_explanation_tells_what_ends_throttling() -> None:
    with mock_kms(quotas={"ListKeys": 1}, seed=7) as kms:
        client = make_client()
        client.list_keys()
        notes = []
        while count_answered(client.list_keys, most=1) == 0:
            notes.append(kms.calls[-1].explanation)

        assert "; or after 9 more throttled requests. Retry" in notes[0]
        assert "; or after 1 more throttled request. Retry" in notes[8]
        assert "; it ends with this request, number 10 that it throttles. Retry" in notes[9]


def test_calls_of_threads_count_together() -> None:
    with mock_kms(quotas={"ListKeys": 10}, seed=7) as kms:
        clients = [make_client() for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            answered = pool.map(lambda client: count_answered(client.list_keys), clients)

        assert sum(answered) == 10
        assert Counter(codes(kms, "ListKeys")) == {None: 10, THROTTLED: 4}


def test_throttled_threads_all_succeed_with_retries() -> None:
    with mock_kms(quotas={"ListKeys": 5}) as kms:
        client = make_client(attempts=10)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: client.list_keys(), range(20)))

        assert Counter(codes(kms, "ListKeys"))[None] == 20
        assert Counter(codes(kms, "ListKeys"))[THROTTLED] > 0


@SEEDS
@pytest.mark.parametrize("mode", MODES)
def test_aiobotocore_retries_too(mode: str, seed: int | None) -> None:
    session_module = pytest.importorskip("aiobotocore.session", reason="aiobotocore is missing")
    config = pytest.importorskip("aiobotocore.config").AioConfig(
        retries={"total_max_attempts": 2, "mode": mode}
    )

    async def run() -> list[int]:
        made = session_module.get_session().create_client(
            *("kms", "us-east-1"),
            aws_access_key_id="a",
            aws_secret_access_key="b",
            config=config,
        )
        async with made as client:
            answers = [await client.list_keys() for _ in range(4)]
        return [answer["ResponseMetadata"]["RetryAttempts"] for answer in answers]

    with mock_kms(quotas={"ListKeys": 2}, seed=seed):
        assert asyncio.run(run()) == [0, 0, 1, 0]
