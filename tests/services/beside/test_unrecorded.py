"""Resources that the mock has not seen made, changed or deleted, of all kinds that moto stores.

EC2 and RDS have tests of their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from kmsmock import KMSMock, mock_kms
from tests.services.beside.unrecorded import ACCOUNT, KINDS, Named

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "kms:*",
            "Resource": "*",
        },
        {
            "Effect": "Allow",
            "Principal": {"Service": "logs.us-east-1.amazonaws.com"},
            "Action": "kms:*",
            "Resource": "*",
        },
    ],
}


def start_moto() -> Any:
    return mock_aws(config={"lambda": {"use_docker": False}})


@pytest.fixture
def kms() -> Iterator[KMSMock]:
    with start_moto(), mock_kms() as kms:
        yield kms


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def named(request: Any) -> Named:
    named: Named = request.param
    return named


def make_key(kms: KMSMock) -> str:
    arn: str = kms.client().create_key(Policy=json.dumps(POLICY))["KeyMetadata"]["Arn"]
    return arn


def assert_uses(kms: KMSMock, named: Named, key: str) -> None:
    """Assert that the use of a resource calls KMS with a key, and is refused without it."""
    before = len(kms.calls)
    named.kind.use()
    made = [(call.operation, call.key_arn) for call in list(kms.calls)[before:]]
    assert (named.operation, key) in made
    kms.client().disable_key(KeyId=key)
    kms.clock.advance(minutes=20)  # data keys are not used again
    with pytest.raises(ClientError):
        named.kind.use()


@pytest.mark.parametrize("name", ["table", "function", "secret", "parameter", "object"])
def test_what_is_under_a_key_of_another_kms_is_used_with_a_warning(name):
    named = KINDS[name]
    with start_moto():
        named.kind.make(boto3.client("kms", "us-east-1").create_key()["KeyMetadata"]["Arn"])
        with mock_kms() as kms:
            with pytest.warns(UserWarning, match="this mock of KMS does not have its key"):
                named.kind.use()
            assert len(kms.calls) == 0


def test_what_was_made_before_the_mock_is_encrypted(named, tmp_path):
    # The key is in the world that the mock starts with.
    world = tmp_path / "world.json"
    with mock_kms() as before:
        key = make_key(before)
        before.export(world)
    with start_moto():
        named.kind.make(key)
        with mock_kms(world=world) as kms:
            assert_uses(kms, named, key)


def test_what_a_mock_of_moto_has_removed_is_forgotten(named):
    with mock_kms() as kms:
        key = make_key(kms)
        with start_moto():
            named.kind.make(key)
            named.kind.use()
        kms.client().disable_key(KeyId=key)
        kms.clock.advance(minutes=20)
        with start_moto():
            named.kind.make(None)
            named.kind.use()


def test_what_was_made_while_the_mock_was_paused_is_encrypted(named, kms):
    key = make_key(kms)
    before = len(kms.calls)
    with kms.pause():
        named.kind.make(key)
    assert len(kms.calls) == before
    assert_uses(kms, named, key)


def test_what_was_made_anew_with_another_key_uses_that(named, kms):
    first, second = make_key(kms), make_key(kms)
    named.kind.make(first)
    named.kind.use()
    with kms.pause():
        named.kind.remove()
        named.kind.make(second)
    assert_uses(kms, named, second)


def test_what_was_made_anew_without_a_key_needs_none(named, kms):
    key = make_key(kms)
    named.kind.make(key)
    named.kind.use()
    with kms.pause():
        named.kind.remove()
        named.kind.make(None)
    kms.client().disable_key(KeyId=key)
    kms.clock.advance(minutes=20)
    named.kind.use()


def test_what_was_plain_and_made_anew_with_a_key_uses_it(named, kms):
    key = make_key(kms)
    named.kind.make(None)
    named.kind.use()
    with kms.pause():
        named.kind.remove()
        named.kind.make(key)
    assert_uses(kms, named, key)


def test_what_a_restored_checkpoint_does_not_know_is_encrypted(named, kms):
    key = make_key(kms)
    checkpoint = kms.checkpoint()
    named.kind.make(key)
    named.kind.use()
    kms.restore(checkpoint)
    assert_uses(kms, named, key)


def test_what_a_restored_checkpoint_knows_and_is_gone_is_forgotten(named, kms):
    key = make_key(kms)
    named.kind.make(key)
    checkpoint = kms.checkpoint()
    named.kind.remove()
    named.kind.make(None)
    kms.restore(checkpoint)
    kms.client().disable_key(KeyId=key)
    named.kind.use()
