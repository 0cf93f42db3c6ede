"""The mock that answers a test does not depend on which tests ran before it.

Random modules of fixtures and tests: fixtures of all scopes start mocks and request each other,
also dynamically. Each test prints who started the mock that answers it; alone it prints the same.
"""

from __future__ import annotations

import random
import re
import tempfile
from pathlib import Path

import hypothesis.core  # noqa: F401 - its own plugin imports it in every run otherwise
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmsmock import mock_kms
from tests.inner_runs import run_pytest
from tests.thoroughness import examples

SCOPES = ("session", "module", "class", "function")
OURS = (("session_kms", 0), ("module_kms", 1), ("class_kms", 2), ("kms", 3))
HEAD = """
import pytest

from kmsmock import mock_kms
from kmsmock.process.active_mocks import get_answering, get_first_use


def show(name):
    mock = get_answering()
    print("SHOWN", name, None if mock is None else get_first_use(mock).owner.name)
"""
BODIES = {
    "joins": "    with mock_kms():\n        yield",
    "starts": "    with mock_kms(region='eu-west-1'):\n        yield",
    "forgets": "    mock_kms().start()\n    yield",
    "needs none": "    yield",
}


@pytest.fixture(scope="module", autouse=True)
def _imported() -> None:
    """Import all beforehand, since runs forget what they import."""
    with mock_kms() as kms:
        kms.backend.checkpoint()


def choose(rng: random.Random, names: list[str], most: int) -> list[str]:
    return rng.sample(names, k=min(len(names), rng.randint(0, most)))


def write_module(rng: random.Random) -> tuple[str, list[str]]:
    """Write a module; return its code and the names of its tests."""
    parts, known = [HEAD], list(OURS)
    for number in range(rng.randint(1, 5)):
        name, scope = f"fixture_{number}", rng.randint(0, 3)
        wider = [each for each, its_scope in known if its_scope <= scope]
        arguments = ", ".join(["request", *choose(rng, wider, 1)])
        dynamic = [f"    request.getfixturevalue({each!r})" for each in choose(rng, wider, 1)]
        autouse = ", autouse=True" if rng.random() < 0.15 else ""
        body = BODIES[rng.choice(sorted(BODIES))]
        parts += [f'@pytest.fixture(scope="{SCOPES[scope]}"{autouse})']
        parts += [f"def {name}({arguments}):", *dynamic, body]
        known.append((name, scope))
    names = [name for name, _ in known]
    tests = [f"test_{number}" for number in range(rng.randint(2, 4))]
    for test in tests:
        arguments = ", ".join(["request", *choose(rng, names, 3)])
        dynamic = [f"    request.getfixturevalue({each!r})" for each in choose(rng, names, 1)]
        parts += ["@mock_kms"] if rng.random() < 0.2 else []
        parts += [f"def {test}({arguments}):", *dynamic, f"    show({test!r})"]
        if rng.random() < 0.4:
            parts.append(f"    with mock_kms():\n        show('{test} inside')")
    return "\n".join(parts) + "\n", tests


def run(file: Path, tests: list[str]) -> dict[str, str]:
    """Run tests in an order; return what they have shown."""
    nodes = [f"{file}::{test}" for test in tests]
    options = ["-s", "-q", "-W", "ignore::ResourceWarning"]
    code, output = run_pytest(file.parent, *options, "--rootdir", str(file.parent), *nodes)
    assert code == 0, output
    return dict(re.findall(r"SHOWN (test_\d+(?: inside)?) (.*)", output))


@examples(4)
@given(st.randoms(use_true_random=False))
def test_the_same_mock_answers_a_test_alone_and_after_others(rng: random.Random) -> None:
    code, tests = write_module(rng)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "test_random.py")
        file.write_text(code)
        Path(folder, "pytest.ini").write_text("[pytest]\n")
        alone = {name: shown for test in tests for name, shown in run(file, [test]).items()}

        for order in (tests, tests[::-1], rng.sample(tests, len(tests))):
            assert run(file, order) == alone
