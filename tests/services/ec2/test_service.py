"""What EC2 is here: a part of it, and moto's when moto is there."""

from __future__ import annotations

import boto3
import pytest

from kmsmock import mock_kms
from tests.refusals import refused
from tests.services.ec2.world import EAST


def test_an_operation_that_is_not_emulated_names_moto(kms):
    with refused(
        "InvalidAction", "The action RunInstances is not valid for this web service."
    ) as caught:
        kms.client("ec2").run_instances(MinCount=1, MaxCount=1)

    assert "While moto's mock_aws is active, moto answers ec2." in caught.value.__notes__[0]


def test_ec2_can_be_left_alone():
    class LeftTheClientError(Exception):
        """What becomes of a request that nobody has answered."""

    def stop(**_):
        raise LeftTheClientError

    with mock_kms(isolated=True, services=("kms",)):
        ec2 = boto3.client("ec2", EAST)
        ec2.meta.events.register("before-send.ec2", stop)
        with pytest.raises(LeftTheClientError):
            ec2.describe_volumes()


@pytest.mark.parametrize("kms_first", [True, False])
def test_moto_answers_ec2_while_it_is_active(kms_first):
    mock_aws = pytest.importorskip("moto").mock_aws

    managers = [mock_kms(isolated=True), mock_aws()]
    outer, inner = managers if kms_first else reversed(managers)
    with outer, inner:
        assert boto3.client("ec2", EAST).describe_instances()["Reservations"] == []
        volume = boto3.client("ec2", EAST).create_volume(AvailabilityZone=f"{EAST}a", Size=1)
        with pytest.raises(Exception, match="does not exist"):
            boto3.client("ec2", EAST).describe_volumes(VolumeIds=["vol-0123456789abcdef0"])
        assert volume["VolumeId"].startswith("vol-")
        assert boto3.client("kms", EAST).list_keys()["Keys"] == []


def test_a_client_of_nobody_is_refused(kms):
    iam = kms.client("iam")
    iam.create_user(UserName="Gone")
    key = iam.create_access_key(UserName="Gone")["AccessKey"]
    ec2 = boto3.client(
        "ec2",
        EAST,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    iam.delete_access_key(UserName="Gone", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="Gone")

    with refused("AuthFailure", "AWS was not able to validate the provided access credentials"):
        ec2.describe_volumes()


def test_ids_are_functions_of_the_seed():
    def ids():
        with mock_kms(isolated=True, seed=7) as kms:
            ec2 = kms.client("ec2")
            where = {"AvailabilityZone": f"{EAST}a"}
            volume = ec2.create_volume(Size=1, Encrypted=True, **where)
            return volume, ec2.create_snapshot(VolumeId=volume["VolumeId"])

    assert ids() == ids()


def test_an_error_has_the_form_that_ec2_gives_it(kms):
    with refused("InvalidVolume.NotFound") as caught:
        kms.client("ec2").describe_volumes(VolumeIds=["vol-0123456789abcdef0"])

    assert set(caught.value.response["Error"]) == {"Code", "Message"}


def test_a_reset_forgets_volumes():
    with mock_kms(isolated=True) as kms:
        kms.client("ec2").create_volume(AvailabilityZone=f"{EAST}a", Size=1)
        kms.reset()

        assert kms.client("ec2").describe_volumes()["Volumes"] == []


def test_with_authorization_off_everybody_may():
    with mock_kms(isolated=True, authorization="off") as kms:
        ec2 = kms.account("111122223333").role("Nobody", policies=[]).client("ec2")
        volume = ec2.create_volume(AvailabilityZone=f"{EAST}a", Size=1, Encrypted=True)

        assert ec2.describe_volumes(VolumeIds=[volume["VolumeId"]])["Volumes"][0]["Encrypted"]
