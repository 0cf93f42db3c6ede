"""Beside what stores topics: messages are encrypted in topics, and for encrypted queues."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from kmsmock.aws.arns import Arn
from kmsmock.services.beside import BesideStore, Steps
from kmsmock.services.data_key_cache import DataKeyCache, requester_of
from kmsmock.services.registry import ServiceCall
from kmsmock.services.sns.kms_use import ERRORS, as_service, generate_data_key
from kmsmock.services.sqs.kms_use import encrypt_delivery

_KEY = "KmsMasterKeyId"
#: How long SNS uses a data key again.
_DATA_KEY_LIFETIME = timedelta(minutes=5)


@dataclass(slots=True)
class Topics:
    """The keys of topics, as they were given, by ARN.

    queues: the ARN of a subscription -> those of its topic and its queue.
    """

    keys: dict[str, str] = field(default_factory=dict)
    queues: dict[str, tuple[str, str]] = field(default_factory=dict)
    cache: DataKeyCache = field(default_factory=DataKeyCache)


def _create_topic(call: ServiceCall) -> Steps:
    answer = yield
    _set_key(call, answer["TopicArn"], call.parameters.get("Attributes", {}).get(_KEY))


def _set_topic_attributes(call: ServiceCall) -> Steps:
    yield
    if call.parameters["AttributeName"] == _KEY:
        _set_key(call, call.parameters["TopicArn"], call.parameters.get("AttributeValue"))


def _delete_topic(call: ServiceCall) -> Steps:
    yield
    state, arn = _topics(call), call.parameters["TopicArn"]
    state.keys.pop(arn, None)
    state.cache.forget(arn)


def _subscribe(call: ServiceCall) -> Steps:
    answer = yield
    if call.parameters["Protocol"] == "sqs":
        topic_and_queue = (call.parameters["TopicArn"], call.parameters["Endpoint"])
        _topics(call).queues[answer["SubscriptionArn"]] = topic_and_queue


def _unsubscribe(call: ServiceCall) -> Steps:
    yield
    _topics(call).queues.pop(call.parameters["SubscriptionArn"], None)


def _publish(call: ServiceCall) -> Steps:
    arn = _require_data_key(call)
    answer = yield
    _deliver(call, arn, [(answer["MessageId"], call.parameters["Message"])])


def _publish_batch(call: ServiceCall) -> Steps:
    arn = _require_data_key(call)
    answer = yield
    texts = {e["Id"]: e["Message"] for e in call.parameters["PublishBatchRequestEntries"]}
    published = answer.get("Successful", ())
    _deliver(call, arn, [(entry["MessageId"], texts[entry["Id"]]) for entry in published])


def _deliver(call: ServiceCall, topic: str | None, messages: Iterable[tuple[str, str]]) -> None:
    """Encrypt messages for the encrypted queues among the subscribers, as SNS itself."""
    for of_topic, queue in _topics(call).queues.values():
        if of_topic == topic:
            sender = as_service(call.backend, Arn.of(queue).region, topic)
            for names in messages:
                encrypt_delivery(call.backend, queue, sender, names)


def _require_data_key(call: ServiceCall) -> str | None:
    """Have a data key for a message. Gives the ARN of the topic, if the message goes to one."""
    arn: str | None = call.parameters.get("TopicArn", call.parameters.get("TargetArn"))
    key_id = _topics(call).keys.get(arn or "")
    if arn is None or key_id is None:
        return arn
    _topics(call).cache.get(
        requester_of(call.identities, call.principal),
        arn,
        key_id,
        call.now,
        _DATA_KEY_LIFETIME,
        partial(generate_data_key, call, arn, key_id),
    )
    return arn


def _set_key(call: ServiceCall, arn: str, key_id: str | None) -> None:
    keys = _topics(call).keys
    if key_id:
        keys[arn] = key_id
    else:
        keys.pop(arn, None)


def _topics(call: ServiceCall) -> Topics:
    return call.backend.service_state(Topics)


BESIDE = BesideStore(
    {
        "CreateTopic": _create_topic,
        "SetTopicAttributes": _set_topic_attributes,
        "DeleteTopic": _delete_topic,
        "Subscribe": _subscribe,
        "Unsubscribe": _unsubscribe,
        "Publish": _publish,
        "PublishBatch": _publish_batch,
    },
    ERRORS,
)
