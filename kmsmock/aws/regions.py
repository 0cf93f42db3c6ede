"""The Regions and partitions of AWS.

Which names Regions can have is in the data of the installed botocore, since AWS adds Regions.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

#: The Region of clients if nothing names one.
DEFAULT_REGION = "us-east-1"
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
_PARTITION_OF = {region: partition for partition, names in REGIONS.items() for region in names}
#: botocore's names for the one endpoint that a service can have in a partition -> the partition.
#: Services with one endpoint for all Regions of a partition.
GLOBAL_SERVICES = ("iam",)
_GLOBAL = {f"{partition}-global": partition for partition in REGIONS}
#: Partition -> the Region of the endpoints that it has only one of, such as that of IAM.
_GLOBAL_ENDPOINTS = {
    "aws": "us-east-1",
    "aws-cn": "cn-north-1",
    "aws-us-gov": "us-gov-west-1",
}
#: Names of Regions that certainly exist.
KNOWN_REGIONS = frozenset(_PARTITION_OF)
#: These, and botocore's names for the one endpoint of a partition, which KMS does not have.
CLIENT_REGIONS = frozenset({*_PARTITION_OF, *_GLOBAL})
_DNS_SUFFIXES = {
    "aws-cn": "amazonaws.com.cn",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
    "aws-eusc": "amazonaws.eu",
}


def is_region(value: object) -> bool:
    """Return whether a Region can have this name: it is like those of one of AWS's partitions."""
    return isinstance(value, str) and (value in _PARTITION_OF or _match(value) is not None)


def is_known_region(region: str) -> bool:
    """Return whether AWS has a Region with this name, as far as is known here or to botocore."""
    return region in _PARTITION_OF or region in _listed()


def list_regions() -> list[str]:
    """Return the names of all Regions that are known here or to botocore."""
    return list(dict.fromkeys((*_PARTITION_OF, *_listed())))


@lru_cache(maxsize=256)
def partition_of(region: str) -> str:
    """Return the AWS partition of a Region; ``aws`` for a name that no Region can have.

    region: also botocore's name for the one endpoint of a partition, such as ``aws-cn-global``.
    """
    return _PARTITION_OF.get(region) or _GLOBAL.get(region) or _match(region) or "aws"


def region_of_endpoint(name: str) -> str:
    """Return the Region in which a request is made.

    name: that of a Region, or botocore's for the one endpoint of a partition, which is in one.
    Source: IAM User Guide, "AWS global condition context keys", aws:RequestedRegion.
    """
    return _GLOBAL_ENDPOINTS.get(_GLOBAL.get(name, ""), name)


def region_of_service(service: str, region: str) -> str:
    """Return the Region for which clients in a Region sign requests to a service."""
    if service not in GLOBAL_SERVICES:
        return region
    name = f"{partition_of(region)}-global"
    only = region_of_endpoint(name)
    return region if only == name else only


def kms_host(region: str) -> str:
    """Return the host name of AWS KMS in a Region."""
    return f"kms.{region}.{_DNS_SUFFIXES.get(partition_of(region), 'amazonaws.com')}"


@lru_cache(maxsize=256)
def _match(name: str) -> str | None:
    """Return the partition whose Regions have names like this one."""
    from kmsmock.aws.installed_model import read_partitions

    for partition in read_partitions():
        if re.fullmatch(partition["regionRegex"], name):
            return str(partition["id"])
    return None


@cache
def _listed() -> frozenset[str]:
    """Return the Regions that botocore lists."""
    from kmsmock.aws.installed_model import read_partitions

    names = {name for partition in read_partitions() for name in partition["regions"]}
    return frozenset(names - _GLOBAL.keys())
