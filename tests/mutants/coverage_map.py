"""Which tests run which lines of the package: recorded once, and kept up to date.

It is kept in a file that git ignores. When code has changed since, lines are found again by their
text; tests are recorded again when their file has changed.
"""

from __future__ import annotations

import ast
import hashlib
import os
import pickle
import re
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import zip_longest
from pathlib import Path

from tests.mutants.mutations import Mutation
from tests.mutants.recorder import FOLDER, Record

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".mutants_cache" / "map.pickle"
#: Tests that look at the code itself, or at all declarations: they run none of it.
ABOUT_ALL = (
    *("tests/test_contract.py", "tests/test_error_texts.py", "tests/test_operations_table.py"),
    *("tests/authorization/test_condition_context.py", "tests/operations/test_key_states.py"),
)
#: The tests of other processes, which get no mutants; some of them do not end under a tracer.
NOT_RECORDED = ROOT / "tests" / "serving"
_WORD = re.compile(r"\w{4,}")
#: How many tests of a module are run for code that no test runs.
_OF_IMPORT = 20


@dataclass
class CoverageMap:
    """What is known of all tests."""

    #: Id of a test -> its time, in seconds.
    durations: dict[str, float] = field(default_factory=dict)
    #: File of the package -> lines, as the bits of a number -> the tests that run just these.
    runs: dict[str, dict[int, set[str]]] = field(default_factory=dict)
    #: File of the package -> its text when the tests were recorded.
    sources: dict[str, str] = field(default_factory=dict)
    #: File of the package -> the lines that nobody has recorded yet.
    new_lines: dict[str, int] = field(default_factory=dict)
    #: File of tests -> the hash of its content.
    hashes: dict[str, str] = field(default_factory=dict)

    def find_tests(self, file: str, mutation: Mutation) -> list[str]:
        """Return the tests that could notice a mutation, in the order to run them in.

        First those that run its lines, then those that run what uses them, look at all code, or
        are named for the function. The cheapest come first, but they take turns: of those that run
        the same lines of the file one comes before all others, and so of each test function.
        """
        lines = _bits(mutation.lines)
        alike = [tests for bits, tests in self.runs.get(file, {}).items() if bits & lines]
        using = self._list_using(file, mutation.names) if mutation.names else set()
        about = self._list_about(mutation)
        found = [*self._take_turns(map(self._order, alike)), *self._order(using)]
        if not found:
            is_new = self.new_lines.get(file, 0) & _bits(mutation.lines)
            found = self._order(self._list_running(file, -1))
            # If anything runs it, the import of the module does.
            found = found if is_new else found[:_OF_IMPORT]
        about_all = self._order(self._list_in(ABOUT_ALL))
        if about:  # a declaration
            found, about_all = about_all, found
        chosen = list(dict.fromkeys([*found, *about_all, *about]))
        words = set(_WORD.findall(mutation.before)) - set(_WORD.findall(mutation.after))
        # Before all others come those that have in their names what is gone.
        return sorted(chosen, key=lambda test: not any(word in test for word in words))

    def _list_in(self, files: Collection[str]) -> set[str]:
        return {test for test in self.durations if test.partition("::")[0] in files}

    def _order(self, tests: set[str]) -> list[str]:
        by_function: dict[str, list[str]] = {}
        for test in sorted(tests, key=lambda test: self.durations[test]):
            by_function.setdefault(test.partition("[")[0], []).append(test)
        return self._take_turns(by_function.values())

    def _take_turns(self, groups: Iterable[list[str]]) -> list[str]:
        """Return the first of each group, the cheapest first, then the second, and so on."""
        turns = zip_longest(*groups)
        return [
            test
            for turn in turns
            for test in sorted(filter(None, turn), key=lambda test: self.durations[test])
        ]

    def _list_running(self, file: str, lines: int) -> set[str]:
        recorded = self.runs.get(file, {})
        return {test for bits, tests in recorded.items() if bits & lines for test in tests}

    def _list_using(self, file: str, names: tuple[str, ...]) -> set[str]:
        """Return the tests that run a line that names what a statement of a module defines.

        Of what is called for a declaration, they are those that run the module of the function.
        """
        used = _make_pattern(_with_constants(self.sources[file], names))
        module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        found: set[str] = set()
        for other, source in self.sources.items():
            if other == file or _imports(source, module):
                found |= self._list_running(other, _bits(_list_uses(source, used)))
        for registry in _list_origins(self.sources[file], names) & self.sources.keys():
            found |= self._list_running(file, -1) | self._list_running(registry, -1)
        return found

    def _list_about(self, mutation: Mutation) -> list[str]:
        """Return the tests whose file names the function that a decorator declares.

        An operation can refuse their calls before it runs.
        """
        if mutation.function.rpartition(".")[2] not in mutation.names:
            return []
        named = _make_pattern(mutation.names)
        files = {name for name in self.hashes if named.search((ROOT / name).read_text())}
        return self._order(self._list_in(files))

    # --- keeping it up to date -------------------------------------------------------------------

    def update(self, *, jobs: int) -> None:
        """Record the tests whose files have changed. jobs: how many processes do it."""
        self._follow_sources()
        hashes = {
            str(path.relative_to(ROOT)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted((ROOT / "tests").rglob("test_*.py"))
            if NOT_RECORDED not in path.parents
        }
        changed = [name for name, value in hashes.items() if self.hashes.get(name) != value]
        gone = self.hashes.keys() - hashes.keys()
        self._forget({*changed, *gone})
        self.hashes = hashes
        if changed:
            print(f"recording which lines {len(changed)} files of tests run", flush=True)
            for records in _record(changed, jobs):
                self._add(records)

    def _forget(self, files: set[str]) -> None:
        for test in [test for test in self.durations if test.partition("::")[0] in files]:
            del self.durations[test]
        for recorded in self.runs.values():
            for tests in recorded.values():
                tests.intersection_update(self.durations)

    def _add(self, records: dict[str, Record]) -> None:
        for test, record in records.items():
            self.durations[test] = record.duration
            for file, bits in record.lines.items():
                self.runs.setdefault(file, {}).setdefault(bits, set()).add(test)

    def _follow_sources(self) -> None:
        now = {
            str(path.relative_to(ROOT)): path.read_text()
            for path in sorted((ROOT / "kmsmock").rglob("*.py"))
        }
        for file, source in now.items():
            before = self.sources.get(file)
            if before is not None and before != source:
                self._follow(file, before.splitlines(), source.splitlines())
        self.runs = {file: recorded for file, recorded in self.runs.items() if file in now}
        self.sources = now

    def _follow(self, file: str, before: list[str], now: list[str]) -> None:
        moved = {
            block.a + at + 1: block.b + at + 1
            for block in SequenceMatcher(None, before, now, autojunk=False).get_matching_blocks()
            for at in range(block.size)
        }
        followed: dict[int, set[str]] = {}
        for bits, tests in self.runs.get(file, {}).items():
            there = _bits(moved[line] for line in _lines(bits) if line in moved)
            followed.setdefault(there, set()).update(tests)
        self.runs[file] = followed
        still_new = _bits(moved[n] for n in _lines(self.new_lines.get(file, 0)) if n in moved)
        known = set(moved.values())
        self.new_lines[file] = still_new | _bits(
            line for line in range(1, len(now) + 1) if line not in known
        )

    @classmethod
    def load(cls, *, afresh: bool, jobs: int) -> CoverageMap:
        """Return the map, up to date. afresh: record all tests again."""
        known = cls()
        if CACHE.exists() and not afresh:
            known = pickle.loads(CACHE.read_bytes())
        known.update(jobs=jobs)
        CACHE.parent.mkdir(exist_ok=True)
        CACHE.write_bytes(pickle.dumps(known, protocol=pickle.HIGHEST_PROTOCOL))
        return known


def _record(files: list[str], jobs: int) -> Iterator[dict[str, Record]]:
    """Run files of tests, and yield what each process has seen."""
    options = ["-q", "-p", "no:cacheprovider", "-p", "tests.mutants.recorder", "-n", str(jobs)]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "pytest", *options, *files],
            cwd=ROOT,
            env={**os.environ, FOLDER: folder},
            stdout=subprocess.DEVNULL,
            check=False,  # tests that fail are left out
        )
        for path in Path(folder).iterdir():
            yield pickle.loads(path.read_bytes())


