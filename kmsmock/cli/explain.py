"""``kmsmock explain``: evaluate a request under policies in files, and explain the decision."""

from __future__ import annotations

import argparse
import sys
from typing import Any


def add_parser(commands: Any) -> argparse.ArgumentParser:
    """Add the command to the subparsers of the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "explain",
        help="evaluate a request under policies in files, and explain the decision",
        description="All files are JSON. Exit code: 0 if allowed, 1 if denied, 2 for bad input.",
    )
    parser.add_argument(
        "request",
        help="file with principal (ARN), action, resource (ARN of the key), and optionally "
        "encryptionContext, context (condition keys), sessionIssuer (ARN of the session's role)",
    )
    parser.add_argument("--key-policy", help="the key policy")
    parser.add_argument(
        "--identity-policy", action="append", default=[], help="an identity policy; can be repeated"
    )
    parser.add_argument("--boundary", help="the permissions boundary")
    parser.add_argument("--session-policy", help="the session policy")
    parser.add_argument(
        "--grants",
        help="a list of grants, as in a ListGrants response; those on other keys do not apply",
    )
    return parser


def run(options: argparse.Namespace) -> int:
    """Print the decision, and findings about the policies; return the exit code 0, 1 or 2."""
    from kmsmock.analysis.json_files import BadInputError
    from kmsmock.analysis.policy_files import decide

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
    lines = [str(decision), *(["Findings:"] if findings else []), *(f"  - {f}" for f in findings)]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if decision.allowed else 1
