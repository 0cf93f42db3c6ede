"""Volumes on instances, which are no more than ids, and the instances' grants."""

from __future__ import annotations

import pytest

from tests.refusals import refused
from tests.services.ec2.world import EAST, SECRET, SOURCE, operations, request_members

INSTANCE = "i-0123456789abcdef0"
ANOTHER = "i-0fedcba9876543210"
INFRASTRUCTURE = f"arn:aws:sts::{SOURCE}:assumed-role/aws:ec2-infrastructure/{INSTANCE}"
INFRASTRUCTURE_ID = f"{SOURCE}:aws:ec2-infrastructure:{INSTANCE}"


def attach(world, volume=None, instance=INSTANCE, device="/dev/sdf"):
    return world.source_ec2.attach_volume(
        VolumeId=volume or world.volume, InstanceId=instance, Device=device
    )


def describe(world, volume=None):
    return world.source_ec2.describe_volumes(VolumeIds=[volume or world.volume])["Volumes"][0]


def test_an_attached_volume_is_in_use(world):
    answer = attach(world)

    assert (answer["State"], answer["InstanceId"]) == ("attaching", INSTANCE)
    world.source_ec2.get_waiter("volume_in_use").wait(VolumeIds=[world.volume])
    seen = describe(world)
    assert seen["State"] == "in-use"
    assert [(a["Device"], a["State"]) for a in seen["Attachments"]] == [("/dev/sdf", "attached")]


def test_the_instance_is_given_a_grant_and_opens_the_data_key(kms, world):
    before = len(kms.calls)
    attach(world)

    grant, opened = kms.calls[before:]
    assert operations((grant, opened)) == ["CreateGrant", "Decrypt"]
    assert request_members(grant)["GranteePrincipal"] == INFRASTRUCTURE_ID
    assert opened.caller == INFRASTRUCTURE
    assert opened.encryption_context == {"aws:ebs:id": world.volume}
    (listed,) = world.source_kms.list_grants(KeyId=world.source_key)["Grants"]
    assert listed["GranteePrincipal"] == INFRASTRUCTURE
    assert listed["Operations"] == ["Decrypt"]
    assert listed["Constraints"] == {"EncryptionContextSubset": {"aws:ebs:id": world.volume}}


def test_the_trail_shows_the_instance_as_a_role_of_awss_own(kms, world):
    attach(world)

    grant = kms.trail.lookup("CreateGrant")[-1]
    assert grant["requestParameters"]["granteePrincipal"] == INFRASTRUCTURE_ID
    record = kms.trail.lookup("Decrypt")[-1]
    assert "userAgent" not in record
    identity = record["userIdentity"]
    assert (identity["type"], identity["arn"]) == ("AssumedRole", INFRASTRUCTURE)
    assert (identity["principalId"], identity["accessKeyId"]) == (INFRASTRUCTURE_ID, "")
    assert identity["sessionContext"]["sessionIssuer"]["userName"] == "aws:ec2-infrastructure"


def test_only_a_service_may_name_an_instance_by_its_id_in_a_grant(world):
    with refused("InvalidArnException", f"ARN is not valid: {INFRASTRUCTURE_ID}"):
        world.source_kms.create_grant(
            KeyId=world.source_key, GranteePrincipal=INFRASTRUCTURE_ID, Operations=["Decrypt"]
        )


def test_a_detached_volume_is_available_and_the_grant_gone(world):
    attach(world)
    assert world.source_ec2.detach_volume(VolumeId=world.volume)["State"] == "detaching"

    assert (describe(world)["State"], describe(world)["Attachments"]) == (
        "available",
        [],
    )
    assert world.source_kms.list_grants(KeyId=world.source_key)["Grants"] == []


def test_an_attached_volume_outlives_its_key_until_it_is_detached(kms, world):
    attach(world)
    world.source_kms.disable_key(KeyId=world.source_key)

    kms.ebs.write(world.volume, 4096, b"still here")
    assert kms.ebs.read(world.volume, 0, len(SECRET)) == SECRET

    world.source_ec2.detach_volume(VolumeId=world.volume)
    with pytest.raises(Exception, match="is in state Disabled"):
        kms.ebs.read(world.volume, 0, 1)


@pytest.mark.parametrize("state", ["disabled", "pending deletion"])
def test_a_volume_whose_key_cannot_be_used_is_available_again(kms, world, state):
    if state == "disabled":
        world.source_kms.disable_key(KeyId=world.source_key)
    else:
        world.source_kms.schedule_key_deletion(KeyId=world.source_key)

    assert attach(world)["State"] == "attaching"

    assert (describe(world)["State"], describe(world)["Attachments"]) == (
        "available",
        [],
    )
    assert f"{world.source_key} is {state}." in kms.ebs.why(world.volume)


def test_an_unencrypted_volume_needs_no_key(kms, world):
    plain = world.make_volume()
    before = len(kms.calls)
    attach(world, plain)
    world.source_ec2.detach_volume(VolumeId=plain)

    assert kms.calls[before:] == []


def test_snapshots_of_all_volumes_of_an_instance(world):
    data = world.make_volume(Size=2)
    attach(world, device="/dev/xvda")
    attach(world, data)
    take = world.source_ec2.create_snapshots

    both = take(InstanceSpecification={"InstanceId": INSTANCE})["Snapshots"]
    assert {s["VolumeId"]: s["Encrypted"] for s in both} == {world.volume: True, data: False}
    assert {s["State"] for s in both} == {"pending"}
    specification = {"InstanceId": INSTANCE, "ExcludeBootVolume": True}
    (one,) = take(InstanceSpecification=specification)["Snapshots"]
    assert one["VolumeId"] == data
    with refused("InvalidRequest"):
        take(InstanceSpecification={"InstanceId": ANOTHER})


def test_what_attaching_refuses(world):
    attach(world)
    plain = world.make_volume()

    with refused("VolumeInUse", f"{world.volume} is already attached to an instance"):
        attach(world, instance=ANOTHER)
    with refused("InvalidParameterValue"):
        attach(world, plain)
    with refused("InvalidInstanceID.Malformed", 'Invalid id: "i-1"'):
        attach(world, plain, instance="i-1")
    with refused("VolumeInUse", f"Volume {world.volume} is currently attached to {INSTANCE}"):
        world.source_ec2.delete_volume(VolumeId=world.volume)
    with refused("InvalidAttachment.NotFound"):
        world.source_ec2.detach_volume(VolumeId=world.volume, InstanceId=ANOTHER)
    with refused("IncorrectState", f"Volume '{plain}' is in the 'available' state."):
        world.source_ec2.detach_volume(VolumeId=plain)


def test_a_volume_for_several_instances(world):
    volume = world.make_volume(VolumeType="io2", Size=4, Iops=100, MultiAttachEnabled=True)
    attach(world, volume)
    attach(world, volume, instance=ANOTHER)

    assert len(describe(world, volume)["Attachments"]) == 2
    with refused("InvalidParameterCombination"):
        world.source_ec2.detach_volume(VolumeId=volume)
    world.source_ec2.detach_volume(VolumeId=volume, InstanceId=ANOTHER)
    assert describe(world, volume)["State"] == "in-use"
    with refused("InvalidParameterCombination"):
        world.make_volume(MultiAttachEnabled=True, AvailabilityZone=f"{EAST}a")
