"""The states of a KMS key, which of them operations require, and how error messages name them."""

from __future__ import annotations

from enum import Enum

from kmsmock.timing.passing_states import ShownState


class KeyState(Enum):
    """The states of a KMS key. Source: AWS KMS Developer Guide, "Key states"."""

    CREATING = "Creating"
    ENABLED = "Enabled"
    DISABLED = "Disabled"
    PENDING_DELETION = "PendingDeletion"
    PENDING_REPLICA_DELETION = "PendingReplicaDeletion"
    PENDING_IMPORT = "PendingImport"
    UNAVAILABLE = "Unavailable"
    UPDATING = "Updating"

    # The members are compared by identity, and hashed with each call.
    __hash__ = object.__hash__


#: The key state in answers; Creating and Updating are passing states.
KEY_STATE = ShownState("KeyState")

# What operations require of the key, each in its declaration: such as ``USABLE`` for Encrypt, which
# a disabled key is not. `keys.state_checks` raises the error.
# Source: AWS KMS Developer Guide, "Key states of AWS KMS keys".
_S = KeyState
ANY_STATE = frozenset(KeyState)
USABLE = frozenset({_S.ENABLED, _S.UPDATING})
PENDING_DELETION = frozenset({_S.PENDING_DELETION, _S.PENDING_REPLICA_DELETION})
NOT_PENDING_DELETION = ANY_STATE - PENDING_DELETION
GRANTABLE = USABLE | {_S.UNAVAILABLE}
SWITCHABLE = frozenset({_S.ENABLED, _S.DISABLED, _S.UNAVAILABLE})
DELETABLE = NOT_PENDING_DELETION - {_S.UPDATING}
READABLE_PUBLIC_KEY = USABLE | {_S.DISABLED}
REPLICABLE = frozenset({_S.ENABLED})
IMPORTABLE = frozenset({_S.ENABLED, _S.DISABLED, _S.PENDING_IMPORT})

#: Key state -> its name in KMS's error messages.
STATE_TEXTS = {
    KeyState.DISABLED: "disabled",
    KeyState.PENDING_DELETION: "pending deletion",
    KeyState.PENDING_REPLICA_DELETION: "pending replica deletion",
    KeyState.PENDING_IMPORT: "pending import",
    KeyState.UNAVAILABLE: "unavailable",
    KeyState.CREATING: "creating",
    KeyState.UPDATING: "updating",
}
#: Key state -> how to leave it, for explanations.
STATE_REMEDIES = {
    KeyState.DISABLED: "EnableKey makes it usable again.",
    KeyState.PENDING_DELETION: "CancelKeyDeletion, then EnableKey, make it usable again.",
    KeyState.PENDING_REPLICA_DELETION: "CancelKeyDeletion, then EnableKey, make it usable again.",
    KeyState.PENDING_IMPORT: (
        "GetParametersForImport and ImportKeyMaterial give it key material, and so does "
        "kms.import_material in tests."
    ),
    KeyState.UNAVAILABLE: "Its custom key store is to be connected.",
    KeyState.CREATING: "ReplicateKey goes on for a while after its answer.",
    KeyState.UPDATING: "UpdatePrimaryRegion goes on for a while after its answer.",
}
