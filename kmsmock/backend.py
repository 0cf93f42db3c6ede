"""What one mock holds: accounts and Regions, identities, records, the clock and the lock."""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
import weakref
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from kmsmock.authorization.grants import Grant
from kmsmock.authorizing import Allowances
from kmsmock.checkpoints import Checkpoint
from kmsmock.clock import Clock
from kmsmock.crypto.rsa_pool import RsaPool
from kmsmock.crypto.seeded import SeededEntropy
from kmsmock.delays import DELAYS, Delays
from kmsmock.faults import Faults
from kmsmock.identities.directory import Identities
from kmsmock.keys import imported, policies, rotation
from kmsmock.keys.aws_managed import MANAGED_KEYS
from kmsmock.keys.custom_key_store import ConnectionState, CustomKeyStore, StoreType
from kmsmock.keys.key import Key, KeyManager, KeyState
from kmsmock.keys.material import KeyMaterial
from kmsmock.keys.region import KmsRegion, Numbers
from kmsmock.keys.rotation import RotationSchedule
from kmsmock.keys.specs import SYMMETRIC_DEFAULT, KeyUsage, Origin, Source
from kmsmock.ledger.calls import Calls
from kmsmock.ledger.service_events import DELETE_EXPIRED, DELETE_KEY, ServiceEvents

if TYPE_CHECKING:
    from kmsmock.crypto.attestation import AttestationAuthority

Entropy = Callable[[int], bytes]
T = TypeVar("T")
_DELETED_REMEMBERED = 10_000
_NOT_ROTATED = (KeyState.DISABLED, KeyState.PENDING_DELETION, KeyState.PENDING_REPLICA_DELETION)


