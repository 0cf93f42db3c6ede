"""The grant operations. Source: AWS KMS Developer Guide, "Grants in AWS KMS"."""

from __future__ import annotations

import re
from operator import attrgetter
from typing import Any

from kmsmock.access.denial import THIS_RESOURCE, make_hidden_error
from kmsmock.authorization.grants import EndedGrant, Grant
from kmsmock.aws import errors
from kmsmock.aws.arns import (
    ALIAS_PREFIX,
    Arn,
    looks_like_arn,
    name_account_by_root,
)
from kmsmock.aws.operations import (
    CHANGED_KEY_ARN,
    KeyNaming,
    ManagedKeyUse,
    PageSizes,
    per_second,
    read_event,
    write_event,
)
from kmsmock.aws.principals import PrincipalKind
from kmsmock.keys.key import Key, KeyManager
from kmsmock.keys.states import GRANTABLE
from kmsmock.operations.grant_terms import (
    UNIQUE_ID,
    read_grant_terms,
    require_valid_principals,
    require_valid_terms,
)
from kmsmock.operations.key_lookup import by_id_or_arn, find_key_by_id_or_arn
from kmsmock.operations.registry import Call, Locator, Response, Target, operation
from kmsmock.operations.response_members import build_grant_entry, build_page

#: Source: AWS KMS Developer Guide, "Resource quotas".
GRANTS_QUOTA = 50_000
_GRANT_ID = re.compile(r"[0-9a-f]{64}")


@operation(
    "CreateGrant",
    Target(
        "kms:CreateGrant",
        by_id_or_arn("KeyId", cross_account=True),
        GRANTABLE,
        grant_order=1,
        managed_key_use=ManagedKeyUse.SERVICES,
        context_from_grant_constraints=True,
    ),
    trail=write_event(
        *("KeyId", "GranteePrincipal", "GranteeServicePrincipal", "RetiringPrincipal"),
        *("RetiringServicePrincipal", "Operations", "Constraints", "Name", "DryRun"),
        shows=("GrantId", CHANGED_KEY_ARN),
    ),
    quota=per_second(50),
    is_use_of_keys=True,
)
def create_grant(call: Call, key: Key) -> Response:
    """Create a grant; with the same terms, including a name, return the existing one."""
    terms = read_grant_terms(call)
    require_valid_principals(call, terms)
    require_valid_terms(key, terms)
    existing = key.grants.with_terms(terms)
    is_customer_key = key.manager is KeyManager.CUSTOMER
    if existing is None and is_customer_key and len(key.grants) >= GRANTS_QUOTA:
        raise errors.LimitExceededException.in_own_words(
            f"Grants per key quota for this account in this region is {GRANTS_QUOTA}, current "
            f"usage is {len(key.grants)}."
        )
    call.end_dry_run()
    backend = call.backend
    region = backend.region(key.account, key.region_name)
    grant = existing or Grant(
        backend.entropy(32).hex(),
        key.arn,
        key.key_id,
        terms,
        call.principal.account or key.account,  # a service has no account of its own
        call.now.replace(microsecond=0),
        region.next_sequence(),
    )
    token = backend.new_grant_token()
    region.add_grant(grant, token)
    call.grant_id = grant.grant_id
    return {"GrantToken": token, "GrantId": grant.grant_id}


@operation(
    "ListGrants",
    Target("kms:ListGrants", by_id_or_arn("KeyId", cross_account=True)),
    trail=read_event(
        *("KeyId", "Limit", "Marker", "GrantId", "GranteePrincipal", "GranteeServicePrincipal")
    ),
    quota=per_second(100),
    pages=PageSizes(50, 100),
)
def list_grants(call: Call, key: Key) -> Response:
    """List the grants on a key, oldest first; optionally only those with a grant id or grantee."""
    grant_id = call.parameters.get("GrantId")
    if grant_id is not None:
        _require_grant_id(grant_id)
    _require_service_caller(call, "GranteeServicePrincipal")
    grantee = _read_principal_filter(call, "GranteePrincipal")
    service = call.parameters.get("GranteeServicePrincipal")
    if grantee is not None and service is not None:
        raise errors.ValidationException.in_own_words(
            "At most one of GranteePrincipal and GranteeServicePrincipal can be specified."
        )
    name = grantee or service
    if grant_id is not None:
        found = key.grants.get(grant_id)
        grants = [found] if found is not None and name in (None, found.grantee) else []
    else:
        grants = list(key.grants) if name is None else key.grants.of_grantee(name)
    return build_page(call, "Grants", grants, lambda g: _build_list_entry(call, g))


