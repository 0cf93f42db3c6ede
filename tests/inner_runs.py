"""Runs of pytest inside a test, in this process: without a new interpreter and its imports.

pytester makes Python forget all modules that such a run has loaded, so that the next run loads them
again; moto and cryptography cannot be loaded twice. Here only the run's own modules are forgotten.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import inspect
import io
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import PathDistribution
from pathlib import Path
from types import ModuleType
from typing import Any

import _pytest.pytester
import pytest
from _pytest import unraisableexception
from _pytest.fixtures import FixtureManager
from _pytest.pytester import SysModulesSnapshot, SysPathsSnapshot


class SnapshotOfTests(SysModulesSnapshot):
    """What to go back to after a run, but for modules that no test has written."""

    def __init__(self, preserve: Callable[[str], bool] | None = None) -> None:
        super().__init__(preserve)
        self._before = dict(sys.modules)

    def restore(self) -> None:
        """Forget the modules of the run, and have those back that it has replaced."""
        modules = sys.modules
        for name in [name for name, module in modules.items() if self._is_new(name, module)]:
            del modules[name]
        for name, module in self._before.items():
            modules.setdefault(name, module)

    def _is_new(self, name: str, module: object) -> bool:
        return module is not self._before.get(name) and _is_of_a_test(
            getattr(module, "__file__", None) or ""
        )


def _is_of_a_test(path: str) -> bool:
    return path.startswith(_TEMPORARY) and not path.startswith(_INSTALLED)


_TEMPORARY = tempfile.gettempdir()
#: Folders that can be temporary, too.
_INSTALLED = (str(Path(__file__).parents[1]), sys.prefix, sys.base_prefix)


#: Options of all runs inside of tests: they run in order, and leave nothing in their folders.
OPTIONS = ("-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:hypothesispytest")


def install() -> None:
    """Let runs of pytester have the same options, and keep all modules but those of tests.

    No run reads an installed package twice.
    """
    _pytest.pytester.SysModulesSnapshot = SnapshotOfTests
    for name in ("runpytest_inprocess", "runpytest_subprocess"):
        setattr(pytest.Pytester, name, _with_options(getattr(pytest.Pytester, name)))
    importlib.metadata.distributions = _read_once(importlib.metadata.distributions)
    FixtureManager.parsefactories = _skip_without_fixtures(FixtureManager.parsefactories)
    manager = pytest.PytestPluginManager
    manager.parse_hookimpl_opts = _find_hooks_once(manager.parse_hookimpl_opts)


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


def _skip_without_fixtures(parse: Callable[..., None]) -> Callable[..., None]:
    """Let runs not look for fixtures in installed plugins that have none."""

    @functools.wraps(parse)
    def parse_where_fixtures_are(self: Any, *arguments: Any, **more: Any) -> None:
        holder = more["holder"] if "holder" in more else arguments[0]
        is_plugin = not isinstance(holder, (pytest.Item, pytest.Collector, type))
        place = holder if isinstance(holder, ModuleType) else type(holder)
        if not is_plugin or _may_have_fixtures(place):
            parse(self, *arguments, **more)

    return parse_where_fixtures_are


def _find_hooks_once(parse: Callable[..., Any]) -> Callable[..., Any]:
    """Let runs not look again which members of an installed plugin are hooks."""

    known: dict[tuple[object, str], Any] = {}

    @functools.wraps(parse)
    def parse_once(self: Any, plugin: Any, name: str) -> Any:
        place = plugin if isinstance(plugin, ModuleType) else type(plugin)
        if not _is_installed(place) or not hasattr(place, name):
            return parse(self, plugin, name)
        if (place, name) not in known:
            known[place, name] = parse(self, plugin, name)
        options = known[place, name]
        return options and dict(options)

    return parse_once


@functools.cache
def _is_installed(place: ModuleType | type) -> bool:
    module = place if isinstance(place, ModuleType) else sys.modules.get(place.__module__)
    path = getattr(module, "__file__", None)
    return path is not None and not _is_of_a_test(path)


@functools.cache
def _may_have_fixtures(place: ModuleType | type) -> bool:
    """Return whether a plugin has fixtures, or was written by a test. place: module or class."""
    if not _is_installed(place):
        return True
    members = [member for each in getattr(place, "__mro__", (place,)) for member in vars(each)]
    return any(_is_fixture(inspect.getattr_static(place, member)) for member in members)


def _is_fixture(member: object) -> bool:
    is_function = "_pytestfixturefunction" in getattr(member, "__dict__", ())  # before pytest 8.4
    return is_function or type(member).__name__ == "FixtureFunctionDefinition"


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
