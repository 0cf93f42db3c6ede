"""The command line: ``kmsmock demo``."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; gives the exit code."""
    parser = argparse.ArgumentParser(prog="kmsmock", description="AWS KMS in memory, for tests.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="run the example tests against the mock")
    parser.parse_args(arguments)
    return demo()


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
