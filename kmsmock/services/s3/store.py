"""Buckets and objects as their store has them, also those that the mock has not seen stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

from kmsmock.aws.arns import ALIAS_PREFIX, resource_of
from kmsmock.services.registry import ServiceCall
from kmsmock.services.s3.state import (
    CONTEXT_ARN,
    KMS_ALGORITHMS,
    MANAGED_KEY,
    DefaultEncryption,
    DeleteMarker,
    Encryption,
    SseC,
    SseKms,
    Unknown,
    bucket_arn,
    buckets_of,
    version_of,
)
from kmsmock.services.store_reader import StoreReader
from kmsmock.services.unrecorded_data_keys import encrypt_data_key, find_key

_BUCKET = "arn:aws:s3:::"
#: The location constraints that are not the name of a Region.
_LOCATIONS = {None: "us-east-1", "": "us-east-1", "EU": "eu-west-1"}


# --- buckets -------------------------------------------------------------------------------------


def default_of(call: ServiceCall, bucket: str) -> DefaultEncryption:
    """Return the default encryption of a bucket, as its store has it now."""
    _DEFAULTS.refresh(call, f"{_BUCKET}{bucket}")
    return buckets_of(call).defaults.get(bucket, DefaultEncryption())


def region_of(call: ServiceCall, bucket: str) -> str:
    """Return the Region of a bucket; that of the client if the store does not say."""
    _LOCATION.refresh(call, f"{_BUCKET}{bucket}")
    return buckets_of(call).regions.get(bucket, call.region)


def _name_of(arn: str) -> str:
    return arn.removeprefix(_BUCKET)


def _keep_default(call: ServiceCall, arn: str, answer: Mapping[str, Any]) -> None:
    rules = answer.get("ServerSideEncryptionConfiguration", {}).get("Rules") or [{}]
    applied = rules[0].get("ApplyServerSideEncryptionByDefault", {})
    buckets_of(call).defaults[_name_of(arn)] = DefaultEncryption(
        applied.get("SSEAlgorithm", "AES256"),
        applied.get("KMSMasterKeyID") or None,
        bool(rules[0].get("BucketKeyEnabled", False)),
    )


def _forget_default(call: ServiceCall, arn: str) -> None:
    buckets_of(call).defaults.pop(_name_of(arn), None)


def _keep_location(call: ServiceCall, arn: str, answer: Mapping[str, Any]) -> None:
    location = answer.get("LocationConstraint")
    buckets_of(call).regions[_name_of(arn)] = _LOCATIONS.get(location) or location or call.region


def _forget_bucket(call: ServiceCall, arn: str) -> None:
    buckets_of(call).remove_bucket(_name_of(arn))


_DEFAULTS = StoreReader(
    "s3",
    "GetBucketEncryption",
    lambda arn: {"Bucket": _name_of(arn)},
    ("ServerSideEncryptionConfigurationNotFoundError", "NoSuchBucket"),
    _keep_default,
    _forget_default,
)
_LOCATION = StoreReader(
    "s3",
    "GetBucketLocation",
    lambda arn: {"Bucket": _name_of(arn)},
    ("NoSuchBucket",),
    _keep_location,
    _forget_bucket,
)


# --- objects -------------------------------------------------------------------------------------


def find_encryption(
    call: ServiceCall, bucket: str, key: str, version: str | None
) -> Encryption | None:
    """Return how a version of an object is encrypted; None if that is unknown, or it is deleted.

    version: its version id; empty or None for the latest version.
    """
    suffix = f"?versionId={version}" if version else ""
    _OBJECTS.refresh(call, f"{_BUCKET}{bucket}/{quote(key)}{suffix}")
    versions = buckets_of(call).objects.get((bucket, key), {})
    if version:
        found = versions.get(None if version == "null" else version)
    else:
        found = next(reversed(versions.values()), None)
    return None if isinstance(found, (DeleteMarker, Unknown)) else found


def keep_object(
    call: ServiceCall, bucket: str, key: str, answer: Mapping[str, Any], *, is_latest: bool
) -> Encryption | None:
    """Return how the object in an answer of the store is encrypted; None if that is unknown.

    An object that the mock has not seen stored under KMS gets a data key. answer: of GetObject or
    HeadObject. is_latest: whether it is about the latest version.
    """
    state, version = buckets_of(call), version_of(answer)
    name, etag = (bucket, key, version), answer.get("ETag")
    known = state.objects.get((bucket, key), {}).get(version)
    if (
        known is not None
        and not isinstance(known, (DeleteMarker, Unknown))
        and state.etags.get(name) in (None, etag)
        and _agrees(call, known, answer)
    ):
        return known
    made = _encrypt_unrecorded(call, bucket, key, answer)
    stored = Unknown() if made is None else made
    state.put_version(bucket, key, version, stored, etag, is_latest=is_latest)
    return made


def _agrees(call: ServiceCall, known: Encryption, answer: Mapping[str, Any]) -> bool:
    """Return whether what the mock knows can be what the store says."""
    is_kms = answer.get("ServerSideEncryption") in KMS_ALGORITHMS
    key_id = answer.get("SSEKMSKeyId")
    if not isinstance(known, SseKms):
        return not is_kms
    if not is_kms or not key_id or resource_of(key_id).startswith(ALIAS_PREFIX):
        return True  # An alias may name another key by now.
    key = find_key(call.backend, key_id, call.account, known.region)
    return key is not None and key.arn == known.key_arn


def _encrypt_unrecorded(
    call: ServiceCall, bucket: str, key: str, answer: Mapping[str, Any]
) -> Encryption | None:
    """Return the encryption of an object that was stored unrecorded; None without a known key."""
    if "SSECustomerKeyMD5" in answer:
        return SseC(answer["SSECustomerKeyMD5"])
    algorithm = answer.get("ServerSideEncryption")
    if algorithm not in KMS_ALGORITHMS:
        return None
    region = region_of(call, bucket)
    kms_key = find_key(call.backend, answer.get("SSEKMSKeyId") or MANAGED_KEY, call.account, region)
    if kms_key is None:
        return None
    has_bucket_key, arn = bool(answer.get("BucketKeyEnabled")), bucket_arn(call, bucket)
    context = {CONTEXT_ARN: arn if has_bucket_key else f"{arn}/{key}"}
    ciphertext = encrypt_data_key(call.backend, kms_key, context)
    return SseKms(str(algorithm), kms_key.arn, context, ciphertext, has_bucket_key, region)


def _parse(name: str) -> tuple[str, str, str]:
    """Return bucket, key and version id from what a reader calls an object."""
    path, _, version = name.removeprefix(_BUCKET).partition("?versionId=")
    bucket, _, key = path.partition("/")
    return bucket, unquote(key), version


def _head(name: str) -> Mapping[str, Any]:
    bucket, key, version = _parse(name)
    return {"Bucket": bucket, "Key": key, **({"VersionId": version} if version else {})}


def _keep_found(call: ServiceCall, name: str, answer: Mapping[str, Any]) -> None:
    bucket, key, version = _parse(name)
    keep_object(call, bucket, key, answer, is_latest=not version)


def _forget_object(call: ServiceCall, name: str) -> None:
    bucket, key, version = _parse(name)
    state = buckets_of(call)
    versions = state.objects.get((bucket, key), {})
    if version or not versions:
        state.remove_version(bucket, key, None if version in ("", "null") else version)
    elif not isinstance(next(reversed(versions.values())), DeleteMarker):
        state.remove_version(bucket, key, next(reversed(versions)))


_OBJECTS = StoreReader(
    "s3", "HeadObject", _head, ("404", "NoSuchKey", "NoSuchBucket"), _keep_found, _forget_object
)
