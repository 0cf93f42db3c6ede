"""The command line ``kmsmock``, a module for each command.

A command is a module with ``add_parser``, which declares its arguments, and ``run``, which returns
the exit code. Slow imports are in ``run``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from kmsmock.cli import demo, explain, report

COMMANDS = (demo, explain, report)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code. arguments: None for those of the process."""
    parser = argparse.ArgumentParser(prog="kmsmock", description="AWS KMS in memory, for tests.")
    commands = parser.add_subparsers(dest="command", required=True)
    for command in COMMANDS:
        command.add_parser(commands).set_defaults(run=command.run)
    options = parser.parse_args(arguments)
    code: int = options.run(options)
    return code
