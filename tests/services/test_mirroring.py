"""Beside moto: users, roles and sessions that moto makes are known to KMS."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import boto3
import pytest

from kmsmock import mock_kms
from tests.authorization.documents import ACCOUNT, allow, deny, policy, to
from tests.refusals import refused

moto = pytest.importorskip("moto")

TRUST = policy(allow("sts:AssumeRole", **to(f"arn:aws:iam::{ACCOUNT}:root")))
MAY_LIST = json.dumps({"Version": "2012-10-17", "Statement": allow("kms:ListKeys")})


@pytest.fixture(params=["moto outside", "moto inside"])
def kms(request, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    first, second = moto.mock_aws(), mock_kms(isolated=True)
    if request.param == "moto inside":
        with second as kms, first:
            yield kms
    else:
        with first, second as kms:
            yield kms


@pytest.fixture
def iam(kms):  # noqa: ARG001 - moto and the mock are active
    return boto3.client("iam", "us-east-1")


@pytest.fixture
def role(iam):
    trust = allow("sts:AssumeRole", **to(f"arn:aws:iam::{ACCOUNT}:root"))
    del trust["Resource"]
    return iam.create_role(RoleName="App", AssumeRolePolicyDocument=policy(trust))["Role"]


def client_with(credentials):
    return boto3.client(
        "kms",
        "us-east-1",
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials.get("SessionToken"),
    )


def assume(role, **more):
    sts = boto3.client("sts", "us-east-1")
    return sts.assume_role(RoleArn=role["Arn"], RoleSessionName="job", **more)


def test_a_session_of_moto_may_do_what_its_role_may(kms, iam, role):
    answer = assume(role)
    client = client_with(answer["Credentials"])
    with refused("AccessDeniedException"):
        client.list_keys()

    iam.put_role_policy(RoleName="App", PolicyName="list", PolicyDocument=MAY_LIST)
    client.list_keys()
    assert kms.calls[-1].caller == answer["AssumedRoleUser"]["Arn"]
    assert kms.principal(role["Arn"]).unique_id == role["RoleId"]


def test_session_policies_given_to_moto_limit_the_session(iam, role):
    iam.put_role_policy(RoleName="App", PolicyName="list", PolicyDocument=MAY_LIST)
    answer = assume(role, Policy=policy(allow("kms:CreateKey")))

    with refused("AccessDeniedException") as caught:
        client_with(answer["Credentials"]).list_keys()
    assert "no session policy allows" in str(caught.value)


def test_an_access_key_of_moto_leads_to_its_user(kms, iam):
    user = iam.create_user(UserName="alice", Path="/team/")["User"]
    client = client_with(iam.create_access_key(UserName="alice")["AccessKey"])
    with refused("AccessDeniedException"):
        client.list_keys()

    iam.create_group(GroupName="team")
    iam.add_user_to_group(GroupName="team", UserName="alice")
    iam.put_group_policy(GroupName="team", PolicyName="list", PolicyDocument=MAY_LIST)
    client.list_keys()
    assert kms.calls[-1].caller == user["Arn"]


def test_managed_policies_of_moto_follow_their_versions(iam, role):
    arn = iam.create_policy(PolicyName="keys", PolicyDocument=MAY_LIST)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="App", PolicyArn=arn)
    client = client_with(assume(role)["Credentials"])
    client.list_keys()

    denying = policy(deny("kms:*"))
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=denying, SetAsDefault=True)
    with refused("AccessDeniedException"):
        client.list_keys()


def test_a_role_of_moto_can_be_named_by_a_key_policy(role):
    kms = boto3.client("kms", "us-east-1")
    root = f"arn:aws:iam::{ACCOUNT}:root"
    document = policy(allow("kms:*", **to(root)), allow("kms:Encrypt", **to(role["Arn"])))
    key_id = kms.create_key(Policy=document)["KeyMetadata"]["KeyId"]

    client_with(assume(role)["Credentials"]).encrypt(KeyId=key_id, Plaintext=b"text")


def test_tokens_of_moto_lead_to_who_asked_for_them(iam, kms):
    iam.create_user(UserName="alice")
    iam.put_user_policy(UserName="alice", PolicyName="list", PolicyDocument=MAY_LIST)
    key = iam.create_access_key(UserName="alice")["AccessKey"]
    sts = boto3.client(
        "sts",
        "us-east-1",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )

    client_with(sts.get_session_token()["Credentials"]).list_keys()
    assert kms.calls[-1].caller == f"arn:aws:iam::{ACCOUNT}:user/alice"


@pytest.mark.parametrize("year", [2020, 2040])
def test_a_session_of_moto_expires_on_the_clock_of_the_mock(year):
    start = datetime(year, 1, 1, tzinfo=timezone.utc)
    with moto.mock_aws(), mock_kms(isolated=True, start_time=start) as kms:
        kms.account(ACCOUNT).role("App", policies=[policy(allow("kms:ListKeys"))])
        session = assume({"Arn": f"arn:aws:iam::{ACCOUNT}:role/App"}, DurationSeconds=900)
        client = client_with(session["Credentials"])
        kms.clock.advance(seconds=899)
        client.list_keys()
        kms.clock.advance(seconds=2)

        with refused("ExpiredTokenException"):
            client.list_keys()


def test_a_deleted_role_of_moto_is_gone_here_too(iam, role):
    client = client_with(assume(role)["Credentials"])
    iam.delete_role(RoleName="App")

    with refused("UnrecognizedClientException"):
        client.list_keys()


@pytest.mark.usefixtures("machine")
def test_a_role_that_moto_knew_before_is_made_when_it_is_first_named():
    with moto.mock_aws():
        iam = boto3.client("iam", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        trust = allow("sts:AssumeRole", **to(f"arn:aws:iam::{ACCOUNT}:root"))
        del trust["Resource"]
        iam.create_role(RoleName="Old", AssumeRolePolicyDocument=policy(trust))
        with mock_kms(isolated=True) as kms:
            iam.put_role_policy(RoleName="Old", PolicyName="list", PolicyDocument=MAY_LIST)

            kms.account(ACCOUNT).role("Old").client().list_keys()


def test_a_change_that_cannot_be_mirrored_is_warned_of():
    arn = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
    with (
        moto.mock_aws(config={"iam": {"load_aws_managed_policies": True}}),
        mock_kms(isolated=True) as kms,
    ):
        iam = kms.client("iam")
        iam.create_user(UserName="alice")
        with pytest.warns(UserWarning, match="AttachUserPolicy was answered by another mock"):
            iam.attach_user_policy(UserName="alice", PolicyArn=arn)


def test_what_moto_has_removed_can_be_made_again():
    made = {
        "create_role": {"RoleName": "App", "AssumeRolePolicyDocument": TRUST},
        "create_user": {"UserName": "Ann"},
        "create_group": {"GroupName": "Team"},
        "create_policy": {"PolicyName": "P", "PolicyDocument": MAY_LIST},
    }
    with mock_kms() as kms:
        for _ in range(2):
            with moto.mock_aws():
                iam = boto3.client("iam", "us-east-1")
                for operation, parameters in made.items():
                    getattr(iam, operation)(**parameters)  # a warning would be an error
                role = iam.get_role(RoleName="App")["Role"]
                iam.put_role_policy(RoleName="App", PolicyName="P", PolicyDocument=MAY_LIST)
                assert kms.principal(role["Arn"]).client("kms").list_keys()["Keys"] == []
