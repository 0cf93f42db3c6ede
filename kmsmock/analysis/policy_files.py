"""Evaluate a request under policies that are in files, for the command ``kmsmock explain``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone

import kmsmock.operations  # noqa: F401 - registers the operations, whose facts are needed
from kmsmock.access.context import ConditionContext
from kmsmock.access.facts import Facts, encryption_context
from kmsmock.analysis.grant_files import read_grants
from kmsmock.analysis.json_files import BadInputError, Location, read_json, read_object
from kmsmock.analysis.request_files import DescribedRequest, read_request
from kmsmock.authorization.decision import Decision
from kmsmock.authorization.evaluation import evaluate, evaluate_retirement
from kmsmock.authorization.grants import Grant
from kmsmock.authorization.linting import Finding, lint
from kmsmock.authorization.policy import Policy, parse
from kmsmock.authorization.policy_document import MalformedPolicyError, PolicyKind
from kmsmock.authorization.request import AppliedPolicies, Request
from kmsmock.aws.arns import Arn
from kmsmock.aws.operations import find_permission
from kmsmock.aws.policy_limits import (
    BOUNDARY,
    INLINE_POLICIES,
    KEY_POLICY,
    MANAGED_POLICY,
    SESSION_POLICIES,
    PolicyLimitError,
    SizeLimit,
)
from kmsmock.aws.principals import Principal, PrincipalKind
from kmsmock.keys.policies import shorten

_RETIRE = "kms:RetireGrant"


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

    The request is a JSON object with ``principal`` (ARN), ``action``, ``resource`` (a key ARN; an
    alias ARN to evaluate the permission on the alias; absent or ``*`` for actions that are not
    about a key), and optionally ``encryptionContext``, ``context`` (condition keys) and
    ``sessionIssuer``: the ARN of the role of a session, or of the user that a federated user
    derives from. Grants are a list as in the response of ListGrants; those on other keys do not
    count. Returns the decision, and findings about the policies. Raises BadInputError.
    """
    described = read_request(request_file)
    resource_policy = _read_optional_policy(key_policy, PolicyKind.RESOURCE, KEY_POLICY)
    limit = _limit_of_identity_policies(described.principal)
    identity = tuple(_read_policy(path, PolicyKind.IDENTITY, limit) for path in identity_policies)
    all_grants = [] if grants is None else read_grants(grants)
    principal = described.with_role(_names(resource_policy, all_grants))
    policies = AppliedPolicies(
        resource_policy if described.key is not None else None,
        identity,
        _read_optional_policy(boundary, PolicyKind.BOUNDARY, BOUNDARY),
        _read_session_policies(session_policy, principal),
        grants=[grant for grant in all_grants if _is_on(grant, described.key)],
    )
    has_key_side = key_policy is not None or grants is not None
    decision = _evaluate(described, principal, policies, has_key_side=has_key_side)
    findings = [
        *_assumptions(described, principal, key_policy, grants),
        *_grants_on_other_keys(described, all_grants),
    ]
    consulted = (*((resource_policy,) if resource_policy else ()), *identity)
    findings += [
        Finding(f"{policy.name}, {finding.statement}", finding.text)
        for policy in consulted
        for finding in lint(policy)
    ]
    return decision, findings


def _evaluate(
    described: DescribedRequest,
    principal: Principal,
    policies: AppliedPolicies,
    *,
    has_key_side: bool,
) -> Decision:
    retired = _retired_grant(described, policies) if described.action == _RETIRE else None
    facts = _build_facts(described, principal, retired)
    context = ConditionContext(facts)
    request = Request(
        principal,
        described.action,
        described.resource,
        described.key.account if described.key is not None and has_key_side else None,
        lambda: context,
        encryption_context=facts.encryption_context,
    )
    if retired is None:
        decision = evaluate(request, policies)
    else:
        decision = evaluate_retirement(request, policies, retired)
    return decision.with_request(request, policies)


def _build_facts(described: DescribedRequest, principal: Principal, retired: Grant | None) -> Facts:
    """Return the facts about a request; its ``context`` supplies all other condition keys."""
    arn = Arn.parse(described.resource)
    pairs = described.encryption_context
    constraints = None if retired is None else retired.terms.constraints
    if pairs is None:
        member = find_permission(described.action).context_member
        pairs = encryption_context(member, {}, constraints)
    return Facts(
        action=described.action,
        principal=principal,
        owner=None if arn is None or arn.resource_type == "alias" else arn.account,
        parameters={},
        encryption_context=pairs,
        constraints=constraints,
        region=None if arn is None else arn.region,
        now=datetime.now(timezone.utc),
        overrides=described.context,
    )


