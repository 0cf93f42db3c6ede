"""AWS accounts, users, roles and other principals, as tests use them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kmsmock.activation.client_cache import Clients
from kmsmock.activation.typed_clients import ClientSource
from kmsmock.authorization.policy import parse
from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.aws.arns import is_account_id
from kmsmock.aws.principals import Principal as Caller
from kmsmock.aws.principals import PrincipalKind
from kmsmock.identities.credentials import Credentials
from kmsmock.identities.directory import Identities
from kmsmock.identities.entities import Document, Entity, Session

if TYPE_CHECKING:
    import boto3

#: A policy document, or several.
Policies = Document | Iterable[Document]


class Principal(ClientSource):
    """A principal: creates clients, has policies, and is the default inside a ``with`` block."""

    def __init__(self, principal: Caller, identities: Identities, clients: Clients) -> None:
        self._principal = principal
        self._identities = identities
        self._clients = clients

    def __repr__(self) -> str:
        return f"<{self._principal.kind.value} {self._principal.arn}>"

    @property
    def principal(self) -> Caller:
        """The principal as the mock sees it in requests."""
        return self._principal

    @property
    def arn(self) -> str:
        """The ARN that policies and grants name; of a role session the ARN of the role."""
        return self._principal.principal_arn

    @property
    def caller_arn(self) -> str:
        """The ARN of the caller in records of calls; of a role the ARN of the session."""
        return self._principal.arn

    @property
    def unique_id(self) -> str:
        """The unique id of the user or role; another one created with the same name has another."""
        return self._principal.entity_id

    @property
    def credentials(self) -> Credentials:
        """The credentials of this principal, with which other code can sign requests."""
        return self._identities.credentials.of(self._principal)

    def _client(self, service: str, region: str | None) -> Any:
        return self._clients.get(service, region, self.credentials)

    def session(self, region: str | None = None) -> boto3.Session:
        """Return a boto3 session that signs as this principal. region: its default Region."""
        return self._clients.make_session(region, self.credentials)

    def set_policies(self, *documents: Document) -> None:
        """Replace the identity policies of the user or role.

        documents: as JSON text or as dictionaries. Raises MalformedPolicyError, and ValueError for
        a principal that is not a user or role.
        """
        self._find_entity().set_policies(documents)

    def set_boundary(self, document: Document | None) -> None:
        """Replace the permissions boundary of the user or role; None removes it.

        Raises MalformedPolicyError.
        """
        self._find_entity().set_boundary(
            None
            if document is None
            else parse(document, PolicyKind.BOUNDARY, "the permissions boundary")
        )

    def set_trust(self, document: Document) -> None:
        """Replace the trust policy of the role. Raises MalformedPolicyError."""
        trust = parse(document, PolicyKind.TRUST, "the trust policy")
        self._identities.set_trust(self._find_entity(), trust)

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Replace the tags of the user or role. tags: name -> value."""
        self._find_entity().tags = dict(tags)

    def federated_user(
        self, name: str, *, policies: Policies = (), tags: Mapping[str, str] | None = None
    ) -> Principal:
        """Return a federated user of this IAM user (GetFederationToken).

        policies: its session policies; it is allowed what they and the policies of the IAM user
        allow. tags: session tags, name -> value.
        """
        session = Session.of(_list_documents(policies), tags or {})
        principal = self._identities.federate(self._principal, name, session)
        return Principal(principal, self._identities, self._clients)

    def via(self, service: str) -> Principal:
        """Return this principal in requests that a service makes on its behalf.

        Such requests have ``kms:ViaService``. service: such as ``s3``, ``ec2`` for EBS volumes, or
        ``secretsmanager``. Raises ValueError for a service principal.
        """
        if self._principal.kind is PrincipalKind.SERVICE:
            raise ValueError(f"{self.arn} is a service principal: use on_behalf_of()")
        return Principal(
            replace(self._principal, via=service.removesuffix(".amazonaws.com")),
            self._identities,
            self._clients,
        )

    def on_behalf_of(self, source_arn: str) -> Principal:
        """Return this service principal in requests that it makes for a resource.

        Such requests have ``aws:SourceArn``. source_arn: of the resource. Raises ValueError for a
        principal that is not a service.
        """
        if self._principal.kind is not PrincipalKind.SERVICE:
            raise ValueError(
                f"only service principals call on behalf of a resource; {self.arn} is not one"
            )
        return Principal(
            replace(self._principal, source_arn=source_arn), self._identities, self._clients
        )

    def delete(self) -> None:
        """Delete the user or role; policies and grants that name it no longer apply to anybody."""
        self._identities.delete(self._find_entity().arn)

    def _find_entity(self) -> Entity:
        entity = self._identities.entity_of(self._principal)
        if entity is None:
            raise ValueError(f"{self.arn} is not an IAM user or role, or has been deleted")
        return entity

    def __enter__(self) -> Principal:  # noqa: PYI034 - Python 3.10 has no Self
        self._identities.defaults.append(self._principal)
        return self

    def __exit__(self, *_: object) -> None:
        self._identities.defaults.remove(self._principal)


