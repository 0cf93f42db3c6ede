"""Reports of a run: in the terminal, as JSON, as a page, of one process or of many."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from decimal import Decimal

import pytest

from kmsmock.cli import main
from kmsmock.reports.merging import merge
from kmsmock.reports.report import Report, Scene
from tests.inner_runs import OPTIONS, run_pytest
from tests.output import capture
from tests.reports.reports import START, TEST, make_report

SUITE = """
    import pytest
    from botocore.exceptions import ClientError


    def test_orders(kms):
        client = kms.client()
        key = client.create_key(Description="orders")["KeyMetadata"]["KeyId"]
        client.create_alias(AliasName="alias/orders", TargetKeyId=key)
        client.create_key(Description="forgotten")
        for _ in range(3):
            blob = client.encrypt(KeyId="alias/orders", Plaintext=b"x")["CiphertextBlob"]
            client.decrypt(CiphertextBlob=blob)
        kms.clock.advance(days=10)


    def test_refusals(kms, kms_key):
        role = kms.account("123456789012").role("App")
        for _ in range(2):
            with pytest.raises(ClientError):
                role.client().encrypt(KeyId=kms_key.id, Plaintext=b"x")
        kms.client().disable_key(KeyId=kms_key.id)
        with pytest.raises(ClientError):
            kms.client().encrypt(KeyId=kms_key.id, Plaintext=b"x")


    def test_a_key_that_there_is_not(kms):
        kms.client().describe_key(KeyId="alias/none")


    def test_without_kms():
        pass
