"""Grants: who may use a key, beside what its policy says."""

from __future__ import annotations

import re
from operator import attrgetter
from typing import Any

from kmsmock import errors
from kmsmock.arns import ALIAS_PREFIX, Arn
from kmsmock.authorization.grants import Grant, GrantConstraints, GrantTerms
from kmsmock.authorization.principal_element import account_of
from kmsmock.keys.key import Key, KeyManager
from kmsmock.keys.specs import grant_operations
from kmsmock.operations.locating import access_hidden, find_key_only, key_only
from kmsmock.operations.registry import GRANTABLE, Call, Response, Target, operation
from kmsmock.operations.views import grant_entry, page

#: Source: AWS KMS Developer Guide, "Resource quotas"; API Reference, GrantConstraints.
GRANTS_QUOTA = 50_000
_CONTEXT_PAIRS = 8
_CONTEXT_VALUE_CHARACTERS = 384
_GRANT_ID = re.compile(r"[0-9a-f]{64}")
#: The unique id of a session of AWS's own roles, which services give grants to.
_AWS_SESSION_ID = re.compile(r"([0-9]{12}):(aws:[\w-]+):([\w-]+)", re.ASCII)
#: The unique id of a user, a role, or a session of one.
_UNIQUE_ID = re.compile(r"A(?:ID|RO)A[A-Z2-7]{16}(?::[\w+=,.@-]+)?", re.ASCII)


@operation(
    "CreateGrant", Target("kms:CreateGrant", key_only("KeyId", cross_account=True), GRANTABLE)
)
def create_grant(call: Call, key: Key) -> Response:
    """Give a principal permissions on a key; the token makes them usable at once."""
    terms = grant_terms(call)
    _require_valid_principals(call, terms)
    require_possible_terms(key, terms)
    same = key.grants.with_terms(terms)
    if same is None and key.manager is KeyManager.CUSTOMER and len(key.grants) >= GRANTS_QUOTA:
        raise errors.LimitExceededException(
            f"Grants per key quota for this account in this region is {GRANTS_QUOTA}, current "
            f"usage is {len(key.grants)}."
        )
    call.before_effect()
    backend = call.backend
    region = backend.region(key.account, key.region_name)
    grant = same or Grant(
        backend.entropy(32).hex(),
        key.arn,
        key.key_id,
        terms,
        call.principal.account,
        call.now.replace(microsecond=0),
        region.next_sequence(),
    )
    token = backend.new_grant_token()
    region.add_grant(grant, token)
    call.grant_id = grant.grant_id
    return {"GrantToken": token, "GrantId": grant.grant_id}


def grant_terms(call: Call) -> GrantTerms:
    """Give the terms of the grant that CreateGrant is to make."""
    parameters = call.parameters
    given = parameters.get("Constraints", {})
    constraints = GrantConstraints(
        given.get("EncryptionContextEquals"),
        given.get("EncryptionContextSubset"),
        given.get("SourceArn"),
    )
    grantee, retirer = (_named(call, m) for m in ("GranteePrincipal", "RetiringPrincipal"))
    names = call.backend.identities.names
    return GrantTerms(
        tuple(dict.fromkeys(parameters["Operations"])),
        grantee,
        parameters.get("GranteeServicePrincipal"),
        retirer,
        parameters.get("RetiringServicePrincipal"),
        constraints if given else None,
        parameters.get("Name"),
        {
            name: unique_id
            for name in (grantee, retirer)
            if name and (unique_id := names.unique_id_behind(name)) is not None
        },
    )


def _named(call: Call, member: str) -> str | None:
    """Give the ARN of a principal that the request names, which may be by its unique id."""
    name: str | None = call.parameters.get(member)
    session = _AWS_SESSION_ID.fullmatch(name) if name and call.principal.is_service else None
    if session is not None:
        account, role, rest = session.groups()
        return f"arn:{call.region.partition}:sts::{account}:assumed-role/{role}/{rest}"
    if name is None or not _UNIQUE_ID.fullmatch(name):
        return name
    arn = call.backend.identities.names.arn_of_id(name)
    if arn is None:
        raise errors.InvalidArnException(f"{member} does not refer to a valid principal.")
    return arn


def _require_valid_principals(call: Call, terms: GrantTerms) -> None:
    """Refuse what is no principal, and users and roles that do not exist (InvalidArnException)."""
    for name in (terms.grantee_principal, terms.retiring_principal):
        if name is None:
            continue
        if call.principal.is_service and _is_of_service(name):
            continue  # a service that gives a grant to itself, or to what it runs
        require_principal_arn(name)
        names = call.backend.identities.names
        exists = names.is_valid_principal(name, call.region.partition)
        if call.backend.enforces_policies and not exists:
            raise errors.InvalidArnException(
                f"ARN does not refer to a valid principal: {name}",
                explanation="Make users and roles first: kms.account(...).role(name).",
            )


