"""The check at the end of each test, from outside: what it looks through, and what it says."""

from __future__ import annotations

import pytest

from kmsmock import mock_kms

CONFTEST = """
    import pytest

    @pytest.fixture
    def data_key(kms_key):
        answer = kms_key.client.generate_data_key(KeyId=kms_key.id, KeySpec="AES_256")
        return answer["Plaintext"]
"""


@pytest.fixture(scope="module", autouse=True)
def _imported() -> None:
    """Import all beforehand: pytester forgets what its runs import, and they would do it again."""
    with mock_kms() as kms:
        key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
        kms.client().generate_data_key(KeyId=key_id, KeySpec="AES_256")
        kms.secrets.assert_absent_from("")


@pytest.fixture
def run(pytester: pytest.Pytester) -> pytest.Pytester:
    """Give a pytester in a folder where leaks are looked for."""
    pytester.makeini("[pytest]\nkms_leak_check = true\n")
    pytester.makeconftest(CONFTEST)
    return pytester


def result_of(pytester: pytest.Pytester, code: str, *arguments: str) -> pytest.RunResult:
    pytester.makepyfile(test_it=code)
    return pytester.runpytest_inprocess("--show-capture=no", *arguments)


# --- where plaintexts are found --------------------------------------------------------------

LEAKS = {
    "stdout": (
        "def test_it(data_key): print('-', data_key.hex())",
        "*Captured stdout call, line 1, byte 2: hex",
    ),
    "stderr of a subprocess": (
        """
        import subprocess, sys

        def test_it(data_key):
            subprocess.run(
                [sys.executable, "-c", f"import sys; print({data_key!r}, file=sys.stderr)"]
            )
        """,
        "*Captured stderr call, line 1, byte 2: plain bytes with escapes",
    ),
    "stdout of a fixture's end": (
        """
        import pytest

        @pytest.fixture
        def printing(data_key):
            yield
            print(data_key.hex())

        def test_it(printing): pass
        """,
        "*Captured stdout teardown, line 1, byte 0: hex",
    ),
    "stdout that the test reads": (
        """
        def test_it(data_key, capsys):
            print(data_key.hex())
            assert capsys.readouterr().out
            print("later")
        """,
        "*stdout read from capsys, line 1, byte 0: hex",
    ),
    "stderr that the test reads": (
        """
        import os

        def test_it(data_key, capfdbinary):
            os.write(2, data_key)
            assert capfdbinary.readouterr().err == data_key
        """,
        "*stderr read from capfdbinary, line 1, byte 0: plain bytes",
    ),
    "what capsys has and nobody reads": (
        "def test_it(data_key, capsys): print(data_key.hex())",
        "*Captured stdout *, line 1, byte 0: hex",
    ),
    "capsys, asked for late": (
        """
        def test_it(data_key, request):
            capsys = request.getfixturevalue("capsys")
            print(data_key.hex())
            capsys.readouterr()
        """,
        "*stdout read from capsys, line 1, byte 0: hex",
    ),
    "logging": (
        """
        import logging

        def test_it(data_key): logging.getLogger("app").warning("key %r", data_key)
        """,
        "*log record 1, WARNING of app (test_it.py:3), line 1, byte 6: plain bytes with escapes",
    ),
    "logging that caplog forgets": (
        """
        import logging

        def test_it(data_key, caplog):
            caplog.set_level("DEBUG", "app")
            logging.getLogger("app").debug("key", extra={"key": data_key})
            caplog.clear()
        """,
        "*, DEBUG of app (test_it.py:5), extra?'key'?, line 1, byte 0: plain bytes",
    ),
    "tmp_path": (
        """
        def test_it(data_key, tmp_path):
            (tmp_path / "cache").mkdir()
            (tmp_path / "cache" / "key").write_bytes(data_key)
        """,
        "*cache?key, line 1, byte 0: plain bytes",
    ),
    "tmp_path of a fixture": (
        """
        import pytest

        @pytest.fixture
        def written(tmp_path, data_key):
            (tmp_path / "key").write_bytes(data_key)

        def test_it(written): pass
        """,
        "*key, line 1, byte 0: plain bytes",
    ),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_leak_fails_the_test_with_place_and_call(run: pytest.Pytester, leak: str) -> None:
    code, place = LEAKS[leak]

    result = result_of(run, code)

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_it*",
            "test_it.py::test_it: plaintexts of KMS were found (kms_leak_check):",
            place,
            "*of Plaintext (32 bytes), handed out: GenerateDataKey key/*, request *-*"
            " during test_it.py::test_it",
        ]
    )


@pytest.mark.parametrize("policy", ["all", "failed", "none"])
def test_tmp_path_is_looked_through_before_pytest_removes_it(
    run: pytest.Pytester, policy: str
) -> None:
    result = result_of(run, LEAKS["tmp_path"][0], "-o", f"tmp_path_retention_policy={policy}")

    result.assert_outcomes(passed=1, errors=1)


