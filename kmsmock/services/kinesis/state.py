"""How Kinesis streams are encrypted, which the store that answers Kinesis does not know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kmsmock.aws.arns import Arn
from kmsmock.services.data_key_cache import DataKey, DataKeyCache
from kmsmock.services.registry import ServiceCall
from kmsmock.services.store_reader import StoredElsewhere, StoreReader, owner_of
from kmsmock.services.unrecorded_data_keys import encrypt_data_key, find_key


@dataclass(slots=True)
class Stream:
    """A stream."""

    #: The KeyId of StartStreamEncryption; None if encryption is stopped.
    key_id: str | None
    #: (shard id, sequence number) of a record -> the data key that it is encrypted with; None for
    #: one that is not encrypted.
    data_keys: dict[tuple[str, str], DataKey | None] = field(default_factory=dict)
    #: The data key of records that were put without a record; None if there are none.
    unrecorded_data_key: DataKey | None = None
    #: When the store says that it was created.
    created: Any = None


@dataclass(slots=True)
class Streams(StoredElsewhere):
    """The streams that were used, and the shard iterators."""

    #: ARN of a stream -> its encryption.
    streams: dict[str, Stream] = field(default_factory=dict)
    #: Shard iterator -> the ARN of its stream, and the shard id.
    iterators: dict[str, tuple[str, str]] = field(default_factory=dict)
    cache: DataKeyCache = field(default_factory=DataKeyCache)

    def remove(self, arn: str) -> None:
        """Remove a stream that is gone, with its records."""
        self.streams.pop(arn, None)
        self.iterators = {each: of for each, of in self.iterators.items() if of[0] != arn}
        self.cache.forget(arn)


def streams_of(call: ServiceCall) -> Streams:
    """Return the state of Kinesis Data Streams in a mock."""
    return call.backend.service_state(Streams)


def get_stream(call: ServiceCall, arn: str) -> Stream | None:
    """Return a stream, as its store has it now; None if nothing is known about it."""
    _STREAMS.refresh(call, arn)
    return streams_of(call).streams.get(arn)


def context_of(arn: str) -> dict[str, str]:
    """Return the encryption context of the data keys of a stream."""
    return {"aws:kinesis:arn": arn}


def _keep(call: ServiceCall, arn: str, answer: Mapping[str, Any]) -> None:
    state, said = streams_of(call), answer.get("StreamDescriptionSummary", {})
    created = said.get("StreamCreationTimestamp")
    key_id = said.get("KeyId") if said.get("EncryptionType") == "KMS" else None
    stream = state.streams.get(arn)
    if stream is not None and stream.created not in (None, created):
        state.remove(arn)  # and made anew under the same name
        stream = None
    if stream is None:
        stream = state.streams[arn] = Stream(key_id)
        if key_id is not None:
            stream.unrecorded_data_key = _make_data_key(call, arn, key_id)
    stream.key_id, stream.created = key_id, created


def _make_data_key(call: ServiceCall, arn: str, key_id: str) -> DataKey | None:
    stream = Arn.of(arn)
    key = find_key(call.backend, key_id, owner_of(call, arn), stream.region)
    if key is None:
        return None
    return DataKey(arn, key.arn, encrypt_data_key(call.backend, key, context_of(arn)))


def _forget(call: ServiceCall, arn: str) -> None:
    streams_of(call).remove(arn)


_STREAMS = StoreReader(
    "kinesis",
    "DescribeStreamSummary",
    lambda arn: {"StreamName": Arn.of(arn).resource_id},
    ("ResourceNotFoundException",),
    _keep,
    _forget,
)
