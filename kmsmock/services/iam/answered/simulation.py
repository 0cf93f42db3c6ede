"""IAM's policy simulator, which uses the evaluation that decides calls.

Source: IAM API Reference, SimulatePrincipalPolicy and SimulateCustomPolicy.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from kmsmock.access.context import ConditionContext, ContextKeys
from kmsmock.access.facts import Facts
from kmsmock.authorization.decision import Decision
from kmsmock.authorization.evaluation import evaluate
from kmsmock.authorization.policy import Effect, Policy, Statement
from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.authorization.request import AppliedPolicies, Outcome, Request
from kmsmock.aws.arns import Arn, name_in
from kmsmock.aws.principals import Principal, PrincipalKind
from kmsmock.aws.regions import region_of_endpoint
from kmsmock.identities.entities import Entity, Identity
from kmsmock.services.errors import InvalidInput, NoSuchEntity
from kmsmock.services.iam.answered.documents import read_policy
from kmsmock.services.iam.answered.lookup import paginate_response
from kmsmock.services.iam.answered.registry import operation
from kmsmock.services.registry import ServiceCall

_ACTION = re.compile(r"[a-zA-Z0-9-]+:[a-zA-Z0-9]+")
_VARIABLE = re.compile(r"\$\{([^},]+)")
#: Parameters that would change the answer, and are not emulated.
_NOT_EMULATED = (
    "PolicyExclusionList",
    "OrderedOrganizationPolicyInputList",
    "ResourceHandlingOption",
)
_DECISIONS = {
    Outcome.ALLOW: "allowed",
    Outcome.EXPLICIT_DENY: "explicitDeny",
    Outcome.IMPLICIT_DENY: "implicitDeny",
}


def _source_arn(call: ServiceCall) -> str:
    arn: str = call.parameters["PolicySourceArn"]
    return arn


@operation("SimulatePrincipalPolicy", _source_arn)
def simulate_principal_policy(call: ServiceCall) -> dict[str, Any]:
    """Simulate the policies of a user, role or group, with further policies of the request."""
    identity = _find_source(call)
    organization = call.identities.organization_of(call.account)
    applied = AppliedPolicies(
        None,
        (*_policies_of(identity), *_requested_policies(call)),
        identity.boundary if isinstance(identity, Entity) else None,
        service_control=organization.service_control,
    )
    return _simulate(call, "SimulatePrincipalPolicy", applied, identity)


@operation("SimulateCustomPolicy", lambda call: "*")  # noqa: ARG005 - it has no resource
def simulate_custom_policy(call: ServiceCall) -> dict[str, Any]:
    """Simulate the policies of the request."""
    applied = AppliedPolicies(None, _requested_policies(call))
    return _simulate(call, "SimulateCustomPolicy", applied, None)


@operation("GetContextKeysForPrincipalPolicy", _source_arn)
def get_context_keys_for_principal_policy(call: ServiceCall) -> dict[str, Any]:
    """List the condition keys in the policies of a user, role or group, and of the request."""
    policies = (*_policies_of(_find_source(call)), *_requested_policies(call))
    return {"ContextKeyNames": _context_keys(s for p in policies for s in p.statements)}


@operation("GetContextKeysForCustomPolicy", lambda call: "*")  # noqa: ARG005 - no resource
def get_context_keys_for_custom_policy(call: ServiceCall) -> dict[str, Any]:
    """List the condition keys in the policies of the request."""
    policies = _requested_policies(call)
    return {"ContextKeyNames": _context_keys(s for p in policies for s in p.statements)}


def _find_source(call: ServiceCall) -> Identity:
    arn = _source_arn(call)
    entity = call.identities.entity(arn)
    if entity is not None and entity.arn == arn and arn.startswith(call.iam_arn("")):
        return entity
    for group in call.identities.groups_of(call.account, call.partition):
        if group.arn == arn:
            return group
    raise NoSuchEntity(f"{arn} does not exist.")


def _policies_of(identity: Identity) -> tuple[Policy, ...]:
    return identity.policies if isinstance(identity, Entity) else identity.own_policies()


def _requested_policies(
    call: ServiceCall, member: str = "PolicyInputList", kind: PolicyKind = PolicyKind.IDENTITY
) -> tuple[Policy, ...]:
    return tuple(
        read_policy(text, kind, f"{member}.{number}")
        for number, text in enumerate(call.parameters.get(member, ()), 1)
    )


def _simulate(
    call: ServiceCall, name: str, applied: AppliedPolicies, source: Identity | None
) -> dict[str, Any]:
    """Decide each action on each resource, and return a page of the results.

    name: of the operation. applied: the policies so far. source: whose policies are simulated.
    """
    parameters = call.parameters
    for member in _NOT_EMULATED:
        if member in parameters:
            raise InvalidInput(f"Invalid input: {member}", explanation=f"{member} is not emulated.")
    applied, owner = _add_boundary_and_resource_policy(call, applied)
    principal = _simulated_caller(call, source, required=owner is not None)
    is_known = isinstance(source, Entity) or "CallerArn" in parameters
    known_principal = principal if is_known else None
    context = _requested_context(call)
    results = []
    for action in parameters["ActionNames"]:
        if not _ACTION.fullmatch(action):
            raise InvalidInput(f"Invalid Action: {action}")
        for resource in parameters.get("ResourceArns", ["*"]):
            facts = _facts(call, action, resource, known_principal, context)
            request = Request(principal, action, resource, owner, partial(ConditionContext, facts))
            results.append(_result(request, applied))
    return paginate_response(call, name, "EvaluationResults", results)


def _add_boundary_and_resource_policy(
    call: ServiceCall, applied: AppliedPolicies
) -> tuple[AppliedPolicies, str | None]:
    """Add the boundary and resource policy of the request; return the owner of the resource too.

    The owner is an account, or None without a resource policy. Raises InvalidInput.
    """
    boundaries = _requested_policies(
        call, "PermissionsBoundaryPolicyInputList", PolicyKind.BOUNDARY
    )
    if len(boundaries) > 1:
        raise InvalidInput("Only one permissions boundary can be specified.")
    if boundaries:
        applied = applied._replace(boundary=boundaries[0])
    if "ResourcePolicy" not in call.parameters:
        return applied, None
    text = call.parameters["ResourcePolicy"]
    resource_policy = read_policy(text, PolicyKind.RESOURCE, "ResourcePolicy")
    owner = _account(call.parameters.get("ResourceOwner", ""), call.account)
    return applied._replace(resource=resource_policy), owner


def _requested_context(call: ServiceCall) -> ContextKeys:
    """Return the condition keys of ContextEntries, with their values."""
    return {
        entry["ContextKeyName"]: entry.get("ContextKeyValues", [])
        if entry.get("ContextKeyType", "").endswith("List")
        else next(iter(entry.get("ContextKeyValues", [])), "")
        for entry in call.parameters.get("ContextEntries", ())
    }


def _facts(
    call: ServiceCall,
    action: str,
    resource: str,
    principal: Principal | None,
    context: ContextKeys,
) -> Facts:
    """Return the facts about a simulated request.

    principal: None when it is unknown. context: the condition keys of the request.
    """
    arn = Arn.parse(resource)
    is_key = arn is not None and arn.service == "kms" and arn.resource.startswith("key/")
    return Facts(
        action=action,
        principal=principal,
        identities=call.identities,
        owner=arn.account if arn is not None and is_key else None,
        region=(arn and arn.region) or region_of_endpoint(call.region),
        now=call.now,
        overrides=context,
    )


def _simulated_caller(call: ServiceCall, source: Identity | None, *, required: bool) -> Principal:
    """Return the principal of the simulated requests.

    required: whether it must be a user, because a resource policy names principals. Raises
    InvalidInput.
    """
    arn = call.parameters.get("CallerArn")
    if arn is None and isinstance(source, Entity):
        principal = call.identities.get_or_create(source.arn)
        if principal.kind is PrincipalKind.USER or not required:
            return principal
    if arn is None and not required:
        return call.principal
    caller = call.identities.get(arn) if arn is not None else None
    if caller is None or caller.kind is not PrincipalKind.USER:
        raise InvalidInput(
            "CallerArn is required when a resource policy is specified, and must be a user's."
        )
    return caller


def _account(owner: str, default: str) -> str:
    arn = Arn.parse(owner)
    return arn.account if arn is not None else default


def _result(request: Request, applied: AppliedPolicies) -> dict[str, Any]:
    decision = evaluate(request, applied)
    statements = [
        statement
        for policy in _all_policies(applied)
        for statement in policy.statements_about(request.lower_action)
    ]
    result: dict[str, Any] = {
        "EvalActionName": request.action,
        "EvalResourceName": request.resource,
        "EvalDecision": _DECISIONS[decision.outcome],
        "MatchedStatements": list(_matched_statements(request, applied, decision)),
        "MissingContextValues": [
            key for key in _context_keys(statements) if key.lower() not in request.context
        ],
    }
    if applied.service_control:
        only = AppliedPolicies(identity=(_ALLOW_ALL,), service_control=applied.service_control)
        result["OrganizationsDecisionDetail"] = {
            "AllowedByOrganizations": evaluate(_without_owner(request), only).allowed
        }
    if applied.boundary is not None:
        only = AppliedPolicies(identity=(_ALLOW_ALL,), boundary=applied.boundary)
        result["PermissionsBoundaryDecisionDetail"] = {
            "AllowedByPermissionsBoundary": evaluate(_without_owner(request), only).allowed
        }
    return result


_ALLOW_ALL = read_policy(
    '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}', PolicyKind.IDENTITY
)


def _without_owner(request: Request) -> Request:
    """Return the same request, on a resource without a resource policy."""
    return Request(
        request.principal, request.action, request.resource, None, lambda: request.context
    )


def _all_policies(applied: AppliedPolicies) -> Iterator[Policy]:
    for level in applied.service_control:
        yield from level
    if applied.resource is not None:
        yield applied.resource
    yield from applied.identity
    if applied.boundary is not None:
        yield applied.boundary


def _matched_statements(
    request: Request, applied: AppliedPolicies, decision: Decision
) -> Iterator[dict[str, Any]]:
    """Return the statements that have led to the decision, as members of the answer."""
    if decision.outcome is Outcome.IMPLICIT_DENY:
        return
    effect = Effect.ALLOW if decision.allowed else Effect.DENY
    for policy in _all_policies(applied):
        for statement in policy.statements_about(request.lower_action):
            if (
                statement.effect is effect
                and statement.match_principal(request.principal)
                and statement.applies(request.resource, request.context)
            ):
                start, end = _positions(policy.text)[statement.number - 1]
                yield {
                    "SourcePolicyId": name_in(policy.name),
                    "SourcePolicyType": "IAM Policy",
                    "StartPosition": _position(policy.text, start),
                    "EndPosition": _position(policy.text, end),
                }


def _context_keys(statements: Iterable[Statement]) -> list[str]:
    """Return the condition keys in statements, also those in policy variables."""
    names: dict[str, str] = {}
    for statement in statements:
        for condition in statement.conditions:
            names.setdefault(condition.lower_key, condition.key)
        elements = [
            statement.source.get(member) for member in ("Resource", "NotResource", "Condition")
        ]
        for name in _VARIABLE.findall(json.dumps(elements)):
            if name not in ("*", "?", "$"):
                names.setdefault(name.strip().lower(), name.strip())
    return list(names.values())


# --- positions of statements in a document ------------------------------------------------------

_decoder = json.JSONDecoder()
_SEPARATORS = re.compile(r"[\s:,]*")


def _positions(text: str) -> list[tuple[int, int]]:
    """Return the offsets at which each statement of a document begins and ends."""
    at = _skip(text, text.index("{") + 1)
    while True:
        name, at = _decoder.raw_decode(text, at)
        at = _skip(text, at)
        if name == "Statement":
            break
        at = _skip(text, _decoder.raw_decode(text, at)[1])
    if text[at] == "{":
        return [(at, _decoder.raw_decode(text, at)[1])]
    positions = []
    at = _skip(text, at + 1)
    while text[at] != "]":
        end = _decoder.raw_decode(text, at)[1]
        positions.append((at, end))
        at = _skip(text, end)
    return positions


def _skip(text: str, at: int) -> int:
    """Return the offset after white space, colons and commas."""
    match = _SEPARATORS.match(text, at)
    assert match is not None
    return match.end()


def _position(text: str, offset: int) -> dict[str, int]:
    """Return an offset as line and column, both counted from 1."""
    before = text[:offset]
    return {"Line": before.count("\n") + 1, "Column": offset - (before.rfind("\n") + 1) + 1}
