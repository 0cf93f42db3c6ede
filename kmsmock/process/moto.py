"""Let moto pass KMS requests through while a mock is active, too."""

from __future__ import annotations

import sys
from typing import Any

#: Lists of moto's configuration to which ``kms`` was added.
_changed_lists: list[list[str]] = []


def is_moto_active() -> bool:
    """Return whether moto is active."""
    models = sys.modules.get("moto.core.models")
    stubber = getattr(models, "botocore_stubber", None)
    return bool(stubber is not None and stubber.enabled)


def answer_by_moto(request: Any) -> Any:
    """Return the response of an active moto to a request; None if it is not to answer.

    For clients that were created before moto was imported, and so without its event handler.
    request: the prepared request.
    """
    if not is_moto_active():
        return None
    return sys.modules["moto.core.models"].botocore_stubber("before-send", request)


def keep_moto_out() -> None:
    """Configure an active moto to pass KMS requests through (``core.passthrough.services``)."""
    if not is_moto_active():
        return
    config = sys.modules["moto.core.config"].default_user_config
    services = (
        config.setdefault("core", {}).setdefault("passthrough", {}).setdefault("services", [])
    )
    if "kms" not in services:
        services.append("kms")
        _changed_lists.append(services)


def let_moto_in() -> None:
    """Restore moto's configuration."""
    while _changed_lists:
        services = _changed_lists.pop()
        if "kms" in services:  # the test can have changed the list, too
            services.remove("kms")
