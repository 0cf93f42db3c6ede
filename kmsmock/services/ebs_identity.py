"""The names by which EBS calls KMS, for the volumes of EC2 and for those of RDS's instances."""

from __future__ import annotations


def service_name(region: str) -> str:
    """Give the service principal that is given grants."""
    return f"ec2.{region}.amazonaws.com"


def background_name(region: str) -> str:
    """Give what CloudTrail shows as the address of EBS, when it works later."""
    return f"prod.kms-caller.ebs.{region}.amazonaws.com"