def _read_retiring_principal(call: Call) -> str:
    """Return the retiring principal, which is the resource of ListRetirableGrants."""
    parameters = call.parameters
    principal: str = parameters.get("RetiringPrincipal") or parameters.get(
        "RetiringServicePrincipal", "*"
    )
    return name_account_by_root(principal, call.region.partition)


@operation(
    "ListRetirableGrants",
    Target("kms:ListRetirableGrants", resource=_read_retiring_principal),
    trail=read_event("RetiringPrincipal", "RetiringServicePrincipal", "Limit", "Marker"),
    quota=per_second(100),
    pages=PageSizes(50, 100),
)
def list_retirable_grants(call: Call) -> Response:
    """List the grants with a retiring principal, on keys of all accounts."""
    _require_service_caller(call, "RetiringServicePrincipal")
    principal = _read_principal_filter(call, "RetiringPrincipal")
    service = call.parameters.get("RetiringServicePrincipal")
    if (principal is None) is (service is None):
        raise errors.ValidationException.in_own_words(
            "Exactly one of RetiringPrincipal and RetiringServicePrincipal must be specified."
        )
    if principal is not None and Arn.of(principal).account != call.region.account:
        raise make_hidden_error(
            call.principal,
            "kms:ListRetirableGrants",
            THIS_RESOURCE,
            f"{principal} is of another account; only that account can list its retirable grants.",
        )
    name = principal or service or ""
    regions = call.backend.regions_named(call.region.name)
    found = [one for region in regions if (one := region.grants_by_retirer.get(name))]
    grants = [grant for of_region in found for grant in of_region.values()]
    if len(found) > 1:
        grants.sort(key=attrgetter("sequence"))
    return build_page(call, "Grants", grants, lambda g: _build_list_entry(call, g))


def _build_list_entry(call: Call, grant: Grant) -> dict[str, Any]:
    """Return the GrantListEntry of a grant, with unique ids in place of deleted principals."""
    entry = build_grant_entry(grant, call.region.partition)
    for member in ("GranteePrincipal", "RetiringPrincipal"):
        if member in entry:
            ids = grant.terms.unique_ids
            entry[member] = call.backend.identities.names.displayed(entry[member], ids)
    return entry


def _require_service_caller(call: Call, member: str) -> None:
    """Require that a service itself calls where it filters by service principals.

    Source: AWS KMS API Reference, ListGrants and ListRetirableGrants.
    """
    if member in call.parameters and call.principal.kind is not PrincipalKind.SERVICE:
        raise errors.ValidationException.in_own_words(
            f"{member} can only be specified by a service principal.",
            explanation="Filter by the other principals of grants, or list all and look at "
            f"{member} of each.",
        )


def _read_principal_filter(call: Call, member: str) -> str | None:
    text: str | None = call.parameters.get(member)
    if text is None:
        return None
    if UNIQUE_ID.fullmatch(text):
        arn = call.backend.identities.names.get_arn(text)
        if arn is None and member == "RetiringPrincipal":
            raise errors.NotFoundException(f"Retiring principal {text} could not be found")
        text = arn or ""
    text = name_account_by_root(text, call.region.partition)
    if Arn.parse(text) is None:
        raise errors.InvalidArnException("Input does not refer to a valid principal")
    backend = call.backend
    if backend.enforces_policies and not backend.identities.names.is_valid_principal(text):
        raise errors.InvalidArnException(f"ARN does not refer to a valid principal: {text}")
    return text


