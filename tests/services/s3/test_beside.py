"""Objects of S3 under keys of KMS, with moto as their storage."""

from __future__ import annotations

import json
from base64 import b64encode
from io import BytesIO

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from tests.services.beside.conftest import ACCOUNT, error_of

BUCKET = "papers"
ARN = "aws:s3:arn"
OF_OBJECT = {ARN: "arn:aws:s3:::papers/a.txt"}
OF_BUCKET = {ARN: "arn:aws:s3:::papers"}


def get(client, name="a.txt", **parameters):
    return client.get_object(Bucket=BUCKET, Key=name, **parameters)


# --- modes ----------------------------------------------------------------------------------------


def test_an_object_without_kms_makes_no_calls(s3, calls_by):
    answer = s3.put_object(Bucket=BUCKET, Key="a.txt", Body=b"x")
    assert answer["ServerSideEncryption"] == "AES256"
    get(s3)
    assert calls_by("s3") == []


def test_an_object_is_encrypted_when_put_and_decrypted_when_got(s3, put_object, calls_by):
    put_object()
    assert get(s3)["Body"].read() == b"hello"
    assert calls_by("s3") == [("GenerateDataKey", OF_OBJECT), ("Decrypt", OF_OBJECT)]


def test_answers_show_the_arn_of_the_key_however_it_was_named(kms, s3, put_object, key):
    kms.client().create_alias(AliasName="alias/app", TargetKeyId=key)
    assert put_object(SSEKMSKeyId="alias/app")["SSEKMSKeyId"] == key
    assert get(s3)["SSEKMSKeyId"] == key
    assert s3.head_object(Bucket=BUCKET, Key="a.txt")["SSEKMSKeyId"] == key


def test_the_head_of_an_object_needs_no_kms(s3, put_object, calls_by):
    put_object()
    s3.head_object(Bucket=BUCKET, Key="a.txt")
    assert [name for name, _ in calls_by("s3")] == ["GenerateDataKey"]


def test_without_a_key_all_buckets_share_the_aws_managed_key(kms, s3, put_object):
    put_object(SSEKMSKeyId=None)
    managed = kms.client().describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    assert managed["KeyManager"] == "AWS"
    assert get(s3)["SSEKMSKeyId"] == managed["Arn"]


@pytest.mark.parametrize("read", ["get_object", "head_object"])
def test_an_object_put_without_encryption_shows_the_key_that_s3_owns(s3, read):
    s3.put_object(Bucket=BUCKET, Key="a.txt", Body=b"x")
    answer = getattr(s3, read)(Bucket=BUCKET, Key="a.txt")
    assert answer["ServerSideEncryption"] == "AES256"
    assert "SSEKMSKeyId" not in answer


def test_a_key_needs_encryption_with_kms(s3, key):
    with pytest.raises(ClientError, match="requires HTTP header x-amz-server-side-encryption"):
        s3.put_object(Bucket=BUCKET, Key="a.txt", Body=b"x", SSEKMSKeyId=key)


# --- the encryption context -----------------------------------------------------------------------


def encoded(pairs):
    return b64encode(json.dumps(pairs).encode()).decode()


def test_the_callers_context_is_kept_with_the_object(s3, put_object, calls_by):
    answer = put_object(SSEKMSEncryptionContext=encoded({"tenant": "a"}))
    assert answer["SSEKMSEncryptionContext"] == encoded({"tenant": "a"})
    get(s3)
    assert calls_by("s3")[-1] == ("Decrypt", {"tenant": "a", **OF_OBJECT})


@pytest.mark.parametrize(
    "context",
    [
        pytest.param("{}", id="not base64"),
        pytest.param(b64encode(b"tenant").decode(), id="not JSON"),
        pytest.param(encoded({"tenant": 1}), id="not texts"),
    ],
)
def test_a_context_must_be_a_map_of_texts(put_object, context):
    with pytest.raises(ClientError, match="shall be Base64-encoded UTF-8 string holding JSON"):
        put_object(SSEKMSEncryptionContext=context)


def test_a_context_cannot_say_that_it_is_another_object(put_object):
    with pytest.raises(ClientError, match="InvalidArgument"):
        put_object(SSEKMSEncryptionContext=encoded({ARN: "arn:aws:s3:::papers/b.txt"}))


