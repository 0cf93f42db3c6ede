"""The notes of late answers: which change a node has not seen, what to do, and until when."""

from __future__ import annotations

import re

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.exceptions import ConnectionError as NoConnectionError

from kmsmock.process.watchers import Watcher, watching
from tests.consistency.conftest import SEEDS, attempt, eventual, find_seed, settle
from tests.consistency.programs import (
    ACCOUNT,
    REGION,
    describe_disabled_key,
    encrypt,
    new_key,
    policy,
    use_key_with_new_policy,
    use_new_alias,
    use_new_grant,
    use_new_key,
    use_revoked_grant,
    use_updated_alias,
)


def explanation_of(program, late):
    with eventual(find_seed(program, late)) as kms:
        program(kms)
        return kms.calls[-1].explanation


def use_key_that_is_disabled_and_then_deleted(kms):
    key_id = new_key(kms)
    kms.client().disable_key(KeyId=key_id)
    settle(kms)
    kms.client().schedule_key_deletion(KeyId=key_id)
    return encrypt(kms.client(), key_id)


@pytest.mark.parametrize(
    ("program", "late", "change", "advice"),
    [
        (use_new_key, "NotFoundException", "CreateKey of arn:aws:kms", "Try again after NotFound"),
        (use_new_alias, "NotFoundException", "CreateAlias of arn:aws:kms", "needs no alias"),
        (use_new_grant, "AccessDeniedException", "CreateGrant of the grant", "Pass the GrantToken"),
        (use_revoked_grant, "ok", "RevokeGrant of the grant", "can be used for a while"),
        (describe_disabled_key, "Enabled", "DisableKey of arn:aws:kms", "until the change is"),
        (use_key_with_new_policy, "ok", "PutKeyPolicy of arn:aws:kms", "Wait, and ask again"),
        (use_updated_alias, False, "UpdateAlias of arn:aws:kms", "Wait, and ask again"),
        (
            use_key_that_is_disabled_and_then_deleted,
            "DisabledException",
            "ScheduleKeyDeletion of arn:aws:kms",
            "Wait, and ask again",
        ),
    ],
    ids=["key", "alias", "grant", "revoked grant", "state", "policy", "other key", "other error"],
)
def test_a_late_answer_names_the_change_and_what_to_do(program, late, change, advice):
    text = explanation_of(program, late)

    assert f"The node of KMS that answered has not seen {change}" in text
    assert advice in text
    assert "In this mock all nodes see it after kms.clock.advance(seconds=" in text


def test_the_message_of_a_late_error_is_that_of_aws():
    with eventual(find_seed(use_new_key, "NotFoundException")) as kms:
        key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
        with pytest.raises(ClientError) as caught:
            kms.client().encrypt(KeyId=key_id, Plaintext=b"text")

    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key_id}"
    assert caught.value.response["Error"]["Message"] == f"Key '{arn}' does not exist"


def test_the_time_in_the_note_is_enough():
    for seed in SEEDS:
        with eventual(seed, waiting="clock") as kms:
            if use_new_grant(kms) == "ok":
                continue
            text = kms.calls[-1].explanation
            seconds = text.split("advance(seconds=")[1].split(")")[0]
            kms.clock.advance(seconds=int(seconds))
            role = kms.account(ACCOUNT).role("App")

            assert {encrypt(role.client(), kms.keys[0].key_id) for _ in range(9)} == {"ok"}


def test_what_is_denied_anyway_is_not_called_late():
    for seed in SEEDS:
        with eventual(seed) as kms:
            key_id, role = new_key(kms), kms.account(ACCOUNT).role("App")
            kms.client().tag_resource(KeyId=key_id, Tags=[{"TagKey": "a", "TagValue": "b"}])

            assert encrypt(role.client(), key_id) == "AccessDeniedException"
            assert "node of KMS" not in kms.calls[-1].explanation


def test_a_late_denial_is_explained_as_others_are_besides():
    late, denial = explanation_of(use_new_grant, "AccessDeniedException").split("\n", 1)

    assert "has not seen CreateGrant" in late
    assert "kms:Encrypt" in denial


def test_what_a_late_node_does_not_know_is_no_wrong_name():
    assert "\n" not in explanation_of(use_new_key, "NotFoundException")


def test_a_change_that_a_late_node_refuses_is_recorded_with_its_key():
    def change(kms):
        key_id = new_key(kms)
        kms.client().disable_key(KeyId=key_id)
        settle(kms)
        kms.client().enable_key(KeyId=key_id)
        return attempt(lambda: kms.client().enable_key_rotation(KeyId=key_id))

    with eventual(find_seed(change, "DisabledException")) as kms:
        change(kms)

        assert kms.calls[-1].key_arn == kms.keys[-1].arn


class LateAnswers(Watcher):
    def __init__(self):
        self.about = set()

    def answered_late(self, answer):
        self.about.add((answer.operation, answer.subject, answer.outcome))


def re_encrypt(client, old, new, **source):
    blob = client.encrypt(KeyId=old, Plaintext=b"text")["CiphertextBlob"]
    client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=new, **source)