"""


def run(folder, *options, suite=SUITE, run_pytest=run_pytest):
    """Run a suite in a folder; gives its exit code and what it printed."""
    (folder / "test_shop.py").write_text(textwrap.dedent(suite))
    (folder / "pytest.ini").write_text("[pytest]")
    return run_pytest(folder, *options, "test_shop.py")


def in_a_process(folder, *arguments):
    """Run pytest in a process of its own."""
    command = (sys.executable, "-m", "pytest", *OPTIONS, *arguments)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


class Run:
    """What a run of the suite left: what it printed, and its files."""

    def __init__(self, folder, *options, run_pytest=run_pytest):
        forms = (
            "--kms-report=terminal",
            "--kms-report=json:out/it.json",
            "--kms-report=html:it.html",
        )
        self.path = folder / "out" / "it.json"
        self.code, self.output = run(folder, *forms, *options, run_pytest=run_pytest)
        self.report = json.loads(self.path.read_text())
        self.page = (folder / "it.html").read_text()

    def scene(self, test):
        return next(s for s in self.report["scenes"] if s["test"] == f"test_shop.py::{test}")

    def names(self, places):
        return [self.report["names"][place] for place in places]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return Run(tmp_path_factory.mktemp("alone"), "-p", "no:xdist")


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    pytest.importorskip("xdist")
    return Run(tmp_path_factory.mktemp("shared"), "-n2")


# --- the terminal -------------------------------------------------------------------------------


def test_without_the_option_nothing_is_reported_and_nothing_of_it_imported(tmp_path):
    code, output = run(
        tmp_path,
        run_pytest=in_a_process,
        suite="""
        import sys
        def test_it(kms):
            kms.client().create_key()
            assert [name for name in sys.modules if name.startswith("kmsmock.reports")] == []
        """,
    )
    assert code == 0, output
    assert "kmsmock report" not in output


def test_the_terminal_tells_calls_costs_refusals_and_unused_keys(alone):
    pytest.LineMatcher(alone.output.splitlines()).fnmatch_lines(
        [
            "*kmsmock report*",
            "15 KMS calls in 3 tests: 2 denied, 2 failed; 3 keys",
            "At AWS's list prices $0.6*: requests $0.0000*, keys $0.6*",
            "Calls by operation",
            "Encrypt      *      6       2       1    $0.0000*",
            "Denied and failed calls",
            "test_shop.py::test_a_key_that_there_is_not (failed)",
            "  DescribeKey by user/Administrator",
            "test_shop.py::test_refusals",
            "  2 x Encrypt * by assumed-role/App/session",
            "    AccessDenied: no identity-based policy allows",
            "      arn:aws:sts::123456789012:assumed-role/App/session to perform kms:Encrypt",
            "    Disabled: EnableKey makes it usable again.",
            "Slowest calls, in real time",
            "* ms  * SYMMETRIC_DEFAULT *  test_shop.py::test_*",
            "Keys by spec",
            "SYMMETRIC_DEFAULT        3       2      14   $0.0000* $0.6*",
            "Keys never used: 2 of 3",
            "forgotten                     test_shop.py::test_orders",
        ]
    )


def test_the_forms_tell_which_answers_are_without_what_is_under_way(tmp_path):
    suite = """
    def test_rotations(kms_key):
        kms_key.client.rotate_key_on_demand(KeyId=kms_key.id)
        assert kms_key.client.list_key_rotations(KeyId=kms_key.id)["Rotations"] == []
        kms_key.client.list_key_rotations(KeyId=kms_key.id)
    """
    path = tmp_path / "report.json"
    _, output = run(tmp_path, "--kms-report", f"--kms-report=json:{path}", suite=suite)
    if "no attribute 'rotate_key_on_demand'" in output:
        pytest.skip("the installed botocore does not know this operation")

    pytest.LineMatcher(output.splitlines()).fnmatch_lines(
        [
            "4 KMS calls in 1 test: 0 denied, 0 failed; 1 key",
            "Answers without what is still under way",
            "test_*.py::test_rotations",
            "  ListKeyRotations * by user/Administrator",
            "    The list is without the on-demand rotation that is in progress. Call",
        ]
    )
    assert "Denied and failed calls" not in output
    [answer] = json.loads(path.read_text())["refusals"]
    assert (answer["code"], answer["times"]) == ("ok", 1)
    assert "GetKeyRotationStatus" in answer["text"]


def test_the_terminal_needs_no_more_than_80_columns(alone):
    shown = alone.output.partition("kmsmock report")[2].splitlines()[1:]
    # Where CI is set in the environment, pytest does not shorten the lines of its own summary.
    shown = [line for line in shown if not line.startswith(("FAILED", "ERROR"))]
    assert [line for line in shown if len(line) > 80 and "report: " not in line] == []


def test_a_run_without_calls_says_so(tmp_path):
    _, output = run(tmp_path, "--kms-report=terminal", suite="def test_none(): pass")
    assert "\nno KMS calls\n" in output


@pytest.mark.parametrize("value", ["xml:report.xml", "json", "html:"])
def test_an_unknown_form_is_refused_before_the_run(tmp_path, value):
    code, output = run(tmp_path, f"--kms-report={value}")
    assert code == pytest.ExitCode.USAGE_ERROR
    assert "unknown form; use --kms-report" in output


# --- JSON ---------------------------------------------------------------------------------------


def test_json_has_the_sums(alone):
    report = alone.report
    assert (report["format"], report["version"]) == ("kmsmock-report", 1)
    total = report["total"]
    assert (total["calls"], total["denied"], total["failed"]) == (15, 2, 2)
    assert report["operations"]["Encrypt"]["calls"] == 6
    outcomes = {test: tally["outcome"] for test, tally in report["tests"].items()}
    assert outcomes == {
        "test_shop.py::test_orders": "passed",
        "test_shop.py::test_refusals": "passed",
        "test_shop.py::test_a_key_that_there_is_not": "failed",
    }
    assert (report["tests_run"], report["tests_failed"]) == (4, 1)


@pytest.mark.parametrize("group", ["operations", "tests"])
def test_the_costs_of_each_group_add_up(alone, group):
    costs = [Decimal(tally["cost"]) for tally in alone.report[group].values()]
    assert sum(costs) == Decimal(alone.report["total"]["cost"]) > 0


def test_keys_cost_what_it_costs_to_keep_them(alone):
    storage = {key["description"]: Decimal(key["storage"]) for key in alone.report["keys"]}
    # Ten days of a month, at a dollar; the third key was there for an hour.
    assert storage["orders"] == storage["forgotten"] > Decimal("0.3")
    assert sum(Decimal(key["storage"]) for key in alone.report["keys"]) == pytest.approx(
        Decimal(alone.report["storage"]), abs=Decimal("1e-12")
    )


def test_json_has_each_call_and_each_state(alone):
    scene = alone.scene("test_refusals")
    calls = alone.names(row[1] for row in scene["calls"])
    assert calls == ["CreateKey", "Encrypt", "Encrypt", "DisableKey", "Encrypt"]
    (lane,) = scene["lanes"]
    assert alone.names(state for _, _, state in lane["states"]) == ["Enabled", "Disabled"]


def test_json_has_who_may_and_who_did(alone):
    refused = [row for row in alone.scene("test_refusals")["permissions"] if row[6]]
    ((_, principal, action, may, _, did, times),) = refused
    assert alone.names((principal, action, may)) == [
        "arn:aws:iam::123456789012:role/App",
        "kms:Encrypt",
        "no",
    ]
    assert (did, times) == (0, 2)


def test_json_keeps_the_explanation_of_a_refusal(alone):
    denied = next(r for r in alone.report["refusals"] if r["code"] == "AccessDeniedException")
    assert denied["times"] == 2
    assert "Missing:" in denied["text"]


def test_the_page_holds_the_report(alone):
    data = alone.page.split('type="application/json">')[1].split("</script>")[0]
    assert json.loads(data) == alone.report


# --- many processes, and mocks that forget ------------------------------------------------------


def test_the_workers_of_xdist_make_one_report(alone, shared):
    for member in ("total", "tests", "tests_run", "tests_failed"):
        assert shared.report[member] == alone.report[member]
    for member in ("keys", "scenes", "refusals", "quotas"):
        assert len(shared.report[member]) == len(alone.report[member])
    assert shared.report["notes"] == []


def test_a_worker_that_crashed_is_noted(tmp_path):
    pytest.importorskip("xdist")
    suite = """
        import os
        def test_crash(kms):
            kms.client().create_key()
            os._exit(1)
    """
    _, output = run(tmp_path, "--kms-report=terminal", "-n1", suite=suite)
    assert "Worker gw0 crashed: the calls of its tests are missing here." in output


def test_a_worker_whose_report_cannot_be_read_is_noted(tmp_path):
    pytest.importorskip("xdist")
    (tmp_path / "conftest.py").write_text(
        textwrap.dedent(
            """
            import pytest

            @pytest.hookimpl(tryfirst=True, optionalhook=True)
            def pytest_testnodedown(node):
                node.workeroutput["kmsmock_report"] = "{}"
            """
        )
    )
    suite = """
        def test_it(kms):
            kms.client().create_key()
    """
    code, output = run(
        tmp_path, "--kms-report=terminal", "-n1", suite=suite, run_pytest=in_a_process
    )

    assert code == 0
    assert "Worker gw0 has no report of its tests: this is not a report: it has no format" in output


def test_what_a_mock_forgets_is_reported_too(tmp_path):
    suite = """
        def test_reset(kms):
            kms.client().create_key()
            kms.reset()
            kms.client().create_key()

        def test_rolled_back(module_kms, kms):
            kms.client().create_key()

        def test_again(module_kms, kms):
            kms.client().create_key()
    """
    _, output = run(tmp_path, "--kms-report=terminal", suite=suite)
    assert "4 KMS calls in 3 tests: 0 denied, 0 failed; 4 keys" in output


def test_calls_of_which_a_mock_keeps_no_record_are_reported_too(tmp_path):
    suite = """
        import pytest

        @pytest.mark.kms(calls_kept=1)
        def test_it(kms):
            kms.client().create_key()
            kms.client().list_keys()
            kms.client().list_aliases()
    """
    _, output = run(tmp_path, "--kms-report=terminal", suite=suite)
    assert "3 KMS calls in 1 test: 0 denied, 0 failed; 1 key" in output


def test_calls_that_services_make_are_reported_with_their_duration(tmp_path):
    suite = """
        def test_it(kms):
            kms.client("ec2").create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True)
    """
    run(tmp_path, "--kms-report=json:it.json", suite=suite)
    operations = json.loads((tmp_path / "it.json").read_text())["operations"]
    assert operations["GenerateDataKeyWithoutPlaintext"]["seconds"] > 0


def test_a_restore_that_is_refused_leaves_the_report_as_it_was(tmp_path):
    suite = """
        import pytest

        def test_it(kms):
            kms.client().create_key()
            with pytest.raises(TypeError):
                kms.restore("no checkpoint")
            kms.client().list_keys()
    """
    run(tmp_path, "--kms-report=json:it.json", suite=suite)
    report = json.loads((tmp_path / "it.json").read_text())
    assert [len(scene["calls"]) for scene in report["scenes"]] == [1, 1]
    assert report["total"]["calls"] == 2


def test_each_state_and_rotation_stands_after_the_calls_that_came_before_it(tmp_path):
    suite = """
        from datetime import timedelta

        def test_it(kms):
            client = kms.client()
            key = client.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
            rotated = client.create_key()["KeyMetadata"]["KeyId"]
            client.enable_key_rotation(KeyId=rotated)
            end = kms.clock.now() + timedelta(days=1)
            kms.import_material(key, bytes(32), ValidTo=end)  # three calls
            kms.clock.advance(days=400)
            kms.import_material(key, bytes(32))
            client.list_keys()
    """
    run(tmp_path, "--kms-report=json:it.json", suite=suite)
    report = json.loads((tmp_path / "it.json").read_text())
    (scene,) = report["scenes"]
    imported, rotated = scene["lanes"]
    assert [(after, report["names"][state]) for _, after, state in imported["states"]] == [
        *((1, "PendingImport"), (6, "Enabled"), (6, "PendingImport"), (9, "Enabled")),
    ]
    assert [after for _, after, _ in rotated["rotations"]] == [6]


# --- the command line ---------------------------------------------------------------------------


def test_the_command_shows_a_report_as_the_terminal_did(alone):
    code, shown, _ = capture(main, ["report", str(alone.path)])
    assert code == 0
    assert shown.startswith("15 KMS calls in 3 tests: 2 denied, 2 failed; 3 keys\n")
    assert shown in alone.output


def test_reports_with_many_mocks_of_the_same_test_are_merged():
    names = [TEST, *(f"{TEST} #{number}" for number in range(2, 16_000))]
    lane = make_report().scenes[0].lanes[0]
    reports = [
        Report(scenes=[Scene(name, TEST, START, START, lanes=[lane]) for name in names])
        for _ in range(2)
    ]
    merged = [scene.mock for scene in merge(reports).scenes]
    assert set(merged) == {TEST, *(f"{TEST} #{number}" for number in range(2, 31_999))}
    assert len(merged) == 2 * len(names)


def test_the_command_merges_reports(alone):
    code, shown, _ = capture(main, ["report", str(alone.path), str(alone.path)])
    assert code == 0
    assert shown.startswith("30 KMS calls in 3 tests: 4 denied, 4 failed; 6 keys")


def test_the_command_writes_the_same_page(alone, tmp_path):
    page = tmp_path / "page.html"
    assert main(["report", str(alone.path), "--html", str(page)]) == 0
    assert page.read_text() == alone.page
