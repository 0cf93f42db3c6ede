"""Do tests cover a key policy? Run this with --kms-policy-coverage, and then without the second.

Without it, both statements are still covered; but the report says that no test would notice if the
condition on the tenant were gone, and which call a test would have to make.
"""

from pathlib import Path

import pytest

POLICY = Path(__file__).with_name("orders-key.json").read_text()


@pytest.fixture
def orders(kms):
    return kms.account("123456789012").role("orders").client()


@pytest.fixture
def key_id(kms):
    kms.account("123456789012").role("orders")  # which the policy names
    return kms.client().create_key(Policy=POLICY)["KeyMetadata"]["KeyId"]


def test_orders_of_the_tenant_are_encrypted(key_id, orders):
    orders.encrypt(KeyId=key_id, Plaintext=b"an order", EncryptionContext={"tenant": "a"})


def test_orders_of_other_tenants_are_refused(key_id, orders):
    with pytest.raises(orders.exceptions.ClientError, match="AccessDenied"):
        orders.encrypt(KeyId=key_id, Plaintext=b"an order", EncryptionContext={"tenant": "b"})
