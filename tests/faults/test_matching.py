"""Which calls a fault hits: by key, caller, account, Region and the rest of the request."""

from __future__ import annotations

import pytest

from kmsmock import mock_kms
from tests.faults.conftest import make_client
from tests.refusals import refused

CODE = "KMSInternalException"
ALLOW = {"Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}


@pytest.fixture
def names(kms, kms_key_factory):
    """All that names a key with an alias, and what names another one."""
    other, key = kms_key_factory(alias="alias/other"), kms_key_factory(alias="alias/app")
    blobs = [
        key.client.encrypt(KeyId=each.id, Plaintext=b"x")["CiphertextBlob"] for each in (key, other)
    ]
    return {
        "id": key.id,
        "ARN": key.arn,
        "alias": "alias/app",
        "alias ARN": key.arn.replace(f"key/{key.id}", "alias/app"),
        "KmsKey": key,
        "Key": kms.keys[-1],
        "metadata": key.client.describe_key(KeyId=key.id)["KeyMetadata"],
        "response": key.client.describe_key(KeyId=key.id),
        "item of a list": key.client.list_keys()["Keys"][-1],
        "ciphertext": blobs[0],
        "other alias": "alias/other",
        "other ciphertext": blobs[1],
    }


NAMES = (
    *("id", "ARN", "alias", "alias ARN", "KmsKey", "Key", "metadata", "response", "item of a list"),
)
#: Method of a client, and parameter -> what it names the key with.
CALLS = (
    ("describe_key", {"KeyId": "id"}),
    ("describe_key", {"KeyId": "ARN"}),
    ("describe_key", {"KeyId": "alias"}),
    ("describe_key", {"KeyId": "alias ARN"}),
    ("list_aliases", {"KeyId": "ARN"}),
    ("decrypt", {"CiphertextBlob": "ciphertext"}),
    ("re_encrypt", {"CiphertextBlob": "ciphertext", "DestinationKeyId": "other alias"}),
    ("re_encrypt", {"CiphertextBlob": "other ciphertext", "DestinationKeyId": "alias"}),
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("method", "parameters"), CALLS, ids=str)
def test_a_fault_of_a_key_hits_by_any_name_of_the_key(kms, names, name, method, parameters):
    kms.faults.fail("*", CODE, key=names[name])

    with refused(CODE):
        getattr(kms.client(), method)(**{member: names[by] for member, by in parameters.items()})


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_of_a_key_leaves_others_alone(kms, names, name):
    kms.faults.fail("*", CODE, key=names[name], optional=True)
    client = kms.client()

    client.decrypt(CiphertextBlob=names["other ciphertext"])
    client.describe_key(KeyId="alias/other")
    client.list_keys()
    client.create_key()


def test_a_fault_of_a_key_that_does_not_exist_hits_calls_that_name_it(kms):
    kms.faults.fail("DescribeKey", CODE, key="alias/none")

    with refused(CODE):
        kms.client().describe_key(KeyId="alias/none")


def test_a_fault_of_a_key_of_another_account_hits_before_the_call_is_denied(kms):
    theirs = kms.account("444455556666").client().create_key()["KeyMetadata"]["Arn"]
    kms.faults.fail("Encrypt", CODE, key=theirs)

    with refused(CODE):
        kms.client().encrypt(KeyId=theirs, Plaintext=b"x")
    with refused("AccessDeniedException"):
        kms.client().encrypt(KeyId=theirs, Plaintext=b"x")


def test_a_fault_of_one_related_key_leaves_the_other_region_alone(kms):
    client, there = kms.client(), kms.client(region="eu-west-1")
    key = client.create_key(MultiRegion=True)["KeyMetadata"]
    client.replicate_key(KeyId=key["Arn"], ReplicaRegion="eu-west-1")
    kms.clock.advance(minutes=1)
    kms.faults.fail("Encrypt", CODE, key=key["Arn"])

    there.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    with refused(CODE):
        client.encrypt(KeyId=key["KeyId"], Plaintext=b"x")


def roles(kms):
    account = kms.account("123456789012")
    return [account.role(name, policies=[ALLOW]) for name in ("App", "Other")]


@pytest.mark.parametrize("name", ["caller", "arn", "caller_arn"])
def test_a_fault_of_a_caller_hits_only_that_caller(kms, name):
    app, other = roles(kms)
    kms.faults.fail("ListKeys", CODE, caller=app if name == "caller" else getattr(app, name))

    other.client().list_keys()
    kms.client().list_keys()
    with refused(CODE):
        app.client().list_keys()


@pytest.mark.parametrize("as_object", [False, True], ids=["id", "Account"])
def test_a_fault_of_an_account_hits_only_its_principals(kms, as_object):
    account = kms.account("444455556666")
    kms.faults.fail("ListKeys", CODE, account=account if as_object else account.id)

    kms.client().list_keys()
    with refused(CODE):
        account.client().list_keys()


@pytest.mark.parametrize("wire", [False, True], ids=["before-call", "wire"])
def test_a_fault_of_a_region_hits_only_clients_of_that_region(wire):
    with mock_kms(wire=wire) as kms:
        kms.faults.fail("ListKeys", CODE, region="eu-west-1")

        kms.client().list_keys()
        with refused(CODE):
            kms.client(region="eu-west-1").list_keys()


@pytest.mark.parametrize("context", [{"tenant": "a"}, {}], ids=str)
def test_a_fault_of_an_encryption_context_hits_only_calls_with_it(kms, kms_key, context):
    kms.faults.fail("Encrypt", CODE, encryption_context=context)

    kms_key.client.encrypt(KeyId=kms_key.id, Plaintext=b"x", EncryptionContext={"tenant": "b"})
    with refused(CODE):
        kms_key.client.encrypt(KeyId=kms_key.id, Plaintext=b"x", EncryptionContext=context)


def test_a_fault_of_a_service_hits_only_its_calls(kms, kms_key):
    kms.faults.fail("Encrypt", CODE, via_service="s3")
    user = kms.account("123456789012").role("App", policies=[ALLOW])

    user.client().encrypt(KeyId=kms_key.id, Plaintext=b"x")
    with refused(CODE):
        user.via("s3").client().encrypt(KeyId=kms_key.id, Plaintext=b"x")


@pytest.mark.parametrize("wire", [False, True], ids=["before-call", "wire"])
def test_calls_that_no_fault_can_hit_go_their_usual_way(wire):
    with mock_kms(wire=wire) as kms:
        client = make_client(attempts=1)
        sent = []
        client.meta.events.register("before-send.kms", lambda **_: sent.append(True))
        kms.faults.throttle("Decrypt", times=None)

        client.list_keys()

        assert sent == [True] * wire


def test_the_calls_of_services_meet_errors_but_no_lost_connections(kms):
    pytest.importorskip("moto")
    from moto import mock_aws

    kms.faults.drop_connection("GenerateDataKey", optional=True)
    kms.faults.fail("GenerateDataKey", "KMSInternalException", on_call=2)
    with mock_aws():
        s3 = kms.client("s3")
        s3.create_bucket(Bucket="bucket")
        encrypted = {"Bucket": "bucket", "Key": "a", "ServerSideEncryption": "aws:kms"}
        s3.put_object(**encrypted, Body=b"x")
        with pytest.raises(s3.exceptions.ClientError, match="KMS"):
            s3.put_object(**encrypted, Body=b"x")
