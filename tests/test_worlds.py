"""Worlds in files: what is written can be read again, by hand or by another process."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64decode, b64encode
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from kmsmock import mock_kms
from tests.material import rsa_key

DATA = Path(__file__).parent / "data" / "worlds"
ACCOUNT = "123456789012"
ALL = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
KEY_ID = "11111111-2222-3333-4444-555555555555"
OTHER_ID = "66666666-7777-8888-9999-000000000000"
MULTI_REGION_ID = "mrk-00000000111111112222222233333333"
ARN = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{KEY_ID}"


@pytest.fixture
def again(tmp_path):
    """Give a function that makes the same world again: exported, and loaded into another mock."""
    opened = []

    def again(kms, **options):
        path = tmp_path / f"{len(opened)}.json"
        kms.export(path)
        opened.append(mock_kms(world=path, **options))
        return opened[-1].start()

    yield again
    for mocker in reversed(opened):
        mocker.stop()


# --- by hand ------------------------------------------------------------------------------------


def test_a_world_can_be_a_few_words():
    with mock_kms(world={"keys": ["alias/app"], "roles": ["App"]}) as kms:
        blob = kms.client().encrypt(KeyId="alias/app", Plaintext=b"x")["CiphertextBlob"]
        assert kms.client().decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
        role = kms.account(ACCOUNT).role("App")
        kms.client().create_grant(
            KeyId=kms.keys[0].key_id, GranteePrincipal=role.arn, Operations=["Encrypt"]
        )


def test_things_are_in_the_default_account_and_region_unless_they_say_otherwise():
    there = {"account": "444455556666", "region": "eu-west-1", "alias": "alias/there"}
    with mock_kms(world={"keys": ["alias/here", there]}) as kms:
        assert [(key.account, key.region_name) for key in kms.keys] == [
            (ACCOUNT, "us-east-1"),
            ("444455556666", "eu-west-1"),
        ]


def test_the_document_can_say_where_its_things_are():
    world = {"account": "444455556666", "region": "eu-west-1", "keys": ["alias/app"]}
    with mock_kms(world=world) as kms:
        assert kms.keys[0].arn.startswith("arn:aws:kms:eu-west-1:444455556666:key/")


def test_a_key_can_have_the_material_that_a_test_knows():
    secret = bytes(range(32))
    key = {"id": KEY_ID, "material": b64encode(secret).decode()}
    worlds = [mock_kms(world={"keys": [key]}) for _ in range(2)]
    with worlds[0] as kms:
        blob = kms.client().encrypt(KeyId=KEY_ID, Plaintext=b"x")["CiphertextBlob"]
    with worlds[1] as kms:
        assert kms.client().decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


@pytest.mark.parametrize(
    ("spec", "make_key"),
    [
        ("ECC_NIST_P256", lambda: ec.generate_private_key(ec.SECP256R1())),
        ("ECC_SECG_P256K1", lambda: ec.generate_private_key(ec.SECP256K1())),
        ("RSA_2048", rsa_key),
    ],
    ids=["P-256", "secp256k1", "RSA"],
)
@pytest.mark.parametrize("form", ["PKCS8", "TraditionalOpenSSL"])
def test_a_key_pair_can_be_a_pem_text(spec, make_key, form):
    private_key = make_key()
    pem = private_key.private_bytes(
        serialization.Encoding.PEM,
        getattr(serialization.PrivateFormat, form),
        serialization.NoEncryption(),
    ).decode()
    key = {"alias": "alias/k", "spec": spec, "usage": "SIGN_VERIFY", "material": pem}
    with mock_kms(world={"keys": [key]}) as kms:
        given = kms.client().get_public_key(KeyId="alias/k")["PublicKey"]
    assert given == private_key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def test_policies_decide_about_loaded_principals():
    may = {**ALL, "Statement": {"Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*"}}
    world = {"keys": ["alias/app"], "roles": [{"name": "App", "policies": [may]}]}
    with mock_kms(world=world) as kms:
        role = kms.principal(f"arn:aws:iam::{ACCOUNT}:role/App")
        assert kms.explain(role, "kms:Encrypt", "alias/app")
        assert not kms.explain(role, "kms:Decrypt", "alias/app")


def test_the_clock_starts_at_the_time_of_the_world():
    with mock_kms(world={"time": "2027-03-01T00:00:00+01:00"}, seed=1) as kms:
        assert kms.clock.now() == datetime(2027, 2, 28, 23, tzinfo=timezone.utc)


@pytest.mark.parametrize("order", [1, -1], ids=["primary first", "replica first"])
def test_a_replica_follows_its_primary(order):
    keys = [
        {"id": MULTI_REGION_ID, "multi_region": True, "alias": "alias/app"},
        {"id": MULTI_REGION_ID, "multi_region": "replica", "region": "eu-west-1"},
    ][::order]
    with mock_kms(world={"keys": keys}) as kms:
        blob = kms.client().encrypt(KeyId=MULTI_REGION_ID, Plaintext=b"x")["CiphertextBlob"]
        there = kms.client(region="eu-west-1")
        assert there.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_a_replica_says_nothing_twice():
    keys = [
        {"id": MULTI_REGION_ID, "multi_region": True, "spec": "RSA_2048", "usage": "SIGN_VERIFY"},
        {"id": MULTI_REGION_ID, "multi_region": "replica", "region": "eu-west-1"},
    ]
    with mock_kms(world={"keys": keys}) as kms:
        here, there = (
            kms.client(region=region).get_public_key(KeyId=MULTI_REGION_ID)["PublicKey"]
            for region in ("us-east-1", "eu-west-1")
        )
    assert here == there


def test_a_grant_can_name_its_key_by_an_alias():
    role = f"arn:aws:iam::{ACCOUNT}:role/App"
    grant = {"key": "alias/app", "grantee": role, "operations": ["Encrypt"]}
    with mock_kms(world={"keys": ["alias/app"], "roles": ["App"], "grants": [grant]}) as kms:
        client = kms.principal(role).client()
        client.encrypt(KeyId=kms.keys[0].arn, Plaintext=b"x")


def test_a_deletion_needs_no_state_beside_it():
    with mock_kms(world={"keys": [{"alias": "alias/old", "deletion": {"days": 7}}]}) as kms:
        assert kms.keys[0].state.value == "PendingDeletion"
        kms.clock.advance(days=7)
        assert kms.keys == ()


def test_the_newest_of_several_materials_is_the_current_one():
    with mock_kms(world={"keys": [{"materials": [{}, {}, {}]}]}) as kms:
        states = [material.state.value for material in kms.keys[0].materials]
        assert states == ["NON_CURRENT", "NON_CURRENT", "CURRENT"]


def test_reset_gives_the_world_back():
    with mock_kms(world={"keys": ["alias/app"]}) as kms:
        kms.client().create_key()
        kms.reset()
        assert [alias.name for alias in kms.aliases] == ["alias/app"]
        assert len(kms.keys) == 1


def test_load_adds_to_what_there_is():
    with mock_kms() as kms:
        kms.client().create_key()
        kms.load({"keys": ["alias/app"]})
        assert len(kms.keys) == 2


def test_a_seeded_world_makes_the_same_of_the_same_document_and_nothing_twice(tmp_path):
    path = tmp_path / "world.json"
    with mock_kms(seed=1) as kms:
        first = kms.client().create_key()["KeyMetadata"]["KeyId"]
        kms.export(path)
    made = []
    for _ in range(2):
        with mock_kms(seed=1, world=path) as kms:
            made.append(kms.client().create_key()["KeyMetadata"]["KeyId"])
    assert made[0] == made[1] != first


def test_the_grant_of_an_attached_volume_is_exported_and_loaded(again):
    with mock_kms() as kms:
        ec2 = kms.client("ec2")
        volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True)
        ec2.attach_volume(
            VolumeId=volume["VolumeId"], InstanceId="i-0123456789abcdef0", Device="/dev/sdf"
        )
        listing = {"KeyId": kms.keys[0].key_id}
        (grant,) = kms.client().list_grants(**listing)["Grants"]
        (loaded,) = again(kms).client().list_grants(**listing)["Grants"]
    retiring = [one["RetiringPrincipal"] for one in (grant, loaded)]
    assert retiring == ["ec2.us-east-1.amazonaws.com"] * 2


# --- errors -------------------------------------------------------------------------------------


def key_with(**members):
    return {"keys": [{"alias": "alias/a", **members}]}


def grant_with(**members):
    role = f"arn:aws:iam::{ACCOUNT}:role/App"
    grant = {"key": "alias/a", "grantee": role, "operations": ["Decrypt"], **members}
    return {"keys": ["alias/a"], "roles": ["App"], "grants": [grant]}


def store_with(**members):
    settings = {
        "CloudHsmClusterId": "cluster-2a23b4cdefgh",
        "TrustAnchorCertificate": "x",
        "KeyStorePassword": "kmsPswd",
    }
    return {"custom_key_stores": [{"name": "hsm", "settings": settings, **members}]}


REPLICA = {"id": MULTI_REGION_ID, "multi_region": "replica", "region": "eu-west-1"}
ERRORS = [
    ({"kyes": []}, "'kyes' is no member here; did you mean 'keys'?"),
    ({"keys": {}}, "keys: must be a list, not an object"),
    ({"keys": [1]}, r"keys[0]: must be an object, not the number 1"),
    (key_with(spec="RSA_248"), "keys[0].spec: must be one of "),
    (key_with(spec="RSA_248"), "; did you mean 'RSA_2048'?"),
    (key_with(usage="SIGN_VERIFY"), "keys[0].usage: must be one of ENCRYPT_DECRYPT"),
    (key_with(material="eHg="), "keys[0].material: The unwrapped material has 2 bytes"),
    (key_with(material="?"), "keys[0].material: must be bytes in Base64"),
    (key_with(tags={"a": 1}), "keys[0].tags.a: must be a text, not the number 1"),
    (key_with(rotation={"days": 1}), "keys[0].rotation.days: must be a whole number from 90"),
    (key_with(created="yesterday"), "keys[0].created: must be a time with its zone"),
    (key_with(created="2026-01-01T00:00:00"), "keys[0].created: must be a time with its zone"),
    (key_with(rotation=True, origin="EXTERNAL"), "keys[0].rotation: is for SYMMETRIC_DEFAULT keys"),
    (key_with(origin="AWS_CLOUDHSM"), "keys[0]: 'custom_key_store' belongs to an origin of its"),
    (key_with(alias="alias/aws/s3"), "keys[0].alias: names under alias/aws/ are for AWS managed"),
    (key_with(account=123456789012), "keys[0].account: must be an account id of 12 digits, in qu"),
    (key_with(materials=[{"expires": "2999-01-01T00:00:00Z"}]), "keys[0].materials[0]: only imp"),
    (key_with(materials=[{"state": "NON_CURRENT"}]), "keys[0].materials: one material must be C"),
    (key_with(materials=[{"state": "CURRENT"}] * 2), "keys[0].materials: one material must be C"),
    (key_with(origin="EXTERNAL", materials=[{}]), "keys[0].materials[0]: 'id' is missing"),
    (
        key_with(material="AA" * 21 + "A=", materials=[{}]),
        "keys[0]: 'material' is short for 'materials'",
    ),
    (
        {"keys": [{"id": MULTI_REGION_ID, "multi_region": True}, {**REPLICA, "spec": "RSA_2048"}]},
        "keys[1]: spec, usage and origin of a replica are those of its primary",
    ),
    (
        {"keys": [{"id": MULTI_REGION_ID, "multi_region": True}, {**REPLICA, "materials": [{}]}]},
        "keys[1]: a replica has the material of its primary",
    ),
    (grant_with(key="alias/b"), "grants[0].key: there is no key 'alias/b' in 123456789012 us-eas"),
    (grant_with(key="alias/aa"), "; did you mean 'alias/a'?"),
    (grant_with(grantee="App"), "grants[0].grantee: ARN is not valid: App"),
    (grant_with(operations=["Decrpyt"]), "grants[0]: Operations [Decrpyt] are not supported"),
    (grant_with(operations=[]), "grants[0]: 1 validation error detected: Value '[]' at 'operat"),
    (store_with(state="FAILED"), "custom_key_stores[0]: 'error' belongs to the state FAILED"),
    (store_with(state="CONNECTING"), "custom_key_stores[0]: 'until' belongs to CONNECTING"),
    (store_with(settings={}), "custom_key_stores[0].settings: CloudHsmClusterId, "),
    ({"policies": [{"name": "P"}]}, "policies[0]: it has a 'document', or 'versions'"),
    (
        {"policies": [{"name": "P", "versions": {"1": {"document": ALL}}}]},
        "policies[0].versions.1: must be a version such as v1, not the text '1'",
    ),
    ({"organizations": {"1": {}}}, "organizations.1: must be an account id of 12 digits"),
    ({"kmsmock": True}, "kmsmock: must be a format up to 1, not true"),
    (key_with(state="Updating"), "keys[0]: 'until' belongs to Creating and Updating"),
    (key_with(state="PendingDeletion"), "keys[0]: 'deletion' belongs to the state PendingDeletion"),
    (
        key_with(multi_region="replica", id=MULTI_REGION_ID),
        "keys[0]: there is no primary of mrk-00000000",
    ),
    (key_with(multi_region=True, id=KEY_ID), "keys[0].id: begins with mrk-"),
    (key_with(policy={"Statement": [{}]}), "keys[0].policy: the policy is malformed"),
    (key_with(custom_key_store="cks-1"), "keys[0].custom_key_store: there is no such custom key"),
    (key_with(region="Europe"), "keys[0].region: must be a Region such as eu-west-1"),
    ({"roles": [{"name": "a b"}]}, "roles[0].name: must be letters, digits and +=,.@_-"),
    ({"roles": [{"name": "R", "path": "x"}]}, "roles[0].path: must be / or begin and end with it"),
    (
        {"users": [{"name": "U", "partition": "x"}]},
        "users[0].partition: must be one of aws, aws-cn",
    ),
    (key_with(account="12"), "keys[0].account: must be an account id of 12 digits"),
    ({"keys": ["app"]}, "keys[0].alias: must be alias/ with letters"),
    ({"keys": ["alias/a", "alias/a"]}, "keys[1].alias: there is an alias arn:aws:kms:"),
    (key_with(id="app"), "keys[0].id: must be a UUID, or mrk- and 32 hexadecimal digits"),
    ({"keys": [{"id": KEY_ID}, {"id": KEY_ID}]}, f"keys[1].id: there is a key {KEY_ID} in 1234"),
    ({"aliases": [{"name": "alias/a"}]}, "aliases[0]: 'key' is missing"),
    ({"aliases": [{"name": "alias/a", "key": "b"}]}, "aliases[0].key: there is no key 'b'"),
    ({"roles": [{"name": "R", "trust": "x"}]}, "roles[0].trust: the policy is malformed"),
    ({"users": [{"name": "U", "groups": ["g"]}]}, "users[0].groups[0]: there is no group 'g'"),
    ({"users": ["U", "U"]}, "users[1]: there is arn:aws:iam::123456789012:user/U"),
    ({"users": [{"name": "U", "attached": ["x"]}]}, "users[0].attached[0]: there is no managed"),
    ({"kmsmock": 99}, "kmsmock: must be a format up to 1, not the number 99"),
]


@pytest.mark.parametrize(("document", "words"), ERRORS, ids=[words[:40] for _, words in ERRORS])
def test_an_error_names_its_place_and_what_would_be_right(document, words):
    with mock_kms() as kms, pytest.raises(ValueError) as caught:
        kms.load(document)
    assert words in str(caught.value)


def test_an_error_names_its_file(tmp_path):
    path = tmp_path / "world.json"
    path.write_text(json.dumps({"keys": ["app"]}))
    with pytest.raises(ValueError, match=r"world\.json: keys\[0\]\.alias: "):
        mock_kms(world=path).start()


def test_what_cannot_be_loaded_leaves_nothing_behind():
    with mock_kms() as kms:
        before = kms.clock.now()
        with pytest.raises(ValueError, match=r"keys\[1\]"):
            kms.load({"time": "2999-01-01T00:00:00Z", "keys": ["alias/a", "b"], "roles": ["R"]})
        assert (kms.keys, kms.aliases) == ((), ())
        assert kms.clock.now() - before < timedelta(days=1)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{", "this is not JSON: Expecting"),
        (b"\xff", "this is not JSON: 'utf-8' codec"),
        (b"[" * 100_000, "this is not JSON: it is nested too deeply"),
        (b'{"keys": [], "keys": []}', "this is not JSON: the member 'keys' is there twice"),
        (b"[]", "must be an object, not a list"),
    ],
    ids=["broken", "not UTF-8", "deep", "a member twice", "a list"],
)
def test_a_file_that_is_no_world_says_so(tmp_path, data, words):
    path = tmp_path / "world.json"
    path.write_bytes(data)
    with mock_kms() as kms, pytest.raises(ValueError) as caught:
        kms.load(path)
    assert str(caught.value).startswith(f"{path}: {words}")


@pytest.mark.parametrize("world", [1, ["alias/app"]], ids=["a number", "a list"])
def test_an_option_that_is_no_world_is_refused_at_once(world):
    with pytest.raises(TypeError, match="world must be a path or a mapping"):
        mock_kms(world=world)


# --- there and back -----------------------------------------------------------------------------


def test_another_process_goes_on_where_this_one_stopped(tmp_path):
    path = tmp_path / "world.json"
    with mock_kms() as kms:
        client = kms.client()
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        client.create_alias(AliasName="alias/app", TargetKeyId=key_id)
        blob = client.encrypt(KeyId="alias/app", Plaintext=b"secret")["CiphertextBlob"]
        kms.export(path)
    program = (
        "import sys; from base64 import b64decode; from kmsmock import mock_kms\n"
        "with mock_kms(world=sys.argv[1]) as kms:\n"
        "    blob = b64decode(sys.argv[2])\n"
        "    print(kms.client().decrypt(CiphertextBlob=blob)['Plaintext'].decode())\n"
    )
    arguments = [sys.executable, "-c", program, str(path), b64encode(blob).decode()]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "secret"


@pytest.mark.parametrize(
    ("spec", "usage", "algorithm"),
    [
        ("RSA_2048", "SIGN_VERIFY", "RSASSA_PSS_SHA_256"),
        ("ECC_NIST_P384", "SIGN_VERIFY", "ECDSA_SHA_384"),
        ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", "ED25519_SHA_512"),
        ("ML_DSA_44", "SIGN_VERIFY", "ML_DSA_SHAKE_256"),
    ],
)
def test_signatures_of_before_verify(again, spec, usage, algorithm):
    with mock_kms() as kms:
        client = kms.client()
        key_id = client.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["KeyId"]
        given = {"KeyId": key_id, "Message": b"x", "SigningAlgorithm": algorithm}
        try:
            signature = client.sign(**given)["Signature"]
        except client.exceptions.UnsupportedOperationException as reason:
            pytest.skip(str(reason))
        other = again(kms).client()
        assert other.verify(**given, Signature=signature)["SignatureValid"]


def test_macs_of_before_verify(again):
    with mock_kms() as kms:
        key = kms.client().create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
        given = {"KeyId": key["KeyMetadata"]["KeyId"], "Message": b"x"}
        mac = kms.client().generate_mac(**given, MacAlgorithm="HMAC_SHA_256")["Mac"]
        checked = again(kms).client().verify_mac(**given, MacAlgorithm="HMAC_SHA_256", Mac=mac)
        assert checked["MacValid"]


def test_older_materials_still_open_what_they_closed(again):
    with mock_kms() as kms:
        client = kms.client()
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        blob = client.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
        client.enable_key_rotation(KeyId=key_id)
        kms.clock.advance(days=366)
        before = client.list_key_rotations(KeyId=key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL")
        other = again(kms).client()
        assert other.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
        after = other.list_key_rotations(KeyId=key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL")
        assert after["Rotations"] == before["Rotations"]


def test_what_was_to_fall_due_falls_due(again):
    with mock_kms(start_time=datetime(2030, 1, 1, tzinfo=timezone.utc)) as kms:
        client = kms.client()
        rotating, going, expiring = (
            client.create_key(Origin=origin)["KeyMetadata"]["KeyId"]
            for origin in ("AWS_KMS", "AWS_KMS", "EXTERNAL")
        )
        client.enable_key_rotation(KeyId=rotating, RotationPeriodInDays=90)
        client.schedule_key_deletion(KeyId=going, PendingWindowInDays=7)
        kms.import_material(expiring, b"1" * 32, ValidTo=datetime(2030, 1, 5, tzinfo=timezone.utc))
        other = again(kms)
        other.clock.advance(days=91)
        client = other.client()
        assert len(client.list_key_rotations(KeyId=rotating)["Rotations"]) == 1
        with pytest.raises(client.exceptions.NotFoundException):
            client.describe_key(KeyId=going)
        state = client.describe_key(KeyId=expiring)["KeyMetadata"]["KeyState"]
        assert state == "PendingImport"


def test_only_the_same_material_is_imported_again_into_a_loaded_key(again):
    with mock_kms() as kms:
        key_id = kms.client().create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
        kms.import_material(key_id, b"1" * 32)
        kms.client().delete_imported_key_material(KeyId=key_id)
        other = again(kms)
        with pytest.raises(ClientError, match="IncorrectKeyMaterial"):
            other.import_material(key_id, b"2" * 32)
        other.import_material(key_id, b"1" * 32)


def test_grants_and_their_tokens_work_on(again):
    with mock_kms() as kms:
        key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
        role = kms.account(ACCOUNT).role("App")
        blob = kms.client().encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
        token = kms.client().create_grant(
            KeyId=key_id, GranteePrincipal=role.arn, Operations=["Decrypt"]
        )["GrantToken"]
        other = again(kms)
        client = other.account(ACCOUNT).role("App").client()
        assert client.decrypt(CiphertextBlob=blob, GrantTokens=[token])["Plaintext"] == b"x"


def test_long_term_access_keys_lead_to_their_user(again):
    import boto3

    with mock_kms() as kms:
        iam = kms.client("iam")
        iam.create_user(UserName="Alice")
        made = iam.create_access_key(UserName="Alice")["AccessKey"]
        again(kms)
        sts = boto3.client(
            "sts",
            aws_access_key_id=made["AccessKeyId"],
            aws_secret_access_key=made["SecretAccessKey"],
        )
        assert sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/Alice"


def test_a_custom_key_store_is_there_with_its_keys(again):
    with mock_kms(delays="none") as kms:
        client = kms.client()
        store = client.create_custom_key_store(
            CustomKeyStoreName="hsm",
            CloudHsmClusterId="cluster-2a23b4cdefgh",
            TrustAnchorCertificate="x",
            KeyStorePassword="kmsPswd",
        )["CustomKeyStoreId"]
        client.connect_custom_key_store(CustomKeyStoreId=store)
        key = client.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store)["KeyMetadata"]
        blob = client.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
        other = again(kms)
        assert other.client().decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
        other.key_store(store).fail("CLUSTER_NOT_FOUND")
        with pytest.raises(ClientError, match="unavailable"):
            other.client().encrypt(KeyId=key["KeyId"], Plaintext=b"x")


def test_without_material_keys_get_new_material(tmp_path):
    path = tmp_path / "world.json"
    with mock_kms() as kms:
        key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
        blob = kms.client().encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
        kms.export(path, material=False)
    assert "secret" not in path.read_text()
    with mock_kms(world=path) as kms:
        kms.client().encrypt(KeyId=key_id, Plaintext=b"x")
        with pytest.raises(ClientError, match=r"not authorized|InvalidCiphertext"):
            kms.client().decrypt(CiphertextBlob=blob)


def test_an_export_that_fails_leaves_the_file_that_was_there(tmp_path):
    path = tmp_path / "world.json"
    path.write_text("before")
    with mock_kms() as kms, pytest.raises(OSError):
        kms.export(tmp_path / "none" / "world.json")
    assert path.read_text() == "before"
    assert [found.name for found in tmp_path.iterdir()] == ["world.json"]


def test_yaml_is_read_and_written_too(tmp_path):
    pytest.importorskip("yaml")
    path = tmp_path / "world.yaml"
    path.write_text("keys:\n  - alias/app\n  - alias: alias/signing\n    spec: ECC_NIST_P256\n")
    with mock_kms(world=path) as kms:
        names = {alias.name for alias in kms.aliases}
        kms.export(path)
    with mock_kms(world=path) as kms:
        assert {alias.name for alias in kms.aliases} == names == {"alias/app", "alias/signing"}


@pytest.mark.usefixtures("everything_loaded")
def test_a_mark_and_the_configuration_can_name_a_world(pytester):
    pytester.makefile(".json", world='{"keys": ["alias/app"]}', marked='{"keys": ["alias/marked"]}')
    pytester.makeini("[pytest]\nkms_world = world.json")
    pytester.makepyfile(
        """
        import pytest

        def test_the_configuration(kms):
            assert [alias.name for alias in kms.aliases] == ["alias/app"]

        @pytest.mark.kms(world="marked.json")
        def test_the_mark(kms):
            assert [alias.name for alias in kms.aliases] == ["alias/marked"]
        """
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=2)


# --- old files ----------------------------------------------------------------------------------


def test_a_file_of_version_1_stays_readable():
    told = json.loads((DATA / "version-1-answers.json").read_text())
    with mock_kms(world=DATA / "version-1.json") as kms:
        client = kms.client()
        for name, blob in told["ciphertexts"].items():
            assert client.decrypt(CiphertextBlob=b64decode(blob))["Plaintext"] == name.encode()
        for signed in told["signatures"]:
            answer = client.verify(
                KeyId=signed["key"],
                Message=b"message",
                SigningAlgorithm=signed["algorithm"],
                Signature=b64decode(signed["signature"]),
            )
            assert answer["SignatureValid"]
        assert sorted(alias.name for alias in kms.aliases) == told["aliases"]
        states = {key.arn: key.state.value for key in kms.keys}
        assert states == told["states"]
        role = kms.account("444455556666").role("Reader")
        granted = role.client().decrypt(
            CiphertextBlob=b64decode(told["granted"]["ciphertext"]),
            KeyId=told["granted"]["key"],
            GrantTokens=[told["granted"]["token"]],
        )
        assert granted["Plaintext"] == b"granted"


LOCAL_KMS = {
    "Keys": {
        "Symmetric": {
            "Aes": [
                {
                    "Metadata": {"KeyId": KEY_ID, "Description": "for tests"},
                    "BackingKeys": ["00" * 32, "11" * 32],
                }
            ]
        },
        "Asymmetric": {
            "Ecc": [
                {
                    "Metadata": {"KeyId": OTHER_ID, "KeyUsage": "SIGN_VERIFY"},
                    "PrivateKeyPem": ec.generate_private_key(ec.SECP521R1())
                    .private_bytes(
                        serialization.Encoding.PEM,
                        serialization.PrivateFormat.PKCS8,
                        serialization.NoEncryption(),
                    )
                    .decode(),
                }
            ]
        },
    },
    "Aliases": [{"AliasName": "alias/app", "TargetKeyId": KEY_ID}],
}


def test_seed_files_of_local_kms_are_understood():
    with mock_kms(world=LOCAL_KMS) as kms:
        client = kms.client()
        assert client.describe_key(KeyId="alias/app")["KeyMetadata"]["Description"] == "for tests"
        assert client.describe_key(KeyId=OTHER_ID)["KeyMetadata"]["KeySpec"] == "ECC_NIST_P521"
        assert [m.secret for m in kms.keys[0].materials] == [b"\x00" * 32, b"\x11" * 32]
        client.encrypt(KeyId="alias/app", Plaintext=b"x")


PEM = LOCAL_KMS["Keys"]["Asymmetric"]["Ecc"][0]["PrivateKeyPem"]


@pytest.mark.parametrize(
    ("metadata", "more", "spec", "state"),
    [
        ({"Origin": "EXTERNAL"}, {"BackingKeys": ["00" * 32]}, "SYMMETRIC_DEFAULT", "Enabled"),
        ({"Origin": "EXTERNAL"}, {}, "SYMMETRIC_DEFAULT", "PendingImport"),
        ({}, {"PrivateKeyPem": PEM}, "ECC_NIST_P521", "Enabled"),
        ({"KeySpec": "HMAC_384"}, {"BackingKeys": ["00" * 48]}, "HMAC_384", "Enabled"),
    ],
    ids=["imported", "not imported yet", "PEM", "HMAC"],
)
@pytest.mark.parametrize("version", [1, 2])
def test_seed_files_of_both_versions_have_keys_of_all_families(
    version, metadata, more, spec, state
):
    if version == 1:
        family = {"SYM": "Aes", "HMA": "Hmac", "ECC": "Ecc"}[spec[:3]]
        group = "Asymmetric" if family == "Ecc" else "Symmetric"
        key = {"Metadata": {"KeyId": KEY_ID, **metadata}, **more}
        document = {"Keys": {group: {family: [key]}}}
    else:
        keys = [{"KeyId": KEY_ID, "Metadata": metadata, "Material": more}]
        document = {"Version": 2, "Keys": keys}
    document["Aliases"] = [{"AliasName": "app", "TargetKeyId": KEY_ID}]
    with mock_kms(world=document) as kms:
        shown = kms.client().describe_key(KeyId="alias/app")["KeyMetadata"]
    assert (shown["KeyId"], shown["KeySpec"], shown["KeyState"]) == (KEY_ID, spec, state)


def test_a_seed_file_can_say_when_a_key_is_rotated_next():
    key = {
        "Metadata": {"KeyId": KEY_ID},
        "BackingKeys": ["00" * 32],
        "NextKeyRotation": "2030-03-01T00:00:00+00:00",
    }
    start = datetime(2030, 1, 1, tzinfo=timezone.utc)
    with mock_kms(world={"Keys": {"Symmetric": {"Aes": [key]}}}, start_time=start) as kms:
        status = kms.client().get_key_rotation_status(KeyId=KEY_ID)
        kms.clock.advance(days=60)
        rotations = kms.client().list_key_rotations(KeyId=KEY_ID)["Rotations"]
    assert status["NextRotationDate"] == datetime(2030, 3, 1, tzinfo=timezone.utc)
    assert len(rotations) == 1


@pytest.mark.parametrize(
    "keys",
    [
        {"Symetric": {}},
        {"Symmetric": {"Aess": []}},
        {"Symmetric": {"Aes": [{"Metadata": {"KeyId": KEY_ID, "Tags": []}}]}},
        {"Symmetric": {"Aes": [{"Metadata": {"KeyId": KEY_ID}, "BackingKeys": ["0"]}]}},
    ],
    ids=["group", "family", "metadata", "hexadecimal"],
)
def test_nothing_in_a_seed_file_is_ignored(keys):
    with mock_kms() as kms, pytest.raises(ValueError, match=r"^Keys.*(no member|must be hexa)"):
        kms.load({"Keys": keys})


def test_an_error_in_a_seed_file_names_its_place():
    broken = {"Keys": {"Symmetric": {"Aes": [{"Metadata": {"KeyId": KEY_ID}}]}}}
    with (
        mock_kms() as kms,
        pytest.raises(ValueError, match=r"Keys\.Symmetric\.Aes\[0\]: it "),
    ):
        kms.load(broken)
