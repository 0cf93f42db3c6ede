"""The table of what is persisted: classes with their attributes, functions and states by name.

The names in it are those in state files. A change of it, or of the attributes of its classes, is a
new version of the format: see `database.MIGRATIONS`.
"""

# ruff: noqa: SLF001 - what is scheduled is private to its modules
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from operator import attrgetter
from typing import Any

from kmsmock.authorization.grants import Grant, GrantConstraints, GrantTerms
from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.aws.paging import Markers
from kmsmock.aws.prices import Category, Charge
from kmsmock.aws.principals import Principal, PrincipalKind
from kmsmock.crypto.rsa_pool import RsaPool
from kmsmock.crypto.seeded import SeededEntropy
from kmsmock.identities.credentials import AccessKey, Credentials, CredentialStore
from kmsmock.identities.directory import Identities
from kmsmock.identities.entities import (
    Entity,
    Group,
    ManagedPolicy,
    Organization,
    PolicyVersion,
    Session,
)
from kmsmock.identities.managed import ManagedPolicies
from kmsmock.identities.past_keys import PastKeys
from kmsmock.keys.custom_key_store import (
    CONNECTION_STATE,
    ConnectionState,
    CustomKeyStore,
    StoreType,
)
from kmsmock.keys.key import Key, KeyManager, MultiRegionKey, PendingDeletion, Usage
from kmsmock.keys.material import KeyMaterial, MaterialState, RotationType
from kmsmock.keys.material_import import ImportParameters
from kmsmock.keys.region import Alias, KmsRegion, SequenceNumbers
from kmsmock.keys.rotation import ON_DEMAND_ROTATION
from kmsmock.keys.rotation_schedule import RotationSchedule
from kmsmock.keys.specs import KeyUsage, Origin
from kmsmock.keys.states import KEY_STATE, KeyState
from kmsmock.ledger.call_record import Call, Failure, RareFields
from kmsmock.ledger.key_storage import KeyLifetime
from kmsmock.ledger.service_events import ServiceEvent
from kmsmock.ledger.usage import UsageLine
from kmsmock.services.ec2.answered import (
    attachments,
    copies,
    image_copies,
    snapshots,
    volume_creation,
)
from kmsmock.services.ec2.answered import storage as ec2
from kmsmock.services.ec2.kms_use import images as ec2_images
from kmsmock.services.ec2.kms_use import kms_calls as ec2_calls
from kmsmock.services.ec2.kms_use import snapshots as ec2_snapshots
from kmsmock.services.ec2.kms_use import volumes as ec2_volumes
from kmsmock.services.ec2.kms_use.attachments import AttachedKey
from kmsmock.services.ec2.kms_use.state import (
    IMAGE_STATE,
    SNAPSHOT_STATE,
    VOLUME_STATE,
    EbsEncryption,
    EncryptionSettings,
)
from kmsmock.services.rds.answered import backups, databases, restoring
from kmsmock.services.rds.answered import copies as rds_copies
from kmsmock.services.rds.answered import storage as rds
from kmsmock.services.rds.kinds import CLUSTER, INSTANCE
from kmsmock.services.rds.kms_use import databases as rds_databases
from kmsmock.services.rds.kms_use import derived as rds_derived
from kmsmock.services.rds.kms_use import kms_calls as rds_calls
from kmsmock.services.rds.kms_use import lost_keys
from kmsmock.services.rds.kms_use import snapshots as rds_snapshots
from kmsmock.services.rds.kms_use.encryption import DatabaseEncryption, SnapshotEncryption
from kmsmock.services.registry import ServiceCall
from kmsmock.state import scheduled_work
from kmsmock.state.backend import Backend
from kmsmock.state.failures import Failures
from kmsmock.timing.clock import Clock
from kmsmock.timing.passing_states import PassingState, PassingStates, ShownState
from kmsmock.trail.configured_trails import ConfiguredTrail, DeliverySettings, Trails
from kmsmock.trail.event_selectors import AdvancedEventSelector, EventSelector

