"""Records of calls as CloudTrail shows them.

Expectations are those of records of AWS, of 2026 (eventVersion 1.11), where there are any.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone

import boto3
import pytest

from kmsmock import mock_kms
from kmsmock.services.kms_caller import KmsCaller
from tests.authorization.documents import ACCOUNT, OTHER, allow, policy, to
from tests.refusals import refused

START = datetime(2026, 9, 25, 15, 30, 9, 500_000, tzinfo=timezone.utc)
EVERYTHING = policy(allow("*"))
ORDER = [
    *("eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion"),
    *("sourceIPAddress", "userAgent", "errorCode", "errorMessage", "requestParameters"),
    *("responseElements", "additionalEventData", "requestID", "eventID", "readOnly", "resources"),
    *("eventType", "managementEvent", "recipientAccountId", "sharedEventID", "vpcEndpointId"),
    *("vpcEndpointAccountId", "serviceEventDetails", "eventCategory", "tlsDetails"),
]


@pytest.fixture
def kms():
    with mock_kms(isolated=True, delays="none", seed=1, start_time=START) as kms:
        yield kms


@pytest.fixture
def client(kms):
    return kms.client()


@pytest.fixture
def key(client):
    return client.create_key()["KeyMetadata"]


def shared_key(kms):
    """Give a key that everybody in the other account may use."""
    statements = [allow("kms:*", **to(account)) for account in (ACCOUNT, OTHER)]
    return kms.client().create_key(Policy=policy(*statements))["KeyMetadata"]


def last(kms):
    return kms.trail[-1]


# --- a record as a whole ------------------------------------------------------------------------


def test_a_call_of_a_role_has_all_members_in_the_order_of_cloudtrail(kms, key):
    role = kms.account(ACCOUNT).role("App", policies=[EVERYTHING], path="/team/", session="job")
    client = role.client()
    blob = client.encrypt(KeyId=key["KeyId"], Plaintext=b"x", EncryptionContext={"A": "b"})
    answer = client.decrypt(CiphertextBlob=blob["CiphertextBlob"], EncryptionContext={"A": "b"})

    record = last(kms)

    assert record == {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": f"{role.unique_id}:job",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/App/job",
            "accountId": ACCOUNT,
            "accessKeyId": role.credentials.access_key,
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": role.unique_id,
                    "arn": f"arn:aws:iam::{ACCOUNT}:role/team/App",
                    "accountId": ACCOUNT,
                    "userName": "App",
                },
                "attributes": {
                    "creationDate": "2026-09-25T15:30:09Z",
                    "mfaAuthenticated": "false",
                },
            },
        },
        "eventTime": "2026-09-25T15:30:09Z",
        "eventSource": "kms.amazonaws.com",
        "eventName": "Decrypt",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "127.0.0.1",
        "userAgent": record["userAgent"],
        "requestParameters": {
            "encryptionContext": {"A": "b"},
            "encryptionAlgorithm": "SYMMETRIC_DEFAULT",
            "keyId": key["Arn"],
        },
        "responseElements": None,
        "additionalEventData": {"keyMaterialId": answer["KeyMaterialId"]},
        "requestID": answer["ResponseMetadata"]["RequestId"],
        "eventID": record["eventID"],
        "readOnly": True,
        "resources": [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": key["Arn"]}],
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
        "tlsDetails": {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_256_GCM_SHA384",
            "clientProvidedHostHeader": "kms.us-east-1.amazonaws.com",
            "keyExchange": "x25519",
        },
    }
    assert record["userAgent"].startswith("Boto3/")
    assert list(record) == [name for name in ORDER if name in record]
    assert list(record["requestParameters"]) == [
        *("encryptionContext", "encryptionAlgorithm", "keyId")
    ]


def test_a_time_is_in_whole_seconds(kms, client):
    kms.clock.move_to(datetime(2027, 1, 2, 3, 4, 5, 999_999, tzinfo=timezone.utc))
    client.list_keys()

    assert last(kms)["eventTime"] == "2027-01-02T03:04:05Z"


def test_a_record_is_the_same_each_time_that_it_is_looked_at(kms, key):
    assert kms.trail[-1] == kms.trail[-1]
    assert kms.trail[-1]["requestParameters"] is not kms.trail[-1]["requestParameters"]
    assert key["KeyId"] in json.dumps(kms.trail[-1])


# --- who ----------------------------------------------------------------------------------------


def test_the_root_user_is_called_by_its_account(kms):
    root = kms.account(OTHER).root
    root.client().list_keys()

    assert last(kms)["userIdentity"] == {
        "type": "Root",
        "principalId": OTHER,
        "arn": f"arn:aws:iam::{OTHER}:root",
        "accountId": OTHER,
        "accessKeyId": root.credentials.access_key,
    }


def test_a_user_has_a_long_term_key_and_no_session(kms):
    user = kms.account(ACCOUNT).user("Alice", policies=[EVERYTHING])
    user.client().list_keys()

    assert last(kms)["userIdentity"] == {
        "type": "IAMUser",
        "principalId": user.unique_id,
        "arn": f"arn:aws:iam::{ACCOUNT}:user/Alice",
        "accountId": ACCOUNT,
        "accessKeyId": user.credentials.access_key,
        "userName": "Alice",
    }
    assert user.credentials.access_key.startswith("AKIA")


def client_with(credentials):
    return boto3.client(
        "kms",
        "us-east-1",
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def test_a_user_with_a_session_token_has_a_session_since_then(kms):
    user = kms.account(ACCOUNT).user("Alice", policies=[EVERYTHING])
    kms.clock.move_to(datetime(2026, 10, 1, 12, 0, 0, tzinfo=timezone.utc))
    credentials = user.client("sts").get_session_token()["Credentials"]
    kms.clock.advance(hours=1)
    with kms.request_context({"aws:MultiFactorAuthPresent": "true"}):
        client_with(credentials).list_keys()

    identity = last(kms)["userIdentity"]
    assert identity["accessKeyId"] == credentials["AccessKeyId"]
    assert identity["userName"] == "Alice"
    assert identity["sessionContext"]["attributes"]["creationDate"] == "2026-10-01T12:00:00Z"
    assert identity["sessionContext"]["attributes"]["mfaAuthenticated"] == "true"


def test_a_federated_user_comes_from_a_user(kms):
    user = kms.account(ACCOUNT).user("Alice", policies=[EVERYTHING])
    user.federated_user("bob", policies=[EVERYTHING]).client().list_keys()

    identity = last(kms)["userIdentity"]
    assert identity["type"] == "FederatedUser"
    assert identity["principalId"] == f"{ACCOUNT}:bob"
    assert identity["arn"] == f"arn:aws:sts::{ACCOUNT}:federated-user/bob"
    assert identity["sessionContext"]["sessionIssuer"] == {
        "type": "IAMUser",
        "principalId": user.unique_id,
        "arn": user.arn,
        "accountId": ACCOUNT,
        "userName": "Alice",
    }


def test_a_service_in_its_own_name_is_nothing_but_its_name(kms, client):
    statement = {**allow("kms:*"), "Principal": {"Service": "logs.us-east-1.amazonaws.com"}}
    text = policy(statement, allow("kms:*", **to(ACCOUNT)))
    key = client.create_key(Policy=text)["KeyMetadata"]
    service = kms.principal("logs.us-east-1.amazonaws.com")
    service.client().generate_data_key(KeyId=key["Arn"], KeySpec="AES_256")

    [record] = kms.trail.lookup("GenerateDataKey")
    name = "logs.us-east-1.amazonaws.com"
    assert record["userIdentity"] == {"type": "AWSService", "invokedBy": name}
    assert record["sourceIPAddress"] == record["userAgent"] == name
    assert record["recipientAccountId"] == ACCOUNT
    assert "sharedEventID" in record
    assert "tlsDetails" not in record


def test_a_service_that_calls_for_a_role_is_named_beside_it(kms, key):
    role = kms.account(ACCOUNT).role("App", policies=[EVERYTHING], session="job")
    role.via("s3").client().encrypt(KeyId=key["KeyId"], Plaintext=b"x")

    record = last(kms)
    assert record["userIdentity"]["type"] == "AssumedRole"
    assert record["userIdentity"]["invokedBy"] == "s3.amazonaws.com"
    assert record["sourceIPAddress"] == record["userAgent"] == "s3.amazonaws.com"
    assert "tlsDetails" not in record
    assert "sharedEventID" not in record


def test_a_service_that_calls_for_a_user_has_temporary_credentials(kms, key):
    user = kms.account(ACCOUNT).user("Alice", policies=[EVERYTHING])
    user.via("ec2").client().describe_key(KeyId=key["KeyId"])

    record = last(kms)
    assert record["userIdentity"]["accessKeyId"].startswith("ASIA")
    assert record["userIdentity"]["sessionContext"]["attributes"]["mfaAuthenticated"] == "false"
    assert record["userIdentity"]["invokedBy"] == "ec2-frontend-api.amazonaws.com"
    assert record["vpcEndpointId"] == record["vpcEndpointAccountId"] == "AWS Internal"
    assert "sharedEventID" in record


def test_a_service_can_call_from_an_address_of_its_own(kms, key):
    source = "prod.kms-caller.ebs.us-east-1.amazonaws.com"
    backend = kms.backend
    role = kms.account(ACCOUNT).role("App", policies=[EVERYTHING]).via("ec2").principal
    caller = KmsCaller(backend, role, "us-east-1", source, "ASIA0000000000000000")
    caller.call("DescribeKey", KeyId=key["KeyId"])

    record = last(kms)
    assert record["userIdentity"]["invokedBy"] == source
    assert record["sourceIPAddress"] == record["userAgent"] == source


@pytest.mark.parametrize(
    ("keys", "address", "endpoint"),
    [
        pytest.param({"aws:SourceIp": "203.0.113.9"}, "203.0.113.9", None, id="internet"),
        pytest.param(
            {"aws:VpcSourceIp": "10.0.0.7", "aws:SourceVpce": "vpce-1"},
            "10.0.0.7",
            ("vpce-1", ACCOUNT),
            id="endpoint",
        ),
        pytest.param(
            {"aws:SourceVpce": "vpce-1", "aws:VpceAccount": OTHER},
            "127.0.0.1",
            ("vpce-1", OTHER),
            id="endpoint of another account",
        ),
    ],
)
def test_the_network_of_a_call_is_shown(kms, client, keys, address, endpoint):
    with kms.request_context(keys):
        client.list_keys()

    record = last(kms)
    assert record["sourceIPAddress"] == address
    shown = record.get("vpcEndpointId"), record.get("vpcEndpointAccountId")
    assert shown == (endpoint or (None, None))


# --- across accounts ----------------------------------------------------------------------------


def test_a_call_across_accounts_is_in_both_logs(kms):
    key = shared_key(kms)
    role = kms.account(OTHER).role("App", policies=[EVERYTHING], session="job")
    role.client().encrypt(KeyId=key["Arn"], Plaintext=b"x")

    [own] = kms.trail.lookup("Encrypt", account=OTHER)
    [owners] = kms.trail.lookup("Encrypt", account=ACCOUNT)

    assert owners["userIdentity"] == {
        "type": "AWSAccount",
        "principalId": f"{role.unique_id}:job",
        "accountId": OTHER,
    }
    assert owners["recipientAccountId"] == ACCOUNT
    assert own["userIdentity"]["arn"].endswith("assumed-role/App/job")
    assert own["resources"][0]["accountId"] == ACCOUNT
    assert own["sharedEventID"] == owners["sharedEventID"]
    assert own["eventID"] != owners["eventID"]
    assert "tlsDetails" in own
    assert "tlsDetails" not in owners
    differing = ("userIdentity", "recipientAccountId", "eventID", "tlsDetails")
    assert {k: v for k, v in own.items() if k not in differing} == {
        k: v for k, v in owners.items() if k not in differing
    }


def test_a_refusal_across_accounts_is_in_the_log_of_the_caller_alone(kms, key):
    role = kms.account(OTHER).role("App", policies=[EVERYTHING])
    with refused("AccessDeniedException"):
        role.client().encrypt(KeyId=key["Arn"], Plaintext=b"x")

    [record] = kms.trail.lookup("Encrypt")
    assert record["recipientAccountId"] == OTHER
    assert "sharedEventID" not in record


def test_another_failure_across_accounts_is_in_both_logs(kms):
    key = shared_key(kms)
    kms.client().disable_key(KeyId=key["KeyId"])
    role = kms.account(OTHER).role("App", policies=[EVERYTHING])
    with refused("DisabledException"):
        role.client().encrypt(KeyId=key["Arn"], Plaintext=b"x")

    assert {r["recipientAccountId"] for r in kms.trail.lookup("Encrypt")} == {ACCOUNT, OTHER}


def test_a_key_that_is_not_there_leaves_the_owner_nothing(kms, key):
    role = kms.account(OTHER).role("App", policies=[EVERYTHING])
    with refused("AccessDeniedException"):
        role.client().encrypt(KeyId=key["Arn"][:-4] + "0000", Plaintext=b"x")

    [record] = kms.trail.lookup("Encrypt")
    assert record["recipientAccountId"] == OTHER


# --- failures -----------------------------------------------------------------------------------


def test_a_refusal_is_called_access_denied_and_shows_nothing_of_the_request(kms, key):
    user = kms.account(ACCOUNT).user("Alice")
    with refused("AccessDeniedException") as caught:
        user.client().encrypt(KeyId=key["KeyId"], Plaintext=b"x")

    record = last(kms)
    assert record["errorCode"] == "AccessDenied"
    assert record["errorMessage"] == caught.value.response["Error"]["Message"]
    assert record["requestParameters"] is record["responseElements"] is None
    assert record["readOnly"] is True
    assert "resources" not in record


@pytest.mark.parametrize(
    ("service", "where"),
    [
        pytest.param("ec2", "on this resource", id="ec2"),
        pytest.param("secretsmanager", "on resource: {arn}", id="secretsmanager"),
    ],
)
def test_a_refused_request_of_a_service_may_not_name_the_key(kms, key, service, where):
    user = kms.account(ACCOUNT).user("Alice")
    with refused("AccessDeniedException"):
        user.via(service).client().encrypt(KeyId=key["KeyId"], Plaintext=b"x")

    message = last(kms)["errorMessage"]
    expected = f"is not authorized to perform: kms:Encrypt {where.format(arn=key['Arn'])} because"
    assert expected in message


def test_a_name_that_is_not_there_shows_nothing_of_the_request(kms, client):
    with refused("NotFoundException"):
        client.describe_key(KeyId="alias/x")

    record = last(kms)
    assert record["errorCode"] == "NotFoundException"
    assert record["errorMessage"] == (
        f"Alias arn:aws:kms:us-east-1:{ACCOUNT}:alias/x is not found."
    )
    assert record["requestParameters"] is None
    assert "resources" not in record


def test_a_disabled_key_is_shown_with_the_request(kms, client, key):
    client.disable_key(KeyId=key["KeyId"])
    with refused("DisabledException"):
        client.encrypt(KeyId=key["KeyId"], Plaintext=b"x")

    record = last(kms)
    assert record["errorMessage"] == f"{key['Arn']} is disabled."
    assert record["requestParameters"]["keyId"] == key["KeyId"]
    assert record["resources"][0]["ARN"] == key["Arn"]


def test_a_ciphertext_of_another_key_shows_the_key_that_was_named(kms, client, key):
    other = client.create_key()["KeyMetadata"]
    blob = client.encrypt(KeyId=other["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    with refused("IncorrectKeyException"):
        client.decrypt(CiphertextBlob=blob, KeyId=key["KeyId"])

    assert [resource["ARN"] for resource in last(kms)["resources"]] == [key["Arn"]]


def test_an_error_without_text_has_no_message(kms, client, key):
    blob = client.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    with refused("InvalidCiphertextException"):
        client.decrypt(CiphertextBlob=blob, EncryptionContext={"wrong": "context"})

    record = last(kms)
    assert record["errorCode"] == "InvalidCiphertextException"
    assert "errorMessage" not in record
    assert record["requestParameters"]["encryptionContext"] == {"wrong": "context"}


def test_the_algorithm_is_shown_also_when_the_ciphertext_says_nothing(kms, client):
    with refused("InvalidCiphertextException"):
        client.decrypt(CiphertextBlob=b"no ciphertext")

    assert last(kms)["requestParameters"] == {"encryptionAlgorithm": "SYMMETRIC_DEFAULT"}


def test_a_request_that_breaks_limits_is_logged_without_parameters(kms, client):
    with refused("ValidationException"):
        client.encrypt(KeyId="alias/x", Plaintext=b"x" * 5000)

    assert last(kms)["errorCode"] == "ValidationException"
    assert last(kms)["requestParameters"] is None


def test_a_throttled_call_is_logged(kms, client):
    kms.faults.throttle("ListKeys", times=1)
    client.list_keys()

    throttled, succeeded = kms.trail.lookup("ListKeys")
    assert throttled["errorCode"] == "ThrottlingException"
    assert "errorCode" not in succeeded


def test_a_dry_run_is_logged_as_its_error(kms, client, key):
    with refused("DryRunOperationException"):
        client.encrypt(KeyId=key["KeyId"], Plaintext=b"x", DryRun=True)

    record = last(kms)
    assert record["errorCode"] == "DryRunOperationException"
    assert record["requestParameters"]["dryRun"] is True


def test_credentials_that_nobody_holds_leave_no_record(kms, client):
    user = kms.account(ACCOUNT).user("Alice", policies=[EVERYTHING])
    of_user = user.client()
    user.delete()
    with refused("UnrecognizedClientException"):
        of_user.list_keys()
    client.list_keys()

    assert len(kms.trail.lookup("ListKeys")) == 1


# --- what KMS did by itself ---------------------------------------------------------------------


def by_itself(kms, name):
    [record] = kms.trail.lookup(name)
    assert record["userIdentity"] == {"accountId": ACCOUNT, "invokedBy": "AWS Internal"}
    assert record["sourceIPAddress"] == record["userAgent"] == "AWS Internal"
    assert record["requestParameters"] is None
    assert record["readOnly"] is False
    return record


def test_an_automatic_rotation_is_logged_when_it_is_due(kms, client, key):
    client.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    kms.clock.advance(days=90)
    rotations = client.list_key_rotations(KeyId=key["KeyId"], IncludeKeyMaterial="ALL_KEY_MATERIAL")
    [old, new] = sorted(rotations["Rotations"], key=lambda r: r["KeyMaterialState"] == "CURRENT")

    record = by_itself(kms, "RotateKey")

    assert record["serviceEventDetails"] == {
        "rotationType": "AUTOMATIC",
        "keyOrigin": "AWS_KMS",
        "previousKeyMaterialId": old["KeyMaterialId"],
        "currentKeyMaterialId": new["KeyMaterialId"],
        "keyId": key["KeyId"],
    }
    assert record["eventType"] == "AwsServiceEvent"
    assert record["responseElements"] is None
    assert "requestID" not in record
    assert list(record) == [member for member in ORDER if member in record]
    assert record["eventTime"][:10] == "2026-12-24"


def test_a_reset_mock_has_no_events(kms, client, key):
    client.enable_key_rotation(KeyId=key["KeyId"])
    kms.clock.advance(days=366)
    assert kms.trail.lookup("RotateKey")

    kms.reset()

    assert list(kms.trail) == []


def test_a_rotation_on_demand_is_a_call_and_an_event(kms, client, key):
    client.rotate_key_on_demand(KeyId=key["KeyId"])
    client.list_keys()

    [call] = kms.trail.lookup("RotateKeyOnDemand")
    assert call["responseElements"] == {"keyId": key["KeyId"]}
    assert by_itself(kms, "RotateKey")["serviceEventDetails"]["rotationType"] == "ON_DEMAND"


def test_a_deletion_is_logged_when_it_is_due(kms, client, key):
    client.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    kms.clock.advance(days=7)

    record = by_itself(kms, "DeleteKey")
    assert record["responseElements"] == {"keyId": key["Arn"]}
    assert record["resources"][0]["ARN"] == key["Arn"]
    assert "serviceEventDetails" not in record


def test_the_expiry_of_imported_material_is_logged_when_it_is_due(kms, client):
    key = client.create_key(Origin="EXTERNAL")["KeyMetadata"]
    until = datetime(2026, 10, 1, tzinfo=timezone.utc)
    imported = kms.import_material(key["Arn"], b"m" * 32, ValidTo=until)
    kms.clock.advance(days=30)

    record = by_itself(kms, "DeleteExpiredKeyMaterial")
    assert record["eventTime"] == "2026-10-01T00:00:00Z"
    assert record["serviceEventDetails"] == {
        "keyId": key["KeyId"],
        "keyMaterialId": imported["KeyMaterialId"],
    }


def test_a_replica_is_a_call_in_two_regions_and_a_synchronization(kms, client):
    key = client.create_key(MultiRegion=True, Description="d")["KeyMetadata"]
    client.replicate_key(
        KeyId=key["KeyId"],
        ReplicaRegion="eu-west-1",
        Description="copy",
        Tags=[{"TagKey": "a", "TagValue": "b"}],
    )
    client.list_keys()

    [call] = kms.trail.lookup("ReplicateKey")
    [created] = kms.trail.lookup("CreateKey", region="eu-west-1")
    synchronized = by_itself(kms, "SynchronizeMultiRegionKey")
    replica = key["Arn"].replace("us-east-1", "eu-west-1")
    assert call["awsRegion"] == "us-east-1"
    assert call["responseElements"]["replicaKeyMetadata"]["arn"] == replica
    assert call["responseElements"]["replicaTags"] == [{"tagKey": "a", "tagValue": "b"}]
    assert isinstance(call["responseElements"]["replicaPolicy"], str)
    assert created["userIdentity"]["invokedBy"] == "kms.amazonaws.com"
    assert created["requestID"] == call["requestID"]
    assert created["requestParameters"]["description"] == "copy"
    assert created["responseElements"]["keyMetadata"]["arn"] == replica
    assert created["resources"][0]["ARN"] == replica
    assert synchronized["eventType"] == "AwsApiCall"
    assert synchronized["responseElements"] == {"keyId": key["Arn"]}
    assert "requestID" in synchronized
    assert synchronized["awsRegion"] == "us-east-1"


def test_a_rotation_of_related_keys_is_a_synchronization_too(kms, client):
    key = client.create_key(MultiRegion=True)["KeyMetadata"]
    client.replicate_key(KeyId=key["KeyId"], ReplicaRegion="eu-west-1")
    kms.clock.advance(hours=1)
    client.enable_key_rotation(KeyId=key["KeyId"])
    before = len(kms.trail.lookup("SynchronizeMultiRegionKey"))
    kms.clock.advance(days=366)

    rotated = by_itself(kms, "RotateKey")
    *_, synchronized = kms.trail.lookup("SynchronizeMultiRegionKey")
    assert len(kms.trail.lookup("SynchronizeMultiRegionKey")) == before + 1
    assert synchronized["eventTime"] == rotated["eventTime"]


def test_a_new_primary_is_a_call_in_both_regions(kms, client):
    key = client.create_key(MultiRegion=True)["KeyMetadata"]
    client.replicate_key(KeyId=key["KeyId"], ReplicaRegion="eu-west-1")
    client.update_primary_region(KeyId=key["KeyId"], PrimaryRegion="eu-west-1")

    old, new = kms.trail.lookup("UpdatePrimaryRegion")
    replica = key["Arn"].replace("us-east-1", "eu-west-1")
    assert (old["awsRegion"], new["awsRegion"]) == ("us-east-1", "eu-west-1")
    assert old["requestParameters"] == {"keyId": key["KeyId"], "primaryRegion": "eu-west-1"}
    assert new["requestParameters"] == {"keyId": replica, "primaryRegion": "eu-west-1"}
    assert new["userIdentity"]["invokedBy"] == "kms.amazonaws.com"
    assert new["requestID"] == old["requestID"]
    assert new["eventID"] != old["eventID"]
    assert "resources" not in new


def test_kms_has_another_name_in_china():
    with mock_kms(isolated=True, region="cn-north-1", delays="none") as kms:
        client = kms.client()
        key = client.create_key()["KeyMetadata"]
        client.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
        kms.clock.advance(days=7)

        [record] = kms.trail.lookup("DeleteKey")
        assert record["userIdentity"]["invokedBy"] == "Amazon Internal"
        assert kms.trail.lookup("CreateKey")[0]["tlsDetails"]["clientProvidedHostHeader"] == (
            "kms.cn-north-1.amazonaws.com.cn"
        )


def test_the_last_usage_of_a_key_names_an_event_of_the_trail(kms, client, key):
    client.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    usage = client.get_key_last_usage(KeyId=key["KeyId"])["KeyLastUsage"]

    [record] = kms.trail.lookup(event_id=usage["CloudTrailEventId"])
    assert record["eventName"] == "Encrypt"
    assert record["requestID"] == usage["KmsRequestId"]
