"""Objects of S3 under keys of KMS, with moto as their storage."""

from __future__ import annotations

import json
from base64 import b64encode
from io import BytesIO

import boto3
import botocore
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.overlays.conftest import ACCOUNT, MISSING, SPOILED

BUCKET = "papers"
ARN = "aws:s3:arn"
OF_OBJECT = {ARN: "arn:aws:s3:::papers/a.txt"}
OF_BUCKET = {ARN: "arn:aws:s3:::papers"}


@pytest.fixture
def s3(kms):
    client = kms.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture
def put(s3, key):
    """Put an object under the customer managed key, or as told."""

    def put(name="a.txt", body=b"hello", **parameters):
        given = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key, **parameters}
        given = {name: value for name, value in given.items() if value is not None}
        return s3.put_object(Bucket=BUCKET, Key=name, Body=body, **given)

    return put


@pytest.fixture
def set_default(s3, key):
    """Set the default encryption of the bucket."""

    def set_default(bucket_key=False, **applied):
        applied = applied or {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
        rule = {"ApplyServerSideEncryptionByDefault": applied, "BucketKeyEnabled": bucket_key}
        s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": [rule]})

    return set_default


def get(client, name="a.txt", **parameters):
    return client.get_object(Bucket=BUCKET, Key=name, **parameters)


def error_of(caught):
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


# --- modes --------------------------------------------------------------------------------------


def test_an_object_without_kms_makes_no_calls(s3, made):
    answer = s3.put_object(Bucket=BUCKET, Key="a.txt", Body=b"x")
    assert answer["ServerSideEncryption"] == "AES256"
    get(s3)
    assert made("s3") == []


def test_an_object_is_encrypted_when_put_and_decrypted_when_got(s3, put, made):
    put()
    assert get(s3)["Body"].read() == b"hello"
    assert made("s3") == [("GenerateDataKey", OF_OBJECT), ("Decrypt", OF_OBJECT)]


def test_answers_show_the_arn_of_the_key_however_it_was_named(kms, s3, put, key):
    kms.client().create_alias(AliasName="alias/app", TargetKeyId=key)
    assert put(SSEKMSKeyId="alias/app")["SSEKMSKeyId"] == key
    assert get(s3)["SSEKMSKeyId"] == key
    assert s3.head_object(Bucket=BUCKET, Key="a.txt")["SSEKMSKeyId"] == key


def test_the_head_of_an_object_needs_no_kms(s3, put, made):
    put()
    s3.head_object(Bucket=BUCKET, Key="a.txt")
    assert [name for name, _ in made("s3")] == ["GenerateDataKey"]


def test_without_a_key_all_buckets_share_the_aws_managed_key(kms, s3, put):
    put(SSEKMSKeyId=None)
    managed = kms.client().describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    assert managed["KeyManager"] == "AWS"
    assert get(s3)["SSEKMSKeyId"] == managed["Arn"]


def test_a_customer_key_of_sse_c_has_nothing_to_do_with_kms(s3, made):
    s3.put_object(
        Bucket=BUCKET,
        Key="a.txt",
        Body=b"x",
        SSECustomerAlgorithm="AES256",
        SSECustomerKey="0" * 32,
    )
    assert made("s3") == []


def test_a_key_needs_encryption_with_kms(s3, key):
    with pytest.raises(ClientError, match="requires HTTP header x-amz-server-side-encryption"):
        s3.put_object(Bucket=BUCKET, Key="a.txt", Body=b"x", SSEKMSKeyId=key)


# --- the encryption context ---------------------------------------------------------------------


def encoded(pairs):
    return b64encode(json.dumps(pairs).encode()).decode()


def test_the_callers_context_is_kept_with_the_object(s3, put, made):
    answer = put(SSEKMSEncryptionContext=encoded({"tenant": "a"}))
    assert answer["SSEKMSEncryptionContext"] == encoded({"tenant": "a"})
    get(s3)
    assert made("s3")[-1] == ("Decrypt", {"tenant": "a", **OF_OBJECT})


@pytest.mark.parametrize(
    "context",
    [
        pytest.param("{}", id="not base64"),
        pytest.param(b64encode(b"tenant").decode(), id="not JSON"),
        pytest.param(encoded({"tenant": 1}), id="not texts"),
    ],
)
def test_a_context_must_be_a_map_of_texts(put, context):
    with pytest.raises(ClientError, match="shall be Base64-encoded UTF-8 string holding JSON"):
        put(SSEKMSEncryptionContext=context)


def test_a_context_cannot_say_that_it_is_another_object(put):
    with pytest.raises(ClientError, match="InvalidArgument"):
        put(SSEKMSEncryptionContext=encoded({ARN: "arn:aws:s3:::papers/b.txt"}))


# --- bucket keys --------------------------------------------------------------------------------


def test_with_a_bucket_key_many_objects_make_one_call_of_each_kind(s3, put, made):
    for name in "abc":
        assert put(name, BucketKeyEnabled=True)["BucketKeyEnabled"] is True
    for name in "abc":
        assert get(s3, name)["BucketKeyEnabled"] is True
    assert made("s3") == [("GenerateDataKey", OF_BUCKET), ("Decrypt", OF_BUCKET)]


def test_without_a_bucket_key_each_object_makes_its_own_calls(s3, put, made):
    for name in "abc":
        put(name)
        get(s3, name)
    assert len(made("s3")) == 6


def test_each_requester_has_a_bucket_key_of_its_own(kms, put, made, key):
    allowed = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": allowed}
    other = kms.account(ACCOUNT).role("B", policies=[policy])
    put(BucketKeyEnabled=True)
    other.client("s3").put_object(
        Bucket=BUCKET,
        Key="b",
        Body=b"",
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId=key,
        BucketKeyEnabled=True,
    )
    assert [name for name, _ in made("s3")] == ["GenerateDataKey", "GenerateDataKey"]


def test_a_bucket_key_is_asked_for_again_after_its_time(kms, put, made):
    put(BucketKeyEnabled=True)
    kms.clock.advance(minutes=5)
    put(BucketKeyEnabled=True)
    assert len(made("s3")) == 2


def test_a_policy_for_the_arn_of_the_object_does_not_hold_with_a_bucket_key(kms, put, key):
    # The encryption context is then the ARN of the bucket.
    policy = json.loads(kms.client().get_key_policy(KeyId=key)["Policy"])
    denial = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "kms:GenerateDataKey",
        "Resource": "*",
        "Condition": {"StringNotEquals": {f"kms:EncryptionContext:{ARN}": OF_OBJECT[ARN]}},
    }
    policy["Statement"].append(denial)
    kms.client().put_key_policy(KeyId=key, Policy=json.dumps(policy))
    put()
    with pytest.raises(ClientError, match="AccessDenied"):
        put(BucketKeyEnabled=True)


