"""How SQS queues and messages are encrypted, which the store that answers SQS does not know."""

from __future__ import annotations

from dataclasses import dataclass, field

from kmsmock.services.data_key_cache import DataKey, DataKeyCache
from kmsmock.state.backend import Backend

#: The attributes for the encryption of a queue.
KEY, REUSE_PERIOD = "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds"
SQS_MANAGED = "SqsManagedSseEnabled"


@dataclass(slots=True)
class Queues:
    """The encryption of queues and messages."""

    #: ARN of a queue -> its attributes for encryption, as GetQueueAttributes returns them.
    attributes: dict[str, dict[str, str]] = field(default_factory=dict)
    #: Message id -> the data key that the message is encrypted with, also after a move to another
    #: queue; None for a message that could not be encrypted, and so was not delivered.
    data_keys: dict[str, DataKey | None] = field(default_factory=dict)
    #: The same for messages that services have delivered: (queue ARN, message id in the queue or
    #: whole body) -> data key.
    delivered: dict[tuple[str, str], DataKey | None] = field(default_factory=dict)
    cache: DataKeyCache = field(default_factory=DataKeyCache)


def queues_of(backend: Backend) -> Queues:
    """Return the state of SQS in a mock."""
    return backend.service_state(Queues)
