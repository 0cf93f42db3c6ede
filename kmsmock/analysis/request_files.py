"""Read the request that ``kmsmock explain`` evaluates from a file."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kmsmock.access.context import check_context_key
from kmsmock.analysis.json_files import (
    Location,
    Members,
    read_json,
    read_object,
    read_text,
    read_texts,
)
from kmsmock.aws.arns import ALIAS_PREFIX, Arn, iam_arn, is_account_id, session_arn
from kmsmock.aws.principals import Principal, PrincipalKind
from kmsmock.ledger.operation_names import require_action
from kmsmock.operations.registry import is_account_level, is_decided_on_alias, is_key_level

#: The members of a request.
_MEMBERS = ("principal", "sessionIssuer", "action", "resource", "encryptionContext", "context")
#: The action whose resource is the retiring principal.
_LIST_RETIRABLE = "kms:ListRetirableGrants"
_KEY_EXAMPLE = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@dataclass(frozen=True, slots=True)
class DescribedRequest:
    """The request in a file."""

    location: Location
    principal: Principal
    #: The ARN of the role or user that the principal is a session of, if the file names it.
    issuer: str | None
    action: str
    #: The resource: a key ARN, the ARN of an alias, or ``*``.
    resource: str
    #: The parsed key ARN; None if the resource is not a key.
    key: Arn | None
    encryption_context: Mapping[str, str] | None
    #: Condition key -> value, as the file has them.
    context: Mapping[str, str | list[str]]

    def with_role(self, names: Collection[str]) -> Principal:
        """Return the principal, with the path of its role if one of these names is its role's.

        The ARN of a role session does not have the path of the role, but only one role of an
        account has a name. names: ARNs in key policies and grants. Raises BadInputError if they
        name several roles that the session can be of.

        Source: IAM User Guide, "IAM identifiers".
        """
        principal = self.principal
        if principal.kind is not PrincipalKind.ASSUMED_ROLE or self.issuer is not None:
            return principal
        own = Arn.of(principal.entity_arn or principal.arn)
        roles = sorted({name for name in names if _is_same_role(Arn.parse(name), own)})
        if len(roles) > 1:
            self.location.within("principal").refuse(
                f"this can be a session of {' or '.join(roles)}, of which only one can exist; "
                "name the role in 'sessionIssuer'"
            )
        return replace(principal, entity_arn=roles[0]) if roles else principal


def _is_same_role(arn: Arn | None, own: Arn) -> bool:
    return (
        arn is not None
        and (arn.partition, arn.service, arn.account) == (own.partition, "iam", own.account)
        and (arn.resource_type, arn.name) == ("role", own.name)
    )


def read_request(path: str) -> DescribedRequest:
    """Read a request; raises BadInputError."""
    location = Location(path)
    members = Members(read_json(path), location, _MEMBERS)
    issuer = members.get("sessionIssuer", read_text)
    principal = _read_principal(members, issuer)
    action = members.require("action", _read_action)
    resource = _read_resource(members, action)
    arn = Arn.parse(resource)
    return DescribedRequest(
        location,
        principal,
        issuer,
        action,
        resource,
        arn if arn is not None and is_key_level(action) and arn.resource_type == "key" else None,
        members.get("encryptionContext", read_texts),
        members.get("context", _read_context) or {},
    )


def _read_action(value: Any, location: Location) -> str:
    name = read_text(value, location)
    action = name if ":" in name else f"kms:{name}"
    try:
        require_action(action)
    except ValueError as problem:
        location.refuse(str(problem))
    return action


def _read_resource(members: Members, action: str) -> str:
    """Read the resource: a key ARN if the action is about a key, an alias ARN, or ``*``."""
    resource, location = members.get("resource", read_text), members.location.within("resource")
    if is_account_level(action):
        if resource not in (None, "*") and action != _LIST_RETIRABLE:
            location.refuse(
                f"{action} is not about a key: its resource is '*', which is the default"
            )
        return resource or "*"
    if not is_key_level(action):
        return resource or "*"
    takes_alias = is_decided_on_alias(action)
    kinds = "the ARN of a key or of an alias" if takes_alias else "the ARN of a key"
    if resource is None:
        members.location.refuse(
            f"'resource' is missing: {action} is about a key, so it must be {kinds}, such as "
            f"{_KEY_EXAMPLE}"
        )
    arn = Arn.parse(resource)
    name = arn.key_or_alias if arn is not None and is_account_id(arn.account) else None
    is_alias = name is not None and name.startswith(ALIAS_PREFIX)
    if name is None or "*" in name or (is_alias and not takes_alias):
        location.refuse(
            f"{resource!r} is not {kinds}, such as {_KEY_EXAMPLE}; {action} is about a key"
        )
    return resource


def _read_context(value: Any, location: Location) -> Mapping[str, str | list[str]]:
    context: dict[str, str | list[str]] = {}
    for name, item in read_object(value, location).items():
        within = location.within(name)
        try:
            check_context_key(name)
        except ValueError as problem:
            within.refuse(str(problem))
        if isinstance(item, list):
            context[name] = [_read_value(each, within.within(n)) for n, each in enumerate(item)]
        else:
            context[name] = _read_value(item, within)
    return context


def _read_value(value: Any, location: Location) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, (bool, int, float)) or not math.isfinite(value):
        location.refuse("expected a string, number or boolean, or a list of these")
    return json.dumps(value)


# --- principals ------------------------------------------------------------------------------


def _read_principal(members: Members, issuer: str | None) -> Principal:
    text, location = members.require("principal", read_text), members.location.within("principal")
    if text.endswith(".amazonaws.com") and Arn.parse(text) is None:
        principal = Principal(PrincipalKind.SERVICE, text, "", text)
    else:
        arn = Arn.parse(text)
        known = arn is not None and is_account_id(arn.account)
        found = _principal_of(text, arn) if arn is not None and known else None
        if found is None:
            location.refuse(
                f"{text!r} is not a principal that can make requests: the ARN of a root user, IAM "
                "user, role, role session or federated user, or the name of a service"
            )
        principal = found
    return principal if issuer is None else _issued_by(issuer, principal, members.location)


def _principal_of(text: str, arn: Arn) -> Principal | None:
    """Return the principal with an ARN; None if it is the ARN of something else."""
    kind = (arn.service, arn.resource_type)
    if arn.is_account_root:
        return Principal(PrincipalKind.ROOT, text, arn.account, arn.account)
    if kind == ("iam", "user") and arn.name:
        return Principal(PrincipalKind.USER, text, arn.account, "AIDA")
    if kind == ("iam", "role") and arn.name:
        # Requests are made by sessions of a role, not by the role itself.
        return _session(session_arn(arn.partition, arn.account, arn.name, "session"), text)
    if arn.service == "sts" and arn.role_and_session is not None:
        role, _ = arn.role_and_session
        return _session(text, iam_arn(arn.partition, arn.account, f"role/{role}"))
    if kind == ("sts", "federated-user") and arn.resource_id == arn.name != "":
        unique_id = f"{arn.account}:{arn.name}"
        return Principal(PrincipalKind.FEDERATED_USER, text, arn.account, unique_id)
    return None


def _session(session: str, role: str) -> Principal:
    account = Arn.of(role).account
    return Principal(PrincipalKind.ASSUMED_ROLE, session, account, "AROA:session", role)


def _issued_by(issuer: str, principal: Principal, location: Location) -> Principal:
    """Return a session with the role or user that has issued it."""
    arn, own = Arn.parse(issuer), Arn.parse(principal.arn)
    within = location.within("sessionIssuer")
    words = {PrincipalKind.ASSUMED_ROLE: "role", PrincipalKind.FEDERATED_USER: "user"}
    word = words.get(principal.kind)
    if word is None or own is None:
        within.refuse("only role sessions and federated users have one")
    is_own = arn is not None and (arn.partition, arn.service, arn.account, arn.resource_type) == (
        *(own.partition, "iam", own.account),
        word,
    )
    if arn is None or not is_own or not arn.name:
        within.refuse(f"{issuer!r} is not the ARN of a {word} of account {own.account}")
    if word == "role" and arn.name != Arn.of(principal.entity_arn or "").name:
        within.refuse(f"{issuer!r} is not the role of {principal.arn}")
    return replace(principal, entity_arn=issuer)
