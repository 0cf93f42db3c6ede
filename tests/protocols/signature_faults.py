"""Faults of signatures, and the error that each service has for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from kmsmock.protocols.messages import HttpRequest
from tests.protocols.signers import sign

SERVICES = ("kms", "cloudtrail", "sts", "iam", "rds", "ec2")
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS "
    "Secret Access Key and signing method. Consult the service documentation for details."
)


def with_header(request: HttpRequest, name: str, value: str | None) -> HttpRequest:
    headers = {**request.headers, name: value or ""}
    if value is None:
        del headers[name]
    return request._replace(headers=headers)


class Fault(NamedTuple):
    """A fault of a request; each service has its own error for it."""

    make: Callable[[Any, str], HttpRequest]
    #: Whether the signature lacks something, instead of being wrong.
    is_incomplete: bool
    text: str


def change(old: str, new: str) -> Callable[[Any, str], HttpRequest]:
    """Return a function that makes a request with a changed header ``Authorization``."""

    def make(credentials: Any, service: str) -> HttpRequest:
        request = sign(credentials, service=service)
        header = request.headers["authorization"]
        assert old in header
        return with_header(request, "authorization", header.replace(old, new))

    return make


def presign_without_date(credentials: Any, service: str) -> HttpRequest:
    signed = sign(credentials, service=service, presigned_for=60)
    return signed._replace(target=signed.target.replace("X-Amz-Date", "Date"))


FAULTS = {
    "wrong secret": Fault(
        lambda user, service: sign(user, service=service, secret_key="wrong"), False, MISMATCH
    ),
    "presigned with a wrong secret": Fault(
        lambda user, service: sign(user, service=service, secret_key="wrong", presigned_for=60),
        False,
        MISMATCH,
    ),
    "changed body": Fault(
        lambda user, service: sign(user, service=service)._replace(body=b"{ }"), False, MISMATCH
    ),
    "changed query": Fault(
        lambda user, service: sign(user, service=service)._replace(target="/?a=2"), False, MISMATCH
    ),
    "unsigned payload": Fault(
        lambda user, service: sign(
            user, service=service, headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}
        ),
        False,
        MISMATCH,
    ),
    "Region that cannot exist": Fault(
        lambda user, service: sign(user, service=service, region="nowhere"),
        False,
        "Credential should be scoped to a valid region. ",
    ),
    "Region of another endpoint": Fault(
        lambda user, service: sign(
            user,
            service=service,
            region="eu-west-1",
            host="sts.amazonaws.com" if service == "sts" else f"{service}.us-east-1.amazonaws.com",
        ),
        False,
        "Credential should be scoped to a valid region. ",
    ),
    "other service": Fault(
        lambda user, _: sign(user, service="s3"),
        False,
        "Credential should be scoped to correct service: '{service}'. ",
    ),
    "other terminator": Fault(
        change("aws4_request", "aws5_request"),
        False,
        "Credential should be scoped with a valid terminator: 'aws4_request'. ",
    ),
    "unsigned host": Fault(
        change("SignedHeaders=host;", "SignedHeaders="),
        False,
        "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    ),
    "signed twice": Fault(
        lambda user, service: sign(user, service=service)._replace(
            target="/?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        ),
        False,
        "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
    ),
    "header that is not there": Fault(
        change("SignedHeaders=host;", "SignedHeaders=accept;host;"),
        True,
        "'accept' is named as a SignedHeader, but it does not exist in the HTTP request.",
    ),
    "no signature": Fault(
        change(", Signature=", ", Sig="),
        True,
        "Authorization header requires 'Signature' parameter. (Hashed with SHA-256 and encoded "
        "with Base64) Authorization={hash}",
    ),
    "no date": Fault(
        lambda user, service: with_header(sign(user, service=service), "x-amz-date", None),
        True,
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
        "(Hashed with SHA-256 and encoded with Base64) Authorization={hash}",
    ),
    "date in words": Fault(
        lambda user, service: with_header(sign(user, service=service), "x-amz-date", "today"),
        True,
        "Date must be in ISO-8601 'basic format'. Got 'today'. See "
        "http://en.wikipedia.org/wiki/ISO_8601",
    ),
    "no equals sign": Fault(
        change("SignedHeaders=", "SignedHeaders"),
        True,
        "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 "
        "and encoded with Base64): '{hash}'.",
    ),
    "presigned without date": Fault(
        presign_without_date,
        True,
        "AWS query-string parameters must include 'X-Amz-Date'. Re-examine the query-string "
        "parameters.",
    ),
    "Signature Version 4A": Fault(
        change("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
        True,
        "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256' (only AWS4-HMAC-SHA256 for now). ",
    ),
    "credential without Region": Fault(
        change("/us-east-1/", "/"),
        True,
        "Credential must have exactly 5 slash-delimited elements, e.g. "
        "keyid/date/region/service/term, got '{credential}'",
    ),
}
#: Service -> the code and the status for wrong and for incomplete signatures.
CODES = {
    **dict.fromkeys(
        ("kms", "cloudtrail"),
        (("InvalidSignatureException", 400), ("IncompleteSignatureException", 400)),
    ),
    **dict.fromkeys(
        ("sts", "iam", "rds"), (("SignatureDoesNotMatch", 403), ("IncompleteSignature", 400))
    ),
    "ec2": (("AuthFailure", 401), ("AuthFailure", 401)),
}
