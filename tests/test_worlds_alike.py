"""A loaded world answers as the one that was exported would have gone on to answer."""

from __future__ import annotations

import contextlib
import json
import time
from datetime import datetime, timedelta, timezone

import boto3
import pytest
from botocore.exceptions import ClientError

from kmsmock import mock_kms
from kmsmock.keys.specs import KEY_SPECS, KeyUsage

ACCOUNT = "123456789012"
START = datetime(2030, 1, 1, tzinfo=timezone.utc)
HSM = {
    "CustomKeyStoreName": "hsm",
    "CloudHsmClusterId": "cluster-2a23b4cdefgh",
    "TrustAnchorCertificate": "x",
    "KeyStorePassword": "kmsPswd",
}
XKS = {
    "CustomKeyStoreName": "proxy",
    "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
    "XksProxyUriEndpoint": "https://proxy.example.com",
    "XksProxyUriPath": "/kms/xks/v1",
    "XksProxyAuthenticationCredential": {
        "AccessKeyId": "ABCDEFGHIJKLMNOPQRST",
        "RawSecretAccessKey": "DXjSUawnel2fr6SKC7G25CNxTyWKE5PF9XX6H/u9pSo=",
    },
    "XksProxyConnectivity": "PUBLIC_ENDPOINT",
}


@pytest.fixture
def kms():
    with mock_kms(start_time=START, isolated=True) as kms:
        yield kms


@pytest.fixture
def again(tmp_path):
    """Give a function that exports a world, and gives another mock that begins with it."""
    with contextlib.ExitStack() as opened:

        def again(kms, **options):
            path = tmp_path / "world.json"
            kms.export(path)
            return opened.enter_context(mock_kms(world=path, **options))

        yield again


def new_key(client, **parameters):
    return client.create_key(**parameters)["KeyMetadata"]["KeyId"]


def allow(principal, action="kms:*"):
    return {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": action, "Resource": "*"}


def state_of(client, key):
    return client.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]


# --- keys ---------------------------------------------------------------------------------------


def test_a_key_policy_is_the_same_to_the_letter(kms, again):
    document = {"Statement": {**allow([ACCOUNT, "*"]), "Condition": {}, "Sid": "é"}}
    key = new_key(kms.client(), Policy=json.dumps(document), BypassPolicyLockoutSafetyCheck=True)
    text = kms.client().get_key_policy(KeyId=key)["Policy"]

    assert again(kms).client().get_key_policy(KeyId=key)["Policy"] == text


def test_aws_managed_keys_keep_their_policies_and_names(kms, again):
    before = kms.client().describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    policy = kms.client().get_key_policy(KeyId=before["KeyId"])["Policy"]

    client = again(kms).client()

    assert client.describe_key(KeyId="alias/aws/s3")["KeyMetadata"] == before
    assert client.get_key_policy(KeyId=before["KeyId"])["Policy"] == policy


def test_keys_are_listed_in_the_same_order_with_replicas_among_them(kms, again):
    primary = new_key(kms.client(), MultiRegion=True)
    there = kms.client(region="eu-west-1")
    new_key(there)
    kms.client().replicate_key(KeyId=primary, ReplicaRegion="eu-west-1")
    new_key(there)
    before = there.list_keys(Limit=2)

    client = again(kms).client(region="eu-west-1")

    assert client.list_keys(Limit=2)["Keys"] == before["Keys"]
    assert client.list_keys()["Keys"] == there.list_keys()["Keys"]


def test_a_primary_that_was_a_replica_is_loaded_before_its_replicas(kms, again):
    key = new_key(kms.client(), MultiRegion=True)
    kms.client().replicate_key(KeyId=key, ReplicaRegion="eu-west-1")
    kms.clock.advance(hours=1)
    kms.client().update_primary_region(KeyId=key, PrimaryRegion="eu-west-1")
    blob = kms.client().encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    kms.clock.advance(hours=1)
    before = kms.client().describe_key(KeyId=key)["KeyMetadata"]

    client = again(kms).client()

    assert client.describe_key(KeyId=key)["KeyMetadata"] == before
    assert client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_a_replica_in_state_creating_is_enabled_at_its_time(kms, again):
    key = new_key(kms.client(), MultiRegion=True)
    kms.client().replicate_key(KeyId=key, ReplicaRegion="eu-west-1")
    kms.clock.advance(seconds=5)

    other = again(kms)
    client = other.client(region="eu-west-1")

    assert state_of(client, key) == "Creating"
    for world in (kms, other):
        world.clock.advance(minutes=5)
    assert state_of(client, key) == "Enabled"


