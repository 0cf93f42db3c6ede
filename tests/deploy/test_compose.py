"""The compose file: its services as processes of this machine, and what it must not say."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.images import (
    DEPLOY,
    build,
    find,
    find_free_port,
    needs_registries,
    read_stages,
    running,
    use_this_python,
)

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
CONTENT: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = CONTENT["services"]
ENTRYPOINT = find(read_stages(DEPLOY / "Dockerfile")[-1], "ENTRYPOINT").words
(NODE,) = read_stages(DEPLOY / "orders" / "Dockerfile")
needs_node = pytest.mark.skipif(
    shutil.which("node") is None or shutil.which("npm") is None, reason="Node is not installed"
)


class Machine:
    """The services of the compose file on this machine, each at a free port."""

    def __init__(self, stack: ExitStack, orders: Path) -> None:
        self._stack = stack
        self._orders = orders
        self._ports = {"4599": find_free_port(), "3000": find_free_port()}

    def translate(self, text: str) -> str:
        """Return a text of the compose file, with the URLs and files of this machine."""
        for name in SERVICES:
            text = text.replace(f"//{name}:", "//127.0.0.1:")
        for container, host in self._ports.items():
            text = re.sub(rf"(^|:){container}\b", rf"\g<1>{host}", text)
        for volume in SERVICES["kms"]["volumes"]:
            source, target, _ = volume.split(":")
            text = text.replace(target, str(DEPLOY / source))
        return text

    def find_environment(self, name: str) -> dict[str, str]:
        declared: Mapping[str, str] = SERVICES[name].get("environment", {})
        own = {key: self.translate(value) for key, value in declared.items()}
        return {"PATH": os.environ["PATH"], **own}

    def start_kms(self) -> None:
        words = [*ENTRYPOINT, *SERVICES["kms"]["command"]]
        command = use_this_python(
            [self.translate(word).replace("4599", self.port) for word in words]
        )
        process = self._stack.enter_context(running(command, dict(os.environ), DEPLOY))
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("kmsmock is ready"), line + process.stdout.read()

    @property
    def port(self) -> str:
        return str(self._ports["4599"])

    def start_orders(self) -> None:
        service = SERVICES["orders"]
        environment = self.find_environment("orders")
        self._stack.enter_context(running(service["command"], environment, self._orders))
        kind, *check = map(self.translate, service["healthcheck"]["test"])
        assert kind == "CMD"
        for _ in range(100):
            if subprocess.run(check, env=environment, check=False).returncode == 0:
                return
            time.sleep(0.1)
        raise AssertionError("the service is not healthy")

    def run_tests(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            SERVICES["tests"]["command"],
            env=self.find_environment("tests"),
            cwd=self._orders,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the image of the service has."""
    folder = tmp_path_factory.mktemp("orders")
    build(NODE, DEPLOY / "orders", folder)
    return folder


@pytest.fixture
def machine(orders: Path) -> Iterator[Machine]:
    with ExitStack() as stack:
        yield Machine(stack, orders)


@needs_registries
@needs_node
def test_the_tests_of_the_service_pass(machine: Machine) -> None:
    machine.start_kms()
    machine.start_orders()

    ran = machine.run_tests()

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"^. pass 3$", ran.stdout, re.MULTILINE), ran.stdout


@needs_registries
@needs_node
@pytest.mark.parametrize(
    "change",
    [
        lambda source: source.replace("order: name", "order: 'any'"),
        lambda source: source.replace("KeyId: process.env.KEY_ID, ", "KeyId: 'alias/other', "),
        lambda source: source.replace("(503)", "(500)"),
    ],
    ids=["context", "key", "failure"],
)
def test_the_tests_of_the_service_notice_a_fault_in_it(
    machine: Machine, orders: Path, change: Callable[[str], str]
) -> None:
    path = orders / "service.mjs"
    source = path.read_text()
    assert change(source) != source
    try:
        path.write_text(change(source))
        machine.start_kms()
        machine.start_orders()
        assert machine.run_tests().returncode == 1
    finally:
        path.write_text(source)


def test_the_world_gives_the_service_what_it_needs_and_no_more() -> None:
    from kmsmock import mock_kms

    user = "arn:aws:iam::123456789012:user/orders"
    with mock_kms(world=str(DEPLOY / "world.json"), region="eu-central-1") as kms:
        context = {"service": "orders", "order": "1"}
        for action in ("kms:Encrypt", "kms:Decrypt"):
            assert kms.explain(user, action, "alias/orders", encryption_context=context)
        assert not kms.explain(user, "kms:Decrypt", "alias/orders")
        assert not kms.explain(user, "kms:ScheduleKeyDeletion", "alias/orders")


def test_the_service_has_the_access_key_of_the_world() -> None:
    world = json.loads((DEPLOY / "world.json").read_text())
    environment = SERVICES["orders"]["environment"]

    (key,) = world["users"][0]["access_keys"]
    assert environment["AWS_ACCESS_KEY_ID"] == key["id"]
    assert environment["AWS_SECRET_ACCESS_KEY"] == key["secret"]
    assert environment["AWS_REGION"] == world["region"]
    assert environment["KEY_ID"] == world["keys"][0]["alias"]


def test_only_this_machine_reaches_published_ports() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert published == ["127.0.0.1:4599:4599"]


def test_services_wait_for_others_that_have_a_health_check() -> None:
    has_check = {name for name, service in SERVICES.items() if "healthcheck" in service}
    has_check.add("kms")  # that of its image

    for service in SERVICES.values():
        for name, terms in service.get("depends_on", {}).items():
            assert name in has_check
            assert terms == {"condition": "service_healthy"}


def test_folders_and_files_of_services_exist() -> None:
    for service in SERVICES.values():
        context = service["build"]
        path = DEPLOY / (context if isinstance(context, str) else context["context"])
        dockerfile = "Dockerfile" if isinstance(context, str) else context["dockerfile"]
        assert (path / dockerfile).is_file()
    for volume in SERVICES["kms"]["volumes"]:
        assert (DEPLOY / volume.split(":")[0]).is_file()
