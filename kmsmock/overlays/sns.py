"""Messages of Amazon SNS in topics and for queues that are encrypted with a key of KMS.

Source: Amazon SNS Developer Guide, "Managing Amazon SNS encryption keys and costs".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from kmsmock.overlays import sqs
from kmsmock.services.beside import BesideStore, Steps
from kmsmock.services.data_key_cache import DataKeyCache, requester_of
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.kms_errors import ErrorTemplate
from kmsmock.services.registry import ServiceCall

_KEY, _SERVICE = "KmsMasterKeyId", "sns.amazonaws.com"
#: How long SNS uses a data key again.
_REUSE = timedelta(minutes=5)


@dataclass(slots=True)
class Topics:
    """The keys of topics, as they were given, by ARN.

    queues: the ARN of a subscription -> those of its topic and its queue.
    """

    keys: dict[str, str] = field(default_factory=dict)
    queues: dict[str, tuple[str, str]] = field(default_factory=dict)
    cache: DataKeyCache = field(default_factory=DataKeyCache)


def _create(call: ServiceCall) -> Steps:
    answer = yield
    _set(call, answer["TopicArn"], call.parameters.get("Attributes", {}).get(_KEY))


def _set_attributes(call: ServiceCall) -> Steps:
    yield
    if call.parameters["AttributeName"] == _KEY:
        _set(call, call.parameters["TopicArn"], call.parameters.get("AttributeValue"))


def _delete(call: ServiceCall) -> Steps:
    yield
    held, arn = _topics(call), call.parameters["TopicArn"]
    held.keys.pop(arn, None)
    held.cache.forget(arn)


def _subscribe(call: ServiceCall) -> Steps:
    answer = yield
    if call.parameters["Protocol"] == "sqs":
        place = (call.parameters["TopicArn"], call.parameters["Endpoint"])
        _topics(call).queues[answer["SubscriptionArn"]] = place


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
    made = answer.get("Successful", ())
    _deliver(call, arn, [(entry["MessageId"], texts[entry["Id"]]) for entry in made])


def _deliver(call: ServiceCall, topic: str | None, messages: Iterable[tuple[str, str]]) -> None:
    """Encrypt messages for the encrypted queues among the subscribers, as SNS itself."""
    for of_topic, queue in _topics(call).queues.values():
        if of_topic == topic:
            region = queue.split(":")[3]
            sender = KmsCaller.own(call.backend, _SERVICE, region, source_arn=topic)
            for names in messages:
                sqs.deliver(call.backend, queue, sender, names)


def _require_data_key(call: ServiceCall) -> str | None:
    """Have a data key for a message: made, and opened once to see that it is whole.

    Gives the ARN of the topic, if it goes to one.
    """
    arn: str | None = call.parameters.get("TopicArn", call.parameters.get("TargetArn"))
    key_id = _topics(call).keys.get(arn or "")
    if arn is None or key_id is None:
        return arn
    kms = KmsCaller.forwarded(call, "sns", arn.split(":")[3])
    context = {"aws:sns:topicArn": arn}

    def make() -> None:
        made = kms.call(
            "GenerateDataKey", KeyId=key_id, KeySpec="AES_256", EncryptionContext=context
        )
        kms.call("Decrypt", CiphertextBlob=made["CiphertextBlob"], EncryptionContext=context)

    requester = requester_of(call.identities, call.principal)
    _topics(call).cache.get(requester, arn, key_id, call.now, _REUSE, make)
    return arn


def _set(call: ServiceCall, arn: str, key_id: str | None) -> None:
    keys = _topics(call).keys
    if key_id:
        keys[arn] = key_id
    else:
        keys.pop(arn, None)


def _topics(call: ServiceCall) -> Topics:
    return call.backend.service_state(Topics)


BESIDE = BesideStore(
    {
        "CreateTopic": _create,
        "SetTopicAttributes": _set_attributes,
        "DeleteTopic": _delete,
        "Subscribe": _subscribe,
        "Unsubscribe": _unsubscribe,
        "Publish": _publish,
        "PublishBatch": _publish_batch,
    },
    {
        "AccessDeniedException": ErrorTemplate("KMSAccessDenied"),
        "DisabledException": ErrorTemplate("KMSDisabled"),
        "NotFoundException": ErrorTemplate("KMSNotFound"),
        "OptInRequired": ErrorTemplate("KMSOptInRequired", status=403),
        "ThrottlingException": ErrorTemplate("KMSThrottling"),
        "*": ErrorTemplate("KMSInvalidState"),
    },
)