def test_imported_multi_region_material_waits_for_the_replicas_that_have_not_got_it(kms, again):
    client = kms.client()
    key = new_key(client, Origin="EXTERNAL", MultiRegion=True)
    replica = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{key}"
    kms.import_material(key, b"1" * 32)
    client.replicate_key(KeyId=key, ReplicaRegion="eu-west-1")
    kms.clock.advance(hours=1)
    kms.import_material(replica, b"1" * 32)
    kms.import_material(key, b"2" * 32, ImportType="NEW_KEY_MATERIAL")

    other = again(kms)

    with pytest.raises(ClientError, match="not been imported for replicas"):
        other.client().rotate_key_on_demand(KeyId=key)
    other.import_material(replica, b"2" * 32)
    other.client().rotate_key_on_demand(KeyId=key)


def test_an_rsa_key_of_the_file_is_given_to_no_other_key(again):
    def public(client):
        return client.get_public_key(KeyId=rsa_key(client))["PublicKey"]

    def rsa_key(client):
        return new_key(client, KeySpec="RSA_3072", KeyUsage="SIGN_VERIFY")

    with mock_kms(seed=5) as first:
        known = public(first.client())
        other = again(first, seed=5, start_time=START)
        drawn = [public(other.client()) for _ in range(31)]  # all others that are ready-made
    assert known not in drawn
    assert len(set(drawn)) == len(drawn)


def test_a_rotation_on_demand_ends_at_its_time(kms, again):
    key = new_key(kms.client())
    kms.client().rotate_key_on_demand(KeyId=key)

    other = again(kms)
    client = other.client()

    assert "OnDemandRotationStartDate" in client.get_key_rotation_status(KeyId=key)
    other.clock.advance(hours=1)
    assert len(client.list_key_rotations(KeyId=key)["Rotations"]) == 1


# --- principals ---------------------------------------------------------------------------------


@pytest.mark.parametrize("is_created_again", [True, False], ids=["created again", "gone"])
def test_what_named_a_deleted_role_means_nobody_still(kms, again, is_created_again):
    iam, client = kms.client("iam"), kms.client()
    role = kms.account(ACCOUNT).role("App")
    policy = {"Version": "2012-10-17", "Statement": [allow(kms.account(ACCOUNT).root.arn)]}
    policy["Statement"].append(allow(role.arn))
    key = new_key(client, Policy=json.dumps(policy))
    granted = new_key(client)
    client.create_grant(KeyId=granted, GranteePrincipal=role.arn, Operations=["Encrypt"])
    iam.delete_role(RoleName="App")
    if is_created_again:
        kms.account(ACCOUNT).role("App")
    before = client.get_key_policy(KeyId=key)["Policy"]
    grants = client.list_grants(KeyId=granted)["Grants"]

    other = again(kms)

    assert other.client().get_key_policy(KeyId=key)["Policy"] == before
    assert other.client().list_grants(KeyId=granted)["Grants"] == grants
    for denied in (key, granted):
        with pytest.raises(ClientError, match="AccessDenied"):
            other.account(ACCOUNT).role("App").client().encrypt(KeyId=denied, Plaintext=b"x")


def test_a_trust_policy_that_names_a_user_created_again_trusts_nobody(kms, again):
    iam = kms.client("iam")
    user = kms.account(ACCOUNT).user("Alice")
    trust = {"Effect": "Allow", "Principal": {"AWS": user.arn}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="App", AssumeRolePolicyDocument=json.dumps({"Statement": trust}))
    iam.delete_user(UserName="Alice")
    kms.account(ACCOUNT).user("Alice")

    sts = again(kms).account(ACCOUNT).user("Alice").client("sts")

    with pytest.raises(ClientError, match="AccessDenied"):
        sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/App", RoleSessionName="alice")


def test_an_administrator_with_tags_is_the_administrator_there(kms, again):
    tags = [{"Key": "team", "Value": "a"}]
    kms.client("iam").tag_user(UserName="Administrator", Tags=tags)
    path = again(kms).options["world"]
    with mock_kms(isolated=True) as other:
        client = other.client()
        key = new_key(client)
        other.load(path)
        assert state_of(client, key) == "Enabled"
        assert other.client("iam").get_user(UserName="Administrator")["User"]["Tags"] == tags


