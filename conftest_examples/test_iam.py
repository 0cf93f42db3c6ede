"""Code that creates its own roles: the mock answers IAM and STS, too."""

import json

import boto3
import pytest

TRUST = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "sts:AssumeRole",
    },
}


@pytest.fixture
def iam(kms):
    return kms.client("iam")


def client_of(role_arn):
    """Assume a role, and create a client with its credentials, as the code under test does."""
    answer = boto3.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="job")
    credentials = answer["Credentials"]
    return boto3.client(
        "kms",
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def test_the_policies_of_a_role_are_enforced(iam, kms_key):
    trust = json.dumps(TRUST)
    role = iam.create_role(RoleName="Reader", AssumeRolePolicyDocument=trust)["Role"]
    reader = client_of(role["Arn"])
    blob = kms_key.client.encrypt(KeyId=kms_key.id, Plaintext=b"secret")["CiphertextBlob"]

    with pytest.raises(reader.exceptions.ClientError, match="no identity-based policy allows"):
        reader.decrypt(CiphertextBlob=blob)

    statement = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": kms_key.arn}
    document = json.dumps({"Version": "2012-10-17", "Statement": statement})
    iam.put_role_policy(RoleName="Reader", PolicyName="read", PolicyDocument=document)
    assert reader.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"


def test_the_policy_simulator_decides_as_real_calls_do(iam, kms_key):
    statement = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": kms_key.arn}
    answer = iam.simulate_custom_policy(
        PolicyInputList=[json.dumps({"Version": "2012-10-17", "Statement": statement})],
        ActionNames=["kms:Decrypt", "kms:Encrypt"],
        ResourceArns=[kms_key.arn],
    )

    decisions = {r["EvalActionName"]: r["EvalDecision"] for r in answer["EvaluationResults"]}
    assert decisions == {"kms:Decrypt": "allowed", "kms:Encrypt": "implicitDeny"}


def test_a_role_can_use_a_key_through_one_service_only(kms, kms_key):
    through_s3 = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
    statement = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": through_s3}
    role = kms.account("123456789012").role("Uploader", policies=[{"Statement": statement}])

    role.via("s3").client().generate_data_key(KeyId=kms_key.arn, KeySpec="AES_256")
    with pytest.raises(kms_key.client.exceptions.ClientError, match="AccessDenied"):
        role.client().generate_data_key(KeyId=kms_key.arn, KeySpec="AES_256")
