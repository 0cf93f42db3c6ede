"""``kmsmock explain``: decisions about policies in files."""

from __future__ import annotations

import json

import pytest

from kmsmock import cli
from tests.authorization.documents import ACCOUNT, allow, policy, to

KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/App"
REQUEST = {"principal": ROLE, "action": "kms:Encrypt", "resource": KEY}
DELEGATING = policy(allow("kms:*", **to(ACCOUNT)))


@pytest.fixture
def explain(tmp_path, capsys):
    def run(request, *, grants=None, **policies):
        def file(name, content):
            path = tmp_path / name
            path.write_text(content if isinstance(content, str) else json.dumps(content))
            return str(path)

        arguments = ["explain", file("request.json", request)]
        for name, content in policies.items():
            arguments += [f"--{name.replace('_', '-')}", file(name, content)]
        if grants is not None:
            arguments += ["--grants", file("grants.json", grants)]
        code = cli.main(arguments)
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return run


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
        ({"action": "kms:Encrypt"}, "needs a string 'principal'"),
        ({**REQUEST, "principal": "someone"}, "is not a principal that can make requests"),
        ({**REQUEST, "principal": f"arn:aws:iam::{ACCOUNT}:group/x"}, "is not a principal"),
        ({**REQUEST, "action": "kms:Encypt"}, "did you mean 'Encrypt'?"),
        (
            {**REQUEST, "encryptionContxt": {}},
            "unknown member 'encryptionContxt'; a request",
        ),
    ],
)
def test_bad_input_ends_with_two(explain, request_file, message):
    code, text = explain(request_file)

    assert code == 2
    assert message in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"key_policy": "{}"}, "it needs a Statement"),
        ({"grants": {"Grants": 1}}, "expected a list of grants"),
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
