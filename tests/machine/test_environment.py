"""The environment variables of the mock that answers: there while it does, and gone afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from unittest import mock

import boto3
import pytest

from kmsmock import mock_kms
from kmsmock.options import configure

DUMMIES = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture(autouse=True)
def _without_children(machine) -> Iterator[None]:  # noqa: ARG001
    """Leave out what children find: this would be set when a test lists the environment."""
    before = configure({"processes": "alone"})
    yield
    configure(before)


def changes(before: dict[str, str]) -> dict[str, str | None]:
    """Return the variables that differ from before, by name; None if there is none."""
    now = dict(os.environ)
    names = [name for name in {*before, *now} if before.get(name) != now.get(name)]
    return {name: now.get(name) for name in names}


def test_dummies_are_there_for_code_that_reads_the_environment(machine):  # noqa: ARG001
    before = dict(os.environ)

    with mock_kms():
        assert changes(before) == DUMMIES
        with mock_kms(region="eu-west-3"):
            assert changes(before) == {**DUMMIES, "AWS_DEFAULT_REGION": "eu-west-3"}
        assert changes(before) == DUMMIES

    assert changes(before) == {}


STATIC = "[{}]\naws_access_key_id = mine\naws_secret_access_key = secret\n"


@pytest.mark.parametrize(
    ("configure", "left_out"),
    [
        (lambda m: m.set(AWS_ACCESS_KEY_ID="mine", AWS_SECRET_ACCESS_KEY="secret"), "ACCESS_KEY"),
        (lambda m: m.write_credentials(STATIC.format("default")), "ACCESS_KEY"),
        (lambda m: m.write_config(STATIC.format("default")), "ACCESS_KEY"),
        (
            lambda m: (m.write_credentials(STATIC.format("work")), m.set(AWS_PROFILE="work")),
            "ACCESS_KEY",
        ),
        (lambda m: m.set(AWS_DEFAULT_REGION="eu-west-1"), "REGION"),
        (lambda m: m.set(AWS_REGION="eu-west-1"), "REGION"),
        (lambda m: m.write_config("[default]\nregion = eu-west-1\n"), "REGION"),
        # These would be fetched.
        (lambda m: m.write_config("[default]\ncredential_process = false\n"), "nothing"),
        (lambda m: m.write_credentials(STATIC.format("work")), "nothing"),
        (lambda m: m.set(AWS_PROFILE="missing"), "nothing"),
        (lambda m: m.write_config("no configuration"), "nothing"),
    ],
    ids=[
        *("access key", "credentials file", "config file", "profile", "Region", "AWS_REGION"),
        *("Region of the profile", "process", "other profile", "missing profile", "broken file"),
    ],
)
def test_what_is_configured_is_left_as_it_is(machine, configure, left_out):
    configure(machine)
    before = dict(os.environ)

    with mock_kms():
        assert changes(before) == {n: v for n, v in DUMMIES.items() if left_out not in n}
    assert changes(before) == {}


def test_mocks_may_end_in_the_order_in_which_they_began(machine):  # noqa: ARG001
    before = dict(os.environ)
    first, second = mock_kms(isolated=True, region="eu-west-1"), mock_kms(isolated=True)
    first.start()
    second.start()

    first.stop()
    boto3.Session().client("kms").create_key()
    second.stop()

    assert changes(before) == {}


def test_the_environment_is_restored_after_an_exception(machine):  # noqa: ARG001
    before = dict(os.environ)

    with pytest.raises(ValueError), mock_kms():
        raise ValueError

    assert changes(before) == {}


def test_a_paused_mock_sets_no_variables(machine):  # noqa: ARG001
    before = dict(os.environ)

    with mock_kms() as kms:
        with kms.pause():
            assert changes(before) == {}
        assert changes(before) == DUMMIES


def test_a_variable_that_the_test_changes_is_left_to_the_test(machine):
    machine.set(AWS_EC2_METADATA_DISABLED="false")

    with mock_kms():
        assert os.environ["AWS_EC2_METADATA_DISABLED"] == "true"
        os.environ["AWS_DEFAULT_REGION"] = "eu-west-1"
        os.environ["AWS_EC2_METADATA_DISABLED"] = "maybe"

    assert os.environ.pop("AWS_DEFAULT_REGION") == "eu-west-1"
    assert os.environ["AWS_EC2_METADATA_DISABLED"] == "maybe"
    assert "AWS_ACCESS_KEY_ID" not in os.environ


# --- changes of the test that are undone later ----------------------------------------------------


def set_another(patch):
    patch.setenv("AWS_ACCESS_KEY_ID", "AKIAROLE")
    patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


def set_the_same(patch):
    for name, value in DUMMIES.items():
        patch.setenv(name, value)


def remove(patch):
    for name in DUMMIES:
        patch.delenv(name)


@pytest.mark.parametrize("change", [set_another, set_the_same, remove])
def test_undoing_a_change_after_the_mock_brings_nothing_back(machine, change):  # noqa: ARG001
    before = dict(os.environ)

    with pytest.MonkeyPatch.context() as patch, mock_kms():
        change(patch)

    assert changes(before) == {}


@pytest.mark.parametrize("change", [set_another, set_the_same, remove])
def test_undoing_a_change_inside_the_mock_brings_the_dummies_back(machine, change):  # noqa: ARG001
    before = dict(os.environ)

    with mock_kms():
        with pytest.MonkeyPatch.context() as patch:
            change(patch)
        assert changes(before) == DUMMIES

    assert changes(before) == {}


def test_undoing_a_change_from_before_the_mock_brings_back_what_was_configured(machine):
    machine.set(AWS_DEFAULT_REGION="eu-west-1")

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AWS_DEFAULT_REGION")
        with mock_kms():
            assert os.environ["AWS_DEFAULT_REGION"] == "us-east-1"

    assert os.environ["AWS_DEFAULT_REGION"] == "eu-west-1"


@pytest.mark.parametrize("change", [set_another, set_the_same, remove])
def test_what_the_machine_has_is_kept_if_it_is_as_the_dummies_are(machine, change):
    machine.set(**DUMMIES)
    before = dict(os.environ)

    with pytest.MonkeyPatch.context() as patch:
        change(patch)
        with mock_kms():
            pass
    with pytest.MonkeyPatch.context() as patch, mock_kms():
        change(patch)
    with mock_kms(), pytest.MonkeyPatch.context() as patch:
        change(patch)

    assert changes(before) == {}


def test_a_region_that_a_test_sets_counts_as_configured_if_it_is_the_dummy_one(machine):
    with mock_kms(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        machine.write_config("[default]\nregion = eu-west-3\n")

        assert boto3.Session().region_name == "us-east-1"


def test_a_variable_that_a_mock_has_set_can_be_deleted_once(machine):  # noqa: ARG001
    with mock_kms(), pytest.MonkeyPatch.context() as patch:
        patch.delenv("AWS_DEFAULT_REGION")
        with pytest.raises(KeyError):
            patch.delenv("AWS_DEFAULT_REGION")


def test_a_region_that_a_test_sets_again_after_a_mock_is_a_configured_one(machine):
    machine.write_config("[default]\nregion = eu-west-3\n")
    with mock_kms(region="eu-west-1"):
        pass
    machine.set(AWS_DEFAULT_REGION="eu-west-1")

    with mock_kms():
        assert boto3.Session().region_name == "eu-west-1"


@pytest.mark.parametrize("fixtures", ["monkeypatch, kms", "kms, monkeypatch", "patch, kms"])
def test_the_next_test_has_the_environment_of_the_machine(machine, run_alone, fixtures):
    machine.set(AWS_EC2_METADATA_DISABLED="false")
    code = f"""
        import os
        from unittest import mock
        import pytest

        @pytest.fixture
        def patch():
            patch = mock.patch.dict(os.environ)
            yield patch
            patch.stop()

        def test_before({fixtures}):
            if "patch" in locals():
                patch.start()
                os.environ["AWS_ACCESS_KEY_ID"] = "AKIAROLE"
            else:
                monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAROLE")
                monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

        def test_it():
            assert "AWS_ACCESS_KEY_ID" not in os.environ
            assert "AWS_DEFAULT_REGION" not in os.environ
            assert os.environ["AWS_EC2_METADATA_DISABLED"] == "false"
    """

    assert run_alone(code, "-q").ret == 0


def test_a_copy_of_the_environment_of_the_machine_is_restored(machine, run_alone):
    machine.set(**DUMMIES)
    code = f"""
        import os
        from unittest import mock
        from kmsmock import mock_kms

        DUMMIES = {DUMMIES}

        def test_before():
            with mock.patch.dict(os.environ), mock_kms():
                pass
            with mock.patch.dict(os.environ):
                for name in DUMMIES:
                    del os.environ[name]
                with mock_kms():
                    pass

        def test_it():
            assert DUMMIES.items() <= os.environ.items()
    """

    assert run_alone(code, "-q").ret == 0


def test_a_mock_that_a_test_does_not_use_sets_no_variables_in_it(machine, run_alone):  # noqa: ARG001
    code = """
        import os

        def test_before(module_kms):
            assert os.environ["AWS_ACCESS_KEY_ID"] == "testing"

        def test_it():
            assert "AWS_ACCESS_KEY_ID" not in os.environ

        def test_afterwards(module_kms):
            assert os.environ["AWS_ACCESS_KEY_ID"] == "testing"
    """

    assert run_alone(code, "-q").ret == 0


def test_variables_that_moto_sets_are_left_to_moto(machine):  # noqa: ARG001
    mock_aws = pytest.importorskip("moto").mock_aws
    before = dict(os.environ)

    with mock_aws():
        with mock_kms():
            assert os.environ["AWS_ACCESS_KEY_ID"] == "FOOBARKEY"
        assert os.environ["AWS_ACCESS_KEY_ID"] == "FOOBARKEY"
    with mock_kms(), mock_aws():
        assert os.environ["AWS_ACCESS_KEY_ID"] == "FOOBARKEY"

    assert changes(before) == {}


def test_an_environment_that_is_copied_inside_the_mock_can_be_restored_there(machine):  # noqa: ARG001
    before = dict(os.environ)

    with mock_kms():
        with mock.patch.dict(os.environ, {"AWS_DEFAULT_REGION": "eu-west-1"}):
            assert boto3.Session().region_name == "eu-west-1"
        assert changes(before) == DUMMIES

    assert changes(before) == {}
