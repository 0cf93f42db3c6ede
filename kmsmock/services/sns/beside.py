"""SNS beside another store: messages are encrypted for topics, and for encrypted queues."""

from __future__ import annotations

from kmsmock.aws.coded_error import CodedError
from kmsmock.services.beside import BesideStore, Steps
from kmsmock.services.registry import ServiceCall
from kmsmock.services.sns.kms_use import ERRORS, encrypt_deliveries, require_data_key
from kmsmock.services.sns.state import KEY, find_key, get_key, topics_of


def _create_topic(call: ServiceCall) -> Steps:
    """Set the key of a new topic; that of an existing one stays.

    Source: Amazon SNS API Reference, CreateTopic.
    """
    keys, key_id = topics_of(call).keys, call.parameters.get("Attributes", {}).get(KEY)
    existing = find_key(call, call.arn("sns", call.parameters["Name"]))
    if existing is not None and key_id not in (None, existing):
        raise CodedError(
            "InvalidParameter",
            "Invalid parameter: Attributes Reason: Topic already exists with different attributes",
            explanation=f"Its {KEY} is {existing or 'not set'}; SetTopicAttributes changes it.",
        )
    answer = yield
    keys.setdefault(answer["TopicArn"], key_id or "")


def _set_topic_attributes(call: ServiceCall) -> Steps:
    yield
    if call.parameters["AttributeName"] == KEY:
        key_id = call.parameters.get("AttributeValue", "")
        topics_of(call).keys[call.parameters["TopicArn"]] = key_id


def _delete_topic(call: ServiceCall) -> Steps:
    yield
    topics_of(call).remove(call.parameters["TopicArn"])


def _subscribe(call: ServiceCall) -> Steps:
    answer = yield
    if call.parameters["Protocol"] == "sqs":
        topic_and_queue = (call.parameters["TopicArn"], call.parameters["Endpoint"])
        topics_of(call).queues[answer["SubscriptionArn"]] = topic_and_queue


def _unsubscribe(call: ServiceCall) -> Steps:
    yield
    topics_of(call).queues.pop(call.parameters["SubscriptionArn"], None)


def _publish(call: ServiceCall) -> Steps:
    arn = _require_data_key(call)
    answer = yield
    encrypt_deliveries(call, arn, [(answer["MessageId"], call.parameters["Message"])])


def _publish_batch(call: ServiceCall) -> Steps:
    arn = _require_data_key(call)
    answer = yield
    ids = {entry["Id"]: entry["MessageId"] for entry in answer.get("Successful", ())}
    entries = call.parameters["PublishBatchRequestEntries"]
    published = [(ids[one["Id"]], one["Message"]) for one in entries if one["Id"] in ids]
    encrypt_deliveries(call, arn, published)


def _require_data_key(call: ServiceCall) -> str | None:
    """Require a data key for a message to a topic; return the ARN of the target, if it has one.

    Raises the errors of KMS.
    """
    arn: str | None = call.parameters.get("TopicArn", call.parameters.get("TargetArn"))
    key_id = None if arn is None else get_key(call, arn)
    if arn is not None and key_id is not None:
        require_data_key(call, arn, key_id)
    return arn


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
    data_operations=("Publish", "PublishBatch"),
)
