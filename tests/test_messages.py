"""What is said of arguments that cannot be, and beside errors whose reason lies elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from kmsmock import KMSMock, mock_kms

OTHER = "444455556666"
BY_POSITION: Any = mock_kms
ALLOW = {"Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}}


def beside(call: Callable[..., Any], **parameters: Any) -> str:
    """Give the note beside the error of a call."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    [note] = caught.value.__notes__  # type: ignore[attr-defined]
    assert isinstance(note, str)
    return note


# --- arguments ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"account_id": 123456789012},
            "account_id must be a string of 12 digits, not 123456789012",
        ),
        ({"services": "kms"}, r"services must be a list, such as \['kms'\], not 'kms'"),
        (
            {"start_time": "2030-01-01"},
            "start_time must be an aware datetime, with a time zone, not '2030-01-01'",
        ),
    ],
    ids=["account_id", "services", "start_time"],
)
def test_an_option_of_the_wrong_kind_is_told_with_the_right_one(
    options: dict[str, Any], words: str
) -> None:
    with pytest.raises(TypeError, match=words):
        mock_kms(**options)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda kms: kms.clock.move_to("2030-01-01"), "an aware datetime, not a str"),
        (lambda kms: kms.clock.advance(3), "takes a timedelta, or days=, .*not 3"),
        (lambda kms: kms.trail.lookup(start="2030-01-01"), "aware datetimes, .* is a str"),
        (lambda kms: kms.trail.lookup(end="2030-01-01"), "aware datetimes, .* is a str"),
        (lambda kms: kms.account(123456789012), "a string of 12 digits, not 123456789012"),
        (lambda kms: kms.restore(None), r"not a checkpoint, .* kms\.checkpoint\(\) gave: None"),
        (lambda kms: kms.import_material("a", "x" * 32), "material: bytes, not str"),
        (lambda kms: kms.costs.project("Decrypt", times=2), r"kms\.calls\.filter\('Decrypt'\)"),
        (
            lambda kms: kms.account(OTHER).join_organization("o-a", service_control=ALLOW),
            "a list of policies per level",
        ),
        (
            lambda _: BY_POSITION("eu-west-1"),
            r"options are keyword arguments: mock_kms\(region=\.\.\.\)",
        ),
    ],
    ids=[
        "move_to",
        "advance",
        "start",
        "end",
        "account",
        "restore",
        "import_material",
        "project",
        "organization",
        "mock_kms",
    ],
)
def test_an_argument_of_the_wrong_kind_is_told_with_the_right_one(
    wrong: Callable[[KMSMock], Any], words: str
) -> None:
    with mock_kms() as kms, pytest.raises(TypeError, match=words):
        wrong(kms)


def test_a_checkpoint_that_is_none_changes_nothing() -> None:
    with mock_kms() as kms:
        kms.client().create_key()
        with pytest.raises(TypeError):
            kms.restore("nothing")

        assert kms.is_active
        assert len(kms.client().list_keys()["Keys"]) == 1


def test_the_clock_advances_by_a_timedelta() -> None:
    with mock_kms(seed=1) as kms:
        before = kms.clock.now()

        assert kms.clock.advance(timedelta(days=1), hours=2) == before + timedelta(hours=26)
        with pytest.raises(ValueError, match="only moves forward"):
            kms.clock.advance(timedelta(days=-1))


@pytest.mark.parametrize("form", [ALLOW, json.dumps(ALLOW), [ALLOW], (ALLOW, ALLOW)])
def test_policies_are_one_document_or_several(form: Any) -> None:
    with mock_kms() as kms:
        account = kms.account(OTHER)
        role = account.role("App", policies=form, session_policies=form)
        user = account.user("Ann", policies=form)

        for principal in (role, user, user.federated_user("Bob", policies=form)):
            assert kms.explain(principal, "kms:CreateKey")
        assert not kms.explain(account.role("App", policies=[]), "kms:CreateKey")


@pytest.mark.parametrize(
    ("given", "nearest"),
    [
        ('"RSA2048"', "; did you mean 'RSA_2048'[?] There are: SYMMETRIC_DEFAULT, RSA_2048, "),
        ('spec="ecc_nist_p256"', "; did you mean 'ECC_NIST_P256'[?] There are: "),
        ('spec="quantum", usage="SIGN_VERIFY"', "[.] There are: SYMMETRIC_DEFAULT, "),
    ],
)
def test_the_key_factory_names_the_nearest_spec(
    run_alone: Callable[..., pytest.RunResult], given: str, nearest: str
) -> None:
    result = run_alone(
        f"""
import pytest

def test_it(kms_key_factory):
    with pytest.raises(ValueError, match={nearest!r}):
        kms_key_factory({given})
"""
    )

    result.assert_outcomes(passed=1)


