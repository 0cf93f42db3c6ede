"""Requests that curl signs: those to services that answer in XML, and faults as they are."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import Account
from tests.clients.programs import Curl, Refused


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


def test_throttling_is_an_error_for_who_makes_no_call_again(curl: Curl, control: Any) -> None:
    control("faults", {"fault": "throttle", "operation": "ListAliases", "times": 1})
    with pytest.raises(Refused) as caught:
        curl.call("kms", "ListAliases", {})

    assert (caught.value.code, caught.value.message) == (
        "ThrottlingException",
        "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
    )
    assert curl.call("kms", "ListAliases", {})["Aliases"]


def test_a_lost_connection_is_an_empty_reply(curl: Curl, control: Any) -> None:
    control("faults", {"fault": "drop_connection", "operation": "ListAliases", "times": 1})
    with pytest.raises(subprocess.CalledProcessError) as caught:
        curl.call("kms", "ListAliases", {})

    assert "Empty reply from server" in caught.value.stderr


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
