"""STS beside another mock: the sessions that it starts are started here too.

They get the same credentials.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from kmsmock.aws.arns import Arn
from kmsmock.aws.principals import PrincipalKind
from kmsmock.identities.credentials import Credentials
from kmsmock.process.repeated_warnings import warn_once
from kmsmock.services.beside import BesideStore
from kmsmock.services.mirroring import Answer, MirrorChange, mirror
from kmsmock.services.registry import ServiceCall
from kmsmock.services.sts.answered import ROLE_SECONDS, TOKEN_SECONDS, session_of
from kmsmock.timing.dates import add


def _assume_role(call: ServiceCall, answer: Answer) -> None:
    arn = Arn.of(answer["AssumedRoleUser"]["Arn"])
    if arn.role_and_session is None:
        raise ValueError(f"{arn} is not the ARN of a role session")
    name, session = arn.role_and_session
    credentials, expires = _credentials_in(call, answer, ROLE_SECONDS)
    role = call.identities.get_or_create_entity(
        PrincipalKind.ASSUMED_ROLE, arn.account, name, None, arn.partition
    )
    if role.unread_trust:
        warn_once(
            f"{role.arn} has a trust policy that kmsmock cannot read, so it trusts its account: "
            f"{role.unread_trust}"
        )
    call.identities.assume(role, session, session_of(call), call.now, expires, credentials)


def _get_session_token(call: ServiceCall, answer: Answer) -> None:
    credentials, expires = _credentials_in(call, answer, TOKEN_SECONDS)
    principal = replace(call.principal, issued=call.now)
    call.identities.credentials.issue(principal, expires, credentials)


def _get_federation_token(call: ServiceCall, answer: Answer) -> None:
    name = call.parameters["Name"]
    principal = call.identities.federate(call.principal, name, session_of(call))
    credentials, expires = _credentials_in(call, answer, TOKEN_SECONDS)
    call.identities.credentials.issue(principal, expires, credentials)


def _credentials_in(
    call: ServiceCall, answer: Answer, default_seconds: int
) -> tuple[Credentials, datetime]:
    """Return the credentials in the answer of the other mock, and when they expire here.

    The expiration in the answer is a time on the clock of the other mock, which can be a different
    one.
    """
    issued = answer["Credentials"]
    credentials = Credentials.of(
        issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"]
    )
    seconds = call.parameters.get("DurationSeconds", default_seconds)
    return credentials, add(call.now, timedelta(seconds=seconds))


_CHANGES: dict[str, MirrorChange] = {
    "AssumeRole": _assume_role,
    "AssumeRoleWithSAML": _assume_role,
    "AssumeRoleWithWebIdentity": _assume_role,
    "GetFederationToken": _get_federation_token,
    "GetSessionToken": _get_session_token,
}
BESIDE = BesideStore(
    {name: mirror(name, change) for name, change in _CHANGES.items()}, {}, trusts_store=True
)
