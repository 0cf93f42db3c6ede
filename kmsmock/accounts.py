"""Accounts and principals as tests hold them: things that have policies and give clients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kmsmock.activation.typed_clients import ClientSource
from kmsmock.authorization.policy import PolicyKind, parse
from kmsmock.aws.arns import is_account_id
from kmsmock.aws.principals import Principal as Caller
from kmsmock.aws.principals import PrincipalKind
from kmsmock.identities.credentials import Credentials
from kmsmock.identities.directory import Identities
from kmsmock.identities.entities import Document, Entity, Session

if TYPE_CHECKING:
    import boto3

#: One document, or several.
Policies = Document | Iterable[Document]
ClientOf = Callable[["Caller | None", str, "str | None"], Any]


class Principal(ClientSource):
    """A principal that can make clients, and be the default one inside a ``with`` block."""

    def __init__(self, principal: Caller, identities: Identities, client_of: ClientOf) -> None:
        self._principal = principal
        self._identities = identities
        self._client_of = client_of

    def __repr__(self) -> str:
        return f"<{self._principal.kind.value} {self._principal.arn}>"

    @property
    def principal(self) -> Caller:
        """Who makes the requests."""
        return self._principal

    @property
    def arn(self) -> str:
        """The ARN that policies and grants name: for role sessions that of the role."""
        return self._principal.principal_arn

    @property
    def caller_arn(self) -> str:
        """The ARN that signs requests: for roles that of the session."""
        return self._principal.arn

    @property
    def unique_id(self) -> str:
        """The id of the user or role, which one made anew under the same name does not have."""
        return self._principal.entity_id

    @property
    def credentials(self) -> Credentials:
        """Credentials whose access key leads back to this principal."""
        return self._identities.credentials.of(self._principal)

    def _client(self, service: str, region: str | None) -> Any:
        return self._client_of(self._principal, service, region)

    def session(self, region: str | None = None) -> boto3.Session:
        """Give a boto3 session that signs as this principal."""
        from kmsmock.activation.clients import make_session

        return make_session(region, self.credentials)

    def set_policies(self, *documents: Document) -> None:
        """Replace the identity policies of the user or role.

        documents: as JSON text or as what it means. Raises MalformedPolicyError.
        """
        self._entity().set_policies(documents)

    def set_boundary(self, document: Document | None) -> None:
        """Replace the permissions boundary of the user or role; None takes it away."""
        self._entity().set_boundary(
            None
            if document is None
            else parse(document, PolicyKind.BOUNDARY, "the permissions boundary")
        )

    def set_trust(self, document: Document) -> None:
        """Replace the trust policy of the role; raises MalformedPolicyError."""
        trust = parse(document, PolicyKind.TRUST, "the trust policy")
        self._identities.set_trust(self._entity(), trust)

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Replace the tags of the user or role."""
        self._entity().tags = dict(tags)

    def federated_user(
        self, name: str, *, policies: Policies = (), tags: Mapping[str, str] | None = None
    ) -> Principal:
        """Give a federated user of this IAM user, who may do what both may.

        policies: the session policies; without any it has no permissions of its own.
        """
        session = Session.of(_listed(policies), tags or {})
        principal = self._identities.federate(self._principal, name, session)
        return Principal(principal, self._identities, self._client_of)

    def via(self, service: str) -> Principal:
        """Give the principal as a service calls KMS for it, with ``kms:ViaService``.

        service: such as ``s3``, ``ec2`` for EBS volumes, or ``secretsmanager``. Raises ValueError
        for a service principal, which calls in its own name.
        """
        if self._principal.kind is PrincipalKind.SERVICE:
            raise ValueError(f"{self.arn} calls in its own name: see on_behalf_of()")
        return Principal(
            replace(self._principal, via=service.removesuffix(".amazonaws.com")),
            self._identities,
            self._client_of,
        )

    def on_behalf_of(self, source_arn: str) -> Principal:
        """Give a service principal that calls for a resource, with ``aws:SourceArn``.

        Raises ValueError for others, whose requests never have that.
        """
        if self._principal.kind is not PrincipalKind.SERVICE:
            raise ValueError(f"only services call on behalf of a resource; {self.arn} is none")
        return Principal(
            replace(self._principal, source_arn=source_arn), self._identities, self._client_of
        )

    def delete(self) -> None:
        """Delete the user or role; policies and grants that name it mean nobody then."""
        self._identities.delete(self._entity().arn)

    def _entity(self) -> Entity:
        entity = self._identities.entity_of(self._principal)
        if entity is None:
            raise ValueError(f"{self.arn} is no IAM user or role, or has been deleted")
        return entity

    def __enter__(self) -> Principal:  # noqa: PYI034 - Python 3.10 has no Self
        self._identities.defaults.append(self._principal)
        return self

    def __exit__(self, *_: object) -> None:
        self._identities.defaults.remove(self._principal)


