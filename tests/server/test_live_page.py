"""The report page of a server, as it is when it is loaded."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from html import unescape

import pytest

from kmsmock.protocols.messages import HttpRequest, HttpResponse
from kmsmock.server.application import Application
from kmsmock.server.settings import Settings
from tests.server.test_application import Exchange
from tests.server.test_control_plane import ask, call_kms

BROWSER = {"host": "127.0.0.1:4599", "accept": "text/html,*/*;q=0.8"}


@pytest.fixture
def application() -> Iterator[Application]:
    application = Application(lambda: Settings({"region": "us-east-1"}))
    application.page  # noqa: B018 - observes the mock from now on
    yield application
    application.stop()


def load(application: Application, **headers: str) -> HttpResponse:
    sent = {**BROWSER, **{name.replace("_", "-"): value for name, value in headers.items()}}
    request = HttpRequest("GET", "/", sent, b"")
    render = application._prepare_page(request)
    response = application._call(request) if render is None else render()
    assert isinstance(response, HttpResponse)
    return response


def read(application: Application) -> str:
    """Return the text form of the report, which the page has for browsers without scripts."""
    (found,) = re.findall(r"<pre[^>]*>(.*?)</pre>", load(application).body.decode(), re.DOTALL)
    return unescape(found)


def test_the_page_has_the_calls_until_now(application: Application) -> None:
    call_kms(application, "CreateKey")
    assert re.search(r"CreateKey +1\b", read(application))
    call_kms(application, "CreateKey")
    assert re.search(r"CreateKey +2\b", read(application))


def test_the_page_is_as_it_was_when_it_was_asked_for(application: Application) -> None:
    call_kms(application, "CreateKey")
    render = application._prepare_page(HttpRequest("GET", "/", BROWSER, b""))
    assert render is not None
    call_kms(application, "ListKeys")

    assert b"ListKeys" not in render().body


def test_looking_at_the_page_changes_nothing(application: Application) -> None:
    call_kms(application, "CreateKey")
    ask(application, "POST", "/v1/clock", {"advance_seconds": 40 * 86400})
    load(application)
    first = application.page._collection.look()
    second = application.page._collection.look()

    assert len(second.keys) == len(first.keys) == len(second.scenes) == len(first.scenes) == 1
    assert second.specs == first.specs
    assert abs(second.storage - first.storage) < abs(first.storage) / 1000
    assert abs(first.storage - application.kms.costs.storage) < abs(first.storage) / 1000


def test_the_page_goes_on_after_a_reset(application: Application) -> None:
    call_kms(application, "CreateKey")
    ask(application, "POST", "/v1/reset")
    call_kms(application, "CreateKey")

    report = application.page._collection.look()

    assert (report.total.calls, len(report.keys)) == (2, 2)


def test_the_mock_of_the_page_has_a_name(application: Application) -> None:
    call_kms(application, "CreateKey")

    assert [scene.mock for scene in application.page._collection.look().scenes] == ["the server"]


def test_a_request_to_aws_is_none_for_the_page(application: Application) -> None:
    response = load(application, accept="application/json")

    assert b"MissingAuthenticationToken" in response.body


def test_a_link_of_another_site_may_lead_to_the_page(application: Application) -> None:
    headers = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}

    response = load(application, **headers)

    assert response.status == 200
    assert response.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors"},
        {"origin": "https://evil.example"},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_a_page_of_another_site_does_not_get_it(
    application: Application, headers: dict[str, str]
) -> None:
    assert load(application, **headers).status == 403


def test_the_page_is_about_a_server_and_not_about_tests(application: Application) -> None:
    call_kms(application, "CreateKey")

    assert re.search(r"^1 KMS call: 0 denied", read(application), re.MULTILINE)


def test_the_page_is_rendered_beside_other_requests(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered_in = []

    def page(_: object) -> str:
        rendered_in.append(threading.current_thread())
        return ""

    monkeypatch.setattr("kmsmock.server.live_page.page", page)
    exchange = Exchange(b"", method="GET")
    exchange._scope["headers"] = [(n.encode(), v.encode()) for n, v in BROWSER.items()]

    assert exchange.run(application).status == 200
    assert rendered_in != [threading.current_thread()]


def test_scenes_without_calls_that_are_kept_are_only_counted(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kmsmock.reports.sums.CALLS_KEPT", 2)
    for _ in range(5):
        call_kms(application, "CreateKey")
        ask(application, "POST", "/v1/reset")

    report = application.page._collection.look()

    assert (len(report.scenes), report.omitted["scenes"], report.total.calls) == (2, 3, 5)
