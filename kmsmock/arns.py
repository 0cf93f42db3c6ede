"""ARNs and key identifiers: taking them apart and putting them together."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

ALIAS_PREFIX = "alias/"
AWS_ALIAS_PREFIX = "alias/aws/"

#: Regions of AWS by partition. Append only: a position is part of the ciphertext layout.
#: Source: AWS Regions and endpoints, botocore's endpoints.json (2026-11).
REGIONS: dict[str, tuple[str, ...]] = {
    "aws": (
        *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "ca-west-1"),
        *("eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2"),
        *("eu-west-1", "eu-west-2", "eu-west-3", "ap-east-1", "ap-east-2", "ap-northeast-1"),
        *("ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2", "ap-southeast-1"),
        *("ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5"),
        *("ap-southeast-6", "ap-southeast-7", "af-south-1", "il-central-1", "me-central-1"),
        *("me-south-1", "mx-central-1", "sa-east-1"),
    ),
    "aws-cn": ("cn-north-1", "cn-northwest-1"),
    "aws-us-gov": ("us-gov-east-1", "us-gov-west-1"),
    "aws-iso": ("us-iso-east-1", "us-iso-west-1"),
    "aws-iso-b": ("us-isob-east-1", "us-isob-west-1"),
    "aws-iso-e": ("eu-isoe-west-1",),
    "aws-iso-f": ("us-isof-east-1", "us-isof-south-1"),
    "aws-eusc": ("eusc-de-east-1",),
}
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]")
#: Partition -> the Region of the endpoints that it has only one of, such as that of IAM.
_GLOBAL_ENDPOINTS = {
    "aws": "us-east-1",
    "aws-cn": "cn-north-1",
    "aws-us-gov": "us-gov-west-1",
}
_PARTITION_OF = {region: partition for partition, names in REGIONS.items() for region in names}
_PARTITION_PREFIXES = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}
_DNS_SUFFIXES = {
    "aws-cn": "amazonaws.com.cn",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
    "aws-eusc": "amazonaws.eu",
}
_KEY_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|mrk-[0-9a-fA-F]{32}")


class Arn(NamedTuple):
    """The parts of an Amazon Resource Name: ``arn:partition:service:region:account:resource``."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    def __str__(self) -> str:
        return ":".join(("arn", *self))

    @classmethod
    def parse(cls, text: str) -> Arn | None:
        """Take an ARN apart; None when the text has not the six parts of one."""
        parts = text.split(":", 5)
        if len(parts) != 6 or parts[0] != "arn":
            return None
        return cls(*parts[1:])


def is_region(value: object) -> bool:
    """Tell whether something has the form of a Region's name; there may be new ones."""
    return isinstance(value, str) and _REGION.fullmatch(value) is not None


@lru_cache(maxsize=256)
def partition_of(region: str) -> str:
    """Name the AWS partition of a Region; unknown Regions are told by their prefix.

    region: also botocore's name for the one endpoint of a partition, such as ``aws-cn-global``.
    """
    known = _PARTITION_OF.get(region)
    if known:
        return known
    if region.removesuffix("-global") in REGIONS:
        return region.removesuffix("-global")
    return next(
        (p for prefix, p in _PARTITION_PREFIXES.items() if region.startswith(prefix)), "aws"
    )


def region_of_endpoint(name: str) -> str:
    """Name the Region in which a request is made.

    name: that of a Region, or botocore's for the one endpoint of a partition, which is in one.
    Source: IAM User Guide, "AWS global condition context keys", aws:RequestedRegion.
    """
    partition = name.removesuffix("-global")
    return _GLOBAL_ENDPOINTS.get(partition, name) if partition != name else name


def kms_host(region: str) -> str:
    """Name the host that answers for AWS KMS in a Region."""
    return f"kms.{region}.{_DNS_SUFFIXES.get(partition_of(region), 'amazonaws.com')}"


def is_known_region(region: str) -> bool:
    """Tell whether AWS has a Region of that name."""
    return region in _PARTITION_OF


def is_key_id(text: str) -> bool:
    """Tell whether the text has the form of a key id: a UUID, or ``mrk-`` and 32 hex digits."""
    return _KEY_ID.fullmatch(text) is not None


def key_arn(region: str, account: str, key_id: str) -> str:
    """Give the ARN of a KMS key."""
    return f"arn:{partition_of(region)}:kms:{region}:{account}:key/{key_id}"


def alias_arn(region: str, account: str, alias_name: str) -> str:
    """Give the ARN of an alias; its name begins with ``alias/``."""
    return f"arn:{partition_of(region)}:kms:{region}:{account}:{alias_name}"
