"""``kmsmock report``: show reports that ``pytest --kms-report=json:PATH`` has written."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """Add the command to the subparsers of the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "report",
        help="show reports that pytest --kms-report=json:PATH has written",
        description="Several are merged, such as those of the machines of one run.",
    )
    parser.add_argument("json", nargs="+", type=Path, help="files of --kms-report=json:PATH")
    parser.add_argument("--html", type=Path, metavar="PATH", help="write a page instead of text")
    return parser


def run(options: argparse.Namespace) -> int:
    """Print reports as text, or write a page; returns 0, or 2 for bad input."""
    from kmsmock.reports.as_html import page
    from kmsmock.reports.as_json import BadReportError, read
    from kmsmock.reports.as_text import text
    from kmsmock.reports.merging import merge

    parts = []
    for path in options.json:
        try:
            parts.append(read(path.read_text(encoding="utf-8")))
        except (OSError, BadReportError, UnicodeDecodeError) as reason:  # noqa: PERF203
            sys.stderr.write(f"{path}: {reason}\n")
            return 2
    merged = merge(parts)
    if options.html is None:
        sys.stdout.write(text(merged))
        return 0
    try:
        options.html.write_text(page(merged), encoding="utf-8")
    except OSError as reason:
        sys.stderr.write(f"{options.html}: {reason}\n")
        return 2
    return 0
