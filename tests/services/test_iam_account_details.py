"""IAM's GetAccountAuthorizationDetails, by which a whole account can be read."""

from __future__ import annotations

import json

import pytest

from kmsmock import mock_kms
from tests.authorization.documents import ACCOUNT, OTHER, allow
from tests.refusals import refused

DOCUMENT = {"Version": "2012-10-17", "Statement": allow("kms:ListKeys")}
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": ACCOUNT},
            "Action": "sts:AssumeRole",
        },
    }
)
ADMINISTRATOR_ACCESS = "arn:aws:iam::aws:policy/AdministratorAccess"
MANAGED = f"arn:aws:iam::{ACCOUNT}:policy/Managed"


@pytest.fixture
def kms():
    with mock_kms(isolated=True) as kms:
        yield kms


@pytest.fixture
def iam(kms):
    """A client of an account with one item of each type, apart from its administrator."""
    iam, text = kms.client("iam"), json.dumps(DOCUMENT)
    iam.create_policy(PolicyName="Managed", PolicyDocument=text, Description="why")
    iam.create_group(GroupName="Team")
    iam.put_group_policy(GroupName="Team", PolicyName="of-team", PolicyDocument=text)
    iam.create_user(UserName="ann", Tags=[{"Key": "team", "Value": "x"}])
    iam.add_user_to_group(UserName="ann", GroupName="Team")
    iam.put_user_policy(UserName="ann", PolicyName="of-ann", PolicyDocument=text)
    iam.create_role(
        RoleName="App", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=MANAGED, Description="x"
    )
    iam.put_role_policy(RoleName="App", PolicyName="of-app", PolicyDocument=text)
    iam.attach_role_policy(RoleName="App", PolicyArn=MANAGED)
    return iam


def details(iam, *types, **parameters):
    answer = iam.get_account_authorization_details(
        **parameters, **({"Filter": types} if types else {})
    )
    del answer["ResponseMetadata"]
    return answer


def names(answer):
    return [
        *(user["UserName"] for user in answer["UserDetailList"]),
        *(group["GroupName"] for group in answer["GroupDetailList"]),
        *(role["RoleName"] for role in answer["RoleDetailList"]),
        *(managed["PolicyName"] for managed in answer["Policies"]),
    ]


def test_users_have_their_groups_and_policies(iam):
    user = details(iam)["UserDetailList"][-1]

    known = iam.get_user(UserName="ann")["User"]
    assert user == {
        **known,
        "UserPolicyList": [{"PolicyName": "of-ann", "PolicyDocument": DOCUMENT}],
        "GroupList": ["Team"],
        "AttachedManagedPolicies": [],
    }


def test_groups_have_their_policies(iam):
    [group] = details(iam)["GroupDetailList"]

    assert group == {
        **iam.get_group(GroupName="Team")["Group"],
        "GroupPolicyList": [{"PolicyName": "of-team", "PolicyDocument": DOCUMENT}],
        "AttachedManagedPolicies": [],
    }


def test_roles_have_their_policies_and_boundary(iam):
    [role] = details(iam)["RoleDetailList"]

    known = iam.get_role(RoleName="App")["Role"]
    del known["Description"], known["MaxSessionDuration"]
    assert role == {
        **known,
        "InstanceProfileList": [],
        "RolePolicyList": [{"PolicyName": "of-app", "PolicyDocument": DOCUMENT}],
        "AttachedManagedPolicies": [{"PolicyName": "Managed", "PolicyArn": MANAGED}],
    }
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == MANAGED


def test_managed_policies_have_their_versions(iam):
    iam.create_policy_version(PolicyArn=MANAGED, PolicyDocument=json.dumps(DOCUMENT))

    [managed] = details(iam, "LocalManagedPolicy")["Policies"]

    known = iam.get_policy(PolicyArn=MANAGED)["Policy"]
    versions = managed.pop("PolicyVersionList")
    assert managed == known
    assert [(each["VersionId"], each["IsDefaultVersion"]) for each in versions] == [
        ("v2", False),
        ("v1", True),
    ]
    assert versions[0]["Document"] == DOCUMENT


def test_policies_of_aws_are_those_in_use_in_the_account(kms, iam):
    iam.get_policy(PolicyArn="arn:aws:iam::aws:policy/PowerUserAccess")
    there = kms.account(OTHER).client("iam")
    there.create_role(RoleName="Reader", AssumeRolePolicyDocument=TRUST)
    there.attach_role_policy(RoleName="Reader", PolicyArn=ADMINISTRATOR_ACCESS)

    [managed] = details(iam, "AWSManagedPolicy")["Policies"]

    assert managed["Arn"] == ADMINISTRATOR_ACCESS
    assert managed["AttachmentCount"] == 1


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        (["User"], ["Administrator", "ann"]),
        (["Group"], ["Team"]),
        (["Role"], ["App"]),
        (["LocalManagedPolicy"], ["Managed"]),
        (["AWSManagedPolicy"], ["AdministratorAccess"]),
        (["Role", "Group"], ["Team", "App"]),
        ([], ["Administrator", "ann", "Team", "App", "Managed", "AdministratorAccess"]),
    ],
    ids=lambda value: "-".join(value) or "all",
)
def test_a_filter_names_types(iam, types, expected):
    assert names(details(iam, *types)) == expected


@pytest.mark.parametrize("size", [1, 2, 4, 5])
def test_pages_go_through_all_lists(iam, size):
    pages = list(
        iam.get_paginator("get_account_authorization_details").paginate(
            PaginationConfig={"PageSize": size}
        )
    )

    assert [len(names(page)) for page in pages[:-1]] == [size] * (len(pages) - 1)
    assert [name for page in pages for name in names(page)] == names(details(iam))


def test_an_unknown_type_and_an_unknown_marker_are_refused(iam):
    with refused("ValidationError"):
        details(iam, "Policy")
    with refused("ValidationError", "Invalid Marker."):
        details(iam, Marker="x")


def test_uses_of_a_policy_are_counted_by_account(kms, iam):
    there = kms.account(OTHER).client("iam")
    there.create_role(
        RoleName="Reader",
        AssumeRolePolicyDocument=TRUST,
        PermissionsBoundary=ADMINISTRATOR_ACCESS,
    )
    there.attach_role_policy(RoleName="Reader", PolicyArn=ADMINISTRATOR_ACCESS)

    here = iam.get_policy(PolicyArn=ADMINISTRATOR_ACCESS)["Policy"]

    assert (here["AttachmentCount"], here["PermissionsBoundaryUsageCount"]) == (1, 0)
    assert iam.list_entities_for_policy(PolicyArn=ADMINISTRATOR_ACCESS)["PolicyRoles"] == []


@pytest.mark.usefixtures("iam")
def test_it_needs_its_own_permission(kms):
    role = kms.account(ACCOUNT).role("App")
    with refused("AccessDenied") as caught:
        role.client("iam").get_account_authorization_details()

    assert "iam:GetAccountAuthorizationDetails on resource: *" in str(caught.value)
