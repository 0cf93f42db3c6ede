"""Refuse operations that the state of a key does not permit."""

from __future__ import annotations

from kmsmock.aws import errors
from kmsmock.keys.key import Key
from kmsmock.keys.material import describe_expiry
from kmsmock.keys.states import KEY_STATE, STATE_REMEDIES, STATE_TEXTS, KeyState
from kmsmock.timing.passing_states import PassingStates


def require_state(key: Key, allowed: frozenset[KeyState], passing: PassingStates) -> None:
    """Refuse an operation that the key's state does not permit.

    passing: the passing states of the mock, to explain how one ends. Raises DisabledException for a
    disabled key, KMSInvalidStateException for other states.
    Source: AWS KMS Developer Guide, "Key states of AWS KMS keys".
    """
    state = key.state
    if state in allowed:
        return
    kind = (
        errors.DisabledException if state is KeyState.DISABLED else errors.KMSInvalidStateException
    )
    remedy = STATE_REMEDIES[state]
    if state is KeyState.UNAVAILABLE and key.custom_key_store is not None:
        remedy = key.custom_key_store.describe_state(passing)
    if state is KeyState.PENDING_IMPORT:
        remedy = describe_expiry(key.materials) + remedy
    waiting = passing.explain(KEY_STATE, key.arn)
    if waiting is not None:
        remedy = f"{remedy} {waiting}"
    if key.deletion_date is not None:
        remedy = f"It will be deleted on {key.deletion_date:%Y-%m-%d %H:%M} UTC. {remedy}"
    raise kind(f"{key.arn} is {STATE_TEXTS[state]}.", explanation=remedy)
