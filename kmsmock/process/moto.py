"""Getting along with moto, when it is active too."""

from __future__ import annotations

import sys

#: What moto was told, to be taken back.
_told_moto: list[list[str]] = []


def moto_answers() -> bool:
    """Tell whether moto is active."""
    models = sys.modules.get("moto.core.models")
    stubber = getattr(models, "botocore_stubber", None)
    return bool(stubber is not None and stubber.enabled)


def keep_moto_out() -> None:
    """Tell an active moto, by its own configuration, that KMS is answered elsewhere."""
    if not moto_answers():
        return
    config = sys.modules["moto.core.config"].default_user_config
    services = (
        config.setdefault("core", {}).setdefault("passthrough", {}).setdefault("services", [])
    )
    if "kms" not in services:
        services.append("kms")
        _told_moto.append(services)


def let_moto_in() -> None:
    """Take back what moto was told."""
    while _told_moto:
        _told_moto.pop().remove("kms")
