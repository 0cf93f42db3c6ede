"""What was stored while nobody watched, whose KMS side is therefore unknown."""

from __future__ import annotations

import warnings


def warn_unseen(what: str) -> None:
    """Tell that something encrypted is given back without KMS. what: such as the ARN of it."""
    warnings.warn(
        f"{what} is encrypted, but this mock of KMS does not know how: it was stored before the "
        "mock was active, or since the checkpoint that was restored. It is given back without a "
        "call of KMS. Store it inside of the mock to have its key checked.",
        stacklevel=2,
    )
