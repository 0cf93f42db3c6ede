"""The operations of RDS, in situations in which they use KMS and in which they do not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kmsmock.services.rds.answered import OPERATIONS
from kmsmock.services.rds.beside import BESIDE
from tests.services.beside.hosts import ACCOUNT, EAST, OTHER_ACCOUNT, WEST, Host, Row
from tests.services.rds.world import CLUSTER, INSTANCE, WORDS, Words

SERVICE = "rds"
ANSWERED = OPERATIONS.keys() | BESIDE.operations.keys()
#: Operation -> why its calls are not compared.
LEFT_OUT = dict.fromkeys(BESIDE.operations.keys() - OPERATIONS.keys(), "kmsmock does not answer it")
HOST = Host

_FAULT = "KMSKeyNotAccessibleFault"


class Databases:
    """The calls of RDS about one kind of database, which is named orders."""

    def __init__(self, host: Host, words: Words) -> None:
        self.host, self.words = host, words
        self.snapshot_name = {words.snapshot_identifier: "before"}

    def call(self, operation: str, region: str = EAST, **parameters: Any) -> Any:
        """Call an operation, in which ``{database}`` stands for ``db_instance`` and the like.

        KmsKeyId: ``key``, ``other`` or ``western``; None for no such parameter.
        """
        if "KmsKeyId" in parameters:
            key = parameters.pop("KmsKeyId")
            if key is not None:
                parameters["KmsKeyId"] = getattr(self.host, key)
        is_instance = self.words is INSTANCE
        database = "db_instance" if is_instance else "db_cluster"
        snapshot = "db_snapshot" if is_instance else "db_cluster_snapshot"
        name = operation.format(database=database, snapshot=snapshot)
        return getattr(self.host.client(SERVICE, region), name)(**parameters)

    def create(self, **parameters: Any) -> None:
        """Create the database, encrypted under the key unless told otherwise."""
        encrypted = {"StorageEncrypted": True, "KmsKeyId": "key"}
        name = {self.words.identifier: "orders"}
        given = {**name, **self.words.asked, **encrypted, **parameters}
        self.call("create_{database}", **given)

    def change(self, verb: str, **parameters: Any) -> None:
        """Start, stop or delete the database."""
        self.call(verb + "_{database}", **{self.words.identifier: "orders"}, **parameters)

    def take(self) -> None:
        """Take the snapshot."""
        self.call("create_{snapshot}", **{self.words.identifier: "orders"}, **self.snapshot_name)

    def copy(self, source: str = "before", region: str = EAST, **parameters: Any) -> None:
        """Copy the snapshot."""
        names = {"Source": source, "Target": "copy"}
        members = {f"{word}{self.words.snapshot_identifier}": n for word, n in names.items()}
        self.call("copy_{snapshot}", region, **members, **parameters)

    def restore(self, source: str = "before", **parameters: Any) -> None:
        """Restore the snapshot."""
        names = {self.words.identifier: "restored", self.words.restore_from: source}
        engine = {} if self.words is INSTANCE else {"Engine": self.words.asked["Engine"]}
        self.call(self.words.restore, **{**names, **engine, **parameters})

    def create_member(self, **parameters: Any) -> None:
        """Create an instance of the cluster."""
        self.call(
            "create_db_instance",
            DBInstanceIdentifier="member",
            DBInstanceClass="db.r6g.large",
            Engine=self.words.asked["Engine"],
            DBClusterIdentifier="orders",
            **parameters,
        )

    def arn(self, *, of: str) -> str:
        """Return an ARN. of: ``database`` or ``snapshot``."""
        prefix = "" if self.words is INSTANCE else "cluster"
        resource = {
            "database": f"{prefix or 'db'}:orders",
            "snapshot": f"{prefix and 'cluster-'}snapshot:before",
        }
        return f"arn:aws:rds:{EAST}:{ACCOUNT}:{resource[of]}"


Act = Callable[[Databases], Any]


def creating(**parameters: Any) -> Act:
    """Create the database, under the key unless told otherwise."""
    return lambda d: d.create(**parameters)


def changing(verb: str, **parameters: Any) -> Act:
    """Start, stop or delete the database."""
    return lambda d: d.change(verb, **parameters)


def copying(source: str = "before", region: str = EAST, **parameters: Any) -> Act:
    """Copy the snapshot. source: its name, or ``{arn}``."""
    return lambda d: d.copy(source.format(arn=d.arn(of="snapshot")), region, **parameters)


def restoring(source: str = "before", **parameters: Any) -> Act:
    """Restore the snapshot, or its copy."""
    return lambda d: d.restore(source, **parameters)


create = creating()
create_plain = creating(StorageEncrypted=False, KmsKeyId=None)
create_managed = creating(KmsKeyId=None)
stop, start = changing("stop"), changing("start")
delete = changing("delete", SkipFinalSnapshot=True)
delete_with_snapshot = changing("delete", FinalDBSnapshotIdentifier="before")
take = Databases.take
copy, copy_without_key = copying(KmsKeyId="other"), copying()
restore = restoring()


def disable(name: str = "key") -> Act:
    """Disable a key."""
    return lambda d: d.host.disable(getattr(d.host, name))


def deny(action: str, name: str = "key") -> Act:
    """Deny a KMS action to everybody in a key policy."""
    return lambda d: d.host.deny(getattr(d.host, name), f"kms:{action}")


def share(*accounts: str) -> Act:
    """Share the snapshot."""
    parameters = {"AttributeName": "restore", "ValuesToAdd": list(accounts)}
    return call("modify_{snapshot}_attribute", **parameters)


def call(operation: str, **parameters: Any) -> Act:
    """Call an operation about the snapshot."""
    return lambda d: d.call(operation, **d.snapshot_name, **parameters)


#: What RDS calls at the time of a request, with one key or two.
REQUEST = "DescribeKey CreateGrant "
BOTH = "DescribeKey DescribeKey CreateGrant CreateGrant "
#: What is called later. The volumes of instances are EBS's: {decrypt} and {drop} are its part.
GENERATE = "GenerateDataKeyWithoutPlaintext {decrypt} "
COPY = "GenerateDataKeyWithoutPlaintext Decrypt "
_BY_KIND = {
    INSTANCE.kind: {"decrypt": "CreateGrant Decrypt", "drop": "RetireGrant"},
    CLUSTER.kind: {"decrypt": "Decrypt", "drop": ""},
}


class Table:
    """The rows of one kind of database."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self.rows: list[Row] = []

    def add(
        self,
        operation: str,
        case: str,
        act: Act,
        *prepare: Act,
        calls: str = "",
        error: str | None = None,
    ) -> None:
        """Add a row. operation: in which ``{database}`` stands for ``DBInstance`` and the like."""

        def begin(host: Host) -> Databases:
            databases = Databases(host, self.words)
            for each in prepare:
                each(databases)
            return databases

        names = {"database": self.words.database, "snapshot": self.words.snapshot}
        expected = calls.format(**_BY_KIND[self.words.kind]).split()
        self.rows.append(
            Row(
                operation.format(**names),
                begin,
                lambda _, databases: act(databases),
                tuple(expected),
                f"{self.words.kind}, {case}",
                error,
            )
        )