def test_dual_layer_encryption_has_no_bucket_keys(put, made):
    for _ in range(2):
        answer = put(ServerSideEncryption="aws:kms:dsse", BucketKeyEnabled=True)
        assert answer["ServerSideEncryption"] == "aws:kms:dsse"
        assert "BucketKeyEnabled" not in answer
    assert made("s3") == [("GenerateDataKey", OF_OBJECT)] * 2


# --- the default of a bucket --------------------------------------------------------------------


def test_a_new_bucket_encrypts_with_a_key_that_s3_owns(s3):
    rules = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules == [
        {
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
            "BucketKeyEnabled": False,
        }
    ]


def test_the_default_of_the_bucket_holds_for_objects_that_say_nothing(s3, set_default, key, made):
    set_default()
    answer = s3.put_object(Bucket=BUCKET, Key="a.txt", Body=b"x")
    assert (answer["ServerSideEncryption"], answer["SSEKMSKeyId"]) == ("aws:kms", key)
    assert made("s3") == [("GenerateDataKey", OF_OBJECT)]


def test_an_object_can_be_encrypted_without_kms_beside_the_default(s3, set_default, made):
    set_default()
    s3.put_object(Bucket=BUCKET, Key="a.txt", Body=b"x", ServerSideEncryption="AES256")
    assert made("s3") == []


def test_the_key_of_a_default_is_kept_as_given_and_not_checked(s3, set_default):
    set_default(SSEAlgorithm="aws:kms", KMSMasterKeyID="no-such-key")
    rules = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    applied = rules[0]["ApplyServerSideEncryptionByDefault"]
    assert applied["KMSMasterKeyID"] == "no-such-key"
    with pytest.raises(ClientError, match="Invalid keyId 'no-such-key'"):
        s3.put_object(Bucket=BUCKET, Key="a.txt", Body=b"x")


def test_a_changed_default_does_not_touch_the_objects_there_are(s3, set_default, put, key):
    put()
    set_default(SSEAlgorithm="aws:kms")
    assert get(s3)["SSEKMSKeyId"] == key


def test_a_deleted_default_is_that_of_new_buckets(s3, set_default, made):
    set_default()
    s3.delete_bucket_encryption(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="a.txt", Body=b"x")
    assert made("s3") == []


def test_a_default_without_kms_takes_no_key(set_default, key):
    with pytest.raises(ClientError) as caught:
        set_default(SSEAlgorithm="AES256", KMSMasterKeyID=key)
    assert error_of(caught) == (
        "InvalidArgument",
        "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or "
        "aws:kms:dsse",
    )


@pytest.mark.parametrize("count", [0, 2])
def test_a_default_has_one_rule(s3, count):
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    with pytest.raises(ClientError, match="MalformedXML"):
        s3.put_bucket_encryption(
            Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": [rule] * count}
        )


