"""What the linter finds in policies."""

from __future__ import annotations

import pytest

from kmsmock.authorization.linting import lint
from kmsmock.authorization.policy import parse
from kmsmock.authorization.policy_document import PolicyKind
from tests.authorization.documents import ACCOUNT, allow, deny, policy, to

HOME = to(ACCOUNT)


def when(key, value):
    return {"Condition": {"StringEquals": {key: value}}}


def found(statement, kind=PolicyKind.RESOURCE, **more):
    # A key policy that leaves nobody out is not odd in other ways.
    others = [allow("kms:PutKeyPolicy", **HOME)] if kind is PolicyKind.RESOURCE else []
    return [finding.text for finding in lint(parse(policy(statement, *others), kind), **more)]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        pytest.param(
            allow("kms:DescribeKey", **HOME, **when("kms:EncryptionContext:a", "b")),
            "requests for kms:DescribeKey never have kms:EncryptionContext:a",
            id="context of DescribeKey",
        ),
        pytest.param(
            allow("kms:Encrypt", **HOME, **when("kms:SigningAlgorithm", "x")),
            "never have kms:SigningAlgorithm, so the condition never holds",
            id="key of another action",
        ),
        pytest.param(
            allow("kms:CreateGrant", **HOME, **when("kms:GrantOperations", "Sign")),
            "has several values and never fits StringEquals; use ForAnyValue or ForAllValues",
            id="multivalued",
        ),
        pytest.param(
            allow("kms:Encrypt", **HOME, **when("aws:ResourceTag/a", "b")),
            "key policies cannot see aws:ResourceTag/a",
            id="tags",
        ),
        pytest.param(
            allow("kms:Encrypt", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k", **HOME),
            'write "*"',
            id="resource",
        ),
        pytest.param(
            allow("kms:Decript", **HOME),
            "KMS has no action kms:Decript; did you mean kms:Decrypt?",
            id="misspelt action",
        ),
        pytest.param(
            allow("kms:Encrypt", **to("*")), "every principal of every account", id="world"
        ),
    ],
)
def test_what_can_hardly_be_meant_is_found(statement, words):
    [text] = found(statement)

    assert words in text


@pytest.mark.parametrize("element", ["Action", "Resource"])
def test_a_statement_that_never_applies_is_found(element):
    statement = allow("kms:Encrypt", **HOME)
    del statement[element]

    assert f"without {element} it never applies" in found(statement)


@pytest.mark.parametrize(
    "statement",
    [
        allow("kms:*", **HOME),
        allow("kms:*", **HOME, **when("kms:EncryptionContext:a", "b")),
        allow("kms:Encrypt", **HOME, **when("kms:EncryptionContext:a", "b")),
        allow("kms:Encrypt", **to("*"), **when("kms:CallerAccount", ACCOUNT)),
        deny("kms:Encrypt", **to("*")),
        allow(
            "kms:DescribeKey",
            **HOME,
            Condition={"StringEqualsIfExists": {"kms:EncryptionContext:a": "b"}},
        ),
    ],
)
def test_what_makes_sense_is_left_in_peace(statement):
    assert found(statement) == []


def test_principals_that_do_not_exist_are_found_where_that_is_known():
    statement = allow("kms:*", **to("arn:aws:iam::1:role/x"))

    [text] = found(statement, exists=lambda name: name == ACCOUNT)

    assert text == "the principal arn:aws:iam::1:role/x does not exist"


def test_identity_policies_may_name_keys():
    assert found(allow("kms:*", "arn:aws:kms:*:*:key/k"), PolicyKind.IDENTITY) == []


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        pytest.param(
            [allow("kms:Decrypt", **HOME)], "it allows nobody kms:PutKeyPolicy", id="nobody"
        ),
        pytest.param(
            [allow("kms:*", **to(f"arn:aws:iam::{ACCOUNT}:user/alice"))],
            f"only arn:aws:iam::{ACCOUNT}:user/alice can change it, and once deleted nobody: allow "
            "the account, too",
            id="one user",
        ),
    ],
)
def test_a_key_that_could_be_lost_is_found(statements, words):
    (finding,) = lint(parse(policy(*statements), PolicyKind.RESOURCE))

    assert words in str(finding)
