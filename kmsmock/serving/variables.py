"""The environment variables by which the SDKs of AWS find an endpoint, a Region and credentials.

Source: AWS SDKs and Tools Reference Guide, "Service-specific endpoints", "AWS Region", "Access
keys" and "IMDS credential provider".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from kmsmock.aws.services import ANSWERED
from kmsmock.process.environment import DUMMY

#: The endpoint of all services, and what precedes the name of one.
GLOBAL_ENDPOINT, _PREFIX = "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_"
#: botocore reads the first one, most other SDKs the second one.
REGIONS = ("AWS_DEFAULT_REGION", "AWS_REGION")
_NO_PROXY = ("no_proxy", "NO_PROXY")


def list_endpoints(url: str, services: Collection[str]) -> dict[str, str]:
    """Return the variables with the endpoints of KMS and of the services that a mock answers.

    services: the names of those beside KMS, as boto3 has them.
    """
    answered = [name for name in ANSWERED if name == "kms" or name in services]
    return {f"{_PREFIX}{name.upper()}": url for name in answered}


def find_free_endpoints(
    services: Collection[str], environment: Mapping[str, str], is_of_mock: Callable[[str], bool]
) -> list[str]:
    """Return the variables of `list_endpoints` for which a user has configured nothing.

    is_of_mock: returns whether a variable has been set by a mock.
    """
    if environment.get(GLOBAL_ENDPOINT) and not is_of_mock(GLOBAL_ENDPOINT):
        return []
    names = list_endpoints("", services)
    return [name for name in names if not environment.get(name) or is_of_mock(name)]


def list_variables(region: str) -> dict[str, str]:
    """Return the variables with a Region, and with credentials of no particular principal."""
    return {
        "AWS_ACCESS_KEY_ID": DUMMY,
        "AWS_SECRET_ACCESS_KEY": DUMMY,
        "AWS_EC2_METADATA_DISABLED": "true",
        **dict.fromkeys(REGIONS, region),
    }


def list_exceptions_of_proxies(environment: Mapping[str, str], host: str) -> dict[str, str]:
    """Return the variables that keep requests to a host from the proxies of an environment."""
    names = {name.lower() for name, value in environment.items() if value}
    if not names & {"http_proxy", "all_proxy"}:
        return {}
    present = {name: environment.get(name, "") for name in _NO_PROXY}
    return {
        name: f"{value},{host}" if value else host
        for name, value in present.items()
        if host not in value.split(",")
    }
