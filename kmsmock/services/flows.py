"""What a service does with KMS for one operation, written once for every host.

A host stores the service's resources: this mock, when it answers the service, or another store,
such as moto, when only the calls to KMS are made here. Both hosts run the same flow, and differ
only in where resources are stored and in when the second half runs. A service that this mock never
answers has one host only: there, the handlers of ``beside`` call plain functions of ``kms_use``.
"""

from __future__ import annotations


class Flow:
    """The KMS side of one operation, in two halves around the moment when the host stores.

    A subclass is a dataclass with the `ServiceCall` and the resources that the host has looked up.
    Where there is something to do after storing, it has a method ``complete``, which takes what was
    stored and the time, and returns the data keys; it raises `KeyUnusableError`, or the service's
    own exception for it.

    It is an object rather than a generator because a checkpoint of the mock may be taken between
    the two halves, and generators can be neither copied nor resumed twice.
    """

    __slots__ = ()

    def request(self) -> None:
        """Make the KMS calls that belong to the request, before anything is stored.

        Raises the `ServiceError` that the service answers with.
        """

    def cancel(self) -> None:
        """Undo what `request` did, because the host has refused to store."""
