"""Log groups of CloudWatch Logs under keys of KMS, with moto as their storage."""

from __future__ import annotations

import json
import time

import pytest
from botocore.exceptions import ClientError

from tests.services.beside.conftest import ACCOUNT, UNUSABLE, error_of

ARN = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:app"
CONTEXT = {"aws:logs:arn": ARN}
NOT_ALLOWED = f"The specified KMS key does not exist or is not allowed to be used with Arn '{ARN}'"
NOT_FOUND = "The specified KMS Key Id could not be found."
QUERY_RESULTS = f"arn:aws:logs:us-east-1:{ACCOUNT}:query-result:*"
SERVICE = "logs.us-east-1.amazonaws.com"


@pytest.fixture
def logs(kms):
    return kms.client("logs")


def allow_logs(kms, key, **condition):
    """Allow CloudWatch Logs to use a key."""
    policy = json.loads(kms.client().get_key_policy(KeyId=key)["Policy"])
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        "Resource": "*",
        **({"Condition": condition} if condition else {}),
    }
    policy["Statement"].append(statement)
    kms.client().put_key_policy(KeyId=key, Policy=json.dumps(policy))


@pytest.fixture
def group(kms, logs, key):
    """Create a log group with the customer managed key."""
    allow_logs(kms, key)
    logs.create_log_group(logGroupName="app", kmsKeyId=key)
    logs.create_log_stream(logGroupName="app", logStreamName="one")
    return {"logGroupName": "app", "logStreamName": "one"}


def write(logs, group):
    now = int(time.time() * 1000)  # moto has a clock of its own
    logs.put_log_events(**group, logEvents=[{"timestamp": now, "message": "hello"}])


@pytest.fixture
def accept_key_changes(monkeypatch):
    """Make moto accept operations that it does not implement."""
    moto = pytest.importorskip("moto.logs.responses").LogsResponse
    for operation in ("associate_kms_key", "disassociate_kms_key"):
        monkeypatch.setattr(moto, operation, lambda _: "{}", raising=False)


def test_a_group_without_a_key_makes_no_calls(logs, calls_by):
    logs.create_log_group(logGroupName="app")
    logs.create_log_stream(logGroupName="app", logStreamName="one")
    write(logs, {"logGroupName": "app", "logStreamName": "one"})
    assert calls_by("logs") == []


def test_the_default_key_policy_does_not_let_the_service_in(logs, key):
    # It gives the account the key, and a service is of no account.
    with pytest.raises(ClientError) as caught:
        logs.create_log_group(logGroupName="app", kmsKeyId=key)
    assert error_of(caught) == ("AccessDeniedException", NOT_ALLOWED)
    assert any(f"no resource-based policy allows {SERVICE}" in n for n in caught.value.__notes__)
    assert logs.describe_log_groups()["logGroups"] == []


def test_a_key_policy_can_let_the_service_in_for_one_group(kms, logs, key):
    allow_logs(kms, key, ArnEquals={"kms:EncryptionContext:aws:logs:arn": ARN})
    logs.create_log_group(logGroupName="app", kmsKeyId=key)
    with pytest.raises(ClientError, match=r"not allowed to be used with Arn '.*:other'"):
        logs.create_log_group(logGroupName="other", kmsKeyId=key)


def test_a_key_policy_can_ask_for_the_group_as_source(kms, logs, key):
    allow_logs(kms, key, ArnLike={"aws:SourceArn": ARN})
    logs.create_log_group(logGroupName="app", kmsKeyId=key)
    with pytest.raises(ClientError, match="not allowed to be used"):
        logs.create_log_group(logGroupName="other", kmsKeyId=key)


@pytest.mark.parametrize(
    ("condition", "is_let_in"),
    [
        ({"StringEquals": {"aws:SourceAccount": ACCOUNT}}, True),
        ({"StringEquals": {"aws:SourceAccount": "999999999999"}}, False),
        ({"Null": {"kms:ViaService": "true"}}, True),
        ({"StringEquals": {"kms:ViaService": SERVICE}}, False),
        ({"Bool": {"aws:PrincipalIsAWSService": "true"}}, True),
    ],
    ids=["own account", "another account", "not via a service", "via a service", "is a service"],
)
def test_a_key_policy_sees_a_service_that_calls_for_an_account(
    kms, logs, key, condition, is_let_in
):
    allow_logs(kms, key, **condition)
    if is_let_in:
        logs.create_log_group(logGroupName="app", kmsKeyId=key)
    else:
        with pytest.raises(ClientError, match="not allowed to be used"):
            logs.create_log_group(logGroupName="app", kmsKeyId=key)


