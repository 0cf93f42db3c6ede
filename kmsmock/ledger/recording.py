"""Keeping records: so many of the newest, and counts of all before."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from sys import intern
from typing import Any, NamedTuple

from kmsmock.aws.arns import name_in
from kmsmock.aws.errors import ServiceError
from kmsmock.aws.prices import Tariff
from kmsmock.ledger.calls import Calls
from kmsmock.ledger.events import NO_REST, Call, Failure, Rest
from kmsmock.ledger.pending_call import PendingCall
from kmsmock.ledger.storage import KeyLifetime
from kmsmock.ledger.usage import Line, line_of
from kmsmock.process.running_test import running_tests


class Recorded(NamedTuple):
    """All that was recorded, for going back to it."""

    calls: tuple[Call, ...]
    counts: dict[Line, int]


class AllCalls(Calls):
    """The records of all calls of a mock, and counts of those that are no longer kept.

    lifetimes: of all keys that customers manage, the deleted ones among them.
    """

    def __init__(
        self, records: deque[Call], counts: dict[Line, int], lifetimes: Iterable[KeyLifetime]
    ) -> None:
        super().__init__(records, counts)
        self._records = records
        self._counts = counts
        self._lifetimes = lifetimes

    def clear(self) -> None:
        """Forget all records and counts."""
        self._records.clear()
        self._counts.clear()

    def assert_all_keys_used(self, *, except_: Any = ()) -> None:
        """Assert that each customer managed key was used for cryptography, and successfully.

        Keys that have been deleted since count, too. except_: a key, or several, which need not
        be: by key id, key ARN, alias name, or anything with an ``arn``. Raises AssertionError that
        lists the others, ValueError for one in except_ that was never made.
        """
        __tracebackhide__ = True
        given = [except_] if isinstance(except_, str) or hasattr(except_, "arn") else list(except_)
        excepted = {getattr(key, "arn", key) for key in given}
        lifetimes = list(self._lifetimes)
        unknown = excepted - {name for lifetime in lifetimes for name in _names(lifetime)}
        if unknown:
            raise ValueError(f"no key was made that is {min(unknown)!r}, as except_ says")
        unused = [
            lifetime
            for lifetime in lifetimes
            if not lifetime.was_used and not excepted & set(_names(lifetime))
        ]
        if not unused:
            return
        # The calls that made keys; of replicas it is not told who did.
        makers = {event.key_arn: event.test_id for event in self if event.operation == "CreateKey"}
        lines = [
            f"{len(unused)} of {len(lifetimes)} keys were not used for any cryptographic operation:"
        ]
        for lifetime in unused:
            aliases = f" ({', '.join(lifetime.aliases)})" if lifetime.aliases else ""
            maker = f", made by {makers[lifetime.arn]}" if makers.get(lifetime.arn) else ""
            lines.append(f"  {lifetime.arn}{aliases}{maker}")
        raise AssertionError("\n".join(lines))


class CallLog:
    """Keeps the records of a mock, one for each call.

    kept: how many; older ones are dropped, and only counted. lifetimes: of all keys that customers
    manage, the deleted ones among them. tariff: what requests are charged. calls: what was
    recorded, for tests, reports and bills; it follows what this one records.
    """

    def __init__(self, kept: int, lifetimes: Iterable[KeyLifetime], tariff: Tariff) -> None:
        self._records: deque[Call] = deque()
        self._counts: dict[Line, int] = {}
        self._kept = kept
        self._tariff = tariff
        self._latest: dict[str, tuple[Any, ...]] = {}
        self.calls = AllCalls(self._records, self._counts, lifetimes)

    def record(
        self,
        call: PendingCall,
        result: Mapping[str, Any] | ServiceError,
        context: Mapping[str, Any],
    ) -> Call:
        """Leave the record of a call; this is on the path of every one, so little is made.

        result: the members of the answer, or the error. context: the condition keys that came from
        the network.
        """
        failure: Failure | None = None
        response = None
        operation = call.operation
        trail = operation.trail
        if isinstance(result, ServiceError):
            failure = Failure(result.code, result.message, result.explanation, call.decision)
        elif trail.response:
            response = tuple([_copied(result.get(name)) for name in trail.response])
        keys, materials, given = call.keys, call.material_ids, call.parameters.get
        is_plain = operation.is_plain and call.was_authorized and len(keys) < 2
        rest = NO_REST
        if not is_plain or response or call.grant_id or context or call.noted:
            rest = _rest(call, response, context)
        # Kept once where they are those of the call before; nothing is decided by it.
        parameters = tuple(map(given, trail.request))
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
                given("KeyPairSpec"),
            ),
            call.now,
            running_tests[-1],
            call.request_id,
            rest,
        )
        records = self._records
        records.append(event)
        if len(records) > self._kept:
            line = line_of(records.popleft())
            self._counts[line] = self._counts.get(line, 0) + 1
        return event

    def clear(self) -> None:
        """Forget everything."""
        self.calls.clear()
        self._latest.clear()

    def state(self) -> Recorded:
        """Give what `restore` needs."""
        return Recorded(tuple(self._records), dict(self._counts))

    def restore(self, recorded: Recorded) -> None:
        """Go back, also to records that have been dropped since."""
        self.clear()
        self._records.extend(recorded.calls)
        self._counts.update(recorded.counts)


def _names(lifetime: KeyLifetime) -> tuple[str, ...]:
    return (lifetime.arn, name_in(lifetime.arn), *lifetime.aliases)


def _rest(call: PendingCall, response: tuple[Any, ...] | None, context: Mapping[str, Any]) -> Rest:
    """Give what few calls have. response: the members of the answer that CloudTrail shows."""
    keys, materials = call.keys, call.material_ids
    is_plain = call.operation.is_plain and call.was_authorized
    return Rest(
        keys[1] if len(keys) > 1 else None,
        materials[1] if len(materials) > 1 else None,
        call.grant_id,
        None if is_plain else tuple(call.authorized),
        response,
        context or None,
        call.noted,
    )


def _copied(value: Any) -> Any:
    """Copy what the caller will get to hold, and can change."""
    if type(value) is dict:
        return {
            name: _copied(item) if type(item) in (dict, list) else item
            for name, item in value.items()
        }
    return list(value) if type(value) is list else value
