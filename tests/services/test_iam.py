"""Identity and Access Management: what is made there decides about keys."""

from __future__ import annotations

import json

import boto3
import pytest
from botocore.config import Config

from kmsmock import mock_kms
from kmsmock.identities import iam_names
from tests.authorization.documents import ACCOUNT, OTHER, allow, deny, policy, to
from tests.refusals import refused

ADMINISTRATOR_ACCESS = "arn:aws:iam::aws:policy/AdministratorAccess"
LIST_KEYS = json.dumps({"Version": "2012-10-17", "Statement": allow("kms:ListKeys")})


def trust_policy(principal):
    statement = allow("sts:AssumeRole", **to(principal))
    del statement["Resource"]
    return policy(statement)


TRUST = trust_policy(f"arn:aws:iam::{ACCOUNT}:root")


@pytest.fixture
def kms():
    with mock_kms(isolated=True) as kms:
        yield kms


@pytest.fixture
def iam(kms):
    return kms.client("iam")


@pytest.fixture
def user(iam):
    return iam.create_user(UserName="alice")["User"]


@pytest.fixture
def role(iam):
    return iam.create_role(RoleName="App", AssumeRolePolicyDocument=TRUST)["Role"]


def client_of(iam, name, service="kms"):
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return boto3.client(
        service,
        "us-east-1",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )


# --- users ------------------------------------------------------------------------------------


def test_a_user_has_its_path_id_and_tags(iam):
    tags = [{"Key": "team", "Value": "a"}]
    made = iam.create_user(UserName="alice", Path="/team/", Tags=tags)["User"]

    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/team/alice"
    assert made["UserId"].startswith("AIDA")
    assert made["Tags"] == tags
    assert iam.get_user(UserName="alice")["User"] == made
    brief = {name: made[name] for name in ("Path", "UserName", "UserId", "Arn", "CreateDate")}
    assert brief in iam.list_users()["Users"]
    assert iam.list_users(PathPrefix="/team/")["Users"] == [brief]


def test_get_user_without_a_name_is_who_calls(iam, user):
    assert client_of(iam, "alice", "iam") is not None
    iam.attach_user_policy(UserName="alice", PolicyArn=ADMINISTRATOR_ACCESS)

    assert client_of(iam, "alice", "iam").get_user()["User"] == user


@pytest.mark.usefixtures("user")
def test_names_are_taken_in_any_case_and_path(iam):
    with refused("EntityAlreadyExists", "User with name ALICE already exists."):
        iam.create_user(UserName="ALICE", Path="/other/")


def test_bad_names_are_refused(iam):
    with refused(
        "ValidationError",
        "The specified value for userName is invalid. It must contain only alphanumeric "
        "characters and/or the following: +=,.@_-",
    ):
        iam.create_user(UserName="a b")


def test_limits_of_the_model_are_checked(iam):
    name = "a" * 65
    with refused(
        "ValidationError",
        f"1 validation error detected: Value '{name}' at 'userName' failed to satisfy "
        "constraint: Member must have length less than or equal to 64",
    ):
        iam.create_user(UserName=name)


@pytest.mark.usefixtures("user")
def test_an_inline_policy_lets_a_user_in_and_its_deletion_keeps_it_out(iam):
    client = client_of(iam, "alice")
    with refused("AccessDeniedException"):
        client.list_keys()

    iam.put_user_policy(UserName="alice", PolicyName="list", PolicyDocument=LIST_KEYS)
    client.list_keys()
    shown = iam.get_user_policy(UserName="alice", PolicyName="list")
    assert shown["PolicyDocument"] == json.loads(LIST_KEYS)
    assert iam.list_user_policies(UserName="alice")["PolicyNames"] == ["list"]

    iam.delete_user_policy(UserName="alice", PolicyName="list")
    with refused("AccessDeniedException"):
        client.list_keys()
    assert iam.list_user_policies(UserName="alice")["PolicyNames"] == []


