"""Custom key stores: making them, connecting them, keys in them."""

from __future__ import annotations

import pytest

from kmsmock.operations import custom_key_stores as stores_module
from tests.models import installed
from tests.refusals import refused

CLOUDHSM = {
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
VPC = {
    **PROXY,
    "XksProxyConnectivity": "VPC_ENDPOINT_SERVICE",
    "XksProxyVpcEndpointServiceName": "com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0",
}


def create(client, name="store", settings=CLOUDHSM, **more):
    return client.create_custom_key_store(CustomKeyStoreName=name, **{**settings, **more})[
        "CustomKeyStoreId"
    ]


def connected(client, name="store", settings=CLOUDHSM):
    store_id = create(client, name, settings)
    client.connect_custom_key_store(CustomKeyStoreId=store_id)
    return store_id


def state(client, store_id):
    [store] = client.describe_custom_key_stores(CustomKeyStoreId=store_id)["CustomKeyStores"]
    return store["ConnectionState"]


def test_a_cloudhsm_store_is_shown_without_its_password(client):
    store_id = create(client)

    [store] = client.describe_custom_key_stores()["CustomKeyStores"]

    del store["CreationDate"]
    assert store == {
        "CustomKeyStoreId": store_id,
        "CustomKeyStoreName": "store",
        "CloudHsmClusterId": "cluster-2a23b4cdefg",
        "TrustAnchorCertificate": "certificate",
        "ConnectionState": "DISCONNECTED",
        "CustomKeyStoreType": "AWS_CLOUDHSM",
    }


def test_an_external_store_is_shown_without_its_secret(client):
    create(client, settings=VPC)

    [store] = client.describe_custom_key_stores(CustomKeyStoreName="store")["CustomKeyStores"]

    expected = {
        "Connectivity": "VPC_ENDPOINT_SERVICE",
        "AccessKeyId": "A" * 20,
        "UriEndpoint": "https://proxy.example.com",
        "UriPath": "/kms/xks/v1",
        "VpcEndpointServiceName": VPC["XksProxyVpcEndpointServiceName"],
        "VpcEndpointServiceOwner": "123456789012",
    }
    shown = store["XksProxyConfiguration"]
    assert shown == installed(client, "XksProxyConfigurationType", expected)


@pytest.mark.parametrize("missing", CLOUDHSM)
def test_a_cloudhsm_store_needs_all_of_its_settings(client, missing):
    settings = {name: value for name, value in CLOUDHSM.items() if name != missing}

    with refused("ValidationException"):
        create(client, settings=settings)


@pytest.mark.parametrize("missing", [n for n in PROXY if n != "CustomKeyStoreType"])
def test_an_external_store_needs_all_of_its_settings(client, missing):
    settings = {name: value for name, value in PROXY.items() if name != missing}

    with refused("ValidationException"):
        create(client, settings=settings)


ONLY_IN_VPC = (
    "XksProxyVpcEndpointServiceName must be specified when XksProxyConnectivity is "
    "VPC_ENDPOINT_SERVICE, and only then."
)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        pytest.param(
            {**CLOUDHSM, "XksProxyUriPath": "/kms/xks/v1"},
            "XksProxyUriPath cannot be specified for a custom key store of type AWS_CLOUDHSM.",
            id="proxy for CloudHSM",
        ),
        pytest.param(
            {**PROXY, "KeyStorePassword": "password"},
            "KeyStorePassword cannot be specified for a custom key store of type "
            "EXTERNAL_KEY_STORE.",
            id="password for proxy",
        ),
        pytest.param(
            {k: v for k, v in VPC.items() if k != "XksProxyVpcEndpointServiceName"},
            ONLY_IN_VPC,
            id="no service for VPC",
        ),
        pytest.param(
            {**VPC, "XksProxyConnectivity": "PUBLIC_ENDPOINT"}, ONLY_IN_VPC, id="service in public"
        ),
        pytest.param(
            {**PROXY, "XksProxyVpcEndpointServiceOwner": "123456789012"},
            "XksProxyVpcEndpointServiceOwner can only be specified when XksProxyConnectivity is "
            "VPC_ENDPOINT_SERVICE.",
            id="owner in public",
        ),
    ],
)
def test_settings_that_do_not_go_together_are_refused(client, settings, text):
    if "XksProxyVpcEndpointServiceOwner" in settings:
        model = client.meta.service_model.operation_model("CreateCustomKeyStore")
        if "XksProxyVpcEndpointServiceOwner" not in model.input_shape.members:
            pytest.skip("the installed botocore does not know owners")
    with refused("ValidationException", text):
        create(client, settings=settings)


