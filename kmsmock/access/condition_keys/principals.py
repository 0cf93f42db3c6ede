"""Condition keys about the caller, and about the service that calls on its behalf."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kmsmock.access.condition_keys.registry import (
    Reader,
    declare,
    of_organization,
    only,
    read_organization_id,
    read_organization_paths,
)
from kmsmock.access.facts import Facts
from kmsmock.aws.arns import Arn
from kmsmock.aws.condition_keys import ValueType
from kmsmock.aws.principals import Principal, PrincipalKind
from kmsmock.aws.services import find_calling_service
from kmsmock.timing.dates import format_time

_PRINCIPAL_TYPES = {
    PrincipalKind.ROOT: "Account",
    PrincipalKind.USER: "User",
    PrincipalKind.ASSUMED_ROLE: "AssumedRole",
    PrincipalKind.FEDERATED_USER: "FederatedUser",
    PrincipalKind.SERVICE: "Service",
}
_TEMPORARY = (PrincipalKind.ASSUMED_ROLE, PrincipalKind.FEDERATED_USER)
#: Actions whose requests have kms:CallerAccount without being about one key; those of aliases are
#: about the alias, too. Source: Service Authorization Reference, "Actions, resources, and condition
#: keys for AWS Key Management Service".
_is_account_level_action = only(
    *("CreateKey", "PutKeyPolicy", "TagResource", "ConnectCustomKeyStore", "CreateCustomKeyStore"),
    *("DeleteCustomKeyStore", "DescribeCustomKeyStores", "DisconnectCustomKeyStore"),
    *("UpdateCustomKeyStore", "CreateAlias", "DeleteAlias", "UpdateAlias"),
)


def _make_principal_reader(read: Callable[[Principal], Any]) -> Reader:
    return lambda facts: None if facts.principal is None else read(facts.principal)


def _read_account(facts: Facts) -> str | None:
    return None if facts.principal is None else facts.principal.account


def _read_caller_account(facts: Facts) -> str | None:
    # A service principal has no account.
    if facts.account is None and not _is_account_level_action(facts.action):
        return None
    return _read_account(facts) or None


def _is_service(principal: Principal) -> bool:
    return principal.kind is PrincipalKind.SERVICE


def _read_principal_account(principal: Principal) -> str | None:
    return None if _is_service(principal) else principal.account


def _read_service_name(principal: Principal) -> str | None:
    return principal.arn if _is_service(principal) else None


def _read_service_names(principal: Principal) -> list[str] | None:
    return [principal.arn] if _is_service(principal) else None


def _read_unique_id(facts: Facts) -> str | None:
    """Return the unique id (aws:userid); None if users and roles are unknown."""
    principal = facts.principal
    if principal is None:
        return None
    return principal.unique_id if facts.identities or not principal.has_entity else None


def _read_user_name(principal: Principal) -> str | None:
    return Arn.of(principal.arn).name if principal.kind is PrincipalKind.USER else None


def _read_token_issue_time(principal: Principal) -> str | None:
    if principal.kind not in _TEMPORARY or principal.issued is None:
        return None
    return format_time(principal.issued)


def _read_source_identity(facts: Facts) -> str | None:
    if facts.principal is None or facts.identities is None:
        return None
    return facts.identities.session_of(facts.principal).source_identity


def _read_principal_tags(facts: Facts) -> Mapping[str, str]:
    principal, identities = facts.principal, facts.identities
    if principal is None or identities is None or _is_service(principal):
        return {}
    entity = identities.entity_of(principal)
    of_session = identities.session_of(principal).tags
    return {**(entity.tags if entity is not None else {}), **of_session}


def _read_via_service(facts: Facts) -> str | None:
    if facts.principal is None or facts.region is None:
        return None
    return facts.principal.via_service(facts.region)


def _read_called_via(principal: Principal) -> str | None:
    if principal.via is None or not find_calling_service(principal.via).shows_called_via:
        return None
    return f"{principal.via}.amazonaws.com"


def _read_called_via_all(principal: Principal) -> list[str] | None:
    service = _read_called_via(principal)
    return None if service is None else [service]


def _read_source_arn(principal: Principal) -> str | None:
    return principal.source_arn if Arn.parse(principal.source_arn or "") is not None else None


def _read_source_account(facts: Facts) -> str | None:
    principal = facts.principal
    source = Arn.parse((principal and principal.source_arn) or "")
    if principal is None or source is None:
        return None
    return source.account or principal.source_account or None


declare(
    "aws:PrincipalArn",
    _make_principal_reader(lambda principal: principal.principal_arn),
    value_type=ValueType.ARN,
)
declare("aws:PrincipalAccount", _make_principal_reader(_read_principal_account))
declare(
    "aws:PrincipalType", _make_principal_reader(lambda principal: _PRINCIPAL_TYPES[principal.kind])
)
declare("aws:PrincipalIsAWSService", _make_principal_reader(_is_service), value_type=ValueType.BOOL)
declare("aws:PrincipalServiceName", _make_principal_reader(_read_service_name))
declare(
    "aws:PrincipalServiceNamesList",
    _make_principal_reader(_read_service_names),
    is_multivalued=True,
)
declare("aws:PrincipalTag/", _read_principal_tags)
declare(
    "aws:PrincipalOrgID",
    of_organization(_read_account, read_organization_id),
)
declare(
    "aws:PrincipalOrgPaths",
    of_organization(_read_account, read_organization_paths),
    is_multivalued=True,
)
declare("aws:userid", _read_unique_id)
declare("aws:username", _make_principal_reader(_read_user_name))
declare(
    "aws:TokenIssueTime", _make_principal_reader(_read_token_issue_time), value_type=ValueType.DATE
)
declare("aws:SourceIdentity", _read_source_identity)
declare(
    "aws:MultiFactorAuthPresent",
    _make_principal_reader(lambda principal: False if principal.kind in _TEMPORARY else None),
    value_type=ValueType.BOOL,
)
declare("kms:CallerAccount", _read_caller_account)

declare("kms:ViaService", _read_via_service)
declare(
    "aws:ViaAWSService",
    _make_principal_reader(lambda principal: principal.via is not None),
    value_type=ValueType.BOOL,
)
declare("aws:CalledVia", _make_principal_reader(_read_called_via_all), is_multivalued=True)
declare("aws:CalledViaFirst", _make_principal_reader(_read_called_via))
declare("aws:CalledViaLast", _make_principal_reader(_read_called_via))
declare("aws:SourceArn", _make_principal_reader(_read_source_arn), value_type=ValueType.ARN)
declare("aws:SourceAccount", _read_source_account)
declare("aws:SourceOrgID", of_organization(_read_source_account, read_organization_id))
declare(
    "aws:SourceOrgPaths",
    of_organization(_read_source_account, read_organization_paths),
    is_multivalued=True,
)