@pytest.mark.usefixtures("user")
def test_an_access_key_can_be_switched_off_on_and_deleted(iam):
    iam.put_user_policy(UserName="alice", PolicyName="list", PolicyDocument=LIST_KEYS)
    client = client_of(iam, "alice")
    key_id = iam.list_access_keys(UserName="alice")["AccessKeyMetadata"][0]["AccessKeyId"]
    named = {"UserName": "alice", "AccessKeyId": key_id}
    text = "The security token included in the request is invalid."

    iam.update_access_key(**named, Status="Inactive")
    with refused("UnrecognizedClientException", text):
        client.list_keys()
    assert iam.list_access_keys(UserName="alice")["AccessKeyMetadata"][0]["Status"] == "Inactive"
    iam.update_access_key(**named, Status="Active")
    client.list_keys()
    iam.delete_access_key(**named)
    with refused("UnrecognizedClientException", text):
        client.list_keys()
    with refused("NoSuchEntity", f"The Access Key with id {key_id} cannot be found."):
        iam.delete_access_key(**named)


@pytest.mark.usefixtures("user")
def test_a_user_has_two_access_keys_at_most(iam):
    for _ in range(2):
        iam.create_access_key(UserName="alice")

    with refused("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2"):
        iam.create_access_key(UserName="alice")


def test_a_user_can_be_deleted_once_nothing_belongs_to_it(kms, iam, user):
    key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
    kms.client().create_grant(
        KeyId=key_id, GranteePrincipal=user["Arn"], Operations=["Decrypt", "Encrypt"]
    )
    iam.create_group(GroupName="team")
    iam.add_user_to_group(GroupName="team", UserName="alice")
    iam.put_user_policy(UserName="alice", PolicyName="list", PolicyDocument=LIST_KEYS)
    iam.attach_user_policy(UserName="alice", PolicyArn=ADMINISTRATOR_ACCESS)
    key = iam.create_access_key(UserName="alice")["AccessKey"]

    with refused("DeleteConflict", "Cannot delete entity, must delete access keys first."):
        iam.delete_user(UserName="alice")
    iam.delete_access_key(UserName="alice", AccessKeyId=key["AccessKeyId"])
    with refused("DeleteConflict", "Cannot delete entity, must detach all policies first."):
        iam.delete_user(UserName="alice")
    iam.detach_user_policy(UserName="alice", PolicyArn=ADMINISTRATOR_ACCESS)
    with refused("DeleteConflict", "Cannot delete entity, must delete policies first."):
        iam.delete_user(UserName="alice")
    iam.delete_user_policy(UserName="alice", PolicyName="list")
    with refused("DeleteConflict", "Cannot delete entity, must remove users from group first."):
        iam.delete_user(UserName="alice")
    iam.remove_user_from_group(GroupName="team", UserName="alice")
    iam.delete_user(UserName="alice")

    with refused("NoSuchEntity", "The user with name alice cannot be found."):
        iam.get_user(UserName="alice")
    grants = kms.client().list_grants(KeyId=key_id)["Grants"]
    assert grants[0]["GranteePrincipal"] == user["UserId"]


def test_a_user_made_again_is_somebody_else(kms, iam, user):
    key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
    kms.client().create_grant(
        KeyId=key_id, GranteePrincipal=user["Arn"], Operations=["Encrypt", "Decrypt"]
    )
    client_of(iam, "alice").encrypt(KeyId=key_id, Plaintext=b"text")
    for key in iam.list_access_keys(UserName="alice")["AccessKeyMetadata"]:
        iam.delete_access_key(UserName="alice", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="alice")

    assert iam.create_user(UserName="alice")["User"]["UserId"] != user["UserId"]
    with refused("AccessDeniedException"):
        client_of(iam, "alice").encrypt(KeyId=key_id, Plaintext=b"text")


# --- groups -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("user")
def test_members_of_a_group_may_do_what_its_policies_allow(iam):
    group = iam.create_group(GroupName="team", Path="/x/")["Group"]
    assert group["Arn"] == f"arn:aws:iam::{ACCOUNT}:group/x/team"
    client = client_of(iam, "alice")

    iam.add_user_to_group(GroupName="team", UserName="alice")
    iam.put_group_policy(GroupName="team", PolicyName="list", PolicyDocument=LIST_KEYS)
    client.list_keys()
    assert iam.list_groups_for_user(UserName="alice")["Groups"] == [group]
    assert [u["UserName"] for u in iam.get_group(GroupName="team")["Users"]] == ["alice"]

    iam.remove_user_from_group(GroupName="team", UserName="alice")
    with refused("AccessDeniedException"):
        client.list_keys()


