"""DB clusters: Aurora's, and those of several Availability Zones.

Source: Amazon RDS API Reference, CreateDBCluster, DescribeDBClusters, DeleteDBCluster.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from kmsmock.services.rds.answered.databases import (
    create,
    delete,
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
    require_permission,
)
from kmsmock.services.rds.answered.storage import Database
from kmsmock.services.rds.answered.tagging import read_new_tags, show_tags
from kmsmock.services.rds.arns import database_arn
from kmsmock.services.rds.engines import CLUSTER_ENGINES
from kmsmock.services.rds.errors import InvalidDBClusterStateFault, InvalidParameterValue
from kmsmock.services.rds.kinds import CLUSTER
from kmsmock.services.registry import ServiceCall
from kmsmock.timing.passing_states import Shows, listed

_ZONES = "abc"


@operation("CreateDBCluster")
def create_db_cluster(call: ServiceCall) -> dict[str, Any]:
    """Create a cluster, which has the storage for the instances that become its members."""
    name = read_new_identifier(call, "DBClusterIdentifier", of="database")
    tags = read_new_tags(call)
    context: dict[str, str | list[str]] = {
        "rds:StorageEncrypted": "true" if call.parameters.get("StorageEncrypted") else "false",
        "rds:DatabaseEngine": call.parameters["Engine"],
    }
    require_create_permission(
        call, "CreateDBCluster", database_arn(call, CLUSTER, name), context=context
    )
    engine = call.parameters["Engine"]
    if engine not in CLUSTER_ENGINES:
        raise InvalidParameterValue(
            "Invalid DB engine", explanation=f"Supported are: {', '.join(CLUSTER_ENGINES)}."
        )
    require_user(call)
    known = CLUSTER_ENGINES[engine]
    members = read_response_members(
        call, CLUSTER, "CreateDBCluster", default_members(call, known.version, known.port)
    )
    cluster = new_database(call, CLUSTER, name, members)
    create(call, cluster, tags)
    return {"DBCluster": show_cluster(call, cluster)}


def default_members(call: ServiceCall, version: str, port: int) -> dict[str, Any]:
    """Return the response members of a cluster that do not depend on parameters."""
    return {
        "EngineVersion": version,
        "Port": port,
        "AllocatedStorage": 1,
        "AvailabilityZones": [f"{call.region}{zone}" for zone in _ZONES],
        "DBClusterParameterGroup": "default",
        "DBSubnetGroup": "default",
    }


_FILTERS: FilterTable[Database] = {
    "clone-group-id": lambda _: [],
    "db-cluster-id": lambda cluster: [cluster.identifier, cluster.arn],
    "db-cluster-resource-id": lambda cluster: [cluster.resource_id],
    "domain": lambda _: [],
    "engine": lambda cluster: [cluster.engine],
}


@operation(
    "DescribeDBClusters", shows=Shows(CLUSTER.status, listed("DBClusters", CLUSTER.arn_member))
)
def describe_db_clusters(call: ServiceCall) -> dict[str, Any]:
    """Describe the clusters of the account in the Region."""
    if call.parameters.get("IncludeShared"):
        raise InvalidParameterValue(
            "The parameter IncludeShared is not supported.",
            explanation="Clusters that are shared through AWS RAM are not emulated.",
        )
    name = None
    if "DBClusterIdentifier" in call.parameters:
        name = read_database_identifier(call, CLUSTER)
    require_permission(call, "DescribeDBClusters", database_arn(call, CLUSTER, name or "*"))
    stored = (
        account_region(call).databases_of(CLUSTER)
        if name is None
        else [find_database(call, CLUSTER, name)]
    )
    clusters = apply_filters(call, stored, _FILTERS)
    return paginate_response(
        call, "DescribeDBClusters", "DBClusters", clusters, partial(show_cluster, call)
    )


@operation("DeleteDBCluster")
def delete_db_cluster(call: ServiceCall) -> dict[str, Any]:
    """Delete a cluster without members."""
    cluster = find_database_for(call, CLUSTER, "DeleteDBCluster")
    if any(member.status != "deleting" for member in _members(call, cluster)):
        raise InvalidDBClusterStateFault(
            "Cluster cannot be deleted, it still contains DB instances in non-deleting state."
        )
    delete(call, cluster)
    return {"DBCluster": show_cluster(call, cluster)}


@operation("StopDBCluster")
def stop_db_cluster(call: ServiceCall) -> dict[str, Any]:
    """Stop a cluster with its members."""
    require_known(call, "StopDBCluster", ("DBClusterIdentifier",))
    cluster = find_database_for(call, CLUSTER, "StopDBCluster")
    stop(call, cluster)
    return {"DBCluster": show_cluster(call, cluster)}


@operation("StartDBCluster")
def start_db_cluster(call: ServiceCall) -> dict[str, Any]:
    """Start a cluster with its members, also after its key has become usable again."""
    require_known(call, "StartDBCluster", ("DBClusterIdentifier",))
    cluster = find_database_for(call, CLUSTER, "StartDBCluster")
    start(call, cluster)
    return {"DBCluster": show_cluster(call, cluster)}


def _members(call: ServiceCall, cluster: Database) -> list[Database]:
    databases = account_region(call).databases.values()
    return [database for database in databases if database.cluster is cluster]


def show_cluster(call: ServiceCall, cluster: Database) -> dict[str, Any]:
    """Return the DBCluster of responses."""
    host = f"{cluster.resource_id[-12:].lower()}.{cluster.region}.rds.amazonaws.com"
    members = _members(call, cluster)
    response = {
        "DBClusterIdentifier": cluster.identifier,
        "DBClusterArn": cluster.arn,
        "DbClusterResourceId": cluster.resource_id,
        "Status": cluster.status,
        "ClusterCreateTime": cluster.created,
        "StorageEncrypted": cluster.key_arn is not None,
        "Endpoint": f"{cluster.identifier}.cluster-{host}",
        "ReaderEndpoint": f"{cluster.identifier}.cluster-ro-{host}",
        "MultiAZ": len(members) > 1,
        "DBClusterMembers": [
            {
                "DBInstanceIdentifier": member.identifier,
                "IsClusterWriter": number == 0,
                "DBClusterParameterGroupStatus": "in-sync",
                "PromotionTier": member.response_members["PromotionTier"],
            }
            for number, member in enumerate(members)
        ],
        "AssociatedRoles": [],
        "ReadReplicaIdentifiers": [],
        "CrossAccountClone": False,
        "TagList": show_tags(call, cluster.arn),
        **cluster.response_members,
    }
    if cluster.key_arn is not None:
        response["KmsKeyId"] = cluster.key_arn
    return response
