"""DB instances.

Source: Amazon RDS API Reference, CreateDBInstance, DescribeDBInstances, DeleteDBInstance.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from kmsmock.services.rds.databases import (
    begin,
    delete,
    find_for,
    new_database,
    require_user,
    start,
    stop,
)
from kmsmock.services.rds.encrypting import asked_key, encrypt_under
from kmsmock.services.rds.engines import AURORA, INSTANCE_ENGINES
from kmsmock.services.rds.errors import (
    InvalidDBClusterStateFault,
    InvalidParameterCombination,
    InvalidParameterValue,
)
from kmsmock.services.rds.finding import database_arn, database_name, find_database, new_name
from kmsmock.services.rds.kinds import CLUSTER, INSTANCE
from kmsmock.services.rds.lists import FilterTable, filtered, page
from kmsmock.services.rds.parameters import require_known, shown_parameters
from kmsmock.services.rds.registry import operation, permit, permit_making, place, required
from kmsmock.services.rds.storage import Database
from kmsmock.services.rds.tagging import shown_tags, tags_of
from kmsmock.services.registry import ServiceCall

_SMALLEST = 5


@operation("CreateDBInstance")
def create_db_instance(call: ServiceCall) -> dict[str, Any]:
    """Make an instance with storage of its own, or a member of a cluster."""
    name = new_name(call, "DBInstanceIdentifier", of="database")
    tags = tags_of(call)
    encrypted = "true" if call.parameters.get("StorageEncrypted") else "false"
    context: dict[str, str | list[str]] = {
        "rds:StorageEncrypted": encrypted,
        "rds:DatabaseClass": call.parameters["DBInstanceClass"],
        "rds:DatabaseEngine": call.parameters["Engine"],
    }
    permit_making(call, "CreateDBInstance", database_arn(call, INSTANCE, name), context=context)
    member_of = call.parameters.get("DBClusterIdentifier")
    if member_of:
        instance = _new_member(call, name, database_name(call, CLUSTER))
    else:
        instance = _new_instance(call, name)
        key = asked_key(call)
        if key is not None:
            encrypt_under(call, instance, key)
    begin(call, instance, tags)
    return {"DBInstance": shown_instance(call, instance)}


def _new_instance(call: ServiceCall, name: str) -> Database:
    engine = call.parameters["Engine"]
    if engine in AURORA:
        raise InvalidParameterCombination(
            f"DBClusterIdentifier is required for DB engine {engine}.",
            explanation="Aurora's storage is that of a cluster: CreateDBCluster comes first.",
        )
    if engine not in INSTANCE_ENGINES:
        raise InvalidParameterValue(
            "Invalid DB engine", explanation=f"Known are: {', '.join(INSTANCE_ENGINES)}."
        )
    if required(call, "AllocatedStorage") < _SMALLEST:
        raise InvalidParameterValue(
            f"Invalid storage size for engine name {engine} and storage type gp2: "
            f"{call.parameters['AllocatedStorage']}"
        )
    require_user(call)
    known = INSTANCE_ENGINES[engine]
    before = {
        "EngineVersion": known.version,
        "LicenseModel": known.license,
        "AvailabilityZone": f"{call.region}a",
        "StorageType": "gp2",
        "Port": call.parameters.get("Port", known.port),
    }
    shown = shown_parameters(call, INSTANCE, "CreateDBInstance", before)
    return new_database(call, INSTANCE, name, shown)


def _new_member(call: ServiceCall, name: str, cluster_name: str) -> Database:
    cluster = find_database(call, CLUSTER, cluster_name)
    parameters = call.parameters
    if parameters["Engine"] != cluster.engine:
        raise InvalidParameterCombination(
            f"The engine name requested for your DB instance ({parameters['Engine']}) doesn't "
            f"match the engine name of your DB cluster ({cluster.engine})."
        )
    if "KmsKeyId" in parameters:
        raise InvalidParameterCombination(
            "The requested DB Instance will be a member of a DB Cluster and its storage "
            "encryption key should not be set directly."
        )
    if cluster.status not in ("creating", "available"):
        raise InvalidDBClusterStateFault(
            f"DBCluster {cluster.identifier} is not in available state.",
            explanation=f"It is in state {cluster.status}.",
        )
    before = {
        "EngineVersion": cluster.shown["EngineVersion"],
        "BackupRetentionPeriod": cluster.retention,
        "MasterUsername": cluster.shown["MasterUsername"],
        "AllocatedStorage": 1,
        "AvailabilityZone": f"{call.region}a",
        "StorageType": "aurora",
        "PromotionTier": 1,
        "Port": cluster.shown["Port"],
    }
    shown = shown_parameters(call, INSTANCE, "CreateDBInstance", before)
    instance = new_database(call, INSTANCE, name, shown)
    instance.cluster = cluster
    return instance


_FILTERS: FilterTable[Database] = {
    "db-cluster-id": lambda i: [] if i.cluster is None else [i.cluster.identifier, i.cluster.arn],
    "db-instance-id": lambda instance: [instance.identifier, instance.arn],
    "dbi-resource-id": lambda instance: [instance.resource_id],
    "domain": lambda _: [],
    "engine": lambda instance: [instance.engine],
}


@operation("DescribeDBInstances")
def describe_db_instances(call: ServiceCall) -> dict[str, Any]:
    """Show the instances of the account in the Region."""
    name = None
    if "DBInstanceIdentifier" in call.parameters:
        name = database_name(call, INSTANCE)
    permit(call, "DescribeDBInstances", database_arn(call, INSTANCE, name or "*"))
    found = (
        place(call).databases_of(INSTANCE)
        if name is None
        else [find_database(call, INSTANCE, name)]
    )
    instances = filtered(call, found, _FILTERS)
    return page(
        call, "DescribeDBInstances", "DBInstances", instances, partial(shown_instance, call)
    )


@operation("DeleteDBInstance")
def delete_db_instance(call: ServiceCall) -> dict[str, Any]:
    """Delete an instance; that of a cluster leaves the storage behind."""
    instance = find_for(call, INSTANCE, "DeleteDBInstance")
    delete(call, instance, needs_snapshot=instance.cluster is None)
    return {"DBInstance": shown_instance(call, instance)}


@operation("StopDBInstance")
def stop_db_instance(call: ServiceCall) -> dict[str, Any]:
    """Stop an instance."""
    require_known(call, "StopDBInstance", ("DBInstanceIdentifier",))
    instance = find_for(call, INSTANCE, "StopDBInstance")
    _require_own_storage(instance)
    stop(call, instance)
    return {"DBInstance": shown_instance(call, instance)}


@operation("StartDBInstance")
def start_db_instance(call: ServiceCall) -> dict[str, Any]:
    """Start an instance, also one that has its key again."""
    require_known(call, "StartDBInstance", ("DBInstanceIdentifier",))
    instance = find_for(call, INSTANCE, "StartDBInstance")
    _require_own_storage(instance)
    start(call, instance)
    return {"DBInstance": shown_instance(call, instance)}


def _require_own_storage(instance: Database) -> None:
    if instance.cluster is not None:
        raise InvalidDBClusterStateFault(
            f"{instance.identifier} is a member of DB cluster {instance.cluster.identifier}.",
            explanation="Members are started and stopped with their cluster.",
        )


def shown_instance(call: ServiceCall, instance: Database) -> dict[str, Any]:
    """Show an instance."""
    storage = instance.cluster or instance
    shown = {
        "DBInstanceIdentifier": instance.identifier,
        "DBInstanceArn": instance.arn,
        "DbiResourceId": instance.resource_id,
        "DBInstanceStatus": instance.state,
        "StorageEncrypted": storage.key_arn is not None,
        "DbInstancePort": 0,
        "PendingModifiedValues": {},
        "ReadReplicaDBInstanceIdentifiers": [],
        "TagList": shown_tags(call, instance.arn),
        **instance.shown,
    }
    port = shown.pop("Port")
    if storage.key_arn is not None:
        shown["KmsKeyId"] = storage.key_arn
    if instance.cluster is not None:
        shown["DBClusterIdentifier"] = instance.cluster.identifier
    if instance.status != "creating":
        shown["InstanceCreateTime"] = instance.created
        place_id = instance.resource_id[-12:].lower()
        address = f"{instance.identifier}.{place_id}.{instance.region}.rds.amazonaws.com"
        shown["Endpoint"] = {"Address": address, "Port": port, "HostedZoneId": "Z2R2ITUGPM61AM"}
    return shown
