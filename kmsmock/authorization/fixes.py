"""What to change in a denied request, so that conditions hold and constraints of grants are met."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice

from kmsmock.authorization.conditions import Condition
from kmsmock.authorization.explanation import get_policy_context, show_names, show_pairs
from kmsmock.authorization.grants import Grant
from kmsmock.authorization.near_misses import find_missed_grants, find_near_misses, select_policies
from kmsmock.authorization.policy import Statement
from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.authorization.request import AppliedPolicies, Request
from kmsmock.authorization.variables import Template
from kmsmock.aws.operations import find_permission
from kmsmock.aws.principals import PrincipalKind
from kmsmock.aws.via_service import read_via_service

_CONTEXT = "kms:encryptioncontext:"
#: The condition keys of networks and sign-ins, which only tests can supply.
_OF_TESTS = ("aws:sourceip", "aws:sourcevp", "aws:vpcsource", "aws:multifactor", "aws:referer")


def list_fixes(
    request: Request,
    policies: AppliedPolicies,
    cause: PolicyKind | None,
    denying: Statement | None = None,
) -> tuple[str, ...]:
    """Return what would make conditions hold, and constraints of grants be met, as sentences.

    cause: the kind of policy that denied, or lacks the permission. denying: the statement that
    explicitly denied the request.
    """
    if denying is not None:
        negated = [condition for condition in denying.conditions if condition.is_negated]
        return tuple(_fix_conditions(negated, request))
    fixes: dict[str, None] = {}
    selected = select_policies(request, policies, cause)
    for policy, _, failed in find_near_misses(selected, request, policies):
        context = get_policy_context(policy, request)
        # Another place says that key policies cannot see a condition key.
        visible = [
            c for c in failed if c.lower_key in context or c.lower_key not in request.context
        ]
        fixes.update(dict.fromkeys(_fix_conditions(visible, request)))
    for grant in islice(find_missed_grants(request, policies, cause), 1):
        fixes.update(dict.fromkeys(_fix_constraints(grant, request)))
    return tuple(fixes)


def _fix_conditions(conditions: Iterable[Condition], request: Request) -> Iterator[str]:
    for condition in conditions:
        fix = _fix_condition(condition, request)
        if fix is not None:
            yield fix


def _fix_condition(condition: Condition, request: Request) -> str | None:
    """Return what makes a condition hold; None if it is not known."""
    key, wanted = condition.lower_key, condition.values[0] if condition.values else ""
    wanted = Template(wanted, substitutes_variables=True).text(request.context) or wanted
    if condition.compares_wildcards_literally:
        return None  # a likely mistake in the policy, not one in the request
    if condition.operator == "Null":
        return f"The policy is for requests {'without' if wanted == 'true' else 'with'} {key}."
    return next(
        (
            fix(condition, wanted, request)
            for name, fix in _FIXES
            if key == name or (name in _PREFIXES and key.startswith(name))
        ),
        None,
    )


def _fix_pair(condition: Condition, wanted: str, request: Request) -> str:
    name = condition.key[len(_CONTEXT) :]
    return f"{_pass_context(request, {name: wanted})}, as {condition.key} requires."


def _fix_names(condition: Condition, _: str, request: Request) -> str:
    wanted = set(condition.values)
    surplus = [name for name in request.encryption_context or {} if name not in wanted]
    if condition.operator.startswith("ForAllValues:") and surplus:
        return (
            f"Leave {show_names(surplus)} out of the encryption context: {condition.key} does not "
            "allow it."
        )
    return f"{_pass_context(request, dict.fromkeys(condition.values, '...'))}."


def _fix_service(condition: Condition, wanted: str, request: Request) -> str:
    used = request.context.get(condition.lower_key)
    if used is not None and read_via_service(wanted).region is None:
        return f"Write the Region in the policy, too: {condition.key} of this request is {used}."
    if used is not None:
        return (
            f"The policy is for requests of {wanted}, and this one is of {used}: use the service "
            f"and Region of the policy, or allow {used} there."
        )
    whom = "role" if request.principal.kind is PrincipalKind.ASSUMED_ROLE else "user"
    return (
        f"The policy is for requests that {wanted} makes for the caller: use the key through that "
        f'service, in tests also with {whom}.via("{wanted.partition(".")[0]}").client(). Whoever '
        "is to call KMS directly needs a grant (CreateGrant)."
    )


def _fix_alias(_: Condition, wanted: str, __: Request) -> str:
    return f"Name the key by the alias: KeyId={wanted!r}."


def _fix_source(_: Condition, wanted: str, __: Request) -> str:
    return (
        f"The policy is for requests that a service makes for {wanted}; in tests, "
        f'kms.principal(service).on_behalf_of("{wanted}").client() makes them.'
    )


def _fix_tag_of_principal(condition: Condition, wanted: str, _: Request) -> str:
    return f"Tag the user or role: {condition.key.partition('/')[2]}={wanted}."


def _fix_tag_of_key(condition: Condition, wanted: str, _: Request) -> str:
    return f"Tag the key (TagResource): {condition.key.partition('/')[2]}={wanted}."


def _fix_network(condition: Condition, wanted: str, _: Request) -> str:
    return f'In tests, kms.request_context({{"{condition.key}": "{wanted}"}}) sets the key.'


#: A condition key in lower case, or the beginning of some -> what makes a condition on it hold.
_FIXES: tuple[tuple[str, Callable[[Condition, str, Request], str]], ...] = (
    (_CONTEXT, _fix_pair),
    ("kms:encryptioncontextkeys", _fix_names),
    ("kms:viaservice", _fix_service),
    ("kms:requestalias", _fix_alias),
    ("aws:sourcearn", _fix_source),
    ("aws:principaltag/", _fix_tag_of_principal),
    ("aws:resourcetag/", _fix_tag_of_key),
    *((prefix, _fix_network) for prefix in _OF_TESTS),
)
#: Those that are the beginning of several condition keys.
_PREFIXES = frozenset({_CONTEXT, "aws:principaltag/", "aws:resourcetag/", *_OF_TESTS})


def _fix_constraints(grant: Grant, request: Request) -> Iterator[str]:
    constraints = grant.terms.constraints
    if constraints is None:
        return
    for pairs in (constraints.equals, constraints.subset):
        if pairs is not None and not constraints.allow_context(request.encryption_context):
            yield (
                f"{_pass_context(request, pairs)}, or create a grant whose Constraints fit the "
                "request (CreateGrant)."
            )
    if constraints.source_arn not in (None, request.source_arn()):
        yield f"The grant is for requests that a service makes for {constraints.source_arn}."


def _pass_context(request: Request, pairs: Mapping[str, str]) -> str:
    member = find_permission(request.action).context_member or "EncryptionContext"
    return f"Pass {member}={show_pairs(pairs)} in the request"
