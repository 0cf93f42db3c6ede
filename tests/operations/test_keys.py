"""Creating, describing, switching and deleting KMS keys."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone

import pytest

from kmsmock import mock_kms
from kmsmock.operations import keys as keys_module
from tests.models import installed
from tests.refusals import refused

REGION, ACCOUNT = "us-east-1", "123456789012"
RSA_SIGNATURES = [
    *("RSASSA_PKCS1_V1_5_SHA_256", "RSASSA_PKCS1_V1_5_SHA_384", "RSASSA_PKCS1_V1_5_SHA_512"),
    *("RSASSA_PSS_SHA_256", "RSASSA_PSS_SHA_384", "RSASSA_PSS_SHA_512"),
]
OAEP = ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]

#: Key spec, key usage, metadata member, its algorithms. Source: AWS KMS, "Key spec reference".
KINDS = [
    ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "EncryptionAlgorithms", ["SYMMETRIC_DEFAULT"]),
    *((f"RSA_{n}", "ENCRYPT_DECRYPT", "EncryptionAlgorithms", OAEP) for n in (2048, 3072, 4096)),
    *((f"RSA_{n}", "SIGN_VERIFY", "SigningAlgorithms", RSA_SIGNATURES) for n in (2048, 3072, 4096)),
    ("ECC_NIST_P256", "SIGN_VERIFY", "SigningAlgorithms", ["ECDSA_SHA_256"]),
    ("ECC_NIST_P384", "SIGN_VERIFY", "SigningAlgorithms", ["ECDSA_SHA_384"]),
    ("ECC_NIST_P521", "SIGN_VERIFY", "SigningAlgorithms", ["ECDSA_SHA_512"]),
    ("ECC_SECG_P256K1", "SIGN_VERIFY", "SigningAlgorithms", ["ECDSA_SHA_256"]),
    (
        "ECC_NIST_EDWARDS25519",
        "SIGN_VERIFY",
        "SigningAlgorithms",
        ["ED25519_PH_SHA_512", "ED25519_SHA_512"],
    ),
    *(
        (f"ECC_NIST_P{n}", "KEY_AGREEMENT", "KeyAgreementAlgorithms", ["ECDH"])
        for n in (256, 384, 521)
    ),
    *(
        (f"HMAC_{n}", "GENERATE_VERIFY_MAC", "MacAlgorithms", [f"HMAC_SHA_{n}"])
        for n in (224, 256, 384, 512)
    ),
    *(
        (f"ML_DSA_{n}", "SIGN_VERIFY", "SigningAlgorithms", ["ML_DSA_SHAKE_256"])
        for n in (44, 65, 87)
    ),
    *(
        (f"ML_KEM_{n}", "ENCAPSULATE_DECAPSULATE", "EncapsulationAlgorithms", ["ML_KEM"])
        for n in (512, 768, 1024)
    ),
]


@pytest.mark.parametrize(("spec", "usage", "member", "algorithms"), KINDS)
def test_metadata_of_each_kind_of_key(client, new_key, spec, usage, member, algorithms):
    if spec not in client.meta.service_model.shape_for("KeySpec").enum:
        pytest.skip("the installed botocore does not know this key spec")

    metadata = new_key(KeySpec=spec, KeyUsage=usage)

    key_id = metadata["KeyId"]
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", key_id)
    material_id = metadata.pop("CurrentKeyMaterialId", None)
    shows_id = "CurrentKeyMaterialId" in client.meta.service_model.shape_for("KeyMetadata").members
    assert (material_id is not None) is (spec == "SYMMETRIC_DEFAULT" and shows_id)
    assert metadata.pop("CreationDate").tzinfo is not None
    expected = {
        "AWSAccountId": ACCOUNT,
        "KeyId": key_id,
        "Arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key_id}",
        "Enabled": True,
        "Description": "",
        "KeyUsage": usage,
        "KeyState": "Enabled",
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": spec,
        "KeySpec": spec,
        member: algorithms,
        "MultiRegion": False,
    }
    assert metadata == installed(client, "KeyMetadata", expected)


def test_describing_a_key_shows_what_creating_it_showed(client, new_key):
    metadata = new_key(Description="orders", MultiRegion=True)

    assert client.describe_key(KeyId=metadata["KeyId"])["KeyMetadata"] == metadata


@pytest.mark.parametrize(
    ("parameters", "code", "message"),
    [
        pytest.param(
            {"KeySpec": "RSA_2048"},
            "ValidationException",
            "You must specify a KeyUsage value for all KMS keys except for symmetric encryption "
            "keys.",
            id="no usage",
        ),
        pytest.param(
            {"KeySpec": "RSA_2048", "KeyUsage": "KEY_AGREEMENT"},
            "ValidationException",
            "KeyUsage KEY_AGREEMENT is not compatible with KeySpec RSA_2048",
            id="usage of another spec",
        ),
        pytest.param(
            {"KeySpec": "ECC_SECG_P256K1", "KeyUsage": "KEY_AGREEMENT"},
            "ValidationException",
            "KeyUsage KEY_AGREEMENT is not compatible with KeySpec ECC_SECG_P256K1",
            id="no agreement on this curve",
        ),
        pytest.param(
            {"KeyUsage": "SIGN_VERIFY"},
            "ValidationException",
            "KeyUsage SIGN_VERIFY is not compatible with KeySpec SYMMETRIC_DEFAULT",
            id="symmetric key that signs",
        ),
        pytest.param(
            {"KeySpec": "SYMMETRIC_DEFAULT", "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT"},
            "ValidationException",
            "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. "
            "CustomerMasterKeySpec is deprecated.",
            id="both names of the spec",
        ),
        pytest.param(
            {"KeySpec": "ML_DSA_44", "KeyUsage": "SIGN_VERIFY", "Origin": "EXTERNAL"},
            "ValidationException",
            "KeySpec ML_DSA_44 is not supported for Origin EXTERNAL",
            id="imported ML-DSA",
        ),
        pytest.param(
            {"KeySpec": "SM2", "KeyUsage": "SIGN_VERIFY"},
            "UnsupportedOperationException",
            "KeySpec SM2 is not supported in this Region",
            id="SM2 outside China",
        ),
        pytest.param(
            {"Policy": "no policy"}, "MalformedPolicyDocumentException", "", id="policy not JSON"
        ),
        pytest.param({"Policy": "x" * 32_769}, "LimitExceededException", None, id="long policy"),
        pytest.param(
            {"Tags": [{"TagKey": str(n), "TagValue": ""} for n in range(51)]},
            "TagException",
            "Too many tags",
            id="too many tags",
        ),
        pytest.param(
            {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": "cks-1234567890abcdef0"},
            "CustomKeyStoreNotFoundException",
            None,
            id="unknown key store",
        ),
        pytest.param(
            {"Origin": "AWS_CLOUDHSM"},
            "ValidationException",
            "CustomKeyStoreId is required when Origin is AWS_CLOUDHSM.",
            id="no key store",
        ),
        pytest.param(
            {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY", "CustomKeyStoreId": "cks-x"},
            "UnsupportedOperationException",
            None,
            id="key pair in a key store",
        ),
        pytest.param(
            {"MultiRegion": True, "CustomKeyStoreId": "cks-x"},
            "UnsupportedOperationException",
            None,
            id="multi-Region key in a key store",
        ),
    ],
)
def test_a_key_that_cannot_be_is_refused(client, parameters, code, message):
    with refused(code, message):
        client.create_key(**parameters)

    assert client.list_keys()["Keys"] == []


def test_the_old_name_of_the_spec_still_works(new_key):
    metadata = new_key(CustomerMasterKeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")

    assert metadata["KeySpec"] == "RSA_2048"


def test_a_multi_region_key_has_an_id_of_its_own_form(new_key):
    metadata = new_key(MultiRegion=True)

    assert re.fullmatch(r"mrk-[0-9a-f]{32}", metadata["KeyId"])
    assert metadata["MultiRegionConfiguration"] == {
        "MultiRegionKeyType": "PRIMARY",
        "PrimaryKey": {"Arn": metadata["Arn"], "Region": REGION},
        "ReplicaKeys": [],
    }


def test_an_external_key_waits_for_its_material(new_key):
    metadata = new_key(Origin="EXTERNAL")

    assert (metadata["KeyState"], metadata["Enabled"]) == ("PendingImport", False)
    assert not {"CurrentKeyMaterialId", "ExpirationModel", "ValidTo"} & set(metadata)


def test_the_quota_of_keys_is_enforced(client, monkeypatch):
    monkeypatch.setattr(keys_module, "KEYS_QUOTA", 1)
    client.create_key()
    client.describe_key(KeyId="alias/aws/s3")  # those of AWS do not count
    text = "Key quota for this account in this region is 1 but the current usage is 1."

    with refused("LimitExceededException", text):
        client.create_key()


def test_a_disabled_key_is_disabled_until_it_is_enabled(client, new_key):
    key_id = new_key()["KeyId"]

    client.disable_key(KeyId=key_id)
    disabled = client.describe_key(KeyId=key_id)["KeyMetadata"]
    client.enable_key(KeyId=key_id)
    enabled = client.describe_key(KeyId=key_id)["KeyMetadata"]

    assert (disabled["KeyState"], disabled["Enabled"]) == ("Disabled", False)
    assert (enabled["KeyState"], enabled["Enabled"]) == ("Enabled", True)


def test_a_description_can_be_changed_and_emptied(client, new_key):
    key_id = new_key(Description="old")["KeyId"]

    client.update_key_description(KeyId=key_id, Description="")

    assert client.describe_key(KeyId=key_id)["KeyMetadata"]["Description"] == ""


@pytest.mark.parametrize("days", [7, 30, None])
def test_deletion_is_scheduled_for_the_end_of_the_window(kms, client, new_key, days):
    key = new_key()
    window = {} if days is None else {"PendingWindowInDays": days}

    answer = client.schedule_key_deletion(KeyId=key["KeyId"], **window)

    metadata = client.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    assert answer["KeyId"] == key["Arn"]
    assert (answer["KeyState"], answer["PendingWindowInDays"]) == ("PendingDeletion", days or 30)
    assert answer["DeletionDate"] == metadata["DeletionDate"]
    assert abs(answer["DeletionDate"] - kms.clock.now() - timedelta(days=days or 30)) < timedelta(
        seconds=10
    )


@pytest.mark.parametrize("days", [6, 31])
def test_a_window_outside_7_to_30_days_is_refused(client, new_key, days):
    key_id = new_key()["KeyId"]

    with refused("ValidationException", "PendingWindowInDays must be between 7 and 30"):
        client.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=days)


def test_a_cancelled_deletion_leaves_the_key_disabled(kms, client, new_key):
    key = new_key()
    client.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)

    answer = client.cancel_key_deletion(KeyId=key["KeyId"])
    kms.clock.advance(days=8)

    metadata = client.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    assert answer["KeyId"] == key["Arn"]
    assert metadata["KeyState"] == "Disabled"
    assert "DeletionDate" not in metadata


def test_a_deletion_that_was_put_off_happens_at_its_new_date(kms, client, new_key):
    key_id = new_key()["KeyId"]
    client.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    client.cancel_key_deletion(KeyId=key_id)
    client.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=30)

    kms.clock.advance(days=29)
    assert client.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    kms.clock.advance(days=1)

    assert client.list_keys()["Keys"] == []


def test_a_deletion_that_is_put_off_by_no_time_happens_once():
    with mock_kms(seed=1) as kms:
        client = kms.client()
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        for _ in range(2):
            client.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
            client.cancel_key_deletion(KeyId=key_id)
        client.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)

        kms.clock.advance(days=8)

        assert kms.keys == ()
        assert len(kms.trail.lookup("DeleteKey")) == 1


def test_a_deleted_key_takes_its_aliases_and_grants_with_it(kms, client, new_key):
    key_id = new_key()["KeyId"]
    client.create_alias(AliasName="alias/app", TargetKeyId=key_id)
    principal = f"arn:aws:iam::{ACCOUNT}:role/App"
    client.create_grant(
        KeyId=key_id,
        GranteePrincipal=principal,
        RetiringPrincipal=principal,
        Operations=["Decrypt"],
    )
    client.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)

    kms.clock.advance(days=7)

    assert kms.aliases == ()
    assert client.list_retirable_grants(RetiringPrincipal=principal)["Grants"] == []


def test_the_last_use_is_empty_at_first(client, new_key):
    key = new_key()

    usage = client.get_key_last_usage(KeyId=key["KeyId"])

    assert usage["KeyLastUsage"] == {}
    assert usage["KeyCreationDate"] == usage["TrackingStartDate"] == key["CreationDate"]


def test_of_an_older_key_the_use_is_known_since_kms_began_to_record_it():
    began = datetime(2026, 4, 23, tzinfo=timezone.utc)
    with mock_kms(start_time=began - timedelta(days=400)) as kms:
        client = kms.client()
        older = client.create_key()["KeyMetadata"]["KeyId"]
        kms.clock.advance(days=401)
        newer = client.create_key()["KeyMetadata"]

        assert client.get_key_last_usage(KeyId=older)["TrackingStartDate"] == began
        tracked = client.get_key_last_usage(KeyId=newer["KeyId"])["TrackingStartDate"]
        assert tracked == newer["CreationDate"]


def test_an_older_key_is_without_use_since_kms_began_to_record_it():
    with mock_kms(start_time=datetime(2025, 1, 1, tzinfo=timezone.utc)) as kms:
        client = kms.client()
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        recently = {"NumericLessThan": {"kms:TrailingDaysWithoutKeyUsage": "10"}}
        user = kms.account("123456789012").user("ann", policies=[])
        user.set_policies(
            *[
                json.dumps({"Statement": {"Action": "kms:DisableKey", "Resource": "*", **effect}})
                for effect in ({"Effect": "Allow"}, {"Effect": "Deny", "Condition": recently})
            ]
        )

        kms.clock.move_to(datetime(2026, 4, 30, tzinfo=timezone.utc))
        assert not kms.explain(user, "kms:DisableKey", key_id)
        kms.clock.move_to(datetime(2026, 5, 30, tzinfo=timezone.utc))
        assert kms.explain(user, "kms:DisableKey", key_id)


def test_the_last_use_tells_operation_and_request(client, new_key):
    key = new_key()
    answer = client.encrypt(KeyId=key["KeyId"], Plaintext=b"text")
    client.describe_key(KeyId=key["KeyId"])  # does not count

    usage = client.get_key_last_usage(KeyId=key["KeyId"])

    assert usage["KeyId"] == key["KeyId"]
    assert usage["KeyLastUsage"]["Operation"] == "Encrypt"
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert usage["KeyLastUsage"]["KmsRequestId"] == request_id


def test_the_last_use_names_the_event_in_the_trail(kms, client, new_key):
    key_id = new_key()["KeyId"]
    client.encrypt(KeyId=key_id, Plaintext=b"text")
    used = client.get_key_last_usage(KeyId=key_id)["KeyLastUsage"]

    [record] = kms.trail.lookup("Encrypt")
    assert used["CloudTrailEventId"] == record["eventID"]
    assert used["KmsRequestId"] == record["requestID"]


def test_reencrypting_is_a_use_of_both_keys(client, new_key):
    source, destination = (new_key()["KeyId"] for _ in range(2))
    blob = client.encrypt(KeyId=source, Plaintext=b"text")["CiphertextBlob"]
    client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=destination)

    for key_id in (source, destination):
        assert client.get_key_last_usage(KeyId=key_id)["KeyLastUsage"]["Operation"] == "ReEncrypt"


def test_a_public_key_that_is_fetched_is_no_use(client, new_key):
    key_id = new_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyId"]
    client.get_public_key(KeyId=key_id)

    assert client.get_key_last_usage(KeyId=key_id)["KeyLastUsage"] == {}


def test_failed_calls_and_dry_runs_are_no_use(client, new_key):
    key_id = new_key()["KeyId"]
    with refused("DryRunOperationException"):
        client.encrypt(KeyId=key_id, Plaintext=b"text", DryRun=True)
    client.disable_key(KeyId=key_id)
    with refused("DisabledException"):
        client.encrypt(KeyId=key_id, Plaintext=b"text")

    assert client.get_key_last_usage(KeyId=key_id)["KeyLastUsage"] == {}


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_256", "ECC_NIST_P256"])
def test_no_representation_of_a_key_shows_its_secret(kms, spec):
    usage = {"HMAC_256": "GENERATE_VERIFY_MAC", "ECC_NIST_P256": "SIGN_VERIFY"}
    client = kms.client()
    key = client.create_key(KeySpec=spec, KeyUsage=usage.get(spec, "ENCRYPT_DECRYPT"))
    if spec == "ECC_NIST_P256":  # the secret of a key pair is made on first use
        client.get_public_key(KeyId=key["KeyMetadata"]["KeyId"])
    [material] = kms.keys[0].materials

    shown = f"{kms.keys!r} {material!r}"

    assert "secret" not in shown
    assert "opened" not in shown
