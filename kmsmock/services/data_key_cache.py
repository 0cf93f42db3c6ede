"""What a service has had from KMS a short while ago, and uses again instead of asking."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")


class DataKey(NamedTuple):
    """A data key that something is encrypted with.

    of: the ARN of what it belongs to, such as a queue. key_arn: of the key of KMS.
    """

    of: str
    key_arn: str
    ciphertext: bytes


@dataclass(slots=True)
class DataKeyCache:
    """Data keys and other answers of KMS, each for the requester that it was asked for."""

    _answers: dict[Hashable, tuple[Any, datetime]] = field(default_factory=dict)

    def get(
        self,
        requester: str,
        now: datetime,
        what: Hashable,
        lifetime: timedelta,
        ask_kms: Callable[[], T],
    ) -> T:
        """Give what a requester has had within the lifetime, or else ask for it.

        what: tells apart what is asked for. ask_kms: calls KMS; what it raises is not kept.
        """
        place = (requester, what)
        answer: T
        if place in self._answers:
            answer, since = self._answers[place]
            if now - since < lifetime:
                return answer
        answer = ask_kms()
        self._answers[place] = (answer, now)
        return answer
