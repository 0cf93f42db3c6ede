"""``--kms-consistency=explore:N`` runs each test in several orderings, until one breaks it."""

from __future__ import annotations

import re
import shlex
import textwrap
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "consistency.md").read_text()
#: Heading -> a program with a fault, and the same program mended.
PROGRAMS = {
    heading: (faulty, mended)
    for heading, faulty, mended in re.findall(
        r"^### ([^\n]+)\n\n```python\n(.*?)```.*?```python\n(.*?)```",
        PAGE,
        re.DOTALL | re.MULTILINE,
    )
}
NO_RETRY = PROGRAMS["No second attempt after CreateKey"][0]
#: Fails in all orderings but one of a million.
OFTEN_LATE = """
    def test_app(kms):
        print("a run")
        for number in range(20):
            key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
            kms.client().create_alias(AliasName=f"alias/{number}", TargetKeyId=key_id)
"""
IMPORTS = """
import boto3
import pytest
import unittest
from botocore.exceptions import ClientError
from kmsmock import mock_kms
"""


def write(pytester, code):
    pytester.makepyfile(IMPORTS + textwrap.dedent(code))


def explore(pytester, code, *arguments, count=20):
    """Run a test module in orderings that are always the same."""
    write(pytester, code)
    return pytester.runpytest_inprocess(
        f"--kms-consistency=explore:{count}", "--kms-seed=1", *arguments
    )


def read_command(result):
    """The arguments of the command that a failed test shows."""
    command = re.search(r"^  pytest (.*)$", result.stdout.str(), re.MULTILINE)
    assert command is not None, result.stdout.str()
    return shlex.split(command[1])


#: Heading -> what the page says is seen late.
MISSED = {
    "A forgotten grant token": "Encrypt of *: AccessDeniedException, without CreateGrant of the *",
    "No second attempt after CreateKey": "CreateAlias of alias/app: NotFoundException, without *",
    "An alias that is used too early": "Encrypt of alias/app: NotFoundException, without *",
}


@pytest.mark.parametrize("heading", MISSED)
def test_a_fault_is_found_and_replayed(pytester, heading):
    result = explore(pytester, PROGRAMS[heading][0])

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*- kmsmock: eventual consistency -*",
            "Ordering * of 20 broke this test; it passes if all changes are seen at once.",
            "These answers lacked changes that their node had not seen, oldest first:",
            f"  {MISSED[heading]}",
            "To run the test in this ordering again:",
        ]
    )
    again = pytester.runpytest_inprocess(*read_command(result))
    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines([f"  {MISSED[heading]}"])


@pytest.mark.parametrize("heading", MISSED)
def test_mended_code_passes_in_all_orderings(pytester, heading):
    explore(pytester, PROGRAMS[heading][1], count=8).assert_outcomes(passed=1)


def test_the_page_shows_three_faults():
    assert PROGRAMS.keys() == MISSED.keys()


def test_without_a_seed_each_run_explores_others_and_prints_what_replays_it(pytester):
    write(pytester, OFTEN_LATE)

    result = pytester.runpytest_inprocess("--kms-consistency=explore:2")

    result.assert_outcomes(failed=1)
    pytester.runpytest_inprocess(*read_command(result)).assert_outcomes(failed=1)


def test_a_failure_in_an_eventual_run_without_seed_is_replayed_too(pytester):
    write(pytester, OFTEN_LATE)

    result = pytester.runpytest_inprocess("--kms-consistency=eventual")

    result.assert_outcomes(failed=1)
    command = read_command(result)
    pytester.runpytest_inprocess(*command).assert_outcomes(failed=1)


# --- how often a test runs ------------------------------------------------------------------------

COUNTED = """
    runs = []

    def test_app({arguments}):
        {body}
        runs.append(1)

    def test_runs():
        assert len(runs) == {count}
"""


@pytest.mark.parametrize(
    ("arguments", "body", "count"),
    [
        ("", "pass", 1),
        ("kms", "kms.client().list_keys()", 1),
        ("kms", "kms.client().create_key()", 5),
        ("kms_key", "pass", 5),
        ("", "mock_kms()(lambda: boto3.client('kms', 'us-east-1').create_key())()", 5),
        ("", "mock_kms(consistency='strong')(lambda: boto3.client('kms').create_key())()", 1),
        ("", "mock_kms(consistency='eventual')(lambda: boto3.client('kms').create_key())()", 1),
    ],
    ids=["no mock", "no change", "change", "fixture", "decorator", "strong", "own consistency"],
)
def test_a_test_runs_in_orderings_if_it_changes_something(pytester, arguments, body, count):
    code = COUNTED.format(arguments=arguments, body=body, count=count)

    explore(pytester, code, count=4).assert_outcomes(passed=2)


def test_fixtures_of_a_test_are_set_up_for_each_ordering_and_wider_ones_once(pytester):
    code = """
        wide, narrow = [], []

        @pytest.fixture(scope="module")
        def shared(module_kms):
            wide.append(1)
            yield module_kms.client().create_key()["KeyMetadata"]["KeyId"]
            wide.append("end")

        @pytest.fixture
        def own(kms):
            narrow.append(1)

        def test_app(kms, shared, own):
            kms.client().describe_key(KeyId=shared)
            kms.client().create_key()
            assert len(kms.keys) == 2

        def test_count():
            assert (wide, narrow) == ([1], [1] * 5)
    """

    explore(pytester, code, count=4).assert_outcomes(passed=2)


def test_a_mock_that_is_not_restored_is_explored_no_further_with_a_warning(pytester):
    code = """
        runs = []

        def test_app(module_kms):
            module_kms.client().create_key()
            runs.append(1)

        def test_runs():
            assert runs == [1]
    """

    result = explore(pytester, code, "-W", "default", count=4)

    result.assert_outcomes(passed=2, warnings=1)
    result.stdout.fnmatch_lines(["*was not run in other orderings*the fixture module_kms*"])


