"""The image of the server: what its Dockerfile says, carried out outside of a container."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.deploy.images import (
    DEPLOY,
    ROOT,
    build,
    find,
    find_free_port,
    needs_registries,
    read_stages,
    running,
    use_this_python,
)
from tests.server.processes import EXTRA

BUILD, FINAL = read_stages(DEPLOY / "Dockerfile")
ENTRYPOINT, HEALTHCHECK = find(FINAL, "ENTRYPOINT").words, find(FINAL, "HEALTHCHECK").words
UID = int(find(FINAL, "USER").text.partition(":")[0])
PORT = "4599"
#: What fails in a process as it does where nothing can be written.
READ_ONLY = """
import errno, os, sys
def refuse(event, arguments):
    if event == "open":
        path, _, flags = arguments
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if writes and not isinstance(path, int) and path != os.devnull:
            raise OSError(errno.EROFS, "Read-only file system", path)
    elif event in ("os.mkdir", "os.rename", "os.remove", "os.link", "os.symlink", "os.truncate"):
        raise OSError(errno.EROFS, "Read-only file system", arguments[0])
sys.addaudithook(refuse)
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a process that can write nothing."""
    (tmp_path / "sitecustomize.py").write_text(READ_ONLY)
    paths = os.pathsep.join([str(tmp_path), str(ROOT)])
    return {"PYTHONPATH": paths, "HOME": "/nonexistent", "TMPDIR": "/nonexistent"}


def is_healthy(
    command: list[str], environment: Mapping[str, str], port: int
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [word.replace(PORT, str(port)) for word in command],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def port() -> int:
    return find_free_port()


@pytest.fixture
def start(port: int) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start what a container starts, and wait until it is ready."""
    for name in EXTRA:
        pytest.importorskip(name, reason="the extra server is not installed")
    contexts = []

    def start(
        command: list[str], environment: Mapping[str, str], uid: int | None = None
    ) -> subprocess.Popen[str]:
        words = [word.replace(PORT, str(port)) for word in command]
        context = running(words, environment, Path("/"), uid)
        process = context.__enter__()
        contexts.append(context)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith(f"kmsmock is ready at http://localhost:{port} "), (
            line + process.stdout.read()
        )
        return process

    yield start
    for context in contexts:
        context.__exit__(None, None, None)


def test_the_hook_of_these_tests_refuses_to_write(environment: dict[str, str]) -> None:
    program = "open('/tmp/kmsmock-must-not-be', 'w')"

    ran = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, check=False
    )

    assert b"Read-only file system" in ran.stderr


def test_the_server_runs_where_nothing_can_be_written(
    start: Callable[..., subprocess.Popen[str]], environment: dict[str, str], port: int
) -> None:
    process = start(use_this_python(ENTRYPOINT), environment)

    assert is_healthy(use_this_python(HEALTHCHECK), environment, port).returncode == 0
    process.terminate()
    assert process.wait(20) == 0


def test_the_health_check_uses_no_proxy(
    start: Callable[..., subprocess.Popen[str]], environment: dict[str, str], port: int
) -> None:
    start(use_this_python(ENTRYPOINT), environment)
    proxies = {"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}

    checked = is_healthy(use_this_python(HEALTHCHECK), {**environment, **proxies}, port)

    assert checked.returncode == 0, checked.stderr


def test_the_health_check_fails_where_no_server_is(port: int) -> None:
    checked = is_healthy(use_this_python(HEALTHCHECK), {}, port)

    assert checked.returncode == 1
    assert "ConnectionRefusedError" in checked.stderr


def test_the_image_runs_as_a_user_that_is_not_root() -> None:
    assert UID > 0


def test_all_files_that_are_copied_are_in_the_repository() -> None:
    copied = [each.text.split()[:-1] for each in BUILD if each.name == "COPY"]

    assert [name for names in copied for name in names if not (ROOT / name).exists()] == []


def test_the_page_has_the_command_that_builds_it() -> None:
    command = (DEPLOY / "Dockerfile").read_text().partition("#   ")[2].partition("\n")[0]

    assert command.startswith("docker build ")
    assert f"\n{command}\n" in (DEPLOY / "README.md").read_text()


def find_python(uid: int | None) -> str | None:
    """Return a Python that a user can run and make environments with; None if there is none."""
    user = {} if uid is None else {"user": uid, "group": uid, "extra_groups": []}
    for path in (sys.executable, "/usr/bin/python3"):
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            command = [
                path,
                "-c",
                "import venv, ensurepip, sys; sys.exit(sys.version_info < (3, 10))",
            ]
            subprocess.run(command, check=True, capture_output=True, cwd="/", **user)
            return path
    return None


@needs_registries
def test_the_image_is_built_and_runs_as_its_user(
    start: Callable[..., subprocess.Popen[str]], port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = UID if os.geteuid() == 0 else None
    python = find_python(uid)
    if python is None:
        pytest.skip("no Python here can be run by other users than root")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)
        source, installed, programs = root / "src", root / "kmsmock", root / "bin"
        source.mkdir()
        programs.mkdir()
        (programs / "python").symlink_to(python)
        monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
        monkeypatch.delenv("PYTHONPATH", raising=False)
        build(BUILD, ROOT, source, "/opt/kmsmock", str(installed))
        environment = {"PATH": f"{installed}/bin:/usr/bin:/bin", "HOME": "/"}

        process = start([f"{installed}/bin/{ENTRYPOINT[0]}", *ENTRYPOINT[1:]], environment, uid)

        check = [f"{installed}/bin/{HEALTHCHECK[0]}", *HEALTHCHECK[1:]]
        checked = is_healthy(check, environment, port)
        assert checked.returncode == 0, checked.stderr
        process.terminate()
        assert process.wait(20) == 0
