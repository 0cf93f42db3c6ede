"""Texts with lone surrogates, which UTF-8 cannot encode, are refused wherever they come from."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

from kmsmock import KMSMock, mock_kms
from kmsmock.worlds.errors import WorldError
from tests.inner_runs import run_pytest

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
    "a blob of explain": (
        lambda kms: kms.explain(
            kms.account(ACCOUNT).root, "kms:Encrypt", "alias/app", parameters={"Plaintext": LONE}
        ),
        ValueError,
    ),
    "the name of a secret": (
        lambda kms: kms.secrets.add("secret text of a test", name=LONE),
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


# --- all texts of all operations -----------------------------------------------------------------

SERVICES = {
    "kms": "SerializationException",
    "cloudtrail": "SerializationException",
    **dict.fromkeys(("ec2", "iam", "rds", "sts"), "MalformedQueryString"),
}


def list_texts(shape: Any, path: str = "", within: tuple[str, ...] = ()) -> Iterator[str]:
    """The paths of all texts of a request."""
    if shape is None or shape.name in within:
        return
    within = (*within, shape.name)
    if shape.type_name == "string":
        yield path
    elif shape.type_name == "structure":
        for name, member in shape.members.items():
            yield from list_texts(member, f"{path}.{name}", within)
    elif shape.type_name == "list":
        yield from list_texts(shape.member, f"{path}[]", within)
    elif shape.type_name == "map":
        yield from list_texts(shape.key, f"{path}<key>", within)
        yield from list_texts(shape.value, f"{path}<value>", within)


def make_value(shape: Any, lone: str, path: str = "") -> Any:
    """A value with all that botocore requires, and with a lone surrogate at a path."""
    kind, least = shape.type_name, max(1, shape.metadata.get("min", 1))
    if kind == "structure":
        return {
            name: make_value(member, lone, f"{path}.{name}")
            for name, member in shape.members.items()
            if name in shape.required_members
            or lone.startswith((f"{path}.{name}.", f"{path}.{name}[", f"{path}.{name}<"))
            or lone == f"{path}.{name}"
        }
    if kind == "list":
        return [make_value(shape.member, lone, f"{path}[]")]
    if kind == "map":
        key = make_value(shape.key, lone, f"{path}<key>")
        return {key: make_value(shape.value, lone, f"{path}<value>")}
    if kind == "string":
        return "a" * least + (LONE if path == lone else "")
    return {"blob": b"x" * least, "boolean": True}.get(kind, least)


def list_operations(client: Any, service: str) -> list[str]:
    """The operations of the installed model that a mock answers."""
    names: list[str] = client.meta.service_model.operation_names
    if service == "kms":
        return names
    answered = importlib.import_module(f"kmsmock.services.{service}.answered").SERVICE
    return [name for name in names if name in answered.operations]


@pytest.mark.parametrize("service", SERVICES)
def test_each_text_of_each_operation_is_refused_with_a_record(kms: KMSMock, service: str) -> None:
    client = kms.client(service)
    requests = 0
    for operation in list_operations(client, service):
        shape = client.meta.service_model.operation_model(operation).input_shape
        for path in list_texts(shape):
            with pytest.raises(ClientError) as caught:
                getattr(client, xform_name(operation))(**make_value(shape, path))

            where = f"{operation}{path}"
            assert caught.value.response["Error"]["Code"] == SERVICES[service], where
            assert "lone surrogate U+D800" in caught.value.__notes__[0], where
            requests += 1

    assert requests > 15
    if service == "kms":
        assert len(kms.calls) == requests
        assert all(call.error_code for call in kms.calls)


HEADERS: dict[str, dict[str, Any]] = {
    "an access key": {"aws_access_key_id": f"AKIA{LONE}", "aws_secret_access_key": "secret"},
    "a user agent": {"config": Config(user_agent=f"app {LONE}")},
    "an addition to the user agent": {"config": Config(user_agent_extra=LONE)},
}


@pytest.mark.parametrize("place", HEADERS)
def test_a_header_is_refused_with_a_record(kms: KMSMock, place: str) -> None:
    client = boto3.client("kms", "us-east-1", **HEADERS[place])

    with pytest.raises(ClientError, match="SerializationException") as caught:
        client.list_keys()

    assert "lone surrogate U+D800" in caught.value.__notes__[0]
    assert kms.calls[-1].error_code == "SerializationException"


def test_all_can_be_written_after_requests_with_lone_surrogates(
    kms: KMSMock, tmp_path: Path
) -> None:
    for service, method, parameters, _ in REQUESTS.values():
        with pytest.raises(ClientError):
            getattr(kms.client(service), method)(**parameters)
    for names in HEADERS.values():
        with pytest.raises(ClientError):
            boto3.client("kms", "us-east-1", **names).list_keys()

    kms.export(tmp_path / "world.json")
    kms.trail.write_jsonl(tmp_path / "trail.jsonl")
    shown = "\n".join([str(kms), str(kms.calls), str(kms.costs), *map(str, kms.calls)])

    assert shown.encode()
    assert json.loads((tmp_path / "trail.jsonl").read_text().splitlines()[-1])
    with mock_kms(world=tmp_path / "world.json") as loaded:
        assert len(loaded.keys) == 1


def test_a_report_is_written_after_requests_with_lone_surrogates(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import boto3, pytest\n"
        "from botocore.config import Config\n"
        "@pytest.mark.parametrize('name', ['\\ud800'])\n"
        "def test_it(kms, name):\n"
        "    with pytest.raises(Exception):\n"
        "        kms.client().create_key(Description=name)\n"
        "    with pytest.raises(Exception):\n"
        "        boto3.client('kms', 'us-east-1', config=Config(user_agent=name)).list_keys()\n"
        "    kms.client().encrypt(KeyId='a', Plaintext=name)\n"
    )

    exit_code, output = run_pytest(
        tmp_path, "--kms-report", "--kms-report=json:report.json", "--kms-report=html:report.html"
    )

    assert exit_code == 1
    assert "a blob of the request is text with the lone surrogate U+D800" in output
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report
    assert (tmp_path / "report.html").read_text(encoding="utf-8")
