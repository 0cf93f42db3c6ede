"""What a Region has: keys, aliases, grants, custom key stores, imports under way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from kmsmock.authorization.policy import PolicyKind
from kmsmock.keys.custom_key_store import CONNECTION_ERRORS, ConnectionState, StoreType
from kmsmock.keys.imported import WRAPPINGS
from kmsmock.keys.key import KeyManager, KeyState
from kmsmock.keys.material import RotationType
from kmsmock.keys.policies import LARGEST_POLICY_BYTES
from kmsmock.keys.specs import KEY_SPECS, KeyUsage, Origin
from kmsmock.worlds.format.texts import (
    ACCOUNT_ID,
    ALIAS_NAME,
    ENCRYPTION_CONTEXT,
    HEX_ID,
    IDS,
    KEY,
    KEY_ID,
    NEW,
    NOW,
    PRINCIPAL_NAME,
    REGION,
    STORE_ID,
    TAGS,
    TEXT,
    TIME,
)
from kmsmock.worlds.kinds.containers import ListOf
from kmsmock.worlds.kinds.policies import Document
from kmsmock.worlds.kinds.values import Bytes, Choice, Flag, Secret, Text, Whole
from kmsmock.worlds.records import REQUIRED, Record, member

KEY_POLICY = Document(PolicyKind.RESOURCE, LARGEST_POLICY_BYTES)
_STATES = tuple(
    state.value
    for state in KeyState
    if state not in (KeyState.PENDING_IMPORT, KeyState.UNAVAILABLE)
)
_FAULTS = tuple(dict.fromkeys(code for codes in CONNECTION_ERRORS.values() for code in codes))


@dataclass(frozen=True, kw_only=True)
class Material:
    """One key material of a key."""

    secret: bytes | None = member(
        Secret(),
        "the key material; a key pair may be PEM",
        left_out="new material; for origin EXTERNAL it is not imported",
    )
    id: str | None = member(
        HEX_ID, "the key material id", left_out="what belongs to key and secret"
    )
    pending: bool = member(
        Flag(), "whether it was imported and awaits rotation; only the last", default=False
    )
    rotation_date: datetime | None = member(
        TIME, "when it became the current material by a rotation"
    )
    rotation_type: str | None = member(
        Choice(tuple(kind.value for kind in RotationType)), "by which kind of rotation"
    )
    valid_to: datetime | None = member(TIME, "when imported material expires", left_out="never")
    description: str | None = member(Text(longest=256), "the description of imported material")


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """The schedule of automatic rotation."""

    period_days: int = member(Whole(90, 2560), "the period", default=365)
    next_date: datetime | None = member(
        TIME, "when it is due", left_out="a period after the time of the world"
    )
    is_missed: bool = member(Flag(), "whether it fell due while the key was disabled", default=False)


@dataclass(frozen=True, kw_only=True)
class LastUsage:
    """The last cryptographic use of a key, as GetKeyLastUsage tells it."""

    operation: str = member(TEXT, "the operation", REQUIRED)
    timestamp: datetime = member(TIME, "when", REQUIRED)
    event_id: str = member(TEXT, "the CloudTrail event id", REQUIRED)
    request_id: str = member(TEXT, "the id of the request", REQUIRED)


@dataclass(frozen=True, kw_only=True)
class Key:
    """A KMS key."""

    id: str | None = member(KEY_ID, "the key id", left_out=NEW)
    alias: tuple[str, ...] = member(
        ListOf(ALIAS_NAME, single=True), "its alias, or a list of them", (), left_out="none"
    )
    spec: str | None = member(
        Choice(tuple(KEY_SPECS)), "the key spec", left_out="SYMMETRIC_DEFAULT"
    )
    usage: str | None = member(
        Choice(tuple(usage.value for usage in KeyUsage)),
        "the key usage",
        left_out="the first of the key spec",
    )
    origin: str | None = member(
        Choice(tuple(origin.value for origin in Origin)),
        "the origin",
        left_out="AWS_KMS, or that of the custom key store",
    )
    manager: str | None = member(
        Choice(tuple(manager.value for manager in KeyManager)),
        "who manages it",
        left_out="CUSTOMER; AWS under alias/aws/",
    )
    state: str = member(
        Choice(_STATES),
        "the key state that was set; PendingImport and Unavailable come by themselves",
        "Enabled",
    )
    description: str | None = member(Text(longest=8192), "the description", left_out="empty")
    tags: Mapping[str, str] = member(TAGS, "tag key -> value", {})
    policy: str | None = member(KEY_POLICY, "the key policy", left_out="the default key policy")
    policy_ids: Mapping[str, str] | None = member(
        IDS,
        "unique ids of those whom the policy names by ARN",
        left_out="of who has these ARNs now",
    )
    creation_date: datetime | None = member(TIME, "when it was created", left_out=NOW)
    deletion_date: datetime | None = member(
        TIME, "when it will be deleted", left_out="after the waiting period, if it is pending"
    )
    pending_window_days: int | None = member(
        Whole(7, 30), "the waiting period", left_out="30, if deletion is pending"
    )
    multi_region: bool | None = member(
        Flag(), "whether it is a multi-Region key", left_out="whether its id begins with mrk-"
    )
    primary_region: str | None = member(
        REGION, "where its primary is; replicas have the same id", left_out="it is the primary"
    )
    related_regions: tuple[str, ...] = member(
        ListOf(REGION), "of a primary: all Regions, in the order of creation", ()
    )
    rotation: Rotation | None = member(
        Record(Rotation, "an object"), "automatic rotation", left_out="off; AWS's: yearly"
    )
    on_demand_rotations: int = member(Whole(0, 25), "how many there were", 0)
    on_demand_started: datetime | None = member(
        TIME, "when the rotation on demand began that is under way"
    )
    material: bytes | None = member(Secret(), "the key material, if it is just one")
    materials: tuple[Material, ...] = member(
        ListOf(Record(Material, "key material")),
        "all key materials, oldest first; the last is current",
        (),
        left_out="one; none for origin EXTERNAL",
    )
    custom_key_store: str | None = member(STORE_ID, "the store that it is in")
    xks_key_id: str | None = member(TEXT, "the id of the external key", name="xks_key_id")
    last_usage: LastUsage | None = member(
        Record(LastUsage, "the last usage"), "the last cryptographic use"
    )


@dataclass(frozen=True, kw_only=True)
class Alias:
    """An alias, with its dates."""

    name: str = member(ALIAS_NAME, "its name", REQUIRED)
    key: str = member(KEY, "the id of its key", REQUIRED)
    creation_date: datetime | None = member(TIME, "when it was created", left_out=NOW)
    last_updated_date: datetime | None = member(
        TIME, "when it was last given a key", left_out="when it was created"
    )


@dataclass(frozen=True, kw_only=True)
class Constraints:
    """The constraints of a grant."""

    encryption_context_equals: Mapping[str, str] | None = member(
        ENCRYPTION_CONTEXT, "the whole encryption context"
    )
    encryption_context_subset: Mapping[str, str] | None = member(
        ENCRYPTION_CONTEXT, "what it must hold"
    )
    source_arn: str | None = member(TEXT, "the value of aws:SourceArn")


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A grant on a key."""

    key: str = member(KEY, "the id of the key, or an alias of it", REQUIRED)
    operations: tuple[str, ...] = member(
        ListOf(Text("the name of an operation", r"\w+")), "what it allows", REQUIRED
    )
    grantee_principal: str | None = member(PRINCIPAL_NAME, "the ARN of who may do it")
    grantee_service_principal: str | None = member(PRINCIPAL_NAME, "or the service that may")
    retiring_principal: str | None = member(PRINCIPAL_NAME, "the ARN of who may retire it")
    retiring_service_principal: str | None = member(PRINCIPAL_NAME, "or the service that may")
    constraints: Constraints | None = member(
        Record(Constraints, "constraints"), "the constraints", left_out="none"
    )
    name: str | None = member(Text(longest=256), "its name")
    id: str | None = member(HEX_ID, "the grant id", left_out=NEW)
    issuing_account: str | None = member(
        ACCOUNT_ID, "who made it", left_out="the account of the key"
    )
    creation_date: datetime | None = member(TIME, "when it was created", left_out=NOW)
    tokens: tuple[str, ...] = member(
        ListOf(Text("a grant token", r"[!-~]+", 8192)), "the grant tokens", ()
    )
    principal_ids: Mapping[str, str] | None = member(
        IDS, "unique ids of the principals by ARN", left_out="of who has these ARNs now"
    )


