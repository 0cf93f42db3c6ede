"""Versions and parts of objects that the mock has not seen stored."""

from __future__ import annotations

import boto3
import pytest

from tests.services.beside.unrecorded import REGION


@pytest.fixture
def versions(kms, s3, key):
    """Put a version with the key and one without, unrecorded; return their ids."""
    s3.put_bucket_versioning(Bucket="papers", VersioningConfiguration={"Status": "Enabled"})
    with kms.pause():
        plain = boto3.client("s3", REGION)
        name = {"Bucket": "papers", "Key": "a.txt"}
        parameters = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
        first = plain.put_object(**name, Body=b"1", **parameters)["VersionId"]
        second = plain.put_object(**name, Body=b"2")["VersionId"]
    return first, second


def read(s3, **version):
    return s3.get_object(Bucket="papers", Key="a.txt", **version)["Body"].read()


def copy(s3, **version):
    source = {"Bucket": "papers", "Key": "a.txt", **version}
    s3.copy_object(Bucket="papers", Key="copy", CopySource=source)


@pytest.mark.parametrize("use", [read, copy])
def test_each_version_needs_its_own_key(s3, calls_by, versions, use):
    first, second = versions
    use(s3, VersionId=first)
    assert [name for name, _ in calls_by("s3")] == ["Decrypt"]
    use(s3)
    use(s3, VersionId=second)
    assert len(calls_by("s3")) == 1


def test_the_latest_version_is_read_by_its_own_key_after_an_older_one(s3, calls_by, versions):
    read(s3, VersionId=versions[0])
    copy(s3)
    assert len(calls_by("s3")) == 1


def test_an_upload_that_was_started_unrecorded_makes_an_object_under_kms(kms, s3, key, calls_by):
    name = {"Bucket": "papers", "Key": "big"}
    with kms.pause():
        started = boto3.client("s3", REGION).create_multipart_upload(
            **name, ServerSideEncryption="aws:kms", SSEKMSKeyId=key
        )
    upload = {**name, "UploadId": started["UploadId"]}
    etag = s3.upload_part(**upload, PartNumber=1, Body=b"x")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    s3.complete_multipart_upload(**upload, MultipartUpload=parts)
    s3.get_object(**name)
    assert [name for name, _ in calls_by("s3")] == ["Decrypt"]


def test_the_access_logs_have_only_the_requests_of_the_test(kms, s3):
    with kms.pause():
        boto3.client("s3", REGION).create_bucket(Bucket="access-logs")
        boto3.client("s3", REGION).create_bucket(Bucket="documents")
    owner = s3.get_bucket_acl(Bucket="access-logs")["Owner"]
    delivery = {"URI": "http://acs.amazonaws.com/groups/s3/LogDelivery", "Type": "Group"}
    grants = [{"Grantee": delivery, "Permission": each} for each in ("WRITE", "READ_ACP")]
    s3.put_bucket_acl(Bucket="access-logs", AccessControlPolicy={"Grants": grants, "Owner": owner})
    logging = {"LoggingEnabled": {"TargetBucket": "access-logs", "TargetPrefix": ""}}
    s3.put_bucket_logging(Bucket="documents", BucketLoggingStatus=logging)

    s3.put_object(Bucket="documents", Key="a.txt", Body=b"text")

    assert s3.list_objects_v2(Bucket="access-logs")["KeyCount"] == 1
