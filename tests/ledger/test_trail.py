"""The trail as tests use it: looked at, searched, and written to files."""

from __future__ import annotations

import gzip
import json
import re
from datetime import datetime, timedelta, timezone

import pytest

from kmsmock import mock_kms
from tests.authorization.documents import ACCOUNT, OTHER, allow, policy
from tests.refusals import refused

START = datetime(2026, 3, 1, 11, 58, 0, tzinfo=timezone.utc)


@pytest.fixture
def kms():
    with mock_kms(isolated=True, delays="none", seed="trail", start_time=START) as kms:
        yield kms


@pytest.fixture
def client(kms):
    return kms.client()


@pytest.fixture
def key(client):
    return client.create_key()["KeyMetadata"]


def names(records):
    return [record["eventName"] for record in records]


def test_records_are_in_the_order_of_what_happened(kms, client, key):
    client.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    client.schedule_key_deletion(KeyId=client.create_key()["KeyMetadata"]["KeyId"])
    kms.clock.advance(days=100)
    client.list_keys()

    assert names(kms.trail.events) == [
        *("CreateKey", "EnableKeyRotation", "CreateKey", "ScheduleKeyDeletion"),
        *("DeleteKey", "RotateKey", "ListKeys"),
    ]


def test_what_is_due_is_in_the_trail_without_another_call(kms, client, key):
    client.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    kms.clock.advance(days=8)

    assert names(kms.trail) == ["CreateKey", "ScheduleKeyDeletion", "DeleteKey"]
    assert len(kms.trail) == 3
    assert names(kms.trail[-2:]) == ["ScheduleKeyDeletion", "DeleteKey"]


def test_a_trail_without_records_says_so(kms):
    assert repr(kms.trail) == "<no records>"
    assert kms.trail.events == []


def test_a_trail_shows_its_newest_records_as_lines(kms, client):
    for _ in range(12):
        client.list_keys()

    text = repr(kms.trail)
    assert "12 records (newest 10 of 12)" in text
    assert f"ListKeys by arn:aws:iam::{ACCOUNT}:user/Administrator -> ok" in text


def test_a_reset_forgets_the_trail(kms, key):
    assert key["KeyId"] in str(kms.trail[-1])
    kms.reset()

    assert kms.trail.events == []


def test_a_checkpoint_remembers_how_long_the_trail_was(kms, client, key):
    saved = kms.checkpoint()
    client.schedule_key_deletion(KeyId=key["KeyId"])
    kms.clock.advance(days=40)
    assert len(kms.trail) == 3
    kms.restore(saved)

    assert names(kms.trail) == ["CreateKey"]


# --- search -------------------------------------------------------------------------------------


@pytest.fixture
def busy(kms, client, key):
    """A trail of many kinds: two accounts, two Regions, a refusal, a service, a day apart."""
    client.create_alias(AliasName="alias/app", TargetKeyId=key["KeyId"])
    client.encrypt(KeyId="alias/app", Plaintext=b"p", EncryptionContext={"Tenant": "a"})
    kms.client(region="eu-west-1").list_keys()
    kms.clock.advance(days=1)
    user = kms.account(ACCOUNT).user("Alice")
    with refused("AccessDeniedException"):
        user.client().encrypt(KeyId=key["KeyId"], Plaintext=b"p")
    role = kms.account(OTHER).role("App", policies=[policy(allow("*"))], session="job")
    role.client().list_keys()
    role.via("s3").client().list_keys()
    return kms.trail


