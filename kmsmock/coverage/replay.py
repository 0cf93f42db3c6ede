"""Decide recorded decisions again, also under policies of which parts are changed.

A decision depends on its policies only by which effects of which parts apply, so it is reduced to
these. The outcome of each distinct reduced decision is evaluated once, by the same function that
decides calls, under policies which say just that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any, NamedTuple

from kmsmock.authorization.evaluation import (
    evaluate,
    evaluate_retirement,
    works_across_accounts,
)
from kmsmock.authorization.grants import Grant, GrantTerms
from kmsmock.authorization.policy import Policy, parse
from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.authorization.principal_element import Match
from kmsmock.authorization.request import AppliedPolicies, Outcome, Request
from kmsmock.aws.arns import root_arn
from kmsmock.aws.principals import Principal, PrincipalKind
from kmsmock.coverage.elements import OF_RESOURCES, Observation
from kmsmock.coverage.records import CoveredPolicy, Decided, Frame, GrantPart, Records

#: What a policy does in a decision: the effects of its statements that apply, each with the level
#: at which it matches the caller, a value of `Match`.
Effects = frozenset[tuple[str, int]]
_ACCOUNT, _OTHER_ACCOUNT = "111111111111", "222222222222"
_ROOT = root_arn("aws", _ACCOUNT)
_ROLE = f"arn:aws:iam::{_ACCOUNT}:role/r"
_SESSION = f"arn:aws:sts::{_ACCOUNT}:assumed-role/r/s"
_SERVICE = "service.amazonaws.com"
#: An action that works on keys of other accounts, and one that does not.
_ANYWHERE = "kms:Encrypt"
_AT_HOME = "kms:PutKeyPolicy"
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_NONE: Effects = frozenset()
_NOTHING: Mapping[str, str] = {}
_UNCHANGED: Mapping[Any, Any] = {}


class Reduced(NamedTuple):
    """A decision, without what does not matter to its outcome."""

    frame: Frame
    #: The kind of the policy of the key or role; None without one.
    kind: PolicyKind | None
    #: Part of the decision -> the effects of its policies together.
    parts: frozenset[tuple[str, Effects]]
    #: For each grant that allows the request, or is to be retired: its level, and whether the
    #: caller's account has made it.
    grants: frozenset[tuple[int, bool]]


class Replay:
    """Decides recorded decisions again. records: those of a run, which no longer change."""

    def __init__(self, records: Records) -> None:
        self.records = records
        #: Index of a policy, and of an observation -> its effects.
        self._effects: dict[tuple[int, int], Effects] = {}
        self._frames: dict[Frame, Frame] = {}

    def effects(self, policy: int, seen: int) -> Effects:
        """Return the effects of a policy. seen: the index of the observation."""
        effects = self._effects.get((policy, seen))
        if effects is None:
            known = self.records.policies[policy]
            effects = self._effects[policy, seen] = effects_of(known, known.seen[seen])
        return effects

    def decide(
        self,
        decided: Decided,
        policies: Mapping[int, Effects] = _UNCHANGED,
        grants: Mapping[GrantPart, GrantPart | None] = _UNCHANGED,
    ) -> Outcome:
        """Decide a recorded decision again.

        policies: index of a policy -> its effects, instead of those that were recorded. grants:
        what a grant does -> what it does instead; None for nothing.
        """
        parts: dict[str, Effects] = {}
        kind = None
        for part, index, seen in decided.policies:
            if part == "resource":
                kind = self.records.policies[index].kind
            effects = policies.get(index)
            if effects is None:
                effects = self.effects(index, seen)
            parts[part] = parts[part] | effects if part in parts else effects
        allowing = []
        for grant in decided.grants:
            changed = grants.get(grant, grant) if grants else grant
            # Whoever retires a grant can be at home in the account that has made it.
            if changed is not None and (
                decided.frame.retires or (changed.level and changed.allows == 2)
            ):
                allowing.append((changed.level, changed.is_own))
        frame = self.reduce_frame(decided.frame)
        return outcome_of(Reduced(frame, kind, frozenset(parts.items()), frozenset(allowing)))

    def reduce_frame(self, frame: Frame) -> Frame:
        """Return a frame with an action for all that differ in nothing else."""
        reduced = self._frames.get(frame)
        if reduced is None:
            is_at_home = frame.owner == "other" and not works_across_accounts(frame.action)
            action = _AT_HOME if is_at_home else _ANYWHERE
            reduced = self._frames[frame] = frame._replace(action=action)
        return reduced


def effects_of(policy: CoveredPolicy, seen: Sequence[Observation | None]) -> Effects:
    """Return the effects of a policy: those of its statements that apply."""
    return frozenset(
        (statement["Effect"], level)
        for statement, observation in zip(policy.statements, seen, strict=True)
        if (level := level_of(policy.kind, observation))
    )


def level_of(kind: PolicyKind, observation: Observation | None) -> int:
    """Return the level at which a statement applies; 0 if it does not."""
    if observation is None or not all(level for level, _ in observation):
        return 0
    return observation[1][0] if kind in OF_RESOURCES else int(Match.DIRECT)


# Depends on its argument alone.
@lru_cache(maxsize=65536)
def outcome_of(reduced: Reduced) -> Outcome:
    """Evaluate a reduced decision."""
    frame = reduced.frame
    caller = _caller(PrincipalKind(frame.caller))
    owner = {"none": None, "same": caller.account, "other": _OTHER_ACCOUNT}[frame.owner]
    operation = frame.action.removeprefix("kms:")
    request = Request(
        caller, frame.action, "*", owner, lambda: _NOTHING, child=GrantTerms(operations=())
    )
    parts = dict(reduced.parts)
    made = [_grant(number, *each, operation) for number, each in enumerate(sorted(reduced.grants))]
    applied = AppliedPolicies(
        None if reduced.kind is None else _policy(reduced.kind, frame.action, parts["resource"]),
        _group(PolicyKind.IDENTITY, frame.action, parts.get("identity")),
        next(iter(_group(PolicyKind.BOUNDARY, frame.action, parts.get("boundary"))), None),
        _group(PolicyKind.SESSION, frame.action, parts.get("session"))
        if frame.has_session
        else None,
        _levels(PolicyKind.SERVICE_CONTROL, "service", frame.service_levels, frame.action, parts),
        _levels(
            PolicyKind.RESOURCE_CONTROL, "organization", frame.resource_levels, frame.action, parts
        ),
        made,
    )
    if not frame.retires:
        return evaluate(request, applied).outcome
    if not made:  # a grant that is not there cannot be retired
        return Outcome.IMPLICIT_DENY
    return evaluate_retirement(request, applied, made[0]).outcome


def _caller(kind: PrincipalKind) -> Principal:
    if kind is PrincipalKind.SERVICE:
        return Principal(kind, _SERVICE, "", "service")
    if kind is PrincipalKind.ROOT:
        return Principal(kind, _ROOT, _ACCOUNT, _ACCOUNT)
    return Principal(kind, _SESSION, _ACCOUNT, "AROA:s", entity_arn=_ROLE)


def _levels(
    kind: PolicyKind, part: str, count: int, action: str, parts: Mapping[str, Effects]
) -> tuple[tuple[Policy, ...], ...]:
    return tuple(_group(kind, action, parts.get(f"{part}:{level}")) for level in range(count))


def _group(kind: PolicyKind, action: str, effects: Effects | None) -> tuple[Policy, ...]:
    return () if effects is None else (_policy(kind, action, effects),)


@lru_cache(maxsize=4096)
def _policy(kind: PolicyKind, action: str, effects: Effects) -> Policy:
    """Return a policy whose statements all apply, one for each effect."""
    names = {
        int(Match.DIRECT): "*",
        int(Match.LIMITED): {"AWS": _ROLE},
        int(Match.DELEGATED): {"AWS": _ACCOUNT},
    }
    statements: list[dict[str, Any]] = [
        {"Effect": effect, "Action": action, "Principal": names[level], "Resource": "*"}
        for effect, level in sorted(effects)
    ] or [
        # It does not apply, but a policy has at least one statement.
        {"Effect": "Allow", "NotAction": action, "Principal": "*", "Resource": "*"}
    ]
    if kind not in OF_RESOURCES:
        for statement in statements:
            del statement["Principal"]
    form = PolicyKind.RESOURCE if kind in OF_RESOURCES else PolicyKind.IDENTITY
    return replace(parse({"Statement": statements}, form), kind=kind)


def _grant(number: int, level: int, is_own: bool, operation: str) -> Grant:  # noqa: FBT001
    """Return a grant that matches the caller at a level, and allows the operation."""
    name = {
        int(Match.NONE): f"arn:aws:iam::{_OTHER_ACCOUNT}:role/r",
        int(Match.DIRECT): _SESSION,
        int(Match.LIMITED): _ROLE,
        int(Match.DELEGATED): _ROOT,
    }[level]
    terms = GrantTerms(
        (operation,),
        grantee_principal=name,
        grantee_service_principal=_SERVICE if level == Match.DIRECT else None,
        retiring_principal=name,
        retiring_service_principal=_SERVICE if level == Match.DIRECT else None,
    )
    issuer = _ACCOUNT if is_own else _OTHER_ACCOUNT
    return Grant(str(number), "*", "*", terms, issuer, _EPOCH, number)
