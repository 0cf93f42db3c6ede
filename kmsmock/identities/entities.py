"""IAM users, roles and groups, and managed policies.

Source: IAM User Guide, "IAM identities" and "Managed policies and inline policies".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kmsmock.authorization.policy import Policy, parse
from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.aws.arns import Arn
from kmsmock.aws.principals import PrincipalKind

#: A policy as JSON text, or as what that text means.
Document = str | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One version of a managed policy. version_id: ``v1``, ``v2`` and so on."""

    version_id: str
    policy: Policy
    created: datetime


@dataclass(slots=True, eq=False)
class ManagedPolicy:
    """A policy with an ARN of its own."""

    arn: str
    name: str
    path: str
    policy_id: str
    created: datetime
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    versions: dict[str, PolicyVersion] = field(default_factory=dict)
    #: The id of the version that is in force.
    default: str = ""
    updated: datetime | None = None
    #: How many versions were created, including deleted ones.
    versions_made: int = 0

    @property
    def policy(self) -> Policy:
        """The version that is in force."""
        return self.versions[self.default].policy

    @property
    def is_of_aws(self) -> bool:
        """Whether AWS manages it, and nobody can change it."""
        return Arn.of(self.arn).is_of_aws

    def add_version(self, document: Document, now: datetime, *, is_default: bool) -> PolicyVersion:
        """Add a version; raises MalformedPolicyError."""
        policy = parse(document, PolicyKind.IDENTITY, self.arn)
        self.versions_made += 1
        version = PolicyVersion(f"v{self.versions_made}", policy, now)
        self.versions[version.version_id] = version
        self.updated = now
        if is_default:
            self.default = version.version_id
        return version


@dataclass(slots=True, eq=False)
class Identity:
    """What identity policies belong to."""

    arn: str
    name: str
    path: str
    unique_id: str
    created: datetime
    #: Inline policies by name.
    inline: dict[str, Policy] = field(default_factory=dict)
    #: Attached managed policies by ARN.
    attached: dict[str, ManagedPolicy] = field(default_factory=dict)

    @property
    def word(self) -> str:
        """What it is, in messages: ``user``, ``role`` or ``group``."""
        raise NotImplementedError

    def own_policies(self) -> tuple[Policy, ...]:
        """Return the inline and the attached policies."""
        return (*self.inline.values(), *(managed.policy for managed in self.attached.values()))


@dataclass(slots=True, eq=False)
class Group(Identity):
    """An IAM group; its members are the users that have it among their groups."""

    @property
    def word(self) -> str:
        """What it is, in messages."""
        return "group"


@dataclass(slots=True, eq=False)
class Entity(Identity):
    """An IAM user or role."""

    kind: PrincipalKind = PrincipalKind.USER
    groups: dict[str, Group] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    #: The trust policy of a role, if it has one.
    trust: Policy | None = None
    #: Why the trust policy that another mock has accepted cannot be read; empty if it can.
    unread_trust: str = ""
    #: The permissions boundary in force; like the identity policies, always replaced and never
    #: changed in place.
    boundary: Policy | None = None
    boundary_policy: ManagedPolicy | None = None
    #: ARN -> unique id, for users and roles that the trust policy names.
    trust_ids: Mapping[str, str] = field(default_factory=dict)
    #: Whether it was created because a test has named it with ``kms.principal(arn)``.
    was_only_named: bool = False
    description: str = ""
    #: MaxSessionDuration of a role, in seconds.
    longest_session: int = 3600
    #: The identity policies in force, including those of groups. Always replaced and never changed
    #: in place, so that a change can be detected by identity.
    policies: tuple[Policy, ...] = ()

    @property
    def word(self) -> str:
        """What it is, in messages."""
        return "user" if self.kind is PrincipalKind.USER else "role"

    def trust_in_force(self) -> Policy:
        """Return the trust policy of a role; without one, a policy that trusts its account."""
        if self.trust is not None:
            return self.trust
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": Arn.of(self.arn).account},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        }
        return parse({"Statement": statement}, PolicyKind.TRUST)

    def update_policies(self) -> None:
        """Update the policies in force after a change."""
        of_groups = (policy for group in self.groups.values() for policy in group.own_policies())
        self.policies = (*self.own_policies(), *of_groups)
        if self.boundary_policy is not None:
            managed = self.boundary_policy
            self.boundary = parse(managed.policy.text, PolicyKind.BOUNDARY, managed.arn)

    def set_policies(
        self, inline: Mapping[str, Policy], attached: Mapping[str, ManagedPolicy]
    ) -> None:
        """Replace the inline policies, by name, and the attached ones, by ARN."""
        self.inline, self.attached = dict(inline), dict(attached)
        self.update_policies()

    def set_boundary(self, boundary: Policy | ManagedPolicy | None) -> None:
        """Replace the permissions boundary; None takes it away."""
        self.boundary_policy = boundary if isinstance(boundary, ManagedPolicy) else None
        self.boundary = boundary if isinstance(boundary, Policy) else None
        self.update_policies()


@dataclass(frozen=True, slots=True)
class Session:
    """What a session has of its own. policies: None when it was made without session policies."""

    policies: tuple[Policy, ...] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    source_identity: str | None = None

    @classmethod
    def of(
        cls,
        documents: Iterable[Document] | None,
        tags: Mapping[str, str],
        source_identity: str | None = None,
    ) -> Session:
        """Make one from policy documents; raises MalformedPolicyError."""
        if documents is None:
            return cls(None, dict(tags), source_identity)
        policies = tuple(parse(document, PolicyKind.SESSION) for document in documents)
        return cls(policies, dict(tags), source_identity)


@dataclass(slots=True)
class Organization:
    """What an organization means for one account: its id, and one list of policies per level.

    paths: where the account is, as ``o-…/r-…/ou-…/``.
    """

    organization_id: str | None = None
    service_control: tuple[tuple[Policy, ...], ...] = ()
    resource_control: tuple[tuple[Policy, ...], ...] = ()
    path: str | None = None
