"""Server-side encryption of Amazon S3 with keys of KMS.

Source: Amazon S3 User Guide, "Using server-side encryption with AWS KMS keys (SSE-KMS)" and
"Reducing the cost of SSE-KMS with Amazon S3 Bucket Keys".
"""

from __future__ import annotations

from kmsmock.overlays.registry import Overlay, Refusal
from kmsmock.overlays.s3 import buckets, multipart, notifications, objects

OVERLAY = Overlay(
    {
        **buckets.OPERATIONS,
        **notifications.OPERATIONS,
        **objects.OPERATIONS,
        **multipart.OPERATIONS,
    },
    {
        "AccessDeniedException": Refusal("AccessDenied", "{text}", status=403),
        "*": Refusal("KMS.{code}", "{text}"),
    },
)
