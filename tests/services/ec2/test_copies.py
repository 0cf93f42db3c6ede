"""CopySnapshot: the key of the copy, what is refused at once, and what shows later."""

from __future__ import annotations

import boto3
import pytest
from botocore.config import Config

from kmsmock import mock_kms
from tests.authorization.documents import allow, deny, policy, to
from tests.refusals import refused
from tests.services.ec2.world import EAST, SECRET, WEST, World

MISSING_KEY = f"arn:aws:kms:{EAST}:444455556666:key/00000000-0000-4000-8000-000000000000"


def key_named(kms_client, alias):
    return kms_client.describe_key(KeyId=alias)["KeyMetadata"]["Arn"]


# --- the key of the copy ---------------------------------------------------------------------


@pytest.mark.parametrize("encrypted", [None, True, False])
def test_an_encrypted_snapshot_is_copied_under_the_default_key_and_not_its_own(world, encrypted):
    copy = world.copy(world.source_ec2, KmsKeyId=None, Encrypted=encrypted)

    seen = world.see(copy, world.source_ec2)
    assert seen["Encrypted"] is True
    assert seen["KmsKeyId"] == key_named(world.source_kms, "alias/aws/ebs") != world.source_key


def test_a_copy_without_a_key_makes_the_aws_managed_key_of_the_target(kms, world):
    world.share()
    assert world.target_kms.list_keys()["Keys"] == [
        {"KeyId": world.target_key.rpartition("/")[2], "KeyArn": world.target_key}
    ]

    copy = world.copy(KmsKeyId=None, Encrypted=None)

    assert world.see(copy)["KmsKeyId"] == key_named(world.target_kms, "alias/aws/ebs")
    assert kms.ebs.read(copy, 0, len(SECRET)) == SECRET


def test_a_copy_to_another_region_needs_no_key(kms):
    world = World(kms, target_region=WEST)
    world.share()

    copy = world.copy(KmsKeyId=None, Encrypted=None)

    seen = world.see(copy)
    assert (seen["State"], seen["KmsKeyId"].split(":")[3]) == ("completed", WEST)


@pytest.mark.parametrize("form", ["id", "ARN", "alias", "alias ARN"])
def test_the_copy_shows_the_arn_however_its_key_was_named(world, form):
    world.target_kms.create_alias(AliasName="alias/copies", TargetKeyId=world.target_key)
    names = {
        "id": world.target_key.rpartition("/")[2],
        "ARN": world.target_key,
        "alias": "alias/copies",
        "alias ARN": f"arn:aws:kms:{EAST}:444455556666:alias/copies",
    }
    world.share()

    assert world.see(world.copy(KmsKeyId=names[form]))["KmsKeyId"] == world.target_key


@pytest.mark.parametrize(
    ("parameters", "by_default", "key"),
    [
        ({}, False, None),
        ({"Encrypted": False}, False, None),
        ({}, True, "alias/aws/ebs"),
        ({"Encrypted": True}, False, "alias/aws/ebs"),
        ({"Encrypted": True, "KmsKeyId": "alias/own"}, False, "alias/own"),
    ],
)
def test_the_key_of_a_copy_of_what_is_not_encrypted(kms, world, parameters, by_default, key):
    world.source_kms.create_alias(AliasName="alias/own", TargetKeyId=world.source_key)
    plain = world.make_volume()
    if by_default:
        world.source_ec2.enable_ebs_encryption_by_default()
    kms.ebs.write(plain, 700, SECRET)
    before = len(kms.calls)

    copy = world.source_ec2.copy_snapshot(
        SourceRegion=EAST, SourceSnapshotId=world.take_snapshot(plain), **parameters
    )["SnapshotId"]

    assert len(kms.calls[before:]) == (0 if key is None else 5)
    seen = world.see(copy, world.source_ec2)
    assert seen["Encrypted"] is (key is not None)
    assert seen.get("KmsKeyId") == (key and key_named(world.source_kms, key))
    assert kms.ebs.read(copy, 700, len(SECRET)) == SECRET


