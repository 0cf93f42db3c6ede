"""Deciding a request: IAM's policy evaluation, and KMS's own rules on top.

Source: IAM User Guide, "Policy evaluation logic"; AWS KMS Developer Guide, "Troubleshooting key
access" and "Key policies in AWS KMS".
"""

from __future__ import annotations

from dataclasses import replace

from kmsmock.authorization.decision import Decision
from kmsmock.authorization.grant_index import grants_that_allow
from kmsmock.authorization.grants import Grant
from kmsmock.authorization.policy import Effect, Policy, Statement
from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.authorization.principal_element import Match
from kmsmock.authorization.request import AppliedPolicies, Outcome, Request
from kmsmock.authorization.variables import Context
from kmsmock.aws.operations import find_permission
from kmsmock.aws.principals import PrincipalKind

#: Actions of other services that other accounts can allow.
_TAKING_ROLES = frozenset({"sts:AssumeRole", "sts:TagSession"})

_BY_IDENTITY = Decision(Outcome.ALLOW, "an identity-based policy allows it")
_BY_ROOT = Decision(Outcome.ALLOW, "the root user of an account needs no identity-based policy")
_BY_DELEGATION = Decision(
    Outcome.ALLOW,
    "the key policy leaves it to the identity-based policies of the account, and they allow it",
)


def evaluate(request: Request, policies: AppliedPolicies) -> Decision:
    """Decide a request. An explicit deny beats everything, grants included."""
    refusal = _refusal(request, policies)
    return _evaluate_allows(request, policies) if refusal is None else refusal


def _refusal(request: Request, policies: AppliedPolicies) -> Decision | None:
    denied = _explicit_deny(request, policies)
    return _limit_of_organization(request, policies) if denied is None else denied


def _unless(refusal: Decision | None, decision: Decision) -> Decision:
    """Return the refusal, which is falsy, if there is one; otherwise the decision."""
    return decision if refusal is None else refusal


def _evaluate_allows(request: Request, policies: AppliedPolicies) -> Decision:
    if request.owner is None:
        return _unless(_caller_side(request, policies), _BY_IDENTITY)
    side = _resource_side(request, policies)
    if request.principal.kind is PrincipalKind.SERVICE:
        return side.allowance or _nothing_allows(request, PolicyKind.RESOURCE)
    if request.principal.account == request.owner:
        return _same_account(request, policies, side)
    return _cross_account(request, policies, side)


# --- denies ---------------------------------------------------------------------------------


def _explicit_deny(request: Request, policies: AppliedPolicies) -> Decision | None:
    groups: tuple[tuple[Policy, ...], ...] = (
        *(() if _is_service(request) else policies.service_control),
        *policies.resource_control,
        (policies.resource,) if policies.resource is not None else (),
        policies.identity,
        (policies.boundary,) if policies.boundary is not None else (),
        policies.session or (),
    )
    for group in groups:
        for policy in group:
            if not policy.denies:
                continue
            statement = _matching(policy, Effect.DENY, request, policies)
            if statement is not None:
                return Decision(
                    Outcome.EXPLICIT_DENY,
                    f"{statement.name} of {_called(policy)} denies {request.action}",
                    policy.kind,
                    request.owner not in (None, request.principal.account)
                    and policy.kind is PolicyKind.RESOURCE,
                    policy,
                    statement,
                )
    return None


def _limit_of_organization(request: Request, policies: AppliedPolicies) -> Decision | None:
    """Refuse what a level of the organization does not allow."""
    if _is_service(request):
        return None
    for level in policies.service_control:
        if not _any_allows(level, request, policies):
            return _nothing_allows(request, PolicyKind.SERVICE_CONTROL)
    return None


def _is_service(request: Request) -> bool:
    return request.principal.kind is PrincipalKind.SERVICE


# --- the side of the key --------------------------------------------------------------------


