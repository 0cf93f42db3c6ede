"""What S3 keeps beside objects and buckets, as far as KMS is concerned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

from kmsmock.services.data_key_cache import DataKeyCache
from kmsmock.services.registry import ServiceCall

#: How long S3 works with the key of a bucket before it calls KMS again. AWS says "time-limited".
BUCKET_KEY_LIFETIME = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class SseS3:
    """An object under a key that S3 owns (SSE-S3)."""

    def response_members(self) -> dict[str, Any]:
        """Return the members of answers that describe it."""
        return {"ServerSideEncryption": "AES256"}


@dataclass(frozen=True, slots=True)
class SseC:
    """An object under a key that the customer sends along (SSE-C). key_md5: in base64."""

    key_md5: str

    def response_members(self) -> dict[str, Any]:
        """Return the members of answers that describe it."""
        return {"SSECustomerAlgorithm": "AES256", "SSECustomerKeyMD5": self.key_md5}


@dataclass(frozen=True, slots=True)
class DeleteMarker:
    """The version of an object that was deleted."""


@dataclass(frozen=True, slots=True)
class SseKms:
    """An object under a key of KMS. data_key: the ciphertext of its key, or of its bucket's.

    given_context: the pairs of the one who stored it; None without any.
    """

    algorithm: str
    key_arn: str
    context: Mapping[str, str]
    data_key: bytes
    has_bucket_key: bool
    region: str
    given_context: str | None = None

    def response_members(self) -> dict[str, Any]:
        """Return the members of answers that describe it."""
        members: dict[str, Any] = {
            "ServerSideEncryption": self.algorithm,
            "SSEKMSKeyId": self.key_arn,
        }
        if self.has_bucket_key:
            members["BucketKeyEnabled"] = True
        return members


Encryption = SseS3 | SseC | SseKms


class Default(NamedTuple):
    """The default encryption of a bucket. key_id: as it was given; None for the managed key."""

    algorithm: str = "AES256"
    key_id: str | None = None
    has_bucket_key: bool = False


@dataclass(slots=True)
class Buckets:
    """All that S3 keeps. uploads: by the id of a multipart upload.

    objects: (bucket, key) -> id of the version -> how it is encrypted; the latest version last.
    """

    regions: dict[str, str] = field(default_factory=dict)
    defaults: dict[str, Default] = field(default_factory=dict)
    objects: dict[tuple[str, str], dict[str | None, Encryption | DeleteMarker]] = field(
        default_factory=dict
    )
    uploads: dict[str, Encryption] = field(default_factory=dict)
    bucket_keys: DataKeyCache = field(default_factory=DataKeyCache)

    def keep(
        self,
        bucket: str,
        key: str,
        version: str | None,
        encryption: Encryption | DeleteMarker,
    ) -> None:
        """Keep how the latest version of an object is encrypted."""
        versions = self.objects.setdefault((bucket, key), {})
        versions.pop(version, None)  # which would keep its place
        versions[version] = encryption

    def forget(self, bucket: str, key: str, version: str | None) -> None:
        """Forget a version of an object, which is deleted for good."""
        self.objects.get((bucket, key), {}).pop(version, None)


def version_in(answer: Mapping[str, Any]) -> str | None:
    """Return the version of an object in an answer or a request; None for the only one."""
    version: str | None = answer.get("VersionId")
    return None if version == "null" else version


def bucket_arn(call: ServiceCall, name: str) -> str:
    """Return the ARN of a bucket."""
    return call.arn("s3", name, region="", account="")


def buckets_of(call: ServiceCall) -> Buckets:
    """Return what S3 keeps."""
    return call.backend.service_state(Buckets)
