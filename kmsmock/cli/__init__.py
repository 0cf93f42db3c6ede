"""The command line ``kmsmock``, a module for each command.

A command is a module with ``add_parser``, which declares its arguments, and ``run``, which returns
the exit code. Slow imports are in ``run``.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import NoReturn

from kmsmock.cli import coverage, demo, explain, report, serve
from kmsmock.misuse.suggestions import did_you_mean

COMMANDS = (coverage, demo, explain, report, serve)
_OPTION = re.compile(r"(?<!\w)--[\w-]+")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code. arguments: None for those of the process."""
    parser = argparse.ArgumentParser(prog="kmsmock", description="AWS KMS in memory, for tests.")
    commands = parser.add_subparsers(dest="command", required=True)
    for command in COMMANDS:
        its_parser = command.add_parser(commands)
        its_parser.set_defaults(run=command.run, parser=its_parser)
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        _refuse(options.parser, unknown)
    code: int = options.run(options)
    return code


def _refuse(parser: argparse.ArgumentParser, unknown: Sequence[str]) -> NoReturn:
    """Exit with an error about arguments that a command does not have, and the nearest ones."""
    known = sorted(set(_OPTION.findall(parser.format_help())))
    misspelt = (argument.partition("=")[0] for argument in unknown if argument.startswith("-"))
    hints = "".join(did_you_mean(name, known) for name in misspelt)
    parser.error(f"unrecognized arguments: {' '.join(unknown)}{hints}")
