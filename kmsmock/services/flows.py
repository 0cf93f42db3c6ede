"""What a service does with KMS for one operation, written once for every host.

A host is what stores the service's resources: this mock, when it answers the service itself, or
something else, such as moto, when only the KMS side is done here. Both drive the same flow, and
differ only in where resources are stored and in when the second half is run.
"""

from __future__ import annotations


class Flow:
    """The KMS side of one operation, in two halves around the moment when the host stores.

    A subclass is a dataclass with the `ServiceCall` and what the host has found. Where there is
    something to do after storing, it has a method ``complete``, which takes what was stored and the
    time, and gives the data keys; it raises `KeyUnusableError`, or what the service makes of it.

    It is an object rather than a generator, since a checkpoint of the mock may be made between the
    two halves, and generators can neither be copied nor be resumed twice.
    """

    __slots__ = ()

    def request(self) -> None:
        """Make the KMS calls of the time of the request, before anything is stored.

        Raises the `ServiceError` that the service answers with.
        """

    def cancel(self) -> None:
        """Undo what `request` did, since the host has refused to store."""
