"""Tests that are annotated as those of a strictly typed project; type checkers accept them."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kmsmock import (
    Account,
    Call,
    Checkpoint,
    Costs,
    Decision,
    KmsKey,
    KmsKeyFactory,
    KMSMock,
    KMSMocker,
    Principal,
    RealKMSBlocked,
    WorldError,
    current,
    mock_kms,
)

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


def encrypt(client: KMSClient, key_id: str) -> bytes:
    """Use a client as code under test does."""
    blob: bytes = client.encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"]
    return blob


@mock_kms
def length_of_ciphertext(key_spec: str = "AES_256") -> int:
    client = current().client()
    key_id = client.create_key(Description=key_spec)["KeyMetadata"]["KeyId"]
    return len(encrypt(client, key_id))


@mock_kms(region="eu-west-1", seed=7, delays="none", services=["kms", "sts"])
async def region_of_a_coroutine() -> str:
    kms: KMSMock = current()
    region: str = kms.options["region"]
    return region


@mock_kms(account_id="111122223333")
class TestDecorated:
    def test_it_has_its_account(self) -> None:
        assert current().options["account_id"] == "111122223333"


@pytest.fixture
def account(kms: KMSMock) -> Account:
    return kms.account("444455556666")


@pytest.fixture
def role(account: Account) -> Principal:
    return account.role("App", tags={"team": "a"})


def test_a_decorated_function_keeps_its_type() -> None:
    length: int = length_of_ciphertext()
    assert length > len(b"text")


def test_records_decisions_and_costs(kms: KMSMock, kms_key: KmsKey, role: Principal) -> None:
    encrypt(kms_key.client, kms_key.id)
    call: Call = kms.calls[-1]
    caller: str = call.caller
    decision: Decision = kms.explain(role, "kms:Decrypt", kms_key, encryption_context={"a": "b"})
    costs: Costs = kms.costs

    assert caller.startswith("arn:")
    assert not decision
    assert costs.requests == len(kms.calls) == kms.calls.filter("Encrypt").made + 1


def test_keys_and_checkpoints(
    kms: KMSMock, kms_client: KMSClient, kms_key_factory: KmsKeyFactory
) -> None:
    before: Checkpoint = kms.checkpoint()
    key: KmsKey = kms_key_factory("ECC_NIST_P256", alias="signing", tags={"team": "a"})
    assert kms_client.get_public_key(KeyId=key.arn)["KeySpec"] == "ECC_NIST_P256"
    kms.restore(before)
    assert kms.keys == ()


def test_mocks_by_hand_and_their_errors(tmp_path: Path) -> None:
    mocker: KMSMocker = mock_kms(start_time=datetime(2030, 1, 1, tzinfo=timezone.utc))
    with mocker as kms, pytest.raises(WorldError) as caught:
        kms.load({"keys": [{"spec": "none"}]})
    error: WorldError = caught.value
    assert str(error)
    assert issubclass(RealKMSBlocked, RuntimeError)
    with mock_kms(isolated=True) as kms:
        kms.export(tmp_path / "world.json", material=False)
