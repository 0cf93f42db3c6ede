"""A machine on which nothing is configured for AWS, but for what a test configures."""

from __future__ import annotations

import functools
import os
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest

from kmsmock.process.active_mocks import get_answering

#: The profile that AWS_PROFILE names; there may be none of this name.
_PROFILE = os.environ.get("AWS_PROFILE")


def install() -> None:
    """Let tests and their modules create clients outside of mocks with any AWS_PROFILE.

    While a mock answers, it is the mock that does without a profile that is missing.
    """
    session: Any = botocore.session.Session
    build = session._build_profile_map

    @functools.wraps(build)
    def build_with_profile(self: Any) -> Mapping[str, Any]:
        profiles: Mapping[str, Any] = build(self)
        if _PROFILE is None or get_answering() is not None:
            return profiles
        return {_PROFILE: {}, **profiles}

    session._build_profile_map = build_with_profile


class Machine:
    """The environment variables and configuration files of AWS, and boto3's default session."""

    def __init__(self, patch: pytest.MonkeyPatch, folder: Path) -> None:
        self._patch = patch
        self.folder = folder
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        self.use_files("machine")
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        patch.setattr(f"{__name__}._PROFILE", None)

    def use_files(self, name: str) -> None:
        """Let the variables name other configuration files, which do not exist yet."""
        self.config = self.folder / f"{name}-config"
        self.credentials = self.folder / f"{name}-credentials"
        self.set(AWS_CONFIG_FILE=self.config, AWS_SHARED_CREDENTIALS_FILE=self.credentials)

    def set(self, **variables: object) -> None:
        for name, value in variables.items():
            self._patch.setenv(name, str(value))

    def unset(self, *names: str) -> None:
        for name in names:
            self._patch.delenv(name, raising=False)

    def write_config(self, text: str) -> None:
        self.config.write_text(textwrap.dedent(text))

    def write_credentials(self, text: str) -> None:
        self.credentials.write_text(textwrap.dedent(text))
