"""What Lambda has encrypted; the store has the plaintexts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kmsmock.services.registry import ServiceCall
from kmsmock.services.store_reader import StoredElsewhere

MANAGED_KEY, SERVICE = "alias/aws/lambda", "lambda.amazonaws.com"
#: The operations of the grant by which the execution role decrypts variables.
GRANT_OPERATIONS = ("Decrypt", "RetireGrant")
#: What a store says: the digest of the variables, the ARN of the role, the key.
Shown = tuple[bytes, str | None, str | None]


@dataclass(frozen=True, slots=True)
class Environment:
    """The encrypted environment variables of a function."""

    #: The ARN of the execution role.
    role: str
    #: The ARN of the KMS key.
    key_arn: str
    #: The id of the grant by which the role can decrypt the variables.
    grant_id: str
    #: The grant token of that grant.
    grant_token: str
    #: The ciphertext of the variables, as JSON.
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class Package:
    """A deployment package under a customer managed key."""

    #: The SourceKMSKeyArn of the request.
    key_arn: str
    #: The ciphertext of its data key.
    data_key: bytes


@dataclass(frozen=True, slots=True)
class EventSource:
    """The filter criteria of an event source mapping."""

    #: The KMSKeyArn of the mapping; None for the AWS owned key.
    key_arn: str | None
    #: The encryption context of the data key.
    context: Mapping[str, str]
    #: The ciphertext of the data key; None if nothing is encrypted with it.
    data_key: bytes | None
    #: Whether there are any criteria.
    has_criteria: bool = False


@dataclass(slots=True)
class Functions(StoredElsewhere):
    """The functions that were created or updated in the mock."""

    #: ARN of a function -> the ARN of its role and its key, as in the request.
    settings: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    #: ARN of a function or of a published version -> its variables, if it has any.
    environments: dict[str, Environment] = field(default_factory=dict)
    #: ARN of an alias -> ARN of its version.
    aliases: dict[str, str] = field(default_factory=dict)
    #: ARN of a function or version -> what the store last said, which may not know all changes.
    shown: dict[str, Shown] = field(default_factory=dict)
    #: ARN of a function or of a published version -> its package, if that is under a key.
    packages: dict[str, Package] = field(default_factory=dict)
    #: UUID of an event source mapping -> its filter criteria.
    event_sources: dict[str, EventSource] = field(default_factory=dict)


def functions_of(call: ServiceCall) -> Functions:
    """Return the state of Lambda in a mock."""
    return call.backend.service_state(Functions)


def context_of(arn: str) -> dict[str, str]:
    """Return the encryption context of the variables of a function. arn: of the function."""
    return {"aws:lambda:FunctionArn": arn}
