"""Faults that are errors of KMS."""

from __future__ import annotations

import contextlib

import pytest

from kmsmock import mock_kms
from tests.faults.conftest import make_client
from tests.refusals import refused

THROTTLED = (
    "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."
)
MODES = ("legacy", "standard", "adaptive")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wire", [False, True], ids=["before-call", "wire"])
@pytest.mark.parametrize(
    "code",
    [
        *("ThrottlingException", "KMSInternalException", "DependencyTimeoutException"),
        *("InternalFailure", "ServiceUnavailableException"),
    ],
)
def test_retries_of_botocore_overcome_a_passing_error(wire, mode, code):
    with mock_kms(wire=wire) as kms:
        kms.faults.fail("ListKeys", code, times=2)

        answer = make_client(attempts=3, mode=mode).list_keys()

        assert answer["ResponseMetadata"]["RetryAttempts"] == 2
        assert [call.error_code for call in kms.calls] == [code, code, None]
        kms.faults.assert_all_fired()


@pytest.mark.parametrize("mode", MODES)
def test_retries_end_with_the_error_if_it_does_not_pass(mode):
    with mock_kms() as kms:
        kms.faults.throttle("ListKeys", times=None)

        with refused("ThrottlingException", THROTTLED) as caught:
            make_client(attempts=3, mode=mode).list_keys()

        assert caught.value.response["ResponseMetadata"]["RetryAttempts"] == 2


@pytest.mark.parametrize(
    ("operation", "code", "text"),
    [
        ("CreateKey", "ThrottlingException", THROTTLED),
        (
            "CreateKey",
            "XksKeyNotFoundException",
            "The external key store proxy rejected the request because it could not find the "
            "external key.",
        ),
        ("ListKeys", "KMSInternalException", ""),
    ],
)
def test_a_fault_has_the_text_that_aws_gives_its_code(kms, once, operation, code, text):
    kms.faults.fail(operation, code)

    with refused(code, text):
        once.create_key() if operation == "CreateKey" else once.list_keys()


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("DisabledException", "{key} is disabled."),
        ("NotFoundException", "Key '{key}' does not exist"),
        (
            "AccessDeniedException",
            "User: {caller} is not authorized to perform: kms:Encrypt on resource: {key} because "
            "no identity-based policy allows the kms:Encrypt action",
        ),
    ],
)
def test_the_text_of_an_error_names_the_key_and_the_caller(kms, once, kms_key, code, text):
    kms.faults.fail("Encrypt", code)

    with refused(code) as caught:
        once.encrypt(KeyId=kms_key.id, Plaintext=b"text")

    message = caught.value.response["Error"]["Message"]
    assert message == text.format(key=kms_key.arn, caller=kms.calls[-1].caller)


def test_a_fault_has_the_text_that_a_test_gives_it(kms, once):
    kms.faults.fail("ListKeys", "KMSInternalException", message="try again")

    with refused("KMSInternalException", "try again"):
        once.list_keys()


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("KeyUnavailableException", 500),
        ("ServiceUnavailableException", 503),
        ("OptInRequired", 403),
        ("DisabledException", 400),
    ],
)
def test_a_fault_has_the_status_code_of_its_error(kms, once, kms_key, code, status):
    kms.faults.fail("Encrypt", code)

    with refused(code) as caught:
        once.encrypt(KeyId=kms_key.id, Plaintext=b"text")

    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_an_error_says_that_the_test_has_armed_it(kms, once):
    kms.faults.throttle("ListKeys")

    with refused("ThrottlingException") as caught:
        once.list_keys()

    assert caught.value.__notes__ == ["The test has armed this error with kms.faults."]


def test_a_fault_hits_the_calls_that_it_is_meant_for(kms, once, kms_key_factory):
    keys = [kms_key_factory().id for _ in range(2)]
    kms.faults.fail("Encrypt", "KeyUnavailableException", key=keys[0], on_call=2)

    once.encrypt(KeyId=keys[0], Plaintext=b"text")
    once.encrypt(KeyId=keys[1], Plaintext=b"text")
    with refused("KeyUnavailableException"):
        once.encrypt(KeyId=keys[0], Plaintext=b"text")
    once.encrypt(KeyId=keys[0], Plaintext=b"text")


def test_a_fault_without_an_end_hits_every_call(kms, once):
    kms.faults.throttle("ListKeys", times=None)

    for _ in range(5):
        with refused("ThrottlingException"):
            once.list_keys()


def test_each_fault_counts_all_matching_calls(kms, once):
    kms.faults.throttle("ListKeys", on_call=1)
    kms.faults.fail("ListKeys", "KMSInternalException", on_call=2)

    with refused("ThrottlingException"):
        once.list_keys()
    with refused("KMSInternalException"):
        once.list_keys()
    once.list_keys()


def test_a_fault_for_all_operations_leaves_out_those_that_cannot_have_its_error(kms, once, kms_key):
    kms.faults.fail("*", "DisabledException", times=None)

    once.list_keys()
    with refused("DisabledException"):
        once.encrypt(KeyId=kms_key.id, Plaintext=b"text")


# --- after the effect ---------------------------------------------------------------------------


def test_an_error_after_the_effect_hides_that_the_operation_succeeded(kms, once):
    kms.faults.fail("CreateKey", "KMSInternalException", after_effect=True)

    with refused("KMSInternalException"):
        once.create_key()

    assert len(kms.keys) == 1
    assert [(call.operation, call.error_code) for call in kms.calls] == [("CreateKey", None)]


