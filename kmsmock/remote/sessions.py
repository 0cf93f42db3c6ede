"""The boto3 session of a principal of a server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3

from kmsmock.activation.clients import without_proxies
from kmsmock.aws.regions import region_of_service
from kmsmock.identities.credentials import Credentials

#: The parameters of `boto3.Session.client` after the name of the service, in order.
_PARAMETERS = (
    *("region_name", "api_version", "use_ssl", "verify", "endpoint_url", "aws_access_key_id"),
    *("aws_secret_access_key", "aws_session_token", "config"),
)


class EndpointSession(boto3.Session):  # type: ignore[misc,unused-ignore] # boto3 has no types
    """A session whose clients and resources call one URL.

    require: raises ValueError for a service that does not answer there. region: the default one.
    """

    def __init__(
        self, url: str, require: Callable[[str], None], region: str, credentials: Credentials
    ) -> None:
        super().__init__(
            region_name=region,
            aws_access_key_id=credentials.access_key,
            aws_secret_access_key=credentials.secret_key,
            aws_session_token=credentials.session_token,
        )
        self._kmsmock_url = url
        self._kmsmock_require = require

    def client(self, service_name: str, *arguments: Any, **keywords: Any) -> Any:
        """Create a client of a service. The arguments are those of boto3."""
        keywords.update(zip(_PARAMETERS, arguments, strict=False))
        if keywords.get("endpoint_url") is None:
            self._kmsmock_require(service_name)
            keywords["endpoint_url"] = self._kmsmock_url
            region = keywords.get("region_name") or self.region_name
            keywords["region_name"] = region_of_service(service_name, region)
        keywords["config"] = without_proxies(keywords.get("config"))
        create: Any = super().client
        return create(service_name, **keywords)
