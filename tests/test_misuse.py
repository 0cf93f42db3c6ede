"""Wrong use is told at once, with the sentence from which the fix can be read."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from unittest import mock

import pytest

import kmsmock
from kmsmock import KMSMock, mock_kms

ACCOUNT = "111122223333"


@pytest.fixture(scope="module")
def kms() -> Iterator[KMSMock]:
    with mock_kms(isolated=True) as kms:
        client = kms.client()
        key = client.create_key()["KeyMetadata"]["KeyId"]
        client.create_alias(AliasName="alias/app", TargetKeyId=key)
        client.generate_data_key(KeyId=key, KeySpec="AES_256")
        client.enable_key_rotation(KeyId=key)
        kms.account(ACCOUNT).role("App")
        yield kms


#: What a test holds, by how it gets it.
OBJECTS: dict[str, Callable[[KMSMock], Any]] = {
    "kms": lambda kms: kms,
    "clock": lambda kms: kms.clock,
    "calls": lambda kms: kms.calls,
    "filtered calls": lambda kms: kms.calls.filter("CreateKey"),
    "call": lambda kms: kms.calls[0],
    "costs": lambda kms: kms.costs,
    "request count": lambda kms: kms.costs.by_operation()["CreateKey"],
    "invoice": lambda kms: kms.costs.invoice(),
    "budget": lambda kms: kms.budget(requests=1),
    "trail": lambda kms: kms.trail,
    "faults": lambda kms: kms.faults,
    "secrets": lambda kms: kms.secrets,
    "secret": lambda kms: kms.secrets[0],
    "attestation": lambda kms: kms.attestation,
    "ebs": lambda kms: kms.ebs,
    "rds": lambda kms: kms.rds,
    "account": lambda kms: kms.account(ACCOUNT),
    "principal": lambda kms: kms.account(ACCOUNT).role("App"),
    "credentials": lambda kms: kms.account(ACCOUNT).root.credentials,
    "decision": lambda kms: kms.explain(kms.account(ACCOUNT).role("App"), "kms:ListKeys"),
    "least privilege": lambda kms: kms.least_privilege(kms.account(ACCOUNT).root),
    "key": lambda kms: kms.keys[0],
    "key material": lambda kms: kms.keys[0].materials[0],
    "rotation": lambda kms: kms.keys[0].rotation,
    "alias": lambda kms: kms.aliases[0],
    "checkpoint": lambda kms: kms.checkpoint(),
    "mock_kms()": lambda _: mock_kms(),
    "kms_key": lambda kms: kmsmock.KmsKeyFactory(kms.client())(),
    "kms_key_factory": lambda kms: kmsmock.KmsKeyFactory(kms.client()),
}


# --- misspelt attributes -------------------------------------------------------------------------

ATTRIBUTES = [
    ("kms", "cost", "costs"),
    ("kms", "call", "calls"),
    ("kms", "Clock", "clock"),
    ("kms", "check_point", "checkpoint"),
    ("kms", "least_priviledge", "least_privilege"),
    ("clock", "advance_by", "advance"),
    ("clock", "moveto", "move_to"),
    ("calls", "assert_called_with", "assert_called"),
    ("filtered calls", "fliter", "filter"),
    ("call", "operaton", "operation"),
    ("call", "error", "error_code"),
    ("costs", "by_operations", "by_operation"),
    ("request count", "USD", "usd"),
    ("invoice", "line", "lines"),
    ("budget", "request", "requests"),
    ("trail", "look_up", "lookup"),
    ("faults", "throtle", "throttle"),
    ("faults", "assert_fired", "assert_all_fired"),
    ("secrets", "assert_absent", "assert_absent_from"),
    ("secret", "names", "name"),
    ("attestation", "documents", "document"),
    ("ebs", "reads", "read"),
    ("rds", "wirte", "write"),
    ("account", "roles", "role"),
    ("account", "account_id", "id"),
    ("principal", "clients", "client"),
    ("principal", "role_arn", "arn"),
    ("credentials", "access_key_id", "access_key"),
    ("decision", "allow", "allowed"),
    ("least privilege", "key", "keys"),
    ("key", "regions", "region"),
    ("key", "id", "key_id"),
    ("key material", "states", "state"),
    ("rotation", "next", "next_date"),
    ("alias", "key_arn", "arn"),
    ("mock_kms()", "strat", "start"),
    ("kms_key", "key_id", "id"),
    ("kms_key", "key_arn", "arn"),
]


@pytest.mark.parametrize(("holder", "misspelt", "meant"), ATTRIBUTES)
def test_a_misspelt_attribute_names_the_nearest(
    kms: KMSMock, holder: str, misspelt: str, meant: str
) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(OBJECTS[holder](kms), misspelt)

    assert str(caught.value).endswith(f"has no attribute {misspelt!r}; did you mean {meant!r}?")
    assert caught.value.name == misspelt


def test_an_attribute_that_is_like_no_other_is_answered_with_all(kms: KMSMock) -> None:
    with pytest.raises(AttributeError, match=r"'tick'; it has advance, move_to, now$"):
        kms.clock.tick()  # type: ignore[attr-defined]


def test_a_misspelt_name_of_the_package_names_the_nearest() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'mock_km'; did you mean 'mock_kms'\?"):
        kmsmock.mock_km  # noqa: B018


@pytest.mark.parametrize("holder", OBJECTS)
def test_python_and_its_tools_may_ask_for_what_is_not_there(kms: KMSMock, holder: str) -> None:
    thing = OBJECTS[holder](kms)

    assert not hasattr(thing, "shape")
    assert getattr(thing, "pytestmark", None) is None
    with pytest.raises(AttributeError, match=r"no attribute '__deepcopy__'$"):
        thing.__deepcopy__  # noqa: B018


@pytest.mark.parametrize("holder", ["key", "alias", "call", "rotation", "secret", "credentials"])
def test_plain_objects_are_copied_and_pickled_as_before(kms: KMSMock, holder: str) -> None:
    thing = OBJECTS[holder](kms)

    assert repr(copy.copy(thing)) == repr(thing)
    if holder in ("rotation", "credentials"):
        assert pickle.loads(pickle.dumps(thing)) == copy.deepcopy(thing) == thing


def test_the_objects_can_be_specifications_of_mocks(kms: KMSMock) -> None:
    double = mock.create_autospec(kms, instance=True)

    double.explain("principal", "kms:Decrypt")
    with pytest.raises(TypeError, match="encryption_ctx"):
        double.explain("principal", "kms:Decrypt", encryption_ctx={})
    with pytest.raises(AttributeError):
        double.cost  # noqa: B018


def test_a_property_that_fails_shows_its_own_error(
    kms: KMSMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(KMSMock, "costs", property(lambda kms: kms._backend.calls.nothing))

    with pytest.raises(AttributeError, match="'AllCalls' object has no attribute 'nothing'"):
        kms.costs  # noqa: B018


@pytest.mark.parametrize("holder", OBJECTS)
def test_completion_shows_no_member_that_only_the_package_uses(kms: KMSMock, holder: str) -> None:
    thing = OBJECTS[holder](kms)

    assert not type(thing)._internal & set(dir(thing))
    assert type(thing)._internal <= set(dir(type(thing))) | {"lock", "are_armed"}


# --- misspelt keyword arguments ------------------------------------------------------------------

ROOT = f"arn:aws:iam::{ACCOUNT}:root"
KEYWORDS: dict[str, tuple[Callable[[KMSMock], Any], str]] = {
    "mock_kms": (lambda _: mock_kms(regon="eu-west-1"), "region"),
    "client": (lambda kms: kms.client(servcie="kms"), "service"),
    "explain": (
        lambda kms: kms.explain(ROOT, "kms:Decrypt", "alias/app", encryption_ctx={}),
        "encryption_context",
    ),
    "budget": (lambda kms: kms.budget(request=1), "requests"),
    "export": (lambda kms: kms.export("world.json", materials=False), "material"),
    "account": (lambda kms: kms.account(acount_id=ACCOUNT), "account_id"),
    "role": (lambda kms: kms.account(ACCOUNT).role("App", polices=[]), "policies"),
    "user": (lambda kms: kms.account(ACCOUNT).user("bob", policy=[]), "policies"),
    "join_organization": (
        lambda kms: kms.account(ACCOUNT).join_organization("o-a", service_controls=[]),
        "service_control",
    ),
    "session": (lambda kms: kms.account(ACCOUNT).root.session(region_name="a"), "region"),
    "via": (lambda kms: kms.account(ACCOUNT).root.via(services="s3"), "service"),
    "advance": (lambda kms: kms.clock.advance(day=1), "days"),
    "fail": (lambda kms: kms.faults.fail("Encrypt", "DisabledException", key_="a"), "key"),
    "throttle": (lambda kms: kms.faults.throttle("Encrypt", time=2), "times"),
    "assert_called": (lambda kms: kms.calls.assert_called(operaton="Encrypt"), "operation"),
    "assert_not_called": (lambda kms: kms.calls.assert_not_called("Encrypt", kye="a"), "key"),
    "filter": (lambda kms: kms.calls.filter(error="DisabledException"), "error_code"),
    "assert_all_keys_used": (lambda kms: kms.calls.assert_all_keys_used(except_for=[]), "except_"),
    "assert_below": (lambda kms: kms.costs.assert_below(usdd="1"), "usd"),
    "project": (lambda kms: kms.costs.project(time=1), "times"),
    "lookup": (lambda kms: kms.trail.lookup(acount=ACCOUNT), "account"),
    "lookup by attribute": (lambda kms: kms.trail.lookup(user_name="a"), "username"),
    "write_files": (lambda kms: kms.trail.write_files("a", trial="b"), "trail"),
    "document": (lambda kms: kms.attestation.document(b"", pcr={}), "pcrs"),
    "read": (lambda kms: kms.ebs.read("vol-1", ofset=0, length=1), "offset"),
    "key factory": (lambda kms: kmsmock.KmsKeyFactory(kms.client())(aliass="a"), "alias"),
}


@pytest.mark.parametrize("method", KEYWORDS)
def test_a_misspelt_keyword_argument_names_the_nearest(kms: KMSMock, method: str) -> None:
    use, meant = KEYWORDS[method]

    with pytest.raises(TypeError) as caught:
        use(kms)

    assert f"did you mean {meant!r}?" in str(caught.value)


def test_a_keyword_argument_that_is_like_no_other_is_answered_with_all(kms: KMSMock) -> None:
    with pytest.raises(TypeError, match=r"argument 'colour'; it takes requests, usd$"):
        kms.budget(colour=1)  # type: ignore[call-arg]


def test_a_type_error_of_another_kind_stays_as_it_is(kms: KMSMock) -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'action'"):
        kms.explain(ROOT)  # type: ignore[call-arg]


# --- values by which calls are found -------------------------------------------------------------

VALUES: list[tuple[dict[str, Any], str]] = [
    ({"operation": "Encrpt"}, "KMS has no operation 'Encrpt'; did you mean 'Encrypt'?"),
    ({"operation": 5}, "operation must be the name of an operation, not int: 5"),
    ({"key": "alias/ap"}, "no key 'alias/ap', and no call has named it; did you mean 'alias/app'?"),
    ({"key": "app"}, "there is no key 'app', and no call has named it; did you mean 'alias/app'?"),
    ({"key": f"arn:aws:iam::{ACCOUNT}:role/App"}, "must be an id, ARN or alias of a key"),
    ({"key": ""}, "must be an id, ARN or alias of a key; '' is none of these"),
    ({"key": 5}, "key must be an id, ARN or alias, not int"),
    ({"key": b"alias/app"}, "key must be an id, ARN or alias, not bytes"),
    ({"key": {"Plaintext": b"secret"}}, "not dict (a dict with Plaintext); accepted are also"),
    ({"key_arn": "alias/app"}, "key_arn must be the ARN of a key, not 'alias/app'; key= takes"),
    ({"alias": "app"}, "alias must begin with 'alias/', not 'app'"),
    ({"alias": "alias/ap"}, "did you mean 'alias/app'?"),
    ({"account": "12345"}, "account must be a string of 12 digits, not '12345'"),
    ({"account": 123456789012}, "account must be a string of 12 digits or an account, not 1234567"),
    ({"caller": "App"}, "caller must be the ARN of a principal, or the name of a service"),
    ({"caller": f"arn:aws:iam::{ACCOUNT}:role/Ap"}, f"mean 'arn:aws:iam::{ACCOUNT}:role/App'?"),
    ({"caller": ACCOUNT}, f"'{ACCOUNT}' is an account: account="),
    ({"caller": None}, "caller of a call is never None"),
    ({"region": "us-est-1"}, "AWS has no Region 'us-est-1'; did you mean 'us-east-1'?"),
    ({"region": "us_east_1"}, "region must be a Region such as 'eu-west-1', not 'us_east_1'"),
    ({"key_spec": "RSA2048"}, "there is no key spec 'RSA2048'; did you mean 'RSA_2048'?"),
    ({"via_service": "s33"}, "no service of AWS is 's33' in kms:ViaService; did you mean 's3'?"),
    ({"via_service": "S3"}, "no service of AWS is 'S3' in kms:ViaService; did you mean 's3'?"),
    ({"via_service": "s33.us-east-1.amazonaws.com"}, "did you mean 's3'?"),
    ({"via_service": "efs"}, "did you mean 'elasticfilesystem'?"),
    ({"encryption_context": "tenant=a"}, "encryption_context must be a dict, not str: 'tenant=a'"),
    ({"encryption_context": {"tenant": 1}}, "encryption_context['tenant'] must be a str, not int"),
    ({"error_code": "AccessDenied"}, "did you mean 'AccessDeniedException'?"),
    ({"error_code": KeyError}, "error_code must be a str such as 'DisabledException', not the cla"),
    ({"grant_id": "abc"}, "grant_id must be 64 hexadecimal digits, not 'abc'"),
    ({"allowed": 1}, "allowed must be True or False, not int: 1"),
    ({"at": datetime(2026, 1, 1)}, "at must be an aware datetime, with a time zone"),
    ({"test_id": 5}, "test_id must be a str, not int: 5"),
    ({"price": "cheap"}, "price must be an amount in USD"),
    ({"operaton": "Encrypt"}, "did you mean 'operation'?"),
    ({"times": "2"}, "times must be a whole number, not str: '2'"),
    ({"times": -1}, "times must be 0 or more, not -1"),
]


@pytest.mark.parametrize(("members", "sentence"), VALUES, ids=[str(m) for m, _ in VALUES])
def test_a_value_that_no_call_can_have_is_told(
    kms: KMSMock, members: dict[str, Any], sentence: str
) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        kms.calls.assert_called(**members)

    assert sentence in str(caught.value)
    if "times" not in members:
        for use in (kms.calls.assert_not_called, kms.calls.filter):
            with pytest.raises((TypeError, ValueError)):
                use(**members)


def test_an_account_is_no_caller(kms: KMSMock) -> None:
    account = kms.account(ACCOUNT)

    with pytest.raises(TypeError, match=r"pass one of its principals, such as account\.administr"):
        kms.calls.assert_not_called(caller=account)  # type: ignore[arg-type]
    kms.calls.assert_not_called(caller=account.administrator)
    kms.calls.assert_not_called(account=account)


def test_the_count_comes_first(kms: KMSMock) -> None:
    with pytest.raises(TypeError, match=r"assert_call_count\(5, 'Encrypt'\), not str: 'Encrypt'"):
        kms.calls.assert_call_count("Encrypt", 5)  # type: ignore[arg-type]


#: What names the key of the mock, by how a test gets it.
NAMES_OF_A_KEY: dict[str, Callable[[KMSMock], Any]] = {
    "id": lambda kms: kms.keys[0].key_id,
    "ARN": lambda kms: kms.keys[0].arn,
    "alias": lambda _: "alias/app",
    "alias ARN": lambda kms: kms.aliases[0].arn,
    "KmsKey": lambda kms: kmsmock.KmsKey(kms.keys[0].key_id, kms.keys[0].arn, kms.client()),
    "item of kms.keys": lambda kms: kms.keys[0],
    "item of kms.aliases": lambda kms: kms.aliases[0],
    "key metadata": lambda kms: kms.client().describe_key(KeyId="alias/app")["KeyMetadata"],
    "response of DescribeKey": lambda kms: kms.client().describe_key(KeyId="alias/app"),
    "response of Encrypt": lambda kms: kms.client().encrypt(KeyId="alias/app", Plaintext=b"x"),
    "entry of ListKeys": lambda kms: kms.client().list_keys()["Keys"][0],
    "entry of ListAliases": lambda kms: kms.client().list_aliases()["Aliases"][0],
}


@pytest.mark.parametrize("kind", NAMES_OF_A_KEY)
def test_a_key_is_named_in_the_same_ways_everywhere(kms: KMSMock, kind: str) -> None:
    key = NAMES_OF_A_KEY[kind](kms)

    kms.calls.assert_called("GenerateDataKey", key=key)
    assert len(kms.calls.filter("GenerateDataKey", key=key)) == 1
    assert [r["eventName"] for r in kms.trail.lookup("GenerateDataKey", key=key)] != []
    assert kms.explain(kms.account("123456789012").administrator, "kms:Decrypt", key)


@pytest.mark.parametrize("kind", [kind for kind in NAMES_OF_A_KEY if "Encrypt" not in kind])
def test_a_key_that_need_not_be_used_is_named_in_the_same_ways(kind: str) -> None:
    with mock_kms(isolated=True) as kms:
        key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
        kms.client().create_alias(AliasName="alias/app", TargetKeyId=key_id)

        kms.calls.assert_all_keys_used(except_=NAMES_OF_A_KEY[kind](kms))
        with pytest.raises(ValueError, match="'alias/ap', as except_ says; did you mean 'alias/a"):
            kms.calls.assert_all_keys_used(except_="alias/ap")


def test_a_key_that_was_named_but_never_there_can_be_asserted_on() -> None:
    with mock_kms(isolated=True) as kms:
        client = kms.client()
        with pytest.raises(client.exceptions.NotFoundException):
            client.describe_key(KeyId="alias/gone")

        kms.calls.assert_called("DescribeKey", key="alias/gone", error_code="NotFoundException")


@pytest.mark.parametrize("is_cleared", [False, True], ids=["recorded", "records cleared"])
def test_what_was_deleted_can_be_asserted_on(is_cleared: bool) -> None:
    with mock_kms(isolated=True) as kms:
        client = kms.client()
        key = client.create_key()["KeyMetadata"]["KeyId"]
        client.create_alias(AliasName="alias/old", TargetKeyId=key)
        client.delete_alias(AliasName="alias/old")
        client.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
        kms.clock.advance(days=8)
        user = kms.account(ACCOUNT).user("bob")
        user.credentials  # noqa: B018 - so that it could have made calls
        user.delete()
        if is_cleared:
            kms.calls.clear()

        kms.calls.assert_not_called("Encrypt", key="alias/old")
        kms.calls.assert_not_called("Encrypt", key=key)
        kms.calls.assert_not_called("Encrypt", caller=user.arn)


def test_aws_managed_keys_can_be_asserted_on_before_they_are_there(kms: KMSMock) -> None:
    kms.calls.assert_not_called("Decrypt", key="alias/aws/s3")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"key": "alias/ap"}, "did you mean 'alias/app'?"),
        ({"account": "12345"}, "account must be a string of 12 digits, not '12345'"),
        ({"region": "us-est-1"}, "did you mean 'us-east-1'?"),
        ({"principal": "Alice"}, "caller must be the ARN of a principal"),
        ({"principal": f"arn:aws:iam::{ACCOUNT}:user/Nobody"}, "and it has made no call"),
    ],
    ids=str,
)
def test_a_value_that_no_record_can_have_is_told(
    kms: KMSMock, arguments: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError) as caught:
        kms.trail.lookup(**arguments)

    assert sentence in str(caught.value)
