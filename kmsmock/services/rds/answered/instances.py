"""DB instances.

Source: Amazon RDS API Reference, CreateDBInstance, DescribeDBInstances, DeleteDBInstance.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from kmsmock.services.rds.answered.databases import (
    create,
    delete,
    describe_state,
    find_database_for,
    new_database,
    require_user,
    start,
    stop,
)
from kmsmock.services.rds.answered.lists import FilterTable, apply_filters, paginate_response
from kmsmock.services.rds.answered.lookup import (
    find_database,
    read_database_identifier,
    read_new_identifier,
)
from kmsmock.services.rds.answered.parameters import read_response_members, require_known
from kmsmock.services.rds.answered.registry import (
    account_region,
    operation,
    require_create_permission,
    require_parameter,
    require_permission,
)
from kmsmock.services.rds.answered.storage import Database
from kmsmock.services.rds.answered.tagging import read_new_tags, show_tags
from kmsmock.services.rds.arns import database_arn
from kmsmock.services.rds.engines import AURORA, INSTANCE_ENGINES
from kmsmock.services.rds.errors import (
    InvalidDBClusterStateFault,
    InvalidParameterCombination,
    InvalidParameterValue,
)
from kmsmock.services.rds.kinds import CLUSTER, INSTANCE
from kmsmock.services.rds.kms_use.keys import is_member, refuse_key_of_member
from kmsmock.services.registry import ServiceCall
from kmsmock.timing.passing_states import Shows, listed

_SMALLEST = 5


@operation("CreateDBInstance")
def create_db_instance(call: ServiceCall) -> dict[str, Any]:
    """Create an instance with storage of its own, or a member of a cluster."""
    name = read_new_identifier(call, "DBInstanceIdentifier", of="database")
    tags = read_new_tags(call)
    encrypted = "true" if call.parameters.get("StorageEncrypted") else "false"
    context: dict[str, str | list[str]] = {
        "rds:StorageEncrypted": encrypted,
        "rds:DatabaseClass": call.parameters["DBInstanceClass"],
        "rds:DatabaseEngine": call.parameters["Engine"],
    }
    require_create_permission(
        call, "CreateDBInstance", database_arn(call, INSTANCE, name), context=context
    )
    if is_member(call, INSTANCE):
        instance = _new_member(call, name, read_database_identifier(call, CLUSTER))
    else:
        instance = _new_instance(call, name)
    create(call, instance, tags)
    return {"DBInstance": show_instance(call, instance)}


def _new_instance(call: ServiceCall, name: str) -> Database:
    engine = call.parameters["Engine"]
    if engine in AURORA:
        raise InvalidParameterCombination(
            f"DBClusterIdentifier is required for DB engine {engine}.",
            explanation="Aurora instances use the storage of a cluster: create that first.",
        )
    if engine not in INSTANCE_ENGINES:
        raise InvalidParameterValue(
            "Invalid DB engine", explanation=f"Supported are: {', '.join(INSTANCE_ENGINES)}."
        )
    if require_parameter(call, "AllocatedStorage") < _SMALLEST:
        raise InvalidParameterValue(
            f"Invalid storage size for engine name {engine} and storage type gp2: "
            f"{call.parameters['AllocatedStorage']}"
        )
    require_user(call)
    known = INSTANCE_ENGINES[engine]
    defaults = {
        "EngineVersion": known.version,
        "LicenseModel": known.license,
        "AvailabilityZone": f"{call.region}a",
        "StorageType": "gp2",
        "Port": call.parameters.get("Port", known.port),
    }
    members = read_response_members(call, INSTANCE, "CreateDBInstance", defaults)
    return new_database(call, INSTANCE, name, members)


def _new_member(call: ServiceCall, name: str, cluster_name: str) -> Database:
    cluster = find_database(call, CLUSTER, cluster_name)
    parameters = call.parameters
    if parameters["Engine"] != cluster.engine:
        raise InvalidParameterCombination(
            f"The engine name requested for your DB instance ({parameters['Engine']}) doesn't "
            f"match the engine name of your DB cluster ({cluster.engine})."
        )
    refuse_key_of_member(call)
    if cluster.status not in ("creating", "available"):
        raise InvalidDBClusterStateFault(
            f"DBCluster {cluster.identifier} is not in available state.",
            explanation=describe_state(call.backend, cluster),
        )
    defaults = {
        "EngineVersion": cluster.response_members["EngineVersion"],
        "BackupRetentionPeriod": cluster.retention,
        "MasterUsername": cluster.response_members["MasterUsername"],
        "AllocatedStorage": 1,
        "AvailabilityZone": f"{call.region}a",
        "StorageType": "aurora",
        "PromotionTier": 1,
        "Port": cluster.response_members["Port"],
    }
    members = read_response_members(call, INSTANCE, "CreateDBInstance", defaults)
    instance = new_database(call, INSTANCE, name, members)
    instance.cluster = cluster
    return instance


_FILTERS: FilterTable[Database] = {
    "db-cluster-id": lambda i: [] if i.cluster is None else [i.cluster.identifier, i.cluster.arn],
    "db-instance-id": lambda instance: [instance.identifier, instance.arn],
    "dbi-resource-id": lambda instance: [instance.resource_id],
    "domain": lambda _: [],
    "engine": lambda instance: [instance.engine],
}


@operation(
    "DescribeDBInstances", shows=Shows(INSTANCE.status, listed("DBInstances", INSTANCE.arn_member))
)
def describe_db_instances(call: ServiceCall) -> dict[str, Any]:
    """Describe the instances of the account in the Region."""
    name = None
    if "DBInstanceIdentifier" in call.parameters:
        name = read_database_identifier(call, INSTANCE)
    require_permission(call, "DescribeDBInstances", database_arn(call, INSTANCE, name or "*"))
    stored = (
        account_region(call).databases_of(INSTANCE)
        if name is None
        else [find_database(call, INSTANCE, name)]
    )
    instances = apply_filters(call, stored, _FILTERS)
    return paginate_response(
        call, "DescribeDBInstances", "DBInstances", instances, partial(show_instance, call)
    )


@operation("DeleteDBInstance")
def delete_db_instance(call: ServiceCall) -> dict[str, Any]:
    """Delete an instance; the storage of a cluster stays."""
    instance = find_database_for(call, INSTANCE, "DeleteDBInstance")
    delete(call, instance, needs_snapshot=instance.cluster is None)
    return {"DBInstance": show_instance(call, instance)}


@operation("StopDBInstance")
def stop_db_instance(call: ServiceCall) -> dict[str, Any]:
    """Stop an instance."""
    require_known(call, "StopDBInstance", ("DBInstanceIdentifier",))
    instance = find_database_for(call, INSTANCE, "StopDBInstance")
    _require_own_storage(instance)
    stop(call, instance)
    return {"DBInstance": show_instance(call, instance)}


@operation("StartDBInstance")
def start_db_instance(call: ServiceCall) -> dict[str, Any]:
    """Start an instance, also after its key has become usable again."""
    require_known(call, "StartDBInstance", ("DBInstanceIdentifier",))
    instance = find_database_for(call, INSTANCE, "StartDBInstance")
    _require_own_storage(instance)
    start(call, instance)
    return {"DBInstance": show_instance(call, instance)}


def _require_own_storage(instance: Database) -> None:
    if instance.cluster is not None:
        raise InvalidDBClusterStateFault(
            f"{instance.identifier} is a member of DB cluster {instance.cluster.identifier}.",
            explanation="Members are started and stopped with their cluster.",
        )


def show_instance(call: ServiceCall, instance: Database) -> dict[str, Any]:
    """Return the DBInstance of responses."""
    storage = instance.cluster or instance
    response = {
        "DBInstanceIdentifier": instance.identifier,
        "DBInstanceArn": instance.arn,
        "DbiResourceId": instance.resource_id,
        "DBInstanceStatus": instance.state,
        "StorageEncrypted": storage.key_arn is not None,
        "DbInstancePort": 0,
        "PendingModifiedValues": {},
        "ReadReplicaDBInstanceIdentifiers": [],
        "TagList": show_tags(call, instance.arn),
        **instance.response_members,
    }
    port = response.pop("Port")
    if storage.key_arn is not None:
        response["KmsKeyId"] = storage.key_arn
    if instance.cluster is not None:
        response["DBClusterIdentifier"] = instance.cluster.identifier
    if instance.status != "creating":
        response["InstanceCreateTime"] = instance.created
        place_id = instance.resource_id[-12:].lower()
        address = f"{instance.identifier}.{place_id}.{instance.region}.rds.amazonaws.com"
        response["Endpoint"] = {"Address": address, "Port": port, "HostedZoneId": "Z2R2ITUGPM61AM"}
    return response
