"""The state of one mock: accounts and Regions, identities, records, the clock and the lock."""

from __future__ import annotations

import os
import threading
import weakref
from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from copy import copy
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

from kmsmock.access.policies import Allowances
from kmsmock.authorization.grants import Grant
from kmsmock.aws.paging import Markers
from kmsmock.aws.prices import Prices, Tariff
from kmsmock.aws.principals import Principal
from kmsmock.aws.regions import partition_of
from kmsmock.crypto.rsa_pool import RsaPool
from kmsmock.crypto.seeded import SeededEntropy
from kmsmock.identities.directory import Identities
from kmsmock.identities.sharing import share_identities
from kmsmock.keys import policies
from kmsmock.keys.key import Key
from kmsmock.keys.region import KmsRegion, MaterialIndex, SequenceNumbers
from kmsmock.keys.specs import Source
from kmsmock.ledger.call_log import CallLog, RecordedCalls
from kmsmock.ledger.key_storage import KeyLifetimes
from kmsmock.ledger.known_names import KnownNames
from kmsmock.ledger.secrets import Secrets, SecretsState
from kmsmock.ledger.service_events import ServiceEvents
from kmsmock.misuse.values import describe
from kmsmock.options import MockOptions
from kmsmock.state.checkpoints import Checkpoint
from kmsmock.state.consistency import Consistency
from kmsmock.state.fault import Fault
from kmsmock.state.faults import ArmedFaults
from kmsmock.state.request_quotas import RequestQuotas
from kmsmock.timing.clock import Clock
from kmsmock.timing.delays import DELAYS
from kmsmock.timing.passing_states import PassingStates

if TYPE_CHECKING:
    from kmsmock.crypto.attestation import AttestationAuthority

Entropy = Callable[[int], bytes]
T = TypeVar("T")


