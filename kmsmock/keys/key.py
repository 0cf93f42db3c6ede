"""The KMS key: identity, state, key materials, and symmetric encryption."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from kmsmock.authorization.grant_index import Grants
from kmsmock.aws import arns, errors
from kmsmock.aws.secret_values import SecretBytes
from kmsmock.crypto import ciphertext
from kmsmock.crypto.errors import DecryptionFailed
from kmsmock.crypto.seeded import deterministic
from kmsmock.keys.material import KeyMaterial, MaterialState, material_id
from kmsmock.keys.rotation_schedule import RotationSchedule
from kmsmock.keys.specs import KeySpec, KeyUsage, Origin, Source
from kmsmock.keys.states import KeyState
from kmsmock.misuse.public_object import PlainPublicObject, PublicObject
from kmsmock.timing.dates import add

if TYPE_CHECKING:
    from kmsmock.keys.custom_key_store import CustomKeyStore


class KeyManager(Enum):
    """Who manages a KMS key."""

    AWS = "AWS"
    CUSTOMER = "CUSTOMER"


class PendingDeletion(NamedTuple):
    """The waiting period before a deletion: its start, and its length in days."""

    since: datetime
    window_days: int


#: When KMS began to record the last use of keys: TrackingStartDate of keys that are older. Source:
#: an answer that Cloud Custodian's tests recorded (`tests/data/placebo/test_kms_last_usage`).
USAGE_TRACKING_START = datetime(2026, 4, 23, tzinfo=timezone.utc)


class Usage(NamedTuple):
    """The last successful cryptographic use of a key."""

    operation: str
    at: datetime
    request_id: str


_NOT_IN_STORE = (Origin.AWS_KMS, Origin.EXTERNAL)
_PENDING_DELETION = frozenset({KeyState.PENDING_DELETION, KeyState.PENDING_REPLICA_DELETION})


_INTERNAL = (
    *("FIXED", "cancel_deletion", "decrypt", "find_material", "key_pair", "material"),
    *("new_material", "on_demand_started", "pending_deletion", "policy_ids", "require_algorithm"),
    *("encrypt", "require_origin", "require_usage", "schedule_deletion", "secret"),
    *("sequence", "shows_material_id", "source", "status", "transient_until"),
)


class Key(PlainPublicObject, internal=_INTERNAL):
    """A KMS key of one account in one Region.

    Invariant: exactly one of `materials` is CURRENT, unless nothing was ever imported.
    """

    __slots__ = (
        "account",
        "aliases",
        "arn",
        "creation_date",
        "custom_key_store",
        "deletion_date",
        "description",
        "grants",
        "key_id",
        "last_usage",
        "manager",
        "materials",
        "multi_region",
        "on_demand_rotations",
        "on_demand_started",
        "origin",
        "pending_deletion",
        "policy",
        "policy_ids",
        "region_name",
        "rotation",
        "sequence",
        "shows_material_id",
        "source",
        "spec",
        "status",
        "tags",
        "transient_until",
        "usage",
        "xks_key_id",
    )
    #: Attributes that do not change after the key is created.
    FIXED = frozenset(
        {
            *("account", "arn", "creation_date", "key_id", "manager", "origin", "region_name"),
            *("sequence", "shows_material_id", "source", "spec", "usage", "xks_key_id"),
        }
    )

    def __init__(  # noqa: PLR0913 - all that is fixed when a key is created
        self,
        *,
        account: str,
        region_name: str,
        key_id: str,
        spec: KeySpec,
        usage: KeyUsage,
        origin: Origin,
        policy: str,
        creation_date: datetime,
        source: Source,
        description: str = "",
        manager: KeyManager = KeyManager.CUSTOMER,
    ) -> None:
        self.account = account
        self.region_name = region_name
        self.key_id = key_id
        self.arn = arns.key_arn(region_name, account, key_id)
        self.spec = spec
        self.usage = usage
        self.origin = origin
        self.manager = manager
        self.policy = policy
        self.creation_date = creation_date
        self.description = description
        self.source = source
        self.status = KeyState.ENABLED
        self.materials: list[KeyMaterial] = []
        self.tags: Mapping[str, str] = {}
        self.aliases: tuple[str, ...] = ()
        self.grants = Grants()
        #: ARN -> unique id of the users and roles that the key policy names. As on AWS, a principal
        #: that is created again under the same name has another id, and so no access.
        self.policy_ids: Mapping[str, str] | None = None
        #: When the state Creating or Updating ends.
        self.transient_until: datetime | None = None
        self.deletion_date: datetime | None = None
        self.pending_deletion: PendingDeletion | None = None
        self.rotation: RotationSchedule | None = None
        self.on_demand_rotations = 0
        self.on_demand_started: datetime | None = None
        self.last_usage: Usage | None = None
        self.multi_region: MultiRegionKey | None = None
        self.custom_key_store: CustomKeyStore | None = None
        self.xks_key_id: str | None = None
        self.sequence = 0
        #: Whether KMS returns the id of this key's material: it does for symmetric encryption keys
        #: that are not in a custom key store.
        self.shows_material_id = spec.is_symmetric_encryption and origin in _NOT_IN_STORE

    def __repr__(self) -> str:
        return f"<Key {self.arn} {self.spec.name} {self.state.value}>"

    @property
    def region(self) -> str:
        """The name of the Region."""
        return self.region_name

    # --- state -------------------------------------------------------------------------

    @property
    def state(self) -> KeyState:
        """The key state: the status, unless material is missing or the store is not connected."""
        status = self.status
        if self.origin is Origin.AWS_KMS or status in _PENDING_DELETION:
            return status
        if self.custom_key_store is not None and not self.custom_key_store.is_connected:
            return KeyState.UNAVAILABLE
        if (
            self.origin is Origin.EXTERNAL
            and status is not KeyState.CREATING
            and not self.has_all_material
        ):
            return KeyState.PENDING_IMPORT
        return status

    @property
    def has_all_material(self) -> bool:
        """Whether the key has material, and the secret of none is missing."""
        return bool(self.materials) and all(
            material.is_present for material in self.materials if material.is_permanent
        )

    def require_usage(self, usage: KeyUsage, operation: str) -> None:
        """Refuse an operation that is not for keys of this usage (InvalidKeyUsageException)."""
        if self.usage is not usage:
            raise errors.InvalidKeyUsageException(
                f"{self.arn} key usage is {self.usage.value} which is not valid for {operation}.",
                explanation=f"{operation} needs a key created with KeyUsage={usage.value}.",
            )

    def require_algorithm(self, algorithm: str) -> None:
        """Refuse an algorithm that the key spec does not have; raises InvalidKeyUsageException."""
        if algorithm not in self.spec.usages[self.usage]:
            is_default = algorithm == "SYMMETRIC_DEFAULT"
            default = " Without an EncryptionAlgorithm it is SYMMETRIC_DEFAULT." * is_default
            raise errors.InvalidKeyUsageException(
                f"Algorithm {algorithm} is incompatible with key spec {self.spec.name}.",
                explanation=f"The key has these algorithms: {', '.join(self.algorithms)}.{default}",
            )

    def require_origin(self, *allowed: Origin) -> None:
        """Refuse an operation that is not for keys of this origin."""
        if self.origin not in allowed:
            raise errors.UnsupportedOperationException(
                f"{self.arn} origin is {self.origin.value} which is not valid for this operation."
            )

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The algorithms of the key, in the order that KMS lists them."""
        return self.spec.usages[self.usage]

    @property
    def is_pending_deletion(self) -> bool:
        """Whether the key waits for its deletion, or for that of its replicas."""
        return self.status in _PENDING_DELETION

    @property
    def pending_window_days(self) -> int | None:
        """The length of the waiting period; set too while a primary waits for its replicas."""
        return None if self.pending_deletion is None else self.pending_deletion.window_days

    @property
    def is_replica(self) -> bool:
        """Whether this is a replica of a multi-Region key."""
        return self.multi_region is not None and self.multi_region.primary is not self

    @property
    def related_keys(self) -> list[Key]:
        """The key itself and, of a multi-Region key, the related keys in other Regions."""
        return [self] if self.multi_region is None else list(self.multi_region.members.values())

    def schedule_deletion(self, now: datetime, window_days: int) -> None:
        """Start the waiting period; that of a primary starts once its replicas are deleted.

        Raises ValueError if it would end after the year 9999.
        """
        date = add(now, timedelta(days=window_days))
        self.pending_deletion = PendingDeletion(now, window_days)
        if self.multi_region is not None and self.multi_region.has_replicas_of(self):
            self.status = KeyState.PENDING_REPLICA_DELETION
            return
        self.status = KeyState.PENDING_DELETION
        self.deletion_date = date

    def cancel_deletion(self) -> None:
        """End the waiting period; as on AWS, the key is disabled afterwards."""
        self.status = KeyState.DISABLED
        self.deletion_date = self.pending_deletion = None

    # --- key material ------------------------------------------------------------------

    @property
    def current_material(self) -> KeyMaterial | None:
        """The material that encrypts; None if none was ever imported."""
        materials = self.materials
        if materials and materials[-1].state is MaterialState.CURRENT:
            return materials[-1]
        return next((m for m in materials if m.state is MaterialState.CURRENT), None)

    def new_material(self) -> KeyMaterial:
        """Create material of this key's spec; a key pair is generated on first use only."""
        size = self.spec.secret_bytes
        if size is None:
            return KeyMaterial(b"", None)
        secret = SecretBytes(self.source.entropy(size))
        return KeyMaterial(material_id(self.key_id, secret), secret)

    @property
    def material(self) -> KeyMaterial:
        """The current material of a key that is known to have one."""
        material = self.current_material
        assert material is not None
        return material

    @property
    def key_pair(self) -> Any:
        """The private key of an asymmetric KMS key, generated or loaded on first use."""
        material = self.material
        if material.opened is None:
            if material.secret is not None:
                assert self.spec.reopen is not None
                material.opened = self.spec.reopen(material.secret)
            else:
                assert self.spec.generate is not None
                material.opened = self.spec.generate(self.source)
        if self.source.is_seeded:
            material.opened = deterministic(material.opened)
        return material.opened

    @property
    def secret(self) -> SecretBytes:
        """The raw material of an HMAC key."""
        secret = self.material.secret
        assert secret is not None
        return secret

    # --- symmetric encryption ----------------------------------------------------------

    def encrypt(self, prefix: bytes, plaintext: bytes, context: Mapping[str, str] | None) -> bytes:
        """Encrypt under the current material; return the ciphertext blob.

        prefix: `ciphertext.ENCRYPT_PREFIX` or `ciphertext.DATA_KEY_PREFIX`.
        """
        material = self.material
        opened = material.opened or material.symmetric(self._make_blob_header(material))
        blob: bytes = opened.encrypt(
            prefix, self.source.entropy(ciphertext.NONCE_BYTES), plaintext, context
        )
        return blob

    def decrypt(self, blob: ciphertext.Blob, context: Mapping[str, str] | None) -> bytes:
        """Decrypt a blob of this key under the material that encrypted it.

        Raises InvalidCiphertextException; for keys of an external key store
        KMSInvalidStateException, since there the proxy rejects the ciphertext.
        """
        material = self.find_material(blob.material_id)
        try:
            opened = material.opened or material.symmetric(self._make_blob_header(material))
            plaintext: bytes = opened.decrypt(blob, context)
        except DecryptionFailed:
            pass
        else:
            return plaintext
        if self.origin is Origin.EXTERNAL_KEY_STORE:
            raise errors.KMSInvalidStateException(
                "The external key store proxy rejected the request because the specified "
                "ciphertext or additional authenticated data is corrupted, missing, or otherwise "
                "invalid."
            )
        raise errors.InvalidCiphertextException(
            explanation=f"The ciphertext was encrypted under {self.arn}, but the encryption "
            f"context is not the one it was encrypted with (given: {format_context(context)}), or "
            "its last part was changed."
        )

    def find_material(self, material_id: bytes) -> KeyMaterial:
        """Find one of the key's materials by id; raises KeyError if the key has none of that id."""
        for material in reversed(self.materials):
            if material.id == material_id:
                return material
        raise KeyError(material_id.hex())

    def _make_blob_header(self, material: KeyMaterial) -> ciphertext.BlobHeader:
        return ciphertext.make_blob_header(material.id, self.key_id, self.account, self.region_name)


class MultiRegionKey(PublicObject, internal=("has_replicas_of",)):
    """What the related keys of one multi-Region key share.

    members: Region -> key, the primary among them, in the order of their creation.
    rotation: the schedule, which is set on the primary and applies to all.
    """

    __slots__ = ("members", "primary")

    def __init__(self, primary: Key) -> None:
        self.primary = primary
        self.members: dict[str, Key] = {primary.region_name: primary}

    @property
    def replicas(self) -> list[Key]:
        """All members but the primary."""
        return [key for key in self.members.values() if key is not self.primary]

    @property
    def rotation(self) -> RotationSchedule | None:
        """The rotation schedule, kept by the primary."""
        return self.primary.rotation

    def has_replicas_of(self, key: Key) -> bool:
        """Return whether this key is the primary and has replicas."""
        return key is self.primary and len(self.members) > 1


def format_context(context: Mapping[str, str] | None) -> str:
    """Format an encryption context for an explanation: ``a=1, b=2``, or ``none``."""
    return ", ".join(f"{k}={v}" for k, v in sorted(context.items())) if context else "none"
