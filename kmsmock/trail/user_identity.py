"""The members userIdentity, sourceIPAddress and userAgent of records.

Source: AWS CloudTrail User Guide, "CloudTrail userIdentity element".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from kmsmock.aws import arns
from kmsmock.aws.principals import Principal, PrincipalKind
from kmsmock.aws.regions import partition_of
from kmsmock.aws.services import find_calling_service
from kmsmock.ledger.call_record import Call
from kmsmock.timing.dates import format_time

Identity = dict[str, Any]

_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn")
_LOOPBACK = "127.0.0.1"
_TEMPORARY = "ASIA"
_LONGEST_USER_AGENT = 1024


class RequestSource(NamedTuple):
    """The members sourceIPAddress and userAgent of a record: where a request came from."""

    source_ip_address: str
    user_agent: str


def service_name(event: Call) -> str | None:
    """Return the service that made a call, for its caller or as service principal, if any."""
    principal = event.principal
    is_service = principal.kind is PrincipalKind.SERVICE
    if not is_service and principal.via is None:
        return None
    if event.user_agent.endswith(_DOMAINS):
        return event.user_agent
    if is_service and event.user_agent == aws_internal(event.region):
        return event.user_agent
    if is_service:
        return principal.arn
    sender = find_calling_service(principal.via).sender
    return f"{sender}.cn" if _is_in_china(event.region) else sender


def aws_internal(region: str) -> str:
    """Return CloudTrail's name for KMS itself as a caller."""
    return "Amazon Internal" if _is_in_china(region) else "AWS Internal"


def get_request_source(event: Call) -> RequestSource:
    """Return source address and user agent; for a request of a service both are its name."""
    service = service_name(event)
    if service is not None:
        return RequestSource(service, service)
    address = (
        get_network_key(event, "aws:SourceIp")
        or get_network_key(event, "aws:VpcSourceIp")
        or _LOOPBACK
    )
    return RequestSource(address, event.user_agent[:_LONGEST_USER_AGENT])


def get_network_key(event: Call, key: str) -> str | None:
    """Return the first value of a condition key that the network determines, if it is set."""
    context = event.rare.context
    value: Any = None if context is None else context.get(key)
    values = value if isinstance(value, list) else [value]
    return next(iter(values), None) or None


def access_key(event: Call) -> str | None:
    """Return the access key id of a call; for a call through a service a temporary one."""
    key = event.access_key
    return key if key is None or event.principal.via is None else f"{_TEMPORARY}{key[4:]}"


def caller_identity(event: Call) -> Identity:
    """Return userIdentity for the log of the caller's account."""
    principal = event.principal
    identity: Identity = {"type": principal.kind.value}
    if principal.kind is not PrincipalKind.SERVICE:
        identity["principalId"] = principal.unique_id
        identity["arn"] = principal.arn
        identity["accountId"] = principal.account
        key = access_key(event)
        if key is not None:
            identity["accessKeyId"] = key
        if principal.kind is PrincipalKind.USER:
            identity["userName"] = _name(principal.arn)
        context = _session_context(event)
        if context:
            identity["sessionContext"] = context
    return _with_invoked_by(identity, service_name(event))


def cross_account_identity(event: Call) -> Identity:
    """Return userIdentity for the log of the key owner in another account, with less detail."""
    principal = event.principal
    identity = {
        "type": "AWSAccount",
        "principalId": principal.unique_id,
        "accountId": principal.account,
    }
    return _with_invoked_by(identity, service_name(event))


def internal_identity(account: str, region: str) -> Identity:
    """Return userIdentity of service events."""
    return {"accountId": account, "invokedBy": aws_internal(region)}


def _with_invoked_by(identity: Identity, service: str | None) -> Identity:
    if service is not None:
        identity["invokedBy"] = service
    return identity


def _session_context(event: Call) -> dict[str, Any]:
    principal = event.principal
    context: dict[str, Any] = {}
    issuer = _ISSUERS.get(principal.kind)
    if issuer is not None:
        context["sessionIssuer"] = issuer(principal)
    elif not (access_key(event) or "").startswith(_TEMPORARY):
        return {}
    has_mfa = (event.rare.context or {}).get("aws:MultiFactorAuthPresent") == "true"
    context["attributes"] = {
        "creationDate": format_time(principal.issued or event.at),
        "mfaAuthenticated": "true" if has_mfa else "false",
    }
    return context


def _role(principal: Principal) -> dict[str, str]:
    arn = principal.entity_arn or ""
    return {
        "type": "Role",
        "principalId": principal.entity_id,
        "arn": arn,
        "accountId": principal.account,
        "userName": _name(arn),
    }


def _federated_by(principal: Principal) -> dict[str, str]:
    """Return the session issuer of a federated user: an IAM user or the root user."""
    arn = principal.entity_arn or ""
    is_root = arns.Arn.of(arn).is_account_root
    issuer = {
        "type": (PrincipalKind.ROOT if is_root else PrincipalKind.USER).value,
        "principalId": principal.issuer_id,
        "arn": arn,
        "accountId": principal.account,
    }
    return issuer if is_root else {**issuer, "userName": _name(arn)}


_ISSUERS: dict[PrincipalKind, Callable[[Principal], dict[str, str]]] = {
    PrincipalKind.ASSUMED_ROLE: _role,
    PrincipalKind.FEDERATED_USER: _federated_by,
}


def _is_in_china(region: str) -> bool:
    return partition_of(region) == "aws-cn"


def _name(arn: str) -> str:
    return arns.name_in(arn)
