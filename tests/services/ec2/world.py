"""A world of two accounts: a snapshot under the one's key, and a key of the other."""

from __future__ import annotations

import json

from kmsmock.aws.operations import OPERATION_FACTS
from tests.authorization.documents import allow, to

SOURCE, TARGET = "111122223333", "444455556666"
EAST, WEST = "us-east-1", "us-west-2"
SECRET = b"the contents of the disk"
#: What AWS's documentation lets the other account do with the key.
SHARED_ACTIONS = (
    *("kms:DescribeKey", "kms:CreateGrant", "kms:ReEncrypt*", "kms:Decrypt"),
    "kms:GenerateDataKey*",
)


def key_policy(owner, other=None, actions=SHARED_ACTIONS):
    statements = [allow("kms:*", **to(f"arn:aws:iam::{owner}:root"))]
    if other is not None:
        statements.append(allow(list(actions), **to(f"arn:aws:iam::{other}:root")))
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


class World:
    """Source and target account in one Region each, with what the tests begin with."""

    def __init__(self, kms, *, target_region=EAST, wait=lambda: None):
        """wait: lets the time pass that storage takes."""
        self.kms = kms
        self.source, self.target = kms.account(SOURCE), kms.account(TARGET)
        self.source_kms, self.source_ec2 = self.source.client("kms"), self.source.client("ec2")
        self.target_kms = self.target.client("kms", target_region)
        self.target_ec2 = self.target.client("ec2", target_region)
        self.source_key = self.source_kms.create_key(Policy=key_policy(SOURCE, TARGET))[
            "KeyMetadata"
        ]["Arn"]
        self.target_key = self.target_kms.create_key()["KeyMetadata"]["Arn"]
        self.volume = self.make_volume(Encrypted=True, KmsKeyId=self.source_key)
        wait()
        kms.ebs.write(self.volume, 0, SECRET)
        self.snapshot = self.take_snapshot(self.volume)
        wait()

    def make_volume(self, ec2=None, **parameters):
        if "SnapshotId" not in parameters:
            parameters.setdefault("Size", 1)
        parameters.setdefault("AvailabilityZone", f"{EAST}a")
        return (ec2 or self.source_ec2).create_volume(**parameters)["VolumeId"]

    def take_snapshot(self, volume):
        return self.source_ec2.create_snapshot(VolumeId=volume)["SnapshotId"]

    def share(self, snapshot=None, *accounts):
        self.source_ec2.modify_snapshot_attribute(
            SnapshotId=snapshot or self.snapshot,
            CreateVolumePermission={"Add": [{"UserId": a} for a in accounts or (TARGET,)]},
        )

    def limit_key(self, *actions):
        """Put a key policy of the source that allows the target these actions only."""
        policy = key_policy(SOURCE, TARGET, actions) if actions else key_policy(SOURCE)
        self.source_kms.put_key_policy(KeyId=self.source_key, PolicyName="default", Policy=policy)

    def copy(self, ec2=None, **parameters):
        """Copy the snapshot into the target account, by default with the key of the target."""
        request = {
            "SourceRegion": EAST,
            "SourceSnapshotId": self.snapshot,
            "Encrypted": True,
            "KmsKeyId": self.target_key,
        } | parameters
        request = {name: value for name, value in request.items() if value is not None}
        return (ec2 or self.target_ec2).copy_snapshot(**request)["SnapshotId"]

    def describe(self, snapshot, ec2=None):
        ec2 = ec2 or self.target_ec2
        return ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]


def request_members(call):
    """Return the request members that the record of a KMS call has."""
    members = zip(OPERATION_FACTS[call.operation].trail.request, call.parameters, strict=True)
    return {name: value for name, value in members if value is not None}


def operations(calls):
    return [call.operation for call in calls]
