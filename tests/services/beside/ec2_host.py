"""EC2 as the rows of `hosts_ec2` use it, and what they begin with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.services.beside import hosts
from tests.services.beside.hosts import OTHER_ACCOUNT

PERMISSION = "createVolumePermission"


class Host(hosts.Host):
    """EC2, with keys of KMS."""

    @property
    def ec2(self) -> Any:
        """A client of EC2."""
        return self.client("ec2")

    def volume(self, **parameters: Any) -> str:
        if "SnapshotId" not in parameters:
            parameters["Size"] = 1
        made = self.ec2.create_volume(AvailabilityZone="us-east-1a", **parameters)
        return str(made["VolumeId"])

    def encrypted_volume(self) -> str:
        return self.volume(Encrypted=True, KmsKeyId=self.key)

    def copy_volume(self, volume: str, **parameters: Any) -> str:
        (made,) = self.ec2.copy_volumes(SourceVolumeId=volume, **parameters)["Volumes"]
        return str(made["VolumeId"])

    def snapshot(self, volume: str | None = None) -> str:
        made = self.ec2.create_snapshot(VolumeId=volume or self.encrypted_volume())
        return str(made["SnapshotId"])

    def copy(self, snapshot: str, **parameters: Any) -> str:
        given = {"SourceRegion": "us-east-1", "SourceSnapshotId": snapshot, **parameters}
        return str(self.ec2.copy_snapshot(**given)["SnapshotId"])

    def image(self, snapshot: str | None = None) -> str:
        device = {"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": snapshot or self.snapshot()}}
        registered = self.ec2.register_image(
            Name="golden", RootDeviceName="/dev/sda1", BlockDeviceMappings=[device]
        )
        return str(registered["ImageId"])

    def copy_image(self, image: str, **parameters: Any) -> str:
        given = {"SourceRegion": "us-east-1", "SourceImageId": image, **parameters}
        return str(self.ec2.copy_image(Name="copied", **given)["ImageId"])

    def instance(self) -> str:
        if self.stores:
            return "i-0123456789abcdef0"
        launched = self.ec2.run_instances(
            ImageId=self.ec2.register_image(Name="any")["ImageId"], MinCount=1, MaxCount=1
        )
        return str(launched["Instances"][0]["InstanceId"])

    def attach(self, volume: str, instance: str | None = None) -> str:
        instance = instance or self.instance()
        self.ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
        return instance

    def share(self, snapshot: str, *groups: str) -> None:
        whom = {"GroupNames": groups} if groups else {"UserIds": [OTHER_ACCOUNT]}
        self.ec2.modify_snapshot_attribute(
            SnapshotId=snapshot, Attribute=PERMISSION, OperationType="add", **whom
        )

    def share_image(self, image: str, **whom: str) -> None:
        permission = {"Add": [whom or {"UserId": OTHER_ACCOUNT}]}
        self.ec2.modify_image_attribute(ImageId=image, LaunchPermission=permission)


def nothing(_: Host) -> None:
    """Begin with the two keys alone."""


def default_volume(host: Host) -> str:
    """Begin with a volume under the AWS managed key."""
    return host.volume(Encrypted=True)


def default_snapshot(host: Host) -> str:
    """Begin with a snapshot under the AWS managed key."""
    return host.snapshot(default_volume(host))


def plain_snapshot(host: Host) -> str:
    """Begin with a snapshot that is not encrypted."""
    return host.snapshot(host.volume())


def failed_copy(host: Host) -> str:
    """Begin with a copy of a snapshot whose key could not be used."""
    snapshot = host.snapshot()
    host.deny(host.key, "kms:CreateGrant")
    return host.copy(snapshot, Encrypted=True, KmsKeyId=host.other)


def lost_volume(host: Host) -> str:
    """Begin with a volume that has vanished, since its key could not be used."""
    host.deny(host.key, "kms:CreateGrant")
    return host.encrypted_volume()


def attached(host: Host) -> tuple[str, str]:
    """Begin with a volume that is attached to an instance."""
    volume = host.encrypted_volume()
    return volume, host.attach(volume)


def to_attach(host: Host) -> tuple[str, str]:
    """Begin with a volume and an instance."""
    return host.encrypted_volume(), host.instance()


def denied(action: str, before: Callable[[Host], Any]) -> Callable[[Host], Any]:
    """Begin with something whose key cannot be used for an action."""

    def begin(host: Host) -> Any:
        begun = before(host)
        host.deny(host.key, action)
        return begun

    return begin


def by_default(before: Callable[[Host], Any], *, key: bool = False) -> Callable[[Host], Any]:
    """Begin with encryption by default. key: whether under the other key."""

    def begin(host: Host) -> Any:
        begun = before(host)
        host.ec2.enable_ebs_encryption_by_default()
        if key:
            host.ec2.modify_ebs_default_kms_key_id(KmsKeyId=host.other)
        return begun

    return begin
