"""Three small suites with policies in files, and runs of them under weakened policies."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from kmsmock.authorization.policy_document import PolicyKind, as_list
from kmsmock.coverage.advice import describe_change
from kmsmock.coverage.as_json import read
from kmsmock.coverage.elements import list_elements
from kmsmock.coverage.weakness import Weakening, find_weaknesses
from tests.inner_runs import run_pytest

_ROLE = "arn:aws:iam::123456789012:role"
_ADMIN = {
    "Effect": "Allow",
    "Principal": {"AWS": "123456789012"},
    "Action": "kms:*",
    "Resource": "*",
}
_HEAD = """
    import json
    from pathlib import Path

    import pytest
    from botocore.exceptions import ClientError

    FOLDER = Path(__file__).parent
    ACCOUNT = "123456789012"


    def read(name):
        return json.loads((FOLDER / name).read_text())


    def denied():
        return pytest.raises(ClientError, match="AccessDenied")

"""


class Suite(NamedTuple):
    """The text of a suite, and the policies in its files."""

    text: str
    files: dict[str, Any]


TENANTS = Suite(
    """
    @pytest.fixture
    def orders(kms):
        role = kms.account(ACCOUNT).role("orders")
        key = kms.client().create_key(Policy=json.dumps(read("key.json")))["KeyMetadata"]["KeyId"]
        return role.client(), key


    def test_a_tenant(orders):
        client, key = orders
        client.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"tenant": "a"})


    def test_another_tenant(orders):
        client, key = orders
        with denied():
            client.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"tenant": "b"})


    def test_that_keys_are_kept(kms, orders):
        with denied():
            kms.client().schedule_key_deletion(KeyId=orders[1])
    """,
    {
        "key.json": {
            "Version": "2012-10-17",
            "Statement": [
                _ADMIN,
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"{_ROLE}/orders"},
                    "Action": ["kms:Encrypt", "kms:Decrypt"],
                    "Resource": "*",
                    "Condition": {
                        "StringEquals": {"kms:EncryptionContext:tenant": "a"},
                        "StringNotEquals": {"kms:EncryptionContext:stage": "test"},
                    },
                },
                {
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "kms:ScheduleKeyDeletion",
                    "Resource": "*",
                },
            ],
        }
    },
)
ROLES = Suite(
    """
    @pytest.fixture
    def reader(kms):
        return kms.account(ACCOUNT).role("reader", policies=[read("reader.json")])


    def test_it_reads(reader, kms_key):
        blob = kms_key.client.encrypt(KeyId=kms_key.id, Plaintext=b"x")["CiphertextBlob"]
        reader.client().decrypt(CiphertextBlob=blob)


    def test_it_does_not_write(reader, kms_key):
        with denied():
            reader.client().encrypt(KeyId=kms_key.id, Plaintext=b"x")


    def test_it_does_not_read_in_tests(reader, kms_key):
        context = {"stage": "test"}
        blob = kms_key.client.encrypt(KeyId=kms_key.id, Plaintext=b"x", EncryptionContext=context)
        with denied():
            reader.client().decrypt(
                CiphertextBlob=blob["CiphertextBlob"], EncryptionContext=context
            )
    """,
    {
        "reader.json": {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:DescribeKey"], "Resource": "*"},
                {
                    "Effect": "Deny",
                    "Action": "kms:Decrypt",
                    "Resource": "*",
                    "Condition": {"StringEquals": {"kms:EncryptionContext:stage": "test"}},
                },
                {"Effect": "Allow", "Action": "kms:ListKeys", "Resource": "*"},
            ],
        }
    },
)
LIMITS = Suite(
    """
    @pytest.fixture
    def worker(kms):
        return kms.account(ACCOUNT).role(
            "worker", policies=[read("worker.json")], boundary=read("boundary.json")
        )


    def test_it_encrypts(worker, kms_key):
        worker.client().encrypt(KeyId=kms_key.id, Plaintext=b"x")


    def test_it_is_limited(worker, kms_key):
        with denied():
            worker.client().disable_key(KeyId=kms_key.id)
    """,
    {
        "worker.json": {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": "kms:*", "Resource": "*"},
                {"Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*"},
            ],
        },
        "boundary.json": {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": ["kms:Encrypt", "kms:Decrypt"], "Resource": "*"},
                {"Effect": "Deny", "Action": "kms:CreateKey", "Resource": "*"},
            ],
        },
    },
)
SUITES = {"tenants": TENANTS, "roles": ROLES, "limits": LIMITS}


class Trial(NamedTuple):
    """A weakening of a policy in a file."""

    what: str
    #: Whether records say that tests would notice it.
    predicted: bool
    #: Whether a test fails when the suite is run with the weakened file.
    failed: bool


def try_suite(folder: Path, suite: Suite) -> Iterator[Trial]:
    """Yield for each weakening of a suite's files what records say, and what a run says."""
    (folder / "test_it.py").write_text(textwrap.dedent(_HEAD) + textwrap.dedent(suite.text))
    (folder / "pytest.ini").write_text("[pytest]")
    _write(folder, suite.files)
    code, output = run_pytest(folder, "--kms-policy-coverage=json:coverage.json", "test_it.py")
    assert code == 0, output
    records = read((folder / "coverage.json").read_text())
    (folder / "coverage.json").unlink()
    for weakness in find_weaknesses(records):
        weakening = weakness.weakening
        source = None
        if not weakening.is_of_grant:
            source = records.policies[weakening.place].source
        if source is None:
            continue
        kind = records.policies[weakening.place].kind
        document = weaken_document(suite.files[source.path], kind, weakening)
        _write(folder, {source.path: document})
        code, _ = run_pytest(folder, "test_it.py")
        _write(folder, suite.files)
        predicted = weakness.noticed_by is not None
        yield Trial(describe_change(records, weakening), predicted, code != 0)


def _write(folder: Path, files: dict[str, Any]) -> None:
    for name, document in files.items():
        (folder / name).write_text(json.dumps(document, indent=2))


def weaken_document(document: Any, kind: PolicyKind, weakening: Weakening) -> dict[str, Any]:
    """Return a weakened policy document. A dropped statement means no action any more."""
    weakened = json.loads(json.dumps(document))
    weakened["Statement"] = as_list(weakened["Statement"])
    statement = weakened["Statement"][weakening.statement]
    name = list_elements(statement, kind)[weakening.element].name
    if weakening.change == "statement":
        statement.pop("NotAction", None)
        statement["Action"] = "kms:Nothing"
    elif weakening.change == "condition":
        operator, key = name.split(" ")
        del statement["Condition"][operator][key]
        if not statement["Condition"][operator]:
            del statement["Condition"][operator]
    else:
        del statement[name]
        statement[weakening.change.capitalize()] = "*"
    return weakened