#: The attribute that stands for the entries of a class that is a dict itself.
ITSELF = ""


@dataclass(frozen=True)
class Persisted:
    """A class whose objects have rows of their own, and can be referenced."""

    #: Its name in files.
    name: str
    type: type
    #: The attributes that are written, in one row; by default all slots but the others below.
    fields: tuple[str, ...] = ()
    #: Those of the fields that have a row of their own, since they change often.
    apart: tuple[str, ...] = ()
    #: The attributes that are dicts or sets, with a row for each entry.
    entries: tuple[str, ...] = ()
    #: Those that are not written, but change what others are written as.
    decisive: tuple[str, ...] = ()
    #: The attributes that are not written, since they follow from others, or are options.
    left_out: tuple[str, ...] = ()

    @property
    def is_declared_in_full(self) -> bool:
        """Whether the attributes are listed here, for want of slots."""
        return any("__slots__" not in vars(base) for base in self.type.__mro__[:-1])

    def list_fields(self) -> tuple[str, ...]:
        """Return the attributes that are written in one row."""
        others = {*self.apart, *self.entries, *self.decisive, *self.left_out}
        if self.is_declared_in_full:
            return self.fields
        return tuple(name for name in list_slots(self.type) if name not in others)


def list_slots(cls: type) -> tuple[str, ...]:
    """Return the attributes of a class with slots, those of its base classes first."""
    found: dict[str, None] = {}  # Python 3.10 repeats inherited ones in slots of dataclasses
    for base in reversed(cls.__mro__):
        slots = vars(base).get("__slots__", ())
        found.update(dict.fromkeys((slots,) if isinstance(slots, str) else slots))
    return tuple(found)


#: Attributes of a mock's state that are not in files: options and what follows from them, what a
#: start makes again, and what `ROOTS` and `logs` have.
_OF_BACKEND = (
    *("options", "_find_region", "delays", "lock", "clock", "passing", "key_lifetimes", "tariff"),
    *("secrets", "call_log", "calls", "service_events", "quotas", "faults", "consistency"),
    *("enforces_policies", "entropy", "materials", "numbers", "_default_policies", "allowances"),
    *("store_versions", "request_context", "identities", "source", "markers", "_attestation"),
    "generation",
)

#: Classes whose objects are there before anything is read.
ROOT_TYPES = (
    Persisted(
        "State",
        Backend,
        entries=("regions", "deleted_materials", "_service_states"),
        left_out=_OF_BACKEND,
    ),
    Persisted("Numbers", SequenceNumbers),
    Persisted(
        "Identities",
        Identities,
        fields=("administrator",),
        entries=("_by_arn", "entities", "groups", "sessions", "organizations"),
        left_out=("_find_region", "_now", "credentials", "_named", "managed", "names", "defaults"),
    ),
    Persisted(
        "CredentialStore",
        CredentialStore,
        fields=("_has_past", "_most", "_past_deleted", "_past_expired"),
        entries=(
            *("_owners", "_invalid", "_expirations", "_credentials", "_long_term"),
            *("_handed_out", "_gone"),
        ),
        left_out=("_entropy", "_now"),
    ),
    Persisted(
        "ManagedPolicies", ManagedPolicies, entries=("_by_arn",), left_out=("_now", "_new_id")
    ),
    Persisted(
        "Clock",
        Clock,
        fields=("_shift", "_base"),
        entries=("scheduled",),
        left_out=("lock", "_most", "scheduled_count", "done_count"),
    ),
    Persisted(
        "PassingStates",
        PassingStates,
        entries=("open",),
        left_out=("_clock", "_ends_at_looks"),
    ),
    Persisted("RsaPool", RsaPool, fields=("_left", "_excluded"), left_out=("_entropy",)),
    Persisted("Markers", Markers, fields=("_secret",)),
    Persisted("Entropy", SeededEntropy, fields=("_seed", "_drawn")),
)
#: The objects of these classes, in the order of `ROOT_TYPES`; the last only with a seed.
ROOTS: tuple[Callable[[Backend], Any], ...] = (
    lambda backend: backend,
    attrgetter("numbers"),
    attrgetter("identities"),
    attrgetter("identities.credentials"),
    attrgetter("identities.managed"),
    attrgetter("clock"),
    attrgetter("passing"),
    attrgetter("source.rsa_pool"),
    attrgetter("markers"),
    attrgetter("entropy"),
)

