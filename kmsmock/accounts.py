"""AWS accounts, users, roles and other principals, as tests use them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kmsmock.activation.client_cache import Clients
from kmsmock.activation.typed_clients import ClientSource
from kmsmock.authorization.policy import Policy, parse
from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.aws.arns import Arn, is_account_id
from kmsmock.aws.installed_model import list_services
from kmsmock.aws.policy_limits import TRUST_POLICY
from kmsmock.aws.principals import Principal as Caller
from kmsmock.aws.principals import PrincipalKind
from kmsmock.aws.via_service import read_via_service, require_via_service
from kmsmock.identities.credentials import Credentials
from kmsmock.identities.directory import Identities
from kmsmock.identities.entities import Document, Entity, Session
from kmsmock.identities.iam_names import require_tags
from kmsmock.identities.policy_arguments import (
    Policies,
    list_documents,
    read_boundary,
    read_identity_policies,
    read_levels,
    read_session_policies,
)
from kmsmock.misuse.values import describe

if TYPE_CHECKING:
    import boto3


class Principal(ClientSource):
    """A principal: creates clients, has policies, and is the default inside a ``with`` block."""

    def __init__(
        self,
        principal: Caller,
        identities: Identities,
        clients: Clients,
        via_region: str | None = None,
    ) -> None:
        self._principal = principal
        self._identities = identities
        self._clients = clients
        #: The Region of its clients, if `via` has named one.
        self._via_region = via_region

    def __repr__(self) -> str:
        return f"<{self._principal.kind.value} {self._principal.arn}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Principal):
            return NotImplemented
        return self._identities is other._identities and self._principal == other._principal

    def __hash__(self) -> int:
        return hash((id(self._identities), self._principal))

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
        region = self._require_region(region)
        return self._clients.get(service, region, self.credentials)

    def session(self, region: str | None = None) -> boto3.Session:
        """Return a boto3 session that signs as this principal. region: its default Region."""
        return self._clients.make_session(self._require_region(region), self.credentials)

    def _require_region(self, region: str | None) -> str | None:
        """Return the Region of a client; raises ValueError if `via` has named another one."""
        if self._via_region is not None and region not in (None, self._via_region):
            raise ValueError(
                f"this principal calls through {self._principal.via} in {self._via_region}, and "
                f"not in {region}: leave the Region out of via({self._principal.via!r})"
            )
        return region or self._via_region

    def set_policies(self, *documents: Policies) -> None:
        """Replace the identity policies of the user or role.

        documents: dictionaries, JSON text, or the ARNs of managed policies to attach. Raises
        MalformedPolicyError, ValueError for a managed policy that does not exist, for policies
        beyond the limits of IAM and for a principal that is not a user or role, TypeError.
        """
        flat = [one for argument in documents for one in list_documents(argument, "a policy")]
        entity = self._find_entity()
        parsed = read_identity_policies(flat, entity.word, self._identities.managed)
        entity.set_policies(parsed.inline, parsed.attached)

    def set_boundary(self, document: Document | None) -> None:
        """Replace the permissions boundary of the user or role; None removes it.

        document: a dictionary, JSON text, or the ARN of a managed policy. Raises the errors of
        `set_policies`.
        """
        managed = self._identities.managed
        boundary = None if document is None else read_boundary(document, managed)
        self._find_entity().set_boundary(boundary)

    def set_trust(self, document: Document) -> None:
        """Replace the trust policy of the role. Raises MalformedPolicyError, ValueError.

        The users and roles that it names must exist, and it must be within the limit of IAM.
        """
        self._identities.set_trust(self._find_entity(), _parse_trust(document, self._identities))

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Replace the tags of the user or role. tags: name -> value. Raises TypeError, ValueError.

        Tags that IAM does not accept are errors.
        """
        self._find_entity().tags = require_tags(tags)

    def federated_user(
        self, name: str, *, policies: Policies = (), tags: Mapping[str, str] | None = None
    ) -> Principal:
        """Return a federated user of this IAM user (GetFederationToken).

        policies: its session policies; it is allowed what they and the policies of the IAM user
        allow. tags: session tags, name -> value. Raises ValueError for a principal that is no IAM
        user, and the errors of `Account.role`.
        """
        if self._principal.kind is not PrincipalKind.USER:
            raise ValueError(f"{self.arn} is no IAM user: federated users derive from IAM users")
        session = _read_session(policies, tags, self._identities)
        principal = self._identities.federate(self._principal, name, session)
        return Principal(principal, self._identities, self._clients)

    def via(self, service: str) -> Principal:
        """Return this principal in requests that a service makes on its behalf.

        Such requests have ``kms:ViaService``. service: such as ``s3``, ``ec2`` for EBS volumes, or
        ``secretsmanager``; or a value of ``kms:ViaService`` such as ``s3.us-east-1.amazonaws.com``,
        whose Region is then that of all clients. Raises ValueError for a name that no service has,
        and for a service principal.
        """
        if self._principal.kind is PrincipalKind.SERVICE:
            raise ValueError(f"{self.arn} is a service principal: use on_behalf_of()")
        through = read_via_service(service, "service")
        require_via_service(through.service, list_services)
        principal = replace(self._principal, via=through.service)
        return Principal(principal, self._identities, self._clients, through.region)

    def on_behalf_of(self, source_arn: str) -> Principal:
        """Return this service principal in requests that it makes for a resource.

        Such requests have ``aws:SourceArn``. source_arn: of the resource. Raises ValueError for a
        principal that is not a service.
        """
        if self._principal.kind is not PrincipalKind.SERVICE:
            raise ValueError(
                f"only service principals call on behalf of a resource; {self.arn} is not one"
            )
        if Arn.parse(source_arn) is None:
            raise ValueError(
                f"source_arn must be the ARN of a resource, not {describe(source_arn)}"
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
        self._clients.require_started()
        self._identities.defaults.append(self._principal)
        return self

    def __exit__(self, *_: object) -> None:
        self._identities.defaults.remove(self._principal)


class Account(ClientSource):
    """An AWS account. Its clients sign as its administrator."""

    def __init__(self, account_id: str, identities: Identities, clients: Clients) -> None:
        if not isinstance(account_id, str):
            hint = f": write {f'{account_id:012d}'!r}" if type(account_id) is int else ""
            raise TypeError(
                f"an account id is a string of 12 digits, not {describe(account_id)}{hint}"
            )
        if not is_account_id(account_id):
            raise ValueError(f"an account id has 12 digits, not {describe(account_id)}")
        self._id = account_id
        self._identities = identities
        self._clients = clients

    def __repr__(self) -> str:
        return f"<Account {self.id}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Account):
            return NotImplemented
        return self._identities is other._identities and self.id == other.id

    def __hash__(self) -> int:
        return hash((id(self._identities), self.id))

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

        policies: identity policies, one or a list, each as JSON text or as a dictionary, or the ARN
        of a managed policy to attach. boundary: the permissions boundary, in the same forms. tags:
        name -> value. path: such as ``/team/``. Each argument that is not None replaces what the
        user has. Raises MalformedPolicyError, ValueError for a name, path or tag that IAM does not
        accept, for policies beyond its limits, and for a managed policy that does not exist,
        TypeError.
        """
        configure = _read_configuration(self._identities, "user", policies, boundary, tags)
        user = self._wrap(self._identities.user(self.id, name, path))
        configure(user._find_entity())  # noqa: SLF001 - of this module
        return user

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
        tags. trust: the trust policy, which names only users and roles that exist; without one,
        identity policies of the account decide who can call AssumeRole. Raises the errors of
        `user`.
        """
        identities = self._identities
        # All of it is read first, so that nothing is created if something is wrong.
        configure = _read_configuration(identities, "role", policies, boundary, tags)
        trusted = None if trust is None else _parse_trust(trust, identities)
        attributes = None
        if session_policies is not None or session_tags is not None:
            attributes = _read_session(session_policies, session_tags, identities)
        principal = identities.role(self.id, name, path, session)
        role = self._wrap(principal)
        if attributes is not None:
            identities.set_session(principal, attributes)
        configure(role._find_entity())  # noqa: SLF001 - of this module
        if trusted is not None:
            identities.set_trust(role._find_entity(), trusted)  # noqa: SLF001 - as above
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
        organization, such as ``r-ab12/ou-ab12-11111111``. Raises MalformedPolicyError, ValueError
        for policies beyond the limits of Organizations.
        """
        if not organization_id.startswith("o-"):
            raise ValueError(
                f"organization_id must be such as 'o-exampleorgid', not {describe(organization_id)}"
            )
        self._identities.set_organization(
            self.id,
            replace(
                self._identities.organization_of(self.id),
                organization_id=organization_id,
                path=None if path is None else f"{organization_id}/{path.strip('/')}/",
                service_control=read_levels(
                    service_control, PolicyKind.SERVICE_CONTROL, "service_control"
                ),
                resource_control=read_levels(
                    resource_control, PolicyKind.RESOURCE_CONTROL, "resource_control"
                ),
            ),
        )

    def _wrap(self, principal: Caller) -> Principal:
        return Principal(principal, self._identities, self._clients)


def _read_configuration(
    identities: Identities,
    word: str,
    policies: Policies | None,
    boundary: Document | None,
    tags: Mapping[str, str] | None,
) -> Callable[[Entity], None]:
    """Read what a user or role is to have; return a function that sets it."""
    parsed = None
    if policies is not None:
        parsed = read_identity_policies(policies, word, identities.managed)
    limit = None if boundary is None else read_boundary(boundary, identities.managed)
    valid_tags = None if tags is None else require_tags(tags)

    def configure(entity: Entity) -> None:
        if parsed is not None:
            entity.set_policies(parsed.inline, parsed.attached)
        if limit is not None:
            entity.set_boundary(limit)
        if valid_tags is not None:
            entity.tags = valid_tags

    return configure


def _read_session(
    policies: Policies | None, tags: Mapping[str, str] | None, identities: Identities
) -> Session:
    session_policies = None
    if policies is not None:
        session_policies = read_session_policies(policies, identities.managed)
    return Session(session_policies, {} if tags is None else require_tags(tags))


def _parse_trust(document: Document, identities: Identities) -> Policy:
    trust = parse(document, PolicyKind.TRUST, "the trust policy")
    TRUST_POLICY.require(trust.text)
    identities.names.require_trust(trust)
    return trust
