"""A report never changes the outcome of a run, and tells what it lacks."""

from __future__ import annotations

import decimal
import json
import textwrap
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from kmsmock.reports import as_html, plugin
from tests.inner_runs import run_pytest
from tests.reports.test_reports import in_a_process

FORMS = ("--kms-report=terminal", "--kms-report=json:it.json", "--kms-report=html:it.html")
SUITE = """
    def test_it(kms):
        kms.client().create_key()
"""


def run(folder: Path, *options: str, suite: str = SUITE, conftest: str = "") -> tuple[int, str]:
    """Run a suite in a folder; return its exit code and what it printed."""
    (folder / "test_it.py").write_text(textwrap.dedent(suite))
    (folder / "conftest.py").write_text(textwrap.dedent(conftest))
    (folder / "pytest.ini").write_text("[pytest]")
    code, output = run_pytest(folder, *options, "test_it.py")
    return code, output


def lines_about_reports(output: str) -> list[str]:
    return output.partition("kmsmock report")[2].partition("\n")[2].split("\n===")[0].splitlines()


# --- files that cannot be written ---------------------------------------------------------------


def make_folder(folder: Path) -> str:
    (folder / "out").mkdir()
    return "out"


def make_file(folder: Path) -> str:
    (folder / "out").write_text("")
    return "out/report"


PATHS: dict[str, tuple[Callable[[Path], str], str]] = {
    "a folder": (make_folder, "Is a directory"),
    "below a file": (make_file, "exists"),
    "where no file can be made": (lambda _: "/proc/self/report", "No such file or directory"),
    "a full disk": (lambda _: "/dev/full", "No space left on device"),
    "too long a name": (lambda _: "a" * 300, "File name too long"),
}


@pytest.mark.parametrize("form", ["json", "html"])
@pytest.mark.parametrize("path", PATHS)
def test_a_file_that_cannot_be_written_is_told_in_one_line(
    tmp_path: Path, path: str, form: str
) -> None:
    make, reason = PATHS[path]

    code, output = run(tmp_path, f"--kms-report={form}:{make(tmp_path)}")

    assert code == pytest.ExitCode.OK
    (line,) = lines_about_reports(output)
    assert "could not be written: " in line
    assert reason in line


def test_the_other_forms_are_written_all_the_same(tmp_path: Path) -> None:
    code, output = run(
        tmp_path,
        "--kms-report=terminal",
        "--kms-report=json:/dev/full",
        "--kms-report=html:it.html",
        "-q",
    )

    assert code == pytest.ExitCode.OK
    assert "1 KMS call in 1 test" in output
    assert (tmp_path / "it.html").exists()


def test_a_full_disk_leaves_the_report_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.json"
    path.write_text("before")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    code, output = run(tmp_path, "--kms-report=json:report.json")

    assert code == pytest.ExitCode.OK
    assert "No space left on device" in output
    assert path.read_text() == "before"


def test_a_device_and_a_link_are_written_to(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("")
    (tmp_path / "link.json").symlink_to("real.json")

    code, output = run(tmp_path, "--kms-report=json:/dev/null", "--kms-report=json:link.json")

    assert code == pytest.ExitCode.OK, output
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "real.json").read_text())["total"]["calls"] == 1


# --- values ---------------------------------------------------------------------------------------

