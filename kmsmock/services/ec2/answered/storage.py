"""What EC2 stores here: volumes, snapshots and images of all accounts and Regions.

Source: Amazon EBS User Guide, "EBS volume lifecycle", "Amazon EBS snapshots".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from kmsmock.services.ec2.kms_use.attachments import AttachedKey
from kmsmock.services.ec2.kms_use.kms_calls import DataKey
from kmsmock.services.ec2.kms_use.resources import NewDataKey
from kmsmock.services.sectors import Sectors, rewrite

#: The state of block public access in which no snapshot is public, not even one shared before.
BLOCKS_ALL = "block-all-sharing"
UNBLOCKED = "unblocked"


@dataclass(slots=True, eq=False)
class Attachment:
    """The attachment of a volume to an instance.

    key: the grant and the data key of the instance, which the hypervisor keeps in memory while the
    volume is attached; None when the volume is not encrypted.
    """

    instance_id: str
    device: str
    since: datetime
    state: str = "attaching"
    key: AttachedKey | None = None


@dataclass(slots=True, eq=False)
class Volume:
    """A volume."""

    id: str
    owner: str
    region: str
    zone: str
    #: The size in GiB.
    size: int
    type: str
    created: datetime
    iops: int | None = None
    throughput: int | None = None
    is_multi_attach: bool = False
    snapshot_id: str = ""
    #: The volume that it is a copy of; empty for one that is none.
    source_volume_id: str = ""
    #: The rate in MiB/s, as requested; it has no effect on the contents, which are available at
    #: once.
    initialization_rate: int | None = None
    is_encrypted: bool = False
    #: The ARN of the KMS key that responses show.
    key_arn: str | None = None
    state: str = "creating"
    #: The data key; None until the volume is available.
    key: DataKey | None = None
    sectors: Sectors = field(default_factory=dict)
    attachments: dict[str, Attachment] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Snapshot:
    """A snapshot."""

    id: str
    owner: str
    region: str
    volume_id: str
    started: datetime
    description: str = ""
    #: The size of the volume in GiB.
    volume_size: int = 0
    state: str = "pending"
    state_message: str | None = None
    progress: str = "0%"
    completed: datetime | None = None
    duration: int | None = None
    is_encrypted: bool = False
    key_arn: str | None = None
    key: DataKey | None = None
    sectors: Sectors = field(default_factory=dict)
    #: The account ids with which it is shared, in the order of sharing.
    shared_with: dict[str, None] = field(default_factory=dict)
    is_public: bool = False

    def complete(self, now: datetime) -> None:
        """Enter the state completed."""
        self.state, self.state_message, self.progress = "completed", None, "100%"
        self.completed = now

    def fail(self, message: str) -> None:
        """Enter the state error. message: as DescribeSnapshots shows it."""
        self.state, self.state_message = "error", message


@dataclass(slots=True, eq=False)
class Image:
    """An image (AMI)."""

    id: str
    owner: str
    region: str
    name: str
    created: datetime
    #: Device name -> the members of its volume, as in answers.
    mappings: dict[str, dict[str, object]]
    #: Further members, such as ``Architecture``.
    attributes: dict[str, object]
    description: str = ""
    state: str = "available"
    state_reason: str | None = None
    shared_with: dict[str, None] = field(default_factory=dict)
    is_public: bool = False

    @property
    def snapshot_ids(self) -> list[str]:
        """The snapshots behind the devices."""
        return [str(ebs["SnapshotId"]) for ebs in self.mappings.values() if "SnapshotId" in ebs]


@dataclass(slots=True, eq=False)
class AccountRegion:
    """What one account stores in one Region."""

    volumes: dict[str, Volume] = field(default_factory=dict)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    images: dict[str, Image] = field(default_factory=dict)
    #: Resource id -> tags, also on resources that other accounts share.
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    #: Client token -> the parameters of its request, and the id of what it created.
    tokens: dict[str, tuple[object, str]] = field(default_factory=dict)
    block_public_access: str = UNBLOCKED


@dataclass(slots=True, eq=False)
class Storage:
    """What all accounts of one mock store in all Regions."""

    account_regions: dict[tuple[str, str], AccountRegion] = field(default_factory=dict)

    def account_region(self, account: str, region: str) -> AccountRegion:
        """Return what an account has in a Region."""
        return self.account_regions.setdefault((account, region), AccountRegion())

    def snapshots_in(self, region: str) -> Iterator[Snapshot]:
        """Return the snapshots of all accounts in a Region."""
        for (_, name), stored in self.account_regions.items():
            if name == region:
                yield from stored.snapshots.values()

    def images_in(self, region: str) -> Iterator[Image]:
        """Return the images of all accounts in a Region."""
        for (_, name), stored in self.account_regions.items():
            if name == region:
                yield from stored.images.values()

    def snapshot_for(self, account: str, region: str, snapshot_id: str) -> Snapshot | None:
        """Find a snapshot that an account may use: its own, or one shared with it."""
        for snapshot in self.snapshots_in(region):
            if snapshot.id == snapshot_id:
                return snapshot if self.is_usable_by(snapshot, account) else None
        return None

    def is_usable_by(self, snapshot: Snapshot, account: str) -> bool:
        """Return whether an account may use a snapshot, as far as that is up to EBS."""
        return (
            account == snapshot.owner or account in snapshot.shared_with or self.is_public(snapshot)
        )

    def is_public(self, snapshot: Snapshot) -> bool:
        """Return whether every account may use a snapshot."""
        stored = self.account_region(snapshot.owner, snapshot.region)
        return snapshot.is_public and stored.block_public_access != BLOCKS_ALL

    def image_for(self, account: str, region: str, image_id: str) -> Image | None:
        """Find an image that an account may use."""
        for image in self.images_in(region):
            if image.id == image_id:
                is_usable = image.is_public or account in (image.owner, *image.shared_with)
                return image if is_usable else None
        return None


def rewritten(sectors: Sectors, key: NewDataKey | None) -> Sectors:
    """Return the contents of something new. key: its data key; None when it is not encrypted."""
    if key is None or key.plaintext is None:
        return dict(sectors)
    return rewrite(sectors, key.source_plaintext, key.plaintext)
