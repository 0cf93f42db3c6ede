"""Requests that services make: for a principal (kms:ViaService), and in their own name."""

from __future__ import annotations

import pytest

from tests.authorization.documents import ACCOUNT, OTHER, allow, deny, policy, to
from tests.material import rsa_key
from tests.refusals import refused

QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:orders"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"


def when(operator, **keys):
    return {"Condition": {operator: {name.replace("__", ":"): v for name, v in keys.items()}}}


@pytest.fixture
def put(client, key):
    """Put a key policy that keeps the administrator in."""

    def put(*statements):
        document = policy(allow("kms:*", **to(ROOT)), *statements)
        client.put_key_policy(KeyId=key["KeyId"], Policy=document)

    return put


def encrypt(principal, key, **more):
    return principal.client().encrypt(KeyId=key["Arn"], Plaintext=b"text", **more)


def test_a_role_may_use_a_key_through_one_service_alone(kms, key):
    through_s3 = when("StringEquals", kms__ViaService="s3.us-east-1.amazonaws.com")
    role = kms.account(ACCOUNT).role("App", policies=[policy(allow("kms:Encrypt", **through_s3))])

    encrypt(role.via("s3"), key)
    assert kms.calls[-1].via_service == "s3.us-east-1.amazonaws.com"
    for other in (role, role.via("sqs")):
        with refused("AccessDeniedException"):
            encrypt(other, key)


def test_policies_can_deny_what_comes_through_services(kms, key):
    denying = deny("kms:*", **when("Bool", aws__ViaAWSService="true"))
    role = kms.account(ACCOUNT).role("App", policies=[policy(allow("kms:*"), denying)])

    encrypt(role, key)
    with refused("AccessDeniedException"):
        encrypt(role.via("ec2"), key)


def test_an_aws_managed_key_is_used_through_its_service(kms, client):
    role = kms.account(ACCOUNT).role("App")
    arn = client.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["Arn"]
    data_key = role.via("s3").client().generate_data_key(KeyId=arn, KeySpec="AES_256")

    role.via("s3").client().decrypt(CiphertextBlob=data_key["CiphertextBlob"])
    for other in (role, role.via("sqs"), kms.account(ACCOUNT).administrator):
        with refused("AccessDeniedException"):
            other.client().generate_data_key(KeyId=arn, KeySpec="AES_256")


def test_a_service_makes_grants_on_its_aws_managed_key_for_its_callers(kms, client):
    role = kms.account(ACCOUNT).role("App")
    arn = client.describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]["Arn"]
    grant = {"KeyId": arn, "GranteePrincipal": role.arn, "Operations": ["Decrypt", "Encrypt"]}

    role.via("ec2").client().create_grant(**grant)
    with refused("AccessDeniedException"):
        kms.account(ACCOUNT).administrator.client().create_grant(**grant)


def test_a_grant_is_for_an_aws_resource_when_a_service_makes_it(kms, key):
    condition = when("Bool", kms__GrantIsForAWSResource="true")
    role = kms.account(ACCOUNT).role(
        "App", policies=[policy(allow("kms:CreateGrant", **condition))]
    )
    grant = {"KeyId": key["Arn"], "GranteePrincipal": role.arn, "Operations": ["Decrypt"]}

    role.via("ec2").client().create_grant(**grant)
    with refused("AccessDeniedException"):
        role.client().create_grant(**grant)


def test_a_service_that_tells_of_itself_is_in_called_via(kms, key):
    condition = when("ForAnyValue:StringEquals", aws__CalledVia="dynamodb.amazonaws.com")
    role = kms.account(ACCOUNT).role("App", policies=[policy(allow("kms:Encrypt", **condition))])

    encrypt(role.via("dynamodb"), key)
    with refused("AccessDeniedException"):
        encrypt(role.via("s3"), key)


def test_a_key_policy_lets_a_service_in_for_one_resource(kms, key, put):
    source = when("ArnLike", aws__SourceArn=QUEUE)
    put({**allow("kms:Encrypt", **source), "Principal": {"Service": "sns.amazonaws.com"}})
    sns = kms.principal("sns.amazonaws.com")

    encrypt(sns.on_behalf_of(QUEUE), key)
    assert kms.calls[-1].caller == "sns.amazonaws.com"
    for other in (sns, sns.on_behalf_of(QUEUE + "2"), kms.principal("sqs.amazonaws.com")):
        with refused("AccessDeniedException"):
            encrypt(other, key)


def test_the_account_of_the_resource_is_a_condition_key(kms, key, put):
    source = when("StringEquals", aws__SourceAccount=ACCOUNT)
    put({**allow("kms:Encrypt", **source), "Principal": {"Service": "sns.amazonaws.com"}})
    sns = kms.principal("sns.amazonaws.com")

    encrypt(sns.on_behalf_of(QUEUE), key)
    with refused("AccessDeniedException"):
        encrypt(sns.on_behalf_of(QUEUE.replace(ACCOUNT, OTHER)), key)


def test_a_service_can_have_a_grant_for_one_resource(kms, client, key):
    client.create_grant(
        KeyId=key["KeyId"],
        GranteeServicePrincipal="dynamodb.amazonaws.com",
        RetiringServicePrincipal="dynamodb.amazonaws.com",
        Operations=["Encrypt", "Decrypt"],
        Constraints={"SourceArn": QUEUE},
    )
    service = kms.principal("dynamodb.amazonaws.com")

    encrypt(service.on_behalf_of(QUEUE), key)
    for other in (service, service.on_behalf_of(QUEUE + "2")):
        with refused("AccessDeniedException"):
            encrypt(other, key)


