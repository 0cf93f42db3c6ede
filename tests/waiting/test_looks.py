"""Passing states end when they are due, or at the second look: waiting costs no time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import HTTPClientError

from kmsmock import KMSMock, mock_kms
from kmsmock.operations import OPERATIONS
from kmsmock.services.ec2 import answered as ec2
from kmsmock.services.rds import answered as rds
from tests.authorization.documents import allow
from tests.refusals import refused
from tests.waiting.passing import (
    ALL_STATES,
    DATABASE,
    INSTANCE,
    ZONE,
    Passing,
    create_replica,
    new_volume,
    snapshot_state,
    take_snapshot,
    volume_state,
)

each_state = pytest.mark.parametrize("passing", ALL_STATES.values(), ids=ALL_STATES)


@pytest.fixture
def kms() -> Iterator[KMSMock]:
    with mock_kms(seed=1, delays="all") as kms:
        yield kms


@pytest.fixture
def on_clock() -> Iterator[KMSMock]:
    with mock_kms(seed=1, delays="all", waiting="clock") as kms:
        yield kms


# --- the table --------------------------------------------------------------------------------


@each_state
def test_the_first_look_shows_the_passing_state_and_the_second_its_end(
    kms: KMSMock, passing: Passing
) -> None:
    look = passing.begin(kms)
    began = kms.clock.now()

    assert look() == passing.during
    assert look() == passing.after
    assert look() == passing.after
    assert kms.clock.now() == began


@each_state
def test_the_first_look_shows_the_end_when_it_was_due_before(
    kms: KMSMock, passing: Passing
) -> None:
    look = passing.begin(kms)
    kms.clock.advance(seconds=passing.seconds)

    assert look() == passing.after


@each_state
def test_on_the_clock_alone_looks_end_nothing(on_clock: KMSMock, passing: Passing) -> None:
    look = passing.begin(on_clock)

    assert [look() for _ in range(5)] == [passing.during] * 5
    on_clock.clock.advance(seconds=passing.seconds - 1)
    assert look() == passing.during
    on_clock.clock.advance(seconds=1)
    assert look() == passing.after


@each_state
def test_without_delays_there_is_nothing_to_wait_for(passing: Passing) -> None:
    with mock_kms(delays="none") as kms:
        look = passing.begin(kms)

        assert look() == passing.after


@each_state
def test_looks_are_part_of_a_checkpoint(kms: KMSMock, passing: Passing) -> None:
    look = passing.begin(kms)
    untouched = kms.checkpoint()
    assert look() == passing.during
    seen_once = kms.checkpoint()
    assert look() == passing.after

    for _ in range(2):
        kms.restore(seen_once)
        assert look() == passing.after
        kms.restore(untouched)
        assert [look(), look()] == [passing.during, passing.after]


@each_state
def test_what_ended_at_a_look_does_not_end_again_when_it_was_due(
    kms: KMSMock, passing: Passing
) -> None:
    look = passing.begin(kms)
    look()
    look()
    calls = len(kms.calls)
    events = len(kms.trail)
    kms.clock.advance(seconds=passing.seconds)

    assert look() == passing.after
    of_services = [call.operation for call in kms.calls[calls:] if call.via_service]
    assert of_services == []
    assert [e["eventName"] for e in kms.trail[events:] if e["eventType"] == "AwsServiceEvent"] == []


def test_each_operation_that_shows_passing_states_is_in_the_table() -> None:
    declared = {name for name, operation in OPERATIONS.items() if operation.shows is not None}
    for service in (ec2.SERVICE, rds.SERVICE):
        declared.update(service.shown_states)

    assert declared - {"ListKeyRotations"} == {each.operation for each in ALL_STATES.values()}


# --- what is a look -----------------------------------------------------------------------------


def test_operations_that_do_not_show_the_state_are_no_looks(kms: KMSMock) -> None:
    key_id, look = create_replica(kms)
    there = kms.client(region="eu-west-1")
    for _ in range(3):
        there.list_keys()
        there.get_key_policy(KeyId=key_id)
        kms.client().describe_key(KeyId=key_id)  # the primary has a state of its own

    assert look() == "Creating"


def test_refused_calls_are_no_looks(kms: KMSMock) -> None:
    key_id, look = create_replica(kms)
    stranger = kms.account("123456789012").role("Stranger").client(region="eu-west-1")
    for _ in range(3):
        with refused("AccessDeniedException"):
            stranger.describe_key(KeyId=key_id)

    assert look() == "Creating"


def test_calls_that_a_fault_refuses_are_no_looks(kms: KMSMock) -> None:
    key_id, look = create_replica(kms)
    kms.faults.fail("DescribeKey", "KMSInternalException", times=9, optional=True)
    with refused("KMSInternalException"):
        kms.client(region="eu-west-1").describe_key(KeyId=key_id)
    kms.faults.clear()

    assert look() == "Creating"


def test_answers_that_are_lost_on_the_way_are_no_looks(kms: KMSMock) -> None:
    key_id, look = create_replica(kms)
    kms.faults.drop_connection("DescribeKey", times=9, after_effect=True, optional=True)
    with pytest.raises(HTTPClientError):
        kms.client(region="eu-west-1").describe_key(KeyId=key_id)
    kms.faults.clear()

    assert look() == "Creating"


@pytest.mark.parametrize("operation", ["ListKeys", "*"])
def test_looks_count_while_faults_are_armed(kms: KMSMock, operation: str) -> None:
    _, look = create_replica(kms)
    kms.faults.fail(operation, "KMSInternalException", on_call=9, optional=True)

    assert [look(), look()] == ["Creating", "Enabled"]


def test_reads_of_the_test_are_no_looks(kms: KMSMock) -> None:
    key_id, look = create_replica(kms)
    for _ in range(3):
        assert [key.state.value for key in kms.keys].count("Creating") == 1
        assert kms.explain(
            kms.account("123456789012").administrator,
            "kms:DescribeKey",
            f"arn:aws:kms:eu-west-1:123456789012:key/{key_id}",
        )

    assert look() == "Creating"


def test_calls_that_services_make_are_no_looks(kms: KMSMock) -> None:
    key_id, look = create_replica(kms)
    arn = f"arn:aws:kms:eu-west-1:123456789012:key/{key_id}"
    rds = kms.client("rds", region="eu-west-1")
    for _ in range(3):
        with refused("KMSKeyNotAccessibleFault"):
            rds.create_db_instance(
                DBInstanceIdentifier="orders", StorageEncrypted=True, KmsKeyId=arn, **DATABASE
            )
    kms.calls.assert_called("DescribeKey", times=3, key=arn, via_service="rds", error_code=None)

    assert look() == "Creating"


def test_looks_of_all_clients_count_together(kms: KMSMock) -> None:
    key_id, _ = create_replica(kms)
    arn = f"arn:aws:kms:eu-west-1:123456789012:key/{key_id}"
    all_of_kms = {"Statement": allow("kms:*")}
    names = ("One", "Other")
    clients = [
        kms.account("123456789012").role(name, policies=[all_of_kms]).client(region="eu-west-1")
        for name in names
    ]

    states = [client.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] for client in clients]
    assert states == ["Creating", "Enabled"]


def test_a_look_of_another_account_counts(kms: KMSMock) -> None:
    client = kms.client()
    key = client.create_key(MultiRegion=True)["KeyMetadata"]
    shared = {"Statement": [allow("kms:*", Principal={"AWS": "*"})]}
    client.replicate_key(KeyId=key["KeyId"], ReplicaRegion="eu-west-1", Policy=json.dumps(shared))
    arn = key["Arn"].replace("us-east-1", "eu-west-1")
    role = kms.account("444455556666").role("Partner", policies=[{"Statement": allow("kms:*")}])
    theirs = role.client(region="eu-west-1")

    assert theirs.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Creating"
    ours = kms.client(region="eu-west-1").describe_key(KeyId=arn)["KeyMetadata"]
    assert ours["KeyState"] == "Enabled"


def test_a_look_of_an_account_that_a_snapshot_is_shared_with_counts(kms: KMSMock) -> None:
    ec2 = kms.client("ec2")
    volume = new_volume(ec2)
    kms.clock.advance(minutes=5)
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    ec2.modify_snapshot_attribute(
        SnapshotId=snapshot, CreateVolumePermission={"Add": [{"UserId": "444455556666"}]}
    )
    theirs = kms.account("444455556666").client("ec2")

    assert snapshot_state(theirs, snapshot)() == "pending"
    assert snapshot_state(ec2, snapshot)() == "completed"


def test_each_key_of_a_moved_primary_has_looks_of_its_own(kms: KMSMock) -> None:
    key_id, _ = create_replica(kms)
    kms.clock.advance(seconds=10)
    here, there = kms.client(), kms.client(region="eu-west-1")
    here.update_primary_region(KeyId=key_id, PrimaryRegion="eu-west-1")

    def states(client: Any) -> list[str]:
        return [client.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"] for _ in range(2)]

    assert states(here) == states(there) == ["Updating", "Enabled"]


def test_a_rotation_has_looks_in_all_regions_together(kms: KMSMock) -> None:
    key_id, _ = create_replica(kms)
    kms.clock.advance(seconds=10)
    here, there = kms.client(), kms.client(region="eu-west-1")
    here.rotate_key_on_demand(KeyId=key_id)

    assert "OnDemandRotationStartDate" in here.get_key_rotation_status(KeyId=key_id)
    assert "OnDemandRotationStartDate" not in there.get_key_rotation_status(KeyId=key_id)


def test_each_operation_shows_a_passing_state_once(kms: KMSMock) -> None:
    client = kms.client()
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    client.rotate_key_on_demand(KeyId=key_id)

    assert client.list_key_rotations(KeyId=key_id)["Rotations"] == []
    assert "OnDemandRotationStartDate" in client.get_key_rotation_status(KeyId=key_id)
    assert "OnDemandRotationStartDate" not in client.get_key_rotation_status(KeyId=key_id)
    assert len(client.list_key_rotations(KeyId=key_id)["Rotations"]) == 1


def test_no_rotation_ends_between_two_pages_of_a_list(kms: KMSMock) -> None:
    client = kms.client()
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    for _ in range(2):
        client.rotate_key_on_demand(KeyId=key_id)
        kms.clock.advance(minutes=2)
    client.rotate_key_on_demand(KeyId=key_id)

    def count_pages() -> int:
        pages = client.get_paginator("list_key_rotations").paginate(
            KeyId=key_id, PaginationConfig={"PageSize": 1}
        )
        return sum(1 for _ in pages)

    assert [count_pages(), count_pages()] == [2, 3]


def test_a_new_passing_state_begins_with_no_looks(kms: KMSMock) -> None:
    key_id, look = create_replica(kms)
    assert [look(), look()] == ["Creating", "Enabled"]
    kms.client().update_primary_region(KeyId=key_id, PrimaryRegion="eu-west-1")

    assert [look(), look()] == ["Updating", "Enabled"]


# --- lists and filters --------------------------------------------------------------------------


def test_a_list_is_a_look_at_each_resource_that_it_shows(kms: KMSMock) -> None:
    ec2 = kms.client("ec2")
    for _ in range(3):
        new_volume(ec2)

    def states() -> list[str]:
        return [volume["State"] for volume in ec2.describe_volumes()["Volumes"]]

    assert states() == ["creating"] * 3
    new_volume(ec2)
    assert states() == ["available"] * 3 + ["creating"]


def test_a_page_is_a_look_at_what_is_on_it(kms: KMSMock) -> None:
    ec2 = kms.client("ec2")
    for _ in range(7):
        new_volume(ec2)
    ec2.describe_volumes(MaxResults=5)

    states = [volume["State"] for volume in ec2.describe_volumes()["Volumes"]]
    assert states == ["available"] * 5 + ["creating"] * 2


def poll_by(ec2: Any, name: str, value: str) -> Callable[[], int]:
    filters = [{"Name": name, "Values": [value]}]
    return lambda: len(ec2.describe_volumes(Filters=filters)["Volumes"])


@pytest.mark.parametrize(
    ("value", "counts"), [("available", [0, 1]), ("creating", [1, 0])], ids=["end", "passing state"]
)
def test_what_a_filter_by_the_state_leaves_out_is_looked_at(
    kms: KMSMock, value: str, counts: list[int]
) -> None:
    ec2 = kms.client("ec2")
    new_volume(ec2)
    count = poll_by(ec2, "status", value)

    assert [count(), count()] == counts


def test_what_another_filter_leaves_out_is_not_looked_at(kms: KMSMock) -> None:
    ec2 = kms.client("ec2")
    volume = new_volume(ec2)
    count = poll_by(ec2, "size", "7")

    assert [count(), count(), count()] == [0, 0, 0]
    assert volume_state(ec2, volume)() == "creating"


# --- timestamps and effects ---------------------------------------------------------------------


def test_what_ends_at_a_look_has_ended_at_the_time_of_the_look(kms: KMSMock) -> None:
    look = take_snapshot(kms)
    ec2 = kms.client("ec2")
    look()
    kms.clock.advance(seconds=7)
    now = kms.clock.now()

    [snapshot] = ec2.describe_snapshots()["Snapshots"]
    assert snapshot["CompletionTime"] == now


def test_a_rotation_that_ends_at_a_look_has_its_date_and_its_event(kms: KMSMock) -> None:
    client = kms.client()
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    client.rotate_key_on_demand(KeyId=key_id)
    client.get_key_rotation_status(KeyId=key_id)
    kms.clock.advance(seconds=3)
    client.get_key_rotation_status(KeyId=key_id)

    [rotation] = client.list_key_rotations(KeyId=key_id)["Rotations"]
    assert rotation["RotationDate"] == kms.clock.now()
    [event] = kms.trail.lookup("RotateKey")
    assert event["eventTime"] == f"{kms.clock.now():%Y-%m-%dT%H:%M:%SZ}"


def test_a_restored_clock_and_a_reset_leave_no_passing_states(kms: KMSMock) -> None:
    _, look = create_replica(kms)
    look()
    kms.reset()
    _, look = create_replica(kms)

    assert look() == "Creating"


# --- those who do not wait ------------------------------------------------------------------------


def use_new_replica(kms: KMSMock) -> None:
    key_id, _ = create_replica(kms)
    kms.client(region="eu-west-1").encrypt(KeyId=key_id, Plaintext=b"text")


def replicate_updating_key(kms: KMSMock) -> None:
    key_id, _ = create_replica(kms)
    kms.clock.advance(seconds=10)
    kms.client().update_primary_region(KeyId=key_id, PrimaryRegion="eu-west-1")
    kms.client(region="eu-west-1").replicate_key(KeyId=key_id, ReplicaRegion="eu-west-2")


def create_key_in_connecting_store(kms: KMSMock) -> None:
    ALL_STATES["a CloudHSM key store"].begin(kms)
    [store] = kms.client().describe_custom_key_stores()["CustomKeyStores"]
    kms.client().create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store["CustomKeyStoreId"])


def snapshot_new_volume(kms: KMSMock) -> None:
    ec2 = kms.client("ec2")
    ec2.create_snapshot(VolumeId=new_volume(ec2))


def delete_new_volume(kms: KMSMock) -> None:
    ec2 = kms.client("ec2")
    ec2.delete_volume(VolumeId=new_volume(ec2))


def attach_new_volume(kms: KMSMock) -> None:
    ec2 = kms.client("ec2")
    ec2.attach_volume(VolumeId=new_volume(ec2), InstanceId=INSTANCE, Device="/dev/sdf")


def delete_detaching_volume(kms: KMSMock) -> None:
    ALL_STATES["a volume to detach"].begin(kms)
    ec2 = kms.client("ec2")
    [volume] = ec2.describe_volumes()["Volumes"]
    ec2.delete_volume(VolumeId=volume["VolumeId"])


def create_volume_from_new_snapshot(kms: KMSMock) -> None:
    take_snapshot(kms)
    ec2 = kms.client("ec2")
    [snapshot] = ec2.describe_snapshots()["Snapshots"]
    ec2.create_volume(AvailabilityZone=ZONE, SnapshotId=snapshot["SnapshotId"])


def copy_new_image(kms: KMSMock) -> None:
    ALL_STATES["a copy of an image"].begin(kms)
    ec2 = kms.client("ec2")
    [image] = ec2.describe_images(Filters=[{"Name": "name", "Values": ["copied"]}])["Images"]
    ec2.copy_image(Name="again", SourceImageId=image["ImageId"], SourceRegion="us-east-1")


def snapshot_new_instance(kms: KMSMock) -> None:
    rds = kms.client("rds")
    rds.create_db_instance(DBInstanceIdentifier="orders", **DATABASE)
    rds.create_db_snapshot(DBInstanceIdentifier="orders", DBSnapshotIdentifier="backup")


def copy_new_db_snapshot(kms: KMSMock) -> None:
    ALL_STATES["a snapshot of an instance"].begin(kms)
    kms.client("rds").copy_db_snapshot(
        SourceDBSnapshotIdentifier="backup", TargetDBSnapshotIdentifier="copied"
    )


def delete_deleting_cluster(kms: KMSMock) -> None:
    ALL_STATES["a cluster to delete"].begin(kms)
    kms.client("rds").delete_db_cluster(DBClusterIdentifier="orders", SkipFinalSnapshot=True)


#: Code that does not wait -> its error, and what it is told to call.
IMPATIENT: dict[Callable[[KMSMock], None], tuple[str, str]] = {
    use_new_replica: ("KMSInvalidStateException", "DescribeKey until KeyState is Enabled"),
    replicate_updating_key: ("KMSInvalidStateException", "DescribeKey until KeyState is Enabled"),
    create_key_in_connecting_store: (
        "CustomKeyStoreInvalidStateException",
        "DescribeCustomKeyStores until ConnectionState is CONNECTED",
    ),
    snapshot_new_volume: ("IncorrectState", "DescribeVolumes until State is available"),
    delete_new_volume: ("IncorrectState", "DescribeVolumes until State is available"),
    attach_new_volume: ("IncorrectState", "DescribeVolumes until State is available"),
    delete_detaching_volume: ("VolumeInUse", "DescribeVolumes until the attachment is absent"),
    create_volume_from_new_snapshot: (
        "IncorrectState",
        "DescribeSnapshots until State is completed",
    ),
    copy_new_image: ("InvalidAMIID.Unavailable", "DescribeImages until State is available"),
    snapshot_new_instance: (
        "InvalidDBInstanceState",
        "DescribeDBInstances until DBInstanceStatus is available",
    ),
    copy_new_db_snapshot: (
        "InvalidDBSnapshotState",
        "DescribeDBSnapshots until Status is available",
    ),
    delete_deleting_cluster: (
        "InvalidDBClusterStateFault",
        "DescribeDBClusters until it raises DBClusterNotFoundFault",
    ),
}


@pytest.mark.parametrize(
    ("call", "code", "advice"),
    [(call, *expected) for call, expected in IMPATIENT.items()],
    ids=[call.__name__ for call in IMPATIENT],
)
@pytest.mark.parametrize("waiting", ["looks", "clock"])
def test_code_that_does_not_wait_is_refused_and_told_how_to_wait(
    waiting: Any, call: Callable[[KMSMock], None], code: str, advice: str
) -> None:
    with mock_kms(delays="all", waiting=waiting) as kms, refused(code) as caught:
        call(kms)

    [note] = caught.value.__notes__
    assert f"Call {advice}, as on AWS" in note
    assert "kms.clock.advance(seconds=" in note
    assert ("waiting='clock'" in note) is (waiting == "clock")


def test_the_note_says_that_the_next_look_ends_it_after_one(kms: KMSMock) -> None:
    key_id, look = create_replica(kms)
    look()
    with refused("KMSInvalidStateException") as caught:
        kms.client(region="eu-west-1").encrypt(KeyId=key_id, Plaintext=b"text")

    assert "its next call ends the wait" in caught.value.__notes__[0]


def test_the_record_of_a_list_says_that_a_rotation_is_not_in_it_yet(kms: KMSMock) -> None:
    client = kms.client()
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    client.rotate_key_on_demand(KeyId=key_id)
    client.list_key_rotations(KeyId=key_id)

    call = kms.calls[-1]
    assert call.error_code is None
    assert call.explanation == (
        "The list is without the on-demand rotation that is in progress. Call GetKeyRotationStatus "
        "until OnDemandRotationStartDate is absent, as on AWS: here its second call ends the wait, "
        "and so does kms.clock.advance(seconds=100)."
    )
    client.list_key_rotations(KeyId=key_id)
    assert kms.calls[-1].explanation is None
