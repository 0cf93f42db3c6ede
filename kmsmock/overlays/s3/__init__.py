"""Server-side encryption of Amazon S3 with keys of KMS.

Source: Amazon S3 User Guide, "Using server-side encryption with AWS KMS keys (SSE-KMS)" and
"Reducing the cost of SSE-KMS with Amazon S3 Bucket Keys".
"""

from __future__ import annotations

from kmsmock.overlays.s3 import buckets, multipart, notifications, objects
from kmsmock.services.beside import BesideStore
from kmsmock.services.kms_errors import ErrorTemplate

BESIDE = BesideStore(
    {
        **buckets.OPERATIONS,
        **notifications.OPERATIONS,
        **objects.OPERATIONS,
        **multipart.OPERATIONS,
    },
    {
        "AccessDeniedException": ErrorTemplate("AccessDenied", "{text}", status=403),
        "*": ErrorTemplate("KMS.{code}", "{text}"),
    },
)