def _find_key_of_grant(call: Call) -> Key:
    """Find the key of the grant to retire, by grant token, or by key ARN and grant id."""
    parameters = call.parameters
    token = parameters.get("GrantToken")
    by_id = "KeyId" in parameters, "GrantId" in parameters
    if token is not None and not any(by_id):
        grant = call.backend.get_grant(call.region.name, token)
        if grant is None:
            raise errors.InvalidGrantTokenException(explanation=_explain_token(call, token))
        call.grant_id = grant.grant_id
        return find_key_by_id_or_arn(call, grant.key_arn, cross_account=True)
    if token is not None or not all(by_id):
        raise errors.ValidationException.in_own_words(
            "Specify either GrantToken, or both KeyId and GrantId."
        )
    reference: str = parameters["KeyId"]
    if not (looks_like_arn(reference) or reference.startswith(ALIAS_PREFIX)):
        raise errors.NotFoundException(
            f"Invalid arn {reference}",
            explanation="RetireGrant takes the ARN of the key, not the key id.",
        )
    return find_key_by_id_or_arn(call, reference, cross_account=True)


@operation(
    "RetireGrant",
    Target(
        "kms:RetireGrant",
        Locator(_find_key_of_grant, KeyNaming.GRANT, "KeyId", cross_account=True),
        grant_order=2,
        managed_key_use=ManagedKeyUse.ANYBODY,
        context_from_grant_constraints=True,
    ),
    trail=write_event(
        *("KeyId", "GrantId", "DryRun"),
        hides_request_of_services=True,
        shows_response_to_services_only=True,
        shows_deleted_grant_id=True,
    ),
    quota=per_second(50),
    is_use_of_keys=True,
)
def retire_grant(call: Call, key: Key) -> None:
    """Retire a grant: delete it as its retiring or grantee principal."""
    _end_grant(call, key, call.grant_id or call.parameters["GrantId"], "retired")


@operation(
    "RevokeGrant",
    Target(
        "kms:RevokeGrant",
        by_id_or_arn("KeyId", cross_account=True),
        managed_key_use=ManagedKeyUse.ANYBODY,
    ),
    trail=write_event("KeyId", "GrantId", "DryRun"),
    quota=per_second(50),
    is_use_of_keys=True,
)
def revoke_grant(call: Call, key: Key) -> None:
    """Revoke a grant: delete it as an administrator of the key."""
    _end_grant(call, key, call.parameters["GrantId"], "revoked")


def require_grant_tokens(call: Call) -> None:
    """Require that each grant token of a call belongs to a grant (InvalidGrantTokenException)."""
    for token in call.parameters["GrantTokens"]:
        if call.backend.get_grant(call.region.name, token) is None:
            raise errors.InvalidGrantTokenException(explanation=_explain_token(call, token))


def _explain_token(call: Call, token: str) -> str:
    """Explain why a grant token is invalid."""
    if any(token in region.grants for region in call.backend.regions_named(call.region.name)):
        return (
            f"{token} is the GrantId of a grant, and not its token: pass the GrantToken that "
            "CreateGrant has returned."
        )
    return "No grant was created with this token, or the grant has ended."


def _require_grant_id(grant_id: str) -> None:
    if not _GRANT_ID.fullmatch(grant_id):
        raise errors.InvalidGrantIdException(
            explanation=f"{grant_id!r} is not a grant id, which has 64 hexadecimal digits."
        )


def _end_grant(call: Call, key: Key, grant_id: str, how: str) -> None:
    _require_grant_id(grant_id)
    grant = key.grants.get(grant_id)
    if grant is None:
        raise errors.NotFoundException(
            f"Grant ID {grant_id} not found",
            explanation=f"{key.arn} has {len(key.grants)} grants, but none with this id.",
        )
    call.end_dry_run()
    call.grant_id = grant_id
    region = call.backend.region(key.account, key.region_name)
    region.end_grant(EndedGrant(grant, how, call.backend.clock.now()))