def test_nothing_of_the_source_but_its_contents_is_copied(world):
    world.source_ec2.create_tags(Resources=[world.snapshot], Tags=[{"Key": "a", "Value": "1"}])
    world.share()

    answer = world.target_ec2.copy_snapshot(
        SourceRegion=EAST,
        SourceSnapshotId=world.snapshot,
        TagSpecifications=[
            {"ResourceType": "snapshot", "Tags": [{"Key": "b", "Value": "2"}]},
        ],
    )

    assert answer["Tags"] == [{"Key": "b", "Value": "2"}]
    seen = world.see(answer["SnapshotId"])
    assert seen["Tags"] == answer["Tags"]
    assert (seen["Description"], seen["VolumeId"]) == ("", "vol-ffffffff")
    permissions = world.target_ec2.describe_snapshot_attribute(
        SnapshotId=answer["SnapshotId"], Attribute="createVolumePermission"
    )
    assert permissions["CreateVolumePermissions"] == []


# --- refused at once -------------------------------------------------------------------------

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

    assert world.see(copy)["StateMessage"] == "Source snapshot is not found"


def test_a_url_for_another_snapshot_is_refused(world):
    url = f"https://ec2.{EAST}.amazonaws.com/?SourceSnapshotId=snap-0123456789abcdef0"

    with refused(
        "InvalidParameterValue",
        "The source snapshot specified in PresignedUrl 'snap-0123456789abcdef0' does not match "
        f"the source snapshot in the request: '{world.snapshot}'",
    ):
        world.copy(PresignedUrl=url)


@pytest.mark.parametrize(
    ("parameters", "code", "status"),
    [
        ({"SourceRegion": EAST}, "MissingParameter", 400),
        ({"SourceSnapshotId": "snap-0123456789abcdef0"}, "InternalError", 500),
    ],
    ids=["no snapshot", "no Region"],
)
@pytest.mark.usefixtures("kms")
def test_a_request_without_what_it_must_have(parameters, code, status):
    ec2 = boto3.client("ec2", EAST, config=Config(parameter_validation=False))

    with refused(code) as caught:
        ec2.copy_snapshot(**parameters)

    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


@pytest.mark.parametrize("state", ["disabled", "pending deletion", "for signing", "for HMACs"])
def test_a_target_key_that_cannot_be_used_is_refused_at_once(world, state):
    world.share()
    key, word = world.target_key, "invalid"
    if state == "disabled":
        world.target_kms.disable_key(KeyId=key)
        word = "disabled"
    elif state == "pending deletion":
        world.target_kms.schedule_key_deletion(KeyId=key)
    else:
        spec, usage = {
            "for signing": ("ECC_NIST_P256", "SIGN_VERIFY"),
            "for HMACs": ("HMAC_256", "GENERATE_VERIFY_MAC"),
        }[state]
        made = world.target_kms.create_key(KeySpec=spec, KeyUsage=usage)
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
    assert world.see(copy)["KmsKeyId"] == world.source_key
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


# --- on the clock of the mock ----------------------------------------------------------------


@pytest.fixture
def slow():
    with mock_kms(isolated=True, delays="all") as kms:
        yield kms


@pytest.fixture
def slow_world(slow):
    return World(slow, wait=lambda: slow.clock.advance(minutes=5))


def test_a_copy_is_pending_until_its_time_has_come(slow, slow_world):
    world = slow_world
    world.share()
    copy = world.copy(CompletionDurationMinutes=15)

    seen = world.see(copy)
    assert (seen["State"], seen["StateMessage"]) == ("pending", "Metadata not updated")
    assert (seen["Progress"], seen["VolumeSize"], seen["Encrypted"]) == ("0%", 0, False)
    assert seen["TransferType"] == "time-based"
    assert "KmsKeyId" not in seen
    slow.clock.advance(minutes=5)
    seen = world.see(copy)
    assert (seen["State"], seen["Progress"], seen["VolumeSize"]) == ("completed", "100%", 1)
    assert "StateMessage" not in seen
    assert seen["FullSnapshotSizeInBytes"] == 512 * 1024


def test_a_source_that_is_pending_shows_later(slow, slow_world):
    world = slow_world
    pending = world.take_snapshot(world.volume)
    world.share(pending)

    copy = world.copy(SourceSnapshotId=pending)
    slow.clock.advance(minutes=5)

    assert world.see(copy)["StateMessage"] == "Source snapshot is not complete"


def test_a_target_key_that_is_disabled_meanwhile_shows_later(slow, slow_world):
    world = slow_world
    world.share()
    copy = world.copy()
    world.target_kms.disable_key(KeyId=world.target_key)
    slow.clock.advance(minutes=5)

    assert world.see(copy)["StateMessage"] == "Given key ID is not accessible"
    assert "is disabled" in slow.ebs.why(copy)


