"""The principals of one mock, by ARN, name or access key, and their policies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from kmsmock.authorization.policy import Policy
from kmsmock.aws.arns import (
    Arn,
    aws_managed_policy_arn,
    federated_user_arn,
    iam_arn,
    root_arn,
    session_arn,
)
from kmsmock.aws.principals import Principal, PrincipalKind
from kmsmock.aws.regions import partition_of
from kmsmock.identities import iam_names
from kmsmock.identities.credentials import Credentials, CredentialStore, Entropy
from kmsmock.identities.entities import (
    Entity,
    Group,
    Identity,
    ManagedPolicy,
    Organization,
    Session,
)
from kmsmock.identities.managed import ManagedPolicies
from kmsmock.identities.names import PrincipalNames
from kmsmock.misuse.values import describe

ADMINISTRATOR = "Administrator"
_Now = Callable[[], datetime]
_ADMINISTRATOR_ACCESS = "AdministratorAccess"
_ALONE = Organization()
_NO_SESSION = Session()


class Identities:
    """The principals of one mock, by ARN and by access key.

    account: the default account, that of callers with unknown credentials. Their principal is
    an administrator user of that account. find_region: returns the Region of clients that name
    none. now: gives the time.
    """

    #: What `state` and `restore` carry.
    _STATE = (
        *("_by_arn", "entities", "_named", "groups", "managed", "sessions", "organizations"),
        *("credentials", "administrator"),
    )

    def __init__(
        self, account: str, find_region: Callable[[], str], entropy: Entropy, now: _Now
    ) -> None:
        self._find_region = find_region
        self._now = now
        self.credentials = CredentialStore(entropy, now)
        self._by_arn: dict[str, Principal] = {}
        self.entities: dict[str, Entity] = {}
        #: Partition, account, kind and name in lower case -> user or role.
        self._named: dict[tuple[str, str, PrincipalKind, str], Entity] = {}
        self.groups: dict[str, Group] = {}
        self.managed = ManagedPolicies(now, self.credentials.new_id)
        self.sessions: dict[tuple[str, str], Session] = {}
        self.organizations: dict[str, Organization] = {}
        #: What policies and grants call principals.
        self.names = PrincipalNames(self)
        self.administrator = self.administrator_of(account)
        #: Stack of the principals whose ``with`` block is open; the last one is the default.
        self.defaults: list[Principal] = [self.administrator]

    @property
    def partition(self) -> str:
        """The partition of principals that are created without one."""
        return partition_of(self._find_region())

    # --- lookup ---------------------------------------------------------------------------

    def caller(self, access_key: str | None, partition: str, now: datetime) -> Principal:
        """Find the principal of an access key; the default principal if it is unknown.

        An administrator is one in each partition, so that clients of any Region just work.
        access_key: None for an unsigned request. Raises CredentialsError.
        """
        principal = self.credentials.caller(access_key, self.defaults[-1], now)
        if principal.partition != partition and principal.arn.endswith(f":user/{ADMINISTRATOR}"):
            return self.administrator_of(principal.account, partition)
        return principal

    def get(self, arn: str) -> Principal | None:
        """Return the principal with an ARN, for a role its default session; None if unknown."""
        return self._by_arn.get(arn)

    def entity(self, arn: str) -> Entity | None:
        """Find the user or role behind the ARN of a user, role or role session."""
        found = self.entities.get(arn)
        if found is None:
            principal = self._by_arn.get(arn)
            found = self.entity_of(principal) if principal is not None else None
        return found

    def entity_of(self, principal: Principal) -> Entity | None:
        """Find the user or role that a principal is, or is a session of; None if it was deleted."""
        return self.get_limits(principal)[0]

    def get_limits(self, principal: Principal) -> tuple[Entity | None, Session, Organization]:
        """Return all that limits a principal: its user or role, its session, its organization."""
        found = self.entities.get(principal.entity_arn or principal.arn)
        if found is not None and found.unique_id != principal.entity_id:
            found = None  # created again under the same name: another one
        session = self.sessions.get((principal.arn, principal.session_key), _NO_SESSION)
        return found, session, self.organizations.get(principal.account, _ALONE)

    def session_of(self, principal: Principal) -> Session:
        """Return the session policies and tags of a session."""
        return self.get_limits(principal)[1]

    def organization_of(self, account: str) -> Organization:
        """Return the organization of an account and the policies that apply to it."""
        return self.organizations.get(account, _ALONE)

    # --- IAM's own view ----------------------------------------------------------------------

    def named(self, kind: PrincipalKind, account: str, name: str, partition: str) -> Entity | None:
        """Find a user or role by its name, regardless of case and path."""
        return self._named.get((partition, account, kind, name.lower()))

    def entities_of(self, account: str, partition: str, kind: PrincipalKind) -> Iterator[Entity]:
        """Return the users or roles of an account, oldest first."""
        prefix = iam_arn(partition, account, "")
        return (e for arn, e in self.entities.items() if e.kind is kind and arn.startswith(prefix))

    def groups_of(self, account: str, partition: str) -> Iterator[Group]:
        """Return the groups of an account, oldest first."""
        prefix = iam_arn(partition, account, "")
        return (group for group in self.groups.values() if group.arn.startswith(prefix))

    def list_attached(self, managed: ManagedPolicy) -> Iterator[Identity]:
        """Return the users, roles and groups that a managed policy is attached to."""
        everybody: tuple[Identity, ...] = (*self.entities.values(), *self.groups.values())
        return (identity for identity in everybody if managed.arn in identity.attached)

    def list_bounded(self, managed: ManagedPolicy) -> Iterator[Entity]:
        """Return the users and roles whose boundary a managed policy is."""
        return (e for e in self.entities.values() if e.boundary_policy is managed)

    def add_entity(self, entity: Entity, account: str, partition: str) -> None:
        """Add a user or role."""
        self.entities[entity.arn] = entity
        self._named[partition, account, entity.kind, entity.name.lower()] = entity

    def add_group(self, group: Group) -> None:
        """Add a group."""
        self.groups[group.arn] = group

    def remove_group(self, group: Group) -> None:
        """Remove a group."""
        del self.groups[group.arn]

    def update_policies(self, changed: Identity | ManagedPolicy) -> None:
        """Update the policies in force after a change."""
        affected = (changed,) if isinstance(changed, Entity) else self.entities.values()
        for entity in affected:
            entity.update_policies()

    # --- creating ----------------------------------------------------------------------------

    def root(self, account: str) -> Principal:
        """Return the root user of an account."""
        arn = root_arn(self.partition, account)
        return self._add(arn, lambda: Principal(PrincipalKind.ROOT, arn, account, account))

    def administrator_of(self, account: str, partition: str | None = None) -> Principal:
        """Return the administrator user of an account, which may do everything."""
        principal = self.user(account, ADMINISTRATOR, partition=partition)
        entity = self.entities[principal.arn]
        arn = aws_managed_policy_arn(principal.partition, _ADMINISTRATOR_ACCESS)
        managed = self.managed.get(arn)
        if managed is not None and managed.arn not in entity.attached:
            entity.attached[managed.arn] = managed
            entity.update_policies()
        return principal

    def user(
        self, account: str, name: str, path: str | None = None, partition: str | None = None
    ) -> Principal:
        """Return the IAM user of that name, created on first use. path: None for any.

        Raises ValueError for a name or path that IAM does not accept.
        """
        partition = partition or self.partition
        self._require_names(PrincipalKind.USER, account, name, path, partition)
        entity = self.get_or_create_entity(PrincipalKind.USER, account, name, path, partition)
        arn = entity.arn
        return self._add(arn, lambda: Principal(PrincipalKind.USER, arn, account, entity.unique_id))

    def role(
        self,
        account: str,
        name: str,
        path: str | None = None,
        session: str = "session",
        partition: str | None = None,
    ) -> Principal:
        """Return a session of an IAM role, both created on first use. path: None for any.

        Raises ValueError for a name or path that IAM or STS does not accept.
        """
        partition = partition or self.partition
        kind = PrincipalKind.ASSUMED_ROLE
        self._require_names(kind, account, name, path, partition)
        iam_names.ROLE_SESSION_NAME.require(session)
        entity = self.get_or_create_entity(kind, account, name, path, partition)
        arn = session_arn(partition, account, entity.name, session)
        principal = self._add(
            arn,
            lambda: Principal(
                PrincipalKind.ASSUMED_ROLE,
                arn,
                account,
                f"{entity.unique_id}:{session}",
                entity.arn,
                self._now(),
            ),
        )
        self._by_arn.setdefault(entity.arn, principal)
        return principal

    def get_or_create_entity(
        self,
        kind: PrincipalKind,
        account: str,
        name: str,
        path: str | None,
        partition: str | None = None,
    ) -> Entity:
        """Return the user or role of that name, created on first use.

        Raises ValueError when it exists under another path.
        """
        partition = partition or self.partition
        known = self.named(kind, account, name, partition)
        if known is not None:
            if path not in (None, known.path):
                raise ValueError(f"{known.arn} exists already; names are the same for all paths")
            return known
        word, prefix = ("user", "AIDA") if kind is PrincipalKind.USER else ("role", "AROA")
        path = path or "/"
        arn = iam_arn(partition, account, f"{word}{path}{name}")
        unique_id = self.credentials.new_id(prefix)
        entity = Entity(arn, name, path, unique_id, self._now(), kind=kind)
        self.add_entity(entity, account, partition)
        return entity

    def federate(self, user: Principal, name: str, session: Session) -> Principal:
        """Return a federated user: a session of an IAM user, as GetFederationToken makes it.

        Raises ValueError for a name that STS does not accept.
        """
        iam_names.FEDERATED_USER_NAME.require(name)
        arn = federated_user_arn(user.partition, user.account, name)
        unique_id = f"{user.account}:{name}"
        # Without session policies it has no permissions of its own.
        powerless = replace(session, policies=session.policies or ())
        self.sessions[arn, ""] = powerless
        known = self._by_arn.get(arn)
        if known is None or known.issuer_id != user.unique_id:  # of another user, or none yet
            known = self._by_arn[arn] = Principal(
                PrincipalKind.FEDERATED_USER,
                arn,
                user.account,
                unique_id,
                user.arn,
                self._now(),
                issuer_id=user.unique_id,
            )
        return known

    def get_or_create(self, arn: str) -> Principal:
        """Return the principal with this ARN, created on first use.

        Raises ValueError for an ARN of something else.
        """
        if not isinstance(arn, str):
            raise TypeError(f"a principal is named by its ARN, not by {describe(arn)}")
        known = self._by_arn.get(arn)
        if known:
            return known
        parsed = Arn.parse(arn)
        if parsed is None and arn.endswith(".amazonaws.com"):
            return self._add(arn, lambda: Principal(PrincipalKind.SERVICE, arn, "", arn))
        if parsed is None or parsed.service not in ("iam", "sts"):
            raise ValueError(
                f"{arn!r} is not the ARN of a root user, IAM user, role or role session, nor the "
                "name of a service such as 'cloudtrail.amazonaws.com'"
            )
        resource_type, name = parsed.resource_type, parsed.name
        if parsed.is_account_root:
            return self.root(parsed.account)
        if resource_type == "user" and name:
            return self.user(parsed.account, name, parsed.path)
        if resource_type == "role" and name:
            return self.role(parsed.account, name, parsed.path)
        if parsed.role_and_session is not None:
            role, session = parsed.role_and_session
            return self.role(parsed.account, role, session=session)
        raise ValueError(f"{arn!r} is not the ARN of a root user, IAM user, role or role session")

    def assume(
        self,
        role: Entity,
        name: str,
        session: Session,
        now: datetime,
        expires: datetime,
        issued: Credentials | None = None,
    ) -> tuple[Principal, Credentials]:
        """Create a session of a role. issued: its credentials, if another mock has issued them."""
        arn = Arn.of(role.arn)
        principal = Principal(
            PrincipalKind.ASSUMED_ROLE,
            session_arn(arn.partition, arn.account, role.name, name),
            arn.account,
            f"{role.unique_id}:{name}",
            role.arn,
            now,
            self.credentials.new_id("")[:8],
        )
        self.set_session(principal, session)
        return principal, self.credentials.issue(principal, expires, issued)

    # --- changing --------------------------------------------------------------------------

    def set_trust(self, role: Entity, trust: Policy) -> None:
        """Replace the trust policy of a role, and bind the names in it to unique ids."""
        role.trust, role.unread_trust = trust, ""
        role.trust_ids = self.names.find_ids(trust)

    def set_session(self, principal: Principal, session: Session) -> None:
        """Set the session policies and tags of a session."""
        self.sessions[principal.arn, principal.session_key] = session

    def set_organization(self, account: str, organization: Organization) -> None:
        """Make an account a member of an organization."""
        self.organizations[account] = organization

    def replace_id(self, entity: Entity, unique_id: str) -> None:
        """Replace the unique id of a user or role by one that another mock has made."""
        self._forget_principals(entity)
        before, entity.unique_id = entity.unique_id, unique_id
        self.credentials.change_owner_id(before, unique_id)
        self.administrator = self.administrator.with_entity_id(before, unique_id)
        self.defaults = [each.with_entity_id(before, unique_id) for each in self.defaults]

    def delete(self, arn: str) -> None:
        """Delete a user or role; its name in policies and grants then matches nobody."""
        entity = self.entities.pop(arn, None)
        if entity is None:
            return
        del self._named[next(name for name, each in self._named.items() if each is entity)]
        self._forget_principals(entity)
        self.credentials.invalidate(entity.unique_id)

    def _forget_principals(self, entity: Entity) -> None:
        for known, principal in list(self._by_arn.items()):
            if principal.entity_id == entity.unique_id:
                del self._by_arn[known]

    def state(self) -> tuple[Any, ...]:
        """Return the state, for `restore`."""
        return tuple(getattr(self, name) for name in self._STATE)

    def restore(self, state: tuple[Any, ...]) -> None:
        """Restore a state; credentials that were issued since are not valid any more."""
        later, before = self.credentials, self.administrator.entity_id
        vars(self).update(zip(self._STATE, state, strict=True))
        unique_id = self.administrator.entity_id  # another one than now after a reset
        self.defaults = [each.with_entity_id(before, unique_id) for each in self.defaults]
        self.credentials.invalidate_issued_since(later)

    def _add(self, arn: str, make: Callable[[], Principal]) -> Principal:
        principal = self._by_arn.get(arn)
        if principal is None:
            principal = self._by_arn[arn] = make()
        return principal

    def _require_names(
        self, kind: PrincipalKind, account: str, name: str, path: str | None, partition: str
    ) -> None:
        """Require a name and path that IAM accepts for a new user or role."""
        is_text = isinstance(name, str)
        if is_text and self.named(kind, account, name, partition) is not None:
            return
        iam_names.NAME_LIMITS[kind].require(name)
        if path is not None:
            iam_names.require_path(path)
