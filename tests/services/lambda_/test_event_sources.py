"""Filter criteria of event source mappings under keys of KMS, with moto as their storage."""

from __future__ import annotations

import json

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.services.beside.conftest import ACCOUNT, UNUSABLE, error_of
from tests.services.lambda_.test_beside import ARN, TRUST, archive

QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:jobs"
CONTEXT = {"aws:lambda:FunctionArn": ARN, "aws:lambda:EventSourceArn": QUEUE}
CRITERIA = {"Filters": [{"Pattern": json.dumps({"body": {"kind": ["a"]}})}]}
OTHERS = {"Filters": [{"Pattern": json.dumps({"body": {"kind": ["b"]}})}]}
ENCRYPTED, READ = ("GenerateDataKey", CONTEXT), ("Decrypt", CONTEXT)


@pytest.fixture
def functions(kms):
    """Create a function and a queue; return a client of Lambda."""
    return make_function(kms.client)


def make_function(client):
    role = client("iam").create_role(RoleName="job", AssumeRolePolicyDocument=json.dumps(TRUST))
    client("sqs").create_queue(QueueName="jobs")
    client("lambda").create_function(
        FunctionName="job",
        Runtime="python3.12",
        Handler="job.run",
        Role=role["Role"]["Arn"],
        Code={"ZipFile": archive()},
    )
    return client("lambda")


def create(client, **parameters):
    mapping = client.create_event_source_mapping(
        FunctionName="job", EventSourceArn=QUEUE, **parameters
    )
    return mapping["UUID"]


def calls(kms):
    return [
        (call.operation, call.encryption_context)
        for call in kms.calls
        if call.operation in ("GenerateDataKey", "Decrypt")
    ]


def test_criteria_are_encrypted_and_decrypted_as_the_caller(kms, functions, key):
    uuid = create(functions, FilterCriteria=CRITERIA, KMSKeyArn=key)
    mapping = functions.get_event_source_mapping(UUID=uuid)
    assert (mapping["FilterCriteria"], mapping["KMSKeyArn"]) == (CRITERIA, key)
    assert calls(kms) == [ENCRYPTED, READ]
    names = {call.via_service for call in kms.calls if call.encryption_context}
    assert names == {"lambda.us-east-1.amazonaws.com"}


@pytest.mark.parametrize(
    "parameters",
    [{"FilterCriteria": CRITERIA}, {}, {"FilterCriteria": CRITERIA, "KMSKeyArn": ""}],
    ids=["no key", "no criteria", "empty key"],
)
def test_without_a_key_no_calls_are_made(kms, functions, parameters):
    uuid = create(functions, **parameters)
    mapping = functions.get_event_source_mapping(UUID=uuid)
    assert mapping.get("FilterCriteria") == parameters.get("FilterCriteria")
    functions.delete_event_source_mapping(UUID=uuid)
    assert calls(kms) == []


def test_a_key_without_criteria_is_not_used_yet(kms, functions, key):
    uuid = create(functions, KMSKeyArn=key)
    assert calls(kms) == []
    functions.update_event_source_mapping(UUID=uuid, FilterCriteria=CRITERIA)
    assert calls(kms) == [ENCRYPTED]


@pytest.mark.parametrize("operation", ["get", "delete"])
def test_who_lacks_the_key_does_not_see_the_criteria(functions, key, role, operation):
    uuid = create(functions, FilterCriteria=CRITERIA, KMSKeyArn=key)
    mapping = getattr(role.client("lambda"), f"{operation}_event_source_mapping")(UUID=uuid)
    assert "FilterCriteria" not in mapping
    assert mapping["FilterCriteriaError"]["ErrorCode"] == "AccessDeniedException"
    assert "is not authorized to perform: kms:" in mapping["FilterCriteriaError"]["Message"]


def test_a_list_does_not_show_encrypted_criteria(kms, functions, key):
    create(functions, FilterCriteria=CRITERIA, KMSKeyArn=key)
    (mapping,) = functions.list_event_source_mappings()["EventSourceMappings"]
    assert "FilterCriteria" not in mapping
    assert calls(kms) == [ENCRYPTED]


@pytest.mark.parametrize(("break_key", "words", "code"), UNUSABLE)
def test_an_unusable_key_encrypts_no_criteria(kms, functions, key, break_key, words, code):
    getattr(kms.client(), break_key)(KeyId=key)
    with pytest.raises(ClientError) as caught:
        create(functions, FilterCriteria=CRITERIA, KMSKeyArn=key)
    assert error_of(caught)[0] == "InvalidParameterValueException"
    assert f"KMS Exception: {code} KMS Message: {key} {words}" in error_of(caught)[1]
    assert functions.list_event_source_mappings()["EventSourceMappings"] == []


def test_another_key_encrypts_the_criteria_again(kms, functions, key):
    other = kms.client().create_key()["KeyMetadata"]["Arn"]
    uuid = create(functions, FilterCriteria=CRITERIA, KMSKeyArn=key)
    functions.update_event_source_mapping(UUID=uuid, KMSKeyArn=other)
    assert calls(kms) == [ENCRYPTED, READ, ENCRYPTED]
    kms.client().disable_key(KeyId=key)
    assert functions.get_event_source_mapping(UUID=uuid)["FilterCriteria"] == CRITERIA


def test_other_criteria_need_no_decryption_of_the_old_ones(kms, functions, key):
    uuid = create(functions, FilterCriteria=CRITERIA, KMSKeyArn=key)
    functions.update_event_source_mapping(UUID=uuid, FilterCriteria=OTHERS)
    assert calls(kms) == [ENCRYPTED, ENCRYPTED]


def test_an_empty_key_ends_the_encryption(kms, functions, key):
    uuid = create(functions, FilterCriteria=CRITERIA, KMSKeyArn=key)
    functions.update_event_source_mapping(UUID=uuid, KMSKeyArn="")
    before = len(calls(kms))
    assert functions.get_event_source_mapping(UUID=uuid)["FilterCriteria"] == CRITERIA
    assert len(calls(kms)) == before


def test_a_mapping_from_before_the_mock_needs_its_key(kms, key, role):
    with kms.pause():
        client = make_function(lambda service: boto3.client(service, "us-east-1"))
        uuid = create(client, FilterCriteria=CRITERIA, KMSKeyArn=key)
    functions = kms.client("lambda")
    assert functions.get_event_source_mapping(UUID=uuid)["FilterCriteria"] == CRITERIA
    assert calls(kms) == [READ]
    mapping = role.client("lambda").get_event_source_mapping(UUID=uuid)
    assert "FilterCriteriaError" in mapping
