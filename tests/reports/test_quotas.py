"""The peaks of requests per second against the request quotas, in all forms of a report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kmsmock.reports.as_html import page
from kmsmock.reports.as_json import read, write
from kmsmock.reports.as_text import text
from kmsmock.reports.merging import merge
from kmsmock.reports.report import QUOTAS_KEPT, QuotaPeak, Report, Tally
from tests.reports.test_reports import run

OWN, OTHER = "123456789012", "111122223333"
SUITE = """
    import pytest
    from kmsmock import mock_kms


    @pytest.mark.kms(seed=1)
    def test_few(kms):
        client = kms.client(region="eu-west-1")
        for _ in range(2):
            client.create_key()


    @pytest.mark.kms(seed=1)
    def test_many(kms):
        client = kms.client(region="eu-west-1")
        for _ in range(4):
            client.create_key()
        kms.clock.advance(seconds=1)
        client.create_key()


    @pytest.mark.kms(seed=1)
    def test_armed(kms):
        kms.faults.quota("ListKeys", per_second=1)
        for _ in range(3):
            kms.client(region="eu-west-1").list_keys()


    @pytest.mark.kms(quotas={"TagResource": 0.5}, seed=1)
    def test_option(kms):
        key = kms.client(region="eu-west-1").create_key()["KeyMetadata"]["KeyId"]
        kms.client(region="eu-west-1").tag_resource(KeyId=key, Tags=[])
"""


def make(folder: Path, *options: str) -> tuple[dict[str, Any], str]:
    """Return the report of a run of the suite, and what it printed."""
    path = folder / "it.json"
    forms = ("--kms-report=terminal", f"--kms-report=json:{path}")
    code, output = run(folder, *forms, *options, suite=SUITE)
    assert code == 0
    return json.loads(path.read_text()), output


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    return make(tmp_path_factory.mktemp("alone"), "-p", "no:xdist")


def test_json_has_the_highest_peak_of_each_quota(alone: tuple[dict[str, Any], str]) -> None:
    rows = {row["quota"]: row for row in alone[0]["quotas"]}

    assert rows["CreateKey"] == {
        "quota": "CreateKey",
        "region": "eu-west-1",
        "account": OWN,
        "peak": 4.0,
        "per_second": 5.0,
        "operations": {"CreateKey": 4},
        "test": "test_shop.py::test_many",
    }
    # The value of the option, and not of the quota that a test has armed.
    assert (rows["TagResource"]["peak"], rows["TagResource"]["per_second"]) == (0.5, 0.5)
    assert rows["ListKeys"]["per_second"] == 500
    assert list(rows) == ["TagResource", "CreateKey", "ListKeys"]


def test_the_terminal_has_the_highest_shares(alone: tuple[dict[str, Any], str]) -> None:
    lines = alone[1].splitlines()
    start = lines.index("Peaks of requests per second against AWS's request quotas")

    assert lines[start + 1 : start + 5] == [
        "                         peak   quota   share  limit at",
        "TagResource eu-west-1     0.5     0.5  100.0%     x 1.0",
        "CreateKey eu-west-1         4       5   80.0%     x 1.2",
        "ListKeys eu-west-1          2     500    0.4%     x 250",
    ]


# --- reports made by hand ----------------------------------------------------------------------


def peak(quota: str = "CreateKey", requests: float = 1, account: str = OWN) -> QuotaPeak:
    return QuotaPeak(quota, "eu-west-1", account, requests, 5, {"CreateKey": 1}, "test")


def report_of(*peaks: QuotaPeak) -> Report:
    report = Report(total=Tally(calls=1))
    report.add_quotas(peaks)
    return report


def test_merging_keeps_the_highest_share_of_each_quota_in_any_order() -> None:
    first = report_of(peak(requests=1), peak("ListKeys", 2))
    second = report_of(peak(requests=3), peak(requests=2, account=OTHER))

    merged = [merge(read(write(each)) for each in order).quotas for order in _orders(first, second)]

    assert merged[0] == merged[1]
    assert [(each.quota, each.account, each.peak) for each in merged[0]] == [
        ("CreateKey", OWN, 3),
        ("CreateKey", OTHER, 2),
        ("ListKeys", OWN, 2),
    ]


def _orders(first: Report, second: Report) -> list[list[Report]]:
    return [[first, second], [second, first]]


def test_accounts_are_named_if_there_are_several_and_the_width_is_kept() -> None:
    one, two = report_of(peak()), report_of(peak(), peak("cryptographic-symmetric", account=OTHER))

    assert OWN not in text(one)
    assert f"CreateKey eu-west-1 {OWN}" in text(two)
    assert max(map(len, text(two).splitlines())) <= 80


def test_only_the_highest_shares_are_kept_and_shown() -> None:
    report = report_of(*(peak(f"quota {n}", n) for n in range(QUOTAS_KEPT + 10)))

    assert len(report.quotas) == QUOTAS_KEPT
    assert min(each.peak for each in report.quotas) == 10
    assert f"... and {QUOTAS_KEPT - 5:,} more" in text(report)


def test_a_report_of_an_older_version_has_none() -> None:
    members = json.loads(write(Report(total=Tally(calls=1))))
    del members["quotas"]

    report = read(json.dumps(members))

    assert report.quotas == []
    assert "quotas" not in text(report)


def test_the_page_has_the_peaks() -> None:
    assert '"quotas": [{"quota":"CreateKey"' in page(report_of(peak()))