def _list_uses(source: str, used: re.Pattern[str]) -> set[int]:
    """Return the lines that use names, with those of functions that use them in decorators."""
    lines = {n for n, text in enumerate(source.splitlines(), 1) if used.search(text)}
    for node in ast.walk(ast.parse(source)) if lines else ():
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.decorator_list:
            first, body, last = node.decorator_list[0].lineno, node.body[0].lineno, node.end_lineno
            if not lines.isdisjoint(range(first, body)):
                lines |= {*range(body, (last or body) + 1)}
    return lines


def _make_pattern(names: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"\b({'|'.join(map(re.escape, names))})\b")


def _imports(source: str, module: str) -> bool:
    package, _, name = module.rpartition(".")
    if f"from {module} import" in source:
        return True
    return re.search(rf"from {re.escape(package)} import .*\b{name}\b", source) is not None


def _list_origins(source: str, names: Iterable[str]) -> set[str]:
    """Return the files from which a module imports names."""
    return {
        f"{node.module.replace('.', '/')}.py"
        for node in ast.parse(source).body
        if isinstance(node, ast.ImportFrom) and node.module is not None
        if any(alias.name in names for alias in node.names)
    }


def _with_constants(source: str, names: tuple[str, ...]) -> list[str]:
    """Return names, and those of the constants of a module that are made of them."""
    made = [
        ({n.id for n in ast.walk(node) if isinstance(n, ast.Name)}, node)
        for node in ast.parse(source).body
        if isinstance(node, (ast.Assign, ast.AnnAssign))
    ]
    found = list(names)
    for name in found:
        for parts, node in made:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if name in parts and isinstance(target, ast.Name) and target.id not in found:
                found.append(target.id)
    return found


def _bits(lines: Iterable[int]) -> int:
    bits = 0
    for line in lines:
        bits |= 1 << line
    return bits


def _lines(bits: int) -> Iterator[int]:
    return (line for line in range(bits.bit_length()) if bits >> line & 1)
