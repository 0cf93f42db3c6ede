"""The settings of a server: options of its mock, on the command line and in the environment."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from kmsmock import cli, options
from kmsmock.server import settings
from kmsmock.server.settings import LEFT_OUT, Settings
from tests.output import capture


def read(*arguments: str) -> Settings:
    parser = argparse.ArgumentParser()
    settings.add_arguments(parser)
    return Settings.of_arguments(parser.parse_args(arguments))


#: The options that tests show to have an effect on a server, or that need nothing of it.
OF_SERVERS = {
    *("account_id", "region", "authorization", "services", "seed", "world", "start_time"),
    *("delays", "waiting", "calls_kept", "prices", "quotas", "consistency"),
}


def test_of_each_option_somebody_has_decided_whether_servers_have_it() -> None:
    assert set(settings.list_options()) == OF_SERVERS
    assert set(options.table()) == OF_SERVERS | set(LEFT_OUT)


@pytest.mark.parametrize("name", LEFT_OUT)
def test_an_option_that_servers_do_not_have_is_refused_with_the_reason(name: str) -> None:
    option = f"--{name.replace('_', '-')}"

    def run() -> None:
        with pytest.raises(SystemExit) as caught:
            cli.main(["serve", option])
        assert caught.value.code == 2

    assert capture(run).errors.endswith(
        f"kmsmock serve: error: a server has no option {option}: {LEFT_OUT[name]}\n"
    )


VALUES = [
    ("region", "eu-west-1", "eu-west-1"),
    ("authorization", "off", "off"),
    ("services", "kms sts", ["kms", "sts"]),
    ("quotas", "true", True),
    ("quotas", "0", False),
    ("calls_kept", "5", "5"),
    ("seed", "5", "5"),
]


@pytest.mark.parametrize(("name", "text", "value"), VALUES)
def test_an_environment_variable_sets_an_option(
    name: str, text: str, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"KMSMOCK_SERVER_{name.upper()}", text)

    assert Settings.of_environment().options == {name: value}
    assert read().options == {name: value}


def test_the_command_line_takes_precedence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KMSMOCK_SERVER_REGION", "eu-west-1")
    monkeypatch.setenv("KMSMOCK_SERVER_STRICT_CREDENTIALS", "true")

    assert read() == Settings({"region": "eu-west-1"}, strict_credentials=True)
    assert read("--region", "eu-north-1", "--no-strict-credentials") == Settings(
        {"region": "eu-north-1"}
    )


def test_a_start_time_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KMSMOCK_SERVER_START_TIME", "2030-01-01T00:00:00Z")

    assert read().options == read("--start-time", "2030-01-01T00:00:00Z").options
    assert read().options["start_time"].year == 2030


@pytest.mark.parametrize(
    ("variable", "text", "reason"),
    [
        ("REGOIN", "a", "there is no environment variable KMSMOCK_SERVER_REGOIN; did you mean"),
        ("WIRE", "1", "KMSMOCK_SERVER_WIRE: a server does not have this option: a server answers"),
        ("QUOTAS", "maybe", "KMSMOCK_SERVER_QUOTAS: quotas must be true or false, not 'maybe'"),
        ("AUTHORIZATION", "on", "KMSMOCK_SERVER_AUTHORIZATION: authorization must be 'enforced'"),
        ("SERVICES", "kms s3", "KMSMOCK_SERVER_SERVICES: a server has no service 's3'"),
        ("ALLOW_REMOTE", "x", "KMSMOCK_SERVER_ALLOW_REMOTE: allow_remote must be true or false"),
    ],
    ids=lambda value: value if value.isupper() else "",
)
def test_a_wrong_environment_variable_is_an_error(
    variable: str, text: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"KMSMOCK_SERVER_{variable}", text)

    with pytest.raises(ValueError, match=r".") as caught:
        Settings.of_environment()
    assert str(caught.value).startswith(reason)


@pytest.mark.parametrize("name", ["HOST", "PORT"])
def test_host_and_port_are_options_only(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"KMSMOCK_SERVER_{name}", "1")

    with pytest.raises(ValueError, match=f"; there is the option --{name.lower()}$"):
        Settings.of_environment()


def test_an_empty_environment_variable_is_as_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KMSMOCK_SERVER_REGION", "")

    assert Settings.of_environment() == Settings()


def test_a_service_that_a_server_does_not_answer_is_refused() -> None:
    def run() -> None:
        with pytest.raises(SystemExit):
            cli.main(["serve", "--services", "kms", "s3"])

    assert "invalid choice: 's3'" in capture(run).errors
