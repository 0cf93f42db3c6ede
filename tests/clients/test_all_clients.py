"""What all clients get from the server: programs of other languages, and without an SDK."""

from __future__ import annotations

import uuid
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.clients import openssl
from tests.clients.conftest import Account, Client, document
from tests.clients.programs import Refused

BYTES = bytes(range(256))
#: Those whose errors are exceptions of their own.
HAVE_TYPES = ("node", "go", "aioboto3")


def refuse(client: Client, *call: Any) -> Refused:
    """Make a call that is refused, and return the error."""
    with pytest.raises(Refused) as caught:
        client.call(*call)
    return caught.value


def require_type(client: Client, error: Refused) -> None:
    """Require that an error is one of the client's own exceptions for its code."""
    if client.name in HAVE_TYPES:
        assert error.code in {each.rpartition(".")[2] for each in error.types}


# --- values -------------------------------------------------------------------------------------


def test_bytes_and_text_of_all_languages_travel(client: Client, account: Account, key: str) -> None:
    context = {"größe": "5 €", "键": "😀"}
    encrypted = client.call(
        "kms", "Encrypt", {"KeyId": key, "Plaintext": BYTES, "EncryptionContext": context}
    )
    blob = encrypted["CiphertextBlob"]
    call = {"CiphertextBlob": blob, "EncryptionContext": context}

    assert client.call("kms", "Decrypt", call)["Plaintext"] == BYTES
    assert account.client().decrypt(**call)["Plaintext"] == BYTES
    assert encrypted["KeyId"] == key


def test_a_data_key_is_decrypted_elsewhere(client: Client, account: Account, key: str) -> None:
    made = client.call("kms", "GenerateDataKey", {"KeyId": key, "KeySpec": "AES_256"})
    found = account.client().decrypt(CiphertextBlob=made["CiphertextBlob"])["Plaintext"]

    assert made["Plaintext"] == found
    assert len(found) == 32


def test_dates_are_those_of_the_mock(client: Client, account: Account, key: str) -> None:
    shown = client.call("kms", "DescribeKey", {"KeyId": key})["KeyMetadata"]["CreationDate"]
    if isinstance(shown, str):
        date = datetime.fromisoformat(shown.replace("Z", "+00:00"))
    else:  # of curl, and of AWS CLI v1
        date = datetime.fromtimestamp(shown, timezone.utc)
    expected = account.client().describe_key(KeyId=key)["KeyMetadata"]["CreationDate"]

    assert abs(date - expected).total_seconds() < 0.001


# --- signatures ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "algorithm"),
    [
        ("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_256"),
        ("RSA_2048", "RSASSA_PSS_SHA_512"),
        ("ECC_NIST_P384", "ECDSA_SHA_384"),
    ],
)
def test_openssl_verifies_what_a_client_has_had_signed(
    client: Client, account: Account, tmp_path: Path, spec: str, algorithm: str
) -> None:
    key = account.make_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")
    call = {"KeyId": key, "Message": BYTES, "SigningAlgorithm": algorithm}
    signature = client.call("kms", "Sign", call)["Signature"]
    public_key = client.call("kms", "GetPublicKey", {"KeyId": key})["PublicKey"]

    assert openssl.verify(tmp_path, algorithm, public_key, signature, BYTES)
    assert not openssl.verify(tmp_path, algorithm, public_key, signature, BYTES[1:])


# --- errors -------------------------------------------------------------------------------------


def test_a_denied_call_has_aws_s_code_and_text(client: Client, account: Account, key: str) -> None:
    role = account.make_role("Denied", trusted=account.id)
    error = refuse(client, "kms", "DescribeKey", {"KeyId": key}, account.assume_role(role))

    assert (error.code, error.message) == (
        "AccessDeniedException",
        f"User: arn:aws:sts::{account.id}:assumed-role/Denied/test is not authorized to perform: "
        f"kms:DescribeKey on resource: {key} because no identity-based policy allows the "
        "kms:DescribeKey action",
    )


def test_an_error_is_the_client_s_own_exception(client: Client) -> None:
    error = refuse(client, "kms", "DescribeKey", {"KeyId": "alias/missing"})

    assert (error.code, error.message) == (
        "NotFoundException",
        "Alias arn:aws:kms:us-east-1:123456789012:alias/missing is not found.",
    )
    require_type(client, error)


def test_an_error_without_a_message_is_known_by_its_code(client: Client, key: str) -> None:
    blob = client.call("kms", "Encrypt", {"KeyId": key, "Plaintext": b"text"})["CiphertextBlob"]
    call = {"CiphertextBlob": blob, "EncryptionContext": {"tenant": "another"}}
    error = refuse(client, "kms", "Decrypt", call)

    assert error.code == "InvalidCiphertextException"
    assert error.message in ("", None, "UnknownError")  # the last one is node's own
    require_type(client, error)