# --- bucket keys ----------------------------------------------------------------------------------


def test_with_a_bucket_key_many_objects_make_one_call_of_each_kind(s3, put_object, calls_by):
    for name in "abc":
        assert put_object(name, BucketKeyEnabled=True)["BucketKeyEnabled"] is True
    for name in "abc":
        assert get(s3, name)["BucketKeyEnabled"] is True
    assert calls_by("s3") == [("GenerateDataKey", OF_BUCKET), ("Decrypt", OF_BUCKET)]


def test_without_a_bucket_key_each_object_makes_its_own_calls(s3, put_object, calls_by):
    for name in "abc":
        put_object(name)
        get(s3, name)
    assert len(calls_by("s3")) == 6


def test_each_requester_has_a_bucket_key_of_its_own(kms, put_object, calls_by, key):
    allowed = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": allowed}
    other = kms.account(ACCOUNT).role("B", policies=[policy])
    put_object(BucketKeyEnabled=True)
    other.client("s3").put_object(
        Bucket=BUCKET,
        Key="b",
        Body=b"",
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId=key,
        BucketKeyEnabled=True,
    )
    assert [name for name, _ in calls_by("s3")] == ["GenerateDataKey", "GenerateDataKey"]


def test_a_bucket_key_is_asked_for_again_after_its_time(kms, put_object, calls_by):
    put_object(BucketKeyEnabled=True)
    kms.clock.advance(minutes=5)
    put_object(BucketKeyEnabled=True)
    assert len(calls_by("s3")) == 2


def test_a_policy_for_the_arn_of_the_object_does_not_hold_with_a_bucket_key(kms, put_object, key):
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
    put_object()
    with pytest.raises(ClientError, match="AccessDenied"):
        put_object(BucketKeyEnabled=True)


def test_dual_layer_encryption_has_no_bucket_keys(put_object, calls_by):
    for _ in range(2):
        answer = put_object(ServerSideEncryption="aws:kms:dsse", BucketKeyEnabled=True)
        assert answer["ServerSideEncryption"] == "aws:kms:dsse"
        assert "BucketKeyEnabled" not in answer
    assert calls_by("s3") == [("GenerateDataKey", OF_OBJECT)] * 2


# --- the default of a bucket ----------------------------------------------------------------------


def test_a_new_bucket_encrypts_with_a_key_that_s3_owns(s3):
    rules = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules == [
        {
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
            "BucketKeyEnabled": False,
        }
    ]


def test_the_default_of_the_bucket_holds_for_objects_that_say_nothing(
    s3, set_default, key, calls_by
):
    set_default()
    answer = s3.put_object(Bucket=BUCKET, Key="a.txt", Body=b"x")
    assert (answer["ServerSideEncryption"], answer["SSEKMSKeyId"]) == ("aws:kms", key)
    assert calls_by("s3") == [("GenerateDataKey", OF_OBJECT)]


def test_an_object_can_be_encrypted_without_kms_beside_the_default(s3, set_default, calls_by):
    set_default()
    s3.put_object(Bucket=BUCKET, Key="a.txt", Body=b"x", ServerSideEncryption="AES256")
    assert calls_by("s3") == []


def test_the_key_of_a_default_is_kept_as_given_and_not_checked(s3, set_default):
    set_default(SSEAlgorithm="aws:kms", KMSMasterKeyID="no-such-key")
    rules = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    applied = rules[0]["ApplyServerSideEncryptionByDefault"]
    assert applied["KMSMasterKeyID"] == "no-such-key"
    with pytest.raises(ClientError, match="Invalid keyId 'no-such-key'"):
        s3.put_object(Bucket=BUCKET, Key="a.txt", Body=b"x")


def test_a_changed_default_does_not_touch_the_objects_there_are(s3, set_default, put_object, key):
    put_object()
    set_default(SSEAlgorithm="aws:kms")
    assert get(s3)["SSEKMSKeyId"] == key


def test_a_deleted_default_is_that_of_new_buckets(s3, set_default, calls_by):
    set_default()
    s3.delete_bucket_encryption(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="a.txt", Body=b"x")
    assert calls_by("s3") == []


