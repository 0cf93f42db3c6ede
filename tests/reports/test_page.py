"""The page of a report, as a browser shows it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from kmsmock.reports.as_html import page
from kmsmock.reports.report import (
    CallRow,
    KeyRecord,
    Lane,
    OperationTally,
    Permission,
    Refusal,
    Report,
    Scene,
    SpecTally,
    StateChange,
    Tally,
    TestTally,
)
from tests.reports.browser import CHROMIUM, Browser

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no Chromium: apt-get install chromium"
)
START = datetime(2030, 1, 1, tzinfo=timezone.utc)
ARN = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
ROLE = "arn:aws:iam::123456789012:role/App"
#: What would be markup, if it were not text.
NASTY = "</script><img src=x onerror=alert(1)><!--"


def a_report(calls=20, name="alias/orders"):
    rows = [
        CallRow(n * 1000, "Encrypt", ARN, ROLE, "ok", "test_a.py::test_it") for n in range(calls)
    ]
    denied = "AccessDeniedException"
    rows[-1] = rows[-1]._replace(outcome=denied)
    tally = Tally(calls, 1, 0)
    scene = Scene(
        "test_a.py::test_it",
        "test_a.py::test_it",
        START,
        START + timedelta(days=1),
        lanes=[Lane(ARN, [StateChange(0, 0, "Enabled"), StateChange(9000, 9, "Disabled")])],
        calls=rows,
        permissions=[Permission(ARN, ROLE, "kms:Encrypt", "no", "nothing allows it", 0, 1)],
    )
    key = KeyRecord(
        scene.mock,
        ARN,
        scene.test,
        "SYMMETRIC_DEFAULT",
        "ENCRYPT_DECRYPT",
        "AWS_KMS",
        "CUSTOMER",
        START,
        aliases=[name],
        state="Disabled",
        used=True,
        tally=tally,
    )
    refusal = Refusal(
        scene.test, "Encrypt", ROLE, ARN, denied, "User: ...", f"nothing allows it {name}", "why"
    )
    return Report(
        made=START,
        tests_run=1,
        total=tally,
        operations={"Encrypt": OperationTally(calls, 1)},
        tests={"test_a.py::test_it": TestTally(calls, 1, outcome="passed")},
        specs={"SYMMETRIC_DEFAULT": SpecTally(calls, 1, keys=1)},
        keys=[key],
        refusals=[refusal],
        scenes=[scene],
    )


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


@pytest.fixture
def show(browser, tmp_path):
    """Show a report, and see that nothing was fetched and nothing went wrong."""

    def show(report, **view):
        path = tmp_path / "report.html"
        path.write_text(page(report), encoding="utf-8")
        browser.open(path, **view)
        assert browser.requests == [path.as_uri()]
        assert browser.errors == []
        return browser

    return show


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [420, 1280])
def test_the_page_fits_into_a_window(show, width, dark):
    browser = show(a_report(), width=width, dark=dark)
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    assert browser.screenshot(whole=True).startswith(b"\x89PNG")
    dark_page = "getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0] < 100"
    assert browser.evaluate(dark_page) is dark


def test_the_page_has_a_section_for_each_question(show):
    browser = show(a_report())
    headings = browser.evaluate("[...document.querySelectorAll('h2')].map(e => e.textContent)")
    assert headings == ["Calls and cost", "Refused calls", "Test by test", "Keys"]


def test_a_refusal_opens_to_its_whole_explanation(show):
    browser = show(a_report())
    folded = "document.querySelector('details').open"
    assert browser.evaluate(folded) is False
    browser.evaluate("document.querySelector('details > summary').focus()")
    browser.press("Enter")
    assert browser.evaluate(folded) is True


def test_the_timeline_is_walked_by_arrow_keys(show):
    browser = show(a_report())
    browser.evaluate("document.querySelector('[tabindex=\"0\"]').focus()")
    before = browser.evaluate("document.activeElement.outerHTML")
    for _ in range(3):
        browser.press("Tab")
    assert browser.evaluate("document.activeElement.outerHTML") != before


def test_names_are_never_markup(show):
    browser = show(a_report(name=NASTY))
    assert browser.evaluate("document.querySelectorAll('img').length") == 0
    assert NASTY in browser.evaluate("document.body.textContent")


def test_the_page_can_be_printed(show):
    assert show(a_report()).pdf().startswith(b"%PDF")


def test_ten_thousand_calls_are_shown_within_two_seconds(show):
    browser = show(a_report(calls=10_000))
    shown = browser.evaluate("performance.getEntriesByName('shown')[0].startTime")
    # The aim is two seconds on an idle machine.
    assert shown < 10_000
    rows = browser.evaluate("document.querySelectorAll('table.rows tbody tr').length")
    assert rows < 500  # the rest is on further pages


def test_an_empty_report_says_so(show):
    assert "No KMS calls." in show(Report()).evaluate("document.body.textContent")
