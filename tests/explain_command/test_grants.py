"""``kmsmock explain --grants``: what is in a list of grants, and which of them apply."""

from __future__ import annotations

import pytest

from tests.authorization.documents import ACCOUNT
from tests.explain_command.files import DELEGATING, KEY, REQUEST, ROLE, grant


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ([], "Grants[0]: expected a JSON object, not a list"),
        (grant(GranteePrincipl=ROLE), "member 'GranteePrincipl'; did you mean 'GranteePrincipal'"),
        ({"Operations": ["Encrypt"]}, "Grants[0]: a grant has either GranteePrincipal or"),
        (grant(GranteeServicePrincipal="sns.amazonaws.com"), "Grants[0]: a grant has either"),
        (grant(GranteePrincipal=["x"]), "Grants[0].GranteePrincipal: expected a string"),
        (grant(GranteePrincipal="App"), "GranteePrincipal: 'App' is not the ARN of a principal"),
        (grant(RetiringPrincipal="App"), "RetiringPrincipal: 'App' is not the ARN of a principal"),
        (grant(RetiringServicePrincipal=ROLE), "is not a service principal"),
        ({"GranteePrincipal": ROLE}, "Grants[0]: 'Operations' is missing"),
        (grant(Operations=[]), "Grants[0].Operations: a grant has at least one operation"),
        (grant(Operations="Encrypt"), 'Grants[0].Operations: expected a list, not "Encrypt"'),
        (
            grant(Operations=["Decrypt", "Encypt"]),
            "Operations[1]: grants cannot allow 'Encypt'; did you mean 'Encrypt'?",
        ),
        (grant(Operations=["DisableKey"]), "Operations[0]: grants cannot allow 'DisableKey'"),
        (grant(KeyId="alias/app"), "KeyId: 'alias/app' is neither a key ARN nor a key id"),
        (grant(KeyId=ROLE), "is neither a key ARN nor a key id"),
        (grant(IssuingAccount="me"), "IssuingAccount: 'me' is not an account"),
        (grant(GrantId=7), "Grants[0].GrantId: expected a string, not 7"),
        (grant(Name=["x"]), "Grants[0].Name: expected a string, not a list"),
        (grant(CreationDate={}), "Grants[0].CreationDate: expected a time"),
        (grant(Constraints=[]), "Grants[0].Constraints: expected a JSON object, not a list"),
        (
            grant(Constraints={"EncryptionContextEquls": {"a": "b"}}),
            "Grants[0].Constraints: unknown member 'EncryptionContextEquls'; did you mean "
            "'EncryptionContextEquals'?",
        ),
        (
            grant(Constraints={"EncryptionContextSubset": {"a": 1}}),
            "Grants[0].Constraints.EncryptionContextSubset.a: expected a string, not 1",
        ),
        (
            grant(Constraints={"EncryptionContextSubset": {}, "EncryptionContextEquals": {}}),
            "Constraints: a grant has one of",
        ),
        (grant(Constraints={"SourceArn": "x"}), "Constraints.SourceArn: 'x' is not an ARN"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_grant_that_cannot_be_is_bad_input(explain, entry, reason):
    code, text = explain(REQUEST, key_policy=DELEGATING, grants={"Grants": [entry]})

    assert code == 2
    assert "grants.json: " in text
    assert reason in text


def test_a_misspelt_member_of_the_response_is_bad_input(explain):
    code, text = explain(REQUEST, key_policy=DELEGATING, grants={"Grant": [grant()]})

    assert code == 2
    assert "unknown member 'Grant'; did you mean 'Grants'?" in text


@pytest.mark.parametrize(
    ("key", "applies"),
    [
        (KEY, True),
        ("k", True),
        (f"arn:aws:kms:us-east-1:{ACCOUNT}:key/other", False),
        (f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/k", False),
        ("other", False),
    ],
)
def test_a_grant_on_another_key_does_not_apply(explain, key, applies):
    code, text = explain(REQUEST, key_policy=DELEGATING, grants=[grant(KeyId=key, Name="reader")])

    assert (code == 0) is applies
    assert (f"grant reader: it is on {key}, another key" in text) is not applies


def test_a_grant_allows_where_no_key_policy_is_given(explain):
    code, text = explain(REQUEST, grants=[grant()])

    assert code == 0
    assert "the key policy: none is given, and so not evaluated" in text


def test_retire_grant_is_about_the_one_grant_in_the_file(explain):
    request = {**REQUEST, "action": "kms:RetireGrant"}
    own = grant(GranteePrincipal=f"arn:aws:iam::{ACCOUNT}:user/ann", RetiringPrincipal=ROLE)

    assert explain(request, key_policy=DELEGATING, grants=[own])[0] == 0
    assert explain(request, key_policy=DELEGATING, grants=[grant()])[0] == 1
    for grants in (None, [], [own, grant()]):
        code, text = explain(request, key_policy=DELEGATING, grants=grants)
        assert code == 2
        assert "kms:RetireGrant is about one grant" in text


@pytest.mark.parametrize(
    ("grants", "named"),
    [
        ({"Grants": [grant()]}, "grant Grants[0]: applies"),
        ([grant()], "grant [0]: applies"),
        ([grant(GrantId="1234")], "grant 1234: applies"),
        ([grant(GrantId="1234", Name="reader")], "grant reader: applies"),
    ],
    ids=["response", "list", "id", "name"],
)
def test_a_grant_is_named_by_its_name_id_or_location(explain, grants, named):
    assert named in explain(REQUEST, key_policy=DELEGATING, grants=grants)[1]
