"""Mocks that conftest files start have the options of the run, and are explored."""

from __future__ import annotations

import pytest

from tests.consistency.test_exploration import OFTEN_LATE, explore, read_command, write

OF_CONFTEST = """
from kmsmock import mock_kms

mock_kms(region="us-east-1").start()
"""


def test_a_mock_that_conftest_starts_is_explored(pytester):
    pytester.makeconftest(OF_CONFTEST)

    result = explore(pytester, OFTEN_LATE)

    result.assert_outcomes(failed=1)
    pytester.runpytest_inprocess(*read_command(result)).assert_outcomes(failed=1)


def test_a_mock_that_conftest_starts_has_the_options_of_the_run(pytester):
    pytester.makeconftest(OF_CONFTEST)
    write(
        pytester,
        """
        def test_app(kms):
            options = kms.options
            assert (options["seed"], options["consistency"]) == ("7", "eventual")
            assert options["quotas"]
        """,
    )

    result = pytester.runpytest_inprocess(
        "--kms-seed=7", "--kms-consistency=eventual", "-o", "kms_quotas=true"
    )

    result.assert_outcomes(passed=1)


UNRESTORED = """
    def test_app():
        boto3.client("kms", "us-east-1").create_key()
"""


@pytest.mark.parametrize(
    ("filter_", "outcomes"),
    [("default", {"passed": 1, "warnings": 1}), ("error", {"passed": 1, "errors": 1})],
    ids=["warning", "error"],
)
def test_a_test_that_changes_it_without_the_fixture_is_said_not_to_be_explored(
    pytester, filter_, outcomes
):
    pytester.makeconftest(OF_CONFTEST)

    result = explore(pytester, UNRESTORED, "-W", f"{filter_}::UserWarning", count=2)

    result.assert_outcomes(**outcomes)
    result.stdout.fnmatch_lines(
        ["*was not run in other orderings*this run of pytest at conftest.py:3*"]
    )
    result.stdout.no_fnmatch_line("The test fails although*")
