"""Texts with lone surrogates, which UTF-8 cannot encode, are refused wherever they come from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from kmsmock import KMSMock, mock_kms
from kmsmock.worlds.errors import WorldError

LONE = "\ud800"
ACCOUNT = "123456789012"
STATEMENT = {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}
ESCAPED = json.dumps({"Statement": {**STATEMENT, "Sid": LONE}})
IDENTITY = '{"Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}}'
DATABASE = {
    "DBInstanceIdentifier": "orders",
    "DBInstanceClass": "db.t3.micro",
    "Engine": "mysql",
    "AllocatedStorage": 20,
    "MasterUsername": "admin",
    "MasterUserPassword": "password",
}


@pytest.fixture(params=[False, True], ids=["parameters", "wire"])
def kms(request: pytest.FixtureRequest) -> Iterator[KMSMock]:
    with mock_kms(wire=request.param, world={"keys": ["alias/app"]}) as kms:
        yield kms


REQUESTS: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "a value in an encryption context": (
        "kms",
        "encrypt",
        {"KeyId": "alias/app", "Plaintext": b"text", "EncryptionContext": {"tenant": LONE}},
        "SerializationException",
    ),
    "a name in an encryption context": (
        "kms",
        "encrypt",
        {"KeyId": "alias/app", "Plaintext": b"text", "EncryptionContext": {LONE: "a"}},
        "SerializationException",
    ),
    "a description": ("kms", "create_key", {"Description": f"of {LONE}"}, "SerializationException"),
    "a tag": (
        "kms",
        "create_key",
        {"Tags": [{"TagKey": "a", "TagValue": LONE}]},
        "SerializationException",
    ),
    "a key id": ("kms", "describe_key", {"KeyId": LONE}, "SerializationException"),
    "the constraints of a grant": (
        "kms",
        "create_grant",
        {
            "KeyId": "alias/app",
            "GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:root",
            "Operations": ["Decrypt"],
            "Constraints": {"EncryptionContextSubset": {"tenant": "\udfff"}},
        },
        "SerializationException",
    ),
    "a key policy, escaped": (
        "kms",
        "create_key",
        {"Policy": ESCAPED},
        "MalformedPolicyDocumentException",
    ),
    "a description in IAM": (
        "iam",
        "create_policy",
        {"PolicyName": "p", "PolicyDocument": IDENTITY, "Description": LONE},
        "MalformedQueryString",
    ),
    "a policy in IAM, escaped": (
        "iam",
        "create_policy",
        {"PolicyName": "p", "PolicyDocument": IDENTITY.replace("kms:*", "kms:*\\ud800")},
        "MalformedPolicyDocument",
    ),
    "a name in STS": (
        "sts",
        "assume_role",
        {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/App", "RoleSessionName": LONE * 2},
        "MalformedQueryString",
    ),
    "a tag in EC2": (
        "ec2",
        "create_volume",
        {
            "AvailabilityZone": "us-east-1a",
            "Size": 1,
            "TagSpecifications": [
                {"ResourceType": "volume", "Tags": [{"Key": "a", "Value": LONE}]}
            ],
        },
        "MalformedQueryString",
    ),
    "a tag in RDS": (
        "rds",
        "create_db_instance",
        {**DATABASE, "Tags": [{"Key": "a", "Value": LONE}]},
        "MalformedQueryString",
    ),
    "a bucket in CloudTrail": (
        "cloudtrail",
        "create_trail",
        {"Name": "all", "S3BucketName": f"logs{LONE}"},
        "SerializationException",
    ),
}


@pytest.mark.parametrize("place", REQUESTS)
def test_a_request_is_refused_with_an_error_of_aws(kms: KMSMock, place: str) -> None:
    service, method, parameters, code = REQUESTS[place]

    with pytest.raises(ClientError) as caught:
        getattr(kms.client(service), method)(**parameters)

    assert caught.value.response["Error"]["Code"] == code
    assert "lone surrogate U+D" in caught.value.__notes__[0]


def test_characters_outside_of_the_basic_plane_are_not_refused(kms: KMSMock) -> None:
    kms.client().encrypt(KeyId="alias/app", Plaintext=b"x", EncryptionContext={"a": "\U0001f600"})

    assert kms.calls[-1].encryption_context == {"a": "\U0001f600"}


def test_what_was_accepted_can_be_exported_and_loaded(kms: KMSMock, tmp_path: Path) -> None:
    client = kms.client()
    with pytest.raises(ClientError):
        client.create_key(Description=LONE)
    client.create_key(Description="\U0001f600 and \\ud800")
    kms.export(tmp_path / "world.json")

    with mock_kms(world=tmp_path / "world.json") as loaded:
        assert [key.description for key in loaded.keys] == ["", "\U0001f600 and \\ud800"]


def test_a_request_to_a_service_that_moto_answers_is_refused() -> None:
    mock_aws = pytest.importorskip("moto").mock_aws
    with mock_aws(), mock_kms() as kms:
        with pytest.raises(ClientError) as caught:
            kms.client("ssm").put_parameter(Name=f"/a{LONE}", Value="secret", Type="SecureString")

        assert caught.value.response["Error"]["Code"] == "SerializationException"
        kms.calls.assert_not_called("Encrypt")


USES: dict[str, tuple[Callable[[KMSMock], Any], type[Exception]]] = {
    "a policy": (
        lambda kms: kms.account(ACCOUNT).role("App", policies=[ESCAPED]),
        ValueError,
    ),
    "a tag": (lambda kms: kms.account(ACCOUNT).role("App", tags={"a": LONE}), ValueError),
    "explain": (
        lambda kms: kms.explain(
            kms.account(ACCOUNT).root, "kms:Encrypt", "alias/app", encryption_context={"a": LONE}
        ),
        ValueError,
    ),
    "a parameter of explain": (
        lambda kms: kms.explain(
            kms.account(ACCOUNT).root, "kms:CreateKey", parameters={"Description": LONE}
        ),
        ValueError,
    ),
    "a filter": (lambda kms: kms.calls.filter(encryption_context={"a": LONE}), ValueError),
    "a condition key": (
        lambda kms: kms.request_context({"aws:UserAgent": LONE}).__enter__(),
        ValueError,
    ),
    "a secret": (lambda kms: kms.secrets.add("secret text of a test" + LONE), ValueError),
    "a world": (lambda kms: kms.load({"keys": [{"description": LONE}]}), WorldError),
    "a tag of a world": (lambda kms: kms.load({"keys": [{"tags": {"a": LONE}}]}), WorldError),
    "a seed": (lambda _: mock_kms(seed=LONE), TypeError),
}


@pytest.mark.parametrize("place", USES)
def test_a_test_that_passes_one_is_told(place: str) -> None:
    use, kind = USES[place]

    with mock_kms(world={"keys": ["alias/app"]}) as kms, pytest.raises(kind) as caught:
        use(kms)

    assert place in ("a seed", "a tag") or "lone surrogate U+D800" in str(caught.value)


def test_text_with_one_is_searched_for_plaintexts() -> None:
    with mock_kms(isolated=True) as kms:
        plaintext = kms.client().generate_random(NumberOfBytes=16)["Plaintext"]

        with pytest.raises(AssertionError, match="plaintexts of KMS were found"):
            kms.secrets.assert_absent_from(f"{LONE} {plaintext.hex()}")
