"""Wrong use is told at once, with the sentence from which the fix can be read.

Misspelt attributes and keyword arguments are in test_misspelt_names.py, values by which calls are
found in ledger/test_call_values.py, and wrong options of pytest in test_plugin_misuse.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import kmsmock
from kmsmock import KMSMock, mock_kms
from tests.populated import ACCOUNT, populated

DEFAULT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/App"
DECRYPT = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}
MAY_DECRYPT = {"Version": "2012-10-17", "Statement": [DECRYPT]}
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
Use = Callable[[KMSMock], Any]


@pytest.fixture(scope="module")
def kms() -> Iterator[KMSMock]:
    with populated() as kms:
        yield kms


def with_policies(policies: Any) -> Use:
    return lambda kms: kms.account(ACCOUNT).role("App", policies=policies)


def statement(**members: Any) -> Use:
    return with_policies({"Statement": [{**DECRYPT, **members}]})


# --- policies ------------------------------------------------------------------------------------

POLICIES: dict[str, tuple[Use, str]] = {
    "an ARN of no policy": (
        with_policies(READ_ONLY[:-1]),
        f"there is no managed policy '{READ_ONLY[:-1]}'; of those of AWS, only a few are emulated; "
        f"did you mean '{READ_ONLY}'?",
    ),
    "a path as text": (
        with_policies("policies/app.json"),
        "if 'policies/app.json' is the path of a file, pass its content: read_text()",
    ),
    "a path": (
        with_policies(Path("policies/app.json")),
        "is a dict or JSON text, not a PosixPath; pass the content of the file: path.read_text()",
    ),
    "bytes": (with_policies(b"{}"), "is a dict or JSON text, not bytes; decode it: .decode()"),
    "a number": (
        with_policies(5),
        "policies must be a policy document, as a dict or JSON text, the",
    ),
    "a list in a list": (with_policies([[MAY_DECRYPT]]), "is a dict or JSON text, not a list"),
    "None in a list": (with_policies([None]), "is a dict or JSON text, not None"),
    "empty text": (with_policies(""), "it is not JSON: Expecting value"),
    "text of a list": (
        with_policies(json.dumps([MAY_DECRYPT])),
        "a policy is a JSON object, not a list",
    ),
    "a statement": (
        with_policies(DECRYPT),
        'this is a statement; a policy has it inside: {"Statement": …}',
    ),
    "statements": (with_policies([DECRYPT]), "this is a statement; a policy has it inside"),
    "no Statement": (with_policies({"Version": "2012-10-17"}), "it needs a Statement"),
    "an empty Statement": (
        with_policies({"Statement": []}),
        "its Statement is empty: a policy has at least one statement",
    ),
    "a misspelt element": (
        with_policies({"Statment": [DECRYPT]}),
        "the policy has the unknown element 'Statment'; did you mean 'Statement'?",
    ),
    "a misspelt element of a statement": (
        statement(Conditions={}),
        "statement 1 has the unknown element 'Conditions'; did you mean 'Condition'?",
    ),
    "an Effect in lower case": (
        statement(Effect="allow"),
        "statement 1 needs an Effect, Allow or Deny, not 'allow'",
    ),
    "a set of actions": (
        statement(Action={"kms:Decrypt"}),
        "it cannot be written as JSON: Object of type set is not JSON serializable",
    ),
    "a boundary of a wrong type": (
        lambda kms: kms.account(ACCOUNT).role("App", boundary=[MAY_DECRYPT]),  # type: ignore[arg-type]
        "a permissions boundary is a dict or JSON text, not a list",
    ),
    "a boundary that does not exist": (
        lambda kms: kms.account(ACCOUNT).user("bob", boundary=f"arn:aws:iam::{ACCOUNT}:policy/B"),
        f"there is no managed policy 'arn:aws:iam::{ACCOUNT}:policy/B'",
    ),
    "an ARN as a service control policy": (
        lambda kms: kms.account(ACCOUNT).join_organization("o-a", service_control=[READ_ONLY]),
        f"it is not JSON: Expecting value: line 1 column 1 (char 0); '{READ_ONLY}' is an ARN, and",
    ),
    "one service control policy": (
        lambda kms: kms.account(ACCOUNT).join_organization("o-a", service_control=MAY_DECRYPT),
        "take a list of policies per level, not a dict with Version, Statement",
    ),
    "a trust policy for nobody": (
        lambda kms: kms.account(ACCOUNT).role(
            "App",
            trust={
                "Statement": {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/Ap"},
                    "Action": "sts:AssumeRole",
                }
            },
        ),
        f'Invalid principal in policy: "AWS":"arn:aws:iam::{ACCOUNT}:role/Ap"; a user or role must '
        f"exist to be trusted: create it first; did you mean '{ROLE}'?",
    ),
    "a trust policy for something else": (
        lambda kms: kms.account(ACCOUNT).role(
            "App",
            trust={"Statement": {"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt"}},
        ),
        "has actions of other services than STS, such as 'kms:Decrypt'",
    ),
    "a key policy of a wrong type": (
        lambda kms: kmsmock.KmsKeyFactory(kms.client())(policy=[MAY_DECRYPT]),  # type: ignore[arg-type]
        "policy must be a str or a dict, not list",
    ),
}

# --- names, ids and principals -------------------------------------------------------------------

NAMES: dict[str, tuple[Use, str]] = {
    "a role name with a space": (
        lambda kms: kms.account(ACCOUNT).role("My App"),
        "the role name must be 1 to 64 letters, digits and +=,.@_-, not 'My App'",
    ),
    "a role name of 65 characters": (
        lambda kms: kms.account(ACCOUNT).role("a" * 65),
        "the role name must be 1 to 64 letters, digits and +=,.@_-, not",
    ),
    "an empty user name": (
        lambda kms: kms.account(ACCOUNT).user(""),
        "the user name must be 1 to 64 letters, digits and +=,.@_-, not ''",
    ),
    "a user name with a slash": (
        lambda kms: kms.account(ACCOUNT).user("team/bob"),
        "the user name must be 1 to 64 letters, digits and +=,.@_-, not 'team/bob'",
    ),
    "a user name that is a number": (
        lambda kms: kms.account(ACCOUNT).user(5),  # type: ignore[arg-type]
        "name must be a str, not int: 5",
    ),
    "a path without slashes": (
        lambda kms: kms.account(ACCOUNT).role("New", path="team"),
        "the path must be / or begin and end with it, and have at most 512 characters, not 'team': "
        "write '/team/'",
    ),
    "a session name with a space": (
        lambda kms: kms.account(ACCOUNT).role("App", session="my job"),
        "the role session name must be 2 to 64 letters",
    ),
    "an ARN with a wrong name": (
        lambda kms: kms.principal(f"arn:aws:iam::{ACCOUNT}:role/My App"),
        "the role name must be",
    ),
    "tags in a list": (
        lambda kms: kms.account(ACCOUNT).role("App", tags=["team"]),  # type: ignore[arg-type]
        "tags must be a dict, not list",
    ),
    "a tag with a number": (
        lambda kms: kms.account(ACCOUNT).role("App", tags={"level": 3}),  # type: ignore[dict-item]
        "the value of the tag 'level' must be a str, not int: 3",
    ),
    "a tag that IAM refuses": (
        lambda kms: kms.account(ACCOUNT).role("App", tags={"a!": "b"}),
        "the key of a tag cannot be 'a!'",
    ),
    "a federated user of a role": (
        lambda kms: kms.account(ACCOUNT).role("App").federated_user("ann"),
        "is no IAM user: federated users derive from IAM users",
    ),
    "an account id that is a number": (
        lambda kms: kms.account(11122223333),  # type: ignore[arg-type]
        "an account id is a string of 12 digits, not 11122223333: write '011122223333'",
    ),
    "a principal that is a number": (
        lambda kms: kms.principal(3),  # type: ignore[arg-type]
        "a principal is named by its ARN, not by 3",
    ),
    "a principal that is an account": (
        lambda kms: kms.principal(kms.account(ACCOUNT)),  # type: ignore[arg-type]
        "a principal is named by its ARN, not by an Account",
    ),
    "a service in capitals": (
        lambda kms: kms.account(ACCOUNT).root.via("S3"),
        "no service of AWS is 'S3' in kms:ViaService; did you mean 's3'?",
    ),
    "a service that is misspelt": (
        lambda kms: kms.account(ACCOUNT).root.via("s33"),
        "no service of AWS is 's33' in kms:ViaService; did you mean 's3'?",
    ),
    "a client in another Region than its service": (
        lambda kms: (
            kms.account(ACCOUNT).root.via("s3.eu-west-1.amazonaws.com").client(region="us-east-1")
        ),
        "this principal calls through s3 in eu-west-1, and not in us-east-1: leave the Region out",
    ),
    "explain for nobody": (
        lambda kms: kms.explain(f"arn:aws:iam::{ACCOUNT}:role/Ap", "kms:Decrypt", "alias/app"),
        f"or .user(...); did you mean '{ROLE}'?",
    ),
    "explain for no alias": (
        lambda kms: kms.explain(kms.account(DEFAULT).root, "kms:Decrypt", "alias/ap"),
        "has no key 'alias/ap' in us-east-1; did you mean 'alias/app'?",
    ),
    "explain for an alias of another account": (
        lambda kms: kms.explain(ROLE, "kms:Decrypt", "alias/app"),
        f"in us-east-1; account {DEFAULT} has it in us-east-1: name it by its ARN",
    ),
    "explain with a context that the action does not have": (
        lambda kms: kms.explain(ROLE, "kms:ListKeys", encryption_context={"tenant": "a"}),
        "kms:ListKeys has no encryption context",
    ),
    "explain through no service": (
        lambda kms: kms.explain(ROLE, "kms:ListKeys", via_service="s33"),
        "did you mean 's3'?",
    ),
    "explain through a service elsewhere": (
        lambda kms: kms.explain(ROLE, "kms:ListKeys", via_service="s3.eu-west-1.amazonaws.com"),
        "via_service is of eu-west-1, but the call of us-east-1",
    ),
    "explain without an action": (
        lambda kms: kms.explain(ROLE, None),  # type: ignore[arg-type]
        "action must be a str, not NoneType",
    ),
    "least privilege of nobody": (
        lambda kms: kms.least_privilege(f"arn:aws:iam::{ACCOUNT}:role/Ap"),
        f"and it has made no call; did you mean '{ROLE}'?",
    ),
    "a misspelt condition key": (
        lambda kms: kms.request_context({"kms:ViaServce": "s3"}).__enter__(),
        "KMS has no condition key 'kms:ViaServce'; did you mean 'kms:ViaService'?",
    ),
    "a condition key without prefix": (
        lambda kms: kms.request_context({"sourceip": "10.0.0.1"}).__enter__(),
        "a condition key has a prefix such as aws:, and 'sourceip' has none; did you mean 'aws:So",
    ),
    "the context of explain without prefix": (
        lambda kms: kms.explain(ROLE, "kms:ListKeys", context={"x": "y"}),
        "a condition key has a prefix such as aws:, and 'x' has none",
    ),
    "an ARN as the name of a role": (
        lambda kms: kms.account(ACCOUNT).role(ROLE),
        f"not '{ROLE}'; kms.principal takes an ARN",
    ),
    "the name of a managed policy": (
        lambda kms: kms.account(ACCOUNT).role("App", policies="AdministratorAccess"),
        "such as 'arn:aws:iam::aws:policy/AdministratorAccess', not the name 'AdministratorAccess'",
    ),
    "a condition key with a number": (
        lambda kms: kms.request_context({"aws:SourceIp": 5}).__enter__(),  # type: ignore[dict-item]
        "keys['aws:SourceIp'] must be a str or a list of these, not int: 5",
    ),
    "a volume that is not there": (lambda kms: kms.ebs.why("vol-1"), "'vol-1' does not exist"),
    "a database that is not there": (
        lambda kms: kms.rds.why("arn:aws:rds:us-east-1:123456789012:db:orders"),
        "RDS has no resource with the ARN 'arn:aws:rds:us-east-1:123456789012:db:orders'",
    ),
    "a key store that is not there": (
        lambda kms: kms.key_store("cks-1"),
        "there is no custom key store 'cks-1'; known are none",
    ),
    "material for a dict": (
        lambda kms: kms.import_material({"Plaintext": b"x"}, b"x" * 32),
        "key must be an id, ARN or alias, not dict (a dict with Plaintext)",
    ),
    "an alias that is a number": (
        lambda kms: kmsmock.KmsKeyFactory(kms.client())(alias=5),  # type: ignore[arg-type]
        "alias must be a str, not int: 5",
    ),
    "a world that is None": (
        lambda kms: kms.load(None),  # type: ignore[arg-type]
        "world must be a str or a path or a dict, not NoneType",
    ),
    "a path that is None": (
        lambda kms: kms.export(None),  # type: ignore[arg-type]
        "path must be a str or a path, not NoneType",
    ),
    "a checkpoint that was not made": (
        lambda kms: kms.restore(kms.checkpoint),  # type: ignore[arg-type]
        "which is what kms.checkpoint() gave: the function checkpoint, which is not called",
    ),
}
ALL = {**POLICIES, **NAMES}


@pytest.mark.parametrize("misuse", ALL)
def test_a_misuse_is_told_with_its_fix(kms: KMSMock, misuse: str) -> None:
    use, sentence = ALL[misuse]

    with pytest.raises((TypeError, ValueError)) as caught:
        use(kms)

    assert sentence in str(caught.value)


def test_the_nearest_volume_is_named(kms: KMSMock) -> None:
    [volume] = kms.client("ec2").describe_volumes()["Volumes"]

    assert kms.ebs.why(volume["VolumeId"]) is None
    with pytest.raises(ValueError, match=f"did you mean '{volume['VolumeId']}'?"):
        kms.ebs.why(volume["VolumeId"][:-1])


@pytest.mark.parametrize("misuse", ["a path", "a set of actions", "a path without slashes"])
def test_a_misuse_creates_nothing(misuse: str) -> None:
    with mock_kms(isolated=True) as kms:
        with pytest.raises((TypeError, ValueError)):
            ALL[misuse][0](kms)

        assert [entity.name for entity in kms.backend.identities.entities.values()] == [
            "Administrator"
        ]


# --- what is accepted ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "policies",
    [
        MAY_DECRYPT,
        json.dumps(MAY_DECRYPT),
        [MAY_DECRYPT],
        (MAY_DECRYPT, json.dumps(MAY_DECRYPT)),
        {json.dumps(MAY_DECRYPT)},
        (document for document in [MAY_DECRYPT]),
    ],
    ids=["dict", "text", "list", "tuple", "set", "generator"],
)
def test_policies_are_given_in_any_of_these_forms(kms: KMSMock, policies: Any) -> None:
    role = kms.account(ACCOUNT).role("Forms", policies=policies)

    assert not kms.explain(role, "kms:Encrypt", kms.keys[0])
    assert "kms:Decrypt" in json.dumps(kms.backend.identities.entity(role.arn).policies[0].document)


def test_an_empty_list_takes_all_policies_away(kms: KMSMock) -> None:
    role = kms.account(ACCOUNT).role("Empty", policies=[MAY_DECRYPT, READ_ONLY])

    kms.account(ACCOUNT).role("Empty", policies=[])

    assert kms.backend.identities.entity(role.arn).policies == ()


def test_the_arn_of_a_managed_policy_attaches_it(tmp_path: Path) -> None:
    with mock_kms(isolated=True) as kms:
        account = kms.account("123456789012")
        role = account.role("Auditor", policies=[READ_ONLY], boundary=READ_ONLY)
        attached = kms.client("iam").list_attached_role_policies(RoleName="Auditor")

        assert attached["AttachedPolicies"][0]["PolicyArn"] == READ_ONLY
        assert role.client().list_keys()["Keys"] == []
        limited = account.role("Admin", session_policies=READ_ONLY, policies=[MAY_DECRYPT])
        assert not kms.explain(limited, "kms:ListKeys")
        kms.export(tmp_path / "world.json")
    with mock_kms(world=tmp_path / "world.json") as kms:
        [auditor] = [e for e in kms.backend.identities.entities.values() if e.name == "Auditor"]
        assert list(auditor.attached) == [READ_ONLY]


def test_names_that_were_accepted_can_be_loaded(tmp_path: Path) -> None:
    with mock_kms(isolated=True) as kms:
        kms.account(ACCOUNT).role("a" * 64, path="/team/", tags={"team": "Größe 1"})
        kms.account(ACCOUNT).user("bob+1=,.@_-")
        kms.export(tmp_path / "world.json")

    with mock_kms(world=tmp_path / "world.json") as kms:
        assert kms.account(ACCOUNT).role("a" * 64).arn.endswith("/team/" + "a" * 64)


def test_the_value_of_kms_via_service_is_a_service_in_a_region(kms: KMSMock) -> None:
    user = kms.account(ACCOUNT).administrator

    user.via("s3.eu-west-1.amazonaws.com").client().list_keys()
    user.via("sqs.amazonaws.com").client().list_keys()

    assert [call.via_service for call in kms.calls[-2:]] == [
        "s3.eu-west-1.amazonaws.com",
        "sqs.us-east-1.amazonaws.com",
    ]


def test_what_is_named_alike_is_equal(kms: KMSMock) -> None:
    account = kms.account(ACCOUNT)
    role = account.role("App")

    assert account == kms.account(ACCOUNT) == kms.account(account)
    assert role == account.role("App") == kms.principal(ROLE) == kms.principal(role)
    assert len({account, kms.account(ACCOUNT), role, kms.principal(ROLE)}) == 2
    assert account != kms.account("123456789012")
    assert role != account.role("App", session="other") != role.via("s3")
    with mock_kms(isolated=True) as other:
        assert account != other.account(ACCOUNT)


def test_a_role_that_only_an_arn_has_named_is_seen_when_it_is_denied(kms: KMSMock) -> None:
    decision = kms.explain(kms.principal(f"{ROLE}s"), "kms:ListKeys")

    told = " ".join(str(decision).split())
    assert f"kms.principal() has created it, since there was no {ROLE}s; did you mean '{ROLE}'" in (
        told
    )
    assert "has created it" not in str(kms.explain(ROLE, "kms:ListKeys"))


def test_least_privilege_of_a_role_is_that_of_all_its_sessions(kms: KMSMock) -> None:
    may_list = {"Statement": {**DECRYPT, "Action": "kms:List*"}}
    account = kms.account(ACCOUNT)
    role = account.role("Lister", policies=[may_list], session="one")
    role.client().list_keys()
    account.role("Lister", session="two").client().list_aliases()

    for named in (role, role.arn):
        [allowed] = kms.least_privilege(named).identity["Statement"]
        assert allowed["Action"] == ["kms:ListAliases", "kms:ListKeys"]
    [allowed] = kms.least_privilege(role.caller_arn).identity["Statement"]
    assert allowed["Action"] == ["kms:ListKeys"]
