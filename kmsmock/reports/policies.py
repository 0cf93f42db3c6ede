"""The policies in a report, if policy coverage is measured in the same run."""

from __future__ import annotations

from kmsmock.coverage.advice import describe, sort_weaknesses
from kmsmock.coverage.as_text import describe_statement
from kmsmock.coverage.result import Result, count_noticed
from kmsmock.coverage.summary import name_of
from kmsmock.reports.report import PolicyRecord

#: The name of the plugin that measures policy coverage; its ``complete`` returns the `Result`.
POLICY_COVERAGE = "kmsmock-policy-coverage"


def list_policies(result: Result) -> list[PolicyRecord]:
    """Return the rows of a report about the policies of a run."""
    found = []
    for policy in result.summary.policies:
        weaknesses = result.weaknesses_of(policy.index)
        noticed, weakenings = count_noticed(weaknesses)
        missing = [
            f"{describe_statement(statement)} has decided nothing"
            for statement in policy.statements
            if not statement.is_covered
        ]
        unnoticed = [describe(result.records, one) for one in sort_weaknesses(weaknesses)]
        found.append(
            PolicyRecord(
                name_of(policy.policy),
                len(policy.statements),
                policy.covered,
                weakenings,
                noticed,
                missing + unnoticed,
            )
        )
    return found
