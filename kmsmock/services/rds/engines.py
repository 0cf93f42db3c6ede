"""Database engines: their usual ports, licenses and versions.

Source: Amazon RDS API Reference, CreateDBInstance, CreateDBCluster: Engine, Port; the versions are
those that were the usual ones in 2026.
"""

from __future__ import annotations

from typing import NamedTuple


class Engine(NamedTuple):
    """A database engine."""

    port: int
    version: str
    license: str = "general-public-license"


_ORACLE = Engine(1521, "19.0.0.0.ru-2025-07.rur-2025-07.r1", "bring-your-own-license")
_SQL_SERVER = Engine(1433, "16.00.4210.1.v1", "license-included")
_DB2 = Engine(50000, "11.5.9.0.sb00063198.r1", "bring-your-own-license")
_POSTGRES = Engine(5432, "17.6", "postgresql-license")
_MYSQL = Engine(3306, "8.4.6")

#: Those of clusters alone, and those of instances alone; both have the ones in the middle.
AURORA = {
    "aurora-mysql": Engine(3306, "8.0.mysql_aurora.3.10.1"),
    "aurora-postgresql": Engine(5432, "17.5", "postgresql-license"),
}
_BOTH = {"mysql": _MYSQL, "postgres": _POSTGRES}
CLUSTER_ENGINES = {**AURORA, **_BOTH}
INSTANCE_ENGINES = {
    **_BOTH,
    "mariadb": Engine(3306, "11.4.8"),
    **dict.fromkeys(("oracle-ee", "oracle-ee-cdb", "oracle-se2", "oracle-se2-cdb"), _ORACLE),
    **dict.fromkeys(("sqlserver-ee", "sqlserver-se", "sqlserver-ex", "sqlserver-web"), _SQL_SERVER),
    **dict.fromkeys(("db2-ae", "db2-se"), _DB2),
}
