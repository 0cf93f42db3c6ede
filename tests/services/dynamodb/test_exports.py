"""Exports of DynamoDB tables to S3 under keys of KMS, with moto as their storage."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.services.beside.conftest import UNUSABLE, error_of, s3, set_default
from tests.services.dynamodb.test_beside import CONTEXT, create, dynamodb

__all__ = ["create", "dynamodb", "s3", "set_default"]
FOLDER = "arn:aws:s3:::papers/backup/AWSDynamoDB/"


@pytest.fixture
def export(dynamodb, create, s3):  # noqa: ARG001 - makes the bucket
    """Export the table, which is made as the specification says; return the description."""

    def export(client=dynamodb, specification=None, **parameters):
        if specification is not None:
            arn = create(**specification)["TableArn"]
            dynamodb.update_continuous_backups(
                TableName="orders",
                PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
            )
        else:
            arn = dynamodb.describe_table(TableName="orders")["Table"]["TableArn"]
        return client.export_table_to_point_in_time(
            TableArn=arn, S3Bucket="papers", S3Prefix="backup", **parameters
        )["ExportDescription"]

    return export


def describe(client, description):
    return client.describe_export(ExportArn=description["ExportArn"])["ExportDescription"]


def data_key_calls(kms):
    return [
        call for call in kms.calls if call.operation in ("GenerateDataKey", "Decrypt", "Encrypt")
    ]


def test_the_objects_are_encrypted_through_s3_as_the_caller(kms, dynamodb, export, key):
    description = export(specification={}, S3SseAlgorithm="KMS", S3SseKmsKeyId=key)
    (call,) = data_key_calls(kms)
    assert (call.operation, call.key_arn) == ("GenerateDataKey", key)
    assert call.via_service == "s3.us-east-1.amazonaws.com"
    assert call.encryption_context["aws:s3:arn"].startswith(FOLDER)
    for shown in (description, describe(dynamodb, description)):
        assert (shown["S3SseAlgorithm"], shown["S3SseKmsKeyId"]) == ("KMS", key)


def test_without_a_key_id_the_managed_key_of_s3_encrypts(kms, export):
    export(specification={}, S3SseAlgorithm="KMS")
    kms.calls.assert_called("GenerateDataKey", key="alias/aws/s3", times=1)


def test_without_an_algorithm_the_bucket_decides(kms, export, key, set_default):
    set_default()
    export(specification={})
    kms.calls.assert_called("GenerateDataKey", key=key, via_service="s3", times=1)


@pytest.mark.parametrize("algorithm", [{}, {"S3SseAlgorithm": "AES256"}], ids=["none", "AES256"])
def test_other_objects_make_no_calls(kms, export, algorithm):
    export(specification={}, **algorithm)
    assert data_key_calls(kms) == []


def test_a_table_under_a_key_is_decrypted_for_the_export(kms, export, key):
    export(specification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key})
    last = data_key_calls(kms)[-1]
    assert (last.operation, last.encryption_context) == ("Decrypt", CONTEXT)
    assert last.via_service == "dynamodb.us-east-1.amazonaws.com"


def test_who_lacks_the_key_of_the_table_does_not_export_it(dynamodb, export, key, role):
    table = export(specification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key})
    with pytest.raises(ClientError) as caught:
        export(role.client("dynamodb"))
    code, message = error_of(caught)
    assert code == "AccessDeniedException"
    assert message.startswith("KMS key access denied error: ")
    assert len(dynamodb.list_exports(TableArn=table["TableArn"])["ExportSummaries"]) == 1


@pytest.mark.parametrize(("break_key", "words", "code"), UNUSABLE)
def test_an_export_fails_if_its_key_is_unusable(kms, dynamodb, export, key, break_key, words, code):
    getattr(kms.client(), break_key)(KeyId=key)
    description = export(specification={}, S3SseAlgorithm="KMS", S3SseKmsKeyId=key)
    shown = describe(dynamodb, description)
    assert shown["ExportStatus"] == "FAILED"
    assert shown["FailureCode"] == f"S3KMS.{code}"
    assert shown["FailureMessage"] == f"{key} {words}"


def test_an_export_fails_if_the_caller_lacks_its_key(dynamodb, export, key, role):
    export(specification={})
    description = export(role.client("dynamodb"), S3SseAlgorithm="KMS", S3SseKmsKeyId=key)
    shown = describe(dynamodb, description)
    assert (shown["ExportStatus"], shown["FailureCode"]) == ("FAILED", "S3AccessDenied")
    assert "is not authorized to perform: kms:GenerateDataKey" in shown["FailureMessage"]
