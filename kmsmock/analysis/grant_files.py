"""Read grants from a file, as ListGrants returns them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from kmsmock.analysis.json_files import (
    Location,
    Members,
    list_of,
    read_json,
    read_text,
    read_texts,
)
from kmsmock.authorization.grants import Grant, GrantConstraints, GrantTerms
from kmsmock.aws.arns import ALIAS_PREFIX, Arn, looks_like_arn, read_account_principal
from kmsmock.aws.errors import InvalidArnException
from kmsmock.aws.operations import permissions
from kmsmock.misuse.suggestions import suggest
from kmsmock.operations.grant_terms import UNIQUE_ID, require_principal_arn

#: The members of GrantListEntry. Source: AWS KMS API Reference, GrantListEntry.
_ENTRY = (
    *("KeyId", "GrantId", "Name", "CreationDate", "IssuingAccount", "Operations", "Constraints"),
    *("GranteePrincipal", "GranteeServicePrincipal"),
    *("RetiringPrincipal", "RetiringServicePrincipal"),
)
_CONSTRAINTS = ("EncryptionContextSubset", "EncryptionContextEquals", "SourceArn")
#: The members of the response, also as the AWS CLI prints it.
_RESPONSE = ("Grants", "NextMarker", "NextToken", "Truncated", "ResponseMetadata")


def read_grants(path: str) -> list[Grant]:
    """Read the grants in a file: the response of ListGrants, or its list of grants.

    A grant without KeyId has an empty key ARN. Raises BadInputError.
    """
    content, location = read_json(path), Location(path)
    if isinstance(content, list):
        return list_of(_read_grant)(content, location)
    return Members(content, location, _RESPONSE).require("Grants", list_of(_read_grant))


def _read_grant(value: Any, location: Location) -> Grant:
    entry = Members(value, location, _ENTRY)
    grantee = entry.get("GranteePrincipal", _read_principal)
    service = entry.get("GranteeServicePrincipal", _read_service)
    if (grantee is None) is (service is None):
        location.refuse("a grant has either GranteePrincipal or GranteeServicePrincipal")
    operations = entry.require("Operations", list_of(_read_operation))
    if not operations:
        location.within("Operations").refuse("a grant has at least one operation")
    entry.get("CreationDate", _read_time)
    return Grant(
        entry.get("GrantId", read_text) or location.steps,
        entry.get("KeyId", _read_key) or "",
        "",
        GrantTerms(
            tuple(dict.fromkeys(operations)),
            grantee,
            service,
            entry.get("RetiringPrincipal", _read_principal),
            entry.get("RetiringServicePrincipal", _read_service),
            entry.get("Constraints", _read_constraints),
            entry.get("Name", read_text) or None,
        ),
        entry.get("IssuingAccount", _read_account) or "",
        datetime.now(timezone.utc),
        0,
    )


def _read_constraints(value: Any, location: Location) -> GrantConstraints:
    members = Members(value, location, _CONSTRAINTS)
    equals = members.get("EncryptionContextEquals", read_texts)
    subset = members.get("EncryptionContextSubset", read_texts)
    if equals is not None and subset is not None:
        location.refuse("a grant has one of EncryptionContextEquals and EncryptionContextSubset")
    return GrantConstraints(equals, subset, members.get("SourceArn", _read_arn))


def _read_operation(value: Any, location: Location) -> str:
    name = read_text(value, location)
    known = [
        action.removeprefix("kms:")
        for action, permission in permissions().items()
        if permission.grant_order is not None
    ]
    if name not in known:
        location.refuse(f"grants cannot allow {name!r}{suggest(name, known)}")
    return name


def _read_principal(value: Any, location: Location) -> str:
    """Read the ARN of a principal, a service, or the unique id of a deleted user or role."""
    name = read_text(value, location)
    if not UNIQUE_ID.fullmatch(name) and not name.endswith(".amazonaws.com"):
        try:
            require_principal_arn(name)
        except InvalidArnException:
            location.refuse(f"{name!r} is not the ARN of a principal")
    return name


def _read_service(value: Any, location: Location) -> str:
    name = read_text(value, location)
    if not name.endswith(".amazonaws.com"):
        location.refuse(f"{name!r} is not a service principal, such as 'ec2.amazonaws.com'")
    return name


def _read_key(value: Any, location: Location) -> str:
    name = read_text(value, location)
    arn = Arn.parse(name)
    key = arn.key_or_alias if arn is not None else name
    if not key or key.startswith(ALIAS_PREFIX) or looks_like_arn(key):
        location.refuse(f"{name!r} is neither a key ARN nor a key id")
    return name


def _read_account(value: Any, location: Location) -> str:
    name = read_text(value, location)
    account = read_account_principal(name)
    if account is None:
        location.refuse(f"{name!r} is not an account, such as 'arn:aws:iam::123456789012:root'")
    return account[1]


def _read_arn(value: Any, location: Location) -> str:
    name = read_text(value, location)
    if Arn.parse(name) is None:
        location.refuse(f"{name!r} is not an ARN")
    return name


def _read_time(value: Any, location: Location) -> None:
    """Check a time, as the API returns it or as the AWS CLI prints it."""
    if not isinstance(value, (int, float, str)) or isinstance(value, bool):
        location.refuse("expected a time")
