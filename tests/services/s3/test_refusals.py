"""What S3 makes of the refusals of KMS, with moto as its storage."""

from __future__ import annotations

import json

import boto3
import botocore
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.services.beside.conftest import ACCOUNT, MISSING, UNUSABLE, error_of

BUCKET = "papers"


def get(client, name="a.txt", **parameters):
    return client.get_object(Bucket=BUCKET, Key=name, **parameters)


ENCRYPTED = {"ServerSideEncryption": "aws:kms"}


@pytest.fixture
def write(s3):
    """Return a function that writes an object with a key, by the operation that it names."""

    def write(operation, key, client=s3):
        parameters = {"Bucket": BUCKET, "Key": "a.txt", **ENCRYPTED, "SSEKMSKeyId": key}
        if operation == "CopyObject":
            s3.put_object(Bucket=BUCKET, Key="source", Body=b"x")
            return client.copy_object(CopySource=f"{BUCKET}/source", **parameters)
        if operation == "CreateMultipartUpload":
            return client.create_multipart_upload(**parameters)
        return client.put_object(Body=b"x", **parameters)

    return write


WRITES = pytest.mark.parametrize("operation", ["PutObject", "CopyObject", "CreateMultipartUpload"])


@WRITES
@pytest.mark.parametrize(("key_id", "words"), MISSING)
def test_every_write_under_a_missing_key_is_refused_alike(write, operation, key_id, words):
    with pytest.raises(ClientError) as caught:
        write(operation, key_id)
    assert error_of(caught) == ("KMS.NotFoundException", words)


@WRITES
@pytest.mark.parametrize(("break_key", "words", "code"), UNUSABLE)
def test_every_write_under_a_key_in_the_wrong_state_is_refused_alike(
    kms, write, key, operation, break_key, words, code
):
    getattr(kms.client(), break_key)(KeyId=key)
    with pytest.raises(ClientError) as caught:
        write(operation, key)
    assert error_of(caught) == (f"KMS.{code}", f"{key} {words}")


@WRITES
def test_every_write_needs_to_generate_a_data_key(write, role, key, operation):
    with pytest.raises(ClientError) as caught:
        write(operation, key, role.client("s3"))
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert error_of(caught) == (
        "AccessDenied",
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/App/session is not authorized to perform: "
        f"kms:GenerateDataKey on resource: {key} because no identity-based policy allows the "
        "kms:GenerateDataKey action",
    )


def test_a_key_that_waits_for_its_material_serves_no_objects(kms, put_object):
    waiting = kms.client().create_key(Origin="EXTERNAL")["KeyMetadata"]["Arn"]
    with pytest.raises(ClientError) as caught:
        put_object(SSEKMSKeyId=waiting)
    assert error_of(caught) == (
        "KMS.KMSInvalidStateException",
        f"{waiting} is pending import.",
    )


@pytest.mark.usefixtures("s3")
@pytest.mark.parametrize("operation", ["GenerateDataKey", "Decrypt"])
def test_when_kms_is_throttled_s3_says_so(kms, put_object, operation):
    put_object()
    once = boto3.client("s3", config=Config(retries={"total_max_attempts": 1}))
    kms.faults.throttle(operation)
    place = {"Bucket": BUCKET, "Key": "a.txt"}
    parameters = {} if operation == "Decrypt" else {"Body": b"x", "ServerSideEncryption": "aws:kms"}
    use = once.put_object if parameters else once.get_object
    with pytest.raises(ClientError) as caught:
        use(**place, **parameters)
    assert error_of(caught)[0] == "KMS.ThrottlingException"


def test_a_part_needs_decrypt_beside_the_data_key(kms, write, key):
    allowed = {"Effect": "Allow", "Action": ["s3:*", "kms:GenerateDataKey"], "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": allowed}
    client = kms.account(ACCOUNT).role("Uploader", policies=[policy]).client("s3")
    upload = write("CreateMultipartUpload", key, client)["UploadId"]
    with pytest.raises(ClientError, match=f"kms:Decrypt on resource: {key}") as caught:
        client.upload_part(Bucket=BUCKET, Key="a.txt", UploadId=upload, PartNumber=1, Body=b"x")
    assert error_of(caught)[0] == "AccessDenied"


