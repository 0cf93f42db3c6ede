"""IAM's policy simulator, answered by the evaluator that decides real calls."""

from __future__ import annotations

import json

import pytest

from kmsmock import mock_kms
from tests.authorization.documents import ACCOUNT, OTHER, allow, deny, policy, to
from tests.refusals import refused

KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/12345678-1234-1234-1234-123456789012"
ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"


@pytest.fixture
def kms():
    with mock_kms(isolated=True) as kms:
        yield kms


@pytest.fixture
def iam(kms):
    return kms.client("iam")


def simulate_custom(iam, *documents, actions=("kms:Decrypt",), **more):
    answer = iam.simulate_custom_policy(
        PolicyInputList=[json.dumps(json.loads(document), indent=1) for document in documents],
        ActionNames=list(actions),
        **more,
    )
    return answer["EvaluationResults"]


def decisions(results):
    return [result["EvalDecision"] for result in results]


def test_each_action_on_each_resource_has_a_result(iam):
    other = KEY[:-1] + "0"
    results = simulate_custom(
        iam,
        policy(allow("kms:Decrypt", resource=KEY), deny("kms:Encrypt")),
        actions=["kms:Decrypt", "kms:Encrypt"],
        ResourceArns=[KEY, other],
    )

    assert decisions(results) == ["allowed", "implicitDeny", "explicitDeny", "explicitDeny"]
    assert [r["EvalResourceName"] for r in results] == [KEY, other, KEY, other]


def test_the_matched_statement_has_its_position_in_the_document(iam):
    document = policy(allow("s3:*"), allow("kms:*"))
    text = json.dumps(json.loads(document), indent=1)
    matched = simulate_custom(iam, document)[0]["MatchedStatements"][0]

    assert matched["SourcePolicyId"] == "PolicyInputList.1"
    lines = text.splitlines()
    start, end = matched["StartPosition"], matched["EndPosition"]
    within = lines[start["Line"] - 1 : end["Line"]]
    within[-1] = within[-1][: end["Column"] - 1]
    within[0] = within[0][start["Column"] - 1 :]
    assert json.loads("\n".join(within)) == json.loads(document)["Statement"][1]


def test_missing_context_keys_are_named_and_given_ones_are_used(iam):
    document = policy(
        allow("kms:Decrypt", Condition={"StringEquals": {"kms:EncryptionContext:tenant": "a"}})
    )

    missing = simulate_custom(iam, document)[0]
    assert missing["EvalDecision"] == "implicitDeny"
    assert missing["MissingContextValues"] == ["kms:EncryptionContext:tenant"]
    entry = {
        "ContextKeyName": "kms:EncryptionContext:tenant",
        "ContextKeyValues": ["a"],
        "ContextKeyType": "string",
    }
    given = simulate_custom(iam, document, ContextEntries=[entry])[0]
    assert given["EvalDecision"] == "allowed"
    assert given["MissingContextValues"] == []


def test_context_keys_of_conditions_and_variables_are_listed(iam):
    document = policy(
        allow("kms:*", resource="arn:aws:kms:*:*:key/${aws:PrincipalTag/key}"),
        allow("kms:Decrypt", Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}}),
    )
    names = iam.get_context_keys_for_custom_policy(PolicyInputList=[document])

    assert names["ContextKeyNames"] == ["aws:PrincipalTag/key", "kms:GrantIsForAWSResource"]


def test_a_principal_is_simulated_with_all_that_it_has(kms, iam):
    user = kms.account(ACCOUNT).user(
        "alice", policies=[policy(allow("kms:*"))], boundary=policy(allow("kms:Decrypt"))
    )
    results = iam.simulate_principal_policy(
        PolicySourceArn=user.arn, ActionNames=["kms:Decrypt", "kms:Encrypt"]
    )["EvaluationResults"]

    assert decisions(results) == ["allowed", "implicitDeny"]
    assert results[1]["PermissionsBoundaryDecisionDetail"] == {
        "AllowedByPermissionsBoundary": False
    }


def test_policies_of_groups_count_for_their_members(iam):
    iam.create_user(UserName="alice")
    iam.create_group(GroupName="team")
    document = policy(allow("kms:Decrypt"))
    iam.put_group_policy(GroupName="team", PolicyName="use", PolicyDocument=document)
    iam.add_user_to_group(GroupName="team", UserName="alice")

    for arn in (ALICE, f"arn:aws:iam::{ACCOUNT}:group/team"):
        results = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["kms:Decrypt"])
        assert decisions(results["EvaluationResults"]) == ["allowed"]


def test_an_organization_has_its_say(kms, iam):
    user = kms.account(ACCOUNT).user("alice", policies=[policy(allow("kms:*"))])
    kms.account(ACCOUNT).join_organization(
        "o-1234567890", service_control=[[policy(allow("*"), deny("kms:Decrypt"))]]
    )
    result = iam.simulate_principal_policy(PolicySourceArn=user.arn, ActionNames=["kms:Decrypt"])

    result = result["EvaluationResults"][0]
    assert result["EvalDecision"] == "explicitDeny"
    assert result["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": False}


def test_a_resource_policy_decides_for_the_caller_that_is_named(kms, iam):
    kms.account(ACCOUNT).user("alice")
    key_policy = policy(allow("kms:Decrypt", **to(ALICE)))
    results = simulate_custom(
        iam,
        policy(allow("s3:*")),
        ResourceArns=[KEY],
        ResourcePolicy=key_policy,
        CallerArn=ALICE,
    )

    assert decisions(results) == ["allowed"]
    assert results[0]["MatchedStatements"][0]["SourcePolicyId"] == "ResourcePolicy"
    with refused("InvalidInput"):
        simulate_custom(iam, policy(allow("s3:*")), ResourceArns=[KEY], ResourcePolicy=key_policy)


def test_an_unknown_principal_is_no_entity(iam):
    with refused("NoSuchEntity"):
        iam.simulate_principal_policy(PolicySourceArn=ALICE, ActionNames=["kms:Decrypt"])


def test_principals_of_other_accounts_cannot_be_simulated(kms):
    user = kms.account(ACCOUNT).user("alice")
    with refused("NoSuchEntity"):
        kms.account(OTHER).client("iam").simulate_principal_policy(
            PolicySourceArn=user.arn, ActionNames=["kms:Decrypt"]
        )


def test_one_boundary_is_simulated_and_no_handling_of_resources(iam):
    with refused("InvalidInput"):
        simulate_custom(
            iam, policy(allow("kms:*")), PermissionsBoundaryPolicyInputList=[policy(allow("*"))] * 2
        )
    with refused("InvalidInput"):
        simulate_custom(iam, policy(allow("kms:*")), ResourceHandlingOption="EC2-VPC-EBS")


@pytest.mark.parametrize("action", ["kms:*", "kms", "Decrypt"])
def test_actions_are_whole_names(iam, action):
    with refused("InvalidInput", f"Invalid Action: {action}"):
        simulate_custom(iam, policy(allow("kms:*")), actions=[action])


def test_what_is_not_understood_is_refused(kms, iam):
    user = kms.account(ACCOUNT).user("alice")
    model = iam.meta.service_model.operation_model("SimulatePrincipalPolicy").input_shape
    if "PolicyExclusionList" not in model.members:
        pytest.skip("this botocore does not know PolicyExclusionList")
    with refused("InvalidInput"):
        iam.simulate_principal_policy(
            PolicySourceArn=user.arn,
            ActionNames=["kms:Decrypt"],
            PolicyExclusionList=[{"PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/any"}],
        )