@pytest.mark.parametrize(
    ("attributes", "found"),
    [
        ({"account": OTHER}, ["ListKeys", "ListKeys"]),
        ({"region": "eu-west-1"}, ["ListKeys"]),
        ({"error_code": "AccessDenied"}, ["Encrypt"]),
        ({"read_only": False}, ["CreateKey", "CreateAlias"]),
        ({"username": "Alice"}, ["Encrypt"]),
        ({"username": "job"}, ["ListKeys", "ListKeys"]),
        ({"invoked_by": "s3.amazonaws.com"}, ["ListKeys"]),
        ({"principal": f"arn:aws:sts::{OTHER}:assumed-role/App/job"}, ["ListKeys", "ListKeys"]),
        ({"principal": f"arn:aws:iam::{OTHER}:role/App"}, ["ListKeys", "ListKeys"]),
        ({"key": "alias/app"}, ["CreateKey", "CreateAlias", "Encrypt", "Encrypt"]),
        ({"encryption_context": {"Tenant": "a"}}, ["Encrypt"]),
        ({"start": START + timedelta(hours=1)}, ["Encrypt", "ListKeys", "ListKeys"]),
        ({"end": START}, ["CreateKey", "CreateAlias", "Encrypt", "ListKeys"]),
        (
            {"error_code": None, "region": "us-east-1", "invoked_by": None, "account": OTHER},
            ["ListKeys"],
        ),
        ({"event_type": "AwsServiceEvent"}, []),
    ],
    ids=str,
)
def test_records_are_found_by_what_they_say(busy, attributes, found):
    assert names(busy.lookup(**attributes)) == found


def test_records_are_found_by_name_and_more(busy):
    [record] = busy.lookup("Encrypt", error_code=None)

    assert record["requestParameters"]["keyId"] == "alias/app"


def test_records_are_found_by_the_key_in_any_form(kms, client, key):
    client.encrypt(KeyId=key["KeyId"], Plaintext=b"p")

    for form in (key["KeyId"], key["Arn"], kms.keys[0]):
        assert names(kms.trail.lookup(key=form)) == ["CreateKey", "Encrypt"]


def test_records_are_found_by_principals_and_accounts_themselves(kms, busy):
    account = kms.account(OTHER)

    assert names(busy.lookup(principal=account.role("App"))) == ["ListKeys", "ListKeys"]
    assert names(busy.lookup(account=account)) == ["ListKeys", "ListKeys"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AccessDeniedException", "CloudTrail calls 'AccessDeniedException' 'AccessDenied'"),
        ("DisabledExcepton", "did you mean 'DisabledException'"),
    ],
)
def test_an_error_code_that_no_record_has_is_refused(kms, code, words):
    with pytest.raises(ValueError, match=words):
        kms.trail.lookup(error_code=code)


def test_a_record_is_found_up_to_the_time_that_it_shows():
    # With a seed, the clock stands still.
    with mock_kms(seed=1, start_time=START + timedelta(milliseconds=900)) as kms:
        kms.client().list_keys()

        assert names(kms.trail.lookup(start=START, end=START)) == ["ListKeys"]


def test_a_text_for_read_only_is_refused(kms):
    with pytest.raises(TypeError, match="read_only is True or False, not 'false'"):
        kms.trail.lookup(read_only="false")


def test_an_attribute_that_there_is_not_is_refused(kms):
    with pytest.raises(TypeError, match="not searched by 'colour', but by account"):
        kms.trail.lookup(colour="red")


def test_a_trail_without_its_oldest_records_says_so(tmp_path):
    with mock_kms(calls_kept=2) as kms:
        for _ in range(5):
            kms.client().list_keys()

        for look in (
            lambda: kms.trail.lookup("ListKeys"),
            lambda: kms.trail.write_jsonl(tmp_path / "trail.jsonl"),
            lambda: kms.trail.write_files(tmp_path),
        ):
            with pytest.warns(UserWarning, match="not complete: 3 older calls .* no longer kept"):
                look()
        assert "(3 older calls" in repr(kms.trail)


def test_a_time_without_zone_is_refused(kms):
    with pytest.raises(ValueError, match="need a time zone"):
        kms.trail.lookup(start=datetime(2026, 1, 1))


# --- files --------------------------------------------------------------------------------------