def test_a_retry_after_such_an_error_does_it_again():
    with mock_kms() as kms:
        kms.faults.fail("CreateKey", "KMSInternalException", after_effect=True)

        make_client(attempts=2).create_key()

        assert len(kms.keys) == 2


def test_an_operation_that_fails_keeps_its_own_error_and_the_fault_waits(kms, once, kms_key):
    kms.faults.fail("EnableKey", "KMSInternalException", after_effect=True)

    with refused("NotFoundException"):
        once.enable_key(KeyId="1234abcd-12ab-34cd-56ef-1234567890ab")
    with refused("KMSInternalException"):
        once.enable_key(KeyId=kms_key.id)


def test_a_plaintext_that_does_not_arrive_was_not_handed_out(kms, once):
    kms.faults.fail("GenerateRandom", "KMSInternalException", after_effect=True)

    with refused("KMSInternalException"):
        once.generate_random(NumberOfBytes=32)

    assert len(kms.secrets) == 0


# --- with a probability -----------------------------------------------------------------------


def hits(seed, *, calls_before=0, **terms):
    with mock_kms(seed=seed) as kms:
        client = make_client(attempts=1)
        for _ in range(calls_before):
            client.create_key()
        kms.faults.fail("*", "KMSInternalException", probability=0.3, **terms)
        for _ in range(40):
            with contextlib.suppress(client.exceptions.KMSInternalException):
                client.list_keys()
        return [call.error_code is not None for call in kms.calls.filter("ListKeys")]


def test_a_probability_hits_the_same_calls_with_the_same_seed():
    assert hits(7) == hits(7, calls_before=3)
    assert hits(7) != hits(8)
    assert 3 < sum(hits(7)) < 25


def test_a_probability_has_a_limit_if_the_test_sets_one():
    assert sum(hits(7, times=2)) == 2


def test_a_probability_without_a_seed_is_random():
    assert len({tuple(hits(None)) for _ in range(3)}) > 1


def test_a_probability_that_hit_nothing_has_still_fired_if_it_could(kms, once):
    kms.faults.fail("ListKeys", "KMSInternalException", probability=1e-9)
    once.list_keys()

    kms.faults.assert_all_fired()


# --- mistakes of tests ----------------------------------------------------------------------------


@pytest.mark.usefixtures("everything_loaded")
@pytest.mark.parametrize(
    ("arguments", "terms", "error", "message"),
    [
        (("*", "Oops"), {}, ValueError, "no error code 'Oops'"),
        (("*", "Throttling"), {}, ValueError, "did you mean 'ThrottlingException'"),
        (("*", "KmsInternalException"), {}, ValueError, "did you mean 'KMSInternalException'"),
        (("Encypt", "KMSInternalException"), {}, ValueError, "did you mean 'Encrypt'"),
        (("generate_data_key", "KMSInternalException"), {}, ValueError, "'GenerateDataKey'"),
        (("ListKeys", "DisabledException"), {}, ValueError, "ListKeys cannot fail with Disabled"),
        (("Decrypt", "TagException"), {}, ValueError, "it can fail with DependencyTimeout"),
        (("CreateKey", "KMSInvalidMacException"), {}, ValueError, "CreateKey cannot fail"),
        (("*", "KMSInternalException"), {"times": 0}, ValueError, "or None for all calls"),
        (("*", "KMSInternalException"), {"times": -1}, ValueError, "times must be at least 1"),
        (("*", "KMSInternalException"), {"times": 1.5}, TypeError, "times must be an int"),
        (("*", "KMSInternalException"), {"times": True}, TypeError, "times must be an int"),
        (("*", "KMSInternalException"), {"on_call": 0}, ValueError, "on_call must be at least 1"),
        (("*", "KMSInternalException"), {"on_call": None}, TypeError, "on_call must be an int"),
        (("*", "KMSInternalException"), {"probability": 0}, ValueError, "must be above 0"),
        (("*", "KMSInternalException"), {"probability": 10}, ValueError, "1 at most, not 10"),
        (("*", "KMSInternalException"), {"probability": ".1"}, TypeError, "must be a number"),
        (("*", "KMSInternalException"), {"tiems": 2}, TypeError, "did you mean 'times'"),
        (("*", "KMSInternalException"), {"xyz": "x"}, TypeError, "they take times, on_call"),
        (
            ("*", "KMSInternalException"),
            {"region": "us-esat"},
            ValueError,
            "region must be a Region",
        ),
        (("*", "KMSInternalException"), {"key": 5}, TypeError, "key must be"),
        (("*", "KMSInternalException"), {"account": "1234"}, ValueError, "account"),
        (("*", "KMSInternalException"), {"message": b"text"}, TypeError, "message must be a str"),
    ],
)
def test_a_fault_that_cannot_be_meant_is_refused(arguments, terms, error, message):
    with mock_kms() as kms:
        with pytest.raises(error, match=message):
            kms.faults.fail(*arguments, **terms)
        kms.client().list_keys()


@pytest.mark.parametrize("code", ["AccessDeniedException", "ValidationException"])
def test_every_operation_can_have_the_common_errors(kms, once, code):
    kms.faults.fail("ListKeys", code)

    with refused(code):
        once.list_keys()
