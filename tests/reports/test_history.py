"""What a report tells of a mock's time: the states of its keys, and what their storage costs."""

from __future__ import annotations

import json
import textwrap
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.inner_runs import run_pytest

HEAD = """
    import boto3
    import pytest
    from datetime import datetime, timedelta, timezone

"""


def report_of(folder: Path, suite: str) -> dict[str, Any]:
    """Run a suite; return its report."""
    (folder / "test_it.py").write_text(textwrap.dedent(HEAD + suite))
    (folder / "pytest.ini").write_text("[pytest]")
    code, output = run_pytest(folder, "--kms-report=json:it.json", "test_it.py")
    if " skipped" in output:
        pytest.skip("the package is not installed")
    assert code == 0, output
    report: dict[str, Any] = json.loads((folder / "it.json").read_text())
    assert report["notes"] == []
    return report


# --- moved clocks -------------------------------------------------------------------------------

#: What a test does with time -> its text, and the days of storage by description: in all, and of
#: moved time.
MOVES: dict[str, tuple[str, dict[str, tuple[float, float]]]] = {
    "nothing": (
        """
    def test_it(kms):
        kms.client().create_key(Description="a")
    """,
        {"a": (1 / 24, 0)},
    ),
    "a step of the clock": (
        """
    def test_it(kms):
        kms.client().create_key(Description="a")
        kms.clock.advance(days=10)
        kms.client().list_keys()
    """,
        {"a": (10 + 1 / 24, 10)},
    ),
    "a step at the end": (
        """
    def test_it(kms):
        kms.client().create_key(Description="a")
        kms.clock.advance(days=10)
    """,
        {"a": (10 + 1 / 24, 10)},
    ),
    "a step before the key": (
        """
    def test_it(kms):
        kms.clock.advance(days=10)
        kms.client().create_key(Description="a")
    """,
        {"a": (1 / 24, 0)},
    ),
    "steps between keys": (
        """
    def test_it(kms):
        kms.client().create_key(Description="a")
        kms.clock.advance(days=3)
        kms.client().create_key(Description="b")
        kms.clock.advance(days=4)
    """,
        {"a": (7 + 1 / 24, 7), "b": (4 + 1 / 24, 4)},
    ),
    "a key that is deleted meanwhile": (
        """
    def test_it(kms):
        client = kms.client()
        key = client.create_key(Description="a")["KeyMetadata"]["KeyId"]
        kms.clock.advance(days=3)
        client.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
        kms.clock.advance(days=20)
    """,
        {"a": (3 + 1 / 24, 3)},
    ),
    "frozen time": (
        """
    freezegun = pytest.importorskip("freezegun")

    def test_it():
        from kmsmock import mock_kms
        mocker = mock_kms()
        kms = mocker.start()
        kms.client().create_key(Description="a")
        with freezegun.freeze_time(datetime.now() + timedelta(days=5)):
            kms.client().list_keys()
            kms.client().create_key(Description="b")
            mocker.stop()
    """,
        {"a": (5 + 1 / 24, 5), "b": (1 / 24, 0)},
    ),
    "frozen time that ends": (
        """
    freezegun = pytest.importorskip("freezegun")

    def test_it(kms):
        kms.client().create_key(Description="a")
        with freezegun.freeze_time(datetime.now() + timedelta(days=5)):
            kms.client().list_keys()
    """,
        {"a": (1 / 24, 0)},
    ),
    "a mock of a module": (
        """
    @pytest.fixture(scope="module")
    def key(module_kms):
        module_kms.client().create_key(Description="a")

    @pytest.mark.parametrize("days", [2, 4])
    def test_it(key, kms, days):
        kms.clock.advance(days=days)
    """,
        {"a": (2 + 4 + 1 / 24, 2 + 4)},
    ),
}


@pytest.mark.parametrize("move", MOVES)
def test_storage_for_moved_time_is_told_apart(tmp_path: Path, move: str) -> None:
    suite, days = MOVES[move]

    report = report_of(tmp_path, suite)

    a_day = Decimal(12) / 365
    for key in report["keys"]:
        whole, moved = days[key["description"]]
        # Months differ in length, and each part of an hour is charged as a whole hour.
        tolerance = Decimal("0.12") * a_day * Decimal(max(1, whole))
        assert abs(Decimal(key["storage"]) - a_day * Decimal(whole)) <= tolerance
        assert abs(Decimal(key["storage_moved"]) - a_day * Decimal(moved)) <= tolerance
    sums = {name: sum(Decimal(key[name]) for key in report["keys"]) for name in ("storage_moved",)}
    assert sums["storage_moved"] == pytest.approx(Decimal(report["storage_moved"]))


def test_the_terminal_tells_the_storage_for_moved_time(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(textwrap.dedent(HEAD + MOVES["a step of the clock"][0]))

    _, output = run_pytest(tmp_path, "--kms-report=terminal", "test_it.py")

    assert " of it for time by which tests moved clocks)\n" in output


# --- keys that appear with a call -----------------------------------------------------------------

#: How a key appears -> the text of the test, and after how many calls its lane begins.
APPEARING = {
    "an AWS managed key in a call of a service": (
        """
    def test_it(kms):
        kms.client().list_keys()
        kms.client("ec2").create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True)
        kms.client().describe_key(KeyId="alias/aws/ebs")
    """,
        1,
    ),
    "an AWS managed key in a call of the test": (
        """
    def test_it(kms):
        kms.client().list_keys()
        kms.client().list_keys()
        kms.client().describe_key(KeyId="alias/aws/s3")
    """,
        2,
    ),
    "a key of a world": (
        """
    def test_it(kms):
        kms.client().list_keys()
        kms.load({"keys": ["alias/app"]})
        kms.client().encrypt(KeyId="alias/app", Plaintext=b"x")
    """,
        1,
    ),
    "a key of the first world": (
        """
    @pytest.mark.kms(world={"keys": ["alias/app"]})
    def test_it(kms):
        kms.client().encrypt(KeyId="alias/app", Plaintext=b"x")
        kms.client().disable_key(KeyId=kms.keys[0].key_id)
    """,
        0,
    ),
    "a key that is created": (
        """
    def test_it(kms):
        kms.client().list_keys()
        kms.client().create_key()
    """,
        2,
    ),
}


@pytest.mark.parametrize("key", APPEARING)
def test_the_lane_of_a_key_begins_before_its_first_call(tmp_path: Path, key: str) -> None:
    suite, begins = APPEARING[key]

    report = report_of(tmp_path, suite)

    (scene,) = report["scenes"]
    (lane,) = scene["lanes"]
    at, after, state = lane["states"][0]
    assert (after, report["names"][state]) == (begins, "Enabled")
    assert at <= min(row[0] for row in scene["calls"] if row[2] == lane["key"])