def test_a_name_is_used_once(client):
    create(client)

    with refused("CustomKeyStoreNameInUseException"):
        create(client, settings=PROXY)


def test_repeating_all_settings_gives_the_same_store(client):
    assert create(client) == create(client)


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        (CLOUDHSM, CLOUDHSM, "CloudHsmClusterInUseException"),
        (PROXY, PROXY, "XksProxyUriInUseException"),
        (
            PROXY,
            {**VPC, "XksProxyUriPath": "/x/kms/xks/v1"},
            "XksProxyUriEndpointInUseException",
        ),
        (
            VPC,
            {**VPC, "XksProxyUriEndpoint": "https://other.example.com"},
            "XksProxyVpcEndpointServiceInUseException",
        ),
    ],
)
def test_what_stores_cannot_share(client, first, second, code):
    create(client, "one", first)

    with refused(code):
        create(client, "two", second)


def test_public_stores_may_share_an_endpoint_with_other_paths(client):
    create(client, "one", PROXY)

    create(client, "two", {**PROXY, "XksProxyUriPath": "/x/kms/xks/v1"})


def test_the_quota_of_stores_is_enforced(client, monkeypatch):
    monkeypatch.setattr(stores_module, "QUOTA", 1)
    create(client)

    with refused("LimitExceededException"):
        create(client, "other", PROXY)


def test_connecting_is_done_at_the_next_call(client):
    store_id = connected(client)

    assert state(client, store_id) == "CONNECTED"
    client.connect_custom_key_store(CustomKeyStoreId=store_id)
    client.disconnect_custom_key_store(CustomKeyStoreId=store_id)
    assert state(client, store_id) == "DISCONNECTED"
    with refused("CustomKeyStoreInvalidStateException"):
        client.disconnect_custom_key_store(CustomKeyStoreId=store_id)


@pytest.mark.parametrize(
    "method",
    [
        "connect_custom_key_store",
        "delete_custom_key_store",
        "describe_custom_key_stores",
        "disconnect_custom_key_store",
        "update_custom_key_store",
    ],
)
def test_an_unknown_store_is_not_found(client, method):
    with refused("CustomKeyStoreNotFoundException"):
        getattr(client, method)(CustomKeyStoreId="cks-1234567890abcdef0")


def test_the_name_can_change_at_any_time_the_rest_while_disconnected(client):
    store_id = connected(client)

    client.update_custom_key_store(CustomKeyStoreId=store_id, NewCustomKeyStoreName="other")
    with refused("CustomKeyStoreInvalidStateException"):
        client.update_custom_key_store(CustomKeyStoreId=store_id, KeyStorePassword="new password")
    client.disconnect_custom_key_store(CustomKeyStoreId=store_id)
    client.update_custom_key_store(CustomKeyStoreId=store_id, KeyStorePassword="new password")

    [store] = client.describe_custom_key_stores()["CustomKeyStores"]
    assert store["CustomKeyStoreName"] == "other"


def test_path_and_credential_of_a_proxy_can_change_while_connected(client):
    store_id = connected(client, settings=PROXY)

    client.update_custom_key_store(CustomKeyStoreId=store_id, XksProxyUriPath="/y/kms/xks/v1")

    [store] = client.describe_custom_key_stores()["CustomKeyStores"]
    assert store["XksProxyConfiguration"]["UriPath"] == "/y/kms/xks/v1"


def test_another_connectivity_comes_with_another_endpoint(client):
    store_id = create(client, settings=PROXY)
    service = {
        "XksProxyConnectivity": "VPC_ENDPOINT_SERVICE",
        "XksProxyVpcEndpointServiceName": VPC["XksProxyVpcEndpointServiceName"],
    }
    public = {"XksProxyConnectivity": "PUBLIC_ENDPOINT"}

    for changes, endpoint in (
        (service, "https://vpc.example.com"),
        (public, "https://example.com"),
    ):
        with refused("ValidationException"):
            client.update_custom_key_store(CustomKeyStoreId=store_id, **changes)
        client.update_custom_key_store(
            CustomKeyStoreId=store_id, XksProxyUriEndpoint=endpoint, **changes
        )
        [store] = client.describe_custom_key_stores()["CustomKeyStores"]
        shown = store["XksProxyConfiguration"]
        assert shown["Connectivity"] == changes["XksProxyConnectivity"]
        owner = {"VpcEndpointServiceOwner": "123456789012"} if changes is service else {}
        expected = installed(client, "XksProxyConfigurationType", owner)
        assert {name: shown[name] for name in shown if name.endswith("Owner")} == expected


