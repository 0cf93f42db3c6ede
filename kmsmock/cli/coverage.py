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
        description="Exit code: 0; 1 below --fail-under; 2 for bad input.",
    )
    actions = parser.add_subparsers(dest="coverage", required=True)
    combine = actions.add_parser("combine", help="merge several files into one")
    baseline = actions.add_parser(
        "baseline", help="write what is not covered, for pytest --kms-policy-baseline=PATH"
    )
    report = actions.add_parser("report", help="print the table of policies, or write other forms")
    for each in (combine, baseline, report):
        each.add_argument(
            "json", nargs="+", type=Path, help="files of --kms-policy-coverage=json:PATH"
        )
    for each in (combine, baseline):
        each.add_argument(
            "-o", "--output", required=True, type=Path, metavar="PATH", help="the file to write"
        )
    for form in ("html", "lcov"):
        report.add_argument(f"--{form}", type=Path, metavar="PATH", help=f"write {form} instead")
    report.add_argument(
        "--fail-under", type=_read_percentage, metavar="N", help="exit code 1 below N percent"
    )
    return parser


def _read_percentage(text: str) -> float:
    from kmsmock.options.readers import read_percentage

    try:
        return read_percentage("N", text)
    except TypeError as reason:
        raise argparse.ArgumentTypeError(str(reason)) from None


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit code."""
    from kmsmock.coverage.as_json import MOST_BYTES, read
    from kmsmock.coverage.baseline import find_failures, write_baseline
    from kmsmock.coverage.forms import CONTENTS, Form, write_json
    from kmsmock.coverage.records import merge
    from kmsmock.coverage.result import Result
    from kmsmock.misuse.input_files import read_bytes
    from kmsmock.reports.forms import write_file

    found = []
    for path in options.json:
        try:
            found.append(read(read_bytes(path, MOST_BYTES).decode()))
        except (OSError, ValueError) as reason:  # noqa: PERF203
            sys.stderr.write(f"kmsmock coverage: {path}: {reason}\n")
            return 2
    result = Result(merge(found))
    written = [
        (path, form)
        for path, form in (
            (getattr(options, "output", None), options.coverage),
            (getattr(options, "html", None), "html"),
            (getattr(options, "lcov", None), "lcov"),
        )
        if path is not None
    ]
    contents = {
        "combine": write_json,
        "baseline": write_baseline,
        "html": CONTENTS[Form.HTML],
        "lcov": CONTENTS[Form.LCOV],
    }
    for path, form in written:
        try:
            write_file(path, contents[form](result))
        except OSError as reason:  # noqa: PERF203
            sys.stderr.write(f"kmsmock coverage: {path}: {reason}\n")
            return 2
    if not written:
        # Names can have characters that the terminal has not.
        encoding = sys.stdout.encoding or "utf-8"
        printed = CONTENTS[Form.TEXT](result)
        sys.stdout.write(printed.encode(encoding, "backslashreplace").decode(encoding))
    failures = find_failures(result, getattr(options, "fail_under", None), None)
    sys.stderr.write("".join(f"kmsmock coverage: {failure}\n" for failure in failures))
    return 1 if failures else 0
