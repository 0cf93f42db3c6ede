"""The HTML form: one file without references to others or to the network."""

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
    style = _read_part("page.css")
    script = "\n".join(_read_part(f"{name}.js") for name in _SCRIPTS)
    content = {
        "policy": f"default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src {_csp_source(style)}; script-src {_csp_source(script)}",
        "style": style,
        "script": script,
        "data": _escape_for_script(write(report)),
        "text": html.escape(text(report)),
    }
    template = _read_part("page.html")
    # Inserted content is not searched for further marks: it may contain anything.
    pieces = template.split("<!--@")
    return pieces[0] + "".join(_fill(piece, content) for piece in pieces[1:])


def _fill(piece: str, content: dict[str, str]) -> str:
    name, _, rest = piece.partition("@-->")
    return content[name] + rest


def _read_part(name: str) -> str:
    return (files("kmsmock.reports") / "page" / name).read_text(encoding="utf-8")


def _csp_source(code: str) -> str:
    """Name a script or style by its hash, as Content-Security-Policy does."""
    return f"'sha256-{b64encode(sha256(code.encode()).digest()).decode()}'"


def _escape_for_script(written: str) -> str:
    """Escape JSON so that no string in it can end the script element or begin a comment."""
    # In JSON these characters occur in strings only.
    for unsafe in "<>&\u2028":
        written = written.replace(unsafe, f"\\u{ord(unsafe):04x}")
    return written
