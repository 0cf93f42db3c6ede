"""An operation that was made up, with one declaration and one function, works everywhere."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.loaders import Loader

from kmsmock import mock_kms
from kmsmock.aws.operations import (
    CHANGED_KEY_ARN,
    OPERATION_FACTS,
    PriceClass,
    per_second,
    write_event,
)
from kmsmock.aws.prices import Category
from kmsmock.keys.key import Key
from kmsmock.keys.specs import KeyUsage
from kmsmock.keys.states import USABLE
from kmsmock.operations.key_lookup import by_any_identifier
from kmsmock.operations.registry import (
    OPERATIONS,
    Call,
    Response,
    Target,
    operation,
    remove_operation,
)
from tests.authorization.documents import allow, policy

pytestmark = pytest.mark.usefixtures("frobnicate")

MADE_UP = {
    "name": "FrobnicateKey",
    "http": {"method": "POST", "requestUri": "/"},
    "input": {"shape": "FrobnicateKeyRequest"},
    "output": {"shape": "FrobnicateKeyResponse"},
    "errors": [],
}
SHAPES = {
    "FrobnicateKeyRequest": {
        "type": "structure",
        "required": ["KeyId"],
        "members": {
            "KeyId": {"shape": "KeyIdType"},
            "EncryptionContext": {"shape": "EncryptionContextType"},
        },
    },
    "FrobnicateKeyResponse": {
        "type": "structure",
        "members": {"KeyId": {"shape": "KeyIdType"}, "Description": {"shape": "DescriptionType"}},
    },
}


@pytest.fixture(scope="module")
def frobnicate() -> Iterator[None]:
    """All that it takes to add an operation: one declaration and one function."""

    @operation(
        "FrobnicateKey",
        Target(
            "kms:FrobnicateKey",
            by_any_identifier("KeyId"),
            USABLE,
            KeyUsage.ENCRYPT_DECRYPT,
            context_member="EncryptionContext",
        ),
        trail=write_event("KeyId", "EncryptionContext", shows=(CHANGED_KEY_ARN, "Description")),
        price=PriceClass.BY_KEY_SPEC,
        quota=per_second(5),
    )
    def frobnicate_key(call: Call, key: Key) -> Response:
        """Give a key the description that it deserves."""
        key.description = f"frobnicated at {call.now:%H:%M}"
        return {"KeyId": key.arn, "Description": key.description}

    yield
    remove_operation("FrobnicateKey")
    assert "FrobnicateKey" not in {*OPERATIONS, *OPERATION_FACTS}


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client whose botocore knows the operation, from a copy of the model of KMS."""
    model = copy.deepcopy(Loader().load_service_model("kms", "service-2"))
    model["operations"]["FrobnicateKey"] = MADE_UP
    model["shapes"].update(SHAPES)
    path = tmp_path / "kms" / model["metadata"]["apiVersion"] / "service-2.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(model))
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    with mock_kms():
        return boto3.session.Session().client("kms")


def test_it_answers_clients(client: Any) -> None:
    with mock_kms():
        key = client.create_key()["KeyMetadata"]

        answer = client.frobnicate_key(KeyId=key["KeyId"])

        described = client.describe_key(KeyId=key["KeyId"])["KeyMetadata"]

    assert answer["KeyId"] == key["Arn"]
    assert answer["Description"] == described["Description"] != ""


def test_it_has_the_checks_that_it_declares(client: Any) -> None:
    with mock_kms():
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        signing = client.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]

        with pytest.raises(client.exceptions.NotFoundException):
            client.frobnicate_key(KeyId="alias/absent")
        with pytest.raises(client.exceptions.InvalidKeyUsageException):
            client.frobnicate_key(KeyId=signing["KeyId"])
        client.disable_key(KeyId=key_id)
        with pytest.raises(client.exceptions.DisabledException):
            client.frobnicate_key(KeyId=key_id)


def test_it_is_in_the_calls(client: Any) -> None:
    with mock_kms() as kms:
        key = client.create_key()["KeyMetadata"]
        client.frobnicate_key(KeyId=key["KeyId"], EncryptionContext={"Tenant": "a"})

        (call,) = kms.calls.filter("FrobnicateKey", key=key["Arn"])

    assert call.encryption_context == {"Tenant": "a"}


def test_it_is_in_the_trail(client: Any) -> None:
    with mock_kms() as kms:
        key = client.create_key()["KeyMetadata"]
        client.frobnicate_key(KeyId=key["KeyId"], EncryptionContext={"Tenant": "a"})

        description = client.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["Description"]
        (record,) = kms.trail.lookup("FrobnicateKey")

    assert record["requestParameters"] == {
        "keyId": key["KeyId"],
        "encryptionContext": {"Tenant": "a"},
    }
    assert record["responseElements"] == {"keyId": key["Arn"], "description": description}
    assert record["readOnly"] is False


def test_it_is_on_the_bill(client: Any) -> None:
    with mock_kms() as kms:
        rsa = client.create_key(KeySpec="RSA_4096", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]
        client.frobnicate_key(KeyId=rsa["KeyId"])

        requests = kms.costs.by_operation()["FrobnicateKey"]

    assert (requests, requests.usd) == (1, kms.costs.prices.requests[Category.ASYMMETRIC])


def test_it_is_authorized_and_explained(client: Any) -> None:
    with mock_kms(authorization="enforced") as kms:
        key = client.create_key()["KeyMetadata"]
        client.create_alias(AliasName="alias/app", TargetKeyId=key["KeyId"])
        role = kms.account("123456789012").role(
            "app",
            policies=policy(
                allow(
                    "kms:FrobnicateKey",
                    Condition={"StringEquals": {"kms:RequestAlias": "alias/app"}},
                )
            ),
        )

        by_alias = kms.explain(role, "FrobnicateKey", "alias/app")
        by_id = kms.explain(role, "FrobnicateKey", key["KeyId"])

        assert (by_alias.allowed, by_id.allowed) == (True, False)
        as_role = role.session().client("kms", "us-east-1")
        as_role.frobnicate_key(KeyId="alias/app")
        with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
            as_role.frobnicate_key(KeyId=key["KeyId"])
