"""What README and CONTRIBUTING say is true: their code runs, their tables are those of the code."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from kmsmock.aws.installed_model import get_operation_model
from kmsmock.keys.specs import KEY_SPECS
from kmsmock.operations import OPERATIONS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
BLOCKS = [
    pytest.param(code, id=f"{name}-{place}")
    for name in ("README.md", "CONTRIBUTING.md", "docs/consistency.md")
    for place, code in enumerate(
        re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(), re.DOTALL), 1
    )
]


@pytest.mark.usefixtures("region_of_this_machine")
@pytest.mark.parametrize("code", BLOCKS)
def test_a_code_block_runs_and_so_do_the_tests_in_it(
    pytester: pytest.Pytester,
    run_alone: Callable[..., pytest.RunResult],
    code: str,
) -> None:
    if "rotate_key_on_demand" in code and get_operation_model("RotateKeyOnDemand") is None:
        pytest.skip("this botocore has no RotateKeyOnDemand")
    pytester.makeini("[pytest]\nfilterwarnings = ignore:.*async def.*\n")

    # Inside a test function nothing would be collected, so the block is a test module.
    module = code + "\n\ndef test_the_block_was_executed(): pass\n"
    result = run_alone(module, "-W", "ignore", "-k", "not async")

    assert result.ret == 0


def test_the_list_of_operations_is_the_registry() -> None:
    listed = README.split("<!-- operations -->")[1].split("<!-- end -->")[0]

    assert re.findall(r"\w+", listed) == sorted(OPERATIONS)


def test_the_table_of_key_specs_is_complete() -> None:
    rows = re.findall(r"^\| ((?:[A-Z]\w+(?:, )?)+) \| ([A-Z_, ]+) \|", README, re.MULTILINE)

    listed = {name: usages for names, usages in rows for name in names.split(", ")}

    assert listed == {
        name: ", ".join(usage.value for usage in spec.usages) for name, spec in KEY_SPECS.items()
    }


def test_both_commands_are_marked_for_continuous_integration() -> None:
    for name in ("demo-command", "test-command"):
        assert re.search(rf"<!-- {name} -->\n```console\npython3 -m venv .venv && .+\n```", README)


def test_contributing_names_each_package_and_module() -> None:
    named = set(re.findall(r"`(\w+)(?:/|\.py)`", CONTRIBUTING.split("## The steps of a call")[0]))

    here = {path.stem for path in (ROOT / "kmsmock").glob("[a-z]*")} - {"py"}

    assert here <= named


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`([\w/.]+/\w+\.py)`", CONTRIBUTING))))
def test_a_file_that_contributing_names_exists(path: str) -> None:
    assert (ROOT / path).exists() or (ROOT / "kmsmock" / path).exists()
