"""Security Token Service: callers, and sessions of roles."""

from __future__ import annotations

import boto3
import pytest

from kmsmock import mock_kms
from tests.authorization.documents import ACCOUNT, OTHER, allow, deny, policy, to
from tests.refusals import refused

ROLE = f"arn:aws:iam::{ACCOUNT}:role/App"
EVERYTHING = policy(allow("*"))


@pytest.fixture(params=["before-call", "wire"])
def kms(request):
    with mock_kms(isolated=True, wire=request.param == "wire") as kms:
        yield kms


@pytest.fixture
def role(kms):
    return kms.account(ACCOUNT).role("App", policies=[EVERYTHING])


@pytest.fixture
def sts(kms):
    return kms.client("sts")


def client_with(credentials, service="kms"):
    return boto3.client(
        service,
        "us-east-1",
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def trust_policy(principal, action="sts:AssumeRole", **more):
    statement = allow(action, **to(principal), **more)
    del statement["Resource"]
    return policy(statement)


def assume(client, arn=ROLE, **parameters):
    return client.assume_role(RoleArn=arn, RoleSessionName="job", **parameters)


def denial_message(caller, arn=ROLE):
    return f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {arn}"


def test_a_client_without_credentials_is_an_administrator(sts):
    answer = sts.get_caller_identity()

    assert answer["Account"] == ACCOUNT
    assert answer["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/Administrator"
    assert answer["UserId"].startswith("AIDA")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_anybody_may_ask_who_they_are(kms):
    role = kms.account(OTHER).role("Powerless", path="/team/", session="job")

    answer = role.client("sts").get_caller_identity()

    assert answer["Arn"] == f"arn:aws:sts::{OTHER}:assumed-role/Powerless/job"
    assert answer["UserId"] == f"{role.unique_id}:job"


@pytest.mark.usefixtures("role")
def test_an_assumed_role_makes_calls_as_its_session(kms, sts):
    answer = assume(sts)

    assert answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/App/job"
    assert answer["AssumedRoleUser"]["AssumedRoleId"].endswith(":job")
    assert answer["Credentials"]["AccessKeyId"].startswith("ASIA")
    client_with(answer["Credentials"]).list_keys()
    assert kms.calls[-1].caller == answer["AssumedRoleUser"]["Arn"]
    who = client_with(answer["Credentials"], "sts").get_caller_identity()
    assert who["Arn"] == answer["AssumedRoleUser"]["Arn"]


@pytest.mark.usefixtures("role")
def test_credentials_expire_on_the_clock_of_the_mock(kms, sts):
    answer = assume(sts, DurationSeconds=900)
    client = client_with(answer["Credentials"])
    kms.clock.advance(seconds=899)
    client.list_keys()
    kms.clock.advance(seconds=2)

    with refused("ExpiredTokenException", "The security token included in the request is expired"):
        client.list_keys()


@pytest.mark.usefixtures("role")
def test_a_session_policy_limits_the_session_alone(sts):
    limited = assume(sts, Policy=policy(allow("kms:ListKeys")))
    plain = assume(sts)

    assert limited["PackedPolicySize"] > 0
    client_with(limited["Credentials"]).list_keys()
    with refused("AccessDeniedException"):
        client_with(limited["Credentials"]).create_key()
    client_with(plain["Credentials"]).create_key()


@pytest.mark.usefixtures("role")
def test_a_session_policy_can_be_one_that_aws_manages(sts):
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    answer = assume(sts, PolicyArns=[{"arn": arn}])

    client_with(answer["Credentials"]).list_keys()
    with refused("AccessDeniedException"):
        client_with(answer["Credentials"]).create_key()


def test_a_role_without_trust_policy_is_left_to_its_account(kms, role):
    stranger = kms.account(OTHER).user("eve", policies=[EVERYTHING])
    powerless = kms.account(ACCOUNT).user("bob")

    assert assume(kms.account(ACCOUNT).user("ann", policies=[EVERYTHING]).client("sts"))
    for user in (stranger, powerless):
        with refused("AccessDenied", denial_message(user.arn, role.arn)):
            assume(user.client("sts"))


def test_a_role_of_another_account_needs_trust_and_permission(kms, role):
    user = kms.account(OTHER).user("eve")
    role.set_trust(trust_policy(OTHER))

    with refused("AccessDenied", denial_message(user.arn)):
        assume(user.client("sts"))

    user.set_policies(policy(allow("sts:AssumeRole", role.arn)))
    assert assume(user.client("sts"))


def test_a_trust_policy_names_a_user_that_needs_no_permission_then(kms, role):
    user = kms.account(ACCOUNT).user("bob")
    role.set_trust(trust_policy(user.arn))

    assert assume(user.client("sts"))


def test_a_trust_policy_can_ask_for_an_external_id(sts, role):
    condition = {"StringEquals": {"sts:ExternalId": "secret"}}
    role.set_trust(trust_policy(ACCOUNT, Condition=condition))

    with refused("AccessDenied"):
        assume(sts)

    assert assume(sts, ExternalId="secret")


def test_tags_of_a_session_need_trust_and_are_seen_by_policies(kms, sts, role):
    tags = [{"Key": "team", "Value": "red"}]
    role.set_trust(trust_policy(ACCOUNT))
    with refused("AccessDenied"):
        assume(sts, Tags=tags)

    role.set_trust(trust_policy(ACCOUNT, ["sts:AssumeRole", "sts:TagSession"]))
    condition = {"StringEquals": {"aws:PrincipalTag/team": "red"}}
    role.set_policies(policy(allow("kms:ListKeys", Condition=condition)))

    client_with(assume(sts, Tags=tags)["Credentials"]).list_keys()
    with refused("AccessDeniedException"):
        client_with(assume(sts)["Credentials"]).list_keys()
    assert len(kms.calls) == 2


def test_a_role_that_does_not_exist_is_refused_like_one_that_does_not_trust(kms, sts):
    administrator = kms.account(ACCOUNT).administrator.arn

    with refused("AccessDenied", denial_message(administrator)):
        assume(sts)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"RoleSessionName": "with space"}, "at 'roleSessionName' failed to satisfy constraint"),
        ({"DurationSeconds": 43201}, "less than or equal to 43200"),
        ({"DurationSeconds": 7200}, "exceeds the MaxSessionDuration set for this role"),
        ({"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/None"}]}, "does not exist"),
    ],
)
@pytest.mark.usefixtures("role")
def test_a_parameter_that_cannot_be_is_refused(sts, parameters, message):
    with refused("ValidationError") as caught:
        sts.assume_role(**{"RoleArn": ROLE, "RoleSessionName": "job", **parameters})

    assert message in caught.value.response["Error"]["Message"]


