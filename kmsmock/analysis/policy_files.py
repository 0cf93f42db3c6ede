"""Evaluate a request under policies that are in files, for the command ``kmsmock explain``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import kmsmock.operations  # noqa: F401 - registers the operations, whose facts are needed
from kmsmock.access.context import ConditionContext
from kmsmock.access.facts import Facts
from kmsmock.authorization.decision import Decision
from kmsmock.authorization.evaluation import evaluate
from kmsmock.authorization.grants import Grant, GrantConstraints, GrantTerms
from kmsmock.authorization.linting import Finding, lint
from kmsmock.authorization.policy import MalformedPolicyError, Policy, PolicyKind, parse
from kmsmock.authorization.request import AppliedPolicies, Request
from kmsmock.aws.arns import ALIAS_PREFIX, Arn, iam_arn, session_arn
from kmsmock.aws.principals import Principal, PrincipalKind
from kmsmock.ledger.operation_names import require_action

#: The members of a request.
_MEMBERS = ("principal", "action", "resource", "encryptionContext", "context")


class BadInputError(Exception):
    """A file that cannot be read, or has invalid content; the message names the file."""


def decide(
    request_file: str,
    *,
    key_policy: str | None,
    identity_policies: Sequence[str],
    boundary: str | None,
    session_policy: str | None,
    grants: str | None,
) -> tuple[Decision, list[Finding]]:
    """Evaluate the request in a file under the policies in others; all arguments are paths.

    The request is a JSON object with ``principal`` (ARN), ``action``, ``resource`` (key ARN or
    ``*``), and optionally ``encryptionContext`` and ``context`` (condition keys). Grants are a list
    as in the response of ListGrants. Returns the decision, and findings about the policies. Raises
    BadInputError.
    """
    described = _read_object(request_file)
    for member in ("principal", "action"):
        if not isinstance(described.get(member), str):
            raise BadInputError(f"{request_file}: the request needs a string {member!r}")
    unknown = described.keys() - _MEMBERS
    if unknown:
        raise BadInputError(
            f"{request_file}: unknown member {min(unknown)!r}; a request can have "
            f"{', '.join(_MEMBERS)}"
        )
    try:
        require_action(described["action"])
    except ValueError as problem:
        raise BadInputError(f"{request_file}: {problem}") from None
    principal = _parse_principal(described["principal"], request_file)
    resource = described.get("resource", "*")
    arn = Arn.parse(resource)
    pairs = described.get("encryptionContext") or {}
    context = ConditionContext(_build_facts(principal, described, arn))
    request = Request(
        principal,
        described["action"],
        resource,
        arn.account if arn is not None and key_policy is not None else None,
        lambda: context,
        encryption_context=pairs,
    )
    policies = AppliedPolicies(
        _read_optional_policy(key_policy, PolicyKind.RESOURCE),
        tuple(_read_policy(path, PolicyKind.IDENTITY) for path in identity_policies),
        _read_optional_policy(boundary, PolicyKind.BOUNDARY),
        None if session_policy is None else (_read_policy(session_policy, PolicyKind.SESSION),),
        grants=[] if grants is None else _read_grants(grants),
    )
    consulted = (*((policies.resource,) if policies.resource else ()), *policies.identity)
    findings = [
        Finding(f"{policy.name}, {finding.statement}", finding.text)
        for policy in consulted
        for finding in lint(policy)
    ]
    return replace(evaluate(request, policies), request=request, policies=policies), findings


def _build_facts(principal: Principal, described: dict[str, Any], arn: Arn | None) -> Facts:
    """Return the facts about a request; its ``context`` supplies all other condition keys."""
    context = described.get("context") or {}
    return Facts(
        action=described["action"],
        principal=principal,
        owner=None if arn is None or arn.resource.startswith(ALIAS_PREFIX) else arn.account,
        parameters={},
        encryption_context=described.get("encryptionContext"),
        region=None if arn is None else arn.region,
        now=datetime.now(timezone.utc),
        overrides={
            name: [str(item) for item in value] if isinstance(value, list) else _format_value(value)
            for name, value in context.items()
        },
    )


def _format_value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _parse_principal(text: str, path: str) -> Principal:
    arn = Arn.parse(text)
    if arn is None and text.endswith(".amazonaws.com"):
        return Principal(PrincipalKind.SERVICE, text, "", text)
    if arn is None or arn.service not in ("iam", "sts"):
        raise BadInputError(f"{path}: {text!r} is not a principal that can make requests")
    if arn.is_account_root:
        return Principal(PrincipalKind.ROOT, text, arn.account, arn.account)
    if arn.resource_type == "user":
        return Principal(PrincipalKind.USER, text, arn.account, "AIDA")
    if arn.resource_type == "role":
        # Requests are made by sessions of a role, not by the role itself.
        session = session_arn(arn.partition, arn.account, arn.name, "session")
        return Principal(PrincipalKind.ASSUMED_ROLE, session, arn.account, "AROA:session", text)
    if arn.role_and_session is not None:
        role = iam_arn(arn.partition, arn.account, f"role/{arn.role_and_session[0]}")
        return Principal(PrincipalKind.ASSUMED_ROLE, text, arn.account, "AROA:session", role)
    raise BadInputError(f"{path}: {text!r} is not a principal that can make requests")


def _read_json(path: str) -> Any:
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as reason:
        raise BadInputError(f"{path}: {reason}") from None


def _read_object(path: str) -> dict[str, Any]:
    value = _read_json(path)
    if not isinstance(value, dict):
        raise BadInputError(f"{path}: expected a JSON object")
    return value


def _read_optional_policy(path: str | None, kind: PolicyKind) -> Policy | None:
    return None if path is None else _read_policy(path, kind)


def _read_policy(path: str, kind: PolicyKind) -> Policy:
    try:
        return parse(_read_object(path), kind, path)
    except MalformedPolicyError as defect:
        raise BadInputError(f"{path}: {defect}") from None


def _read_grants(path: str) -> list[Grant]:
    content = _read_json(path)
    entries = content.get("Grants") if isinstance(content, dict) else content
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise BadInputError(f"{path}: expected a list of grants, as in a ListGrants response")
    return [_parse_grant(entry, number) for number, entry in enumerate(entries, 1)]


def _parse_grant(entry: dict[str, Any], number: int) -> Grant:
    constraints = entry.get("Constraints") or {}
    issuer = Arn.parse(str(entry.get("IssuingAccount", "")))
    return Grant(
        str(entry.get("GrantId", f"grant-{number}")),
        str(entry.get("KeyId", "")),
        "",
        GrantTerms(
            tuple(entry.get("Operations", ())),
            entry.get("GranteePrincipal"),
            entry.get("GranteeServicePrincipal"),
            entry.get("RetiringPrincipal"),
            entry.get("RetiringServicePrincipal"),
            GrantConstraints(
                constraints.get("EncryptionContextEquals"),
                constraints.get("EncryptionContextSubset"),
                constraints.get("SourceArn"),
            ),
            entry.get("Name") or None,
        ),
        issuer.account if issuer is not None else "",
        datetime.now(timezone.utc),
        number,
    )
