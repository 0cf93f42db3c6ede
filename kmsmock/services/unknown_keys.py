"""Encrypted resources whose key is unknown, because they were stored before the mock was active."""

from __future__ import annotations

from kmsmock.misuse.caller_warnings import warn_caller


def warn_unknown_key(resource: str) -> None:
    """Warn that an encrypted resource is returned without a call to KMS.

    resource: names it, such as by its ARN.
    """
    warn_caller(
        f"{resource} is encrypted, but this mock of KMS does not know with which key: it was "
        "stored before the mock was active, or since the checkpoint that was restored. It is "
        "returned without a call to KMS. Store it while the mock is active to check its key."
    )
