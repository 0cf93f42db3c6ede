"""Every example passes, alone, as its reader would run it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "conftest_examples"
NAMES = sorted(str(path.relative_to(EXAMPLES)) for path in EXAMPLES.rglob("test_*.py"))


@pytest.mark.usefixtures("region_of_this_machine")
@pytest.mark.parametrize("example", NAMES)
def test_an_example_passes(
    pytester: pytest.Pytester, run_alone: Callable[..., pytest.RunResult], example: str
) -> None:
    shutil.copy(EXAMPLES / "pytest.ini", pytester.path)
    for beside in (EXAMPLES / example).parent.glob("*.json"):
        shutil.copy(beside, pytester.path)

    result = run_alone((EXAMPLES / example).read_text(encoding="utf-8"), "-W", "error")

    assert result.ret == 0
