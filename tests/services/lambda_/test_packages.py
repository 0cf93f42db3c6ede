"""Deployment packages of Lambda functions under keys of KMS, with moto as their storage."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from tests.services.beside.conftest import ACCOUNT, UNUSABLE, error_of
from tests.services.lambda_.test_beside import ARN, CONTEXT, TRUST, archive

ENCRYPTED, READ = ("GenerateDataKey", CONTEXT), ("Decrypt", CONTEXT)


@pytest.fixture
def functions(kms):
    return kms.client("lambda")


@pytest.fixture
def package_key(kms, key):
    """A key whose policy lets Lambda encrypt packages: its ARN."""
    policy = json.loads(kms.client().get_key_policy(KeyId=key)["Policy"])
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
        "Resource": "*",
        "Condition": {"StringLike": {"kms:EncryptionContext:aws:lambda:FunctionArn": ARN}},
    }
    policy["Statement"].append(statement)
    kms.client().put_key_policy(KeyId=key, Policy=json.dumps(policy))
    return key


@pytest.fixture
def create(kms, functions):
    """Create a function with a package under a key."""
    iam = kms.client("iam")
    role = iam.create_role(RoleName="job", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]

    def create(key=None, **parameters):
        code = {"ZipFile": archive(), **({"SourceKMSKeyArn": key} if key else {})}
        names = {"FunctionName": "job", "Runtime": "python3.12", "Handler": "job.run"}
        return functions.create_function(**names, Role=role["Arn"], Code=code, **parameters)

    return create


def calls(kms):
    return [
        (call.operation, call.encryption_context)
        for call in kms.calls
        if call.operation in ("GenerateDataKey", "Decrypt")
    ]


def code(client, **parameters):
    return client.get_function(FunctionName="job", **parameters)["Code"]


def test_a_package_is_encrypted_by_lambda_and_read_by_the_caller(
    kms, functions, create, package_key
):
    create(package_key)
    assert code(functions)["SourceKMSKeyArn"] == package_key
    assert calls(kms) == [ENCRYPTED, READ]
    generated, decrypted = (call for call in kms.calls if call.encryption_context == CONTEXT)
    assert generated.caller == "lambda.amazonaws.com"
    assert decrypted.via_service == "lambda.us-east-1.amazonaws.com"


def test_a_package_without_a_key_makes_no_calls(kms, functions, create):
    create()
    assert "SourceKMSKeyArn" not in code(functions)
    functions.update_function_code(FunctionName="job", ZipFile=archive())
    assert calls(kms) == []


def test_the_key_policy_must_let_lambda_in(functions, create, key):
    with pytest.raises(functions.exceptions.InvalidParameterValueException) as caught:
        create(key)
    assert "KMS Exception: AccessDeniedException KMS Message: User: lambda.amazonaws.com" in str(
        caught.value
    )
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.get_function(FunctionName="job")


@pytest.mark.parametrize(("break_key", "words", "code"), UNUSABLE)
def test_an_unusable_key_encrypts_no_package(
    kms, functions, create, package_key, break_key, words, code
):
    create()
    getattr(kms.client(), break_key)(KeyId=package_key)
    with pytest.raises(ClientError) as caught:
        functions.update_function_code(
            FunctionName="job", ZipFile=archive(), SourceKMSKeyArn=package_key
        )
    assert error_of(caught)[0] == "InvalidParameterValueException"
    assert f"KMS Exception: {code} KMS Message: {package_key} {words}" in error_of(caught)[1]


def test_who_lacks_the_key_does_not_get_the_package(create, package_key, role):
    create(package_key)
    shown = code(role.client("lambda"))
    assert shown["SourceKMSKeyArn"] == package_key
    assert "Location" not in shown
    assert shown["Error"]["ErrorCode"] == "AccessDeniedException"
    assert shown["Error"]["Message"].startswith(
        "KMS access is denied. Check your KMS permissions. KMS Exception: AccessDeniedException "
        f"KMS Message: User: arn:aws:sts::{ACCOUNT}:assumed-role/App/session is not authorized"
    )


def test_a_new_package_needs_a_key_of_its_own(functions, create, package_key):
    create(package_key)
    functions.update_function_code(FunctionName="job", ZipFile=archive())
    assert "SourceKMSKeyArn" not in code(functions)


def test_a_published_version_keeps_its_package(kms, functions, create, package_key):
    create(package_key, Publish=True)
    functions.update_function_code(FunctionName="job", ZipFile=archive())
    assert code(functions, Qualifier="1")["SourceKMSKeyArn"] == package_key
    assert calls(kms) == [ENCRYPTED, READ]


def test_a_deleted_function_is_forgotten(functions, create, package_key):
    create(package_key, Publish=True)
    functions.delete_function(FunctionName="job")
    create()
    assert "SourceKMSKeyArn" not in code(functions)
