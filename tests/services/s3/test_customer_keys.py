"""Objects of S3 under keys that customers provide (SSE-C), with moto as their storage."""

from __future__ import annotations

from base64 import b64encode
from hashlib import md5

import pytest
from botocore.exceptions import ClientError

from tests.services.beside.conftest import error_of

BUCKET = "papers"


def get(client, name="a.txt", **parameters):
    return client.get_object(Bucket=BUCKET, Key=name, **parameters)


CUSTOMER_KEY = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "0" * 32}
OTHER_KEY = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "1" * 32}
SOURCE_KEY = {f"CopySource{name}": value for name, value in CUSTOMER_KEY.items()}


def copy_from(client, **customer_key):
    source = {f"CopySource{name}": value for name, value in customer_key.items()}
    return client.copy_object(Bucket=BUCKET, Key="b.txt", CopySource=f"{BUCKET}/a.txt", **source)


@pytest.fixture
def sse_c_object(s3):
    """Put an object with a customer-provided key."""
    return s3.put_object(Bucket=BUCKET, Key="a.txt", Body=b"x", **CUSTOMER_KEY)


def sse_members(answer):
    names = ("ServerSideEncryption", "SSECustomerAlgorithm", "SSECustomerKeyMD5")
    return [answer.get(name) for name in names]


MD5 = b64encode(md5(b"0" * 32).digest()).decode()
SSE_C = [None, "AES256", MD5]


def test_an_object_under_a_key_of_the_customer_has_nothing_to_do_with_kms(
    s3, sse_c_object, set_default, calls_by
):
    set_default()
    assert sse_members(sse_c_object) == SSE_C
    assert sse_members(get(s3, **CUSTOMER_KEY)) == SSE_C
    assert sse_members(s3.head_object(Bucket=BUCKET, Key="a.txt", **CUSTOMER_KEY)) == SSE_C
    copied = s3.copy_object(
        Bucket=BUCKET, Key="b.txt", CopySource=f"{BUCKET}/a.txt", **SOURCE_KEY, **CUSTOMER_KEY
    )
    assert sse_members(copied) == SSE_C
    assert calls_by("s3") == []


def test_an_upload_in_parts_is_under_the_key_of_the_customer(s3, calls_by):
    place = {"Bucket": BUCKET, "Key": "a.txt"}
    begun = s3.create_multipart_upload(**place, **CUSTOMER_KEY)
    upload = {**place, "UploadId": begun["UploadId"]}
    part = s3.upload_part(**upload, PartNumber=1, Body=b"x", **CUSTOMER_KEY)
    assert sse_members(begun) == sse_members(part) == SSE_C
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    assert "ServerSideEncryption" not in s3.complete_multipart_upload(
        **upload, MultipartUpload=parts
    )
    assert sse_members(get(s3, **CUSTOMER_KEY)) == SSE_C
    assert calls_by("s3") == []


@pytest.mark.parametrize(
    ("customer_key", "words"),
    [
        pytest.param({}, "Subsequent part requests must include the appropriate", id="none"),
        pytest.param(OTHER_KEY, "did not match the ones used originally", id="another"),
    ],
)
def test_each_part_needs_the_key_that_the_upload_was_begun_with(s3, customer_key, words):
    place = {"Bucket": BUCKET, "Key": "a.txt"}
    upload = s3.create_multipart_upload(**place, **CUSTOMER_KEY)["UploadId"]
    with pytest.raises(ClientError, match=words) as caught:
        s3.upload_part(**place, UploadId=upload, PartNumber=1, Body=b"x", **customer_key)
    assert error_of(caught)[0] == "InvalidRequest"


NEEDS_KEY = (
    "The object was stored using a form of Server Side Encryption. The correct parameters must be "
    "provided to retrieve the object."
)
NEEDS_ANOTHER = (
    "Requests specifying Server Side Encryption with Customer provided keys must provide the "
    "correct secret key."
)
REFUSED = [
    pytest.param({}, "InvalidRequest", NEEDS_KEY, 400, id="none"),
    pytest.param(OTHER_KEY, "AccessDenied", NEEDS_ANOTHER, 403, id="another"),
]


@pytest.mark.usefixtures("sse_c_object")
@pytest.mark.parametrize(("customer_key", "code", "words", "status"), REFUSED)
@pytest.mark.parametrize("read", [get, copy_from], ids=["get", "copy"])
def test_without_the_key_of_the_customer_the_object_stays_closed(
    s3, read, customer_key, code, words, status
):
    with pytest.raises(ClientError) as caught:
        read(s3, **customer_key)
    assert error_of(caught) == (code, words)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


@pytest.mark.usefixtures("sse_c_object")
@pytest.mark.parametrize(("customer_key", "_", "words", "status"), REFUSED)
def test_the_head_of_an_object_tells_no_more_than_the_status(s3, customer_key, _, words, status):
    with pytest.raises(ClientError) as caught:
        s3.head_object(Bucket=BUCKET, Key="a.txt", **customer_key)
    assert error_of(caught)[0] == str(status)
    assert any(words in note for note in caught.value.__notes__)


def test_a_key_of_the_customer_does_not_fit_another_object(s3, put_object):
    put_object()
    with pytest.raises(ClientError, match="are not applicable to this object") as caught:
        get(s3, **CUSTOMER_KEY)
    assert error_of(caught)[0] == "InvalidRequest"


def test_an_algorithm_without_a_key_is_refused(s3):
    with pytest.raises(ClientError, match="must provide an appropriate secret key") as caught:
        s3.put_object(Bucket=BUCKET, Key="a.txt", Body=b"x", SSECustomerAlgorithm="AES256")
    assert error_of(caught)[0] == "InvalidArgument"
