"""The whole: accounts, their Regions, and what is told once for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from kmsmock.worlds.format.keys import Region
from kmsmock.worlds.format.principals import (
    Credentials,
    Group,
    ManagedPolicy,
    Organization,
    Role,
    Session,
    User,
)
from kmsmock.worlds.format.texts import ACCESS_KEY, ACCOUNT_ID, PARTITION, REGION, TEXT, TIME
from kmsmock.worlds.kinds.containers import ListOf, MapOf
from kmsmock.worlds.kinds.values import Choice, Whole
from kmsmock.worlds.records import REQUIRED, Record, member

VERSION = 1
KIND = "kmsmock world"


@dataclass(frozen=True, kw_only=True)
class Account:
    """An AWS account."""

    organization: Organization | None = member(
        Record(Organization, "an organization"), "the organization that it is in", left_out="none"
    )
    managed_policies: tuple[ManagedPolicy, ...] = member(
        ListOf(Record(ManagedPolicy, "a managed policy")), "customer managed policies", ()
    )
    groups: tuple[Group, ...] = member(ListOf(Record(Group, "a group")), "IAM groups", ())
    users: tuple[User, ...] = member(ListOf(Record(User, "a user")), "IAM users", ())
    roles: tuple[Role, ...] = member(ListOf(Record(Role, "a role")), "IAM roles", ())
    regions: Mapping[str, Region] = member(
        MapOf(REGION, Record(Region, "a Region")), "Region -> what its KMS has", {}
    )


@dataclass(frozen=True, kw_only=True)
class World:
    """A world."""

    schema: str | None = member(
        TEXT, "the JSON Schema that editors check the file with", name="$schema"
    )
    kind: str | None = member(Choice((KIND,)), "what the file is")
    version: int = member(Whole(VERSION, VERSION), "the version of the format", REQUIRED)
    time: datetime | None = member(
        TIME, "where the clock starts", left_out="where the clock of the mock is"
    )
    partition: str | None = member(
        PARTITION, "the AWS partition of principals", left_out="that of the mock"
    )
    accounts: Mapping[str, Account] = member(
        MapOf(ACCOUNT_ID, Record(Account, "an account")), "account id -> what it has", {}
    )
    sessions: tuple[Session, ...] = member(
        ListOf(Record(Session, "a session")), "sessions with policies or tags of their own", ()
    )
    credentials: tuple[Credentials, ...] = member(
        ListOf(Record(Credentials, "credentials")), "credentials beside users' access keys", ()
    )
    void_access_keys: tuple[str, ...] = member(
        ListOf(ACCESS_KEY), "access keys that are good no more", ()
    )


WORLD = Record(World, "a world")
