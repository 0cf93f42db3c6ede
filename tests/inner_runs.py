"""Runs of pytest inside a test, in this process: without a new interpreter and its imports.

pytester makes Python forget all modules that such a run has loaded, so that the next run loads them
again; moto and cryptography cannot be loaded twice. Here only the run's own modules are forgotten.
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import _pytest.pytester
import pytest
from _pytest import unraisableexception
from _pytest.pytester import SysModulesSnapshot, SysPathsSnapshot


class SnapshotOfTests(SysModulesSnapshot):
    """What to go back to after a run, but for modules that no test has written."""

    def __init__(self, preserve: Callable[[str], bool] | None = None) -> None:  # noqa: ARG002
        super().__init__(preserve=_is_installed)


def _is_installed(name: str) -> bool:
    file = getattr(sys.modules[name], "__file__", None) or ""
    return not file.startswith(_TEMPORARY)


_TEMPORARY = tempfile.gettempdir()


def keep_installed_modules() -> None:
    """Let pytester keep all modules but those that tests have written."""
    _pytest.pytester.SysModulesSnapshot = SnapshotOfTests


class _NoGarbageCollection:
    """A plugin by which a run ends without a search of the whole process for garbage.

    pytest makes it to find errors of destructors; it takes up to a second in a large process.
    """

    def pytest_configure(self, config: pytest.Config) -> None:
        key = getattr(unraisableexception, "gc_collect_iterations_key", None)
        if key is not None:
            config.stash[key] = 0


def run_pytest(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run pytest in a folder; gives its exit code and what it printed."""
    output = io.StringIO()
    modules, paths = SnapshotOfTests(), SysPathsSnapshot()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(output),
    ):
        patch.chdir(folder)
        code = pytest.main(["-p", "no:cacheprovider", *arguments], plugins=[_NoGarbageCollection()])
    modules.restore()
    paths.restore()
    return int(code), output.getvalue()
