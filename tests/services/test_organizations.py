"""Organizations: the organizations that accounts have joined can be read, with their policies."""

from __future__ import annotations

import json

import pytest
from botocore.loaders import Loader

from kmsmock import mock_kms
from tests.authorization.documents import ACCOUNT, OTHER
from tests.refusals import refused

ORGANIZATION, ROOT, UNIT, INNER = "o-exampleorgid", "r-ab12", "ou-ab12-11111111", "ou-ab12-22222222"
THIRD = "333333333333"
ARN = f"arn:aws:organizations::{ACCOUNT}"
FULL = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
SCP, RCP = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"
_MODEL = Loader().load_service_model("organizations", "service-2")
needs_rcp = pytest.mark.skipif(
    RCP not in _MODEL["shapes"]["PolicyType"]["enum"],
    reason="an older botocore does not know resource control policies",
)


def deny(action):
    return {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Deny", "Action": action, "Resource": "*"},
    }


def deny_all(action):
    statement = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": statement}


@pytest.fixture
def kms():
    """A mock whose default account manages an organization with two members."""
    with mock_kms(isolated=True) as kms:
        kms.account(OTHER).join_organization(
            ORGANIZATION,
            path=f"{ROOT}/{UNIT}/{INNER}",
            service_control=[
                FULL,
                [FULL, deny("kms:DisableKey")],
                FULL,
                [FULL, deny("kms:PutKeyPolicy")],
            ],
            resource_control=[deny_all("kms:Decrypt")],
        )
        kms.account(THIRD).join_organization(
            ORGANIZATION,
            path=f"{ROOT}/{UNIT}",
            service_control=[FULL, [FULL, deny("kms:DisableKey")]],
        )
        yield kms


@pytest.fixture
def organizations(kms):
    return kms.client("organizations")


def ids(items, member="Id"):
    return [item[member] for item in items]


# --- structure -----------------------------------------------------------------------------------


@pytest.mark.parametrize("account", [ACCOUNT, OTHER, THIRD])
def test_all_its_accounts_can_describe_the_organization(kms, account):
    client = kms.account(account).client("organizations")

    assert client.describe_organization()["Organization"] == {
        "Id": ORGANIZATION,
        "Arn": f"{ARN}:organization/{ORGANIZATION}",
        "FeatureSet": "ALL",
        "MasterAccountArn": f"{ARN}:account/{ORGANIZATION}/{ACCOUNT}",
        "MasterAccountId": ACCOUNT,
        "AvailablePolicyTypes": [
            {"Type": SCP, "Status": "ENABLED"},
            {"Type": RCP, "Status": "ENABLED"},
        ],
    }


def test_there_is_one_root(organizations):
    [root] = organizations.list_roots()["Roots"]

    assert (root["Id"], root["Arn"], root["Name"]) == (
        ROOT,
        f"{ARN}:root/{ORGANIZATION}/{ROOT}",
        "Root",
    )
    assert ids(root["PolicyTypes"], "Type") == [SCP, RCP]


def test_all_accounts_are_listed_and_described(organizations):
    accounts = organizations.list_accounts()["Accounts"]

    assert ids(accounts) == [ACCOUNT, OTHER, THIRD]
    assert accounts[1] == organizations.describe_account(AccountId=OTHER)["Account"]
    assert accounts[1]["Arn"] == f"{ARN}:account/{ORGANIZATION}/{OTHER}"
    assert accounts[1]["Status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("parent", "units", "accounts"),
    [(ROOT, [UNIT], [ACCOUNT]), (UNIT, [INNER], [THIRD]), (INNER, [], [OTHER])],
)
def test_parents_and_children_are_those_of_the_paths(organizations, parent, units, accounts):
    found = organizations.list_organizational_units_for_parent(ParentId=parent)
    assert ids(found["OrganizationalUnits"]) == units
    assert ids(organizations.list_accounts_for_parent(ParentId=parent)["Accounts"]) == accounts
    for kind, expected in (("ORGANIZATIONAL_UNIT", units), ("ACCOUNT", accounts)):
        children = organizations.list_children(ParentId=parent, ChildType=kind)["Children"]
        assert children == [{"Id": each, "Type": kind} for each in expected]
        for child in expected:
            kind_of_parent = "ROOT" if parent == ROOT else "ORGANIZATIONAL_UNIT"
            assert organizations.list_parents(ChildId=child)["Parents"] == [
                {"Id": parent, "Type": kind_of_parent}
            ]


