"""Caches of data keys: a service reuses an answer of KMS for a while, instead of calling again."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from kmsmock.aws.principals import Principal
from kmsmock.identities.directory import Identities

T = TypeVar("T")


class DataKey(NamedTuple):
    """An encrypted data key."""

    #: The ARN of the resource that the data key encrypts, such as a queue.
    resource_arn: str
    #: The ARN of the KMS key.
    key_arn: str
    ciphertext: bytes


class Requester(NamedTuple):
    """The identity whose permissions a call to KMS has used, and that alone may reuse its answer.

    Source: Amazon S3 User Guide, "Reducing the cost of SSE-KMS with Amazon S3 Bucket Keys": other
    roles and accounts, and the same role with other scoping policies, are other requesters. Names
    of sessions and of federated users are not.
    """

    #: The ARN of the user or role, also for their sessions, or of a principal that is neither.
    arn: str
    #: The unique id of the user or role; one that was deleted and created again is another
    #: requester.
    unique_id: str
    #: The session policies as JSON texts; None for a principal without any.
    session_policies: tuple[str, ...] | None


def requester_of(identities: Identities, principal: Principal) -> Requester:
    """Return the requester that a principal is for the cache."""
    policies = identities.session_of(principal).policies
    return Requester(
        principal.entity_arn or principal.arn,
        principal.entity_id,
        None if policies is None else tuple(policy.text for policy in policies),
    )


@dataclass(slots=True)
class DataKeyCache:
    """Data keys and other answers of KMS, each for the requester that it was asked for.

    An answer depends on the requester, on the resource and on what was requested for it. It ends
    with its lifetime on the clock of the mock, or when the resource is deleted. As on AWS, nothing
    else ends it: until then KMS is not called, so that changes of key policies, grants, aliases and
    the key state have no effect on the service.
    """

    _answers: dict[str, dict[Hashable, tuple[Any, datetime]]] = field(default_factory=dict)

    def get(
        self,
        requester: Hashable,
        resource_arn: str,
        purpose: Hashable,
        now: datetime,
        lifetime: timedelta,
        call_kms: Callable[[], T],
    ) -> T:
        """Return the answer that a requester has had within the lifetime, or else call KMS.

        resource_arn: of what the answer belongs to, such as a queue. purpose: distinguishes the
        answers for one resource, such as by the id of the key. call_kms: returns the answer of KMS;
        what it raises is not cached.
        """
        answers = self._answers.setdefault(resource_arn, {})
        cache_key = (requester, purpose)
        answer: T
        if cache_key in answers:
            answer, since = answers[cache_key]
            if now - since < lifetime:
                return answer
        answer = call_kms()
        answers[cache_key] = (answer, now)
        return answer

    def forget(self, resource_arn: str) -> None:
        """Remove the answers for a resource that is deleted."""
        self._answers.pop(resource_arn, None)
