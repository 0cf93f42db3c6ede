"""Functions as their store has them, also those that the mock has not seen created."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from kmsmock.authorization.grants import GrantConstraints
from kmsmock.aws.arns import Arn
from kmsmock.services.lambda_.names import version_arn, without_qualifier
from kmsmock.services.lambda_.state import (
    GRANT_OPERATIONS,
    MANAGED_KEY,
    SERVICE,
    Environment,
    Shown,
    context_of,
    functions_of,
)
from kmsmock.services.registry import ServiceCall
from kmsmock.services.store_reader import StoreReader, owner_of
from kmsmock.services.unknown_keys import warn_unknown_key
from kmsmock.services.unrecorded_data_keys import create_grant, encrypt, find_key, remove_grant


def get_environment(call: ServiceCall, arn: str) -> Environment | None:
    """Return the variables of a function, version or alias as its store has them now.

    arn: with the qualifier, if there is one. None without variables, or if the key is unknown.
    """
    _FUNCTIONS.refresh(call, arn)
    state = functions_of(call)
    return state.environments.get(state.aliases.get(arn, arn))


def get_settings(call: ServiceCall, arn: str) -> tuple[str | None, str | None]:
    """Return the role and the key of a function, as in requests; None for what is not known."""
    _FUNCTIONS.refresh(call, arn)
    return functions_of(call).settings.get(arn, (None, None))


def shown_in(configuration: Mapping[str, Any]) -> Shown:
    """Return what a store says of the variables in a configuration, to notice that it changes."""
    variables = configuration.get("Environment", {}).get("Variables") or {}
    digest = sha256(json.dumps(variables, sort_keys=True).encode()).digest()
    return digest, configuration.get("Role"), configuration.get("KMSKeyArn") or None


def _keep(call: ServiceCall, qualified: str, answer: Mapping[str, Any]) -> None:
    state, arn = functions_of(call), without_qualifier(qualified)
    name = version_arn(arn, answer.get("Version"))
    if qualified not in (name, arn):
        state.aliases[qualified] = name
    shown = shown_in(answer)
    _, role, key_id = shown
    if state.shown.get(name) == shown:
        return
    state.shown[name] = shown
    if name == arn and role is not None:
        state.settings[arn] = (role, key_id)
    _drop(call, name)
    variables = answer.get("Environment", {}).get("Variables")
    made = _encrypt(call, arn, variables, role, key_id) if variables and role else None
    if made is not None:
        state.environments[name] = made
    elif variables and role:
        warn_unknown_key(name)


def _encrypt(
    call: ServiceCall, arn: str, variables: Mapping[str, str], role: str, key_id: str | None
) -> Environment | None:
    """Encrypt variables that were stored without a record; return None without a key known here."""
    function = Arn.of(arn)
    key = find_key(call.backend, key_id or MANAGED_KEY, owner_of(call, arn), function.region)
    if key is None:
        return None
    call.identities.get_or_create(role)
    constraints = GrantConstraints(equals=context_of(arn))
    grant_id, token = create_grant(call.backend, key, role, SERVICE, GRANT_OPERATIONS, constraints)
    plaintext = json.dumps(dict(variables)).encode()
    ciphertext = encrypt(key, plaintext, context_of(arn))
    return Environment(role, key.arn, grant_id, token, ciphertext)


def _drop(call: ServiceCall, name: str) -> None:
    """Forget the variables of a function or version, with their grant."""
    state = functions_of(call)
    environment = state.environments.pop(name, None)
    if environment is not None and environment not in state.environments.values():
        remove_grant(call.backend, environment.key_arn, environment.grant_id)


def _forget(call: ServiceCall, qualified: str) -> None:
    state, arn = functions_of(call), without_qualifier(qualified)
    state.aliases.pop(qualified, None)
    names = [qualified]
    if qualified == arn:
        state.settings.pop(arn, None)
        versions = {*state.environments, *state.packages}
        names += [name for name in versions if name.startswith(f"{arn}:")]
        state.aliases = {
            alias: name for alias, name in state.aliases.items() if not alias.startswith(f"{arn}:")
        }
    for name in names:
        state.shown.pop(name, None)
        state.packages.pop(name, None)
        _drop(call, name)


def _request(qualified: str) -> Mapping[str, Any]:
    arn = without_qualifier(qualified)
    qualifier = qualified.removeprefix(arn).removeprefix(":")
    return {
        "FunctionName": Arn.of(arn).resource.split(":")[1],
        **({"Qualifier": qualifier} if qualifier else {}),
    }


_FUNCTIONS = StoreReader(
    "lambda",
    "GetFunctionConfiguration",
    _request,
    ("ResourceNotFoundException",),
    _keep,
    _forget,
)
