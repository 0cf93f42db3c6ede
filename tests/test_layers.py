"""Who may import whom: the contracts of pyproject.toml hold, and nothing imports in a circle."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_the_import_contracts_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    cli = pytest.importorskip("importlinter.cli", reason="import-linter is not installed")
    monkeypatch.chdir(ROOT)
    # It disables all loggers that there are.
    monkeypatch.setattr("logging.config.dictConfig", lambda _: None)

    assert cli.lint_imports(cache_dir=None) == cli.EXIT_STATUS_SUCCESS


def test_no_module_imports_itself_through_others_not_even_for_types() -> None:
    grimp = pytest.importorskip("grimp", reason="import-linter is not installed")
    graph = grimp.build_graph("kmsmock", cache_dir=None)
    imports = {
        module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules
    }

    # What imports nothing that is left cannot be part of a circle.
    while free := [module for module, imported in imports.items() if not imported & imports.keys()]:
        for module in free:
            del imports[module]

    assert sorted(imports) == []


def test_the_import_contracts_name_every_service() -> None:
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 has no tomllib")
    services = {
        f"kmsmock.services.{folder.parent.name}"
        for folder in (ROOT / "kmsmock" / "services").glob("*/__init__.py")
    }
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]

    named = {contract["name"]: contract for contract in contracts["contracts"]}

    assert set(named["services do not know each other"]["modules"]) == services
    assert set(named["what a service does with KMS does not know who stores"]["containers"]) == (
        services
    )


def test_ten_modules_at_most_lie_at_the_root() -> None:
    assert len(list((ROOT / "kmsmock").glob("*.py"))) <= 10
