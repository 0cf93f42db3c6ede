"""Key policies: how KMS stores and returns them, and which ones it refuses."""

from __future__ import annotations

import json

import pytest

from tests.refusals import refused

ACCOUNT = "123456789012"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/App"
DEFAULT_POLICY = """{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::123456789012:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}"""
STATEMENT = {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}


def policy(*statements, **members):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **members})


def test_the_default_key_policy_is_that_of_aws_to_the_letter(client, new_key):
    answer = client.get_key_policy(KeyId=new_key()["KeyId"])

    assert answer["Policy"] == DEFAULT_POLICY
    assert answer["PolicyName"] == "default"


IN_1 = "statement 1"
NO_TEXTS = f"of {IN_1} must be a text or a list of texts"
MALFORMED = {
    "not JSON": (
        "no json",
        "it is not JSON: Expecting value: line 1 column 1 (char 0); a policy",
    ),
    "not an object": ("[]", "a policy is a JSON object, not a list"),
    "no statement": ("{}", "it needs a Statement"),
    "no statements": (
        '{"Statement": []}',
        "its Statement is empty: a policy has at least one statement",
    ),
    "version": (
        policy(STATEMENT, Version="2020-01-01"),
        "Version must be one of 2008-10-17, 2012-10-17",
    ),
    "unknown element": (policy(STATEMENT, Extra=1), "the policy has the unknown element 'Extra'"),
    "statement is text": (policy("text"), f"{IN_1} is not an object"),
    "effect": (
        policy({**STATEMENT, "Effect": "allow"}),
        f"{IN_1} needs an Effect, Allow or Deny, not 'allow'",
    ),
    "sid": (policy({**STATEMENT, "Sid": 1}), f"the Sid of {IN_1} must be a text"),
    "id": (policy(STATEMENT, Id=1), "Id must be a text"),
    "unknown statement element": (
        policy({**STATEMENT, "Extra": 1}),
        f"{IN_1} has the unknown element 'Extra'",
    ),
    "both actions": (
        policy({**STATEMENT, "NotAction": "kms:*"}),
        f"{IN_1} has both Action and NotAction",
    ),
    "both resources": (
        policy({**STATEMENT, "NotResource": "*"}),
        f"{IN_1} has both Resource and NotResource",
    ),
    "both principals": (
        policy({**STATEMENT, "NotPrincipal": {"AWS": "*"}}),
        f"{IN_1} has both Principal and NotPrincipal",
    ),
    "principal is text": (
        policy({**STATEMENT, "Principal": "someone"}),
        f'the Principal of {IN_1} is "*" or an object such as {{"AWS": "…"}}',
    ),
    "principal type": (
        policy({**STATEMENT, "Principal": {"Aws": "*"}}),
        f"the Principal of {IN_1} has the unknown element 'Aws'; did you mean 'AWS'?",
    ),
    "action": (
        policy({**STATEMENT, "Action": "decrypt"}),
        f"'decrypt' in {IN_1} is not an action; write kms:Decrypt, kms:* or *",
    ),
    "action is a number": (policy({**STATEMENT, "Action": 1}), f"Action {NO_TEXTS}"),
    "no resources": (policy({**STATEMENT, "Resource": []}), f"Resource {NO_TEXTS}"),
    "empty action": (policy({**STATEMENT, "Action": ["kms:*", ""]}), f"Action {NO_TEXTS}"),
    "empty resource": (policy({**STATEMENT, "Resource": ["*", ""]}), f"Resource {NO_TEXTS}"),
    "empty principal": (
        policy({**STATEMENT, "Principal": {"AWS": ["*", ""]}}),
        f"AWS of the Principal {NO_TEXTS}",
    ),
    "empty service": (
        policy({**STATEMENT, "Principal": {"AWS": "*", "Service": ""}}),
        f"Service of the Principal {NO_TEXTS}",
    ),
    "empty excepted principal": (
        policy({"Effect": "Allow", "NotPrincipal": {"AWS": [""]}, "NotAction": "kms:*"}),
        f"AWS of the Principal {NO_TEXTS}",
    ),
    "condition is text": (
        policy({**STATEMENT, "Condition": "x"}),
        f"the Condition of {IN_1} is not an object",
    ),
    "empty condition": (
        policy({**STATEMENT, "Condition": {"Bool": {}}}),
        f"Bool in {IN_1} is not an object of condition keys",
    ),
    "condition value": (
        policy({**STATEMENT, "Condition": {"Bool": {"a": {}}}}),
        f"a in {IN_1} has a value that is no text, number or boolean",
    ),
    "name twice": ('{"Statement": {}, "Statement": {}}', "a name occurs twice in one object"),
    "deeply nested": ("[" * 30_000, "it is nested too deeply"),
    "empty": (" ", "it is not JSON: Expecting value: line 1 column 2 (char 1); the text is empty"),
    "ARN": (
        "arn:aws:iam::123456789012:policy/x",
        "'arn:aws:iam::123456789012:policy/x' is an ARN, and here stands the document itself",
    ),
    "surrogate": (
        json.dumps({"Statement": [{**STATEMENT, "Sid": "\ud800"}]}),
        "it has the lone surrogate ",
    ),
}


