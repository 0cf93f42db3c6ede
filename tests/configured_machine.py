"""A machine on which nothing is configured for AWS, but for what a test configures."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

import boto3
import pytest


class Machine:
    """The environment variables and configuration files of AWS, and boto3's default session."""

    def __init__(self, patch: pytest.MonkeyPatch, folder: Path) -> None:
        self._patch = patch
        self.folder = folder
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        self.use_files("machine")
        patch.setattr(boto3, "DEFAULT_SESSION", None)

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