def test_json_lines_are_one_record_each(kms, client, key, tmp_path):
    client.encrypt(KeyId=key["KeyId"], Plaintext=b"p")
    kms.trail.write_jsonl(tmp_path / "trail.jsonl")

    lines = (tmp_path / "trail.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == kms.trail.events


def test_log_files_lie_as_in_the_bucket_of_a_trail(kms, client, tmp_path):
    client.list_keys()
    kms.clock.advance(minutes=3)  # past noon, so that another file is due
    client.list_aliases()
    kms.client(region="eu-west-1").list_keys()
    kms.account(OTHER).client().list_keys()

    written = kms.trail.write_files(tmp_path)

    pattern = (
        r"AWSLogs/(?P<account>\d{12})/CloudTrail/(?P<region>[a-z0-9-]+)/2026/03/01/"
        r"(?P=account)_CloudTrail_(?P=region)_20260301T(?P<time>\d{4})Z_[A-Za-z0-9]{16}\.json\.gz"
    )
    found = {}
    for path in written:
        place = re.fullmatch(pattern, path.relative_to(tmp_path).as_posix())
        assert place is not None
        content = json.loads(gzip.decompress(path.read_bytes()))
        found[place["account"], place["region"], place["time"]] = names(content["Records"])
    assert found == {
        (ACCOUNT, "us-east-1", "1200"): ["ListKeys"],
        (ACCOUNT, "us-east-1", "1205"): ["ListAliases"],
        (ACCOUNT, "eu-west-1", "1205"): ["ListKeys"],
        (OTHER, "us-east-1", "1205"): ["ListKeys"],
    }
    assert sorted(written) == sorted(p for p in tmp_path.rglob("*") if p.is_file())


def test_files_written_again_are_the_same_files(kms, client, tmp_path):
    client.list_keys()

    [first] = kms.trail.write_files(tmp_path)
    before = first.read_bytes()
    assert kms.trail.write_files(tmp_path) == [first]
    assert first.read_bytes() == before


def test_a_trail_that_logs_delivers_what_happens_from_then_on(kms, client, tmp_path):
    cloudtrail = kms.client("cloudtrail")
    cloudtrail.create_trail(Name="audit", S3BucketName="logs", S3KeyPrefix="kms")
    client.list_keys()
    cloudtrail.start_logging(Name="audit")
    client.list_aliases()
    kms.client(region="eu-west-1").list_keys()
    cloudtrail.stop_logging(Name="audit")
    client.list_keys()

    [path] = kms.trail.write_files(tmp_path, trail="audit")

    assert path.relative_to(tmp_path).parts[:2] == ("kms", "AWSLogs")
    assert names(json.loads(gzip.decompress(path.read_bytes()))["Records"]) == ["ListAliases"]


@pytest.mark.parametrize(
    ("selectors", "delivered"),
    [
        pytest.param(
            {"EventSelectors": [{"ReadWriteType": "WriteOnly"}]}, ["CreateKey"], id="writes"
        ),
        pytest.param({"EventSelectors": [{"ReadWriteType": "ReadOnly"}]}, ["ListKeys"], id="reads"),
        pytest.param(
            {"EventSelectors": [{"ExcludeManagementEventSources": ["kms.amazonaws.com"]}]},
            [],
            id="without KMS",
        ),
        pytest.param(
            {
                "AdvancedEventSelectors": [
                    {
                        "FieldSelectors": [
                            {"Field": "eventCategory", "Equals": ["Management"]},
                            {"Field": "eventName", "NotStartsWith": ["List"]},
                        ]
                    }
                ]
            },
            ["CreateKey"],
            id="advanced",
        ),
        pytest.param(
            {
                "AdvancedEventSelectors": [
                    {
                        "FieldSelectors": [
                            {"Field": "eventCategory", "Equals": ["Data"]},
                            {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
                        ]
                    }
                ]
            },
            [],
            id="data events",
        ),
    ],
)
def test_event_selectors_say_what_is_delivered(kms, client, tmp_path, selectors, delivered):
    cloudtrail = kms.client("cloudtrail")
    cloudtrail.create_trail(Name="audit", S3BucketName="logs")
    cloudtrail.put_event_selectors(TrailName="audit", **selectors)
    cloudtrail.start_logging(Name="audit")
    client.create_key()
    client.list_keys()

    written = kms.trail.write_files(tmp_path, trail="audit")

    found = [names(json.loads(gzip.decompress(p.read_bytes()))["Records"]) for p in written]
    assert found == ([delivered] if delivered else [])
    assert len(cloudtrail.lookup_events()["Events"]) == 2  # event history has them all the same


def test_a_trail_that_there_is_not_delivers_nothing(kms, tmp_path):
    with pytest.raises(ValueError, match="no trail is called 'audit'; there are: none"):
        kms.trail.write_files(tmp_path, trail="audit")
