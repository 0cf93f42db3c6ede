"""``kmsmock demo``: run the example tests against the mock."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """Add the command to the subparsers of the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "demo", help="run the example tests against the mock"
    )
    return parser


def run(_: argparse.Namespace) -> int:
    """Run the examples with pytest in a new process; return pytest's exit code."""
    folder = find_examples()
    sys.stdout.write(f"The examples are in {folder}: each test shows one feature.\n\n")
    sys.stdout.flush()
    configuration = ("-c", str(folder / "pytest.ini"), f"--rootdir={folder}")
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *configuration]
    return subprocess.call([*command, str(folder)])  # noqa: S603 - our own command


def find_examples() -> Path:
    """Find the folder of the example tests, in the checkout or in the installed package.

    Raises FileNotFoundError if there are no examples.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package.parent / "conftest_examples", package / "examples"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError("the examples were not installed with this package")
