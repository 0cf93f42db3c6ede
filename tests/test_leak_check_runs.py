"""The leak check in runs with other plugins and options, and what it tells of unsearched files."""

from __future__ import annotations

from collections.abc import Callable

import pytest

RUN = Callable[..., pytest.RunResult]
HEAD = """
    import logging
    import pytest

    pytestmark = pytest.mark.kms(leak_check=True)

    @pytest.fixture
    def data_key(kms_key):
        answer = kms_key.client.generate_data_key(KeyId=kms_key.id, KeySpec="AES_256")
        return answer["Plaintext"]
"""

#: Where a test leaks -> the text of the test.
LEAKS = {
    "output": "def test_it(data_key): print(data_key.hex())",
    "a log": "def test_it(data_key): logging.getLogger('app').error(data_key.hex())",
    "a file": "def test_it(data_key, tmp_path): (tmp_path / 'key').write_bytes(data_key)",
    "capsys": """
        def test_it(data_key, capsys):
            print(data_key.hex())
            capsys.readouterr()
    """,
}


def run(run_alone: RUN, suite: str, *options: str) -> pytest.RunResult:
    body = suite if "\n" in suite else f"\n    {suite}\n"
    indented = body.replace("\n        ", "\n    ") if body.startswith("\n        ") else body
    return run_alone(HEAD + indented, "--show-capture=no", *options)


# --- options --------------------------------------------------------------------------------------

#: Options of pytest -> the leaks that are found with them, and what a warning says.
OPTIONS: dict[str, tuple[tuple[str, ...], set[str], str]] = {
    "none": ((), {"output", "a log", "a file", "capsys"}, ""),
    "-s": (("-s",), {"a log", "a file", "capsys"}, "*not captured (-s)*"),
    "--capture=no": (("--capture=no",), {"a log", "a file", "capsys"}, "*not captured (-s)*"),
    "--capture=sys": (("--capture=sys",), {"output", "a log", "a file", "capsys"}, ""),
    "--capture=tee-sys": (("--capture=tee-sys",), {"output", "a log", "a file", "capsys"}, ""),
    "-p no:capture": (("-p", "no:capture"), {"a log", "a file"}, "*captured (-p no:capture)*"),
    "-p no:logging": (("-p", "no:logging"), {"output", "a log", "a file", "capsys"}, ""),
    "-p no:warnings": (("-p", "no:warnings"), {"output", "a log", "a file", "capsys"}, ""),
    "-W error": (("-W", "error", "-s"), {"a log", "a file", "capsys"}, "*not captured (-s)*"),
    "--tb=no": (("--tb=no",), {"output", "a log", "a file", "capsys"}, ""),
}


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("leak", LEAKS)
def test_what_pytest_captures_is_searched(run_alone: RUN, leak: str, options: str) -> None:
    arguments, found, warning = OPTIONS[options]
    if leak == "capsys" and options == "-p no:capture":
        pytest.skip("there is no capsys then")

    result = run(run_alone, LEAKS[leak], *arguments)

    assert result.ret == (pytest.ExitCode.TESTS_FAILED if leak in found else pytest.ExitCode.OK)
    result.assert_outcomes(passed=1, errors=int(leak in found), warnings=int(bool(warning)))
    if warning:
        result.stdout.fnmatch_lines([warning])


# --- subtests -------------------------------------------------------------------------------------

SUBTESTS = {
    "one that prints": (
        """
        def test_it(data_key, subtests):
            with subtests.test("a"):
                print(data_key.hex())
        """,
        ["*Captured stdout call of a subtest, line 1, byte 0: hex"],
    ),
    "one that prints to stderr": (
        """
        def test_it(data_key, subtests):
            with subtests.test("a"):
                import sys
                print(data_key.hex(), file=sys.stderr)
        """,
        ["*Captured stderr call of a subtest, line 1, byte 0: hex"],
    ),
    "one that fails": (
        """
        def test_it(data_key, subtests):
            with subtests.test("a"):
                print(data_key.hex())
                assert False
        """,
        ["*Captured stdout call of a subtest, line 1, byte 0: hex"],
    ),
    "one of several": (
        """
        def test_it(data_key, subtests):
            for number in range(3):
                with subtests.test(number=number):
                    print("-" * number, data_key.hex() if number == 2 else "")
        """,
        ["*Captured stdout call of a subtest, line 1, byte 3: hex"],
    ),
    "a log": (
        """
        def test_it(data_key, subtests):
            with subtests.test("a"):
                logging.getLogger("app").error(data_key.hex())
        """,
        ["*log record 1, ERROR of app*"],
    ),
    "before and after them": (
        """
        def test_it(data_key, subtests):
            with subtests.test("a"):
                print("nothing")
            print(data_key.hex())
        """,
        ["*Captured stdout call, line 1, byte 0: hex"],
    ),
    "a loop of unittest": (
        """
        import unittest
        import boto3

        class TestIt(unittest.TestCase):
            def test_it(self):
                import kmsmock
                with kmsmock.mock_kms():
                    key = boto3.client("kms").generate_random(NumberOfBytes=32)["Plaintext"]
                for number in range(2):
                    with self.subTest(number=number):
                        print(key.hex())
        """,
        ["*Captured stdout call*, line 1, byte 0: hex"],
    ),
}


def count_leaks(result: pytest.RunResult) -> int:
    """Count the leaks that a run has shown, without pytest's summary, which is whole in CI."""
    shown = result.stdout.str().partition("short test summary info")[0]
    return shown.count("of Plaintext (32 bytes), handed out")


