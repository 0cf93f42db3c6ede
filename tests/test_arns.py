"""How ARNs and account ids are read and written.

Source: IAM User Guide, "Identify AWS resources with ARNs" and "IAM identifiers".
"""

from __future__ import annotations

import pytest

from kmsmock.aws.arns import Arn, iam_arn, is_account_id, read_account_principal, session_arn

ACCOUNT = "123456789012"
KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.mark.parametrize(
    ("text", "resource_type", "resource_id", "name"),
    [
        (f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{KEY_ID}", "key", KEY_ID, KEY_ID),
        (f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/aws/ebs", "alias", "aws/ebs", "ebs"),
        (f"arn:aws:iam::{ACCOUNT}:root", "", "root", "root"),
        (f"arn:aws:iam::{ACCOUNT}:user/team/Alice", "user", "team/Alice", "Alice"),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/App/one", "assumed-role", "App/one", "one"),
        (
            f"arn:aws:rds:us-east-1:{ACCOUNT}:snapshot:rds:daily",
            "snapshot",
            "rds:daily",
            "rds:daily",
        ),
        (f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/app", "log-group", "/aws/app", "app"),
        (f"arn:aws:sqs:us-east-1:{ACCOUNT}:orders", "", "orders", "orders"),
    ],
    ids=["key", "alias", "root", "user", "session", "rds-snapshot", "log-group", "queue"],
)
def test_an_arn_has_a_resource_type_and_id(
    text: str, resource_type: str, resource_id: str, name: str
) -> None:
    arn = Arn.of(text)

    assert (arn.resource_type, arn.resource_id, arn.name) == (resource_type, resource_id, name)
    assert str(arn) == text


@pytest.mark.parametrize(
    ("resource", "path"),
    [("user/Alice", "/"), ("role/team/red/App", "/team/red/"), ("policy/service/Own", "/service/")],
)
def test_the_arn_of_an_iam_identity_or_policy_has_a_path(resource: str, path: str) -> None:
    assert Arn.of(iam_arn("aws", ACCOUNT, resource)).path == path


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        (f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{KEY_ID}", KEY_ID),
        (f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/aws/ebs", "alias/aws/ebs"),
        (f"arn:aws:kms:us-east-1:{ACCOUNT}:key/", None),
        (f"arn:aws:kms:us-east-1:{ACCOUNT}:custom-key-store/cks-1", None),
        (f"arn:aws:s3:us-east-1:{ACCOUNT}:key/{KEY_ID}", None),
    ],
    ids=["key", "alias", "no-id", "other-type", "other-service"],
)
def test_only_the_arn_of_a_key_or_alias_names_one(arn: str, expected: str | None) -> None:
    assert Arn.of(arn).key_or_alias == expected


def test_the_arn_of_a_session_has_role_and_session_name() -> None:
    assert Arn.of(session_arn("aws", ACCOUNT, "App", "one")).role_and_session == ("App", "one")
    assert Arn.of(iam_arn("aws", ACCOUNT, "role/App/one")).role_and_session is None
    assert Arn.of(f"arn:aws:sts::{ACCOUNT}:assumed-role/App").role_and_session is None


@pytest.mark.parametrize("text", ["", "key", "arn:aws:kms", f"ARN:aws:iam::{ACCOUNT}:root"])
def test_a_text_without_the_six_parts_is_no_arn(text: str) -> None:
    assert Arn.parse(text) is None
    with pytest.raises(ValueError, match="is not an ARN"):
        Arn.of(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ACCOUNT, (None, ACCOUNT)),
        (f"arn:aws-cn:iam::{ACCOUNT}:root", ("aws-cn", ACCOUNT)),
        (f"arn:aws:iam::{ACCOUNT}", None),
        (f"{ACCOUNT}:root", None),
        (f"arn:aws:iam::{ACCOUNT}:user/root", None),
        ("12345678901", None),
        ("*", None),
    ],
)
def test_a_policy_names_an_account_by_its_id_or_root_user(
    text: str, expected: tuple[str | None, str] | None
) -> None:
    assert read_account_principal(text) == expected


@pytest.mark.parametrize(
    "value", ["12345678901", "1234567890123", "12345678901a", "\uff11" * 12, 12]
)
def test_an_account_id_is_twelve_digits_as_text(value: object) -> None:
    assert is_account_id(ACCOUNT)
    assert not is_account_id(value)