@pytest.mark.usefixtures("user")
def test_a_group_can_be_deleted_once_it_is_empty(iam):
    iam.create_group(GroupName="team")
    iam.add_user_to_group(GroupName="team", UserName="alice")
    iam.attach_group_policy(GroupName="team", PolicyArn=ADMINISTRATOR_ACCESS)

    with refused("DeleteConflict", "Cannot delete entity, must remove users from group first."):
        iam.delete_group(GroupName="team")
    iam.remove_user_from_group(GroupName="team", UserName="alice")
    with refused("DeleteConflict", "Cannot delete entity, must detach all policies first."):
        iam.delete_group(GroupName="team")
    iam.detach_group_policy(GroupName="team", PolicyArn=ADMINISTRATOR_ACCESS)
    iam.delete_group(GroupName="team")

    assert iam.list_groups()["Groups"] == []


# --- roles ------------------------------------------------------------------------------------


def test_a_role_shows_what_it_was_made_with(iam):
    boundary = iam.create_policy(PolicyName="edge", PolicyDocument=LIST_KEYS)["Policy"]["Arn"]
    made = iam.create_role(
        RoleName="App",
        Path="/service/",
        AssumeRolePolicyDocument=TRUST,
        Description="of the app",
        MaxSessionDuration=7200,
        PermissionsBoundary=boundary,
        Tags=[{"Key": "team", "Value": "a"}],
    )["Role"]

    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/service/App"
    assert made["RoleId"].startswith("AROA")
    assert made["AssumeRolePolicyDocument"] == json.loads(TRUST)
    assert made["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
    shown = iam.get_role(RoleName="App")["Role"]
    assert (shown["Description"], shown["MaxSessionDuration"]) == ("of the app", 7200)
    assert [r["RoleName"] for r in iam.list_roles(PathPrefix="/service/")["Roles"]] == ["App"]


def test_a_role_is_assumed_by_whom_its_trust_policy_names(kms, iam, role):
    iam.put_role_policy(RoleName="App", PolicyName="list", PolicyDocument=LIST_KEYS)
    sts = kms.client("sts")

    assumed = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="job")
    credentials = assumed["Credentials"]
    client = boto3.client(
        "kms",
        "us-east-1",
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )
    client.list_keys()
    assert assumed["AssumedRoleUser"]["AssumedRoleId"] == f"{role['RoleId']}:job"

    iam.update_assume_role_policy(
        RoleName="App", PolicyDocument=trust_policy(f"arn:aws:iam::{OTHER}:root")
    )
    with refused("AccessDenied"):
        sts.assume_role(RoleArn=role["Arn"], RoleSessionName="job")


def test_a_session_lasts_as_long_as_its_role_allows(kms, iam, role):
    sts = kms.client("sts")
    with refused(
        "ValidationError",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    ):
        sts.assume_role(RoleArn=role["Arn"], RoleSessionName="job", DurationSeconds=7200)

    iam.update_role(RoleName="App", MaxSessionDuration=7200)
    sts.assume_role(RoleArn=role["Arn"], RoleSessionName="job", DurationSeconds=7200)


@pytest.mark.parametrize("element", ["Resource", "NotResource"])
@pytest.mark.usefixtures("role")
def test_a_trust_policy_has_no_resource(iam, element):
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ACCOUNT}}
    document = policy({**statement, element: "*"})

    with refused("MalformedPolicyDocument", "Has prohibited field Resource"):
        iam.create_role(RoleName="Other", AssumeRolePolicyDocument=document)
    with refused("MalformedPolicyDocument", "Has prohibited field Resource"):
        iam.update_assume_role_policy(RoleName="App", PolicyDocument=document)