def _add_databases(table: Table) -> None:
    add, of = table.add, "Create{database}"
    add(of, "under a key", create, calls=REQUEST + GENERATE)
    add(of, "under the AWS managed key", create_managed, calls=REQUEST + GENERATE)
    add(of, "not encrypted", create_plain)
    add(of, "only a key", creating(StorageEncrypted=False), error="InvalidParameterCombination")
    add(of, "key disabled", create, disable(), calls="DescribeKey", error=_FAULT)
    add(of, "CreateGrant denied", create, deny("CreateGrant"), calls=REQUEST, error=_FAULT)
    denied = deny("GenerateDataKeyWithoutPlaintext")
    failing = REQUEST + "GenerateDataKeyWithoutPlaintext"
    add(of, "data keys denied", create, denied, calls=failing)
    of = "Stop{database}"
    add(of, "encrypted", stop, create, calls="{drop}")
    add(of, "not encrypted", stop, create_plain)
    of = "Start{database}"
    add(of, "encrypted", start, create, stop, calls="{decrypt}")
    add(of, "not encrypted", start, create_plain, stop)
    add(of, "key disabled", start, create, stop, disable(), error=_FAULT)
    of = "Delete{database}"
    add(of, "encrypted", delete, create, calls="{drop} RetireGrant")
    add(of, "stopped", delete, create, stop, calls="RetireGrant")
    add(of, "not encrypted", delete, create_plain)
    add(of, "last snapshot", delete_with_snapshot, create, calls="{drop} RetireGrant")
    add("Describe{database}s", "encrypted", lambda d: d.call("describe_{database}s"), create)


def _add_snapshots(table: Table) -> None:
    add, of = table.add, "Create{snapshot}"
    add(of, "encrypted", take, create, calls="DescribeKey")
    add(of, "not encrypted", take, create_plain)
    denied = deny("DescribeKey")
    add(of, "DescribeKey denied", take, create, denied, calls="DescribeKey", error=_FAULT)
    add("Describe{snapshot}s", "encrypted", call("describe_{snapshot}s"), create, take)
    add("Delete{snapshot}", "encrypted", call("delete_{snapshot}"), create, take)
    of = "Describe{snapshot}Attributes"
    add(of, "encrypted", call("describe_{snapshot}_attributes"), create, take)
    of, other = "Modify{snapshot}Attribute", share(OTHER_ACCOUNT)
    add(of, "with an account", other, create, take)
    add(of, "not encrypted, with all", share("all"), create_plain, take)
    add(of, "encrypted, with all", share("all"), create, take, error=table.words.bad_state)
    add(of, "under the AWS managed key", other, create_managed, take, error=_FAULT)


