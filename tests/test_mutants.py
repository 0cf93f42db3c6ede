"""The tool that changes code, and looks whether tests notice: ``python -m tests.mutants``."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("coverage")

from tests.mutants.coverage_map import CoverageMap
from tests.mutants.equivalents import EQUIVALENTS
from tests.mutants.mutations import list_mutations, mutate
from tests.mutants.recorder import Record
from tests.mutants.sample import Mutant, list_stale

ROOT = Path(__file__).parents[1]


def changes_of(source: str) -> list[tuple[str, str]]:
    return [(mutation.before, mutation.after) for mutation in list_mutations(source)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a == b", "a != b"),
        ("a < b", "a <= b"),
        ("a >= b", "a > b"),
        ("a is not b", "a is b"),
        ("a in b", "a not in b"),
        ("a and b", "a or b"),
        ("not a", "a"),
        ("a if b else c", "a if not b else c"),
        ("[a for a in b if a < c]", "[a for a in b if not a < c]"),
        ("a + b", "a - b"),
        ("a // b", "a * b"),
        ("a | b", "a & b"),
        ("a[1:]", "a[None:]"),
        ("1", "2"),
        ("1", "0"),
        ("True", "False"),
        ("'text'", "'XX'"),
        ("''", "'XX'"),
        ("b'text'", "b'XXtext'"),
        ("f'{a} text'", "f'{a}XX'"),
    ],
)
def test_an_expression_is_changed(before: str, after: str) -> None:
    assert (f"return {before}", f"return {after}") in changes_of(f"def f():\n    return {before}\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("raise error", "pass"),
        ("call()", "pass"),
        ("a = b", "pass"),
        ("a += b", "pass"),
        ("a += b", "a -= b"),
        ("del a", "pass"),
        ("break", "continue"),
        ("continue", "break"),
        ("return a", "return None"),
        ("if a:\n    ...", "if not a:\n    ..."),
        ("while a < b:\n    ...", "while a <= b:\n    ..."),
        ("except E:\n    return a", "except E:\n    raise"),
    ],
)
def test_a_statement_is_changed(before: str, after: str) -> None:
    source = f"try:\n    a\n{before}" if before.startswith("except") else before

    assert (before, after) in changes_of(source)


@pytest.mark.parametrize(
    "source",
    [
        "'''text'''",
        "import a",
        "def f(a: 'A') -> 'B':\n    '''text'''",
        "a: 'A'",
        "Reader = Callable[['A'], 'B']",
        "if TYPE_CHECKING:\n    a = 1",
        "assert a == 1",
        "__slots__ = ('a',)",
        "@dataclass(frozen=True)\nclass A:\n    '''text'''",
        "@lru_cache(maxsize=1)\ndef f(): ...",
        "if __name__ == '__main__':\n    '''text'''",
        "@overload\ndef f(a=1): ...",
        "zip(strict=True)",
    ],
)
def test_what_no_behaviour_depends_on_is_left_out(source: str) -> None:
    assert changes_of(source) in ([], [(source, "pass")])


def test_a_mutation_is_of_its_function_whatever_its_line() -> None:
    source = "class A:\n    def f(self):\n        return 1\n"

    [first, *_] = list_mutations(source)
    [moved, *_] = list_mutations("# a comment\n" + source)

    assert first[:3] == moved[:3] == ("A.f", "return 1", "return None")
    assert (first.line, moved.line) == (3, 4)


def test_each_mutation_changes_what_it_says() -> None:
    source = "def f(a, b=2):\n    if a == 1:\n        return a + 1\n    raise ValueError('text')\n"

    for mutation in list_mutations(source):
        changed = ast.unparse(mutate(source, mutation.index))
        assert mutation.after.partition("\n")[0] in changed or mutation.after == "pass"
        assert changed != ast.unparse(ast.parse(source))


@pytest.mark.parametrize(
    ("function", "before", "stale"),
    [("f", "return 1", False), ("f", "", False), ("f", "return 2", True), ("g", "", True)],
    ids=["a change", "a function", "changed since", "gone"],
)
def test_an_entry_of_equivalents_is_out_of_date_when_its_code_is_not_there(
    monkeypatch: pytest.MonkeyPatch, function: str, before: str, stale: bool
) -> None:
    mutants = [Mutant("kmsmock/a/b.py", each) for each in list_mutations("def f():\n    return 1")]
    key = (function, before, "return None" if before else "")
    monkeypatch.setitem(EQUIVALENTS, "kmsmock/a/b.py", {key: "the reason"})

    assert bool(list_stale(mutants)) is stale
    assert (mutants[0].reason is None) is stale


# --- which tests run --------------------------------------------------------------------------


def known(source: str, **tests: int) -> CoverageMap:
    """Return a map of tests. tests: name -> the line that it runs; later ones take longer."""
    known = CoverageMap(sources={"kmsmock/a.py": source})
    for duration, (name, line) in enumerate(tests.items()):
        known._add({name: Record(duration, {"kmsmock/a.py": 1 << line})})
    return known


def test_the_tests_of_a_mutant_are_those_that_run_its_line() -> None:
    source = "def f(a):\n    if a:\n        return 1\n"
    returns = next(m for m in list_mutations(source) if m.before == "return 1")

    assert known(source, one=2, two=3, three=3).find_tests("kmsmock/a.py", returns) == [
        "two",
        "three",
    ]


def test_tests_that_run_other_lines_come_before_those_that_run_the_same() -> None:
    source = "def f(a):\n    if a:\n        return 1\n    return 2\n"
    recorded = CoverageMap(sources={"kmsmock/a.py": source})
    for duration, (name, lines) in enumerate([("a", 0b1100), ("b", 0b1100), ("c", 0b10100)]):
        recorded._add({name: Record(duration, {"kmsmock/a.py": lines})})
    condition = next(m for m in list_mutations(source) if m.before.startswith("if a"))

    assert recorded.find_tests("kmsmock/a.py", condition) == ["a", "c", "b"]


def test_tests_that_are_named_for_what_is_changed_come_first() -> None:
    source = "def f(a):\n    return a == 'StringLike'\n"
    text = next(m for m in list_mutations(source) if "'XX'" in m.after)
    recorded = known(source, one=2)
    recorded._add({"it[StringLike]": Record(9, {"kmsmock/a.py": 1 << 2})})

    assert recorded.find_tests("kmsmock/a.py", text) == ["it[StringLike]", "one"]


def test_a_decorator_and_a_default_value_are_seen_by_those_that_run_the_function() -> None:
    source = "@declare('name')\ndef f(a=1):\n    return a\n\n\ndef g():\n    return 0\n"
    declared, default, *_ = list_mutations(source)

    for mutation in (declared, default):
        assert known(source, one=3, two=7).find_tests("kmsmock/a.py", mutation) == ["one"]


def test_a_constant_is_seen_by_those_that_run_what_uses_it() -> None:
    source = "_A = 1\n_B = _A\n\n\ndef f():\n    return _B\n\n\ndef g():\n    return 0\n"
    constant = list_mutations(source)[1]

    assert known(source, one=6, two=10).find_tests("kmsmock/a.py", constant) == ["one"]


def test_a_constant_of_a_decorator_is_seen_by_those_that_run_the_function() -> None:
    source = "_A = 1\n\n\n@declare(_A)\ndef f():\n    return 2\n\n\ndef g():\n    return 0\n"
    constant = list_mutations(source)[0]

    assert known(source, one=6, two=10).find_tests("kmsmock/a.py", constant) == ["one"]


def test_a_declaration_is_seen_by_those_that_run_its_registry() -> None:
    source = "from kmsmock.registry import declare\n\ndeclare('name')\n"
    declared = list_mutations(source)[0]
    recorded = known(source)
    recorded.sources["kmsmock/registry.py"] = "def declare(name):\n    return name\n"
    recorded._add({"one": Record(1, {"kmsmock/registry.py": 1 << 2})})

    assert recorded.find_tests("kmsmock/a.py", declared) == ["one"]


def test_lines_are_found_again_in_changed_code() -> None:
    source = "def f(a):\n    return 1\n"
    later = "B = 2\n\n\n" + source
    recorded = known(source, one=2)

    recorded._follow("kmsmock/a.py", source.splitlines(), later.splitlines())

    returns = next(m for m in list_mutations(later) if m.before == "return 1")
    assert recorded.find_tests("kmsmock/a.py", returns) == ["one"]


# --- trials -----------------------------------------------------------------------------------

MADE_UP = "def is_large(number):\n    return number > 9\n"
RUN = """
import sys
from functools import partial
from pathlib import Path
from tests.mutants.mutations import list_mutations, mutate
from tests.mutants.trial import Trial, run_trials

source = Path("made_up.py").read_text()
trials = [
    (f"{m.after}", Trial("made_up", partial(mutate, source, m.index), ["test_it.py::test_it"], 1))
    for m in list_mutations(source)
    if m.after in ("return None", "return number >= 9")
]
for key, result in run_trials(iter(trials), jobs=2):
    print(key, "|", result.outcome.name, *result.killers)
"""


def test_a_mutant_is_killed_by_a_test_that_fails_and_survives_others(tmp_path: Path) -> None:
    (tmp_path / "made_up.py").write_text(MADE_UP)
    (tmp_path / "test_it.py").write_text(
        "from made_up import is_large\n\n\n"
        "def test_it():\n    assert is_large(10)\n    assert not is_large(8)\n"
    )

    printed = subprocess.run(
        [sys.executable, "-c", RUN],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert sorted(printed.splitlines()) == [
        "return None | KILLED test_it.py::test_it",
        "return number >= 9 | SURVIVED",
    ]
    assert (tmp_path / "made_up.py").read_text() == MADE_UP
