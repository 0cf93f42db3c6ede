"""The KMS side of services is tested with moto as their storage."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kmsmock import KMSMock, mock_kms

collect_ignore_glob: list[str] = []
try:
    from moto import mock_aws
except ImportError:  # where the oldest versions are tested
    collect_ignore_glob += ["test_*.py"]

ACCOUNT = "123456789012"
# moto loads a thousand images for EC2, again with each reset.
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")


@pytest.fixture
def kms() -> Iterator[KMSMock]:
    with mock_aws(config={"lambda": {"use_docker": False}}), mock_kms(seed=1) as kms:
        yield kms


@pytest.fixture
def key(kms: KMSMock) -> str:
    """Create a customer managed key; return its ARN."""
    arn: str = kms.client().create_key()["KeyMetadata"]["Arn"]
    return arn


@pytest.fixture
def calls_by(kms: KMSMock) -> Callable[..., Any]:
    """Return a function that lists the KMS calls of a service: operation and encryption context."""

    def calls_by(service: str) -> list[Any]:
        name = f"{service}.us-east-1.amazonaws.com"
        return [
            (call.operation, call.encryption_context)
            for call in kms.calls
            if name in (call.via_service, call.caller)
        ]

    return calls_by


@pytest.fixture
def role(kms: KMSMock) -> Any:
    """Return a role that is allowed everything except KMS."""
    allowed = {"Effect": "Allow", "NotAction": "kms:*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": allowed}
    return kms.account(ACCOUNT).role("App", policies=[policy])


@pytest.fixture
def s3(kms: KMSMock) -> Any:
    """Return a client of S3, with a bucket named papers."""
    client = kms.client("s3")
    client.create_bucket(Bucket="papers")
    return client


@pytest.fixture
def put_object(s3: Any, key: str) -> Callable[..., Any]:
    """Put an object with the customer managed key, or as the parameters say."""

    def put_object(name: str = "a.txt", body: bytes = b"hello", **parameters: Any) -> Any:
        given = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key, **parameters}
        given = {name: value for name, value in given.items() if value is not None}
        return s3.put_object(Bucket="papers", Key=name, Body=body, **given)

    return put_object


@pytest.fixture
def set_default(s3: Any, key: str) -> Callable[..., None]:
    """Set the default encryption of the bucket."""

    def set_default(*, bucket_key: bool = False, **applied: Any) -> None:
        applied = applied or {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
        rule = {"ApplyServerSideEncryptionByDefault": applied, "BucketKeyEnabled": bucket_key}
        rules = {"Rules": [rule]}
        s3.put_bucket_encryption(Bucket="papers", ServerSideEncryptionConfiguration=rules)

    return set_default


def error_of(caught: Any) -> tuple[str, str]:
    """Return the code and the message of an error."""
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


#: What makes a key unusable -> the words of KMS, and its code.
UNUSABLE = [
    pytest.param("disable_key", "is disabled.", "DisabledException", id="disabled"),
    pytest.param(
        "schedule_key_deletion",
        "is pending deletion.",
        "KMSInvalidStateException",
        id="pending deletion",
    ),
]
#: What KMS says of too many calls.
THROTTLED = (
    "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."
)
#: Names of keys that are missing -> the words of KMS.
MISSING = [
    pytest.param("nonsense", "Invalid keyId 'nonsense'", id="nonsense"),
    pytest.param(
        f"arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555",
        f"Key 'arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555' does not "
        "exist",
        id="no such key",
    ),
    pytest.param(
        f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555",
        "Invalid arn eu-west-1",
        id="another Region",
    ),
    pytest.param(
        "alias/none",
        f"Alias arn:aws:kms:us-east-1:{ACCOUNT}:alias/none is not found.",
        id="no such alias",
    ),
]
