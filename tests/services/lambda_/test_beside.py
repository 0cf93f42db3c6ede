"""Environment variables of Lambda functions under keys of KMS, with moto as their storage."""

from __future__ import annotations

import json
from io import BytesIO
from zipfile import ZipFile

import pytest
from botocore.exceptions import ClientError

from tests.services.beside.conftest import ACCOUNT, MISSING

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
    role = iam.create_role(RoleName="job", AssumeRolePolicyDocument=json.dumps(TRUST))
    return role["Role"]["Arn"]


def archive():
    code = BytesIO()
    with ZipFile(code, "w") as archive:
        archive.writestr("job.py", "def run(event, context): return 1")
    return code.getvalue()


@pytest.fixture
def create(functions, execution_role, key):
    """Create a function with a variable, under the customer managed key or as told."""

    def create(client=functions, **parameters):
        given = {"Environment": {"Variables": {"TOKEN": "one"}}, "KMSKeyArn": key, **parameters}
        return client.create_function(
            FunctionName="job",
            Runtime="python3.12",
            Role=execution_role,
            Handler="job.run",
            Code={"ZipFile": archive()},
            **{name: value for name, value in given.items() if value is not None},
        )

    return create


def environment(client):
    return client.get_function_configuration(FunctionName="job").get("Environment")


def test_variables_are_encrypted_with_a_grant_for_the_execution_role(
    kms, create, key, calls_by, execution_role
):
    create()
    assert calls_by("lambda") == [("Encrypt", CONTEXT), ("CreateGrant", None)]
    (grant,) = kms.client().list_grants(KeyId=key)["Grants"]
    assert grant["GranteePrincipal"] == execution_role
    assert grant["Constraints"] == {"EncryptionContextEquals": CONTEXT}


def test_a_function_without_variables_makes_no_calls(functions, create, calls_by):
    create(Environment=None)
    functions.invoke(FunctionName="job")
    assert calls_by("lambda") == []


def test_without_a_key_the_managed_key_is_used(kms, create):
    create(KMSKeyArn=None)
    managed = kms.client().describe_key(KeyId="alias/aws/lambda")["KeyMetadata"]["Arn"]
    assert {call.key_arn for call in kms.calls if call.via_service} == {managed}


def test_showing_the_variables_decrypts_them(functions, create, calls_by):
    create()
    assert environment(functions) == {"Variables": {"TOKEN": "one"}}
    assert calls_by("lambda")[-1] == ("Decrypt", CONTEXT)


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
    ("break_key", "kind", "words"),
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
    kms, functions, create, key, break_key, kind, words
):
    create()
    break_key(kms.client(), key)
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


