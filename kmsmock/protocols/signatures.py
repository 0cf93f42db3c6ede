"""Who sends an HTTP request: the check of signatures by the access keys of the mock.

Source: IAM User Guide, "Create a signed AWS API request"; of the errors and their order
`kmsmock.aws.signature_errors`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Iterator
from dataclasses import astuple
from datetime import datetime, timedelta, timezone
from typing import NamedTuple, NoReturn

from kmsmock.aws import signature_errors as texts
from kmsmock.aws.coded_error import CodedError
from kmsmock.aws.regions import (
    GLOBAL_SERVICES,
    is_known_region,
    is_region,
    region_of_endpoint,
    region_of_service,
)
from kmsmock.aws.services import AWS_SERVICES
from kmsmock.identities.credentials import Credentials, SessionTokenError
from kmsmock.process.real_time import RealTime
from kmsmock.protocols import sigv4
from kmsmock.protocols.credentials import find_access_key
from kmsmock.protocols.messages import HttpRequest
from kmsmock.protocols.scope import SignatureScope, read_scope
from kmsmock.protocols.sigv4 import Scope, Signature
from kmsmock.state.backend import Backend

_IN_HEADER = ("Credential", "Signature", "SignedHeaders")
_IN_QUERY = (
    *("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"),
    *("X-Amz-SignedHeaders", "X-Amz-Date"),
)


class Signer(NamedTuple):
    """Who has signed a request, and for which Region."""

    #: None for an unsigned request.
    access_key: str | None
    region: str


def authenticate(
    backend: Backend, request: HttpRequest, service: str, *, strict: bool, checks: bool = True
) -> Signer:
    """Return who has signed a request; check the signature of the mock's own access keys.

    service: to which the request is sent, as boto3 names it. strict: refuse all other access keys.
    checks: whether signatures are checked at all.
    Deleted and expired access keys are left to `Backend.admit`. Raises ServiceError, with the code
    and text of the service, and CredentialsError.
    """
    scope = read_scope(request)
    check = _Check(backend, request, service)
    if scope is None:
        signature = check.read()  # says what the signature lacks, if there is one
        if signature is None:
            return Signer(None, check.find_region())
        scope = SignatureScope(signature.access_key, *astuple(signature.scope)[:-1])
    if not is_region(scope.region):
        check.refuse(texts.WRONG_REGION, f"{scope.region!r} cannot be the name of a Region.")
    with backend.lock:
        known = backend.identities.credentials.get_valid(scope.access_key, backend.clock.now())
        if known is not None and checks:
            check.require_valid(known)
        return Signer(find_access_key(backend, scope, is_strict=strict), scope.region)


class _Check:
    """The check of one request, in the order of AWS."""

    def __init__(self, backend: Backend, request: HttpRequest, service: str) -> None:
        self._backend = backend
        self._request = request
        self._service = service
        self._errors = AWS_SERVICES[service].signature_errors
        self._query = dict(sigv4.parse_query(request.target))

    def refuse(self, text: str, explanation: str | None = None) -> NoReturn:
        """Raise the error for a signature that is not valid, or not for this request."""
        errors = self._errors
        raise CodedError(
            errors.invalid, errors.text or text, status=errors.status, explanation=explanation
        )

    def _refuse_incomplete(self, text: str, explanation: str | None = None) -> NoReturn:
        errors = self._errors
        raise CodedError(
            errors.incomplete,
            errors.text or text,
            status=errors.incomplete_status,
            explanation=explanation,
        )

    def find_region(self) -> str:
        """Return the Region of an unsigned request."""
        return self._read_region_of_host() or self._backend.default_region

    def require_valid(self, credentials: Credentials) -> None:
        """Require a signature by these credentials."""
        signature = self.read()
        assert signature is not None
        time_of_request = self._require_time(signature)
        self._require_host_signed(signature)
        self._require_scope(signature, time_of_request)
        if credentials.session_token is not None:
            self._require_token(signature, credentials)
        self._require_match(signature, time_of_request, credentials)
        if credentials.session_token is None:
            self._require_token(signature, credentials)

    # --- reading -----------------------------------------------------------------------------

    def read(self) -> Signature | None:
        """Return the signature of the request; None if it has none that is of AWS."""
        header = self._request.headers.get("authorization", "").strip()
        is_query = "X-Amz-Algorithm" in self._query
        if header and is_query:
            self.refuse(texts.SIGNED_TWICE)
        if is_query:
            return self._read_query()
        return self._read_header(header) if header.startswith("AWS4-") else None

    def _read_header(self, header: str) -> Signature:
        algorithm, _, rest = header.partition(" ")
        digest = base64.b64encode(hashlib.sha256(header.encode()).digest()).decode()
        members: dict[str, str] = {}
        for part in rest.replace(",", " ").split():
            name, equals, value = part.partition("=")
            if not equals:
                self._refuse_incomplete(texts.NO_PAIR.format(hash=digest))
            members[name] = value
        headers = self._request.headers
        date = headers.get("x-amz-date") or headers.get("date") or ""
        missing = [
            texts.MISSING_IN_HEADER.format(name=name) for name in _IN_HEADER if name not in members
        ]
        if not date:
            missing.append(texts.MISSING_DATE)
        if missing:
            hashed = texts.HASHED_HEADER.format(hash=digest)
            self._refuse_incomplete("".join(missing) + hashed)
        return self._build(algorithm, [members[name] for name in _IN_HEADER], date, is_query=False)

    def _read_query(self) -> Signature:
        query = self._query
        missing = [
            texts.MISSING_IN_QUERY.format(name=name) for name in _IN_QUERY if not query.get(name)
        ]
        if missing:
            self._refuse_incomplete("".join(missing) + texts.LOOK_AGAIN)
        algorithm, credential, value, signed_headers, date = (query[name] for name in _IN_QUERY)
        return self._build(algorithm, [credential, value, signed_headers], date, is_query=True)

    def _build(self, algorithm: str, parts: list[str], date: str, *, is_query: bool) -> Signature:
        credential, value, signed_headers = parts
        if algorithm != sigv4.ALGORITHM:
            self._refuse_incomplete(
                texts.UNSUPPORTED_ALGORITHM.format(algorithm=algorithm),
                "This is Signature Version 4A, with asymmetric keys, which is only for services "
                "with endpoints in many Regions, such as Multi-Region Access Points of S3."
                if algorithm.startswith("AWS4-ECDSA")
                else None,
            )
        elements = credential.rstrip("/").split("/")
        if len(elements) != 5:
            self._refuse_incomplete(texts.WRONG_CREDENTIAL.format(credential=credential))
        access_key, *scope = elements
        return Signature(
            access_key,
            Scope(*scope),
            tuple(name.lower() for name in signed_headers.split(";") if name),
            value,
            date,
            sigv4.find_token(self._request.headers, self._query if is_query else {}),
            is_query=is_query,
        )

    # --- checks ------------------------------------------------------------------------------

    def _require_time(self, signature: Signature) -> datetime:
        """Require a time near the real one; return that of the request.

        Only S3 regards ``X-Amz-Expires``: elsewhere a presigned request is valid as long as any
        other. Where a test has frozen the time of this process, that time is right, too, since the
        test's own clients sign with it.
        """
        read = sigv4.read_time(signature.date)
        if read is None:
            self._refuse_incomplete(texts.UNREADABLE_DATE.format(date=signature.date))
        skew = timedelta(minutes=self._errors.minutes)
        nows = list(_times())
        if all(abs(now - read) > skew for now in nows):
            self._refuse_time(read, nows[0], skew)
        return read

    def _refuse_time(self, read: datetime, now: datetime, skew: timedelta) -> NoReturn:
        text, limit = (
            (texts.EXPIRED, now - skew) if read < now else (texts.NOT_YET_CURRENT, now + skew)
        )
        self.refuse(
            text.format(
                date=_format(read),
                limit=_format(limit),
                now=_format(now),
                minutes=self._errors.minutes,
            ),
            "The time of a request is compared with the real time, not with the clock of the mock.",
        )

    def _require_host_signed(self, signature: Signature) -> None:
        if "host" not in signature.signed_headers:
            self.refuse(texts.HOST_NOT_SIGNED)
        for name in signature.signed_headers:
            if name not in self._request.headers:
                self._refuse_incomplete(texts.MISSING_HEADER.format(name=name))

    def _require_scope(self, signature: Signature, time_of_request: datetime) -> None:
        scope, day = signature.scope, time_of_request.strftime("%Y%m%d")
        region, reasons = self._find_expected_region(scope.region), []
        wrong = ""
        if region != scope.region:
            wrong += texts.WRONG_REGION
            reasons.append(f"It is scoped to {scope.region}, and this endpoint is in {region}.")
        if scope.service != self._service:
            wrong += texts.WRONG_SERVICE.format(service=self._service)
            reasons.append(f"It is scoped to the service {scope.service!r}.")
        if scope.terminator != sigv4.TERMINATOR:
            wrong += texts.WRONG_TERMINATOR
        if scope.date != day:
            wrong += texts.WRONG_DATE.format(
                scope=scope.date, day=day, date=_format(time_of_request)
            )
        if wrong:
            self.refuse(wrong, " ".join(reasons) or None)

    def _find_expected_region(self, region: str) -> str:
        """Return the Region that the endpoint is in; any Region has a loopback address."""
        if self._service in GLOBAL_SERVICES:
            return region_of_service(self._service, region)
        host = self._request.headers.get("host", "").lower()
        if host.startswith("sts.amazonaws.com"):
            return region_of_endpoint("aws-global")
        return self._read_region_of_host() or region

    def _read_region_of_host(self) -> str | None:
        """Return the Region in the name of the host, such as ``kms.eu-west-1.amazonaws.com``."""
        labels = self._request.headers.get("host", "").lower().split(".")
        return next(filter(is_known_region, labels), None)

    def _require_token(self, signature: Signature, credentials: Credentials) -> None:
        """Require the session token of temporary credentials, and none with others."""
        expected, sent = credentials.session_token, signature.token
        if expected is None and sent is None:
            return
        if expected is None:
            reason = "The request has a session token, and its long-term access key has none."
        elif sent is None:
            reason = "The request lacks the session token of its temporary credentials."
        elif not hmac.compare_digest(expected.encode(), sent.encode()):
            reason = "The session token of the request is not that of its access key."
        else:
            return
        owner = self._backend.identities.credentials.get_owner(credentials.access_key)
        assert owner is not None
        raise SessionTokenError(credentials.access_key, owner, reason)

    def _require_match(
        self, signature: Signature, time_of_request: datetime, credentials: Credentials
    ) -> None:
        request = self._request
        canonical = sigv4.build_canonical_request(
            request.method, request.target, request.headers, request.body, signature
        )
        string_to_sign = sigv4.build_string_to_sign(time_of_request, signature.scope, canonical)
        expected = sigv4.sign(str(credentials.secret_key), signature.scope, string_to_sign)
        if hmac.compare_digest(expected.encode(), signature.value.encode()):
            return
        self.refuse(
            texts.MISMATCH,
            f"The signature is not by the secret access key of {signature.access_key}, or not of "
            "the request that has arrived. Its canonical request is:\n"
            + sigv4.hide_token(canonical, signature.token),
        )


def _times() -> Iterator[datetime]:
    """Yield the real time, and that of the process, which a test can have frozen."""
    for seconds in (RealTime.start + RealTime.seconds(), time.time()):
        yield datetime.fromtimestamp(seconds, timezone.utc)


def _format(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime(sigv4.BASIC_FORMAT)
