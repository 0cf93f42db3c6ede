"""Policy coverage of a run of pytest: what the table, the file and the command say."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

from kmsmock.cli import main
from tests.inner_runs import run_pytest
from tests.output import capture

POLICY = """
{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "Admin", "Effect": "Allow", "Principal": {"AWS": "123456789012"},
     "Action": "kms:*", "Resource": "*"},
    {
      "Sid": "Orders",
      "Effect": "Allow",
      "Principal": {"AWS": "arn:aws:iam::123456789012:role/orders"},
      "Action": ["kms:Encrypt", "kms:Decrypt"],
      "Resource": "*",
      "Condition": {"StringEquals": {"kms:EncryptionContext:tenant": "a"}}
    },
    {"Sid": "Keep", "Effect": "Deny", "Principal": "*",
     "Action": "kms:ScheduleKeyDeletion", "Resource": "*"}
  ]
}
"""
SUITE = """
    import json
    from pathlib import Path

    import pytest
    from botocore.exceptions import ClientError

    POLICY = Path(__file__).with_name("orders-key.json").read_text()


    @pytest.fixture
    def key(kms):
        kms.account("123456789012").role("orders")
        client = kms.client()
        created = client.create_key(Policy=POLICY)["KeyMetadata"]["KeyId"]
        client.create_alias(AliasName="alias/orders", TargetKeyId=created)
        return created


    @pytest.mark.parametrize("number", range(3))
    def test_orders_are_encrypted(kms, key, number):
        client = kms.account("123456789012").role("orders").client()
        client.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"tenant": "a"})


    def test_other_tenants_are_refused(kms, key):
        client = kms.account("123456789012").role("orders").client()
        with pytest.raises(ClientError):
            client.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"tenant": "b"})


    @pytest.mark.kms(policy_coverage=False)
    def test_that_is_left_out(kms, key):
        with pytest.raises(ClientError):
            kms.client().schedule_key_deletion(KeyId=key)
"""


def run(folder: Path, *options: str, suite: str = SUITE, ini: str = "[pytest]"):
    """Run a suite in a folder; return its exit code and output."""
    (folder / "test_shop.py").write_text(textwrap.dedent(suite))
    (folder / "orders-key.json").write_text(POLICY)
    (folder / "pytest.ini").write_text(ini)
    return run_pytest(folder, *options, "test_shop.py")


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Return the folder and the output of a run with all forms."""
    folder = tmp_path_factory.mktemp("measured")
    code, output = run(
        folder, "--kms-policy-coverage", "--kms-policy-coverage=json:out/coverage.json"
    )
    assert code == 0, output
    return folder, output


def row(output: str, name: str) -> list[str]:
    """Return the cells of a row of the table."""
    return next(line for line in output.splitlines() if line.startswith(name)).split(maxsplit=5)


def test_a_policy_is_known_by_file_and_line_and_is_one_in_all_tests(measured):
    _, output = measured

    assert row(output, "orders-key.json:2")[1:4] == ["3", "1", "67%"]
    assert len([line for line in output.splitlines() if line.startswith("orders-key.json:")]) == 1


def test_a_statement_that_has_decided_nothing_is_missing_with_its_line(measured):
    _, output = measured

    missing = row(output, "orders-key.json:2")[5]
    assert missing == "line 15, statement 3 (Keep): never matched"


def test_the_file_has_each_distinct_decision_once_with_its_tests(measured):
    folder, _ = measured
    written = json.loads((folder / "out" / "coverage.json").read_text())

    encrypted = [one for one in written["decisions"] if one[0][0] == "kms:Encrypt"]
    assert [(one[3], one[4], len(one[5])) for one in encrypted] == [
        ("allow", 3, 3),
        ("implicitDeny", 1, 1),
    ]


def test_what_no_test_would_notice_is_told_with_the_call_to_make(measured):
    _, output = measured

    assert (
        "no test would notice if the Principal in orders-key.json:10 were everybody: test that "
        "kms:Encrypt as another principal than role/orders on a key is denied"
    ) in output
    assert "kms:EncryptionContext:tenant" not in output


def test_a_condition_that_no_test_needs_is_told(tmp_path):
    suite = SUITE.partition("    def test_other_tenants")[0]

    _, output = run(tmp_path, "--kms-policy-coverage=text", suite=suite)

    assert (
        "no test would notice if the condition on kms:EncryptionContext:tenant in "
        "orders-key.json:13 were gone: test that kms:Encrypt as assumed-role/orders/session on a "
        "key without tenant=a in its encryption context is denied"
    ) in output


def test_a_test_with_the_mark_false_is_left_out(measured):
    folder, _ = measured
    written = json.loads((folder / "out" / "coverage.json").read_text())

    assert "test_shop.py::test_that_is_left_out" not in written["tests"]
    assert len(written["tests"]) == 4


def test_nothing_is_measured_without_the_option(tmp_path):
    code, output = run(tmp_path)

    assert code == 0
    assert "policy coverage" not in output


def test_the_ini_option_prints_the_table(tmp_path):
    code, output = run(tmp_path, ini="[pytest]\nkms_policy_coverage = true")

    assert code == 0
    assert row(output, "TOTAL")[1:] == ["3", "1", "67%", "4/7"]


def test_an_unknown_form_is_refused(tmp_path):
    code, output = run(tmp_path, "--kms-policy-coverage=jsno:x")

    assert code == pytest.ExitCode.USAGE_ERROR
    assert "unknown form; it is text, or json:PATH" in output
    assert "did you mean 'json'?" in output


def test_workers_of_xdist_are_merged(tmp_path):
    pytest.importorskip("xdist")

    code, output = run(tmp_path, "-n2", "--kms-policy-coverage=text")

    assert code == 0, output
    assert row(output, "orders-key.json:2")[1:4] == ["3", "1", "67%"]


def test_two_files_are_combined_and_shown(measured, tmp_path):
    folder, _ = measured
    one, both = folder / "out" / "coverage.json", tmp_path / "both.json"

    assert main(["coverage", "combine", str(one), str(one), "-o", str(both)]) == 0
    printed = capture(main, ["coverage", "report", str(both)])

    assert printed.result == 0
    assert row(printed.output, "orders-key.json:2")[1:4] == ["3", "1", "67%"]
    counts = [sum(d[4] for d in json.loads(path.read_text())["decisions"]) for path in (one, both)]
    assert counts[1] == 2 * counts[0]


def test_a_file_that_is_no_policy_coverage_is_an_error(tmp_path):
    path = tmp_path / "x.json"
    path.write_text("{}")

    printed = capture(main, ["coverage", "report", str(path)])

    assert printed.result == 2
    assert "x.json: this is not policy coverage" in printed.errors
