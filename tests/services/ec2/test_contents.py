"""kms.ebs: contents that are really encrypted, and why something failed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmsmock import mock_kms
from kmsmock.services import sectors
from kmsmock.services.ec2.answered.contents import UnreadableContentsError
from tests.services.ec2.world import SECRET

KEY = bytes(range(64))


def test_what_was_never_written_is_zeros(kms, world):
    assert kms.ebs.read(world.volume, 1_000_000, 4) == bytes(4)
    assert kms.ebs.read(world.volume, 0, len(SECRET) + 2) == SECRET + bytes(2)


def test_a_snapshot_keeps_the_contents_of_its_moment(kms, world):
    kms.ebs.write(world.volume, 0, b"later")

    assert kms.ebs.read(world.snapshot, 0, len(SECRET)) == SECRET
    assert kms.ebs.read(world.volume, 0, 5) == b"later"


@pytest.mark.parametrize("encrypted", [True, False])
def test_what_is_stored_is_encrypted_unless_the_volume_is_not(kms, world, encrypted):
    text = b"found on the platter"
    kms.ebs.write(world.make_volume(Encrypted=encrypted), 0, text)

    stored = kms.backend.checkpoint()._data

    assert (text in stored) is not encrypted


def test_a_disabled_key_keeps_the_contents_back(kms, world):
    world.source_kms.disable_key(KeyId=world.source_key)

    with pytest.raises(UnreadableContentsError, match="is in state Disabled"):
        kms.ebs.read(world.snapshot, 0, 1)
    world.source_kms.enable_key(KeyId=world.source_key)
    assert kms.ebs.read(world.snapshot, 0, len(SECRET)) == SECRET


def test_a_lost_key_is_lost_data(kms, world):
    world.source_kms.schedule_key_deletion(KeyId=world.source_key, PendingWindowInDays=7)
    kms.clock.advance(days=8)

    with pytest.raises(UnreadableContentsError, match="has been deleted, and its data is lost"):
        kms.ebs.read(world.volume, 0, 1)
    with pytest.raises(UnreadableContentsError):
        kms.ebs.write(world.volume, 0, b"x")


@pytest.mark.parametrize(
    ("offset", "length"),
    [(-1, 1), (1024**3, 1), (0, 1024**3 + 1)],
    ids=["before", "behind", "long"],
)
def test_a_place_outside_of_the_volume_is_refused(kms, world, offset, length):
    with pytest.raises(ValueError, match="has 1 GiB"):
        kms.ebs.read(world.volume, offset, length)


def test_a_snapshot_cannot_be_written_to(kms, world):
    with pytest.raises(ValueError, match="is a snapshot"):
        kms.ebs.write(world.snapshot, 0, b"x")


def test_what_is_not_there_cannot_be_read(kms):
    with pytest.raises(ValueError, match="'vol-1' does not exist"):
        kms.ebs.read("vol-1", 0, 1)


@pytest.mark.parametrize("state", ["creating", "pending", "error"])
def test_what_has_no_contents_cannot_be_read(state):
    with mock_kms(isolated=True, delays="all", waiting="clock") as kms:
        ec2 = kms.client("ec2")
        name = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
        if state != "creating":
            name = ec2.copy_snapshot(
                SourceRegion="us-east-1", SourceSnapshotId="snap-0123456789abcdef0"
            )["SnapshotId"]
        if state == "error":
            kms.clock.advance(minutes=5)

        with pytest.raises(UnreadableContentsError, match=f"is in state {state}"):
            kms.ebs.read(name, 0, 1)


def test_there_is_no_reason_for_what_went_well(kms, world):
    assert kms.ebs.why(world.snapshot) is None


def test_reading_and_writing_leave_no_record(kms, world):
    before = len(kms.calls)
    kms.ebs.write(world.volume, 0, b"x")
    kms.ebs.read(world.snapshot, 0, 1)

    assert len(kms.calls) == before


@given(
    writes=st.lists(st.tuples(st.integers(0, 3000), st.binary(max_size=1200)), max_size=6),
    key=st.sampled_from([None, KEY]),
)
def test_sectors_read_back_what_was_written(writes, key):
    disk, stored = bytearray(5000), {}
    for offset, data in writes:
        disk[offset : offset + len(data)] = data
        sectors.write(stored, key, offset, data)

    assert sectors.read(stored, key, 0, len(disk)) == disk
    moved = sectors.rewrite(stored, key, KEY[::-1])
    assert sectors.read(moved, KEY[::-1], 100, 900) == disk[100:1000]
