"""What was stored while nobody watched, whose KMS side is therefore unknown."""

from __future__ import annotations

import warnings


def warn_unseen(what: str) -> None:
    """Tell that something encrypted is given back without KMS. what: such as the ARN of it."""
    warnings.warn(
        f"{what} is encrypted, but was not stored while this mock of KMS was active: it is given "
        "back without a call of KMS. Store it inside of the mock to have its key checked.",
        stacklevel=2,
    )