def test_least_privilege_keeps_to_the_service(kms, key):
    role = kms.account(ACCOUNT).role("App", policies=[policy(allow("kms:*"))])
    encrypt(role.via("s3"), key)
    smallest = kms.least_privilege(role).identity
    statement = smallest["Statement"][0]
    assert statement["Condition"] == {
        "StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}
    }

    role.set_policies(smallest)
    encrypt(role.via("s3"), key)
    with refused("AccessDeniedException"):
        encrypt(role, key)


def test_explain_takes_the_service_by_its_short_name_too(kms, key, role):
    condition = when("StringEquals", kms__ViaService="s3.us-east-1.amazonaws.com")
    role.set_policies(policy(allow("kms:Encrypt", **condition)))

    for name in ("s3", "s3.us-east-1.amazonaws.com"):
        assert kms.explain(role, "kms:Encrypt", key["Arn"], via_service=name)
    assert not kms.explain(role, "kms:Encrypt", key["Arn"])


def test_explain_is_about_what_there_is_and_makes_nothing(kms, key):
    ghost = "arn:aws:iam::123456789012:role/Ghost"
    with pytest.raises(ValueError, match="role/Ghost does not exist"):
        kms.explain(ghost, "kms:Encrypt", key["Arn"])
    with pytest.raises(ValueError, match="did you mean 'kms:Encrypt'"):
        kms.explain("arn:aws:iam::123456789012:root", "kms:Encypt", key["Arn"])

    roles = kms.client("iam").list_roles()["Roles"]
    assert "Ghost" not in [role["RoleName"] for role in roles]


def test_services_call_in_their_own_name_and_others_for_no_resource(kms, role):
    with pytest.raises(ValueError, match="is a service principal"):
        kms.principal("sns.amazonaws.com").via("s3")
    with pytest.raises(ValueError, match="only service principals"):
        role.on_behalf_of(QUEUE)


# --- what organization, network and enclave tell ------------------------------------------------


def test_where_an_account_is_in_its_organization_is_a_condition_key(kms, key, put):
    paths = when("ForAnyValue:StringLike", aws__PrincipalOrgPaths="o-1234567890/r-ab12/ou-dev/*")
    put(allow("kms:Encrypt", Principal="*", **paths))
    role = kms.account(OTHER).role("App", policies=[policy(allow("kms:*"))])
    with refused("AccessDeniedException"):
        encrypt(role, key)

    kms.account(OTHER).join_organization("o-1234567890", path="r-ab12/ou-dev/ou-a")
    encrypt(role, key)


def test_the_organization_of_a_key_is_a_condition_key(kms, key):
    condition = when("StringEquals", aws__ResourceOrgID="o-1234567890")
    role = kms.account(ACCOUNT).role("App", policies=[policy(allow("kms:Encrypt", **condition))])
    with refused("AccessDeniedException"):
        encrypt(role, key)

    kms.account(ACCOUNT).join_organization("o-1234567890")
    encrypt(role, key)


def test_a_block_can_have_the_condition_keys_of_a_network(kms, key, role):
    condition = when("IpAddress", aws__SourceIp="203.0.113.0/24")
    role.set_policies(policy(allow("kms:Encrypt", **condition)))
    with refused("AccessDeniedException"):
        encrypt(role, key)

    with kms.request_context({"aws:SourceIp": "203.0.113.7"}):
        encrypt(role, key)
        assert kms.explain(role, "kms:Encrypt", key["Arn"])
    with refused("AccessDeniedException"):
        encrypt(role, key)


def test_the_user_agent_is_a_condition_key(key, role):
    condition = when("StringLike", aws__UserAgent="Boto*")
    role.set_policies(policy(allow("kms:Encrypt", **condition)))

    encrypt(role, key)


@pytest.mark.parametrize(
    ("name", "nitro_tpm"),
    [("ImageSha384", False), ("PCR0", False), ("NitroTPMPCR0", True)],
)
def test_measurements_of_an_enclave_are_condition_keys(kms, client, key, role, name, nitro_tpm):
    wanted = {f"kms:RecipientAttestation:{name}": (b"\x01" * 48).hex()}
    role.set_policies(policy(allow("kms:Decrypt", Condition={"StringEqualsIgnoreCase": wanted})))
    blob = client.encrypt(KeyId=key["KeyId"], Plaintext=b"text")["CiphertextBlob"]

    def decrypt(measurement):
        document = kms.attestation.document(PUBLIC_KEY, pcrs={0: measurement}, nitro_tpm=nitro_tpm)
        recipient = {
            "KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256",
            "AttestationDocument": document,
        }
        return role.client().decrypt(CiphertextBlob=blob, Recipient=recipient)

    assert "CiphertextForRecipient" in decrypt(b"\x01" * 48)
    with refused("AccessDeniedException"):
        decrypt(b"\x02" * 48)
    with refused("AccessDeniedException"):
        role.client().decrypt(CiphertextBlob=blob)


def _public_key():
    from cryptography.hazmat.primitives import serialization

    return (
        rsa_key()
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


PUBLIC_KEY = _public_key()
