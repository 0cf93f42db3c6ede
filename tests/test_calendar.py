"""The ends of the calendar: dates near the years 1 and 9999 never end in an OverflowError."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from kmsmock import WorldError, mock_kms

UTC = timezone.utc
WEST, EAST = timezone(timedelta(hours=-12)), timezone(timedelta(hours=14))
FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
BEYOND = "the clock of a mock .*ends with the year 9999"


@pytest.fixture(params=[FIRST + timedelta(days=1), LAST - timedelta(hours=2)], ids=["1", "9999"])
def at_end(request):
    """A mock whose clock stands near an end of the calendar."""
    with mock_kms(start_time=request.param, seed=1, delays="all") as kms:
        yield kms


@pytest.fixture
def at_last():
    """A mock whose clock stands shortly before the last second."""
    with mock_kms(start_time=LAST - timedelta(seconds=1), seed=1, delays="all") as kms:
        yield kms


# --- the clock ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "start",
    [datetime(1, 1, 1, tzinfo=EAST), LAST.astimezone(UTC).replace(tzinfo=WEST)],
    ids=["before", "after"],
)
@pytest.mark.parametrize("seed", [None, 1])
def test_a_start_time_outside_of_the_calendar_is_refused(start, seed):
    with pytest.raises(ValueError, match="is not in the years 1 to 9999 in UTC"):
        mock_kms(start_time=start, seed=seed).start()


@pytest.mark.parametrize("start", [FIRST, LAST - timedelta(hours=1)], ids=["1", "9999"])
def test_a_mock_can_start_near_an_end_of_the_calendar(start):
    with mock_kms(start_time=start) as kms:
        kms.client().create_key()

        assert start <= kms.calls[-1].at < start + timedelta(minutes=10)


@pytest.mark.parametrize(
    "steps",
    [
        {"days": 4_000_000},
        {"days": 1e300},
        {"weeks": float("inf")},
        {"hours": 10**15},
        {"minutes": 1e12, "seconds": 1e13},
    ],
    ids=str,
)
def test_a_step_beyond_the_calendar_is_refused_and_changes_nothing(steps):
    with mock_kms(seed=1) as kms:
        before = kms.clock.now()
        with pytest.raises(ValueError, match=BEYOND):
            kms.clock.advance(**steps)

        assert kms.clock.now() == before


@pytest.mark.parametrize(
    ("steps", "error", "message"),
    [
        ({"days": float("nan")}, ValueError, "days must be a number, not nan"),
        ({"days": "1"}, TypeError, "days must be a number, not str"),
        ({"seconds": None}, TypeError, "seconds must be a number, not NoneType"),
        ({"hours": True}, TypeError, "hours must be a number, not bool"),
        ({"days": -1}, ValueError, "only moves forward"),
    ],
    ids=str,
)
def test_a_step_that_is_none_is_refused(steps, error, message):
    with mock_kms(seed=1) as kms, pytest.raises(error, match=message):
        kms.clock.advance(**steps)


@pytest.mark.parametrize("zone", [WEST, timezone(timedelta(hours=-1))], ids=str)
def test_a_move_beyond_the_calendar_is_refused(zone):
    with mock_kms(seed=1) as kms:
        before = kms.clock.now()
        with pytest.raises(ValueError, match="is not in the years 1 to 9999 in UTC"):
            kms.clock.move_to(datetime(9999, 12, 31, 23, 59, tzinfo=zone))

        assert kms.clock.now() == before


def test_a_move_to_the_first_year_is_a_move_back():
    with mock_kms(seed=1) as kms, pytest.raises(ValueError, match="only moves forward"):
        kms.clock.move_to(FIRST)


def test_time_that_has_passed_the_end_is_told_with_each_call():
    time_machine = pytest.importorskip("time_machine")
    with mock_kms(start_time=LAST - timedelta(days=1)) as kms:
        client = kms.client()
        client.list_keys()
        with time_machine.travel(timedelta(days=2), tick=False):
            with pytest.raises(ValueError, match=BEYOND):
                client.list_keys()
            with pytest.raises(ValueError, match=BEYOND):
                kms.clock.now()


@pytest.mark.parametrize(
    "when", [FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None)], ids=["1", "9999"]
)
@pytest.mark.parametrize("library", ["freezegun", "time_machine"])
def test_time_that_is_frozen_at_an_end_is_that_of_kms(library, when):
    module = pytest.importorskip(library)
    frozen = (
        module.freeze_time(when)
        if library == "freezegun"
        else module.travel(when.replace(tzinfo=UTC), tick=False)
    )
    with mock_kms() as kms, frozen:
        kms.client().create_key()

        assert kms.keys[0].creation_date == when.replace(tzinfo=UTC)


# --- requests -------------------------------------------------------------------------------------


def test_all_of_kms_works_near_the_ends_of_the_calendar(at_end, tmp_path):
    client = at_end.client()
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    blob = client.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    client.decrypt(CiphertextBlob=blob)
    client.create_alias(AliasName="alias/app", TargetKeyId=key_id)
    client.rotate_key_on_demand(KeyId=key_id)
    client.describe_key(KeyId=key_id)
    at_end.clock.advance(minutes=30)
    at_end.export(tmp_path / "world.json")

    assert at_end.costs.total >= Decimal(0)
    assert at_end.costs.by_month()
    assert str(at_end.costs.invoice())
    assert at_end.trail.write_files(tmp_path / "files")
    assert at_end.trail[0]["eventName"] == "CreateKey"
    with mock_kms(world=tmp_path / "world.json") as again:
        assert again.keys[0].creation_date == at_end.keys[0].creation_date


REQUESTS = {
    "ScheduleKeyDeletion": lambda kms, key_id: kms.client().schedule_key_deletion(
        KeyId=key_id, PendingWindowInDays=7
    ),
    "EnableKeyRotation": lambda kms, key_id: kms.client().enable_key_rotation(
        KeyId=key_id, RotationPeriodInDays=90
    ),
    "AssumeRole": lambda kms, _: kms.client("sts").assume_role(
        RoleArn=kms.account("123456789012").role("App").arn, RoleSessionName="test"
    ),
    "GetSessionToken": lambda kms, _: (
        kms.account("123456789012").user("bob").client("sts").get_session_token()
    ),
    "GetParametersForImport": lambda kms, _: kms.client().get_parameters_for_import(
        KeyId=kms.client().create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"],
        WrappingAlgorithm="RSAES_OAEP_SHA_256",
        WrappingKeySpec="RSA_2048",
    ),
}


@pytest.mark.parametrize("request_name", REQUESTS)
@pytest.mark.parametrize("wire", [False, True], ids=["before-call", "wire"])
def test_a_date_after_the_calendar_is_told_and_nothing_has_changed(request_name, wire):
    with mock_kms(start_time=LAST - timedelta(minutes=10), seed=1, wire=wire) as kms:
        key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
        with pytest.raises(ValueError, match=BEYOND):
            REQUESTS[request_name](kms, key_id)

        described = kms.client().describe_key(KeyId=key_id)["KeyMetadata"]
        assert described["KeyState"] == "Enabled"
        assert not kms.client().get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"]


@pytest.mark.parametrize("request_name", REQUESTS)
def test_such_requests_work_in_the_first_year(request_name):
    with mock_kms(start_time=FIRST, seed=1) as kms:
        REQUESTS[request_name](kms, kms.client().create_key()["KeyMetadata"]["KeyId"])


def test_aws_managed_keys_are_created_in_the_last_year_too(at_end):
    client = at_end.client()

    shown = client.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]

    assert shown["KeyManager"] == "AWS"


def test_a_key_that_rotates_does_so_until_the_calendar_ends():
    with mock_kms(start_time=LAST - timedelta(days=1000), seed=1) as kms:
        key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
        kms.client().enable_key_rotation(KeyId=key_id)
        kms.clock.move_to(LAST)
        kms.clock.advance(timedelta(milliseconds=999))

        assert len(kms.trail.lookup("RotateKey")) == 2


def test_a_replica_is_enabled_when_the_calendar_ends(at_last):
    client = at_last.client()
    key_id = client.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    client.replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")

    at_last.clock.advance(seconds=1)
    at_last.clock.advance(timedelta(milliseconds=999))

    assert [key.state.value for key in at_last.keys] == ["Enabled", "Enabled"]


@pytest.mark.parametrize(
    "value",
    [
        FIRST,
        datetime(1, 1, 1, tzinfo=UTC) + timedelta(days=1),
        LAST,
        -62135596800,
        253402300799,
    ],
    ids=str,
)
@pytest.mark.parametrize("wire", [False, True], ids=["before-call", "wire"])
def test_an_impossible_expiry_is_an_error_of_aws(value, wire):
    with mock_kms(seed=1, wire=wire) as kms:
        client = kms.client()
        key_id = client.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
        with pytest.raises((client.exceptions.ClientError, ValueError)) as caught:
            kms.import_material(
                key_id, bytes(range(32)), ExpirationModel="KEY_MATERIAL_EXPIRES", ValidTo=value
            )

        assert str(caught.value)


# --- worlds ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("world", "place"),
    [
        ({"time": "0001-01-01T00:00:00+14:00"}, "time"),
        ({"time": "9999-12-31T23:59:59-12:00"}, "time"),
        ({"time": "10000-01-01T00:00:00Z"}, "time"),
        ({"time": "0000-01-01T00:00:00Z"}, "time"),
        ({"keys": [{"created": "9999-12-31T23:59:59-01:00"}]}, "keys[0].created"),
        (
            {"keys": [{"deletion": {"since": "9999-12-31T00:00:00Z", "days": 7}}]},
            "keys[0].deletion",
        ),
        (
            {"time": "9999-12-01T00:00:00Z", "keys": [{"rotation": {"days": 90}}]},
            "keys[0].rotation",
        ),
        ({"time": "9999-12-01T00:00:00Z", "keys": [{"rotation": True}]}, "keys[0].rotation"),
        (
            {"roles": [{"name": "App", "created": "0001-01-01T00:00:00+01:00"}]},
            "roles[0].created",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_world_with_a_date_outside_of_the_calendar_is_refused_with_its_place(world, place):
    with pytest.raises(WorldError) as caught:
        mock_kms(world=json.loads(json.dumps(world))).start()

    assert str(caught.value).startswith(f"{place}: ")


@pytest.mark.parametrize("when", ["0001-01-01T00:00:00Z", "9999-12-31T23:00:00Z"])
def test_a_world_can_be_at_an_end_of_the_calendar(when):
    with mock_kms(world={"time": when, "keys": [{"alias": "alias/app", "created": when}]}) as kms:
        shown = kms.client().describe_key(KeyId="alias/app")["KeyMetadata"]["CreationDate"]

        assert shown == datetime.fromisoformat(when.replace("Z", "+00:00"))


@pytest.mark.parametrize("state", ["Creating", "Updating"])
def test_a_passing_state_of_a_world_can_end_in_the_first_second(state):
    item = {"alias": "alias/app", "multi_region": "primary", "state": state}
    with mock_kms(
        world={"time": "0001-01-01T00:00:00Z", "keys": [{**item, "until": "0001-01-01T00:00:01Z"}]}
    ) as kms:
        kms.clock.advance(seconds=1)

        assert kms.keys[0].state.value == "Enabled"


# --- bills ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("month", ["0001-01", "9999-12"])
def test_there_are_bills_of_the_first_and_the_last_month(month):
    start = datetime.fromisoformat(f"{month}-01T00:00:00+00:00")
    with mock_kms(start_time=start, seed=1) as kms:
        kms.client().create_key()
        kms.clock.advance(days=15)

        bill = kms.costs.invoice(month)
        assert bill.title == month
        assert round(bill.storage, 20) == round(Decimal(15) / 31, 20)


@pytest.mark.parametrize("month", ["0000-01", "10000-01", "9999-13", "2026-4", "x", 5])
def test_another_month_is_refused(month):
    with mock_kms() as kms, pytest.raises(ValueError, match="written such as 2026-04"):
        kms.costs.invoice(month)


@pytest.mark.parametrize(
    "day", [datetime(1, 1, 1, tzinfo=EAST), LAST.replace(tzinfo=WEST)], ids=str
)
def test_a_day_whose_month_is_outside_of_the_calendar_is_refused(day):
    with mock_kms() as kms, pytest.raises(ValueError, match="is not in the years 1 to 9999"):
        kms.costs.invoice(day)


@pytest.mark.parametrize(
    ("first", "last", "years"),
    [
        pytest.param(FIRST, datetime(500, 12, 31, tzinfo=UTC), 500, id="the first"),
        pytest.param(datetime(9500, 1, 1, tzinfo=UTC), LAST, 500, id="the last"),
    ],
)
def test_a_bill_covers_years_of_both_ends_of_the_calendar(first, last, years):
    with mock_kms(start_time=first, seed=1) as kms:
        kms.client().create_key()
        kms.clock.move_to(last)

        assert len(kms.costs.by_month()) == years * 12
