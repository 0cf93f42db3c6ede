"""Random policies, grants and requests for tests of policy coverage."""

from __future__ import annotations

import random
from datetime import datetime, timezone
from typing import Any, NamedTuple

import kmsmock.operations  # noqa: F401 - declares which operations have an encryption context
from kmsmock.authorization.decision import Decision
from kmsmock.authorization.evaluation import evaluate, evaluate_retirement
from kmsmock.authorization.grants import Grant, GrantConstraints, GrantTerms
from kmsmock.authorization.policy import Policy, parse
from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.authorization.request import AppliedPolicies, Request
from kmsmock.aws.principals import Principal, PrincipalKind

HERE, THERE = "111122223333", "444455556666"
ROLE, OTHER = f"arn:aws:iam::{HERE}:role/App", f"arn:aws:iam::{HERE}:role/Other"
SESSION = f"arn:aws:sts::{HERE}:assumed-role/App/one"
USER = f"arn:aws:iam::{THERE}:user/Eve"
KEY = f"arn:aws:kms:us-east-1:{HERE}:key/11111111-2222-3333-4444-555555555555"
CALLERS = (
    Principal(PrincipalKind.ASSUMED_ROLE, SESSION, HERE, "AROAX:one", entity_arn=ROLE),
    Principal(PrincipalKind.USER, USER, THERE, "AIDAX", entity_arn=USER),
    Principal(PrincipalKind.ROOT, f"arn:aws:iam::{HERE}:root", HERE, HERE),
    Principal(PrincipalKind.SERVICE, "ec2.amazonaws.com", "", "ec2"),
)
ACTIONS = ("kms:Encrypt", "kms:Decrypt", "kms:CreateGrant", "kms:ListKeys", "kms:PutKeyPolicy")
PATTERNS = (*ACTIONS, "kms:*", "*", "kms:*crypt")
PRINCIPALS = (
    *("*", {"AWS": HERE}, {"AWS": ROLE}, {"AWS": [SESSION, OTHER]}, {"AWS": [THERE, USER]}),
    *({"Service": "ec2.amazonaws.com"}, {"AWS": OTHER}),
)
CONDITIONS: tuple[dict[str, Any], ...] = (
    {"StringEquals": {"kms:EncryptionContext:tenant": ["a", "b"]}},
    {"StringNotEquals": {"kms:EncryptionContext:tenant": "a"}},
    {"Null": {"kms:EncryptionContext:tenant": "false"}},
    {"StringLike": {"kms:EncryptionContext:stage": "p*"}, "Bool": {"aws:SecureTransport": "true"}},
)
_MADE = datetime(2026, 1, 1, tzinfo=timezone.utc)
GRANT_OPERATIONS = ("Encrypt", "Decrypt", "CreateGrant", "RetireGrant")


class Case(NamedTuple):
    """A request, and what it is decided by."""

    request: Request
    policies: AppliedPolicies
    retired: Grant | None

    def decide(self, policies: AppliedPolicies | None = None) -> Decision:
        """Decide the request, under other policies if some are passed."""
        policies = policies or self.policies
        if self.retired is not None:
            return evaluate_retirement(self.request, policies, self.retired)
        return evaluate(self.request, policies)


class RandomCases:
    """Makes cases with a few policies each, of which many share the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._policies = {kind: [self._policy(kind) for _ in range(3)] for kind in PolicyKind}
        self._grants = [self._grant(number) for number in range(4)]

    def make(self) -> Case:
        """Make a case."""
        choose = self._random.choice
        caller = choose(CALLERS)
        tenant, stage = choose((None, "a", "b", "c")), choose((None, "prod", "test"))
        pairs = {name: value for name, value in (("tenant", tenant), ("stage", stage)) if value}
        context = {f"kms:encryptioncontext:{name}": value for name, value in pairs.items()}
        context["aws:securetransport"] = choose(("true", "false"))
        retires = self._random.random() < 0.1
        owner = HERE if retires else choose((HERE, HERE, THERE, None))
        action = "kms:RetireGrant" if retires else choose(ACTIONS)
        child = GrantTerms(("Encrypt",)) if action == "kms:CreateGrant" else None
        request = Request(
            caller, action, KEY, owner, lambda: context, encryption_context=pairs, child=child
        )
        retired = choose(self._grants) if retires else None
        return Case(request, self._applied(owner, retired), retired)

    def _applied(self, owner: str | None, retired: Grant | None) -> AppliedPolicies:
        choose, chance = self._random.choice, self._random.random
        grants = tuple(self._random.sample(self._grants, self._random.randrange(3)))
        return AppliedPolicies(
            choose(self._policies[PolicyKind.RESOURCE]) if owner is not None else None,
            tuple(self._some(PolicyKind.IDENTITY)),
            choose(self._policies[PolicyKind.BOUNDARY]) if chance() < 0.3 else None,
            tuple(self._some(PolicyKind.SESSION)) if chance() < 0.3 else None,
            (tuple(self._some(PolicyKind.SERVICE_CONTROL)),) if chance() < 0.3 else (),
            (tuple(self._some(PolicyKind.RESOURCE_CONTROL)),) if chance() < 0.3 else (),
            (retired,) if retired is not None else grants if owner is not None else (),
        )

    def _some(self, kind: PolicyKind) -> list[Policy]:
        return self._random.sample(self._policies[kind], self._random.randrange(3))

    def _policy(self, kind: PolicyKind) -> Policy:
        count = self._random.randint(1, 3)
        document = {
            "Version": "2012-10-17",
            "Statement": [self._statement(kind) for _ in range(count)],
        }
        return parse(document, kind, f"{kind.name} {self._random.random()}")

    def _statement(self, kind: PolicyKind) -> dict[str, Any]:
        choose, chance = self._random.choice, self._random.random
        actions = [choose(PATTERNS)] if kind is not PolicyKind.TRUST else ["sts:AssumeRole"]
        statement: dict[str, Any] = {
            "Effect": "Allow" if chance() < 0.75 else "Deny",
            "NotAction" if chance() < 0.15 else "Action": actions,
        }
        if kind is not PolicyKind.TRUST:
            name = "NotResource" if chance() < 0.1 else "Resource"
            statement[name] = choose(("*", KEY, [KEY, f"{KEY}0"], f"{KEY}0"))
        if kind is PolicyKind.RESOURCE_CONTROL:
            statement["Principal"] = "*"
        if kind in (PolicyKind.RESOURCE, PolicyKind.TRUST):
            name = "NotPrincipal" if chance() < 0.15 else "Principal"
            statement[name] = choose(PRINCIPALS)
        if chance() < 0.5:
            statement["Condition"] = choose(CONDITIONS)
        return statement

    def _grant(self, number: int) -> Grant:
        choose = self._random.choice
        name = choose((ROLE, SESSION, f"arn:aws:iam::{HERE}:root", USER))
        operations = tuple(self._random.sample(GRANT_OPERATIONS, 2))
        constraints = choose(
            (
                None,
                GrantConstraints(equals={"tenant": "a"}),
                GrantConstraints(subset={"stage": "prod"}),
            )
        )
        terms = GrantTerms(
            operations,
            grantee_principal=name,
            retiring_principal=choose((None, ROLE, USER)),
            constraints=constraints,
            name=f"grant {number}",
        )
        return Grant(f"{number:064x}", KEY, "k", terms, choose((HERE, THERE)), _MADE, number)
