"""The operations of STS: who the caller is, and temporary credentials.

Source: AWS Security Token Service API Reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from dateutil.tz import tzutc

from kmsmock.access.denial import format_access_denied
from kmsmock.access.policies import collect_policies, decide
from kmsmock.authorization.decision import Decision
from kmsmock.authorization.policy_document import MalformedPolicyError
from kmsmock.authorization.request import AppliedPolicies, Request
from kmsmock.aws.arns import Arn
from kmsmock.aws.policy_limits import SESSION_POLICIES
from kmsmock.aws.principals import PrincipalKind
from kmsmock.aws.secret_values import reveal
from kmsmock.identities.credentials import Credentials
from kmsmock.identities.entities import Document, Entity, Session
from kmsmock.misuse.suggestions import end_sentence
from kmsmock.services.errors import (
    AccessDenied,
    MalformedPolicyDocument,
    PackedPolicyTooLarge,
    ValidationError,
)
from kmsmock.services.permissions import context_of
from kmsmock.services.registry import Handler, Service, ServiceCall
from kmsmock.timing.dates import add

#: The default duration of role sessions, and the longest with role chaining, in seconds.
ROLE_SECONDS = 3600
#: The default duration of session tokens and federation tokens, in seconds.
TOKEN_SECONDS = 12 * 3600
#: All of the allotted space, in percent.
_FULL = 100
_MFA = (
    "MFA devices are not emulated; kms.request_context({'aws:MultiFactorAuthPresent': 'true'}) "
    "sets the condition key for requests"
)
#: Parameter -> why it is refused.
_NOT_EMULATED = {
    "SerialNumber": _MFA,
    "TokenCode": _MFA,
    "TransitiveTagKeys": "session tags are not transitive here; pass Tags to each AssumeRole",
    "ProvidedContexts": "context assertions are not emulated",
}
#: Condition key -> the request parameter that has its value.
_MEMBERS = {
    "sts:RoleSessionName": "RoleSessionName",
    "sts:ExternalId": "ExternalId",
    "sts:SourceIdentity": "SourceIdentity",
}


def get_caller_identity(call: ServiceCall) -> dict[str, Any]:
    """Return the identity of the caller; this needs no permission."""
    principal = call.principal
    return {
        "UserId": principal.unique_id,
        "Account": principal.account,
        "Arn": principal.arn,
    }


def get_access_key_info(call: ServiceCall) -> dict[str, Any]:
    """Return the account of an access key."""
    principal = call.identities.credentials.get_owner(call.parameters["AccessKeyId"])
    if principal is None:
        raise ValidationError(
            "1 validation error detected: Value at 'accessKeyId' is not a known access key",
            explanation="The access key was not issued by this mock.",
        )
    return {"Account": principal.account}


def assume_role(call: ServiceCall) -> dict[str, Any]:
    """Start a session of a role whose trust policy allows the caller."""
    _require_emulated(call)
    parameters = call.parameters
    name = parameters["RoleSessionName"]
    arn = parameters["RoleArn"]
    identities = call.identities
    role = identities.entity(arn)
    if role is None or role.kind is not PrincipalKind.ASSUMED_ROLE or role.arn != arn:
        raise _denied(call, "sts:AssumeRole", arn, "The role does not exist; create it first.")
    _require_trust(call, role, "sts:AssumeRole")
    if parameters.get("Tags"):
        _require_trust(call, role, "sts:TagSession")
    seconds = _role_seconds(call, role, parameters.get("DurationSeconds", ROLE_SECONDS))
    session = session_of(call)
    expires = add(call.now, timedelta(seconds=seconds))
    identities.credentials.forget_past(identities.sessions)
    principal, credentials = identities.assume(role, name, session, call.now, expires)
    answer: dict[str, Any] = {
        "Credentials": _describe_credentials(credentials, expires),
        "AssumedRoleUser": {"AssumedRoleId": principal.unique_id, "Arn": principal.arn},
    }
    answer |= _describe_packed_size(call)
    if "SourceIdentity" in parameters:
        answer["SourceIdentity"] = parameters["SourceIdentity"]
    return answer


def get_session_token(call: ServiceCall) -> dict[str, Any]:
    """Return temporary credentials of the calling user."""
    _require_emulated(call)
    if call.principal.kind not in (PrincipalKind.USER, PrincipalKind.ROOT):
        raise AccessDenied("Cannot call GetSessionToken with session credentials")
    seconds = _token_seconds(call)
    expires = add(call.now, timedelta(seconds=seconds))
    principal = replace(call.principal, issued=call.now)
    call.identities.credentials.forget_past(call.identities.sessions)
    credentials = call.identities.credentials.issue(principal, expires)
    return {"Credentials": _describe_credentials(credentials, expires)}


def get_federation_token(call: ServiceCall) -> dict[str, Any]:
    """Return temporary credentials of a federated user.

    Its permissions are those that both the calling user and the session policies allow.
    """
    if call.principal.kind not in (PrincipalKind.USER, PrincipalKind.ROOT):
        raise AccessDenied("Cannot call GetFederationToken with session credentials")
    seconds = _token_seconds(call)
    expires = add(call.now, timedelta(seconds=seconds))
    identities = call.identities
    session = session_of(call)
    principal = identities.federate(call.principal, call.parameters["Name"], session)
    identities.credentials.forget_past(identities.sessions)
    credentials = identities.credentials.issue(principal, expires)
    answer: dict[str, Any] = {
        "Credentials": _describe_credentials(credentials, expires),
        "FederatedUser": {"FederatedUserId": principal.unique_id, "Arn": principal.arn},
    }
    return answer | _describe_packed_size(call)


OPERATIONS: dict[str, Handler] = {
    "AssumeRole": assume_role,
    "GetAccessKeyInfo": get_access_key_info,
    "GetCallerIdentity": get_caller_identity,
    "GetFederationToken": get_federation_token,
    "GetSessionToken": get_session_token,
}
SERVICE = Service(OPERATIONS)


# --- what the operations share ----------------------------------------------------------------


def _require_emulated(call: ServiceCall) -> None:
    """Refuse parameters that would change what the session may do, and are not emulated."""
    for member, why in _NOT_EMULATED.items():
        if member in call.parameters:
            raise ValidationError(f"{member} cannot be used", explanation=f"{member}: {why}.")


def _role_seconds(call: ServiceCall, role: Entity, seconds: int) -> int:
    if seconds > ROLE_SECONDS and call.principal.kind is PrincipalKind.ASSUMED_ROLE:
        raise ValidationError(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by "
            "role chaining"
        )
    if seconds > role.longest_session:
        raise ValidationError(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )
    return seconds


def _token_seconds(call: ServiceCall) -> int:
    seconds: int = call.parameters.get("DurationSeconds", TOKEN_SECONDS)
    return min(seconds, ROLE_SECONDS) if call.principal.kind is PrincipalKind.ROOT else seconds


def session_of(call: ServiceCall) -> Session:
    """Return the session that a call requests: its session policies, tags and source identity.

    Raises MalformedPolicyDocument, PackedPolicyTooLarge, and ValidationError for unknown managed
    policies.
    """
    parameters = call.parameters
    if not call.is_answered:
        _require_packed_size(parameters)
    documents: list[Document] = []
    if "Policy" in parameters:
        documents.append(parameters["Policy"])
    for entry in parameters.get("PolicyArns", ()):
        managed = call.identities.managed.get(entry["arn"])
        if managed is None:
            raise ValidationError(
                f"Policy {entry['arn']} does not exist or is not attachable.",
                explanation="Only a few AWS managed policies are known; pass the document of "
                "another as Policy.",
            )
        documents.append(managed.policy.text)
    tags = {tag["Key"]: tag["Value"] for tag in parameters.get("Tags", ())}
    try:
        return Session.of(documents or None, tags, parameters.get("SourceIdentity"))
    except MalformedPolicyError as defect:
        raise MalformedPolicyDocument(
            "This policy contains invalid Json",
            explanation=end_sentence(f"The session policy: {defect}"),
        ) from None


def _require_packed_size(parameters: Mapping[str, Any]) -> None:
    """Require that session policies and tags are not too large. Raises PackedPolicyTooLarge.

    AWS packs them into a form of limited size, which it has not documented; here their characters
    count, which is less strict. Sources: AssumeRole in the AWS STS API Reference; the texts are
    those of aws/containers-roadmap 2413 and unitycatalog/unitycatalog 1795.
    """
    size = _get_packed_size(parameters)
    if size <= _FULL:
        return
    has_policies = "Policy" in parameters or "PolicyArns" in parameters
    text = (
        f"Packed policy consumes {size}% of allotted space, please use smaller policy."
        if has_policies
        else f"Packed size of session tags consumes {size}% of allotted space."
    )
    raise PackedPolicyTooLarge(
        text,
        explanation=f"Here, the limit of session policies, ARNs of managed ones and session tags "
        f"together is {SESSION_POLICIES.most:,} characters. AWS counts a packed form of them, "
        "which it has not documented, and can refuse smaller ones, too.",
    )


def _describe_packed_size(call: ServiceCall) -> dict[str, int]:
    """Return the member about the packed size, which an answer has if there is something packed."""
    size = _get_packed_size(call.parameters)
    return {"PackedPolicySize": size} if size else {}


def _get_packed_size(parameters: Mapping[str, Any]) -> int:
    """Return the size of session policies and tags in percent of the limit; 0 without any."""
    texts = [parameters.get("Policy", "")]
    texts += [entry["arn"] for entry in parameters.get("PolicyArns", ())]
    texts += [text for tag in parameters.get("Tags", ()) for text in (tag["Key"], tag["Value"])]
    return ceil(SESSION_POLICIES.measure(*texts) * _FULL / SESSION_POLICIES.most)


def _require_trust(call: ServiceCall, role: Entity, action: str) -> None:
    if not call.backend.enforces_policies:
        return
    decision = _decide_trust(call, role, action)
    if not decision.allowed:
        explanation = f"{decision.reason}; the role's trust policy decides"
        raise _denied(call, action, role.arn, explanation)


def _decide_trust(call: ServiceCall, role: Entity, action: str) -> Decision:
    """Decide an action on a role by its trust policy and the policies of the caller."""
    request = Request(
        call.principal,
        action,
        role.arn,
        Arn.of(role.arn).account,
        lambda: context_of(call, action, _MEMBERS),
    )
    applied = collect_policies(call.identities, request, None)
    policies = AppliedPolicies(
        role.trust_in_force(),
        applied.identity,
        applied.boundary,
        applied.session,
        applied.service_control,
        unique_ids=role.trust_ids,
    )
    return decide(request, policies)


def _denied(call: ServiceCall, action: str, arn: str, explanation: str) -> AccessDenied:
    return AccessDenied(
        format_access_denied(call.principal, action, f"on resource: {arn}"),
        explanation=explanation,
    )


def _describe_credentials(credentials: Credentials, expires: datetime) -> dict[str, Any]:
    return {
        "AccessKeyId": credentials.access_key,
        "SecretAccessKey": reveal(credentials.secret_key),
        "SessionToken": reveal(credentials.session_token),
        "Expiration": expires.replace(microsecond=0, tzinfo=tzutc()),
    }
