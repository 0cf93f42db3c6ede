"""What was stored before the mock was active, so that nothing is known of its key."""

from __future__ import annotations

import warnings


def warn_stored_before(what: str) -> None:
    """Warn that something encrypted is given back without KMS. what: such as the ARN of it."""
    warnings.warn(
        f"{what} is encrypted, but this mock of KMS does not know how: it was stored before the "
        "mock was active, or since the checkpoint that was restored. It is given back without a "
        "call of KMS. Store it inside of the mock to have its key checked.",
        stacklevel=2,
    )
