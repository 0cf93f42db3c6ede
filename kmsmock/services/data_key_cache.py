"""What a service has had from KMS a short while ago, and uses again instead of asking."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from kmsmock.aws.principals import Principal
from kmsmock.identities.directory import Identities

T = TypeVar("T")


class DataKey(NamedTuple):
    """A data key that something is encrypted with.

    of: the ARN of what it belongs to, such as a queue. key_arn: of the key of KMS.
    """

    of: str
    key_arn: str
    ciphertext: bytes


class Requester(NamedTuple):
    """For whom an answer of KMS is used again: it was asked with the permissions of this one.

    arn: of the user or role, or of what else there is no role behind. unique_id: of the user or
    role; one that was made anew is another requester. session_policies: as JSON texts.
    Source: Amazon S3 User Guide, "Reducing the cost of SSE-KMS with Amazon S3 Bucket Keys": other
    roles and accounts, and the same role with other scoping policies, are other requesters.
    """

    arn: str
    unique_id: str
    session_policies: tuple[str, ...] | None


def requester_of(identities: Identities, principal: Principal) -> Requester:
    """Tell for whom an answer is used again that a principal has had."""
    policies = identities.session_of(principal).policies
    return Requester(
        principal.own_arn,
        principal.entity_id,
        None if policies is None else tuple(policy.text for policy in policies),
    )


@dataclass(slots=True)
class DataKeyCache:
    """Data keys and other answers of KMS, each for the requester that it was asked for.

    An answer depends on the requester, on what it belongs to, and on what was asked for it, and
    ends with its lifetime on the clock of the mock, or with what it belongs to. As on AWS, nothing
    else ends it: meanwhile KMS is not asked, and so key policies, grants, aliases and the state of
    the key make no difference to the service.
    """

    _answers: dict[str, dict[Hashable, tuple[Any, datetime]]] = field(default_factory=dict)

    def get(
        self,
        requester: Hashable,
        of: str,
        what: Hashable,
        now: datetime,
        lifetime: timedelta,
        ask_kms: Callable[[], T],
    ) -> T:
        """Give what a requester has had within the lifetime, or else ask for it.

        of: what the answer belongs to, such as the ARN of a queue. what: tells apart what is asked
        for it. ask_kms: calls KMS; what it raises is not kept.
        """
        answers = self._answers.setdefault(of, {})
        place = (requester, what)
        answer: T
        if place in answers:
            answer, since = answers[place]
            if now - since < lifetime:
                return answer
        answer = ask_kms()
        answers[place] = (answer, now)
        return answer

    def forget(self, of: str) -> None:
        """Forget the answers for what is deleted."""
        self._answers.pop(of, None)
