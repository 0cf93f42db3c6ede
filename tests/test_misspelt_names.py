"""Misspelt attributes and keyword arguments raise errors with the nearest name."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest

import kmsmock
from kmsmock import KMSMock, mock_kms
from kmsmock.misuse.public_object import add_nearest_name
from tests.populated import ACCOUNT, populated


@pytest.fixture(scope="module")
def kms() -> Iterator[KMSMock]:
    with populated() as kms:
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

    assert caught.value.name == misspelt
    add_nearest_name(caught.value)  # as the pytest plugin does
    assert str(caught.value).endswith(f"has no attribute {misspelt!r}; did you mean {meant!r}?")


def test_pytest_shows_the_nearest_name_also_for_what_each_call_reads(
    run_alone: Callable[..., pytest.RunResult],
) -> None:
    result = run_alone(
        """
def test_key(kms, kms_key):
    kms.keys[0].regions

def test_call(kms, kms_key):
    kms.calls[0].operaton

def test_control(kms):
    kms.cost
"""
    )

    result.stdout.fnmatch_lines(
        [
            "E *'Key' object has no attribute 'regions'; did you mean 'region'?",
            "E *'Call' object has no attribute 'operaton'; did you mean 'operation'?",
            "E *'KMSMock' object has no attribute 'cost'; did you mean 'costs'?",
        ]
    )


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
    assert type(thing)._internal <= set(object.__dir__(thing))


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


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda kms: kms.account(ACCOUNT).user("Ann", {}),
            "Account.user() takes 1 positional argument (name), not 2; pass by name: policies, b",
        ),
        (
            lambda kms: kms.budget(5),
            "KMSMock.budget() takes 0 positional arguments, not 1; pass by name: requests, usd",
        ),
        (
            lambda kms: kms.faults.throttle("Encrypt", 5),
            "Faults.throttle() takes 1 positional argument (operation), not 2",
        ),
        (
            lambda kms: kms.faults.delay("Encrypt", 5),
            "Faults.delay() takes 1 positional argument (operation), not 2; pass by name: seconds",
        ),
    ],
    ids=["user", "budget", "throttle", "delay"],
)
def test_an_argument_without_its_name_is_answered_with_the_names(
    kms: KMSMock, call: Callable[[KMSMock], object], message: str
) -> None:
    with pytest.raises(TypeError) as caught:
        call(kms)

    assert str(caught.value).startswith(message)


def test_a_misspelt_action_is_answered_with_the_whole_name(kms: KMSMock) -> None:
    with pytest.raises(ValueError, match=r"did you mean 'kms:Decrypt'[?]"):
        kms.explain(ROOT, "kms:Decript")


def test_a_mock_that_is_not_started_has_no_world() -> None:
    with pytest.raises(RuntimeError, match="this mock is not started"):
        mock_kms().world  # noqa: B018


def test_a_type_error_of_another_kind_stays_as_it_is(kms: KMSMock) -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'action'"):
        kms.explain(ROOT)  # type: ignore[call-arg]
