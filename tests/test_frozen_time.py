"""Frozen time, in all the forms that freezegun and time-machine have."""

from __future__ import annotations

import contextlib
import time
import unittest
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

import kmsmock
from kmsmock import mock_kms

freezegun = pytest.importorskip("freezegun")
time_machine = pytest.importorskip("time_machine")

UTC = timezone.utc
START = datetime(2031, 1, 2, 3, 4, 5, tzinfo=UTC)
NAIVE = START.replace(tzinfo=None)
NEPAL = timezone(timedelta(hours=5, minutes=45))


def freeze(time_to_freeze, **options):
    return lambda: freezegun.freeze_time(time_to_freeze, **options)


def travel(destination):
    return lambda: time_machine.travel(destination, tick=False)


#: Forms that stop the time at START.
FORMS = {
    "freezegun, naive": freeze(NAIVE),
    "freezegun, aware": freeze(START.astimezone(NEPAL)),
    "freezegun, text": freeze("2031-01-02 03:04:05"),
    "freezegun, text with a zone": freeze("2031-01-02T08:49:05+05:45"),
    "freezegun, function": freeze(lambda: NAIVE),
    "freezegun, hours west": freeze(NAIVE, tz_offset=-8),
    "freezegun, hours east": freeze(NAIVE, tz_offset=12),
    "freezegun, an odd offset": freeze(NAIVE, tz_offset=timedelta(hours=5, minutes=45)),
    "time-machine, naive": travel(NAIVE),
    "time-machine, aware": travel(START.astimezone(NEPAL)),
    "time-machine, text": travel("2031-01-02T03:04:05+00:00"),
    "time-machine, seconds": travel(START.timestamp()),
    "time-machine, function": travel(lambda: NAIVE),
    "time-machine, zone west": travel(START.astimezone(ZoneInfo("America/St_Johns"))),
    "time-machine, zone east": travel(START.astimezone(ZoneInfo("Pacific/Chatham"))),
}


