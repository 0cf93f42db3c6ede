"""Requests that curl signs, to the services that answer in XML; and presented otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.conftest import Account
from tests.clients.programs import Curl


@pytest.fixture
def curl(environment: dict[str, str], tmp_path: Path) -> Iterator[Curl]:
    return Curl(environment, tmp_path)


def find(name: str, text: str) -> str:
    """Return the text of the first element with a name."""
    found = re.search(f"<{name}>(.*?)</{name}>", text)
    assert found is not None, text
    return found[1]


def form(**parameters: str) -> list[str]:
    return [part for each in parameters.items() for part in ("--data-urlencode", "=".join(each))]


def test_a_session_of_another_account_is_known_by_its_token(
    curl: Curl, account: Account, other: Account
) -> None:
    role = other.make_role("Curl", trusted=account.id)
    assume = form(Action="AssumeRole", Version="2011-06-15", RoleArn=role, RoleSessionName="visit")
    identify = form(Action="GetCallerIdentity", Version="2011-06-15")
    status, assumed = curl.send("sts", *assume)
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    credentials = {name: find(name, assumed) for name in names}

    assert status == 200
    status, identity = curl.send("sts", *identify, credentials=credentials)
    assert (status, find("Arn", identity)) == (
        200,
        f"arn:aws:sts::{other.id}:assumed-role/Curl/visit",
    )
    del credentials["SessionToken"]
    status, error = curl.send("sts", *identify, credentials=credentials)
    assert (status, find("Code", error)) == (403, "InvalidClientTokenId")


def test_a_parameter_of_the_query_is_signed(curl: Curl, account: Account) -> None:
    status, body = curl.send(
        "sts", "--get", *form(Action="GetCallerIdentity", Version="2011-06-15")
    )

    assert (status, find("Account", body)) == (200, account.id)


def test_an_error_of_ec2_is_xml(curl: Curl) -> None:
    call = form(
        Action="DescribeVolumes", Version="2016-11-15", **{"VolumeId.1": "vol-00000000000000000"}
    )
    status, body = curl.send("ec2", *call)

    assert (status, find("Code", body), find("Message", body)) == (
        400,
        "InvalidVolume.NotFound",
        "The volume 'vol-00000000000000000' does not exist.",
    )
