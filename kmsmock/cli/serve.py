"""``kmsmock serve``: answer AWS's protocols over HTTP, for all SDKs, the AWS CLI and Terraform."""

from __future__ import annotations

import argparse
import sys
from typing import Any

_LARGEST_PORT = 65_535


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """Add the command to the subparsers of the command line."""
    from kmsmock.server.settings import add_arguments

    parser: argparse.ArgumentParser = commands.add_parser(
        "serve",
        help="answer AWS's protocols over HTTP, for all SDKs, the AWS CLI and Terraform",
        description="A server for all SDKs, the AWS CLI and Terraform, until SIGTERM or SIGINT. "
        "Needs the extra: pip install 'kmsmock[server]'. Exit code: 0 after a signal, 1 if the "
        "server cannot start, 2 for bad input.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1, this machine only")
    parser.add_argument(
        "--port", type=_read_port, default=4599, help="default: 4599; 0: one that is free"
    )
    add_arguments(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Run the server; return the exit code."""
    from kmsmock.server.running import CannotServeError, serve
    from kmsmock.server.settings import Settings

    try:
        serve(options.host, options.port, Settings.of_arguments(options))
    except CannotServeError as reason:
        sys.stderr.write(f"kmsmock serve: {reason}\n")
        return 1
    except (ValueError, TypeError, OSError) as reason:
        sys.stderr.write(f"kmsmock serve: {reason}\n")
        return 2
    except KeyboardInterrupt:  # before the server could notice the signal
        return 0
    return 0


def _read_port(text: str) -> int:
    if not text.isdecimal() or int(text) > _LARGEST_PORT:
        raise argparse.ArgumentTypeError(f"must be a number up to {_LARGEST_PORT}, not {text!r}")
    return int(text)
