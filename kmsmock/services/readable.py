"""Requests that no service can read: their texts are not Unicode.

With AWS, botocore fails to send them: the query protocol needs the bytes of each text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kmsmock.aws import credential_errors
from kmsmock.aws.errors import SerializationException
from kmsmock.aws.services import AWS_SERVICES
from kmsmock.misuse.surrogates import find_lone_surrogate
from kmsmock.services.errors import MalformedQueryString

#: The services with the query protocol, which their errors for credentials show.
_QUERY = {
    name
    for name, service in AWS_SERVICES.items()
    if service.credential_errors in (credential_errors.QUERY, credential_errors.EC2)
}
#: Source: AWS IAM API Reference, "Common Errors"; Amazon EC2 API Reference, "Error codes".
_MALFORMED = "The query string contains a syntax error."


def require_characters(service: str, parameters: Mapping[str, Any]) -> None:
    """Refuse parameters with lone surrogates, with the error of the service's protocol.

    Raises SerializationException, or MalformedQueryString.
    """
    found = find_lone_surrogate(parameters)
    if found is None:
        return
    explanation = (
        f"The parameters have the lone surrogate {found}, which is no character: UTF-8 cannot "
        "encode it."
    )
    if service in _QUERY:
        raise MalformedQueryString(_MALFORMED, explanation=explanation)
    raise SerializationException(explanation=explanation)
