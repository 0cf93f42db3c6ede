"""mypy and pyright on typed tests: as where boto3-stubs is installed, and as where it is not."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import boto3
import pytest

import kmsmock
from kmsmock import mock_kms
from kmsmock.aws.services import MOCKED

ROOT = Path(__file__).parents[1]
TYPED = ROOT / "tests" / "typed"
HAS_STUBS = (Path(sysconfig.get_path("purelib")) / "boto3-stubs").exists()
#: What gives clients, as an expression.
SOURCES = ("kms", "account", "principal")
#: What a checker says: (file name, line, text), errors and revealed types.
Findings = list[tuple[str, int, str]]


def run_mypy(python: Path, files: list[Path], folder: Path) -> Findings:
    options = [
        "--strict",
        "--config-file=",
        "--no-error-summary",
        f"--cache-dir={folder / 'cache'}",
    ]
    command = [sys.executable, "-m", "mypy", f"--python-executable={python}", *options, *files]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode in (0, 1), result.stderr
    found = re.findall(r"^(.+?):(\d+): (?:error|note): (.+)$", result.stdout, re.MULTILINE)
    return [(Path(file).name, int(line), text) for file, line, text in found]


def run_pyright(python: Path, files: list[Path], folder: Path) -> Findings:
    command = [sys.executable, "-m", "pyright", "--outputjson", f"--pythonpath={python}", *files]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode in (0, 1), result.stderr
    return [
        (Path(found["file"]).name, found["range"]["start"]["line"] + 1, found["message"])
        for found in json.loads(result.stdout)["generalDiagnostics"]
    ]


def can_run_pyright() -> bool:
    if find_spec("pyright") is None:
        return False
    command = [sys.executable, "-m", "pyright", "--version"]  # it may have no node
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module", params=["mypy", "pyright"])
def check(request: pytest.FixtureRequest) -> Callable[..., Findings]:
    if request.param == "mypy":
        if find_spec("mypy") is None:
            pytest.skip("mypy is not installed: pip install -e '.[lint]'")
        return run_mypy
    if not can_run_pyright():
        pytest.skip("pyright is not installed, or cannot be run here: pip install -e '.[lint]'")
    return run_pyright


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Give a function that makes an environment in which kmsmock is installed with its types."""

    def installation(*, with_stubs: bool) -> Path:
        folder = tmp_path_factory.mktemp("installation")
        venv.create(folder, symlinks=True)
        paths = {"base": str(folder), "platbase": str(folder)}
        packages = Path(sysconfig.get_path("purelib", "venv", paths))
        for package in Path(sysconfig.get_path("purelib")).iterdir():
            is_stub = package.name.endswith("-stubs") or package.name.startswith("mypy_boto3_")
            is_ours = "kmsmock" in package.name  # as it is installed here
            if not is_ours and (with_stubs or not is_stub):
                (packages / package.name).symlink_to(package)
        (packages / "kmsmock").symlink_to(Path(kmsmock.__file__).parent)
        return folder / "bin" / "python"

    return installation


def marked_lines(file: Path) -> list[int]:
    lines = file.read_text().splitlines()
    return [number for number, line in enumerate(lines, 1) if line.endswith("# error")]


def services_module(folder: Path) -> tuple[Path, dict[int, str]]:
    """Write a module that reveals types of clients; gives them by line, as they should be."""
    lines = [
        "from kmsmock import Account, KmsKey, KMSMock, Principal",
        "def show(kms: KMSMock, account: Account, principal: Principal, key: KmsKey) -> None:",
    ]
    expected = {}
    for service in MOCKED:
        with mock_kms():
            client = boto3.client(service)
        for source in SOURCES:
            lines.append(f'    reveal_type({source}.client("{service}", "us-east-1"))')
            expected[len(lines)] = f"{type(client).__name__}Client"
    for expression in ("kms.client()", "key.client"):
        lines.append(f"    reveal_type({expression})")
        expected[len(lines)] = "KMSClient"
    file = folder / "services.py"
    file.write_text("\n".join(lines) + "\n")
    return file, expected


def test_with_stubs_clients_have_types_and_mistakes_are_found(
    check: Callable[..., Findings], installation: Callable[..., Path], tmp_path: Path
) -> None:
    if not HAS_STUBS:
        pytest.skip("boto3-stubs is not installed: pip install -e '.[lint]'")
    services, expected = services_module(tmp_path)
    annotated, mistakes = TYPED / "test_annotated.py", TYPED / "mistakes.py"

    found = check(installation(with_stubs=True), [annotated, mistakes, services], tmp_path)

    assert [finding for finding in found if finding[0] == annotated.name] == []
    assert sorted({line for file, line, _ in found if file == mistakes.name}) == marked_lines(
        mistakes
    )
    revealed = {line: text for file, line, text in found if file == services.name}
    assert {
        line: name for line, name in expected.items() if f'{name}"' not in revealed.get(line, "")
    } == {}


def test_without_stubs_nothing_is_an_error_but_mistakes(
    check: Callable[..., Findings], installation: Callable[..., Path], tmp_path: Path
) -> None:
    # The one import of a stub's type is that of the tests themselves.
    annotated, mistakes = tmp_path / "test_annotated.py", TYPED / "mistakes.py"
    text = (TYPED / annotated.name).read_text()
    annotated.write_text(text.replace("from mypy_boto3_kms import", "from typing import Any as"))

    found = check(installation(with_stubs=False), [annotated, mistakes], tmp_path)

    assert [finding for finding in found if finding[0] == annotated.name] == []
    assert sorted({line for file, line, _ in found if file == mistakes.name}) == marked_lines(
        mistakes
    )
