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
        description="Several reports are merged, for example those of several machines.",
    )
    parser.add_argument("json", nargs="+", type=Path, help="files of --kms-report=json:PATH")
    parser.add_argument("--html", type=Path, metavar="PATH", help="write an HTML page instead")
    return parser


def run(options: argparse.Namespace) -> int:
    """Print reports as text, or write an HTML page; return 0, or 2 for bad input."""
    from kmsmock.misuse.input_files import read_bytes
    from kmsmock.reports.as_html import page
    from kmsmock.reports.as_json import MOST_BYTES, read
    from kmsmock.reports.as_text import text
    from kmsmock.reports.forms import write_file
    from kmsmock.reports.merging import merge

    reports = []
    for path in options.json:
        try:
            reports.append(read(read_bytes(path, MOST_BYTES).decode()))
        except (OSError, ValueError) as reason:  # noqa: PERF203
            sys.stderr.write(f"{path}: {reason}\n")
            return 2
    merged = merge(reports)
    if options.html is None:
        # Names can have characters that the terminal has not.
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text(merged).encode(encoding, "backslashreplace").decode(encoding))
        return 0
    try:
        write_file(options.html, page(merged))
    except OSError as reason:
        sys.stderr.write(f"{options.html}: {reason}\n")
        return 2
    return 0
