"""What the AWS CLI does itself: it pages, waits and reads files; and the example of a script."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients import openssl
from tests.clients.conftest import Account
from tests.clients.programs import UNCONFIGURED, AwsCli, require

SCRIPT = Path(__file__).parents[2] / "docs" / "cross-account-snapshots.sh"
VERSIONS = pytest.mark.parametrize("version", [1, 2], ids="v{}".format)


@pytest.fixture(params=[1, 2], ids="v{}".format)
def cli(
    request: pytest.FixtureRequest, environment: dict[str, str], tmp_path: Path
) -> Iterator[AwsCli]:
    return AwsCli(request.param, environment, tmp_path)


def run(cli: AwsCli, service: str, *arguments: str) -> Any:
    """Run a command that succeeds, and return what it prints."""
    ran = cli.run(service, *arguments)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout) if ran.stdout else None


def test_all_pages_of_a_list_are_fetched(cli: AwsCli, account: Account, control: Any) -> None:
    expected = {account.make_key() for _ in range(3)}
    before = len(control("calls?operation=ListKeys")["calls"])
    keys = run(cli, "kms", "list-keys", "--page-size", "1", "--query", "Keys[].KeyArn")

    assert expected <= set(keys)
    assert len(control("calls?operation=ListKeys")["calls"]) - before == len(keys)


def test_a_waiter_says_why_it_ends(cli: AwsCli, account: Account) -> None:
    snapshot, copy = account.copy_snapshot()

    run(cli, "ec2", "wait", "snapshot-completed", "--snapshot-ids", snapshot)
    ran = cli.run("ec2", "wait", "snapshot-completed", "--snapshot-ids", copy)

    assert ran.returncode == 255
    assert "Waiter SnapshotCompleted failed" in ran.stderr


def test_the_role_of_a_profile_is_assumed(
    environment: dict[str, str], account: Account, other: Account, tmp_path: Path
) -> None:
    cli = AwsCli(1, environment, tmp_path)  # only a CLI that reads the endpoint of STS can do it
    role = other.make_role("Profile", trusted=account.id)
    profile = f"[profile visit]\nrole_arn = {role}\ncredential_source = Environment\n"
    (tmp_path / "config").write_text(profile)
    ran = cli.run(
        *("sts", "get-caller-identity", "--profile", "visit"),
        variables={"AWS_CONFIG_FILE": str(tmp_path / "config")},
    )

    assert f'"Account": "{other.id}"' in ran.stdout, ran.stderr


def test_key_material_is_wrapped_by_openssl_and_imported(
    cli: AwsCli, account: Account, tmp_path: Path
) -> None:
    key = account.make_key(Origin="EXTERNAL")
    parameters = cli.call(
        "kms",
        "GetParametersForImport",
        {"KeyId": key, "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"},
    )
    material = bytes(range(32))
    (tmp_path / "material").write_bytes(material)
    (tmp_path / "wrapping").write_bytes(parameters["PublicKey"])
    options = ("rsa_padding_mode:oaep", "rsa_oaep_md:sha256", "rsa_mgf1_md:sha256")
    openssl.run(
        tmp_path,
        *("pkeyutl", "-encrypt", "-pubin", "-keyform", "DER", "-inkey", "wrapping"),
        *(part for option in options for part in ("-pkeyopt", option)),
        *("-in", "material", "-out", "wrapped"),
    )
    cli.call(
        "kms",
        "ImportKeyMaterial",
        {
            "KeyId": key,
            "EncryptedKeyMaterial": (tmp_path / "wrapped").read_bytes(),
            "ImportToken": parameters["ImportToken"],
            "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
        },
    )

    assert account.client().describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"


@VERSIONS
def test_the_script_copies_a_snapshot_to_another_account(
    version: int, environment: dict[str, str]
) -> None:
    command = require(f"aws-cli-v{version}")
    ran = subprocess.run(
        [SCRIPT],
        env={**environment, **UNCONFIGURED, "AWS": command},
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    lines = ran.stdout.splitlines()

    assert (ran.returncode, ran.stderr) == (0, "")
    assert lines[1] == "Without the key policy the copy fails: Given key ID is not accessible."
    assert lines[2].startswith(
        "With the key policy it is there, under arn:aws:kms:us-east-1:444455556666:key/"
    )
    assert lines[3].endswith("was created (1), and is retired (0 left).")
    assert lines[4].startswith("A volume of the copy is available: vol-")


def test_the_script_says_what_it_needs() -> None:
    environment = {name: value for name, value in os.environ.items() if "ENDPOINT" not in name}
    ran = subprocess.run([SCRIPT], env=environment, capture_output=True, text=True, check=False)

    assert ran.returncode != 0
    assert ran.stderr.rstrip().endswith("is the URL of the server: start it with kmsmock serve")


def test_the_script_has_no_findings() -> None:
    command = require("shellcheck")
    ran = subprocess.run([command, SCRIPT], capture_output=True, text=True, check=False)

    assert ran.stdout == ""