@pytest.mark.parametrize(("text", "words"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_policy_is_refused_without_text_and_explained(client, new_key, text, words):
    key_id = new_key()["KeyId"]

    with refused("MalformedPolicyDocumentException", "") as caught:
        client.put_key_policy(KeyId=key_id, Policy=text)

    note = " ".join(caught.value.__notes__[0].split())
    assert note.startswith("The key policy is malformed: ")
    assert words in note
    assert client.get_key_policy(KeyId=key_id)["Policy"] == DEFAULT_POLICY


def test_a_policy_of_more_than_32_kib_is_refused(client, new_key):
    with refused("LimitExceededException"):
        client.put_key_policy(KeyId=new_key()["KeyId"], Policy=policy(STATEMENT) + " " * 32_768)


def test_other_policy_names_are_refused(client, new_key):
    key_id = new_key()["KeyId"]

    with refused("NotFoundException", "No such policy exists"):
        client.get_key_policy(KeyId=key_id, PolicyName="other")
    with refused(
        "ValidationException", "The AWS_RAM policy can only be managed by the RAM service"
    ):
        client.put_key_policy(KeyId=key_id, Policy="{}", PolicyName="AWS_RAM")
    with refused("ValidationException"):
        client.put_key_policy(KeyId=key_id, Policy=policy(STATEMENT), PolicyName="other")


# --- as they are stored -------------------------------------------------------------------

#: The first statement is made of what Cloud Custodian's tests put and got back (af-south-1, 2021).
PUT = {
    "Id": "Lulu",
    "Version": "2012-10-17",
    "Statement": [
        {
            "Resource": "*",
            "Condition": {
                "StringEquals": {
                    "kms:ViaService": "s3.af-south-1.amazonaws.com",
                    "kms:CallerAccount": "*",
                },
                "ForAllValues:StringEquals": {"kms:GrantOperations": ["Encrypt"]},
            },
            "Action": "kms:*",
            "Principal": {"AWS": ACCOUNT},
            "Effect": "Allow",
            "Sid": "Enable IAM User Permissions",
        },
        {"Effect": "Allow", "Principal": "*", "NotAction": ["kms:A*", "kms:B*"], "Resource": ["*"]},
    ],
}
STORED = """{
  "Version" : "2012-10-17",
  "Id" : "Lulu",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::123456789012:root"
    },
    "Action" : "kms:*",
    "Resource" : "*",
    "Condition" : {
      "StringEquals" : {
        "kms:CallerAccount" : "*",
        "kms:ViaService" : "s3.af-south-1.amazonaws.com"
      },
      "ForAllValues:StringEquals" : {
        "kms:GrantOperations" : "Encrypt"
      }
    }
  }, {
    "Effect" : "Allow",
    "Principal" : "*",
    "NotAction" : [ "kms:A*", "kms:B*" ],
    "Resource" : "*"
  } ]
}"""


def create(client, document):
    return client.create_key(Policy=json.dumps(document), BypassPolicyLockoutSafetyCheck=True)[
        "KeyMetadata"
    ]["KeyId"]


def stored_text(client, key_id):
    return client.get_key_policy(KeyId=key_id)["Policy"]


def statement_in_key(client, statement):
    """Return a statement as a key policy has it, beside one that lets everybody read it."""
    document = {"Version": "2012-10-17", "Statement": [STATEMENT, statement]}
    return json.loads(stored_text(client, create(client, document)))["Statement"][1]


def test_create_key_stores_the_policy_in_the_form_of_kms(client):
    assert stored_text(client, create(client, PUT)) == STORED


def test_put_key_policy_stores_the_policy_in_the_form_of_kms(client, new_key):
    key_id = new_key()["KeyId"]

    client.put_key_policy(KeyId=key_id, Policy=json.dumps(PUT), BypassPolicyLockoutSafetyCheck=True)

    assert stored_text(client, key_id) == STORED


def test_replicate_key_stores_and_returns_the_policy_in_the_form_of_kms(kms, client, new_key):
    key_id = new_key(MultiRegion=True)["KeyId"]

    answer = client.replicate_key(
        KeyId=key_id,
        ReplicaRegion="eu-west-1",
        Policy=json.dumps(PUT),
        BypassPolicyLockoutSafetyCheck=True,
    )

    assert answer["ReplicaPolicy"] == STORED
    assert stored_text(kms.client(region="eu-west-1"), key_id) == STORED


def test_a_stored_policy_that_is_put_again_stays_the_same(client, new_key):
    key_id = new_key()["KeyId"]

    client.put_key_policy(KeyId=key_id, Policy=STORED, BypassPolicyLockoutSafetyCheck=True)

    assert stored_text(client, key_id) == STORED


def test_the_trail_has_the_policy_as_it_was_sent(kms, client):
    create(client, PUT)

    [record] = kms.trail.lookup("CreateKey")
    assert record["requestParameters"]["policy"] == json.dumps(PUT)


@pytest.mark.parametrize(
    ("element", "stored"),
    [
        pytest.param({"Principal": {"AWS": [ACCOUNT]}}, {"Principal": {"AWS": ROOT}}, id="list"),
        pytest.param(
            {"Principal": {"AWS": [ROLE, ACCOUNT, "111122223333"]}},
            {"Principal": {"AWS": [ROLE, ROOT, "arn:aws:iam::111122223333:root"]}},
            id="accounts in a list",
        ),
        pytest.param(
            {"NotPrincipal": {"AWS": ACCOUNT}}, {"NotPrincipal": {"AWS": ROOT}}, id="NotPrincipal"
        ),
        pytest.param({"Principal": "*"}, {"Principal": "*"}, id="everybody"),
        pytest.param({"Principal": {"AWS": "*"}}, {"Principal": {"AWS": "*"}}, id="AWS *"),
        pytest.param({"Principal": {"AWS": ["*"]}}, {"Principal": {"AWS": "*"}}, id="AWS [*]"),
        pytest.param(
            {"Principal": {"AWS": [ROOT, ACCOUNT, ROLE, ROLE]}},
            {"Principal": {"AWS": [ROOT, ROLE]}},
            id="principal twice",
        ),
        pytest.param(
            {"Principal": {"Service": ["sns.amazonaws.com"], "AWS": ["*", ACCOUNT]}},
            {"Principal": {"Service": "sns.amazonaws.com", "AWS": ["*", ROOT]}},
            id="service and AWS",
        ),
        pytest.param({"Action": ["kms:*"]}, {"Action": "kms:*"}, id="action"),
        pytest.param(
            {"Action": ["kms:Sign", "kms:Sign"]}, {"Action": ["kms:Sign", "kms:Sign"]}, id="twice"
        ),
        pytest.param({"NotAction": ["kms:*"]}, {"NotAction": "kms:*"}, id="NotAction"),
        pytest.param({"NotResource": ["a:b"]}, {"NotResource": "a:b"}, id="NotResource"),
        pytest.param({"Sid": ""}, {"Sid": ""}, id="empty Sid"),
    ],
)
def test_an_element_is_stored_as_kms_stores_it(client, element, stored):
    statement = {"Effect": "Allow", **element}
    if "NotPrincipal" not in element:
        statement = {"Principal": "*", **statement}

    assert statement_in_key(client, statement).items() >= stored.items()


@pytest.mark.parametrize(
    ("condition", "stored"),
    [
        pytest.param({"Bool": {"a:b": True}}, {"Bool": {"a:b": "true"}}, id="boolean"),
        pytest.param({"Bool": {"a:b": [False]}}, {"Bool": {"a:b": "false"}}, id="boolean in list"),
        pytest.param(
            {"NumericEquals": {"a:b": [1, 2.5]}},
            {"NumericEquals": {"a:b": ["1", "2.5"]}},
            id="numbers",
        ),
        pytest.param(
            {"StringEquals": {"a:b": ["x", "x"]}}, {"StringEquals": {"a:b": ["x", "x"]}}, id="twice"
        ),
        pytest.param({"StringEquals": {"a:b": []}}, {"StringEquals": {"a:b": []}}, id="no values"),
        pytest.param(
            {"StringEquals": {"kms:CallerAccount": [ACCOUNT]}},
            {"StringEquals": {"kms:CallerAccount": ACCOUNT}},
            id="account",
        ),
    ],
)
def test_a_condition_is_stored_with_texts(client, condition, stored):
    statement = {**STATEMENT, "Condition": condition}

    assert statement_in_key(client, statement)["Condition"] == stored


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"Statement": [STATEMENT]}, id="no version"),
        pytest.param({"Version": "2008-10-17", "Id": "", "Statement": [STATEMENT]}, id="empty Id"),
    ],
)
def test_members_that_are_missing_or_empty_stay_so(client, document):
    assert json.loads(stored_text(client, create(client, document))) == document


