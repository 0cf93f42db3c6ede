"""Images: sharing one that is encrypted, and copying it."""

from __future__ import annotations

import pytest

from kmsmock import mock_kms
from tests.authorization.documents import allow, deny, policy
from tests.refusals import refused
from tests.services.ec2.world import EAST, SECRET, SOURCE, TARGET, WEST, World

ROOT = "/dev/xvda"


@pytest.fixture
def image(world):
    return register(world)


def register(world, snapshot=None, name="web", **ebs):
    device = {"DeviceName": ROOT, "Ebs": {"SnapshotId": snapshot or world.snapshot, **ebs}}
    return world.source_ec2.register_image(
        Name=name, RootDeviceName=ROOT, BlockDeviceMappings=[device], Architecture="arm64"
    )["ImageId"]


def share(world, image, *, with_snapshot=True):
    world.source_ec2.modify_image_attribute(
        ImageId=image, LaunchPermission={"Add": [{"UserId": TARGET}]}
    )
    if with_snapshot:
        world.share()


def copy(world, image, **parameters):
    given = {"Encrypted": True, "KmsKeyId": world.target_key, "Name": "copied"} | parameters
    given = {name: value for name, value in given.items() if value is not None}
    answer = world.target_ec2.copy_image(SourceImageId=image, SourceRegion=EAST, **given)
    return answer["ImageId"]


def describe(ec2, image):
    return ec2.describe_images(ImageIds=[image])["Images"][0]


def test_an_image_shows_its_encrypted_snapshot(world, image):
    seen = describe(world.source_ec2, image)

    assert (seen["State"], seen["OwnerId"], seen["Architecture"]) == ("available", SOURCE, "arm64")
    (device,) = seen["BlockDeviceMappings"]
    assert device["Ebs"]["SnapshotId"] == world.snapshot
    assert device["Ebs"]["Encrypted"] is True


@pytest.mark.parametrize("region", [EAST, WEST])
def test_a_shared_image_is_copied_under_a_key_of_the_target(region):
    with mock_kms(isolated=True) as kms:
        world = World(kms, target_region=region)
        image = register(world)
        share(world, image)

        copied = copy(world, image)

        world.target_ec2.get_waiter("image_available").wait(ImageIds=[copied])
        (device,) = describe(world.target_ec2, copied)["BlockDeviceMappings"]
        snapshot = device["Ebs"]["SnapshotId"]
        assert snapshot != world.snapshot
        assert world.describe(snapshot)["KmsKeyId"] == world.target_key
        assert kms.ebs.read(snapshot, 0, len(SECRET)) == SECRET
        with refused("InvalidSnapshot.InUse"):
            world.target_ec2.delete_snapshot(SnapshotId=snapshot)


def test_an_image_is_pending_until_its_time_has_come():
    with mock_kms(isolated=True, delays="all", waiting="clock") as kms:
        world = World(kms, wait=lambda: kms.clock.advance(minutes=5))
        image = register(world)
        share(world, image)
        copied = copy(world, image)

        assert describe(world.target_ec2, copied)["State"] == "pending"
        with refused("InvalidAMIID.Unavailable"):
            copy(world, copied, Name="again")
        kms.clock.advance(minutes=5)
        assert describe(world.target_ec2, copied)["State"] == "available"


def test_an_image_that_is_not_shared_is_not_there(world, image):
    with refused("InvalidAMIID.NotFound", f"The image id '[{image}]' does not exist"):
        copy(world, image)
    with refused("InvalidAMIID.NotFound"):
        describe(world.target_ec2, image)


def test_to_copy_an_image_its_snapshot_must_be_shared_too(world, image):
    share(world, image, with_snapshot=False)
    assert describe(world.target_ec2, image)["OwnerId"] == SOURCE

    with refused(
        "InvalidRequest", "You do not have permission to access the storage of this ami"
    ) as caught:
        copy(world, image)

    assert world.snapshot in caught.value.__notes__[0]


def test_an_image_whose_key_cannot_be_used_fails_later(kms, world, image):
    world.limit_key()
    share(world, image)

    copied = copy(world, image)

    seen = describe(world.target_ec2, copied)
    assert seen["State"] == "failed"
    assert seen["StateReason"]["Message"] == (
        "AMI snapshot copy failed with error: Given key ID is not accessible. You must have "
        "DescribeKey permissions on the default CMK"
    )
    assert "kms:CreateGrant" in kms.ebs.why(copied)
    assert world.target_ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] == []


def test_an_image_with_a_bad_target_key_fails_later(world, image):
    share(world, image)
    world.target_kms.disable_key(KeyId=world.target_key)

    copied = copy(world, image)

    reason = describe(world.target_ec2, copied)["StateReason"]["Message"]
    assert reason.endswith(f"The specified keyId {world.target_key} is disabled")


def test_an_image_under_the_aws_managed_key_cannot_be_shared(world):
    image = register(world, world.take_snapshot(world.make_volume(Encrypted=True)), "managed")

    with refused(
        "InvalidParameter",
        "Snapshots encrypted with the AWS Managed CMK can't be shared. Specify another snapshot.",
    ):
        share(world, image)


