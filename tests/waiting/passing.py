"""Each passing state: what begins it, which answer shows it, and what comes after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from kmsmock import KMSMock
from tests.operations.test_custom_key_stores import CLOUDHSM, PROXY
from tests.operations.test_custom_key_stores import create as create_store

Look = Callable[[], Any]
ZONE = "us-east-1a"
INSTANCE = "i-0123456789abcdef0"
DATABASE = {
    "DBInstanceClass": "db.t3.medium",
    "Engine": "postgres",
    "AllocatedStorage": 5,
    "MasterUsername": "admin1",
    "MasterUserPassword": "password1",
    "BackupRetentionPeriod": 0,
}
CLUSTER = {
    "Engine": "aurora-postgresql",
    "MasterUsername": "admin1",
    "MasterUserPassword": "password1",
}


class Passing(NamedTuple):
    """A passing state."""

    #: Begins it, and returns a function that looks at it once and returns what is shown.
    begin: Callable[[KMSMock], Look]
    #: What the answer shows while it lasts, and afterwards.
    during: Any
    after: Any
    #: How long it lasts on the mock's clock, in seconds.
    seconds: int
    #: The operation that is named to those who do not wait.
    operation: str


def shown(look: Callable[[], Any]) -> Look:
    """Return a function that returns the error code where a look is refused."""

    def look_or_refused() -> Any:
        try:
            return look()
        except ClientError as error:
            return error.response["Error"]["Code"]

    return look_or_refused


# --- KMS -------------------------------------------------------------------------------------


def key_state(client: Any, key_id: str) -> Look:
    return lambda: client.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"]


def settle(look: Look) -> None:
    """Look until nothing changes any more."""
    look()
    look()


def create_replica(kms: KMSMock) -> tuple[str, Look]:
    client = kms.client()
    key_id = client.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    client.replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")
    return key_id, key_state(kms.client(region="eu-west-1"), key_id)


def replicate(kms: KMSMock) -> Look:
    return create_replica(kms)[1]


def move_primary(kms: KMSMock, region: str) -> Look:
    key_id, look = create_replica(kms)
    kms.clock.advance(minutes=1)
    assert look() == "Enabled"
    kms.client().update_primary_region(KeyId=key_id, PrimaryRegion="eu-west-1")
    return key_state(kms.client(region=region), key_id)


def rotate(kms: KMSMock) -> Look:
    client = kms.client()
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    client.rotate_key_on_demand(KeyId=key_id)
    return lambda: "OnDemandRotationStartDate" in client.get_key_rotation_status(KeyId=key_id)


def rotate_and_list(kms: KMSMock) -> Look:
    client = kms.client()
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    client.rotate_key_on_demand(KeyId=key_id)
    return lambda: len(client.list_key_rotations(KeyId=key_id)["Rotations"])


def rotate_and_look_at_replica(kms: KMSMock) -> Look:
    key_id, look = create_replica(kms)
    kms.clock.advance(minutes=1)
    assert look() == "Enabled"
    kms.client().rotate_key_on_demand(KeyId=key_id)
    there = kms.client(region="eu-west-1")
    return lambda: "OnDemandRotationStartDate" in there.get_key_rotation_status(KeyId=key_id)


def store_state(client: Any, store_id: str) -> Look:
    def look() -> Any:
        answer = client.describe_custom_key_stores(CustomKeyStoreId=store_id)
        return answer["CustomKeyStores"][0]["ConnectionState"]

    return look


def connect(kms: KMSMock, settings: dict[str, Any]) -> Look:
    client = kms.client()
    store_id = create_store(client, settings=settings)
    client.connect_custom_key_store(CustomKeyStoreId=store_id)
    return store_state(client, store_id)


def connect_in_vain(kms: KMSMock) -> Look:
    client = kms.client()
    store_id = create_store(client)
    client.connect_custom_key_store(CustomKeyStoreId=store_id)
    kms.key_store(store_id).fail("USER_LOCKED_OUT")
    return store_state(client, store_id)


def disconnect(kms: KMSMock) -> Look:
    client = kms.client()
    store_id = create_store(client)
    client.connect_custom_key_store(CustomKeyStoreId=store_id)
    kms.clock.advance(minutes=10)
    client.disconnect_custom_key_store(CustomKeyStoreId=store_id)
    return store_state(client, store_id)


KMS_STATES = {
    "a replica key": Passing(replicate, "Creating", "Enabled", 10, "DescribeKey"),
    "the new primary key": Passing(
        lambda kms: move_primary(kms, "eu-west-1"), "Updating", "Enabled", 10, "DescribeKey"
    ),
    "the previous primary key": Passing(
        lambda kms: move_primary(kms, "us-east-1"), "Updating", "Enabled", 10, "DescribeKey"
    ),
    "a rotation": Passing(rotate, True, False, 100, "GetKeyRotationStatus"),
    "a rotation, in the list": Passing(rotate_and_list, 0, 1, 100, "GetKeyRotationStatus"),
    "a rotation, of a replica": Passing(
        rotate_and_look_at_replica, True, False, 100, "GetKeyRotationStatus"
    ),
    "a CloudHSM key store": Passing(
        lambda kms: connect(kms, CLOUDHSM),
        *("CONNECTING", "CONNECTED", 600, "DescribeCustomKeyStores"),
    ),
    "an external key store": Passing(
        lambda kms: connect(kms, PROXY),
        *("CONNECTING", "CONNECTED", 300, "DescribeCustomKeyStores"),
    ),
    "a key store that fails": Passing(
        connect_in_vain, "CONNECTING", "FAILED", 600, "DescribeCustomKeyStores"
    ),
    "a key store to disconnect": Passing(
        disconnect, "DISCONNECTING", "DISCONNECTED", 60, "DescribeCustomKeyStores"
    ),
}


# --- EC2 -------------------------------------------------------------------------------------


def new_volume(ec2: Any, **parameters: Any) -> str:
    volume = ec2.create_volume(AvailabilityZone=ZONE, Size=1, **parameters)["VolumeId"]
    assert isinstance(volume, str)
    return volume


def volume_state(ec2: Any, volume: str) -> Look:
    return shown(lambda: ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["State"])


def snapshot_state(ec2: Any, snapshot: str) -> Look:
    return lambda: ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["State"]


def create_volume(kms: KMSMock) -> Look:
    ec2 = kms.client("ec2")
    return volume_state(ec2, new_volume(ec2, Encrypted=True))


def lose_volume(kms: KMSMock) -> Look:
    client, ec2 = kms.client(), kms.client("ec2")
    key = client.create_key()["KeyMetadata"]["Arn"]
    client.disable_key(KeyId=key)
    return volume_state(ec2, new_volume(ec2, Encrypted=True, KmsKeyId=key))


def ready_volume(kms: KMSMock) -> tuple[Any, str]:
    ec2 = kms.client("ec2")
    volume = new_volume(ec2, Encrypted=True)
    kms.clock.advance(minutes=5)
    assert volume_state(ec2, volume)() == "available"
    return ec2, volume


def ready_snapshot(kms: KMSMock) -> tuple[Any, str]:
    ec2, volume = ready_volume(kms)
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    kms.clock.advance(minutes=5)
    assert snapshot_state(ec2, snapshot)() == "completed"
    return ec2, snapshot


def attach_volume(kms: KMSMock) -> Look:
    ec2, volume = ready_volume(kms)
    ec2.attach_volume(VolumeId=volume, InstanceId=INSTANCE, Device="/dev/sdf")
    return attachment_states(ec2, volume)


def attachment_states(ec2: Any, volume: str) -> Look:
    def look() -> Any:
        [described] = ec2.describe_volumes(VolumeIds=[volume])["Volumes"]
        return [attachment["State"] for attachment in described["Attachments"]]

    return look


def detach_volume(kms: KMSMock) -> Look:
    ec2, volume = ready_volume(kms)
    ec2.attach_volume(VolumeId=volume, InstanceId=INSTANCE, Device="/dev/sdf")
    kms.clock.advance(minutes=5)
    ec2.detach_volume(VolumeId=volume)
    return attachment_states(ec2, volume)


def take_snapshot(kms: KMSMock) -> Look:
    ec2, volume = ready_volume(kms)
    return snapshot_state(ec2, ec2.create_snapshot(VolumeId=volume)["SnapshotId"])


def copy_snapshot(kms: KMSMock, source: str | None = None) -> Look:
    ec2, snapshot = ready_snapshot(kms)
    copy = ec2.copy_snapshot(
        SourceRegion="us-east-1", SourceSnapshotId=source or snapshot, Encrypted=True
    )
    return snapshot_state(ec2, copy["SnapshotId"])


def copy_image(kms: KMSMock) -> Look:
    ec2, snapshot = ready_snapshot(kms)
    device = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}
    image = ec2.register_image(
        Name="web", RootDeviceName="/dev/xvda", BlockDeviceMappings=[device]
    )["ImageId"]
    copy = ec2.copy_image(Name="copied", SourceImageId=image, SourceRegion="us-east-1")["ImageId"]
    return lambda: ec2.describe_images(ImageIds=[copy])["Images"][0]["State"]


EC2_STATES = {
    "a volume": Passing(create_volume, "creating", "available", 300, "DescribeVolumes"),
    "a volume that vanishes": Passing(
        lose_volume, "creating", "InvalidVolume.NotFound", 300, "DescribeVolumes"
    ),
    "a volume to attach": Passing(
        attach_volume, ["attaching"], ["attached"], 300, "DescribeVolumes"
    ),
    "a volume to detach": Passing(detach_volume, ["detaching"], [], 300, "DescribeVolumes"),
    "a snapshot": Passing(take_snapshot, "pending", "completed", 300, "DescribeSnapshots"),
    "a copy of a snapshot": Passing(
        copy_snapshot, "pending", "completed", 300, "DescribeSnapshots"
    ),
    "a copy that fails": Passing(
        lambda kms: copy_snapshot(kms, "snap-0123456789abcdef0"),
        *("pending", "error", 300, "DescribeSnapshots"),
    ),
    "a copy of an image": Passing(copy_image, "pending", "available", 300, "DescribeImages"),
}


# --- RDS -------------------------------------------------------------------------------------


def instance_state(rds: Any, name: str = "orders") -> Look:
    def look() -> Any:
        answer = rds.describe_db_instances(DBInstanceIdentifier=name)
        return answer["DBInstances"][0]["DBInstanceStatus"]

    return shown(look)


def cluster_state(rds: Any, name: str = "orders") -> Look:
    return shown(
        lambda: rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]["Status"]
    )


def db_snapshot_state(rds: Any, name: str) -> Look:
    return lambda: rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0]["Status"]


def cluster_snapshot_state(rds: Any, name: str) -> Look:
    def look() -> Any:
        answer = rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=name)
        return answer["DBClusterSnapshots"][0]["Status"]

    return look


def create_instance(kms: KMSMock) -> Look:
    rds = kms.client("rds")
    rds.create_db_instance(DBInstanceIdentifier="orders", StorageEncrypted=True, **DATABASE)
    return instance_state(rds)


def ready(kms: KMSMock, begin: Callable[[KMSMock], Look]) -> Any:
    """Wait until what begins is available, and return the client."""
    look = begin(kms)
    kms.clock.advance(minutes=5)
    assert look() == "available"
    return kms.client("rds")


def create_cluster(kms: KMSMock) -> Look:
    rds = kms.client("rds")
    rds.create_db_cluster(DBClusterIdentifier="orders", StorageEncrypted=True, **CLUSTER)
    return cluster_state(rds)


def stop_instance(kms: KMSMock) -> Look:
    rds = ready(kms, create_instance)
    rds.stop_db_instance(DBInstanceIdentifier="orders")
    return instance_state(rds)


def start_instance(kms: KMSMock) -> Look:
    rds = ready(kms, create_instance)
    rds.stop_db_instance(DBInstanceIdentifier="orders")
    kms.clock.advance(minutes=5)
    rds.start_db_instance(DBInstanceIdentifier="orders")
    return instance_state(rds)


def delete_instance(kms: KMSMock) -> Look:
    rds = ready(kms, create_instance)
    rds.delete_db_instance(DBInstanceIdentifier="orders", SkipFinalSnapshot=True)
    return instance_state(rds)


def take_db_snapshot(kms: KMSMock) -> Look:
    rds = ready(kms, create_instance)
    rds.create_db_snapshot(DBInstanceIdentifier="orders", DBSnapshotIdentifier="backup")
    return db_snapshot_state(rds, "backup")


def copy_db_snapshot(kms: KMSMock) -> Look:
    rds = ready(kms, take_db_snapshot)
    rds.copy_db_snapshot(SourceDBSnapshotIdentifier="backup", TargetDBSnapshotIdentifier="copied")
    return db_snapshot_state(rds, "copied")


def restore_instance(kms: KMSMock) -> Look:
    rds = ready(kms, take_db_snapshot)
    rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="restored", DBSnapshotIdentifier="backup"
    )
    return instance_state(rds, "restored")


def delete_cluster(kms: KMSMock) -> Look:
    rds = ready(kms, create_cluster)
    rds.delete_db_cluster(DBClusterIdentifier="orders", SkipFinalSnapshot=True)
    return cluster_state(rds)


def take_cluster_snapshot(kms: KMSMock) -> Look:
    rds = ready(kms, create_cluster)
    rds.create_db_cluster_snapshot(
        DBClusterIdentifier="orders", DBClusterSnapshotIdentifier="backup"
    )
    return cluster_snapshot_state(rds, "backup")


RDS_STATES = {
    "an instance": Passing(create_instance, "creating", "available", 300, "DescribeDBInstances"),
    "an instance to stop": Passing(
        stop_instance, "stopping", "stopped", 300, "DescribeDBInstances"
    ),
    "an instance to start": Passing(
        start_instance, "starting", "available", 300, "DescribeDBInstances"
    ),
    "an instance to delete": Passing(
        delete_instance, "deleting", "DBInstanceNotFound", 300, "DescribeDBInstances"
    ),
    "a restored instance": Passing(
        restore_instance, "creating", "available", 300, "DescribeDBInstances"
    ),
    "a snapshot of an instance": Passing(
        take_db_snapshot, "creating", "available", 300, "DescribeDBSnapshots"
    ),
    "a copy of such a snapshot": Passing(
        copy_db_snapshot, "creating", "available", 300, "DescribeDBSnapshots"
    ),
    "a cluster": Passing(create_cluster, "creating", "available", 300, "DescribeDBClusters"),
    "a cluster to delete": Passing(
        delete_cluster, "deleting", "DBClusterNotFoundFault", 300, "DescribeDBClusters"
    ),
    "a snapshot of a cluster": Passing(
        take_cluster_snapshot, "creating", "available", 300, "DescribeDBClusterSnapshots"
    ),
}
ALL_STATES = {**KMS_STATES, **EC2_STATES, **RDS_STATES}