def _retired_grant(described: DescribedRequest, policies: AppliedPolicies) -> Grant:
    """Return the grant that RetireGrant is about: the only one on the key."""
    grants = tuple(policies.grants)
    if len(grants) != 1:
        described.location.within("action").refuse(
            f"{_RETIRE} is about one grant: --grants must have this grant on the key, and no other"
        )
    return grants[0]


# --- findings about the input ----------------------------------------------------------------


def _assumptions(
    described: DescribedRequest, principal: Principal, key_policy: str | None, grants: str | None
) -> Iterator[Finding]:
    """Yield what the evaluation assumes, because the files do not say it."""
    if principal is not described.principal and Arn.of(principal.entity_arn or "").path != "/":
        yield Finding(
            "the principal",
            f"taken for a session of {principal.entity_arn}, which the key policy or the grants "
            "name: the ARN of a session does not have the path of its role (sessionIssuer)",
        )
    if principal.kind is PrincipalKind.FEDERATED_USER and principal.entity_arn is None:
        yield Finding(
            "the principal",
            "without sessionIssuer, the IAM user that it derives from is unknown: what names this "
            "user does not apply",
        )
    if described.key is None and (key_policy is not None or grants is not None):
        yield Finding("the resource", "it is not a key, so the key policy and grants do not apply")
    if described.key is not None and key_policy is None:
        yield Finding("the key policy", "none is given, and so not evaluated (--key-policy)")


def _grants_on_other_keys(
    described: DescribedRequest, grants: Sequence[Grant]
) -> Iterator[Finding]:
    if described.key is None:
        return
    for grant in grants:
        if not _is_on(grant, described.key):
            yield Finding(
                f"grant {grant.terms.name or grant.grant_id}",
                f"it is on {grant.key_arn}, another key, so it does not apply",
            )


def _is_on(grant: Grant, key: Arn | None) -> bool:
    """Return whether a grant is on a key; one without KeyId is on any."""
    return key is not None and grant.key_arn in ("", str(key), key.resource_id)


def _names(policy: Policy | None, grants: Sequence[Grant]) -> set[str]:
    """Return the names of principals in a key policy and in grants."""
    statements = () if policy is None else policy.statements
    elements = (statement.principals for statement in statements)
    names = {name for element in elements if element is not None for name in element.names}
    for grant in grants:
        principals = (grant.terms.grantee_principal, grant.terms.retiring_principal)
        names.update(name for name in principals if name is not None)
    return names


# --- policies ----------------------------------------------------------------------------------


def _limit_of_identity_policies(principal: Principal) -> SizeLimit:
    """Return the limit of the largest identity policy that a principal can have.

    The files do not say which ones are managed or inline policies, and of a user or a group.
    """
    kinds = ("role",) if principal.kind is PrincipalKind.ASSUMED_ROLE else ("user", "group")
    return max((MANAGED_POLICY, *map(INLINE_POLICIES.__getitem__, kinds)), key=lambda one: one.most)


def _read_optional_policy(path: str | None, kind: PolicyKind, limit: SizeLimit) -> Policy | None:
    return None if path is None else _read_policy(path, kind, limit)


def _read_session_policies(path: str | None, principal: Principal) -> tuple[Policy, ...] | None:
    if path is not None:
        return (_read_policy(path, PolicyKind.SESSION, SESSION_POLICIES),)
    # A federated user without session policies has no permissions of its own.
    return () if principal.kind is PrincipalKind.FEDERATED_USER else None


def _read_policy(path: str, kind: PolicyKind, limit: SizeLimit) -> Policy:
    document = read_object(read_json(path), Location(path))
    try:
        policy = parse(document, kind, path)
        # White space does not count here: KMS returns more of it than it was sent.
        limit.require(shorten(policy) if kind is PolicyKind.RESOURCE else document)
    except (MalformedPolicyError, PolicyLimitError) as defect:
        raise BadInputError(f"{path}: {defect}") from None
    return policy
