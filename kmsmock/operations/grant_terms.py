"""The terms of a grant: read them from a CreateGrant request, and check them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from kmsmock.authorization.grants import GrantConstraints, GrantTerms
from kmsmock.aws import errors
from kmsmock.aws.arns import (
    Arn,
    is_account_id,
    name_account_by_root,
    read_account_principal,
    session_arn,
)
from kmsmock.aws.principals import Principal
from kmsmock.identities.names import CREATE_PRINCIPALS, PrincipalNames
from kmsmock.keys.key import Key
from kmsmock.keys.specs import KeySpec, KeyUsage
from kmsmock.operations.registry import OPERATIONS, Call

#: Source: AWS KMS API Reference, GrantConstraints.
_CONTEXT_PAIRS = 8
_CONTEXT_VALUE_CHARACTERS = 384
#: The unique id of a session of an AWS-owned role, which AWS services create grants for.
_AWS_SESSION_ID = re.compile(r"([0-9]{12}):(aws:[\w-]+):([\w-]+)", re.ASCII)
#: The unique id of a user, a role, or a session of one.
UNIQUE_ID = re.compile(r"A(?:ID|RO)A[A-Z2-7]{16}(?::[\w+=,.@-]+)?", re.ASCII)


def read_grant_terms(call: Call) -> GrantTerms:
    """Return the terms of the grant that a CreateGrant call is to create."""
    names = call.backend.identities.names
    return parse_grant_terms(call.parameters, call.principal, call.region.partition, names)


def parse_grant_terms(
    parameters: Mapping[str, Any], principal: Principal, partition: str, names: PrincipalNames
) -> GrantTerms:
    """Read the terms of a grant from the parameters of CreateGrant.

    principal: the caller. partition: of the key. Raises InvalidArnException for a unique id that
    no principal has.
    """
    requested = parameters.get("Constraints", {})
    constraints = GrantConstraints(
        requested.get("EncryptionContextEquals"),
        requested.get("EncryptionContextSubset"),
        requested.get("SourceArn"),
    )
    read_principal = partial(_read_principal, parameters, principal, partition, names)
    grantee, retiring = read_principal("GranteePrincipal"), read_principal("RetiringPrincipal")
    return GrantTerms(
        tuple(dict.fromkeys(parameters["Operations"])),
        grantee,
        parameters.get("GranteeServicePrincipal"),
        retiring,
        parameters.get("RetiringServicePrincipal"),
        constraints if requested else None,
        parameters.get("Name"),
        {
            name: unique_id
            for name in (grantee, retiring)
            if name and (unique_id := names.get_unique_id(name)) is not None
        },
    )


def _read_principal(
    parameters: Mapping[str, Any],
    principal: Principal,
    partition: str,
    names: PrincipalNames,
    member: str,
) -> str | None:
    """Return the ARN of the principal in a parameter.

    The parameter can have the unique id of a user or role, or an account id, which KMS lists as
    the ARN of the account's root user.
    """
    name: str | None = parameters.get(member)
    session = _AWS_SESSION_ID.fullmatch(name) if name and principal.is_service else None
    if session is not None:
        account, role, rest = session.groups()
        return session_arn(partition, account, role, rest)
    if name is None:
        return None
    if not UNIQUE_ID.fullmatch(name):
        return name_account_by_root(name, partition)
    arn = names.get_arn(name)
    if arn is None:
        raise errors.InvalidArnException(f"{member} does not refer to a valid principal.")
    return arn


def require_valid_principals(call: Call, terms: GrantTerms) -> None:
    """Require that the principals of a grant are valid and exist (InvalidArnException)."""
    for name in (terms.grantee_principal, terms.retiring_principal):
        if name is None:
            continue
        if call.principal.is_service and _is_of_service(name):
            continue  # a service creates a grant for itself, or for what it runs
        require_principal_arn(name)
        names = call.backend.identities.names
        exists = names.is_valid_principal(name, call.region.partition)
        if call.backend.enforces_policies and not exists:
            raise errors.InvalidArnException(
                f"ARN does not refer to a valid principal: {name}",
                explanation=CREATE_PRINCIPALS,
            )


def _is_of_service(name: str) -> bool:
    """Return whether a principal is a service, or an AWS-owned role such as that of instances."""
    return name.endswith(".amazonaws.com") or ":assumed-role/aws:" in name


def require_principal_arn(name: str) -> None:
    """Require an account id or the ARN of a principal (InvalidArnException)."""
    arn = Arn.parse(name)
    if read_account_principal(name) is None and (arn is None or not _is_principal(arn)):
        what = f"an ARN of {arn.service}" if arn is not None else "no ARN"
        raise errors.InvalidArnException(
            f"ARN is not valid: {name}",
            explanation=f"This is {what}; a principal is named by its ARN, such as "
            "arn:aws:iam::111122223333:role/App (role.arn), or by an account id.",
        )


def _is_principal(arn: Arn) -> bool:
    return (
        arn.service in ("iam", "sts")
        and is_account_id(arn.account)
        and (arn.resource_type != "assumed-role" or arn.role_and_session is not None)
    )


def list_grant_operations(spec: KeySpec, usage: KeyUsage) -> tuple[str, ...]:
    """List the operations that a grant on a key can allow, in AWS's order.

    Source: AWS KMS API Reference, CreateGrant, Operations.
    """
    orders = {
        target.action.removeprefix("kms:"): target.grant_order
        for declared in OPERATIONS.values()
        for target in declared.targets
        if target.grant_order is not None
        and target.usage in (None, usage)
        and target.of_key_pairs in (None, spec.is_asymmetric)
    }
    return tuple(sorted(orders, key=orders.__getitem__))


def require_valid_terms(key: Key, terms: GrantTerms) -> None:
    """Require terms that are valid for a grant on the key (ValidationException)."""
    _require_principals(terms)
    if not terms.operations:
        raise errors.ValidationException(
            "1 validation error detected: Value '[]' at 'operations' failed to satisfy "
            "constraint: Member must have length greater than or equal to 1"
        )
    # Before the operations: DynamoDB's error for asymmetric keys shows AWS's order.
    if terms.constraints is not None:
        _require_constraints(key, terms.constraints)
    valid = list_grant_operations(key.spec, key.usage)
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
        raise errors.ValidationException.in_own_words(
            "Exactly one of GranteePrincipal and GranteeServicePrincipal must be specified."
        )
    if terms.retiring_principal is not None and terms.retiring_service_principal is not None:
        raise errors.ValidationException.in_own_words(
            "At most one of RetiringPrincipal and RetiringServicePrincipal can be specified."
        )
    if terms.grantee_service_principal is None:
        return
    if terms.retiring_principal is None and terms.retiring_service_principal is None:
        raise errors.ValidationException.in_own_words(
            "RetiringPrincipal or RetiringServicePrincipal is required with "
            "GranteeServicePrincipal."
        )
    if terms.constraints is None or terms.constraints.source_arn is None:
        raise errors.ValidationException.in_own_words(
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
            "More than one constraint supplied",
            explanation="Constraints takes EncryptionContextEquals or EncryptionContextSubset, not "
            "both, even if one is empty.",
        )
    for context in contexts:
        if len(context) > _CONTEXT_PAIRS:
            raise errors.ValidationException.in_own_words(
                f"A grant constraint can have up to {_CONTEXT_PAIRS} encryption context pairs."
            )
        if any(len(value) > _CONTEXT_VALUE_CHARACTERS for value in context.values()):
            raise errors.ValidationException.in_own_words(
                "An encryption context value in a grant constraint can have up to "
                f"{_CONTEXT_VALUE_CHARACTERS} characters."
            )
