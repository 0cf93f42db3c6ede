"""The clock of a mock beside the libraries that change the time of the whole process."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from kmsmock import mock_kms

START = datetime(2031, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


@contextlib.contextmanager
def frozen_by_freezegun() -> Iterator[Any]:
    freezegun = pytest.importorskip("freezegun")
    with freezegun.freeze_time(START) as time:
        yield time


@contextlib.contextmanager
def frozen_by_time_machine() -> Iterator[Any]:
    time_machine = pytest.importorskip("time_machine")
    with time_machine.travel(START, tick=False) as time:
        yield time


LIBRARIES = [
    pytest.param(frozen_by_freezegun, id="freezegun"),
    pytest.param(frozen_by_time_machine, id="time-machine"),
]


def created(kms: Any) -> datetime:
    date: datetime = kms.client().create_key()["KeyMetadata"]["CreationDate"]
    return date


@pytest.mark.parametrize("frozen", LIBRARIES)
def test_a_mock_inside_stopped_time_has_that_time(frozen):
    with frozen() as time, mock_kms() as kms:
        assert created(kms) == kms.clock.now() == START
        time.move_to(START + timedelta(days=1))
        assert created(kms) == START + timedelta(days=1)


@pytest.mark.parametrize("frozen", LIBRARIES)
def test_time_that_stops_inside_a_mock_is_the_mocks_too(frozen):
    with mock_kms() as kms:
        before = created(kms)
        with frozen() as time:
            assert created(kms) == START
            time.move_to(START + timedelta(days=1))
            assert created(kms) == START + timedelta(days=1)
        assert before <= created(kms) < START


@pytest.mark.parametrize("frozen", LIBRARIES)
def test_what_falls_due_happens_when_a_library_moves_the_time(frozen):
    with frozen() as time, mock_kms() as kms:
        client = kms.client()
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        client.enable_key_rotation(KeyId=key_id)
        time.move_to(START + timedelta(days=800))

        rotations = client.list_key_rotations(KeyId=key_id)["Rotations"]

    dates = [rotation["RotationDate"] for rotation in rotations]
    assert dates == [START + timedelta(days=365), START + timedelta(days=730)]


@pytest.mark.parametrize("frozen", LIBRARIES)
def test_the_mocks_own_moves_come_on_top(frozen):
    with frozen() as time, mock_kms() as kms:
        kms.clock.advance(days=10)
        time.move_to(START + timedelta(days=1))

        assert created(kms) == START + timedelta(days=11)
        assert datetime.now(timezone.utc) == START + timedelta(days=1)


@pytest.mark.parametrize("frozen", LIBRARIES)
def test_a_mock_with_a_start_time_starts_there_and_follows(frozen):
    start = datetime(2040, 1, 1, tzinfo=timezone.utc)
    with frozen() as time, mock_kms(start_time=start) as kms:
        assert created(kms) == start
        time.move_to(START + timedelta(days=1))
        assert created(kms) == start + timedelta(days=1)


def test_a_step_beyond_the_last_year_is_refused_and_changes_nothing():
    with mock_kms(seed=1) as kms:
        before = kms.clock.now()
        with pytest.raises(ValueError, match="ends with the year 9999"):
            kms.clock.advance(days=4_000_000)

        assert kms.clock.now() == before


def test_a_checkpoint_is_the_one_way_back_in_time():
    with mock_kms(seed=1) as kms:
        before, checkpoint = kms.clock.now(), kms.checkpoint()
        kms.clock.advance(days=365)
        with pytest.raises(ValueError, match="only moves forward"):
            kms.clock.move_to(before)

        kms.restore(checkpoint)

        assert kms.clock.now() == before


def test_calls_of_other_threads_wait_while_the_clock_is_moved():
    with mock_kms() as kms:
        client = kms.client()
        answered = threading.Event()
        thread = threading.Thread(target=lambda: (client.list_keys(), answered.set()))
        seen = []

        def fall_due(_: datetime) -> None:
            thread.start()
            seen.append(answered.wait(0.1))

        kms.clock.schedule(kms.clock.now() + timedelta(seconds=1), fall_due)
        kms.clock.advance(seconds=1)
        thread.join()

    assert seen == [False]
    assert answered.is_set()


@pytest.mark.parametrize("frozen", LIBRARIES)
def test_what_a_mock_shows_is_what_there_is_by_now(frozen):
    with frozen() as time, mock_kms() as kms:
        client = kms.client()
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        client.create_alias(AliasName="alias/app", TargetKeyId=key_id)
        store_id = client.create_custom_key_store(
            CustomKeyStoreName="store",
            CloudHsmClusterId="cluster-2a23b4cdefg",
            TrustAnchorCertificate="certificate",
            KeyStorePassword="password",
        )["CustomKeyStoreId"]
        client.connect_custom_key_store(CustomKeyStoreId=store_id)
        client.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)

        time.move_to(START + timedelta(days=7))

        assert (kms.keys, kms.aliases) == ((), ())
        assert kms.key_store(store_id).is_connected