def test_changed_variables_are_encrypted_again_and_the_old_grant_is_retired(
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


def test_variables_can_come_later_under_the_key_of_the_function(
    kms, functions, create, calls_by, key
):
    create(Environment=None)
    functions.update_function_configuration(
        FunctionName="job", Environment={"Variables": {"TOKEN": "two"}}
    )
    assert calls_by("lambda") == [("Encrypt", CONTEXT), ("CreateGrant", None)]
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


# --- lists and versions -----------------------------------------------------------------------

SHOWING = [
    pytest.param(lambda client: client.list_functions()["Functions"][0], id="list_functions"),
    pytest.param(
        lambda client: client.list_versions_by_function(FunctionName="job")["Versions"][0],
        id="list_versions_by_function",
    ),
    pytest.param(
        lambda client: client.publish_version(FunctionName="job"),
        id="publish_version",
    ),
    pytest.param(
        lambda client: client.update_function_code(FunctionName="job", ZipFile=archive()),
        id="update_function_code",
    ),
    pytest.param(
        lambda client: client.get_function(FunctionName="job")["Configuration"],
        id="get_function",
    ),
]


@pytest.mark.parametrize("shown", SHOWING)
def test_no_answer_shows_the_variables_to_one_who_may_not_decrypt(functions, create, role, shown):
    create()
    assert shown(functions)["Environment"] == {"Variables": {"TOKEN": "one"}}
    hidden = shown(role.client("lambda"))["Environment"]
    assert hidden.keys() == {"Error"}
    assert hidden["Error"]["ErrorCode"] == "AccessDeniedException"


def test_a_published_version_keeps_its_variables_and_its_key(kms, functions, create, key):
    create()
    functions.publish_version(FunctionName="job")
    other = kms.client().create_key()["KeyMetadata"]["Arn"]
    functions.update_function_configuration(
        FunctionName="job", Environment={"Variables": {"TOKEN": "two"}}, KMSKeyArn=other
    )
    get = functions.get_function_configuration
    assert get(FunctionName="job", Qualifier="1")["Environment"]["Variables"] == {"TOKEN": "one"}
    assert environment(functions)["Variables"] == {"TOKEN": "two"}

    kms.client().disable_key(KeyId=key)
    functions.invoke(FunctionName="job")
    for name in ("job:1", f"{ARN}:1"):
        with pytest.raises(functions.exceptions.KMSDisabledException):
            functions.invoke(FunctionName=name)
    shown = get(FunctionName="job", Qualifier="1")["Environment"]
    assert shown["Error"]["ErrorCode"] == "DisabledException"


def test_an_alias_opens_the_variables_of_its_version(kms, functions, create, key):
    create(Publish=True)
    functions.create_alias(FunctionName="job", Name="live", FunctionVersion="1")
    functions.update_function_configuration(
        FunctionName="job", KMSKeyArn=kms.client().create_key()["KeyMetadata"]["Arn"]
    )
    functions.invoke(FunctionName="job", Qualifier="live")
    assert kms.calls[-1].key_arn == key


def test_the_grant_of_a_version_is_retired_with_it(kms, functions, create, key):
    create(Publish=True)
    functions.update_function_configuration(
        FunctionName="job", Environment={"Variables": {"TOKEN": "two"}}
    )
    assert len(kms.client().list_grants(KeyId=key)["Grants"]) == 2
    functions.delete_function(FunctionName="job", Qualifier="1")
    assert len(kms.client().list_grants(KeyId=key)["Grants"]) == 1
    functions.delete_function(FunctionName="job")
    assert kms.client().list_grants(KeyId=key)["Grants"] == []


def test_a_deleted_function_retires_the_grants_of_its_versions(kms, functions, create, key):
    create(Publish=True)
    functions.delete_function(FunctionName="job")
    assert kms.client().list_grants(KeyId=key)["Grants"] == []


# --- keys that are gone, denied, or managed by AWS --------------------------------------------


def test_a_function_whose_key_is_gone_does_not_run(kms, functions, create, key):
    create()
    kms.client().schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    kms.clock.advance(days=8)
    with pytest.raises(functions.exceptions.KMSNotFoundException) as caught:
        functions.invoke(FunctionName="job")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 502
    assert caught.value.response["Error"]["Message"] == (
        "Lambda was unable to decrypt the environment variables because the KMS key was not found. "
        "Please check the function's KMS key settings."
    )


def test_a_function_that_is_denied_its_key_does_not_run(
    kms, functions, create, key, execution_role
):
    create()
    policy = json.loads(kms.client().get_key_policy(KeyId=key)["Policy"])
    denied = {
        "Effect": "Deny",
        "Principal": {"AWS": execution_role},
        "Action": "kms:Decrypt",
        "Resource": "*",
    }
    policy["Statement"].append(denied)
    kms.client().put_key_policy(KeyId=key, Policy=json.dumps(policy))
    with pytest.raises(functions.exceptions.KMSAccessDeniedException) as caught:
        functions.invoke(FunctionName="job")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 502
    assert caught.value.response["Error"]["Message"].startswith(
        "Lambda was unable to decrypt the environment variables because KMS access was denied. "
        "Please check the function's KMS key settings. KMS Exception: AccessDeniedException"
        f"KMS Message: User: arn:aws:sts::{ACCOUNT}:assumed-role/job/job is not authorized to "
        "perform: kms:Decrypt on "
    )


def test_the_managed_key_needs_no_permission_of_kms(kms, create, role):
    client = role.client("lambda")
    create(client, KMSKeyArn=None)
    assert environment(client) == {"Variables": {"TOKEN": "one"}}
    client.invoke(FunctionName="job")
    opened = kms.calls[-1]
    assert (opened.operation, opened.allowed) == ("Decrypt", True)


@pytest.mark.parametrize("role", ["", "job", f"arn:aws:iam::{ACCOUNT}:user/job"], ids=repr)
def test_an_execution_role_that_is_no_role_is_refused(kms, functions, role):
    with pytest.raises(ClientError, match=r"Value '.*' at 'role' failed to satisfy constraint"):
        functions.create_function(
            FunctionName="job",
            Runtime="python3.12",
            Role=role,
            Handler="job.run",
            Code={"ZipFile": archive()},
            Environment={"Variables": {"TOKEN": "one"}},
        )
    assert len(kms.calls) == 0
