"""AWS managed policies, and customer managed policies of all accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from kmsmock.aws.arns import Arn, iam_arn
from kmsmock.aws.managed_policies import get_managed_policy, list_managed_policies
from kmsmock.identities.entities import ManagedPolicy
from kmsmock.misuse.suggestions import did_you_mean


class ManagedPolicies:
    """Managed policies by ARN. now: gives the time. new_id: makes ids with a prefix."""

    def __init__(self, now: Callable[[], datetime], new_id: Callable[[str], str]) -> None:
        self._now = now
        self._new_id = new_id
        self._by_arn: dict[str, ManagedPolicy] = {}

    def get(self, arn: str) -> ManagedPolicy | None:
        """Find a managed policy; AWS managed ones always exist."""
        known = self._by_arn.get(arn)
        if known is None:
            document = get_managed_policy(arn)
            if document is None:
                return None
            parsed = Arn.of(arn)
            policy_id = self._new_id("ANPA")
            known = ManagedPolicy(arn, parsed.name, parsed.path, policy_id, self._now())
            known.add_version(document, known.created, is_default=True)
            self._by_arn[arn] = known
        return known

    def find(self, arn: str) -> ManagedPolicy:
        """Return a managed policy; raises ValueError if there is none, with the nearest one."""
        managed = self.get(arn)
        if managed is None:
            known = [*self._by_arn, *list_managed_policies()]
            few = "; of those of AWS, only a few are emulated" if ":aws:policy/" in arn else ""
            raise ValueError(f"there is no managed policy {arn!r}{few}{did_you_mean(arn, known)}")
        return managed

    def of(self, account: str, partition: str) -> Iterator[ManagedPolicy]:
        """Return those of an account, oldest first; of ``aws`` those that have been used."""
        prefix = iam_arn(partition, account, "policy/")
        return (policy for arn, policy in self._by_arn.items() if arn.startswith(prefix))

    def of_customers(self) -> Iterator[ManagedPolicy]:
        """Return the customer managed policies of all accounts."""
        return (policy for policy in self._by_arn.values() if not policy.is_of_aws)

    def add(self, managed: ManagedPolicy) -> None:
        """Add a customer managed policy."""
        self._by_arn[managed.arn] = managed

    def remove(self, managed: ManagedPolicy) -> None:
        """Remove a customer managed policy."""
        del self._by_arn[managed.arn]
