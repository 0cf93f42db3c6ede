"""What Secrets Manager keeps beside values and labels, as far as KMS is concerned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from kmsmock.aws.arns import Arn, resource_of
from kmsmock.services.registry import ServiceCall

MANAGED_KEY = "alias/aws/secretsmanager"
CURRENT, PREVIOUS, PENDING = "AWSCURRENT", "AWSPREVIOUS", "AWSPENDING"


@dataclass(frozen=True, slots=True)
class EncryptedDataKey:
    """A data key that is encrypted with a key of KMS. shown_key: as ListSecretVersionIds has it."""

    shown_key: str
    ciphertext: bytes


@dataclass(slots=True)
class Secret:
    """A secret. key_id: as it was given; None for the managed key. stages: label -> version.

    versions: the data key of each, under each key that it was wrapped with, the newest last.
    replicas: by Region, as their primary keeps them. failure: why a replica is not in sync.
    primary: the ARN of what this is a replica of.
    """

    arn: str
    key_id: str | None
    versions: dict[str, list[EncryptedDataKey]] = field(default_factory=dict)
    stages: dict[str, str] = field(default_factory=dict)
    replicas: dict[str, Secret] = field(default_factory=dict)
    failure: str | None = None
    primary: str | None = None

    @property
    def region(self) -> str:
        """The Region of the secret."""
        return Arn.of(self.arn).region

    def move_stage(self, stage: str, version: str) -> None:
        """Let a label mean another version."""
        if stage == CURRENT and CURRENT in self.stages:
            self.stages[PREVIOUS] = self.stages[CURRENT]
        self.stages[stage] = version

    def labelled(self, stages: Iterable[str]) -> Iterator[str]:
        """Go through the versions that labels mean, as far as they are known."""
        for version in dict.fromkeys(self.stages.get(stage) for stage in stages):
            if version is not None and version in self.versions:
                yield version


@dataclass(slots=True)
class Secrets:
    """Secrets by ARN, and the ARNs of names: (account, Region, name)."""

    secrets: dict[str, Secret] = field(default_factory=dict)
    arns: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def keep(self, secret: Secret) -> None:
        """Keep a secret, which is then found by its ARN and by its name."""
        self.secrets[secret.arn] = secret
        arn = Arn.of(secret.arn)
        self.arns[arn.account, arn.region, arn.resource_id.rpartition("-")[0]] = secret.arn


def secrets_of(call: ServiceCall) -> Secrets:
    """Return what Secrets Manager keeps."""
    return call.backend.service_state(Secrets)


def find_secret(call: ServiceCall) -> Secret | None:
    """Find the secret that a call names; None for one that was stored before."""
    state, named = secrets_of(call), call.parameters["SecretId"]
    if named in state.secrets:
        return state.secrets[named]
    arn = Arn.parse(named)
    name = named if arn is None else arn.resource_id
    known = state.arns.get((call.account, call.region, name))
    return state.secrets.get(known) if known is not None else None


def requested_key(key_id: str | None) -> str | None:
    """Return the requested key as it is kept; None for the AWS managed key."""
    if not key_id or resource_of(key_id) == MANAGED_KEY:
        return None
    return key_id
