"""Kinesis Data Streams beside another store: records are encrypted with KMS keys."""

from __future__ import annotations

from kmsmock.services.beside import BesideStore, Steps
from kmsmock.services.kinesis.kms_use import (
    ERRORS,
    data_key_for_records,
    decrypt_for_consumer,
    require_usable_key,
)
from kmsmock.services.kinesis.state import Stream, get_stream, streams_of
from kmsmock.services.registry import ServiceCall


def _start_encryption(call: ServiceCall) -> Steps:
    arn, key_id = _arn(call), call.parameters["KeyId"]
    require_usable_key(call, arn, key_id)
    yield
    streams_of(call).streams.setdefault(arn, Stream(None)).key_id = key_id


def _stop_encryption(call: ServiceCall) -> Steps:
    yield
    stream = streams_of(call).streams.get(_arn(call))
    if stream is not None:
        stream.key_id = None


def _delete_stream(call: ServiceCall) -> Steps:
    yield
    streams_of(call).remove(_arn(call))


def _put_records(call: ServiceCall) -> Steps:
    arn = _arn(call)
    stream, data_key = get_stream(call, arn), None
    if stream is not None and stream.key_id is not None:
        data_key = data_key_for_records(call, arn, stream.key_id)
    answer = yield
    if stream is None or (data_key is None and stream.unrecorded_data_key is None):
        return
    if data_key is not None:
        answer["EncryptionType"] = "KMS"
    for record in answer.get("Records", (answer,)):
        if "SequenceNumber" in record:  # Records that failed have none.
            stream.data_keys[record["ShardId"], record["SequenceNumber"]] = data_key


def _get_shard_iterator(call: ServiceCall) -> Steps:
    answer = yield
    stream_and_shard = _arn(call), call.parameters["ShardId"]
    streams_of(call).iterators[answer["ShardIterator"]] = stream_and_shard


def _get_records(call: ServiceCall) -> Steps:
    answer = yield
    state = streams_of(call)
    stream_and_shard = state.iterators.get(call.parameters["ShardIterator"])
    if stream_and_shard is None:
        return
    arn, shard = stream_and_shard
    stream = get_stream(call, arn)
    if stream is not None:
        for record in answer["Records"]:
            name = (shard, record["SequenceNumber"])
            data_key = stream.data_keys.get(name, stream.unrecorded_data_key)
            if data_key is not None:
                decrypt_for_consumer(call, data_key)
                record["EncryptionType"] = "KMS"
    if "NextShardIterator" in answer:
        state.iterators[answer["NextShardIterator"]] = stream_and_shard


def _arn(call: ServiceCall) -> str:
    arn: str | None = call.parameters.get("StreamARN")
    if arn is not None:
        return arn
    name = call.parameters["StreamName"]
    return call.arn("kinesis", f"stream/{name}")


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
    data_operations=("PutRecord", "PutRecords"),
)
