"""CopySnapshot: what is refused before there is a copy."""

from __future__ import annotations

import boto3
import pytest
from botocore.config import Config

from tests.authorization.documents import allow, deny, policy
from tests.refusals import refused
from tests.services.ec2.world import EAST, WEST

MISSING_KEY = f"arn:aws:kms:{EAST}:444455556666:key/00000000-0000-4000-8000-000000000000"


AT_ONCE = {
    "an id that is none": (
        {"SourceSnapshotId": "snap-x"},
        "InvalidParameterValue",
        "The specified snapshotId is invalid",
    ),
    "the id of zeros": (
        {"SourceSnapshotId": "snap-00000000000000000"},
        "InvalidParameterValue",
        "The specified snapshotId is invalid",
    ),
    "no Region": ({"SourceRegion": ""}, "InvalidRegion", " is not a valid region name."),
    "an unknown Region": (
        {"SourceRegion": "us-middle-1"},
        "InvalidRegion",
        "us-middle-1 is not a valid region name.",
    ),
    "an odd duration": (
        {"CompletionDurationMinutes": 14},
        "InvalidParameterValue",
        "'14' is not a valid value for completion duration. Specify a value between 15 and 2880 "
        "minutes, in 15 minute increments only",
    ),
    "another destination": (
        {"DestinationRegion": WEST},
        "InvalidParameterValue",
        f"DestinationRegion '{WEST}' does not match the current region ({EAST})",
    ),
    "a URL that is none": (
        {"PresignedUrl": "nowhere"},
        "InvalidParameterValue",
        "The protocol in PresignedUrl should be http or https",
    ),
    "a URL to another Region": (
        {"PresignedUrl": f"https://ec2.{EAST}.amazonaws.com/?DestinationRegion={WEST}"},
        "InvalidParameterValue",
        f"The destination region specified in PresignedUrl: '{WEST}' is incorrect",
    ),
    "a key that does not exist": (
        {"KmsKeyId": MISSING_KEY},
        "InvalidParameterValue",
        f"The specified keyId {MISSING_KEY} is invalid",
    ),
    "an alias that does not exist": (
        {"KmsKeyId": "alias/none"},
        "InvalidParameterValue",
        "The specified keyId alias/none is invalid",
    ),
    "a key without encryption": (
        {"Encrypted": None},
        "InvalidParameterDependency",
        "The parameter [KmsKeyId] requires the parameter Encrypted to be set.",
    ),
    "an Outpost": (
        {"DestinationOutpostArn": "arn:aws:outposts:us-east-1:1:outpost/op-1"},
        "UnsupportedOperation",
        None,
    ),
}


@pytest.mark.parametrize("case", AT_ONCE)
def test_a_copy_that_is_refused_at_once(world, case):
    parameters, code, message = AT_ONCE[case]
    world.share()

    with refused(code, message):
        world.copy(**parameters)

    assert world.target_ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] == []


def test_an_id_of_few_letters_is_one(world):
    copy = world.copy(SourceSnapshotId="snap-0aaaaaaaaaaaaaaaa")

    assert world.describe(copy)["StateMessage"] == "Source snapshot is not found"


def test_a_url_for_another_snapshot_is_refused(world):
    url = f"https://ec2.{EAST}.amazonaws.com/?SourceSnapshotId=snap-0123456789abcdef0"

    with refused(
        "InvalidParameterValue",
        "The source snapshot specified in PresignedUrl 'snap-0123456789abcdef0' does not match "
        f"the source snapshot in the request: '{world.snapshot}'",
    ):
        world.copy(PresignedUrl=url)