def test_policies_of_all_kinds_decide_as_before(kms, again):
    iam, key = kms.client("iam"), new_key(kms.client())
    may = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:*"}}
    may["Statement"]["Resource"] = "*"
    arn = iam.create_policy(PolicyName="May", PolicyDocument=json.dumps(may))["Policy"]["Arn"]
    may["Statement"]["Action"] = "kms:Describe*"
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(may), SetAsDefault=True)
    iam.create_group(GroupName="Team")
    iam.attach_group_policy(GroupName="Team", PolicyArn=arn)
    iam.create_user(UserName="Alice", PermissionsBoundary=arn)
    iam.add_user_to_group(GroupName="Team", UserName="Alice")
    iam.attach_user_policy(
        UserName="Alice", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    )
    before = iam.list_policy_versions(PolicyArn=arn)["Versions"]

    other = again(kms)

    alice = other.account(ACCOUNT).user("Alice").client()
    alice.describe_key(KeyId=key)
    with pytest.raises(ClientError, match="permissions boundary"):
        alice.encrypt(KeyId=key, Plaintext=b"x")
    iam = other.client("iam")
    assert iam.list_policy_versions(PolicyArn=arn)["Versions"] == before
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    alice.encrypt(KeyId=key, Plaintext=b"x")


def test_inactive_access_keys_stay_inactive(kms, again):
    iam = kms.client("iam")
    iam.create_user(UserName="Alice")
    made = iam.create_access_key(UserName="Alice")["AccessKey"]
    iam.update_access_key(UserName="Alice", AccessKeyId=made["AccessKeyId"], Status="Inactive")

    again(kms)

    client = boto3.client(
        "kms",
        aws_access_key_id=made["AccessKeyId"],
        aws_secret_access_key=made["SecretAccessKey"],
    )
    with pytest.raises(ClientError, match="security token"):
        client.list_keys()


def test_service_control_policies_hold_there_too(kms, again):
    statements = [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "kms:Encrypt", "Resource": "*"},
    ]
    kms.account("444455556666").join_organization(
        "o-a1b2c3d4e5", service_control=[[{"Statement": statements}]]
    )
    key = new_key(kms.account("444455556666").administrator.client())

    client = again(kms).account("444455556666").administrator.client()

    with pytest.raises(ClientError, match="service control policy"):
        client.encrypt(KeyId=key, Plaintext=b"x")


# --- grants -------------------------------------------------------------------------------------


def test_an_empty_encryption_context_constrains_as_before(kms, again):
    key = new_key(kms.client())
    role = kms.account(ACCOUNT).role("App")
    kms.client().create_grant(
        KeyId=key,
        GranteePrincipal=role.arn,
        Operations=["Encrypt"],
        Constraints={"EncryptionContextEquals": {}},
    )

    client = again(kms).account(ACCOUNT).role("App").client()

    client.encrypt(KeyId=key, Plaintext=b"x")
    with pytest.raises(ClientError, match="AccessDenied"):
        client.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"a": "b"})


def test_a_grant_of_the_same_name_and_terms_is_the_same_grant(kms, again):
    key = new_key(kms.client())
    role = kms.account(ACCOUNT).role("App")
    terms = {
        "KeyId": key,
        "GranteePrincipal": role.arn,
        "Operations": ["Encrypt"],
        "Name": "app",
    }
    before = kms.client().create_grant(**terms)["GrantId"]

    assert again(kms).client().create_grant(**terms)["GrantId"] == before


# --- custom key stores --------------------------------------------------------------------------


def test_a_store_that_is_connecting_is_connected_at_its_time(kms, again):
    client = kms.client()
    store = client.create_custom_key_store(**HSM)["CustomKeyStoreId"]
    client.connect_custom_key_store(CustomKeyStoreId=store)
    due = kms.key_store(store).transient_until
    kms.clock.advance(seconds=1)

    other = again(kms)

    assert other.key_store(store).transient_until == due
    other.clock.move_to(due - timedelta(seconds=1))
    assert other.key_store(store).state.value == "CONNECTING"
    other.clock.move_to(due)
    assert other.key_store(store).is_connected


