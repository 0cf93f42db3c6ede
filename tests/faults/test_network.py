"""Faults on the network: lost connections, delays, and responses that nobody can read."""

from __future__ import annotations

from datetime import timedelta

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    HTTPClientError,
    ReadTimeoutError,
)

from kmsmock import mock_kms
from tests.faults.conftest import make_client
from tests.refusals import refused

LOST = {
    "closed": (lambda faults, **terms: faults.drop_connection(**terms), ConnectionClosedError),
    "read": (lambda faults, **terms: faults.timeout(**terms), ReadTimeoutError),
    "connect": (
        lambda faults, **terms: faults.timeout(waiting_to="connect", **terms),
        ConnectTimeoutError,
    ),
}


@pytest.mark.parametrize("how", LOST)
@pytest.mark.parametrize("wire", [False, True], ids=["before-call", "wire"])
def test_a_lost_connection_is_an_error_of_botocore(wire, how):
    lose, error = LOST[how]
    with mock_kms(wire=wire) as kms:
        lose(kms.faults, operation="ListKeys")

        with pytest.raises(error, match=r"endpoint URL: \"https://kms\.us-east-1\.") as caught:
            kms.client().list_keys()

    assert caught.value.__notes__ == ["The test has armed this error with kms.faults."]


@pytest.mark.parametrize("how", LOST)
def test_a_request_that_is_lost_has_no_effect_and_no_record(kms, once, how):
    lose, error = LOST[how]
    lose(kms.faults, operation="CreateKey")

    with pytest.raises(error):
        once.create_key()

    assert (kms.keys, len(kms.calls)) == ((), 0)


@pytest.mark.parametrize("how", ["closed", "read"])
def test_a_response_that_is_lost_belongs_to_an_operation_with_an_effect(kms, once, how):
    LOST[how][0](kms.faults, operation="CreateKey", after_effect=True)

    with pytest.raises(HTTPClientError):
        once.create_key()

    assert len(kms.keys) == 1
    assert kms.calls.operations == ["CreateKey"]


@pytest.mark.parametrize("how", ["closed", "read"])
def test_the_response_of_an_operation_that_fails_is_not_lost(kms, once, how):
    LOST[how][0](kms.faults, operation="DescribeKey", after_effect=True, optional=True)

    with refused("NotFoundException"):
        once.describe_key(KeyId="alias/none")


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
@pytest.mark.parametrize("how", LOST)
@pytest.mark.parametrize("wire", [False, True], ids=["before-call", "wire"])
def test_configured_retries_overcome_a_lost_connection(wire, how, mode):
    with mock_kms(wire=wire) as kms:
        LOST[how][0](kms.faults, operation="ListKeys", times=2)

        answer = make_client(attempts=3, mode=mode).list_keys()

        assert answer["ResponseMetadata"]["RetryAttempts"] == 2
        assert len(kms.calls) == 1
        kms.faults.assert_all_fired()


# --- who retries ----------------------------------------------------------------------------------

ARMED = {
    "an error": lambda faults, **terms: faults.fail("ListKeys", "KMSInternalException", **terms),
    "an unavailable server": lambda faults, **terms: faults.fail(
        "ListKeys", "ServiceUnavailableException", **terms
    ),
    "a closed connection": lambda faults, **terms: faults.drop_connection("ListKeys", **terms),
    "a timeout": lambda faults, **terms: faults.timeout("ListKeys", **terms),
    "a corrupt response": lambda faults, **terms: faults.corrupt_response(
        "ListKeys", body=b"<html>", status=503, **terms
    ),
    "throttling": lambda faults, **terms: faults.throttle("ListKeys", **terms),
}


@pytest.mark.parametrize("what", [what for what in ARMED if what != "throttling"])
def test_a_client_without_configured_retries_shows_a_fault_at_once(kms, what):
    ARMED[what](kms.faults)

    with pytest.raises(Exception, match=r"ListKeys operation|endpoint URL"):
        kms.client().list_keys()


@pytest.mark.parametrize("what", ARMED)
@pytest.mark.parametrize("configured", ["client", "attempts", "mode"])
def test_a_client_with_configured_retries_retries(monkeypatch, what, configured):
    if configured == "attempts":
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "3")
    elif configured == "mode":
        monkeypatch.setenv("AWS_RETRY_MODE", "adaptive")
    with mock_kms() as kms:
        client = make_client(attempts=3) if configured == "client" else make_plain_client()
        ARMED[what](kms.faults)

        assert client.list_keys()["ResponseMetadata"]["RetryAttempts"] == 1


@pytest.mark.parametrize("what", ARMED)
def test_a_test_can_have_any_client_retry(kms, what):
    ARMED[what](kms.faults, retried=True)

    assert kms.client().list_keys()["ResponseMetadata"]["RetryAttempts"] == 1


@pytest.mark.parametrize("what", ARMED)
def test_a_test_can_have_no_client_retry(kms, what):
    ARMED[what](kms.faults, retried=False)

    with pytest.raises(Exception, match=r"ListKeys operation|endpoint URL"):
        make_client(attempts=3).list_keys()


def make_plain_client():
    import boto3

    return boto3.client("kms", "us-east-1")