class Markers:
    """Pagination markers: opaque, bound to their operation and to this mock."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def seal(self, operation: str, place: int) -> str:
        """Give the marker for the items behind a place."""
        text = place.to_bytes(8, "big")
        return urlsafe_b64encode(text + self._tag(operation, text)).decode()

    def open(self, operation: str, marker: str) -> int | None:
        """Give the place of a marker; None for one that this operation did not issue."""
        try:
            raw = urlsafe_b64decode(marker)
        except ValueError:
            return None
        if not hmac.compare_digest(raw[8:], self._tag(operation, raw[:8])):
            return None
        return int.from_bytes(raw[:8], "big")

    def _tag(self, operation: str, text: bytes) -> bytes:
        key = self._secret + operation.encode()
        return hashlib.blake2b(text, key=key[:64], digest_size=16).digest()


class Backend:
    """The world of one mock. All of its state hangs here; nothing is kept in modules.

    enforces_policies: whether key policies, IAM and grants decide; otherwise everybody may do
    everything. seed: makes ids, key material and time functions of it. delays: how long things take
    that AWS does after its answer. lock: held for the whole of each call, so that calls of many
    threads come one by one.
    """

    def __init__(
        self,
        account: str,
        region: str,
        start_time: datetime | None = None,
        *,
        enforces_policies: bool = True,
        seed: int | str | None = None,
        delays: Delays = DELAYS["kms"],
    ) -> None:
        self._seed = seed
        self.delays = delays
        self.lock = threading.RLock()
        _backends.add(self)
        self.clock = Clock(start_time, stands_still=seed is not None)
        self.calls = Calls()
        #: What the service did by itself, oldest first.
        self.service_events = ServiceEvents(self.calls)
        self.faults = Faults()
        self.enforces_policies = enforces_policies
        self.clear(account, region)

    def clear(self, account: str, region: str) -> None:
        """Begin anew, without keys and records; the clock goes on."""
        seed = self._seed
        self.entropy: Entropy = os.urandom if seed is None else SeededEntropy(seed)
        self.regions: dict[tuple[str, str], KmsRegion] = {}
        self._materials: dict[str, dict[bytes, Key]] = {}
        self._numbers = Numbers()
        self.deleted_materials: dict[bytes, None] = {}
        self._default_policies: dict[tuple[str, str], str] = {}
        self.allowances = Allowances()
        #: What other services hold, by the type that holds it.
        self._service_states: dict[type, Any] = {}
        #: Condition keys that all requests have for now.
        self.request_context: Mapping[str, str | list[str]] = {}
        self.identities = Identities(account, region, self.entropy, self.clock.now)
        self.source = Source(self.entropy, RsaPool(self.entropy), seed is not None)
        self.markers = Markers(self.entropy(32))
        self._attestation: AttestationAuthority | None = None
        self.clock.forget()
        self.calls.clear()
        self.service_events.clear()
        self.faults.clear()

    # --- rooms and names ---------------------------------------------------------------

    def region(self, account: str, name: str) -> KmsRegion:
        """Give the KMS of an account in a Region, made on first use."""
        region = self.regions.get((account, name))
        if region is None:
            materials = self._materials.setdefault(name, {})
            region = self.regions[account, name] = KmsRegion(
                account, name, materials, self._numbers
            )
        return region

    def regions_named(self, name: str) -> Iterator[KmsRegion]:
        """Give the KMS of all accounts in a Region."""
        return (region for (_, known), region in self.regions.items() if known == name)

    def new_uuid(self) -> str:
        """Make a random UUID (RFC 9562, version 4)."""
        h = self.entropy(16).hex()
        return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"

    def new_multi_region_key_id(self) -> str:
        """Make the key id of a multi-Region key."""
        return f"mrk-{self.entropy(16).hex()}"

    def new_grant_token(self) -> str:
        """Make a grant token: opaque, of the length that KMS's have."""
        return urlsafe_b64encode(self.entropy(276)).decode().rstrip("=")

    def default_policy(self, region: KmsRegion) -> str:
        """Give the default key policy of an account, one text for all of its keys."""
        place = (region.account, region.partition)
        text = self._default_policies.get(place)
        if text is None:
            text = policies.default_policy(region.account, region.name)
            self._default_policies[place] = text
        return text

    def grant_of_token(self, region_name: str, token: str) -> Grant | None:
        """Find the grant of a token in any account of a Region."""
        for region in self.regions_named(region_name):
            if token in region.grant_tokens:
                return region.grant_tokens[token]
        return None

    @property
    def attestation(self) -> AttestationAuthority:
        """The authority whose attestation documents this mock trusts."""
        if self._attestation is None:
            from kmsmock.crypto.attestation import AttestationAuthority

            self._attestation = AttestationAuthority()
        return self._attestation

    @property
    def attestation_roots(self) -> Sequence[bytes]:
        """The DER root certificates that attestation documents are checked against."""
        return (self.attestation.root_der,)

    def service_state(self, kind: type[T]) -> T:
        """Give what a service beside KMS holds, made on first use by calling its type."""
        if kind not in self._service_states:
            self._service_states[kind] = kind()
        state: T = self._service_states[kind]
        return state

    # --- AWS managed keys --------------------------------------------------------------

    def new_aws_managed_key(self, region: KmsRegion, name: str, now: datetime) -> Key | None:
        """Make the AWS managed key of a predefined alias, for `keep_aws_managed_key`.

        Gives None for other names.
        """
        managed = MANAGED_KEYS.get(name)
        if managed is None:
            return None
        return Key(
            account=region.account,
            region_name=region.name,
            key_id=self.new_uuid(),
            spec=SYMMETRIC_DEFAULT,
            usage=KeyUsage.ENCRYPT_DECRYPT,
            origin=Origin.AWS_KMS,
            policy=managed.policy(region.account, region.name),
            creation_date=now,
            source=self.source,
            description=managed.description,
            manager=KeyManager.AWS,
        )

    def keep_aws_managed_key(self, key: Key, name: str, now: datetime) -> None:
        """Let an AWS managed key be there from now on, rotated each year; again changes nothing.

        name: the predefined alias.
        """
        region = self.region(key.account, key.region_name)
        if key.key_id in region.keys:
            return
        key.materials.append(key.new_material())
        region.add_key(key)
        schedule = rotation.enable(key, now, None)
        assert schedule is not None
        self.rotate_when_due(key, schedule)
        region.add_alias(name, key, now)

    # --- what falls due ----------------------------------------------------------------

    def index_materials(self, key: Key) -> None:
        """Let ciphertexts of all materials of a key, and of its relatives, lead to them."""
        members = [key] if key.multi_region is None else key.multi_region.members.values()
        for member in members:
            self.region(member.account, member.region_name).index_materials(member)

    def rotate_when_due(self, key: Key, schedule: RotationSchedule) -> None:
        """Rotate a key when its schedule says so, and again and again."""
        due = schedule.next_date
        self.clock.at(due, partial(self._rotate_if_due, key, schedule, due))

    def _rotate_if_due(
        self, key: Key, schedule: RotationSchedule, due: datetime, now: datetime
    ) -> None:
        if key.multi_region is not None:
            key = key.multi_region.primary
        if key.rotation is not schedule or schedule.next_date != due:
            return
        if key.status in _NOT_ROTATED:
            schedule.is_missed = True
            return
        self._rotate(key, schedule, now)

    def make_up_for_rotation(self, key: Key, now: datetime) -> None:
        """Rotate a key that was disabled when it was due.

        Source: AWS KMS Developer Guide, "How automatic key rotation works", on disabled keys.
        """
        if key.rotation is not None and key.rotation.is_missed:
            self._rotate(key, key.rotation, now, after=1)

    def _rotate(
        self, key: Key, schedule: RotationSchedule, now: datetime, *, after: int = 0
    ) -> None:
        before, material = rotation.rotate_automatically(key, schedule, now)
        if key.multi_region is None:
            self._materials[key.region_name][material.id] = key
        else:
            self.index_materials(key)
        self.service_events.note_rotation(
            key, now, "AUTOMATIC", before.id, material.id, after=after
        )
        self.rotate_when_due(key, schedule)

    def delete_when_due(self, key: Key) -> None:
        """Delete a key at its deletion date, unless that is cancelled or moved before."""
        due = key.deletion_date
        assert due is not None
        self.clock.at(due, partial(self._delete_if_due, key, due))

    def _delete_if_due(self, key: Key, due: datetime, now: datetime) -> None:
        if key.status is not KeyState.PENDING_DELETION or key.deletion_date != due:
            return
        self.region(key.account, key.region_name).remove_key(key)
        self.service_events.note(DELETE_KEY, key, now)
        if len(self.deleted_materials) < _DELETED_REMEMBERED:
            self.deleted_materials.update((material.id, None) for material in key.materials)
        if key.multi_region is not None:
            key.multi_region.remove(key, now)
            primary = key.multi_region.primary
            if primary is not key and primary.deletion_date is not None:
                self.delete_when_due(primary)

    def expire_when_due(self, key: Key, material: KeyMaterial) -> None:
        """Remove imported material when its time is over, unless it was imported again."""
        due = material.valid_to
        assert due is not None
        self.clock.at(due, partial(self._expire_if_due, key, material, due))

    def _expire_if_due(self, key: Key, material: KeyMaterial, due: datetime, now: datetime) -> None:
        if material.valid_to == due and self._is_here(key):
            imported.remove_material(key, material)
            self.service_events.note(DELETE_EXPIRED, key, now, None, None, None, material.id)

    def _is_here(self, key: Key) -> bool:
        """Tell whether a key has not been deleted meanwhile."""
        return self.region(key.account, key.region_name).keys.get(key.key_id) is key

    def finish_rotation_when_due(self, key: Key, now: datetime) -> None:
        """End a rotation on demand a while after the answer, whatever becomes of the key's state.

        Source: AWS KMS Developer Guide, "Perform on-demand key rotation".
        """
        self.clock.at(now + self.delays.rotation, partial(self._finish_rotation, key))

    def _finish_rotation(self, key: Key, now: datetime) -> None:
        if key.multi_region is not None:
            key = key.multi_region.primary
        if not self._is_here(key):
            return
        before = key.material
        after = rotation.finish_on_demand(key, now)
        if after is not None:
            self.service_events.note_rotation(key, now, "ON_DEMAND", before.id, after.id)
        self.index_materials(key)

    def finish_creation_when_due(self, key: Key, now: datetime) -> None:
        """Let a replica leave the state Creating a while after the answer."""
        self.clock.at(now + self.delays.replica, partial(self._finish_creation, key))

    def _finish_creation(self, key: Key, now: datetime) -> None:
        _enable_from(key, KeyState.CREATING, now)
        if self._is_here(key):
            self.service_events.note_synchronization(key, now)

    def finish_update_when_due(self, key: Key, now: datetime) -> None:
        """Let a key leave the state Updating a while after the answer."""
        self.clock.at(
            now + self.delays.primary_region, partial(_enable_from, key, KeyState.UPDATING)
        )

    def connect_when_due(self, store: CustomKeyStore, now: datetime) -> None:
        """Let a custom key store be connected, or fail to be, a while after the answer."""
        is_cluster = store.store_type is StoreType.AWS_CLOUDHSM
        delays = self.delays
        delay = delays.cluster_connection if is_cluster else delays.proxy_connection
        self.clock.at(now + delay, store.begin(ConnectionState.CONNECTING, now + delay))

    def disconnect_when_due(self, store: CustomKeyStore, now: datetime) -> None:
        """Let a custom key store be disconnected a while after the answer."""
        due = now + self.delays.disconnection
        self.clock.at(due, store.begin(ConnectionState.DISCONNECTING, due))

    # --- going back --------------------------------------------------------------------

    def checkpoint(self) -> object:
        """Copy the whole state, for `restore`."""
        with self.lock:
            return Checkpoint(self._state(), kept=(Backend,))

    def restore(self, checkpoint: object) -> None:
        """Bring back the state of a checkpoint, which can be used again afterwards."""
        assert isinstance(checkpoint, Checkpoint)
        state: Any = checkpoint.state()
        with self.lock:
            (
                self.regions,
                self._materials,
                self._numbers,
                self.deleted_materials,
                self._service_states,
                clock_state,
                identities_state,
                calls,
                service_events,
            ) = state
            self.clock.restore(clock_state)
            self.identities.restore(identities_state)
            self.calls.truncate(calls)
            self.service_events.truncate(service_events)

    def _state(self) -> tuple[Any, ...]:
        return (
            self.regions,
            self._materials,
            self._numbers,
            self.deleted_materials,
            self._service_states,
            self.clock.state(),
            self.identities.state(),
            len(self.calls),
            len(self.service_events),
        )


_backends: weakref.WeakSet[Backend] = weakref.WeakSet()


def _renew_locks() -> None:
    """Give a forked child locks that no thread of its parent holds."""
    for backend in _backends:
        backend.lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)


def _enable_from(key: Key, passing: KeyState, now: datetime) -> None:  # noqa: ARG001
    if key.status is passing:
        key.status = KeyState.ENABLED