def test_an_image_under_the_aws_managed_key_cannot_be_shared_by_who_may_not_look_at_keys(world):
    image = register(world, world.take_snapshot(world.make_volume(Encrypted=True)), "managed")
    statements = allow("ec2:*"), deny("kms:DescribeKey")
    ec2 = world.source.role("Blind", policies=[policy(*statements)]).client("ec2")

    with refused("InvalidParameter"):
        ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": TARGET}]})

    assert describe(world.source_ec2, image)["ImageId"] == image
    with refused("InvalidAMIID.NotFound"):
        describe(world.target_ec2, image)


def test_an_encrypted_image_cannot_be_public(world, image):
    with refused("InvalidParameter"):
        world.source_ec2.modify_image_attribute(
            ImageId=image, LaunchPermission={"Add": [{"Group": "all"}]}
        )


def test_an_image_of_plain_snapshots_can_be_public(world):
    image = register(world, world.take_snapshot(world.make_volume()), "plain")
    world.source_ec2.modify_image_attribute(
        ImageId=image, Attribute="launchPermission", OperationType="add", UserGroups=["all"]
    )

    assert describe(world.target_ec2, image)["Public"] is True


def test_the_attributes_of_an_image(world, image):
    ec2 = world.source_ec2
    share(world, image)
    ec2.modify_image_attribute(ImageId=image, Description={"Value": "for the web"})

    def attribute(name):
        return ec2.describe_image_attribute(ImageId=image, Attribute=name)

    assert attribute("launchPermission")["LaunchPermissions"] == [{"UserId": TARGET}]
    assert attribute("description")["Description"] == {"Value": "for the web"}
    assert len(attribute("blockDeviceMapping")["BlockDeviceMappings"]) == 1
    with refused("InvalidParameterValue"):
        attribute("kernel")
    ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Remove": [{"UserId": TARGET}]})
    assert attribute("launchPermission")["LaunchPermissions"] == []


def test_an_image_tags_its_snapshots_too(world):
    tags = [{"Key": "team", "Value": "blue"}]
    image = world.source_ec2.register_image(
        Name="tagged",
        RootDeviceName=ROOT,
        BlockDeviceMappings=[{"DeviceName": ROOT, "Ebs": {"SnapshotId": world.snapshot}}],
        TagSpecifications=[{"ResourceType": kind, "Tags": tags} for kind in ("image", "snapshot")],
    )["ImageId"]

    assert describe(world.source_ec2, image)["Tags"] == tags
    assert world.describe(world.snapshot, world.source_ec2)["Tags"] == tags


def test_images_are_found_by_owner_user_and_filter(world, image):
    share(world, image)

    def found(ec2, **parameters):
        return [i["ImageId"] for i in ec2.describe_images(**parameters)["Images"]]

    assert found(world.source_ec2, Owners=["self"]) == [image]
    assert found(world.target_ec2, Owners=["self"]) == []
    assert found(world.target_ec2, ExecutableUsers=["self"]) == [image]
    filters = [{"Name": "name", "Values": ["w*"]}, {"Name": "state", "Values": ["available"]}]
    assert found(world.target_ec2, Filters=filters) == [image]


@pytest.mark.parametrize("with_snapshots", [False, True])
def test_a_deregistered_image_lets_its_snapshots_go(world, image, with_snapshots):
    ec2 = world.source_ec2
    with refused(
        "InvalidSnapshot.InUse",
        f"The snapshot {world.snapshot} is currently in use by {image}",
    ):
        ec2.delete_snapshot(SnapshotId=world.snapshot)

    ec2.deregister_image(ImageId=image, DeleteAssociatedSnapshots=with_snapshots)

    with refused("InvalidAMIID.NotFound"):
        describe(ec2, image)
    left = ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert len(left) == (0 if with_snapshots else 1)


REFUSED = {
    "a name that is taken": ({}, "InvalidAMIName.Duplicate"),
    "a key for a snapshot": ({"name": "backup", "Encrypted": True}, "InvalidBlockDeviceMapping"),
    "a snapshot that is not there": (
        {"name": "backup", "snapshot": "snap-0123456789abcdef0"},
        "InvalidSnapshot.NotFound",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.usefixtures("image")
def test_an_image_that_is_refused(world, case):
    parameters, code = REFUSED[case]

    with refused(code):
        register(world, **parameters)


def test_an_image_needs_a_root_device(world):
    with refused("InvalidBlockDeviceMapping"):
        world.source_ec2.register_image(Name="rootless", RootDeviceName=ROOT)


def test_an_encrypted_image_has_no_copy_that_is_not_encrypted(world, image):
    share(world, image)

    with refused(
        "InvalidRequest",
        f"Snapshot {world.snapshot} is encrypted. Creating unencrypted copy from an encrypted "
        "snapshot is not supported.",
    ):
        copy(world, image, Encrypted=False, KmsKeyId=None)
