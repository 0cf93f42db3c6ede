"""Signatures of HTTP requests by access keys of the mock, and of others."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

import pytest

from kmsmock import KMSMock
from kmsmock.aws.errors import ServiceError
from kmsmock.identities.credentials import CredentialsError
from kmsmock.protocols.messages import HttpRequest
from kmsmock.protocols.signatures import Signer, authenticate
from tests.protocols.requests import send
from tests.protocols.signature_faults import (
    CODES,
    FAULTS,
    MISMATCH,
    SERVICES,
    Fault,
    change,
    with_header,
)
from tests.protocols.signers import sign

INVALID_TOKEN = "The security token included in the request is invalid."
OF_EC2 = "AWS was not able to validate the provided access credentials"
#: Service -> by how many minutes a request can be late.
MINUTES = {"kms": 5, "cloudtrail": 5, "sts": 15, "iam": 15, "rds": 5, "ec2": 15}


def check(
    kms: KMSMock, request: HttpRequest, service: str = "kms", *, strict: bool = False
) -> Signer:
    return authenticate(kms._backend, request, service, strict=strict)


def refuse(
    kms: KMSMock, request: HttpRequest, service: str = "kms", *, strict: bool = False
) -> ServiceError:
    """Return the error with which a service refuses a request."""
    with pytest.raises((ServiceError, CredentialsError)) as caught:
        check(kms, request, service, strict=strict)
    error = caught.value
    return error.error_of(service) if isinstance(error, CredentialsError) else error


@pytest.fixture
def user(kms: KMSMock) -> Any:
    """The long-term credentials of a user."""
    return kms.account("111122223333").user("alice").credentials


@pytest.fixture
def session(kms: KMSMock) -> Any:
    """The temporary credentials of a role."""
    return kms.account("111122223333").role("App").credentials


# --- valid signatures --------------------------------------------------------------------------


@pytest.mark.parametrize("presigned_for", [None, 60], ids=["header", "presigned"])
@pytest.mark.parametrize("kind", ["user", "session"])
@pytest.mark.parametrize("service", SERVICES)
def test_a_signature_of_botocore_is_valid(
    kms: KMSMock, request: Any, service: str, kind: str, presigned_for: int | None
) -> None:
    credentials = request.getfixturevalue(kind)
    signed = sign(credentials, service=service, presigned_for=presigned_for)
    assert check(kms, signed, service) == (credentials.access_key, "us-east-1")


@pytest.mark.parametrize(
    "variant",
    [
        {"target": "/?b=2&a=1&a=0"},
        {"target": "/?q=a%20b&empty"},
        {"target": "/?q=%C3%A9%2B"},
        {"target": "/a//b/../c/./"},
        {"target": "/a%20b/x%2Fy"},
        {"headers": {"X-Amz-Meta": "  a   b  "}},
        {"headers": {"X-Amz-Content-SHA256": hashlib.sha256(b"{}").hexdigest()}},
        {"body": '{"é": 1}'.encode()},
        {"body": b""},
        {"host": "kms.us-east-1.amazonaws.com"},
        {"host": "[::1]:4599"},
    ],
    ids=lambda variant: "-".join(f"{name}={value}" for name, value in variant.items())[:50],
)
def test_all_of_a_request_is_signed_as_botocore_does(
    kms: KMSMock, user: Any, variant: dict[str, Any]
) -> None:
    assert check(kms, sign(user, **variant)).access_key == user.access_key


def test_a_plus_in_a_query_is_a_space(kms: KMSMock, user: Any) -> None:
    request = sign(user, target="/?q=a%20b")
    assert check(kms, request._replace(target="/?q=a+b")).access_key == user.access_key


def test_a_date_header_is_the_time_of_the_request(kms: KMSMock, user: Any) -> None:
    now = datetime.now(timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")
    request = sign(user, headers={"Date": now})
    assert "x-amz-date" not in request.headers
    assert check(kms, request).access_key == user.access_key


def test_a_frozen_time_is_the_time_of_the_test_s_own_clients(kms: KMSMock, user: Any) -> None:
    time_machine = pytest.importorskip("time_machine")
    with time_machine.travel(datetime(2020, 1, 1, tzinfo=timezone.utc)):
        assert check(kms, sign(user)).access_key == user.access_key


def test_presigned_requests_are_valid_as_long_as_others(kms: KMSMock, user: Any) -> None:
    late = datetime.now(timezone.utc) - timedelta(minutes=10)
    request = sign(user, service="sts", presigned_for=1, at=late)
    assert check(kms, request, "sts").access_key == user.access_key
    request = sign(user, service="sts", presigned_for=3600, at=late - timedelta(minutes=10))
    assert refuse(kms, request, "sts").code == "SignatureDoesNotMatch"


# --- refused signatures --------------------------------------------------------------------------


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%SZ")


def parse(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ")  # noqa: DTZ007 - all are in UTC


def hashed(request: HttpRequest) -> str:
    digest = hashlib.sha256(request.headers["authorization"].encode()).digest()
    return base64.b64encode(digest).decode()


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("service", SERVICES)
def test_each_service_refuses_a_fault_with_its_own_error(
    kms: KMSMock, user: Any, service: str, fault: Fault
) -> None:
    request = fault.make(user, service)
    error = refuse(kms, request, service)
    assert (error.code, error.status) == CODES[service][fault.is_incomplete]
    header = request.headers.get("authorization", "")
    text = fault.text.format(
        service=service,
        hash=hashed(request) if header else "",
        credential=header.partition("Credential=")[2].partition(",")[0],
    )
    assert error.message == (OF_EC2 if service == "ec2" else text)


@pytest.mark.parametrize("service", SERVICES)
def test_a_request_is_refused_when_it_is_too_old(kms: KMSMock, user: Any, service: str) -> None:
    minutes = MINUTES[service]
    at = datetime.now(timezone.utc).replace(microsecond=0)
    check(kms, sign(user, service=service, at=at - timedelta(minutes=minutes - 1)), service)
    old = at - timedelta(minutes=minutes + 1)
    error = refuse(kms, sign(user, service=service, at=old), service)
    assert (error.code, error.status) == CODES[service][0]
    if service != "ec2":
        assert (error.message or "").startswith(
            f"Signature expired: {stamp(old)} is now earlier than "
        )
        assert (error.message or "").endswith(f"Z - {minutes} min.)")


@pytest.mark.parametrize("service", SERVICES)
def test_a_request_is_refused_when_it_is_too_early(kms: KMSMock, user: Any, service: str) -> None:
    minutes = MINUTES[service]
    early = datetime.now(timezone.utc) + timedelta(minutes=minutes + 1)
    error = refuse(kms, sign(user, service=service, at=early), service)
    assert (error.code, error.status) == CODES[service][0]
    if service != "ec2":
        assert (error.message or "").startswith(
            f"Signature not yet current: {stamp(early)} is still later than "
        )
        assert (error.message or "").endswith(f"Z + {minutes} min.)")


def test_the_limit_in_the_text_is_the_time_of_the_service_less_the_minutes(
    kms: KMSMock, user: Any
) -> None:
    old = datetime.now(timezone.utc) - timedelta(hours=1)
    text = refuse(kms, sign(user, at=old)).message or ""
    limit, now = re.findall(r"\d{8}T\d{6}Z", text)[1:]
    assert parse(now) - parse(limit) == timedelta(minutes=5)


def test_the_day_of_the_scope_is_that_of_the_date(kms: KMSMock, user: Any) -> None:
    now = datetime.now(timezone.utc)
    day, other = now.strftime("%Y%m%d"), "20200101"
    error = refuse(kms, change(f"/{day}/", f"/{other}/")(user, "kms"))
    date = (error.message or "").rpartition("'")[0].rpartition("'")[2]
    assert error.message == (
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
        f"'{other}' != '{day}', from '{date}'."
    )


# --- session tokens ----------------------------------------------------------------------------

TOKEN_FAULTS = {
    "missing": {"token": None},
    "of somebody else": {"token": "a" * 96},
}


@pytest.mark.parametrize("presigned_for", [None, 60], ids=["header", "presigned"])
@pytest.mark.parametrize("fault", TOKEN_FAULTS.values(), ids=TOKEN_FAULTS)
@pytest.mark.parametrize(
    ("service", "code", "status", "text"),
    [
        ("kms", "UnrecognizedClientException", 400, INVALID_TOKEN),
        ("cloudtrail", "UnrecognizedClientException", 400, INVALID_TOKEN),
        ("sts", "InvalidClientTokenId", 403, INVALID_TOKEN),
        ("iam", "InvalidClientTokenId", 403, INVALID_TOKEN),
        ("rds", "InvalidClientTokenId", 403, INVALID_TOKEN),
        ("ec2", "AuthFailure", 401, OF_EC2),
    ],
    ids=lambda value: value if value in SERVICES else "",
)
def test_temporary_credentials_need_their_session_token(
    kms: KMSMock,
    session: Any,
    service: str,
    code: str,
    status: int,
    text: str,
    fault: dict[str, Any],
    presigned_for: int | None,
) -> None:
    signed = sign(session, service=service, presigned_for=presigned_for, **fault)
    error = refuse(kms, signed, service)
    assert (error.code, error.status, error.message) == (code, status, text)


def test_long_term_credentials_have_no_session_token(kms: KMSMock, user: Any) -> None:
    error = refuse(kms, sign(user, token="a" * 96))
    assert (error.code, error.message) == ("UnrecognizedClientException", INVALID_TOKEN)


def test_no_secret_is_in_the_explanation_of_a_mismatch(kms: KMSMock, session: Any) -> None:
    request = sign(session, secret_key="wrong")
    explanation = refuse(kms, request).explanation or ""
    assert "x-amz-security-token:<session token>" in explanation
    for secret in (session.session_token, session.secret_key):
        assert str(secret) not in explanation


# --- other access keys -------------------------------------------------------------------------


class Dummies(NamedTuple):
    access_key: str
    secret_key: str = "testing"
    session_token: str | None = None


DUMMIES = Dummies("testing")


@pytest.mark.parametrize("service", SERVICES)
def test_unknown_access_keys_need_no_valid_signature(kms: KMSMock, service: str) -> None:
    request = sign(DUMMIES, service=service)
    assert check(kms, with_header(request, "x-amz-date", "20000101T000000Z"), service) == (
        "testing",
        "us-east-1",
    )


def test_twelve_digits_are_the_administrator_of_that_account(kms: KMSMock) -> None:
    signer = check(kms, sign(Dummies("444455556666")))
    assert signer.access_key is not None
    principal, _ = kms._backend.admit(signer.access_key, signer.region)
    assert principal.account == "444455556666"
    assert principal.arn == kms._backend.identities.administrator_of("444455556666").arn


@pytest.mark.parametrize(
    ("service", "access_key", "code"),
    [
        ("kms", "testing", "UnrecognizedClientException"),
        ("kms", "444455556666", "UnrecognizedClientException"),
        ("cloudtrail", "testing", "UnrecognizedClientException"),
        ("sts", "AKIAIOSFODNN7EXAMPLE", "InvalidClientTokenId"),
        ("iam", "testing", "InvalidClientTokenId"),
        ("rds", "testing", "InvalidClientTokenId"),
        ("ec2", "testing", "AuthFailure"),
    ],
)
def test_strict_credentials_refuse_unknown_access_keys(
    kms: KMSMock, service: str, access_key: str, code: str
) -> None:
    request = sign(Dummies(access_key), service=service)
    assert refuse(kms, request, service, strict=True).code == code


def test_deleted_access_keys_are_left_to_the_service(kms: KMSMock) -> None:
    iam = kms.client("iam")
    iam.create_user(UserName="bob")
    key = iam.create_access_key(UserName="bob")["AccessKey"]
    iam.delete_access_key(UserName="bob", AccessKeyId=key["AccessKeyId"])
    deleted = Dummies(key["AccessKeyId"], "wrong")
    assert check(kms, sign(deleted)).access_key == key["AccessKeyId"]
    with pytest.raises(CredentialsError):
        kms._backend.admit(key["AccessKeyId"], "us-east-1")


@pytest.mark.parametrize("header", ["", "Bearer abc", "AWS AKIA:abc"])
def test_what_is_not_signed_with_version_4_is_unsigned(kms: KMSMock, header: str) -> None:
    request = HttpRequest("POST", "/", {"host": "127.0.0.1:1", "authorization": header}, b"")
    assert check(kms, request) == (None, "us-east-1")


def test_the_host_of_an_unsigned_request_has_its_region(kms: KMSMock) -> None:
    request = HttpRequest("POST", "/", {"host": "sts.eu-west-1.amazonaws.com"}, b"")
    assert check(kms, request, "sts") == (None, "eu-west-1")


def test_iam_has_one_region_for_all_of_a_partition(kms: KMSMock, user: Any) -> None:
    error = refuse(kms, sign(user, service="iam", region="eu-west-1"), "iam")
    assert error.message == "Credential should be scoped to a valid region. "


# --- the answer ---------------------------------------------------------------------------------


def test_kms_answers_a_wrong_signature_with_its_error(kms: KMSMock, user: Any) -> None:
    headers = {"X-Amz-Target": "TrentService.ListKeys"}
    response = send(kms, sign(user, headers=headers, secret_key="wrong"))
    assert response.status == 400
    assert json.loads(response.body) == {
        "__type": "InvalidSignatureException",
        "message": MISMATCH,
    }


def test_kms_answers_a_valid_signature(kms: KMSMock, session: Any) -> None:
    headers = {"X-Amz-Target": "TrentService.ListKeys"}
    response = send(kms, sign(session, headers=headers))
    assert json.loads(response.body)["__type"] == "AccessDeniedException"
    assert kms.calls[-1].caller.endswith(":assumed-role/App/session")