def test_a_trust_policy_names_principals_that_exist(iam):
    arn = f"arn:aws:iam::{ACCOUNT}:user/nobody"
    with refused("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{arn}"'):
        iam.create_role(RoleName="App", AssumeRolePolicyDocument=trust_policy(arn))


def test_a_trust_policy_allows_nobody_after_its_principal_was_deleted_and_recreated(kms, iam):
    caller = kms.account(ACCOUNT).role("Caller", policies=[policy(allow("*"))])
    iam.create_role(RoleName="App", AssumeRolePolicyDocument=trust_policy(caller.arn))
    arn = iam.get_role(RoleName="App")["Role"]["Arn"]
    caller.client("sts").assume_role(RoleArn=arn, RoleSessionName="job")

    caller.delete()
    again = kms.account(ACCOUNT).role("Caller", policies=[policy(allow("*"))])
    with refused("AccessDenied"):
        again.client("sts").assume_role(RoleArn=arn, RoleSessionName="job")


def test_a_role_of_iam_is_the_one_that_tests_hold(kms, iam, role):
    held = kms.account(ACCOUNT).role("App")
    iam.put_role_policy(RoleName="App", PolicyName="list", PolicyDocument=LIST_KEYS)

    assert (held.arn, held.unique_id) == (role["Arn"], role["RoleId"])
    held.client().list_keys()


def test_a_role_of_a_test_is_there_in_iam(kms, iam):
    held = kms.account(ACCOUNT).role("Held", policies=[LIST_KEYS], path="/x/")

    assert iam.get_role(RoleName="Held")["Role"]["Arn"] == held.arn
    assert iam.list_role_policies(RoleName="Held")["PolicyNames"] == ["policy 1"]


# --- managed policies -------------------------------------------------------------------------


@pytest.mark.usefixtures("user", "role")
def test_a_change_of_version_changes_what_all_holders_may_do(kms, iam):
    managed = iam.create_policy(PolicyName="keys", PolicyDocument=LIST_KEYS)["Policy"]
    arn = managed["Arn"]
    iam.attach_user_policy(UserName="alice", PolicyArn=arn)
    iam.attach_role_policy(RoleName="App", PolicyArn=arn)
    alice = client_of(iam, "alice")
    app = kms.account(ACCOUNT).role("App").client()
    alice.list_keys()
    app.list_keys()

    denying = policy(allow("*"), deny("kms:ListKeys"))
    version = iam.create_policy_version(PolicyArn=arn, PolicyDocument=denying, SetAsDefault=True)
    assert version["PolicyVersion"]["VersionId"] == "v2"
    for client in (alice, app):
        with refused("AccessDeniedException") as caught:
            client.list_keys()
        assert caught.value.response["Error"]["Message"].endswith(
            f"with an explicit deny in an identity-based policy: {arn}"
        )

    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    app.list_keys()
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 2
    entities = iam.list_entities_for_policy(PolicyArn=arn)
    assert [entities["PolicyUsers"][0]["UserName"], entities["PolicyRoles"][0]["RoleName"]] == [
        "alice",
        "App",
    ]


def test_versions_of_a_policy_are_limited_and_the_default_stays(iam):
    arn = iam.create_policy(PolicyName="keys", PolicyDocument=LIST_KEYS)["Policy"]["Arn"]
    for _ in range(4):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=LIST_KEYS)

    with refused(
        "LimitExceeded",
        "A managed policy can have up to 5 versions. Before you create a new version, you must "
        "delete an existing version.",
    ):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=LIST_KEYS)
    with refused("DeleteConflict", "Cannot delete the default version of a policy."):
        iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    iam.delete_policy_version(PolicyArn=arn, VersionId="v5")
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=LIST_KEYS)
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [version["VersionId"] for version in versions] == ["v6", "v4", "v3", "v2", "v1"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId="v6")["PolicyVersion"]["Document"]
    assert document == json.loads(LIST_KEYS)


@pytest.mark.usefixtures("role")
def test_a_policy_in_use_cannot_be_deleted(iam):
    arn = iam.create_policy(PolicyName="keys", PolicyDocument=LIST_KEYS)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="App", PolicyArn=arn)

    with refused("DeleteConflict", "Cannot delete a policy attached to entities."):
        iam.delete_policy(PolicyArn=arn)
    iam.detach_role_policy(RoleName="App", PolicyArn=arn)
    iam.put_role_permissions_boundary(RoleName="App", PermissionsBoundary=arn)
    with refused("DeleteConflict", "Cannot delete a policy attached to entities."):
        iam.delete_policy(PolicyArn=arn)
    iam.delete_role_permissions_boundary(RoleName="App")
    iam.delete_policy(PolicyArn=arn)
    with refused("NoSuchEntity", f"Policy {arn} was not found."):
        iam.get_policy(PolicyArn=arn)
    assert iam.list_policies(Scope="Local")["Policies"] == []


