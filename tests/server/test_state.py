"""``--state``: what a server has acknowledged is there when it starts again."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from kmsmock import cli
from kmsmock.persistence import database
from kmsmock.protocols.messages import HttpRequest
from kmsmock.server.application import Application
from kmsmock.server.settings import Settings
from tests.material import wrap
from tests.models import has_operation
from tests.output import capture
from tests.persistence.written import list_rows
from tests.server import kills
from tests.server.processes import EXTRA
from tests.server.state_servers import Refused, StateServer

ACCOUNT, OTHER = "123456789012", "111122223333"
HSM = {
    "CloudHsmClusterId": "cluster-2a23b4cdefg",
    "TrustAnchorCertificate": "certificate",
    "KeyStorePassword": "password",
}
PROXY = {
    "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
    "XksProxyUriEndpoint": "https://proxy.example.com",
    "XksProxyUriPath": "/kms/xks/v1",
    "XksProxyAuthenticationCredential": {
        "AccessKeyId": "A" * 20,
        "RawSecretAccessKey": "s" * 43,
    },
    "XksProxyConnectivity": "PUBLIC_ENDPOINT",
}
ALLOW = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
TRUST = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "sts:AssumeRole",
    },
}
KEY_READS = (
    *("DescribeKey", "GetKeyPolicy", "GetKeyRotationStatus", "ListKeyRotations", "GetPublicKey"),
    *("ListResourceTags", "ListGrants", "ListKeyPolicies", "GetKeyLastUsage"),
)
READS = {
    "iam": ("GetAccountAuthorizationDetails", "ListUsers", "ListAccessKeys"),
    "ec2": ("DescribeVolumes", "DescribeSnapshots", "DescribeImages", "GetEbsEncryptionByDefault"),
    "rds": (
        *("DescribeDBInstances", "DescribeDBClusters", "DescribeDBSnapshots"),
        "DescribeDBClusterSnapshots",
    ),
    "cloudtrail": ("DescribeTrails", "ListTrails"),
    "organizations": ("ListAccounts", "ListRoots", "DescribeOrganization"),
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StateServer]:
    """A server whose clock stands still, and where only the clock ends passing states."""
    server = StateServer(tmp_path / "state.db", seed=1, waiting="clock", delays="kms")
    yield server
    server.stop()


def attempt(server: StateServer, operation: str, service: str = "kms", **parameters: Any) -> Any:
    try:
        return server.call(operation, service, **parameters)
    except Refused as refusal:
        return (refusal.code, *refusal.args)


def is_known(operation: str) -> bool:
    return has_operation("kms", operation)


def look(server: StateServer) -> dict[str, Any]:
    """Return what all operations that read show."""
    seen: dict[str, Any] = {}
    for region in ("us-east-1", "eu-west-1"):
        for key in server.call("ListKeys", region=region)["Keys"]:
            for operation in filter(is_known, KEY_READS):
                name = {"PolicyName": "default"} if operation == "GetKeyPolicy" else {}
                seen[f"{operation} {key['KeyArn']}"] = attempt(
                    server, operation, region=region, KeyId=key["KeyId"], **name
                )
        for operation in ("ListKeys", "ListAliases", "DescribeCustomKeyStores"):
            seen[f"{operation} {region}"] = server.call(operation, region=region)
    for service, operations in READS.items():
        for operation in operations:
            seen[operation] = attempt(server, operation, service)
    seen["clock"] = server.control("GET", "clock")
    return seen


def look_at_records(server: StateServer) -> dict[str, Any]:
    return {
        name: server.control("GET", f"{name}{query}")
        for name, query in (
            *(("calls", "?limit=1000"), ("trail", "?limit=1000"), ("costs", "")),
            ("world", "?material=true"),
        )
    }


# --- what survives ------------------------------------------------------------------------------


def make_key(server: StateServer, **parameters: Any) -> str:
    key_id: str = server.call("CreateKey", **parameters)["KeyMetadata"]["KeyId"]
    return key_id


def on_key(operation: str, *before: str, **parameters: Any) -> Callable[[StateServer], None]:
    """Return a change of a new key, by an operation and those that come first."""

    def change(server: StateServer) -> None:
        key_id = make_key(server)
        for each in before:
            server.call(each, KeyId=key_id)
        server.call(operation, KeyId=key_id, **parameters)

    return change


def change_aliases(server: StateServer) -> None:
    first, second = make_key(server), make_key(server)
    for name in ("alias/b", "alias/a", "alias/gone"):
        server.call("CreateAlias", AliasName=name, TargetKeyId=first)
    server.call("DeleteAlias", AliasName="alias/gone")
    server.call("UpdateAlias", AliasName="alias/a", TargetKeyId=second)


def change_grants(server: StateServer) -> None:
    key_id = make_key(server)
    role = make_role(server)
    terms = {"KeyId": key_id, "GranteePrincipal": role, "RetiringPrincipal": role}
    constraints = {"EncryptionContextSubset": {"tenant": "a"}}
    for name in ("one", "two", "two"):
        answer = server.call(
            "CreateGrant", **terms, Operations=["Decrypt"], Name=name, Constraints=constraints
        )
    retired = server.call("CreateGrant", **terms, Operations=["Encrypt"])
    server.call("RevokeGrant", KeyId=key_id, GrantId=retired["GrantId"])
    server.call("RetireGrant", GrantToken=answer["GrantToken"])


def put_policy(server: StateServer) -> None:
    role = make_role(server)
    statement = {"Effect": "Allow", "Principal": {"AWS": [role, f"arn:aws:iam::{ACCOUNT}:root"]}}
    policy = {**ALLOW, "Statement": {**ALLOW["Statement"], **statement}}
    key_id = make_key(server)
    # An older botocore requires the name.
    server.call("PutKeyPolicy", KeyId=key_id, PolicyName="default", Policy=json.dumps(policy))


def schedule_and_cancel(server: StateServer) -> None:
    key_id = make_key(server)
    server.call("ScheduleKeyDeletion", KeyId=key_id, PendingWindowInDays=7)
    server.call("CancelKeyDeletion", KeyId=key_id)


def delete_keys(server: StateServer) -> None:
    for _ in range(2):
        key_id = make_key(server)
        server.call("CreateAlias", AliasName=f"alias/{key_id}", TargetKeyId=key_id)
    server.call("ScheduleKeyDeletion", KeyId=key_id, PendingWindowInDays=7)
    server.control("POST", "clock", {"advance_seconds": 8 * 86400})
    server.call("ListKeys")


def rotate(server: StateServer) -> None:
    key_id = make_key(server)
    server.call("EnableKeyRotation", KeyId=key_id, RotationPeriodInDays=90)
    server.call("RotateKeyOnDemand", KeyId=key_id)
    server.control("POST", "clock", {"advance_seconds": 400 * 86400})
    server.call("RotateKeyOnDemand", KeyId=key_id)


def get_import_parameters(server: StateServer, key_id: str) -> dict[str, Any]:
    offer = server.call(
        "GetParametersForImport",
        KeyId=key_id,
        WrappingAlgorithm="RSAES_OAEP_SHA_256",
        WrappingKeySpec="RSA_2048",
    )
    return {
        "KeyId": key_id,
        "ImportToken": offer["ImportToken"],
        "EncryptedKeyMaterial": wrap(b"m" * 32, offer["PublicKey"]),
    }


def import_material(server: StateServer) -> None:
    expires = datetime(2026, 3, 1, tzinfo=timezone.utc)
    for terms in (
        {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"},
        {"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": expires},
    ):
        key_id = make_key(server, Origin="EXTERNAL")
        server.call("ImportKeyMaterial", **get_import_parameters(server, key_id), **terms)
    server.call("DeleteImportedKeyMaterial", KeyId=key_id)


def replicate(server: StateServer) -> None:
    key_id = make_key(server, MultiRegion=True)
    server.call("ReplicateKey", KeyId=key_id, ReplicaRegion="eu-west-1")
    server.control("POST", "clock", {"advance_seconds": 3600})
    server.call("UpdatePrimaryRegion", KeyId=key_id, PrimaryRegion="eu-west-1")


def make_asymmetric(server: StateServer) -> None:
    for spec in ("RSA_2048", "ECC_NIST_P256", "ECC_NIST_EDWARDS25519"):
        key_id = make_key(server, KeySpec=spec, KeyUsage="SIGN_VERIFY")
        server.call("GetPublicKey", KeyId=key_id)
    make_key(server, KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")


def make_stores(server: StateServer) -> None:
    for name, settings in (("hsm", HSM), ("proxy", PROXY)):
        store = server.call("CreateCustomKeyStore", CustomKeyStoreName=name, **settings)
        server.call("ConnectCustomKeyStore", CustomKeyStoreId=store["CustomKeyStoreId"])
    server.control("POST", "clock", {"advance_seconds": 3600})
    origin = {"Origin": "EXTERNAL_KEY_STORE", "CustomKeyStoreId": store["CustomKeyStoreId"]}
    make_key(server, **origin, XksKeyId="external")
    server.call("DisconnectCustomKeyStore", CustomKeyStoreId=store["CustomKeyStoreId"])


def use_aws_managed_key(server: StateServer) -> None:
    server.call("DescribeKey", KeyId="alias/aws/s3")


def make_role(server: StateServer, name: str = "App") -> str:
    role = server.call(
        "CreateRole", "iam", RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST)
    )
    arn: str = role["Role"]["Arn"]
    return arn


def change_identities(server: StateServer) -> None:
    make_role(server)
    for name in ("Ann", "Bob"):
        server.call("CreateUser", "iam", UserName=name, Tags=[{"Key": "a", "Value": "b"}])
        server.call("CreateAccessKey", "iam", UserName=name)
    server.call("CreateGroup", "iam", GroupName="Team")
    server.call("AddUserToGroup", "iam", GroupName="Team", UserName="Ann")
    policy = server.call("CreatePolicy", "iam", PolicyName="All", PolicyDocument=json.dumps(ALLOW))
    arn = policy["Policy"]["Arn"]
    version = {"PolicyDocument": json.dumps({**ALLOW, "Id": "2"}), "SetAsDefault": True}
    server.call("CreatePolicyVersion", "iam", PolicyArn=arn, **version)
    server.call("AttachGroupPolicy", "iam", GroupName="Team", PolicyArn=arn)
    server.call("PutUserPermissionsBoundary", "iam", UserName="Ann", PermissionsBoundary=arn)
    inline = {"PolicyName": "inline", "PolicyDocument": json.dumps(ALLOW)}
    server.call("PutRolePolicy", "iam", RoleName="App", **inline)
    keys = server.call("ListAccessKeys", "iam", UserName="Bob")["AccessKeyMetadata"]
    inactive = {"AccessKeyId": keys[0]["AccessKeyId"], "Status": "Inactive"}
    server.call("UpdateAccessKey", "iam", UserName="Bob", **inactive)
    server.call("CreateUser", "iam", UserName="Gone")
    server.call("DeleteUser", "iam", UserName="Gone")


def load_organization(server: StateServer) -> None:
    member = {
        "id": "o-exampleorgid",
        "path": "o-exampleorgid/r-ab12/ou-ab12-11111111/",
        "service_control": [[ALLOW], [ALLOW]],
    }
    server.control("POST", "world", {"organizations": {OTHER: member}})


def use_storage(server: StateServer) -> None:
    key_id = make_key(server)
    server.call("EnableEbsEncryptionByDefault", "ec2")
    size = {"AvailabilityZone": "us-east-1a", "Size": 1, "KmsKeyId": key_id, "Encrypted": True}
    volume = server.call("CreateVolume", "ec2", **size, ClientToken="once")["VolumeId"]
    server.control("POST", "clock", {"advance_seconds": 3600})
    server.call("CreateSnapshot", "ec2", VolumeId=volume)
    server.call(
        "AttachVolume", "ec2", VolumeId=volume, InstanceId="i-01234567890123456", Device="/dev/sdf"
    )
    server.call("CreateVolume", "ec2", **size)


def use_databases(server: StateServer) -> None:
    server.call(
        "CreateDBInstance",
        "rds",
        DBInstanceIdentifier="orders",
        DBInstanceClass="db.t3.micro",
        Engine="mysql",
        AllocatedStorage=20,
        MasterUsername="admin",
        MasterUserPassword="password",
        StorageEncrypted=True,
        BackupRetentionPeriod=1,
    )
    server.control("POST", "clock", {"advance_seconds": 36 * 3600})
    names = {"DBInstanceIdentifier": "orders", "DBSnapshotIdentifier": "first"}
    server.call("CreateDBSnapshot", "rds", **names)
    server.call("StopDBInstance", "rds", DBInstanceIdentifier="orders")


def use_trails(server: StateServer) -> None:
    server.call("CreateTrail", "cloudtrail", Name="all", S3BucketName="bucket")
    server.call("StartLogging", "cloudtrail", Name="all")
    selectors = [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}]
    server.call("PutEventSelectors", "cloudtrail", TrailName="all", EventSelectors=selectors)


CHANGES: dict[str, Callable[[StateServer], None]] = {
    "nothing": lambda _: None,
    "a key": lambda server: make_key(
        server, Description="ä", Tags=[{"TagKey": "a", "TagValue": "b"}]
    ),
    "other key specs": make_asymmetric,
    "a description": on_key("UpdateKeyDescription", Description="other"),
    "tags": on_key("TagResource", Tags=[{"TagKey": "a", "TagValue": "b"}]),
    "a disabled key": on_key("DisableKey"),
    "an enabled key": on_key("EnableKey", "DisableKey"),
    "a deletion": on_key("ScheduleKeyDeletion", PendingWindowInDays=7),
    "no deletion": schedule_and_cancel,
    "deleted keys": delete_keys,
    "a key policy": put_policy,
    "aliases": change_aliases,
    "grants": change_grants,
    "rotations": rotate,
    "no rotation": on_key("DisableKeyRotation", "EnableKeyRotation"),
    "imported key material": import_material,
    "related keys": replicate,
    "custom key stores": make_stores,
    "an AWS managed key": use_aws_managed_key,
    "users, roles and groups": change_identities,
    "an organization": load_organization,
    "volumes and snapshots": use_storage,
    "databases": use_databases,
    "trails": use_trails,
    "the time": lambda server: server.control("POST", "clock", {"advance_seconds": 86400}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_after_a_start_all_is_as_before(
    server: StateServer, change: Callable[[StateServer], None]
) -> None:
    change(server)
    before, records = look(server), look_at_records(server)
    rows = list_rows(server.kms)

    server.restart()

    assert look_at_records(server) == records
    assert list_rows(server.kms) == rows
    assert look(server) == before
    # What happens later happens, too.
    server.control("POST", "clock", {"advance_seconds": 400 * 86400})
    server.call("ListKeys")


def test_ciphertexts_and_signatures_stay_valid(server: StateServer) -> None:
    key_id = make_key(server)
    blob = server.call("Encrypt", KeyId=key_id, Plaintext=b"text")["CiphertextBlob"]
    server.call("RotateKeyOnDemand", KeyId=key_id)
    signing = make_key(server, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    signed = {"KeyId": signing, "Message": b"text", "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = server.call("Sign", **signed)["Signature"]

    server.restart()

    assert server.call("Decrypt", CiphertextBlob=blob)["Plaintext"] == b"text"
    assert server.call("Verify", **signed, Signature=signature)["SignatureValid"]


def test_import_parameters_can_be_used_after_a_start(server: StateServer) -> None:
    key_id = make_key(server, Origin="EXTERNAL")
    parameters = get_import_parameters(server, key_id)

    server.restart()

    server.call("ImportKeyMaterial", **parameters, ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE")
    assert server.call("DescribeKey", KeyId=key_id)["KeyMetadata"]["KeyState"] == "Enabled"


def test_grant_tokens_and_page_markers_stay_valid(server: StateServer) -> None:
    key_id = make_key(server)
    grant = server.call(
        "CreateGrant", KeyId=key_id, GranteePrincipal=make_role(server), Operations=["Decrypt"]
    )
    make_key(server)
    marker = server.call("ListKeys", Limit=1)["NextMarker"]

    server.restart()

    assert len(server.call("ListKeys", Marker=marker)["Keys"]) == 1
    server.call("RetireGrant", GrantToken=grant["GrantToken"])


def test_credentials_stay_those_of_their_owners(server: StateServer) -> None:
    arn = make_role(server)
    assumed = server.call("AssumeRole", "sts", RoleArn=arn, RoleSessionName="work")
    server.call("CreateUser", "iam", UserName="Ann")
    made = server.call("CreateAccessKey", "iam", UserName="Ann")["AccessKey"]

    server.restart()

    for credentials, caller in (
        (assumed["Credentials"], assumed["AssumedRoleUser"]["Arn"]),
        (made, f"arn:aws:iam::{ACCOUNT}:user/Ann"),
    ):
        found = server.call("GetCallerIdentity", "sts", credentials=credentials)
        assert found["Arn"] == caller


def test_a_key_is_rotated_and_deleted_after_a_start_when_that_is_due(server: StateServer) -> None:
    rotated, deleted = make_key(server), make_key(server)
    server.call("EnableKeyRotation", KeyId=rotated, RotationPeriodInDays=90)
    server.call("ScheduleKeyDeletion", KeyId=deleted, PendingWindowInDays=7)

    server.restart()
    server.control("POST", "clock", {"advance_seconds": 91 * 86400})

    assert len(server.call("ListKeyRotations", KeyId=rotated)["Rotations"]) == 1
    with pytest.raises(Refused, match="NotFoundException"):
        server.call("DescribeKey", KeyId=deleted)


def test_a_passing_state_ends_at_the_second_look_also_if_a_start_is_between(
    tmp_path: Path,
) -> None:
    server = StateServer(tmp_path / "state.db", waiting="looks", delays="kms")
    replicate_key = {"KeyId": make_key(server, MultiRegion=True), "ReplicaRegion": "eu-west-1"}
    server.call("ReplicateKey", **replicate_key)

    def get_state() -> str:
        shown = server.call("DescribeKey", region="eu-west-1", KeyId=replicate_key["KeyId"])
        state: str = shown["KeyMetadata"]["KeyState"]
        return state

    first = get_state()
    server.restart()

    assert (first, get_state()) == ("Creating", "Enabled")
    server.stop()


def test_what_depends_on_the_seed_goes_on_as_without_a_start(tmp_path: Path) -> None:
    one, other = (StateServer(tmp_path / name, seed=5) for name in ("one", "other"))
    for server in (one, other):
        make_key(server)
    other.restart()

    assert make_key(one) == make_key(other)
    for server in (one, other):
        server.stop()


def test_the_clock_goes_on_while_there_is_no_server(tmp_path: Path) -> None:
    server = StateServer(
        tmp_path / "state.db", start_time=datetime(2030, 1, 1, tzinfo=timezone.utc)
    )
    server.control("POST", "clock", {"advance_seconds": 3600})
    before = server.kms.clock.now()

    server.restart()

    assert timedelta() <= server.kms.clock.now() - before < timedelta(minutes=10)
    server.stop()


def test_another_default_account_has_an_administrator_of_its_own(server: StateServer) -> None:
    key_id = make_key(server)

    server.restart(account_id=OTHER)

    assert server.call("GetCallerIdentity", "sts")["Account"] == OTHER
    assert server.call("ListKeys")["Keys"] == []
    server.restart(account_id=ACCOUNT)
    assert server.call("ListKeys")["Keys"][0]["KeyId"] == key_id


# --- the control plane --------------------------------------------------------------------------


def test_a_restored_checkpoint_is_written_and_checkpoints_end_with_the_server(
    server: StateServer,
) -> None:
    key_id = make_key(server)
    server.control("POST", "checkpoint", {"name": "one"})
    make_key(server)
    server.call("DisableKey", KeyId=key_id)
    server.control("POST", "restore", {"name": "one"})
    before = look(server)

    server.restart()

    assert look(server) == before
    with pytest.raises(AssertionError, match="there is no checkpoint"):
        server.control("POST", "restore", {"name": "one"})


def test_a_reset_is_written(server: StateServer) -> None:
    make_key(server)
    server.control("POST", "reset", {})

    server.restart()

    assert server.call("ListKeys")["Keys"] == []


def test_the_option_world_is_for_a_new_file_and_for_resets(tmp_path: Path) -> None:
    world = {"keys": [{"aliases": ["alias/of-world"]}]}
    server = StateServer(tmp_path / "state.db", world=world)
    server.call("DeleteAlias", AliasName="alias/of-world")

    server.restart()
    kept = server.call("ListKeys")["Keys"][0]["KeyId"]
    aliases = server.call("ListAliases", KeyId=kept)["Aliases"]
    server.control("POST", "reset", {})

    assert aliases == []
    assert server.call("DescribeKey", KeyId="alias/of-world")["KeyMetadata"]["KeyId"] != kept
    server.stop()


# --- what is written ----------------------------------------------------------------------------


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that are written from now on."""
    written: list[str] = []
    write = database.Database.write

    def note(self: database.Database, changes: Any) -> None:
        written.extend(statement for statement, _ in changes)
        write(self, changes)

    monkeypatch.setattr(database.Database, "write", note)
    return written