def test_characters_are_stored_as_such_and_escaped_only_where_json_needs_it(client):
    statement = {**STATEMENT, "Sid": 'Übung "1" \\ / \t € \x1f \\u001f'}

    text = stored_text(client, create(client, {"Statement": [statement]}))

    assert r'''"Sid" : "Übung \"1\" \\ / \t € \u001F \\u001f"''' in text


def test_the_account_of_a_key_in_china_is_an_arn_of_china(kms):
    client = kms.client(region="cn-north-1")

    kept = statement_in_key(client, {**STATEMENT, "Principal": {"AWS": ACCOUNT}})

    assert kept["Principal"] == {"AWS": f"arn:aws-cn:iam::{ACCOUNT}:root"}


@pytest.mark.parametrize("member", ["Principal", "NotPrincipal"])
def test_a_deleted_principal_is_shown_by_its_id_in_the_form_of_kms(kms, client, member):
    role = kms.account(ACCOUNT).role("Gone")
    named = {"Effect": "Deny", member: {"AWS": [role.arn]}, "Action": "kms:Sign", "Resource": "*"}
    key_id = create(client, {"Statement": [STATEMENT, named]})
    before = stored_text(client, key_id)

    role.delete()

    assert stored_text(client, key_id) == before.replace(role.arn, role.unique_id)
