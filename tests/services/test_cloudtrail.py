"""CloudTrail: event history, and trails as tools make them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from kmsmock import mock_kms
from kmsmock.trail import log_entries
from tests.authorization.documents import ACCOUNT, OTHER, allow, policy, to
from tests.refusals import refused

START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=timezone.utc)
EVERYTHING = policy(allow("*"))
ARN = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/audit"


@pytest.fixture(params=["before-call", "wire"])
def kms(request):
    wire = request.param == "wire"
    with mock_kms(isolated=True, delays="none", seed=1, start_time=START, wire=wire) as kms:
        yield kms


@pytest.fixture
def client(kms):
    return kms.client()


@pytest.fixture
def cloudtrail(kms):
    return kms.client("cloudtrail")


@pytest.fixture
def audit(cloudtrail):
    cloudtrail.create_trail(
        Name="audit", S3BucketName="logs", TagsList=[{"Key": "a", "Value": "b"}]
    )
    return "audit"


def names(answer):
    return [event["EventName"] for event in answer["Events"]]


def lookup_by(key, value):
    return {"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}]}


# --- event history ------------------------------------------------------------------------------


def test_events_are_listed_newest_first(cloudtrail, client):
    client.list_keys()
    client.list_aliases()

    assert names(cloudtrail.lookup_events()) == ["ListAliases", "ListKeys"]


def test_an_event_is_a_record_in_an_envelope(kms, cloudtrail):
    role = kms.account(ACCOUNT).role("App", policies=[EVERYTHING], session="job")
    key = role.client().create_key()["KeyMetadata"]

    [event] = cloudtrail.lookup_events()["Events"]

    record = kms.trail[-1]
    assert event == {
        "EventId": record["eventID"],
        "EventName": "CreateKey",
        "ReadOnly": "false",
        "AccessKeyId": role.credentials.access_key,
        "EventTime": START,
        "EventSource": "kms.amazonaws.com",
        "Username": "job",
        "Resources": [
            {"ResourceType": "AWS::KMS::Key", "ResourceName": key["KeyId"]},
            {"ResourceType": "AWS::KMS::Key", "ResourceName": key["Arn"]},
        ],
        "CloudTrailEvent": event["CloudTrailEvent"],
    }
    assert json.loads(event["CloudTrailEvent"]) == record
    assert '": ' not in event["CloudTrailEvent"]


def test_events_that_read_list_the_key_as_the_caller_named_it(cloudtrail, client):
    key = client.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["KeyId"]
    client.describe_key(KeyId=key)
    client.get_public_key(KeyId=key)
    with refused("NotFoundException"):
        client.describe_key(KeyId="alias/x")

    missing, public, described, _ = cloudtrail.lookup_events()["Events"]
    assert missing["Resources"] == []
    assert public["Resources"] == [{"ResourceType": "AWS::KMS::Key", "ResourceName": key}]
    assert described["Resources"] == [{"ResourceName": key}]


def test_events_of_services_have_neither_user_nor_access_key(kms, cloudtrail, client):
    key = client.create_key()["KeyMetadata"]["KeyId"]
    client.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    kms.clock.advance(days=7)

    event = cloudtrail.lookup_events()["Events"][0]
    assert event["EventName"] == "DeleteKey"
    assert not {"Username", "AccessKeyId"} & event.keys()


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("EventName", "Encrypt", ["Encrypt", "Encrypt"]),
        ("ReadOnly", "false", ["CreateAlias", "CreateKey"]),
        ("ReadOnly", "true", ["Encrypt", "Encrypt"]),
        ("Username", "Alice", ["Encrypt"]),
        ("Username", "Nobody", []),
        ("ResourceName", "alias/app", ["Encrypt", "Encrypt", "CreateAlias"]),
        ("ResourceName", "<id>", ["CreateAlias", "CreateKey"]),
        ("ResourceType", "AWS::KMS::Key", ["CreateAlias", "CreateKey"]),
        ("ResourceType", "AWS::S3::Bucket", []),
        ("EventSource", "kms.amazonaws.com", ["Encrypt", "Encrypt", "CreateAlias", "CreateKey"]),
        ("EventSource", "s3.amazonaws.com", []),
        ("AccessKeyId", "<alice>", ["Encrypt"]),
        ("EventId", "<first>", ["CreateKey"]),
    ],
)
def test_events_are_found_by_one_attribute(kms, cloudtrail, client, key, value, found):
    made = client.create_key()["KeyMetadata"]["KeyId"]
    client.create_alias(AliasName="alias/app", TargetKeyId=made)
    client.encrypt(KeyId="alias/app", Plaintext=b"p")
    alice = kms.account(ACCOUNT).user("Alice", policies=[EVERYTHING])
    alice.client().encrypt(KeyId="alias/app", Plaintext=b"p")
    meant = {
        "<id>": made,
        "<alice>": alice.credentials.access_key,
        "<first>": kms.trail[0]["eventID"],
    }

    assert names(cloudtrail.lookup_events(**lookup_by(key, meant.get(value, value)))) == found


def test_events_are_those_of_the_account_and_region(kms, cloudtrail, client):
    client.list_keys()
    kms.client(region="eu-west-1").list_aliases()
    kms.account(OTHER).client().create_key()

    assert names(cloudtrail.lookup_events()) == ["ListKeys"]
    assert names(kms.client("cloudtrail", "eu-west-1").lookup_events()) == ["ListAliases"]
    assert names(kms.account(OTHER).client("cloudtrail").lookup_events()) == ["CreateKey"]


def test_events_are_found_by_time_with_both_ends(kms, cloudtrail, client):
    for name in ("list_keys", "list_aliases", "create_key"):
        getattr(client, name)()
        kms.clock.advance(minutes=1)
    minute = timedelta(minutes=1)

    at = {"StartTime": START + minute, "EndTime": START + minute}
    assert names(cloudtrail.lookup_events(**at)) == ["ListAliases"]
    assert names(cloudtrail.lookup_events(StartTime=START + minute)) == ["CreateKey", "ListAliases"]
    assert names(cloudtrail.lookup_events(EndTime=START)) == ["ListKeys"]


def test_events_are_kept_for_90_days(kms, cloudtrail, client):
    client.list_keys()
    kms.clock.advance(days=90)
    assert names(cloudtrail.lookup_events()) == ["ListKeys"]
    kms.clock.advance(seconds=1)

    assert names(cloudtrail.lookup_events()) == []
    assert names(cloudtrail.lookup_events(StartTime=START)) == []


def test_pages_hold_together_though_new_events_come(cloudtrail, client):
    for _ in range(5):
        client.list_keys()
    first = cloudtrail.lookup_events(MaxResults=2)
    client.create_key()
    second = cloudtrail.lookup_events(MaxResults=2, NextToken=first["NextToken"])
    third = cloudtrail.lookup_events(MaxResults=2, NextToken=second["NextToken"])

    pages = [*first["Events"], *second["Events"], *third["Events"]]
    assert names({"Events": pages}) == ["ListKeys"] * 5
    assert len({event["EventId"] for event in pages}) == 5
    assert "NextToken" not in third


def test_a_page_has_50_events_and_the_paginator_gets_them_all(cloudtrail, client):
    for _ in range(60):
        client.list_keys()

    assert len(cloudtrail.lookup_events()["Events"]) == 50
    pages = cloudtrail.get_paginator("lookup_events").paginate()
    assert [len(page["Events"]) for page in pages] == [50, 10]


@pytest.mark.parametrize("attribute", [{}, lookup_by("EventName", "ListKeys")], ids=["all", "some"])
def test_a_page_makes_no_records_but_its_own(cloudtrail, client, monkeypatch, attribute):
    for _ in range(40):
        client.list_keys()
    for _ in range(40):
        client.list_aliases()
    made, make_record = [], log_entries.make_record

    def make(event, account):
        made.append(event)
        return make_record(event, account)

    monkeypatch.setattr(log_entries, "make_record", make)
    page = cloudtrail.lookup_events(MaxResults=10, **attribute)
    for _ in range(3):
        made.clear()
        page = cloudtrail.lookup_events(MaxResults=10, NextToken=page["NextToken"], **attribute)

        assert len(page["Events"]) == 10
        assert len(made) <= 12  # with the one before, and the one that tells if there are more


def test_a_last_page_that_is_full_has_no_token(cloudtrail, client):
    client.list_keys()

    assert "NextToken" not in cloudtrail.lookup_events(MaxResults=1)


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        pytest.param(
            {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "A"}] * 2},
            "InvalidLookupAttributesException",
            id="two attributes",
        ),
        pytest.param(
            lookup_by("ReadOnly", "True"), "InvalidLookupAttributesException", id="a capital letter"
        ),
        pytest.param(
            {"StartTime": START, "EndTime": START - timedelta(seconds=1)},
            "InvalidTimeRangeException",
            id="start after end",
        ),
        pytest.param(
            {"StartTime": START + timedelta(hours=1)}, "InvalidTimeRangeException", id="future"
        ),
        pytest.param({"MaxResults": 51}, "InvalidMaxResultsException", id="51 results"),
        pytest.param({"NextToken": "bm9uZQ=="}, "InvalidNextTokenException", id="wrong token"),
        pytest.param({"NextToken": "ü"}, "InvalidNextTokenException", id="not a token"),
        pytest.param({"EventCategory": "data"}, "InvalidEventCategoryException", id="category"),
    ],
)
def test_what_cannot_be_looked_up_is_refused(cloudtrail, parameters, code):
    with refused(code):
        cloudtrail.lookup_events(**parameters)


def test_a_token_goes_with_its_own_request(cloudtrail, client):
    client.list_keys()
    client.list_keys()
    token = cloudtrail.lookup_events(MaxResults=1)["NextToken"]

    with refused("InvalidNextTokenException"):
        cloudtrail.lookup_events(NextToken=token, **lookup_by("EventName", "ListKeys"))


def test_there_are_no_insights(cloudtrail, client):
    client.list_keys()

    assert cloudtrail.lookup_events(EventCategory="insight")["Events"] == []


def test_looking_up_needs_permission(kms):
    auditor = kms.account(ACCOUNT).user("Auditor", policies=[policy(allow("cloudtrail:Lookup*"))])
    nobody = kms.account(ACCOUNT).user("Nobody")

    assert auditor.client("cloudtrail").lookup_events()["Events"] == []
    with refused(
        "AccessDeniedException",
        f"User: {nobody.arn} is not authorized to perform: cloudtrail:LookupEvents on resource: * "
        "because no identity-based policy allows the cloudtrail:LookupEvents action",
    ):
        nobody.client("cloudtrail").lookup_events()


def test_credentials_that_nobody_holds_are_refused(kms):
    user = kms.account(ACCOUNT).user("Alice")
    client = user.client("cloudtrail")
    user.delete()

    with refused("UnrecognizedClientException"):
        client.lookup_events()


# --- trails -------------------------------------------------------------------------------------

SETTINGS = {
    "Name": "audit",
    "S3BucketName": "logs",
    "IncludeGlobalServiceEvents": True,
    "IsMultiRegionTrail": False,
    "TrailARN": ARN,
    "LogFileValidationEnabled": False,
    "IsOrganizationTrail": False,
}
DESCRIPTION = {
    **SETTINGS,
    "HomeRegion": "us-east-1",
    "HasCustomEventSelectors": False,
    "HasInsightSelectors": False,
}


def without_metadata(answer):
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def test_a_trail_is_described_as_it_was_created(cloudtrail):
    made = cloudtrail.create_trail(Name="audit", S3BucketName="logs")

    assert without_metadata(made) == SETTINGS
    assert cloudtrail.get_trail(Name="audit")["Trail"] == DESCRIPTION
    assert cloudtrail.get_trail(Name=ARN)["Trail"] == DESCRIPTION
    assert cloudtrail.describe_trails()["trailList"] == [DESCRIPTION]
    assert cloudtrail.list_trails()["Trails"] == [
        {"TrailARN": ARN, "Name": "audit", "HomeRegion": "us-east-1"}
    ]


@pytest.mark.usefixtures("audit")
def test_a_trail_is_changed_in_what_is_given(cloudtrail):
    cloudtrail.update_trail(Name="audit", S3KeyPrefix="kms", IsMultiRegionTrail=True)

    assert cloudtrail.get_trail(Name="audit")["Trail"] == {
        **DESCRIPTION,
        "S3KeyPrefix": "kms",
        "IsMultiRegionTrail": True,
    }


@pytest.mark.usefixtures("audit")
def test_a_multi_region_trail_is_described_in_each_region(kms, cloudtrail):
    cloudtrail.create_trail(Name="everywhere", S3BucketName="logs", IsMultiRegionTrail=True)
    abroad = kms.client("cloudtrail", "eu-west-1")
    arn = ARN.replace("audit", "everywhere")

    [shadow] = abroad.describe_trails()["trailList"]
    assert shadow["TrailARN"] == arn
    assert shadow["HomeRegion"] == "us-east-1"
    assert abroad.describe_trails(includeShadowTrails=False)["trailList"] == []
    assert len(abroad.list_trails()["Trails"]) == 2
    assert abroad.get_trail_status(Name=arn)["IsLogging"] is False
    with refused("InvalidHomeRegionException"):
        abroad.start_logging(Name=arn)
    with refused("TrailNotFoundException", f"Unknown trail: audit for the user: {ACCOUNT}"):
        abroad.get_trail(Name="audit")


@pytest.mark.usefixtures("audit")
def test_trails_that_there_are_not_are_left_out_of_a_list(cloudtrail):
    listed = cloudtrail.describe_trails(trailNameList=["nothing", "audit"])["trailList"]

    assert [trail["Name"] for trail in listed] == ["audit"]


def test_the_status_tells_when_a_trail_logged_and_delivered(kms, cloudtrail, client, audit):
    never = cloudtrail.get_trail_status(Name=audit)
    cloudtrail.start_logging(Name=audit)
    kms.clock.advance(minutes=1)
    client.list_keys()
    kms.clock.advance(minutes=1)
    cloudtrail.stop_logging(Name=audit)
    client.list_keys()
    status = cloudtrail.get_trail_status(Name=audit)

    assert never["IsLogging"] is False
    assert never["TimeLoggingStarted"] == ""
    assert not {"StartLoggingTime", "LatestDeliveryTime"} & never.keys()
    assert status["IsLogging"] is False
    assert status["StartLoggingTime"] == START
    assert status["LatestDeliveryTime"] == START + timedelta(minutes=1)
    assert status["StopLoggingTime"] == START + timedelta(minutes=2)
    assert status["TimeLoggingStopped"] == "2026-03-01T12:02:00Z"


@pytest.mark.usefixtures("audit")
def test_a_deleted_trail_is_gone(cloudtrail):
    cloudtrail.delete_trail(Name="audit")

    with refused("TrailNotFoundException", f"Unknown trail: audit for the user: {ACCOUNT}"):
        cloudtrail.get_trail_status(Name="audit")


@pytest.mark.parametrize(
    ("parameters", "code", "message"),
    [
        pytest.param(
            {"Name": "ab"},
            "InvalidTrailNameException",
            "Trail name too short. Minimum allowed length: 3 characters. "
            "Specified name length: 2 characters.",
            id="short name",
        ),
        pytest.param(
            {"Name": "a" * 129},
            "InvalidTrailNameException",
            "Trail name too long. Maximum allowed length: 128 characters. "
            "Specified name length: 129 characters.",
            id="long name",
        ),
        pytest.param(
            {"Name": "-audit"},
            "InvalidTrailNameException",
            "Trail name must starts with a letter or number.",
            id="first letter",
        ),
        pytest.param(
            {"Name": "audit-"},
            "InvalidTrailNameException",
            "Trail name must ends with a letter or number.",
            id="last letter",
        ),
        pytest.param({"Name": "au dit"}, "InvalidTrailNameException", None, id="a space"),
        pytest.param({"Name": "au--dit"}, "InvalidTrailNameException", None, id="two hyphens"),
        pytest.param({"S3BucketName": "Logs"}, "InvalidS3BucketNameException", None, id="bucket"),
        pytest.param({"S3KeyPrefix": "p" * 201}, "InvalidS3PrefixException", None, id="prefix"),
        pytest.param(
            {"IsMultiRegionTrail": True, "IncludeGlobalServiceEvents": False},
            "InvalidParameterCombinationException",
            "Multi-Region trail must include global service events.",
            id="without global events",
        ),
        pytest.param(
            {"TagsList": [{"Key": "aws:a", "Value": "b"}]},
            "InvalidTagParameterException",
            None,
            id="tag of AWS",
        ),
        pytest.param({"KmsKeyId": "alias/x"}, "KmsKeyNotFoundException", None, id="no key"),
        pytest.param({"KmsKeyId": "arn:x"}, "InvalidKmsKeyIdException", None, id="no ARN"),
        pytest.param(
            {"EnableLogFileValidation": True}, "UnsupportedOperationException", None, id="digests"
        ),
        pytest.param({"SnsTopicName": "t"}, "UnsupportedOperationException", None, id="topic"),
    ],
)
def test_a_trail_that_cannot_be_is_refused(cloudtrail, parameters, code, message):
    with refused(code, message):
        cloudtrail.create_trail(**{"Name": "audit", "S3BucketName": "logs", **parameters})

    assert cloudtrail.list_trails()["Trails"] == []


def test_a_name_is_taken_once(cloudtrail, audit):
    message = f"Trail audit already exists for customer: {ACCOUNT}"
    with refused("TrailAlreadyExistsException", message):
        cloudtrail.create_trail(Name=audit, S3BucketName="logs")


def test_a_region_has_room_for_five_trails(cloudtrail):
    for number in range(5):
        cloudtrail.create_trail(Name=f"trail-{number}", S3BucketName="logs")

    message = f"User: {ACCOUNT} already has 5 trails in us-east-1."
    with refused("MaximumNumberOfTrailsExceededException", message):
        cloudtrail.create_trail(Name="trail-5", S3BucketName="logs")


DESCRIBE = "kms:DescribeKey"
OPEN = policy(allow("kms:*", **to("*")))


def service(action, **more):
    return {**allow(action, **more), "Principal": {"Service": "cloudtrail.amazonaws.com"}}


def test_the_key_of_a_trail_must_let_cloudtrail_in(cloudtrail, client):
    key = client.create_key()["KeyMetadata"]
    given = {"Name": "audit", "S3BucketName": "logs", "KmsKeyId": key["KeyId"]}
    with refused(
        "InsufficientEncryptionPolicyException",
        f"Insufficient permissions to access S3 bucket logs or KMS key {key['Arn']}.",
    ):
        cloudtrail.create_trail(**given)
    condition = {
        "StringEquals": {"aws:SourceArn": ARN},
        "StringLike": {
            "kms:EncryptionContext:aws:cloudtrail:arn": f"arn:aws:cloudtrail:*:{ACCOUNT}:trail/*"
        },
    }
    root = allow("kms:*", **to(ACCOUNT))
    encrypt, describe = service("kms:GenerateDataKey*", Condition=condition), service(DESCRIBE)
    for half in (encrypt, describe):
        client.put_key_policy(KeyId=key["KeyId"], Policy=policy(root, half))
        with refused("InsufficientEncryptionPolicyException"):
            cloudtrail.create_trail(**given)
    client.put_key_policy(KeyId=key["KeyId"], Policy=policy(root, encrypt, describe))

    assert cloudtrail.create_trail(**given)["KmsKeyId"] == key["Arn"]


def test_cloudtrail_tries_the_key_of_a_trail_in_its_own_name(kms, cloudtrail, client):
    key = client.create_key(Policy=OPEN)["KeyMetadata"]["Arn"]
    cloudtrail.create_trail(Name="audit", S3BucketName="logs", KmsKeyId=key)

    calls = kms.calls.filter(caller="cloudtrail.amazonaws.com")
    assert [(call.operation, call.encryption_context) for call in calls] == [
        ("DescribeKey", None),
        ("GenerateDataKey", {"aws:cloudtrail:arn": ARN}),
    ]
    assert {call.via_service for call in calls} == {None}


UNUSABLE = [
    pytest.param({}, "disable_key", "is disabled.", id="disabled"),
    pytest.param({}, "schedule_key_deletion", "is pending deletion.", id="pending deletion"),
    pytest.param({"Origin": "EXTERNAL"}, None, "is pending import.", id="pending import"),
    pytest.param(
        {"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"}, None, "asymmetric", id="RSA"
    ),
    pytest.param(
        {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}, None, "key usage", id="HMAC"
    ),
]


@pytest.mark.parametrize(("kind", "break_key", "words"), UNUSABLE)
def test_the_key_of_a_trail_must_be_able_to_encrypt(
    cloudtrail, client, audit, kind, break_key, words
):
    key = client.create_key(Policy=OPEN, **kind)["KeyMetadata"]["KeyId"]
    if break_key is not None:
        getattr(client, break_key)(KeyId=key)

    for call in (
        lambda: cloudtrail.create_trail(Name="other", S3BucketName="logs", KmsKeyId=key),
        lambda: cloudtrail.update_trail(Name=audit, KmsKeyId=key),
    ):
        code = "KmsKeyDisabledException" if break_key == "disable_key" else "KmsException"
        with refused(code) as caught:
            call()
        assert any(words in note for note in caught.value.__notes__)
    assert [trail["Name"] for trail in cloudtrail.list_trails()["Trails"]] == [audit]


def test_a_trail_can_take_a_key_later(cloudtrail, client, audit):
    key = client.create_key()["KeyMetadata"]
    with refused("KmsKeyNotFoundException"):
        cloudtrail.update_trail(Name=audit, KmsKeyId="alias/none")
    with refused(
        "InsufficientEncryptionPolicyException",
        f"Insufficient permissions to access S3 bucket logs or KMS key {key['Arn']}.",
    ):
        cloudtrail.update_trail(Name=audit, KmsKeyId=key["KeyId"])
    assert "KmsKeyId" not in cloudtrail.get_trail(Name=audit)["Trail"]
    client.put_key_policy(KeyId=key["KeyId"], Policy=OPEN)
    assert cloudtrail.update_trail(Name=audit, KmsKeyId=key["KeyId"])["KmsKeyId"] == key["Arn"]


def test_tags_are_put_and_taken(cloudtrail, audit):
    assert audit == "audit"
    cloudtrail.add_tags(ResourceId=ARN, TagsList=[{"Key": "c", "Value": "d"}])
    cloudtrail.remove_tags(ResourceId=ARN, TagsList=[{"Key": "a"}])

    assert cloudtrail.list_tags(ResourceIdList=[ARN])["ResourceTagList"] == [
        {"ResourceId": ARN, "TagsList": [{"Key": "c", "Value": "d"}]}
    ]
    with refused("ResourceNotFoundException"):
        cloudtrail.list_tags(ResourceIdList=[ARN.replace("audit", "other")])
    with refused("CloudTrailARNInvalidException"):
        cloudtrail.list_tags(ResourceIdList=["audit"])


def test_a_new_trail_selects_everything(cloudtrail, audit):
    assert without_metadata(cloudtrail.get_event_selectors(TrailName=audit)) == {
        "TrailARN": ARN,
        "EventSelectors": [
            {
                "ReadWriteType": "All",
                "IncludeManagementEvents": True,
                "DataResources": [],
                "ExcludeManagementEventSources": [],
            }
        ],
    }


ADVANCED = {
    "Name": "writes",
    "FieldSelectors": [
        {"Field": "eventCategory", "Equals": ["Management"]},
        {"Field": "readOnly", "Equals": ["false"]},
    ],
}


def test_event_selectors_are_returned_as_they_were_put(cloudtrail, audit):
    put = cloudtrail.put_event_selectors(TrailName=audit, AdvancedEventSelectors=[ADVANCED])

    assert without_metadata(put) == {"TrailARN": ARN, "AdvancedEventSelectors": [ADVANCED]}
    shown = cloudtrail.get_event_selectors(TrailName=audit)
    assert without_metadata(shown) == without_metadata(put)
    assert cloudtrail.get_trail(Name=audit)["Trail"]["HasCustomEventSelectors"] is True


@pytest.mark.parametrize(
    "selectors",
    [
        pytest.param({}, id="none"),
        pytest.param(
            {"EventSelectors": [{}], "AdvancedEventSelectors": [ADVANCED]}, id="both kinds"
        ),
        pytest.param({"EventSelectors": [{}] * 6}, id="six"),
        pytest.param(
            {"EventSelectors": [{"ExcludeManagementEventSources": ["s3.amazonaws.com"]}]},
            id="another source",
        ),
        pytest.param(
            {"AdvancedEventSelectors": [{"FieldSelectors": [ADVANCED["FieldSelectors"][1]]}]},
            id="no category",
        ),
        pytest.param(
            {
                "AdvancedEventSelectors": [
                    {
                        "FieldSelectors": [
                            ADVANCED["FieldSelectors"][0],
                            {"Field": "resources.type", "Equals": ["AWS::KMS::Key"]},
                        ]
                    }
                ]
            },
            id="a field of data events",
        ),
    ],
)
def test_event_selectors_that_cannot_be_are_refused(cloudtrail, audit, selectors):
    with refused("InvalidEventSelectorsException"):
        cloudtrail.put_event_selectors(TrailName=audit, **selectors)


def test_trails_come_back_with_a_checkpoint(kms, cloudtrail, audit):
    saved = kms.checkpoint()
    cloudtrail.start_logging(Name=audit)
    cloudtrail.create_trail(Name="another", S3BucketName="logs")
    kms.restore(saved)

    assert [trail["Name"] for trail in cloudtrail.list_trails()["Trails"]] == ["audit"]
    assert cloudtrail.get_trail_status(Name=audit)["IsLogging"] is False


def test_what_is_not_emulated_names_moto(cloudtrail):
    with refused("UnsupportedOperationException") as caught:
        cloudtrail.list_channels()

    notes = "\n".join(getattr(caught.value, "__notes__", ["moto"]))
    assert "moto" in notes


def test_cloudtrail_is_left_alone_when_it_is_not_listed(kms):
    del kms
    with mock_kms(isolated=True, services=("kms",)) as kms:
        assert "cloudtrail" not in kms.options["services"]
