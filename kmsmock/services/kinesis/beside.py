"""Beside what stores streams: their records are encrypted under keys of KMS."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from kmsmock.services.beside import BesideStore, Steps
from kmsmock.services.data_key_cache import DataKey, DataKeyCache, requester_of
from kmsmock.services.kinesis.kms_use import (
    ERRORS,
    decrypt_data_key,
    generate_data_key,
    require_usable_key,
)
from kmsmock.services.registry import ServiceCall

#: How long a producer or consumer works with a data key before KMS is called again.
_DATA_KEY_LIFETIME = timedelta(minutes=5)


@dataclass(slots=True)
class Stream:
    """A stream that is, or was, encrypted. key_id: as it was given; None when it is no more.

    data_keys: (shard, sequence number) of a record -> what it is encrypted with.
    """

    key_id: str | None
    data_keys: dict[tuple[str, str], DataKey] = field(default_factory=dict)


@dataclass(slots=True)
class Streams:
    """Streams that are, or were, encrypted, by ARN.

    iterators: shard iterator -> the ARN of its stream, and its shard.
    """

    streams: dict[str, Stream] = field(default_factory=dict)
    iterators: dict[str, tuple[str, str]] = field(default_factory=dict)
    cache: DataKeyCache = field(default_factory=DataKeyCache)


def _start_encryption(call: ServiceCall) -> Steps:
    arn, key_id = _arn(call), call.parameters["KeyId"]
    require_usable_key(call, key_id)
    yield
    _streams(call).streams.setdefault(arn, Stream(None)).key_id = key_id


def _stop_encryption(call: ServiceCall) -> Steps:
    yield
    stream = _streams(call).streams.get(_arn(call))
    if stream is not None:
        stream.key_id = None


def _delete_stream(call: ServiceCall) -> Steps:
    yield
    state, arn = _streams(call), _arn(call)
    state.streams.pop(arn, None)
    state.cache.forget(arn)


def _put_records(call: ServiceCall) -> Steps:
    state, arn = _streams(call), _arn(call)
    stream = state.streams.get(arn)
    if stream is None or stream.key_id is None:
        yield
        return
    key_id = stream.key_id
    data_key = state.cache.get(
        requester_of(call.identities, call.principal),
        arn,
        key_id,
        call.now,
        _DATA_KEY_LIFETIME,
        partial(generate_data_key, call, arn, key_id),
    )
    answer = yield
    answer["EncryptionType"] = "KMS"
    for record in answer.get("Records", (answer,)):
        if "SequenceNumber" in record:  # which the records that failed have not
            stream.data_keys[record["ShardId"], record["SequenceNumber"]] = data_key


def _get_shard_iterator(call: ServiceCall) -> Steps:
    answer = yield
    shard = _arn(call), call.parameters["ShardId"]
    _streams(call).iterators[answer["ShardIterator"]] = shard


def _get_records(call: ServiceCall) -> Steps:
    answer = yield
    state = _streams(call)
    of_iterator = state.iterators.get(call.parameters["ShardIterator"])
    if of_iterator is None:
        return
    arn, shard = of_iterator
    stream = state.streams.get(arn)
    if stream is not None:
        for record in answer["Records"]:
            data_key = stream.data_keys.get((shard, record["SequenceNumber"]))
            if data_key is not None:
                _decrypt_for_consumer(call, data_key)
                record["EncryptionType"] = "KMS"
    if "NextShardIterator" in answer:
        state.iterators[answer["NextShardIterator"]] = of_iterator


def _decrypt_for_consumer(call: ServiceCall, data_key: DataKey) -> None:
    """Decrypt the data key of a record; a consumer calls KMS once in five minutes."""
    _streams(call).cache.get(
        requester_of(call.identities, call.principal),
        data_key.resource_arn,
        ("read", data_key.key_arn),
        call.now,
        _DATA_KEY_LIFETIME,
        partial(decrypt_data_key, call, data_key),
    )


def _arn(call: ServiceCall) -> str:
    arn: str | None = call.parameters.get("StreamARN")
    if arn is not None:
        return arn
    name = call.parameters["StreamName"]
    return call.arn("kinesis", f"stream/{name}")


def _streams(call: ServiceCall) -> Streams:
    return call.backend.service_state(Streams)


BESIDE = BesideStore(
    {
        "StartStreamEncryption": _start_encryption,
        "StopStreamEncryption": _stop_encryption,
        "DeleteStream": _delete_stream,
        "PutRecord": _put_records,
        "PutRecords": _put_records,
        "GetShardIterator": _get_shard_iterator,
        "GetRecords": _get_records,
    },
    ERRORS,
)
