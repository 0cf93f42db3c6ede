"""Running tests with a mutant, each in a process of its own that is forked from this one.

Here all is imported that tests need, but nothing of the package; the fork imports it with the
changed module. So a trial costs a second and not five, and no file is changed.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.machinery
import importlib.util
import os
import pickle
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

import pytest

#: What takes long to import, and neither imports the package nor is a plugin of pytest: those have
#: to be imported by the run.
_WARM = ("boto3", "botocore.session", "cryptography.x509", "moto.core", "yaml")
#: In seconds: at least, and for each second that the tests took when they were recorded.
_PATIENCE, _FACTOR = 20.0, 4.0


class Outcome(Enum):
    """How a trial ended."""

    KILLED = "killed"
    TIMEOUT = "killed by timeout"
    SURVIVED = "survived"


class Trial(NamedTuple):
    """Tests to run with a mutant."""

    #: The name of the changed module; empty for none.
    module: str
    #: Returns its syntax tree.
    make_tree: Callable[[], ast.Module]
    #: In the order to run them in.
    tests: list[str]
    #: Expected, in seconds.
    duration: float
    #: Whether the first test that fails is the last.
    ends_early: bool = True


class Result(NamedTuple):
    """What came of a trial."""

    outcome: Outcome
    #: The tests that failed; none also if the module could not be imported.
    killers: list[str]
    #: In seconds.
    duration: float


def warm_up() -> None:
    """Import what all trials need."""
    for module in _WARM:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    assert not any(name.split(".")[0] == "kmsmock" for name in sys.modules)


# --- in the fork ---------------------------------------------------------------------------------


class MutantLoader(importlib.machinery.SourceFileLoader):
    """Loads a module from a syntax tree in place of its file."""

    def __init__(self, name: str, path: str, tree: ast.Module) -> None:
        super().__init__(name, path)
        self._tree = tree

    def get_code(self, fullname: str) -> CodeType:
        """Compile the tree, and neither read nor write a file."""
        return compile(self._tree, self.get_filename(fullname), "exec", dont_inherit=True)


class MutantFinder:
    """Finds one module, before any other finder does."""

    def __init__(self, name: str, tree: ast.Module) -> None:
        self._name = name
        self._tree = tree

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Return the spec of the changed module; None for others."""
        if name != self._name:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        assert spec is not None
        assert spec.origin is not None
        spec.loader = MutantLoader(name, spec.origin, self._tree)
        return spec


def _show_source(module: Path, source: str) -> None:
    """Let tests that read the code read the changed one. module: its path without suffix."""
    paths = {(module / "__init__.py").absolute(), module.with_suffix(".py").absolute()}
    read_text = Path.read_text

    def read_mutant(path: Path, *arguments: Any, **more: Any) -> str:
        return source if path.absolute() in paths else read_text(path, *arguments, **more)

    Path.read_text = read_mutant  # type: ignore[method-assign]


class _Chosen:
    """A plugin of pytest that runs the chosen tests in their order, and notes failures."""

    def __init__(self, tests: list[str]) -> None:
        self._order = {test: at for at, test in enumerate(tests)}
        self.killers: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self._order),
            key=lambda item: self._order[item.nodeid],
        )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.killers.append(report.nodeid)


def _run_tests(trial: Trial, folder: Path) -> tuple[Outcome, list[str]]:
    if trial.module:
        tree = trial.make_tree()
        sys.meta_path.insert(0, MutantFinder(trial.module, tree))
        _show_source(Path(*trial.module.split(".")), ast.unparse(tree))
    chosen = _Chosen(trial.tests)
    files = dict.fromkeys(test.partition("::")[0] for test in trial.tests)
    # The plugin of Hypothesis imports all of it at the end of each run.
    left_out = ("cacheprovider", "randomly", "xdist", "hypothesispytest")
    options = ["-q", *(option for name in left_out for option in ("-p", f"no:{name}"))]
    options += ["-x"] if trial.ends_early else []
    code = pytest.main([*options, f"--basetemp={folder / 'tmp'}", *files], plugins=[chosen])
    survived = code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    return Outcome.SURVIVED if survived else Outcome.KILLED, chosen.killers


def _fork(trial: Trial, folder: Path, limit: float) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        # Ends this process, should its parent be gone by then.
        signal.setitimer(signal.ITIMER_REAL, limit + _PATIENCE)
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(folder / "hypothesis")
        output = os.open(folder / "output", os.O_WRONLY | os.O_CREAT)
        for stream in (1, 2):
            os.dup2(output, stream)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        (folder / "result").write_bytes(pickle.dumps(_run_tests(trial, folder)))
        code = 0
    finally:
        os._exit(code)


# --- here ----------------------------------------------------------------------------------------


class _Running(NamedTuple):
    key: Any
    folder: Path
    started: float
    limit: float


def run_trials(trials: Iterator[tuple[Any, Trial]], *, jobs: int) -> Iterator[tuple[Any, Result]]:
    """Run trials, and yield the result of each with its key, in the order in which they end.

    The next trial is asked for when it can start, so that it can depend on earlier results.
    """
    running: dict[int, _Running] = {}
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        try:
            while True:
                while len(running) < jobs and (following := next(trials, None)) is not None:
                    key, trial = following
                    place = Path(tempfile.mkdtemp(dir=folder))
                    limit = _PATIENCE + _FACTOR * trial.duration
                    child = _fork(trial, place, limit)
                    running[child] = _Running(key, place, time.monotonic(), limit)
                if not running:
                    return
                yield from _collect(running)
                time.sleep(0.02)
        finally:
            for child in running:
                _kill(child)


def _collect(running: dict[int, _Running]) -> list[tuple[Any, Result]]:
    """Take out the trials that have ended, or take too long."""
    ended = []
    for child, trial in list(running.items()):
        duration = time.monotonic() - trial.started
        if os.waitpid(child, os.WNOHANG)[0]:
            ended.append((trial.key, _read_result(trial.folder, duration)))
        elif duration > trial.limit:
            _kill(child)
            ended.append((trial.key, Result(Outcome.TIMEOUT, [], duration)))
        else:
            continue
        del running[child]
        shutil.rmtree(trial.folder, ignore_errors=True)
    return ended


def _read_result(folder: Path, duration: float) -> Result:
    path = folder / "result"
    # Without a result, the mutant has ended the process.
    outcome, killers = pickle.loads(path.read_bytes()) if path.exists() else (Outcome.KILLED, [])
    return Result(outcome, killers, duration)


def _kill(child: int) -> None:
    for kill in (os.killpg, os.kill):  # the group is there once the child has begun
        with contextlib.suppress(ProcessLookupError):
            kill(child, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(child, 0)