def _is_of_service(name: str) -> bool:
    """Tell whether a principal is a service, or a role of AWS's own such as that of instances."""
    return name.endswith(".amazonaws.com") or ":assumed-role/aws:" in name


def require_principal_arn(name: str) -> None:
    """Refuse what is neither an account nor the ARN of a principal (InvalidArnException)."""
    arn = Arn.parse(name)
    if account_of(name) is None and (arn is None or not _is_principal(arn)):
        raise errors.InvalidArnException(f"ARN is not valid: {name}")


def _is_principal(arn: Arn) -> bool:
    is_session = arn.resource.startswith("assumed-role/")
    return (
        arn.service in ("iam", "sts")
        and len(arn.account) == 12
        and (not is_session or arn.resource.count("/") == 2)
    )


def require_possible_terms(key: Key, terms: GrantTerms) -> None:
    """Refuse terms that no grant, or no grant on such a key, can have."""
    _require_principals(terms)
    if not terms.operations:
        raise errors.ValidationException(
            "1 validation error detected: Value '[]' at 'operations' failed to satisfy "
            "constraint: Member must have length greater than or equal to 1"
        )
    # Before the operations: so it shows in what DynamoDB says of keys that are not symmetric.
    if terms.constraints is not None:
        _require_constraints(key, terms.constraints)
    valid = grant_operations(key.spec, key.usage)
    invalid = [name for name in terms.operations if name not in valid]
    if invalid:
        kind = "an asymmetric" if key.spec.is_asymmetric else "a symmetric"
        raise errors.ValidationException(
            f"Operations [{', '.join(invalid)}] are not supported when creating a grant for "
            f"{kind} KMS key with key usage {key.usage.value}. Valid operations are "
            f"[{', '.join(valid)}]"
        )
    if terms.operations == ("CreateGrant",):
        raise errors.ValidationException("Grants must not contain only the CreateGrant operation.")


def _require_principals(terms: GrantTerms) -> None:
    if (terms.grantee_principal is None) is (terms.grantee_service_principal is None):
        raise errors.ValidationException(
            "Exactly one of GranteePrincipal and GranteeServicePrincipal must be specified."
        )
    if terms.retiring_principal is not None and terms.retiring_service_principal is not None:
        raise errors.ValidationException(
            "At most one of RetiringPrincipal and RetiringServicePrincipal can be specified."
        )
    if terms.grantee_service_principal is None:
        return
    if terms.retiring_principal is None and terms.retiring_service_principal is None:
        raise errors.ValidationException(
            "RetiringPrincipal or RetiringServicePrincipal is required with "
            "GranteeServicePrincipal."
        )
    if terms.constraints is None or terms.constraints.source_arn is None:
        raise errors.ValidationException(
            "The SourceArn constraint is required with GranteeServicePrincipal."
        )


def _require_constraints(key: Key, constraints: GrantConstraints) -> None:
    contexts = [c for c in (constraints.equals, constraints.subset) if c is not None]
    if contexts and not key.spec.is_symmetric_encryption:
        raise errors.ValidationException(
            "EncryptionContext is supported only when creating a grant for a symmetric encryption "
            "KMS key."
        )
    if len(contexts) > 1:
        raise errors.ValidationException(
            "At most one of EncryptionContextEquals and EncryptionContextSubset can be specified."
        )
    for context in contexts:
        if len(context) > _CONTEXT_PAIRS:
            raise errors.ValidationException(
                f"A grant constraint can have up to {_CONTEXT_PAIRS} encryption context pairs."
            )
        if any(len(value) > _CONTEXT_VALUE_CHARACTERS for value in context.values()):
            raise errors.ValidationException(
                "An encryption context value in a grant constraint can have up to "
                f"{_CONTEXT_VALUE_CHARACTERS} characters."
            )


@operation("ListGrants", Target("kms:ListGrants", key_only("KeyId", cross_account=True)))
def list_grants(call: Call, key: Key) -> Response:
    """List the grants on a key, oldest first, all or those of one id or grantee."""
    grant_id = call.parameters.get("GrantId")
    if grant_id is not None:
        _require_grant_id(grant_id)
    grantee = _filter(call, "GranteePrincipal")
    service = call.parameters.get("GranteeServicePrincipal")
    if grantee is not None and service is not None:
        raise errors.ValidationException(
            "At most one of GranteePrincipal and GranteeServicePrincipal can be specified."
        )
    grants = [
        grant
        for grant in key.grants
        if grant_id in (None, grant.grant_id)
        and grantee in (None, grant.terms.grantee_principal)
        and service in (None, grant.terms.grantee_service_principal)
    ]
    return page(call, "Grants", grants, lambda g: _entry(call, g), 50)


