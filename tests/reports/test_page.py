"""The page of a report, as a browser shows it."""

from __future__ import annotations

from base64 import b64encode

import pytest

from kmsmock.reports.as_html import page
from kmsmock.reports.report import Report, Tally
from tests.reports.browser import CHROMIUM, Browser
from tests.reports.reports import DENIED, TEST
from tests.reports.reports import make_report as a_report

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no Chromium: apt-get install chromium"
)
#: What would be markup, if it were not text.
NASTY = "</script><img src=x onerror=alert(1)><!--"


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


def texts(browser, selector):
    """Give the texts of elements."""
    return browser.evaluate(
        f"[...document.querySelectorAll({selector!r})].map(e => e.textContent.trim())"
    )


def text(browser, selector):
    """Give the text of the first element."""
    return texts(browser, selector)[0]


def focus(browser, selector):
    browser.evaluate(f"document.querySelector({selector!r}).focus()")


def colours(browser):
    """Take a screenshot, and let the browser count its pixels: those of each red, green, blue."""
    taken = "data:image/png;base64," + b64encode(browser.screenshot()).decode()
    return browser.evaluate(
        f"""(async () => {{
            const image = new Image();
            image.src = {taken!r};
            await image.decode();
            const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
            canvas.drawImage(image, 0, 0);
            const {{ data }} = canvas.getImageData(0, 0, image.width, image.height), found = {{}};
            for (let n = 0; n < data.length; n += 4) {{
                const colour = data.slice(n, n + 3).join();
                found[colour] = (found[colour] ?? 0) + 1;
            }}
            return found;
        }})()"""
    )


# --- how it looks -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dark", "page_colour", "bar"),
    [(False, "244,246,249", "76,124,229"), (True, "16,21,29", "95,143,240")],
    ids=["light", "dark"],
)
@pytest.mark.parametrize("width", [360, 1280])
def test_a_screenshot_shows_bars_on_the_page(show, width, dark, page_colour, bar):
    browser = show(a_report(), width=width, dark=dark)
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    seen = colours(browser)
    assert seen[page_colour] > 0.1 * width * 900
    assert seen[bar] > 500


def test_the_theme_button_goes_from_the_system_s_to_light_to_dark(show):
    browser = show(a_report(), dark=True)
    themes = []
    for _ in range(4):
        themes.append(browser.evaluate("document.documentElement.dataset.theme"))
        focus(browser, "#theme")
        browser.press("Enter")
    browser.press("Enter")
    browser.press("Enter")  # as the system again, for the next test
    assert themes == ["dark", "light", "dark", "dark"]


def test_the_page_is_printed_with_all_explanations_open(show):
    browser = show(a_report())
    is_open = "document.querySelector('details').open"
    browser.evaluate(f"addEventListener('beforeprint', () => {{ window.wasOpen = {is_open}; }})")
    assert browser.pdf().startswith(b"%PDF")
    assert browser.evaluate("window.wasOpen") is True
    assert browser.evaluate(is_open) is False


def test_names_are_never_markup(show):
    browser = show(a_report(name=NASTY))
    assert browser.evaluate("document.querySelectorAll('img').length") == 0
    assert NASTY in browser.evaluate("document.body.textContent")


def test_ten_thousand_calls_are_painted_within_two_seconds(show):
    painted = "new Promise(done => requestAnimationFrame(() => setTimeout(done)))"

    def time():
        browser = show(a_report(calls=10_000))
        return browser.evaluate(f"{painted}.then(() => performance.now())")

    # Others may want the processor too: the best of some counts.
    assert any(time() < 2000 for _ in range(5))


def test_an_empty_report_says_so(show):
    assert "No KMS calls." in show(Report()).evaluate("document.body.textContent")


# --- what it tells ------------------------------------------------------------------------------


def test_there_is_a_section_for_each_question(show):
    browser = show(a_report())
    sections = ["Calls and cost", "Refused calls", "Test by test", "Keys"]
    assert texts(browser, "h2") == texts(browser, "nav a") == sections


def test_the_figures_are_calls_cost_refusals_and_keys(show):
    browser = show(a_report())
    assert texts(browser, ".tile b") == ["20", "$2.00", "1", "0", "2"]


def test_bars_show_calls_and_how_many_were_denied(show):
    browser = show(a_report())
    assert texts(browser, ".bars th") == [
        "Encrypt",
        "alias/orders SYMMETRIC_DEFAULT",
        TEST,
    ]
    assert texts(browser, ".bars td")[0] == "20: 19 succeeded, 1 denied"
    width = "document.querySelector('.track .denied').style.width"
    assert browser.evaluate(width) == "5%"


