"""Keys and roles from a file in the same folder as the tests."""

from pathlib import Path

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.kms(world=Path(__file__).with_name("world.json"))


@pytest.fixture
def shop(kms):
    return kms.principal("arn:aws:iam::123456789012:role/Shop").client("kms")


def test_the_shop_uses_the_keys_of_its_team(shop):
    blob = shop.encrypt(KeyId="alias/orders", Plaintext=b"2 apples")["CiphertextBlob"]
    assert shop.decrypt(CiphertextBlob=blob)["Plaintext"] == b"2 apples"


def test_the_shop_is_not_allowed_to_sign_receipts(shop):
    with pytest.raises(ClientError, match="kms:Sign"):
        shop.sign(KeyId="alias/receipts", Message=b"paid", SigningAlgorithm="ECDSA_SHA_256")


def test_a_world_can_be_exported_and_loaded_elsewhere(kms, shop, tmp_path):
    blob = shop.encrypt(KeyId="alias/orders", Plaintext=b"2 apples")["CiphertextBlob"]
    kms.clock.advance(days=400)
    kms.export(tmp_path / "later.json")

    from kmsmock import mock_kms

    with mock_kms(world=tmp_path / "later.json") as later:
        assert later.client().decrypt(CiphertextBlob=blob)["Plaintext"] == b"2 apples"
        assert later.clock.now().year == 2031
