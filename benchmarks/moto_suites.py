"""Run moto's own tests with and without a mock of KMS around each, and show where they differ.

    python benchmarks/moto_suites.py PATH [--kms-with-moto] [SERVICE ...]

PATH is the unpacked source distribution of the installed version of moto, which has its tests; they
need `moto[all,server]`. Without services, those are run whose tests
involve KMS. The differences are printed, each with its reason from `REASONS`; the exit status is 1
if there is one without a reason. As a plugin of pytest this module is what starts the mocks.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

import pytest

#: The services of moto whose tests are run, as its folders name them.
SERVICES = (
    *("awslambda", "cloudformation", "cloudtrail", "dynamodb", "ec2", "iam", "kinesis", "logs"),
    *("rds", "resourcegroupstaggingapi", "s3", "secretsmanager", "sns", "sqs", "ssm", "sts"),
)
#: Regular expressions of the ids of tests -> why they differ.
REASONS: dict[str, str] = {
    r"test_stack_kms": "the policy of its key is not JSON",
    r"create_table_with_ssespecification__custom_kms_key": "a table's key needs its SSEType",
    r"ebs_default_kms_key_id|without_kms_key_should_use_default_key": "AWS's CreateVolume does not "
    "show a default key; DescribeVolumes does",
    r"test_snapshot_filters": "a copy under a key needs Encrypted",
    r"test_kinesis_encryption": "the key 'n/a' does not exist",
    r"test_logs::test_create_log_group\[arn": "the key does not exist",
    r"test_rds_export_tasks": "the keys do not exist",
    r"fails_for_inaccessible_kms_key_arn": "AWS has other words: 'The target KMS key'",
    r"share_db_cluster_snapshot_cross_account|copy_unencrypted_db_cluster_snapshot": "the copy of "
    "a snapshot of a cluster that is not encrypted takes no key",
    r"test_create_database_with_encrypted_storage": "the policy of its key is not JSON",
    r"test_create_db_cluster_additional_parameters": "the key 'some:kms:arn' does not exist",
    r"test_secretsmanager::.*_secret_with_KmsKeyId": "the keys 'foo_arn' and 'dummy_arn' do not "
    "exist",
    r"test_s3::test_object_headers|ssm_key_headers": "the keys do not exist",
    r"encryption_status_on_|encryption_on_new_bucket_fails|delete_and_get_encryption": "since 2023 "
    "S3 encrypts each object and bucket with AES256, if with nothing else",
    r"test_copy_object_with_kms_encryption": "S3 shows keys by their ARN",
    r"overwrite_preserves_metadata": "only a SecureString takes a key",
    r"test_ssm::test_describe_parameters_|secure_custom_kms": "the keys do not exist",
    r"secure_default_kms|history_with_secure_string": "what is stored is a ciphertext, not text "
    "with a prefix",
}
_PLUGIN = "moto_suites"


class Difference(NamedTuple):
    """A test that has another outcome with a mock. without, mocked: outcomes, with messages."""

    test: str
    without: str
    mocked: str

    @property
    def reason(self) -> str | None:
        """Why the test differs; None if that is not known."""
        for pattern, reason in REASONS.items():
            if re.search(pattern, self.test):
                return reason
        return None


@pytest.fixture(autouse=True)
def _mock_around_each_test(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.config.getini("kms_with_moto"):
        yield
        return
    from kmsmock import mock_kms

    with mock_kms():
        yield


def main(arguments: list[str] | None = None) -> int:
    """Run the tests, and print the differences; return the exit status."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n\n")[0])
    parser.add_argument("path", type=Path, help="the unpacked source distribution of moto")
    parser.add_argument("services", nargs="*", default=SERVICES, metavar="service")
    parser.add_argument("--kms-with-moto", action="store_true", help="set that option instead")
    given = parser.parse_args(arguments)
    found: list[Difference] = []
    for service in given.services or SERVICES:
        tests = f"tests/test_{service}"
        if not (given.path / tests).is_dir():
            parser.error(f"{given.path} has no {tests}")
        without = run_tests(given.path, tests, "-p", "no:kmsmock")
        option = ("-o", "kms_with_moto=true") if given.kms_with_moto else ()
        mocked = run_tests(given.path, tests, "-p", _PLUGIN, *option)
        differences = compare(without, mocked)
        found += differences
        print(f"{service}: {len(without)} tests, {len(differences)} differ", flush=True)
        for difference in differences:
            print(f"  {difference.test}\n    without: {difference.without}")
            print(f"    mocked: {difference.mocked}\n    reason: {difference.reason or 'unknown'}")
    return int(any(difference.reason is None for difference in found))


def run_tests(path: Path, tests: str, *options: str) -> dict[str, str]:
    """Run tests of moto in a process of their own; return test id -> outcome."""
    own = str(Path(__file__).parent)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([own, os.environ.get("PYTHONPATH", "")]),
        # Those that moto's own Makefile sets.
        "AWS_SECRET_ACCESS_KEY": "server_secret",
        "AWS_ACCESS_KEY_ID": "server_key",
    }
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
        command += [
            "--continue-on-collection-errors",
            "-m",
            "not network and not requires_docker",
            f"--junitxml={report}",
            tests,
        ]
        subprocess.run(command, cwd=path, env=environment, check=False, capture_output=True)
        if not report.exists():
            raise SystemExit(f"pytest did not run {tests} in {path}")
        return read_outcomes(report)


def read_outcomes(report: Path) -> dict[str, str]:
    """Return test id -> outcome, with the message of a failure, from a JUnit report."""
    outcomes: dict[str, str] = {}
    for case in ET.parse(report).iter("testcase"):
        outcome = "passed"
        for child in case:
            if child.tag in ("failure", "error", "skipped"):
                outcome = f"{child.tag}: {' '.join(child.get('message', '').split())[:400]}"
        outcomes[f"{case.get('classname')}::{case.get('name')}"] = outcome
    return outcomes


def compare(without: dict[str, str], mocked: dict[str, str]) -> list[Difference]:
    """Return the tests that pass without a mock only."""
    return [
        Difference(test, outcome, mocked.get(test, "did not run"))
        for test, outcome in without.items()
        if outcome == "passed" != mocked.get(test)
    ]


if __name__ == "__main__":
    sys.exit(main())
