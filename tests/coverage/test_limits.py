"""Runs that fail since their policies are not covered, and what the command says about it."""

from __future__ import annotations

import json

import pytest

from kmsmock.cli import main
from tests.coverage.test_runs import SUITE, run
from tests.output import capture

PARTS = SUITE.partition("    def test_other_tenants")
#: The suite without the test that another tenant is refused.
LESS = f"{PARTS[0]}    def test_nothing():\n        pass\n"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return the folder of a run, with its coverage and a baseline."""
    folder = tmp_path_factory.mktemp("written")
    code, output = run(folder, "--kms-policy-coverage=json:coverage.json")
    assert code == 0, output
    coverage, baseline = folder / "coverage.json", folder / "baseline.json"
    assert main(["coverage", "baseline", str(coverage), "-o", str(baseline)]) == 0
    return folder


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--kms-policy-fail-under=66"], 0),
        (["--kms-policy-fail-under=67"], 1),
        (["-o", "kms_policy_fail_under=67"], 1),
    ],
    ids=["reached", "missed", "ini option"],
)
def test_a_run_fails_below_a_percentage(tmp_path, options, code):
    found, output = run(tmp_path, *options)

    assert found == code
    assert ("policy coverage is 66.67 %, less than 67 %" in output) is (code == 1)


def test_a_run_that_covers_as_much_as_its_baseline_does_not_fail(written):
    code, output = run(written, "--kms-policy-baseline=baseline.json")

    assert code == 0, output


def test_a_run_that_covers_less_than_its_baseline_fails_and_says_what(written, tmp_path):
    baseline = written / "baseline.json"

    code, output = run(tmp_path, f"--kms-policy-baseline={baseline}", suite=LESS)

    assert code == 1
    assert [line for line in output.splitlines() if line.startswith("not in the baseline")] == [
        f"not in the baseline (kms_policy_baseline): orders-key.json, statement {gap}"
        for gap in (
            "Admin: Principal can be widened",
            "Orders: StringEquals kms:EncryptionContext:tenant can be dropped",
        )
    ]


def test_lines_of_a_file_can_move_and_the_baseline_holds(written):
    gaps = json.loads((written / "baseline.json").read_text())["gaps"]

    assert "orders-key.json, statement Keep: has decided nothing" in gaps
    assert not any(":15" in gap for gap in gaps)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--kms-policy-fail-under=many"], "must be a number from 0 to 100, not 'many'"),
        (["--kms-policy-fail-under=101"], "must be a number from 0 to 100, not '101'"),
        (["--kms-policy-baseline=none.json"], "there is no such file: write it with"),
        (["--kms-policy-baseline=orders-key.json"], "this is not a baseline"),
        (["-o", "kms_policy_baseline=pytest.ini"], "this is not JSON"),
    ],
    ids=["no number", "too large", "no file", "no baseline", "no JSON"],
)
def test_a_limit_that_makes_no_sense_is_an_error(tmp_path, options, problem):
    code, output = run(tmp_path, *options)

    assert code == pytest.ExitCode.USAGE_ERROR
    assert problem in output


def test_a_mark_with_a_limit_of_the_run_fails_its_test(tmp_path):
    suite = """
    import pytest

    @pytest.mark.kms(policy_fail_under=50)
    def test_it(kms):
        pass
    """

    code, output = run(tmp_path, suite=suite)

    assert code == 1
    assert "policy_fail_under is an option of the whole run: set kms_policy_fail_under" in output


def test_the_command_has_the_exit_code_1_below_a_percentage(written):
    path = str(written / "coverage.json")

    assert capture(main, ["coverage", "report", path, "--fail-under=60"]).result == 0
    printed = capture(main, ["coverage", "report", path, "--fail-under=80"])

    assert printed.result == 1
    assert "policy coverage is 66.67 %" in printed.errors


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["report", "{folder}/none.json"], "No such file"),
        (["combine", "{folder}/baseline.json", "-o", "x.json"], "this is not policy coverage"),
        (["report", "{folder}/coverage.json", "--html", "{folder}"], "Is a directory"),
    ],
    ids=["no file", "another file", "a folder"],
)
def test_bad_input_of_the_command_is_an_error_in_one_line(written, arguments, problem):
    filled = [argument.format(folder=written) for argument in arguments]

    printed = capture(main, ["coverage", *filled])

    assert printed.result == 2
    assert problem in printed.errors
    assert printed.errors.count("\n") == 1