def test_a_test_without_leaks_passes(run: pytest.Pytester) -> None:
    result = result_of(
        run,
        """
        import logging, shutil

        def test_it(kms_key, data_key, tmp_path, capsys, caplog):
            blob = kms_key.client.encrypt(KeyId=kms_key.id, Plaintext=data_key)["CiphertextBlob"]
            print(blob.hex())
            assert blob.hex() in capsys.readouterr().out
            logging.getLogger("app").warning("%r", blob)
            assert caplog.records
            (tmp_path / "blob").write_bytes(blob)

        def test_that_removes_its_folder(data_key, tmp_path):
            (tmp_path / "key").write_bytes(data_key)
            shutil.rmtree(tmp_path)

        def test_without_kms(capsys):
            print("text")
            assert capsys.readouterr() == ("text\\n", "")
        """,
    )

    result.assert_outcomes(passed=3)


def test_the_plaintext_of_another_test_is_no_leak_of_this_one(run: pytest.Pytester) -> None:
    result = result_of(
        run,
        """
        TEXT = b"the same text in both"

        def test_decrypts(kms_key):
            blob = kms_key.client.encrypt(KeyId=kms_key.id, Plaintext=TEXT)["CiphertextBlob"]
            kms_key.client.decrypt(CiphertextBlob=blob)

        def test_prints(): print(TEXT)
        """,
    )

    result.assert_outcomes(passed=2)


def test_the_plaintext_of_a_longer_lived_fixture_is_looked_for_as_long_as_it_lives(
    run: pytest.Pytester,
) -> None:
    result = result_of(
        run,
        """
        import boto3, kmsmock, pytest

        kept = []

        @pytest.fixture(scope="class")
        def key(module_kms):
            kept.append(module_kms.client().generate_random(NumberOfBytes=32)["Plaintext"])

        @pytest.mark.usefixtures("key")
        class TestIt:
            def test_that_is_quiet(self): pass
            def test_that_leaks(self): print(kept[-1].hex())

        def test_after_it(): print(kept[-1].hex())
        """,
    )

    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of TestIt.test_that_leaks*"])


def test_mocks_of_decorators_are_watched_too(run: pytest.Pytester) -> None:
    result = result_of(
        run,
        """
        import boto3, kmsmock

        @kmsmock.mock_kms
        def test_it(): print(boto3.client("kms").generate_random(NumberOfBytes=32)["Plaintext"])
        """,
    )

    result.assert_outcomes(passed=1, errors=1)


def test_a_test_that_fails_anyway_tells_both(run: pytest.Pytester) -> None:
    result = result_of(
        run,
        """
        import pytest

        @pytest.fixture
        def broken():
            yield
            raise RuntimeError("broken end")

        def test_it(data_key, broken): print(data_key.hex())
        """,
    )

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["*RuntimeError: broken end", "*plaintexts of KMS were found*", "*byte 0: hex"]
    )


# --- who is checked --------------------------------------------------------------------------


def test_a_mark_switches_the_check_on_and_off(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    code = """
        import pytest

        @pytest.mark.kms(leak_check=True)
        class TestIt:
            def test_on(self, data_key): print(data_key.hex())
            @pytest.mark.kms(leak_check=False)
            def test_off(self, data_key): print(data_key.hex())

        def test_default(data_key): print(data_key.hex())
        """
    pytester.makeini("[pytest]\n")

    result = result_of(pytester, code)

    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of TestIt.test_on*"])


def test_the_decorator_refuses_what_only_pytest_can_do() -> None:
    with pytest.raises(TypeError, match="leak_check is an option of pytest"):
        mock_kms(leak_check=True)


def test_without_capturing_the_rest_is_checked_and_pytest_warns_once(run: pytest.Pytester) -> None:
    result = result_of(
        run,
        """
        def test_prints(data_key): print(data_key.hex())
        def test_writes(data_key, tmp_path): (tmp_path / "key").write_bytes(data_key)
        def test_reads(data_key, capsys):
            print(data_key.hex())
            capsys.readouterr()
        """,
        "-s",
    )

    result.assert_outcomes(passed=3, errors=2, warnings=1)
    result.stdout.fnmatch_lines(
        ["*kms_leak_check searches only logging and tmp_path: *not captured (-s)*"]
    )


def test_workers_of_xdist_check_their_tests(run: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    run.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("turn", range(4))
        def test_it(data_key, turn):
            if turn % 2: print(data_key.hex())
        """
    )

    result = run.runpytest_inprocess("-n1", "--show-capture=no")

    result.assert_outcomes(passed=4, errors=2)
    result.stdout.fnmatch_lines(["*Captured stdout call, line 1, byte 0: hex"])


def test_a_run_without_the_option_imports_nothing_of_it(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\n")
    pytester.makepyfile(
        """
        import sys

        def test_it():
            assert not {name for name in sys.modules if "leak" in name or "secrets" in name
                        if name.startswith("kmsmock")}
        """
    )

    result = pytester.runpytest_subprocess()

    result.assert_outcomes(passed=1)