class Account(ClientSource):
    """An AWS account. id: 12 digits."""

    def __init__(self, account_id: str, identities: Identities, client_of: ClientOf) -> None:
        if not isinstance(account_id, str):
            raise TypeError(f"an account id is 12 digits, as text, not {account_id!r}")
        if not is_account_id(account_id):
            raise ValueError(f"an account id has 12 digits; {account_id!r} has not")
        self._id = account_id
        self._identities = identities
        self._client_of = client_of

    def __repr__(self) -> str:
        return f"<Account {self.id}>"

    @property
    def id(self) -> str:
        """The account id, 12 digits."""
        return self._id

    @property
    def root(self) -> Principal:
        """The root user of the account."""
        return self._signing(self._identities.root(self.id))

    @property
    def administrator(self) -> Principal:
        """An IAM user of the account that may do everything."""
        return self._signing(self._identities.administrator_of(self.id))

    def user(
        self,
        name: str,
        *,
        policies: Policies | None = None,
        boundary: Document | None = None,
        tags: Mapping[str, str] | None = None,
        path: str | None = None,
    ) -> Principal:
        """Give the IAM user of that name, made on first use; it may do what its policies allow.

        policies: identity policies, as JSON text or as what it means, one or a list of them. What
        is given replaces what the user had. Raises MalformedPolicyError.
        """
        user = self._signing(self._identities.user(self.id, name, path))
        return _equipped(user, policies, boundary, tags)

    def role(  # noqa: PLR0913 - all that a role can have
        self,
        name: str,
        *,
        policies: Policies | None = None,
        boundary: Document | None = None,
        tags: Mapping[str, str] | None = None,
        path: str | None = None,
        session: str = "session",
        session_policies: Policies | None = None,
        session_tags: Mapping[str, str] | None = None,
        trust: Document | None = None,
    ) -> Principal:
        """Give a session of the IAM role of that name, both made on first use.

        policies, boundary and tags are those of the role, as for `user`; session_policies limit
        this session, whose tags override those of the role. trust: the trust policy, which decides
        who may call AssumeRole; without one it is left to the identity policies of the account.
        """
        principal = self._identities.role(self.id, name, path, session)
        if session_policies is not None or session_tags is not None:
            given = None if session_policies is None else _listed(session_policies)
            own = Session.of(given, session_tags or {})
            self._identities.set_session(principal, own)
        role = _equipped(self._signing(principal), policies, boundary, tags)
        if trust is not None:
            role.set_trust(trust)
        return role

    def _client(self, service: str, region: str | None) -> Any:
        return self.administrator.client(service, region)

    def join_organization(
        self,
        organization_id: str,
        *,
        service_control: Iterable[Policies] = (),
        resource_control: Iterable[Policies] = (),
        path: str | None = None,
    ) -> None:
        """Let the account be a member of an organization.

        path: where in it, from the root on, such as ``r-ab12/ou-ab12-11111111``.
        Both take one list of policies for each level: root, organizational units, account. A
        request must be allowed at every level that is given. Resource control policies come on
        top of RCPFullAWSAccess, which is always there.
        """
        self._identities.set_organization(
            self.id,
            replace(
                self._identities.organization_of(self.id),
                organization_id=organization_id,
                path=None if path is None else f"{organization_id}/{path.strip('/')}/",
                service_control=_levels(service_control, PolicyKind.SERVICE_CONTROL),
                resource_control=_levels(resource_control, PolicyKind.RESOURCE_CONTROL),
            ),
        )

    def _signing(self, principal: Caller) -> Principal:
        return Principal(principal, self._identities, self._client_of)


def _equipped(
    principal: Principal,
    policies: Policies | None,
    boundary: Document | None,
    tags: Mapping[str, str] | None,
) -> Principal:
    if policies is not None:
        principal.set_policies(*_listed(policies))
    if boundary is not None:
        principal.set_boundary(boundary)
    if tags is not None:
        principal.set_tags(tags)
    return principal


def _listed(policies: Policies) -> Iterable[Document]:
    """Give documents as a list, whether one was given or several."""
    one: Any = policies
    return (one,) if isinstance(policies, (str, Mapping)) else policies


def _levels(levels: Iterable[Policies], kind: PolicyKind) -> Any:
    if isinstance(levels, (str, Mapping)):
        raise TypeError("service_control and resource_control take a list of policies a level")
    return tuple(tuple(parse(document, kind) for document in _listed(level)) for level in levels)
