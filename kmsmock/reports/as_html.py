"""The page: one file that needs nothing else, and no network."""

from __future__ import annotations

import html
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from kmsmock.reports.as_json import write
from kmsmock.reports.as_text import text
from kmsmock.reports.report import Report

#: The parts of the script, each after those that it uses.
_SCRIPTS = (
    "elements",
    "sums",
    "tables",
    "refusals",
    "timeline",
    "matrix",
    "scenes",
    "keys",
    "start",
)


def page(report: Report) -> str:
    """Make the page of a report.

    Its script and style are allowed by their hashes, and everything else is forbidden; the page
    makes its elements from texts, so that no name in a report can be markup.
    """
    style = _part("page.css")
    script = "\n".join(_part(f"{name}.js") for name in _SCRIPTS)
    content = {
        "policy": f"default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src {_source(style)}; script-src {_source(script)}",
        "style": style,
        "script": script,
        "data": _in_script(write(report)),
        "text": html.escape(text(report)),
    }
    made = _part("page.html")
    # What was put in is not looked at again: it may hold anything.
    pieces = made.split("<!--@")
    return pieces[0] + "".join(_filled(piece, content) for piece in pieces[1:])


def _filled(piece: str, content: dict[str, str]) -> str:
    name, _, rest = piece.partition("@-->")
    return content[name] + rest


def _part(name: str) -> str:
    return (files("kmsmock.reports") / "page" / name).read_text(encoding="utf-8")


def _source(code: str) -> str:
    """Name a script or style by its hash, as Content-Security-Policy does."""
    return f"'sha256-{b64encode(sha256(code.encode()).digest()).decode()}'"


def _in_script(written: str) -> str:
    """Let JSON stand in a script element, which must not see its end, or a comment, in a text."""
    # These characters can be nowhere in JSON but in its texts.
    for unsafe in "<>&\u2028":
        written = written.replace(unsafe, f"\\u{ord(unsafe):04x}")
    return written
