"""Tables of DynamoDB under keys of KMS, with moto as their storage."""

from __future__ import annotations

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from kmsmock import mock_kms
from tests.services.beside.conftest import ACCOUNT, error_of

CONTEXT = {"aws:dynamodb:tableName": "orders", "aws:dynamodb:subscriberId": ACCOUNT}
DYNAMODB = "dynamodb.us-east-1.amazonaws.com"
MODEL = "com.amazonaws.services.kms.model"
TAKEN = [("DescribeKey", None), ("CreateGrant", None), ("GenerateDataKey", CONTEXT)]
ITEM = {"id": {"S": "1"}}


@pytest.fixture
def dynamodb(kms):
    return kms.client("dynamodb")


@pytest.fixture
def create(dynamodb):
    """Create a table; without a specification under the key that DynamoDB owns."""

    def create(client=dynamodb, **specification):
        sse_member = {"SSESpecification": specification} if specification else {}
        return client.create_table(
            TableName="orders",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            **sse_member,
        )["TableDescription"]

    return create


@pytest.fixture
def encrypted_table(create, key):
    """Create the table with the customer managed key."""
    return create(Enabled=True, SSEType="KMS", KMSMasterKeyId=key)


def update(client, **specification):
    answer = client.update_table(TableName="orders", SSESpecification=specification)
    return answer["TableDescription"]


def describe_sse(client):
    return client.describe_table(TableName="orders")["Table"].get("SSEDescription")


@pytest.mark.parametrize(
    "specification", [{}, {"Enabled": False}], ids=["nothing said", "not enabled"]
)
def test_a_table_under_a_key_of_aws_shows_nothing_and_makes_no_calls(
    dynamodb, create, calls_by, specification
):
    assert "SSEDescription" not in create(**specification)
    dynamodb.put_item(TableName="orders", Item=ITEM)
    assert calls_by("dynamodb") == []


@pytest.mark.parametrize(
    "specification",
    [{"Enabled": True}, {"SSEType": "KMS"}, {"Enabled": True, "SSEType": "KMS"}],
    ids=["enabled", "of a type", "both"],
)
def test_a_table_without_a_named_key_is_under_the_managed_key(kms, dynamodb, create, specification):
    create(**specification)
    managed = kms.client().describe_key(KeyId="alias/aws/dynamodb")["KeyMetadata"]["Arn"]
    assert describe_sse(dynamodb) == {
        "Status": "ENABLED",
        "SSEType": "KMS",
        "KMSMasterKeyArn": managed,
    }


