"""The keys and subscriptions of SNS topics, which the store that answers SNS does not use."""

from __future__ import annotations

from dataclasses import dataclass, field

from kmsmock.services.data_key_cache import DataKeyCache
from kmsmock.services.registry import ServiceCall
from kmsmock.services.store_reader import StoredElsewhere


@dataclass(slots=True)
class Topics(StoredElsewhere):
    """The encrypted topics, and the subscriptions of queues."""

    #: The ARN of a topic -> its key, as in the request.
    keys: dict[str, str] = field(default_factory=dict)
    #: The ARN of a subscription -> the ARNs of its topic and its queue.
    queues: dict[str, tuple[str, str]] = field(default_factory=dict)
    cache: DataKeyCache = field(default_factory=DataKeyCache)


def topics_of(call: ServiceCall) -> Topics:
    """Return the state of SNS in a mock."""
    return call.backend.service_state(Topics)
