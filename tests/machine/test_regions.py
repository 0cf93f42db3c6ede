"""Which Region clients have that name none: one rule for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config

from kmsmock import KMSMock, mock_kms
from kmsmock.activation.key_factory import KmsKeyFactory
from tests.configured_machine import Machine


def profile(name: str, region: str) -> str:
    return f"[{name}]\nregion = {region}\n"


#: What names a Region, the source that takes precedence first.
SOURCES: dict[str, Callable[[Machine], Any]] = {
    "the default session": lambda _: boto3.setup_default_session(region_name="ca-central-1"),
    "the option": lambda _: {"region": "eu-west-1"},
    "AWS_DEFAULT_REGION": lambda machine: machine.set(AWS_DEFAULT_REGION="eu-west-2"),
    "AWS_REGION": lambda machine: machine.set(AWS_REGION="eu-west-3"),
    "the profile": lambda machine: machine.write_config(profile("default", "eu-north-1")),
}
REGIONS = {
    "the default session": "ca-central-1",
    "the option": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-2",
    "AWS_REGION": "eu-west-3",
    "the profile": "eu-north-1",
}
#: Each source, each pair, and all together.
COMBINATIONS = [
    pytest.param(sources, REGIONS[sources[0]], id=" over ".join(sources))
    for count in (1, 2, len(SOURCES))
    for sources in combinations(SOURCES, count)
]


def regions_of(kms: KMSMock) -> dict[str, str]:
    """Return the Region of everything that has one, none of which names it."""
    client = boto3.client("kms")
    key = KmsKeyFactory(kms.client())(alias="app")
    decision = kms.explain(kms.account("123456789012").administrator, "kms:Encrypt", "alias/app")
    assert decision
    kms.load({"keys": ["alias/loaded"]})
    return {
        "boto3.client": client.meta.region_name,
        "the default session": boto3.DEFAULT_SESSION.region_name,
        "kms.client()": kms.client().meta.region_name,
        "kms_key_factory": key.arn.split(":")[3],
        "an account": kms.account("444455556666").client().meta.region_name,
        "a principal": kms.account("444455556666").user("Ada").client().meta.region_name,
        "what boto3.client finds": client.list_aliases()["Aliases"][0]["AliasArn"].split(":")[3],
        "a world": kms.keys[-1].region_name,
    }


@contextmanager
def mocked(sources: tuple[str, ...], machine: Machine) -> Iterator[KMSMock]:
    options: dict[str, Any] = {}
    for source in sources:
        options |= SOURCES[source](machine) or {}
    with mock_kms(**options) as kms:
        yield kms


@pytest.mark.parametrize(("sources", "expected"), COMBINATIONS)
def test_the_first_source_decides_for_all_clients(machine, sources, expected):
    with mocked(sources, machine) as kms:
        assert set(regions_of(kms).values()) == {expected}, regions_of(kms)


def test_without_any_source_it_is_us_east_1(machine):  # noqa: ARG001
    with mock_kms() as kms:
        assert set(regions_of(kms).values()) == {"us-east-1"}, regions_of(kms)


def a_client() -> Any:
    return boto3.client("kms", region_name="ca-central-1")


def a_client_of_a_session() -> Any:
    return boto3.Session(region_name="ca-central-1").client("kms")


def a_client_with_a_config() -> Any:
    return boto3.client("kms", config=Config(region_name="ca-central-1"))


def a_client_of_a_session_with_a_variable() -> Any:
    session = botocore.session.get_session()
    session.set_config_variable("region", "ca-central-1")
    return session.create_client("kms")


def a_client_of_a_session_with_a_default_config() -> Any:
    session = botocore.session.get_session()
    session.set_default_client_config(Config(region_name="ca-central-1"))
    return boto3.Session(botocore_session=session).client("kms")


@pytest.mark.parametrize(
    "create",
    [
        a_client,
        a_client_of_a_session,
        a_client_with_a_config,
        a_client_of_a_session_with_a_variable,
        a_client_of_a_session_with_a_default_config,
    ],
)
def test_a_region_in_the_code_under_test_is_kept(machine, create):
    machine.set(AWS_DEFAULT_REGION="eu-west-2")
    machine.write_config(profile("default", "eu-north-1"))

    with mock_kms(region="eu-west-1"):
        assert ":ca-central-1:" in create().create_key()["KeyMetadata"]["Arn"]


PROFILES = """
    [default]
    region = eu-west-1

    [profile work]
    region = eu-west-2

    [profile "at home"]
    region = eu-west-3

    [profile without]
    output = json
