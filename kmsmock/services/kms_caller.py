"""How services call KMS: with the identity of their caller, or in their own name.

Source: AWS KMS Developer Guide, "kms:ViaService"; IAM User Guide, "Forward access sessions".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto
from typing import Any

from kmsmock.aws import errors
from kmsmock.aws.arns import ALIAS_PREFIX, Arn, alias_arn, key_arn, looks_like_arn
from kmsmock.aws.principals import Principal
from kmsmock.aws.services import find_calling_service
from kmsmock.dispatch import perform, record
from kmsmock.identities.credentials import UnsignedRequestError
from kmsmock.operations import OPERATIONS
from kmsmock.operations.faulty_calls import meeting_faults
from kmsmock.operations.metered_calls import find_throttling
from kmsmock.operations.registry import Call
from kmsmock.services.registry import ServiceCall
from kmsmock.state.backend import Backend
from kmsmock.state.faults import Hit


class _DryRun(Enum):
    """The stages of a call that a service checks with a dry run, before an irreversible step.

    CHECK: the dry run; a refusal is recorded as that of the call, a success is not recorded. CALL:
    the call itself, for which no fault fires a second time.
    """

    CHECK = auto()
    CALL = auto()


@dataclass(frozen=True, slots=True)
class KmsCaller:
    """The identity with which a service calls KMS, and the Region that it calls."""

    backend: Backend
    principal: Principal
    #: The name of the Region in which KMS is called.
    region: str
    #: ``sourceIPAddress`` and ``userAgent`` of the CloudTrail records, such as
    #: ``ec2-frontend-api.amazonaws.com``.
    source: str
    #: The access key of the caller whose identity is used; None for the service's own identity.
    access_key: str | None = None

    @classmethod
    def forwarded(
        cls, call: ServiceCall, service: str, region: str | None = None, source: str | None = None
    ) -> KmsCaller:
        """Return a caller with the identity of the service's caller (a forward access session).

        service: as in ``kms:ViaService``, such as ``ec2``. region: that of the call when None.
        source: see the class; the declared one of the service when None. Raises
        UnsignedRequestError for a caller without an identity.
        """
        if call.access_key is None:
            raise UnsignedRequestError
        principal = replace(call.principal, via=service)
        source = source or find_calling_service(service).sender
        return cls(call.backend, principal, region or call.region, source, call.access_key)

    @classmethod
    def as_service(
        cls,
        backend: Backend,
        name: str,
        region: str,
        source: str | None = None,
        *,
        source_arn: str | None = None,
        source_account: str = "",
    ) -> KmsCaller:
        """Return a caller with the service's own identity.

        name: the service principal, such as ``ec2.us-east-1.amazonaws.com``. source: see the class;
        the name when None. source_arn: of the resource on whose behalf it calls. source_account:
        that the resource is in, where the ARN does not have it.
        """
        principal = replace(
            backend.identities.get_or_create(name),
            source_arn=source_arn,
            source_account=source_account,
        )
        return cls(backend, principal, region, source or name)

    def name_key(self, key_id: str, resource_arn: str) -> str:
        """Return how the caller names a key that a resource names in its own account and Region.

        key_id: a key id, alias name or ARN. A caller in another account, or a service, which has
        none, needs the ARN.
        """
        resource = Arn.of(resource_arn)
        if looks_like_arn(key_id) or self.principal.account == resource.account:
            return key_id
        arn_of = alias_arn if key_id.startswith(ALIAS_PREFIX) else key_arn
        return arn_of(resource.region, resource.account, key_id)

    def call(self, operation: str, now: datetime | None = None, /, **parameters: Any) -> Any:
        """Call an operation, and return its answer.

        now: the time of the call, for scheduled work; the present when None. parameters: as the KMS
        API has them. Raises the `ServiceError` that KMS answers with.
        """
        return self._perform(operation, parameters, None, now)

    def dry_run(self, operation: str, **parameters: Any) -> None:
        """Check that a call will succeed; `call_after_dry_run` makes it, once all is known.

        operation: one that has the parameter DryRun. Raises the `ServiceError` that KMS would
        answer with.
        """
        self._perform(operation, parameters, _DryRun.CHECK)

    def call_after_dry_run(self, operation: str, **parameters: Any) -> Any:
        """Make the call that `dry_run` has checked, and return its answer."""
        return self._perform(operation, parameters, _DryRun.CALL)

    def _perform(
        self,
        operation: str,
        parameters: dict[str, Any],
        dry_run: _DryRun | None,
        now: datetime | None = None,
    ) -> Any:
        """Perform a call, which is authorized, checked and recorded as those of clients are."""
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
            if dry_run is _DryRun.CALL:
                return _carry_out(call, Hit())
            if backend.quotas.is_on:
                throttled = find_throttling(call)
                if throttled is not None:
                    return _carry_out(call, Hit(before=throttled))
            with meeting_faults(call, is_of_client=False) as hit:
                # A call that a fault hits after its effect must have one; it is the last one.
                if dry_run is _DryRun.CHECK and hit.after is None:
                    call.parameters = {**parameters, "DryRun": True}
                return _carry_out(call, hit)


def _carry_out(call: Call, hit: Hit) -> Any:
    """Carry out and record a call, and return its answer. hit: what faults do to it.

    A dry run that succeeds is not recorded, and one that fails is recorded as the call itself.
    """
    try:
        if isinstance(hit.before, errors.ServiceError):
            raise hit.before
        result = perform(call)
    except errors.DryRunOperationException:  # KMS's answer to a dry run that succeeds
        return {}
    except errors.ServiceError as error:
        call.parameters.pop("DryRun", None)
        record(call, error)
        raise
    record(call, result)
    delivered = call.backend.faults.deliver(hit, result)
    if isinstance(delivered, errors.ServiceError):
        raise delivered
    return delivered
