"""Users, roles and accounts of one mock: their policies, their credentials, their sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kmsmock.arns import Arn, partition_of
from kmsmock.authorization.policy import Policy, PolicyKind, parse
from kmsmock.authorization.principal_element import account_of
from kmsmock.managed_policies import FULL_ACCESS
from kmsmock.principals import Principal, PrincipalKind

Entropy = Callable[[int], bytes]
#: A policy as JSON text, or as what that text means.
Document = str | Mapping[str, Any]

_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
ADMINISTRATOR = "Administrator"
_ADMINISTRATOR_ACCESS = "arn:{}:iam::aws:policy/AdministratorAccess"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client signs with; the token is there for temporary credentials only."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(slots=True, eq=False)
class Entity:
    """An IAM user or role. boundary: if it has one. trust: who may assume the role.

    policies: name or ARN -> identity policy; never changed in place, always replaced.
    """

    kind: PrincipalKind
    arn: str
    name: str
    unique_id: str
    policies: dict[str, Policy] = field(default_factory=dict)
    boundary: Policy | None = None
    tags: dict[str, str] = field(default_factory=dict)
    trust: Policy | None = None

    def set_policies(self, documents: Iterable[Document]) -> None:
        """Replace the inline policies; raises MalformedPolicyError."""
        self.policies = {
            name: parse(document, PolicyKind.IDENTITY, name)
            for name, document in zip(_policy_names(), documents, strict=False)
        }


def _policy_names() -> Iterable[str]:
    number = 0
    while True:
        number += 1
        yield f"policy {number}"


@dataclass(frozen=True, slots=True)
class Session:
    """What a session has of its own. policies: None when it was made without session policies."""

    policies: tuple[Policy, ...] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Organization:
    """What an organization means for one account: its id, and one list of policies per level."""

    organization_id: str | None = None
    service_control: tuple[tuple[Policy, ...], ...] = ()
    resource_control: tuple[tuple[Policy, ...], ...] = ()


_ALONE = Organization()
_NO_SESSION = Session()
_POWERLESS = Session(policies=())


class Identities:
    """The principals of one mock, found by ARN or by access key.

    account: the default account, that of callers with unknown credentials. Their principal is
    an administrator user of that account.
    """

    def __init__(self, account: str, region: str, entropy: Entropy) -> None:
        self.partition = partition_of(region)
        self._entropy = entropy
        #: None for the access keys of users and roles that were deleted.
        self._by_access_key: dict[str, Principal | None] = {}
        self._credentials: dict[Principal, Credentials] = {}
        self._by_arn: dict[str, Principal] = {}
        self._entities: dict[str, Entity] = {}
        self._sessions: dict[tuple[str, str], Session] = {}
        self._expirations: dict[str, datetime] = {}
        self._organizations: dict[str, Organization] = {}
        self.administrator = self.administrator_of(account)
        #: Stack of the principals whose ``with`` block is open; the last one is the default.
        self.defaults: list[Principal] = [self.administrator]

    # --- finding ---------------------------------------------------------------------------

    def caller(self, access_key: str | None, partition: str) -> Principal | None:
        """Find who signs with this access key; the default principal when it is unknown.

        None for the access key of one that was deleted. An administrator is one in each partition,
        so that clients of any Region just work.
        """
        principal = self._by_access_key.get(access_key or "", self.defaults[-1])
        if principal is None:
            return None
        if principal.partition != partition and principal.arn.endswith(f":user/{ADMINISTRATOR}"):
            return self.administrator_of(principal.account, partition)
        return principal

    def owner_of(self, access_key: str) -> Principal | None:
        """Find whose an access key is; None for one that was not issued here."""
        return self._by_access_key.get(access_key)

    def has_expired(self, access_key: str | None, now: datetime) -> bool:
        """Tell whether temporary credentials are over."""
        expires = self._expirations.get(access_key or "") if self._expirations else None
        return expires is not None and expires <= now

    def trust_of(self, role: Entity) -> Policy:
        """Give the trust policy of a role: its own, or one that leaves it to its account."""
        if role.trust is not None:
            return role.trust
        arn = Arn.parse(role.arn)
        assert arn is not None
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": arn.account},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        }
        return parse({"Statement": statement}, PolicyKind.TRUST)

    def find(self, arn: str) -> Principal | None:
        """Find a principal by its ARN; role ARNs lead to the role's default session."""
        return self._by_arn.get(arn)

    def entity(self, arn: str) -> Entity | None:
        """Find the user or role behind the ARN of a user, role or role session."""
        found = self._entities.get(arn)
        if found is None:
            principal = self._by_arn.get(arn)
            found = self.entity_of(principal) if principal is not None else None
        return found

    def entity_of(self, principal: Principal) -> Entity | None:
        """Find the user or role that a principal is, or is a session of; None once it is gone."""
        found = self._entities.get(principal.entity_arn or principal.arn)
        # One that was made anew under the same name is somebody else.
        is_same = found is not None and found.unique_id == principal.entity_id
        return found if is_same or principal.kind is PrincipalKind.FEDERATED_USER else None

    def session_of(self, principal: Principal) -> Session:
        """Give what a session has of its own."""
        return self._sessions.get((principal.arn, principal.session_key), _NO_SESSION)

    def organization_of(self, account: str) -> Organization:
        """Give what an organization means for an account."""
        return self._organizations.get(account, _ALONE)

    def unique_id_behind(self, name: str) -> str | None:
        """Give the unique id of the user or role that a policy or grant names; None for others."""
        entity = self._entities.get(name) or self._entities.get(self._role_of_session(name) or "")
        return entity.unique_id if entity is not None else None

    def shown(self, name: str, unique_ids: Mapping[str, str] | None) -> str:
        """Give a name as AWS shows it: the unique id of a user or role that is gone.

        unique_ids: ARN -> id at the time when the name was given.
        """
        bound = (unique_ids or {}).get(name)
        if bound is None or self.unique_id_behind(name) == bound:
            return name
        is_session = ":assumed-role/" in name
        return f"{bound}:{name.rpartition('/')[2]}" if is_session else bound

    def is_valid_principal(self, name: str) -> bool:
        """Tell whether a policy or grant may name a principal: users and roles must exist."""
        if account_of(name) is not None:
            return True
        arn = Arn.parse(name)
        if arn is None or len(arn.account) != 12:
            return False
        if arn.service == "sts" and arn.resource.startswith("federated-user/"):
            return True
        return self.unique_id_behind(name) is not None

    def _role_of_session(self, name: str) -> str | None:
        arn = Arn.parse(name)
        if arn is None or arn.service != "sts":
            return None
        kind, _, rest = arn.resource.partition("/")
        role = rest.partition("/")[0]
        if kind != "assumed-role":
            return None
        return next(
            (
                entity.arn
                for entity in self._entities.values()
                if entity.kind is PrincipalKind.ASSUMED_ROLE
                and entity.name == role
                and f"::{arn.account}:role/" in entity.arn
            ),
            None,
        )

    # --- making ----------------------------------------------------------------------------

    def root(self, account: str) -> Principal:
        """Give the root user of an account."""
        arn = self._arn("iam", account, "root")
        return self._add(arn, lambda: Principal(PrincipalKind.ROOT, arn, account, account))

    def administrator_of(self, account: str, partition: str | None = None) -> Principal:
        """Give an administrator user of an account: one that may do everything."""
        principal = self.user(account, ADMINISTRATOR, partition=partition)
        entity = self._entities[principal.arn]
        name = _ADMINISTRATOR_ACCESS.format(principal.partition)
        if name not in entity.policies:
            policy = parse(FULL_ACCESS, PolicyKind.IDENTITY, name)
            entity.policies = {**entity.policies, name: policy}
        return principal

    def user(
        self, account: str, name: str, path: str = "/", partition: str | None = None
    ) -> Principal:
        """Give the IAM user of that name, made on first use."""
        arn = f"arn:{partition or self.partition}:iam::{account}:user{path}{name}"
        entity = self._make_entity(PrincipalKind.USER, arn, name, "AIDA")
        return self._add(arn, lambda: Principal(PrincipalKind.USER, arn, account, entity.unique_id))

    def role(self, account: str, name: str, path: str = "/", session: str = "session") -> Principal:
        """Give a session of the IAM role of that name, both made on first use."""
        role_arn = self._arn("iam", account, f"role{path}{name}")
        arn = self._arn("sts", account, f"assumed-role/{name}/{session}")
        entity = self._make_entity(PrincipalKind.ASSUMED_ROLE, role_arn, name, "AROA")
        principal = self._add(
            arn,
            lambda: Principal(
                PrincipalKind.ASSUMED_ROLE,
                arn,
                account,
                f"{entity.unique_id}:{session}",
                role_arn,
            ),
        )
        self._by_arn.setdefault(role_arn, principal)
        return principal

    def federated_user(self, user: Principal, name: str) -> Principal:
        """Give a federated user: a session of an IAM user, as GetFederationToken makes it."""
        arn = self._arn("sts", user.account, f"federated-user/{name}")
        unique_id = f"{user.account}:{name}"
        self._sessions.setdefault((arn, ""), _POWERLESS)
        return self._add(
            arn,
            lambda: Principal(PrincipalKind.FEDERATED_USER, arn, user.account, unique_id, user.arn),
        )

    def at(self, arn: str) -> Principal:
        """Give the principal with this ARN, made on first use; raises ValueError for other ARNs."""
        known = self._by_arn.get(arn)
        if known:
            return known
        parsed = Arn.parse(arn)
        if parsed is None or parsed.service not in ("iam", "sts"):
            raise ValueError(
                f"{arn!r} is not the ARN of a root user, IAM user, role or role session"
            )
        kind, _, rest = parsed.resource.partition("/")
        path, _, name = f"/{rest}".rpartition("/")
        if parsed.resource == "root":
            return self.root(parsed.account)
        if kind == "user" and name:
            return self.user(parsed.account, name, f"{path}/")
        if kind == "role" and name:
            return self.role(parsed.account, name, f"{path}/")
        if kind == "assumed-role" and rest.count("/") == 1:
            role, session = rest.split("/")
            return self.role(parsed.account, role, session=session)
        raise ValueError(f"{arn!r} is not the ARN of a root user, IAM user, role or role session")

    def credentials(self, principal: Principal) -> Credentials:
        """Give credentials whose access key leads back to the principal."""
        known = self._credentials.get(principal)
        if known is None:
            temporary = principal.kind not in (PrincipalKind.USER, PrincipalKind.ROOT)
            known = Credentials(
                self._identifier("ASIA" if temporary else "AKIA"),
                self._entropy(30).hex()[:40],
                self._entropy(48).hex() if temporary else None,
            )
            self._credentials[principal] = known
            self._by_access_key[known.access_key] = principal
        return known

    def issue(self, principal: Principal, expires: datetime) -> Credentials:
        """Give new temporary credentials of a principal."""
        credentials = Credentials(
            self._identifier("ASIA"), self._entropy(30).hex()[:40], self._entropy(48).hex()
        )
        self._by_access_key[credentials.access_key] = principal
        self._expirations[credentials.access_key] = expires
        return credentials

    def assume(
        self,
        account: str,
        role: Entity,
        name: str,
        policies: Iterable[Document] | None,
        tags: Mapping[str, str],
        now: datetime,
        expires: datetime,
    ) -> tuple[Principal, Credentials]:
        """Begin a session of a role; raises MalformedPolicyError for bad session policies."""
        principal = Principal(
            PrincipalKind.ASSUMED_ROLE,
            self._arn("sts", account, f"assumed-role/{role.name}/{name}"),
            account,
            f"{role.unique_id}:{name}",
            role.arn,
            now,
            self._identifier("")[:8],
        )
        self.set_session(principal, policies, tags)
        return principal, self.issue(principal, expires)

    # --- changing --------------------------------------------------------------------------

    def set_session(
        self, principal: Principal, documents: Iterable[Document] | None, tags: Mapping[str, str]
    ) -> None:
        """Give a session its own policies and tags; raises MalformedPolicyError."""
        policies = (
            None
            if documents is None
            else tuple(parse(document, PolicyKind.SESSION) for document in documents)
        )
        self._sessions[principal.arn, principal.session_key] = Session(policies, dict(tags))

    def set_organization(self, account: str, organization: Organization) -> None:
        """Let an account be a member of an organization."""
        self._organizations[account] = organization

    def delete(self, arn: str) -> None:
        """Forget a user or role; what names it in policies and grants means nobody any more."""
        entity = self._entities.pop(arn, None)
        if entity is not None:
            for known, principal in list(self._by_arn.items()):
                if principal.entity_id == entity.unique_id:
                    del self._by_arn[known]
                    credentials = self._credentials.pop(principal, None)
                    if credentials is not None:
                        self._by_access_key[credentials.access_key] = None

    def state(self) -> tuple[Any, ...]:
        """Give what `restore` needs."""
        return (
            self._by_arn,
            self._credentials,
            self._entities,
            self._sessions,
            self._organizations,
            self._by_access_key,
            self._expirations,
        )

    def restore(self, state: tuple[Any, ...]) -> None:
        """Know those principals and credentials again that were known then."""
        (
            self._by_arn,
            self._credentials,
            self._entities,
            self._sessions,
            self._organizations,
            self._by_access_key,
            self._expirations,
        ) = state

    def _make_entity(self, kind: PrincipalKind, arn: str, name: str, prefix: str) -> Entity:
        entity = self._entities.get(arn)
        if entity is None:
            entity = self._entities[arn] = Entity(kind, arn, name, self._identifier(prefix))
        return entity

    def _add(self, arn: str, make: Callable[[], Principal]) -> Principal:
        principal = self._by_arn.get(arn)
        if principal is None:
            principal = self._by_arn[arn] = make()
        return principal

    def _identifier(self, prefix: str) -> str:
        return prefix + "".join(_BASE32[byte & 31] for byte in self._entropy(16))

    def _arn(self, service: str, account: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}::{account}:{resource}"
