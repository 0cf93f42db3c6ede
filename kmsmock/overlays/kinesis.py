"""Records of Amazon Kinesis Data Streams under keys of KMS.

Source: Amazon Kinesis Data Streams Developer Guide, "What is server-side encryption for Kinesis
Data Streams?".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from kmsmock.errors import DisabledException, InvalidKeyUsageException, KMSInvalidStateException
from kmsmock.services.beside import BesideStore, Steps
from kmsmock.services.data_key_cache import DataKey, DataKeyCache, requester_of
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.kms_errors import ErrorTemplate
from kmsmock.services.registry import ServiceCall

#: How long a producer or consumer works with a data key before KMS is called again.
_TIME = timedelta(minutes=5)


@dataclass(slots=True)
class Stream:
    """A stream that is, or was, under a key. key_id: as it was given; None when it is no more.

    data_keys: (shard, sequence number) of a record -> what it is encrypted with.
    """

    key_id: str | None
    data_keys: dict[tuple[str, str], DataKey] = field(default_factory=dict)


@dataclass(slots=True)
class Streams:
    """Streams that are, or were, under a key, by ARN.

    iterators: shard iterator -> the ARN of its stream, and its shard.
    """

    streams: dict[str, Stream] = field(default_factory=dict)
    iterators: dict[str, tuple[str, str]] = field(default_factory=dict)
    cache: DataKeyCache = field(default_factory=DataKeyCache)


def _start(call: ServiceCall) -> Steps:
    arn, key_id = _arn(call), call.parameters["KeyId"]
    _require_usable(_kms(call).call("DescribeKey", KeyId=key_id)["KeyMetadata"])
    yield
    _streams(call).streams.setdefault(arn, Stream(None)).key_id = key_id


def _stop(call: ServiceCall) -> Steps:
    yield
    stream = _streams(call).streams.get(_arn(call))
    if stream is not None:
        stream.key_id = None


def _delete(call: ServiceCall) -> Steps:
    yield
    held, arn = _streams(call), _arn(call)
    held.streams.pop(arn, None)
    held.cache.forget(arn)


def _put(call: ServiceCall) -> Steps:
    held, arn = _streams(call), _arn(call)
    stream = held.streams.get(arn)
    if stream is None or stream.key_id is None:
        yield
        return
    key_id = stream.key_id

    def make() -> DataKey:
        made = _kms(call).call(
            "GenerateDataKey", KeyId=key_id, KeySpec="AES_256", EncryptionContext=_context(arn)
        )
        return DataKey(arn, made["KeyId"], made["CiphertextBlob"])

    requester = requester_of(call.identities, call.principal)
    data_key = held.cache.get(requester, arn, key_id, call.now, _TIME, make)
    answer = yield
    answer["EncryptionType"] = "KMS"
    for record in answer.get("Records", (answer,)):
        if "SequenceNumber" in record:  # which the records that failed have not
            stream.data_keys[record["ShardId"], record["SequenceNumber"]] = data_key


def _iterate(call: ServiceCall) -> Steps:
    answer = yield
    place = _arn(call), call.parameters["ShardId"]
    _streams(call).iterators[answer["ShardIterator"]] = place


def _get(call: ServiceCall) -> Steps:
    answer = yield
    held = _streams(call)
    place = held.iterators.get(call.parameters["ShardIterator"])
    if place is None:
        return
    arn, shard = place
    stream = held.streams.get(arn)
    if stream is not None:
        for record in answer["Records"]:
            data_key = stream.data_keys.get((shard, record["SequenceNumber"]))
            if data_key is not None:
                _open(call, data_key)
                record["EncryptionType"] = "KMS"
    if "NextShardIterator" in answer:
        held.iterators[answer["NextShardIterator"]] = place


def _open(call: ServiceCall, data_key: DataKey) -> None:
    """Open the data key of a record; a consumer calls KMS once in five minutes."""

    def decrypt() -> None:
        _kms(call).call(
            "Decrypt",
            CiphertextBlob=data_key.ciphertext,
            EncryptionContext=_context(data_key.of),
        )

    requester = requester_of(call.identities, call.principal)
    what = ("read", data_key.key_arn)
    _streams(call).cache.get(requester, data_key.of, what, call.now, _TIME, decrypt)


def _require_usable(key: Mapping[str, Any]) -> None:
    """Require an enabled key for encryption. key: as DescribeKey tells of it."""
    arn, state = key["Arn"], key["KeyState"]
    if key["KeySpec"] != "SYMMETRIC_DEFAULT":
        raise InvalidKeyUsageException(
            f"{arn} is not a symmetric encryption key.",
            explanation=f"Its key spec is {key['KeySpec']}; Kinesis takes SYMMETRIC_DEFAULT.",
        )
    if state != "Enabled":
        kind = DisabledException if state == "Disabled" else KMSInvalidStateException
        raise kind(f"{arn} is {re.sub('(?<=[a-z])(?=[A-Z])', ' ', state).lower()}.")


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
    return KmsCaller.forwarded(call, "kinesis")


BESIDE = BesideStore(
    {
        "StartStreamEncryption": _start,
        "StopStreamEncryption": _stop,
        "DeleteStream": _delete,
        "PutRecord": _put,
        "PutRecords": _put,
        "GetShardIterator": _iterate,
        "GetRecords": _get,
    },
    {
        "AccessDeniedException": ErrorTemplate("KMSAccessDeniedException"),
        "DisabledException": ErrorTemplate("KMSDisabledException"),
        "NotFoundException": ErrorTemplate("KMSNotFoundException"),
        "OptInRequired": ErrorTemplate("KMSOptInRequired"),
        "ThrottlingException": ErrorTemplate("KMSThrottlingException"),
        "*": ErrorTemplate("KMSInvalidStateException"),
    },
)
