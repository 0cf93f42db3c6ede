"""The page and the LCOV file of policy coverage."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from kmsmock.cli import main
from tests.coverage.test_runs import SUITE, run


@pytest.fixture(scope="module")
def forms(tmp_path_factory):
    """Return the page and the LCOV file of a run."""
    folder = tmp_path_factory.mktemp("forms")
    suite = SUITE.replace('"b"}', '"<b>&"}')
    options = (f"--kms-policy-coverage={form}" for form in ("html:c.html", "lcov:c.info"))
    code, output = run(folder, *options, "--kms-policy-coverage=json:c.json", suite=suite)
    assert code == 0, output
    return folder


class Page(HTMLParser):
    """Collects the elements of a page, and the texts of statements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.classes: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.classes.append(dict(attrs).get("class") or "")

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_has_statements_with_margins_hits_and_tests(forms):
    page = Page((forms / "c.html").read_text())

    assert [one for one in page.classes if one.startswith("statement")] == [
        "statement hit",
        "statement part",
        "statement miss",
    ]
    assert "statement 2 (Orders): 3 allowed" in page.text
    assert "test_shop.py::test_orders_are_encrypted[2] (1)" in page.text
    assert "no test would notice if the Principal in orders-key.json:10 were everybody" in page.text


def test_the_page_needs_no_script_and_no_network(forms):
    text = (forms / "c.html").read_text()
    page = Page(text)

    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert "default-src 'none'" in text
    assert "http" not in text.replace("http-equiv", "")


def test_the_lcov_file_has_statements_values_and_their_counts(forms):
    lines = (forms / "c.info").read_text().splitlines()

    assert lines[:2] == ["TN:", "SF:orders-key.json"]
    assert "DA:7,3" in lines  # the statement for orders
    assert "DA:15,0" in lines  # the one that keeps keys
    assert "BRDA:13,0,0,3" in lines  # the tenant was decisive
    assert "BRDA:13,0,1,1" in lines  # and false
    assert lines[-1] == "end_of_record"


def test_the_command_writes_the_same_files(forms, tmp_path):
    page, lcov = tmp_path / "c.html", tmp_path / "c.info"

    code = main(
        ["coverage", "report", str(forms / "c.json"), "--html", str(page), "--lcov", str(lcov)]
    )

    assert code == 0
    assert page.read_text() == (forms / "c.html").read_text()
    assert lcov.read_text() == (forms / "c.info").read_text()
