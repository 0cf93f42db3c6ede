"""Who makes a request, and whose credentials are no longer good: the same at every door."""

from __future__ import annotations

import contextlib

import boto3
import botocore.session
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from kmsmock import mock_kms

ACCOUNT = "123456789012"
OTHER = "210987654321"
DELETED, EXPIRED, UNSIGNED_REQUEST = "deleted", "expired", "unsigned"


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


def none_for_the_request_is_unsigned(kms):
    valid, *_ = user_of_another_account(kms)
    return {**valid, "config": Config(signature_version=UNSIGNED)}, "", UNSIGNED_REQUEST


EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"},
}
VALID = [
    unknown,
    placeholders,
    unknown_in_another_partition,
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
    none_for_the_request_is_unsigned,
]
NAMES = {"ids": lambda given: getattr(given, "__name__", given)}


# --- errors: code, message and status, of each service, for each reason ---------------------------


def in_json(status, missing="Missing Authentication Token"):
    return {
        UNSIGNED_REQUEST: ("MissingAuthenticationTokenException", missing, status),
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
    UNSIGNED_REQUEST: (
        "MissingAuthenticationToken",
        "Request is missing Authentication Token",
        403,
    ),
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
        UNSIGNED_REQUEST: (
            "MissingParameter",
            "The request must contain the parameter AWSAccessKeyId",
            400,
        ),
    },
    "rds": QUERY,
    "cloudtrail": in_json(400),
    "dynamodb": in_json(400, "Request is missing Authentication Token"),
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
        UNSIGNED_REQUEST: (
            "InvalidArgument",
            "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS "
            "Signature Version 4.",
            400,
        ),
    },
    "secretsmanager": in_json(400),
    "sns": QUERY,
    "sqs": {
        **QUERY,
        UNSIGNED_REQUEST: (
            "AccessDenied",
            f"Access to the resource https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/orders is "
            "denied.",
            403,
        ),
    },
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


# --- unsigned requests ---------------------------------------------------------------------------


def with_a_default_configuration(service):
    session = botocore.session.get_session()
    session.set_default_client_config(Config(signature_version=UNSIGNED))
    return session.create_client(service, "us-east-1")


def of_a_resource(service):
    config = Config(signature_version=UNSIGNED)
    return boto3.resource(service, "us-east-1", config=config).meta.client


def with_credentials_in_the_session(service):
    session = boto3.Session("AKIAIOSFODNN7EXAMPLE", "x", region_name="us-east-1")
    return session.client(service, config=Config(signature_version=UNSIGNED))


@pytest.mark.parametrize(
    ("service", "make_client"),
    [
        ("kms", with_a_default_configuration),
        ("kms", with_credentials_in_the_session),
        ("ec2", of_a_resource),
        ("sts", with_a_default_configuration),
    ],
    **NAMES,
)
@pytest.mark.parametrize("wire", [False, True], ids=["before-call", "wire"])
def test_a_client_is_unsigned_however_it_is_configured(service, make_client, wire):
    with mock_kms(isolated=True, wire=wire) as kms, refused(service, UNSIGNED_REQUEST, ""):
        DOORS[service](kms, make_client)


def test_an_unsigned_request_is_neither_recorded_nor_charged():
    with mock_kms(isolated=True) as kms:
        with refused("kms", UNSIGNED_REQUEST, ""):
            with_a_default_configuration("kms").list_keys()

        assert len(kms.calls) == len(kms.trail) == kms.costs.requests == 0


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("assume_role_with_saml", {"PrincipalArn": "a" * 20, "SAMLAssertion": "a" * 4}),
        ("assume_role_with_web_identity", {"RoleSessionName": "it", "WebIdentityToken": "a" * 4}),
    ],
    ids=["SAML", "web identity"],
)
def test_an_operation_that_aws_takes_unsigned_is_not_refused_for_that(operation, arguments):
    with mock_kms(isolated=True) as kms:
        role = kms.account(ACCOUNT).role("App")
        client = with_a_default_configuration("sts")
        model = client.meta.service_model.operation_model("AssumeRoleWithSAML")
        if model.auth_type != "none":
            pytest.skip("this botocore does not say which operations are unsigned")

        with pytest.raises(ClientError) as caught:
            getattr(client, operation)(RoleArn=role.arn, **arguments)

    assert caught.value.response["Error"]["Code"] == "InvalidAction"


def test_what_is_due_has_happened_before_a_service_answers():
    with mock_kms(isolated=True) as kms:
        key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
        kms.client().schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
        key = kms.keys[-1]
        kms.clock.advance(days=8)

        kms.client("iam").create_user(UserName="alice")

        assert key not in kms.keys
