"""A world of two accounts: a snapshot under the one's key, and a key of the other."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from kmsmock.aws.operations import OPERATION_FACTS
from tests.authorization.documents import allow, to
from tests.refusals import refused

SOURCE, TARGET = "111122223333", "444455556666"
EAST, WEST = "us-east-1", "us-west-2"
SECRET = b"the rows of the table"
SHARED_ACTIONS = ("kms:DescribeKey", "kms:CreateGrant")
LOGIN = {"MasterUsername": "ruler", "MasterUserPassword": "long enough"}


@dataclass(frozen=True)
class Words:
    """What the API calls the things of a kind. context: key of the encryption context."""

    kind: str
    database: str
    snapshot: str
    status: str
    arn: str
    resource_id: str
    encrypted: str
    restore: str
    restore_from: str
    context: str
    asked: dict
    target_fault: str

    @property
    def identifier(self):
        return f"{self.database}Identifier"

    @property
    def snapshot_identifier(self):
        return f"{self.snapshot}Identifier"

    @property
    def not_found(self):
        return "DBSnapshotNotFound" if self.kind == "instance" else "DBClusterSnapshotNotFoundFault"

    @property
    def bad_state(self):
        return (
            "InvalidDBSnapshotState"
            if self.kind == "instance"
            else "InvalidDBClusterSnapshotStateFault"
        )


INSTANCE = Words(
    "instance",
    "DBInstance",
    "DBSnapshot",
    "DBInstanceStatus",
    "DBInstanceArn",
    "DbiResourceId",
    "Encrypted",
    "restore_db_instance_from_db_snapshot",
    "DBSnapshotIdentifier",
    "aws:rds:db-id",
    {"Engine": "postgres", "DBInstanceClass": "db.t3.micro", "AllocatedStorage": 20, **LOGIN},
    "The target KMS key [{}]",
)
CLUSTER = Words(
    "cluster",
    "DBCluster",
    "DBClusterSnapshot",
    "Status",
    "DBClusterArn",
    "DbClusterResourceId",
    "StorageEncrypted",
    "restore_db_cluster_from_snapshot",
    "SnapshotIdentifier",
    "aws:rds:dbc-id",
    {"Engine": "aurora-postgresql", **LOGIN},
    "Specified KMS key [{}]",
)
WORDS = (INSTANCE, CLUSTER)
#: Marks of tests of what the other kind does not have.
of_instances = pytest.mark.parametrize("begun", [INSTANCE], indirect=True, ids=["instance"])
of_clusters = pytest.mark.parametrize("begun", [CLUSTER], indirect=True, ids=["cluster"])
UNUSABLE = "{} does not exist, is not enabled or you do not have permissions to access it."


def key_policy(owner, other=None, actions=SHARED_ACTIONS):
    statements = [allow("kms:*", **to(f"arn:aws:iam::{owner}:root"))]
    if other is not None:
        statements.append(allow(list(actions), **to(f"arn:aws:iam::{other}:root")))
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


class World:
    """Source and target account in one Region each, with what the tests begin with."""

    def __init__(self, kms, words, *, wait=lambda: None):
        """wait: lets the time pass that storage takes."""
        self.kms, self.words = kms, words
        self.source, self.target = kms.account(SOURCE), kms.account(TARGET)
        self.source_kms, self.source_rds = self.source.client("kms"), self.source.client("rds")
        self.target_kms, self.target_rds = self.target.client("kms"), self.target.client("rds")
        self.source_key = self.source_kms.create_key(Policy=key_policy(SOURCE, TARGET))[
            "KeyMetadata"
        ]["Arn"]
        self.target_key = self.target_kms.create_key()["KeyMetadata"]["Arn"]
        self.database = self.make("orders", StorageEncrypted=True, KmsKeyId=self.source_key)
        wait()
        kms.rds.write(self.database[words.arn], 0, SECRET)
        self.snapshot = self.take("before")
        wait()

    def call(self, rds, operation, **parameters):
        """Call an operation of the kind: ``{}`` stands for ``db_snapshot`` or the like."""
        word = "db_snapshot" if self.words.kind == "instance" else "db_cluster_snapshot"
        return getattr(rds, operation.format(word))(**parameters)

    def make(self, name, rds=None, **parameters):
        word = "db_instance" if self.words.kind == "instance" else "db_cluster"
        given = {self.words.identifier: name, **self.words.asked, **parameters}
        return getattr(rds or self.source_rds, f"create_{word}")(**given)[self.words.database]

    def describe_database(self, name="orders", rds=None):
        word = "db_instances" if self.words.kind == "instance" else "db_clusters"
        describe = getattr(rds or self.source_rds, f"describe_{word}")
        return describe(**{self.words.identifier: name})[f"{self.words.database}s"][0]

    def state(self, name="orders", rds=None):
        return self.describe_database(name, rds)[self.words.status]

    def act(self, verb, name="orders", rds=None, **parameters):
        """Start, stop or delete a database."""
        word = "db_instance" if self.words.kind == "instance" else "db_cluster"
        act = getattr(rds or self.source_rds, f"{verb}_{word}")
        return act(**{self.words.identifier: name}, **parameters)[self.words.database]

    def take(self, name, database="orders", rds=None, **parameters):
        """Take a snapshot; gives its ARN."""
        given = {self.words.snapshot_identifier: name, self.words.identifier: database}
        answer = self.call(rds or self.source_rds, "create_{}", **given, **parameters)
        return answer[self.words.snapshot][f"{self.words.snapshot}Arn"]

    def share(self, *accounts, name="before", remove=()):
        answer = self.call(
            self.source_rds,
            "modify_{}_attribute",
            **{self.words.snapshot_identifier: name},
            AttributeName="restore",
            ValuesToAdd=list(accounts or (() if remove else (TARGET,))),
            ValuesToRemove=list(remove),
        )
        return answer[f"{self.words.snapshot}AttributesResult"]

    def shared_with(self, name="before"):
        answer = self.call(
            self.source_rds,
            "describe_{}_attributes",
            **{self.words.snapshot_identifier: name},
        )[f"{self.words.snapshot}AttributesResult"]
        return answer[f"{self.words.snapshot}Attributes"][0]["AttributeValues"]

    def limit_key(self, *actions):
        """Put a key policy of the source that allows the target these actions only."""
        policy = key_policy(SOURCE, TARGET, actions) if actions else key_policy(SOURCE)
        self.source_kms.put_key_policy(KeyId=self.source_key, Policy=policy)

    def copy(self, rds=None, source=None, name="copy", **parameters):
        """Copy the snapshot into the target account, by default with the key of the target."""
        given = {
            f"Source{self.words.snapshot_identifier}": source or self.snapshot,
            f"Target{self.words.snapshot_identifier}": name,
            "KmsKeyId": self.target_key,
        } | parameters
        given = {member: value for member, value in given.items() if value is not None}
        return self.call(rds or self.target_rds, "copy_{}", **given)[self.words.snapshot]

    def describe(self, name="copy", rds=None):
        return self.list(rds, **{self.words.snapshot_identifier: name})[0]

    def list(self, rds=None, **parameters):
        answer = self.call(rds or self.target_rds, "describe_{}s", **parameters)
        return answer[f"{self.words.snapshot}s"]

    def restore(self, source="copy", rds=None, name="restored", **parameters):
        given = {self.words.identifier: name, self.words.restore_from: source}
        if self.words.kind == "cluster":
            given["Engine"] = self.words.asked["Engine"]
        restore = getattr(rds or self.target_rds, self.words.restore)
        return restore(**given, **parameters)[self.words.database]

    def read(self, arn):
        return self.kms.rds.read(arn, 0, len(SECRET))


def request_members(call):
    """Return the request members that the record of a KMS call has."""
    given = zip(OPERATION_FACTS[call.operation].trail.request, call.parameters, strict=True)
    return {name: value for name, value in given if value is not None}


def operations(calls):
    return [call.operation for call in calls]


def source_fault(world):
    return refused(
        "KMSKeyNotAccessibleFault",
        UNUSABLE.format(f"The source snapshot KMS key [{world.source_key}]"),
    )


def target_fault(world, key):
    return refused(
        "KMSKeyNotAccessibleFault", UNUSABLE.format(world.words.target_fault.format(key))
    )
