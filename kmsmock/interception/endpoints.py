"""Regions that AWS does not have: names that no Region can have, and names that none has yet."""

from __future__ import annotations

import botocore
from botocore.exceptions import EndpointConnectionError

from kmsmock.aws.api_call import Answer
from kmsmock.aws.errors import ServiceError
from kmsmock.aws.hosts import is_aws_host, read_host
from kmsmock.aws.regions import is_known_region, is_region, list_regions
from kmsmock.misuse.suggestions import get_nearest
from kmsmock.process.exceptions import add_note


def require_endpoint(url: str, region: str) -> None:
    """Require that an endpoint of AWS can exist in a Region; raises EndpointConnectionError.

    url: of the request; other hosts than those of AWS are not checked. region: of the client.
    """
    host = read_host(url)
    if is_region(region) or region.lower() not in host.split(".") or not is_aws_host(host):
        return
    error = EndpointConnectionError(endpoint_url=url)
    nearest = get_nearest(region, list_regions(), 0)
    add_note(
        error,
        f"No partition of AWS in botocore {botocore.__version__} has Regions with names like "
        f"{region}; the nearest Region is {nearest}.",
    )
    raise error


def explain_region(answer: Answer, region: str) -> None:
    """Add to the explanation of an error that botocore does not list the Region of the client."""
    error = answer.result
    if not isinstance(error, ServiceError) or not is_region(region) or is_known_region(region):
        return
    nearest = get_nearest(region, list_regions(), 0)
    text = (
        f"botocore {botocore.__version__} does not list the Region {region}; the nearest one that "
        f"it lists is {nearest}."
    )
    error.explanation = f"{error.explanation} {text}" if error.explanation else text