@pytest.mark.parametrize(
    ("call", "about"),
    [
        (
            lambda client, _, new: client.encrypt(KeyId=new, Plaintext=b"x"),
            ("Encrypt", "NEW", "NotFoundException"),
        ),
        (
            lambda client, _, new: client.create_alias(AliasName="alias/app", TargetKeyId=new),
            ("CreateAlias", "alias/app", "NotFoundException"),
        ),
        (re_encrypt, ("ReEncrypt", "NEW", "NotFoundException")),
        (
            lambda client, old, new: re_encrypt(client, old, new, SourceKeyId=old),
            ("ReEncrypt", "OLD", "NotFoundException"),
        ),
        (lambda client, *_: client.list_keys(), ("ListKeys", "", "answered")),
    ],
    ids=["key", "alias", "destination", "source", "nothing"],
)
def test_a_late_answer_is_about_what_the_call_names_first(call, about):
    answers = LateAnswers()
    for seed in SEEDS:
        with eventual(seed) as kms, watching(answers):
            names = {new_key(kms): "OLD"}
            names[kms.client().create_key()["KeyMetadata"]["KeyId"]] = "NEW"
            attempt(lambda: call(kms.client(), *names))  # noqa: B023 - it is called at once
        answers.about = {(op, names.get(about, about), got) for op, about, got in answers.about}

    assert answers.about == {about}


@pytest.mark.parametrize("late", [True, False])
def test_a_dry_run_is_answered_by_what_its_node_has_seen(late):
    def run_dry(kms):
        key_id = new_key(kms)
        kms.client().disable_key(KeyId=key_id)
        settle(kms)
        kms.client().enable_key(KeyId=key_id)
        return attempt(
            lambda: kms.client().create_grant(
                KeyId=key_id,
                GranteePrincipal=kms.account(ACCOUNT).root.arn,
                Operations=["Decrypt"],
                DryRun=True,
            )
        )

    find_seed(run_dry, "DisabledException" if late else "DryRunOperationException")


# --- which changes it names ----------------------------------------------------------------------


def disable_with_other_changes(number):
    def program(kms):
        key_id, client = new_key(kms), kms.client()
        for other in range(number):
            client.update_key_description(KeyId=key_id, Description=str(other))
        client.disable_key(KeyId=key_id)
        encrypt(client, key_id)
        return key_id

    return program


def disable_two_keys(kms):
    other, key_id = new_key(kms), new_key(kms)
    for each in (other, key_id):
        kms.client().disable_key(KeyId=each)
    encrypt(kms.client(), key_id)
    return key_id


def list_keys_after_other_changes(kms):
    kms.client().create_alias(AliasName="alias/app", TargetKeyId=new_key(kms))
    key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
    kms.client().list_keys()
    return key_id


def use_grants(number):
    def program(kms):
        key_id, role = new_key(kms), kms.account(ACCOUNT).role("App")
        terms = {"GranteePrincipal": role.arn, "Operations": ["Encrypt"]}
        for name in range(number):
            kms.client().create_grant(KeyId=key_id, Name=str(name), **terms)
        encrypt(role.client(), key_id)
        return key_id

    return program


GRANT, DESCRIPTION = "CreateGrant of GRANT on KEY", "UpdateKeyDescription of KEY"


@pytest.mark.parametrize(
    ("program", "named"),
    [
        pytest.param(disable_with_other_changes(1), ["DisableKey of KEY"], id="of one key"),
        pytest.param(disable_two_keys, ["DisableKey of KEY"], id="of two keys"),
        pytest.param(list_keys_after_other_changes, ["CreateKey of KEY"], id="of no key"),
        pytest.param(use_grants(2), [f"{GRANT} and {GRANT}"], id="two that matter together"),
        pytest.param(use_grants(3), [f"{GRANT} and {GRANT} and {GRANT}"], id="three"),
        pytest.param(
            use_grants(4), [f"{GRANT} and {GRANT} and {GRANT} and 1 more change"], id="four"
        ),
        pytest.param(disable_with_other_changes(9), ["DisableKey of KEY"], id="ten"),
        pytest.param(
            disable_with_other_changes(10),
            [
                "DisableKey of KEY",
                f"{DESCRIPTION} and {DESCRIPTION} and {DESCRIPTION} and 8 more changes",
            ],
            id="eleven, too many to look for those that matter",
        ),
    ],
)
def test_of_several_changes_those_are_named_that_make_an_answer_late(program, named):
    seen = set()
    for seed in range(12):
        with eventual(seed, waiting="clock") as kms:
            key_id = program(kms)
            text = kms.calls[-1].explanation or ""
            arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key_id}"
            for missed in re.findall("has not seen (.+) yet, as", text):
                seen.add(re.sub("the grant [0-9a-f]{64}", "GRANT", missed.replace(arn, "KEY")))

    assert sorted(seen) == named


# --- the errors that it names --------------------------------------------------------------------


OTHER = "444455556666"
SHARED = policy("kms:*", principal="*")
TABLE = {
    "TableName": "table",
    "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


def encrypt_in_other_account(kms, arn):
    kms.account(OTHER).client().encrypt(KeyId=arn, Plaintext=b"text")


def create_table(kms, arn):  # noqa: ARG001 - the client finds the mock
    encryption = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": arn}
    boto3.client("dynamodb", REGION).create_table(**TABLE, SSESpecification=encryption)


@pytest.mark.parametrize(
    ("use", "error"),
    [(encrypt_in_other_account, "AccessDeniedException"), (create_table, "this error")],
    ids=["other account", "service"],
)
def test_the_advice_names_the_error_that_the_client_gets(use, error):
    notes = []
    for seed in SEEDS:
        with eventual(seed, services=["dynamodb"], region=REGION) as kms:
            arn = kms.client().create_key(Policy=SHARED)["KeyMetadata"]["Arn"]
            try:
                use(kms, arn)
            except NoConnectionError:
                pass  # KMS has allowed it, and nothing answers the service
            except ClientError:
                notes.append(kms.calls[-1].explanation)

    assert notes
    for note in notes:
        assert "has not seen CreateKey" in note
        assert f"Try again after {error}, with a short wait" in note
