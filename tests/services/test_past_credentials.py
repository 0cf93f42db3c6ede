"""Credentials that ended: the oldest of many are forgotten, but for that they were valid once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from kmsmock import KMSMock, mock_kms
from kmsmock.identities import credentials

KEPT = 5
TRUST = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A mock that keeps few of the credentials that ended."""
    monkeypatch.setattr(credentials, "PAST_KEPT", KEPT)
    with mock_kms(isolated=True) as kms:
        yield kms


def require_refused(issued: dict[str, Any], code: str) -> None:
    client = boto3.client(
        "kms",
        aws_access_key_id=issued["AccessKeyId"],
        aws_secret_access_key=issued["SecretAccessKey"],
        aws_session_token=issued.get("SessionToken"),
    )
    with pytest.raises(ClientError) as caught:
        client.list_keys()
    assert caught.value.response["Error"]["Code"] == code


@pytest.fixture
def assume(kms: KMSMock) -> Callable[[], dict[str, Any]]:
    """Return credentials of a new session; others may assume the role as well."""
    role = kms.account("123456789012").role("App", trust={"Statement": TRUST})
    sts = kms.client("sts")

    def assume() -> dict[str, Any]:
        name = f"session-{len(kms.backend.identities.sessions)}"
        issued: dict[str, Any] = sts.assume_role(RoleArn=role.arn, RoleSessionName=name)
        return issued["Credentials"]

    return assume


def replace_access_keys(kms: KMSMock, count: int) -> list[dict[str, Any]]:
    iam, replaced = kms.client("iam"), []
    iam.create_user(UserName="eve")
    for _ in range(count):
        key = iam.create_access_key(UserName="eve")["AccessKey"]
        iam.delete_access_key(UserName="eve", AccessKeyId=key["AccessKeyId"])
        replaced.append(key)
    return replaced


def test_sessions_that_expired_are_refused_even_when_they_are_forgotten(
    kms: KMSMock, assume: Callable[[], dict[str, Any]]
) -> None:
    issued = []
    for _ in range(10):
        issued += [assume() for _ in range(KEPT)]
        kms.clock.advance(hours=2)

    for each in issued:
        require_refused(each, "ExpiredTokenException")
    identities = kms.backend.identities
    assert len(identities.credentials._owners) <= 5 * KEPT
    assert len(identities.sessions) <= 5 * KEPT


def test_sessions_that_go_on_are_not_forgotten(assume: Callable[[], dict[str, Any]]) -> None:
    issued = [assume() for _ in range(10 * KEPT)]

    account = boto3.client(
        "sts",
        aws_access_key_id=issued[0]["AccessKeyId"],
        aws_secret_access_key=issued[0]["SecretAccessKey"],
        aws_session_token=issued[0]["SessionToken"],
    ).get_caller_identity()

    assert account["Arn"].endswith(":assumed-role/App/session-0")


def test_access_keys_that_were_deleted_are_refused_even_when_they_are_forgotten(
    kms: KMSMock,
) -> None:
    for each in replace_access_keys(kms, 10 * KEPT):
        require_refused(each, "UnrecognizedClientException")

    assert len(kms.backend.identities.credentials._owners) <= 5 * KEPT


def test_an_inactive_access_key_is_not_forgotten(kms: KMSMock) -> None:
    iam = kms.client("iam")
    iam.create_user(UserName="bob")
    key = iam.create_access_key(UserName="bob")["AccessKey"]
    names = {"UserName": "bob", "AccessKeyId": key["AccessKeyId"]}
    iam.update_access_key(**names, Status="Inactive")
    replace_access_keys(kms, 10 * KEPT)

    iam.update_access_key(**names, Status="Active")

    client = boto3.client(
        "sts",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    assert client.get_caller_identity()["Arn"].endswith(":user/bob")


def test_credentials_are_valid_again_when_a_state_is_restored_in_which_they_were(
    kms: KMSMock, assume: Callable[[], dict[str, Any]]
) -> None:
    first = assume()
    checkpoint = kms.checkpoint()
    kms.clock.advance(hours=2)
    later = [assume() for _ in range(10 * KEPT)]
    kms.clock.advance(hours=2)
    later += [assume() for _ in range(10 * KEPT)]
    require_refused(first, "ExpiredTokenException")

    kms.restore(checkpoint)

    client = boto3.client(
        "sts",
        aws_access_key_id=first["AccessKeyId"],
        aws_secret_access_key=first["SecretAccessKey"],
        aws_session_token=first["SessionToken"],
    )
    assert client.get_caller_identity()["Arn"].endswith(":assumed-role/App/session-0")
    require_refused(later[0], "ExpiredTokenException")
    require_refused(later[-1], "UnrecognizedClientException")