# --- copies and parts ---------------------------------------------------------------------------


def test_a_copy_opens_the_source_and_encrypts_the_target(s3, put, key, made):
    put()
    s3.copy_object(
        Bucket=BUCKET,
        Key="b.txt",
        CopySource={"Bucket": BUCKET, "Key": "a.txt"},
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId=key,
    )
    target = {ARN: "arn:aws:s3:::papers/b.txt"}
    assert made("s3")[1:] == [("Decrypt", OF_OBJECT), ("GenerateDataKey", target)]


def test_the_encryption_of_the_source_is_not_inherited_by_its_copy(s3, put):
    put()
    answer = s3.copy_object(Bucket=BUCKET, Key="b.txt", CopySource=f"{BUCKET}/a.txt")
    assert answer["ServerSideEncryption"] == "AES256"


def test_an_upload_in_parts_needs_decrypt_too(s3, key, made):
    given = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    config = TransferConfig(multipart_threshold=1, use_threads=False)
    s3.upload_fileobj(BytesIO(b"x" * 10), BUCKET, "a.txt", ExtraArgs=given, Config=config)
    assert made("s3") == [("GenerateDataKey", OF_OBJECT), *[("Decrypt", OF_OBJECT)] * 2]
    assert get(s3)["SSEKMSKeyId"] == key


def test_each_version_of_an_object_has_its_own_key(kms, s3, put, key):
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    first = put()["VersionId"]
    other = kms.client().create_key()["KeyMetadata"]["Arn"]
    put(SSEKMSKeyId=other)
    assert get(s3)["SSEKMSKeyId"] == other
    assert get(s3, VersionId=first)["SSEKMSKeyId"] == key


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("key_id", "words"), MISSING)
def test_a_missing_key_is_not_found_and_nothing_is_stored(s3, put, key_id, words):
    with pytest.raises(ClientError) as caught:
        put(SSEKMSKeyId=key_id)
    assert error_of(caught) == ("KMS.NotFoundException", words)
    with pytest.raises(s3.exceptions.NoSuchKey):
        get(s3)


@pytest.mark.parametrize(("spoil", "words", "code"), SPOILED)
@pytest.mark.parametrize("operation", ["put", "get"])
def test_a_key_in_the_wrong_state_serves_no_objects(
    kms, s3, put, key, spoil, words, code, operation
):
    put()
    getattr(kms.client(), spoil)(KeyId=key)
    with pytest.raises(ClientError) as caught:
        put() if operation == "put" else get(s3)
    assert error_of(caught) == (f"KMS.{code}", f"{key} {words}")


@pytest.mark.parametrize(
    ("spec", "usage"), [("RSA_2048", "SIGN_VERIFY"), ("HMAC_256", "GENERATE_VERIFY_MAC")]
)
def test_only_symmetric_encryption_keys_serve_objects(kms, put, spec, usage):
    other = kms.client().create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["Arn"]
    with pytest.raises(ClientError, match=r"KMS\.InvalidKeyUsageException"):
        put(SSEKMSKeyId=other)


def test_one_who_may_not_use_the_key_gets_kms_own_words(put, role, key):
    put()
    with pytest.raises(ClientError) as caught:
        get(role.client("s3"))
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert error_of(caught) == (
        "AccessDenied",
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/App/session is not authorized to perform: "
        f"kms:Decrypt on resource: {key} because no identity-based policy allows the kms:Decrypt "
        "action",
    )


def test_an_object_under_the_managed_key_needs_no_permission_of_kms(put, role):
    put(SSEKMSKeyId=None)
    assert get(role.client("s3"))["Body"].read() == b"hello"


def test_a_key_can_be_left_to_s3_alone(kms, put, key):
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
    put()
    with pytest.raises(ClientError, match="AccessDeniedException"):
        kms.client().encrypt(KeyId=key, Plaintext=b"x")


def test_another_account_cannot_read_under_the_managed_key(kms, put):
    put(SSEKMSKeyId=None)
    policy = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    other = kms.account("444455556666").role(
        "Reader", policies=[{"Version": "2012-10-17", "Statement": policy}]
    )
    with pytest.raises(ClientError, match="AccessDenied"):
        get(other.client("s3"))


def test_an_unsigned_request_cannot_use_kms(put):
    put(ACL="public-read")
    unsigned = boto3.client("s3", config=Config(signature_version=botocore.UNSIGNED))
    with pytest.raises(ClientError, match="require AWS Signature Version 4"):
        get(unsigned)


def test_what_was_stored_before_the_mock_is_given_back_with_a_warning(kms, s3, put):
    with kms.pause():
        put()
    with pytest.warns(UserWarning, match="s3://papers/a.txt is encrypted, but was not stored"):
        get(s3)
