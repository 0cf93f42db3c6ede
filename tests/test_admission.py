"""Who makes a request, and whose credentials are no longer good: the same at every door."""

from __future__ import annotations

import contextlib

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from kmsmock import mock_kms

ACCOUNT = "123456789012"
OTHER = "210987654321"
DELETED, EXPIRED = "deleted", "expired"


# --- credentials: the arguments of a client, whose they are, and why they are refused or None -----


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
    return keys, f"arn:aws:iam::{ACCOUNT}:user/Administrator", None


def placeholders(_):
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    return keys, f"arn:aws:iam::{ACCOUNT}:user/Administrator", None


def unknown_in_another_partition(kms):
    keys, *_ = unknown(kms)
    in_china = {**keys, "region_name": "cn-north-1"}
    return in_china, f"arn:aws-cn:iam::{ACCOUNT}:user/Administrator", None


def none_for_the_request_is_unsigned(kms):
    deleted, *_ = deleted_user(kms)
    unsigned = {**deleted, "config": Config(signature_version=UNSIGNED)}
    return unsigned, f"arn:aws:iam::{ACCOUNT}:user/Administrator", None


def user_of_another_account(kms):
    user = kms.account(OTHER).user("eve", policies=[EVERYTHING])
    return keys_of(user.credentials), user.arn, None


def running_session(kms):
    role = kms.account(ACCOUNT).role("App", policies=[EVERYTHING])
    answer = kms.client("sts").assume_role(RoleArn=role.arn, RoleSessionName="job")
    return keys_in(answer["Credentials"]), answer["AssumedRoleUser"]["Arn"], None


def expired_session(kms):
    keys, arn, _ = running_session(kms)
    kms.clock.advance(hours=1)
    return keys, arn, EXPIRED


def deleted_user(kms):
    user = kms.account(ACCOUNT).user("bob")
    keys = keys_of(user.credentials)
    user.delete()
    return keys, user.arn, DELETED


def session_of_a_deleted_role(kms):
    keys, arn, _ = running_session(kms)
    kms.account(ACCOUNT).role("App").delete()
    return keys, arn, DELETED


def deactivated_access_key(kms):
    iam = kms.client("iam")
    iam.create_user(UserName="carol")
    answer = iam.create_access_key(UserName="carol")["AccessKey"]
    iam.update_access_key(UserName="carol", AccessKeyId=answer["AccessKeyId"], Status="Inactive")
    return keys_in(answer), f"arn:aws:iam::{ACCOUNT}:user/carol", DELETED


def deleted_access_key(kms):
    iam = kms.client("iam")
    iam.create_user(UserName="carol")
    answer = iam.create_access_key(UserName="carol")["AccessKey"]
    iam.delete_access_key(UserName="carol", AccessKeyId=answer["AccessKeyId"])
    return keys_in(answer), f"arn:aws:iam::{ACCOUNT}:user/carol", DELETED


def access_key_made_after_the_checkpoint_that_was_restored(kms):
    start = kms.checkpoint()
    user = kms.account(ACCOUNT).user("dave")
    keys = keys_of(user.credentials)
    kms.restore(start)
    return keys, user.arn, DELETED


EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"},
}
VALID = [
    unknown,
    placeholders,
    unknown_in_another_partition,
    none_for_the_request_is_unsigned,
    user_of_another_account,
    running_session,
]
REFUSED = [
    expired_session,
    deleted_user,
    session_of_a_deleted_role,
    deactivated_access_key,
    deleted_access_key,
    access_key_made_after_the_checkpoint_that_was_restored,
]
NAMES = {"ids": lambda given: given.__name__}


# --- errors: code, message and status, of each service, for deleted and for expired credentials ---


def in_json(status):
    return {
        DELETED: (
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
            status,
        ),
        EXPIRED: (
            "ExpiredTokenException",
            "The security token included in the request is expired",
            status,
        ),
    }


QUERY = {
    DELETED: (
        "InvalidClientTokenId",
        "The security token included in the request is invalid.",
        403,
    ),
    EXPIRED: ("ExpiredToken", "The security token included in the request is expired", 403),
}
ERRORS = {
    "kms": in_json(400),
    "sts": QUERY,
    "iam": QUERY,
    "ec2": {
        DELETED: (
            "AuthFailure",
            "AWS was not able to validate the provided access credentials",
            401,
        ),
        EXPIRED: ("RequestExpired", "Request has expired.", 400),
    },
    "rds": QUERY,
    "cloudtrail": in_json(400),
    "dynamodb": in_json(400),
    "kinesis": in_json(400),
    "lambda": in_json(403),
    "logs": in_json(400),
    "s3": {
        DELETED: (
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
            403,
        ),
        EXPIRED: ("ExpiredToken", "The provided token has expired.", 400),
    },
    "secretsmanager": in_json(400),
    "sns": QUERY,
    "sqs": QUERY,
    "ssm": in_json(400),
}


@contextlib.contextmanager
def refused(service, reason, arn):
    """Expect the error of a service for credentials, with a note that has the reason and whose."""
    with pytest.raises(ClientError) as caught:
        yield caught
    answer = caught.value.response
    error, status = answer["Error"], answer["ResponseMetadata"]["HTTPStatusCode"]
    assert (error["Code"], error["Message"], status) == ERRORS[service][reason]
    (note,) = caught.value.__notes__
    assert reason in note
    assert arn in note


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


#: Service -> a request to it that this mock answers.
DOORS = {
    "kms": kms_key,
    "sts": sts_caller,
    "iam": iam_group,
    "ec2": ec2_volume,
    "rds": rds_instances,
    "cloudtrail": cloudtrail_trails,
}


def client_maker(arguments):
    return lambda service: boto3.client(service, **{"region_name": "us-east-1", **arguments})


def is_of(told, arn):
    """Tell whether a service told of a principal: itself, or something in its account."""
    if told is None or told == arn:
        return True
    return (told.split(":")[1], told.split(":")[4]) == (arn.split(":")[1], arn.split(":")[4])


@pytest.mark.parametrize("wire", [False, True], ids=["before-call", "wire"])
@pytest.mark.parametrize("credentials", VALID, **NAMES)
@pytest.mark.parametrize("service", DOORS)
def test_every_service_knows_the_caller(service, credentials, wire):
    with mock_kms(isolated=True, wire=wire) as kms:
        arguments, arn, _ = credentials(kms)

        assert is_of(DOORS[service](kms, client_maker(arguments)), arn)


@pytest.mark.parametrize("wire", [False, True], ids=["before-call", "wire"])
@pytest.mark.parametrize("credentials", REFUSED, **NAMES)
@pytest.mark.parametrize("service", DOORS)
def test_every_service_refuses_credentials_that_are_not_valid(service, credentials, wire):
    with mock_kms(isolated=True, wire=wire) as kms:
        arguments, arn, reason = credentials(kms)

        with refused(service, reason, arn):
            DOORS[service](kms, client_maker(arguments))


def test_what_is_due_has_happened_before_a_service_answers():
    with mock_kms(isolated=True) as kms:
        key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
        kms.client().schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
        key = kms.keys[-1]
        kms.clock.advance(days=8)

        kms.client("iam").create_user(UserName="alice")

        assert key not in kms.keys
