"""What encrypts a resource, read from whoever stores it, so that mocks do not only remember.

A mock sees requests, but not what was stored before it was active, by CloudFormation, or by another
process. Therefore a service reads from the store what it needs, with one `StoreReader` for each
kind of resource, and keeps the answer in its state. It is read again only after the store may have
changed, and what is gone there is forgotten.

A service uses it so:

1. Its state is a subclass of `StoredElsewhere`, so that it is removed when the store removes all.
2. It declares a reader, for example::

       QUEUES = StoreReader(
           service="sqs",
           operation="GetQueueAttributes",
           parameters=lambda arn: {"QueueUrl": url_of(arn), "AttributeNames": ["All"]},
           absent=("AWS.SimpleQueueService.NonExistentQueue",),
           keep=_keep,      # puts what the answer says into the state
           forget=_forget,  # removes the resource and all that depends on it from the state
       )

3. Before a handler uses what it knows of a resource, it calls ``QUEUES.refresh(call, arn)``. This
   asks at most once for each version of the store, and calls ``keep`` or ``forget``.
4. Operations that change nothing about what encrypts resources of any service, such as SendMessage,
   are among the ``data_operations`` of its `BesideStore`; those that read need not be. All others
   count as changes, after which every resource is read again: a handler need not say so.

``keep`` compares what the store says with what the state has: where it is the same, the data keys
that belong to it stay. Where the store cannot be asked, because nothing but the handlers of a
single client answers, nothing is called, and the service knows what it has seen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from kmsmock.aws.arns import Arn
from kmsmock.services.members import MissingMemberError, as_members
from kmsmock.services.registry import ServiceCall
from kmsmock.state.backend import Backend

Answer = Mapping[str, Any]
_READ = re.compile(
    "(?:Get|List|Describe|Head|Batch(?:Get|Detect)|Query|Scan|Search|Lookup|Receive)"
)


class Store(Protocol):
    """Whoever answers the request at hand, as `kmsmock.interception.stores` knows it."""

    @property
    def epoch(self) -> Hashable:
        """Changes when the store has removed all that it stored; None if that is not known."""
        ...

    @property
    def default_account(self) -> str | None:
        """The account in which it stores what is of no account that it knows; None without one."""
        ...

    @property
    def version(self) -> Hashable:
        """Changes when what encrypts a resource may have changed."""
        ...

    def ask(
        self, service: str, operation: str, parameters: Mapping[str, Any], region: str
    ) -> Answer | str | None:
        """Return the store's answer, or the code of its error; None if it does not answer."""
        ...


class StoredElsewhere:
    """The base of states about what another store stores; removed when that removes all."""

    __slots__ = ()

    def remove_from(self, backend: Backend) -> None:
        """Remove what belongs to it from other state, before it is removed itself."""


@dataclass(slots=True)
class _Epoch:
    """The epoch of the store that the states of services are about; None before the first."""

    value: Hashable = None


@dataclass(frozen=True, slots=True)
class StoreReader:
    """Reads what encrypts the resources of one kind from the store.

    parameters: returns those of the request about a resource, from its ARN, or whatever else names
    it. keep: takes the call, the name and the store's answer. forget: takes the call and the name.
    """

    service: str
    operation: str
    parameters: Callable[[str], Mapping[str, Any]]
    #: The codes of the store's errors for a resource that does not exist.
    absent: Collection[str]
    keep: Callable[[ServiceCall, str, Answer], None]
    forget: Callable[[ServiceCall, str], None]

    def refresh(self, call: ServiceCall, arn: str) -> None:
        """Bring the state of a resource up to date, unless the store has not changed since.

        call: of any service; the resource may be of another one. arn: or another name, which is one
        in the account and Region of the call.
        """
        store: Store | None = call.store
        if store is None:
            return
        parsed = Arn.parse(arn)
        region = call.region if parsed is None else parsed.region or call.region
        unique = arn if parsed is not None else f"{call.account} {region} {arn}"
        read, name = call.backend.store_versions, (self.operation, unique)
        if read.get(name) == store.version:
            return
        answer = store.ask(self.service, self.operation, self.parameters(arn), region)
        if answer is None:
            return
        read[name] = store.version
        if not isinstance(answer, str):
            with suppress(MissingMemberError):  # The store does not say it.
                self.keep(call, arn, as_members(answer))
        elif answer in self.absent:
            self.forget(call, arn)


def forget_earlier_store(backend: Backend, store: Store | None) -> None:
    """Forget what services know, if the store has removed all that it stored since."""
    if store is None or store.epoch is None:
        return
    epoch = backend.service_state(_Epoch)
    if epoch.value not in (None, store.epoch):
        for state in list(backend.service_states):
            if isinstance(state, StoredElsewhere):
                state.remove_from(backend)
        backend.remove_service_states(StoredElsewhere)
    epoch.value = store.epoch


def owner_of(call: ServiceCall, arn: str) -> str:
    """Return the account of a resource, by its ARN.

    The default account of moto stands for that of the mock, which can be another one.
    """
    account, store = Arn.of(arn).account, call.store
    is_default = store is not None and account == store.default_account
    return call.identities.administrator.account if is_default else account


def is_read(operation: str) -> bool:
    """Return whether an operation, by its name, only reads."""
    return _READ.match(operation) is not None
