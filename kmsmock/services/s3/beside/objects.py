"""Objects: encrypted when they are put, and decrypted when they are read or copied."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from kmsmock.services.beside import BesideHandler, Steps
from kmsmock.services.kms_errors import CodedError
from kmsmock.services.registry import ServiceCall
from kmsmock.services.s3.customer_keys import require_key_of_object
from kmsmock.services.s3.kms_use import WITH_KMS, decrypt_data_key, encrypt, show_encryption
from kmsmock.services.s3.state import DeleteMarker, Encryption, buckets_of, version_in
from kmsmock.services.unknown_keys import warn_unknown_key


def _put_object(call: ServiceCall) -> Steps:
    bucket, key = call.parameters["Bucket"], call.parameters["Key"]
    encryption = encrypt(call, bucket, key)
    answer = yield
    buckets_of(call).keep(bucket, key, version_in(answer), encryption)
    show_encryption(answer, encryption, with_context=True)


def _copy_object(call: ServiceCall) -> Steps:
    decrypt_source(call)
    yield from _put_object(call)


def _get_object(call: ServiceCall) -> Steps:
    answer = yield
    encryption = _find_encryption(call, answer)
    if encryption is not None:
        require_key_of_object(call.parameters, encryption)
        decrypt_data_key(call, encryption)
        show_encryption(answer, encryption)


def _head_object(call: ServiceCall) -> Steps:
    answer = yield
    encryption = _find_encryption(call, answer)
    if encryption is None:
        return
    try:
        require_key_of_object(call.parameters, encryption)
    except CodedError as refusal:
        # Answers to HEAD have no body that could tell more.
        status, explanation = refusal.status, refusal.message
        raise CodedError(
            str(status), HTTPStatus(status).phrase, status=status, explanation=explanation
        ) from None
    show_encryption(answer, encryption)


def _delete_object(call: ServiceCall) -> Steps:
    answer = yield
    _keep_deletion(call, call.parameters["Key"], call.parameters, answer)


def _delete_objects(call: ServiceCall) -> Steps:
    answer = yield
    failed = {(one["Key"], one.get("VersionId")) for one in answer.get("Errors", ())}
    deleted_entries = {(one["Key"], one.get("VersionId")): one for one in answer.get("Deleted", ())}
    for requested in call.parameters["Delete"]["Objects"]:
        place = (requested["Key"], requested.get("VersionId"))
        if place not in failed:
            deleted = deleted_entries.get(place, {})
            version = deleted.get("DeleteMarkerVersionId")
            _keep_deletion(call, requested["Key"], requested, {**deleted, "VersionId": version})


def _keep_deletion(
    call: ServiceCall, key: str, requested: Mapping[str, Any], answer: Mapping[str, Any]
) -> None:
    """Keep what a deletion has done: a version is gone, or there is a delete marker now."""
    state, bucket = buckets_of(call), call.parameters["Bucket"]
    if "VersionId" in requested or not answer.get("DeleteMarker"):
        state.forget(bucket, key, version_in(requested))
    else:
        state.keep(bucket, key, version_in(answer), DeleteMarker())


def _find_encryption(call: ServiceCall, answer: dict[str, Any]) -> Encryption | None:
    """Find how the object of an answer is encrypted; None for one that was stored before."""
    bucket, key = call.parameters["Bucket"], call.parameters["Key"]
    encryption = buckets_of(call).objects.get((bucket, key), {}).get(version_in(answer))
    if encryption is None or isinstance(encryption, DeleteMarker):
        if answer.get("ServerSideEncryption") in WITH_KMS:
            warn_unknown_key(f"s3://{bucket}/{key}")
        return None
    return encryption


def decrypt_source(call: ServiceCall) -> None:
    """Decrypt the data key of what is copied."""
    source = call.parameters["CopySource"]
    if isinstance(source, str):
        path, _, version = source.partition("?versionId=")
        bucket, _, key = unquote(path).lstrip("/").partition("/")
    else:
        bucket, key, version = source["Bucket"], source["Key"], source.get("VersionId")
    versions = buckets_of(call).objects.get((bucket, key), {})
    latest = next(reversed(versions.values()), None)
    encryption = versions.get(None if version == "null" else version) if version else latest
    if encryption is not None and not isinstance(encryption, DeleteMarker):
        require_key_of_object(call.parameters, encryption, "CopySource")
        decrypt_data_key(call, encryption)


OPERATIONS: Mapping[str, BesideHandler] = {
    "PutObject": _put_object,
    "CopyObject": _copy_object,
    "GetObject": _get_object,
    "HeadObject": _head_object,
    "DeleteObject": _delete_object,
    "DeleteObjects": _delete_objects,
}
