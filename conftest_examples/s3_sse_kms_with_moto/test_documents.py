"""S3 objects with SSE-KMS: moto stores the objects, kmsmock makes S3's KMS calls."""

import pytest
from botocore.exceptions import ClientError

mock_aws = pytest.importorskip("moto", reason="moto stores the objects").mock_aws


@pytest.fixture
def key(kms):
    return kms.client().create_key(Description="documents")["KeyMetadata"]["Arn"]


@pytest.fixture
def s3(kms):
    with mock_aws():
        s3 = kms.client("s3")
        s3.create_bucket(Bucket="documents")
        yield s3


def encrypt_by_default(s3, key, bucket_key):
    rule = {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key},
        "BucketKeyEnabled": bucket_key,
    }
    s3.put_bucket_encryption(
        Bucket="documents", ServerSideEncryptionConfiguration={"Rules": [rule]}
    )


def store_and_read_ten(s3):
    for number in range(10):
        s3.put_object(Bucket="documents", Key=f"{number}.txt", Body=b"secret")
    for number in range(10):
        s3.get_object(Bucket="documents", Key=f"{number}.txt")


def test_each_object_needs_a_request_to_write_and_one_to_read(kms, s3, key):
    encrypt_by_default(s3, key, bucket_key=False)
    store_and_read_ten(s3)
    kms.calls.assert_called("GenerateDataKey", times=10)
    kms.calls.assert_called("Decrypt", times=10)


def test_with_a_bucket_key_ten_objects_need_two_requests(kms, s3, key):
    encrypt_by_default(s3, key, bucket_key=True)
    store_and_read_ten(s3)
    kms.calls.assert_called("GenerateDataKey", times=1)
    kms.calls.assert_called("Decrypt", times=1)


def test_read_access_to_the_bucket_does_not_suffice(kms, s3, key):
    encrypt_by_default(s3, key, bucket_key=False)
    s3.put_object(Bucket="documents", Key="a.txt", Body=b"secret")
    may_read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    role = kms.account("123456789012").role(
        "Reader", policies=[{"Version": "2012-10-17", "Statement": may_read}]
    )

    with pytest.raises(ClientError, match="not authorized to perform: kms:Decrypt"):
        role.client("s3").get_object(Bucket="documents", Key="a.txt")


def test_objects_are_lost_with_their_key(kms, s3, key):
    encrypt_by_default(s3, key, bucket_key=False)
    s3.put_object(Bucket="documents", Key="a.txt", Body=b"secret")
    kms.client().schedule_key_deletion(KeyId=key, PendingWindowInDays=7)

    with pytest.raises(ClientError, match="is pending deletion"):
        s3.get_object(Bucket="documents", Key="a.txt")
