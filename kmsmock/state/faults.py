"""Fault injection: calls that fail as calls of AWS can fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kmsmock.aws import errors
from kmsmock.aws.services import AWS_SERVICES
from kmsmock.keys.custom_key_store import PROXY_FAILURES
from kmsmock.ledger.operation_names import require_operation
from kmsmock.misuse.public_object import PublicObject

#: Error code -> AWS's message, where it does not depend on the request. Those of external key
#: stores: AWS KMS Developer Guide, "Troubleshooting external key stores".
_TEXTS = {
    **{error.code: error.text for error in AWS_SERVICES["kms"].credential_errors},
    "ThrottlingException": "You have exceeded the rate at which you may call KMS. Reduce the "
    "frequency of your calls.",
    "XksKeyNotFoundException": "The external key store proxy rejected the request because it could "
    "not find the external key.",
    "XksProxyIncorrectAuthenticationCredentialException": PROXY_FAILURES["XKS_PROXY_ACCESS_DENIED"],
    "XksProxyInvalidResponseException": PROXY_FAILURES["XKS_PROXY_INVALID_RESPONSE"],
    "XksProxyUriUnreachableException": PROXY_FAILURES["XKS_PROXY_NOT_REACHABLE"],
}


@dataclass
class Fault(PublicObject):
    """One armed fault."""

    #: The name of the operation, or ``*``.
    operation: str
    error: errors.ServiceError
    #: How many calls fail.
    times: int
    #: The number of the first matching call that fails, from 1.
    on_call: int
    key: str | None
    optional: bool
    #: How many calls matched while any fault was armed.
    seen: int = 0
    #: How many of these calls failed.
    fired: int = 0

    def __str__(self) -> str:
        return f"{self.error.code} on {self.operation}, fired {self.fired} of {self.times} times"


class Faults(PublicObject, internal=("are_armed", "fire")):
    """The faults of one mock.

    While one is armed, calls go through botocore's own retries, as with ``wire=True``.
    """

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        #: Whether any fault has yet to fire. Every call checks it, so it is kept and not computed.
        self.are_armed = False

    def throttle(
        self,
        operation: str = "*",
        *,
        times: int = 1,
        on_call: int = 1,
        key: str | None = None,
        optional: bool = False,
    ) -> Fault:
        """Let calls fail with ThrottlingException; the arguments are those of `fail`."""
        return self.fail(
            operation,
            "ThrottlingException",
            times=times,
            on_call=on_call,
            key=key,
            optional=optional,
        )

    def fail(
        self,
        operation: str,
        code: str,
        *,
        times: int = 1,
        on_call: int = 1,
        key: str | None = None,
        optional: bool = False,
    ) -> Fault:
        """Let calls fail with an error code of KMS, with AWS's message where it is always the same.

        operation: its name, or ``*`` for all. times: how many calls fail. on_call: the first
        matching call that fails, counted from 1. key: only calls with exactly this KeyId. optional:
        whether the test may end before the fault has fired. Raises ValueError for an error code or
        an operation that KMS does not have.
        """
        kind = errors.error_class(code)
        if operation != "*":
            require_operation(operation)
        fault = Fault(operation, kind(_TEXTS.get(code)), times, on_call, key, optional)
        self._faults.append(fault)
        self._update()
        return fault

    def fire(self, operation: str, parameters: Mapping[str, Any]) -> None:
        """Raise the error that this call is to fail with, if any."""
        for fault in self._faults:
            if fault.operation in ("*", operation) and fault.key in (None, parameters.get("KeyId")):
                fault.seen += 1
                if fault.seen >= fault.on_call and fault.fired < fault.times:
                    fault.fired += 1
                    self._update()
                    raise fault.error

    def assert_all_fired(self) -> None:
        """Assert that each fault that is not optional fired as many times as it was to."""
        left = [str(f) for f in self._faults if f.fired < f.times and not f.optional]
        if left:
            raise AssertionError("faults that did not fire:\n  " + "\n  ".join(left))

    def clear(self) -> None:
        """Disarm all faults."""
        self._faults.clear()
        self._update()

    def _update(self) -> None:
        self.are_armed = any(fault.fired < fault.times for fault in self._faults)
