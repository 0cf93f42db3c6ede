"""The environment variables that let AWS clients be made without any configuration."""

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


#: Those of the mocks that are active, the innermost last.
_entered: list[Environment] = []


class Environment:
    """What a mock sets in the environment, and what was there before.

    Only what is missing is set: dummy credentials if none are configured, the Region likewise;
    the instance metadata service is always switched off.

    region_set: the Region that it has set, if any. before: what it has to put back.
    """

    def __init__(self, region: str) -> None:
        self._region = region
        self.region_set: str | None = None
        self.before: dict[str, str | None] = {}

    def enter(self) -> None:
        """Set what is missing."""
        environ = os.environ
        settings = _file_settings()
        wanted = {"AWS_EC2_METADATA_DISABLED": "true"}
        if not (
            any(environ.get(name) for name in _CREDENTIAL_VARIABLES)
            or any(name in settings for name in _CREDENTIAL_SETTINGS)
        ):
            wanted["AWS_ACCESS_KEY_ID"] = wanted["AWS_SECRET_ACCESS_KEY"] = _DUMMY
        configured = environ.get("AWS_DEFAULT_REGION") or settings.get("region")
        # What a mock around this one has set is not for this one.
        if not configured or any(configured == entered.region_set for entered in _entered):
            wanted["AWS_DEFAULT_REGION"] = environ.get("AWS_REGION") or self._region
        self.before = {name: environ.get(name) for name in wanted}
        environ.update(wanted)
        self.region_set = wanted.get("AWS_DEFAULT_REGION")
        _entered.append(self)

    def exit(self) -> None:
        """Put everything back exactly as it was, once those that were entered later are left."""
        before, self.before = self.before, {}
        place = _entered.index(self)
        del _entered[place]
        if place < len(_entered):
            _entered[place].before.update(before)
            return
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        if before.get("AWS_ACCESS_KEY_ID", _DUMMY) is None:
            _forget_dummy_credentials()


def _file_settings() -> dict[str, str]:
    """Read what AWS's configuration files say about the default profile."""
    import configparser

    settings: dict[str, str] = {}
    profile = os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE") or "default"
    for variable, default in (
        ("AWS_CONFIG_FILE", "~/.aws/config"),
        ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
    ):
        path = os.environ.get(variable) or default
        file = os.path.expanduser(path)  # noqa: PTH111 - Path fails where there is no home
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
    """Let boto3's default session look for credentials anew; it keeps what it once found."""
    boto3 = sys.modules.get("boto3")
    session = getattr(boto3, "DEFAULT_SESSION", None)
    core = getattr(session, "_session", None)
    credentials = getattr(core, "_credentials", None)
    if core is not None and getattr(credentials, "access_key", None) == _DUMMY:
        core._credentials = None  # noqa: SLF001 - there is no public way