class Backend:
    """All state of one mock; modules have none.

    options: all of them. start_time: when the clock starts; None for now. find_region: returns the
    Region of clients that name none. has_own_ordering: see `Consistency`. lock: held during the
    whole of each call, so that calls of several threads are answered one after the other.
    """

    def __init__(
        self,
        options: MockOptions,
        start_time: datetime | None,
        find_region: Callable[[], str],
        *,
        has_own_ordering: bool,
    ) -> None:
        self.options = options
        self._find_region = find_region
        #: How often the state was replaced as a whole, by another one.
        self.generation = 0
        self.delays = DELAYS[options["delays"]]
        self.lock = threading.RLock()
        _backends.add(self)
        self.clock = Clock(start_time, stands_still=options["seed"] is not None, lock=self.lock)
        self.passing = PassingStates(self.clock, ends_at_looks=options["waiting"] == "looks")
        self.tariff = Tariff(Prices.of(options["prices"]))
        self._begin_records()
        self.consistency = Consistency(
            self.faults,
            options["seed"],
            is_eventual=options["consistency"] == "eventual",
            has_own_ordering=has_own_ordering,
            ends_at_looks=options["waiting"] == "looks",
        )
        #: Whether key policies, identity policies and grants decide; otherwise all is allowed.
        self.enforces_policies = options["authorization"] == "enforced"
        self.clear()

    def _begin_records(self) -> None:
        """Make what records the calls, and what tests do to them."""
        options = self.options
        #: How long keys exist, for the bill.
        self.key_lifetimes = KeyLifetimes()
        self.secrets = Secrets()
        names = KnownNames(self.key_lifetimes, lambda: self.identities)
        self.call_log = CallLog(options["calls_kept"], names, self.tariff)
        self.calls = self.call_log.calls
        #: What KMS did without a request, such as automatic rotation; oldest first.
        self.service_events = ServiceEvents(self.calls, options["calls_kept"])
        self.quotas = RequestQuotas(
            options["quotas"],
            stands_still=options["seed"] is not None,
            ends_at_requests=options["waiting"] == "looks",
        )
        self.faults = ArmedFaults(self.calls, names, self.quotas)

    def share(
        self,
        account: str,
        regions: Mapping[tuple[str, str], KmsRegion],
        find_region: Callable[[], str],
    ) -> Backend:
        """Return the same state for one of several users, with records and faults of its own.

        Keys, principals, clock and lock are the same objects; records, faults and the counts of
        request quotas are those of requests to the returned backend. account: that of callers with
        unknown credentials. regions: those of `regions` whose keys are shown and charged.
        find_region: as for the class. Neither may be cleared or restored afterwards.
        """
        with self.lock:
            shared = copy(self)
            shared._find_region = find_region  # noqa: SLF001 - of this class
            shared.request_context = {}
            shared.identities = share_identities(self.identities, account, find_region)
            shared._begin_records()  # noqa: SLF001 - as above
            shared.key_lifetimes.regions = regions
        return shared

    def clear(self) -> None:
        """Remove all state, such as keys and records. The clock goes on."""
        self.generation += 1
        options, seed = self.options, self.options["seed"]
        self.entropy: Entropy = os.urandom if seed is None else SeededEntropy(seed)
        self.regions: dict[tuple[str, str], KmsRegion] = {}
        self.key_lifetimes.regions = self.regions
        self.key_lifetimes.deleted.clear()
        self.materials: dict[str, MaterialIndex] = {}
        self.numbers = SequenceNumbers()
        self.deleted_materials: dict[bytes, None] = {}
        #: (account, partition) -> default key policy.
        self._default_policies: dict[tuple[str, str], str] = {}
        self.allowances = Allowances()
        #: The state of other services: class of the state -> the object.
        self._service_states: dict[type, Any] = {}
        #: (operation that reads, ARN) -> the version of the store at which it was read. No part of
        #: checkpoints: after a restore, all is read again.
        self.store_versions: dict[tuple[str, str], Any] = {}
        #: Condition keys that all requests have at present, from ``kms.request_context``.
        self.request_context: Mapping[str, str | list[str]] = {}
        self.identities = Identities(
            options["account_id"], self._find_region, self.entropy, self.clock.now
        )
        self.source = Source(self.entropy, RsaPool(self.entropy), seed is not None)
        self.markers = Markers(self.entropy(32))
        self._attestation: AttestationAuthority | None = None
        self.clock.cancel_scheduled()
        self.passing.clear()
        self.call_log.clear()
        self.secrets.clear()
        self.service_events.clear()
        self.quotas.clear()
        self.faults.clear()
        self.consistency.begin()

    # --- Regions, ids, policies --------------------------------------------------------

    @property
    def default_region(self) -> str:
        """The Region of clients that name none, at present."""
        return self._find_region()

    def region(self, account: str, name: str) -> KmsRegion:
        """Return the KMS of an account in a Region; create it on first use."""
        region = self.regions.get((account, name))
        if region is None:
            materials = self.materials.setdefault(name, MaterialIndex())
            region = self.regions[account, name] = KmsRegion(account, name, materials, self.numbers)
        return region

    def regions_named(self, name: str) -> Iterator[KmsRegion]:
        """Return the KMS of all accounts in a Region."""
        return (region for (_, known), region in self.regions.items() if known == name)

    def new_uuid(self) -> str:
        """Generate a random UUID (RFC 9562, version 4)."""
        h = self.entropy(16).hex()
        return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"

    def new_multi_region_key_id(self) -> str:
        """Generate the key id of a multi-Region key."""
        return f"mrk-{self.entropy(16).hex()}"

    def new_account_id(self) -> str:
        """Generate the id of an account, one of 10^12."""
        return f"{int.from_bytes(self.entropy(8), 'big') % 10**12:012d}"

    def new_grant_token(self) -> str:
        """Generate a grant token, of the same length as those of KMS."""
        return urlsafe_b64encode(self.entropy(276)).decode().rstrip("=")

    def default_policy(self, region: KmsRegion) -> str:
        """Return the default key policy of an account; its keys share one text to save memory."""
        scope = (region.account, region.partition)
        text = self._default_policies.get(scope)
        if text is None:
            text = policies.default_policy(region.account, region.name)
            self._default_policies[scope] = text
        return text

    def find_payer(self, account: str) -> str:
        """Return who has a free tier: an account, or its organization, whose accounts share one."""
        return self.identities.organization_of(account).organization_id or account

    def get_grant(self, region_name: str, token: str) -> Grant | None:
        """Find the grant of a token in any account of a Region."""
        for region in self.regions_named(region_name):
            if token in region.grant_tokens:
                return region.grant_tokens[token]
        return None

    @property
    def attestation(self) -> AttestationAuthority:
        """The authority that issues the attestation documents that this mock trusts."""
        if self._attestation is None:
            from kmsmock.crypto.attestation import AttestationAuthority

            self._attestation = AttestationAuthority(self.clock.now)
        return self._attestation

    @property
    def attestation_roots(self) -> Sequence[bytes]:
        """The root certificates, DER, that attestation documents are verified against."""
        return (self.attestation.root_der,)

    def service_state(self, kind: type[T]) -> T:
        """Return the state of a service other than KMS; create it on first use by calling kind."""
        if kind not in self._service_states:
            self._service_states[kind] = kind()
        state: T = self._service_states[kind]
        return state

    def remove_service_states(self, kind: type) -> None:
        """Remove the states of services whose class is a subclass of a class."""
        for each in [each for each in self._service_states if issubclass(each, kind)]:
            del self._service_states[each]
        self.store_versions.clear()

    @property
    def service_states(self) -> Collection[Any]:
        """The states of all services other than KMS."""
        return self._service_states.values()

    def index_materials(self, key: Key) -> None:
        """Index the materials of a key and of its related keys, for Decrypt."""
        for member in key.related_keys:
            self.region(member.account, member.region_name).index_materials(member)

    def has_key(self, key: Key) -> bool:
        """Return whether a key exists and has not been deleted since."""
        return self.region(key.account, key.region_name).keys.get(key.key_id) is key

    def admit(self, access_key: str | None, region: str) -> tuple[Principal, datetime]:
        """Admit a request: carry out scheduled work that is due, and find the caller.

        Every request of every service begins here; the caller of this method holds the lock until
        the request is answered. access_key: None for unsigned requests. region: its name; of
        services without Regions, any of the partition. Returns the caller and the time of the
        request. Raises CredentialsError, which each service translates to an error of its own.
        """
        now = self.clock.now()
        self.clock.run_due_work(now)
        return self.identities.caller(access_key, partition_of(region), now), now

    def run_due_work(self) -> datetime:
        """Carry out scheduled work that is due; return the time."""
        with self.lock:
            now = self.clock.now()
            self.clock.run_due_work(now)
        return now

    def collect(self, resources_of: Callable[[KmsRegion], Mapping[Any, T]]) -> tuple[T, ...]:
        """Return resources of all accounts and Regions, such as keys; oldest first."""
        with self.lock:
            self.run_due_work()
            resources = (
                resource
                for region in self.key_lifetimes.regions.values()
                for resource in resources_of(region).values()
            )
            return tuple(sorted(resources, key=attrgetter("sequence")))

    # --- checkpoints -------------------------------------------------------------------

    def checkpoint(self) -> Checkpoint:
        """Copy the whole state, for `restore`."""
        with self.lock:
            referenced = (Backend, Fault, SecretsState, RecordedCalls)
            return Checkpoint(self, self._state(), referenced)

    def restore(self, checkpoint: object) -> None:
        """Restore the state of a checkpoint, which can be restored more than once.

        Raises ValueError for a checkpoint of another mock, TypeError.
        """
        if not isinstance(checkpoint, Checkpoint):
            raise TypeError(
                f"not a checkpoint, which is what kms.checkpoint() gave: {describe(checkpoint)}"
            )
        with self.lock:
            self.generation += 1
            (
                self.regions,
                self.materials,
                self.numbers,
                self.deleted_materials,
                self._service_states,
                clock_state,
                passing,
                consistency,
                identities_state,
                self.key_lifetimes.deleted,
                recorded,
                service_events,
                secrets,
                quotas,
            ) = checkpoint.load(self)
            self.key_lifetimes.regions = self.regions
            self.store_versions.clear()
            self.clock.restore(clock_state)
            self.passing.restore(passing)
            self.consistency.restore(consistency)
            self.identities.restore(identities_state)
            self.call_log.restore(recorded)
            self.secrets.restore(secrets)
            self.quotas.restore(quotas)
            self.service_events.truncate(service_events)
            self.allowances.clear()

    def remove_resources(self, arns: Collection[str]) -> None:
        """Remove keys and aliases, as if they had not been created. arns: of those to remove."""
        with self.lock:
            for region in self.regions.values():
                for alias in [each for each in region.aliases.values() if each.arn in arns]:
                    region.remove_alias(alias)
                for key in [each for each in region.keys.values() if each.arn in arns]:
                    region.remove_key(key)

    def _state(self) -> tuple[Any, ...]:
        return (
            self.regions,
            self.materials,
            self.numbers,
            self.deleted_materials,
            self._service_states,
            self.clock.state(),
            self.passing.state(),
            self.consistency.state(),
            self.identities.state(),
            self.key_lifetimes.deleted,
            self.call_log.state(),
            len(self.service_events),
            self.secrets.state(),
            self.quotas.state(),
        )


_backends: weakref.WeakSet[Backend] = weakref.WeakSet()


def _renew_locks() -> None:
    """Replace the locks in a forked child, since a thread of its parent may hold them."""
    for backend in _backends:
        backend.lock = backend.clock.lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)
