"""Whatever asks moto's KMS gets that of the mock; see `moto_kms` and `moto_stacks`."""

from __future__ import annotations

import sys

from kmsmock.process.moto_changes import warn_moved

_is_installed: list[bool] = []


def install() -> None:
    """Bridge moto's KMS, if moto is imported; a second call has no effect.

    Where a newer moto has moved what this replaces, it warns once, and the rest works.
    """
    if _is_installed or "moto.core.models" not in sys.modules:
        return
    _is_installed.append(True)
    # Not before a mock needs them: they import much of this package.
    from kmsmock.interception import moto_kms, moto_stacks

    try:
        moto_kms.install()
    except (ImportError, AttributeError) as moved:
        effect = "lets moto's services use moto's KMS, which has other keys"
        warn_moved(moved, effect)
        return
    try:
        moto_stacks.install()
    except (ImportError, AttributeError) as moved:
        warn_moved(moved, "lets stacks make keys in moto's KMS")