@pytest.mark.usefixtures("role")
def test_a_boundary_limits_a_role(kms, iam):
    iam.attach_role_policy(RoleName="App", PolicyArn=ADMINISTRATOR_ACCESS)
    arn = iam.create_policy(PolicyName="edge", PolicyDocument=LIST_KEYS)["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="App", PermissionsBoundary=arn)
    client = kms.account(ACCOUNT).role("App").client()

    client.list_keys()
    with refused("AccessDeniedException") as caught:
        client.create_key()
    assert "no permissions boundary allows" in str(caught.value)
    iam.create_policy_version(
        PolicyArn=arn, PolicyDocument=policy(allow("kms:*")), SetAsDefault=True
    )
    client.create_key()


@pytest.mark.parametrize(
    "name",
    [
        "AdministratorAccess",
        "PowerUserAccess",
        "ReadOnlyAccess",
        "AWSKeyManagementServicePowerUser",
    ],
)
@pytest.mark.usefixtures("role")
def test_policies_that_aws_manages_can_be_attached_but_not_changed(kms, iam, name):
    arn = f"arn:aws:iam::aws:policy/{name}"
    iam.attach_role_policy(RoleName="App", PolicyArn=arn)

    kms.account(ACCOUNT).role("App").client().list_keys()
    attached = iam.list_attached_role_policies(RoleName="App")["AttachedPolicies"]
    assert attached == [{"PolicyName": name, "PolicyArn": arn}]
    with refused("AccessDenied"):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=LIST_KEYS)


@pytest.mark.usefixtures("role")
def test_an_unknown_managed_policy_cannot_be_attached(iam):
    arn = "arn:aws:iam::aws:policy/Unheard"
    with refused("NoSuchEntity", f"Policy {arn} does not exist or is not attachable."):
        iam.attach_role_policy(RoleName="App", PolicyArn=arn)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("{", "Syntax errors in policy."),
        (policy(), "Syntax errors in policy."),
        (
            policy({"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": "*"}),
            "Policy document should not specify a principal.",
        ),
        (
            policy({"Effect": "Allow", "Action": "kms:*"}),
            "Policy statement must contain resources.",
        ),
        (
            policy({"Effect": "Allow", "Resource": "*"}),
            "Policy statement must contain actions.",
        ),
        (
            policy({"Effect": "Allow", "Action": "Decrypt", "Resource": "*"}),
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        ),
        (
            policy({"Effect": "Allow", "Action": "kms:*", "Resource": "key"}),
            'Resource key must be in ARN format or "*".',
        ),
    ],
    ids=["JSON", "empty", "principal", "no resource", "no action", "no vendor", "no ARN"],
)
@pytest.mark.usefixtures("user")
def test_malformed_policies_are_refused_in_the_words_of_iam(iam, document, text):
    with refused("MalformedPolicyDocument", text):
        iam.put_user_policy(UserName="alice", PolicyName="bad", PolicyDocument=document)
    with refused("MalformedPolicyDocument", text):
        iam.create_policy(PolicyName="bad", PolicyDocument=document)


@pytest.mark.usefixtures("user")
def test_inline_policies_of_a_user_have_2048_characters_together(iam):
    names = ["kms:" + "A" * 200 + "B" * n for n in range(9)]
    long = policy(allow(names))
    iam.put_user_policy(UserName="alice", PolicyName="long", PolicyDocument=long)
    iam.put_user_policy(UserName="alice", PolicyName="long", PolicyDocument=long)

    with refused("LimitExceeded", "Maximum policy size of 2048 bytes exceeded for user alice"):
        iam.put_user_policy(UserName="alice", PolicyName="more", PolicyDocument=LIST_KEYS)


# --- tags, pages, permissions -----------------------------------------------------------------


@pytest.mark.parametrize("word", ["user", "role", "policy"])
@pytest.mark.usefixtures("user", "role")
def test_tags_are_added_listed_and_taken_away(iam, word):
    arn = iam.create_policy(PolicyName="keys", PolicyDocument=LIST_KEYS)["Policy"]["Arn"]
    named = {
        "user": {"UserName": "alice"},
        "role": {"RoleName": "App"},
        "policy": {"PolicyArn": arn},
    }[word]
    tags = [{"Key": "team", "Value": "a"}, {"Key": "stage", "Value": "test"}]

    getattr(iam, f"tag_{word}")(**named, Tags=tags)
    assert getattr(iam, f"list_{word}_tags")(**named)["Tags"] == tags
    getattr(iam, f"untag_{word}")(**named, TagKeys=["team"])
    assert getattr(iam, f"list_{word}_tags")(**named)["Tags"] == tags[1:]


