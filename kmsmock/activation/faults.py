"""`kms.faults`: tests arm faults, which make calls fail as calls of AWS can fail."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypedDict

from kmsmock.aws.disruptions import ARMED, CorruptResponse, Loss, LostConnection
from kmsmock.aws.errors import ThrottlingException, error_class
from kmsmock.aws.installed_model import find_operations_with_error, get_error_codes
from kmsmock.aws.quotas import CUSTOM_KEY_STORE, Rate, require_quota
from kmsmock.aws.services import AWS_SERVICES
from kmsmock.crypto.seeded import SeededEntropy
from kmsmock.keys.custom_key_store import PROXY_FAILURES
from kmsmock.ledger.call_filter import CallFilter
from kmsmock.misuse.public_object import PublicObject
from kmsmock.misuse.suggestions import suggest
from kmsmock.misuse.values import describe, require_type
from kmsmock.process.active_mock import ActiveMock
from kmsmock.process.contexts import get_context
from kmsmock.state.fault import Effect, Fault, QuotaFault
from kmsmock.state.faults import ArmedFaults

if TYPE_CHECKING:
    # Known to type checkers without being installed.
    from typing_extensions import Unpack

_THROTTLED = ThrottlingException.__name__
#: Error code -> AWS's message, where it does not depend on the request. Those of external key
#: stores: AWS KMS Developer Guide, "Troubleshooting external key stores".
_TEXTS = {
    **{error.code: error.text for error in AWS_SERVICES["kms"].credential_errors},
    _THROTTLED: ThrottlingException.TEXT,
    "XksKeyNotFoundException": "The external key store proxy rejected the request because it could "
    "not find the external key.",
    "XksProxyIncorrectAuthenticationCredentialException": PROXY_FAILURES["XKS_PROXY_ACCESS_DENIED"],
    "XksProxyInvalidResponseException": PROXY_FAILURES["XKS_PROXY_INVALID_RESPONSE"],
    "XksProxyUriUnreachableException": PROXY_FAILURES["XKS_PROXY_NOT_REACHABLE"],
}
_LOST = {
    "read": Loss.READ_TIMEOUT,
    "connect": Loss.CONNECT_TIMEOUT,
}


class FaultTerms(TypedDict, total=False):
    """Which calls a fault hits; all that match, if it says nothing else."""

    #: How many calls it hits; None for all. By default 1; all if it has a probability, and for
    #: delays.
    times: int | None
    #: The number of the first matching call that it hits, counted from 1.
    on_call: int
    #: The probability with which it hits a call, above 0 and up to 1. With the option ``seed``, it
    #: always hits the same calls.
    probability: float
    #: Only calls about this key, as for ``kms.calls.assert_called``: any identifier of the key, or
    #: an object or response that has it. A ciphertext names its key, too.
    key: Any
    #: Only calls of this principal, or of the sessions of this role; its ARN, or the principal.
    caller: Any
    #: Only calls of the principals of this account; its id, or the account.
    account: Any
    #: Only calls in this Region.
    region: str
    #: Only calls with exactly this encryption context.
    encryption_context: Mapping[str, str] | None
    #: Only calls that this service makes for a principal, such as ``s3``.
    via_service: str
    #: Whether clients retry the request, as they do on AWS: True, False, or None for only those
    #: whose retries are configured, so that others show the fault at once. By default None, but
    #: True for ThrottlingException.
    retried: bool | None
    #: Whether the test may end before it has hit all its calls.
    optional: bool


_CALLS = ("key", "caller", "account", "region", "encryption_context", "via_service")


class Reachable(ActiveMock, Protocol):
    """The interface of a mock that faults use."""

    @property
    def is_started(self) -> bool:
        """Whether calls can reach the mock, now or once inner mocks have ended."""
        ...


class Faults(PublicObject, own_checks=("operation",)):
    """The faults of one mock.

    While faults are armed, calls that they can hit go through botocore's HTTP layer, as with
    ``wire=True``, so that botocore retries them.
    """

    def __init__(self, mock: Reachable, armed: ArmedFaults, seed: int | str | None) -> None:
        self._mock = mock
        self._armed = armed
        self._seed = seed

    def throttle(self, operation: str = "*", **terms: Unpack[FaultTerms]) -> Fault:
        """Let calls fail with ThrottlingException; the arguments are those of `fail`."""
        return self.fail(operation, _THROTTLED, **terms)

    def fail(
        self,
        operation: str,
        code: str,
        *,
        message: str | None = None,
        after_effect: bool = False,
        **terms: Unpack[FaultTerms],
    ) -> Fault:
        """Let calls fail with an error code of KMS.

        operation: its name, or ``*`` for all that can have this error. message: by default the one
        of AWS, where it is always the same. after_effect: whether the operation is carried out and
        recorded, and only its response is replaced by the error; operations that fail anyway keep
        their own error. terms: see `FaultTerms`. Raises ValueError for an operation or an error
        code that KMS does not have, and for an error that the operation cannot have.
        """
        kind = error_class(code)
        error = kind(_TEXTS.get(code) if message is None else message, explanation=ARMED)
        error.is_retried = _read_retried(terms, default=True if code == _THROTTLED else None)
        effect = Effect(code, error, after_effect)
        return self._arm(operation, effect, terms, None if kind.is_common else code)

    def quota(
        self,
        name: str,
        *,
        per_second: float,
        account: Any = None,
        region: str | None = None,
        optional: bool = False,
    ) -> Fault:
        """Let a request quota have another value: calls above it fail with ThrottlingException.

        It counts the calls from now on, by the mock's clock, and replaces the value of the option
        ``quotas``, which need not be on. name: ``cryptographic-symmetric``, ``cryptographic-rsa``,
        ``cryptographic-ecc``, ``cryptographic-ml-dsa``, ``cryptographic-ml-kem``,
        ``custom-key-store``, such as ``GenerateDataKeyPair-RSA_2048``, or an operation.
        per_second: its value; 0.5 is one request in each 2-second interval. account, region: only
        there; the quota of each account and Region is counted by itself. optional: whether the test
        may end before a call was throttled. Of several quotas of one name each counts what none has
        throttled, and the lowest one that is exceeded throttles. Raises ValueError for a quota that
        KMS does not have.
        """
        self._require_started()
        members = {"account": account, "region": region}
        given = {member: value for member, value in members.items() if value is not None}
        quota = require_quota(name)
        if quota == CUSTOM_KEY_STORE and account is not None:
            raise ValueError(
                f"account: the quota {CUSTOM_KEY_STORE} is that of a key store, whose requests of "
                "all accounts count together"
            )
        fault = QuotaFault(
            effect=Effect(_THROTTLED),
            calls=CallFilter(None, given),
            operations=None,
            times=None,
            on_call=1,
            probability=1,
            optional=optional,
            number=self._armed.next_number,
            entropy=os.urandom,
            armed_after=self._armed.last_call,
            owner=get_context(),
            quota=quota,
            rate=Rate.of(per_second),
        )
        self._armed.add(fault)
        return fault

    def delay(self, operation: str = "*", *, seconds: float, **terms: Unpack[FaultTerms]) -> Fault:
        """Let responses arrive later on the mock's clock; no real time passes.

        Several delays of a call add up. terms: see `FaultTerms`; by default all calls are delayed.
        """
        if "retried" in terms:
            raise TypeError("a delay takes no argument 'retried', since the calls do not fail")
        effect = Effect(f"a delay of {seconds} s", delay=_read_seconds(seconds))
        return self._arm(operation, effect, {"times": None, **terms})

    def drop_connection(
        self, operation: str = "*", *, after_effect: bool = False, **terms: Unpack[FaultTerms]
    ) -> Fault:
        """Let connections be closed without a response: botocore's ConnectionClosedError.

        after_effect: whether KMS has carried out and recorded the operation before; otherwise it
        has not received the request. terms: see `FaultTerms`.
        """
        return self._lose_connection(operation, Loss.CLOSED, terms, after_effect=after_effect)

    def timeout(
        self,
        operation: str = "*",
        *,
        waiting_to: Literal["read", "connect"] = "read",
        after_effect: bool = False,
        **terms: Unpack[FaultTerms],
    ) -> Fault:
        """Let calls time out at once: botocore's ReadTimeoutError or ConnectTimeoutError.

        waiting_to: ``read`` the response, or ``connect`` to KMS. after_effect: as for
        `drop_connection`; a request that could not connect has no effect. terms: see `FaultTerms`.
        """
        if waiting_to not in _LOST:
            raise ValueError(f"waiting_to must be 'read' or 'connect', not {describe(waiting_to)}")
        if after_effect and waiting_to == "connect":
            raise ValueError(
                "after_effect=True: a request has no effect if its client cannot connect"
            )
        how = _LOST[waiting_to]
        return self._lose_connection(operation, how, terms, after_effect=after_effect)

    def corrupt_response(
        self,
        operation: str = "*",
        *,
        body: bytes | None = None,
        status: int = 200,
        **terms: Unpack[FaultTerms],
    ) -> Fault:
        """Let the operation be carried out, but its response arrive with another body.

        body: what arrives, such as bytes that are no text; None for the first half of the response.
        status: of the HTTP response. botocore then does what it does with such a response: it
        raises an error of its parser, or returns no members. terms: see `FaultTerms`.
        """
        require_type(status, int, "status", "an int")
        if not 200 <= status < 600:
            raise ValueError(f"status must be one of an HTTP response, not {status}")
        content = None if body is None else bytes(body)
        response = CorruptResponse(content, status, _read_retried(terms))
        effect = Effect("a corrupt response", response, after_effect=True)
        return self._arm(operation, effect, terms)

    def eventual_consistency(self, seconds: float = 30, *, optional: bool = False) -> Fault:
        """Let changes from now on be seen late, by some of several nodes of KMS.

        seconds: within which time all nodes see a change, on the mock's clock; otherwise it is as
        with the option ``consistency="eventual"``. It fires when a call is answered by a node that
        has not seen a change that matters. optional: whether the test may end before that; it may
        if that option is set, too, since there are orderings in which nothing is seen late.
        """
        effect = Effect("eventual consistency", seen_within=_read_seconds(seconds))
        consistency = self._mock.kms.backend.consistency
        optional = optional or consistency.is_eventual
        fault = self._arm("*", effect, {"times": None, "optional": optional})
        consistency.is_on = True
        return fault

    def assert_all_fired(self) -> None:
        """Assert that each fault that is not optional hit as many calls as it was to.

        One for all calls must have hit one, and one with a probability must have had the chance.
        Raises AssertionError with the nearest calls that were made.
        """
        __tracebackhide__ = True
        lines = self._armed.explain_unfired()
        if lines:
            raise AssertionError("\n".join(["faults that did not fire:", *lines]))

    def clear(self) -> None:
        """Disarm all faults; those of wider fixtures are armed again after the test."""
        self._armed.clear()

    def _lose_connection(
        self, operation: str, how: Loss, terms: FaultTerms, *, after_effect: bool
    ) -> Fault:
        lost = LostConnection(how, _read_retried(terms))
        effect = Effect(how.value, lost, after_effect)
        return self._arm(operation, effect, terms)

    def _arm(
        self, operation: str, effect: Effect, terms: FaultTerms, code: str | None = None
    ) -> Fault:
        """Arm a fault. code: an error code that not every operation can have."""
        self._require_started()
        known = FaultTerms.__annotations__
        for name in terms.keys() - known.keys():
            raise TypeError(f"faults take no argument {name!r}{suggest(name, known, 'they take')}")
        optional = terms.get("optional", False)
        require_type(optional, bool, "optional", "True or False")
        members = {n: value for n, value in terms.items() if n in _CALLS and value is not None}
        probability = _read_probability(terms.get("probability", 1))
        number = self._armed.next_number
        fault = Fault(
            effect,
            CallFilter(None if operation == "*" else operation, members),
            frozenset() if effect.seen_within else _find_operations(operation, code),
            _read_times(terms.get("times", 1 if probability == 1 else None)),
            _read_count(terms.get("on_call", 1), "on_call"),
            probability,
            optional,
            number,
            # Independent of other faults, and of what was random before.
            os.urandom if self._seed is None else SeededEntropy(f"{self._seed} {number}"),
            self._armed.last_call,
            get_context(),
        )
        self._armed.add(fault)
        return fault

    def _require_started(self) -> None:
        """Require that the mock has not been stopped, so that calls can meet faults."""
        if not self._mock.is_started:
            raise RuntimeError(
                "the mock of these faults has ended, and no call can meet them; arm them while it "
                "is active"
            )


def _find_operations(operation: str, code: str | None) -> frozenset[str] | None:
    """Return the operations that can fail with an error code, if a fault is for all operations.

    code: None for what is no error code. Raises ValueError if the one operation of the fault cannot
    fail with it.
    """
    if code is None:
        return None
    if operation == "*":
        return find_operations_with_error(code)
    codes = get_error_codes(operation)
    if codes is not None and code not in codes:
        raise ValueError(
            f"{operation} cannot fail with {code}; besides the common errors of AWS, such as "
            f"ThrottlingException, it can fail with {', '.join(sorted(codes))}"
        )
    return None


def _read_retried(terms: FaultTerms, *, default: bool | None = None) -> bool | None:
    retried = terms.get("retried")
    require_type(retried, (bool, type(None)), "retried", "True, False or None")
    return default if retried is None else retried


def _read_seconds(value: float) -> timedelta:
    require_type(value, (int, float), "seconds", "a number")
    try:
        delay = timedelta(seconds=value)
    except (ValueError, OverflowError):
        delay = timedelta()
    if delay <= timedelta():
        raise ValueError(f"seconds must be above 0, and a possible time, not {value!r}")
    return delay


def _read_count(value: int, name: str, otherwise: str = "") -> int:
    require_type(value, int, name, "an int")
    if value < 1:
        raise ValueError(f"{name} must be at least 1{otherwise}, not {value}")
    return value


def _read_times(value: int | None) -> int | None:
    return None if value is None else _read_count(value, "times", ", or None for all calls")


def _read_probability(value: float) -> float:
    require_type(value, (int, float), "probability", "a number")
    if not 0 < value <= 1:
        raise ValueError(f"probability must be above 0, and 1 at most, not {value!r}")
    return value
