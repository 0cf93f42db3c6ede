"""Environment variables of Lambda functions under keys of KMS, with moto as their storage."""

from __future__ import annotations

import json
from io import BytesIO
from zipfile import ZipFile

import pytest
from botocore.exceptions import ClientError

from tests.overlays.conftest import ACCOUNT, MISSING

ARN = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:job"
CONTEXT = {"aws:lambda:FunctionArn": ARN}
TRUST = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    },
}


@pytest.fixture
def functions(kms):
    return kms.client("lambda")


@pytest.fixture
def execution_role(kms):
    iam = kms.client("iam")
    made = iam.create_role(RoleName="job", AssumeRolePolicyDocument=json.dumps(TRUST))
    return made["Role"]["Arn"]


@pytest.fixture
def create(functions, execution_role, key):
    """Create a function with a variable, under the customer managed key or as told."""

    def create(client=functions, **parameters):
        code = BytesIO()
        with ZipFile(code, "w") as archive:
            archive.writestr("job.py", "def run(event, context): return 1")
        given = {"Environment": {"Variables": {"TOKEN": "one"}}, "KMSKeyArn": key, **parameters}
        return client.create_function(
            FunctionName="job",
            Runtime="python3.12",
            Role=execution_role,
            Handler="job.run",
            Code={"ZipFile": code.getvalue()},
            **{name: value for name, value in given.items() if value is not None},
        )

    return create


def environment(client):
    return client.get_function_configuration(FunctionName="job").get("Environment")


def test_variables_are_encrypted_with_a_grant_for_the_execution_role(
    kms, create, key, made, execution_role
):
    create()
    assert made("lambda") == [("Encrypt", CONTEXT), ("CreateGrant", None)]
    (grant,) = kms.client().list_grants(KeyId=key)["Grants"]
    assert grant["GranteePrincipal"] == execution_role
    assert grant["Constraints"] == {"EncryptionContextEquals": CONTEXT}


def test_a_function_without_variables_makes_no_calls(functions, create, made):
    create(Environment=None)
    functions.invoke(FunctionName="job")
    assert made("lambda") == []


def test_without_a_key_the_managed_key_is_used(kms, create):
    create(KMSKeyArn=None)
    managed = kms.client().describe_key(KeyId="alias/aws/lambda")["KeyMetadata"]["Arn"]
    assert {call.key_arn for call in kms.calls if call.via_service} == {managed}


def test_showing_the_variables_decrypts_them(functions, create, made):
    create()
    assert environment(functions) == {"Variables": {"TOKEN": "one"}}
    assert made("lambda")[-1] == ("Decrypt", CONTEXT)


def test_one_who_may_not_decrypt_sees_an_error_instead_of_the_variables(create, role):
    create()
    shown = environment(role.client("lambda"))
    assert shown["Error"]["ErrorCode"] == "AccessDeniedException"
    assert shown["Error"]["Message"].startswith(
        "Lambda was unable to decrypt your environment variables because the KMS access was denied."
    )


def test_a_running_function_opens_its_variables_by_the_grant(kms, functions, create):
    create()
    functions.invoke(FunctionName="job")
    opened = kms.calls[-1]
    assert (opened.operation, opened.allowed) == ("Decrypt", True)
    assert opened.caller == f"arn:aws:sts::{ACCOUNT}:assumed-role/job/job"
    assert opened.grant_id is not None


@pytest.mark.parametrize(
    ("spoil", "kind", "words"),
    [
        (
            lambda client, key: client.disable_key(KeyId=key),
            "KMSDisabledException",
            "the KMS key used is disabled. Please check the function's KMS key settings.",
        ),
        (
            lambda client, key: client.schedule_key_deletion(KeyId=key),
            "KMSInvalidStateException",
            "the state of the KMS key used is not valid for Decrypt.",
        ),
        (
            lambda client, key: client.revoke_grant(
                KeyId=key, GrantId=client.list_grants(KeyId=key)["Grants"][0]["GrantId"]
            ),
            "KMSDisabledException",
            "the KMS key used is disabled.",
        ),
    ],
    ids=["disabled", "pending deletion", "surprisingly disabled, for a revoked grant"],
)
def test_a_function_that_cannot_open_its_variables_does_not_run(
    kms, functions, create, key, spoil, kind, words
):
    create()
    spoil(kms.client(), key)
    with pytest.raises(getattr(functions.exceptions, kind)) as caught:
        functions.invoke(FunctionName="job")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 502
    assert caught.value.response["Error"]["Message"].startswith(
        f"Lambda was unable to decrypt the environment variables because {words}"
    )


@pytest.mark.parametrize(("key_id", "words"), MISSING)
def test_a_missing_key_leaves_no_function(functions, create, key_id, words):
    with pytest.raises(functions.exceptions.InvalidParameterValueException) as caught:
        create(KMSKeyArn=key_id)
    assert caught.value.response["Error"]["Message"].endswith(
        f"KMS Exception: NotFoundException KMS Message: {words}"
    )
    assert functions.list_functions()["Functions"] == []


def test_one_who_may_not_use_the_key_cannot_take_it(create, role):
    with pytest.raises(ClientError, match="kms:Encrypt"):
        create(role.client("lambda"))


def test_changed_variables_are_encrypted_anew_and_the_old_grant_is_retired(
    kms, functions, create, key
):
    create()
    (before,) = kms.client().list_grants(KeyId=key)["Grants"]
    functions.update_function_configuration(
        FunctionName="job", Environment={"Variables": {"TOKEN": "two"}}
    )
    (after,) = kms.client().list_grants(KeyId=key)["Grants"]
    assert after["GrantId"] != before["GrantId"]
    assert environment(functions) == {"Variables": {"TOKEN": "two"}}


def test_variables_can_come_later_under_the_key_of_the_function(kms, functions, create, made, key):
    create(Environment=None)
    functions.update_function_configuration(
        FunctionName="job", Environment={"Variables": {"TOKEN": "two"}}
    )
    assert made("lambda") == [("Encrypt", CONTEXT), ("CreateGrant", None)]
    assert {call.key_arn for call in kms.calls if call.via_service} == {key}


def test_another_key_takes_over_the_variables(kms, functions, create, key):
    create()
    other = kms.client().create_key()["KeyMetadata"]["Arn"]
    functions.update_function_configuration(FunctionName="job", KMSKeyArn=other)
    kms.client().disable_key(KeyId=key)
    assert environment(functions) == {"Variables": {"TOKEN": "one"}}
    functions.invoke(FunctionName="job")


def test_a_deleted_function_retires_its_grant(kms, functions, create, key):
    create()
    functions.delete_function(FunctionName="job")
    assert kms.client().list_grants(KeyId=key)["Grants"] == []
