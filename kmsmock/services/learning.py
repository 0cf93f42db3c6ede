"""Taking up what another mock has answered for IAM and STS, so that both know the same principals.

What was answered is done again here, under the ids and credentials that were given out.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from kmsmock.arns import Arn
from kmsmock.backend import Backend
from kmsmock.errors import ServiceError
from kmsmock.identities.credentials import Credentials, CredentialsError
from kmsmock.identities.entities import Group
from kmsmock.principals import Principal, PrincipalKind
from kmsmock.services import iam
from kmsmock.services.iam.finding import find_group, find_managed, find_role, find_user
from kmsmock.services.registry import ServiceCall
from kmsmock.services.sts import session_of

_READS = ("Get", "List", "Simulate")

Answer = Mapping[str, Any]


def learn(
    backend: Backend,
    *,
    service: str,
    operation: str,
    parameters: Mapping[str, Any],
    access_key: str | None,
    region: str,
    answer: Answer,
) -> None:
    """Take up one call. answer: what the other mock made of it. Warns when it cannot be."""
    with backend.lock:
        principal, now = _admit(backend, access_key, region, _account_in(answer))
        plain = json.loads(json.dumps(parameters, default=str))
        call = ServiceCall(backend, principal, region, now, plain, access_key, is_answered=True)
        try:
            if service == "sts":
                _SESSIONS.get(operation, _nothing)(call, answer)
            elif not operation.startswith(_READS) and operation in iam.OPERATIONS:
                _make_what_is_named(call, operation)
                _CREATED.get(operation, _again)(call, operation, answer)
        except (ServiceError, ValueError) as defect:
            warnings.warn(
                f"{operation} was answered by another mock, but kmsmock cannot take it up: "
                f"{defect}",
                stacklevel=2,
            )


def _admit(
    backend: Backend, access_key: str | None, region: str, account: str | None
) -> tuple[Principal, datetime]:
    """Let the request in, whatever its credentials, since the other mock has answered it already.

    account: where that has done something, None when it does not say. Gives the caller and the
    time; the caller is the root user of the account when the credentials are nobody's in there.
    """
    principal: Principal | None
    try:
        principal, now = backend.admit(access_key, region)
    except CredentialsError as refusal:
        principal, now = refusal.principal, backend.clock.now()
    if principal is None or account not in (None, principal.account):
        principal = backend.identities.root(account or backend.identities.administrator.account)
    return principal, now


def _account_in(answer: Answer) -> str | None:
    """Find the account of what was made, by its ARN."""
    for made in answer.values():
        if isinstance(made, Mapping) and "Arn" in made:
            arn = Arn.parse(made["Arn"])
            return arn.account if arn is not None else None
    return None


# --- users, roles, groups and policies ----------------------------------------------------------


def _make_what_is_named(call: ServiceCall, operation: str) -> None:
    """Make what was there before this mock was."""
    parameters, identities = call.parameters, call.identities
    kinds = (("User", PrincipalKind.USER), ("Role", PrincipalKind.ASSUMED_ROLE))
    for word, kind in kinds:
        name = parameters.get(f"{word}Name")
        if name is not None and operation != f"Create{word}":
            identities.make(kind, call.account, name, None, call.partition)
    name = parameters.get("GroupName")
    if name is not None and operation != "CreateGroup":
        groups = identities.groups_of(call.account, call.partition)
        if not any(group.name.lower() == name.lower() for group in groups):
            arn = call.arn(f"group/{name}")
            new_id = identities.credentials.new_id("AGPA")
            identities.add_group(Group(arn, name, "/", new_id, call.now))


def _again(call: ServiceCall, operation: str, answer: Answer) -> None:  # noqa: ARG001 - one of a table
    iam.OPERATIONS[operation](call)


def _user(call: ServiceCall, operation: str, answer: Answer) -> None:
    _again(call, operation, answer)
    call.identities.adopt_id(find_user(call), answer["User"]["UserId"])


def _role(call: ServiceCall, operation: str, answer: Answer) -> None:
    _again(call, operation, answer)
    call.identities.adopt_id(find_role(call), answer["Role"]["RoleId"])


def _group(call: ServiceCall, operation: str, answer: Answer) -> None:
    _again(call, operation, answer)
    find_group(call).unique_id = answer["Group"]["GroupId"]


def _policy(call: ServiceCall, operation: str, answer: Answer) -> None:
    _again(call, operation, answer)
    made = answer["Policy"]
    arn = {"PolicyArn": made["Arn"]}
    named = ServiceCall(call.backend, call.principal, call.region, call.now, arn)
    find_managed(named).policy_id = made["PolicyId"]


def _access_key(call: ServiceCall, operation: str, answer: Answer) -> None:  # noqa: ARG001 - one of a table
    made = answer["AccessKey"]
    owner = call.identities.user(call.account, made["UserName"], partition=call.partition)
    given = Credentials(made["AccessKeyId"], made["SecretAccessKey"])
    call.identities.credentials.add_key(owner, given)


_CREATED: dict[str, Callable[[ServiceCall, str, Answer], None]] = {
    "CreateUser": _user,
    "CreateRole": _role,
    "CreateGroup": _group,
    "CreatePolicy": _policy,
    "CreateAccessKey": _access_key,
}


# --- sessions -----------------------------------------------------------------------------------


def _nothing(call: ServiceCall, answer: Answer) -> None:
    """Take up nothing: the call has made nothing."""


def _assumed(call: ServiceCall, answer: Answer) -> None:
    arn = Arn.parse(answer["AssumedRoleUser"]["Arn"])
    assert arn is not None
    _, name, session = arn.resource.split("/")
    given, expires = _given(answer)
    role = call.identities.make(PrincipalKind.ASSUMED_ROLE, arn.account, name, None, arn.partition)
    call.identities.assume(role, session, session_of(call), call.now, expires, given)


def _token(call: ServiceCall, answer: Answer) -> None:
    given, expires = _given(answer)
    principal = replace(call.principal, issued=call.now)
    call.identities.credentials.issue(principal, expires, given)


def _federated(call: ServiceCall, answer: Answer) -> None:
    name = call.parameters["Name"]
    principal = call.identities.federate(call.principal, name, session_of(call))
    given, expires = _given(answer)
    call.identities.credentials.issue(principal, expires, given)


def _given(answer: Answer) -> tuple[Credentials, datetime]:
    made = answer["Credentials"]
    credentials = Credentials(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
    return credentials, made["Expiration"].astimezone(timezone.utc)


_SESSIONS: dict[str, Callable[[ServiceCall, Answer], None]] = {
    "AssumeRole": _assumed,
    "AssumeRoleWithSAML": _assumed,
    "AssumeRoleWithWebIdentity": _assumed,
    "GetFederationToken": _federated,
    "GetSessionToken": _token,
}