def _retirer(call: Call) -> str:
    """Give what policies decide about: the principal, whose grants are not a key's alone."""
    parameters = call.parameters
    named: str = parameters.get("RetiringPrincipal") or parameters.get(
        "RetiringServicePrincipal", "*"
    )
    return named


@operation("ListRetirableGrants", Target("kms:ListRetirableGrants", resource=_retirer))
def list_retirable_grants(call: Call) -> Response:
    """List the grants that a principal may retire by name, on keys of all accounts."""
    principal = _filter(call, "RetiringPrincipal")
    service = call.parameters.get("RetiringServicePrincipal")
    if (principal is None) is (service is None):
        raise errors.ValidationException(
            "Exactly one of RetiringPrincipal and RetiringServicePrincipal must be specified."
        )
    if principal is not None and _account(principal) != call.region.account:
        error = access_hidden(call, "kms:ListRetirableGrants", "this resource")
        error.explanation = (
            f"{principal} is of another account, which alone may ask for its grants."
        )
        raise error
    grants = [
        grant
        for region in call.backend.regions_named(call.region.name)
        for grant in region.grants.values()
        if (principal is not None and grant.terms.retiring_principal == principal)
        or (service is not None and grant.terms.retiring_service_principal == service)
    ]
    grants.sort(key=attrgetter("sequence"))
    return page(call, "Grants", grants, lambda g: _entry(call, g), 50)


def _entry(call: Call, grant: Grant) -> dict[str, Any]:
    """Show a grant; of principals that are gone their ids are left."""
    entry = grant_entry(grant, call.region.partition)
    for member in ("GranteePrincipal", "RetiringPrincipal"):
        if member in entry:
            ids = grant.terms.unique_ids
            entry[member] = call.backend.identities.names.shown(entry[member], ids)
    return entry


def _filter(call: Call, member: str) -> str | None:
    text: str | None = call.parameters.get(member)
    if text is None:
        return None
    if _UNIQUE_ID.fullmatch(text):
        arn = call.backend.identities.names.arn_of_id(text)
        if arn is None and call.operation.name == "ListRetirableGrants":
            raise errors.NotFoundException(f"Retiring principal {text} could not be found")
        text = arn or ""
    if Arn.parse(text) is None and account_of(text) is None:
        raise errors.InvalidArnException("Input does not refer to a valid principal")
    backend = call.backend
    if backend.enforces_policies and not backend.identities.names.is_valid_principal(text):
        raise errors.InvalidArnException(f"ARN does not refer to a valid principal: {text}")
    return text


def _account(name: str) -> str:
    """Give the account of a principal, which may be one itself."""
    arn = Arn.parse(name)
    return name if arn is None else arn.account


def _key_of_grant(call: Call) -> Key:
    """Find the key of the grant to retire, which is named by token or by key and grant id."""
    parameters = call.parameters
    token = parameters.get("GrantToken")
    by_id = "KeyId" in parameters, "GrantId" in parameters
    if token is not None and not any(by_id):
        grant = call.backend.grant_of_token(call.region.name, token)
        if grant is None:
            raise errors.InvalidGrantTokenException(
                explanation="No grant was created with this token, or it is gone."
            )
        call.grant_id = grant.grant_id
        return find_key_only(call, grant.key_arn, cross_account=True)
    if token is not None or not all(by_id):
        raise errors.ValidationException("Specify either GrantToken, or both KeyId and GrantId.")
    reference: str = parameters["KeyId"]
    if not reference.startswith(("arn:", ALIAS_PREFIX)):
        raise errors.NotFoundException(
            f"Invalid arn {reference}",
            explanation="RetireGrant takes the ARN of the key, and not its id.",
        )
    return find_key_only(call, reference, cross_account=True)


@operation("RetireGrant", Target("kms:RetireGrant", _key_of_grant))
def retire_grant(call: Call, key: Key) -> None:
    """End a grant, as one who may retire it."""
    _end_grant(call, key, call.grant_id or call.parameters["GrantId"])


@operation("RevokeGrant", Target("kms:RevokeGrant", key_only("KeyId", cross_account=True)))
def revoke_grant(call: Call, key: Key) -> None:
    """End a grant, as an administrator of the key."""
    _end_grant(call, key, call.parameters["GrantId"])


def _require_grant_id(grant_id: str) -> None:
    if not _GRANT_ID.fullmatch(grant_id):
        raise errors.InvalidGrantIdException(
            explanation=f"{grant_id!r} is no grant id: those have 64 hexadecimal digits."
        )


def _end_grant(call: Call, key: Key, grant_id: str) -> None:
    _require_grant_id(grant_id)
    grant = key.grants.get(grant_id)
    if grant is None:
        raise errors.NotFoundException(
            f"Grant ID {grant_id} not found",
            explanation=f"{key.arn} has {len(key.grants)} grants, but none with that id.",
        )
    call.before_effect()
    call.grant_id = grant_id
    call.backend.region(key.account, key.region_name).remove_grant(grant)
