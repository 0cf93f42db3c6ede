"""Records of Amazon Kinesis Data Streams under keys of KMS.

Source: Amazon Kinesis Data Streams Developer Guide, "What is server-side encryption for Kinesis
Data Streams?".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from kmsmock.overlays.at_hand import AtHand
from kmsmock.overlays.registry import Overlay, Refusal, Steps
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.registry import ServiceCall

#: How long a producer or consumer works with a data key before KMS is called again.
_TIME = timedelta(minutes=5)


@dataclass(slots=True)
class Stream:
    """A stream under a key. data_key: the ciphertext of the one that records are under now."""

    key_id: str
    data_key: bytes | None = None


@dataclass(slots=True)
class Streams:
    """Streams under a key, by ARN. iterators: shard iterator -> the ARN of its stream."""

    streams: dict[str, Stream] = field(default_factory=dict)
    iterators: dict[str, str] = field(default_factory=dict)
    at_hand: AtHand = field(default_factory=AtHand)


def _start(call: ServiceCall) -> Steps:
    arn, key_id = _arn(call), call.parameters["KeyId"]
    _kms(call).call("DescribeKey", KeyId=key_id)
    yield
    _streams(call).streams[arn] = Stream(key_id)


def _stop(call: ServiceCall) -> Steps:
    yield
    _streams(call).streams.pop(_arn(call), None)


def _put(call: ServiceCall) -> Steps:
    held, arn = _streams(call), _arn(call)
    stream = held.streams.get(arn)
    if stream is not None:
        key_id = stream.key_id

        def make() -> bytes:
            made = _kms(call).call(
                "GenerateDataKey", KeyId=key_id, KeySpec="AES_256", EncryptionContext=_context(arn)
            )
            ciphertext: bytes = made["CiphertextBlob"]
            return ciphertext

        what = (arn, key_id)
        requester = call.principal.own_arn
        stream.data_key = held.at_hand.take(requester, call.now, what, _TIME, make)
    yield


def _iterate(call: ServiceCall) -> Steps:
    answer = yield
    _streams(call).iterators[answer["ShardIterator"]] = _arn(call)


def _get(call: ServiceCall) -> Steps:
    answer = yield
    held = _streams(call)
    arn = held.iterators.pop(call.parameters["ShardIterator"], None)
    if arn is None:
        return
    if "NextShardIterator" in answer:
        held.iterators[answer["NextShardIterator"]] = arn
    stream = held.streams.get(arn)
    data_key = None if stream is None else stream.data_key
    if data_key is None or not answer["Records"]:
        return

    def open_() -> None:
        _kms(call).call("Decrypt", CiphertextBlob=data_key, EncryptionContext=_context(arn))

    held.at_hand.take(call.principal.own_arn, call.now, data_key, _TIME, open_)


def _arn(call: ServiceCall) -> str:
    named: str | None = call.parameters.get("StreamARN")
    if named is not None:
        return named
    name = call.parameters["StreamName"]
    return f"arn:{call.partition}:kinesis:{call.region}:{call.account}:stream/{name}"


def _context(arn: str) -> dict[str, str]:
    return {"aws:kinesis:arn": arn}


def _streams(call: ServiceCall) -> Streams:
    return call.backend.service_state(Streams)


def _kms(call: ServiceCall) -> KmsCaller:
    return KmsCaller.forwarded(call, "kinesis", "kinesis.amazonaws.com")


OVERLAY = Overlay(
    {
        "StartStreamEncryption": _start,
        "StopStreamEncryption": _stop,
        "DeleteStream": _stop,
        "PutRecord": _put,
        "PutRecords": _put,
        "GetShardIterator": _iterate,
        "GetRecords": _get,
    },
    {
        "AccessDeniedException": Refusal("KMSAccessDeniedException"),
        "DisabledException": Refusal("KMSDisabledException"),
        "NotFoundException": Refusal("KMSNotFoundException"),
        "ThrottlingException": Refusal("KMSThrottlingException"),
        "*": Refusal("KMSInvalidStateException"),
    },
)
