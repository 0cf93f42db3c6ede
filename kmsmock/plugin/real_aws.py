"""The block of requests to AWS in a run of pytest, from the loading of the plugin on.

If pytest is the program, the block lasts until the interpreter exits, so that handlers of `atexit`
and threads that go on after the run do not reach AWS. A program that calls ``pytest.main()`` gets
its KMS back when that returns.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FrameType
from typing import Any

import pytest

from kmsmock.plugin.configuration import ALLOW_REAL
from kmsmock.process.block_settings import BlockSetting, MarkSetting, RunSetting
from kmsmock.process.real_aws_block import (
    add_block_setting,
    get_run_setting,
    remove_block_setting,
)


def say_what_is_blocked() -> str:
    """Return what the run blocks, for its header."""
    setting = get_run_setting()
    assert setting is not None
    if setting.allows_all or not (setting.kms or setting.aws):
        return "real KMS allowed"
    if not setting.aws:
        return "real KMS blocked"
    return "real AWS blocked" if setting.kms else "real AWS blocked, but not KMS"


def block_real_aws(manager: pytest.PytestPluginManager) -> None:
    """Block requests to AWS as the run is configured, and register the hooks that need this.

    Called while the plugin is loaded, when its command-line and ini options have been added.
    """
    config = manager.get_plugin("pytestconfig")
    assert isinstance(config, pytest.Config)
    manager.register(_RealAWS(config), "kmsmock real AWS")


def blocking_as(marks: Mapping[str, Any]) -> AbstractContextManager[None]:
    """Block requests as the marks of a test say, while it runs in the block."""
    setting = MarkSetting.read(marks)
    return nullcontext() if setting is None else _blocking(setting)


@contextmanager
def _blocking(setting: BlockSetting) -> Iterator[None]:
    add_block_setting(setting)
    try:
        yield
    finally:
        remove_block_setting(setting)


class _RealAWS:
    """The hooks about the block of a run."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._is_nested = get_run_setting() is not None
        self._setting = RunSetting()
        self._read()
        add_block_setting(self._setting)
        config.add_cleanup(self._end)

    def _read(self) -> None:
        """Read the options as far as pytest knows them: at first all are blocked."""
        config, setting = self._config, self._setting
        if not hasattr(config, "known_args_namespace"):
            return  # pytest has not read its configuration; getini would remember a wrong value
        setting.allows_all = _is_real_aws_allowed(config)
        try:
            setting.kms = config.getini("kms_block_real_kms") is not False
            # Unless it is configured, what is around the run applies.
            aws = config.getini("kms_block_real_aws")
            setting.aws = aws if isinstance(aws, bool) else None
        except (TypeError, ValueError, pytest.UsageError):
            setting.kms = setting.aws = True  # the value is invalid: the run ends with an error

    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(self) -> None:
        """Read the options again, before the first conftest is imported."""
        self._read()

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self) -> None:
        """Read the options again, of which pytest knows all now."""
        self._read()

    @pytest.hookimpl(wrapper=True)
    def pytest_collection(self) -> Iterator[None]:
        """Note for messages that tests are collected."""
        self._setting.phase = "while pytest collected the tests"
        try:
            return (yield)
        finally:
            self._setting.phase = "while pytest ran, but no test did"

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Note for messages that the run ends."""
        self._setting.phase = "at the end of the run of pytest"

    def _end(self) -> None:
        """End the block, also if pytest could not be configured, unless pytest is the program."""
        self._setting.phase = "after the run of pytest"
        is_worker = hasattr(self._config, "workerinput")  # of pytest-xdist
        if self._is_nested or not (is_worker or _is_pytest_the_program()):
            remove_block_setting(self._setting)


def _is_real_aws_allowed(config: pytest.Config) -> bool:
    known = config.known_args_namespace
    if hasattr(known, "kms_allow_real"):
        return bool(known.kms_allow_real)
    # pytest has read its options before this one was added, and reads them again later.
    environment = shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))
    return ALLOW_REAL in [*environment, *config.getini("addopts"), *config.invocation_params.args]


def _is_pytest_the_program() -> bool:
    """Return whether pytest was started as ``pytest`` or ``python -m pytest``.

    Not by a function for that, since there is none: by the callers of the function `pytest.main`.
    """
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - inspect would be slow
    while frame is not None and not _is_of_pytest(frame, "main"):
        frame = frame.f_back
    while frame is not None and _is_of_pytest(frame, "main"):
        if _is_of_pytest(frame, "console_main"):
            return True
        frame = frame.f_back
    return False


def _is_of_pytest(frame: FrameType, suffix: str) -> bool:
    """Return whether a function is one of those of pytest that start runs, such as `_main`."""
    is_of_pytest = frame.f_globals.get("__name__") == "_pytest.config"
    return is_of_pytest and frame.f_code.co_name.endswith(suffix)