def test_a_table_takes_its_key_with_a_grant_for_dynamodb(kms, encrypted_table, key, calls_by):
    assert encrypted_table["SSEDescription"]["KMSMasterKeyArn"] == key
    assert calls_by("dynamodb") == TAKEN
    (grant,) = kms.client().list_grants(KeyId=key)["Grants"]
    assert (grant["GranteePrincipal"], grant["RetiringPrincipal"]) == (DYNAMODB, DYNAMODB)
    assert grant["Constraints"] == {"EncryptionContextSubset": CONTEXT}
    assert grant["IssuingAccount"] == f"arn:aws:iam::{ACCOUNT}:root"
    assert grant["Operations"] == [
        *("Decrypt", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo"),
        *("RetireGrant", "DescribeKey"),
    ]


@pytest.mark.usefixtures("encrypted_table")
def test_items_need_the_table_key_once_in_five_minutes(kms, dynamodb, calls_by):
    for _ in range(3):
        dynamodb.put_item(TableName="orders", Item=ITEM)
        dynamodb.get_item(TableName="orders", Key=ITEM)
    assert calls_by("dynamodb") == [*TAKEN, ("Decrypt", CONTEXT)]
    kms.clock.advance(minutes=5)
    dynamodb.scan(TableName="orders")
    assert len(calls_by("dynamodb")) == 5


@pytest.mark.parametrize(
    "access",
    [
        pytest.param(lambda d: d.put_item(TableName="orders", Item=ITEM), id="PutItem"),
        pytest.param(lambda d: d.get_item(TableName="orders", Key=ITEM), id="GetItem"),
        pytest.param(lambda d: d.delete_item(TableName="orders", Key=ITEM), id="DeleteItem"),
        pytest.param(
            lambda d: d.update_item(TableName="orders", Key=ITEM, AttributeUpdates={}),
            id="UpdateItem",
        ),
        pytest.param(lambda d: d.scan(TableName="orders"), id="Scan"),
        pytest.param(
            lambda d: d.query(
                TableName="orders",
                KeyConditionExpression="id = :id",
                ExpressionAttributeValues={":id": {"S": "1"}},
            ),
            id="Query",
        ),
        pytest.param(
            lambda d: d.batch_get_item(RequestItems={"orders": {"Keys": [ITEM]}}),
            id="BatchGetItem",
        ),
        pytest.param(
            lambda d: d.batch_write_item(RequestItems={"orders": [{"PutRequest": {"Item": ITEM}}]}),
            id="BatchWriteItem",
        ),
        pytest.param(
            lambda d: d.execute_statement(Statement='SELECT * FROM "orders"'),
            id="ExecuteStatement",
        ),
        pytest.param(
            lambda d: d.batch_execute_statement(
                Statements=[{"Statement": "SELECT * FROM orders WHERE id='1'"}]
            ),
            id="BatchExecuteStatement",
        ),
        pytest.param(
            lambda d: d.transact_get_items(
                TransactItems=[{"Get": {"TableName": "orders", "Key": ITEM}}]
            ),
            id="TransactGetItems",
        ),
        pytest.param(
            lambda d: d.transact_write_items(
                TransactItems=[{"Put": {"TableName": "orders", "Item": ITEM}}]
            ),
            id="TransactWriteItems",
        ),
    ],
)
@pytest.mark.usefixtures("encrypted_table")
def test_every_access_fails_once_the_key_is_disabled_and_the_table_key_forgotten(
    kms, dynamodb, key, access
):
    access(dynamodb)
    kms.client().disable_key(KeyId=key)
    access(dynamodb)
    kms.clock.advance(minutes=5)
    with pytest.raises(ClientError) as caught:
        access(dynamodb)
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert error["Message"].startswith(
        f"KMS key disabled error: {MODEL}.DisabledException: {key} is disabled. (Service: AWSKMS;"
    )


def status(client):
    table = client.describe_table(TableName="orders")["Table"]
    return table["TableStatus"], table["SSEDescription"]


@pytest.mark.usefixtures("encrypted_table")
@pytest.mark.parametrize("break_key", ["disable_key", "schedule_key_deletion"])
def test_a_table_whose_key_has_gone_shows_so_after_a_while(kms, dynamodb, key, break_key):
    getattr(kms.client(), break_key)(KeyId=key)
    assert status(dynamodb)[0] == "ACTIVE"

    kms.clock.advance(minutes=15)
    descriptions, encryption = status(dynamodb)

    assert descriptions == "INACCESSIBLE_ENCRYPTION_CREDENTIALS"
    assert encryption["Status"] == "ENABLED"
    assert encryption["InaccessibleEncryptionDateTime"] == kms.clock.now()


@pytest.mark.usefixtures("encrypted_table")
def test_a_table_is_active_again_when_its_key_is_back(kms, dynamodb, key):
    kms.client().disable_key(KeyId=key)
    kms.clock.advance(hours=1)
    assert status(dynamodb)[0] != "ACTIVE"
    kms.client().enable_key(KeyId=key)

    descriptions, encryption = status(dynamodb)

    assert descriptions == "ACTIVE"
    assert "InaccessibleEncryptionDateTime" not in encryption


@pytest.mark.usefixtures("encrypted_table")
def test_a_table_under_a_disabled_key_cannot_be_given_another(kms, dynamodb, key):
    other = kms.client().create_key()["KeyMetadata"]["Arn"]
    kms.client().disable_key(KeyId=key)
    with pytest.raises(ClientError, match=f"KMS key disabled error: .*{key} is disabled") as caught:
        update(dynamodb, Enabled=True, SSEType="KMS", KMSMasterKeyId=other)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.usefixtures("encrypted_table")
def test_a_table_without_its_grant_is_inaccessible_until_it_has_another_key(kms, dynamodb, key):
    other = kms.client().create_key()["KeyMetadata"]["Arn"]
    [grant] = kms.client().list_grants(KeyId=key)["Grants"]
    kms.client().revoke_grant(KeyId=key, GrantId=grant["GrantId"])
    kms.clock.advance(hours=1)
    assert status(dynamodb)[0] == "INACCESSIBLE_ENCRYPTION_CREDENTIALS"

    update(dynamodb, Enabled=True, SSEType="KMS", KMSMasterKeyId=other)

    assert status(dynamodb)[0] == "ACTIVE"


def revoke(client, key):
    for grant in client.list_grants(KeyId=key)["Grants"]:
        client.revoke_grant(KeyId=key, GrantId=grant["GrantId"])


def disable(client, key):
    client.disable_key(KeyId=key)


ACCESSES = [
    pytest.param(lambda d: d.get_item(TableName="orders", Key=ITEM), id="GetItem"),
    pytest.param(
        lambda d: d.update_time_to_live(
            TableName="orders", TimeToLiveSpecification={"Enabled": True, "AttributeName": "end"}
        ),
        id="UpdateTimeToLive",
    ),
    pytest.param(
        lambda d: d.create_backup(TableName="orders", BackupName="kept"), id="CreateBackup"
    ),
]


@pytest.mark.usefixtures("encrypted_table")
@pytest.mark.parametrize("lose", [disable, revoke], ids=["key disabled", "grant revoked"])
@pytest.mark.parametrize("access", ACCESSES)
def test_an_inaccessible_table_refuses_what_reads_or_keeps_its_items(
    kms, dynamodb, key, lose, access
):
    lose(kms.client(), key)
    kms.clock.advance(minutes=15)
    assert status(dynamodb)[0] == "INACCESSIBLE_ENCRYPTION_CREDENTIALS"
    with pytest.raises(ClientError) as caught:
        access(dynamodb)
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert error["Message"].startswith(
        f"KMS key disabled error: {MODEL}.DisabledException: {key} is disabled. (Service: AWSKMS;"
    )


@pytest.mark.usefixtures("encrypted_table")
@pytest.mark.parametrize("lose", [disable, revoke], ids=["key disabled", "grant revoked"])
def test_until_it_is_noticed_a_lost_key_stops_neither_backups_nor_time_to_live(
    kms, dynamodb, key, lose
):
    lose(kms.client(), key)
    dynamodb.create_backup(TableName="orders", BackupName="kept")
    dynamodb.update_time_to_live(
        TableName="orders", TimeToLiveSpecification={"Enabled": True, "AttributeName": "end"}
    )


@pytest.mark.usefixtures("encrypted_table")
def test_what_says_nothing_of_the_items_works_on_an_inaccessible_table(kms, dynamodb, key):
    disable(kms.client(), key)
    kms.clock.advance(minutes=15)
    answer = dynamodb.update_table(TableName="orders", DeletionProtectionEnabled=True)
    assert answer["TableDescription"]["TableStatus"] == "INACCESSIBLE_ENCRYPTION_CREDENTIALS"


# --- backups ------------------------------------------------------------------------------------


@pytest.fixture
def backup(dynamodb, encrypted_table):
    """A backup of the table under the customer managed key: its ARN."""
    dynamodb.put_item(TableName="orders", Item=ITEM)
    answer = dynamodb.create_backup(TableName=encrypted_table["TableName"], BackupName="kept")
    return answer["BackupDetails"]["BackupArn"]


def test_a_backup_tells_the_key_that_it_is_under(dynamodb, backup, key):
    description = dynamodb.describe_backup(BackupArn=backup)["BackupDescription"]
    assert description["SourceTableFeatureDetails"]["SSEDescription"]["KMSMasterKeyArn"] == key


RESTORED = {**CONTEXT, "aws:dynamodb:tableName": "restored"}


@pytest.mark.parametrize("source", ["backup", "point in time"])
def test_a_restored_table_is_under_the_key_of_its_source(dynamodb, backup, key, calls_by, source):
    before = len(calls_by("dynamodb"))
    if source == "backup":
        answer = dynamodb.restore_table_from_backup(TargetTableName="restored", BackupArn=backup)
    else:
        answer = dynamodb.restore_table_to_point_in_time(
            TargetTableName="restored", SourceTableName="orders"
        )
    assert answer["TableDescription"]["SSEDescription"]["KMSMasterKeyArn"] == key
    assert calls_by("dynamodb")[before:] == [
        ("Decrypt", CONTEXT),
        *[("DescribeKey", None), ("CreateGrant", None), ("GenerateDataKey", RESTORED)],
    ]
    assert dynamodb.get_item(TableName="restored", Key=ITEM)["Item"] == ITEM
    assert calls_by("dynamodb")[-1] == ("Decrypt", RESTORED)


def test_a_table_can_be_restored_under_another_key(kms, dynamodb, backup):
    other = kms.client().create_key()["KeyMetadata"]["Arn"]
    answer = dynamodb.restore_table_from_backup(
        TargetTableName="restored",
        BackupArn=backup,
        SSESpecificationOverride={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": other},
    )
    assert answer["TableDescription"]["SSEDescription"]["KMSMasterKeyArn"] == other


def test_a_backup_under_a_disabled_key_cannot_be_restored(kms, dynamodb, backup, key):
    disable(kms.client(), key)
    with pytest.raises(ClientError, match=f"KMS key disabled error: .*{key} is disabled"):
        dynamodb.restore_table_from_backup(
            TargetTableName="restored",
            BackupArn=backup,
            SSESpecificationOverride={"Enabled": False},
        )
    assert dynamodb.list_tables()["TableNames"] == ["orders"]


def test_a_table_restored_in_place_of_one_that_is_there_leaves_no_grant(kms, dynamodb, backup, key):
    with pytest.raises(ClientError):
        dynamodb.restore_table_from_backup(TargetTableName="orders", BackupArn=backup)
    assert len(kms.client().list_grants(KeyId=key)["Grants"]) == 1


@pytest.mark.usefixtures("encrypted_table")
def test_a_caller_without_decrypt_cannot_access_items(role):
    with pytest.raises(ClientError, match=r"KMS key access denied error: .*kms:Decrypt") as caught:
        role.client("dynamodb").get_item(TableName="orders", Key=ITEM)
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"


def test_the_managed_key_needs_no_permission_of_kms(create, role):
    client = role.client("dynamodb")
    create(client, Enabled=True)
    client.put_item(TableName="orders", Item=ITEM)


@pytest.mark.usefixtures("encrypted_table")
def test_a_deleted_table_retires_its_grant(kms, dynamodb, key, calls_by):
    dynamodb.delete_table(TableName="orders")
    assert kms.client().list_grants(KeyId=key)["Grants"] == []
    assert calls_by("dynamodb")[-1][0] == "RetireGrant"


@pytest.mark.usefixtures("encrypted_table")
def test_a_table_that_is_there_already_leaves_no_grant(kms, dynamodb, create, key):
    with pytest.raises(dynamodb.exceptions.ResourceInUseException):
        create(Enabled=True, SSEType="KMS", KMSMasterKeyId=key)
    assert len(kms.client().list_grants(KeyId=key)["Grants"]) == 1


@pytest.mark.usefixtures("encrypted_table")
def test_another_key_takes_over_and_the_grant_on_the_old_is_retired(kms, dynamodb, key):
    other = kms.client().create_key()["KeyMetadata"]["Arn"]
    update(dynamodb, Enabled=True, SSEType="KMS", KMSMasterKeyId=other)
    assert describe_sse(dynamodb)["KMSMasterKeyArn"] == other
    assert kms.client().list_grants(KeyId=key)["Grants"] == []
    assert len(kms.client().list_grants(KeyId=other)["Grants"]) == 1


@pytest.mark.usefixtures("encrypted_table")
def test_a_table_can_go_back_to_a_key_of_aws(kms, dynamodb, key):
    assert "SSEDescription" not in update(dynamodb, Enabled=False)
    assert kms.client().list_grants(KeyId=key)["Grants"] == []


@pytest.fixture
def delayed():
    """Return a mock in which the change of a key takes time."""
    with mock_kms(seed=1, delays="all", waiting="clock") as kms:
        yield kms


def describe_sse_after(kms, client, *seconds):
    """Return the descriptions of the encryption after so many seconds each."""
    descriptions, elapsed = [], 0
    for second in seconds:
        kms.clock.advance(seconds=second - elapsed)
        elapsed = second
        descriptions.append(describe_sse(client))
        table = client.describe_table(TableName="orders")["Table"]
        assert table["TableStatus"] == "ACTIVE"
    return descriptions


def sse_description(status, key):
    return {"Status": status, "SSEType": "KMS", "KMSMasterKeyArn": key}


@pytest.mark.usefixtures("kms")
def test_with_all_delays_a_change_shows_the_old_key_then_the_new_one_then_that_it_is_done(
    delayed, create
):
    old, new = (delayed.client().create_key()["KeyMetadata"]["Arn"] for _ in range(2))
    client = delayed.client("dynamodb")
    create(client, Enabled=True, SSEType="KMS", KMSMasterKeyId=old)
    changed = update(client, Enabled=True, SSEType="KMS", KMSMasterKeyId=new)
    assert changed["SSEDescription"] == sse_description("UPDATING", old)
    assert describe_sse_after(delayed, client, 7, 9, 20, 22) == [
        sse_description("UPDATING", old),
        sse_description("UPDATING", new),
        sse_description("UPDATING", new),
        sse_description("ENABLED", new),
    ]


@pytest.mark.usefixtures("kms")
def test_with_all_delays_a_change_from_the_key_of_aws_names_no_key_until_it_is_done(
    delayed, create
):
    key = delayed.client().create_key()["KeyMetadata"]["Arn"]
    client = delayed.client("dynamodb")
    create(client)
    changed = update(client, Enabled=True, SSEType="KMS", KMSMasterKeyId=key)
    assert changed["SSEDescription"] == {"Status": "UPDATING"}
    assert describe_sse_after(delayed, client, 20, 22) == [
        {"Status": "UPDATING"},
        sse_description("ENABLED", key),
    ]


@pytest.mark.usefixtures("kms")
def test_with_all_delays_a_change_to_the_key_of_aws_names_the_old_key_and_then_none(
    delayed, create
):
    key = delayed.client().create_key()["KeyMetadata"]["Arn"]
    client = delayed.client("dynamodb")
    create(client, Enabled=True, SSEType="KMS", KMSMasterKeyId=key)
    update(client, Enabled=False)
    assert describe_sse_after(delayed, client, 1, 9, 22) == [
        sse_description("UPDATING", key),
        {"Status": "UPDATING"},
        None,
    ]


@pytest.mark.usefixtures("kms")
@pytest.mark.parametrize(
    ("waiting", "seconds", "statuses"),
    [
        ("looks", 0, ["UPDATING", "ENABLED", "ENABLED"]),
        ("looks", 21, ["ENABLED"]),
        ("clock", 0, ["UPDATING", "UPDATING", "UPDATING"]),
        ("clock", 21, ["ENABLED"]),
    ],
)
def test_a_change_ends_at_the_second_look_or_when_it_is_due(waiting, seconds, statuses, create):
    with mock_kms(delays="all", waiting=waiting) as kms:
        client = kms.client("dynamodb")
        create(client)
        assert update(client, Enabled=True)["SSEDescription"]["Status"] == "UPDATING"
        kms.clock.advance(seconds=seconds)

        assert [describe_sse(client)["Status"] for _ in statuses] == statuses


def test_an_alias_is_resolved_once(kms, dynamodb, create, key):
    kms.client().create_alias(AliasName="alias/app", TargetKeyId=key)
    create(Enabled=True, SSEType="KMS", KMSMasterKeyId="alias/app")
    other = kms.client().create_key()["KeyMetadata"]["Arn"]
    kms.client().update_alias(AliasName="alias/app", TargetKeyId=other)
    assert describe_sse(dynamodb)["KMSMasterKeyArn"] == key


@pytest.mark.parametrize(
    ("specification", "words"),
    [
        (
            {"Enabled": True, "KMSMasterKeyId": "alias/x"},
            "SSEType KMS is required if KMSMasterKeyId is specified",
        ),
        (
            {"Enabled": False, "SSEType": "KMS"},
            "SSEType can not be specified if Enabled is false",
        ),
        (
            {"Enabled": False, "KMSMasterKeyId": "alias/x"},
            "KMSMasterKeyId can not be specified if Enabled is false",
        ),
        ({"Enabled": True, "SSEType": "AES256"}, "SSEType AES256 is not supported"),
    ],
)
def test_what_does_not_fit_together_is_refused(create, specification, words):
    with pytest.raises(ClientError) as caught:
        create(**specification)
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert error["Message"] == f"One or more parameter values were invalid: {words}"


@pytest.mark.usefixtures("encrypted_table")
def test_the_same_key_is_refused_by_its_arn_but_not_by_its_id(dynamodb, key):
    with pytest.raises(ClientError, match="already encrypted with given KMSMasterKeyId"):
        update(dynamodb, Enabled=True, SSEType="KMS", KMSMasterKeyId=key)
    update(dynamodb, Enabled=True, SSEType="KMS", KMSMasterKeyId=key.rpartition("/")[2])


@pytest.mark.usefixtures("encrypted_table")
def test_the_key_can_be_changed_four_times_a_day_and_then_every_six_hours(kms, dynamodb, key):
    key_id = key.rpartition("/")[2]
    change = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key_id}
    for _ in range(4):
        update(dynamodb, **change)
    with pytest.raises(dynamodb.exceptions.LimitExceededException, match="updates today: 4"):
        update(dynamodb, **change)
    kms.clock.advance(hours=6)
    update(dynamodb, **change)
    with pytest.raises(dynamodb.exceptions.LimitExceededException):
        update(dynamodb, **change)
    kms.clock.advance(hours=24)
    update(dynamodb, **change)


@pytest.mark.usefixtures("encrypted_table")
def test_changes_to_a_key_of_aws_and_back_count_too(dynamodb, key):
    changes = [{"Enabled": False}, {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}]
    for change in changes * 2:
        update(dynamodb, **change)
    with pytest.raises(dynamodb.exceptions.LimitExceededException, match="updates today: 4"):
        update(dynamodb, **changes[0])


@pytest.mark.parametrize("specification", [{}, {"Enabled": False}], ids=["empty", "not enabled"])
def test_a_table_under_a_key_of_aws_cannot_change_to_it(dynamodb, create, specification):
    create()
    with pytest.raises(ClientError) as caught:
        update(dynamodb, **specification)
    assert caught.value.response["Error"]["Message"] == (
        "One or more parameter values were invalid: Table is already encrypted by default"
    )


@pytest.mark.usefixtures("encrypted_table")
@pytest.mark.parametrize(
    "other",
    [
        {"BillingMode": "PAY_PER_REQUEST"},
        {"DeletionProtectionEnabled": True},
        {"TableClass": "STANDARD"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_change_of_the_key_must_be_the_only_one(dynamodb, calls_by, other):
    before = len(calls_by("dynamodb"))
    with pytest.raises(ClientError) as caught:
        dynamodb.update_table(TableName="orders", SSESpecification={"Enabled": False}, **other)
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert error["Message"] == (
        "One or more parameter values were invalid: Server-Side Encryption modification must be "
        "the only operation in the request"
    )
    assert len(calls_by("dynamodb")) == before


KEYS = [
    pytest.param(
        f"arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555",
        "ValidationException",
        f"KMS validation error: {MODEL}.NotFoundException: Key 'arn:aws:kms:us-east-1:{ACCOUNT}:"
        "key/11111111-2222-3333-4444-555555555555' does not exist",
        id="missing",
    ),
    pytest.param(
        "alias/none",
        "ValidationException",
        f"KMS validation error: {MODEL}.NotFoundException: Alias arn:aws:kms:us-east-1:{ACCOUNT}:"
        "alias/none is not found.",
        id="no such alias",
    ),
    pytest.param(
        f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555",
        "ValidationException",
        f"KMS validation error: {MODEL}.NotFoundException: Invalid arn eu-west-1",
        id="of another Region",
    ),
    pytest.param(
        "arn:aws:kms:us-east-1:444455556666:key/11111111-2222-3333-4444-555555555555",
        "AccessDeniedException",
        f"KMS key access denied error: {MODEL}.AWSKMSException: User: ",
        id="of another account",
    ),
    pytest.param(
        "alias/aws/s3",
        "AccessDeniedException",
        f"KMS key access denied error: {MODEL}.AWSKMSException: User: ",
        id="managed for another service",
    ),
]


@pytest.mark.parametrize(("key_id", "code", "words"), KEYS)
def test_a_key_that_cannot_be_taken_leaves_no_table(dynamodb, create, key_id, code, words):
    with pytest.raises(ClientError) as caught:
        create(Enabled=True, SSEType="KMS", KMSMasterKeyId=key_id)
    error = caught.value.response["Error"]
    assert error["Code"] == code
    assert error["Message"].startswith(words)
    assert dynamodb.list_tables()["TableNames"] == []


@pytest.mark.parametrize("by", ["ARN", "alias"])
def test_a_disabled_key_cannot_be_taken_by_any_name(kms, dynamodb, create, key, by):
    kms.client().create_alias(AliasName="alias/app", TargetKeyId=key)
    kms.client().disable_key(KeyId=key)
    words = rf"KMS key disabled error: {MODEL}\.DisabledException: {key} is disabled\. \(Service"
    with pytest.raises(ClientError, match=words) as caught:
        create(Enabled=True, SSEType="KMS", KMSMasterKeyId=key if by == "ARN" else "alias/app")
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert dynamodb.list_tables()["TableNames"] == []


def test_a_multi_region_key_is_taken_by_its_bare_id_but_not_by_the_arn_of_another_region(
    kms, dynamodb, create
):
    primary = kms.client().create_key(MultiRegion=True)["KeyMetadata"]["Arn"]
    kms.client().replicate_key(KeyId=primary, ReplicaRegion="eu-west-1")
    kms.clock.advance(minutes=1)
    there = primary.replace("us-east-1", "eu-west-1")
    with pytest.raises(ClientError, match="NotFoundException: Invalid arn eu-west-1"):
        create(Enabled=True, SSEType="KMS", KMSMasterKeyId=there)
    create(Enabled=True, SSEType="KMS", KMSMasterKeyId=primary.rpartition("/")[2])
    assert describe_sse(dynamodb)["KMSMasterKeyArn"] == primary


def test_a_key_pending_deletion_cannot_be_taken(kms, create, key):
    kms.client().schedule_key_deletion(KeyId=key)
    words = rf"KMS validation error: {MODEL}\.KMSInvalidStateException: {key} is pending deletion\."
    with pytest.raises(ClientError, match=words):
        create(Enabled=True, SSEType="KMS", KMSMasterKeyId=key)


@pytest.mark.parametrize(
    ("spec", "usage"), [("RSA_2048", "ENCRYPT_DECRYPT"), ("HMAC_256", "GENERATE_VERIFY_MAC")]
)
def test_surprisingly_a_key_of_another_kind_is_an_internal_error(
    kms, dynamodb, create, spec, usage
):
    other = kms.client().create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["Arn"]
    with pytest.raises(dynamodb.exceptions.InternalServerError) as caught:
        create(Enabled=True, SSEType="KMS", KMSMasterKeyId=other)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert caught.value.response["Error"]["Message"].startswith(
        f"KMS internal error: {MODEL}.AWSKMSException: EncryptionContext is supported only when "
        "creating a grant for a symmetric encryption KMS key."
    )


@pytest.mark.usefixtures("dynamodb")
def test_a_number_where_a_text_belongs_is_refused_in_the_words_of_dynamodb():
    unchecked = boto3.client(
        "dynamodb", region_name="us-east-1", config=Config(parameter_validation=False)
    )
    with pytest.raises(ClientError) as caught:
        unchecked.put_item(TableName="table", Item={"id": {"N": 1}})
    assert error_of(caught) == (
        "SerializationException",
        "NUMBER_VALUE cannot be converted to String",
    )
