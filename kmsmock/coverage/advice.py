"""What no test would notice, in words, with the call that a test would have to make."""

from __future__ import annotations

from collections.abc import Iterable

import kmsmock.operations  # noqa: F401 - declares the actions
from kmsmock.authorization.pattern_sets import PatternSet
from kmsmock.authorization.policy_document import PolicyKind, as_list
from kmsmock.aws.operations import permissions
from kmsmock.coverage.elements import Element, list_elements
from kmsmock.coverage.records import CoveredGrant, CoveredPolicy, Decided, Example, Records
from kmsmock.coverage.summary import name_of
from kmsmock.coverage.weakness import Weakening, Weakness

_ENCRYPTION_CONTEXT = "kms:EncryptionContext:"
_SHOWN = 3
_OF_TRUST = ("sts:AssumeRole", "sts:TagSession")
#: The order of reports: what says most about a test comes first.
_ORDER = ("condition", "constraints", "statement", "principal", "action", "grant")


def sort_weaknesses(weaknesses: Iterable[Weakness]) -> list[Weakness]:
    """Return what no test would notice, first that for which a test could easily be varied."""
    unnoticed = [one for one in weaknesses if one.noticed_by is None]
    return sorted(
        unnoticed,
        key=lambda one: (
            one.example is None,
            _ORDER.index(one.weakening.change),
            one.weakening,
        ),
    )


def describe(records: Records, weakness: Weakness) -> str:
    """Return what no test would notice, and the call that a test would have to make."""
    weakening = weakness.weakening
    what, verb = _what(records, weakening)
    return f"no test would notice if {what} {verb}: {_advice(records, weakness)}"


def describe_change(records: Records, weakening: Weakening) -> str:
    """Return a weakening in words, such as ``the condition on aws:SourceArn in a.json:3 gone``."""
    what, verb = _what(records, weakening)
    return f"{what} {verb}"


def line_of(policy: CoveredPolicy, weakening: Weakening) -> int:
    """Return the line of what is changed; 0 if it is not known."""
    if policy.source is None:
        return 0
    if weakening.change == "statement":
        return policy.source.statements[weakening.statement]
    return policy.source.elements[weakening.statement][weakening.element]


def _what(records: Records, weakening: Weakening) -> tuple[str, str]:
    """Return what is changed, and how."""
    if weakening.is_of_grant:
        grant = records.grants[weakening.place]
        name = describe_grant(grant)
        if weakening.change == "grant":
            return f"the {name}", "were gone"
        return f"the constraints {grant.constraints} of the {name}", "were gone"
    policy = records.policies[weakening.place]
    statement = policy.statements[weakening.statement]
    if weakening.change == "statement":
        sid = f" ({statement['Sid']})" if statement.get("Sid") else ""
        deny = "the Deny of " if statement["Effect"] == "Deny" else ""
        what = f"{deny}statement {weakening.statement + 1}{sid}"
        return f"{what} {_where(policy, weakening)}", "were gone"
    element = _element_of(policy, weakening)
    where = _where(policy, weakening)
    if weakening.change == "condition":
        return f"the condition on {element.name.split(' ')[1]} {where}", "were gone"
    what = {"action": "all actions", "principal": "everybody"}[weakening.change]
    number = weakening.statement + 1
    if policy.source is not None:
        return f"the {element.name} {where}", f"were {what}"
    return f"the {element.name} of statement {number} {where}", f"were {what}"


def _where(policy: CoveredPolicy, weakening: Weakening) -> str:
    if policy.source is not None:
        return f"in {policy.source.path}:{line_of(policy, weakening)}"
    return f"of the {name_of(policy)}"


def _element_of(policy: CoveredPolicy, weakening: Weakening) -> Element:
    elements = list_elements(policy.statements[weakening.statement], policy.kind)
    return elements[weakening.element]


def describe_grant(grant: CoveredGrant) -> str:
    """Return what reports call a grant."""
    name = f"grant {grant.name}" if grant.name else "grant"
    return f"{name} for {_short(grant.grantee)}"


def _short(arn: str) -> str:
    """Return the last part of the ARN of a principal or key."""
    return arn.rpartition(":")[2] or arn


