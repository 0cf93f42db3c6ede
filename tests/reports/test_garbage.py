"""``kmsmock report`` of what is no report: one line, and exit code 2."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kmsmock.cli import main
from kmsmock.reports.as_json import write
from tests.output import capture
from tests.reports.reports import make_report
from tests.thoroughness import is_thorough

HEAD = '"format": "kmsmock-report", "version": 1, "names": []'


def show(path: Path, *options: str) -> tuple[int, str, str]:
    """Run the command; return its exit code, what it printed, and its errors."""
    return capture(main, ["report", str(path), *options])


# --- files that are no report -------------------------------------------------------------------

FILES: dict[str, tuple[bytes, str]] = {
    "an empty file": (b"", "this is not JSON"),
    "white space": (b" \n\t", "this is not JSON"),
    "half a file": (b'{"format": "kmsmock-rep', "this is not JSON"),
    "text": (b"2 KMS calls in 1 test", "this is not JSON"),
    "a page": (b"<!DOCTYPE html><html></html>", "this is not JSON"),
    "a byte order mark": (b"\xef\xbb\xbf{}", "this is not JSON"),
    "UTF-16": ("{}".encode("utf-16"), "codec can't decode"),
    "Latin-1": (b'{"format": "\xe9"}', "codec can't decode"),
    "bytes": (bytes(range(256)), "codec can't decode"),
    "zeros": (bytes(100), "this is not JSON"),
    "deep lists": (b"[" * 100_000, "this is not JSON"),
    "deep lists that end": (b"[" * 100_000 + b"]" * 100_000, "not JSON"),
    "deep objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "not JSON"),
    "NaN": (b'{"format": NaN}', "NaN is not a number of JSON"),
    "Infinity": (b"[-Infinity]", "-Infinity is not a number of JSON"),
    "a number with many digits": (b"[" + b"9" * 5000 + b"]", "this is not"),
    "null": (b"null", "this is not a report"),
    "a list": (b"[]", "this is not a report"),
    "a text in JSON": (b'"kmsmock-report"', "this is not a report"),
    "an empty object": (b"{}", "this is not a report"),
    "JSON of another tool": (b'{"coverage": {"lines": 1}, "version": "7"}', "this is not a report"),
    "a world": (b'{"kmsmock": 1, "keys": ["alias/a"]}', "this is not a report"),
    "a format of another type": (b'{"format": ["kmsmock-report"]}', "this is not a report"),
    "a later version": (b'{"format": "kmsmock-report", "version": 99}', "use a newer kmsmock"),
    "version true": (b'{"format": "kmsmock-report", "version": true}', "use a newer kmsmock"),
    "version 1.0": (b'{"format": "kmsmock-report", "version": 1.0}', "use a newer kmsmock"),
    "no version": (b'{"format": "kmsmock-report"}', "use a newer kmsmock"),
    "names of another type": (
        b'{"format": "kmsmock-report", "version": 1, "names": [1]}',
        "names: expected a list of strings",
    ),
    "an unknown member": (f'{{{HEAD}, "more": 1}}'.encode(), "report: unknown member 'more'"),
    "a count that is a text": (
        f'{{{HEAD}, "total": {{"calls": "x"}}}}'.encode(),
        "report.total.calls: expected int, not 'x'",
    ),
    "a deep value": (
        f'{{{HEAD}, "total": {"[" * 900 + "]" * 900}}}'.encode(),
        "report.total: expected dict, not a list",
    ),
}


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_is_no_report_is_told_in_one_line(tmp_path: Path, file: str) -> None:
    content, words = FILES[file]
    path = tmp_path / "report.json"
    path.write_bytes(content)

    code, output, errors = show(path)

    assert (code, output) == (2, "")
    assert errors.startswith(f"{path}: ")
    assert errors.count("\n") == 1
    assert words in errors


def test_a_folder_and_a_missing_file_are_told(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        code, output, errors = show(path)
        assert (code, output, errors.count("\n")) == (2, "", 1)


def test_one_bad_file_among_others_is_told(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(write(make_report()))
    bad.write_text("{}")

    code, _, errors = show(good, str(bad), "--html", str(tmp_path / "it.html"))

    assert code == 2
    assert errors.startswith(f"{bad}: ")
    assert not (tmp_path / "it.html").exists()


# --- reports with one wrong value ---------------------------------------------------------------

#: Each is a wrong value in most places.
WRONG: list[Any] = [
    *(None, True, -1, 0.5, 1e300, 10**400, -(10**20), "", "x", "NaN", "-Infinity", "1E+999999999"),
    *("1E-999999999", "2026-01-01", "9999-99-99T00:00:00+00:00", "\ud800", "\x1b[31m\n", [], {}),
    *([[]], [None], {"": 1}, {"calls": None}, [1, 2, 3, 4, 5, 6, 7, 8], ["x"] * 7),
]


def list_places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the places of all values in a document."""
    yield place
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for name, member in items:
        yield from list_places(member, (*place, name))


def put(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    """Return a copy of a document with another value in one place."""
    if not place:
        return value
    changed = dict(document) if isinstance(document, dict) else list(document)
    changed[place[0]] = put(changed[place[0]], place[1:], value)
    return changed


DOCUMENT = json.loads(write(make_report(calls=2)))
PLACES = list(list_places(DOCUMENT))


@pytest.mark.thorough
@pytest.mark.parametrize("first", sorted({str(place[0]) for place in PLACES if place}))
def test_a_wrong_value_in_any_place_is_told_or_shown(tmp_path: Path, first: str) -> None:
    path, page = tmp_path / "report.json", tmp_path / "it.html"
    refused = 0
    for number, place in enumerate(place for place in PLACES if place and place[0] == first):
        for wrong in WRONG if is_thorough() else WRONG[number % 4 :: 4]:
            path.write_text(json.dumps(put(DOCUMENT, place, wrong)))
            code, output, errors = show(path)
            assert (code, errors.count("\n")) in ((2, 1), (0, 0)), (place, wrong)
            assert (output == "") is (code == 2), (place, wrong)
            refused += code == 2
            if code == 0 and not page.exists():
                assert show(path, "--html", str(page)) == (0, "", ""), (place, wrong)
    assert refused


def test_members_that_are_missing_are_told(tmp_path: Path) -> None:
    document = json.loads(write(make_report()))
    path = tmp_path / "report.json"
    del document["keys"][0]["arn"]
    path.write_text(json.dumps(document))

    assert show(path) == (2, "", f"{path}: report.keys[0]: 'arn' is missing\n")


# --- what a terminal and a file cannot have -------------------------------------------------------


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_names_are_shown_in_the_encoding_of_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    report = make_report()
    report.keys[1].aliases = ["alias/\u20ac\ud800"]
    report.specs["RSA_2048"].unused = 1
    path = tmp_path / "report.json"
    path.write_text(write(report))
    terminal = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", terminal)

    assert main(["report", str(path)]) == 0

    terminal.flush()
    shown = terminal.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]
    assert ("alias/\u20ac" if encoding == "utf-8" else "alias/\\u20ac") in shown


@pytest.mark.parametrize("target", ["a folder", "below a file", "/dev/full"])
def test_a_page_that_cannot_be_written_is_told(tmp_path: Path, target: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(write(make_report()))
    page = {"a folder": tmp_path, "below a file": path / "it.html"}.get(target, Path(target))

    code, output, errors = show(path, "--html", str(page))

    assert (code, output, errors.count("\n")) == (2, "", 1)
    assert errors.startswith(f"{page}: ")
