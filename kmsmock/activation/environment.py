"""The environment variables by which AWS clients can be created without any configuration."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_DUMMY = "testing"
_CREDENTIAL_VARIABLES = (
    *("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    *("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
)
_CREDENTIAL_SETTINGS = (
    *("aws_access_key_id", "credential_process", "credential_source", "role_arn"),
    *("sso_session", "sso_start_url", "web_identity_token_file", "login_session"),
)


#: The environments of the active mocks, the innermost last.
_entered: list[Environment] = []


class Environment:
    """The environment variables that a mock sets, and their values from before.

    Dummy credentials and the Region are set only if none are configured; the instance metadata
    service is always disabled.

    region_set: the Region that was set, if any. before: the values to restore.
    """

    def __init__(self, region: str) -> None:
        self._region = region
        self.region_set: str | None = None
        self.before: dict[str, str | None] = {}

    def enter(self) -> None:
        """Set the variables."""
        environ = os.environ
        settings = _read_file_settings()
        wanted = {"AWS_EC2_METADATA_DISABLED": "true"}
        if not (
            any(environ.get(name) for name in _CREDENTIAL_VARIABLES)
            or any(name in settings for name in _CREDENTIAL_SETTINGS)
        ):
            wanted["AWS_ACCESS_KEY_ID"] = wanted["AWS_SECRET_ACCESS_KEY"] = _DUMMY
        configured = environ.get("AWS_DEFAULT_REGION") or settings.get("region")
        # A Region set by an outer mock is not a configured one.
        if not configured or any(configured == entered.region_set for entered in _entered):
            wanted["AWS_DEFAULT_REGION"] = environ.get("AWS_REGION") or self._region
        self.before = {name: environ.get(name) for name in wanted}
        environ.update(wanted)
        self.region_set = wanted.get("AWS_DEFAULT_REGION")
        _entered.append(self)

    def exit(self) -> None:
        """Restore the variables; if inner environments are left later, the last one does it."""
        before, self.before = self.before, {}
        index = _entered.index(self)
        del _entered[index]
        if index < len(_entered):
            _entered[index].before.update(before)
            return
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        if before.get("AWS_ACCESS_KEY_ID", _DUMMY) is None:
            _forget_dummy_credentials()


def _read_file_settings() -> dict[str, str]:
    """Read the settings of the default profile from AWS's configuration files."""
    import configparser

    settings: dict[str, str] = {}
    profile = os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE") or "default"
    for variable, default in (
        ("AWS_CONFIG_FILE", "~/.aws/config"),
        ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
    ):
        path = os.environ.get(variable) or default
        file = os.path.expanduser(path)  # noqa: PTH111 - Path raises without a home directory
        if not os.path.isfile(file):  # noqa: PTH113
            continue
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read_string(Path(file).read_text(encoding="utf-8"))
        except (configparser.Error, OSError, UnicodeDecodeError):
            continue
        for section in (profile, f"profile {profile}"):
            if parser.has_section(section):
                settings.update(parser.items(section))
    return settings


def _forget_dummy_credentials() -> None:
    """Remove dummy credentials from boto3's default session, which caches what it has found."""
    boto3 = sys.modules.get("boto3")
    session = getattr(boto3, "DEFAULT_SESSION", None)
    core = getattr(session, "_session", None)
    credentials = getattr(core, "_credentials", None)
    if core is not None and getattr(credentials, "access_key", None) == _DUMMY:
        core._credentials = None  # noqa: SLF001 - there is no public attribute
