"""The HTML form: a single file without references to other files or to the network."""

from __future__ import annotations

import html
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from kmsmock.reports.as_json import write
from kmsmock.reports.as_text import text
from kmsmock.reports.report import Report

#: The files of the script, in the order of their dependencies.
_SCRIPTS = (
    "elements",
    "sums",
    "tables",
    "refusals",
    "timeline",
    "matrix",
    "scenes",
    "keys",
    "policies",
    "start",
)


def page(report: Report) -> str:
    """Return the HTML page of a report.

    Its Content-Security-Policy allows just its own script and style, by their hashes. The script
    creates elements from text, so that names in a report are never interpreted as markup.
    """
    style = _read_part("page.css")
    script = "\n".join(_read_part(f"{name}.js") for name in _SCRIPTS)
    content = {
        "policy": f"default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src {_build_csp_source(style)}; script-src {_build_csp_source(script)}",
        "style": style,
        "script": script,
        "data": _escape_for_script(write(report)),
        "text": html.escape(text(report)),
    }
    template = _read_part("page.html")
    # Split the template first: inserted content can contain the marks, too.
    pieces = template.split("<!--@")
    return pieces[0] + "".join(_fill(piece, content) for piece in pieces[1:])


def _fill(piece: str, content: dict[str, str]) -> str:
    name, _, rest = piece.partition("@-->")
    return content[name] + rest


def _read_part(name: str) -> str:
    return (files("kmsmock.reports") / "page" / name).read_text(encoding="utf-8")


def _build_csp_source(code: str) -> str:
    """Return the source expression of a script or style for Content-Security-Policy."""
    return f"'sha256-{b64encode(sha256(code.encode()).digest()).decode()}'"


def _escape_for_script(written: str) -> str:
    """Escape JSON so that no string in it can end the script element or start a comment."""
    # In JSON these characters only occur in strings.
    for unsafe in "<>&\u2028":
        written = written.replace(unsafe, f"\\u{ord(unsafe):04x}")
    return written
