"""Multipart uploads: the data key is made once, and opened for each part.

Source: Amazon S3 User Guide, "Multipart upload API and permissions".
"""

from __future__ import annotations

from collections.abc import Mapping

from kmsmock.overlays.registry import Handler, Steps
from kmsmock.overlays.s3.encryption import encrypt, open_, show
from kmsmock.overlays.s3.objects import open_source
from kmsmock.overlays.s3.stored import Encrypted, buckets_of
from kmsmock.services.registry import ServiceCall


def _create(call: ServiceCall) -> Steps:
    encrypted = encrypt(call, call.parameters["Bucket"], call.parameters["Key"])
    answer = yield
    buckets_of(call).uploads[answer["UploadId"]] = encrypted
    show(answer, encrypted, with_context=True)


def _part(call: ServiceCall) -> Steps:
    encrypted = _open_upload(call)
    answer = yield
    show(answer, encrypted)


def _part_copy(call: ServiceCall) -> Steps:
    open_source(call)
    yield from _part(call)


def _complete(call: ServiceCall) -> Steps:
    encrypted = _open_upload(call)
    answer = yield
    held, upload = buckets_of(call), call.parameters["UploadId"]
    held.uploads.pop(upload, None)
    held.keep(call.parameters["Bucket"], call.parameters["Key"], answer, encrypted)
    show(answer, encrypted)


def _abort(call: ServiceCall) -> Steps:
    yield
    buckets_of(call).uploads.pop(call.parameters["UploadId"], None)


def _open_upload(call: ServiceCall) -> Encrypted | None:
    encrypted = buckets_of(call).uploads.get(call.parameters["UploadId"])
    if encrypted is not None:
        open_(call, encrypted)
    return encrypted


OPERATIONS: Mapping[str, Handler] = {
    "CreateMultipartUpload": _create,
    "UploadPart": _part,
    "UploadPartCopy": _part_copy,
    "CompleteMultipartUpload": _complete,
    "AbortMultipartUpload": _abort,
}
