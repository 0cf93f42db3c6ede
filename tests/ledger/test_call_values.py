"""Values by which calls and CloudTrail records are found: what no call can have is an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

import kmsmock
from kmsmock import KMSMock, mock_kms
from tests.populated import ACCOUNT, populated


@pytest.fixture(scope="module")
def kms() -> Iterator[KMSMock]:
    with populated() as kms:
        yield kms


VALUES: list[tuple[dict[str, Any], str]] = [
    ({"operation": "Encrpt"}, "KMS has no operation 'Encrpt'; did you mean 'Encrypt'?"),
    ({"operation": 5}, "operation must be the name of an operation, not int: 5"),
    ({"key": "alias/ap"}, "no key 'alias/ap', and no call has named it; did you mean 'alias/app'?"),
    ({"key": "app"}, "there is no key 'app', and no call has named it; did you mean 'alias/app'?"),
    ({"key": f"arn:aws:iam::{ACCOUNT}:role/App"}, "must be an id, ARN or alias of a key"),
    ({"key": ""}, "must be an id, ARN or alias of a key; '' is none of these"),
    ({"key": 5}, "key must be an id, ARN or alias, not int"),
    ({"key": b"alias/app"}, "key must be an id, ARN or alias, not bytes"),
    ({"key": {"Plaintext": b"secret"}}, "not dict (a dict with Plaintext); accepted are also"),
    ({"key_arn": "alias/app"}, "ARN of a key, not 'alias/app'; key= takes any name of a key"),
    ({"alias": "app"}, "alias must begin with 'alias/', not 'app'"),
    ({"alias": "alias/ap"}, "did you mean 'alias/app'?"),
    ({"account": "12345"}, "account must be a string of 12 digits, not '12345'"),
    ({"account": 123456789012}, "account must be a string of 12 digits or an account, not 1234567"),
    ({"caller": "App"}, "caller must be the ARN of a principal, or the name of a service"),
    ({"caller": f"arn:aws:iam::{ACCOUNT}:role/Ap"}, f"mean 'arn:aws:iam::{ACCOUNT}:role/App'?"),
    ({"caller": ACCOUNT}, f"a principal or its ARN; '{ACCOUNT}' is an account: account="),
    ({"caller": None}, "caller of a call is never None"),
    ({"region": 5}, "region must be the name of a Region, not int: 5"),
    ({"region": "us-est-1"}, "AWS has no Region 'us-est-1'; did you mean 'us-east-1'?"),
    ({"region": "us_east_1"}, "region must be a Region such as 'eu-west-1', not 'us_east_1'"),
    ({"key_spec": "RSA2048"}, "there is no key spec 'RSA2048'; did you mean 'RSA_2048'?"),
    ({"via_service": "s33"}, "no service of AWS is 's33' in kms:ViaService; did you mean 's3'?"),
    ({"via_service": "S3"}, "no service of AWS is 'S3' in kms:ViaService; did you mean 's3'?"),
    ({"via_service": "s33.us-east-1.amazonaws.com"}, "did you mean 's3'?"),
    ({"via_service": "efs"}, "did you mean 'elasticfilesystem'?"),
    ({"encryption_context": "tenant=a"}, "encryption_context must be a dict, not str: 'tenant=a'"),
    ({"encryption_context": {"tenant": 1}}, "encryption_context['tenant'] must be a str, not int"),
    ({"error_code": "AccessDenied"}, "did you mean 'AccessDeniedException'?"),
    ({"error_code": KeyError}, "error_code must be a str such as 'DisabledException', not the cla"),
    ({"grant_id": "abc"}, "grant_id must be 64 hexadecimal digits, not 'abc'"),
    ({"allowed": 1}, "allowed must be True or False, not int: 1"),
    ({"at": 5}, "at must be an aware datetime, not 5"),
    ({"at": "2026-01-01"}, "at of a call is never a text, such as '2026-01-01'"),
    ({"dry_run": "yes"}, "dry_run of a call is never a text, such as 'yes'"),
    ({"caller": 5}, "caller must be a principal or its ARN, not 5"),
    ({"key_arn": f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/app"}, "key_arn must be the ARN of a key"),
    ({"at": datetime(2026, 1, 1)}, "at must be an aware datetime, with a time zone"),
    ({"test_id": 5}, "test_id must be a str, not int: 5"),
    ({"price": "cheap"}, "price must be an amount in USD"),
    ({"operaton": "Encrypt"}, "did you mean 'operation'?"),
    ({"times": "2"}, "times must be a whole number, not str: '2'"),
    ({"times": -1}, "times must be 0 or more, not -1"),
]


@pytest.mark.parametrize(("members", "sentence"), VALUES, ids=[str(m) for m, _ in VALUES])
def test_a_value_that_no_call_can_have_is_told(
    kms: KMSMock, members: dict[str, Any], sentence: str
) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        kms.calls.assert_called(**members)

    assert sentence in str(caught.value)
    if "times" not in members:
        for use in (kms.calls.assert_not_called, kms.calls.filter):
            with pytest.raises((TypeError, ValueError)):
                use(**members)


MEMBERS: dict[str, Callable[[KMSMock], Any]] = {
    "key_arn": lambda kms: kms.keys[0].arn,
    "key_spec": lambda _: "SYMMETRIC_DEFAULT",
    "alias": lambda _: "alias/app",
    "account": lambda _: "123456789012",
    "region": lambda _: "us-east-1",
    "caller": lambda kms: kms.account("123456789012").administrator,
    "allowed": lambda _: True,
    "dry_run": lambda _: False,
    "price": lambda _: "0.000003",
    "at": lambda kms: kms.calls.filter("Encrypt")[-1].at,
    "request_id": lambda kms: kms.calls.filter("Encrypt")[-1].request_id,
    "error_code": lambda _: None,
    "via_service": lambda _: None,
    "grant_id": lambda _: None,
}


@pytest.mark.parametrize("name", MEMBERS)
def test_a_call_is_found_by_each_of_its_members(kms: KMSMock, name: str) -> None:
    kms.client().encrypt(KeyId="alias/app", Plaintext=b"text")
    value = MEMBERS[name](kms)

    kms.calls.assert_called("Encrypt", key="alias/app", **{name: value})


def test_a_call_is_found_by_the_grant_that_allowed_it(kms: KMSMock) -> None:
    role = kms.account("123456789012").role("App")
    made = kms.client().create_grant(
        KeyId=kms.keys[0].arn, GranteePrincipal=role.arn, Operations=["Encrypt"]
    )
    role.client().encrypt(KeyId=kms.keys[0].arn, Plaintext=b"text")

    for grant in (made, made["GrantId"]):
        kms.calls.assert_called("Encrypt", grant_id=grant, caller=role.caller_arn)
    kms.calls.assert_not_called("Decrypt", grant_id=made["GrantId"])


def test_an_account_is_no_caller(kms: KMSMock) -> None:
    account = kms.account(ACCOUNT)

    with pytest.raises(TypeError, match=r"must be a principal or its ARN, not .*: pass one of"):
        kms.calls.assert_not_called(caller=account)  # type: ignore[arg-type]
    kms.calls.assert_not_called(caller=account.administrator)
    kms.calls.assert_not_called(account=account)


def test_the_count_comes_first(kms: KMSMock) -> None:
    with pytest.raises(TypeError, match=r"assert_call_count\(5, 'Encrypt'\), not str: 'Encrypt'"):
        kms.calls.assert_call_count("Encrypt", 5)  # type: ignore[arg-type]


#: What names the key of the mock, by how a test gets it.
NAMES_OF_A_KEY: dict[str, Callable[[KMSMock], Any]] = {
    "id": lambda kms: kms.keys[0].key_id,
    "ARN": lambda kms: kms.keys[0].arn,
    "alias": lambda _: "alias/app",
    "alias ARN": lambda kms: kms.aliases[0].arn,
    "KmsKey": lambda kms: kmsmock.KmsKey(kms.keys[0].key_id, kms.keys[0].arn, kms.client()),
    "item of kms.keys": lambda kms: kms.keys[0],
    "item of kms.aliases": lambda kms: kms.aliases[0],
    "key metadata": lambda kms: kms.client().describe_key(KeyId="alias/app")["KeyMetadata"],
    "response of DescribeKey": lambda kms: kms.client().describe_key(KeyId="alias/app"),
    "response of Encrypt": lambda kms: kms.client().encrypt(KeyId="alias/app", Plaintext=b"x"),
    "entry of ListKeys": lambda kms: kms.client().list_keys()["Keys"][0],
    "entry of ListAliases": lambda kms: kms.client().list_aliases()["Aliases"][0],
}


@pytest.mark.parametrize("kind", NAMES_OF_A_KEY)
def test_a_key_is_named_in_the_same_ways_everywhere(kms: KMSMock, kind: str) -> None:
    key = NAMES_OF_A_KEY[kind](kms)

    kms.calls.assert_called("GenerateDataKey", key=key)
    assert len(kms.calls.filter("GenerateDataKey", key=key)) == 1
    assert [r["eventName"] for r in kms.trail.lookup("GenerateDataKey", key=key)] != []
    assert kms.explain(kms.account("123456789012").administrator, "kms:Decrypt", key)


@pytest.mark.parametrize("kind", [kind for kind in NAMES_OF_A_KEY if "Encrypt" not in kind])
def test_a_key_that_need_not_be_used_is_named_in_the_same_ways(kind: str) -> None:
    with mock_kms(isolated=True) as kms:
        key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
        kms.client().create_alias(AliasName="alias/app", TargetKeyId=key_id)

        kms.calls.assert_all_keys_used(except_=NAMES_OF_A_KEY[kind](kms))
        with pytest.raises(ValueError, match="'alias/ap', as except_ says; did you mean 'alias/a"):
            kms.calls.assert_all_keys_used(except_="alias/ap")


def test_a_key_that_was_named_but_never_there_can_be_asserted_on() -> None:
    with mock_kms(isolated=True) as kms:
        client = kms.client()
        with pytest.raises(client.exceptions.NotFoundException):
            client.describe_key(KeyId="alias/gone")

        kms.calls.assert_called("DescribeKey", key="alias/gone", error_code="NotFoundException")


@pytest.mark.parametrize("is_cleared", [False, True], ids=["recorded", "records cleared"])
def test_what_was_deleted_can_be_asserted_on(is_cleared: bool) -> None:
    with mock_kms(isolated=True) as kms:
        client = kms.client()
        key = client.create_key()["KeyMetadata"]["KeyId"]
        client.create_alias(AliasName="alias/old", TargetKeyId=key)
        client.delete_alias(AliasName="alias/old")
        client.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
        kms.clock.advance(days=8)
        user = kms.account(ACCOUNT).user("bob")
        user.credentials  # noqa: B018 - so that it could have made calls
        user.delete()
        if is_cleared:
            kms.calls.clear()

        kms.calls.assert_not_called("Encrypt", key="alias/old")
        kms.calls.assert_not_called("Encrypt", key=key)
        kms.calls.assert_not_called("Encrypt", caller=user.arn)


def test_aws_managed_keys_can_be_asserted_on_before_they_are_there(kms: KMSMock) -> None:
    kms.calls.assert_not_called("Decrypt", key="alias/aws/s3")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"key": "alias/ap"}, "did you mean 'alias/app'?"),
        ({"account": "12345"}, "account must be a string of 12 digits, not '12345'"),
        ({"region": "us-est-1"}, "did you mean 'us-east-1'?"),
        ({"principal": "Alice"}, "caller must be the ARN of a principal"),
        ({"principal": f"arn:aws:iam::{ACCOUNT}:user/Nobody"}, "and it has made no call"),
    ],
    ids=str,
)
def test_a_value_that_no_record_can_have_is_told(
    kms: KMSMock, arguments: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError) as caught:
        kms.trail.lookup(**arguments)

    assert sentence in str(caught.value)
