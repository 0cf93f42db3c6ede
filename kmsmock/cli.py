"""The command line: ``kmsmock demo`` and ``kmsmock explain``."""

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
    options = parser.parse_args(arguments)
    return explain(options) if options.command == "explain" else demo()


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


def demo() -> int:
    """Run the examples with pytest, in a process of their own; gives pytest's exit code."""
    folder = examples()
    sys.stdout.write(f"The examples are in {folder}: each test is one thing to try.\n\n")
    sys.stdout.flush()
    configuration = ("-c", str(folder / "pytest.ini"), f"--rootdir={folder}")
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *configuration]
    return subprocess.call([*command, str(folder)])  # noqa: S603 - our own command


def examples() -> Path:
    """Find the example tests: in the checkout, or packed with an installed package."""
    here = Path(__file__).resolve().parent
    for folder in (here.parent / "conftest_examples", here / "examples"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError("the examples were not installed with this package")
