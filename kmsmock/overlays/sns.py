"""Messages of Amazon SNS in topics that are encrypted with a key of KMS.

Source: Amazon SNS Developer Guide, "Managing Amazon SNS encryption keys and costs".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from kmsmock.overlays.at_hand import AtHand
from kmsmock.overlays.registry import Overlay, Refusal, Steps
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.registry import ServiceCall

_KEY = "KmsMasterKeyId"
#: How long SNS uses a data key again.
_REUSE = timedelta(minutes=5)


@dataclass(slots=True)
class Topics:
    """The keys of topics, as they were given, by ARN."""

    keys: dict[str, str] = field(default_factory=dict)
    at_hand: AtHand = field(default_factory=AtHand)


def _create(call: ServiceCall) -> Steps:
    answer = yield
    _set(call, answer["TopicArn"], call.parameters.get("Attributes", {}).get(_KEY))


def _set_attributes(call: ServiceCall) -> Steps:
    yield
    if call.parameters["AttributeName"] == _KEY:
        _set(call, call.parameters["TopicArn"], call.parameters.get("AttributeValue"))


def _delete(call: ServiceCall) -> Steps:
    yield
    _topics(call).keys.pop(call.parameters["TopicArn"], None)


def _publish(call: ServiceCall) -> Steps:
    arn = call.parameters.get("TopicArn", call.parameters.get("TargetArn"))
    key_id = _topics(call).keys.get(arn or "")
    if arn is not None and key_id is not None:
        _require_data_key(call, arn, key_id)
    yield


def _require_data_key(call: ServiceCall, arn: str, key_id: str) -> None:
    """Have a data key for a message: made, and opened once to see that it is whole."""
    kms = KmsCaller.forwarded(call, "sns", "sns.amazonaws.com", arn.split(":")[3])
    context = {"aws:sns:topicArn": arn}

    def make() -> None:
        made = kms.call(
            "GenerateDataKey", KeyId=key_id, KeySpec="AES_256", EncryptionContext=context
        )
        kms.call("Decrypt", CiphertextBlob=made["CiphertextBlob"], EncryptionContext=context)

    _topics(call).at_hand.take(call.principal.own_arn, call.now, (arn, key_id), _REUSE, make)


def _set(call: ServiceCall, arn: str, key_id: str | None) -> None:
    keys = _topics(call).keys
    if key_id:
        keys[arn] = key_id
    else:
        keys.pop(arn, None)


def _topics(call: ServiceCall) -> Topics:
    return call.backend.service_state(Topics)


OVERLAY = Overlay(
    {
        "CreateTopic": _create,
        "SetTopicAttributes": _set_attributes,
        "DeleteTopic": _delete,
        "Publish": _publish,
        "PublishBatch": _publish,
    },
    {
        "AccessDeniedException": Refusal("KMSAccessDenied"),
        "DisabledException": Refusal("KMSDisabled"),
        "NotFoundException": Refusal("KMSNotFound"),
        "ThrottlingException": Refusal("KMSThrottling"),
        "*": Refusal("KMSInvalidState"),
    },
)
