"""Multipart uploads: the data key is made once, and opened for each part.

Source: Amazon S3 User Guide, "Multipart upload API and permissions".
"""

from __future__ import annotations

from collections.abc import Mapping

from kmsmock.overlays.s3.customer_keys import require_key_of_upload
from kmsmock.overlays.s3.encryption import encrypt, open_, show
from kmsmock.overlays.s3.objects import open_source
from kmsmock.overlays.s3.stored import Customers, buckets_of, version_in
from kmsmock.services.beside import BesideHandler, Steps
from kmsmock.services.registry import ServiceCall


def _create(call: ServiceCall) -> Steps:
    encryption = encrypt(call, call.parameters["Bucket"], call.parameters["Key"])
    answer = yield
    buckets_of(call).uploads[answer["UploadId"]] = encryption
    show(answer, encryption, with_context=True)


def _part(call: ServiceCall) -> Steps:
    encryption = buckets_of(call).uploads.get(call.parameters["UploadId"])
    if encryption is not None:
        require_key_of_upload(call.parameters, encryption)
        open_(call, encryption)
    answer = yield
    if encryption is not None:
        show(answer, encryption)


def _part_copy(call: ServiceCall) -> Steps:
    open_source(call)
    yield from _part(call)


def _complete(call: ServiceCall) -> Steps:
    held, upload = buckets_of(call), call.parameters["UploadId"]
    encryption = held.uploads.get(upload)
    if encryption is not None:
        open_(call, encryption)
    answer = yield
    if encryption is None:
        return  # begun unseen
    held.uploads.pop(upload, None)
    bucket, key = call.parameters["Bucket"], call.parameters["Key"]
    held.keep(bucket, key, version_in(answer), encryption)
    if isinstance(encryption, Customers):
        answer.pop("ServerSideEncryption", None)  # and the answer has no member for the key
    else:
        show(answer, encryption)


def _abort(call: ServiceCall) -> Steps:
    yield
    buckets_of(call).uploads.pop(call.parameters["UploadId"], None)


OPERATIONS: Mapping[str, BesideHandler] = {
    "CreateMultipartUpload": _create,
    "UploadPart": _part,
    "UploadPartCopy": _part_copy,
    "CompleteMultipartUpload": _complete,
    "AbortMultipartUpload": _abort,
}
