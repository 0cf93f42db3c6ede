"""Who makes a request, and whose credentials are no longer good: the same at every door."""

from __future__ import annotations

import contextlib

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from kmsmock import mock_kms

with contextlib.suppress(ImportError):
    import moto  # noqa: F401 - clients that are made before know nothing of it

ACCOUNT = "123456789012"
OTHER = "210987654321"
DELETED, EXPIRED = "deleted", "expired"


# --- credentials: each gives the arguments of a client, and who that is or why it is refused ------


def keys_of(credentials):
    return {
        "aws_access_key_id": credentials.access_key,
        "aws_secret_access_key": credentials.secret_key,
        "aws_session_token": credentials.session_token,
    }


def keys_in(answer):
    return {
        "aws_access_key_id": answer["AccessKeyId"],
        "aws_secret_access_key": answer["SecretAccessKey"],
        "aws_session_token": answer.get("SessionToken"),
    }


def unknown(_):
    keys = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "x"}
    return keys, f"arn:aws:iam::{ACCOUNT}:user/Administrator"


def unknown_in_another_partition(kms):
    keys, _ = unknown(kms)
    return {**keys, "region_name": "cn-north-1"}, f"arn:aws-cn:iam::{ACCOUNT}:user/Administrator"


def none_for_the_request_is_unsigned(kms):
    deleted, _ = deleted_user(kms)
    unsigned = {**deleted, "config": Config(signature_version=UNSIGNED)}
    return unsigned, f"arn:aws:iam::{ACCOUNT}:user/Administrator"


def user_of_another_account(kms):
    user = kms.account(OTHER).user("eve", policies=[EVERYTHING])
    return keys_of(user.credentials), user.arn


def running_session(kms):
    role = kms.account(ACCOUNT).role("App", policies=[EVERYTHING])
    answer = kms.client("sts").assume_role(RoleArn=role.arn, RoleSessionName="job")
    return keys_in(answer["Credentials"]), answer["AssumedRoleUser"]["Arn"]


def expired_session(kms):
    keys, _ = running_session(kms)
    kms.clock.advance(hours=1)
    return keys, EXPIRED


def deleted_user(kms):
    user = kms.account(ACCOUNT).user("bob")
    keys = keys_of(user.credentials)
    user.delete()
    return keys, DELETED


def session_of_a_deleted_role(kms):
    keys, _ = running_session(kms)
    kms.account(ACCOUNT).role("App").delete()
    return keys, DELETED


def deactivated_access_key(kms):
    iam = kms.client("iam")
    iam.create_user(UserName="carol")
    answer = iam.create_access_key(UserName="carol")["AccessKey"]
    iam.update_access_key(UserName="carol", AccessKeyId=answer["AccessKeyId"], Status="Inactive")
    return keys_in(answer), DELETED


def deleted_access_key(kms):
    iam = kms.client("iam")
    iam.create_user(UserName="carol")
    answer = iam.create_access_key(UserName="carol")["AccessKey"]
    iam.delete_access_key(UserName="carol", AccessKeyId=answer["AccessKeyId"])
    return keys_in(answer), DELETED


EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"},
}
CREDENTIALS = [
    unknown,
    unknown_in_another_partition,
    none_for_the_request_is_unsigned,
    user_of_another_account,
    running_session,
    expired_session,
    deleted_user,
    session_of_a_deleted_role,
    deactivated_access_key,
    deleted_access_key,
]


# --- doors: each makes a request and gives who made it, as far as the service tells --------------


def kms_key(kms, make_client):
    make_client("kms").create_key()
    return kms.calls[-1].caller


def sts_caller(_, make_client):
    return make_client("sts").get_caller_identity()["Arn"]


def iam_group(_, make_client):
    return make_client("iam").create_group(GroupName="team")["Group"]["Arn"]


def ec2_volume(kms, make_client):
    zone = f"{make_client('ec2').meta.region_name}a"
    make_client("ec2").create_volume(AvailabilityZone=zone, Size=1, Encrypted=True)
    return kms.calls[0].caller


def rds_instances(_, make_client):
    make_client("rds").describe_db_instances()