def test_tags_are_checked_wherever_they_are_given(iam):
    twice = [{"Key": "team", "Value": "a"}, {"Key": "Team", "Value": "b"}]
    many = [{"Key": f"k{n}", "Value": "v"} for n in range(50)]
    text = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
    with refused("InvalidInput", text):
        iam.create_user(UserName="alice", Tags=twice)

    iam.create_user(UserName="alice", Tags=many)
    with refused("LimitExceeded", "Cannot exceed quota for TagsPerUser: 50"):
        iam.tag_user(UserName="alice", Tags=[{"Key": "one more", "Value": "v"}])
    with refused("InvalidInput", text):
        iam.create_policy(PolicyName="keys", PolicyDocument=LIST_KEYS, Tags=twice)


@pytest.mark.usefixtures("role")
def test_tags_of_a_role_are_tags_of_the_principal(kms, iam):
    condition = {"StringEquals": {"aws:PrincipalTag/team": "a"}}
    document = policy(allow("kms:ListKeys", Condition=condition))
    iam.put_role_policy(RoleName="App", PolicyName="team", PolicyDocument=document)
    client = kms.account(ACCOUNT).role("App").client()
    with refused("AccessDeniedException"):
        client.list_keys()

    iam.tag_role(RoleName="App", Tags=[{"Key": "team", "Value": "a"}])
    client.list_keys()


def test_lists_come_in_pages(iam):
    for number in range(5):
        iam.create_group(GroupName=f"g{number}")

    pages = list(iam.get_paginator("list_groups").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page["Groups"]) for page in pages] == [2, 2, 1]
    with refused("ValidationError"):
        iam.list_groups(Marker="nonsense")


@pytest.mark.usefixtures("user")
def test_a_caller_without_permission_for_iam_gets_an_explanation(iam):
    client = client_of(iam, "alice", "iam")
    alice = f"arn:aws:iam::{ACCOUNT}:user/alice"
    with refused(
        "AccessDenied",
        f"User: {alice} is not authorized to perform: iam:DeleteUser on resource: {alice} because "
        "no identity-based policy allows the iam:DeleteUser action",
    ) as caught:
        client.delete_user(UserName="alice")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert "the caller has none" in caught.value.__notes__[0]

    may = policy(allow("iam:*User*"))
    iam.put_user_policy(UserName="alice", PolicyName="iam", PolicyDocument=may)
    client.get_user(UserName="alice")


def test_accounts_do_not_see_each_other(kms, role):
    other = kms.account(OTHER).client("iam")

    assert other.list_roles()["Roles"] == []
    with refused("NoSuchEntity", "The role with name App cannot be found."):
        other.get_role(RoleName=role["RoleName"])
    other.create_role(RoleName="App", AssumeRolePolicyDocument=TRUST)


def test_what_is_not_emulated_says_so(iam):
    with refused("InvalidAction") as caught:
        iam.create_saml_provider(SAMLMetadataDocument="x" * 1000, Name="idp")
    assert "CreateSAMLProvider of iam is not emulated" in caught.value.__notes__[0]


def test_with_iam_left_out_its_calls_go_elsewhere():
    with mock_kms(services=("kms",)), pytest.raises(Exception, match=r"(?i)connect|credentials"):
        boto3.client(
            "iam",
            "us-east-1",
            endpoint_url="http://127.0.0.1:9",
            config=Config(retries={"max_attempts": 1}),
        ).list_users()


@pytest.mark.parametrize(
    ("service", "operation", "member", "limits"),
    [
        ("iam", "CreateUser", "UserName", iam_names.USER_NAME),
        ("iam", "CreateRole", "RoleName", iam_names.ROLE_NAME),
        ("iam", "CreateGroup", "GroupName", iam_names.GROUP_NAME),
        ("iam", "CreatePolicy", "PolicyName", iam_names.POLICY_NAME),
        ("sts", "AssumeRole", "RoleSessionName", iam_names.ROLE_SESSION_NAME),
        ("sts", "GetFederationToken", "Name", iam_names.FEDERATED_USER_NAME),
    ],
)
def test_names_have_the_limits_of_the_model_wherever_they_are_given(
    service: str, operation: str, member: str, limits: iam_names.NameLimits
) -> None:
    with mock_kms() as kms:
        model = kms.client(service).meta.service_model.operation_model(operation)
    metadata = model.input_shape.members[member].metadata

    assert (limits.low, limits.high) == (metadata["min"], metadata["max"])
    assert metadata["pattern"].rstrip("+*") == iam_names.VALID_NAME.pattern.rstrip("+")
