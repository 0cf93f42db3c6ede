"""The scope of a request's signature: who signs, and for which Region and service.

Source: AWS IAM User Guide, "Elements of an AWS API request signature".
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import parse_qs

from kmsmock.protocols.messages import HttpRequest

_CREDENTIAL = re.compile(r"Credential=([^,]+)")
_SCOPE = re.compile(r"([^/]+)/([^/]*)/([^/]+)/([^/]+)/aws4_request")


class SignatureScope(NamedTuple):
    """The credential scope of a signature."""

    #: The access key that signs.
    access_key: str
    #: The day of the signature, as ``YYYYMMDD``.
    date: str
    region: str
    #: The name of the service in signatures, such as ``kms``.
    service: str


def read_scope(request: HttpRequest) -> SignatureScope | None:
    """Return the scope in the header ``Authorization``, or in the query of a presigned request.

    None for an unsigned request, or if the scope cannot be read.
    """
    scope = read_authorization(request.headers.get("authorization", ""))
    if scope is not None:
        return scope
    query = request.target.partition("?")[2]
    if "X-Amz-Credential" not in query:
        return None
    return read_credential(parse_qs(query).get("X-Amz-Credential", [""])[0])


def read_authorization(header: str) -> SignatureScope | None:
    """Return the scope in the value of a header ``Authorization``; None if it has none."""
    match = _CREDENTIAL.search(header)
    return None if match is None else read_credential(match.group(1).strip())


def read_credential(credential: str) -> SignatureScope | None:
    """Return the scope of a credential, ``<access key>/<date>/<Region>/<service>/aws4_request``.

    None if it is something else.
    """
    match = _SCOPE.fullmatch(credential)
    return None if match is None else SignatureScope(*match.groups())
