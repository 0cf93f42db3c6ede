"""Deciding requests that are described in files: the command ``kmsmock explain``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import kmsmock.operations  # noqa: F401 - fills the table of what decisions depend on
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

#: What a request can have.
_MEMBERS = ("principal", "action", "resource", "encryptionContext", "context")


class BadInputError(Exception):
    """A file that cannot be read or does not say what it should; the message names it."""


def decide(
    request_file: str,
    *,
    key_policy: str | None,
    identity_policies: Sequence[str],
    boundary: str | None,
    session_policy: str | None,
    grants: str | None,
) -> tuple[Decision, list[Finding]]:
    """Decide the request of one file under the policies of others; all arguments are paths.

    The request is an object with ``principal`` (ARN), ``action``, ``resource`` (key ARN or
    ``*``), and optionally ``encryptionContext`` and ``context`` (condition keys). Grants are a
    list as ListGrants gives it. Raises BadInputError.
    """
    asked = _object(request_file)
    for member in ("principal", "action"):
        if not isinstance(asked.get(member), str):
            raise BadInputError(f"{request_file}: the request needs a text {member!r}")
    unknown = asked.keys() - _MEMBERS
    if unknown:
        raise BadInputError(
            f"{request_file}: a request has no {min(unknown)!r}, but {', '.join(_MEMBERS)}"
        )
    try:
        require_action(asked["action"])
    except ValueError as problem:
        raise BadInputError(f"{request_file}: {problem}") from None
    principal = _principal(asked["principal"], request_file)
    resource = asked.get("resource", "*")
    arn = Arn.parse(resource)
    pairs = asked.get("encryptionContext") or {}
    context = ConditionContext(_facts(principal, asked, arn))
    request = Request(
        principal,
        asked["action"],
        resource,
        arn.account if arn is not None and key_policy is not None else None,
        lambda: context,
        encryption_context=pairs,
    )
    policies = AppliedPolicies(
        _policy(key_policy, PolicyKind.RESOURCE),
        tuple(_required(path, PolicyKind.IDENTITY) for path in identity_policies),
        _policy(boundary, PolicyKind.BOUNDARY),
        None if session_policy is None else (_required(session_policy, PolicyKind.SESSION),),
        grants=[] if grants is None else _grants(grants),
    )
    consulted = (*((policies.resource,) if policies.resource else ()), *policies.identity)
    findings = [
        Finding(f"{policy.name}, {finding.statement}", finding.text)
        for policy in consulted
        for finding in lint(policy)
    ]
    return replace(evaluate(request, policies), request=request, policies=policies), findings


def _facts(principal: Principal, asked: dict[str, Any], arn: Arn | None) -> Facts:
    """Give what files tell of a request; whatever else it has, they say in ``context``."""
    given = asked.get("context") or {}
    return Facts(
        action=asked["action"],
        principal=principal,
        owner=None if arn is None or arn.resource.startswith(ALIAS_PREFIX) else arn.account,
        parameters={},
        encryption_context=asked.get("encryptionContext"),
        region=None if arn is None else arn.region,
        now=datetime.now(timezone.utc),
        overrides={
            name: [str(item) for item in value] if isinstance(value, list) else _text(value)
            for name, value in given.items()
        },
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _principal(text: str, path: str) -> Principal:
    arn = Arn.parse(text)
    if arn is None and text.endswith(".amazonaws.com"):
        return Principal(PrincipalKind.SERVICE, text, "", text)
    if arn is None or arn.service not in ("iam", "sts"):
        raise BadInputError(f"{path}: {text!r} is no principal that makes requests")
    if arn.is_account_root:
        return Principal(PrincipalKind.ROOT, text, arn.account, arn.account)
    if arn.resource_type == "user":
        return Principal(PrincipalKind.USER, text, arn.account, "AIDA")
    if arn.resource_type == "role":
        # A role makes no requests itself: one of its sessions does.
        session = session_arn(arn.partition, arn.account, arn.name, "session")
        return Principal(PrincipalKind.ASSUMED_ROLE, session, arn.account, "AROA:session", text)
    if arn.role_and_session is not None:
        role = iam_arn(arn.partition, arn.account, f"role/{arn.role_and_session[0]}")
        return Principal(PrincipalKind.ASSUMED_ROLE, text, arn.account, "AROA:session", role)
    raise BadInputError(f"{path}: {text!r} is no principal that makes requests")


def _read(path: str) -> Any:
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as reason:
        raise BadInputError(f"{path}: {reason}") from None


def _object(path: str) -> dict[str, Any]:
    value = _read(path)
    if not isinstance(value, dict):
        raise BadInputError(f"{path}: a JSON object is needed")
    return value


def _policy(path: str | None, kind: PolicyKind) -> Policy | None:
    return None if path is None else _required(path, kind)


def _required(path: str, kind: PolicyKind) -> Policy:
    try:
        return parse(_object(path), kind, path)
    except MalformedPolicyError as defect:
        raise BadInputError(f"{path}: {defect}") from None


def _grants(path: str) -> list[Grant]:
    found = _read(path)
    entries = found.get("Grants") if isinstance(found, dict) else found
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise BadInputError(f"{path}: a list of grants is needed, as ListGrants gives it")
    return [_grant(entry, number) for number, entry in enumerate(entries, 1)]


def _grant(entry: dict[str, Any], number: int) -> Grant:
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