VALUES: dict[str, str] = {
    "frozen time": """
        freezegun = __import__("pytest").importorskip("freezegun")
        def test_it(kms):
            with freezegun.freeze_time("2026-01-01"):
                kms.client().create_key()
    """,
    "travelled time": """
        time_machine = __import__("pytest").importorskip("time_machine")
        def test_it(kms):
            with time_machine.travel("2026-01-01 00:00 +0000", tick=False):
                kms.client().create_key()
    """,
    "time before that of the mock": """
        freezegun = __import__("pytest").importorskip("freezegun")
        def test_it(kms):
            key = kms.client().create_key()["KeyMetadata"]["KeyId"]
            with freezegun.freeze_time("2001-01-01"):
                kms.client().disable_key(KeyId=key)
    """,
    "a subclass of datetime": """
        from datetime import datetime, timezone
        import pytest

        class Moment(datetime):
            def isoformat(self): raise TypeError
            def __format__(self, spec): raise TypeError

        @pytest.mark.kms(start_time=Moment(2026, 1, 1, tzinfo=timezone.utc))
        def test_it(kms):
            kms.client().create_key()
            kms.clock.move_to(Moment(2026, 2, 1, tzinfo=timezone.utc))
    """,
    "subclasses of texts": """
        from enum import Enum
        import boto3

        class Region(str):
            pass

        class Name(str, Enum):
            KEY = "orders"

        def test_it(kms):
            boto3.client("kms", region_name=Region("eu-west-1")).create_key()
            kms.client(region=Region("eu-west-1")).create_key(Description=Name.KEY)
    """,
    "enums of numbers": """
        from enum import IntEnum

        class Days(IntEnum):
            WINDOW = 7

        def test_it(kms, kms_key):
            kms_key.client.schedule_key_deletion(KeyId=kms_key.id, PendingWindowInDays=Days.WINDOW)
            kms.clock.advance(days=Days.WINDOW)
    """,
    "a context of decimals": """
        import decimal
        def test_it(kms, kms_key):
            context = decimal.Context(prec=2, traps=[decimal.Inexact, decimal.Rounded])
            decimal.setcontext(context)
            kms_key.client.encrypt(KeyId=kms_key.id, Plaintext=b"x")
            kms.clock.advance(days=11)
    """,
    "lone surrogates": """
        from botocore.exceptions import ClientError
        def test_it(kms):
            try:
                kms.client().create_key(Description="\\ud800")
            except ClientError:
                kms.client().create_key()
    """,
    "characters that are none of a text": """
        def test_it(kms):
            kms.client().create_key(Description="\\x1b[31m \\u2028 \\u202e \\x7f")
    """,
}


@pytest.mark.parametrize("values", VALUES)
def test_values_of_any_type_are_reported(tmp_path: Path, values: str) -> None:
    with decimal.localcontext():
        code, output = run(tmp_path, *FORMS, suite=VALUES[values])

    if " skipped" in output:
        pytest.skip("the package is not installed")
    assert code == pytest.ExitCode.OK, output
    assert "could not be" not in output
    report = json.loads((tmp_path / "it.json").read_text())
    assert report["notes"] == []
    assert report["total"]["calls"] >= 1
    (tmp_path / "it.html").read_text(encoding="utf-8")


def test_a_run_whose_time_is_frozen_to_its_end_is_reported(tmp_path: Path) -> None:
    pytest.importorskip("freezegun")
    (tmp_path / "test_it.py").write_text(
        "import freezegun\n"
        "def test_it(kms):\n"
        "    freezegun.freeze_time('2026-01-01', tz_offset=-8).start()\n"
        "    kms.client().create_key()\n"
        "    kms.clock.advance(days=400)\n"
    )

    code, output = in_a_process(tmp_path, *FORMS)

    assert code == pytest.ExitCode.OK, output
    report = json.loads((tmp_path / "it.json").read_text())
    assert abs(datetime.fromisoformat(report["made"]).timestamp() - time.time()) < 60


def test_calls_of_frozen_time_take_real_time(tmp_path: Path) -> None:
    pytest.importorskip("freezegun")
    suite = """
        from freezegun import freeze_time

        def test_it(kms):
            with freeze_time("2026-01-01") as frozen:
                for _ in range(3):
                    kms.client().list_keys()
                    frozen.tick(3600)
    """

    run(tmp_path, "--kms-report=json:it.json", suite=suite)

    report = json.loads((tmp_path / "it.json").read_text())
    assert 0 < report["operations"]["ListKeys"]["slowest"] < 60


# --- defects --------------------------------------------------------------------------------------