class _ResourceSide:
    """What key policy and grants allow, by what else has to allow it too."""

    __slots__ = ("allowance", "delegated", "limited", "trusted", "trusted_by")

    def __init__(self) -> None:
        #: The decision if nothing else has to allow the request.
        self.allowance: Decision | None = None
        #: The decision if permissions boundary and session policies allow it too.
        self.limited: Decision | None = None
        #: The decision if identity policies allow it too.
        self.delegated: Decision | None = None
        #: The closest match of the caller with the grants of its own account.
        self.trusted = Match.NONE
        #: The decision by the first of these grants.
        self.trusted_by: Decision | None = None

    def take(
        self,
        match: Match,
        *,
        policy: Policy | None = None,
        statement: Statement | None = None,
        grant: Grant | None = None,
    ) -> None:
        """Note what allows the request; the first of each kind is kept."""
        if match is Match.DELEGATED and self.delegated is None:
            self.delegated = _BY_DELEGATION if grant is None else _delegated_by(grant)
        elif match is Match.DIRECT and self.allowance is None:
            self.allowance = _allowed_by(policy, statement, grant)
        elif match is Match.LIMITED and self.limited is None:
            self.limited = _allowed_by(policy, statement, grant)

    def trust(self, match: Match, grant: Grant) -> None:
        """Note a grant of the caller's own account, which speaks for that account too."""
        if match > self.trusted:
            self.trusted, self.trusted_by = match, _allowed_by(None, None, grant)


def _delegated_by(grant: Grant) -> Decision:
    return Decision(
        Outcome.ALLOW,
        f"grant {grant.grant_id} leaves it to the identity-based policies of the account, and they "
        "allow it",
        grant=grant,
    )


def _allowed_by(
    policy: Policy | None, statement: Statement | None, grant: Grant | None
) -> Decision:
    if grant is None:
        assert policy is not None
        assert statement is not None
        what = f"{statement.name} of {_called(policy)}"
    else:
        what = f"grant {grant.grant_id}"
    return Decision(
        Outcome.ALLOW, f"{what} allows it", policy=policy, statement=statement, grant=grant
    )


def _resource_side(request: Request, policies: AppliedPolicies) -> _ResourceSide:
    side = _ResourceSide()
    policy = policies.resource
    if policy is not None:
        for statement in policy.statements_about(request.lower_action):
            if statement.effect is Effect.DENY:
                continue
            match = statement.match_principal(request.principal, policies.unique_ids)
            if match is Match.NONE:
                continue
            context = request.key_policy_context if statement.needs_context else _NOTHING
            if statement.applies(request.resource, context):
                side.take(match, policy=policy, statement=statement)
    if side.allowance is None or request.principal.account != request.owner:
        for grant in grants_that_allow(policies.grants, request):
            match = grant.match_grantee(request.principal)
            side.take(match, grant=grant)
            if grant.issuing_account == request.principal.account:
                side.trust(match, grant)
    return side


def _same_account(request: Request, policies: AppliedPolicies, side: _ResourceSide) -> Decision:
    if side.allowance is not None:
        return side.allowance
    if side.limited is not None:
        # A role is limited by its boundary and session policies, however it was allowed.
        return _unless(_limit_of_session(request, policies), side.limited)
    if side.delegated is not None:
        return _unless(_caller_side(request, policies), side.delegated)
    return _nothing_allows(request, PolicyKind.RESOURCE)


def works_across_accounts(action: str) -> bool:
    """Return whether an action can be allowed on a key or role of another account."""
    return action in _TAKING_ROLES or find_permission(action).works_across_accounts


def _cross_account(request: Request, policies: AppliedPolicies, side: _ResourceSide) -> Decision:
    """Let both accounts decide: the key's must share it, and the caller's must allow its use."""
    if not works_across_accounts(request.action):
        return Decision(
            Outcome.IMPLICIT_DENY,
            f"{request.action} does not work on keys of other accounts",
            PolicyKind.RESOURCE,
            is_hidden=True,
        )
    shared = side.allowance or side.limited or side.delegated
    if shared is None:
        return Decision(
            Outcome.IMPLICIT_DENY,
            f"the key's account {request.owner} does not share it: neither its key policy nor a "
            f"grant lets {request.principal.arn} perform {request.action}",
            PolicyKind.RESOURCE,
            is_hidden=True,
        )
    if side.trusted_by is not None and side.trusted is Match.DIRECT:
        return side.trusted_by
    if side.trusted_by is not None and side.trusted is Match.LIMITED:
        return _unless(_limit_of_session(request, policies), side.trusted_by)
    limit = None
    if side.limited is not None and side.limited.grant is not None:
        limit = _limit_of_session(request, policies)
    if limit is None:
        limit = _caller_side(request, policies)
    if limit is None:
        return shared
    return replace(
        limit,
        reason=f"the key's account {request.owner} shares it, but in the caller's own account "
        f"{limit.reason}",
    )