# --- delays -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0.25, 5, 3600])
def test_a_delay_moves_the_clock_of_the_mock(seconds):
    with mock_kms(seed=1) as kms:
        before = kms.clock.now()
        kms.faults.delay("ListKeys", seconds=seconds)

        kms.client().list_keys()

        assert kms.clock.now() - before == timedelta(seconds=seconds)
        assert kms.calls[-1].at == before


@pytest.mark.parametrize(
    ("terms", "seconds"),
    [({}, 30), ({"times": 1}, 10), ({"on_call": 2}, 20), ({"region": "eu-west-1"}, 0)],
    ids=str,
)
def test_a_delay_hits_all_calls_unless_it_says_otherwise(terms, seconds):
    with mock_kms(seed=1) as kms:
        before = kms.clock.now()
        kms.faults.delay(seconds=10, **terms)

        for _ in range(3):
            kms.client().list_keys()

        assert kms.clock.now() - before == timedelta(seconds=seconds)


def test_delays_add_up_and_also_delay_an_error():
    with mock_kms(seed=1) as kms:
        before = kms.clock.now()
        kms.faults.delay("*", seconds=1)
        kms.faults.delay("ListKeys", seconds=2)
        kms.faults.fail("ListKeys", "KMSInternalException")

        with refused("KMSInternalException"):
            kms.client().list_keys()

        assert kms.clock.now() - before == timedelta(seconds=3)


def test_what_is_due_while_a_response_is_late_has_happened_when_it_arrives(kms_key, kms):
    kms_key.client.schedule_key_deletion(KeyId=kms_key.id, PendingWindowInDays=7)
    kms.faults.delay("ListKeys", seconds=7 * 24 * 3600)

    assert kms_key.client.list_keys()["Keys"] != []
    assert kms.keys == ()


# --- corrupt responses ----------------------------------------------------------------------------


@pytest.mark.parametrize("wire", [False, True], ids=["before-call", "wire"])
def test_half_a_response_has_no_members(wire):
    with mock_kms(wire=wire) as kms:
        kms.faults.corrupt_response("CreateKey")

        assert "KeyMetadata" not in kms.client().create_key()
        assert len(kms.keys) == 1


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"\xff\xfe\xfd", UnicodeDecodeError),
        (b'{"Keys": 5}', TypeError),
        (b'{"Keys": [{"KeyId": "1"}], "Truncated"', None),
        (b"", None),
    ],
)
def test_other_bytes_reach_the_parser_of_botocore(kms, body, error):
    kms.faults.corrupt_response("ListKeys", body=body)

    if error is None:
        assert "Keys" not in kms.client().list_keys()
    else:
        with pytest.raises(error):
            kms.client().list_keys()


@pytest.mark.parametrize("operation", ["enable_key", "disable_key"])
def test_a_response_without_members_can_be_corrupt_too(kms, kms_key, operation):
    kms.faults.corrupt_response("*")

    getattr(kms_key.client, operation)(KeyId=kms_key.id)

    kms.faults.assert_all_fired()


@pytest.mark.parametrize("body", [b"<html>bad gateway</html>", b"{}", None])
def test_the_error_of_a_corrupt_response_says_where_it_comes_from(kms, body):
    kms.faults.corrupt_response("ListKeys", body=body, status=502)
    with pytest.raises(ClientError) as caught:
        kms.client().list_keys()

    assert caught.value.__notes__ == ["The test has armed this error with kms.faults."]


def test_a_corrupt_response_can_have_another_status(kms):
    kms.faults.corrupt_response("ListKeys", body=b"<html>bad gateway</html>", status=502)

    with refused("502"):
        kms.client().list_keys()


# --- mistakes of tests ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arm", "error", "message"),
    [
        (lambda f: f.delay("*", seconds=0), ValueError, "seconds must be above 0"),
        (lambda f: f.delay("*", seconds=-1), ValueError, "seconds must be above 0"),
        (lambda f: f.delay("*", seconds="1"), TypeError, "seconds must be a number"),
        (lambda f: f.delay("*", seconds=1e300), ValueError, "and a possible time"),
        (lambda f: f.delay("*", seconds=float("nan")), ValueError, "and a possible time"),
        (lambda f: f.delay("*", seconds=1, retried=True), TypeError, "a delay takes no argument"),
        (lambda f: f.delay("Encypt", seconds=1), ValueError, "did you mean 'Encrypt'"),
        (lambda f: f.timeout("*", waiting_to="write"), ValueError, "must be 'read' or 'connect'"),
        (
            lambda f: f.timeout("*", waiting_to="connect", after_effect=True),
            ValueError,
            "has no effect if its client cannot connect",
        ),
        (lambda f: f.drop_connection("*", after_effect="yes"), TypeError, "must be True or False"),
        (lambda f: f.drop_connection("*", retried=1), TypeError, "retried must be True, False or"),
        (lambda f: f.corrupt_response("*", body="text"), TypeError, "body must be bytes, not str"),
        (lambda f: f.corrupt_response("*", status=99), ValueError, "one of an HTTP response"),
        (lambda f: f.corrupt_response("*", status="200"), TypeError, "status must be an int"),
        (lambda f: f.throttle(5), TypeError, "operation must be the name of an operation"),
        (lambda f: f.throttle("*", optional="no"), TypeError, "optional must be True or False"),
    ],
)
@pytest.mark.usefixtures("everything_loaded")
def test_a_fault_that_cannot_be_meant_is_refused(kms, arm, error, message):
    with pytest.raises(error, match=message):
        arm(kms.faults)
