"""S3 beside another store: objects are encrypted with KMS keys."""

from __future__ import annotations

from kmsmock.services.beside import BesideStore
from kmsmock.services.s3.beside import buckets, multipart, notifications, objects
from kmsmock.services.s3.kms_use import ERRORS

BESIDE = BesideStore(
    {
        **buckets.OPERATIONS,
        **notifications.OPERATIONS,
        **objects.OPERATIONS,
        **multipart.OPERATIONS,
    },
    ERRORS,
    data_operations=(*objects.OPERATIONS, *multipart.OPERATIONS),
)
