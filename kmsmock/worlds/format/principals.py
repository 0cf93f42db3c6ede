"""What an account has beside keys: its organization, and what IAM and STS know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from kmsmock.authorization.policy import PolicyKind
from kmsmock.worlds.format.texts import (
    ACCESS_KEY,
    ARN,
    IAM_NAME,
    IAM_PATH,
    IDS,
    NEW,
    NOW,
    PARTITION,
    PRINCIPAL_NAME,
    TAGS,
    TEXT,
    TIME,
    UNIQUE_ID,
)
from kmsmock.worlds.kinds.containers import Either, ListOf
from kmsmock.worlds.kinds.policies import Document, Named
from kmsmock.worlds.kinds.values import Flag, Text, Whole
from kmsmock.worlds.records import REQUIRED, Record, member

IDENTITY_POLICY = Document(PolicyKind.IDENTITY)


@dataclass(frozen=True, kw_only=True)
class PolicyVersion:
    """One version of a managed policy."""

    document: str = member(IDENTITY_POLICY, "the policy", REQUIRED)
    id: str | None = member(
        Text("a version such as v1", "v[1-9][0-9]*"), "its name", left_out="v1, v2 …"
    )
    creation_date: datetime | None = member(TIME, "when it was created", left_out=NOW)


@dataclass(frozen=True, kw_only=True)
class _Named:
    name: str = member(IAM_NAME, "its name", REQUIRED)
    path: str = member(IAM_PATH, "its path", "/")
    partition: str | None = member(PARTITION, "its partition", left_out="that of the world")
    id: str | None = member(UNIQUE_ID, "its unique id", left_out=NEW)
    creation_date: datetime | None = member(TIME, "when it was created", left_out=NOW)


@dataclass(frozen=True, kw_only=True)
class ManagedPolicy(_Named):
    """A customer managed policy."""

    document: str | None = member(IDENTITY_POLICY, "the policy, if there is one version of it")
    versions: tuple[PolicyVersion, ...] = member(
        ListOf(Record(PolicyVersion, "a version")), "all versions, oldest first", ()
    )
    default_version: str | None = member(TEXT, "which version is in force", left_out="the last one")
    versions_made: int | None = member(
        Whole(1, 10**6), "how many there have been", left_out="the highest number"
    )
    update_date: datetime | None = member(TIME, "when it was changed", left_out="creation_date")
    description: str = member(TEXT, "the description", "")
    tags: Mapping[str, str] = member(TAGS, "tag key -> value", {})


@dataclass(frozen=True, kw_only=True)
class Group(_Named):
    """An IAM group."""

    policies: Mapping[str, str] = member(Named(IDENTITY_POLICY), "inline policies", {})
    attached_policies: tuple[str, ...] = member(ListOf(ARN), "ARNs of managed policies", ())


@dataclass(frozen=True, kw_only=True)
class _Entity(Group):
    boundary: str | None = member(
        Either(ARN, Document(PolicyKind.BOUNDARY)),
        "the permissions boundary: a managed policy's ARN, or a policy",
        left_out="none",
    )
    tags: Mapping[str, str] = member(TAGS, "tag key -> value", {})


@dataclass(frozen=True, kw_only=True)
class AccessKey:
    """A long-term access key of a user."""

    access_key: str = member(ACCESS_KEY, "the access key id", REQUIRED)
    secret_key: str = member(TEXT, "the secret", REQUIRED)
    creation_date: datetime | None = member(TIME, "when it was created", left_out=NOW)
    is_active: bool = member(Flag(), "whether it is good", default=True)


@dataclass(frozen=True, kw_only=True)
class User(_Entity):
    """An IAM user."""

    groups: tuple[str, ...] = member(ListOf(IAM_NAME), "the names of its groups", ())
    access_keys: tuple[AccessKey, ...] = member(
        ListOf(Record(AccessKey, "an access key")), "its access keys", ()
    )


@dataclass(frozen=True, kw_only=True)
class Role(_Entity):
    """An IAM role."""

    trust: str | None = member(
        Document(PolicyKind.TRUST),
        "the trust policy",
        left_out="it is left to the identity policies of the account",
    )
    trust_ids: Mapping[str, str] | None = member(
        IDS, "unique ids of those whom it names by ARN", left_out="of who has these ARNs now"
    )
    description: str = member(TEXT, "the description", "")
    max_session_seconds: int = member(Whole(3600, 43200), "how long sessions may last", 3600)


@dataclass(frozen=True, kw_only=True)
class Organization:
    """What the organization of an account means for it."""

    id: str = member(Text("the id of an organization", r"o-[a-z0-9]{1,32}"), "its id", REQUIRED)
    path: str | None = member(TEXT, "where the account is in it, such as r-ab12/ou-ab12-11111111")
    service_control_policies: tuple[tuple[str, ...], ...] = member(
        ListOf(ListOf(Document(PolicyKind.SERVICE_CONTROL))), "a list for each level", ()
    )
    resource_control_policies: tuple[tuple[str, ...], ...] = member(
        ListOf(ListOf(Document(PolicyKind.RESOURCE_CONTROL))), "a list for each level", ()
    )


@dataclass(frozen=True, kw_only=True)
class SessionPrincipal:
    """Who signs requests."""

    arn: str = member(PRINCIPAL_NAME, "its ARN, or the name of a service", REQUIRED)
    user: str | None = member(ARN, "the user behind a federated user")
    session_key: str = member(TEXT, "which session of that name", "")
    issued: datetime | None = member(TIME, "when the session began")
    via: str | None = member(TEXT, "the service that calls for it")
    source_arn: str | None = member(TEXT, "the resource for which a service calls")


@dataclass(frozen=True, kw_only=True)
class Session:
    """What a session has of its own."""

    principal: SessionPrincipal = member(
        Record(SessionPrincipal, "a principal", short="arn"), "whose session it is", REQUIRED
    )
    policies: tuple[str, ...] | None = member(
        ListOf(Document(PolicyKind.SESSION)), "session policies", left_out="none that limit it"
    )
    tags: Mapping[str, str] = member(TAGS, "session tags", {})
    source_identity: str | None = member(TEXT, "the source identity")


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What a client signs with, beside the access keys of users."""

    access_key: str = member(ACCESS_KEY, "the access key id", REQUIRED)
    principal: SessionPrincipal = member(
        Record(SessionPrincipal, "a principal", short="arn"), "whose they are", REQUIRED
    )
    secret_key: str | None = member(TEXT, "the secret")
    session_token: str | None = member(TEXT, "the session token")
    expires: datetime | None = member(TIME, "when they expire", left_out="never")
