"""Buckets and their default encryption.

Source: Amazon S3 User Guide, "Setting default server-side encryption behavior for Amazon S3
buckets".
"""

from __future__ import annotations

from collections.abc import Mapping

from kmsmock.overlays.s3.encryption import WITH_KMS
from kmsmock.overlays.s3.stored import Default, buckets_of
from kmsmock.services.beside import BesideHandler, NotStoredError, Steps
from kmsmock.services.kms_errors import CodedError
from kmsmock.services.registry import ServiceCall


def _create(call: ServiceCall) -> Steps:
    where = call.parameters.get("CreateBucketConfiguration", {}).get("LocationConstraint")
    yield
    buckets_of(call).regions[call.parameters["Bucket"]] = where or call.region


def _delete(call: ServiceCall) -> Steps:
    yield
    held, bucket = buckets_of(call), call.parameters["Bucket"]
    held.regions.pop(bucket, None)
    held.defaults.pop(bucket, None)
    held.bucket_keys.forget(f"arn:{call.partition}:s3:::{bucket}")
    held.objects = {place: found for place, found in held.objects.items() if place[0] != bucket}


def _put_encryption(call: ServiceCall) -> Steps:
    rules = call.parameters["ServerSideEncryptionConfiguration"]["Rules"]
    if len(rules) != 1 or "ApplyServerSideEncryptionByDefault" not in rules[0]:
        raise CodedError(
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published "
            "schema",
        )
    applied = rules[0]["ApplyServerSideEncryptionByDefault"]
    algorithm, key_id = applied["SSEAlgorithm"], applied.get("KMSMasterKeyID")
    if key_id is not None and algorithm not in WITH_KMS:
        raise CodedError(
            "InvalidArgument",
            "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or "
            "aws:kms:dsse",
            members={"ArgumentName": "ApplyServerSideEncryptionByDefault"},
        )
    yield
    default = Default(algorithm, key_id, rules[0].get("BucketKeyEnabled", False))
    buckets_of(call).defaults[call.parameters["Bucket"]] = default


def _get_encryption(call: ServiceCall) -> Steps:
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


def _delete_encryption(call: ServiceCall) -> Steps:
    yield
    buckets_of(call).defaults.pop(call.parameters["Bucket"], None)


OPERATIONS: Mapping[str, BesideHandler] = {
    "CreateBucket": _create,
    "DeleteBucket": _delete,
    "PutBucketEncryption": _put_encryption,
    "GetBucketEncryption": _get_encryption,
    "DeleteBucketEncryption": _delete_encryption,
}