@dataclass(frozen=True, kw_only=True)
class ProxyCredential:
    """What KMS shows to the proxy of an external key store."""

    access_key_id: str = member(TEXT, "the id", REQUIRED, name="AccessKeyId")
    secret: str = member(TEXT, "the secret", REQUIRED, name="RawSecretAccessKey")


@dataclass(frozen=True, kw_only=True)
class StoreSettings:
    """The members of CreateCustomKeyStore that describe a cluster or proxy, by AWS's names."""

    cluster: str | None = member(TEXT, "the cluster", name="CloudHsmClusterId")
    certificate: str | None = member(TEXT, "its certificate", name="TrustAnchorCertificate")
    password: str | None = member(TEXT, "the password", name="KeyStorePassword")
    endpoint: str | None = member(TEXT, "the endpoint", name="XksProxyUriEndpoint")
    path: str | None = member(TEXT, "the path", name="XksProxyUriPath")
    credential: ProxyCredential | None = member(
        Record(ProxyCredential, "a credential"),
        "the credential",
        name="XksProxyAuthenticationCredential",
    )
    connectivity: str | None = member(
        Choice(("PUBLIC_ENDPOINT", "VPC_ENDPOINT_SERVICE")),
        "how it is reached",
        name="XksProxyConnectivity",
    )
    vpc_service: str | None = member(TEXT, "the service", name="XksProxyVpcEndpointServiceName")
    vpc_owner: str | None = member(TEXT, "its owner", name="XksProxyVpcEndpointServiceOwner")


