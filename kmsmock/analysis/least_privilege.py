"""Derive the smallest policies that allow the calls that a principal has made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kmsmock.access.context import read_keys
from kmsmock.access.facts import Facts
from kmsmock.aws.arns import Arn
from kmsmock.ledger.call_record import Call
from kmsmock.misuse.public_object import PublicObject

#: The condition keys that statements require.
_REQUIRED = ("kms:EncryptionContext:", "kms:ViaService")
#: Action, resource, and conditions as sorted pairs, of a permission that a call has used.
_Use = tuple[str, str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class LeastPrivilege(PublicObject):
    """The smallest policies for some calls."""

    #: The identity policy. It suffices for keys of the principal's account whose key policy
    #: delegates to IAM, as the default key policy does.
    identity: Mapping[str, Any]
    #: ARN of a key of another account -> statements that its key policy needs in addition.
    keys: Mapping[str, list[dict[str, Any]]]

    def __str__(self) -> str:
        parts = [f"identity policy:\n{json.dumps(self.identity, indent=2)}"]
        parts += [
            f"key policy of {arn}:\n{json.dumps(statements, indent=2)}"
            for arn, statements in self.keys.items()
        ]
        return "\n".join(parts)


def least_privilege(arn: str, calls: Iterable[Call]) -> LeastPrivilege:
    """Return the smallest policies that allow the successful calls of a principal.

    arn: of the principal; that of a role means all of its sessions.
    """
    made = [call for call in calls if arn in (call.caller, call.principal.principal_arn)]
    if not made:
        return LeastPrivilege({"Version": "2012-10-17", "Statement": []}, {})
    principal = made[0].principal
    uses = {
        (action, resource, tuple(sorted(_list_conditions(call, action, context))))
        for call in made
        if call.error_code is None
        for action, resource, context in call.authorized
    }
    needed = [use for use in uses if not any(_covers(other, use) for other in uses)]
    cross_account: dict[str, list[_Use]] = {}
    for use in needed:
        resource = Arn.parse(use[1])
        if resource is not None and resource.account != principal.account:
            cross_account.setdefault(use[1], []).append(use)
    return LeastPrivilege(
        {"Version": "2012-10-17", "Statement": _build_statements(needed)},
        {
            arn: [
                {**statement, "Principal": {"AWS": principal.principal_arn}, "Resource": "*"}
                for statement in _build_statements(of_key)
            ]
            for arn, of_key in sorted(cross_account.items())
        },
    )


def _list_conditions(
    call: Call, action: str, encryption_context: Mapping[str, str] | None
) -> Iterator[tuple[str, str]]:
    """Yield the conditions that a statement can require: encryption context and service."""
    facts = Facts(
        action=action,
        principal=call.principal,
        encryption_context=encryption_context,
        region=call.region,
    )
    for name, value in read_keys(facts, *_REQUIRED).items():
        if isinstance(value, str):
            yield name, value


def _covers(one: _Use, other: _Use) -> bool:
    """Return whether a statement for one use allows another, since it has fewer conditions."""
    return one != other and one[:2] == other[:2] and set(one[2]) < set(other[2])


def _build_statements(uses: Iterable[_Use]) -> list[dict[str, Any]]:
    """Return policy statements, in which uses with the same actions or resources are merged."""
    actions: dict[tuple[str, tuple[tuple[str, str], ...]], set[str]] = {}
    for action, resource, pairs in uses:
        actions.setdefault((resource, pairs), set()).add(action)
    resources: dict[tuple[tuple[str, ...], tuple[tuple[str, str], ...]], list[str]] = {}
    for (resource, pairs), names in actions.items():
        resources.setdefault((tuple(sorted(names)), pairs), []).append(resource)
    return [
        {
            "Effect": "Allow",
            "Action": list(names),
            "Resource": sorted(arns),
            **_build_condition(pairs),
        }
        for (names, pairs), arns in sorted(resources.items())
    ]


def _build_condition(pairs: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    if not pairs:
        return {}
    return {"Condition": {"StringEquals": dict(pairs)}}