def _add_copies(table: Table) -> None:
    add, of = table.add, "Copy{snapshot}"
    copied = BOTH + COPY + "Decrypt RetireGrant RetireGrant"
    alone = COPY + "Decrypt RetireGrant"
    add(of, "no key", copy_without_key, create, take, calls=REQUEST + alone)
    add(
        of,
        "its own key",
        copying(KmsKeyId="key"),
        create,
        take,
        calls="DescribeKey " + REQUEST + alone,
    )
    add(of, "another key", copy, create, take, calls=copied)
    add(of, "of a last snapshot", copy, create, delete_with_snapshot, calls=copied)
    add(of, "not encrypted", copy_without_key, create_plain, take)
    if table.words is INSTANCE:
        encrypted = REQUEST + COPY + "RetireGrant"
        add(of, "not encrypted, a key", copy, create_plain, take, calls=encrypted)
    else:
        error = "InvalidParameterCombination"
        add(of, "not encrypted, a key", copy, create_plain, take, error=error)
    begun = create, take
    add(of, "key disabled", copy, *begun, disable(), calls="DescribeKey", error=_FAULT)
    both = "DescribeKey DescribeKey "
    other = disable("other")
    add(of, "other key disabled", copy, *begun, other, calls=both, error=_FAULT)
    denied = deny("CreateGrant")
    calls = both + "CreateGrant"
    add(of, "CreateGrant denied", copy, *begun, denied, calls=calls, error=_FAULT)
    denied = deny("CreateGrant", "other")
    calls = BOTH + "RetireGrant"
    add(of, "CreateGrant of the other denied", copy, *begun, denied, calls=calls, error=_FAULT)
    calls = BOTH + COPY + "RetireGrant RetireGrant"
    add(of, "Decrypt denied", copy, *begun, deny("Decrypt"), calls=calls)

    western = copying("{arn}", WEST)
    add(of, "to another Region, no key", western, *begun, error="InvalidParameterValue")
    western = copying("{arn}", WEST, KmsKeyId="western", SourceRegion=EAST)
    add(of, "to another Region", western, *begun, calls=copied)


def _add_restores(table: Table) -> None:
    add, of = table.add, "Restore{database}FromSnapshot"
    if table.words is INSTANCE:
        of = "RestoreDBInstanceFromDBSnapshot"
    restored = GENERATE + "Decrypt RetireGrant"
    once = REQUEST + "CreateGrant " + restored
    begun = create, take
    add(of, "encrypted", restore, *begun, calls=once)
    add(of, "a copy", restoring("copy"), *begun, copy, disable(), calls=once)
    add(of, "a last snapshot", restore, create, delete_with_snapshot, calls=once)
    add(of, "not encrypted", restore, create_plain, take)
    add(of, "key disabled", restore, *begun, disable(), calls="DescribeKey", error=_FAULT)
    add(of, "CreateGrant denied", restore, *begun, deny("CreateGrant"), calls=REQUEST, error=_FAULT)
    failing = REQUEST + "CreateGrant " + GENERATE + "RetireGrant"
    add(of, "Decrypt denied", restore, *begun, deny("Decrypt"), calls=failing)
    if table.words is CLUSTER:
        other = restoring(KmsKeyId="other")
        add(of, "another key", other, *begun, calls=BOTH + restored)
        add(of, "not encrypted, a key", other, create_plain, take, calls=REQUEST + GENERATE)
        denied, calls = deny("CreateGrant", "other"), BOTH + "RetireGrant"
        add(of, "CreateGrant of the other denied", other, *begun, denied, calls=calls, error=_FAULT)
        of_mysql = creating(Engine="mysql", StorageEncrypted=False, KmsKeyId=None)
        mysql = restoring(KmsKeyId="other", Engine="mysql")
        error = "InvalidParameterCombination"
        add(of, "MySQL, not encrypted, a key", mysql, of_mysql, take, error=error)


def _add_members(table: Table) -> None:
    of = "CreateDBInstance"
    table.add(of, "of a cluster", Databases.create_member, create)
    error = "InvalidParameterCombination"
    table.add(
        of, "of a cluster, a key", lambda d: d.create_member(KmsKeyId="key"), create, error=error
    )


def _add_tags(table: Table) -> None:
    def tagging(operation: str, **parameters: Any) -> Act:
        return lambda d: d.call(operation, ResourceName=d.arn(of="database"), **parameters)

    add, kind, tags = table.add, table.words.kind, [{"Key": "team", "Value": "orders"}]
    add("AddTagsToResource", kind, tagging("add_tags_to_resource", Tags=tags), create)
    add("ListTagsForResource", kind, tagging("list_tags_for_resource"), create)
    remove = tagging("remove_tags_from_resource", TagKeys=["team"])
    add("RemoveTagsFromResource", kind, remove, create)


def _rows() -> list[Row]:
    tables = [Table(words) for words in WORDS]
    for table in tables:
        for add in (_add_databases, _add_snapshots, _add_copies, _add_restores, _add_tags):
            add(table)
        if table.words is CLUSTER:
            _add_members(table)
    return [row for table in tables for row in table.rows]


ROWS = _rows()