def test_a_test_of_a_decorated_unittest_class_is_explored(pytester):
    code = """
        @mock_kms
        class AppTest(unittest.TestCase):
            def setUp(self):
                self.client = boto3.client("kms", "us-east-1")
                self.key_id = self.client.create_key()["KeyMetadata"]["KeyId"]

            def test_right(self):
                pass

            def test_wrong(self):
                self.client.create_alias(AliasName="alias/app", TargetKeyId=self.key_id)
    """

    result = explore(pytester, code, count=6)

    result.assert_outcomes(passed=1, failed=1)
    pytester.runpytest_inprocess(*read_command(result)).assert_outcomes(failed=1)


def test_a_test_that_fails_anyway_is_run_once_and_said_to(pytester):
    code = """
        def test_app(kms):
            print("a run")
            kms.client().create_key()
            assert False
    """

    result = explore(pytester, code)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "The test fails although all changes were seen at once.",
            "  pytest *::test_app --kms-consistency=strong --kms-seed=1/0",
            "a run",
        ]
    )
    result.stdout.no_fnmatch_line("Ordering * of 20 broke*")


def test_the_report_has_the_output_and_the_properties_of_the_last_run_only(pytester):
    code = OFTEN_LATE.replace("(kms):", '(kms, record_property):\n        record_property("a", 1)')

    result = explore(pytester, code, "--junitxml=report.xml", "-o", "junit_family=xunit1")

    result.assert_outcomes(failed=1)
    assert result.stdout.str().count("a run\n") == 1
    text = (pytester.path / "report.xml").read_text()
    assert text.count("<testcase") == text.count('<property name="a"') == 1
    assert "--kms-consistency=eventual --kms-seed=1/" in text


def test_a_mock_with_a_seed_of_its_own_is_explored_unless_it_has_its_own_consistency(pytester):
    code = """
        @pytest.mark.kms(seed=3)
        def test_explored(kms):
            client = kms.client()
            for number in range(20):
                key_id = client.create_key()["KeyMetadata"]["KeyId"]
                client.create_alias(AliasName=f"alias/{number}", TargetKeyId=key_id)

        @pytest.mark.kms(seed=3, consistency="eventual")
        def test_own(kms):
            key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
            with pytest.raises(ClientError):
                kms.client().describe_key(KeyId=key_id)
    """

    explore(pytester, code, count=2).assert_outcomes(failed=1, passed=1)


def test_skipped_and_expected_failures_stay_what_they_are(pytester):
    code = """
        @pytest.mark.xfail(strict=True)
        def test_expected(kms):
            kms.client().create_key()
            assert False

        def test_skipped(kms):
            kms.client().create_key()
            pytest.skip("not here")
    """

    explore(pytester, code).assert_outcomes(skipped=1, xfailed=1)


def test_a_run_ends_at_the_first_broken_test_with_x(pytester):
    code = f"{NO_RETRY}\ndef test_later():\n    pass\n"

    explore(pytester, code, "-x").assert_outcomes(failed=1)


def test_an_ordering_that_breaks_a_test_with_a_shared_mock_is_replayed(pytester):
    code = """
        @pytest.fixture(scope="module")
        def shared(module_kms):
            key = module_kms.client().create_key()["KeyMetadata"]["KeyId"]
            module_kms.client().describe_key(KeyId=key)
            return key

        def test_earlier(kms, shared):
            kms.client().disable_key(KeyId=shared)

        def test_app(kms, shared):
            client = kms.client()
            client.create_alias(AliasName="alias/app", TargetKeyId=shared)
            client.encrypt(KeyId="alias/app", Plaintext=b"text")
    """

    result = explore(pytester, code)

    result.assert_outcomes(passed=1, failed=1)
    again = pytester.runpytest_inprocess(*read_command(result))
    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines(["  Encrypt of alias/app: NotFoundException, without CreateAlias*"])


def test_an_error_in_the_tear_down_of_a_wider_fixture_is_reported(pytester):
    code = """
        @pytest.fixture(scope="module")
        def wide():
            yield
            raise RuntimeError("too wide")

        def test_app(wide, kms):
            kms.client().create_key()
    """

    result = explore(pytester, code, count=2)

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*RuntimeError: too wide"])


def test_tests_are_explored_by_the_workers_of_xdist(pytester):
    pytest.importorskip("xdist")

    result = explore(pytester, OFTEN_LATE, "-n1")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["  pytest *--kms-consistency=eventual --kms-seed=1/*"])


def test_a_broken_test_is_not_run_again_by_rerunfailures(pytester):
    pytest.importorskip("pytest_rerunfailures")

    result = explore(pytester, NO_RETRY, "--reruns=2")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*; pytest-rerunfailures runs no test again that is explored"])


SUBTESTS = """
    class AppTest(unittest.TestCase):
        @mock_kms
        def test_app(self):
            client = boto3.client("kms", "us-east-1")
            for number in range(20):
                with self.subTest(number):
                    key_id = client.create_key()["KeyMetadata"]["KeyId"]
                    client.create_alias(AliasName=f"alias/{number}", TargetKeyId=key_id)
"""


def test_a_failed_subtest_ends_the_exploration_of_its_test(pytester):
    pytest.importorskip("_pytest.subtests")

    result = explore(pytester, SUBTESTS)

    result.stdout.fnmatch_lines(["Ordering 1 of 20 broke this test*"])
    result.stdout.no_fnmatch_line("Ordering 2 of 20 broke this test*")
