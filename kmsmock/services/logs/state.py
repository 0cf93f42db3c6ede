"""How log groups are encrypted, which the store that answers CloudWatch Logs does not know."""

from __future__ import annotations

from dataclasses import dataclass, field

from kmsmock.services.data_key_cache import DataKeyCache
from kmsmock.services.registry import ServiceCall
from kmsmock.services.store_reader import StoredElsewhere

#: The resource in the ARN of the results of all queries, as AssociateKmsKey takes it.
QUERY_RESULTS = "query-result:*"


@dataclass(slots=True)
class LogGroup:
    """A log group that is encrypted, or was; or the results of queries."""

    #: The ARN of the KMS key; None if it was disassociated.
    key_arn: str | None
    #: The ciphertexts of the data keys that its log events are encrypted with, in order.
    data_keys: dict[bytes, None] = field(default_factory=dict)


@dataclass(slots=True)
class LogGroups(StoredElsewhere):
    """The log groups that are encrypted, or were, and the results of queries."""

    #: ARN of a log group, or of the query results of an account -> its encryption.
    groups: dict[str, LogGroup] = field(default_factory=dict)
    #: Id of a query whose results are encrypted -> the ARN of the results, the ARN of the KMS key,
    #: and the ciphertext of the data key.
    queries: dict[str, tuple[str, str, bytes]] = field(default_factory=dict)
    cache: DataKeyCache = field(default_factory=DataKeyCache)


def log_groups_of(call: ServiceCall) -> LogGroups:
    """Return the state of CloudWatch Logs in a mock."""
    return call.backend.service_state(LogGroups)
