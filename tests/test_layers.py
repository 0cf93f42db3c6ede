"""Who may import whom: the contracts of pyproject.toml hold."""

from __future__ import annotations

from pathlib import Path

import pytest


def test_the_import_contracts_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    cli = pytest.importorskip("importlinter.cli", reason="import-linter is not installed")
    monkeypatch.chdir(Path(__file__).parents[1])

    assert cli.lint_imports(cache_dir=None) == cli.EXIT_STATUS_SUCCESS
