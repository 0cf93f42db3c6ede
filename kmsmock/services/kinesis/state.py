"""How Kinesis streams are encrypted, which the store that answers Kinesis does not know."""

from __future__ import annotations

from dataclasses import dataclass, field

from kmsmock.services.data_key_cache import DataKey, DataKeyCache
from kmsmock.services.registry import ServiceCall
from kmsmock.services.store_reader import StoredElsewhere


@dataclass(slots=True)
class Stream:
    """A stream that is encrypted, or was."""

    #: The KeyId of StartStreamEncryption; None if encryption is stopped.
    key_id: str | None
    #: (shard id, sequence number) of a record -> the data key that it is encrypted with.
    data_keys: dict[tuple[str, str], DataKey] = field(default_factory=dict)


@dataclass(slots=True)
class Streams(StoredElsewhere):
    """The streams that are encrypted, or were, and the shard iterators."""

    #: ARN of a stream -> its encryption.
    streams: dict[str, Stream] = field(default_factory=dict)
    #: Shard iterator -> the ARN of its stream, and the shard id.
    iterators: dict[str, tuple[str, str]] = field(default_factory=dict)
    cache: DataKeyCache = field(default_factory=DataKeyCache)


def streams_of(call: ServiceCall) -> Streams:
    """Return the state of Kinesis Data Streams in a mock."""
    return call.backend.service_state(Streams)