@pytest.mark.parametrize(
    "kind",
    [
        {"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"},
        {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
    ],
    ids=["RSA", "HMAC"],
)
def test_a_key_must_be_symmetric(kms, logs, kind):
    key = kms.client().create_key(**kind)["KeyMetadata"]["Arn"]
    allow_logs(kms, key)
    with pytest.raises(logs.exceptions.InvalidParameterException, match="not allowed to be used"):
        logs.create_log_group(logGroupName="app", kmsKeyId=key)
    assert logs.describe_log_groups()["logGroups"] == []


@pytest.mark.parametrize(("break_key", "words", "code"), UNUSABLE)
def test_a_key_must_be_enabled(kms, logs, key, break_key, words, code):
    allow_logs(kms, key)
    getattr(kms.client(), break_key)(KeyId=key)
    with pytest.raises(logs.exceptions.InvalidParameterException) as caught:
        logs.create_log_group(logGroupName="app", kmsKeyId=key)
    assert error_of(caught)[1] == f"The specified KMS Key Id {words}"
    assert any(f"{code}: {key} {words}" in note for note in caught.value.__notes__)


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_a_key_that_is_gone_is_refused(logs, region):
    missing = f"arn:aws:kms:{region}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
    with pytest.raises(logs.exceptions.InvalidParameterException) as caught:
        logs.create_log_group(logGroupName="app", kmsKeyId=missing)
    assert error_of(caught)[1] == NOT_FOUND


def test_keys_of_other_accounts_are_not_revealed(kms, logs):
    key = kms.account("111122223333").client().create_key()["KeyMetadata"]["Arn"]
    for name in (key, f"{key[:-12]}555555555555"):
        with pytest.raises(ClientError) as caught:
            logs.create_log_group(logGroupName="app", kmsKeyId=name)
        assert error_of(caught) == ("AccessDeniedException", NOT_ALLOWED)


@pytest.mark.parametrize("name", ["id", "alias"])
def test_a_key_is_named_by_its_arn_alone(kms, logs, key, name):
    allow_logs(kms, key)
    kms.client().create_alias(AliasName="alias/app", TargetKeyId=key)
    key_id = key.rpartition("/")[2] if name == "id" else "alias/app"
    with pytest.raises(logs.exceptions.InvalidParameterException) as caught:
        logs.create_log_group(logGroupName="app", kmsKeyId=key_id)
    assert error_of(caught)[1] == NOT_FOUND


def test_events_are_encrypted_and_decrypted_in_the_services_own_name(logs, group, calls_by):
    before = len(calls_by("logs"))
    write(logs, group)
    assert logs.get_log_events(**group)["events"][0]["message"] == "hello"
    assert calls_by("logs")[before:] == [("GenerateDataKey", CONTEXT), ("Decrypt", CONTEXT)]


def test_the_reader_needs_no_permission_of_kms(logs, group, role):
    write(logs, group)
    assert role.client("logs").get_log_events(**group)["events"]


def test_events_that_are_searched_are_decrypted_too(kms, logs, group, key, calls_by):
    write(logs, group)
    assert logs.filter_log_events(logGroupName="app")["events"][0]["message"] == "hello"
    assert calls_by("logs")[-1] == ("Decrypt", CONTEXT)
    kms.client().disable_key(KeyId=key)
    kms.clock.advance(minutes=5)
    with pytest.raises(logs.exceptions.InvalidParameterException):
        logs.filter_log_events(logGroupName="app")


@pytest.mark.usefixtures("group", "accept_key_changes")
def test_a_group_shows_the_arn_of_its_key(kms, logs, key):
    def kms_key_id():
        return logs.describe_log_groups()["logGroups"][0].get("kmsKeyId")

    assert kms_key_id() == key
    other = kms.client().create_key()["KeyMetadata"]["Arn"]
    allow_logs(kms, other)
    logs.associate_kms_key(logGroupName="app", kmsKeyId=other)
    assert kms_key_id() == other
    logs.disassociate_kms_key(logGroupName="app")
    assert kms_key_id() is None


@pytest.mark.parametrize("break_key", ["disable_key", "schedule_key_deletion"])
def test_an_unusable_key_has_no_effect_for_five_minutes(kms, logs, group, key, break_key):
    write(logs, group)
    logs.get_log_events(**group)
    getattr(kms.client(), break_key)(KeyId=key)
    write(logs, group)
    logs.get_log_events(**group)
    kms.clock.advance(minutes=5)
    with pytest.raises(logs.exceptions.InvalidParameterException):
        logs.get_log_events(**group)
    with pytest.raises(logs.exceptions.InvalidParameterException):
        write(logs, group)


@pytest.mark.usefixtures("accept_key_changes")
def test_a_key_can_be_set_and_taken_away_later(kms, logs, key, calls_by):
    allow_logs(kms, key)
    logs.create_log_group(logGroupName="app")
    logs.create_log_stream(logGroupName="app", logStreamName="one")
    logs.associate_kms_key(logGroupName="app", kmsKeyId=key)
    group = {"logGroupName": "app", "logStreamName": "one"}
    write(logs, group)
    assert calls_by("logs") == [("GenerateDataKey", CONTEXT)] * 2
    logs.disassociate_kms_key(logGroupName="app")
    kms.clock.advance(minutes=5)
    before = len(calls_by("logs"))
    write(logs, group)
    assert len(calls_by("logs")) == before


@pytest.mark.usefixtures("accept_key_changes")
def test_what_was_written_under_a_key_still_needs_it(kms, logs, group, key):
    write(logs, group)
    logs.disassociate_kms_key(logGroupName="app")
    kms.client().disable_key(KeyId=key)
    with pytest.raises(logs.exceptions.InvalidParameterException):
        logs.get_log_events(**group)


def query(logs, **groups):
    groups = groups or {"logGroupName": "app"}
    now = int(time.time())
    times = {"startTime": now - 60, "endTime": now + 60}
    return logs.start_query(queryString="fields @message", **times, **groups)["queryId"]


@pytest.fixture
def query_key(kms, logs, accept_key_changes):  # noqa: ARG001 - of moto
    """Encrypt the results of queries with a key of their own."""
    key = kms.client().create_key()["KeyMetadata"]["Arn"]
    allow_logs(kms, key, ArnEquals={"kms:EncryptionContext:aws:logs:arn": QUERY_RESULTS})
    logs.associate_kms_key(resourceIdentifier=QUERY_RESULTS, kmsKeyId=key)
    return key


@pytest.mark.parametrize(
    "groups",
    [{"logGroupName": "app"}, {"logGroupNames": ["app"]}],
    ids=lambda groups: next(iter(groups)),
)
def test_a_query_decrypts_the_events_of_its_groups(logs, group, groups, calls_by):
    write(logs, group)
    before = len(calls_by("logs"))
    assert "encryptionKey" not in logs.get_query_results(queryId=query(logs, **groups))
    assert calls_by("logs")[before:] == [("Decrypt", CONTEXT)]


def test_results_of_queries_have_a_key_and_a_context_of_their_own(logs, query_key, calls_by):
    logs.create_log_group(logGroupName="app")
    before = len(calls_by("logs"))
    results = logs.get_query_results(queryId=query(logs))
    assert results["encryptionKey"] == query_key
    context = {"aws:logs:arn": QUERY_RESULTS}
    assert calls_by("logs")[before:] == [("GenerateDataKey", context), ("Decrypt", context)]


def test_results_need_the_key_that_they_were_stored_with(kms, logs, query_key):
    logs.create_log_group(logGroupName="app")
    before = query(logs)
    logs.disassociate_kms_key(resourceIdentifier=QUERY_RESULTS)
    after = query(logs)
    kms.client().disable_key(KeyId=query_key)
    assert "encryptionKey" not in logs.get_query_results(queryId=after)
    with pytest.raises(ClientError, match="is disabled"):
        logs.get_query_results(queryId=before)


@pytest.mark.usefixtures("accept_key_changes")
def test_the_key_of_query_results_must_let_them_in(kms, logs, key):
    allow_logs(kms, key, ArnEquals={"kms:EncryptionContext:aws:logs:arn": ARN})
    with pytest.raises(ClientError) as caught:
        logs.associate_kms_key(resourceIdentifier=QUERY_RESULTS, kmsKeyId=key)
    assert error_of(caught) == ("AccessDeniedException", NOT_ALLOWED.replace(ARN, QUERY_RESULTS))