def test_keys_that_are_called_alike_are_told_apart_by_their_tests(show):
    report = a_report()
    report.keys[0].tally = report.keys[1].tally = Tally(1)
    report.keys[1].aliases = report.keys[0].aliases
    report.keys[1].test = "shop/test_orders.py::test_other"

    assert texts(show(report), ".bars th")[1:3] == [
        "alias/orders test_it",
        "alias/orders test_other",
    ]


def test_bars_show_costs_of_requests_and_of_keeping_keys(show):
    browser = show(a_report())
    focus(browser, "input[value=calls]")
    browser.press("ArrowRight")
    costs = [words for words in texts(browser, ".bars td") if words]
    assert costs == [
        "$0.000057",
        "$1.50: $0.000057 requests, $1.50 keeping the key",
        "$0.50",
        "$0.000057",
    ]


def test_a_refusal_opens_to_its_whole_explanation(show):
    browser = show(a_report())
    folded = "document.querySelector('details').open"
    assert browser.evaluate(folded) is False
    focus(browser, "details > summary")
    browser.press("Enter")
    assert browser.evaluate(folded) is True
    assert text(browser, "details pre") == "the why"


def test_refusals_are_searched(show):
    browser = show(a_report())
    for words, found in [("nothing allows", "1 of 1"), ("something else", "0 of 1")]:
        browser.evaluate(
            "{ const it = document.querySelector('#refused-calls input');"
            f"it.value = {words!r}; it.dispatchEvent(new Event('input')); }}"
        )
        assert text(browser, "#refused-calls [role=status]") == found


def test_the_timeline_shows_the_states_of_a_key(show):
    browser = show(a_report())
    assert texts(browser, ".strip .state") == ["Enabled", "Disabled"]


def test_the_timeline_is_walked_by_arrow_keys(show):
    browser = show(a_report())
    cursor = "getComputedStyle(document.querySelector('.cursor')).display"
    assert browser.evaluate(cursor) == "none"
    focus(browser, ".timeline")
    browser.press("ArrowRight")
    browser.press("ArrowRight")
    assert text(browser, ".told") == (
        "Call 2 of 20, 2030-01-01 00:00:01: Encrypt on alias/orders by role/App: ok"
    )
    browser.press("End")
    assert text(browser, ".told").startswith("Call 20 of 20")
    assert text(browser, ".told").endswith(f"by role/App: {DENIED}")
    spoken = browser.evaluate("document.querySelector('.timeline').ariaValueText")
    assert spoken == text(browser, ".told")
    assert browser.evaluate(cursor) == "block"


def test_one_matrix_has_all_keys_and_principals(show):
    browser = show(a_report())
    assert texts(browser, ".matrix thead th") == [
        *("Key", "Principal", "Sign", "Encrypt", "DescribeKey"),
    ]
    assert texts(browser, ".matrix tbody th") == [
        *("alias/orders", "role/App", "user/Eve", "alias/receipts", "user/Eve"),
    ]
    assert texts(browser, ".matrix .cell .hidden") == [
        "may not, done 19 times, refused 1 times",
        "may, done 0 times, refused 0 times",
        "may with context, done 0 times, refused 0 times",
        "may, done 0 times, refused 0 times",
        "may, done 0 times, refused 0 times",
    ]


def test_the_matrix_is_walked_by_arrow_keys_and_says_why(show):
    browser = show(a_report())
    focus(browser, ".matrix .cell[tabindex='0']")
    for key in ("ArrowDown", "ArrowDown", "ArrowUp", "Enter"):
        browser.press(key)  # nothing is below in this column: the second one stays
    assert (
        text(browser, ".whyto")
        == "role/App may not kms:Encrypt with alias/orders: nothing allows it."
    )
    browser.press("ArrowRight")
    browser.press("ArrowDown")  # over an empty cell
    browser.press("Enter")
    assert text(browser, ".whyto") == (
        "user/Eve may kms:DescribeKey with alias/receipts: a policy allows it."
    )


def test_calls_are_on_pages(show):
    browser = show(a_report(calls=60))
    assert text(browser, "#test-by-test .pager [role=status]") == "60 of 60, page 1 of 3"
    browser.evaluate("document.querySelector('#test-by-test .pager button + button').click()")
    assert text(browser, "#test-by-test .rows tbody td") == "26"


def test_keys_that_nobody_used_are_marked_and_can_be_seen_alone(show):
    browser = show(a_report())
    assert len(texts(browser, "#keys tbody tr")) == 2
    browser.evaluate("document.querySelector('#keys input[type=checkbox]').click()")
    assert texts(browser, "#keys tbody td:first-child") == ["alias/receiptskey/99999999"]
    assert texts(browser, "#keys tbody .badge") == ["never"]
