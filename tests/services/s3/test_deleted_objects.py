"""Deleted objects of S3, whose keys no longer matter, with moto as their storage."""

from __future__ import annotations

import pytest

BUCKET = "papers"
ARN = "aws:s3:arn"
OF_OBJECT = {ARN: "arn:aws:s3:::papers/a.txt"}


def get(client, name="a.txt", **parameters):
    return client.get_object(Bucket=BUCKET, Key=name, **parameters)


def version(s3):
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})


def copy(s3, **source):
    return s3.copy_object(
        Bucket=BUCKET, Key="b.txt", CopySource={"Bucket": BUCKET, "Key": "a.txt", **source}
    )


def delete_many(s3, *, quiet=False, **one):
    return s3.delete_objects(
        Bucket=BUCKET, Delete={"Objects": [{"Key": "a.txt", **one}], "Quiet": quiet}
    )


DELETIONS = [
    pytest.param(lambda s3: s3.delete_object(Bucket=BUCKET, Key="a.txt"), id="DeleteObject"),
    pytest.param(delete_many, id="DeleteObjects"),
    pytest.param(lambda s3: delete_many(s3, quiet=True), id="DeleteObjects, quiet"),
]


@pytest.mark.parametrize("is_versioned", [False, True], ids=["unversioned", "versioned"])
@pytest.mark.parametrize("delete", DELETIONS)
def test_a_deleted_object_is_no_longer_there_whatever_its_key_is_like(
    kms, s3, put_object, key, calls_by, delete, is_versioned
):
    if is_versioned:
        version(s3)
    put_object()
    delete(s3)
    kms.client().disable_key(KeyId=key)
    with pytest.raises(s3.exceptions.NoSuchKey):
        copy(s3)
    with pytest.raises(s3.exceptions.NoSuchKey):
        get(s3)
    assert [name for name, _ in calls_by("s3")] == ["GenerateDataKey"]


@pytest.mark.parametrize("delete", DELETIONS)
def test_the_version_below_a_delete_marker_still_has_its_key(s3, put_object, key, calls_by, delete):
    version(s3)
    first = put_object()["VersionId"]
    delete(s3)
    copy(s3, VersionId=first)
    assert calls_by("s3")[1] == ("Decrypt", OF_OBJECT)
    assert get(s3, VersionId=first)["SSEKMSKeyId"] == key


def test_without_its_delete_marker_an_object_is_there_again(s3, put_object, calls_by):
    version(s3)
    put_object()
    marker = delete_many(s3)["Deleted"][0]["DeleteMarkerVersionId"]
    delete_many(s3, VersionId=marker)
    copy(s3)
    assert calls_by("s3")[-1] == ("Decrypt", OF_OBJECT)


def test_when_the_latest_version_is_deleted_the_one_before_counts(kms, s3, put_object, key):
    version(s3)
    put_object()
    other = kms.client().create_key()["KeyMetadata"]["Arn"]
    delete_many(s3, VersionId=put_object(SSEKMSKeyId=other)["VersionId"])
    copy(s3)
    assert kms.calls[-1].key_arn == key
