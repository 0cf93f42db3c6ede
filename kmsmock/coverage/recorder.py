"""Record the decisions of a run, and the policies and grants of its mocks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kmsmock.access.policies import parse_key_policy
from kmsmock.authorization.decision import Decision
from kmsmock.authorization.grants import Grant
from kmsmock.authorization.policy import Policy
from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.authorization.request import AppliedPolicies, Request
from kmsmock.aws.arns import Arn
from kmsmock.coverage.elements import Observe, observer_of
from kmsmock.coverage.records import (
    CoveredGrant,
    CoveredPolicy,
    Decided,
    Example,
    Frame,
    GrantPart,
    PolicyPart,
    Records,
    Tally,
    canonical,
    number_ids,
)
from kmsmock.coverage.replay import Replay
from kmsmock.keys.key import KeyManager
from kmsmock.process.contexts import get_running_test
from kmsmock.process.watchers import Watcher

if TYPE_CHECKING:
    from kmsmock.control import KMSMock
    from kmsmock.keys.region import KmsRegion

_KINDS_OF_HOLDERS = (PolicyKind.IDENTITY, PolicyKind.BOUNDARY, PolicyKind.SESSION, PolicyKind.TRUST)
_NOTES_KEPT = 100
_NO_PAIRS: Mapping[str, str] = {}


class Recorder(Watcher):
    """A watcher that records the decisions of all mocks."""

    def __init__(self) -> None:
        self.records = Records()
        self._replay = Replay(self.records)
        #: Whether the running test is left out.
        self.is_paused = False
        self._mocks: dict[int, KMSMock] = {}
        #: Policy and holder -> its index, and its observer.
        self._policies: dict[tuple[Policy, str], tuple[int, Observe]] = {}
        self._grants: dict[Grant, int] = {}

    # --- events -----------------------------------------------------------------------------------

    def began(self, kms: KMSMock) -> None:
        """Note a mock, so that its policies are known at the end of the run at the latest."""
        self._mocks[id(kms)] = kms
        kms.backend.allowances.clear()

    def restoring(self, kms: KMSMock) -> None:
        """Add the policies that a mock has before a checkpoint is restored."""
        self._add_all(kms)

    def ended(self, kms: KMSMock) -> None:
        """Add the policies that a mock has at its end."""
        self._add_all(kms)
        self._mocks.pop(id(kms), None)
        self._grants.clear()  # grants of a mock that has ended are not seen again

    def decided(
        self,
        request: Request,
        policies: AppliedPolicies,
        decision: Decision,
        retired: Grant | None,
    ) -> None:
        """Add a decision."""
        if not self.is_paused:
            with self._noting_defects():
                self._add(request, policies, decision, retired)

    def _add(
        self,
        request: Request,
        policies: AppliedPolicies,
        decision: Decision,
        retired: Grant | None,
    ) -> None:
        decided = Decided(
            _frame_of(request, policies, retired),
            tuple(self._observe_policies(request, policies)),
            tuple(self._observe_grants(request, policies, retired)),
            decision.outcome.value,
        )
        tally = self.records.decisions.get(decided)
        if tally is None:
            tally = self.records.decisions[decided] = Tally(_example_of(request))
            if self._replay.decide(decided) is not decision.outcome:
                self._note(f"A decision about {request.action} cannot be repeated from its record.")
        test = get_running_test()
        tally.add(None if test is None else self.records.add_test(test))

    def _note(self, note: str) -> None:
        notes = self.records.notes
        if note not in notes and len(notes) < _NOTES_KEPT:
            notes.append(note)

    @contextmanager
    def _noting_defects(self) -> Iterator[None]:
        """Note an exception of the block, and suppress it: it must not fail the test that runs."""
        try:
            yield
        except Exception as reason:  # noqa: BLE001 - whatever it is
            what = " ".join(f"{type(reason).__name__}: {reason}".split())
            self._note(f"Something is missing here, by a defect of kmsmock: {what}")

    def finish(self) -> Records:
        """Add the policies of mocks that were not stopped, and return the records."""
        for kms in self._mocks.values():
            self._add_all(kms)
        self._mocks.clear()
        return self.records

    # --- decisions --------------------------------------------------------------------------------

    def _observe_policies(
        self, request: Request, policies: AppliedPolicies
    ) -> Iterator[PolicyPart]:
        for part, policy in _iterate_parts(policies):
            holder = ""
            if policy.kind is PolicyKind.TRUST:
                holder = request.resource
            elif policy.kind in _KINDS_OF_HOLDERS:
                holder = request.principal.entity_arn or request.principal.arn
            index, observe = self._find(policy, holder, is_fixed=policies.is_fixed)
            seen = self.records.add_seen(index, observe(request, policies))
            yield PolicyPart(part, index, seen)

    def _observe_grants(
        self, request: Request, policies: AppliedPolicies, retired: Grant | None
    ) -> Iterator[GrantPart]:
        operation = request.action.removeprefix("kms:")
        found: dict[GrantPart, None] = {}
        for grant in policies.grants:
            index = self._find_grant(grant)
            if retired is not None:
                level, allows = grant.match_retirer(request.principal), 2
            else:
                level = grant.match_grantee(request.principal)
                allows = _allows(grant, operation, request)
            is_own = grant.issuing_account == request.principal.account
            found[GrantPart(index, int(level), is_own, allows)] = None
        yield from found

    # --- policies and grants ----------------------------------------------------------------------

    def _find(self, policy: Policy, holder: str, *, is_fixed: bool = False) -> tuple[int, Observe]:
        known = self._policies.get((policy, holder))
        if known is None:
            covered = CoveredPolicy(
                policy.kind,
                canonical(policy.document),
                number_ids(policy.name) if policy.kind in _KINDS_OF_HOLDERS else "",
                number_ids(holder),
                _is_of_aws(policy) or (is_fixed and policy.kind is PolicyKind.RESOURCE),
            )
            if _has_own_name(policy):
                covered.holder = ""
            index = self.records.add_policy(covered)
            known = self._policies[policy, holder] = (index, observer_of(policy))
        return known

    def _find_grant(self, grant: Grant) -> int:
        index = self._grants.get(grant)
        if index is None:
            terms = grant.terms
            constraints = terms.constraints
            members: dict[str, Any] = {}
            if constraints is not None:
                members = {
                    "EncryptionContextEquals": constraints.equals,
                    "EncryptionContextSubset": constraints.subset,
                    "SourceArn": constraints.source_arn,
                }
            present = {
                name: dict(value) if isinstance(value, Mapping) else value
                for name, value in members.items()
                if value is not None
            }
            index = self._grants[grant] = self.records.add_grant(
                CoveredGrant(
                    number_ids(grant.grantee),
                    terms.operations,
                    number_ids(json.dumps(present, sort_keys=True)),
                    terms.name or "",
                )
            )
        return index

    def _add_all(self, kms: KMSMock) -> None:
        """Add all policies and grants of a mock, used or not."""
        if self.is_paused or not kms.backend.enforces_policies:
            return
        with kms.backend.lock, self._noting_defects():
            for region in kms.backend.regions.values():
                self._add_region(region)
            identities = kms.backend.identities
            for entity in identities.entities.values():
                for policy in entity.policies:
                    self._find(policy, entity.arn)
                for one in (entity.boundary, entity.trust):
                    if one is not None:
                        self._find(one, entity.arn)
            for organization in identities.organizations.values():
                for level in (*organization.service_control, *organization.resource_control):
                    for policy in level:
                        self._find(policy, "")

    def _add_region(self, region: KmsRegion) -> None:
        aliases = {alias.key.key_id: name for name, alias in region.aliases.items()}
        for key in region.keys.values():
            if key.manager is not KeyManager.CUSTOMER:
                continue
            index, _ = self._find(parse_key_policy(key), "")
            alias = aliases.get(key.key_id)
            if alias is not None:
                self.records.add_aliases(index, [number_ids(alias)])
            for grant in key.grants:
                self._find_grant(grant)


def _has_own_name(policy: Policy) -> bool:
    """Return whether a policy is a managed one, which many users and roles can have."""
    arn = Arn.parse(policy.name)
    return arn is not None and arn.resource.startswith("policy/")


def _is_of_aws(policy: Policy) -> bool:
    """Return whether AWS has written a policy: managed ones, and those of service-linked roles."""
    if policy.kind is PolicyKind.TRUST and not policy.name:
        return True
    arn = Arn.parse(policy.name)
    return arn is not None and arn.is_of_aws


def _iterate_parts(policies: AppliedPolicies) -> Iterator[tuple[str, Policy]]:
    if policies.resource is not None:
        yield "resource", policies.resource
    for policy in policies.identity:
        yield "identity", policy
    if policies.boundary is not None:
        yield "boundary", policies.boundary
    for policy in policies.session or ():
        yield "session", policy
    for name, levels in (
        ("service", policies.service_control),
        ("organization", policies.resource_control),
    ):
        for number, level in enumerate(levels):
            for policy in level:
                yield f"{name}:{number}", policy


def _frame_of(request: Request, policies: AppliedPolicies, retired: Grant | None) -> Frame:
    owner = "none"
    if request.owner is not None:
        owner = "same" if request.owner == request.principal.account else "other"
    return Frame(
        request.action,
        request.principal.kind.value,
        owner,
        policies.session is not None,
        len(policies.service_control),
        len(policies.resource_control),
        retired is not None,
    )


def _example_of(request: Request) -> Example:
    return Example(
        request.principal.arn, request.resource, dict(request.encryption_context or _NO_PAIRS)
    )


def _allows(grant: Grant, operation: str, request: Request) -> int:
    arguments = (operation, request.encryption_context, request.source_arn, request.child)
    if grant.allows(*arguments):
        return 2
    if grant.terms.constraints is None:
        return 0
    free = replace(grant, terms=replace(grant.terms, constraints=None))
    return int(free.allows(*arguments))
