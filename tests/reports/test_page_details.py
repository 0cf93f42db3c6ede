"""What the page of a report tells apart: accounts, injected and expected errors, moved time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kmsmock.reports.as_html import page
from kmsmock.reports.report import (
    CallRow,
    Lane,
    Permission,
    PolicyRecord,
    QuotaPeak,
    Refusal,
    Report,
    Scene,
    StateChange,
    Tally,
    TestTally,
)
from tests.reports.browser import CHROMIUM, Browser
from tests.reports.reports import DENIED, ORDERS, RECEIPTS, ROLE, START, TEST, make_report

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no Chromium: apt-get install chromium"
)
OTHER_KEY = "arn:aws:kms:eu-west-1:444455556666:key/77777777-6666"
PARTNER = "arn:aws:sts::444455556666:assumed-role/Partner/session"
FAILED = "shop/test_orders.py::test_that_fails"
Show = Callable[..., Browser]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Show:
    """Show a report, and see that nothing goes wrong and nothing is wider than the screen."""

    def show(report: Report, width: int = 1280) -> Browser:
        path = tmp_path / "report.html"
        path.write_text(page(report), encoding="utf-8")
        browser.open(path, width=width)
        assert browser.errors == []
        assert browser.evaluate("document.documentElement.scrollWidth") == width
        return browser

    return show


def texts(browser: Browser, selector: str) -> list[str]:
    """Return the texts of elements, with one space between words."""
    found: list[str] = browser.evaluate(
        f"[...document.querySelectorAll({selector!r})]"
        ".map(e => e.textContent.replace(/\\s+/g, ' ').trim())"
    )
    return found


def choose(browser: Browser, selector: str, value: str) -> None:
    """Choose an option by its text."""
    browser.evaluate(
        f"{{ const it = document.querySelector({selector!r});"
        f"it.value = [...it.options].find(o => o.textContent === {value!r}).value;"
        "it.dispatchEvent(new Event('change')); }"
    )


def make_rich_report() -> Report:
    """Make a report with two accounts and Regions, injected faults, and a test that failed."""
    report = make_report()
    (scene,) = report.scenes
    report.keys.append(replace(report.keys[1], arn=OTHER_KEY, aliases=[], test=FAILED, mock=FAILED))
    scene.calls[3] = scene.calls[3]._replace(outcome="ThrottlingException", is_injected=True)
    report.operations["Encrypt"].injected = report.total.injected = 1
    report.tests[FAILED] = TestTally(2, 1, outcome="failed")
    report.scenes.append(
        Scene(
            FAILED,
            FAILED,
            START,
            START,
            lanes=[Lane(OTHER_KEY, [StateChange(0, 0, "Enabled")])],
            calls=[CallRow(0, "Sign", OTHER_KEY, PARTNER, DENIED, FAILED)],
            permissions=[Permission(OTHER_KEY, PARTNER, "kms:Sign", "no", "nothing", 0, 1)],
        )
    )
    report.refusals += [
        Refusal(TEST, "Encrypt", ROLE, ORDERS, "ThrottlingException", "m", "r", "", 1, True),
        Refusal(FAILED, "Sign", PARTNER, OTHER_KEY, DENIED, "m", "nothing allows it", "why"),
        Refusal(None, "ListKeys", ROLE, None, "ValidationException", "m", "r", ""),
    ]
    return report


# --- accounts and Regions -------------------------------------------------------------------------


def test_accounts_and_regions_stand_beside_keys_and_principals_if_there_are_several(
    show: Show,
) -> None:
    browser = show(make_rich_report())

    assert texts(browser, "#keys tbody td:first-child") == [
        "alias/orderskey/11111111 us-east-1, 123456789012",
        "alias/receiptskey/99999999 us-east-1, 123456789012",
        "key/77777777eu-west-1, 444455556666",
    ]
    assert texts(browser, ".matrix tbody th") == [
        "key/77777777eu-west-1, 444455556666",
        "assumed-role/Partner/session444455556666",
    ]
    assert texts(browser, "#refused-calls summary")[0].startswith(
        "AccessDenied Sign key/77777777 eu-west-1, 444455556666 "
        "by assumed-role/Partner/session 444455556666 test failed"
    )
    assert (
        texts(browser, ".lane .label")[1] == "key/777777771 call, 1 refusedeu-west-1, 444455556666"
    )


def test_the_call_that_is_chosen_and_the_cell_tell_account_and_region(show: Show) -> None:
    browser = show(make_rich_report())
    browser.evaluate("document.querySelector('.timeline').focus()")
    browser.press("ArrowRight")
    browser.evaluate("document.querySelector('.matrix .cell').click()")

    assert texts(browser, ".told") == [
        "Call 1 of 1, 2030-01-01 00:00:00: Sign on key/77777777 (eu-west-1, 444455556666) "
        f"by assumed-role/Partner/session (444455556666): {DENIED}"
    ]
    assert texts(browser, ".whyto") == [
        "assumed-role/Partner/session (444455556666) may not kms:Sign with key/77777777 "
        "(eu-west-1, 444455556666): nothing."
    ]


def test_one_account_and_region_are_not_repeated(show: Show) -> None:
    browser = show(make_report())

    assert "123456789012" not in " ".join(texts(browser, "#keys tbody, .matrix, .lane, summary"))
    assert "us-east-1" not in " ".join(texts(browser, "#keys tbody, .matrix, .lane, summary"))


def test_a_second_region_alone_is_told_without_the_account(show: Show) -> None:
    report = make_report()
    report.keys[1] = replace(report.keys[1], arn=RECEIPTS.replace("us-east-1", "eu-west-1"))

    assert texts(show(report), "#keys tbody td:first-child") == [
        "alias/orderskey/11111111 us-east-1",
        "alias/receiptskey/99999999 eu-west-1",
    ]


def test_keys_without_an_alias_are_listed_once(show: Show) -> None:
    report = make_report()
    report.keys[0].aliases = []

    assert texts(show(report), "#keys tbody td:first-child") == [
        "key/11111111",
        "alias/receiptskey/99999999",
    ]


# --- injected and expected errors -----------------------------------------------------------------


def test_injected_faults_are_a_figure_and_a_part_of_the_bars(show: Show) -> None:
    browser = show(make_rich_report())

    assert [text for text in texts(browser, ".tile") if "injected" in text] == [
        "1injectederrors by kms.faults"
    ]
    assert texts(browser, "#calls-and-cost .legend span")[-1] == "injected by kms.faults"
    assert texts(browser, ".bars td")[0] == "20: 18 succeeded, 1 denied, 1 injected by kms.faults"


def test_a_report_without_faults_does_not_mention_them(show: Show) -> None:
    browser = show(make_report())

    assert "injected" not in " ".join(texts(browser, "main"))


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("Denied and failed", ["Sign", "ListKeys", "Encrypt", "Encrypt"]),
        ("Denied", ["Sign", "Encrypt"]),
        ("Failed", ["ListKeys"]),
        ("Injected by kms.faults", ["Encrypt"]),
    ],
)
def test_refusals_are_filtered_by_kind(show: Show, kind: str, found: list[str]) -> None:
    browser = show(make_rich_report())
    choose(browser, "#refused-calls select", kind)

    assert texts(browser, "#refused-calls summary b") == found


@pytest.mark.parametrize(
    ("which", "found"),
    [
        ("In tests that failed", ["Sign"]),
        ("Expected: the test passed", ["Encrypt", "Encrypt"]),
        ("Outside of tests, or skipped", ["ListKeys"]),
    ],
)
def test_refusals_are_filtered_by_the_outcome_of_their_tests(
    show: Show, which: str, found: list[str]
) -> None:
    browser = show(make_rich_report())
    choose(browser, "#refused-calls label:nth-of-type(3) select", which)

    assert texts(browser, "#refused-calls summary b") == found


def test_refusals_are_marked_as_injected_or_expected(show: Show) -> None:
    browser = show(make_rich_report())

    marks = browser.evaluate(
        "[...document.querySelectorAll('#refused-calls summary')].map("
        "s => [...s.querySelectorAll('.badge')].map(b => b.textContent))"
    )

    assert marks == [
        ["AccessDenied", "test failed"],
        ["Validation"],
        ["AccessDenied", "expected"],
        ["Throttling", "injected", "expected"],
    ]


def test_calls_are_filtered_by_injected_faults(show: Show) -> None:
    browser = show(make_rich_report())
    browser.evaluate("document.querySelector('#test-by-test .controls button').click()")
    browser.evaluate(
        "[...document.querySelectorAll('#test-by-test label')]"
        ".find(l => l.textContent === 'only injected').firstChild.click()"
    )

    assert texts(browser, "#test-by-test .rows tbody td:first-child") == ["4"]
    assert texts(browser, "#test-by-test .rows .badge") == ["Throttling", "injected"]


def test_the_timeline_has_a_stroke_and_a_legend_for_injected_faults(show: Show) -> None:
    browser = show(make_rich_report())
    browser.evaluate("document.querySelector('#test-by-test .controls button').click()")

    assert browser.evaluate("document.querySelectorAll('.strip path.injected').length") == 1
    assert "injected by kms.faults" in texts(browser, "#test-by-test .legend span")


# --- tests that failed ----------------------------------------------------------------------------


def test_only_the_tests_that_failed_can_be_seen(show: Show) -> None:
    browser = show(make_rich_report())
    options = "#test-by-test select option"
    assert len(texts(browser, options)) == 2

    browser.evaluate("document.querySelector('#test-by-test .controls input').click()")

    assert texts(browser, options) == [f"{FAILED}, failed (1 call, 1 refused)"]
    browser.evaluate("document.querySelector('#test-by-test .controls input').click()")
    assert len(texts(browser, options)) == 2


def test_only_the_keys_of_tests_that_failed_can_be_seen(show: Show) -> None:
    browser = show(make_rich_report())
    browser.evaluate("document.querySelectorAll('#keys input[type=checkbox]')[1].click()")

    assert texts(browser, "#keys tbody td:first-child") == ["key/77777777eu-west-1, 444455556666"]


def test_filters_add_up(show: Show) -> None:
    report = make_rich_report()
    report.keys[2].used = True
    browser = show(report)
    browser.evaluate(
        "document.querySelectorAll('#keys input[type=checkbox]').forEach(box => box.click())"
    )

    assert texts(browser, "#keys tbody tr") == []


# --- moved time -----------------------------------------------------------------------------------


def make_report_of_moved_time() -> Report:
    report = make_report()
    report.keys[0].storage_moved = report.storage_moved = Decimal("1.4")
    return report


def test_what_moved_time_costs_is_told_apart(show: Show) -> None:
    browser = show(make_report_of_moved_time())

    assert texts(browser, ".tile")[1] == (
        "$2.00at AWS's list pricesrequests $0.000057keys $0.60moved time $1.40"
    )
    assert texts(browser, "#keys tbody .number")[1] == "$1.50moved time $1.40"
    browser.evaluate("document.querySelector('input[value=cost]').click()")
    assert texts(browser, "#calls-and-cost .legend span")[-1] == "keeping it for moved time"
    costs = [cost for cost in texts(browser, ".bars td") if "keeping" in cost]
    assert costs == [
        "$1.50: $0.000057 requests, $0.10 keeping the key, $1.40 keeping it for moved time"
    ]


def test_a_report_without_moved_time_does_not_mention_it(show: Show) -> None:
    assert "moved time" not in " ".join(texts(show(make_report()), "main")).lower()


# --- the legend of the matrix ---------------------------------------------------------------------


def test_a_legend_explains_each_kind_of_cell(show: Show) -> None:
    browser = show(make_report())

    assert texts(browser, ".legend.cells > span") == [
        "✓allowed",
        "◐allowed only with an encryption context that calls had",
        "\u2013not allowed",
        "✓ 33 calls succeeded",
        "\u2013 ✗22 calls were denied",
        "the key has no such action",
    ]
    kinds = browser.evaluate(
        "[...new Set([...document.querySelectorAll('.matrix .cell')].map(c => c.classList[1]))]"
    )
    explained = browser.evaluate(
        "[...document.querySelectorAll('.legend .cell')].map(c => c.classList[1])"
    )
    assert set(kinds) <= set(explained)


# --- screens --------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_cut_off(show: Show, width: int) -> None:
    browser = show(make_rich_report(), width)
    browser.evaluate("document.querySelector('#test-by-test .controls button').click()")

    cut_off = browser.evaluate(
        "[...document.querySelectorAll('.tile span, .badge, summary, .legend span, .place, h2, h3,"
        " .lane .label small')].filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth)"
        ".map(e => e.textContent)"
    )
    assert cut_off == []
    inside = browser.evaluate(
        "[...document.querySelectorAll('.card > *')].filter(e => !e.closest('.scroll')"
        " && e.getBoundingClientRect().right > innerWidth).map(e => e.textContent)"
    )
    assert inside == []


def test_reports_that_know_no_injected_errors_are_read() -> None:
    from kmsmock.reports.as_json import read, write

    text = write(make_report()).replace(',"injected":0', "").replace(",false]", "]")

    read_again: Any = read(text)

    assert read_again.total == Tally(20, 1, 0, Decimal("0.000057"))
    assert read_again.scenes[0].calls[0].is_injected is False


# --- request quotas -------------------------------------------------------------------------------


def test_the_peaks_of_request_quotas_are_a_table(show: Show) -> None:
    peaks = [
        QuotaPeak("CreateKey", "eu-west-1", "123456789012", 6, 5, {"CreateKey": 6}, TEST),
        QuotaPeak("ListKeys", "eu-west-1", "123456789012", 1, 500, {"ListKeys": 1}),
    ]
    browser = show(replace(make_report(), quotas=peaks))

    assert texts(browser, "#request-quotas tbody td")[:6] == [
        "CreateKeyeu-west-1 123456789012",
        *("6", "5", "120.0 %", "x 0.8", "6 CreateKey"),
    ]
    browser.evaluate("document.querySelector('#request-quotas input[type=checkbox]').click()")
    assert len(texts(browser, "#request-quotas tbody tr")) == 1


def test_a_report_without_them_has_no_such_section(show: Show) -> None:
    assert texts(show(make_report()), "#request-quotas") == []


# --- policy coverage ------------------------------------------------------------------------------


def test_policies_are_a_table_with_what_is_not_covered(show: Show) -> None:
    policies = [
        PolicyRecord("orders-key.json:1", 3, 2, 7, 4, ["statement 3 has decided <nothing>"]),
        PolicyRecord("app.json:1", 1, 1, 2, 2),
    ]

    browser = show(replace(make_report(), policies=policies))

    assert texts(browser, "#policy-coverage tbody td")[:5] == [
        *("orders-key.json:1", "3", "1", "4 of 7", "statement 3 has decided <nothing>"),
    ]
    browser.evaluate("document.querySelector('#policy-coverage input[type=checkbox]').click()")
    assert len(texts(browser, "#policy-coverage tbody tr")) == 1


def test_without_policy_coverage_there_is_no_table_of_policies(show: Show) -> None:
    assert texts(show(make_report()), "#policy-coverage") == []
