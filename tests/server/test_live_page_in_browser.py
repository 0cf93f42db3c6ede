"""The report page of a running server in a browser, and what pages of other sites can do there."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.reports.browser import CHROMIUM, REBOUND, Browser
from tests.server.processes import EXTRA, Served, serving

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no Chromium: apt-get install chromium"
)
#: What would change the page, if it were markup.
NASTY = "</script><script>window.ran = 1</script><img src=x onerror='window.ran = 1'><!--"


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    """A server with calls that have succeeded, that were denied and that failed."""
    for name in EXTRA:
        pytest.importorskip(name, reason="the extra server is not installed")
    with serving() as served:
        kms = served.client()
        key_id = kms.create_key(Description=NASTY)["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName="alias/orders", TargetKeyId=key_id)
        context = {"tenant": NASTY}
        blob = kms.encrypt(KeyId=key_id, Plaintext=b"text", EncryptionContext=context)
        with pytest.raises(ClientError):
            kms.decrypt(CiphertextBlob=blob["CiphertextBlob"])
        iam = served.client("iam")
        iam.create_user(UserName="eve")
        eve = iam.create_access_key(UserName="eve")["AccessKey"]
        with pytest.raises(ClientError):
            served.client("kms", eve["AccessKeyId"], eve["SecretAccessKey"]).encrypt(
                KeyId=key_id, Plaintext=b"text", EncryptionContext=context
            )
        yield served


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


@pytest.fixture
def page(browser: Browser, server: Served) -> Browser:
    """The page, which has fetched nothing else and has no errors."""
    browser.open(f"{server.url}/")
    assert browser.requests == [f"{server.url}/"]
    assert browser.errors == []
    return browser


def texts(browser: Browser, selector: str) -> list[str]:
    found: list[str] = browser.evaluate(
        f"[...document.querySelectorAll({selector!r})].map(each => each.textContent.trim())"
    )
    return found


def type_into(browser: Browser, selector: str, text: str) -> None:
    browser.evaluate(
        f"{{ const field = document.querySelector({selector!r}); field.value = {text!r};"
        "field.dispatchEvent(new Event('input')); }"
    )


# --- the page ---------------------------------------------------------------------------------


def test_the_page_has_the_sections_of_a_server(page: Browser) -> None:
    assert texts(page, "h1") == ["KMS of this server"]
    sections = ["Calls and cost", "Refused calls", "History", "Keys", "Request quotas"]
    assert texts(page, "h2") == texts(page, "nav a") == [*sections, "Slowest calls"]
    assert texts(page, ".thirds h3") == ["By operation", "By key"]


def test_the_page_says_nothing_about_tests(page: Browser) -> None:
    visible = page.evaluate("document.body.innerText")

    assert "test" not in visible.lower()


def test_the_page_has_the_calls_of_all_kinds(page: Browser) -> None:
    # Other tests make further calls.
    assert texts(page, "#history .rows tbody td:nth-child(3)")[:5] == [
        *("CreateKey", "CreateAlias", "Encrypt", "Decrypt", "Encrypt"),
    ]
    assert texts(page, "#refused-calls summary > .badge") == ["InvalidCiphertext", "AccessDenied"]


def test_a_reload_shows_calls_that_were_made_since(page: Browser, server: Served) -> None:
    figure = "Number(document.querySelector('.tile b').textContent)"
    before = page.evaluate(figure)
    server.client().generate_random(NumberOfBytes=1)
    assert page.evaluate(figure) == before

    page.open(f"{server.url}/")

    assert page.evaluate(figure) == before + 1
    assert "GenerateRandom" in texts(page, ".bars th")


def test_names_are_never_markup(page: Browser) -> None:
    assert page.evaluate("window.ran") is None
    assert page.evaluate("document.querySelectorAll('img').length") == 0
    assert NASTY in "".join(texts(page, "#refused-calls details pre"))


def test_refused_calls_are_searched_and_opened_by_keyboard(page: Browser) -> None:
    type_into(page, "#refused-calls input", "user/eve")
    assert texts(page, "#refused-calls [role=status]") == ["1 of 2"]
    page.evaluate("document.querySelector('#refused-calls summary').focus()")
    page.press("Enter")

    assert page.evaluate("document.querySelector('#refused-calls details').open") is True


def test_the_timeline_is_walked_by_arrow_keys(page: Browser) -> None:
    page.evaluate("document.querySelector('.timeline').focus()")
    page.press("ArrowRight")
    page.press("ArrowRight")

    (told,) = texts(page, ".told")
    assert told.startswith("Call 2 of ")
    assert told.endswith("CreateAlias on alias/orders by user/Administrator: ok")


def test_calls_are_filtered(page: Browser) -> None:
    type_into(page, "#history input[type=search]", "eve")

    assert texts(page, "#history .rows tbody td:nth-child(5)") == ["user/eve"]


def test_the_page_fits_a_small_screen(browser: Browser, server: Served) -> None:
    browser.open(f"{server.url}/", width=360)

    assert browser.evaluate("document.documentElement.scrollWidth") == 360


# --- other sites ------------------------------------------------------------------------------


class _Site(http.server.BaseHTTPRequestHandler):
    """A site with an empty page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><link rel=icon href=data:,><title>elsewhere</title>")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The URL of another site: its port differs."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Site) as listener:
        thread = threading.Thread(target=listener.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listener.server_port}/"
        listener.shutdown()
        thread.join()


