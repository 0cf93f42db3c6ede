"""Decisions of the policy engine, case by case, from a table of published semantics."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kmsmock.authorization.evaluation import evaluate
from kmsmock.authorization.policy import parse
from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.authorization.request import AppliedPolicies, Request
from kmsmock.aws.principals import Principal, PrincipalKind

CASES = [
    json.loads(line)
    for line in (Path(__file__).parent.parent / "data" / "authorization.jsonl")
    .read_text()
    .splitlines()
]
KINDS = {
    "user": PrincipalKind.USER,
    "assumed-role": PrincipalKind.ASSUMED_ROLE,
    "root": PrincipalKind.ROOT,
    "federated-user": PrincipalKind.FEDERATED_USER,
    "service": PrincipalKind.SERVICE,
}


def request_of(case):
    who = case["principal"]
    principal = Principal(
        KINDS[who["kind"]],
        who["arn"],
        who["account"] or "",
        who.get("userId") or who["arn"],
        who.get("roleArn") or who.get("sourceUserArn"),
    )
    owner = case["key"]["account"] if case["key"] and case["keyPolicy"] else None
    context = {name.lower(): value for name, value in case["context"].items()}
    return Request(principal, case["action"], case["resource"], owner, lambda: context)


def policies_of(case):
    def all_of(documents, kind):
        return tuple(parse(document, kind) for document in documents)

    session = case.get("sessionPolicy")
    is_federated = case["principal"]["kind"] == "federated-user"
    return AppliedPolicies(
        parse(case["keyPolicy"], PolicyKind.RESOURCE) if case["keyPolicy"] else None,
        all_of(case["identityPolicies"], PolicyKind.IDENTITY),
        parse(case["permissionBoundary"], PolicyKind.BOUNDARY)
        if case.get("permissionBoundary")
        else None,
        all_of([session], PolicyKind.SESSION) if session else () if is_federated else None,
        tuple(all_of(level, PolicyKind.SERVICE_CONTROL) for level in case.get("scps", ())),
        tuple(all_of(level, PolicyKind.RESOURCE_CONTROL) for level in case.get("rcps", ())),
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['family']}-{case['id']}")
def test_a_case_is_decided_as_it_is_documented(case):
    decision = evaluate(request_of(case), policies_of(case))

    assert decision.outcome.value == case["expected"], decision.reason
