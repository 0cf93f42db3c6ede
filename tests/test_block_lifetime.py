"""How long requests to the real KMS are blocked: from the loading of the plugin on, to the end."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

# Their clients are created outside of mocks.
pytestmark = pytest.mark.usefixtures("machine")

#: A module with the function `reach`, which makes a request to KMS and returns what comes of it.
REACH = """
import os
import boto3
from botocore.config import Config
from kmsmock import RealAWSBlocked, RealKMSBlocked

os.environ["HTTPS_PROXY"] = "http://127.0.0.1:9"  # the discard port: nothing leaves
KEYS = dict(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")
CONFIG = Config(retries={"max_attempts": 0}, connect_timeout=0.01)

def reach(service="kms", operation="list_keys"):
    try:
        getattr(boto3.client(service, config=CONFIG, **KEYS), operation)()
    except RealAWSBlocked as error:
        return "blocked: " + str(error)
    except Exception as error:
        return "allowed: " + type(error).__name__

def reach_s3():
    return reach("s3", "list_buckets")
"""


@pytest.fixture
def run(pytester: pytest.Pytester) -> pytest.Pytester:
    """Give a pytester in a folder with the module `reach`."""
    pytester.makeini("[pytest]\n")
    pytester.makepyfile(reach=REACH)
    pytester.syspathinsert()
    return pytester


# --- inside a run --------------------------------------------------------------------------------

#: For each phase of a run, code that makes a request in it, and the words for it in the message.
PHASES = {
    "conftest": ("conftest", "print(reach())", "before pytest collected the tests"),
    "configure": (
        "conftest",
        "def pytest_configure(): print(reach())",
        "before pytest collected the tests",
    ),
    "collection": ("test_it", "print(reach())", "while pytest collected the tests"),
    "between": (
        "conftest",
        "def pytest_runtestloop(): print(reach())",
        "while pytest ran, but no test did",
    ),
    "finish": (
        "conftest",
        "def pytest_sessionfinish(): print(reach())",
        "at the end of the run of pytest",
    ),
    "unconfigure": (
        "conftest",
        "def pytest_unconfigure(): print(reach())",
        "at the end of the run of pytest",
    ),
}


@pytest.mark.parametrize("phase", PHASES)
def test_the_message_says_what_pytest_is_doing_where_no_test_runs(
    run: pytest.Pytester, phase: str
) -> None:
    module, code, words = PHASES[phase]
    run.makepyfile(test_it="def test_it(): pass")
    run.makepyfile(**{module: f"from reach import reach\n{code}\ndef test_it(): pass\n"})

    result = run.runpytest_inprocess("-s")

    result.stdout.fnmatch_lines(
        [
            f"*blocked: code outside of tests ({words}) was about to call the real AWS KMS at "
            "kms.us-east-1.amazonaws.com, and nothing answers this request. To answer it from "
            "memory, make it inside of `with mock_kms():`. To allow it: (1) for one run, `pytest "
            "--kms-allow-real`; (2) for a project, `kms_block_real_kms = false` in the pytest "
            "configuration."
        ]
    )


@pytest.mark.parametrize("place", ["a fixture", "tear-down"])
def test_the_fixtures_of_a_test_are_part_of_it(run: pytest.Pytester, place: str) -> None:
    call = "print(reach())"
    run.makepyfile(
        f"""
        import pytest
        from reach import reach

        @pytest.fixture(scope="session")
        def resource():
            {call if place == "a fixture" else "yield"}
            {call if place == "tear-down" else ""}

        def test_it(resource):
            pass
        """
    )

    result = run.runpytest_inprocess("-s")

    result.stdout.fnmatch_lines(["*blocked: this test was about to*"])


@pytest.mark.parametrize("place", ["conftest", "a test"])
@pytest.mark.parametrize(
    ("arguments", "ini", "environment"),
    [
        pytest.param(["--kms-allow-real"], "", "", id="for one run"),
        pytest.param([], "kms_block_real_kms = false", "", id="for a project"),
        pytest.param(["-o", "kms_block_real_kms=false"], "", "", id="override"),
        pytest.param([], "addopts = --kms-allow-real", "", id="addopts"),
        pytest.param([], "", "--kms-allow-real", id="environment"),
    ],
)
def test_the_real_kms_can_be_allowed_from_the_first_conftest_on(
    run: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    arguments: list[str],
    ini: str,
    environment: str,
) -> None:
    run.makeini(f"[pytest]\n{ini}\n")
    monkeypatch.setenv("PYTEST_ADDOPTS", environment)
    call = "from reach import reach\nprint(reach())\n"
    run.makeconftest(call if place == "conftest" else "")
    run.makepyfile(f"def test_it():\n{textwrap.indent(call, '    ')}")

    result = run.runpytest_inprocess("-s", *arguments)

    result.stdout.fnmatch_lines(["*allowed: ProxyConnectionError*"])
    result.stdout.no_fnmatch_line("*blocked*")


@pytest.mark.parametrize(
    ("arguments", "ini", "seen"),
    [
        ([], "", "allowed"),
        ([], "kms_block_real_aws = true", "blocked"),
        (["--kms-allow-real"], "kms_block_real_aws = true", "allowed"),
    ],
    ids=["default", "configured", "allowed for one run"],
)
def test_all_of_aws_can_be_blocked_from_the_first_conftest_on(
    run: pytest.Pytester, arguments: list[str], ini: str, seen: str
) -> None:
    run.makeini(f"[pytest]\n{ini}\n")
    run.makeconftest("from reach import reach_s3\nprint('conftest', reach_s3())\n")
    run.makepyfile("from reach import reach_s3\ndef test_it():\n    print('a test', reach_s3())\n")

    result = run.runpytest_inprocess("-s", *arguments)

    result.stdout.fnmatch_lines([f"conftest {seen}: *", f"*a test {seen}: *"])


def test_allowing_all_for_one_run_takes_precedence_over_marks_and_mocks(
    run: pytest.Pytester,
) -> None:
    run.makepyfile(
        """
        import pytest
        from kmsmock import mock_kms
        from reach import reach, reach_s3

        @pytest.mark.kms(block_real_kms=True, block_real_aws=True)
        def test_it():
            with mock_kms(block_real_aws=True) as kms, kms.pause():
                print(reach())
                print(reach_s3())
        """
    )

    result = run.runpytest_inprocess("-s", "--kms-allow-real")

    assert result.stdout.str().count("allowed: ProxyConnectionError") == 2


@pytest.mark.parametrize(
    ("arguments", "ini", "said"),
    [
        ([], "", "real KMS blocked"),
        ([], "kms_block_real_aws = true", "real AWS blocked"),
        ([], "kms_block_real_kms = false", "real KMS allowed"),
        (
            ["-o", "kms_block_real_kms=false"],
            "kms_block_real_aws = true",
            "real AWS blocked, but not KMS",
        ),
        (["--kms-allow-real"], "kms_block_real_aws = true", "real KMS allowed"),
    ],
)
def test_the_header_says_what_is_blocked(
    run: pytest.Pytester, arguments: list[str], ini: str, said: str
) -> None:
    run.makeini(f"[pytest]\n{ini}\n")

    result = run.runpytest_inprocess("--collect-only", *arguments)

    result.stdout.fnmatch_lines([f"kmsmock: account *, {said}"])


# --- after a run ---------------------------------------------------------------------------------

ENDINGS = {
    "tests have run": [],
    "usage error": ["--no-such-option"],
    "invalid configuration": ["-o", "kms_account_id=twelve"],
    "invalid block": ["-o", "kms_block_real_kms=maybe"],
    "help": ["--help"],
    "version": ["--version", "--version"],
    "nothing to run": ["missing.py"],
}


@pytest.mark.filterwarnings("ignore:A plugin raised an exception during an old-style")
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_run_inside_a_test_restores_the_block_of_the_outer_run(
    run: pytest.Pytester, ending: str
) -> None:
    from tests.inner_runs import run_pytest

    run.makepyfile(test_it="def test_it(): pass")
    run_pytest(run.path, "--kms-allow-real", *ENDINGS[ending])
    sys.path.insert(0, str(run.path))
    import reach

    assert reach.reach().startswith("blocked: this test")


def in_a_process(folder: Path, *command: str) -> list[str]:
    result = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )
    lines = result.stdout.splitlines()
    return [line[len("seen ") :] for line in lines if line.startswith("seen ")]


AT_EXIT = """
import atexit
from reach import reach

@atexit.register
def at_exit():
    print("seen", reach())
"""


@pytest.mark.parametrize("ending", ["tests have run", "usage error"])
def test_the_block_lasts_until_the_interpreter_exits_if_pytest_is_the_program(
    run: pytest.Pytester, ending: str
) -> None:
    run.makeconftest(AT_EXIT)
    run.makepyfile(test_it="def test_it(): pass")

    [seen] = in_a_process(
        run.path, "-m", "pytest", "-p", "no:cacheprovider", "-p", "kmsmock.plugin", *ENDINGS[ending]
    )

    assert seen.startswith("blocked: code outside of tests (after the run of pytest) was about to")


def test_the_block_lasts_until_a_worker_of_xdist_exits(run: pytest.Pytester) -> None:
    pytest.importorskip("xdist", reason="pytest-xdist is not installed")
    run.makepyfile(
        test_it="""
        import atexit, sys
        from pathlib import Path
        from reach import reach

        def test_it():
            atexit.register(lambda: Path("at_exit.txt").write_text(reach()))
        """
    )

    in_a_process(
        run.path, "-m", "pytest", "-p", "kmsmock.plugin", "-p", "xdist.plugin", "-n1", "-q"
    )

    seen = (run.path / "at_exit.txt").read_text()
    assert seen.startswith("blocked: code outside of tests (after the run of pytest) was about to")


def test_a_program_that_runs_pytest_gets_its_kms_back(run: pytest.Pytester) -> None:
    run.makepyfile(
        test_it="def test_it(): pass",
        test_interrupted="def test_it(): raise KeyboardInterrupt",
        program=f"""
        import atexit, os
        import pytest
        from reach import reach

        atexit.register(lambda: print("seen at exit", reach()))
        for ending, arguments in {ENDINGS | {"interrupted": ["test_interrupted.py"]}!r}.items():
            pytest.main(["-p", "no:cacheprovider", "-p", "kmsmock.plugin", *arguments])
            print("seen", ending, reach())
        pytest.main(["-p", "no:cacheprovider"], plugins=["kmsmock.plugin"])
        print("seen", "plugins", reach())
        """,
    )

    seen = in_a_process(run.path, "program.py")

    endings = [*ENDINGS, "interrupted", "plugins", "at exit"]
    assert seen == [f"{ending} allowed: ProxyConnectionError" for ending in endings]


def test_a_program_without_pytest_can_block_requests_while_a_mock_is_active(
    run: pytest.Pytester,
) -> None:
    run.makepyfile(
        program="""
        from kmsmock import mock_kms
        from reach import reach, reach_s3

        with mock_kms(block_real_aws=True) as kms:
            print("seen", reach_s3())
            with kms.pause():
                print("seen", reach())
        print("seen", reach_s3())
        print("seen", reach())
        with mock_kms() as kms, kms.pause():
            print("seen", reach())
        """
    )

    seen = in_a_process(run.path, "program.py")

    by_mock = "It is blocked by `mock_kms(block_real_aws=True)`."
    assert [line.split(":")[0] for line in seen] == [*["blocked"] * 2, *["allowed"] * 3]
    assert seen[0].startswith("blocked: this program was about to call the real AWS at s3.")
    assert seen[1].startswith("blocked: this program was about to call the real AWS KMS at kms.")
    assert [line.endswith(by_mock) for line in seen[:2]] == [True, True]


@pytest.mark.parametrize(("ini", "inner"), [("", "blocked"), ("false", "allowed")])
@pytest.mark.kms(block_real_aws=True)
def test_a_run_inside_a_test_is_blocked_as_the_test_unless_it_is_configured(
    run: pytest.Pytester, ini: str, inner: str
) -> None:
    run.makeini(f"[pytest]\nkms_block_real_aws = {ini}\n" if ini else "[pytest]\n")
    run.makepyfile("from reach import reach_s3\ndef test_it(): print(reach_s3())")

    result = run.runpytest_inprocess("-s")

    result.stdout.fnmatch_lines([f"*{inner}: *"])


# --- the plugin is loaded once -------------------------------------------------------------------

NAMES = ("kmsmock.plugin", "kmsmock.entry")


@pytest.mark.parametrize("second", NAMES)
@pytest.mark.parametrize("first", NAMES)
@pytest.mark.parametrize("conftest", [*NAMES, None])
def test_the_plugin_can_be_named_several_times(
    run: pytest.Pytester, first: str, second: str, conftest: str | None
) -> None:
    run.makeconftest("" if conftest is None else f"pytest_plugins = [{conftest!r}]")
    run.makepyfile(test_it="def test_it(kms_key): assert kms_key.id")

    result = run.runpytest_inprocess("-p", first, "-p", second)

    result.assert_outcomes(passed=1)


def test_the_plugin_that_a_conftest_loads_blocks_from_then_on(run: pytest.Pytester) -> None:
    run.makeconftest('pytest_plugins = ["kmsmock.plugin", "later"]')
    run.makepyfile(later="from reach import reach\nprint('seen', reach())\n")
    run.makepyfile(test_it="def test_it(kms_key): assert kms_key.id")

    [seen] = in_a_process(run.path, "-m", "pytest", "-s", "-p", "no:cacheprovider")

    assert seen.startswith("blocked: code outside of tests (before pytest collected the tests)")


def test_without_the_plugin_nothing_is_blocked(run: pytest.Pytester) -> None:
    run.makepyfile(
        test_it="from reach import reach\ndef test_it():\n    print()\n    print('seen', reach())\n"
    )

    seen = in_a_process(run.path, "-m", "pytest", "-s", "-p", "no:cacheprovider")

    assert seen == ["allowed: ProxyConnectionError"]