@pytest.mark.parametrize(
    ("parameters", "code", "message", "status"),
    [
        (
            {"SourceRegion": EAST},
            "MissingParameter",
            "The request must contain the parameter SourceSnapshotId",
            400,
        ),
        (
            {"SourceSnapshotId": "snap-0123456789abcdef0"},
            "InternalError",
            "An internal error has occurred",
            500,
        ),
    ],
    ids=["no snapshot", "no Region"],
)
@pytest.mark.usefixtures("kms")
def test_a_request_without_what_it_must_have(parameters, code, message, status):
    ec2 = boto3.client("ec2", EAST, config=Config(parameter_validation=False))

    with refused(code, message) as caught:
        ec2.copy_snapshot(**parameters)

    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


@pytest.mark.parametrize(
    "state", ["disabled", "pending deletion", "pending import", "for signing", "for HMACs"]
)
def test_a_target_key_that_cannot_be_used_is_refused_at_once(world, state):
    world.share()
    key, word = world.target_key, "invalid"
    if state == "disabled":
        world.target_kms.disable_key(KeyId=key)
        word = "disabled"
    elif state == "pending deletion":
        world.target_kms.schedule_key_deletion(KeyId=key)
    else:
        made = world.target_kms.create_key(
            **{
                "pending import": {"Origin": "EXTERNAL"},
                "for signing": {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"},
                "for HMACs": {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
            }[state]
        )
        key = made["KeyMetadata"]["Arn"]

    with refused("InvalidParameterValue", f"The specified keyId {key} is {word}"):
        world.copy(KmsKeyId=key)


def test_another_accounts_key_that_may_not_be_looked_at_is_refused_at_once(world):
    world.share()
    world.limit_key("kms:CreateGrant")

    with refused("AuthFailure", f"Not authorized to use key {world.source_key} "):
        world.copy(KmsKeyId=world.source_key)


def test_a_copy_may_stay_under_the_source_key_and_then_depends_on_it(world):
    world.share()
    copy = world.copy(KmsKeyId=world.source_key)
    assert world.describe(copy)["KmsKeyId"] == world.source_key
    world.source_kms.disable_key(KeyId=world.source_key)

    volume = world.make_volume(world.target_ec2, SnapshotId=copy)

    with refused("InvalidVolume.NotFound"):
        world.target_ec2.describe_volumes(VolumeIds=[volume])


def test_a_dry_run_makes_nothing(world):
    with refused(
        "DryRunOperation", "Request would have succeeded, but DryRun flag is set."
    ) as caught:
        world.copy(DryRun=True)

    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    assert world.target_ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] == []


@pytest.mark.parametrize("dry", [False, True])
def test_an_id_that_is_none_is_refused_before_policies_and_dry_runs(world, dry):
    nobody = world.target.role("Nobody", policies=[]).client("ec2")

    with refused("InvalidParameterValue", "The specified snapshotId is invalid"):
        world.copy(nobody, SourceSnapshotId="snap-x", DryRun=dry)


def test_the_default_key_must_be_looked_at_too(world):
    world.share()
    statements = allow(["ec2:*", "kms:*"]), deny("kms:DescribeKey")
    caller = world.target.role("Copier", policies=[policy(*statements)]).client("ec2")

    with refused("AuthFailure", "Not authorized to use key alias/aws/ebs "):
        world.copy(caller, KmsKeyId=None)


def test_a_target_key_of_another_region_is_answered_with_where_keys_must_be(world):
    world.share()
    key = world.target.client("kms", WEST).create_key()["KeyMetadata"]["Arn"]

    with refused("InvalidParameterValue", f"The specified keyId {key} is invalid") as caught:
        world.copy(KmsKeyId=key)

    note = caught.value.__notes__[0]
    assert f"The ARN is of Region {WEST}, but a key of {EAST} is needed." in note
    assert "client" not in note


@pytest.mark.parametrize("encrypted", [None, False])
def test_a_key_without_encryption_is_answered_with_what_to_give(world, encrypted):
    world.share()

    with refused("InvalidParameterDependency") as caught:
        world.copy(Encrypted=encrypted)

    assert "Encrypted=True" in caught.value.__notes__[0]