#: Classes of KMS itself, of which there may be very many objects.
KMS_TYPES = (
    Persisted(
        "Key",
        Key,
        apart=("last_usage",),
        left_out=("grants", "source"),
    ),
    Persisted("KeyMaterial", KeyMaterial, decisive=("opened",)),
    Persisted("Alias", Alias),
    Persisted("Grant", Grant),
    Persisted(
        "Region",
        KmsRegion,
        entries=(
            *("keys", "aliases", "deleted_aliases", "custom_key_stores", "grants"),
            "import_tokens",
        ),
        left_out=("_numbers", "grant_tokens", "grants_by_retirer", "key_counts", "materials"),
    ),
    Persisted("MultiRegionKey", MultiRegionKey),
    Persisted("RotationSchedule", RotationSchedule),
    Persisted("Principal", Principal),
)
OTHER_TYPES = (
    Persisted("PastKeys", PastKeys, fields=("_digests",)),
    Persisted("CustomKeyStore", CustomKeyStore),
    Persisted("PassingState", PassingState),
    Persisted("Entity", Entity, left_out=("policies",)),
    Persisted("Group", Group),
    Persisted("ManagedPolicy", ManagedPolicy),
    Persisted("Organization", Organization),
    Persisted("ServiceCall", ServiceCall, left_out=("store",)),
    Persisted("Failures", Failures, entries=("by_resource",)),
    Persisted("Trails", Trails, entries=(ITSELF,)),
    Persisted("Trail", ConfiguredTrail),
    Persisted("ebs.Settings", EncryptionSettings),
    Persisted("ebs.Encryption", EbsEncryption, entries=("settings",)),
    Persisted("ec2.Storage", ec2.Storage, entries=("account_regions",)),
    Persisted(
        "ec2.AccountRegion",
        ec2.AccountRegion,
        entries=("volumes", "snapshots", "images", "tags", "tokens"),
    ),
    Persisted("ec2.Volume", ec2.Volume),
    Persisted("ec2.Snapshot", ec2.Snapshot),
    Persisted("ec2.Image", ec2.Image),
    Persisted("ec2.Attachment", ec2.Attachment),
    Persisted("ec2.CreateVolume", ec2_volumes.CreateVolume),
    Persisted("ec2.CopyVolume", ec2_volumes.CopyVolume),
    Persisted("ec2.CopySnapshot", ec2_snapshots.CopySnapshot),
    Persisted("ec2.CopyImage", ec2_images.CopyImage),
    Persisted("rds.Storage", rds.Storage, entries=("account_regions",)),
    Persisted("rds.AccountRegion", rds.AccountRegion, entries=("databases", "snapshots", "tags")),
    Persisted("rds.Database", rds.Database),
    Persisted("rds.Snapshot", rds.Snapshot),
    Persisted("rds.DatabaseEncryption", DatabaseEncryption),
    Persisted("rds.CheckedDatabases", lost_keys.CheckedDatabases),
    Persisted("rds.CreateDatabase", rds_databases.CreateDatabase),
    Persisted("rds.DeriveDatabase", rds_derived.DeriveDatabase),
    Persisted("rds.StopDatabase", rds_databases.StopDatabase),
    Persisted("rds.DeleteDatabase", rds_databases.DeleteDatabase),
    Persisted("rds.CopySnapshot", rds_snapshots.CopySnapshot),
    Persisted("rds.RestoreDatabase", rds_snapshots.RestoreDatabase),
)
TYPES: Mapping[type, Persisted] = {
    each.type: each for each in (*ROOT_TYPES, *KMS_TYPES, *OTHER_TYPES)
}

