"""The keys and subscriptions of SNS topics, which the store that answers SNS does not use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kmsmock.services.data_key_cache import DataKeyCache
from kmsmock.services.registry import ServiceCall
from kmsmock.services.store_reader import StoredElsewhere, StoreReader

#: The attribute for the key of a topic.
KEY = "KmsMasterKeyId"


@dataclass(slots=True)
class Topics(StoredElsewhere):
    """The encrypted topics, and the subscriptions of queues."""

    #: The ARN of a topic -> its key, as in the request; empty without one.
    keys: dict[str, str] = field(default_factory=dict)
    #: The ARN of a subscription -> the ARNs of its topic and its queue.
    queues: dict[str, tuple[str, str]] = field(default_factory=dict)
    cache: DataKeyCache = field(default_factory=DataKeyCache)

    def remove(self, arn: str) -> None:
        """Remove a topic that is gone, with its subscriptions."""
        self.keys.pop(arn, None)
        self.queues = {name: each for name, each in self.queues.items() if each[0] != arn}
        self.cache.forget(arn)


def topics_of(call: ServiceCall) -> Topics:
    """Return the state of SNS in a mock."""
    return call.backend.service_state(Topics)


def get_key(call: ServiceCall, arn: str) -> str | None:
    """Return the key of a topic, as its store has it now; None without one."""
    return find_key(call, arn) or None


def find_key(call: ServiceCall, arn: str) -> str | None:
    """Return the key of a topic, as its store has it now: empty without one, None if it is new."""
    _TOPICS.refresh(call, arn)
    return topics_of(call).keys.get(arn)


def list_queues(call: ServiceCall, arn: str) -> list[str]:
    """Return the ARNs of the queues that are subscribed to a topic. arn: of the topic."""
    _SUBSCRIPTIONS.refresh(call, arn)
    return [queue for topic, queue in topics_of(call).queues.values() if topic == arn]


def _keep_key(call: ServiceCall, arn: str, answer: Mapping[str, Any]) -> None:
    topics_of(call).keys[arn] = answer.get("Attributes", {}).get(KEY, "")


def _keep_subscriptions(call: ServiceCall, arn: str, answer: Mapping[str, Any]) -> None:
    state = topics_of(call)
    if "NextToken" not in answer:
        state.queues = {name: each for name, each in state.queues.items() if each[0] != arn}
    for subscription in answer.get("Subscriptions", ()):
        if subscription.get("Protocol") == "sqs":
            state.queues[subscription["SubscriptionArn"]] = (arn, subscription["Endpoint"])


def _forget(call: ServiceCall, arn: str) -> None:
    topics_of(call).remove(arn)


_ABSENT = ("NotFound", "NotFoundException")
_TOPICS = StoreReader(
    "sns", "GetTopicAttributes", lambda arn: {"TopicArn": arn}, _ABSENT, _keep_key, _forget
)
_SUBSCRIPTIONS = StoreReader(
    "sns",
    "ListSubscriptionsByTopic",
    lambda arn: {"TopicArn": arn},
    _ABSENT,
    _keep_subscriptions,
    _forget,
)
