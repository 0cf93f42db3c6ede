"""Tests that are annotated as those of a strictly typed project; type checkers accept them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
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
    connect,
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


def use_a_server(url: str) -> KMSMock:
    """Use the control object of a server, as a block and without one."""
    with connect(url, timeout=5) as kms:
        call: Call = kms.calls[-1]
        principal: Principal = kms.account(call.account).role("App")
        encrypt(principal.client(), "alias/app")
    return connect(url)


@mock_kms(account_id="111122223333")
class TestDecorated:
    def test_it_has_its_account(self) -> None:
        assert current().options["account_id"] == "111122223333"


class DecoratedMethods:
    @mock_kms
    def method(self, name: str) -> int:
        return len(name)

    @mock_kms
    @staticmethod
    def static_above(name: str) -> int:
        return len(name)

    @staticmethod
    @mock_kms(region="eu-west-1")
    def static_below(name: str) -> int:
        return len(name)

    @classmethod
    @mock_kms
    def class_below(cls, name: str) -> int:
        return len(name)


@mock_kms
def generator(count: int) -> Iterator[str]:
    for _ in range(count):
        yield current().account("111122223333").id


@contextlib.contextmanager
@mock_kms
def world() -> Iterator[KMSMock]:
    yield current()


@mock_kms
@contextlib.contextmanager
def other_world() -> Iterator[KMSMock]:
    yield current()


@mock_kms
async def async_generator() -> AsyncIterator[KMSMock]:
    yield current()


@pytest.fixture
@mock_kms(seed=1)
def ciphertext() -> bytes:
    return encrypt(current().client(), current().client().create_key()["KeyMetadata"]["KeyId"])


@pytest.fixture
def account(kms: KMSMock) -> Account:
    return kms.account("444455556666")


@pytest.fixture
def role(account: Account) -> Principal:
    return account.role("App", tags={"team": "a"})


def test_a_decorated_function_keeps_its_type() -> None:
    length: int = length_of_ciphertext()
    assert length > len(b"text")


def test_decorated_methods_generators_and_fixtures_keep_theirs(ciphertext: bytes) -> None:
    methods = DecoratedMethods()
    lengths: list[int] = [methods.method("a"), methods.static_above("a"), methods.static_below("a")]
    length: int = DecoratedMethods.class_below("a")
    names: list[str] = list(generator(1))
    kind: AsyncIterator[KMSMock] = async_generator()
    with world() as kms, other_world() as other:
        assert kms is other
    assert kind
    assert (lengths, length, names, len(ciphertext) > 0) == ([1, 1, 1], 1, ["111122223333"], True)


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
