"""Wrong configuration of pytest ends the run with one line that names file, option and value."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.inner_runs import run_pytest

USAGE_ERROR = 4
TEST = "def test_it(kms):\n    pass\n"


def run_with(folder: Path, ini: str, *arguments: str) -> tuple[int, str]:
    """Run a test with a line in pytest.ini."""
    (folder / "pytest.ini").write_text(f"[pytest]\n{ini}\n")
    (folder / "test_it.py").write_text(TEST)
    return run_pytest(folder, *arguments)


CONFIGURATIONS: dict[str, tuple[str, str]] = {
    "a flag": ("kms_wire = maybe", "invalid truth value 'maybe'"),
    "a dict": (
        'kms_quotas = {"CreateKey": 1}',
        """invalid truth value '{"CreateKey": 1}'; a dict such as {"CreateKey": 10} is possible """
        "in marks and mock_kms",
    ),
    "the flag of the block": ("kms_block_real_kms = maybe", "invalid truth value 'maybe'"),
    "commas": (
        "kms_services = kms, s3",
        "the service 'kms,' is not .*: spaces separate",
    ),
    "a service": (
        "kms_services = kms s33",
        "service 's33' is not .*did you mean 's3'",
    ),
    "a choice": ("kms_authorization = enforce", "not 'enforce'; did you mean 'enforced'?"),
    "a time": (
        "kms_start_time = now",
        "must be an ISO 8601 time with UTC offset, .* 'now'",
    ),
    "an account": (
        "kms_account_id = 12345",
        "must be a string of 12 digits, not '12345'",
    ),
    "no world": ("kms_world = none.json", "there is no such file: .*none.json"),
    "a broken world": ("kms_world = broken.json", "this is not JSON: "),
    "no prices": ("kms_prices = none.json", "the price list .*none.json cannot be read"),
}


@pytest.mark.parametrize("kind", CONFIGURATIONS)
def test_a_wrong_value_is_named_with_its_option_and_file(tmp_path: Path, kind: str) -> None:
    line, sentence = CONFIGURATIONS[kind]
    (tmp_path / "broken.json").write_text('{"keys": [')

    code, output = run_with(tmp_path, line)

    [error] = [one for one in output.splitlines() if one.startswith("ERROR:")]
    start = f"ERROR: kmsmock: {tmp_path / 'pytest.ini'}: {line}: "
    assert error.startswith(start)
    assert re.search(sentence, error)
    assert code == USAGE_ERROR


def test_a_wrong_value_on_the_command_line_is_named(tmp_path: Path) -> None:
    code, output = run_with(tmp_path, "", "-o", "kms_wire=maybe")

    assert "ERROR: kmsmock: -o kms_wire = maybe: invalid truth value 'maybe'" in output
    assert code == USAGE_ERROR


# pytest before version 8 has hooks that pluggy warns of when an error passes through them.
@pytest.mark.filterwarnings("ignore:A plugin raised an exception")
@pytest.mark.parametrize(
    ("ini", "arguments", "sentence"),
    [
        ("kms_regin = eu-west-1", [], "no option 'kms_regin'; did you mean 'kms_region'?"),
        ("kms_colour = blue", [], "no option 'kms_colour'; there are kms_account_id, "),
        ("", ["-o", "kms_wyre=1"], "-o: there is no option 'kms_wyre'; did you mean 'kms_wire'?"),
        ("", ["--kms-sed=5"], "there is no option '--kms-sed'; did you mean '--kms-seed'?"),
        ("", ["--kms-repot"], "there is no option '--kms-repot'; did you mean '--kms-report'?"),
        ("addopts = --kms-alow-real", [], "'--kms-alow-real'; did you mean '--kms-allow-real'?"),
    ],
    ids=str,
)
def test_a_misspelt_option_is_named_with_the_nearest(
    tmp_path: Path, ini: str, arguments: list[str], sentence: str
) -> None:
    code, output = run_with(tmp_path, ini, *arguments)

    assert sentence in output
    assert code == USAGE_ERROR


def test_options_of_others_may_begin_like_ours(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "def pytest_addoption(parser):\n"
        "    parser.addini('kms_stack', 'of the project')\n"
        "    parser.addoption('--kms-stack')\n"
    )

    code, output = run_with(tmp_path, "kms_stack = a", "--kms-stack=b")

    assert code == 0, output


@pytest.mark.parametrize(
    ("mark", "sentence"),
    [
        ("regin='eu-west-1'", "there is no option 'regin'; there are .*; did you mean 'region'?"),
        ("max_request=3", "did you mean 'max_requests'?"),
        ("world='none.json'", "No such file or directory: .*none.json"),
        ("services=['s33']", "did you mean 's3'?"),
    ],
)
def test_a_wrong_mark_fails_its_test_with_one_line(
    tmp_path: Path, mark: str, sentence: str
) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_it.py").write_text(f"import pytest\n@pytest.mark.kms({mark})\n{TEST}")

    _, output = run_pytest(tmp_path)

    [error] = [one for one in output.splitlines() if one.startswith("test_it.py::test_it: @pytest")]
    assert re.search(sentence, error)
    assert "Traceback" not in output


def test_a_world_with_a_wrong_member_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "world.json").write_text('{"keys": [{"spec": "RSA_248"}]}')

    _, output = run_with(tmp_path, "kms_world = world.json")

    told = [one for one in output.splitlines() if one.startswith("test_it.py::test_it: the mock")]
    assert len(told) == 1
    assert "world.json: keys[0].spec: must be one of" in told[0]