class Account(ClientSource):
    """An AWS account. Its clients sign as its administrator."""

    def __init__(self, account_id: str, identities: Identities, clients: Clients) -> None:
        if not isinstance(account_id, str):
            raise TypeError(f"an account id is a string of 12 digits, not {account_id!r}")
        if not is_account_id(account_id):
            raise ValueError(f"an account id has 12 digits, not {account_id!r}")
        self._id = account_id
        self._identities = identities
        self._clients = clients

    def __repr__(self) -> str:
        return f"<Account {self.id}>"

    @property
    def id(self) -> str:
        """The account id, 12 digits."""
        return self._id

    @property
    def root(self) -> Principal:
        """The root user of the account."""
        return self._wrap(self._identities.root(self.id))

    @property
    def administrator(self) -> Principal:
        """An IAM user of the account with the policy AdministratorAccess."""
        return self._wrap(self._identities.administrator_of(self.id))

    def user(
        self,
        name: str,
        *,
        policies: Policies | None = None,
        boundary: Document | None = None,
        tags: Mapping[str, str] | None = None,
        path: str | None = None,
    ) -> Principal:
        """Return the IAM user with this name, which is created on first use.

        policies: identity policies, one or a list, each as JSON text or as a dictionary. boundary:
        the permissions boundary. tags: name -> value. path: such as ``/team/``. Each argument that
        is not None replaces what the user has. Raises MalformedPolicyError.
        """
        user = self._wrap(self._identities.user(self.id, name, path))
        return _configure(user, policies, boundary, tags)

    def role(  # noqa: PLR0913 - the attributes of a role and its session
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
        """Return a session of the IAM role with this name; both are created on first use.

        policies, boundary, tags, path: of the role, as for `user`. session: the role session name.
        session_policies: limit the permissions of the session. session_tags: override the role's
        tags. trust: the trust policy; without one, identity policies of the account decide who can
        call AssumeRole. Raises MalformedPolicyError.
        """
        principal = self._identities.role(self.id, name, path, session)
        if session_policies is not None or session_tags is not None:
            documents = None if session_policies is None else _list_documents(session_policies)
            attributes = Session.of(documents, session_tags or {})
            self._identities.set_session(principal, attributes)
        role = _configure(self._wrap(principal), policies, boundary, tags)
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
        """Make the account a member of an organization, in place of any other.

        organization_id: such as ``o-exampleorgid``. service_control, resource_control: the SCPs and
        RCPs, a list of policies for each level: root, organizational units, account. Every level
        must allow a request; RCPFullAWSAccess is always attached. path: of the account in the
        organization, such as ``r-ab12/ou-ab12-11111111``. Raises MalformedPolicyError.
        """
        self._identities.set_organization(
            self.id,
            replace(
                self._identities.organization_of(self.id),
                organization_id=organization_id,
                path=None if path is None else f"{organization_id}/{path.strip('/')}/",
                service_control=_parse_levels(service_control, PolicyKind.SERVICE_CONTROL),
                resource_control=_parse_levels(resource_control, PolicyKind.RESOURCE_CONTROL),
            ),
        )

    def _wrap(self, principal: Caller) -> Principal:
        return Principal(principal, self._identities, self._clients)


def _configure(
    principal: Principal,
    policies: Policies | None,
    boundary: Document | None,
    tags: Mapping[str, str] | None,
) -> Principal:
    if policies is not None:
        principal.set_policies(*_list_documents(policies))
    if boundary is not None:
        principal.set_boundary(boundary)
    if tags is not None:
        principal.set_tags(tags)
    return principal


def _list_documents(policies: Policies) -> Iterable[Document]:
    """Return one or several documents as a sequence."""
    one: Any = policies
    return (one,) if isinstance(policies, (str, Mapping)) else policies


def _parse_levels(levels: Iterable[Policies], kind: PolicyKind) -> Any:
    if isinstance(levels, (str, Mapping)):
        raise TypeError("service_control and resource_control take a list of policies per level")
    return tuple(
        tuple(parse(document, kind) for document in _list_documents(level)) for level in levels
    )