@pytest.fixture
def run_elsewhere(browser: Browser, server: Served, site: str) -> Callable[[str], Any]:
    """Run a script in a page of the other site; ``url`` is that of the server."""
    browser.open(site)

    def run(script: str) -> Any:
        return browser.evaluate(
            f"Promise.race([(async url => {{ {script} }})({json.dumps(server.url)})"
            ".catch(reason => 'refused'), new Promise((_, fail) => setTimeout(fail, 20000))])"
        )

    return run


def count_keys(server: Served) -> int:
    return len(server.client().list_keys()["Keys"])


@pytest.mark.parametrize(
    "script",
    [
        "await fetch(`${url}/_kmsmock/v1/reset`, {method: 'POST', mode: 'no-cors', body: '{}'})",
        "await fetch(`${url}/_kmsmock/v1/reset`, {method: 'POST', mode: 'no-cors', body: '{}', "
        "headers: {'content-type': 'application/x-www-form-urlencoded'}})",
        "await fetch(`${url}/_kmsmock/v1/reset`, {method: 'POST', body: '{}', "
        "headers: {'content-type': 'application/json'}})",
        "navigator.sendBeacon(`${url}/_kmsmock/v1/reset`, '{}')",
        "const form = document.body.appendChild(document.createElement('form')); "
        "const frame = document.createElement('iframe'); frame.name = form.target = 'there'; "
        "document.body.append(frame); form.method = 'post'; form.enctype = 'text/plain'; "
        "form.action = `${url}/_kmsmock/v1/reset`; "
        "const loaded = new Promise(done => frame.onload = done); form.submit(); await loaded",
    ],
    ids=["text", "form data", "JSON", "beacon", "form"],
)
def test_a_page_of_another_site_changes_nothing(
    run_elsewhere: Callable[[str], Any], server: Served, script: str
) -> None:
    run_elsewhere(script)

    assert count_keys(server) == 1


@pytest.mark.parametrize("path", ["/", "/_kmsmock/v1/world?material=true", "/_kmsmock/v1/calls"])
def test_a_page_of_another_site_reads_nothing(
    run_elsewhere: Callable[[str], Any], path: str
) -> None:
    assert run_elsewhere(f"return await (await fetch(`${{url}}{path}`)).text()") == "refused"


def test_a_page_of_another_site_shows_nothing_of_it_in_a_frame(
    run_elsewhere: Callable[[str], Any], browser: Browser
) -> None:
    run_elsewhere(
        "const frame = document.createElement('iframe'); frame.src = `${url}/`; "
        "const loaded = new Promise(done => frame.onload = done); "
        "document.body.append(frame); await loaded"
    )

    assert any("X-Frame-Options" in error for error in browser.errors)


def test_a_name_that_another_site_leads_to_this_machine_gets_nothing(
    browser: Browser, server: Served
) -> None:
    browser.open(f"http://{REBOUND}:{server.port}/")
    assert "as in an attack by DNS rebinding" in browser.evaluate("document.body.textContent")

    for path, options in (
        ("/_kmsmock/v1/world", {}),
        ("/_kmsmock/v1/reset", {"method": "POST", "headers": {"content-type": "application/json"}}),
    ):
        script = f"fetch({path!r}, {json.dumps(options)}).then(response => response.status)"
        assert browser.evaluate(script) == 403
    assert count_keys(server) == 1