def test_a_wrong_secret_key_is_refused(client: Client, account: Account, key: str) -> None:
    role = account.make_role("Signer", trusted=account.id, allowed="kms:*")
    credentials = account.assume_role(role)
    wrong = {**credentials, "SecretAccessKey": "another"}
    error = refuse(client, "kms", "DescribeKey", {"KeyId": key}, wrong)

    assert client.call("kms", "DescribeKey", {"KeyId": key}, credentials)
    assert error.code == "InvalidSignatureException"
    assert str(error.message).startswith(
        "The request signature we calculated does not match the signature you provided."
    )


@pytest.mark.parametrize(
    ("fault", "refusals"),
    [
        ({"fault": "throttle"}, ["ThrottlingException"]),
        ({"fault": "fail", "code": "KMSInternalException"}, ["KMSInternalException"]),
        ({"fault": "drop_connection"}, []),  # no call has arrived
    ],
    ids=["throttling", "an error of the server", "a lost connection"],
)
def test_a_call_that_meets_a_fault_is_made_again(
    client: Client, control: Any, fault: dict[str, str], refusals: list[str]
) -> None:
    if client.name == "curl":
        pytest.skip("curl makes no call again: see test_curl")
    before = len(control("calls?operation=GenerateRandom")["calls"])
    control("faults", {**fault, "operation": "GenerateRandom", "times": 1})
    generated = client.call("kms", "GenerateRandom", {"NumberOfBytes": 32})
    calls = control("calls?operation=GenerateRandom")["calls"][before:]
    left = [each for each in control("faults")["faults"] if not each["fired"]]

    assert len(generated["Plaintext"]) == 32
    assert [each.get("error_code") for each in calls] == [*refusals, None]
    assert left == []


# --- principals ---------------------------------------------------------------------------------


def test_a_role_of_another_account_uses_a_key(
    client: Client, account: Account, other: Account
) -> None:
    if client.name == "curl":
        pytest.skip("STS answers in XML: see test_curl")
    role = other.make_role("Partner", trusted=account.id, allowed="kms:*")
    key = account.make_key(
        Policy=document(
            {
                "Effect": "Allow",
                "Action": "kms:*",
                "Principal": {"AWS": [f"arn:aws:iam::{account.id}:root", role]},
                "Resource": "*",
            }
        )
    )
    assumed = client.call("sts", "AssumeRole", {"RoleArn": role, "RoleSessionName": "visit"})
    credentials = assumed["Credentials"]
    identity = client.call("sts", "GetCallerIdentity", {}, credentials)
    blob = client.call("kms", "Encrypt", {"KeyId": key, "Plaintext": b"text"}, credentials)

    assert identity["Arn"] == f"arn:aws:sts::{other.id}:assumed-role/Partner/visit"
    assert account.client().decrypt(CiphertextBlob=blob["CiphertextBlob"])["Plaintext"] == b"text"


def test_a_grant_allows_what_no_policy_does(client: Client, account: Account, key: str) -> None:
    role = account.make_role("Grantee", trusted=account.id)
    grant = client.call(
        "kms",
        "CreateGrant",
        {
            "KeyId": key,
            "GranteePrincipal": role,
            "Operations": ["Encrypt"],
            "Constraints": {"EncryptionContextEquals": {"client": client.name}},
        },
    )
    call = {
        "KeyId": key,
        "Plaintext": b"text",
        "EncryptionContext": {"client": client.name},
        "GrantTokens": [grant["GrantToken"]],
    }
    credentials = account.assume_role(role)

    assert client.call("kms", "Encrypt", call, credentials)["KeyId"] == key
    client.call("kms", "RevokeGrant", {"KeyId": key, "GrantId": grant["GrantId"]})
    del call["GrantTokens"]
    assert refuse(client, "kms", "Encrypt", call, credentials).code == "AccessDeniedException"


def test_cloudtrail_has_the_calls_of_a_client(client: Client, account: Account) -> None:
    alias = f"alias/{uuid.uuid4()}"
    key = account.make_key()
    client.call("kms", "CreateAlias", {"AliasName": alias, "TargetKeyId": key})
    attribute = {"AttributeKey": "ResourceName", "AttributeValue": key}
    found = client.call("cloudtrail", "LookupEvents", {"LookupAttributes": [attribute]})

    assert [each["EventName"] for each in found["Events"]] == ["CreateAlias", "CreateKey"]
