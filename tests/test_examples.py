"""Every example passes, alone, as its reader would run it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "conftest_examples"
NAMES = sorted(str(path.relative_to(EXAMPLES)) for path in EXAMPLES.rglob("test_*.py"))


@pytest.mark.parametrize("example", NAMES)
def test_an_example_passes(pytester: pytest.Pytester, example: str) -> None:
    if "moto" in (EXAMPLES / example).read_text(encoding="utf-8"):
        pytest.importorskip("moto")
    shutil.copy(EXAMPLES / "pytest.ini", pytester.path)
    shutil.copy(EXAMPLES / example, pytester.path)
    for beside in (EXAMPLES / example).parent.glob("*.json"):
        shutil.copy(beside, pytester.path)

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-W", "error")

    assert result.ret == 0