"""


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "eu-west-1"),
        ({"AWS_PROFILE": "work"}, "eu-west-2"),
        ({"AWS_PROFILE": "at home"}, "eu-west-3"),
        ({"AWS_DEFAULT_PROFILE": "work"}, "eu-west-2"),
        ({"AWS_DEFAULT_PROFILE": "work", "AWS_PROFILE": "at home"}, "eu-west-2"),
        ({"AWS_PROFILE": "without"}, "us-east-1"),
        ({"AWS_PROFILE": "missing"}, "us-east-1"),
    ],
    ids=lambda value: " ".join(map("=".join, value.items())) if isinstance(value, dict) else value,
)
def test_the_profile_is_the_one_that_the_environment_names(machine, variables, expected):
    machine.write_config(PROFILES)
    machine.set(**variables)

    with mock_kms() as kms:
        assert set(regions_of(kms).values()) == {expected}, regions_of(kms)


def test_a_profile_that_the_code_names_comes_before_that_of_the_environment(machine):
    machine.write_config(PROFILES)
    machine.set(AWS_PROFILE="work")

    with mock_kms() as kms:
        assert boto3.Session(profile_name="at home").region_name == "eu-west-3"
        boto3.setup_default_session(profile_name="at home")
        assert set(regions_of(kms).values()) == {"eu-west-3"}, regions_of(kms)


def test_the_region_can_be_in_the_credentials_file(machine):
    machine.write_credentials(profile("default", "eu-west-2"))

    with mock_kms() as kms:
        assert set(regions_of(kms).values()) == {"eu-west-2"}


def test_an_empty_variable_names_no_region(machine):
    machine.set(AWS_DEFAULT_REGION="", AWS_REGION="eu-west-3")

    with mock_kms() as kms:
        assert set(regions_of(kms).values()) == {"eu-west-3"}


# --- live ----------------------------------------------------------------------------------------


def test_the_region_follows_the_environment_while_the_mock_is_active(machine):
    with mock_kms() as kms:
        assert set(regions_of(kms).values()) == {"us-east-1"}
        for region in ("eu-west-1", "eu-west-2"):
            machine.set(AWS_DEFAULT_REGION=region)
            assert set(regions_of(kms).values()) == {region}
            kms.reset()
        machine.unset("AWS_DEFAULT_REGION")
        machine.set(AWS_REGION="eu-west-3")
        assert set(regions_of(kms).values()) == {"eu-west-3"}


def test_the_region_follows_the_configuration_files_while_the_mock_is_active(machine):
    with mock_kms() as kms:
        for region in ("eu-west-1", "eu-west-2"):
            machine.write_config(profile("default", region))
            assert set(regions_of(kms).values()) == {region}
            kms.reset()
        machine.use_files("other")
        machine.write_config(profile("default", "eu-west-3"))
        assert set(regions_of(kms).values()) == {"eu-west-3"}


def test_an_option_is_not_moved_by_the_environment(machine):
    with mock_kms(region="eu-west-1") as kms:
        machine.set(AWS_DEFAULT_REGION="eu-west-2", AWS_REGION="eu-west-2")

        assert set(regions_of(kms).values()) == {"eu-west-1"}


def test_the_dummy_region_of_the_environment_is_not_a_configured_one(machine):
    with mock_kms(region="eu-west-1"):
        with mock_kms(isolated=True) as kms:
            assert set(regions_of(kms).values()) == {"us-east-1"}
        machine.set(AWS_REGION="eu-west-3")
        with mock_kms(isolated=True) as kms:
            assert set(regions_of(kms).values()) == {"eu-west-3"}


def test_principals_are_of_the_partition_of_the_region(machine):
    with mock_kms() as kms:
        machine.set(AWS_DEFAULT_REGION="cn-north-1")

        assert kms.account("123456789012").role("App").arn.startswith("arn:aws-cn:iam::")
        assert kms.account("123456789012").root.arn.startswith("arn:aws-cn:iam::")


@pytest.mark.parametrize("arguments", [{}, {"profile_name": "work"}], ids=["default", "named"])
def test_a_client_reads_the_configuration_files_a_few_times_at_most(
    machine, monkeypatch, arguments
):
    machine.write_config(PROFILES)
    read_bytes, read = Path.read_bytes, []
    monkeypatch.setattr(Path, "read_bytes", lambda path: read.append(path) or read_bytes(path))

    with mock_kms():
        session = boto3.Session(**arguments)
        read.clear()
        session.client("kms")

    # For dozens of settings, it used to be once for each.
    assert 1 <= read.count(machine.config) <= 2


# --- sessions from before ------------------------------------------------------------------------


def of_another_environment(machine: Machine) -> None:
    machine.set(AWS_DEFAULT_REGION="sa-east-1")
    boto3.client("kms")


def of_other_files(machine: Machine) -> None:
    machine.use_files("other")
    machine.write_config(profile("default", "sa-east-1"))
    boto3.client("kms")
    machine.use_files("machine")


def of_another_profile(machine: Machine) -> None:
    machine.write_config(profile("profile work", "sa-east-1"))
    machine.set(AWS_PROFILE="work")
    boto3.client("kms")
    assert boto3.DEFAULT_SESSION.profile_name == "work"
    machine.unset("AWS_PROFILE")


def of_another_mock(machine: Machine) -> None:  # noqa: ARG001
    with mock_kms(region="sa-east-1"):
        boto3.client("kms").list_keys()


@pytest.mark.parametrize(
    "create_session",
    [of_another_environment, of_other_files, of_another_profile, of_another_mock],
)
@pytest.mark.parametrize(
    "source", ["the option", "AWS_DEFAULT_REGION", "AWS_REGION", "the profile"]
)
def test_a_default_session_from_before_has_the_region_of_the_mock(machine, create_session, source):
    create_session(machine)
    machine.unset("AWS_DEFAULT_REGION")

    with mocked((source,), machine) as kms:
        assert set(regions_of(kms).values()) == {REGIONS[source]}, regions_of(kms)


def test_after_the_mock_a_session_has_its_own_region(machine):
    machine.write_config(profile("default", "eu-north-1"))
    session = boto3.Session()

    with mock_kms(region="eu-west-1"):
        assert session.region_name == "eu-west-1"
    assert session.region_name == "eu-north-1"


def test_while_the_mock_is_paused_a_session_has_its_own_region(machine):
    machine.set(AWS_DEFAULT_REGION="eu-west-2")

    with mock_kms(region="eu-west-1") as kms, kms.pause():
        assert boto3.Session().region_name == "eu-west-2"


# --- pytest --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ini", "mark", "expected"),
    [
        ("", "", "eu-west-2"),
        ("kms_region = eu-west-1", "", "eu-west-1"),
        ("", "@pytest.mark.kms(region='eu-west-3')", "eu-west-3"),
        ("kms_region = eu-west-1", "@pytest.mark.kms(region='eu-west-3')", "eu-west-3"),
        ("kms_region = eu-west-1", "@pytest.mark.kms(region=None)", "eu-west-2"),
    ],
    ids=["neither", "ini", "mark", "mark over ini", "mark without a Region"],
)
def test_the_fixtures_are_in_the_region_of_boto3(machine, pytester, run_alone, ini, mark, expected):
    machine.set(AWS_DEFAULT_REGION="eu-west-2")
    pytester.makeini(f"[pytest]\n{ini}\n")
    code = f"""
        import boto3
        import pytest

        {mark}
        def test_it(kms_key, kms, kms_client):
            assert kms_key.arn.split(":")[3] == {expected!r}
            assert kms_client.meta.region_name == kms.client().meta.region_name == {expected!r}
            boto3.client("kms").describe_key(KeyId=kms_key.id)
    """

    assert run_alone(code, "-q").ret == 0
