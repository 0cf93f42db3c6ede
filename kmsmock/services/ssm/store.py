"""SecureString parameters as their store has them, also those that the mock has not seen stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kmsmock.aws.arns import looks_like_arn
from kmsmock.services.registry import ServiceCall
from kmsmock.services.ssm.state import (
    ADVANCED,
    MANAGED_KEY,
    SECURE,
    SecureString,
    context_of,
    versions_of,
)
from kmsmock.services.store_reader import StoreReader
from kmsmock.services.unrecorded_data_keys import encrypt, encrypt_data_key, find_key


def get_versions(call: ServiceCall, name: str) -> dict[int, SecureString]:
    """Return the versions of a parameter as its store has them now, by number.

    name: of the parameter, or its ARN. Other parameters than SecureString have none.
    """
    _PARAMETERS.refresh(call, name)
    return versions_of(call).get(arn_of(call, name), {})


def arn_of(call: ServiceCall, name: str) -> str:
    """Return the ARN of a parameter. name: its name or ARN."""
    return name if looks_like_arn(name) else call.arn("ssm", f"parameter/{name.lstrip('/')}")


def _keep(call: ServiceCall, name: str, answer: Mapping[str, Any]) -> None:
    arn = arn_of(call, name)
    known, kept = versions_of(call).pop(arn, {}), dict[int, SecureString]()
    for parameter in answer.get("Parameters", ()):
        if parameter.get("Type") != SECURE:
            continue
        version = parameter["Version"]
        value = str(parameter.get("Value", "")).encode()
        key_id = parameter.get("KeyId") or MANAGED_KEY
        before = known.get(version)
        if before is not None and before.is_of(value, key_id):
            kept[version] = before
            continue
        made = _encrypt(call, arn, key_id, value, is_advanced=parameter.get("Tier") == ADVANCED)
        if made is not None:
            kept[version] = made
    if kept:
        versions_of(call)[arn] = kept


def _encrypt(
    call: ServiceCall, arn: str, key_id: str, value: bytes, *, is_advanced: bool
) -> SecureString | None:
    """Encrypt a value that was stored unrecorded; return None for a key that is not known here."""
    key = find_key(call.backend, key_id, call.account, call.region)
    if key is None:
        return None
    context = context_of(arn)
    if is_advanced:
        ciphertext = encrypt_data_key(call.backend, key, context)
    else:
        ciphertext = encrypt(key, value, context)
    return SecureString(key_id, ciphertext, is_advanced, SecureString.digest(value))


def _forget(call: ServiceCall, name: str) -> None:
    versions_of(call).pop(arn_of(call, name), None)


_PARAMETERS = StoreReader(
    "ssm",
    "GetParameterHistory",
    lambda name: {"Name": name, "WithDecryption": True},
    ("ParameterNotFound",),
    _keep,
    _forget,
)