def test_an_external_key_has_its_xks_key_id_for_itself(again):
    with mock_kms(delays="none", start_time=START) as kms:
        client = kms.client()
        store = client.create_custom_key_store(**XKS)["CustomKeyStoreId"]
        client.connect_custom_key_store(CustomKeyStoreId=store)
        new = {"Origin": "EXTERNAL_KEY_STORE", "CustomKeyStoreId": store, "XksKeyId": "xks-1"}
        key = new_key(client, **new)
        blob = client.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]

        client = again(kms).client()

        assert client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
        with pytest.raises(ClientError, match="XksKeyAlreadyInUse"):
            client.create_key(**new)


# --- seeds and failures ---------------------------------------------------------------------------


def test_what_cannot_be_loaded_does_not_change_what_the_seed_makes():
    made = []
    for is_tried in (True, False):
        with mock_kms(seed=1, isolated=True) as kms:
            if is_tried:
                with pytest.raises(ValueError, match=r"keys\[1\]"):
                    kms.load({"keys": ["alias/a", 1]})
            made.append(new_key(kms.client()))
    assert made[0] == made[1]


def test_a_checkpoint_goes_back_behind_a_load():
    with mock_kms() as kms:
        before = kms.checkpoint()
        kms.load({"keys": ["alias/a"], "roles": ["App"]})
        kms.restore(before)
        assert (kms.keys, kms.aliases) == ((), ())
        kms.load({"keys": ["alias/a"], "roles": ["App"]})


# --- all there is -------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", sorted(KEY_SPECS))
def test_keys_of_each_spec_are_the_same_key(again, spec):
    region = "cn-north-1" if KEY_SPECS[spec].china_only else "us-east-1"
    usage = next(iter(KEY_SPECS[spec].usages)).value
    with mock_kms(isolated=True) as kms:
        client = kms.client(region=region)
        key = {"KeyId": new_key(client, KeySpec=spec, KeyUsage=usage)}

        def use(client):
            if KEY_SPECS[spec].is_asymmetric:
                return client.get_public_key(**key)["PublicKey"]
            if usage == "GENERATE_VERIFY_MAC":
                algorithm = KEY_SPECS[spec].usages[KeyUsage(usage)][0]
                return client.generate_mac(**key, Message=b"x", MacAlgorithm=algorithm)["Mac"]
            return client.decrypt(CiphertextBlob=blob)["Plaintext"]

        if spec == "SYMMETRIC_DEFAULT":
            blob = client.encrypt(**key, Plaintext=b"x")["CiphertextBlob"]
        try:
            before = use(client)
        except client.exceptions.UnsupportedOperationException as reason:
            pytest.skip(str(reason))

        other = again(kms).client(region=region)

        assert use(other) == before
        shown = [one.describe_key(**key)["KeyMetadata"] for one in (client, other)]
        assert shown[0] == shown[1]


def test_without_material_imported_keys_wait_for_theirs(kms, tmp_path):
    key = new_key(kms.client(), Origin="EXTERNAL")
    kms.import_material(key, b"1" * 32, ValidTo=START + timedelta(days=9))
    blob = kms.client().encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    kms.export(tmp_path / "world.json", material=False)

    with mock_kms(world=tmp_path / "world.json") as other:
        assert state_of(other.client(), key) == "PendingImport"
        other.import_material(key, b"1" * 32)
        assert other.client().decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


@pytest.mark.usefixtures("everything_loaded")
def test_paths_in_marks_start_at_the_root_directory(pytester):
    pytester.makefile(".json", world='{"keys": ["alias/app"]}')
    pytester.makeini("[pytest]")
    folder = pytester.mkdir("tests")
    folder.joinpath("test_there.py").write_text(
        "import pytest\n"
        "@pytest.mark.kms(world='world.json')\n"
        "def test_there(kms):\n"
        "    assert kms.aliases[0].name == 'alias/app'\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        result = pytester.runpytest_inprocess(folder)
    result.assert_outcomes(passed=1)


def test_thousands_of_keys_are_written_and_read_in_seconds(tmp_path):
    keys = [{"alias": f"alias/key-{number}"} for number in range(5000)]
    started = time.process_time()
    with mock_kms(world={"keys": keys}) as kms:
        kms.export(tmp_path / "world.json")
        with mock_kms(world=tmp_path / "world.json") as other:
            assert len(other.keys) == len(other.aliases) == 5000
    assert time.process_time() - started < 10
