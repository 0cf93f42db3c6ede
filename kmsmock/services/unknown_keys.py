"""Encrypted resources whose key is unknown, because the mock has not seen them stored."""

from __future__ import annotations

from kmsmock.process.repeated_warnings import warn_once


def warn_unknown_key(resource: str) -> None:
    """Warn once that an encrypted resource is returned without a call to KMS.

    resource: names it, such as by its ARN.
    """
    warn_once(
        f"{resource} is encrypted, but this mock of KMS does not have its key: it was stored while "
        "the mock was not active, or since the checkpoint that was restored, under a key of "
        "another KMS, or whoever stores it does not say under which. It is returned without a call "
        "to KMS. Store it while the mock is active to check its key."
    )
