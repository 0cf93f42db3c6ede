"""What nearly allows a denied request: statements and grants, but for a condition or constraint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from kmsmock.authorization.conditions import Condition
from kmsmock.authorization.explanation import applies_but_for_conditions, list_failed, show_pairs
from kmsmock.authorization.grants import Grant, has_context
from kmsmock.authorization.policy import Effect, Policy, Statement
from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.authorization.principal_element import Match
from kmsmock.authorization.request import AppliedPolicies, Request

_MAX_GRANTS = 200
#: Of more, none is any nearer than the others.
_MAX_STATEMENTS = 10


class NearMiss(NamedTuple):
    """A statement that allows the request, but for some of its conditions."""

    policy: Policy
    statement: Statement
    #: The conditions that do not hold.
    failed: tuple[Condition, ...]


def find_near_misses(
    group: Iterable[Policy], request: Request, policies: AppliedPolicies
) -> list[NearMiss]:
    """Return the Allow statements that only their conditions keep from applying, or some of many.

    group: those of the policies to search.
    """
    found = (
        NearMiss(policy, statement, failed)
        for policy in group
        for statement in policy.statements_about(request.lower_action)
        if statement.effect is Effect.ALLOW
        and (failed := list_failed(statement, policy, request))
        and applies_but_for_conditions(statement, policy, request, policies)
    )
    return list(islice(found, _MAX_STATEMENTS))


def select_policies(
    request: Request, policies: AppliedPolicies, cause: PolicyKind | None
) -> tuple[Policy, ...]:
    """Return the policies of which a statement could allow what a kind of policy did not."""
    of_key = (policies.resource,) if policies.resource is not None else ()
    if cause is PolicyKind.RESOURCE:
        return (*of_key, *policies.identity)
    if cause is PolicyKind.IDENTITY:
        is_own = request.owner == request.principal.account
        return (*(of_key if is_own else ()), *policies.identity)
    if cause is PolicyKind.BOUNDARY:
        return (policies.boundary,) if policies.boundary is not None else ()
    if cause is PolicyKind.SESSION:
        return policies.session or ()
    return tuple(policy for level in policies.service_control for policy in level)


def find_missed_grants(
    request: Request, policies: AppliedPolicies, cause: PolicyKind | None
) -> Iterator[Grant]:
    """Yield the grants for the caller and the operation whose constraints are not met."""
    operation = request.action.removeprefix("kms:")
    if operation == "RetireGrant" or cause not in (PolicyKind.RESOURCE, PolicyKind.IDENTITY):
        return
    for grant in islice(policies.grants, _MAX_GRANTS):
        if (
            operation in grant.terms.operations
            and grant.match_grantee(request.principal) is not Match.NONE
            and any(_list_unmet(grant, request))
        ):
            yield grant


def explain_missed_grant(
    request: Request, policies: AppliedPolicies, cause: PolicyKind | None
) -> str | None:
    """Explain which grant would allow a request but for its constraint, or had it not ended.

    None if there is none.
    """
    grant = next(find_missed_grants(request, policies, cause), None)
    if grant is not None:
        unmet = " and ".join(f"{wanted}, but {got}" for wanted, got in _list_unmet(grant, request))
        return f"grant {_name(grant)} allows {request.action} only with {unmet}"
    if cause not in (PolicyKind.RESOURCE, PolicyKind.IDENTITY):
        return None
    operation = request.action.removeprefix("kms:")
    for ended in policies.ended_grants:
        grant = ended.grant
        if grant.match_grantee(request.principal) is not Match.NONE and grant.allows(
            operation, request.encryption_context, request.source_arn, request.child
        ):
            return f"grant {_name(grant)} allowed {request.action}, but {ended}"
    return None


def _name(grant: Grant) -> str:
    return f"{grant.terms.name} ({grant.grant_id})" if grant.terms.name else grant.grant_id


def _list_unmet(grant: Grant, request: Request) -> Iterator[tuple[str, str]]:
    """Yield what a grant requires and a request does not meet, each with what the request has."""
    terms, child = grant.terms, request.child
    operation = request.action.removeprefix("kms:")
    if operation == "CreateGrant" and child is not None and not terms.cover(child):
        more = [name for name in child.operations if name not in terms.operations]
        if more:
            yield (
                f"Operations among its own ({', '.join(terms.operations)})",
                (f"the request has {', '.join(more)}"),
            )
        else:
            yield "Constraints that are at least as strict as its own", "the request has others"
    constraints = terms.constraints
    if constraints is None:
        return
    pairs = request.encryption_context or {}
    if has_context(operation) and not constraints.allow_context(pairs):
        got = f"the encryption context {show_pairs(pairs)}" if pairs else "no encryption context"
        for name, wanted in (
            ("EncryptionContextEquals", constraints.equals),
            ("EncryptionContextSubset", constraints.subset),
        ):
            if wanted is not None:
                yield f"{name} {dict(wanted)}", f"the request has {got}"
    if constraints.source_arn not in (None, request.source_arn()):
        got = request.source_arn() or "no aws:SourceArn"
        yield f"the SourceArn {constraints.source_arn}", f"the request has {got}"