def _advice(records: Records, weakness: Weakness) -> str:
    weakening, decided = weakness.weakening, weakness.example
    if decided is None:
        if not _is_used(records, weakening):
            return "no test makes a call that it decides"
        return "in calls like those of the tests, something else decides the same"
    example = records.decisions[decided].example
    outcome = "allowed" if weakness.is_allowed else "denied"
    return f"test that {_call(records, weakening, decided, example)} is {outcome}"


def _is_used(records: Records, weakening: Weakening) -> bool:
    if weakening.is_of_grant:
        return any(
            part.grant == weakening.place for one in records.decisions for part in one.grants
        )
    return any(part.policy == weakening.place for one in records.decisions for part in one.policies)


def _call(records: Records, weakening: Weakening, decided: Decided, example: Example) -> str:
    """Return the call that would have another outcome if a policy were weakened."""
    action, caller = decided.frame.action, f"as {_short(example.caller)}"
    resource = "" if example.resource == "*" else f" on {_resource(example.resource)}"
    if weakening.change == "grant":
        return f"{action} {caller}{resource}, which only the grant allows,"
    if weakening.change == "constraints":
        return f"{action} {caller}{resource}, with what the constraints do not allow,"
    policy = records.policies[weakening.place]
    if weakening.change == "statement":
        return (
            f"{_matching_call(policy, weakening, action, caller)}{resource}, which only it decides,"
        )
    element = _element_of(policy, weakening)
    if weakening.change == "condition":
        return f"{action} {caller}{resource} {_without(element)}"
    if weakening.change == "action":
        others = PatternSet.of(value.lower() for value in element.values)
        candidates = _OF_TRUST if policy.kind is PolicyKind.TRUST else _list_actions()
        other = next(
            (one for one in candidates if others.matches(one.lower()) is element.is_negated), None
        )
        return f"{other or f'another action than {_join(element.values)}'} {caller}{resource}"
    return f"{action} as another principal than {_join(map(_short, element.values))}{resource}"


def _list_actions() -> list[str]:
    """Return the actions on keys, those with an encryption context first."""
    about_keys = {name: one for name, one in permissions().items() if one.naming is not None}
    return sorted(about_keys, key=lambda name: (about_keys[name].context_member is None, name))


def _matching_call(policy: CoveredPolicy, weakening: Weakening, action: str, caller: str) -> str:
    statement = policy.statements[weakening.statement]
    own = as_list(statement.get("Action", []))
    if own and not PatternSet.of(one.lower() for one in own).matches(action.lower()):
        action = own[0]
    return f"{action} {caller}"


def _resource(resource: str) -> str:
    return "a key" if ":key/" in resource else _short(resource)


def _without(element: Element) -> str:
    """Return how a call differs from those for which a condition holds."""
    operator, key = element.name.split(" ")
    values = _join(element.values)
    is_negated = "Not" in operator
    if operator == "Null":
        return f"{'without' if element.values == ('false',) else 'with'} {key}"
    if key.startswith(_ENCRYPTION_CONTEXT):
        pair = f"{key.removeprefix(_ENCRYPTION_CONTEXT)}={values}"
        return f"{'with' if is_negated else 'without'} {pair} in its encryption context"
    return f"{'with' if is_negated else 'without'} {operator.replace('Not', '')} {key} {values}"


def _join(values: Iterable[str]) -> str:
    found = list(values)
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"{', '.join(found[:_SHOWN])}{more}"


def members_of(records: Records, weaknesses: Iterable[Weakness]) -> list[dict[str, object]]:
    """Return all weakenings as JSON, for readers of files."""
    found: list[dict[str, object]] = []
    for one in weaknesses:
        weakening = one.weakening
        noticed = records.decisions[one.noticed_by] if one.noticed_by is not None else None
        found.append(
            {
                "change": weakening.change,
                "grant" if weakening.is_of_grant else "policy": weakening.place,
                **({} if weakening.is_of_grant else {"statement": weakening.statement + 1}),
                "what": describe_change(records, weakening),
                "noticed": noticed is not None,
                "tests": sorted(records.tests[test] for test in noticed.tests) if noticed else [],
                **({} if noticed is not None else {"advice": _advice(records, one)}),
            }
        )
    return found
