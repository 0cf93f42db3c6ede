"""Evaluate the permissions of principals on keys at the end of a scene."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from kmsmock.analysis.explain import Question, explain
from kmsmock.aws.operations import find_permission
from kmsmock.aws.principals import Principal
from kmsmock.identities.directory import ADMINISTRATOR
from kmsmock.keys.key import Key
from kmsmock.keys.specs import KeyUsage
from kmsmock.ledger.call_record import Call
from kmsmock.reports.report import PERMISSIONS_KEPT, Permission, Report

if TYPE_CHECKING:
    from kmsmock.control import KMSMock

#: Limits: keys and principals of a scene, and encryption contexts of a key.
_MAX_KEYS, _MAX_PRINCIPALS, _MAX_CONTEXTS = 20, 20, 2

#: Key usage -> the actions that are always evaluated, besides those of calls.
_USES = {
    KeyUsage.ENCRYPT_DECRYPT: ("kms:Encrypt", "kms:Decrypt"),
    KeyUsage.SIGN_VERIFY: ("kms:Sign", "kms:Verify"),
    KeyUsage.GENERATE_VERIFY_MAC: ("kms:GenerateMac", "kms:VerifyMac"),
    KeyUsage.KEY_AGREEMENT: ("kms:DeriveSharedSecret",),
    KeyUsage.ENCAPSULATE_DECAPSULATE: ("kms:Encapsulate", "kms:Decapsulate"),
}
_SYMMETRIC = ("kms:GenerateDataKey",)
_PAIR = ("kms:GetPublicKey",)
_MANAGEMENT = ("kms:DescribeKey", "kms:CreateGrant", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion")


class ObservedUse:
    """The actions on keys that principals were allowed or denied in one scene."""

    def __init__(self) -> None:
        #: Key ARN -> (name of a principal, action) -> [number allowed, number denied].
        self.of: dict[str, dict[tuple[str, str], list[int]]] = {}
        self.principals: dict[str, Principal] = {}
        self.contexts: dict[str, list[Mapping[str, str]]] = {}

    def __bool__(self) -> bool:
        return bool(self.of)

    def note(self, event: Call) -> None:
        """Add a call."""
        name = name_of(event.principal)
        self.principals.setdefault(name, event.principal)
        decision = event.decision
        if event.failure is None or event.dry_run:
            done = [(resource, action) for action, resource, _ in event.authorized]
            self._count(name, done, 0)
        elif not event.allowed and event.key_arn is not None:
            request = decision.request if decision is not None else None
            action = f"kms:{event.operation}" if request is None else request.action
            resource = event.key_arn if request is None else request.resource
            self._count(name, [(resource, action)], 1)
        context = event.encryption_context
        if context and event.key_arn is not None:
            known = self.contexts.setdefault(event.key_arn, [])
            if context not in known and len(known) < _MAX_CONTEXTS:
                known.append(context)

    def _count(self, name: str, uses: list[tuple[str, str]], index: int) -> None:
        """Count uses. uses: resource and action. index: 0 for allowed, 1 for denied."""
        for arn, action in uses:
            if ":key/" in arn:
                counts = self.of.setdefault(arn, {}).setdefault((name, action), [0, 0])
                counts[index] += 1


def name_of(principal: Principal) -> str:
    """Name a principal: the ARN of the user or role, and the service that calls on its behalf."""
    return principal.principal_arn + (f" via {principal.via}" if principal.via is not None else "")


def evaluate_permissions(kms: KMSMock, uses: ObservedUse, report: Report) -> list[Permission]:
    """Evaluate which actions principals are allowed on the keys of a scene."""
    kept = sum(len(scene.permissions) for scene in report.scenes)
    permissions: list[Permission] = []
    principals = dict(_select_principals(kms, uses))
    for key in _select_keys(kms, uses):
        done = uses.of.get(key.arn, {})
        for action in _list_actions(key, [action for _, action in done]):
            for name, principal in principals.items():
                if kept + len(permissions) >= PERMISSIONS_KEPT:
                    report.omit("permissions", 1)
                    continue
                may, reason = _decide(kms, principal, action, key, uses)
                did, refused = done.get((name, action), (0, 0))
                permissions.append(Permission(key.arn, name, action, may, reason, did, refused))
    return permissions


def _select_keys(kms: KMSMock, uses: ObservedUse) -> list[Key]:
    """Select the keys to evaluate, those with calls first."""
    keys = [key for key in kms.keys if key.arn in uses.of][:_MAX_KEYS]
    if len(keys) < _MAX_KEYS:
        keys += [key for key in kms.keys if key.arn not in uses.of][: _MAX_KEYS - len(keys)]
    return keys


def _select_principals(kms: KMSMock, uses: ObservedUse) -> Iterator[tuple[str, Principal]]:
    """Select the principals to evaluate: those that made calls, then other users and roles."""
    yield from list(uses.principals.items())[:_MAX_PRINCIPALS]
    remaining = _MAX_PRINCIPALS - len(uses.principals)
    identities = kms.backend.identities
    for entity in list(identities.entities.values()):
        if remaining > 0 and entity.arn not in uses.principals and entity.name != ADMINISTRATOR:
            remaining -= 1
            yield entity.arn, identities.get_or_create(entity.arn)


def _list_actions(key: Key, done: list[str]) -> list[str]:
    kind: tuple[str, ...] = ()
    if key.spec.is_symmetric_encryption:
        kind = _SYMMETRIC
    elif key.spec.is_asymmetric:
        kind = _PAIR
    return list(dict.fromkeys((*_USES[key.usage], *kind, *_MANAGEMENT, *sorted(done))))


def _decide(
    kms: KMSMock, principal: Principal, action: str, key: Key, uses: ObservedUse
) -> tuple[str, str]:
    """Evaluate an action; return ``yes``, ``no`` or ``with context``, and the reason."""
    reason = ""
    permission = find_permission(action)
    takes_context = permission.context_member is not None or (
        permission.context_from_grant_constraints
    )
    contexts = uses.contexts.get(key.arn, []) if takes_context else []
    for context in (None, *contexts):
        question = Question(action, key.region_name, encryption_context=context)
        decision = explain(kms.backend, principal, question, key)
        if decision.allowed:
            if context is None:
                return "yes", decision.reason
            suffix = f", with the encryption context {dict(context)}"
            return "with context", decision.reason + suffix
        reason = reason or decision.reason
    return "no", reason
