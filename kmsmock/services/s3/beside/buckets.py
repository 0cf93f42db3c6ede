"""Buckets and their default encryption.

Source: Amazon S3 User Guide, "Setting default server-side encryption behavior for Amazon S3
buckets".
"""

from __future__ import annotations

from collections.abc import Mapping

from kmsmock.aws.coded_error import CodedError
from kmsmock.services.beside import BesideHandler, NotStoredError, Steps
from kmsmock.services.registry import ServiceCall
from kmsmock.services.s3.state import KMS_ALGORITHMS, DefaultEncryption, buckets_of


def _create_bucket(call: ServiceCall) -> Steps:
    location = call.parameters.get("CreateBucketConfiguration", {}).get("LocationConstraint")
    yield
    buckets_of(call).regions[call.parameters["Bucket"]] = location or call.region


def _delete_bucket(call: ServiceCall) -> Steps:
    yield
    buckets_of(call).remove_bucket(call.parameters["Bucket"])


def _put_bucket_encryption(call: ServiceCall) -> Steps:
    rules = call.parameters["ServerSideEncryptionConfiguration"]["Rules"]
    if len(rules) != 1 or "ApplyServerSideEncryptionByDefault" not in rules[0]:
        raise CodedError(
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published "
            "schema",
        )
    applied = rules[0]["ApplyServerSideEncryptionByDefault"]
    algorithm, key_id = applied["SSEAlgorithm"], applied.get("KMSMasterKeyID")
    if key_id is not None and algorithm not in KMS_ALGORITHMS:
        raise CodedError(
            "InvalidArgument",
            "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or "
            "aws:kms:dsse",
            members={"ArgumentName": "ApplyServerSideEncryptionByDefault"},
        )
    yield
    default = DefaultEncryption(algorithm, key_id, rules[0].get("BucketKeyEnabled", False))
    buckets_of(call).defaults[call.parameters["Bucket"]] = default


def _get_bucket_encryption(call: ServiceCall) -> Steps:  # noqa: ARG001 - one of a table
    try:
        yield
    except NotStoredError as refusal:
        if refusal.code != "ServerSideEncryptionConfigurationNotFoundError":
            raise
        # As S3 answered until January 2023.
        rule = {
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
            "BucketKeyEnabled": False,
        }
        return {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}
    return None


def _delete_bucket_encryption(call: ServiceCall) -> Steps:
    yield
    buckets_of(call).defaults.pop(call.parameters["Bucket"], None)


OPERATIONS: Mapping[str, BesideHandler] = {
    "CreateBucket": _create_bucket,
    "DeleteBucket": _delete_bucket,
    "PutBucketEncryption": _put_bucket_encryption,
    "GetBucketEncryption": _get_bucket_encryption,
    "DeleteBucketEncryption": _delete_bucket_encryption,
}
