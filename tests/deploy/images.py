"""What Dockerfiles say, carried out on this machine instead of in a container."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "docs" / "deploy"
#: Building needs the registries of packages, and half a minute; `.ci/run` has a job for it.
needs_registries = pytest.mark.skipif(
    not os.environ.get("KMSMOCK_TEST_BUILDS"),
    reason="it installs packages: set KMSMOCK_TEST_BUILDS=1",
)


class Instruction(NamedTuple):
    """An instruction of a Dockerfile."""

    name: str
    text: str

    @property
    def words(self) -> list[str]:
        """The words of a command in the form of a JSON list."""
        words: list[str] = json.loads(self.text[self.text.index("[") :])
        return words


def read_stages(path: Path) -> list[list[Instruction]]:
    """Return the instructions of each stage of a Dockerfile."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    logical = re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines()
    stages: list[list[Instruction]] = []
    for line in filter(None, map(str.strip, logical)):
        name, _, text = line.partition(" ")
        if name == "FROM":
            stages.append([])
        stages[-1].append(Instruction(name, text.strip()))
    return stages


def find(stage: Sequence[Instruction], name: str) -> Instruction:
    """Return the only instruction with a name."""
    (found,) = [each for each in stage if each.name == name]
    return found


def build(stage: Sequence[Instruction], context: Path, folder: Path, *moved: str) -> None:
    """Carry out a stage in a folder. moved: a path of the image, and that of this machine."""
    for instruction in stage:
        if instruction.name == "COPY":
            *sources, target = instruction.text.split()
            for source in sources:
                _copy(context / source, folder / target)
        elif instruction.name == "RUN":
            command = instruction.text.replace(*moved) if moved else instruction.text
            subprocess.run(["sh", "-ec", command], cwd=folder, check=True)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def find_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def use_this_python(command: Sequence[str]) -> list[str]:
    """Return a command whose programs are those of this environment."""
    first, *others = command
    if first == "kmsmock":
        return [sys.executable, "-m", "kmsmock", *others]
    return [sys.executable if first == "python" else first, *others]


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, uid: int | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Run a command during the block. uid: that of another user, if this one may be it."""
    process = subprocess.Popen(
        command,
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **({} if uid is None else {"user": uid, "group": uid, "extra_groups": []}),
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
