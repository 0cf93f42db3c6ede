"""The environment variables of Lambda functions, encrypted; the store has their plaintexts."""

from __future__ import annotations

from dataclasses import dataclass, field

from kmsmock.services.registry import ServiceCall


@dataclass(frozen=True, slots=True)
class Environment:
    """The encrypted environment variables of a function.

    role: the ARN of the execution role. key_arn: of the KMS key. grant_id, grant_token: of the
    grant by which the role may decrypt the variables. ciphertext: of the variables, as JSON.
    """

    role: str
    key_arn: str
    grant_id: str
    grant_token: str
    ciphertext: bytes


@dataclass(slots=True)
class Functions:
    """The functions that were created or updated in the mock.

    settings: ARN of a function -> the ARN of its role and its key, as in the request.
    environments: ARN of a function or of a published version -> its variables, if it has any.
    aliases: ARN of an alias -> ARN of its version.
    """

    settings: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    environments: dict[str, Environment] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)


def functions_of(call: ServiceCall) -> Functions:
    """Return the state of Lambda in a mock."""
    return call.backend.service_state(Functions)