def test_twenty_copies_can_be_in_progress(slow_world):
    world = slow_world
    world.share()
    for _ in range(20):
        world.copy()

    with refused("ResourceLimitExceeded"):
        world.copy()


def test_a_copy_that_is_deleted_before_it_is_there_stays_away(slow, slow_world):
    world = slow_world
    world.share()
    copy = world.copy()
    world.target_ec2.delete_snapshot(SnapshotId=copy)
    slow.clock.advance(minutes=5)

    with refused("InvalidSnapshot.NotFound"):
        world.see(copy)


def test_copies_come_back_with_a_checkpoint(slow, slow_world):
    world = slow_world
    world.share()
    copy = world.copy()
    checkpoint = slow.checkpoint()
    slow.clock.advance(minutes=5)
    assert world.see(copy)["State"] == "completed"

    slow.restore(checkpoint)

    assert world.see(copy)["State"] == "pending"
    slow.clock.advance(minutes=5)
    assert world.see(copy)["State"] == "completed"
    assert slow.ebs.read(copy, 0, len(SECRET)) == SECRET


# --- who may ---------------------------------------------------------------------------------


@pytest.mark.parametrize("denied", ["source", "copy", "tags"])
def test_the_identity_policy_must_allow_source_and_copy_and_tags(world, denied):
    world.share()
    source = f"arn:aws:ec2:{EAST}::snapshot/{world.snapshot}"
    action, resource, statements = {
        "source": ("CopySnapshot", source, [allow("ec2:*"), deny("ec2:*", source)]),
        "copy": (
            "CopySnapshot",
            f"arn:aws:ec2:{EAST}::snapshot/*",
            [allow("ec2:CopySnapshot", source)],
        ),
        "tags": (
            "CreateTags",
            f"arn:aws:ec2:{EAST}::snapshot/*",
            [allow("ec2:CopySnapshot")],
        ),
    }[denied]
    caller = world.target.role("Copier", policies=[policy(allow("kms:*"), *statements)])
    tags = [{"ResourceType": "snapshot", "Tags": [{"Key": "a", "Value": "1"}]}]

    with refused("UnauthorizedOperation") as caught:
        world.copy(caller.client("ec2"), TagSpecifications=tags)

    assert caught.value.response["Error"]["Message"].startswith(
        "You are not authorized to perform this operation. User: "
        "arn:aws:sts::444455556666:assumed-role/Copier/session is not authorized to perform: "
        f"ec2:{action} on resource: {resource} "
    )
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_tags_may_be_allowed_for_copies_alone(world):
    world.share()
    while_copying = {"StringEquals": {"ec2:CreateAction": "CopySnapshot"}}
    statements = (
        allow(["ec2:CopySnapshot", "kms:*"]),
        allow("ec2:CreateTags", Condition=while_copying),
    )
    caller = world.target.role("Copier", policies=[policy(*statements)]).client("ec2")
    tags = [{"Key": "a", "Value": "1"}]

    copy = world.copy(caller, TagSpecifications=[{"ResourceType": "snapshot", "Tags": tags}])

    with refused("UnauthorizedOperation"):
        caller.create_tags(Resources=[copy], Tags=tags)


def test_a_key_policy_can_ask_for_grants_through_ec2_for_aws_resources_alone(world):
    through = {
        "StringEquals": {"kms:ViaService": f"ec2.{EAST}.amazonaws.com"},
        "Bool": {"kms:GrantIsForAWSResource": "true"},
    }
    document = policy(
        allow("kms:*", **to("arn:aws:iam::111122223333:root")),
        allow("kms:CreateGrant", **to("arn:aws:iam::444455556666:root"), Condition=through),
    )
    world.source_kms.put_key_policy(KeyId=world.source_key, Policy=document)
    world.share()

    assert world.see(world.copy())["State"] == "completed"


def test_a_client_without_credentials_copies_too(kms, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    ec2 = boto3.client("ec2", WEST)

    copy = ec2.copy_snapshot(SourceRegion=EAST, SourceSnapshotId="snap-0123456789abcdef0")

    assert kms.ebs.why(copy["SnapshotId"]).startswith("Source snapshot is not found")
