"""Baselines: what a suite does not cover yet, so that it does not become more.

A baseline names statements that have decided nothing, and weakenings that no test notices, by file
or holder, Sid or number, and element, and not by line: lines move.
"""

from __future__ import annotations

import json

from kmsmock.coverage.elements import list_elements
from kmsmock.coverage.result import Result
from kmsmock.coverage.summary import name_of
from kmsmock.coverage.weakness import Weakening

FORMAT = "kmsmock-policy-coverage-baseline"
VERSION = 1
#: The largest file that is read.
MOST_BYTES = 32 * 2**20


class BadBaselineError(ValueError):
    """A file that is not a baseline, or that this version of kmsmock cannot read."""


def list_gaps(result: Result) -> list[str]:
    """Return what is not covered, as it stands in baselines."""
    records = result.records
    gaps = [
        f"{_statement_name(result, Weakening('statement', policy.index, statement.number - 1))}: "
        "has decided nothing"
        for policy in result.summary.policies
        for statement in policy.statements
        if not statement.is_covered
    ]
    for one in result.weaknesses:
        if one.noticed_by is not None:
            continue
        weakening = one.weakening
        if weakening.is_of_grant:
            grant = records.grants[weakening.place]
            operations = ", ".join(grant.operations)
            name = f"grant {grant.name} for {grant.grantee}, {operations}, {grant.constraints}"
            gaps.append(f"{name}: {weakening.change} can be dropped")
            continue
        policy = records.policies[weakening.place]
        element = ""
        if weakening.change != "statement":
            elements = list_elements(policy.statements[weakening.statement], policy.kind)
            element = f" {elements[weakening.element].name}"
        change = "dropped" if weakening.change in ("statement", "condition") else "widened"
        gaps.append(f"{_statement_name(result, weakening)}:{element} can be {change}")
    return sorted(set(gaps))


def _statement_name(result: Result, weakening: Weakening) -> str:
    policy = result.records.policies[weakening.place]
    name = name_of(policy) if policy.source is None else policy.source.path
    sid = policy.statements[weakening.statement].get("Sid")
    return f"{name}, statement {sid or weakening.statement + 1}"


def write_baseline(result: Result) -> str:
    """Return a baseline with all that is not covered, as JSON."""
    members = {"format": FORMAT, "version": VERSION, "gaps": list_gaps(result)}
    return json.dumps(members, indent=1) + "\n"


def read_baseline(text: str) -> frozenset[str]:
    """Read a baseline from JSON. Raises BadBaselineError."""
    try:
        members = json.loads(text)
    except (ValueError, RecursionError) as reason:
        raise BadBaselineError(f"this is not JSON: {reason}") from None
    if not isinstance(members, dict) or members.get("format") != FORMAT:
        raise BadBaselineError(
            "this is not a baseline: write one with kmsmock coverage baseline coverage.json -o PATH"
        )
    version = members.get("version")
    if type(version) is not int or not 1 <= version <= VERSION:
        raise BadBaselineError(f"it has another version than {VERSION}: use a newer kmsmock")
    gaps = members.get("gaps")
    if not isinstance(gaps, list) or not all(isinstance(gap, str) for gap in gaps):
        raise BadBaselineError("gaps: expected a list of texts")
    return frozenset(gaps)


def find_failures(
    result: Result, fail_under: float | None, baseline: frozenset[str] | None
) -> list[str]:
    """Return why a run fails, as lines; empty if it does not.

    fail_under: the least percentage of statements that have to have decided something. baseline:
    the gaps that there may be; None for no baseline.
    """
    failures = []
    summary = result.summary
    if fail_under is not None and summary.percent < fail_under:
        failures.append(
            f"policy coverage is {summary.percent:.2f} %, less than {fail_under:g} % "
            "(kms_policy_fail_under)"
        )
    if baseline is not None:
        failures += [
            f"not in the baseline (kms_policy_baseline): {gap}"
            for gap in list_gaps(result)
            if gap not in baseline
        ]
    return failures
