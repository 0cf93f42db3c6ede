"""Condition keys about the grant that a request creates, retires or lists."""

from __future__ import annotations

from kmsmock.access.condition_keys.registry import declare, only, parameter
from kmsmock.access.facts import Facts
from kmsmock.aws.condition_keys import ValueType


def _read_constraint_type(facts: Facts) -> str | None:
    constraints = facts.constraints
    if constraints is None:
        return None
    if constraints.subset is not None:
        return "EncryptionContextSubset"
    return None if constraints.equals is None else "EncryptionContextEquals"


def _is_for_aws_resource(facts: Facts) -> bool | None:
    return None if facts.principal is None else facts.principal.via is not None


def _read_constraint_source(facts: Facts) -> str | None:
    return None if facts.constraints is None else facts.constraints.source_arn


declare("kms:GrantConstraintType", _read_constraint_type, only("CreateGrant", "RetireGrant"))
declare("kms:GrantConstraintSourceArn", _read_constraint_source, only("CreateGrant"), ValueType.ARN)
declare(
    "kms:GrantIsForAWSResource",
    _is_for_aws_resource,
    only("CreateGrant", "ListGrants", "RevokeGrant"),
    ValueType.BOOL,
)
for _name in (
    *("GranteePrincipal", "GranteeServicePrincipal"),
    *("RetiringPrincipal", "RetiringServicePrincipal"),
):
    declare(f"kms:{_name}", parameter(_name), only("CreateGrant"))
declare("kms:GrantOperations", parameter("Operations"), only("CreateGrant"), is_multivalued=True)
