"""Counting requests: the part of costs that the records alone tell."""

from __future__ import annotations

from collections import Counter

from kmsmock.ledger.calls import Calls


class Costs:
    """Counts of the requests that were made. Prices are not applied yet."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    @property
    def requests(self) -> int:
        """How many requests were made, those whose records were dropped among them."""
        return len(self._calls) + self._calls.dropped

    def by_operation(self) -> dict[str, int]:
        """Count requests by operation."""
        return dict(Counter(event.operation for event in self._calls))

    def by_key(self) -> dict[str, int]:
        """Count requests by key ARN; those that found no key are left out."""
        return dict(Counter(event.key_arn for event in self._calls if event.key_arn is not None))

    def by_account(self) -> dict[str, int]:
        """Count requests by the account that made them."""
        return dict(Counter(event.account for event in self._calls))