def test_a_key_of_another_account_is_named_by_its_arn_for_all_else_is_of_the_requester(
    kms, put_object
):
    theirs = kms.account("444455556666").client()
    their_key = theirs.create_key()["KeyMetadata"]["Arn"]
    theirs.create_alias(AliasName="alias/shared", TargetKeyId=their_key)
    policy = json.loads(theirs.get_key_policy(KeyId=their_key)["Policy"])
    policy["Statement"].append(
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    )
    theirs.put_key_policy(KeyId=their_key, Policy=json.dumps(policy))

    assert put_object(SSEKMSKeyId=their_key)["SSEKMSKeyId"] == their_key

    key_id = their_key.rpartition("/")[2]
    here = f"arn:aws:kms:us-east-1:{ACCOUNT}"
    for named, words in (
        (key_id, f"Key '{here}:key/{key_id}' does not exist"),
        ("alias/shared", f"Alias {here}:alias/shared is not found."),
    ):
        with pytest.raises(ClientError) as caught:
            put_object(SSEKMSKeyId=named)
        assert error_of(caught) == ("KMS.NotFoundException", words)


@pytest.mark.parametrize(("key_id", "words"), MISSING)
def test_a_missing_key_is_not_found_and_nothing_is_stored(s3, put_object, key_id, words):
    with pytest.raises(ClientError) as caught:
        put_object(SSEKMSKeyId=key_id)
    assert error_of(caught) == ("KMS.NotFoundException", words)
    with pytest.raises(s3.exceptions.NoSuchKey):
        get(s3)


@pytest.mark.parametrize(("break_key", "words", "code"), UNUSABLE)
@pytest.mark.parametrize("operation", ["put", "get"])
def test_a_key_in_the_wrong_state_serves_no_objects(
    kms, s3, put_object, key, break_key, words, code, operation
):
    put_object()
    getattr(kms.client(), break_key)(KeyId=key)
    with pytest.raises(ClientError) as caught:
        put_object() if operation == "put" else get(s3)
    assert error_of(caught) == (f"KMS.{code}", f"{key} {words}")


@pytest.mark.parametrize(
    ("spec", "usage"), [("RSA_2048", "SIGN_VERIFY"), ("HMAC_256", "GENERATE_VERIFY_MAC")]
)
def test_only_symmetric_encryption_keys_serve_objects(kms, put_object, spec, usage):
    other = kms.client().create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["Arn"]
    with pytest.raises(ClientError, match=r"KMS\.InvalidKeyUsageException"):
        put_object(SSEKMSKeyId=other)


def test_one_who_may_not_use_the_key_gets_kms_own_words(put_object, role, key):
    put_object()
    with pytest.raises(ClientError) as caught:
        get(role.client("s3"))
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert error_of(caught) == (
        "AccessDenied",
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/App/session is not authorized to perform: "
        f"kms:Decrypt on resource: {key} because no identity-based policy allows the kms:Decrypt "
        "action",
    )


def test_an_object_under_the_managed_key_needs_no_permission_of_kms(put_object, role):
    put_object(SSEKMSKeyId=None)
    assert get(role.client("s3"))["Body"].read() == b"hello"


def test_a_key_can_be_left_to_s3_alone(kms, put_object, key):
    allowed = {
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": "kms:*",
        "Resource": "*",
        "Condition": {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}},
    }
    policy = {"Version": "2012-10-17", "Statement": [allowed]}
    kms.client().put_key_policy(
        KeyId=key, Policy=json.dumps(policy), BypassPolicyLockoutSafetyCheck=True
    )
    put_object()
    with pytest.raises(ClientError, match="AccessDeniedException"):
        kms.client().encrypt(KeyId=key, Plaintext=b"x")


def test_another_account_cannot_read_under_the_managed_key(kms, put_object):
    put_object(SSEKMSKeyId=None)
    policy = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    other = kms.account("444455556666").role(
        "Reader", policies=[{"Version": "2012-10-17", "Statement": policy}]
    )
    with pytest.raises(ClientError, match="AccessDenied"):
        get(other.client("s3"))


def test_an_unsigned_request_cannot_use_kms(put_object):
    put_object(ACL="public-read")
    unsigned = boto3.client("s3", config=Config(signature_version=botocore.UNSIGNED))
    with pytest.raises(ClientError, match="require AWS Signature Version 4"):
        get(unsigned)


def test_an_object_under_a_key_of_another_kms_is_returned_with_a_warning(kms, s3, put_object):
    with kms.pause():
        put_object(SSEKMSKeyId="alias/none")
    with pytest.warns(UserWarning, match="s3://papers/a.txt is encrypted, but this mock"):
        get(s3)
