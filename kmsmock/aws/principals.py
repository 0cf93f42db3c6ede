"""Principals: who makes a request."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum

from kmsmock.aws.arns import Arn


class PrincipalKind(Enum):
    """The kinds of principal that make requests, with CloudTrail's names."""

    ROOT = "Root"
    USER = "IAMUser"
    ASSUMED_ROLE = "AssumedRole"
    FEDERATED_USER = "FederatedUser"
    SERVICE = "AWSService"


@dataclass(frozen=True, slots=True)
class Principal:
    """A principal that makes requests."""

    kind: PrincipalKind
    #: The ARN of a root user, IAM user, role session or federated user; for a service its name,
    #: such as ``ec2.amazonaws.com``.
    arn: str
    #: The account id, 12 digits; empty for services.
    account: str
    #: ``AIDA…`` for a user, ``AROA…:session`` for a role session, ``<account>:<name>`` for a
    #: federated user, the account id for a root user.
    unique_id: str
    #: The ARN, with its path, of the role of a session, or of the user that a federated user
    #: derives from; None for others.
    entity_arn: str | None = None
    #: When temporary credentials were issued.
    issued: datetime | None = field(default=None, compare=False)
    #: Distinguishes sessions with the same name, each of which can have its own session policies.
    session_key: str = ""
    #: The service that calls KMS with the identity of the principal (a forward access session),
    #: such as ``s3``.
    via: str | None = None
    #: The ARN of the resource for which a service calls.
    source_arn: str | None = None
    #: The account of that resource, if its ARN does not contain it.
    source_account: str = ""
    #: The unique id of the user that a federated user derives from.
    issuer_id: str = field(default="", compare=False)
    #: The AWS partition of the principal.
    partition: str = field(init=False, compare=False)
    #: The unique id of the user or role, without a session name.
    entity_id: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        arn = Arn.parse(self.arn)
        object.__setattr__(self, "partition", "aws" if arn is None else arn.partition)
        entity_id = self.issuer_id or self.unique_id.partition(":")[0]
        object.__setattr__(self, "entity_id", entity_id)

    def via_service(self, region: str) -> str | None:
        """Return the ``kms:ViaService`` value of the service that calls for the principal."""
        return None if self.via is None else f"{self.via}.{region}.amazonaws.com"

    @property
    def is_service(self) -> bool:
        """Whether a service makes the request, as service principal or for its own caller."""
        return self.via is not None or self.kind is PrincipalKind.SERVICE

    @property
    def is_service_linked(self) -> bool:
        """Whether it is a session of a service-linked role, which SCPs and RCPs do not restrict.

        Source: AWS Organizations User Guide, "Service control policies" and "Resource control
        policies".
        """
        return ":role/aws-service-role/" in (self.entity_arn or "")

    @property
    def has_entity(self) -> bool:
        """Whether it is, or is a session of, an IAM user or role."""
        return self.kind not in (PrincipalKind.ROOT, PrincipalKind.SERVICE)

    def with_entity_id(self, before: str, after: str) -> Principal:
        """Return the principal with the unique id `after`, if its id is `before`; else itself."""
        if self.entity_id != before:
            return self
        if self.issuer_id:
            return replace(self, issuer_id=after)
        return replace(self, unique_id=after + self.unique_id.removeprefix(before))

    @property
    def principal_arn(self) -> str:
        """The value of ``aws:PrincipalArn``: for a role session the ARN of the role."""
        if self.kind is PrincipalKind.ASSUMED_ROLE and self.entity_arn is not None:
            return self.entity_arn
        return self.arn
