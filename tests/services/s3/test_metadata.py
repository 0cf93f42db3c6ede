"""What S3 shows about objects under keys of KMS, and requests without TLS; moto stores them."""

from __future__ import annotations

from base64 import b64encode
from hashlib import md5

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.services.beside.conftest import error_of

BUCKET = "papers"
OBJECT = {"Bucket": BUCKET, "Key": "a.txt"}
CONTEXT = {"aws:s3:arn": "arn:aws:s3:::papers/a.txt"}
CUSTOMER_KEY = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "0" * 32}
SELECT = {
    "Expression": "SELECT * FROM S3Object",
    "ExpressionType": "SQL",
    "InputSerialization": {"JSON": {"Type": "LINES"}},
    "OutputSerialization": {"JSON": {}},
}
#: What reads more than the metadata of an object.
READS = {
    "head with checksum": lambda s3, **more: s3.head_object(
        **OBJECT, ChecksumMode="ENABLED", **more
    ),
    "attributes": lambda s3, **more: s3.get_object_attributes(
        **OBJECT, ObjectAttributes=["Checksum", "ObjectSize"], **more
    ),
    "select": lambda s3, **more: s3.select_object_content(**OBJECT, **SELECT, **more),
}


@pytest.fixture(params=READS.values(), ids=READS.keys())
def read(request):
    return request.param


def test_checksums_and_contents_need_the_key(s3, put_object, read, calls_by):
    put_object(body=b'{"a": 1}')
    read(s3)
    assert calls_by("s3")[1:] == [("Decrypt", CONTEXT)]


def test_without_the_key_they_are_refused(put_object, role, read):
    put_object(body=b'{"a": 1}')
    role.client("s3").head_object(**OBJECT)
    with pytest.raises(ClientError) as caught:
        read(role.client("s3"))
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_a_disabled_key_refuses_them(kms, s3, put_object, key, read):
    put_object(body=b'{"a": 1}')
    kms.client().disable_key(KeyId=key)
    with pytest.raises(ClientError):
        read(s3)


def test_objects_without_kms_make_no_calls(s3, read, calls_by):
    s3.put_object(**OBJECT, Body=b'{"a": 1}')
    read(s3)
    assert calls_by("s3") == []


def test_objects_under_a_customer_provided_key_need_that(s3, read):
    s3.put_object(**OBJECT, Body=b'{"a": 1}', **CUSTOMER_KEY)
    with pytest.raises(ClientError):
        read(s3)
    # botocore does not compute the digest for GetObjectAttributes.
    digest = b64encode(md5(b"0" * 32).digest()).decode()
    read(s3, **CUSTOMER_KEY, SSECustomerKeyMD5=digest)


@pytest.mark.parametrize("is_latest", [True, False], ids=["latest", "older"])
def test_each_version_needs_its_own_key(kms, s3, put_object, key, is_latest):
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    versions = [
        put_object(SSEKMSKeyId=one)["VersionId"] for one in (key, None if is_latest else key)
    ]
    kms.client().disable_key(KeyId=key)
    parameters = {**OBJECT, "ObjectAttributes": ["ObjectSize"]}
    if is_latest:
        s3.get_object_attributes(**parameters)
    with pytest.raises(ClientError, match="is disabled"):
        s3.get_object_attributes(**parameters, VersionId=versions[0])


# --- TLS ------------------------------------------------------------------------------------------

KMS = {"ServerSideEncryption": "aws:kms"}
NO_TLS = (
    "InvalidArgument",
    "Requests specifying Server Side Encryption with AWS KMS managed keys must be made over a "
    "secure connection.",
)


@pytest.fixture
def plain(s3):  # noqa: ARG001 - makes the bucket
    """Return a client that does not use TLS."""
    return boto3.client("s3", "us-east-1", use_ssl=False)


@pytest.mark.parametrize(
    "write",
    [
        lambda s3: s3.put_object(**OBJECT, Body=b"x", **KMS),
        lambda s3: s3.create_multipart_upload(**OBJECT, **KMS),
        lambda s3: s3.copy_object(**OBJECT, CopySource=f"{BUCKET}/plain", **KMS),
    ],
    ids=["put", "upload", "copy"],
)
def test_without_tls_nothing_is_encrypted_with_kms(kms, s3, plain, write):
    s3.put_object(Bucket=BUCKET, Key="plain", Body=b"x")
    with pytest.raises(ClientError) as caught:
        write(plain)
    assert error_of(caught) == NO_TLS
    assert list(kms.calls) == []


def test_without_tls_nothing_is_decrypted(put_object, plain):
    put_object()
    with pytest.raises(ClientError) as caught:
        plain.get_object(**OBJECT)
    assert error_of(caught) == NO_TLS


def test_without_tls_customers_provide_no_keys(plain):
    with pytest.raises(ClientError) as caught:
        # botocore itself refuses some of these, in the same words.
        plain.put_object(**OBJECT, Body=b"x", **CUSTOMER_KEY)
    assert error_of(caught)[1].endswith("must be made over a secure connection.")


def test_without_tls_other_objects_are_stored(plain):
    plain.put_object(**OBJECT, Body=b"x")
    assert plain.get_object(**OBJECT)["Body"].read() == b"x"


def test_emulators_need_no_tls(kms, s3, monkeypatch):  # noqa: ARG001 - makes the bucket
    monkeypatch.setenv("MOTO_S3_CUSTOM_ENDPOINTS", "http://localhost:4566")
    client = boto3.client("s3", "us-east-1", endpoint_url="http://localhost:4566")
    client.put_object(**OBJECT, Body=b"x", **KMS)
    kms.calls.assert_called("GenerateDataKey", via_service="s3")
