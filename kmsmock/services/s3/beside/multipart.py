"""Multipart uploads: the data key is generated once, and decrypted for each part.

Source: Amazon S3 User Guide, "Multipart upload API and permissions".
"""

from __future__ import annotations

from collections.abc import Mapping

from kmsmock.services.beside import BesideHandler, Steps
from kmsmock.services.registry import ServiceCall
from kmsmock.services.s3.beside.objects import decrypt_source
from kmsmock.services.s3.customer_keys import require_key_of_upload
from kmsmock.services.s3.kms_use import decrypt_data_key, encrypt, set_encryption_members
from kmsmock.services.s3.state import SseC, buckets_of, version_of


def _create_upload(call: ServiceCall) -> Steps:
    encryption = encrypt(call, call.parameters["Bucket"], call.parameters["Key"])
    answer = yield
    buckets_of(call).uploads[answer["UploadId"]] = encryption
    set_encryption_members(answer, encryption, with_context=True)


def _upload_part(call: ServiceCall) -> Steps:
    encryption = buckets_of(call).uploads.get(call.parameters["UploadId"])
    if encryption is not None:
        require_key_of_upload(call, encryption)
        decrypt_data_key(call, encryption)
    answer = yield
    if encryption is not None:
        set_encryption_members(answer, encryption)


def _upload_part_copy(call: ServiceCall) -> Steps:
    decrypt_source(call)
    yield from _upload_part(call)


def _complete_upload(call: ServiceCall) -> Steps:
    state, upload = buckets_of(call), call.parameters["UploadId"]
    encryption = state.uploads.get(upload)
    if encryption is not None:
        decrypt_data_key(call, encryption)
    answer = yield
    if encryption is None:
        return  # The upload was created before the mock was active.
    state.uploads.pop(upload, None)
    bucket, key = call.parameters["Bucket"], call.parameters["Key"]
    state.put_version(bucket, key, version_of(answer), encryption, answer.get("ETag"))
    if isinstance(encryption, SseC):
        answer.pop("ServerSideEncryption", None)  # and the answer has no member for the key
    else:
        set_encryption_members(answer, encryption)


def _abort_upload(call: ServiceCall) -> Steps:
    yield
    buckets_of(call).uploads.pop(call.parameters["UploadId"], None)


OPERATIONS: Mapping[str, BesideHandler] = {
    "CreateMultipartUpload": _create_upload,
    "UploadPart": _upload_part,
    "UploadPartCopy": _upload_part_copy,
    "CompleteMultipartUpload": _complete_upload,
    "AbortMultipartUpload": _abort_upload,
}
