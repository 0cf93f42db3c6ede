"""``kmsmock explain``: decisions about policies in files."""

from __future__ import annotations

import pytest

from tests.authorization.documents import ACCOUNT, allow, policy, to
from tests.explain_command.files import DELEGATING, KEY, REQUEST, ROLE


def test_an_allowed_request_ends_with_zero(explain):
    code, text = explain(
        REQUEST, key_policy=DELEGATING, identity_policy=policy(allow("kms:Encrypt"))
    )

    assert code == 0
    assert text.startswith("Allowed: the key policy leaves it to the identity-based policies")


def test_a_denied_request_ends_with_one_and_tells_what_is_missing(explain):
    code, text = explain(REQUEST, key_policy=DELEGATING)

    assert code == 1
    assert "Denied: no identity-based policy allows" in text
    assert '"Action": "kms:Encrypt"' in text


def test_conditions_see_the_context_of_the_request(explain):
    condition = {"StringEquals": {"kms:EncryptionContext:tenant": "a", "kms:ViaService": "x"}}
    identity = policy(allow("kms:*", Condition=condition))
    request = {**REQUEST, "encryptionContext": {"tenant": "a"}, "context": {"kms:ViaService": "x"}}

    assert explain(request, key_policy=DELEGATING, identity_policy=identity)[0] == 0
    assert explain(REQUEST, key_policy=DELEGATING, identity_policy=identity)[0] == 1


def test_grants_count(explain):
    grants = {"Grants": [{"GranteePrincipal": ROLE, "Operations": ["Encrypt"]}]}

    assert explain(REQUEST, key_policy=DELEGATING, grants=grants)[0] == 0


@pytest.mark.parametrize("limit", ["boundary", "session_policy"])
def test_boundaries_and_session_policies_limit(explain, limit):
    everything, others = policy(allow("kms:*")), policy(allow("s3:*"))
    limits = {limit: others}

    code, _ = explain(REQUEST, key_policy=DELEGATING, identity_policy=everything, **limits)

    assert code == 1


def test_odd_statements_are_named(explain):
    _, text = explain(REQUEST, key_policy=policy(allow("kms:*", **to("*"))))

    assert "it opens the key to every principal of every account" in text


@pytest.mark.parametrize(
    ("request_file", "message"),
    [
        ("{", "Expecting"),
        ("[]", "expected a JSON object"),
        ({"action": "kms:Encrypt"}, "request.json: 'principal' is missing"),
        ({**REQUEST, "principal": "someone"}, "is not a principal that can make requests"),
        ({**REQUEST, "principal": f"arn:aws:iam::{ACCOUNT}:group/x"}, "is not a principal"),
        ({**REQUEST, "action": "kms:Encypt"}, "did you mean 'kms:Encrypt'?"),
        (
            {**REQUEST, "encryptionContxt": {}},
            "unknown member 'encryptionContxt'; did you mean 'encryptionContext'?",
        ),
        ({**REQUEST, "principal": 7}, "request.json: principal: expected a string, not 7"),
        ({**REQUEST, "principal": "arn:aws:iam::12:user/ann"}, "is not a principal that can"),
        ({**REQUEST, "principal": f"arn:aws:iam::{ACCOUNT}:role/"}, "is not a principal that can"),
        ({**REQUEST, "principal": f"arn:aws:sts::{ACCOUNT}:federated-user/"}, "is not a principal"),
        ({**REQUEST, "action": "KMS:Encrypt"}, "did you mean 'kms:Encrypt'?"),
        ({**REQUEST, "action": "kms:ReEncrypt"}, "did you mean 'kms:ReEncrypt"),
        ({**REQUEST, "action": "Encypt"}, "did you mean 'kms:Encrypt'?"),
        (
            {**REQUEST, "encryptionContext": "x"},
            'encryptionContext: expected a JSON object, not "x"',
        ),
        (
            {**REQUEST, "encryptionContext": {"a": 1}},
            "encryptionContext.a: expected a string, not 1",
        ),
        ({**REQUEST, "encryptionContext": None}, "encryptionContext: expected a JSON object"),
        ({**REQUEST, "context": []}, "context: expected a JSON object, not a list"),
        ({**REQUEST, "context": {"aws:SourceIp": {}}}, "context.aws:SourceIp: expected a string"),
        ({**REQUEST, "context": {"aws:x": [None]}}, "context.aws:x[0]: expected a string"),
        (
            {**REQUEST, "context": {"kms:ViaServce": "x"}},
            "KMS has no condition key 'kms:ViaServce'; did you mean 'kms:ViaService'?",
        ),
        ({**REQUEST, "sessionIssuer": ROLE + "2"}, "sessionIssuer: "),
        (
            {**REQUEST, "principal": "sns.amazonaws.com", "sessionIssuer": ROLE},
            "sessionIssuer: only role sessions and federated users have one",
        ),
        (
            {**REQUEST, "sessionIssuer": f"arn:aws:iam::{ACCOUNT}:user/App"},
            f"is not the ARN of a role of account {ACCOUNT}",
        ),
    ],
)
def test_bad_input_ends_with_two(explain, request_file, message):
    code, text = explain(request_file)

    assert code == 2
    assert message in text


