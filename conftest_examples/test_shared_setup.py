"""Set-up once per module: each test starts with the same state, whatever other tests do."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def orders_key(module_kms):
    client = module_kms.client()
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    client.create_alias(AliasName="alias/orders", TargetKeyId=key_id)
    return key_id


def test_a_test_can_change_the_state(kms_client, orders_key):
    kms_client.delete_alias(AliasName="alias/orders")
    kms_client.schedule_key_deletion(KeyId=orders_key)


def test_the_next_test_has_the_original_state(kms_client):
    state = kms_client.describe_key(KeyId="alias/orders")["KeyMetadata"]["KeyState"]

    assert state == "Enabled"