def cloudtrail_trails(_, make_client):
    make_client("cloudtrail").describe_trails()


INVALID = "InvalidClientTokenId"
#: Door -> the codes for deleted and for expired credentials.
DOORS = [
    pytest.param(kms_key, "UnrecognizedClientException", "ExpiredTokenException", id="kms"),
    pytest.param(sts_caller, INVALID, INVALID, id="sts"),
    pytest.param(iam_group, INVALID, INVALID, id="iam"),
    pytest.param(ec2_volume, "AuthFailure", "AuthFailure", id="ec2"),
    pytest.param(rds_instances, INVALID, INVALID, id="rds"),
    pytest.param(
        cloudtrail_trails,
        "UnrecognizedClientException",
        "UnrecognizedClientException",
        id="cloudtrail",
    ),
]


def client_maker(arguments):
    return lambda service: boto3.client(service, **{"region_name": "us-east-1", **arguments})


def is_of(told, arn):
    """Tell whether a service told of a principal: itself, or something in its account."""
    return (
        told is None
        or told == arn
        or (told.split(":")[1], told.split(":")[4])
        == (
            arn.split(":")[1],
            arn.split(":")[4],
        )
    )


@pytest.mark.parametrize("wire", [False, True], ids=["before-call", "wire"])
@pytest.mark.parametrize("credentials", CREDENTIALS, ids=lambda given: given.__name__)
@pytest.mark.parametrize(("door", "deleted", "expired"), DOORS)
def test_every_service_knows_the_caller_or_refuses_the_credentials(
    door, deleted, expired, credentials, wire
):
    with mock_kms(isolated=True, wire=wire) as kms:
        arguments, outcome = credentials(kms)
        make_client = client_maker(arguments)
        if outcome not in (DELETED, EXPIRED):
            assert is_of(door(kms, make_client), outcome)
            return

        with pytest.raises(ClientError) as caught:
            door(kms, make_client)

    code = deleted if outcome == DELETED else expired
    assert caught.value.response["Error"]["Code"] == code
    assert outcome in caught.value.__notes__[0]


@pytest.fixture
def beside_moto(monkeypatch):
    moto = pytest.importorskip("moto", reason="moto is not installed")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with moto.mock_aws(), mock_kms(isolated=True) as kms:
        yield kms


@pytest.mark.parametrize("credentials", CREDENTIALS, ids=lambda given: given.__name__)
def test_beside_moto_a_service_calls_kms_for_the_caller_but_not_with_refused_credentials(
    beside_moto, credentials
):
    arguments, outcome = credentials(beside_moto)
    before = len(beside_moto.calls)
    ssm = client_maker(arguments)("ssm")

    ssm.put_parameter(Name="/secret", Value="hunter2", Type="SecureString")

    expected = [] if outcome in (DELETED, EXPIRED) else [outcome]
    assert [call.caller for call in beside_moto.calls[before:]] == expected


@pytest.mark.parametrize("credentials", CREDENTIALS, ids=lambda given: given.__name__)
def test_a_session_that_moto_gave_is_that_of_the_caller_or_of_the_root_user(
    beside_moto, credentials
):
    arguments, outcome = credentials(beside_moto)
    answer = client_maker(arguments)("sts").get_session_token()

    keys = {**arguments, "config": None, **keys_in(answer["Credentials"])}
    client = client_maker(keys)("kms")
    with contextlib.suppress(ClientError):  # the session of a role is no administrator's
        client.list_keys()

    if outcome == DELETED:
        outcome = f"arn:aws:iam::{ACCOUNT}:root"
    if outcome == EXPIRED:
        outcome = f"arn:aws:sts::{ACCOUNT}:assumed-role/App/job"
    assert beside_moto.calls[-1].caller == outcome


def test_what_is_due_has_happened_before_a_service_answers(beside_moto):
    kms = beside_moto.client()
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    key = beside_moto.keys[-1]
    beside_moto.clock.advance(days=8)

    beside_moto.client("iam").create_user(UserName="alice")

    assert key not in beside_moto.keys