DEFECTS = {
    "of a call": "note_call",
    "at the start of a mock": "begin_scene",
    "at the end of a mock": "close",
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_of_the_report_is_noted_and_fails_no_test(tmp_path: Path, defect: str) -> None:
    conftest = f"""
        import pytest
        from kmsmock.reports.history import MockHistory

        @pytest.fixture(autouse=True, scope="session")
        def broken():
            def fail(*_): raise RuntimeError("a defect\\nof two lines")
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(MockHistory, "{DEFECTS[defect]}", fail)
                yield
    """

    code, output = run(tmp_path, "--kms-report=terminal", conftest=conftest)

    assert code == pytest.ExitCode.OK
    note = "Something is missing here, by a defect of kmsmock: RuntimeError: a defect of two lines"
    assert lines_about_reports(output).count(note) == 1


WRITERS = {
    "text": (plugin, "lines"),
    "JSON": (plugin, "write"),
    "HTML": (as_html, "page"),
    "a merged report": (plugin, "merge"),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_a_defect_of_writing_is_told_in_one_line(
    tmp_path: Path, writer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("a defect\nof two lines")

    monkeypatch.setattr(*WRITERS[writer], fail)

    code, output = run(tmp_path, *FORMS)

    assert code == pytest.ExitCode.OK
    told = [line for line in lines_about_reports(output) if "could not be" in line]
    assert told, output
    assert all(line.endswith("ValueError: a defect of two lines") for line in told)


# --- tests that did not run -----------------------------------------------------------------------


@pytest.mark.parametrize("exists", [False, True], ids=["no file", "a file"])
def test_collecting_only_writes_no_report(tmp_path: Path, exists: bool) -> None:
    path = tmp_path / "report.json"
    if exists:
        path.write_text("before")

    code, output = run(
        tmp_path, "--collect-only", "--kms-report=json:report.json", "--kms-report=terminal"
    )

    assert code == pytest.ExitCode.OK
    assert path.exists() is exists
    assert not exists or path.read_text() == "before"
    assert lines_about_reports(output)[0] == "no report: no tests are run with --collect-only"


@pytest.mark.parametrize(
    ("suite", "options", "why"),
    [
        ("def test_a(): assert 0\ndef test_b(): pass", ("-x",), " (stopping after 1 failures)"),
        ("import pytest\ndef test_a(): pytest.exit('enough')", (), ""),
        ("import there_is_none", (), ""),
        ("def test_a(): raise KeyboardInterrupt", (), ""),
    ],
    ids=["-x", "pytest.exit", "an error of collection", "an interrupt"],
)
def test_a_run_that_ends_early_is_noted(
    tmp_path: Path, suite: str, options: tuple[str, ...], why: str
) -> None:
    _, output = run(tmp_path, "--kms-report=terminal", *options, suite=suite)

    assert f"The run ended early{why}: tests can be missing here." in lines_about_reports(output)


# --- pytest-xdist ---------------------------------------------------------------------------------


def test_workers_that_are_stopped_report_all_their_calls_of_any_values(tmp_path: Path) -> None:
    pytest.importorskip("xdist")
    freezegun = pytest.importorskip("freezegun").__name__
    suite = f"""
        import {freezegun}
        import pytest

        @pytest.mark.parametrize("number", range(6))
        def test_it(kms, number):
            with {freezegun}.freeze_time("2026-01-01"):
                kms.client().create_key()
            assert number != 1
    """
    (tmp_path / "test_it.py").write_text(textwrap.dedent(suite))

    code, output = run_pytest(tmp_path, "--kms-report=json:it.json", "-n2", "-x")

    report = json.loads((tmp_path / "it.json").read_text())
    assert code != pytest.ExitCode.INTERNAL_ERROR, output
    assert report["total"]["calls"] == report["tests_run"] > 0
    assert [note for note in report["notes"] if "Worker" in note] == []


def test_a_worker_whose_report_fails_is_noted(tmp_path: Path) -> None:
    pytest.importorskip("xdist")
    (tmp_path / "conftest.py").write_text(
        "import kmsmock.reports.plugin as plugin\n"
        "def pytest_configure(config):\n"
        "    if hasattr(config, 'workerinput'):\n"
        "        plugin.write = lambda _: 1 / 0\n"
    )
    (tmp_path / "test_it.py").write_text(textwrap.dedent(SUITE))

    code, output = run_pytest(tmp_path, "--kms-report=terminal", "-n1")

    assert code == pytest.ExitCode.OK
    assert (
        "Worker gw0 has no report of its tests: ZeroDivisionError: division by zero"
        in lines_about_reports(output)
    )
