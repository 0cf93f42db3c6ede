"""The hosts of AWS, in all partitions: recognize them, and read their Region."""

from __future__ import annotations

import re
from functools import cache
from urllib.parse import urlsplit

from kmsmock.aws.installed_model import read_partitions
from kmsmock.aws.regions import is_region

#: Suffixes of AWS's host names that botocore's ``partitions.json`` lacks: those that botocore 1.31
#: does not have yet, and those that only the endpoint rules of a service have, such as signin and
#: neptune-graph. Source: botocore 1.44.8, October 2026.
_SUPPLEMENT = (
    *("amazonaws.eu", "api.amazonwebservices.eu", "amazonaws-eusc.eu"),
    *("api.aws.ic.gov", "api.aws.scloud", "api.cloud-aws.adc-e.uk", "api.aws.hci.ic.gov"),
    *("on.aws", "signin.aws", "signin.aws.amazon.com", "signin.amazonaws.cn"),
    *("amazonaws-us-gov.com", "signin.c2shome.ic.gov", "signin.sc2shome.sgov.gov"),
    *("signin.csphome.hci.ic.gov", "signin.csphome.adc-e.uk"),
)
#: Labels in the names of hosts that run what a customer has installed, such as an emulator of AWS:
#: instances, load balancers, functions. Source: EC2 User Guide, "EC2 instance hostnames and
#: domains"; Elastic Load Balancing User Guide; Lambda Developer Guide, "Function URLs".
_OF_CUSTOMERS = re.compile(r"(?:.+\.)?(?:compute(?:-\d+)?|elb|lambda-url)(?:\..+)?")


def read_host(url: str) -> str:
    """Return the host name in a URL, in lower case and without a final dot; "" if there is none."""
    try:
        return (urlsplit(url).hostname or "").removesuffix(".")
    except ValueError:
        return ""


def is_aws_host(host: str) -> bool:
    """Return whether a host, as `read_host` returns it, is an endpoint of AWS.

    In any partition, standard, FIPS, dual-stack, and VPC interface endpoints.
    """
    return _get_labels(host) is not None


def read_region(host: str) -> str | None:
    """Return the Region in the name of a regional endpoint, such as ``kms.eu-west-1.api.aws``.

    None if it is no host of AWS, or has no Region.
    """
    # VPC interface endpoints are vpce-....kms.<Region>.vpce.<suffix>.
    region = (_get_labels(host) or "").removesuffix(".vpce").rpartition(".")[2]
    return region if is_region(region) else None


def _get_labels(host: str) -> str | None:
    """Return what precedes the suffix of a host of AWS; None for other hosts."""
    match = _hosts().fullmatch(host)
    if match is None or _OF_CUSTOMERS.fullmatch(match.group(1)):
        return None
    return match.group(1)


@cache
def _hosts() -> re.Pattern[str]:
    """Return the pattern of AWS's host names, with what precedes the suffix as group 1."""
    suffixes = set(_SUPPLEMENT)
    for partition in read_partitions():
        outputs = partition["outputs"]
        suffixes |= {outputs["dnsSuffix"], outputs["dualStackDnsSuffix"]}
    # The shortest group 1 has the longest suffix, since one suffix can end with another.
    return re.compile(rf"(.+?)\.(?:{'|'.join(map(re.escape, sorted(suffixes)))})")
