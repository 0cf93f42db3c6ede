"""Requests that botocore signs, which know nothing of the signatures of kmsmock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from kmsmock.protocols.messages import HttpRequest


def sign(
    credentials: Any,
    *,
    service: str = "kms",
    region: str = "us-east-1",
    at: datetime | None = None,
    presigned_for: int | None = None,
    host: str = "127.0.0.1:5000",
    target: str = "/",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"{}",
    **changes: Any,
) -> HttpRequest:
    """Return a request that botocore has signed.

    credentials: of a principal of kmsmock. service: in the scope. at: the time of the signature.
    presigned_for: the seconds of a presigned request; None for a signature in the header. changes:
    of the secret key or token that sign.
    """
    known = {"secret_key": str(credentials.secret_key), "token": credentials.session_token}
    known = {**known, **changes}
    token = known["token"]
    own = Credentials(
        credentials.access_key, known["secret_key"], None if token is None else str(token)
    )
    method = "GET" if presigned_for is not None else "POST"
    body = b"" if presigned_for is not None else body
    request = AWSRequest(method, f"http://{host}{target}", dict(headers or {}), body)
    auth: Any = (
        SigV4Auth(own, service, region)
        if presigned_for is None
        else SigV4QueryAuth(own, service, region, presigned_for)
    )
    if at is None:
        auth.add_auth(request)
    else:
        with pytest.importorskip("time_machine").travel(at, tick=False):
            auth.add_auth(request)
    url = urlsplit(str(request.url))
    received = {"host": host, **{name.lower(): value for name, value in request.headers.items()}}
    return HttpRequest(
        method, f"{url.path or '/'}{'?' if url.query else ''}{url.query}", received, body
    )
