"""Service-linked roles, which AWS creates for its services.

Source: IAM User Guide, "Create a service-linked role".
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kmsmock.aws.arns import aws_managed_policy_arn

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


def is_service_linked(path: str) -> bool:
    """Return whether a role with this path is linked to a service."""
    return path.startswith(_PATH)
