"""Service-linked roles, which AWS creates for its services.

Source: IAM User Guide, "Create a service-linked role".
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kmsmock.authorization.policy import parse
from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.aws.arns import aws_managed_policy_arn
from kmsmock.aws.principals import PrincipalKind
from kmsmock.identities.directory import Identities

_PATH = "/aws-service-role/"


class ServiceLinkedRole(NamedTuple):
    """A service-linked role."""

    name: str
    #: The service principal that the role trusts, and that is in its path.
    service: str
    #: The AWS managed policy of the role.
    policy: str

    @property
    def path(self) -> str:
        """The path of the role."""
        return f"{_PATH}{self.service}/"

    @property
    def trust_policy(self) -> dict[str, Any]:
        """The trust policy of the role."""
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": self.service},
            "Action": "sts:AssumeRole",
        }
        return {"Version": "2012-10-17", "Statement": [statement]}

    def policy_arn(self, partition: str) -> str:
        """Return the ARN of the AWS managed policy of the role."""
        return aws_managed_policy_arn(partition, f"{_PATH[1:]}{self.policy}")


#: Source: AWS KMS Developer Guide, "Authorizing AWS KMS to synchronize multi-Region keys".
MULTI_REGION_ROLE = ServiceLinkedRole(
    "AWSServiceRoleForKeyManagementServiceMultiRegionKeys",
    "mrk.kms.amazonaws.com",
    "AWSKeyManagementServiceMultiRegionKeysServiceRolePolicy",
)


def require_role(
    identities: Identities, account: str, partition: str, role: ServiceLinkedRole
) -> None:
    """Create a service-linked role, unless the account has it."""
    kind = PrincipalKind.ASSUMED_ROLE
    if identities.named(kind, account, role.name, partition) is not None:
        return
    entity = identities.get_or_create_entity(kind, account, role.name, role.path, partition)
    entity.trust = parse(role.trust_policy, PolicyKind.TRUST)
    managed = identities.managed.find(role.policy_arn(partition))
    entity.attached[managed.arn] = managed
    entity.update_policies()


def is_service_linked(path: str) -> bool:
    """Return whether a role with this path is linked to a service."""
    return path.startswith(_PATH)
