"""How SQS queues and messages are encrypted, which the store that answers SQS does not know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kmsmock.aws.arns import Arn
from kmsmock.services.data_key_cache import DataKey, DataKeyCache
from kmsmock.services.registry import ServiceCall
from kmsmock.services.store_reader import StoredElsewhere, StoreReader
from kmsmock.state.backend import Backend

#: The attributes for the encryption of a queue.
KEY, REUSE_PERIOD = "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds"
SQS_MANAGED = "SqsManagedSseEnabled"
_CREATED = "CreatedTimestamp"


@dataclass(slots=True)
class Queues(StoredElsewhere):
    """The encryption of queues and messages."""

    #: ARN of a queue -> its attributes for encryption, as GetQueueAttributes returns them.
    attributes: dict[str, dict[str, str]] = field(default_factory=dict)
    #: ARN of a queue -> the key that the keys of SQS have replaced, which a store may still show.
    replaced_keys: dict[str, str] = field(default_factory=dict)
    #: Message id -> the data key that the message is encrypted with, also after a move to another
    #: queue; None for a message that could not be encrypted, and so was not delivered.
    data_keys: dict[str, DataKey | None] = field(default_factory=dict)
    #: The same for messages that services have delivered: (queue ARN, message id in the queue or
    #: whole body) -> data key.
    delivered: dict[tuple[str, str], DataKey | None] = field(default_factory=dict)
    cache: DataKeyCache = field(default_factory=DataKeyCache)

    def remove(self, arn: str) -> None:
        """Remove a queue that is gone, with its messages."""
        self.attributes.pop(arn, None)
        self.replaced_keys.pop(arn, None)
        self.cache.forget(arn)
        for name in [n for n, each in self.data_keys.items() if each and each.resource_arn == arn]:
            del self.data_keys[name]
        for queue_and_name in [each for each in self.delivered if each[0] == arn]:
            del self.delivered[queue_and_name]


def queues_of(backend: Backend) -> Queues:
    """Return the state of SQS in a mock."""
    return backend.service_state(Queues)


def get_attributes(call: ServiceCall, arn: str) -> Mapping[str, str]:
    """Return the attributes for the encryption of a queue, as its store has them now."""
    _QUEUES.refresh(call, arn)
    return queues_of(call.backend).attributes.get(arn, {})


def _keep(call: ServiceCall, arn: str, answer: Mapping[str, Any]) -> None:
    said, state = answer.get("Attributes", {}), queues_of(call.backend)
    if state.attributes.get(arn, {}).get(_CREATED) not in (None, said.get(_CREATED)):
        state.remove(arn)  # and made anew under the same name
    stored = state.attributes.setdefault(arn, {})
    key = said.get(KEY)
    is_replaced = key is not None and key == state.replaced_keys.get(arn)
    for name in (KEY, REUSE_PERIOD, SQS_MANAGED, _CREATED):
        if name in said and not (is_replaced and name in (KEY, REUSE_PERIOD)):
            stored[name] = said[name]
        else:
            stored.pop(name, None)
    if stored.get(KEY):
        stored[SQS_MANAGED] = "false"


def _forget(call: ServiceCall, arn: str) -> None:
    queues_of(call.backend).remove(arn)


def _request(arn: str) -> Mapping[str, Any]:
    queue = Arn.of(arn)
    url = f"https://sqs.{queue.region}.amazonaws.com/{queue.account}/{queue.resource}"
    return {"QueueUrl": url, "AttributeNames": ["All"]}


_QUEUES = StoreReader(
    "sqs",
    "GetQueueAttributes",
    _request,
    ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"),
    _keep,
    _forget,
)