def test_a_world_that_is_no_file_is_told_with_the_folder_it_was_looked_for_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(FileNotFoundError) as caught:
        mock_kms(world="nope.json").start()

    assert "(world=)" in str(caught.value)
    assert f"looked for from {Path.cwd()}: 'nope.json'" in str(caught.value)


def test_a_start_time_in_the_configuration_that_is_none_ends_the_run_with_a_sentence(
    pytester: pytest.Pytester,
    everything_loaded: None,  # noqa: ARG001
) -> None:
    pytester.makeini("[pytest]\nkms_start_time = tomorrow\n")

    result = pytester.runpytest_inprocess()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*kmsmock: *: kms_start_time = tomorrow: start_time must be an ISO 8601 time*"]
    )


# --- keys that are not found ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("region", "words"),
    [
        ("us-east-1", f"this client is of account {OTHER}. Use the key's ARN"),
        ("eu-west-1", f"this client is of account {OTHER} and Region eu-west-1. Use the key's"),
    ],
)
def test_a_bare_id_of_another_account_is_told_by_both_accounts(region: str, words: str) -> None:
    with mock_kms() as kms:
        key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]

        note = beside(kms.account(OTHER).client(region=region).describe_key, KeyId=key_id)

    assert note.startswith(
        f"The key exists, but it is in us-east-1 of account 123456789012; {words}"
    )


def test_the_only_other_key_is_named() -> None:
    unlike = "00000000-0000-0000-0000-000000000000"
    with mock_kms(seed=1) as kms:
        key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
        assert beside(kms.client().describe_key, KeyId=unlike) == f"The only one is {key_id!r}."
        kms.client().create_key()
        assert beside(kms.client().describe_key, KeyId=unlike) == "There are 2 others."


def test_a_key_that_was_deleted_is_told_with_the_date() -> None:
    with mock_kms(start_time=datetime(2031, 5, 1, tzinfo=timezone.utc)) as kms:
        client = kms.client()
        key = client.create_key()["KeyMetadata"]
        client.create_alias(AliasName="alias/gone", TargetKeyId=key["KeyId"])
        client.create_key()
        client.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
        kms.clock.advance(days=20)

        note = beside(client.describe_key, KeyId=key["KeyId"])
        of_arn = beside(client.describe_key, KeyId=key["Arn"])
        of_alias = beside(client.describe_key, KeyId="alias/gone")

    day, why = "2031-05-08", "when the waiting period of ScheduleKeyDeletion ended"
    assert note == of_arn == f"The key was deleted on {day}, {why}."
    assert of_alias == f"Its key {key['Arn']} was deleted on {day}, and the alias with it, {why}."


# --- encryption contexts -------------------------------------------------------------------


def test_a_wrong_encryption_context_is_told_beside_those_that_were_used() -> None:
    with mock_kms() as kms:
        client = kms.client()
        key_id, other_id = (client.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
        blob = client.encrypt(
            KeyId=key_id, Plaintext=b"text", EncryptionContext={"tenant": "a", "app": "b"}
        )["CiphertextBlob"]
        client.encrypt(KeyId=other_id, Plaintext=b"text", EncryptionContext={"of": "another key"})

        def note() -> str:
            return beside(client.decrypt, CiphertextBlob=blob, EncryptionContext={"tenant": "b"})

        assert note().endswith(
            "(given: tenant=b), or its last part was changed. Recently used with this key: app=b, "
            "tenant=a."
        )

        client.generate_data_key(KeyId=key_id, KeySpec="AES_256")
        client.re_encrypt(
            CiphertextBlob=blob,
            SourceEncryptionContext={"tenant": "a", "app": "b"},
            DestinationKeyId=key_id,
            DestinationEncryptionContext={"again": "c"},
        )
        assert note().endswith("Recently used with this key: again=c; none; app=b, tenant=a.")

        client.encrypt(KeyId=key_id, Plaintext=b"text", EncryptionContext={"newest": "d"})
        assert note().endswith("Recently used with this key: newest=d; again=c; none.")


def test_a_wrong_encryption_context_of_a_key_without_records_stands_alone() -> None:
    with mock_kms(calls_kept=1) as kms:
        client = kms.client()
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        blob = client.encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"]
        client.list_keys()

        note = beside(client.decrypt, CiphertextBlob=blob, EncryptionContext={"tenant": "b"})

    assert note.endswith("(given: tenant=b), or its last part was changed.")
