"""Assertions on calls, and what a person reads when they fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kmsmock import KMSMock, mock_kms


@pytest.fixture
def kms() -> Iterator[KMSMock]:
    """Give a mock in which two texts were encrypted."""
    with mock_kms() as kms:
        client = kms.client()
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        client.create_alias(AliasName="alias/app", TargetKeyId=key_id)
        for tenant in ("a", "b"):
            client.encrypt(
                KeyId="alias/app",
                Plaintext=b"text",
                EncryptionContext={"tenant": tenant, "purpose": "test"},
            )
        yield kms


def failure(assertion: Any, *arguments: Any, **members: Any) -> str:
    with pytest.raises(AssertionError) as caught:
        assertion(*arguments, **members)
    return str(caught.value)


def test_the_nearest_call_is_shown_with_contexts_side_by_side(kms: KMSMock) -> None:
    wanted = {"tenant": "b", "purpose": "prod", "stage": "1"}
    text = failure(kms.calls.assert_called, "Encrypt", key="alias/app", encryption_context=wanted)

    found = "{'tenant': 'b', 'purpose': 'test'}"
    expected = f"Encrypt with key='alias/app', encryption_context={wanted}"
    assert text.splitlines() == [
        f"expected {expected} at least once, found 0",
        "the nearest is call 4 of 4:",
        f"  Encrypt alias/app {found} by {kms.calls[-1].caller} -> ok",
        "                      expected  found",
        "  encryption_context",
        "    tenant            'b'       'b'",
        "    purpose           'prod'    'test'  different",
        "    stage             '1'       -       missing",
    ]


def test_a_context_that_nobody_asked_for_is_told_as_extra(kms: KMSMock) -> None:
    text = failure(kms.calls.assert_called, "Encrypt", encryption_context={"tenant": "a"})

    assert "tenant            'a'       'a'\n" in text
    assert text.endswith("purpose           -         'test'  extra")


def test_a_context_that_is_missing_altogether_is_told(kms: KMSMock) -> None:
    kms.client().list_keys()
    text = failure(kms.calls.assert_called, "ListKeys", encryption_context={"tenant": "a"})

    assert "encryption_context            none\n" in text


def test_another_caller_is_named(kms: KMSMock) -> None:
    role = kms.account("123456789012").role("App")
    text = failure(kms.calls.assert_called, "Encrypt", caller=role.caller_arn)

    assert f"caller  '{role.caller_arn}'  '{kms.calls[-1].caller}'" in text


def test_an_operation_that_was_never_called_is_told_with_those_that_were(kms: KMSMock) -> None:
    text = failure(kms.calls.assert_called, "Decrypt")

    first, second, *rest = text.splitlines()
    assert first == "expected Decrypt at least once, found 0"
    assert second == "calls that were made: 2 Encrypt, 1 CreateKey, 1 CreateAlias"
    assert len(rest) == 4


def test_calls_that_should_not_have_been_are_listed(kms: KMSMock) -> None:
    text = failure(kms.calls.assert_not_called, "Encrypt")

    lines = text.splitlines()
    assert lines[0] == "expected Encrypt 0 times, found 2"
    assert lines[1] == "these were found:"
    assert [line.split(" by ")[0] for line in lines[2:]] == [
        "  Encrypt alias/app {'tenant': 'a', 'purpose': 'test'}",
        "  Encrypt alias/app {'tenant': 'b', 'purpose': 'test'}",
    ]


def test_of_many_calls_the_newest_are_listed(kms: KMSMock) -> None:
    for _ in range(12):
        kms.client().list_keys()

    lines = failure(kms.calls.assert_call_count, 1, "ListKeys").splitlines()

    assert lines[0] == "expected ListKeys 1 time, found 12"
    assert lines[2] == "  ... 2 before these"
    assert len(lines) == 13


def test_counts_are_asserted_for_all_calls_and_for_some(kms: KMSMock) -> None:
    kms.calls.assert_call_count(4)
    kms.calls.assert_call_count(2, "Encrypt")
    kms.calls.assert_call_count(1, encryption_context={"tenant": "a", "purpose": "test"})
    kms.calls.assert_not_called("Encrypt", region="eu-west-1")
    assert failure(kms.calls.assert_call_count, 5).startswith("expected a call 5 times, found 4")


def test_where_nothing_was_called_there_is_no_nearest_call() -> None:
    with mock_kms() as empty:
        text = failure(empty.calls.assert_called, "Encrypt", encryption_context={"tenant": "a"})

    assert text.splitlines() == [
        "expected Encrypt with encryption_context={'tenant': 'a'} at least once, found 0",
        "calls that were made: none",
    ]


def test_a_count_that_is_not_known_any_more_is_a_range() -> None:
    with mock_kms(calls_kept=1) as kms:
        client = kms.client()
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        for tenant in ("a", "b", "a"):
            client.encrypt(KeyId=key_id, Plaintext=b"x", EncryptionContext={"tenant": tenant})

        text = failure(
            kms.calls.assert_call_count, 4, "Encrypt", encryption_context={"tenant": "a"}
        )

    assert "4 times, found 1 to 3\n" in text


ASSERTIONS: dict[str, Callable[[KMSMock], Any]] = {
    "called": lambda kms: kms.calls.assert_called("Decrypt"),
    "not called": lambda kms: kms.calls.assert_not_called("Encrypt"),
    "count": lambda kms: kms.calls.assert_call_count(7),
    "all keys used": lambda kms: kms.calls.assert_all_keys_used(),
    "secrets": lambda kms: kms.secrets.assert_absent_from("a" * 8 + "secret text"),
}


@pytest.mark.parametrize("assertion", ASSERTIONS.values(), ids=ASSERTIONS)
def test_a_failed_assertion_is_shown_at_the_line_of_the_test(
    kms: KMSMock, assertion: Callable[[KMSMock], Any]
) -> None:
    client = kms.client()
    client.create_key()
    blob = client.encrypt(KeyId="alias/app", Plaintext=b"secret text")["CiphertextBlob"]
    client.decrypt(CiphertextBlob=blob)
    kms.calls.clear()
    client.encrypt(KeyId="alias/app", Plaintext=b"text")

    with pytest.raises(AssertionError) as caught:
        assertion(kms)

    inside = [entry for entry in caught.traceback if "kmsmock" in entry.path.parts]
    assert inside
    assert all(entry.frame.f_locals.get("__tracebackhide__") is True for entry in inside)


def test_calls_are_shown_in_one_line(kms: KMSMock) -> None:
    first, second, third, last = (str(call) for call in kms.calls)

    assert repr(kms.calls[:0]) == "<0 calls>"
    assert repr(kms.calls[:1]) == f"<1 call (1 CreateKey), newest first: {first}>"
    assert repr(kms.calls[:2]) == (
        f"<2 calls (1 CreateKey, 1 CreateAlias), newest first: {second}; {first}>"
    )
    for _ in range(8):
        kms.client().list_keys()
    assert repr(kms.calls).endswith("; ...>")
    assert third != last


def test_calls_are_shown_line_by_line(kms: KMSMock) -> None:
    lines = str(kms.calls).splitlines()

    assert lines[0] == "4 calls: 2 Encrypt, 1 CreateKey, 1 CreateAlias"
    assert lines[1:] == [f"  {call}" for call in kms.calls]


@pytest.mark.parametrize("other", [None, 4, "Encrypt"])
def test_calls_are_equal_to_sequences_of_calls_alone(kms: KMSMock, other: Any) -> None:
    assert kms.calls == list(kms.calls)
    assert kms.calls == tuple(kms.calls)
    assert kms.calls != other
    assert kms.calls != kms.calls[:1]


def test_calls_that_are_all_kept_have_no_note(kms: KMSMock) -> None:
    assert (kms.calls.note, kms.calls.dropped, kms.calls.made) == ("", 0, 4)


def test_a_member_that_records_do_not_have_is_refused(kms: KMSMock) -> None:
    with pytest.raises(TypeError, match="records of calls have no 'context'; they have key, oper"):
        kms.calls.assert_called("Encrypt", context={})


# --- keys that nobody used -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["create_key", "kms:CreateKey", "CreatKey", "createKey"])
def test_a_misspelt_operation_is_refused_with_the_one_that_is_meant(
    kms: KMSMock, name: str
) -> None:
    for ask in (kms.calls.assert_not_called, kms.calls.filter, kms.trail.lookup):
        with pytest.raises(ValueError, match="did you mean 'CreateKey'"):
            ask(name)


def test_keys_that_were_never_used_are_named_with_alias_and_test(kms: KMSMock) -> None:
    kms.calls.assert_all_keys_used()
    client = kms.client()
    key = client.create_key()["KeyMetadata"]
    client.create_alias(AliasName="alias/idle", TargetKeyId=key["KeyId"])
    client.describe_key(KeyId=key["KeyId"])

    text = failure(kms.calls.assert_all_keys_used)

    head, line = text.splitlines()
    assert head == "1 of 2 keys were not used for any cryptographic operation:"
    assert line.startswith(
        f"  {key['Arn']} (alias/idle), created by tests/ledger/test_assertions.py::"
    )
    for name in (key["KeyId"], key["Arn"], "alias/idle", ["alias/idle"], kms.keys[-1]):
        kms.calls.assert_all_keys_used(except_=name)
    with pytest.raises(ValueError, match="no key was made that is 'alias/other'"):
        kms.calls.assert_all_keys_used(except_="alias/other")


def test_a_key_that_was_deleted_unused_is_still_named(kms: KMSMock) -> None:
    key = kms.client().create_key()["KeyMetadata"]
    kms.client().schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    kms.clock.advance(days=8)

    assert key["Arn"] in failure(kms.calls.assert_all_keys_used)


def test_keys_that_aws_manages_need_no_use(kms: KMSMock) -> None:
    kms.client().describe_key(KeyId="alias/aws/s3")

    kms.calls.assert_all_keys_used()


# --- in pytest -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("everything_loaded")
def test_pytest_shows_where_calls_differ(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_it(kms, kms_client):
            kms_client.list_keys()
            kms_client.list_aliases()
            assert kms.calls == kms.calls[:1]

        def test_operations(kms, kms_client):
            kms_client.list_keys()
            assert kms.calls == ["ListAliases"]
        """
    )

    output = pytester.runpytest_inprocess()

    output.assert_outcomes(failed=2)
    output.stdout.fnmatch_lines(
        [
            "E * 2 calls == 1 calls",
            "E * at 1: ListAliases by *",
            "E * instead of nothing",
            "E * calls are not text: compare `.operations` *",
        ]
    )
