"""The names under which EBS calls KMS, for the volumes of EC2 and for those of RDS instances."""

from __future__ import annotations


def service_principal(region: str) -> str:
    """Return the service principal that is the grantee of EBS's grants."""
    return f"ec2.{region}.amazonaws.com"


def background_source(region: str) -> str:
    """Return the source address in CloudTrail of calls that EBS makes after the request."""
    return f"prod.kms-caller.ebs.{region}.amazonaws.com"
