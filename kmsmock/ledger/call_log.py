"""The call log of a mock: the newest records, and counts of the older calls."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from sys import intern
from typing import Any, NamedTuple

from kmsmock.aws.arns import alias_arn, name_in
from kmsmock.aws.errors import ServiceError
from kmsmock.aws.prices import Tariff
from kmsmock.aws.references import read_key_reference
from kmsmock.ledger.call_record import NO_RARE_FIELDS, Call, Failure, RareFields
from kmsmock.ledger.calls import Calls
from kmsmock.ledger.key_storage import KeyLifetime
from kmsmock.ledger.known_names import KnownNames
from kmsmock.ledger.pending_call import PendingCall
from kmsmock.ledger.usage import UsageLine, make_usage_line
from kmsmock.misuse.suggestions import did_you_mean
from kmsmock.misuse.values import require_type
from kmsmock.process.contexts import contexts, of_thread


class RecordedCalls(NamedTuple):
    """The state of a call log, for checkpoints."""

    calls: tuple[Call, ...]
    counts: dict[UsageLine, int]


class AllCalls(Calls):
    """The records of all calls of a mock, and counts of those whose records are dropped.

    names: those that calls can have.
    """

    def __init__(
        self, records: deque[Call], counts: dict[UsageLine, int], names: KnownNames
    ) -> None:
        super().__init__(records, counts, names=names)
        self._records = records
        self._counts = counts
        self._lifetimes = names.lifetimes

    def clear(self) -> None:
        """Remove all records and counts."""
        self._records.clear()
        self._counts.clear()

    def assert_all_keys_used(self, *, except_: Any = ()) -> None:
        """Assert that each customer managed key was used in a successful cryptographic operation.

        This includes deleted keys. except_: a key, or several, that need not be used, named as for
        ``kms.explain``. Raises AssertionError that lists the unused
        keys, ValueError for a key in except_ that never existed.
        """
        __tracebackhide__ = True
        is_one = isinstance(except_, (str, Mapping)) or hasattr(except_, "arn")
        keys = [except_] if is_one else except_
        require_type(keys, Iterable, "except_", "a key or a list of keys")
        excepted = {read_key_reference(key, "except_") for key in keys}
        lifetimes = list(self._lifetimes)
        unknown = excepted - {name for lifetime in lifetimes for name in _names(lifetime)}
        if unknown:
            known = [alias for lifetime in lifetimes for alias in lifetime.aliases]
            raise ValueError(
                f"no key was made that is {min(unknown)!r}, as except_ says"
                f"{did_you_mean(min(unknown), known)}"
            )
        unused = [
            lifetime
            for lifetime in lifetimes
            if not lifetime.was_used and not excepted & set(_names(lifetime))
        ]
        if not unused:
            return
        # The tests that created keys; of replica keys it is not known.
        makers = {event.key_arn: event.test_id for event in self if event.operation == "CreateKey"}
        lines = [
            f"{len(unused)} of {len(lifetimes)} keys were not used for any cryptographic operation:"
        ]
        for lifetime in unused:
            aliases = f" ({', '.join(lifetime.aliases)})" if lifetime.aliases else ""
            maker = f", created by {makers[lifetime.arn]}" if makers.get(lifetime.arn) else ""
            lines.append(f"  {lifetime.arn}{aliases}{maker}")
        raise AssertionError("\n".join(lines))


class CallLog:
    """Records the calls of a mock.

    kept: how many records are kept; older calls are only counted. names: those that calls can have.
    tariff: the prices of requests. calls: a live view of the records and counts, for tests, reports
    and bills.
    """

    def __init__(self, kept: int, names: KnownNames, tariff: Tariff) -> None:
        self.records: deque[Call] = deque()
        #: The counts of the calls whose records are dropped.
        self.counts: dict[UsageLine, int] = {}
        self._kept = kept
        self._tariff = tariff
        self._latest: dict[str, tuple[Any, ...]] = {}
        self.calls = AllCalls(self.records, self.counts, names)

    def record(
        self,
        call: PendingCall,
        result: Mapping[str, Any] | ServiceError,
        context: Mapping[str, Any],
    ) -> Call:
        """Record a call. Every call comes here, so it creates few objects.

        result: the members of the response, or the error. context: condition keys that the network
        determines.
        """
        failure: Failure | None = None
        response = None
        operation = call.operation
        trail = operation.trail
        if isinstance(result, ServiceError):
            failure = Failure(
                result.code, result.message, result.explanation, call.decision, result.is_injected
            )
        elif trail.response:
            response = tuple([_copied(result.get(name)) for name in trail.response])
        keys, materials, parameter = call.keys, call.material_ids, call.parameters.get
        is_plain = operation.needs_only_same_named_action and call.was_authorized and len(keys) < 2
        rare = NO_RARE_FIELDS
        has_more = call.grant_id or context or call.additional_event_data or call.note
        if not is_plain or response or has_more:
            rare = _make_rare_fields(call, response, context)
        # To save memory, equal parameters of successive calls are one object.
        parameters = tuple(map(parameter, trail.request))
        latest = self._latest.setdefault(operation.name, parameters)
        if latest != parameters:
            self._latest[operation.name] = parameters
        else:
            parameters = latest
        event = Call(
            operation.name,
            call.principal,
            call.access_key,
            intern(call.user_agent or ""),
            call.region.name,
            keys[0] if keys else None,
            call.alias,
            parameters,
            materials[0] if materials else None,
            failure,
            self._tariff.charge(
                operation.price,
                call.principal.arn,
                None if failure is None else failure.code,
                keys,
                parameter("KeyPairSpec"),
            ),
            call.now,
            # As `get_running_test` does, without the calls, since this runs for each call.
            (of_thread.context or contexts[-1]).test,
            call.request_id,
            rare,
        )
        records = self.records
        records.append(event)
        if len(records) > self._kept:
            self._drop_oldest()
        return event

    def _drop_oldest(self) -> None:
        line = make_usage_line(self.records.popleft())
        self.counts[line] = self.counts.get(line, 0) + 1

    def clear(self) -> None:
        """Remove all records and counts."""
        self.calls.clear()
        self._latest.clear()

    def state(self) -> RecordedCalls:
        """Return what `restore` needs."""
        return RecordedCalls(tuple(self.records), dict(self.counts))

    def restore(self, recorded: RecordedCalls) -> None:
        """Restore a state, including records that have been dropped since."""
        self.clear()
        self.records.extend(recorded.calls)
        self.counts.update(recorded.counts)
        while len(self.records) > self._kept:  # those of a mock that has kept more
            self._drop_oldest()


def _names(lifetime: KeyLifetime) -> tuple[str, ...]:
    arns = (alias_arn(lifetime.region, lifetime.account, alias) for alias in lifetime.aliases)
    return (lifetime.arn, name_in(lifetime.arn), *lifetime.aliases, *arns)


def _make_rare_fields(
    call: PendingCall, response: tuple[Any, ...] | None, context: Mapping[str, Any]
) -> RareFields:
    """Collect what few calls have. response: values of the members that CloudTrail shows."""
    keys, materials = call.keys, call.material_ids
    is_plain = call.operation.needs_only_same_named_action and call.was_authorized
    return RareFields(
        keys[1] if len(keys) > 1 else None,
        materials[1] if len(materials) > 1 else None,
        call.grant_id,
        None if is_plain else tuple(call.authorized),
        response,
        context or None,
        call.additional_event_data,
        call.note,
    )


def _copied(value: Any) -> Any:
    """Copy a value of the response, since the caller gets the same object and may change it."""
    if type(value) is dict:
        return {
            name: _copied(item) if type(item) in (dict, list) else item
            for name, item in value.items()
        }
    return list(value) if type(value) is list else value