#: Classes whose objects never change, and are written in the row of what has them.
VALUES: Mapping[str, type] = {
    **{cls.__name__: cls for cls in (AccessKey, Credentials, Session, PolicyVersion)},
    **{cls.__name__: cls for cls in (GrantTerms, GrantConstraints, ImportParameters)},
    **{cls.__name__: cls for cls in (Call, Failure, RareFields, Charge, UsageLine)},
    **{cls.__name__: cls for cls in (KeyLifetime, ServiceEvent, PendingDeletion, Usage)},
    **{cls.__name__: cls for cls in (DeliverySettings, EventSelector, AdvancedEventSelector)},
    "ec2.DataKey": ec2_calls.DataKey,
    "ec2.Grant": ec2_calls.Grant,
    "ec2.AttachedKey": AttachedKey,
    "rds.DataKey": rds_calls.DataKey,
    "rds.Grant": rds_calls.Grant,
    "rds.SnapshotEncryption": SnapshotEncryption,
}
#: Fields of values that are not written.
OMITTED: Mapping[type, tuple[str, ...]] = {Failure: ("decision",)}

ENUMS: Mapping[str, type[Enum]] = {
    cls.__name__: cls
    for cls in (
        *(Category, ConnectionState, KeyManager, KeyState, KeyUsage, MaterialState, Origin),
        *(PolicyKind, PrincipalKind, RotationType, StoreType),
    )
}

SHOWN_STATES: Mapping[str, ShownState] = {
    "key": KEY_STATE,
    "rotation": ON_DEMAND_ROTATION,
    "connection": CONNECTION_STATE,
    "volume": VOLUME_STATE,
    "snapshot": SNAPSHOT_STATE,
    "image": IMAGE_STATE,
    **{f"rds.{kind.name}": kind.status for kind in (INSTANCE, CLUSTER)},
    **{f"rds.{kind.snapshot}": kind.snapshot_status for kind in (INSTANCE, CLUSTER)},
}

#: The functions that scheduled work may call. A file can name no others.
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "rotate": scheduled_work._rotate_if_due,
    "is_rotation_due": scheduled_work._is_rotation_due,
    "finish_rotation": scheduled_work._finish_rotation,
    "delete": scheduled_work._delete_if_due,
    "is_deletion_due": scheduled_work._is_deletion_due,
    "expire": scheduled_work._expire_if_due,
    "is_expiry_possible": scheduled_work._is_expiry_possible,
    "finish_creation": scheduled_work._finish_creation,
    "finish_update": scheduled_work._finish_update,
    "complete_transition": scheduled_work._complete_transition,
    "ec2.finish_attaching": attachments._finish_attaching,
    "ec2.finish_detaching": attachments._finish_detaching,
    "ec2.fail_copy": copies._fail,
    "ec2.finish_copy": copies.finish_copy,
    "ec2.finish_image_copy": image_copies._finish_copy,
    "ec2.complete_snapshot": snapshots._complete,
    "ec2.finish_volume": volume_creation._finish_volume,
    "rds.finish_snapshot": backups._finish_snapshot,
    "rds.take_daily_snapshot": backups._take_daily_snapshot,
    "rds.finish_creating": databases._finish_creating,
    "rds.finish_stopping": databases._finish_stopping,
    "rds.finish_starting": databases._finish_starting,
    "rds.finish_deleting": databases._finish_deleting,
    "rds.finish_copy": rds_copies._finish,
    "rds.finish_restoring": restoring._finish,
    "rds.check_keys": lost_keys._check_keys_again,
    "rds.lose": lost_keys._lose_for_good,
}
#: The methods that scheduled work may call.
METHODS: Mapping[str, Any] = {"end": PassingStates._end}
#: The classes that are values themselves: of states of services.
CLASSES: Mapping[str, type] = {
    TYPES[cls].name: cls
    for cls in (
        *(Trails, Failures, EbsEncryption, ec2.Storage, rds.Storage),
        lost_keys.CheckedDatabases,
    )
}
