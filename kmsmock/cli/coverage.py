"""``kmsmock coverage``: combine and show policy coverage of several runs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """Add the command to the subparsers of the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "coverage",
        help="combine and show policy coverage that pytest --kms-policy-coverage=json:PATH has "
        "written",
        description="Exit code: 0, or 2 for bad input.",
    )
    actions = parser.add_subparsers(dest="coverage", required=True)
    combine = actions.add_parser("combine", help="merge several files into one")
    report = actions.add_parser("report", help="print the table of policies")
    for each in (combine, report):
        each.add_argument(
            "json", nargs="+", type=Path, help="files of --kms-policy-coverage=json:PATH"
        )
    combine.add_argument(
        "-o", "--output", required=True, type=Path, metavar="PATH", help="the file to write"
    )
    return parser


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit code."""
    from kmsmock.coverage.as_json import MOST_BYTES, read, write
    from kmsmock.coverage.as_text import text
    from kmsmock.coverage.records import merge
    from kmsmock.misuse.input_files import read_bytes
    from kmsmock.reports.forms import write_file

    found = []
    for path in options.json:
        try:
            found.append(read(read_bytes(path, MOST_BYTES).decode()))
        except (OSError, ValueError) as reason:  # noqa: PERF203
            sys.stderr.write(f"kmsmock coverage: {path}: {reason}\n")
            return 2
    merged = merge(found)
    if options.coverage == "combine":
        try:
            write_file(options.output, write(merged))
        except OSError as reason:
            sys.stderr.write(f"kmsmock coverage: {options.output}: {reason}\n")
            return 2
        return 0
    # Names can have characters that the terminal has not.
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text(merged).encode(encoding, "backslashreplace").decode(encoding))
    return 0
