"""What no test would notice is the same as if all calls were decided again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kmsmock.authorization.policy import Policy, parse
from kmsmock.authorization.request import AppliedPolicies
from kmsmock.coverage.recorder import Recorder
from kmsmock.coverage.records import CoveredGrant, CoveredPolicy, canonical
from kmsmock.coverage.weakness import Weakening, find_weaknesses
from tests.coverage.random_decisions import Case, RandomCases
from tests.coverage.suites import SUITES, try_suite, weaken_document


class Weakened:
    """The policies of cases with a weakening in them."""

    def __init__(self, weakening: Weakening, covered: CoveredPolicy | CoveredGrant) -> None:
        self._weakening = weakening
        self._covered = covered
        self._known: dict[Policy, Policy] = {}

    def weaken(self, case: Case) -> AppliedPolicies:
        """Return the policies of a case with the weakening."""
        policies, principal = case.policies, case.request.principal
        holder = self._covered.holder if isinstance(self._covered, CoveredPolicy) else ""
        if holder not in ("", principal.entity_arn or principal.arn):
            return policies
        if isinstance(self._covered, CoveredGrant):
            grants = [grant for each in policies.grants for grant in self._weaken_grant(each)]
            return policies._replace(grants=tuple(grants))
        one = self._weaken_policy
        return policies._replace(
            resource=policies.resource and one(policies.resource),
            identity=tuple(map(one, policies.identity)),
            boundary=policies.boundary and one(policies.boundary),
            session=policies.session and tuple(map(one, policies.session)),
            service_control=tuple(tuple(map(one, level)) for level in policies.service_control),
            resource_control=tuple(tuple(map(one, level)) for level in policies.resource_control),
        )

    def _weaken_grant(self, grant):
        covered = self._covered
        assert isinstance(covered, CoveredGrant)
        if grant.terms.name != covered.name:
            yield grant
        elif self._weakening.change == "constraints":
            yield replace(grant, terms=replace(grant.terms, constraints=None))

    def _weaken_policy(self, policy: Policy) -> Policy:
        if policy not in self._known:
            self._known[policy] = self._make(policy)
        return self._known[policy]

    def _make(self, policy: Policy) -> Policy:
        covered = self._covered
        assert isinstance(covered, CoveredPolicy)
        if policy.kind is not covered.kind or canonical(policy.document) != covered.document:
            return policy
        if covered.name and covered.name != policy.name:
            return policy
        document = weaken_document(policy.document, policy.kind, self._weakening)
        return parse(document, policy.kind, policy.name)


def decide_all_again(cases: list[Case], weakened: Weakened) -> bool:
    """Return whether a call has another outcome under weakened policies."""
    for case in cases:
        policies = weakened.weaken(case)
        if case.retired is not None:
            remaining = tuple(policies.grants)
            if not remaining:  # the grant is gone, and nobody can retire it
                if case.decide().allowed:
                    return True
                continue
            case = case._replace(retired=remaining[0])  # noqa: PLW2901
        if case.decide(policies).allowed is not case.decide().allowed:
            return True
    return False


@pytest.mark.parametrize("seed", range(8))
def test_weaknesses_are_those_of_deciding_all_calls_again(seed):
    random, recorder = RandomCases(seed), Recorder()
    cases = [random.make() for _ in range(60)]
    for case in cases:
        recorder.decided(case.request, case.policies, case.decide(), case.retired)
    records = recorder.records

    weaknesses = find_weaknesses(records)
    noticed = {one.weakening: one.noticed_by is not None for one in weaknesses}
    again = {}
    for weakening in noticed:
        covered = (records.grants if weakening.is_of_grant else records.policies)[weakening.place]
        again[weakening] = decide_all_again(cases, Weakened(weakening, covered))

    assert noticed == again
    assert 0 < sum(noticed.values()) < len(noticed)


def test_weaknesses_agree_with_runs_of_a_suite_under_weakened_policies(tmp_path):
    trials = list(try_suite(tmp_path, SUITES["tenants"]))

    assert len(trials) == 8
    assert [one for one in trials if one.predicted is not one.failed] == []
    assert {one.predicted for one in trials} == {True, False}
