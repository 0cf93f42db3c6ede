"""Reports of a run: in the terminal, as JSON, as a page, of one process or of many."""

from __future__ import annotations

import json

import pytest

from kmsmock.cli import main

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


    def test_refusals(kms, kms_key):
        role = kms.account("123456789012").role("App")
        for _ in range(2):
            with pytest.raises(ClientError):
                role.client().encrypt(KeyId=kms_key.id, Plaintext=b"x")
        kms.client().disable_key(KeyId=kms_key.id)
        with pytest.raises(ClientError):
            kms.client().encrypt(KeyId=kms_key.id, Plaintext=b"x")


    def test_without_kms():
        pass
"""


@pytest.fixture
def run(pytester):
    """Run the suite with options."""
    pytester.makepyfile(test_shop=SUITE)

    def run(*options, suite="test_shop.py"):
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", *options, suite)

    return run


@pytest.fixture
def report(run, pytester):
    """The report of the suite, as JSON."""
    run("--kms-report=json:report.json")
    return json.loads((pytester.path / "report.json").read_text())


def names(report, places):
    return [report["names"][place] for place in places]


# --- the terminal -------------------------------------------------------------------------------


def test_without_the_option_nothing_is_reported(run):
    run().stdout.no_fnmatch_line("*kmsmock report*")


def test_the_terminal_tells_calls_costs_refusals_and_unused_keys(run):
    run("--kms-report=terminal").stdout.fnmatch_lines(
        [
            "*kmsmock report*",
            "14 KMS calls in 2 tests: 2 denied, 1 failed; 3 keys",
            "At AWS's list prices $*: requests $*, keys $*",
            "Calls by operation",
            "Encrypt * 6 * 2 * 1 *",
            "Denied and failed calls",
            "test_shop.py::test_refusals",
            "  2 x Encrypt * by assumed-role/App/session",
            "    AccessDenied: no identity-based policy allows*",
            "    Disabled: EnableKey makes it usable again.",
            "Slowest calls, in real time",
            "Keys by spec",
            "Keys never used: 2 of 3",
        ]
    )


def test_a_run_without_calls_says_so(run, pytester):
    pytester.makepyfile(test_none="def test_none(): pass")
    run("--kms-report=terminal", suite="test_none.py").stdout.fnmatch_lines(["no KMS calls"])


@pytest.mark.parametrize("value", ["xml:report.xml", "json", "json:", "html"])
def test_a_form_that_there_is_not_is_refused_before_the_run(run, value):
    done = run(f"--kms-report={value}")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*there is no such form; there are --kms-report*"])


def test_a_path_that_cannot_be_written_is_refused_before_the_run(run, pytester):
    (pytester.path / "file").write_text("")
    done = run("--kms-report=json:file/report.json")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*cannot be written*"])


# --- JSON ---------------------------------------------------------------------------------------


def test_json_has_the_sums(report):
    assert (report["format"], report["version"]) == ("kmsmock-report", 1)
    assert report["total"] == {
        "calls": 14,
        "denied": 2,
        "failed": 1,
        "cost": report["total"]["cost"],
    }
    assert report["operations"]["Encrypt"]["calls"] == 6
    assert report["tests"]["test_shop.py::test_orders"]["outcome"] == "passed"
    assert report["tests_run"] == 3


def test_json_has_each_call_and_each_state(report):
    scene = next(s for s in report["scenes"] if s["test"] == "test_shop.py::test_refusals")
    calls = [report["names"][row[1]] for row in scene["calls"]]
    assert calls == ["CreateKey", "Encrypt", "Encrypt", "DisableKey", "Encrypt"]
    (lane,) = scene["lanes"]
    assert [report["names"][state] for _, _, state in lane["states"]] == ["Enabled", "Disabled"]


def test_json_has_who_may_and_who_did(report):
    scene = next(s for s in report["scenes"] if s["test"] == "test_shop.py::test_refusals")
    refused = [row for row in scene["permissions"] if row[6]]
    ((_, principal, action, may, _, did, times),) = refused
    assert names(report, (principal, action, may)) == [
        "arn:aws:iam::123456789012:role/App",
        "kms:Encrypt",
        "no",
    ]
    assert (did, times) == (0, 2)


def test_json_keeps_the_explanation_of_a_refusal(report):
    denied = next(r for r in report["refusals"] if r["code"] == "AccessDeniedException")
    assert denied["times"] == 2
    assert "Missing:" in denied["text"]


@pytest.mark.parametrize("form", ["json:report.json", "html:report.html"])
def test_processes_of_xdist_make_one_report(run, pytester, form):
    pytest.importorskip("xdist")
    alone, shared = pytester.path / "alone", pytester.path / "shared"
    kind, _, name = form.partition(":")
    run(f"--kms-report={kind}:{alone}/{name}")
    run(f"--kms-report={kind}:{shared}/{name}", "-n2")

    def sums(folder):
        text = (folder / name).read_text()
        if kind == "html":
            text = text.split('type="application/json">')[1].split("</script>")[0]
        read = json.loads(text)
        return read["total"], read["tests"], read["tests_run"], len(read["keys"])

    assert sums(shared) == sums(alone)


def test_what_happened_before_a_reset_is_reported_too(run, pytester):
    pytester.makepyfile(
        test_reset="""
        def test_reset(kms):
            kms.client().create_key()
            kms.reset()
            kms.client().create_key()
        """
    )
    done = run("--kms-report=terminal", suite="test_reset.py")
    done.stdout.fnmatch_lines(["2 KMS calls in 1 test:*; 2 keys"])


def test_what_a_shared_mock_takes_back_is_reported_too(run, pytester):
    pytester.makepyfile(
        test_shared="""
        def test_one(module_kms, kms):
            kms.client().create_key()

        def test_two(module_kms, kms):
            kms.client().create_key()
        """
    )
    done = run("--kms-report=terminal", suite="test_shared.py")
    done.stdout.fnmatch_lines(["2 KMS calls in 2 tests:*; 2 keys"])


# --- the command line ---------------------------------------------------------------------------


@pytest.mark.usefixtures("report")
def test_the_command_shows_a_report_as_the_terminal_did(capsys):
    assert main(["report", "report.json"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("14 KMS calls in 2 tests: 2 denied, 1 failed; 3 keys\n")


@pytest.mark.usefixtures("report")
def test_the_command_merges_reports(capsys):
    assert main(["report", "report.json", "report.json"]) == 0
    assert capsys.readouterr().out.startswith("28 KMS calls in 2 tests: 4 denied")


@pytest.mark.usefixtures("report")
def test_the_command_writes_a_page(pytester):
    assert main(["report", "report.json", "--html", "page.html"]) == 0
    assert (pytester.path / "page.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "this is not JSON"),
        ("{}", "this is not a report"),
        ('{"format": "kmsmock-report", "version": 99}', "a newer kmsmock may read it"),
        (
            '{"format": "kmsmock-report", "version": 1, "names": [], "total": {"calls": "x"}}',
            "report.total.calls: a int is wanted",
        ),
        (
            '{"format": "kmsmock-report", "version": 1, "names": [], "more": 1}',
            "there is no member 'more'",
        ),
    ],
)
def test_a_file_that_is_no_report_is_told(tmp_path, capsys, text, words):
    path = tmp_path / "report.json"
    path.write_text(text)
    assert main(["report", str(path)]) == 2
    assert words in capsys.readouterr().err
