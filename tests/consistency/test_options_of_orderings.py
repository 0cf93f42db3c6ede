"""The options that decide the ordering: ``--kms-consistency`` and ``--kms-seed``."""

from __future__ import annotations

import pytest

from tests.consistency.test_exploration import write


@pytest.mark.parametrize("mode", ["explore:0", "explore:x", "explore", "sometimes"])
def test_the_error_about_a_wrong_mode_names_all_forms(pytester, mode):
    result = pytester.runpytest_inprocess(f"--kms-consistency={mode}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            f"*kmsmock: --kms-consistency={mode}: it is strong, eventual, or explore:N with the "
            "number of orderings, from 1 to 999999, such as explore:20"
        ]
    )


@pytest.mark.parametrize("seed", ["", "/2", "7/x", "7/2/2", "7/"])
def test_the_error_about_a_wrong_seed_names_the_forms(pytester, seed):
    result = pytester.runpytest_inprocess(f"--kms-seed={seed}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*kmsmock: --kms-seed={seed}: it is *such as 7/2"])


def test_the_seed_of_one_ordering_is_not_explored(pytester):
    result = pytester.runpytest_inprocess("--kms-seed=7/2", "--kms-consistency=explore:3")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*the seed 7/2 is that of one ordering*use the seed 7, or *"])


@pytest.mark.parametrize("where", ["command line", "ini", "mark"])
def test_mocks_are_eventually_consistent_by(pytester, where):
    mark = '@pytest.mark.kms(consistency="eventual")' if where == "mark" else ""
    arguments = ["--kms-consistency=eventual"] if where == "command line" else []
    if where == "ini":
        pytester.makeini("[pytest]\nkms_consistency = eventual\n")
    code = f"""
    {mark}
    def test_app(kms):
        assert kms.options["consistency"] == "eventual"
    """
    write(pytester, code)

    pytester.runpytest_inprocess(*arguments).assert_outcomes(passed=1)


def test_the_command_line_overrides_the_ini_file(pytester):
    pytester.makeini("[pytest]\nkms_consistency = eventual\n")
    write(pytester, '    def test_app(kms):\n        assert kms.options["consistency"] == "strong"')

    pytester.runpytest_inprocess("--kms-consistency=strong").assert_outcomes(passed=1)


def test_the_header_names_orderings_and_seed(pytester):
    result = pytester.runpytest_inprocess("--kms-consistency=explore:5", "--kms-seed=7")

    result.stdout.fnmatch_lines(
        ["*eventual consistency in 5 orderings of each test, with seed '7'*"]
    )
