"""Objects: what is encrypted when it is put, and opened when it is got or copied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from kmsmock.overlays.registry import Handler, Steps
from kmsmock.overlays.s3.encryption import WITH_KMS, encrypt, open_, show
from kmsmock.overlays.s3.stored import Encrypted, buckets_of, version_in
from kmsmock.overlays.unseen import warn_unseen
from kmsmock.services.registry import ServiceCall


def _put(call: ServiceCall) -> Steps:
    bucket, key = call.parameters["Bucket"], call.parameters["Key"]
    encrypted = encrypt(call, bucket, key)
    answer = yield
    buckets_of(call).keep(bucket, key, answer, encrypted)
    if "SSECustomerAlgorithm" not in call.parameters:
        show(answer, encrypted, with_context=True)


def _copy(call: ServiceCall) -> Steps:
    bucket, key = call.parameters["Bucket"], call.parameters["Key"]
    open_source(call)
    encrypted = encrypt(call, bucket, key)
    answer = yield
    buckets_of(call).keep(bucket, key, answer, encrypted)
    show(answer, encrypted, with_context=True)


def _get(call: ServiceCall) -> Steps:
    answer = yield
    encrypted = _found(call, answer)
    if encrypted is not None:
        open_(call, encrypted)
        show(answer, encrypted)


def _head(call: ServiceCall) -> Steps:
    answer = yield
    encrypted = _found(call, answer)
    if encrypted is not None:
        show(answer, encrypted)


def _delete(call: ServiceCall) -> Steps:
    version = version_in(call.parameters)
    yield
    place = (call.parameters["Bucket"], call.parameters["Key"])
    buckets_of(call).objects.get(place, {}).pop(version, None)


def _found(call: ServiceCall, answer: Mapping[str, Any]) -> Encrypted | None:
    """Find how the object of an answer is encrypted; None without KMS."""
    bucket, key = call.parameters["Bucket"], call.parameters["Key"]
    encrypted = buckets_of(call).objects.get((bucket, key), {}).get(version_in(answer))
    if encrypted is None and answer.get("ServerSideEncryption") in WITH_KMS:
        warn_unseen(f"s3://{bucket}/{key}")
    return encrypted


def open_source(call: ServiceCall) -> None:
    """Open what is copied from."""
    source = call.parameters["CopySource"]
    if isinstance(source, str):
        path, _, version = source.partition("?versionId=")
        bucket, _, key = unquote(path).lstrip("/").partition("/")
    else:
        bucket, key, version = source["Bucket"], source["Key"], source.get("VersionId")
    versions = buckets_of(call).objects.get((bucket, key), {})
    latest = next(reversed(versions.values()), None)
    encrypted = versions.get(version) if version else latest
    if encrypted is not None:
        open_(call, encrypted)


OPERATIONS: Mapping[str, Handler] = {
    "PutObject": _put,
    "CopyObject": _copy,
    "GetObject": _get,
    "HeadObject": _head,
    "DeleteObject": _delete,
}