ALIAS = f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/app"


@pytest.mark.parametrize(
    ("action", "resource", "message"),
    [
        ("kms:Encrypt", None, "'resource' is missing: kms:Encrypt is about a key, so it must be"),
        ("kms:Encrypt", "*", "resource: '*' is not the ARN of a key, such as arn:aws:kms:"),
        ("kms:Encrypt", "alias/app", "resource: 'alias/app' is not the ARN of a key, such as"),
        ("kms:Encrypt", ALIAS, f"resource: '{ALIAS}' is not the ARN of a key, such as"),
        ("kms:Encrypt", "k", "resource: 'k' is not the ARN of a key"),
        ("kms:Encrypt", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/*", "is not the ARN of a key"),
        ("kms:Encrypt", "arn:aws:kms:us-east-1:12:key/k", "is not the ARN of a key"),
        ("kms:Encrypt", ROLE, "is not the ARN of a key"),
        ("kms:Encrypt", 7, "resource: expected a string, not 7"),
        ("kms:SynchronizeMultiRegionKey", None, "'resource' is missing"),
        ("kms:DeleteAlias", None, "it must be the ARN of a key or of an alias"),
        ("kms:DeleteAlias", "alias/app", "'alias/app' is not the ARN of a key or of an alias"),
        ("kms:ListKeys", KEY, "kms:ListKeys is not about a key: its resource is '*'"),
    ],
)
def test_the_resource_must_be_what_the_action_is_about(explain, action, resource, message):
    request = {"principal": ROLE, "action": action}
    if resource is not None:
        request["resource"] = resource
    closed = policy(allow("kms:*", **to(f"arn:aws:iam::{ACCOUNT}:user/other")))

    code, text = explain(request, key_policy=closed, identity_policy=policy(allow("kms:*")))

    assert code == 2
    assert message in text


def test_an_alias_is_decided_by_the_identity_policies_alone(explain):
    request = {"principal": ROLE, "action": "kms:DeleteAlias", "resource": ALIAS}
    closed = policy(allow("kms:*", **to(f"arn:aws:iam::{ACCOUNT}:user/other")))

    allowed = explain(request, key_policy=closed, identity_policy=policy(allow("kms:*", ALIAS)))
    denied = explain(request, key_policy=closed, identity_policy=policy(allow("kms:*", KEY)))

    assert (allowed[0], denied[0]) == (0, 1)
    assert "it is not a key, so the key policy and grants do not apply" in allowed[1]


@pytest.mark.parametrize("resource", [{}, {"resource": "*"}], ids=["absent", "*"])
def test_an_action_that_is_not_about_a_key_needs_no_resource(explain, resource):
    request = {"principal": ROLE, "action": "kms:ListKeys", **resource}
    closed = policy({**allow("kms:*", **to("*")), "Effect": "Deny"})

    assert explain(request, key_policy=closed, identity_policy=policy(allow("kms:*")))[0] == 0


def test_an_action_can_be_named_without_its_prefix(explain):
    request = {**REQUEST, "action": "Encrypt"}

    assert explain(request, identity_policy=policy(allow("kms:Encrypt")))[0] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"key_policy": "{}"}, "it needs a Statement"),
        ({"grants": {"Grants": 1}}, "grants.json: Grants: expected a list, not 1"),
    ],
)
def test_bad_policies_and_grants_end_with_two(explain, options, message):
    code, text = explain(REQUEST, **options)

    assert code == 2
    assert message in text


@pytest.mark.parametrize(
    "principal",
    [
        f"arn:aws:iam::{ACCOUNT}:root",
        f"arn:aws:iam::{ACCOUNT}:user/bob",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/App/job",
        "sns.amazonaws.com",
    ],
)
def test_any_caller_can_be_asked_about(explain, principal):
    named = {"Service": principal} if principal.endswith(".com") else {"AWS": principal}
    key_policy = policy(allow("kms:Encrypt", Principal=named))

    assert explain({**REQUEST, "principal": principal}, key_policy=key_policy)[0] == 0


@pytest.mark.parametrize(
    ("option", "kind"),
    [
        ("identity_policy", "an identity-based policy"),
        ("boundary", "a permissions boundary"),
        ("session_policy", "a session policy"),
    ],
)
def test_a_principal_in_a_policy_of_the_caller_is_bad_input(explain, option, kind):
    code, text = explain(REQUEST, **{option: policy(allow("kms:*", **to("*")))})

    assert code == 2
    assert f"has a Principal, which {kind} cannot have" in text
