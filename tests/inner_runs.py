"""Runs of pytest inside a test, in this process: without a new interpreter and its imports.

pytester makes Python forget all modules that such a run has loaded, so that the next run loads them
again; moto and cryptography cannot be loaded twice. Here only the run's own modules are forgotten.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import io
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import PathDistribution
from pathlib import Path
from typing import Any

import _pytest.pytester
import pytest
from _pytest import unraisableexception
from _pytest.pytester import SysModulesSnapshot, SysPathsSnapshot


class SnapshotOfTests(SysModulesSnapshot):
    """What to go back to after a run, but for modules that no test has written."""

    def __init__(self, preserve: Callable[[str], bool] | None = None) -> None:  # noqa: ARG002
        super().__init__(preserve=_is_installed)


def _is_installed(name: str) -> bool:
    return not _is_of_a_test(getattr(sys.modules[name], "__file__", None) or "")


def _is_of_a_test(path: str) -> bool:
    return path.startswith(_TEMPORARY) and not path.startswith(_INSTALLED)


_TEMPORARY = tempfile.gettempdir()
#: Folders that can be temporary, too.
_INSTALLED = (str(Path(__file__).parents[1]), sys.prefix, sys.base_prefix)


#: Options of all runs inside of tests: they run in order, and leave nothing in their folders.
OPTIONS = ("-p", "no:cacheprovider", "-p", "no:randomly")


def install() -> None:
    """Let runs of pytester have the same options, and keep all modules but those of tests.

    No run reads an installed package twice.
    """
    _pytest.pytester.SysModulesSnapshot = SnapshotOfTests
    for name in ("runpytest_inprocess", "runpytest_subprocess"):
        setattr(pytest.Pytester, name, _with_options(getattr(pytest.Pytester, name)))
    importlib.metadata.distributions = _read_once(importlib.metadata.distributions)


def _with_options(run: Callable[..., pytest.RunResult]) -> Callable[..., pytest.RunResult]:
    @functools.wraps(run)
    def run_with_options(self: pytest.Pytester, *arguments: Any, **more: Any) -> pytest.RunResult:
        return run(self, *OPTIONS, *arguments, **more)

    return run_with_options


def forget_outer_options() -> None:
    """Let runs inside of tests not have the options that the environment has for all runs."""
    os.environ.pop("PYTEST_ADDOPTS", None)


# --- installed packages --------------------------------------------------------------------------


class _InstalledPackage(PathDistribution):
    """A package whose metadata is read once; each run looks for plugins in all packages."""

    @functools.cached_property
    def metadata(self) -> Any:
        return super().metadata

    @functools.cached_property
    def entry_points(self) -> Any:
        return super().entry_points

    @functools.cached_property
    def files(self) -> Any:
        return super().files


def _read_once(read: Callable[..., Iterable[Any]]) -> Callable[..., Iterable[Any]]:
    @functools.cache
    def read_folder(folder: str) -> list[Any]:
        packages = list(read(path=[folder]))
        for package in packages:
            if type(package) is PathDistribution:
                package.__class__ = _InstalledPackage
        return packages

    @functools.wraps(read)
    def read_once(**options: Any) -> Iterator[Any]:
        if options:
            yield from read(**options)
            return
        for folder in sys.path:
            if not folder or _is_of_a_test(folder):
                yield from read(path=[folder])
            else:
                yield from read_folder(folder)

    return read_once


# --- runs ----------------------------------------------------------------------------------------


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
        code = pytest.main([*OPTIONS, *arguments], plugins=[_NoGarbageCollection()])
    modules.restore()
    paths.restore()
    return int(code), output.getvalue()
