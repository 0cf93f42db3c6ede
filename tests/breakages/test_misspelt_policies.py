"""Misspelt policies: AWS refuses some, accepts others, and the one meant is named in each case."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from kmsmock import KMSMock, mock_kms
from tests.breakages.table import ACCOUNT, Table, read_note

TABLE = Table()
ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
MISSPELT = {"Effect": "Allow", "Action": "kms:Decript", "Resource": "*"}
WARNING = "statement 1: KMS has no action kms:Decript; did you mean kms:Decrypt[?]"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def make_key(kms: KMSMock, **statement: Any) -> None:
    whole = {"Effect": "Allow", "Principal": ROOT, "Action": "kms:*", "Resource": "*"}
    kms.client().create_key(Policy=document({**whole, **statement}))


# --- what AWS refuses -------------------------------------------------------------------


@TABLE.breakage("StringEqual is not a condition operator; did you mean 'StringEquals'?")
def a_misspelt_operator(kms):
    make_key(kms, Condition={"StringEqual": {"kms:CallerAccount": ACCOUNT}})


@TABLE.breakage("did you mean 'StringEquals'?")
def an_operator_in_lower_case(kms):
    make_key(kms, Condition={"stringequals": {"kms:CallerAccount": ACCOUNT}})


@TABLE.breakage("ForAnyValue:StringLikes is not a condition operator; did you mean 'StringLike'?")
def a_misspelt_operator_with_a_set_qualifier(kms):
    make_key(kms, Condition={"ForAnyValue:StringLikes": {"kms:GrantOperations": "Decrypt"}})


@TABLE.breakage("has the unknown element 'Actions'; did you mean 'Action'?")
def a_misspelt_element(kms):
    make_key(kms, Actions="kms:*")


@TABLE.breakage("'Decrypt' in statement 1 is not an action; write kms:Decrypt, kms:* or *")
def an_action_without_its_prefix(kms):
    make_key(kms, Action="Decrypt")


@TABLE.breakage("did you mean 'StringNotEquals'?")
def a_misspelt_operator_in_a_policy_of_iam(kms):
    wrong = {**MISSPELT, "Condition": {"StringNotEqual": {"kms:CallerAccount": ACCOUNT}}}
    kms.client("iam").create_policy(PolicyName="App", PolicyDocument=document(wrong))


@TABLE.parametrize()
def test_the_note_names_what_was_meant(sentence: str, run: Callable[[KMSMock], Any]) -> None:
    assert sentence in read_note(run)


# --- what AWS accepts -------------------------------------------------------------------


def give_key_policy(kms: KMSMock) -> None:
    everything = {"Effect": "Allow", "Principal": ROOT, "Action": "kms:*", "Resource": "*"}
    policy = document({**MISSPELT, "Principal": ROOT}, everything)
    kms.client().create_key(Policy=policy)


def give_inline_policy(kms: KMSMock) -> None:
    iam = kms.client("iam")
    iam.create_user(UserName="Ann")
    iam.put_user_policy(UserName="Ann", PolicyName="App", PolicyDocument=document(MISSPELT))


GIVERS: dict[str, Callable[[KMSMock], Any]] = {
    "role": lambda kms: kms.account(ACCOUNT).role("App", policies=[document(MISSPELT)]),
    "boundary": lambda kms: kms.account(ACCOUNT).role("App", boundary=document(MISSPELT)),
    "set_policies": lambda kms: kms.account(ACCOUNT).role("App").set_policies(document(MISSPELT)),
    "key policy": give_key_policy,
    "put_user_policy": give_inline_policy,
}


@pytest.mark.parametrize("give", GIVERS.values(), ids=list(GIVERS))
def test_a_misspelt_action_is_a_warning_where_the_policy_is_given(
    give: Callable[[KMSMock], Any],
) -> None:
    with mock_kms() as kms, pytest.warns(UserWarning, match=WARNING) as caught:
        give(kms)

    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.parametrize("put", [True, False], ids=["PutKeyPolicy", "CreateKey"])
def test_a_misspelt_action_is_reported_once(kms: KMSMock, *, put: bool) -> None:
    client = kms.client()
    statement = {"Effect": "Allow", "Principal": ROOT, "Action": "kms:*", "Resource": "*"}
    text = document({**MISSPELT, "Principal": ROOT}, statement)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if put:
            key_id = client.create_key()["KeyMetadata"]["KeyId"]
            client.put_key_policy(KeyId=key_id, PolicyName="default", Policy=text)
        else:
            client.create_key(Policy=text)

    [message] = [str(warning.message) for warning in caught if "kms:" in str(warning.message)]
    assert message.endswith("did you mean kms:Decrypt?")


@pytest.mark.filterwarnings("ignore:.*KMS has no action")
def test_the_note_of_a_denied_request_names_the_misspelt_action() -> None:
    def run(kms: KMSMock) -> None:
        role = kms.account(ACCOUNT).role("App", policies=[document(MISSPELT)])
        key = kms.client().create_key()["KeyMetadata"]["Arn"]
        blob = kms.client().encrypt(KeyId=key, Plaintext=b"text")["CiphertextBlob"]
        role.client().decrypt(CiphertextBlob=blob)

    note = read_note(run)

    assert (
        "Likely mistakes: - policy 1, statement 1: KMS has no action kms:Decript; did you mean"
        in note
    )


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("kms:GenerateDatakeys", "kms:GenerateDataKey"),
        ("kms:ReEncrypt", "kms:ReEncryptFrom or kms:ReEncryptTo"),
        ("kms:Decript*", "kms:Decrypt"),
    ],
)
def test_the_warning_names_the_nearest_action(wrong: str, meant: str) -> None:
    with mock_kms() as kms, pytest.warns(UserWarning, match=f"did you mean {meant}[?]"):
        kms.account(ACCOUNT).role("App", policies=[document({**MISSPELT, "Action": wrong})])


def test_a_misspelt_condition_key_is_a_warning() -> None:
    condition = {"StringEquals": {"kms:ViaServise": "s3.us-east-1.amazonaws.com"}}
    wrong = {**MISSPELT, "Action": "kms:Decrypt", "Condition": condition}
    with mock_kms() as kms, pytest.warns(UserWarning, match="did you mean kms:ViaService[?]"):
        kms.account(ACCOUNT).role("App", policies=[document(wrong)])


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("kms:EncryptionContext/tenant", "kms:EncryptionContext:tenant"),
        ("kms:EncryptionContexts:tenant", "kms:EncryptionContext:tenant"),
        ("kms:EncryptionContext", "kms:EncryptionContext:name"),
    ],
)
def test_the_warning_names_the_condition_key_of_a_pair(wrong: str, meant: str) -> None:
    statement = {**MISSPELT, "Action": "kms:Decrypt", "Condition": {"StringEquals": {wrong: "a"}}}
    with mock_kms() as kms, pytest.warns(UserWarning, match=f"did you mean {meant}[?]"):
        kms.account(ACCOUNT).role("App", policies=[document(statement)])


@pytest.mark.parametrize(
    "action",
    ["kms:*", "kms:decrypt", "KMS:Decrypt", "kms:Gen*", "kms:SynchronizeMultiRegionKey", "s3:Gett"],
)
def test_what_may_be_an_action_is_no_warning(action: str) -> None:
    with mock_kms() as kms, warnings.catch_warnings():
        warnings.simplefilter("error")
        kms.account(ACCOUNT).role("App", policies=[document({**MISSPELT, "Action": action})])
