"""How services call KMS: with the identity of their caller, or in their own name.

Source: AWS KMS Developer Guide, "kms:ViaService"; IAM User Guide, "Forward access sessions".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto
from typing import Any

from kmsmock.aws import errors
from kmsmock.aws.principals import Principal
from kmsmock.aws.services import calling_service
from kmsmock.dispatch import perform, record
from kmsmock.operations import OPERATIONS
from kmsmock.operations.registry import Call
from kmsmock.services.registry import ServiceCall
from kmsmock.state.backend import Backend


class _Rehearsal(Enum):
    """A service's look at whether a call will succeed, before it does what cannot be undone.

    NOW: a refusal is recorded as that of the call, a success is not. DONE: the call itself, for
    which no fault fires anew.
    """

    NOW = auto()
    DONE = auto()


@dataclass(frozen=True, slots=True)
class KmsCaller:
    """Who calls KMS, and where.

    region: its name. source: what CloudTrail shows as address and agent of the service, such as
    ``ec2-frontend-api.amazonaws.com``. access_key: of the caller whose identity is used.
    """

    backend: Backend
    principal: Principal
    region: str
    source: str
    access_key: str | None = None

    @classmethod
    def forwarded(
        cls, call: ServiceCall, service: str, region: str | None = None, source: str | None = None
    ) -> KmsCaller:
        """Call with the identity of a service's caller (a forward access session).

        service: as ``kms:ViaService`` has it, such as ``ec2``. region: that of the call when None.
        source: what CloudTrail shows; that which is declared for the service when None.
        """
        principal = replace(call.principal, via=service)
        source = source or calling_service(service).sender
        return cls(call.backend, principal, region or call.region, source, call.access_key)

    @classmethod
    def own(
        cls,
        backend: Backend,
        name: str,
        region: str,
        source: str | None = None,
        *,
        source_arn: str | None = None,
        source_account: str = "",
    ) -> KmsCaller:
        """Call in a service's own name. name: such as ``ec2.us-east-1.amazonaws.com``.

        source_arn: of the resource that it calls for. source_account: which that is in, where the
        ARN does not tell.
        """
        principal = replace(
            backend.identities.at(name), source_arn=source_arn, source_account=source_account
        )
        return cls(backend, principal, region, source or name)

    def call(self, operation: str, now: datetime | None = None, /, **parameters: Any) -> Any:
        """Call an operation; gives its answer.

        now: when, for what falls due later; the present when left out. parameters: as the API has
        them. Raises the `ServiceError` that KMS answers with.
        """
        return self._perform(operation, parameters, None, now)

    def rehearse(self, operation: str, **parameters: Any) -> None:
        """See that a call will succeed, for which `call_rehearsed` follows once all is known.

        operation: one that has dry runs. Raises the `ServiceError` that KMS would answer with.
        """
        self._perform(operation, parameters, _Rehearsal.NOW)

    def call_rehearsed(self, operation: str, **parameters: Any) -> Any:
        """Make the call that was rehearsed; gives its answer."""
        return self._perform(operation, parameters, _Rehearsal.DONE)

    def _perform(
        self,
        operation: str,
        parameters: dict[str, Any],
        rehearsal: _Rehearsal | None,
        now: datetime | None = None,
    ) -> Any:
        """Carry out a call, decided, checked and recorded as those of clients are."""
        backend, principal = self.backend, self.principal
        with backend.lock:
            call = Call(
                OPERATIONS[operation],
                principal,
                backend.region(principal.account, self.region),
                backend,
                backend.new_uuid(),
                now or backend.clock.now(),
                self.access_key,
                self.source,
            )
            call.parameters = parameters
            try:
                if rehearsal is not _Rehearsal.DONE:
                    backend.faults.fire(operation, parameters)
                if rehearsal is _Rehearsal.NOW:
                    call.parameters = {**parameters, "DryRun": True}
                result = perform(call)
            except errors.DryRunOperationException:  # which is how a rehearsal goes well
                return {}
            except errors.ServiceError as error:
                call.parameters = parameters
                record(call, error)
                raise
            record(call, result)
            return result