@pytest.mark.parametrize("changes", [{}, {"XksProxyUriPath": "/kms/xks/v1"}])
def test_an_update_of_nothing_or_of_what_is_not_there_is_refused(client, changes):
    store_id = create(client)

    with refused("ValidationException"):
        client.update_custom_key_store(CustomKeyStoreId=store_id, **changes)


def test_a_failed_update_changes_nothing(client):
    create(client, "one", PROXY)
    store_id = create(client, "two", {**PROXY, "XksProxyUriPath": "/x/kms/xks/v1"})

    with refused("XksProxyUriInUseException"):
        client.update_custom_key_store(
            CustomKeyStoreId=store_id, NewCustomKeyStoreName="new", XksProxyUriPath="/kms/xks/v1"
        )

    [store] = client.describe_custom_key_stores(CustomKeyStoreId=store_id)["CustomKeyStores"]
    assert store["CustomKeyStoreName"] == "two"


def test_a_key_lives_in_a_connected_store(client, new_key):
    store_id = connected(client)

    key = new_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store_id)

    assert key["CustomKeyStoreId"] == store_id
    assert key["CloudHsmClusterId"] == "cluster-2a23b4cdefg"
    assert "CurrentKeyMaterialId" not in key
    blob = client.encrypt(KeyId=key["KeyId"], Plaintext=b"text")["CiphertextBlob"]
    answer = client.decrypt(CiphertextBlob=blob)
    assert answer["Plaintext"] == b"text"
    assert "KeyMaterialId" not in answer


def test_an_external_key_is_used_by_one_kms_key(client, new_key):
    store_id = connected(client, settings=PROXY)
    wanted = {
        "Origin": "EXTERNAL_KEY_STORE",
        "CustomKeyStoreId": store_id,
        "XksKeyId": "external-1",
    }

    key = new_key(**wanted)

    assert key["XksKeyConfiguration"] == {"Id": "external-1"}
    with refused("XksKeyAlreadyInUseException"):
        new_key(**wanted)


def test_a_wrong_context_on_an_external_key_is_refused_by_the_proxy(client, new_key):
    store_id = connected(client, settings=PROXY)
    key_id = new_key(Origin="EXTERNAL_KEY_STORE", CustomKeyStoreId=store_id, XksKeyId="e")["KeyId"]
    blob = client.encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"]

    with refused("KMSInvalidStateException") as caught:
        client.decrypt(CiphertextBlob=blob, EncryptionContext={"a": "b"})

    assert "additional authenticated data is corrupted" in str(caught.value)


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"Origin": "AWS_CLOUDHSM"}, "ValidationException"),
        ({"Origin": "AWS_CLOUDHSM", "MultiRegion": True}, "UnsupportedOperationException"),
        (
            {"Origin": "AWS_CLOUDHSM", "KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"},
            "UnsupportedOperationException",
        ),
        ({"CustomKeyStoreId": "connected"}, "ValidationException"),
        ({"Origin": "EXTERNAL_KEY_STORE", "CustomKeyStoreId": "connected"}, "ValidationException"),
        (
            {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": "connected", "XksKeyId": "e"},
            "ValidationException",
        ),
    ],
)
def test_a_key_that_no_store_can_hold_is_refused(client, parameters, code):
    if "CustomKeyStoreId" in parameters:
        parameters = {**parameters, "CustomKeyStoreId": connected(client)}

    with refused(code):
        client.create_key(**parameters)


def test_a_disconnected_store_takes_no_key_and_hides_those_it_has(client, new_key):
    store_id = connected(client)
    key = new_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store_id)

    client.disconnect_custom_key_store(CustomKeyStoreId=store_id)

    with refused("CustomKeyStoreInvalidStateException"):
        new_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store_id)
    with refused("CustomKeyStoreInvalidStateException"):
        client.generate_random(NumberOfBytes=8, CustomKeyStoreId=store_id)
    unavailable = client.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    assert (unavailable["KeyState"], unavailable["Enabled"]) == ("Unavailable", False)
    with refused("KMSInvalidStateException", f"{key['Arn']} is unavailable."):
        client.encrypt(KeyId=key["KeyId"], Plaintext=b"text")
    client.disable_key(KeyId=key["KeyId"])
    client.connect_custom_key_store(CustomKeyStoreId=store_id)
    metadata = client.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    assert metadata["KeyState"] == "Disabled"