# --- the side of the caller -----------------------------------------------------------------


def _caller_side(request: Request, policies: AppliedPolicies) -> Decision | None:
    """Return what the caller's own account lacks; None when its policies allow the request."""
    if request.principal.kind is PrincipalKind.ROOT:
        return None
    if not _any_allows(policies.identity, request, policies):
        return _nothing_allows(request, PolicyKind.IDENTITY)
    return _limit_of_session(request, policies)


def _limit_of_session(request: Request, policies: AppliedPolicies) -> Decision | None:
    """Return the boundary or session policy that does not allow the request; None without one."""
    boundary, session = policies.boundary, policies.session
    if boundary is not None and not _any_allows((boundary,), request, policies):
        return _nothing_allows(request, PolicyKind.BOUNDARY)
    if session is not None and not _any_allows(session, request, policies):
        return _nothing_allows(request, PolicyKind.SESSION)
    return None


# --- retiring a grant -----------------------------------------------------------------------


def evaluate_retirement(request: Request, policies: AppliedPolicies, grant: Grant) -> Decision:
    """Decide RetireGrant, which the grant itself allows and no key policy can.

    Source: AWS KMS Developer Guide, "Retiring and revoking grants".
    """
    refusal = _refusal(request, policies)
    if refusal is not None:
        return refusal
    principal = request.principal
    match = grant.match_retirer(principal)
    decision = _allowed_by(None, None, grant)
    is_at_home = principal.account in (request.owner, grant.issuing_account)
    if match > Match.DELEGATED:
        limit = _limit_of_session(request, policies) if match is Match.LIMITED else None
        # A service has no account, and so no identity policies that could be asked for.
        if limit is None and principal.account and not is_at_home:
            limit = _caller_side(request, policies)
        return _unless(limit, decision)
    if match is Match.DELEGATED or is_at_home:
        return _unless(_caller_side(request, policies), decision)
    return Decision(
        Outcome.IMPLICIT_DENY,
        f"grant {grant.grant_id} does not let {principal.arn} retire it",
        PolicyKind.RESOURCE,
        is_hidden=True,
    )


# --- statements -----------------------------------------------------------------------------


def _any_allows(
    group: tuple[Policy, ...], request: Request, policies: AppliedPolicies
) -> Statement | None:
    for policy in group:
        statement = _matching(policy, Effect.ALLOW, request, policies)
        if statement is not None:
            return statement
    return None


def _matching(
    policy: Policy, effect: Effect, request: Request, policies: AppliedPolicies
) -> Statement | None:
    """Return the first statement of an effect that applies to the request."""
    is_of_key = policy.kind in _OF_RESOURCES
    resource = request.resource
    context: Context | None = None
    for statement in policy.statements_about(request.lower_action):
        if statement.effect is not effect:
            continue
        if is_of_key and not statement.match_principal(
            request.principal, policies.unique_ids, has_boundary=policies.boundary is not None
        ):
            continue
        if statement.is_unlimited:
            return statement
        # Collecting the context costs more than most of what is asked of it.
        if statement.needs_context and context is None:
            context = request.key_policy_context if is_of_key else request.context
        if statement.applies(resource, _NOTHING if context is None else context):
            return statement
    return None


_NOTHING: Context = {}
_OF_RESOURCES = (PolicyKind.RESOURCE, PolicyKind.TRUST)


def _nothing_allows(request: Request, kind: PolicyKind) -> Decision:
    return Decision(
        Outcome.IMPLICIT_DENY,
        f"no {kind.value} allows {request.principal.arn} to perform {request.action}",
        kind,
    )


def _called(policy: Policy) -> str:
    return policy.name or f"the {policy.kind.value}"
