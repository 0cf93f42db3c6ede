"""The KMS side of services whose storage something else answers: moto, a container, a test double.

What such a service does with KMS before it stores is done before the call goes out, and what it
does with what it has stored, when the answer comes back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kmsmock.api_call import Answer
from kmsmock.backend import Backend
from kmsmock.errors import ServiceError
from kmsmock.identities.credentials import CredentialsError
from kmsmock.overlays import (
    dynamodb,
    ec2,
    kinesis,
    lambda_,
    logs,
    rds,
    s3,
    secretsmanager,
    sns,
    sqs,
    ssm,
)
from kmsmock.overlays.registry import NotStored, Overlay, Steps, refused
from kmsmock.services.registry import ServiceCall

OVERLAYS: Mapping[str, Overlay] = {
    "dynamodb": dynamodb.OVERLAY,
    "ec2": ec2.OVERLAY,
    "kinesis": kinesis.OVERLAY,
    "lambda": lambda_.OVERLAY,
    "logs": logs.OVERLAY,
    "rds": rds.OVERLAY,
    "s3": s3.OVERLAY,
    "secretsmanager": secretsmanager.OVERLAY,
    "sns": sns.OVERLAY,
    "sqs": sqs.OVERLAY,
    "ssm": ssm.OVERLAY,
}


class Underway:
    """One call, on its way to whatever answers it."""

    def __init__(self, overlay: Overlay, call: ServiceCall, steps: Steps) -> None:
        self._overlay = overlay
        self._call = call
        self._steps = steps

    def __deepcopy__(self, _: Any) -> Underway:
        # botocore copies the context of requests for which it signs URLs.
        return self

    @property
    def hidden(self) -> Sequence[str]:
        """The members that are nothing for the one that stores."""
        return self._overlay.hidden

    def begin(self) -> Answer | None:
        """Do what comes before storing; gives the answer when nothing is to be stored."""
        return self._go_on(None)

    def finish(self, answer: dict[str, Any]) -> Answer | None:
        """Do what comes after; gives what the service answers with instead.

        answer: as the client gets it; it may be changed.
        """
        return self._go_on(answer)

    def abandon(self, code: str) -> dict[str, Any] | None:
        """Do what is left when nothing was stored; gives what is answered instead, if anything.

        code: of the error of the one that stores.
        """
        with self._call.backend.lock:
            try:
                self._steps.throw(NotStored(code))
            except NotStored:
                return None
            except StopIteration as end:
                answer: dict[str, Any] | None = end.value
                return answer
        return None

    def _go_on(self, answer: dict[str, Any] | None) -> Answer | None:
        backend = self._call.backend
        with backend.lock:
            try:
                if answer is None:
                    next(self._steps)
                else:
                    self._steps.send(answer)
            except StopIteration as end:
                if end.value is not None:
                    return Answer(self._call.request_id, end.value)
            except ServiceError as error:
                refusals = self._overlay.refusals
                return Answer(self._call.request_id, refused(error, self._call, refusals))
        return None


def begin(
    backend: Backend,
    service: str,
    operation: str,
    parameters: Mapping[str, Any],
    *,
    access_key: str | None,
    region: str,
) -> tuple[Underway | None, Answer | None]:
    """Do what a service does with KMS before it stores.

    parameters: as boto3 takes them. Gives what is to go on after storing, None for calls without
    KMS; and the service's answer, mostly an error, when nothing is to be stored.
    """
    overlay = OVERLAYS[service]
    handler = overlay.operations.get(operation)
    if handler is None:
        return None, None
    with backend.lock:
        try:
            principal, now = backend.admit(access_key, region)
        except CredentialsError:
            return None, None  # for the one that stores to refuse
        request_id = backend.new_uuid()
        call = ServiceCall(backend, principal, region, now, parameters, access_key, request_id)
        underway = Underway(overlay, call, handler(call))
        return underway, underway.begin()
