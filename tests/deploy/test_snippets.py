"""The other files of the folder: fixtures for testcontainers, and a workflow of GitHub Actions."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.deploy.images import (
    DEPLOY,
    find,
    find_free_port,
    read_stages,
    running,
    use_this_python,
)
from tests.server.processes import EXTRA

ENTRYPOINT = find(read_stages(DEPLOY / "Dockerfile")[-1], "ENTRYPOINT").words
PAGE = (DEPLOY / "README.md").read_text()


class ContainerOutside:
    """What `testcontainers.core.container.DockerContainer` does, with a process."""

    def __init__(self, image: str) -> None:
        assert f" -t {image} " in PAGE
        self._port = find_free_port()
        self._context: Any = None
        self.output = ""

    def with_exposed_ports(self, *ports: int) -> ContainerOutside:
        assert ports == (4599,)
        return self

    def __enter__(self):
        words = [word.replace("4599", str(self._port)) for word in ENTRYPOINT]
        self._context = running(use_this_python(words), dict(os.environ), Path("/"))
        self.process = self._context.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._context.__exit__(None, None, None)

    def get_container_host_ip(self) -> str:
        return "localhost"

    def get_exposed_port(self, port: int) -> int:
        assert port == 4599
        return self._port


def wait_for_logs(container: ContainerOutside, predicate: str, timeout: float) -> None:
    line = container.process.stdout.readline()
    assert re.search(predicate, line), line
    assert timeout > 10


@pytest.fixture
def testcontainers_outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Modules of testcontainers that start processes."""
    for name in EXTRA:
        pytest.importorskip(name, reason="the extra server is not installed")
    members = {
        "testcontainers": {},
        "testcontainers.core": {},
        "testcontainers.core.container": {"DockerContainer": ContainerOutside},
        "testcontainers.core.waiting_utils": {"wait_for_logs": wait_for_logs},
    }
    for name, content in members.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    return


@pytest.mark.usefixtures("testcontainers_outside")
def test_the_fixtures_give_a_client_of_an_empty_server(pytester: pytest.Pytester) -> None:
    pytester.makeconftest((DEPLOY / "testcontainers_fixture.py").read_text())
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("number", [1, 2])
        def test_a_key(kms_client, number):
            kms_client.create_key()
            assert len(kms_client.list_keys()["Keys"]) == 1
        """
    )

    pytester.inline_run("-p", "no:kmsmock").assertoutcome(passed=2)


def test_the_fixtures_use_what_testcontainers_has() -> None:
    container = pytest.importorskip(
        "testcontainers.core.container", reason="testcontainers is not installed"
    )
    waiting = pytest.importorskip("testcontainers.core.waiting_utils")

    for name in ("with_exposed_ports", "get_container_host_ip", "get_exposed_port", "__enter__"):
        assert hasattr(container.DockerContainer, name)
    assert callable(waiting.wait_for_logs)


# --- the workflow -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def workflow() -> dict[str, Any]:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    content: dict[str, Any] = yaml.safe_load((DEPLOY / "github-actions.yaml").read_text())
    return content


def test_the_service_of_the_workflow_has_settings_of_servers(
    workflow: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from kmsmock.server.settings import Settings

    service = workflow["jobs"]["container"]["services"]["kms"]
    for name, value in service["env"].items():
        monkeypatch.setenv(name, value)

    assert Settings.of_environment().options == {"region": workflow["env"]["AWS_REGION"]}
    assert service["ports"] == ["127.0.0.1:4599:4599"]


def test_the_steps_without_a_container_start_a_server(
    workflow: dict[str, Any], tmp_path: Path
) -> None:
    steps = [step["run"] for step in workflow["jobs"]["process"]["steps"] if "run" in step]
    (script,) = [step for step in steps if "kmsmock serve" in step]

    run_script(script, tmp_path)


def test_the_commands_of_the_page_start_a_server(tmp_path: Path) -> None:
    (block,) = re.findall(r"```console\n(pip .*?)```", PAGE, re.DOTALL)
    install, _, script = block.partition("\n")

    assert install == "pip install 'kmsmock[server]'"
    run_script(script, tmp_path)


def run_script(script: str, folder: Path) -> None:
    """Run a script that starts a server and waits for it, with this version of kmsmock."""
    for name in EXTRA:
        pytest.importorskip(name, reason="the extra server is not installed")
    program = folder / "kmsmock"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m kmsmock "$@"\n')
    program.chmod(0o755)
    port = str(find_free_port())
    script = script.replace("4599", port).replace("kmsmock serve", f"kmsmock serve --port {port}")
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}

    ran = subprocess.run(
        ["bash", "-ec", f"trap 'kill $!' EXIT\n{script}"],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert '"status": "ready"' in ran.stdout
