"""What CloudTrail shows of keys in custom key stores."""

from __future__ import annotations

import json

import pytest

from kmsmock import mock_kms
from tests.authorization.documents import ACCOUNT, allow, policy, to
from tests.refusals import refused

CLOUDHSM = {
    "CustomKeyStoreName": "hsm",
    "CloudHsmClusterId": "cluster-2a23b4cdefg",
    "KeyStorePassword": "kmsPswd",
    "TrustAnchorCertificate": "-----BEGIN CERTIFICATE-----",
}
EXTERNAL = {
    "CustomKeyStoreName": "xks",
    "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
    "XksProxyUriEndpoint": "https://xks.example.com",
    "XksProxyUriPath": "/kms/xks/v1",
    "XksProxyConnectivity": "PUBLIC_ENDPOINT",
    "XksProxyAuthenticationCredential": {
        "AccessKeyId": "ABCDEFGHIJKLMNOPQRST",
        "RawSecretAccessKey": "c3Nz" * 11,
    },
}


@pytest.fixture
def kms():
    with mock_kms(isolated=True, delays="none") as kms:
        yield kms


@pytest.fixture
def client(kms):
    return kms.client()


def new_store(client, settings):
    store = client.create_custom_key_store(**settings)["CustomKeyStoreId"]
    client.connect_custom_key_store(CustomKeyStoreId=store)
    client.list_keys()
    return store


@pytest.fixture
def hsm_store(client):
    return new_store(client, CLOUDHSM)


@pytest.fixture
def hsm_key(client, hsm_store):
    key = client.create_key(CustomKeyStoreId=hsm_store, Origin="AWS_CLOUDHSM")
    return key["KeyMetadata"]["KeyId"]


@pytest.fixture
def xks_store(client):
    return new_store(client, EXTERNAL)


@pytest.fixture
def xks_key(client, xks_store):
    key = client.create_key(CustomKeyStoreId=xks_store, Origin="EXTERNAL_KEY_STORE", XksKeyId="k-1")
    return key["KeyMetadata"]["KeyId"]


def shown(kms, operation):
    return kms.trail.lookup(operation)[-1].get("additionalEventData")


def test_a_new_key_of_a_cluster_shows_its_backing_key(kms, hsm_key):
    [record] = kms.trail.lookup("CreateKey")

    assert record["responseElements"]["keyMetadata"]["keyId"] == hsm_key
    backing_key = json.loads(record["additionalEventData"].pop("backingKey"))
    assert list(backing_key) == ["backingKeyId"]
    assert record["additionalEventData"] == {}
    assert record["responseElements"]["keyMetadata"]["cloudHsmClusterId"] == "cluster-2a23b4cdefg"


def test_cryptographic_operations_show_the_store_and_the_backing_key(
    kms, client, hsm_key, hsm_store
):
    backing_key = json.loads(shown(kms, "CreateKey")["backingKey"])["backingKeyId"]
    blob = client.encrypt(KeyId=hsm_key, Plaintext=b"p")["CiphertextBlob"]
    client.decrypt(CiphertextBlob=blob)
    client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=hsm_key)
    client.generate_data_key(KeyId=hsm_key, KeySpec="AES_256")
    client.generate_data_key_without_plaintext(KeyId=hsm_key, KeySpec="AES_256")

    for operation in (
        *("Encrypt", "Decrypt", "ReEncrypt"),
        *("GenerateDataKey", "GenerateDataKeyWithoutPlaintext"),
    ):
        assert shown(kms, operation) == {
            "customKeyStoreId": hsm_store,
            "backingKeyId": backing_key,
        }


def test_the_deletion_of_a_key_of_a_cluster_shows_its_backing_keys(kms, client, hsm_key, hsm_store):
    backing_key = json.loads(shown(kms, "CreateKey")["backingKey"])
    client.schedule_key_deletion(KeyId=hsm_key, PendingWindowInDays=7)
    with refused("KMSInvalidStateException"):
        client.schedule_key_deletion(KeyId=hsm_key, PendingWindowInDays=7)
    kms.clock.advance(days=7)

    scheduled, refused_call = kms.trail.lookup("ScheduleKeyDeletion")
    data = scheduled["additionalEventData"]
    assert list(data) == ["customKeyStoreId", "clusterId", "backingKeys"]
    assert (data["customKeyStoreId"], data["clusterId"]) == (hsm_store, "cluster-2a23b4cdefg")
    assert json.loads(data["backingKeys"]) == [backing_key]
    assert "additionalEventData" not in refused_call
    deleted = shown(kms, "DeleteKey")
    status = json.loads(deleted.pop("backingKeysDeletionStatus"))
    assert status == [{**backing_key, "deletionStatus": "SUCCESS"}]
    assert deleted == data


def test_other_calls_show_nothing_of_the_store(kms, client, hsm_key, xks_key):
    for key in (hsm_key, xks_key):
        client.describe_key(KeyId=key)
        client.disable_key(KeyId=key)
        for operation in ("DescribeKey", "DisableKey"):
            assert shown(kms, operation) is None


def test_an_external_key_is_shown_by_its_id(kms, client, xks_store, xks_key):
    assert shown(kms, "CreateKey") is None

    client.encrypt(KeyId=xks_key, Plaintext=b"p")
    client.disable_key(KeyId=xks_key)
    with refused("DisabledException"):
        client.encrypt(KeyId=xks_key, Plaintext=b"p")
    client.schedule_key_deletion(KeyId=xks_key, PendingWindowInDays=7)
    kms.clock.advance(days=7)

    for record in kms.trail.lookup("Encrypt"):
        assert record["additionalEventData"] == {"customKeyStoreId": xks_store, "xksKeyId": "k-1"}
    assert shown(kms, "ScheduleKeyDeletion") is shown(kms, "DeleteKey") is None


def test_a_denied_call_does_not_show_the_store(kms, client, hsm_key):
    client.put_key_policy(KeyId=hsm_key, Policy=policy(allow("kms:*", **to(ACCOUNT))))
    user = kms.account(ACCOUNT).user("Bob")
    with refused("AccessDeniedException"):
        user.client().encrypt(KeyId=hsm_key, Plaintext=b"p")

    assert shown(kms, "Encrypt") is None
