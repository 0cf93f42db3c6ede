"""Encryption by default, the default key, and block public access: per account and Region.

Source: Amazon EBS User Guide, "Amazon EBS encryption by default", "Block public access for Amazon
EBS snapshots".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kmsmock.services.ec2.answered.lookup import require_parameter
from kmsmock.services.ec2.answered.registry import account_region, operation, require_permission
from kmsmock.services.ec2.answered.storage import BLOCKS_ALL, UNBLOCKED
from kmsmock.services.ec2.errors import InvalidParameterValue
from kmsmock.services.ec2.kms_use.state import DEFAULT_KEY, settings_for
from kmsmock.services.ec2.kms_use.target_keys import resolve_key
from kmsmock.services.registry import ServiceCall

_BLOCKING = (BLOCKS_ALL, "block-new-sharing")


def _register_setting(action: str, change: Callable[[ServiceCall], None]) -> None:
    """Register an operation that changes a setting. change: what it does, once it is allowed."""

    @operation(action)
    def handle(call: ServiceCall) -> dict[str, Any]:
        require_permission(call, action, "*")
        change(call)
        if "PublicAccess" in action:
            return {"State": account_region(call).block_public_access}
        if "KmsKeyId" in action:
            return {"KmsKeyId": settings_for(call).default_key}
        return {"EbsEncryptionByDefault": settings_for(call).encrypts_by_default}


def _change_nothing(call: ServiceCall) -> None:
    """Change nothing, for operations that only return a setting."""


def _enable_encryption(call: ServiceCall) -> None:
    settings_for(call).encrypts_by_default = True


def _disable_encryption(call: ServiceCall) -> None:
    settings_for(call).encrypts_by_default = False


def _modify_key(call: ServiceCall) -> None:
    # EC2 does not check whether the key can be used.
    settings_for(call).default_key = resolve_key(call, require_parameter(call, "KmsKeyId"))


def _reset_key(call: ServiceCall) -> None:
    settings_for(call).default_key = DEFAULT_KEY


def _block(call: ServiceCall) -> None:
    state = require_parameter(call, "State")
    if state not in _BLOCKING:
        raise InvalidParameterValue(
            f"Invalid value '{state}' for State. Valid values are: {', '.join(_BLOCKING)}"
        )
    account_region(call).block_public_access = state


def _unblock(call: ServiceCall) -> None:
    account_region(call).block_public_access = UNBLOCKED


_register_setting("EnableEbsEncryptionByDefault", _enable_encryption)
_register_setting("DisableEbsEncryptionByDefault", _disable_encryption)
_register_setting("GetEbsEncryptionByDefault", _change_nothing)
_register_setting("ModifyEbsDefaultKmsKeyId", _modify_key)
_register_setting("ResetEbsDefaultKmsKeyId", _reset_key)
_register_setting("GetEbsDefaultKmsKeyId", _change_nothing)
_register_setting("EnableSnapshotBlockPublicAccess", _block)
_register_setting("DisableSnapshotBlockPublicAccess", _unblock)
_register_setting("GetSnapshotBlockPublicAccessState", _change_nothing)
