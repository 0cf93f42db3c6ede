"""Checks for mistakes in policies: statements that never match, or that match too much.

Source: AWS KMS Developer Guide, "Condition keys for AWS KMS" and "Key policies in AWS KMS".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from kmsmock.authorization.conditions import Condition
from kmsmock.authorization.misspelt import find_misspelt
from kmsmock.authorization.policy import Effect, Policy, Statement
from kmsmock.authorization.policy_document import PolicyKind, as_list
from kmsmock.aws.condition_keys import get_condition_key
from kmsmock.aws.operations import permissions
from kmsmock.aws.via_service import read_via_service

_VIA_SERVICE = "kms:viaservice"
_ONE_ACTION = re.compile(r"kms:[a-z]+")


@dataclass(frozen=True, slots=True)
class Finding:
    """A likely mistake. statement: the name of the statement, or ``the policy``."""

    statement: str
    text: str

    def __str__(self) -> str:
        return f"{self.statement}: {self.text}"


def lint(policy: Policy, *, exists: Callable[[str], bool] | None = None) -> list[Finding]:
    """Return the likely mistakes in a policy. exists: returns whether a principal exists."""
    misspelt = find_misspelt(policy)
    findings = [
        Finding(statement.name, text)
        for statement in policy.statements
        for text in (
            *misspelt.get(statement, ()),
            *lint_statement(statement, policy, exists=exists),
        )
    ]
    of_policy = (*misspelt.get(None, ()), *_lockout(policy))
    return findings + [Finding("the policy", text) for text in of_policy]


def lint_statement(
    statement: Statement, policy: Policy, *, exists: Callable[[str], bool] | None = None
) -> Iterator[str]:
    """Yield the likely mistakes in one statement of a policy, beside misspelt names."""
    for check in (_conditions, _never, _resources, _world):
        yield from check(statement, policy)
    principals = statement.principals
    if exists is not None and principals is not None:
        for name in principals.names:
            if name != "*" and not exists(name):
                yield f"the principal {name} does not exist"


def _conditions(statement: Statement, policy: Policy) -> Iterator[str]:
    is_key_policy = policy.kind is PolicyKind.RESOURCE
    for condition in statement.conditions:
        declared = get_condition_key(condition.lower_key)
        if declared is None:
            continue
        if declared.is_multivalued and not condition.operator.startswith(("ForA", "Null")):
            yield (
                f"{condition.key} has several values and never fits {condition.operator}; use "
                "ForAnyValue or ForAllValues"
            )
        if condition.compares_wildcards_literally:
            like = condition.operator.replace("EqualsIgnoreCase", "Like").replace("Equals", "Like")
            yield (
                f"{condition.operator} compares {condition.key} with {', '.join(condition.values)} "
                f"to the letter; {like} takes wildcards"
            )
        if condition.lower_key == _VIA_SERVICE:
            yield from _services_without_region(condition)
        if is_key_policy and declared.is_hidden_from_key_policies:
            yield f"key policies cannot see {condition.key}; use it in identity policies"
        yield from _foreign_key(statement, condition)


def _services_without_region(condition: Condition) -> Iterator[str]:
    for value in condition.values:
        via = read_via_service(value)
        if via.service != value and via.region is None:
            yield (
                f"{condition.key} is never {value}: it has the Region, too, as in "
                f"{via.service}.us-east-1.amazonaws.com"
            )


def _foreign_key(statement: Statement, condition: Condition) -> Iterator[str]:
    """Yield the actions of the statement whose requests never have the condition key."""
    wanted = _actions_with(condition.lower_key)
    if wanted is None or condition.holds({}, result_if_malformed=False):
        return
    actions = statement.source.get("Action", [])
    for action in actions if isinstance(actions, list) else [actions]:
        lower = action.lower()
        if _ONE_ACTION.fullmatch(lower) and lower not in wanted:
            yield f"requests for {action} never have {condition.key}, so the condition never holds"


def _actions_with(key: str) -> Collection[str] | None:
    """Return the actions, in lower case, whose requests have a condition key; None if all may.

    Source: AWS KMS Developer Guide, "AWS KMS condition keys".
    """
    declared = get_condition_key(key)
    if declared is None or declared.actions is None:
        return None
    return {action.lower() for action in permissions() if declared.is_of(action)}


def _never(statement: Statement, policy: Policy) -> Iterator[str]:
    if statement.actions is None:
        yield "without Action it never applies"
    if statement.resources is None:
        yield "without Resource it never applies"
    elif policy.kind is PolicyKind.RESOURCE and statement.source.get("Resource") not in (
        "*",
        ["*"],
    ):
        yield 'in a key policy the Resource is this key; write "*"'


def _resources(statement: Statement, policy: Policy) -> Iterator[str]:
    """Yield the resources of an identity policy that are no ARN, or the ARN of an alias only.

    Source: AWS KMS Developer Guide, "Controlling access to aliases" and "Specifying KMS keys in IAM
    policy statements".
    """
    if policy.kind is PolicyKind.RESOURCE:
        return
    resources = as_list(statement.source.get("Resource", []))
    for resource in resources:
        if not resource.startswith(("arn:", "*", "$", "?")):
            yield f"the Resource {resource} is no ARN, so the statement never applies to it"
    actions = as_list(statement.source.get("Action", []))
    if (
        statement.effect is Effect.ALLOW
        and resources
        and all(":alias/" in resource for resource in resources)
        and any("alias" not in action.lower() for action in actions)
    ):
        yield (
            "the ARN of an alias is the resource of operations on the alias only; to allow the use "
            'of its key, write the ARN of the key, or Resource "*" and the condition '
            "kms:ResourceAliases"
        )


def _lockout(policy: Policy) -> Iterator[str]:
    """Yield why nobody, or only principals that may be deleted, can change the key policy."""
    if policy.kind is not PolicyKind.RESOURCE:
        return
    allowing = [
        statement.principals
        for statement in policy.statements_about("kms:putkeypolicy")
        if statement.effect is Effect.ALLOW and statement.principals is not None
    ]
    if not allowing:
        yield "it allows nobody kms:PutKeyPolicy, so the key would become unmanageable"
    elif all(not p.accounts and not p.is_everybody and not p.negated for p in allowing):
        names = ", ".join(sorted({name for principals in allowing for name in principals.arns}))
        yield f"only {names} can change it, and once deleted nobody: allow the account, too"


def _world(statement: Statement, policy: Policy) -> Iterator[str]:
    is_open = statement.principals is not None and statement.principals.is_everybody
    if policy.kind is not PolicyKind.RESOURCE or statement.effect is Effect.DENY or not is_open:
        return
    narrowing = ("aws:principal", "kms:calleraccount", "aws:source", "aws:userid", "kms:viaservice")
    if not any(condition.lower_key.startswith(narrowing) for condition in statement.conditions):
        yield "it opens the key to every principal of every account"
