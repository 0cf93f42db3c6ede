"""IAM's policy simulator, answered by the evaluator that decides real calls.

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
from kmsmock.authorization.policy import Effect, Policy, PolicyKind, Statement
from kmsmock.authorization.request import AppliedPolicies, Outcome, Request
from kmsmock.aws.arns import Arn, name_in, region_of_endpoint
from kmsmock.aws.principals import Principal, PrincipalKind
from kmsmock.identities.entities import Entity, Identity
from kmsmock.services.errors import InvalidInput, NoSuchEntity
from kmsmock.services.iam.answered.documents import read_policy
from kmsmock.services.iam.answered.finding import page
from kmsmock.services.iam.answered.registry import operation
from kmsmock.services.registry import ServiceCall

_ACTION = re.compile(r"[a-zA-Z0-9-]+:[a-zA-Z0-9]+")
_VARIABLE = re.compile(r"\$\{([^},]+)")
#: Parameters that would change the answer, and are not understood.
_NOT_EMULATED = (
    "PolicyExclusionList",
    "OrderedOrganizationPolicyInputList",
    "ResourceHandlingOption",
)
_WORDS = {
    Outcome.ALLOW: "allowed",
    Outcome.EXPLICIT_DENY: "explicitDeny",
    Outcome.IMPLICIT_DENY: "implicitDeny",
}


def _source(call: ServiceCall) -> str:
    arn: str = call.parameters["PolicySourceArn"]
    return arn


@operation("SimulatePrincipalPolicy", _source)
def simulate_principal_policy(call: ServiceCall) -> dict[str, Any]:
    """Tell what a user, role or group may do by its policies, and by those that are given."""
    identity = _identity(call)
    organization = call.identities.organization_of(call.account)
    applied = AppliedPolicies(
        None,
        (*_of(identity), *_given(call, "PolicyInputList", PolicyKind.IDENTITY)),
        identity.boundary if isinstance(identity, Entity) else None,
        service_control=organization.service_control,
    )
    return _simulated(call, "SimulatePrincipalPolicy", applied, identity)


@operation("SimulateCustomPolicy", lambda call: "*")  # noqa: ARG005 - it is about no resource
def simulate_custom_policy(call: ServiceCall) -> dict[str, Any]:
    """Tell what the policies that are given allow."""
    applied = AppliedPolicies(None, _given(call, "PolicyInputList", PolicyKind.IDENTITY))
    return _simulated(call, "SimulateCustomPolicy", applied, None)


@operation("GetContextKeysForPrincipalPolicy", _source)
def get_context_keys_for_principal_policy(call: ServiceCall) -> dict[str, Any]:
    """List the condition keys that the policies of a user, role or group look at."""
    policies = (*_of(_identity(call)), *_given(call, "PolicyInputList", PolicyKind.IDENTITY))
    return {"ContextKeyNames": _context_keys(s for p in policies for s in p.statements)}


@operation("GetContextKeysForCustomPolicy", lambda call: "*")  # noqa: ARG005 - no resource
def get_context_keys_for_custom_policy(call: ServiceCall) -> dict[str, Any]:
    """List the condition keys that the policies that are given look at."""
    policies = _given(call, "PolicyInputList", PolicyKind.IDENTITY)
    return {"ContextKeyNames": _context_keys(s for p in policies for s in p.statements)}


def _identity(call: ServiceCall) -> Identity:
    arn = _source(call)
    entity = call.identities.entity(arn)
    if entity is not None and entity.arn == arn and arn.startswith(call.iam_arn("")):
        return entity
    for group in call.identities.groups_of(call.account, call.partition):
        if group.arn == arn:
            return group
    raise NoSuchEntity(f"{arn} does not exist.")


def _of(identity: Identity) -> tuple[Policy, ...]:
    return identity.policies if isinstance(identity, Entity) else identity.own_policies()


def _given(call: ServiceCall, member: str, kind: PolicyKind) -> tuple[Policy, ...]:
    return tuple(
        read_policy(text, kind, f"{member}.{number}")
        for number, text in enumerate(call.parameters.get(member, ()), 1)
    )


def _simulated(
    call: ServiceCall, name: str, applied: AppliedPolicies, source: Identity | None
) -> dict[str, Any]:
    parameters = call.parameters
    for member in _NOT_EMULATED:
        if member in parameters:
            raise InvalidInput(f"Invalid input: {member}", explanation=f"{member} is not emulated.")
    boundaries = _given(call, "PermissionsBoundaryPolicyInputList", PolicyKind.BOUNDARY)
    if len(boundaries) > 1:
        raise InvalidInput("Only one permissions boundary can be specified.")
    if boundaries:
        applied = applied._replace(boundary=boundaries[0])
    owner = None
    if "ResourcePolicy" in parameters:
        resource_policy = read_policy(
            parameters["ResourcePolicy"], PolicyKind.RESOURCE, "ResourcePolicy"
        )
        applied = applied._replace(resource=resource_policy)
        owner = _account(parameters.get("ResourceOwner", ""), call.account)
    principal = _caller(call, source, needed=owner is not None)
    is_known = isinstance(source, Entity) or "CallerArn" in parameters
    known = principal if is_known else None
    given: ContextKeys = {
        entry["ContextKeyName"]: entry.get("ContextKeyValues", [])
        if entry.get("ContextKeyType", "").endswith("List")
        else next(iter(entry.get("ContextKeyValues", [])), "")
        for entry in parameters.get("ContextEntries", ())
    }
    results = []
    for action in parameters["ActionNames"]:
        if not _ACTION.fullmatch(action):
            raise InvalidInput(f"Invalid Action: {action}")
        for resource in parameters.get("ResourceArns", ["*"]):
            facts = _facts(call, action, resource, known, given)
            request = Request(principal, action, resource, owner, partial(ConditionContext, facts))
            results.append(_result(request, applied))
    return page(call, name, "EvaluationResults", results)


def _facts(
    call: ServiceCall,
    action: str,
    resource: str,
    principal: Principal | None,
    given: ContextKeys,
) -> Facts:
    """Return what the simulator knows: who, when and where, and what it is told of the rest."""
    arn = Arn.parse(resource)
    is_key = arn is not None and arn.service == "kms" and arn.resource.startswith("key/")
    return Facts(
        action=action,
        principal=principal,
        identities=call.identities,
        owner=arn.account if arn is not None and is_key else None,
        region=(arn and arn.region) or region_of_endpoint(call.region),
        now=call.now,
        overrides=given,
    )


def _caller(call: ServiceCall, source: Identity | None, *, needed: bool) -> Principal:
    """Return who is thought to make the request; resource policies must be able to tell."""
    arn = call.parameters.get("CallerArn")
    if arn is None and isinstance(source, Entity):
        principal = call.identities.get_or_create(source.arn)
        if principal.kind is PrincipalKind.USER or not needed:
            return principal
    if arn is None and not needed:
        return call.principal
    found = call.identities.find(arn) if arn is not None else None
    if found is None or found.kind is not PrincipalKind.USER:
        raise InvalidInput(
            "CallerArn is required when a resource policy is specified, and must be a user's."
        )
    return found


def _account(owner: str, default: str) -> str:
    arn = Arn.parse(owner)
    return arn.account if arn is not None else default


def _result(request: Request, applied: AppliedPolicies) -> dict[str, Any]:
    decision = evaluate(request, applied)
    about = [
        statement
        for policy in _all(applied)
        for statement in policy.statements_about(request.lower_action)
    ]
    result: dict[str, Any] = {
        "EvalActionName": request.action,
        "EvalResourceName": request.resource,
        "EvalDecision": _WORDS[decision.outcome],
        "MatchedStatements": list(_matched(request, applied, decision)),
        "MissingContextValues": [
            key for key in _context_keys(about) if key.lower() not in request.context
        ],
    }
    if applied.service_control:
        only = AppliedPolicies(identity=(_EVERYTHING,), service_control=applied.service_control)
        result["OrganizationsDecisionDetail"] = {
            "AllowedByOrganizations": evaluate(_without_owner(request), only).allowed
        }
    if applied.boundary is not None:
        only = AppliedPolicies(identity=(_EVERYTHING,), boundary=applied.boundary)
        result["PermissionsBoundaryDecisionDetail"] = {
            "AllowedByPermissionsBoundary": evaluate(_without_owner(request), only).allowed
        }
    return result


_EVERYTHING = read_policy(
    '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}', PolicyKind.IDENTITY
)


def _without_owner(request: Request) -> Request:
    """Return the same request, as one that no resource policy has a say in."""
    return Request(
        request.principal, request.action, request.resource, None, lambda: request.context
    )


def _all(applied: AppliedPolicies) -> Iterator[Policy]:
    for level in applied.service_control:
        yield from level
    if applied.resource is not None:
        yield applied.resource
    yield from applied.identity
    if applied.boundary is not None:
        yield applied.boundary


def _matched(
    request: Request, applied: AppliedPolicies, decision: Decision
) -> Iterator[dict[str, Any]]:
    """Return the statements that made the decision what it is."""
    if decision.outcome is Outcome.IMPLICIT_DENY:
        return
    effect = Effect.ALLOW if decision.allowed else Effect.DENY
    for policy in _all(applied):
        for statement in policy.statements_about(request.lower_action):
            is_meant = statement.match_principal(request.principal)
            if (
                statement.effect is effect
                and is_meant
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
    """Return the condition keys that statements look at, those of policy variables too."""
    found: dict[str, str] = {}
    for statement in statements:
        for condition in statement.conditions:
            found.setdefault(condition.lower_key, condition.key)
        elements = [
            statement.source.get(member) for member in ("Resource", "NotResource", "Condition")
        ]
        for name in _VARIABLE.findall(json.dumps(elements)):
            if name not in ("*", "?", "$"):
                found.setdefault(name.strip().lower(), name.strip())
    return list(found.values())


# --- where statements stand in a document -------------------------------------------------------

_decoder = json.JSONDecoder()
_FILLING = re.compile(r"[\s:,]*")


def _positions(text: str) -> list[tuple[int, int]]:
    """Return where each statement of a document begins and ends, as offsets."""
    at = _skip(text, text.index("{") + 1)
    while True:
        name, at = _decoder.raw_decode(text, at)
        at = _skip(text, at)
        if name == "Statement":
            break
        at = _skip(text, _decoder.raw_decode(text, at)[1])
    if text[at] == "{":
        return [(at, _decoder.raw_decode(text, at)[1])]
    found = []
    at = _skip(text, at + 1)
    while text[at] != "]":
        end = _decoder.raw_decode(text, at)[1]
        found.append((at, end))
        at = _skip(text, end)
    return found


def _skip(text: str, at: int) -> int:
    match = _FILLING.match(text, at)
    assert match is not None
    return match.end()


def _position(text: str, offset: int) -> dict[str, int]:
    """Return an offset as line and column, both from 1."""
    before = text[:offset]
    return {"Line": before.count("\n") + 1, "Column": offset - (before.rfind("\n") + 1) + 1}