@pytest.mark.parametrize("keys", [1, 40])
@pytest.mark.parametrize(
    ("operation", "parameters", "most"),
    [
        ("Decrypt", {}, 2),
        ("DescribeKey", {}, 1),
        ("DisableKey", {}, 2),
        ("CreateAlias", {"AliasName": "alias/a"}, 5),
        ("CreateKey", {}, 6),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_call_writes_what_it_has_changed_however_much_there_is(
    server: StateServer,
    statements: list[str],
    keys: int,
    operation: str,
    parameters: dict[str, Any],
    most: int,
) -> None:
    key_id, *_ = [make_key(server) for _ in range(keys)]
    blob = server.call("Encrypt", KeyId=key_id, Plaintext=b"text")["CiphertextBlob"]
    named = {"Decrypt": {"CiphertextBlob": blob}, "CreateKey": {}}.get(operation, {"KeyId": key_id})
    if operation == "CreateAlias":
        named = {"TargetKeyId": key_id}
    server.call("ListKeys")
    statements.clear()

    server.call(operation, **named, **parameters)

    drawn = sum("objects" in each for each in statements)
    assert len(statements) <= most + 1, statements
    assert drawn <= most


def test_no_more_records_are_kept_than_in_memory(tmp_path: Path) -> None:
    server = StateServer(tmp_path / "state.db", calls_kept=5)
    for _ in range(12):
        server.call("ListKeys")
    requests = server.control("GET", "costs")["requests"]

    server.restart()

    assert (requests, server.control("GET", "costs")["requests"]) == (12, 12)
    server.restart(calls_kept=2)
    assert len(server.control("GET", "calls")["calls"]) == 2
    assert server.control("GET", "costs")["requests"] == 12
    server.stop()
    assert count_rows(server.path, "calls") == 2


def count_rows(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        count: int = connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
    return count


def test_what_was_deleted_does_not_stay_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kmsmock.persistence.tracking._FEW_OBJECTS", 40)
    server = StateServer(tmp_path / "state.db", calls_kept=1)
    key_id = make_key(server)
    grant = {"KeyId": key_id, "GranteePrincipal": make_role(server), "Operations": ["Decrypt"]}
    for _ in range(100):
        grant_id = server.call("CreateGrant", **grant)["GrantId"]
        server.call("RevokeGrant", KeyId=key_id, GrantId=grant_id)

    server.stop()

    assert count_rows(server.path, "objects") < 60


@pytest.mark.skipif(sys.platform == "win32", reason="files have no such modes")
def test_only_its_owner_can_read_the_file(server: StateServer) -> None:
    make_key(server)

    for path in server.path.parent.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


# --- what cannot be written ---------------------------------------------------------------------


@pytest.fixture
def full_disk(server: StateServer, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A server whose file cannot be written until this is undone."""

    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    server.call("ListKeys")
    monkeypatch.setattr("kmsmock.server.application._logger.exception", lambda *_: None)
    monkeypatch.setattr(database.Database, "write", fail)
    return monkeypatch


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("kms", "CreateKey", "KMSInternalException"),
        ("iam", "ListUsers", "ServiceFailure"),
        ("sts", "GetSessionToken", "InternalFailure"),
        ("ec2", "EnableEbsEncryptionByDefault", "InternalError"),
        ("cloudtrail", "DescribeTrails", "InternalFailure"),
    ],
)
def test_a_change_that_cannot_be_written_is_an_internal_error_of_the_service(
    server: StateServer,
    full_disk: pytest.MonkeyPatch,  # noqa: ARG001
    service: str,
    operation: str,
    code: str,
) -> None:
    if service in ("iam", "cloudtrail"):  # nothing else is to be written for these
        server.kms.account(ACCOUNT).user("Ann")
    with pytest.raises(Refused, match="disk is full") as refusal:
        server.call(operation, service)

    assert (refusal.value.status, refusal.value.code) == (500, code)


def test_a_change_by_the_control_plane_that_cannot_be_written_is_an_error_of_the_server(
    server: StateServer,
    full_disk: pytest.MonkeyPatch,  # noqa: ARG001
) -> None:
    headers = {"host": "127.0.0.1", "content-type": "application/json"}
    body = b'{"advance_seconds": 1}'

    response = server.send(HttpRequest("POST", "/_kmsmock/v1/clock", headers, body))

    assert response.status == 500
    assert (
        "could not be written: database or disk is full"
        in (json.loads(response.body)["error"]["message"])
    )


def test_what_could_not_be_written_is_written_with_the_next_change(
    server: StateServer, full_disk: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Refused):
        make_key(server)
    with pytest.raises(Refused):
        server.call("ListKeys")
    full_disk.undo()

    make_key(server)
    keys = server.call("ListKeys")["Keys"]
    server.restart()

    assert len(keys) == 2
    assert server.call("ListKeys")["Keys"] == keys


def test_after_very_many_failures_all_of_the_state_is_written(
    server: StateServer, full_disk: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kmsmock.persistence.state_file._MOST_UNWRITTEN", 3)
    with pytest.raises(Refused):
        make_key(server)
    full_disk.undo()

    keys = server.call("ListKeys")["Keys"]
    server.restart()

    assert server.call("ListKeys")["Keys"] == keys
    assert server.control("GET", "costs")["requests"] == 4


# --- files that are refused ---------------------------------------------------------------------


def refusal(path: Path | str, **options: Any) -> str:
    """Return why a server does not start with a file."""
    with pytest.raises(ValueError) as refused:
        Application(lambda: Settings(options, state=str(path))).kms  # noqa: B018
    return str(refused.value)


def make_text(path: Path) -> None:
    path.write_text("no database, but long enough to be one")


def make_other_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE other (x)")
        connection.commit()


def make_truncated(path: Path) -> None:
    server = StateServer(path)
    for _ in range(20):
        make_key(server)
    server.stop()
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096 + 100)


def make_senseless(path: Path) -> None:
    server = StateServer(path)
    make_key(server)
    server.stop()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE objects SET data = '{\"nonsense\":1}' WHERE type = 'Key'")
        connection.commit()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (make_text, "is no state file of kmsmock"),
        (make_other_database, "is an SQLite file, but no state file of kmsmock"),
        (make_truncated, "is damaged"),
        (make_senseless, "is damaged"),
        (Path.mkdir, "cannot be used: Is a directory"),
    ],
    ids=["text", "other SQLite file", "truncated", "senseless", "directory"],
)
def test_a_file_that_is_no_state_file_is_refused(
    tmp_path: Path, make: Callable[[Path], None], reason: str
) -> None:
    path = tmp_path / "file"
    make(path)

    assert reason in refusal(path)


def test_a_file_in_no_directory_is_refused(tmp_path: Path) -> None:
    assert "No such file or directory" in refusal(tmp_path / "missing" / "state.db")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.touch(0o400)

    assert "Permission denied" in refusal(path)


def test_a_file_of_a_running_server_is_refused(server: StateServer) -> None:
    assert "is in use: another server" in refusal(server.path)


def test_a_file_can_be_used_once_its_server_has_ended(server: StateServer) -> None:
    server.stop()

    server.start()
    assert server.call("ListKeys")["Keys"] == []


def test_a_file_of_another_seed_is_refused(tmp_path: Path) -> None:
    StateServer(tmp_path / "state.db", seed=1).stop()

    assert "the state of a mock with the seed 1, and not 2" in refusal(
        tmp_path / "state.db", seed=2
    )


def test_a_file_that_was_refused_is_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "file"
    make_other_database(path)
    before = path.read_bytes()

    refusal(path)

    assert path.read_bytes() == before


def test_a_newer_file_is_refused_with_the_versions(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    StateServer(path).stop()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 7")
        connection.execute("UPDATE settings SET value = '9.1' WHERE name = 'written by'")
        connection.commit()

    assert (
        "has version 7 of the format, written by kmsmock 9.1; this kmsmock reads up to version 1"
        in refusal(path)
    )


def test_an_older_file_is_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = StateServer(tmp_path / "state.db")
    key_id = make_key(server, Description="before")
    server.stop()

    def migrate(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE objects SET data = replace(data, 'before', 'after')")

    monkeypatch.setattr(database, "MIGRATIONS", [migrate])
    server.start()
    described = server.call("DescribeKey", KeyId=key_id)
    server.restart()  # it is not migrated twice

    assert described["KeyMetadata"]["Description"] == "after"
    assert server.call("DescribeKey", KeyId=key_id) == described
    server.stop()


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = StateServer(tmp_path / "state.db")
    make_key(server)
    server.stop()

    def migrate(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM objects")
        connection.execute("SELECT * FROM missing")

    with monkeypatch.context() as patch:
        patch.setattr(database, "MIGRATIONS", [migrate])
        assert "cannot be used: no such table: missing" in refusal(server.path)
    server.start()

    assert len(server.call("ListKeys")["Keys"]) == 1
    server.stop()


def test_the_command_ends_with_2_and_the_reason(tmp_path: Path) -> None:
    pytest.importorskip("uvicorn", reason="the extra server is not installed")
    make_text(tmp_path / "file")

    printed = capture(cli.main, ["serve", "--port", "0", "--state", str(tmp_path / "file")])

    assert (printed.result, printed.errors) == (
        2,
        f"kmsmock serve: {tmp_path / 'file'} is no state file of kmsmock\n",
    )


def test_the_file_can_be_in_an_environment_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KMSMOCK_SERVER_STATE", str(tmp_path / "state.db"))

    assert Settings.of_environment().state == str(tmp_path / "state.db")


def test_no_file_is_written_without_the_option(tmp_path: Path) -> None:
    application = Application(Settings)

    application.kms  # noqa: B018 - it is made
    assert application._state is None
    assert list(tmp_path.iterdir()) == []


# --- kills --------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_server_that_is_killed_under_load_loses_nothing_that_it_has_acknowledged(
    tmp_path: Path,
) -> None:
    for name in EXTRA:
        pytest.importorskip(name, reason="the extra server is not installed")

    done = kills.run(kills.start_process, tmp_path / "state.db", kills=3, seed=1)

    assert done.checked > 10
