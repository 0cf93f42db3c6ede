"""What the AWS SDK for JavaScript does itself, and the AWS Encryption SDK for it."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kmsmock import KMSMock
from tests.clients.conftest import Account
from tests.clients.programs import UNCONFIGURED, prepare_node

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Give a function that runs a program, and returns what it prints."""

    def run(program: str, environment: dict[str, str], *arguments: str) -> dict[str, Any]:
        ran = subprocess.run(
            [*prepare_node(program, tmp_path), *arguments],
            cwd=tmp_path,
            env={**environment, **UNCONFIGURED},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)

    return run


def test_paginators_and_waiters_work(
    run: Run, environment: dict[str, str], account: Account
) -> None:
    keys = {account.make_key() for _ in range(3)}
    found = run("paging_and_waiting.mjs", environment, *account.copy_snapshot())

    assert keys <= set(found["keys"])
    assert found["sizes"] == [1] * len(found["keys"])
    assert found["states"] == ["SUCCESS", "FAILURE"]


# --- AWS Encryption SDK -------------------------------------------------------------------------


def test_the_encryption_sdks_of_javascript_and_python_read_each_other_s_messages(
    run: Run, kms: KMSMock
) -> None:
    sdk = pytest.importorskip("aws_encryption_sdk", reason="the AWS Encryption SDK is missing")
    key = kms.client().create_key()["KeyMetadata"]["Arn"]
    client = sdk.EncryptionSDKClient()
    provider = sdk.StrictAwsKmsMasterKeyProvider(key_ids=[key])
    message, _ = client.encrypt(source=b"ours", key_provider=provider)
    answer = run("encryption_sdk.mjs", dict(os.environ), key, base64.b64encode(message).decode())
    plaintext, header = client.decrypt(
        source=base64.b64decode(answer["encrypted"]), key_provider=provider
    )

    assert answer["decrypted"] == "ours"
    assert plaintext == b"theirs"
    assert header.encryption_context["purpose"] == "test"
    kms.calls.assert_called("GenerateDataKey", times=2)
