"""The data keys and replicas of secrets, which the store that answers the service does not know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from kmsmock.aws.arns import Arn, resource_of
from kmsmock.services.registry import ServiceCall
from kmsmock.services.store_reader import StoredElsewhere

MANAGED_KEY = "alias/aws/secretsmanager"
#: The key id of the AWS managed key in answers.
MANAGED_KEY_IN_ANSWERS = "DefaultEncryptionKey"
CURRENT, PREVIOUS, PENDING = "AWSCURRENT", "AWSPREVIOUS", "AWSPENDING"


@dataclass(frozen=True, slots=True)
class EncryptedDataKey:
    """A data key that is encrypted with a KMS key. kms_key_id: as in ListSecretVersionIds."""

    kms_key_id: str
    ciphertext: bytes


@dataclass(slots=True)
class Secret:
    """A secret, or a replica of one."""

    arn: str
    #: The KmsKeyId of the request; None for the AWS managed key.
    key_id: str | None
    #: Version id -> its data key, encrypted with each of its KMS keys, the newest last.
    versions: dict[str, list[EncryptedDataKey]] = field(default_factory=dict)
    #: Staging label -> version id.
    stages: dict[str, str] = field(default_factory=dict)
    #: Region -> replica, for a primary secret.
    replicas: dict[str, Secret] = field(default_factory=dict)
    #: Why a replica is not in sync.
    failure: str | None = None
    #: The ARN of the primary secret of a replica.
    primary: str | None = None

    @property
    def region(self) -> str:
        """The name of the Region of the secret."""
        return Arn.of(self.arn).region

    def move_stage(self, stage: str, version: str) -> None:
        """Attach a staging label to a version, as UpdateSecretVersionStage does."""
        if stage == CURRENT and CURRENT in self.stages:
            self.stages[PREVIOUS] = self.stages[CURRENT]
        self.stages[stage] = version

    def labelled(self, stages: Iterable[str]) -> Iterator[str]:
        """Return the ids of the versions that have one of the labels, without duplicates."""
        for version in dict.fromkeys(self.stages.get(stage) for stage in stages):
            if version is not None and version in self.versions:
                yield version


@dataclass(slots=True)
class Secrets(StoredElsewhere):
    """The secrets by ARN, and their ARNs by (account, Region, name)."""

    secrets: dict[str, Secret] = field(default_factory=dict)
    arns: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def add(self, secret: Secret) -> None:
        """Add a secret, which `get_secret` then finds by ARN and by name."""
        self.secrets[secret.arn] = secret
        arn = Arn.of(secret.arn)
        self.arns[arn.account, arn.region, arn.resource_id.rpartition("-")[0]] = secret.arn

    def remove(self, arn: str) -> None:
        """Remove a secret that is gone, and its replicas."""
        secret = self.secrets.pop(arn, None)
        self.arns = {name: each for name, each in self.arns.items() if each != arn}
        for replica in {} if secret is None else secret.replicas.values():
            self.remove(replica.arn)


def secrets_of(call: ServiceCall) -> Secrets:
    """Return the state of Secrets Manager in a mock."""
    return call.backend.service_state(Secrets)


def find_secret(call: ServiceCall, secret_id: str) -> Secret | None:
    """Return the secret with an ARN or a name, as the mock knows it; None if it knows none."""
    state = secrets_of(call)
    if secret_id in state.secrets:
        return state.secrets[secret_id]
    parsed = Arn.parse(secret_id)
    name = secret_id if parsed is None else parsed.resource_id
    arn = state.arns.get((call.account, call.region, name))
    return state.secrets.get(arn) if arn is not None else None


def requested_key(key_id: str | None) -> str | None:
    """Return the requested key; None for the AWS managed key."""
    if not key_id or resource_of(key_id) == MANAGED_KEY:
        return None
    return key_id


def context_of(arn: str, version: str) -> dict[str, str]:
    """Return the encryption context of the data key of a version. arn: of the secret."""
    return {"SecretARN": arn, "SecretVersionId": version}