def test_keys_in_stores_are_neither_rotated_nor_make_key_pairs(client, new_key):
    key = new_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=connected(client))
    text = f"{key['Arn']} origin is AWS_CLOUDHSM which is not valid for this operation."

    for call in (
        lambda: client.enable_key_rotation(KeyId=key["KeyId"]),
        lambda: client.rotate_key_on_demand(KeyId=key["KeyId"]),
        lambda: client.generate_data_key_pair(KeyId=key["KeyId"], KeyPairSpec="ECC_NIST_P256"),
    ):
        with refused("UnsupportedOperationException", text):
            call()


@pytest.mark.parametrize(
    "method",
    [
        "disable_key_rotation",
        "enable_key_rotation",
        "get_key_rotation_status",
        "list_key_rotations",
        "rotate_key_on_demand",
    ],
)
def test_keys_in_stores_have_no_rotation(client, new_key, method):
    key = new_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=connected(client))

    with refused(
        "UnsupportedOperationException",
        f"{key['Arn']} origin is AWS_CLOUDHSM which is not valid for this operation.",
    ):
        getattr(client, method)(KeyId=key["KeyId"])


def test_a_store_with_keys_is_not_deleted_until_they_are_gone(kms, client, new_key):
    store_id = connected(client)
    key_id = new_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store_id)["KeyId"]
    client.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    client.disconnect_custom_key_store(CustomKeyStoreId=store_id)
    with refused("CustomKeyStoreHasCMKsException"):
        client.delete_custom_key_store(CustomKeyStoreId=store_id)

    kms.clock.advance(days=7)
    client.delete_custom_key_store(CustomKeyStoreId=store_id)

    assert client.describe_custom_key_stores()["CustomKeyStores"] == []


def test_random_bytes_come_from_a_connected_cluster(client):
    cluster, proxy = connected(client), connected(client, "proxy", PROXY)

    answer = client.generate_random(NumberOfBytes=8, CustomKeyStoreId=cluster)

    assert len(answer["Plaintext"]) == 8
    with refused("UnsupportedOperationException"):
        client.generate_random(NumberOfBytes=8, CustomKeyStoreId=proxy)
    with refused("CustomKeyStoreNotFoundException"):
        client.generate_random(NumberOfBytes=8, CustomKeyStoreId="cks-1234567890abcdef0")


def test_a_store_that_is_deleted_between_pages_makes_none_be_skipped(client):
    for number in "234":
        create(client, number, {**CLOUDHSM, "CloudHsmClusterId": f"cluster-2a23b4cdef{number}"})
    first = client.describe_custom_key_stores(Limit=1)
    store_id = first["CustomKeyStores"][0]["CustomKeyStoreId"]

    client.delete_custom_key_store(CustomKeyStoreId=store_id)
    rest = client.describe_custom_key_stores(Marker=first["NextMarker"])["CustomKeyStores"]

    assert [store["CustomKeyStoreName"] for store in rest] == ["3", "4"]


def test_a_store_is_asked_for_by_id_or_name_not_both(client):
    with refused("ValidationException"):
        client.describe_custom_key_stores(CustomKeyStoreId="cks-1", CustomKeyStoreName="store")


# --- stores that a test breaks ----------------------------------------------------------------


def key_in(client, store_id, origin="AWS_CLOUDHSM", **more):
    return client.create_key(Origin=origin, CustomKeyStoreId=store_id, **more)["KeyMetadata"]


def test_a_broken_cluster_makes_its_keys_unavailable_until_it_is_healed(kms, client):
    store_id = connected(client)
    key_id = key_in(client, store_id)["KeyId"]
    blob = client.encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"]

    kms.key_store(store_id).fail("USER_LOCKED_OUT")
    [store] = client.describe_custom_key_stores(CustomKeyStoreId=store_id)["CustomKeyStores"]
    assert (store["ConnectionState"], store["ConnectionErrorCode"]) == ("FAILED", "USER_LOCKED_OUT")
    with refused("KMSInvalidStateException"):
        client.decrypt(CiphertextBlob=blob)
    with refused("CustomKeyStoreInvalidStateException"):
        client.connect_custom_key_store(CustomKeyStoreId=store_id)

    kms.key_store(store_id).heal()
    client.disconnect_custom_key_store(CustomKeyStoreId=store_id)
    client.connect_custom_key_store(CustomKeyStoreId=store_id)
    assert state(client, store_id) == "CONNECTED"
    assert client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"text"


