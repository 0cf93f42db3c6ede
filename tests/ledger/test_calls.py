"""The records of calls: what they tell, how they are picked, and what of them is kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest

from kmsmock import KMSMock, mock_kms
from tests.refusals import refused

ACCOUNT, OTHER = "123456789012", "444455556666"
TENANT = {"tenant": "a"}
START = datetime(2026, 4, 1, tzinfo=timezone.utc)


@pytest.fixture
def kms() -> Iterator[KMSMock]:
    with mock_kms(seed=1, start_time=START) as kms:
        yield kms


@pytest.fixture
def key(kms: KMSMock) -> Any:
    key = kms.client().create_key()["KeyMetadata"]
    kms.client().create_alias(AliasName="alias/app", TargetKeyId=key["KeyId"])
    kms.calls.clear()
    return key


def encrypt(client: Any, key_id: str, **context: str) -> bytes:
    blob: bytes = client.encrypt(KeyId=key_id, Plaintext=b"text", EncryptionContext=context)[
        "CiphertextBlob"
    ]
    return blob


# --- one record ---------------------------------------------------------------------------------


def test_a_record_tells_who_did_what_with_which_key_and_when(kms: KMSMock, key: Any) -> None:
    role = kms.account(ACCOUNT).role(
        "App", policies=[{"Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}}]
    )
    encrypt(role.via("s3").client(), "alias/app", **TENANT)

    [call] = kms.calls

    told = {
        "operation": "Encrypt",
        "caller": role.caller_arn,
        "account": ACCOUNT,
        "region": "us-east-1",
        "key_arn": key["Arn"],
        "key_spec": "SYMMETRIC_DEFAULT",
        "alias": "alias/app",
        "encryption_context": TENANT,
        "grant_id": None,
        "dry_run": False,
        "allowed": True,
        "error_code": None,
        "via_service": "s3.us-east-1.amazonaws.com",
        "at": START,
    }
    assert {name: getattr(call, name) for name in told} == told
    assert call.test_id.endswith("::test_a_record_tells_who_did_what_with_which_key_and_when")


def test_a_record_tells_the_grant_that_allowed_the_call(kms: KMSMock, key: Any) -> None:
    role = kms.account(ACCOUNT).role("App")
    grant = kms.client().create_grant(
        KeyId=key["KeyId"], GranteePrincipal=role.arn, Operations=["Encrypt"]
    )

    encrypt(role.client(), key["Arn"])

    assert kms.calls[-1].grant_id == grant["GrantId"]


def test_a_refused_call_is_recorded_with_its_reason(kms: KMSMock, key: Any) -> None:
    with refused("AccessDeniedException"):
        encrypt(kms.account(ACCOUNT).role("App").client(), key["Arn"])

    [call] = kms.calls
    assert (call.allowed, call.error_code) == (False, "AccessDeniedException")
    assert not call.decision
    assert "Encrypt" in call.explanation


def test_a_call_that_fails_for_another_reason_was_allowed(kms: KMSMock, key: Any) -> None:
    kms.client().disable_key(KeyId=key["KeyId"])
    with refused("DisabledException"):
        encrypt(kms.client(), key["Arn"])

    assert (kms.calls[-1].allowed, kms.calls[-1].error_code) == (True, "DisabledException")


@pytest.mark.parametrize("member", ["operation", "price", "alias", "colour"])
def test_a_record_cannot_be_changed(kms: KMSMock, key: Any, member: str) -> None:  # noqa: ARG001
    kms.client().list_keys()

    with pytest.raises(AttributeError):
        setattr(kms.calls[0], member, None)


def test_a_record_stays_as_it_was_when_its_context_is_changed(kms: KMSMock, key: Any) -> None:
    encrypt(kms.client(), key["KeyId"], **TENANT)

    kms.calls[-1].encryption_context["tenant"] = "other"

    assert kms.calls[-1].encryption_context == TENANT


# --- filters and slices -------------------------------------------------------------------------


@pytest.fixture
def busy(kms: KMSMock, key: Any) -> KMSMock:
    """Give a mock with: three times Encrypt, one of them refused; Decrypt; ListKeys elsewhere."""
    encrypt(kms.client(), "alias/app", **TENANT)
    kms.clock.advance(hours=1)
    blob = encrypt(kms.client(), key["Arn"], tenant="b")
    kms.client().decrypt(CiphertextBlob=blob, EncryptionContext={"tenant": "b"})
    with refused("AccessDeniedException"):
        encrypt(kms.account(ACCOUNT).role("App").client(), key["KeyId"])
    kms.account(OTHER).client(region="eu-west-1").list_keys()
    return kms


FILTERS: list[tuple[dict[str, Any], list[int]]] = [
    ({"operation": "Encrypt"}, [0, 1, 3]),
    ({"account": OTHER}, [4]),
    ({"region": "eu-west-1"}, [4]),
    ({"key": "alias/app"}, [0, 1, 2, 3]),
    ({"alias": "alias/app"}, [0]),
    ({"encryption_context": TENANT}, [0]),
    ({"encryption_context": {}}, [3, 4]),
    ({"allowed": False}, [3]),
    ({"error_code": None, "operation": "Encrypt"}, [0, 1]),
    ({"at": START}, [0]),
    ({"key_spec": None}, [4]),
    ({"price": "0.000003"}, [0, 1, 2, 4]),
    ({"price": 0}, [3]),
    ({"caller": f"arn:aws:iam::{ACCOUNT}:role/App"}, [3]),
    ({"caller": f"arn:aws:sts::{ACCOUNT}:assumed-role/App/session"}, [3]),
]


@pytest.mark.parametrize(("members", "places"), FILTERS, ids=[str(m) for m, _ in FILTERS])
def test_records_are_filtered_by_any_member(
    busy: KMSMock, members: dict[str, Any], places: list[int]
) -> None:
    assert busy.calls.filter(**members) == [busy.calls[place] for place in places]


def test_callers_and_accounts_can_be_given_themselves(busy: KMSMock) -> None:
    account = busy.account(ACCOUNT)

    assert busy.calls.filter(caller=account.role("App")) == [busy.calls[3]]
    assert len(busy.calls.filter(caller=account.administrator, account=account)) == 3
    assert busy.calls.filter(account=busy.account(OTHER)) == [busy.calls[4]]


def test_a_service_in_between_is_named_with_or_without_the_region(kms: KMSMock) -> None:
    kms.account(ACCOUNT).administrator.via("s3").client().list_keys()

    assert str(kms.calls[-1]).endswith("user/Administrator via s3 -> ok")
    kms.calls.assert_called("ListKeys", via_service="s3")
    kms.calls.assert_called("ListKeys", via_service="s3.us-east-1.amazonaws.com")
    kms.calls.assert_not_called("ListKeys", via_service="sqs")
    kms.calls.assert_not_called("ListKeys", via_service=None)


@pytest.mark.parametrize("member", [{"allowed": "no"}, {"dry_run": "true"}, {"at": "2026-04-01"}])
def test_a_text_that_no_call_can_have_is_refused(busy: KMSMock, member: dict[str, str]) -> None:
    with pytest.raises(TypeError, match="is never a text"):
        busy.calls.assert_not_called("Encrypt", **member)


def test_an_error_code_that_no_call_can_have_is_refused(busy: KMSMock) -> None:
    with pytest.raises(ValueError, match="no error code 'AccessDenied'; did you mean 'AccessDen"):
        busy.calls.assert_not_called("Encrypt", error_code="AccessDenied")


def test_filters_can_follow_each_other(busy: KMSMock, key: Any) -> None:
    on_key = busy.calls.filter(key=key["Arn"])

    assert on_key.operations == ["Encrypt", "Encrypt", "Decrypt", "Encrypt"]
    assert len(on_key.filter("Encrypt").filter(encryption_context=TENANT)) == 1


def test_a_key_is_found_under_all_of_its_names(busy: KMSMock, key: Any) -> None:
    arn = key["Arn"]
    alias_arn = arn.rpartition(":")[0] + ":alias/app"

    for name in (arn, key["KeyId"], "alias/app", alias_arn, busy.keys[0]):
        assert len(busy.calls.filter("Encrypt", key=name)) == 3
    elsewhere = alias_arn.replace("us-east-1", "eu-west-1")
    assert len(busy.calls.filter("Encrypt", key=elsewhere)) == 0


def test_a_key_that_is_not_there_is_found_by_what_it_was_called(kms: KMSMock, key: Any) -> None:
    client = kms.client()
    blob = encrypt(client, key["KeyId"])
    with refused("NotFoundException"):
        client.re_encrypt(CiphertextBlob=blob, DestinationKeyId="alias/gone")
    with refused("NotFoundException"):
        client.create_alias(AliasName="alias/new", TargetKeyId=key["KeyId"][:-12] + "0" * 12)

    kms.calls.assert_called("ReEncrypt", key="alias/gone", error_code="NotFoundException")
    assert "000000000000 by" in str(kms.calls[-1])


def test_calls_about_no_key_are_found(busy: KMSMock) -> None:
    assert busy.calls.filter(key=None).operations == ["ListKeys"]


def test_calls_about_no_key_may_be_among_those_that_are_no_longer_kept() -> None:
    with mock_kms(calls_kept=1) as kms:
        for _ in range(3):
            kms.client().list_keys()

        assert kms.calls.filter(key=None).dropped == 2


def test_slices_are_records_too_and_can_be_asserted_on(busy: KMSMock) -> None:
    assert busy.calls[1:3].operations == ["Encrypt", "Decrypt"]
    assert busy.calls[-1].operation == "ListKeys"
    busy.calls[3:].assert_not_called("Decrypt")
    busy.calls[::2].assert_call_count(3)


# --- how many are kept ---------------------------------------------------------------------------


def test_only_the_newest_records_are_kept_and_counts_stay_exact() -> None:
    with mock_kms(calls_kept=3) as kms:
        client = kms.client()
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        for _ in range(5):
            encrypt(client, key_id)
        client.list_keys()

        assert kms.calls.operations == ["Encrypt", "Encrypt", "ListKeys"]
        assert kms.calls.dropped == 4
        assert kms.costs.requests == 7
        assert kms.costs.by_operation() == {"Encrypt": 5, "CreateKey": 1, "ListKeys": 1}
        kms.calls.assert_called("Encrypt", times=5)
        kms.calls.assert_called("Encrypt", times=5, key=key_id)
        kms.calls.assert_call_count(7)
        assert len(kms.calls.filter("CreateKey")) == 0
        assert kms.calls.filter("CreateKey").dropped == 1
        note = "4 older calls of these are no longer kept one by one"
        assert note in kms.calls.note
        assert note in str(kms.calls)
        assert "after 4 older that are no longer kept" in repr(kms.calls)
        with pytest.raises(AssertionError, match=r"found 5(.|\n)*3 older.*mock_kms\(calls_kept="):
            kms.calls.assert_called("Encrypt", times=6)


@pytest.fixture
def forgetful() -> Iterator[KMSMock]:
    with mock_kms(calls_kept=1) as kms:
        encrypt(kms.client(), kms.client().create_key()["KeyMetadata"]["KeyId"], **TENANT)
        kms.client().list_keys()
        yield kms


def test_a_call_with_two_keys_that_is_no_longer_kept_may_be_about_the_second() -> None:
    with mock_kms(calls_kept=1) as kms:
        client = kms.client()
        old, new = (client.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
        client.create_alias(AliasName="alias/app", TargetKeyId=old)
        client.update_alias(AliasName="alias/app", TargetKeyId=new)
        client.list_keys()

        with pytest.raises(AssertionError, match="1 older calls that may be among these"):
            kms.calls.assert_not_called("UpdateAlias", key=new)


def test_of_calls_that_are_no_longer_kept_the_key_is_still_known(
    request: pytest.FixtureRequest,
) -> None:
    with mock_kms(calls_kept=1) as kms:
        client = kms.client()
        used, other = (client.create_key()["KeyMetadata"] for _ in range(2))
        client.create_alias(AliasName="alias/app", TargetKeyId=used["KeyId"])
        encrypt(client, used["KeyId"])
        client.list_keys()
        client.list_keys()

        for name in (used["KeyId"], used["Arn"]):
            kms.calls.assert_called("Encrypt", times=1, key=name)
        for name in (other["KeyId"], other["Arn"], None):
            kms.calls.assert_not_called("Encrypt", key=name)
        kms.calls.assert_not_called("Encrypt", region="eu-west-1")
        kms.calls.assert_called("Encrypt", times=1, test_id=request.node.nodeid)
        kms.calls.assert_not_called("Encrypt", test_id="another")
        with pytest.raises(AssertionError, match="1 older calls that may be among these"):
            kms.calls.assert_not_called("Encrypt", key="alias/app")


def test_what_cannot_be_told_any_more_is_not_asserted(forgetful: KMSMock) -> None:
    calls = forgetful.calls
    for assertion in (calls.assert_called, calls.assert_not_called):
        with pytest.raises(AssertionError, match="1 older calls that may be among these"):
            assertion("Encrypt", encryption_context=TENANT)
    calls.assert_not_called("Decrypt", encryption_context=TENANT)


def test_a_slice_from_a_place_on_warns_when_places_have_moved(forgetful: KMSMock) -> None:
    with pytest.warns(UserWarning, match="indexes have moved: 2 older calls"):
        assert len(forgetful.calls[2:]) == 0
    assert forgetful.calls[-1:].operations == ["ListKeys"]
    assert forgetful.calls[:].dropped == 2


def test_records_are_dropped_with_counters_when_they_are_cleared(forgetful: KMSMock) -> None:
    forgetful.calls.clear()

    assert (len(forgetful.calls), forgetful.calls.dropped, forgetful.costs.requests) == (0, 0, 0)


def test_going_back_to_a_checkpoint_brings_back_dropped_records(forgetful: KMSMock) -> None:
    checkpoint = forgetful.checkpoint()
    for _ in range(3):
        forgetful.client().list_aliases()
    assert forgetful.calls.operations == ["ListAliases"]

    forgetful.restore(checkpoint)

    assert forgetful.calls.operations == ["ListKeys"]
    assert forgetful.costs.by_operation() == {"CreateKey": 1, "Encrypt": 1, "ListKeys": 1}


@pytest.mark.parametrize("kept", [0, -1, "many", 1.5, True])
def test_a_number_of_records_that_cannot_be_is_refused(kept: Any) -> None:
    with pytest.raises(TypeError, match="calls_kept must be a positive integer"):
        mock_kms(calls_kept=kept)
