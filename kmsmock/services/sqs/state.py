"""What SQS keeps beside queues and messages, as far as KMS is concerned."""

from __future__ import annotations

from dataclasses import dataclass, field

from kmsmock.services.data_key_cache import DataKey, DataKeyCache

#: The attributes that tell of the encryption of a queue.
KEY, REUSE_PERIOD = "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds"
SQS_MANAGED = "SqsManagedSseEnabled"


@dataclass(slots=True)
class Queues:
    """Queues by ARN, with the attributes that tell of their encryption, shown as SQS shows them.

    data_keys: the id of a message -> what it is encrypted with, wherever it is moved; None for one
    that could not be encrypted, and so never came. delivered: of messages from services the same,
    by the ARN of the queue and what names the message.
    """

    attributes: dict[str, dict[str, str]] = field(default_factory=dict)
    data_keys: dict[str, DataKey | None] = field(default_factory=dict)
    delivered: dict[tuple[str, str], DataKey | None] = field(default_factory=dict)
    cache: DataKeyCache = field(default_factory=DataKeyCache)
