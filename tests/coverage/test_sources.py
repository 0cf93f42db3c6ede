"""Policies are known by the file and line in which they are written."""

from __future__ import annotations

import json

import pytest

from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.coverage.as_json import write
from kmsmock.coverage.records import CoveredPolicy, Records, canonical
from kmsmock.coverage.sources import add_sources

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "123456789012"},
            "Action": ["kms:Encrypt"],
            "Resource": "*",
            "Condition": {"StringEquals": {"kms:EncryptionContext:tenant": "a"}},
        }
    ],
}
INDENTED = json.dumps(POLICY, indent=2)
YAML = """
Resources:
  Key:
    Type: AWS::KMS::Key
    Properties:
      Description: !Sub "${AWS::StackName}"
      KeyPolicy:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal:
              AWS: "123456789012"
            Action: kms:Encrypt
            Resource: "*"
            Condition:
              StringEquals:
                kms:EncryptionContext:tenant: a
"""


def locate(folder, document=POLICY):
    """Return where a policy is found in a folder."""
    records = Records()
    records.add_policy(CoveredPolicy(PolicyKind.RESOURCE, canonical(document)))
    return add_sources(records, folder).policies[0].source


@pytest.mark.parametrize(
    ("name", "content", "line", "statement", "condition"),
    [
        ("key.json", INDENTED, 1, 4, 15),
        ("world.json", f'{{"keys": [\n{{"policy": {INDENTED}}}]}}', 2, 5, 16),
        ("plan.json", json.dumps({"values": {"policy": INDENTED}}, indent=1), 3, 3, 3),
        ("key.tf", f"policy = <<EOF\n{INDENTED}\nEOF\n", 2, 5, 16),
        ("stack.yaml", YAML, 8, 10, 17),
        ("stack.template", YAML, 8, 10, 17),
    ],
    ids=["policy", "world", "Terraform's plan", "Terraform", "CloudFormation", "template"],
)
def test_a_policy_is_found_with_the_lines_of_its_statements_and_conditions(
    tmp_path, name, content, line, statement, condition
):
    if content == YAML:
        pytest.importorskip("yaml", reason="the extra yaml is not installed")
    (tmp_path / name).write_text(content)

    source = locate(tmp_path)

    assert source is not None
    assert (source.path, source.line, source.statements) == (name, line, (statement,))
    assert source.elements[0][-1] == condition


def test_a_policy_with_other_conditions_is_another(tmp_path):
    (tmp_path / "key.json").write_text(INDENTED.replace('"a"', '"b"'))

    assert locate(tmp_path) is None


def test_accounts_and_lists_of_one_value_are_as_kms_stores_them(tmp_path):
    root = INDENTED.replace("123456789012", "arn:aws:iam::123456789012:root")
    (tmp_path / "key.json").write_text(root)

    assert locate(tmp_path) is not None


def test_other_files_do_not_matter(tmp_path):
    (tmp_path / "broken.json").write_text('{"Statement": ')
    (tmp_path / "nested.json").write_text("[" * 100_000 + '"Statement"')
    (tmp_path / "binary.json").write_bytes(b'\xff"Statement"')
    (tmp_path / "odd.json").write_text('{"Statement": [{"Condition": 3, "Principal": {"AWS": 1}}]}')
    (tmp_path / "z.json").write_text(INDENTED)

    source = locate(tmp_path)
    assert source is not None
    assert source.path == "z.json"


def test_a_policy_is_not_found_in_files_of_policy_coverage(tmp_path):
    records = Records()
    records.add_policy(CoveredPolicy(PolicyKind.RESOURCE, canonical(POLICY)))
    (tmp_path / "coverage.json").write_text(write(records))

    assert locate(tmp_path) is None


def test_policies_in_one_place_are_one(tmp_path):
    (tmp_path / "app.json").write_text(INDENTED)
    records = Records()
    for holder in ("arn:aws:iam::123456789012:role/a", "arn:aws:iam::123456789012:role/b"):
        policy = CoveredPolicy(PolicyKind.RESOURCE, canonical(POLICY), holder=holder)
        records.add_seen(records.add_policy(policy), (None,))

    assert len(records.policies) == 2
    assert len(add_sources(records, tmp_path).policies) == 1


def test_policies_that_differ_in_ids_of_keys_are_one():
    records = Records()
    for number in "12":
        arn = f"arn:aws:kms:us-east-1:123456789012:key/{number * 8}-2222-3333-4444-555555555555"
        document = {"Statement": {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": arn}}
        records.add_policy(CoveredPolicy(PolicyKind.IDENTITY, canonical(document), "read"))

    assert len(records.policies) == 1
