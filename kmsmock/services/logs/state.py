"""How log groups are encrypted, which the store that answers CloudWatch Logs does not know."""

from __future__ import annotations

from dataclasses import dataclass, field

from kmsmock.services.data_key_cache import DataKeyCache
from kmsmock.services.registry import ServiceCall
from kmsmock.services.store_reader import StoredElsewhere


@dataclass(slots=True)
class LogGroup:
    """A log group that is encrypted, or was."""

    #: The ARN of the KMS key; None if it was disassociated.
    key_arn: str | None
    #: The ciphertexts of the data keys that its log events are encrypted with, in order.
    data_keys: dict[bytes, None] = field(default_factory=dict)


@dataclass(slots=True)
class LogGroups(StoredElsewhere):
    """The log groups that are encrypted, or were, by ARN."""

    groups: dict[str, LogGroup] = field(default_factory=dict)
    cache: DataKeyCache = field(default_factory=DataKeyCache)


def log_groups_of(call: ServiceCall) -> LogGroups:
    """Return the state of CloudWatch Logs in a mock."""
    return call.backend.service_state(LogGroups)