@pytest.mark.usefixtures("role")
def test_a_session_policy_that_is_none_is_refused(sts):
    with refused("MalformedPolicyDocument"):
        assume(sts, Policy="{}")


@pytest.mark.usefixtures("role")
def test_a_role_that_assumes_another_gets_an_hour_at_most(sts):
    chained = client_with(assume(sts)["Credentials"], "sts")

    assert assume(chained)
    with refused("ValidationError"):
        assume(chained, DurationSeconds=3601)


def test_a_session_token_is_for_the_same_user(kms, sts):
    answer = sts.get_session_token()

    client_with(answer["Credentials"]).list_keys()
    assert kms.calls[-1].caller == f"arn:aws:iam::{ACCOUNT}:user/Administrator"


def test_sessions_get_no_session_tokens(role):
    with refused("AccessDenied", "Cannot call GetSessionToken with session credentials"):
        role.client("sts").get_session_token()
    with refused("AccessDenied", "Cannot call GetFederationToken with session credentials"):
        role.client("sts").get_federation_token(Name="guest")


def test_a_federated_user_may_what_both_may(kms):
    user = kms.account(ACCOUNT).user("bob", policies=[policy(allow("kms:List*"))])
    answer = user.client("sts").get_federation_token(Name="guest", Policy=policy(allow("kms:*")))

    client = client_with(answer["Credentials"])
    client.list_keys()
    with refused("AccessDeniedException"):
        client.create_key()
    assert answer["FederatedUser"] == {
        "FederatedUserId": f"{ACCOUNT}:guest",
        "Arn": f"arn:aws:sts::{ACCOUNT}:federated-user/guest",
    }


def test_an_access_key_tells_its_account(kms, sts):
    key = kms.account(OTHER).user("eve").credentials.access_key

    assert sts.get_access_key_info(AccessKeyId=key)["Account"] == OTHER
    with refused("ValidationError"):
        sts.get_access_key_info(AccessKeyId="AKIAIOSFODNN7EXAMPLE")


def test_what_is_not_emulated_says_so(sts):
    with refused("InvalidAction") as caught:
        sts.assume_role_with_saml(RoleArn=ROLE, PrincipalArn=ROLE, SAMLAssertion="aaaa")

    assert "AssumeRoleWithSAML of sts is not emulated" in caught.value.__notes__[0]


def test_an_explicit_deny_of_the_trust_policy_wins(sts, role):
    statement = deny("sts:AssumeRole", **to("*"))
    del statement["Resource"]
    role.set_trust(policy(statement))

    with refused("AccessDenied"):
        assume(sts)


def test_with_authorization_off_any_role_may_be_assumed():
    with mock_kms(authorization="off") as kms:
        kms.account(OTHER).role("App")

        assert assume(kms.client("sts"), f"arn:aws:iam::{OTHER}:role/App")


def test_services_that_are_not_listed_are_left_alone():
    with mock_kms(services=["kms"]) as kms:
        client = kms.client("sts")
        client.meta.events.register("before-send.sts", _stop)

        with pytest.raises(InterruptedError):
            client.get_caller_identity()


def _stop(**_):
    raise InterruptedError


@pytest.mark.parametrize(
    "parameters",
    [
        {"SerialNumber": f"arn:aws:iam::{ACCOUNT}:mfa/alice", "TokenCode": "123456"},
        {"Tags": [{"Key": "team", "Value": "a"}], "TransitiveTagKeys": ["team"]},
    ],
    ids=["MFA", "transitive tags"],
)
@pytest.mark.usefixtures("role")
def test_what_is_not_emulated_is_refused_and_says_why(sts, parameters):
    with refused("ValidationError") as caught:
        assume(sts, **parameters)
    assert caught.value.__notes__