def test_connecting_a_broken_store_fails_again(kms, client):
    store_id = create(client)
    kms.key_store(store_id).fail("CLUSTER_NOT_FOUND")
    assert state(client, store_id) == "DISCONNECTED"

    client.connect_custom_key_store(CustomKeyStoreId=store_id)
    assert state(client, store_id) == "FAILED"


@pytest.mark.parametrize(
    ("error_code", "words"),
    [
        ("XKS_PROXY_TIMED_OUT", "did not respond in time"),
        ("XKS_PROXY_ACCESS_DENIED", "could not authenticate AWS KMS"),
        ("XKS_PROXY_NOT_REACHABLE", "cannot communicate with the external key store proxy"),
    ],
)
def test_a_broken_proxy_fails_requests_while_the_store_stays_connected(
    kms, client, error_code, words
):
    store_id = connected(client, settings=PROXY)
    key = key_in(client, store_id, "EXTERNAL_KEY_STORE", XksKeyId="one")
    blob = client.encrypt(KeyId=key["KeyId"], Plaintext=b"text")["CiphertextBlob"]

    kms.key_store(store_id).fail(error_code)
    assert state(client, store_id) == "CONNECTED"
    with refused("KMSInvalidStateException") as caught:
        client.decrypt(CiphertextBlob=blob)
    assert words in str(caught.value)
    with refused("CustomKeyStoreInvalidStateException"):
        key_in(client, store_id, "EXTERNAL_KEY_STORE", XksKeyId="two")

    kms.key_store(store_id).heal()
    assert client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"text"


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        (
            "XKS_PROXY_ACCESS_DENIED",
            "XksProxyIncorrectAuthenticationCredentialException",
            "could not authenticate AWS KMS",
        ),
        (
            "XKS_PROXY_INVALID_CONFIGURATION",
            "XksProxyInvalidConfigurationException",
            "invalid URI path",
        ),
        (
            "XKS_PROXY_INVALID_TLS_CONFIGURATION",
            "XksProxyInvalidConfigurationException",
            "cannot establish a TLS connection",
        ),
        (
            "XKS_PROXY_INVALID_RESPONSE",
            "XksProxyInvalidResponseException",
            "cannot interpret the response",
        ),
        ("XKS_PROXY_NOT_REACHABLE", "XksProxyUriUnreachableException", "cannot communicate"),
        ("XKS_PROXY_TIMED_OUT", "XksProxyUriUnreachableException", "did not respond in time"),
    ],
)
def test_a_broken_proxy_is_noticed_when_its_store_is_changed(kms, client, fault, code, words):
    store_id = connected(client, settings=PROXY)
    change = {"CustomKeyStoreId": store_id, "XksProxyUriPath": "/y/kms/xks/v1"}
    kms.key_store(store_id).fail(fault)

    with refused(code) as caught:
        client.update_custom_key_store(**change)
    assert words in caught.value.response["Error"]["Message"]
    client.update_custom_key_store(CustomKeyStoreId=store_id, NewCustomKeyStoreName="other")

    kms.key_store(store_id).heal()
    client.update_custom_key_store(**change)


def test_a_broken_proxy_in_a_vpc_is_only_noticed_once_it_is_connected(kms, client):
    store_id = create(client, settings=VPC)
    kms.key_store(store_id).fail("XKS_PROXY_TIMED_OUT")

    client.update_custom_key_store(CustomKeyStoreId=store_id, XksProxyUriPath="/y/kms/xks/v1")
    client.connect_custom_key_store(CustomKeyStoreId=store_id)

    assert state(client, store_id) == "FAILED"


def test_a_store_fails_with_what_such_a_store_can_fail_with(kms, client):
    store_id = create(client)

    with pytest.raises(ValueError, match="cannot fail with 'XKS_PROXY_TIMED_OUT'"):
        kms.key_store(store_id).fail("XKS_PROXY_TIMED_OUT")
    with pytest.raises(ValueError, match="no custom key store"):
        kms.key_store("cks-0")