@pytest.mark.parametrize("subtest", SUBTESTS)
def test_the_output_of_subtests_is_searched(run_alone: RUN, subtest: str) -> None:
    suite, lines = SUBTESTS[subtest]

    result = run(run_alone, suite)

    if "fixture 'subtests' not found" in result.stdout.str():
        pytest.skip("this pytest has no subtests")
    result.stdout.fnmatch_lines(["*plaintexts of KMS were found*", *lines])
    assert count_leaks(result) == 1


def test_subtests_without_leaks_pass(run_alone: RUN) -> None:
    suite = """
        def test_it(data_key, subtests):
            with subtests.test("a"):
                print("nothing")
    """

    result = run(run_alone, suite)

    if "fixture 'subtests' not found" in result.stdout.str():
        pytest.skip("this pytest has no subtests")
    assert result.ret == pytest.ExitCode.OK


# --- reruns ---------------------------------------------------------------------------------------

#: What a flaky test does -> its text, its outcomes with two reruns, and how often a leak is told.
FLAKY = {
    "leaks and fails once": (
        """
        attempts = []

        def test_it(data_key):
            attempts.append(1)
            print("-" * len(attempts), data_key.hex())
            assert len(attempts) > 1
        """,
        {"passed": 1, "errors": 1},
        1,
    ),
    "leaks in the attempt that fails": (
        """
        attempts = []

        def test_it(data_key):
            attempts.append(1)
            if len(attempts) == 1:
                print(data_key.hex())
                assert False
        """,
        {"passed": 1, "errors": 0},
        0,
    ),
    "leaks in the attempt that passes": (
        """
        attempts = []

        def test_it(data_key, tmp_path):
            attempts.append(1)
            assert len(attempts) == 2
            (tmp_path / "key").write_bytes(data_key)
        """,
        {"passed": 1, "errors": 1},
        1,
    ),
    "logs in each attempt": (
        """
        attempts = []

        def test_it(data_key):
            attempts.append(1)
            logging.getLogger("app").error(data_key.hex())
            assert len(attempts) == 2
        """,
        {"passed": 1, "errors": 1},
        1,
    ),
    "leaks the key of a wider fixture": (
        """
        attempts = []

        @pytest.fixture(scope="module")
        def wide(module_kms):
            return module_kms.client().generate_random(NumberOfBytes=32)["Plaintext"]

        def test_it(wide):
            attempts.append(1)
            print(wide.hex())
            assert len(attempts) == 2
        """,
        {"passed": 1, "errors": 1},
        1,
    ),
}
#: Reruns a test as pytest-rerunfailures does, until no phase has failed.
RERUNNING = """
    from _pytest.runner import runtestprotocol

    def pytest_runtest_protocol(item, nextitem):
        for attempt in range(3):
            item._initrequest()
            reports = runtestprotocol(item, nextitem=nextitem, log=False)
            if not reports[1].failed:
                break
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        return True
"""


@pytest.mark.parametrize("flaky", FLAKY)
def test_each_attempt_to_run_a_flaky_test_is_checked_by_itself(
    run_alone: RUN, pytester: pytest.Pytester, flaky: str
) -> None:
    suite, outcomes, leaks = FLAKY[flaky]
    pytester.makeconftest(RERUNNING)

    result = run(run_alone, suite)

    result.assert_outcomes(**outcomes)
    assert count_leaks(result) == leaks


def test_a_leak_of_each_attempt_is_one_error_with_pytest_rerunfailures(run_alone: RUN) -> None:
    pytest.importorskip("pytest_rerunfailures")

    result = run(run_alone, FLAKY["leaks and fails once"][0], "--reruns=1")

    result.assert_outcomes(passed=1, errors=1)
    assert count_leaks(result) == 1


# --- what was not searched ------------------------------------------------------------------------

UNSEARCHED = {
    "a large file": (
        "with (tmp_path / 'it').open('wb') as file: file.truncate(1 << 40)",
        "*kms_leak_check: *it was not searched to its end: only its first 16 MiB were searched",
    ),
    "a named pipe": (
        "__import__('os').mkfifo(tmp_path / 'it')",
        "*kms_leak_check: *it was not searched: it is a named pipe",
    ),
}


@pytest.mark.parametrize("option", [(), ("-W", "error")], ids=["", "-W error"])
@pytest.mark.parametrize("file", UNSEARCHED)
def test_a_file_that_is_not_searched_is_told_in_a_warning(
    run_alone: RUN, file: str, option: tuple[str, ...]
) -> None:
    statement, warning = UNSEARCHED[file]
    suite = f"""
        def test_it(data_key, tmp_path):
            {statement}
    """

    result = run(run_alone, suite, *option)

    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines([warning])


def test_plaintexts_that_are_never_searched_for_are_no_warning(run_alone: RUN) -> None:
    suite = """
        def test_it(kms_key, tmp_path):
            client = kms_key.client
            blob = client.encrypt(KeyId=kms_key.id, Plaintext=b"hi")["CiphertextBlob"]
            client.decrypt(CiphertextBlob=blob)
            (tmp_path / "it").write_bytes(b"hi")
    """

    run(run_alone, suite).assert_outcomes(passed=1, warnings=0)


def test_a_tear_down_that_fails_without_a_traceback_tells_both(run_alone: RUN) -> None:
    suite = """
        @pytest.fixture
        def broken():
            yield
            pytest.fail("broken end", pytrace=False)

        def test_it(data_key, broken):
            print(data_key.hex())
    """

    result = run(run_alone, suite)

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*broken end*", "*plaintexts of KMS were found*", "*hex"])


def test_a_fixture_called_tmp_path_need_not_be_a_path(run_alone: RUN) -> None:
    suite = """
        @pytest.fixture
        def tmp_path(): return 1

        def test_it(data_key, tmp_path): pass
    """

    run(run_alone, suite).assert_outcomes(passed=1)