def test_a_unit_is_described(organizations):
    unit = organizations.describe_organizational_unit(OrganizationalUnitId=INNER)

    assert unit["OrganizationalUnit"]["Arn"] == f"{ARN}:ou/{ORGANIZATION}/{INNER}"


# --- policies ------------------------------------------------------------------------------------


def attached(client, target, kind=SCP):
    """Return the documents of the policies that are attached to a target."""
    policies = client.list_policies_for_target(TargetId=target, Filter=kind)["Policies"]
    return [
        json.loads(client.describe_policy(PolicyId=policy["Id"])["Policy"]["Content"])
        for policy in policies
    ]


def test_each_level_has_its_service_control_policies(organizations):
    assert attached(organizations, ROOT) == [FULL]
    assert attached(organizations, UNIT) == [FULL, deny("kms:DisableKey")]
    assert attached(organizations, INNER) == [FULL]
    assert attached(organizations, OTHER) == [FULL, deny("kms:PutKeyPolicy")]
    assert attached(organizations, THIRD) == [FULL]
    assert attached(organizations, ACCOUNT) == [FULL]


@needs_rcp
def test_the_resource_control_policy_of_aws_is_attached_to_everything(organizations):
    full = deny_all("*")["Statement"] | {"Effect": "Allow"}
    expected = {"Version": "2012-10-17", "Statement": [full]}

    assert attached(organizations, ROOT, RCP) == [deny_all("kms:Decrypt"), expected]
    assert attached(organizations, THIRD, RCP) == [expected]


def test_policies_have_ids_and_arns(organizations):
    policies = organizations.list_policies(Filter=SCP)["Policies"]

    assert policies[0] == {
        "Id": "p-FullAWSAccess",
        "Arn": "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess",
        "Name": "FullAWSAccess",
        "Description": "Allows access to every operation",
        "Type": SCP,
        "AwsManaged": True,
    }
    own = policies[1]
    assert own["Arn"] == f"{ARN}:policy/{ORGANIZATION}/service_control_policy/{own['Id']}"
    assert not own["AwsManaged"]
    assert len(policies) == 3


def test_a_policy_lists_what_it_is_attached_to(organizations):
    [own] = [
        policy["Id"]
        for policy in organizations.list_policies_for_target(TargetId=UNIT, Filter=SCP)["Policies"]
        if not policy["AwsManaged"]
    ]

    assert organizations.list_targets_for_policy(PolicyId=own)["Targets"] == [
        {
            "TargetId": UNIT,
            "Arn": f"{ARN}:ou/{ORGANIZATION}/{UNIT}",
            "Name": UNIT,
            "Type": "ORGANIZATIONAL_UNIT",
        }
    ]
    everywhere = organizations.list_targets_for_policy(PolicyId="p-RCPFullAWSAccess")["Targets"]
    assert ids(everywhere, "TargetId") == [ROOT, ACCOUNT, UNIT, INNER, OTHER, THIRD]


@needs_rcp
def test_a_type_that_is_not_enabled_has_no_attached_policies():
    with mock_kms(isolated=True) as kms:
        kms.account(OTHER).join_organization(ORGANIZATION)
        client = kms.client("organizations")

        [root] = client.list_roots()["Roots"]
        assert root["PolicyTypes"] == []
        assert attached(client, root["Id"]) == attached(client, OTHER, RCP) == []
        assert client.list_policies(Filter="TAG_POLICY")["Policies"] == []


def test_levels_without_a_path_are_units_that_accounts_with_the_same_policies_share():
    levels = [FULL, [FULL, deny("kms:DisableKey")], FULL]
    with mock_kms(isolated=True) as kms:
        for account in (OTHER, THIRD):
            kms.account(account).join_organization(ORGANIZATION, service_control=levels)
        client = kms.client("organizations")

        [root] = client.list_roots()["Roots"]
        [unit] = client.list_organizational_units_for_parent(ParentId=root["Id"])[
            "OrganizationalUnits"
        ]
        members = client.list_accounts_for_parent(ParentId=unit["Id"])["Accounts"]
        assert ids(members) == [OTHER, THIRD]
        assert attached(client, unit["Id"]) == [FULL, deny("kms:DisableKey")]


