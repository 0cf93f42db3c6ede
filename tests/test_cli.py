"""The command line."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kmsmock import cli
from kmsmock.cli import demo
from tests.output import capture


def test_demo_runs_the_examples_and_ends_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # One of them; that each passes is told by other tests.
    (tmp_path / "conftest_examples").mkdir()
    for name in ("pytest.ini", "test_first_steps.py"):
        shutil.copy(demo.find_examples() / name, tmp_path / "conftest_examples")
    monkeypatch.setattr(demo, "__file__", str(tmp_path / "kmsmock" / "cli" / "demo.py"))
    runs = []

    def call(command: list[str]) -> int:
        runs.append(subprocess.run(command, capture_output=True, text=True, check=False))
        return runs[-1].returncode

    monkeypatch.setattr(subprocess, "call", call)

    code, introduction, _ = capture(cli.main, ["demo"])

    output = runs[0].stdout
    assert code == 0
    assert introduction.startswith("The examples are in ")
    assert "test_what_was_encrypted_can_be_decrypted PASSED" in output
    assert "warning" not in output


def test_demo_tells_when_the_examples_are_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(demo, "__file__", str(tmp_path / "kmsmock" / "cli" / "demo.py"))

    with pytest.raises(FileNotFoundError, match="examples were not installed"):
        demo.find_examples()


def test_the_package_can_be_run_as_a_module() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "kmsmock", "--help"], capture_output=True, text=True, check=True
    )

    assert "demo" in result.stdout


def test_an_unknown_command_is_refused() -> None:
    def run() -> None:
        with pytest.raises(SystemExit):
            cli.main(["dance"])

    assert "invalid choice: 'dance'" in capture(run).errors
