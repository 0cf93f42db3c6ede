"""Explanations of decisions: the statements and grants that were considered, and what fits not."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from itertools import islice
from typing import Any

from kmsmock.authorization.conditions import Condition
from kmsmock.authorization.grants import Grant
from kmsmock.authorization.linting import lint_statement
from kmsmock.authorization.misspelt import find_misspelt
from kmsmock.authorization.policy import Effect, Policy, Statement
from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.authorization.principal_element import Match, match_name
from kmsmock.authorization.request import AppliedPolicies, Request
from kmsmock.authorization.variables import Context
from kmsmock.aws.principals import Principal, PrincipalKind
from kmsmock.misuse.public_object import PublicObject

#: Kinds of principal that have no identity policies at all.
_WITHOUT_POLICIES = (PrincipalKind.ROOT, PrincipalKind.SERVICE)
_GRANTS_SHOWN = 10
_VALUES_SHOWN = 4
#: As many as an encryption context, or the tags of a key, have in earnest.
_VALUES_OF_KEY_SHOWN = 50
_LONGEST = 500
#: From how many characters on a value is shown once.
_LONG = 300
_WIDEST = 100
_FIXED = (
    "This is an AWS managed key, whose policy nobody can change. It is used through its service; "
    "for all else create a customer managed key."
)


@dataclass(frozen=True, slots=True)
class Step(PublicObject):
    """One statement or grant that was considered."""

    #: The name of the statement or grant.
    subject: str
    #: Whether it applies to the request.
    matched: bool
    #: What does not match: the expected and the actual value.
    why: tuple[str, ...] = ()

    def __str__(self) -> str:
        verdict = "applies" if self.matched else "does not apply"
        return "\n".join([f"{self.subject}: {verdict}", *(f"  {why}" for why in self.why)])


def steps(request: Request, policies: AppliedPolicies) -> Iterator[Step]:
    """Yield each statement and grant that was considered, in the order of the decision."""
    shown: set[str] = set()
    groups: tuple[tuple[str, Iterable[Policy]], ...] = (
        *(("service control policy", level) for level in policies.service_control),
        *(("resource control policy", level) for level in policies.resource_control),
        ("key policy", () if policies.resource is None else (policies.resource,)),
    )
    for name, group in groups:
        for policy in group:
            yield from _steps_of(policy, name, request, policies, shown)
    for number, grant in enumerate(policies.grants):
        if number == _GRANTS_SHOWN:
            yield Step("more grants", matched=False, why=("not shown",))
            break
        yield _step_of_grant(grant, request)
    for policy in policies.identity:
        yield from _steps_of(policy, f"identity policy {policy.name}", request, policies, shown)
    if not policies.identity and request.principal.kind not in _WITHOUT_POLICIES:
        why = f"the caller has none{policies.remark}"
        yield Step("identity policies", matched=False, why=(why,))
    if policies.boundary is not None:
        yield from _steps_of(policies.boundary, "permissions boundary", request, policies, shown)
    for policy in policies.session or ():
        yield from _steps_of(policy, "session policy", request, policies, shown)


def _steps_of(
    policy: Policy, name: str, request: Request, policies: AppliedPolicies, shown: set[str]
) -> Iterator[Step]:
    """Yield a step for each statement. shown: the condition keys whose long values were shown."""
    context = get_policy_context(policy, request)
    for statement in policy.statements:
        subject = f"{name}, {statement.name}, {statement.effect.value}"
        why = list(_mismatches(statement, policy, request, policies))
        failed = (
            list_failed(statement, policy, request)
            if statement.means_action(request.lower_action)
            else ()
        )
        why += [_condition(condition, context, request, shown) for condition in failed]
        if why:
            yield Step(subject, matched=False, why=tuple(why))
            continue
        holding = [_condition(one, context, request, shown) for one in statement.conditions]
        match = statement.match_principal(request.principal, policies.unique_ids)
        if match is Match.DELEGATED and statement.effect is Effect.ALLOW:
            holding.append("it leaves the decision to the identity policies")
        yield Step(subject, matched=True, why=tuple(holding))


def get_policy_context(policy: Policy, request: Request) -> Context:
    """Return the condition keys that a policy sees."""
    return request.key_policy_context if policy.kind is PolicyKind.RESOURCE else request.context


def applies(
    statement: Statement, policy: Policy, request: Request, policies: AppliedPolicies
) -> bool:
    """Return whether a statement applies."""
    return applies_but_for_conditions(statement, policy, request, policies) and not list_failed(
        statement, policy, request
    )


def applies_but_for_conditions(
    statement: Statement, policy: Policy, request: Request, policies: AppliedPolicies
) -> bool:
    """Return whether a statement is about the action, principal and resource of a request."""
    return not any(_mismatches(statement, policy, request, policies))


def list_failed(statement: Statement, policy: Policy, request: Request) -> tuple[Condition, ...]:
    """Return the conditions of a statement that do not hold."""
    failed = request.failed.get(id(statement))
    if failed is None:
        context = get_policy_context(policy, request)
        is_deny = statement.effect is Effect.DENY
        failed = request.failed[id(statement)] = tuple(
            condition
            for condition in statement.conditions
            if not condition.holds(context, result_if_malformed=is_deny)
        )
    return failed


def _mismatches(
    statement: Statement, policy: Policy, request: Request, policies: AppliedPolicies
) -> Iterator[str]:
    """Yield why a statement does not apply, whatever its conditions."""
    source = statement.source
    if not statement.means_action(request.lower_action):
        # For another action, principal and resource do not matter.
        yield f"action: {_element(source, 'Action')}; asked for {request.action}"
        return
    if policy.kind is PolicyKind.RESOURCE:
        match = statement.match_principal(
            request.principal,
            policies.unique_ids,
            has_boundary=policies.boundary is not None,
        )
        if match is Match.NONE:
            wanted = _element(source, "Principal")
            caller = request.principal.principal_arn
            # Without unique ids, names mean whoever has them now.
            is_new = statement.match_principal(request.principal) is not Match.NONE
            again = ", which was deleted and created again" if is_new else ""
            yield f"principal: {wanted}; the caller is {caller}{again}"
    if not statement.means_resource(request.resource, get_policy_context(policy, request)):
        yield f"resource: {_element(source, 'Resource')}; asked for {request.resource}"


def _element(source: Mapping[str, Any], name: str) -> str:
    if f"Not{name}" in source:
        return f"all but {_short(source[f'Not{name}'])}"
    if name not in source:
        return f"the statement has no {name}"
    return f"it names {_short(source[name])}"


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(_short(item) for item in value.values())
    values = value if isinstance(value, list) else [value]
    first = ", ".join(str(item) for item in values[:_VALUES_SHOWN])
    return first + (
        f" and {len(values) - _VALUES_SHOWN} more" if len(values) > _VALUES_SHOWN else ""
    )


def _condition(condition: Condition, context: Context, request: Request, shown: set[str]) -> str:
    value = context.get(condition.lower_key)
    if value is None and condition.lower_key in request.context:
        got = "which key policies cannot see"
    elif value is None:
        got = "the request has no such key"
    elif condition.lower_key in shown:
        got = "got the same as above"
    else:
        got = f"got {_shown(value)}"
        if len(got) > _LONG:
            shown.add(condition.lower_key)
    wanted = ", ".join(map(_shortened, condition.values[:_VALUES_SHOWN]))
    return f"condition {condition.operator} {condition.key}: wanted {wanted}; {got}"


def _shown(value: str | list[str]) -> str:
    """Return a value of a condition key as JSON, a long list and a long text shortened."""
    if isinstance(value, str):
        return json.dumps(_shortened(value))
    first = [_shortened(item) for item in value[:_VALUES_OF_KEY_SHOWN]]
    return json.dumps(first) + _count_more(value)


def show_pairs(pairs: Mapping[str, str]) -> str:
    """Return an encryption context as Python writes it, one of many pairs shortened."""
    first = islice(pairs.items(), _VALUES_OF_KEY_SHOWN)
    return f"{ {_shortened(name): _shortened(value) for name, value in first} }{_count_more(pairs)}"


def show_names(names: Sequence[str]) -> str:
    """Return names in quotation marks, shortened if they are many."""
    first = names[:_VALUES_OF_KEY_SHOWN]
    return f"{', '.join(repr(_shortened(name)) for name in first)}{_count_more(names)}"


def _count_more(values: Sized) -> str:
    more = len(values) - _VALUES_OF_KEY_SHOWN
    return f" and {more:,} more" if more > 0 else ""


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _step_of_grant(grant: Grant, request: Request) -> Step:
    operation = request.action.removeprefix("kms:")
    subject = f"grant {grant.terms.name or grant.grant_id[:12]}"
    caller = request.principal
    if operation == "RetireGrant":
        if grant.match_retirer(caller) is not Match.NONE:
            return Step(subject, matched=True)
        named = _named_instead(sorted(grant.retirers), caller)
        return Step(subject, matched=False, why=(f"retiring principal: {named}",))
    why = []
    if grant.match_grantee(caller) is Match.NONE:
        why.append(f"grantee: {_named_instead([grant.grantee], caller)}")
    if operation not in grant.terms.operations:
        allowed = ", ".join(grant.terms.operations)
        why.append(f"operation: it allows {allowed}; asked for {operation}")
    elif not why and not grant.allows(
        operation, request.encryption_context, request.source_arn, request.child
    ):
        actual = f"encryption context {show_pairs(request.encryption_context or {})}"
        constraints = grant.terms.constraints
        if constraints is not None and constraints.source_arn is not None:
            actual += f" and aws:SourceArn {request.source_arn()}"
        why.append(f"constraints: wanted {_constraints(grant)}; got {actual}")
    return Step(subject, matched=not why, why=tuple(why))


def _named_instead(names: Sequence[str], caller: Principal) -> str:
    """Return whom a grant names instead of the caller, as a sentence."""
    # Without unique ids, a name means whoever has it now.
    name = next((name for name in names if match_name(caller, name) is not Match.NONE), None)
    if name is None:
        return f"it names {', '.join(names) or 'nobody'}; the caller is {caller.arn}"
    kind = "role" if caller.kind is PrincipalKind.ASSUMED_ROLE else "user"
    is_itself = name == (caller.entity_arn or caller.arn)
    return (
        f"it names {name}, {'' if is_itself else 'of '}a {kind} that was deleted; the caller is "
        f"{caller.arn}, {'of ' if caller.entity_arn else ''}the new {kind} with this name"
    )


def _constraints(grant: Grant) -> str:
    constraints = grant.terms.constraints
    if constraints is None:
        return "no more operations than its own"
    parts = []
    if constraints.equals is not None:
        parts.append(f"the encryption context {dict(constraints.equals)}")
    if constraints.subset is not None:
        parts.append(f"an encryption context with {dict(constraints.subset)}")
    if constraints.source_arn is not None:
        parts.append(f"aws:SourceArn {constraints.source_arn}")
    return " and ".join(parts)


def odd(request: Request, policies: AppliedPolicies) -> Iterator[str]:
    """Yield likely mistakes in the statements about the action that do not apply."""
    consulted = (*((policies.resource,) if policies.resource else ()), *policies.identity)
    for policy in consulted:
        about = policy.statements_about(request.lower_action)
        applying = {one for one in about if applies(one, policy, request, policies)}
        misspelt = find_misspelt(policy)
        for statement in policy.statements:
            if statement in applying:
                continue
            findings = list(misspelt.get(statement, ()))
            if statement in about:
                findings += lint_statement(statement, policy, exists=policies.exists)
            for finding in findings:
                yield f"{policy.name}, {statement.name}: {finding}"
        for finding in misspelt.get(None, ()):
            yield f"{policy.name}: {finding}"


def text(
    verdict: str,
    steps: Iterable[Step],
    odd: Iterable[str] = (),
    missing: Iterable[object] = (),
    fixes: Iterable[str] = (),
    *,
    is_fixed: bool = False,
) -> str:
    """Format a decision: the verdict, what was considered, likely mistakes, what is missing.

    fixes: what to change in the request. is_fixed: whether the key policy that denied is one that
    nobody can change. Lines are broken to fit a terminal of 100 columns, except for names that are
    longer.
    """
    lines = _wrapped(verdict, "")
    if steps:
        lines.append("Consulted:")
        for step in steps:
            first, *why = str(step).splitlines()
            lines += _wrapped(f"- {first}", "  ", hanging="    ")
            lines += [part for reason in why for part in _wrapped(reason.strip(), "    ")]
    if is_fixed:
        lines += _wrapped(_FIXED, "", hanging="")
    if odd:
        lines.append("Likely mistakes:")
        lines += [part for finding in odd for part in _wrapped(f"- {finding}", "  ")]
    if fixes:
        lines.append("Fixes:")
        lines += [part for fix in fixes for part in _wrapped(f"- {fix}", "  ")]
    if missing:
        lines.append("Missing:")
        lines += ["  " + line for entry in missing for line in str(entry).splitlines()]
    return "\n".join(lines)


def _wrapped(text: str, indent: str, hanging: str | None = None) -> list[str]:
    """Break a line behind words; ARNs stay whole."""
    return textwrap.wrap(
        text,
        _WIDEST,
        initial_indent=indent,
        subsequent_indent=f"{indent}  " if hanging is None else hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
