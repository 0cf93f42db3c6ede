"""The command line: ``kmsmock demo``, ``explain`` and ``report``."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; gives the exit code."""
    parser = argparse.ArgumentParser(prog="kmsmock", description="AWS KMS in memory, for tests.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="run the example tests against the mock")
    _add_explain(commands)
    _add_report(commands)
    options = parser.parse_args(arguments)
    return _COMMANDS[options.command](options)


def _add_explain(commands: Any) -> None:
    command = commands.add_parser(
        "explain",
        help="decide a request under policies in files, and tell why",
        description="Exit code 0: allowed; 1: denied; 2: bad input. All files are JSON.",
    )
    command.add_argument("request", help="principal, action, resource, encryptionContext, context")
    command.add_argument("--key-policy", help="the key policy")
    command.add_argument(
        "--identity-policy", action="append", default=[], help="may be given more than once"
    )
    command.add_argument("--boundary", help="the permissions boundary")
    command.add_argument("--session-policy", help="the session policy")
    command.add_argument("--grants", help="a list of grants, as ListGrants gives it")


def explain(options: argparse.Namespace) -> int:
    """Print a decision and what is odd about the policies; gives 0, 1 or 2."""
    from kmsmock.policy_files import BadInputError, decide

    try:
        decision, findings = decide(
            options.request,
            key_policy=options.key_policy,
            identity_policies=options.identity_policy,
            boundary=options.boundary,
            session_policy=options.session_policy,
            grants=options.grants,
        )
    except BadInputError as reason:
        sys.stderr.write(f"{reason}\n")
        return 2
    lines = [str(decision), *(["Odd:"] if findings else []), *(f"  - {f}" for f in findings)]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if decision.allowed else 1


def _add_report(commands: Any) -> None:
    command = commands.add_parser(
        "report",
        help="show reports that pytest --kms-report=json:PATH has written",
        description="Several are merged, such as those of the machines of one run.",
    )
    command.add_argument("json", nargs="+", type=Path, help="files of --kms-report=json:PATH")
    command.add_argument("--html", type=Path, metavar="PATH", help="write a page instead of text")


def report(options: argparse.Namespace) -> int:
    """Print reports as text, or write a page; gives 0, or 2 for bad input."""
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


def demo(_: argparse.Namespace) -> int:
    """Run the examples with pytest, in a process of their own; gives pytest's exit code."""
    folder = examples()
    sys.stdout.write(f"The examples are in {folder}: each test is one thing to try.\n\n")
    sys.stdout.flush()
    configuration = ("-c", str(folder / "pytest.ini"), f"--rootdir={folder}")
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *configuration]
    return subprocess.call([*command, str(folder)])  # noqa: S603 - our own command


_COMMANDS = {"demo": demo, "explain": explain, "report": report}


def examples() -> Path:
    """Find the example tests: in the checkout, or packed with an installed package."""
    here = Path(__file__).resolve().parent
    for folder in (here.parent / "conftest_examples", here / "examples"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError("the examples were not installed with this package")
