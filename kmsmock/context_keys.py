"""The condition keys of one call, as policies see them.

Source: AWS KMS Developer Guide, "Condition keys for AWS KMS".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kmsmock.keys.key import Key
from kmsmock.operations.registry import Call

#: Condition key -> request parameter whose value it has.
_FROM_PARAMETERS = {
    "kms:BypassPolicyLockoutSafetyCheck": "BypassPolicyLockoutSafetyCheck",
    "kms:CustomerMasterKeySpec": "CustomerMasterKeySpec",
    "kms:DataKeyPairSpec": "KeyPairSpec",
    "kms:EncryptionAlgorithm": "EncryptionAlgorithm",
    "kms:ExpirationModel": "ExpirationModel",
    "kms:GrantOperations": "Operations",
    "kms:GranteePrincipal": "GranteePrincipal",
    "kms:KeyAgreementAlgorithm": "KeyAgreementAlgorithm",
    "kms:MacAlgorithm": "MacAlgorithm",
    "kms:MessageType": "MessageType",
    "kms:PrimaryRegion": "PrimaryRegion",
    "kms:ReplicaRegion": "ReplicaRegion",
    "kms:RetiringPrincipal": "RetiringPrincipal",
    "kms:RotationPeriodInDays": "RotationPeriodInDays",
    "kms:ScheduleKeyDeletionPendingWindowInDays": "PendingWindowInDays",
    "kms:SigningAlgorithm": "SigningAlgorithm",
    "kms:ValidTo": "ValidTo",
    "kms:WrappingAlgorithm": "WrappingAlgorithm",
    "kms:WrappingKeySpec": "WrappingKeySpec",
}
#: Condition key -> what it tells of the key.
_FROM_KEY: dict[str, Callable[[Key], Any]] = {
    "kms:KeySpec": lambda key: key.spec.name,
    "kms:KeyUsage": lambda key: key.usage.value,
    "kms:KeyOrigin": lambda key: key.origin.value,
    "kms:MultiRegion": lambda key: key.multi_region is not None,
    "kms:ResourceAliases": lambda key: list(key.aliases),
}


def context_keys(call: Call, key: Key | None) -> dict[str, Any]:
    """Collect the condition keys: a single value, or a list for multivalued keys."""
    parameters = call.parameters
    context: dict[str, Any] = {
        "aws:CurrentTime": call.now,
        "aws:PrincipalAccount": call.principal.account,
        "aws:PrincipalArn": call.principal.role_arn or call.principal.arn,
        "aws:RequestedRegion": call.region.name,
        "aws:userid": call.principal.unique_id,
        "kms:CallerAccount": call.principal.account,
    }
    for name, member in _FROM_PARAMETERS.items():
        if member in parameters:
            context[name] = parameters[member]
    if key is not None:
        context.update((name, value(key)) for name, value in _FROM_KEY.items())
        if key.multi_region is not None:
            context["kms:MultiRegionKeyType"] = "REPLICA" if key.is_replica else "PRIMARY"
        context.update((f"aws:ResourceTag/{name}", value) for name, value in key.tags.items())
    if call.alias is not None:
        context["kms:RequestAlias"] = call.alias
    encryption_context = call.encryption_context
    if encryption_context:
        context["kms:EncryptionContextKeys"] = list(encryption_context)
        context.update(
            (f"kms:EncryptionContext:{name}", value) for name, value in encryption_context.items()
        )
    tags = parameters.get("Tags")
    if tags:
        context["aws:TagKeys"] = [tag["TagKey"] for tag in tags]
        context.update((f"aws:RequestTag/{tag['TagKey']}", tag["TagValue"]) for tag in tags)
    return context
