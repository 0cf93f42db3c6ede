"""How S3 objects and buckets are encrypted, which the store that answers S3 does not know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

from kmsmock.services.data_key_cache import DataKeyCache
from kmsmock.services.registry import ServiceCall
from kmsmock.services.store_reader import StoredElsewhere

#: How long S3 uses a bucket key before it calls KMS again. AWS says "time-limited".
BUCKET_KEY_LIFETIME = timedelta(minutes=5)
#: The algorithm with two layers of encryption, and all that use KMS.
DSSE = "aws:kms:dsse"
KMS_ALGORITHMS = ("aws:kms", DSSE)
MANAGED_KEY = "alias/aws/s3"
#: The name of the ARN in encryption contexts.
CONTEXT_ARN = "aws:s3:arn"


@dataclass(frozen=True, slots=True)
class SseS3:
    """An object that is encrypted with a key of S3 (SSE-S3)."""

    def response_members(self) -> dict[str, Any]:
        """Return the members of answers that describe the encryption."""
        return {"ServerSideEncryption": "AES256"}


@dataclass(frozen=True, slots=True)
class SseC:
    """An object that is encrypted with a key that the customer provides (SSE-C).

    key_md5: the MD5 digest of the key, in base64.
    """

    key_md5: str

    def response_members(self) -> dict[str, Any]:
        """Return the members of answers that describe the encryption."""
        return {"SSECustomerAlgorithm": "AES256", "SSECustomerKeyMD5": self.key_md5}


@dataclass(frozen=True, slots=True)
class DeleteMarker:
    """A delete marker, as the latest version of a deleted object."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A version of an object that needs no key of this KMS, as far as the mock knows."""


@dataclass(frozen=True, slots=True)
class SseKms:
    """An object that is encrypted with a KMS key (SSE-KMS or DSSE-KMS)."""

    #: The value of ``ServerSideEncryption``.
    algorithm: str
    key_arn: str
    #: The encryption context of the data key.
    context: Mapping[str, str]
    #: The ciphertext of the object's data key, or of the bucket key.
    data_key: bytes
    has_bucket_key: bool
    #: The Region of the bucket.
    region: str
    #: ``SSEKMSEncryptionContext`` of the request; None without one.
    requested_context: str | None = None

    def response_members(self) -> dict[str, Any]:
        """Return the members of answers that describe the encryption."""
        members: dict[str, Any] = {
            "ServerSideEncryption": self.algorithm,
            "SSEKMSKeyId": self.key_arn,
        }
        if self.has_bucket_key:
            members["BucketKeyEnabled"] = True
        return members


Encryption = SseS3 | SseC | SseKms


class DefaultEncryption(NamedTuple):
    """The default encryption of a bucket.

    key_id: as in the request; None for the AWS managed key.
    """

    algorithm: str = "AES256"
    key_id: str | None = None
    has_bucket_key: bool = False


@dataclass(slots=True)
class Buckets(StoredElsewhere):
    """The encryption of buckets, objects and multipart uploads."""

    #: Name of a bucket -> its Region.
    regions: dict[str, str] = field(default_factory=dict)
    #: Name of a bucket -> its default encryption.
    defaults: dict[str, DefaultEncryption] = field(default_factory=dict)
    #: (bucket, key) -> version id -> how the version is encrypted; the latest version last.
    objects: dict[tuple[str, str], dict[str | None, Encryption | DeleteMarker | Unknown]] = field(
        default_factory=dict
    )
    #: (bucket, key, version id) -> the ETag, to notice that the store has another object.
    etags: dict[tuple[str, str, str | None], str] = field(default_factory=dict)
    #: Upload id of a multipart upload -> how the object will be encrypted.
    uploads: dict[str, Encryption] = field(default_factory=dict)
    bucket_keys: DataKeyCache = field(default_factory=DataKeyCache)

    def put_version(
        self,
        bucket: str,
        key: str,
        version: str | None,
        encryption: Encryption | DeleteMarker | Unknown,
        etag: str | None = None,
        *,
        is_latest: bool = True,
    ) -> None:
        """Record how a version of an object is encrypted. etag: None if it is not known."""
        versions = self.objects.setdefault((bucket, key), {})
        versions.pop(version, None)  # so that it is inserted as the last one
        if is_latest:
            versions[version] = encryption
        else:
            self.objects[bucket, key] = {version: encryption, **versions}
        self.etags.pop((bucket, key, version), None)
        if etag is not None:
            self.etags[bucket, key, version] = etag

    def remove_version(self, bucket: str, key: str, version: str | None) -> None:
        """Remove a version of an object that is deleted permanently."""
        self.objects.get((bucket, key), {}).pop(version, None)
        self.etags.pop((bucket, key, version), None)

    def remove_bucket(self, name: str) -> None:
        """Remove a bucket that is gone, with its objects."""
        self.regions.pop(name, None)
        self.defaults.pop(name, None)
        self.bucket_keys.forget(f"arn:aws:s3:::{name}")
        self.objects = {each: found for each, found in self.objects.items() if each[0] != name}
        self.etags = {each: found for each, found in self.etags.items() if each[0] != name}


def version_of(members: Mapping[str, Any]) -> str | None:
    """Return the version id in an answer or a request; None for the null version."""
    version: str | None = members.get("VersionId")
    return None if version == "null" else version


def bucket_arn(call: ServiceCall, name: str) -> str:
    """Return the ARN of a bucket."""
    return call.arn("s3", name, region="", account="")


def buckets_of(call: ServiceCall) -> Buckets:
    """Return the state of S3 in a mock."""
    return call.backend.service_state(Buckets)