def test_a_default_without_kms_takes_no_key(set_default, key):
    with pytest.raises(ClientError) as caught:
        set_default(SSEAlgorithm="AES256", KMSMasterKeyID=key)
    assert error_of(caught) == (
        "InvalidArgument",
        "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or "
        "aws:kms:dsse",
    )
    argument = caught.value.response["Error"]["ArgumentName"]
    assert argument == "ApplyServerSideEncryptionByDefault"


def rule_of(s3):
    answer = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]
    return answer["Rules"][0]["ApplyServerSideEncryptionByDefault"]


def test_a_default_without_a_key_shows_none_and_means_the_managed_key(kms, s3, set_default):
    set_default(SSEAlgorithm="aws:kms")
    assert rule_of(s3) == {"SSEAlgorithm": "aws:kms"}
    answer = s3.put_object(Bucket=BUCKET, Key="a.txt", Body=b"x")
    managed = kms.client().describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["Arn"]
    assert answer["SSEKMSKeyId"] == managed


def test_an_alias_stays_an_alias_in_the_default_and_is_resolved_for_each_object(
    kms, s3, set_default, key
):
    kms.client().create_alias(AliasName="alias/app", TargetKeyId=key)
    set_default(SSEAlgorithm="aws:kms", KMSMasterKeyID="alias/app")
    assert rule_of(s3)["KMSMasterKeyID"] == "alias/app"
    assert s3.put_object(Bucket=BUCKET, Key="a.txt", Body=b"x")["SSEKMSKeyId"] == key
    other = kms.client().create_key()["KeyMetadata"]["Arn"]
    kms.client().update_alias(AliasName="alias/app", TargetKeyId=other)
    assert s3.put_object(Bucket=BUCKET, Key="a.txt", Body=b"x")["SSEKMSKeyId"] == other


def test_a_default_can_be_dual_layer_encryption_which_has_no_bucket_key(
    s3, set_default, key, calls_by
):
    set_default(bucket_key=True, SSEAlgorithm="aws:kms:dsse", KMSMasterKeyID=key)
    answer = s3.put_object(Bucket=BUCKET, Key="a.txt", Body=b"x")
    assert (answer["ServerSideEncryption"], answer["SSEKMSKeyId"]) == ("aws:kms:dsse", key)
    assert "BucketKeyEnabled" not in answer
    assert calls_by("s3") == [("GenerateDataKey", OF_OBJECT)]


@pytest.mark.parametrize("count", [0, 2])
def test_a_default_has_one_rule(s3, count):
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    with pytest.raises(ClientError, match="MalformedXML"):
        s3.put_bucket_encryption(
            Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": [rule] * count}
        )


# --- copies and parts -----------------------------------------------------------------------------


def test_a_copy_opens_the_source_and_encrypts_the_target(s3, put_object, key, calls_by):
    put_object()
    s3.copy_object(
        Bucket=BUCKET,
        Key="b.txt",
        CopySource={"Bucket": BUCKET, "Key": "a.txt"},
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId=key,
    )
    target = {ARN: "arn:aws:s3:::papers/b.txt"}
    assert calls_by("s3")[1:] == [("Decrypt", OF_OBJECT), ("GenerateDataKey", target)]


def test_the_encryption_of_the_source_is_not_inherited_by_its_copy(s3, put_object):
    put_object()
    answer = s3.copy_object(Bucket=BUCKET, Key="b.txt", CopySource=f"{BUCKET}/a.txt")
    assert answer["ServerSideEncryption"] == "AES256"


def test_an_upload_in_parts_needs_decrypt_too(s3, key, calls_by):
    given = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    config = TransferConfig(multipart_threshold=1, use_threads=False)
    s3.upload_fileobj(BytesIO(b"x" * 10), BUCKET, "a.txt", ExtraArgs=given, Config=config)
    assert calls_by("s3") == [("GenerateDataKey", OF_OBJECT), *[("Decrypt", OF_OBJECT)] * 2]
    assert get(s3)["SSEKMSKeyId"] == key


def test_each_version_of_an_object_has_its_own_key(kms, s3, put_object, key):
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    first = put_object()["VersionId"]
    other = kms.client().create_key()["KeyMetadata"]["Arn"]
    put_object(SSEKMSKeyId=other)
    assert get(s3)["SSEKMSKeyId"] == other
    assert get(s3, VersionId=first)["SSEKMSKeyId"] == key