# --- who may call, pages, errors ---------------------------------------------------------------


def test_an_account_in_no_organization_has_none(kms):
    client = kms.account("444444444444").client("organizations")

    for call in (client.describe_organization, client.list_roots):
        with refused(
            "AWSOrganizationsNotInUseException", "Your account is not a member of an organization."
        ):
            call()


def test_member_accounts_cannot_read_the_others(kms):
    client = kms.account(OTHER).client("organizations")

    with refused(
        "AccessDeniedException", "You don't have permissions to access this resource."
    ) as caught:
        client.list_accounts()

    assert caught.value.__notes__ == [
        f"Only the management account, {ACCOUNT}, may call ListAccounts."
    ]


def test_an_organization_of_the_default_account_has_another_management_account():
    with mock_kms(isolated=True) as kms:
        kms.account(ACCOUNT).join_organization(ORGANIZATION)
        organization = kms.client("organizations").describe_organization()["Organization"]
        manager = organization["MasterAccountId"]

        accounts = kms.account(manager).client("organizations").list_accounts()["Accounts"]

    assert ids(accounts) == [manager, ACCOUNT]


def test_iam_policies_decide_who_may_call(kms):
    statement = {
        "Effect": "Allow",
        "Action": "organizations:Describe*",
        "Resource": f"{ARN}:account/{ORGANIZATION}/{OTHER}",
    }
    role = kms.account(ACCOUNT).role("Reader", policies={"Statement": statement})
    client = role.client("organizations")

    assert client.describe_account(AccountId=OTHER)["Account"]["Id"] == OTHER
    with refused("AccessDeniedException") as caught:
        client.describe_account(AccountId=THIRD)
    assert f"organizations:DescribeAccount on resource: {ARN}:account" in str(caught.value)


def test_lists_have_pages(organizations):
    pages = list(
        organizations.get_paginator("list_accounts").paginate(PaginationConfig={"PageSize": 2})
    )

    assert [ids(page["Accounts"]) for page in pages] == [[ACCOUNT, OTHER], [THIRD]]
    token = organizations.list_children(ParentId=ROOT, ChildType="ACCOUNT", MaxResults=1)
    assert "NextToken" not in token
    with refused("InvalidInputException"):
        organizations.list_roots(NextToken=pages[0]["NextToken"])


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        ("describe_account", {"AccountId": "444444444444"}, "AccountNotFoundException"),
        ("list_parents", {"ChildId": "444444444444"}, "ChildNotFoundException"),
        (
            "list_children",
            {"ParentId": "r-none", "ChildType": "ACCOUNT"},
            "ParentNotFoundException",
        ),
        ("list_accounts_for_parent", {"ParentId": "r-none"}, "ParentNotFoundException"),
        (
            "list_organizational_units_for_parent",
            {"ParentId": "ou-none-12345678"},
            "ParentNotFoundException",
        ),
        (
            "describe_organizational_unit",
            {"OrganizationalUnitId": "ou-none-12345678"},
            "OrganizationalUnitNotFoundException",
        ),
        ("describe_policy", {"PolicyId": "p-12345678"}, "PolicyNotFoundException"),
        ("list_targets_for_policy", {"PolicyId": "p-12345678"}, "PolicyNotFoundException"),
        (
            "list_policies_for_target",
            {"TargetId": "r-none", "Filter": SCP},
            "TargetNotFoundException",
        ),
        ("list_policies", {"Filter": "NO_POLICY"}, "ValidationException"),
    ],
)
def test_what_does_not_exist_is_an_error(organizations, operation, parameters, code):
    with refused(code):
        getattr(organizations, operation)(**parameters)


def test_what_changes_an_organization_is_not_emulated(organizations):
    with refused("UnsupportedOperationException") as caught:
        organizations.create_organizational_unit(ParentId=ROOT, Name="team")

    assert "CreateOrganizationalUnit of organizations is not emulated" in caught.value.__notes__[0]
