"""An organization as a tree of targets: root, organizational units, accounts, with their policies.

A mock knows of each member account its path and the policies of each level above it. The tree has
the paths of all members, and at each target the policies that any member has at that level.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kmsmock.authorization.policy import Policy
from kmsmock.aws.arns import Arn, is_account_id
from kmsmock.aws.managed_policies import FULL_ACCESS, RESOURCE_FULL_ACCESS
from kmsmock.identities.directory import Identities
from kmsmock.identities.entities import Organization
from kmsmock.identities.policy_arguments import is_full_access

ROOT, UNIT, ACCOUNT = "ROOT", "ORGANIZATIONAL_UNIT", "ACCOUNT"
#: Type of a target -> the type of resource in its ARN.
_RESOURCES = {ROOT: "root", UNIT: "ou", ACCOUNT: "account"}
SERVICE_CONTROL, RESOURCE_CONTROL = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"


class ControlPolicy(NamedTuple):
    """A policy of an organization."""

    #: Such as ``p-1a2b3c4d``.
    id: str
    #: ``SERVICE_CONTROL_POLICY`` or ``RESOURCE_CONTROL_POLICY``.
    type: str
    #: The document as JSON text.
    content: str
    #: AWS's description; "" for a policy of a customer.
    description: str = ""

    @property
    def is_of_aws(self) -> bool:
        """Whether AWS manages it."""
        return bool(self.description)

    @property
    def name(self) -> str:
        """The name; a mock knows none of policies of customers, which are called as their ids."""
        return self.id.removeprefix("p-") if self.is_of_aws else self.id


#: Type -> the policy that is attached to everything while the type is enabled, and that for
#: resource control policies cannot be detached.
FULL_ACCESS_POLICIES = {
    SERVICE_CONTROL: ControlPolicy(
        "p-FullAWSAccess",
        SERVICE_CONTROL,
        json.dumps(FULL_ACCESS),
        "Allows access to every operation",
    ),
    RESOURCE_CONTROL: ControlPolicy(
        "p-RCPFullAWSAccess",
        RESOURCE_CONTROL,
        json.dumps(RESOURCE_FULL_ACCESS),
        "Allows access to every resource",
    ),
}


@dataclass
class Tree:
    """An organization of a mock."""

    id: str
    partition: str
    #: The account that manages it.
    management_account: str
    #: Id of a root, organizational unit or account -> the id of its parent; None for a root.
    parents: dict[str, str | None] = field(default_factory=dict)
    #: The types of policies that are enabled.
    types: list[str] = field(default_factory=list)
    #: (id of a target, type) -> the attached policies, by id.
    attached: dict[tuple[str, str], dict[str, ControlPolicy]] = field(default_factory=dict)

    def type_of(self, target: str) -> str:
        """Return ``ROOT``, ``ORGANIZATIONAL_UNIT`` or ``ACCOUNT``."""
        if self.parents[target] is None:
            return ROOT
        return ACCOUNT if is_account_id(target) else UNIT

    def targets(self, *types: str) -> list[str]:
        """Return the ids of all roots, organizational units or accounts."""
        return [target for target in self.parents if self.type_of(target) in types]

    def children(self, parent: str, kind: str) -> list[str]:
        """Return the ids of what is directly below a root or organizational unit."""
        return [
            child
            for child, above in self.parents.items()
            if above == parent and self.type_of(child) == kind
        ]

    def list_attached(self, target: str, kind: str) -> list[ControlPolicy]:
        """Return the policies of a type that are attached to a target."""
        return list(self.attached.get((target, kind), {}).values())

    def list_policies(self) -> dict[str, ControlPolicy]:
        """Return all policies of the organization, by id."""
        policies = {policy.id: policy for policy in FULL_ACCESS_POLICIES.values()}
        for attached in self.attached.values():
            policies.update(attached)
        return policies

    def arn_of(self, target: str) -> str:
        """Return the ARN of a root, organizational unit or account."""
        return self.arn(f"{_RESOURCES[self.type_of(target)]}/{self.id}/{target}")

    def arn_of_policy(self, policy: ControlPolicy) -> str:
        """Return the ARN of a policy."""
        kind = policy.type.lower()
        if policy.is_of_aws:
            return str(
                Arn(self.partition, "organizations", "", "aws", f"policy/{kind}/{policy.id}")
            )
        return self.arn(f"policy/{self.id}/{kind}/{policy.id}")

    def arn(self, resource: str) -> str:
        """Return the ARN of a resource of the organization."""
        return str(Arn(self.partition, "organizations", "", self.management_account, resource))


def find_tree(
    identities: Identities, account: str, default_account: str, partition: str
) -> Tree | None:
    """Return the organization that an account is in, or that it manages; None if there is none.

    default_account: of the mock.
    """
    members: dict[str, dict[str, Organization]] = {}
    for member, organization in identities.organizations.items():
        if organization.organization_id is not None:
            members.setdefault(organization.organization_id, {})[member] = organization
    everybody = {member for each in members.values() for member in each}
    for number, (organization_id, own) in enumerate(members.items()):
        is_free = number == 0 and default_account not in everybody
        manager = default_account if is_free else _make_digits(organization_id)
        if account == manager or account in own:
            return _grow(Tree(organization_id, partition, manager), own)
    return None


def _grow(tree: Tree, members: dict[str, Organization]) -> Tree:
    """Add the members of an organization to its tree."""
    kinds = {SERVICE_CONTROL: "service_control", RESOURCE_CONTROL: "resource_control"}
    tree.types = [
        kind for kind, name in kinds.items() if any(getattr(own, name) for own in members.values())
    ]
    chains = {account: _find_chain(tree.id, account, own) for account, own in members.items()}
    root = next((chain[0] for chain in chains.values()), _make_root(tree.id))
    for chain in ([root, tree.management_account], *chains.values()):
        parent = None
        for target in chain:
            tree.parents.setdefault(target, parent)
            parent = target
    for account, own in members.items():
        for kind in tree.types:
            levels = getattr(own, kinds[kind])
            for target, level in zip(chains[account], levels, strict=False):
                attached = tree.attached.setdefault((target, kind), {})
                attached.update((policy.id, policy) for policy in _read_level(tree, kind, level))
    for kind in tree.types:
        full_access = FULL_ACCESS_POLICIES[kind]
        for target in tree.parents:
            if kind == RESOURCE_CONTROL or (target, kind) not in tree.attached:
                tree.attached.setdefault((target, kind), {})[full_access.id] = full_access
    return tree


def _find_chain(organization_id: str, account: str, own: Organization) -> list[str]:
    """Return the ids from the root to an account.

    A path can be shorter than the levels of policies, or unknown; the missing units are then made
    of the policies, so that accounts with the same ones are in the same unit.
    """
    parts = [part for part in (own.path or "").split("/") if part and part != organization_id]
    root = parts.pop(0) if parts and parts[0].startswith("r-") else _make_root(organization_id)
    levels = max(len(own.service_control), len(own.resource_control))
    for number in range(len(parts) + 1, levels - 1):
        texts = [
            policy.text
            for control in (own.service_control, own.resource_control)
            for level in control[: number + 1]
            for policy in level
        ]
        parts.append(f"ou-{root.removeprefix('r-')}-{_hash(organization_id, str(number), *texts)}")
    return [root, *parts, account]


def _read_level(tree: Tree, kind: str, level: Sequence[Policy]) -> Iterator[ControlPolicy]:
    for policy in level:
        if is_full_access(policy):
            yield FULL_ACCESS_POLICIES[kind]
        else:
            yield ControlPolicy(f"p-{_hash(tree.id, kind, policy.text)}", kind, policy.text)


def _make_root(organization_id: str) -> str:
    return f"r-{_hash(organization_id)[:4]}"


def _make_digits(text: str) -> str:
    """Return an account id that depends on a text."""
    return f"{int(_hash(text), 16) % 10**12:012d}"


def _hash(*texts: str) -> str:
    """Return 8 characters that depend on texts, as in ids."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:8]
