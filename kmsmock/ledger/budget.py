"""Budgets: limits on the number and the costs of requests of a ``with`` block or a test."""

from __future__ import annotations

from collections import Counter, deque
from decimal import Decimal, localcontext
from typing import Any

from kmsmock.aws.prices import ARITHMETIC, format_usd, parse_usd
from kmsmock.ledger.call_record import Call
from kmsmock.ledger.usage import format_requests
from kmsmock.misuse.public_object import PublicObject
from kmsmock.process.watchers import Watcher, notify, watchers

#: How many calls a failure lists.
_CALLS_LISTED = 20


class Budget(
    PublicObject,
    Watcher,
    internal=(event for event in vars(Watcher) if not event.startswith("_")),
):
    """A context manager that limits the requests made in its block, and their costs.

    Failed requests count too. The end of the block raises AssertionError if a limit was exceeded,
    unless the block raised an exception itself. backend: of the mock whose requests count; None for
    all mocks. requests, usd: the limits, at least one; costs are at list price, before the free
    tier. name: what the budget is for, in messages. Raises TypeError for invalid limits.
    """

    def __init__(
        self, backend: object, *, requests: int | None = None, usd: Any = None, name: str
    ) -> None:
        if requests is None and usd is None:
            raise TypeError(f"the budget of {name} needs a limit: requests, usd, or both")
        if requests is not None and (type(requests) is not int or requests < 0):
            raise TypeError(f"a budget has a whole number of requests, not {requests!r}")
        self._max_requests = requests
        self._max_usd = None if usd is None else parse_usd(usd, "usd")
        self._name = name
        self._backend = backend
        self._spent: Counter[tuple[str, str, Decimal]] = Counter()
        self._newest: deque[Call] = deque(maxlen=_CALLS_LISTED)

    def __repr__(self) -> str:
        return f"<budget of {self._name}: {self._limits()}; {self._figures()} so far>"

    def __enter__(self) -> Budget:  # noqa: PYI034 - Python 3.10 has no Self
        self._spent.clear()
        self._newest.clear()
        watchers.add(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        __tracebackhide__ = True
        watchers.remove(self)
        excess = self.excess
        if excess is None:
            return
        notify(watchers.exceeded, self)
        if kind is None:
            raise AssertionError(excess)

    def called(
        self,
        backend: object,
        event: Call,
        seconds: float,  # noqa: ARG002 - not needed
    ) -> None:
        """Count a call of the mock."""
        if self._backend is None or backend is self._backend:
            self._spent[event.operation, event.key_name, event.price] += 1
            self._newest.append(event)

    @property
    def requests(self) -> int:
        """The number of requests made in the block."""
        return sum(self._spent.values())

    @property
    def usd(self) -> Decimal:
        """Their costs at list price."""
        with localcontext(ARITHMETIC):
            return sum((price * n for (*_, price), n in self._spent.items()), Decimal(0))

    @property
    def summary(self) -> str:
        """The limits and the requests made, in one line."""
        return f"{self._limits()} allowed, {self._figures()} made"

    @property
    def excess(self) -> str | None:
        """A message with the requests made if a limit is exceeded, else None."""
        if (self._max_requests is None or self.requests <= self._max_requests) and (
            self._max_usd is None or self.usd <= self._max_usd
        ):
            return None
        lines = [f"the budget of {self._name} is exceeded: {self.summary}"]
        for (operation, key, price), count in self._spent.most_common():
            lines.append(f"  {count} x {operation}{key and ' '}{key}, {format_usd(price * count)}")
        before = self.requests - len(self._newest)
        lines.append(f"the calls{f', after {before} others' if before else ''}:")
        lines += [f"  {event}" for event in self._newest]
        return "\n".join(lines)

    def _limits(self) -> str:
        limits = [] if self._max_requests is None else [format_requests(self._max_requests)]
        limits += [] if self._max_usd is None else [f"{format_usd(self._max_usd)} at list price"]
        return " and ".join(limits)

    def _figures(self) -> str:
        return f"{format_requests(self.requests)} ({format_usd(self.usd)})"