def created(kms):
    return kms.client().create_key()["KeyMetadata"]["CreationDate"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("wire", [False, True], ids=["before-call", "wire"])
def test_the_time_of_kms_is_the_frozen_instant_in_utc(form, wire):
    with mock_kms(wire=wire) as kms, FORMS[form]():
        assert kms.clock.now() == START
        assert kms.clock.now().utcoffset() == timedelta()
        assert created(kms) == START
        assert kms.calls[-1].at == START


@pytest.mark.parametrize("form", FORMS)
def test_a_mock_that_starts_in_frozen_time_has_that_time(form):
    with FORMS[form](), mock_kms() as kms:
        assert created(kms) == START
        assert time.time() == START.timestamp()


@pytest.mark.parametrize("form", FORMS)
def test_a_start_time_is_the_time_when_the_mock_starts(form):
    with FORMS[form](), mock_kms(start_time=datetime(2040, 1, 1, tzinfo=UTC)) as kms:
        assert created(kms) == datetime(2040, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("form", FORMS)
def test_dates_are_shown_in_the_local_time_zone_as_by_botocore(form):
    shown = []
    for wire in (False, True):
        with FORMS[form](), mock_kms(wire=wire) as kms:
            shown.append(created(kms))

    assert shown[0].utcoffset() == shown[1].utcoffset()


@pytest.mark.parametrize("zones", [("Asia/Shanghai", "America/Chicago"), ("UTC", "Asia/Kathmandu")])
def test_the_local_time_zone_can_change_while_a_mock_is_active(zones):
    with mock_kms(start_time=START, seed=1) as kms:
        for zone in zones:
            with time_machine.travel(START.astimezone(ZoneInfo(zone)), tick=False):
                assert created(kms).utcoffset() == START.astimezone(ZoneInfo(zone)).utcoffset()


# --- moving the frozen time -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "move",
    [
        lambda frozen: frozen.tick(timedelta(days=1)),
        lambda frozen: frozen.tick(24 * 3600),
        lambda frozen: frozen.move_to(NAIVE + timedelta(days=1)),
        lambda frozen: frozen.move_to("2031-01-03 03:04:05"),
    ],
)
@pytest.mark.parametrize("offset", [0, -8])
def test_the_mock_follows_moves_of_freezegun(move, offset):
    with mock_kms() as kms, freezegun.freeze_time(NAIVE, tz_offset=offset) as frozen:
        move(frozen)

        assert created(kms) == START + timedelta(days=1)


@pytest.mark.parametrize(
    "move",
    [
        lambda traveller: traveller.shift(timedelta(days=1)),
        lambda traveller: traveller.shift(24 * 3600),
        lambda traveller: traveller.move_to(START + timedelta(days=1)),
        lambda traveller: traveller.move_to(NAIVE + timedelta(days=1), tick=False),
        lambda traveller: traveller.move_to((START + timedelta(days=1)).astimezone(NEPAL)),
    ],
)
def test_the_mock_follows_moves_of_time_machine(move):
    with mock_kms() as kms, time_machine.travel(START, tick=False) as traveller:
        move(traveller)

        assert created(kms) == START + timedelta(days=1)


def test_a_mock_goes_back_with_the_time_of_the_process():
    with freezegun.freeze_time(NAIVE) as frozen, mock_kms() as kms:
        frozen.move_to(NAIVE - timedelta(days=365))

        assert created(kms) == START - timedelta(days=365)


@pytest.mark.parametrize(
    "form",
    [
        lambda: freezegun.freeze_time(NAIVE, tick=True),
        lambda: freezegun.freeze_time(NAIVE, tick=True, tz_offset=3),
        lambda: time_machine.travel(START, tick=True),
    ],
)
def test_time_that_ticks_from_another_start_ticks_for_kms_too(form):
    with form(), mock_kms() as kms:
        first, second = created(kms), created(kms)

        assert START <= first <= second < START + timedelta(minutes=5)


def times_of_calls(offset: int, step: timedelta) -> list[timedelta]:
    """Return when calls are made while time ticks with each reading, and the time after them."""
    with mock_kms(isolated=True) as kms:
        client = kms.client()
        with freezegun.freeze_time(NAIVE, tz_offset=offset, auto_tick_seconds=step.total_seconds()):
            key_id = client.create_key()["KeyMetadata"]["KeyId"]
            blob = client.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
            client.decrypt(CiphertextBlob=blob)
            client.enable_key_rotation(KeyId=key_id)
            with contextlib.suppress(client.exceptions.NotFoundException):
                client.describe_key(KeyId="alias/none")
            client.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
            return [*(call.at - START for call in kms.calls), kms.clock.now() - START]


@pytest.mark.parametrize("offset", [0, -8])
def test_a_call_moves_time_that_ticks_with_each_reading_by_one_step(offset):
    step = timedelta(hours=1)
    expected = [step * n for n in range(7)]

    # Other threads, such as those of pytest's workers, read the time whenever they like.
    assert expected in (times_of_calls(offset, step) for _ in range(20))


def test_a_request_over_http_is_also_signed_at_a_time():
    with mock_kms(wire=True) as kms:
        client = kms.client()
        with freezegun.freeze_time(NAIVE, auto_tick_seconds=60):
            for _ in range(20):
                client.list_keys()

    times = [call.at for call in kms.calls]
    # Other threads read the time, too, so some steps are longer.
    assert min(after - at for at, after in pairwise(times)) == timedelta(minutes=2)


# --- decorators, fixtures, classes ----------------------------------------------------------------


@freezegun.freeze_time(NAIVE, tz_offset=-8)
@mock_kms
def test_decorators_in_one_order():
    assert created(kmsmock.current()) == START


@mock_kms
@freezegun.freeze_time(NAIVE, tz_offset=-8)
def test_decorators_in_the_other_order():
    assert created(kmsmock.current()) == START


@mock_kms
@time_machine.travel(START, tick=False)
def test_decorators_of_time_machine():
    assert created(kmsmock.current()) == START


@time_machine.travel(START, tick=False)
def test_a_decorated_test_with_a_fixture(kms):
    assert created(kms) == START


@pytest.fixture
def stopped():
    with freezegun.freeze_time(NAIVE, tz_offset=12) as frozen:
        yield frozen


def test_a_fixture_before_the_mock(stopped, kms):
    assert created(kms) == START
    stopped.tick(timedelta(days=1))
    assert created(kms) == START + timedelta(days=1)


def test_a_fixture_after_the_mock(kms, stopped):
    assert created(kms) == START
    stopped.tick(timedelta(days=1))
    assert created(kms) == START + timedelta(days=1)


def test_the_fixture_of_time_machine(time_machine, kms):
    time_machine.move_to(START, tick=False)
    assert created(kms) == START
    time_machine.shift(timedelta(days=1))
    assert created(kms) == START + timedelta(days=1)


@freezegun.freeze_time(NAIVE)
class TestClass:
    def test_a_decorated_class(self, kms):
        assert created(kms) == START


@time_machine.travel(START, tick=False)
@mock_kms
class TestUnittestClass(unittest.TestCase):
    def test_a_decorated_class_of_unittest(self):
        assert created(kmsmock.current()) == START


# --- what is stored while the time is frozen ------------------------------------------------------


@pytest.mark.parametrize("form", ["freezegun, hours west", "freezegun, naive"])
def test_dates_of_a_frozen_mock_are_those_of_python(form):
    with mock_kms() as kms:
        client = kms.client()
        key_id = client.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
        with FORMS[form]():
            kms.import_material(
                key_id,
                bytes(range(32)),
                ExpirationModel="KEY_MATERIAL_EXPIRES",
                ValidTo=START + timedelta(days=30),
            )
            other = client.create_key()["KeyMetadata"]["KeyId"]
            client.enable_key_rotation(KeyId=other)
        imported, rotated = kms.keys

        dates = [kms.calls[-1].at, imported.materials[0].valid_to, rotated.rotation.next_date]
        assert {type(each) for each in dates} == {datetime}


def test_a_checkpoint_can_be_made_and_restored_in_and_out_of_frozen_time():
    with mock_kms() as kms:
        client = kms.client()
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        client.enable_key_rotation(KeyId=key_id)
        free = kms.checkpoint()
        due = kms.keys[0].rotation.next_date
        with freezegun.freeze_time("2020-01-01"):
            kms.restore(free)
            frozen = kms.checkpoint()
            assert kms.keys[0].rotation.next_date == due
            kms.restore(frozen)
        kms.restore(frozen)

        assert kms.keys[0].rotation.next_date == due
        assert type(kms.keys[0].rotation.next_date) is datetime


def test_a_world_is_exported_and_loaded_in_frozen_time(tmp_path):
    with freezegun.freeze_time(NAIVE, tz_offset=-8):
        with mock_kms() as kms:
            kms.client().create_key()
            kms.export(tmp_path / "world.json")
        with mock_kms(world=tmp_path / "world.json") as kms:
            assert kms.keys[0].creation_date == START
            assert kms.clock.now() == START


@pytest.mark.parametrize("form", ["freezegun, hours west", "time-machine, zone west"])
def test_credentials_expire_in_frozen_time(form):
    with mock_kms() as kms, FORMS[form]():
        role = kms.account("123456789012").role("App")
        sts = kms.client("sts")
        answer = sts.assume_role(RoleArn=role.arn, RoleSessionName="test", DurationSeconds=900)
        kms.clock.advance(minutes=14)

        assert answer["Credentials"]["Expiration"] == START + timedelta(minutes=15)


@pytest.mark.parametrize(
    "value",
    [
        START + timedelta(days=3),
        (START + timedelta(days=3)).astimezone(NEPAL),
        (START + timedelta(days=3)).timestamp(),
        "2031-01-05T03:04:05Z",
        (START + timedelta(days=3)).replace(tzinfo=None),
    ],
    ids=str,
)
@pytest.mark.parametrize("wire", [False, True], ids=["before-call", "wire"])
def test_a_date_among_parameters_is_what_botocore_takes_it_for(value, wire):
    with time_machine.travel(START, tick=False), mock_kms(wire=wire) as kms:
        client = kms.client()
        key_id = client.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
        kms.import_material(
            key_id, bytes(range(32)), ExpirationModel="KEY_MATERIAL_EXPIRES", ValidTo=value
        )

        shown = client.describe_key(KeyId=key_id)["KeyMetadata"]["ValidTo"]
        assert shown == START + timedelta(days=3)


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "America/St_Johns", "Pacific/Chatham"])
@pytest.mark.parametrize("wire", [False, True], ids=["before-call", "wire"])
def test_a_naive_date_among_parameters_is_one_in_utc_as_for_botocore(zone, wire):
    with (
        time_machine.travel(START.astimezone(ZoneInfo(zone)), tick=False),
        mock_kms(wire=wire) as kms,
    ):
        client = kms.client()
        key_id = client.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
        naive = NAIVE + timedelta(days=3)
        kms.import_material(
            key_id, bytes(range(32)), ExpirationModel="KEY_MATERIAL_EXPIRES", ValidTo=naive
        )

        shown = client.describe_key(KeyId=key_id)["KeyMetadata"]["ValidTo"]
        assert shown == START + timedelta(days=3)