@dataclass(frozen=True, kw_only=True)
class CustomKeyStore:
    """A custom key store."""

    name: str = member(Text("a name", None, 256), "its name", REQUIRED)
    settings: StoreSettings = member(
        Record(StoreSettings, "the settings"),
        "the members of CreateCustomKeyStore about cluster or proxy",
        REQUIRED,
    )
    type: str = member(
        Choice(tuple(kind.value for kind in StoreType)), "what it is", "AWS_CLOUDHSM"
    )
    id: str | None = member(STORE_ID, "the store id", left_out=NEW)
    creation_date: datetime | None = member(TIME, "when it was created", left_out=NOW)
    state: str = member(
        Choice(tuple(state.value for state in ConnectionState)),
        "the connection state",
        "DISCONNECTED",
    )
    error_code: str | None = member(
        Choice(_FAULTS),
        "why connecting failed, in state FAILED",
    )
    fault: str | None = member(
        Choice(_FAULTS),
        "what a test has broken",
        left_out="nothing",
    )


@dataclass(frozen=True, kw_only=True)
class ImportToken:
    """What GetParametersForImport has given out."""

    key: str = member(KEY, "the id of the key", REQUIRED)
    token: bytes = member(Bytes(), "the import token", REQUIRED)
    wrapping_key: bytes = member(Secret(), "the private wrapping key", REQUIRED)
    wrapping_algorithm: str = member(
        Choice(tuple(sorted({name for pairs in WRAPPINGS.values() for name, _ in pairs}))),
        "the wrapping algorithm",
        REQUIRED,
    )
    valid_to: datetime = member(TIME, "when it expires", REQUIRED)


@dataclass(frozen=True, kw_only=True)
class Region:
    """The KMS of an account in a Region."""

    custom_key_stores: tuple[CustomKeyStore, ...] = member(
        ListOf(Record(CustomKeyStore, "a custom key store")), "the custom key stores", ()
    )
    keys: tuple[Key, ...] = member(ListOf(Record(Key, "a key")), "the keys, oldest first", ())
    aliases: tuple[Alias, ...] = member(
        ListOf(Record(Alias, "an alias")), "aliases that keys do not give with them", ()
    )
    grants: tuple[Grant, ...] = member(
        ListOf(Record(Grant, "a grant")), "the grants on these keys, oldest first", ()
    )
    import_tokens: tuple[ImportToken, ...] = member(
        ListOf(Record(ImportToken, "an import token")), "what imports are under way", ()
    )
