"""Principals: who a request is made by."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum

from kmsmock.aws.arns import Arn


class PrincipalKind(Enum):
    """The kinds of principal that can make requests, as CloudTrail names them."""

    ROOT = "Root"
    USER = "IAMUser"
    ASSUMED_ROLE = "AssumedRole"
    FEDERATED_USER = "FederatedUser"
    SERVICE = "AWSService"


@dataclass(frozen=True, slots=True)
class Principal:
    """One that makes requests.

    arn: of the root user, of the IAM user, of the role *session* or federated user; of services
    their name. account: 12 digits; empty for services. unique_id: ``AIDA…``, ``AROA…:session``,
    ``<account>:<name>`` of a federated user or, for the root user, the account id.
    entity_arn: of what is behind a session: the role with its path, or the user of a federated
    one; None for others. issued: when temporary credentials were. via: the service that calls
    KMS with the identity of the principal (a forward access session), such as ``s3``.
    source_arn: of the resource for which a service calls. source_account: which it is in, where
    its ARN does not tell. issuer_id: the unique id of the user
    whom a federated one comes from.
    """

    kind: PrincipalKind
    arn: str
    account: str
    unique_id: str
    entity_arn: str | None = None
    issued: datetime | None = field(default=None, compare=False)
    #: Tells sessions of one name apart, of which each can have policies of its own.
    session_key: str = ""
    via: str | None = None
    source_arn: str | None = None
    source_account: str = ""
    issuer_id: str = field(default="", compare=False)
    #: The AWS partition of the principal.
    partition: str = field(init=False, compare=False)
    #: The unique id of the user or role, without the name of a session.
    entity_id: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        arn = Arn.parse(self.arn)
        object.__setattr__(self, "partition", "aws" if arn is None else arn.partition)
        entity_id = self.issuer_id or self.unique_id.partition(":")[0]
        object.__setattr__(self, "entity_id", entity_id)

    def via_service(self, region: str) -> str | None:
        """Give the service that calls KMS for the principal, as ``kms:ViaService`` has it."""
        return None if self.via is None else f"{self.via}.{region}.amazonaws.com"

    @property
    def is_service(self) -> bool:
        """Whether a service calls, in its own name or with the identity of its caller."""
        return self.via is not None or self.kind is PrincipalKind.SERVICE

    @property
    def is_service_linked(self) -> bool:
        """Whether it is a session of a role that AWS gives to a service, and organizations spare.

        Source: AWS Organizations User Guide, "Service control policies" and "Resource control
        policies".
        """
        return ":role/aws-service-role/" in (self.entity_arn or "")

    @property
    def is_of_entity(self) -> bool:
        """Whether there is a user or role behind it."""
        return self.kind not in (PrincipalKind.ROOT, PrincipalKind.SERVICE)

    def with_entity_id(self, before: str, after: str) -> Principal:
        """Give the same under another unique id; itself when it has not the one before."""
        if self.entity_id != before:
            return self
        if self.issuer_id:
            return replace(self, issuer_id=after)
        return replace(self, unique_id=after + self.unique_id.removeprefix(before))

    @property
    def own_arn(self) -> str:
        """The ARN that ``aws:PrincipalArn`` has: for sessions of a role that of the role."""
        if self.kind is PrincipalKind.ASSUMED_ROLE and self.entity_arn is not None:
            return self.entity_arn
        return self.arn
