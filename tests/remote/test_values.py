"""Values that are sent: each comes back as it was, or is refused with a reason."""

from __future__ import annotations

import json
from collections import Counter, OrderedDict, deque
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from kmsmock import KmsKey, mock_kms
from kmsmock.aws.principals import Principal, PrincipalKind
from kmsmock.aws.secret_values import SecretBytes, SecretInt, SecretText
from kmsmock.identities.credentials import Credentials
from kmsmock.keys.specs import KEY_SPECS
from kmsmock.keys.states import KeyState
from kmsmock.ledger.usage import RequestCount, UsageLine
from kmsmock.remote.values import Codec, find_class
from tests.remote.in_process import Direct, connect_directly

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))


def refuse(value: Any) -> Any:
    raise TypeError(f"not {value!r}")


CODEC = Codec(refuse, refuse)


def through_json(value: Any) -> Any:
    return CODEC.decode(json.loads(json.dumps(CODEC.encode(value))))


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 1, 10**30, 1.5, "text", "\ud800", [1, ["a"]], {"a": {"b": None}}),
        *((1, "a"), {1, 2}, frozenset({"a"}), b"\x00\xff", bytearray(b"a")),
        *({1: "a", "b": 2}, {"$dict": 1}, {("a", 1): []}, MappingProxyType({"a": 1})),
        *(NOON, date(2026, 1, 1), timedelta(days=-1, microseconds=5), datetime(1, 1, 1)),
        *(Decimal("1.10"), Decimal("NaN"), Fraction(1, 3), slice(1, None, -1), Counter("aab")),
        *(Path("a/b"), KeyState.ENABLED, KEY_SPECS["RSA_2048"]),
        *(SecretBytes(b"a"), SecretText("a"), SecretInt(5)),
        Principal(PrincipalKind.USER, "arn:aws:iam::1:user/a", "1", "AIDA", issued=NOON),
        UsageLine("Encrypt", None, "1", "us-east-1", None, None, 5),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    found = through_json(value)

    assert type(found) is type(value) or isinstance(value, Path)
    assert repr(found) == repr(value)


def test_a_secret_comes_back_with_its_content() -> None:
    found = through_json(Credentials.of("AKIA", "secret", "token"))

    assert (found.access_key, str(found.secret_key), str(found.session_token)) == (
        "AKIA",
        "secret",
        "token",
    )


def test_a_count_comes_back_with_its_costs() -> None:
    count = RequestCount(3)
    count.usd = Decimal("0.1")

    assert (through_json(count), through_json(count).usd) == (3, Decimal("0.1"))


def test_what_occurs_several_times_is_written_once() -> None:
    user = Principal(PrincipalKind.USER, "arn:aws:iam::1:user/a", "1", "AIDA")

    first, (again,) = through_json([user, (user,)])

    assert first is again
    assert json.dumps(CODEC.encode([user, user])).count("AIDA") == 1 + ("AIDA" in user.entity_id)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (OrderedDict(a=1), {"a": 1}),
        (deque([1]), [1]),
        ({"a": 1}.keys(), ["a"]),
        ((n for n in (1, 2)), [1, 2]),
        (memoryview(b"a"), b"a"),
    ],
    ids=["ordered", "deque", "keys", "generator", "memoryview"],
)
def test_what_a_list_or_dict_does_as_well_comes_back_as_one(value: Any, expected: Any) -> None:
    assert through_json(value) == expected


def test_a_value_without_end_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)

    with pytest.raises(ValueError, match="contains itself, or is nested too deeply"):
        CODEC.encode(endless)


@pytest.mark.parametrize(
    "value",
    [
        {"$data": ["kmsmock.control:KMSMock", []]},
        {"$data": ["os:system", []]},
        {"$record": ["kmsmock.control:KMSMock", []]},
        {"$record": ["kmsmock.__main__:x", []]},
        {"$enum": ["kmsmock.control:KMSMock", "A"]},
        {"$enum": ["kmsmock.keys.states:KeyState", "NONE"]},
        {"$spec": "none"},
        {"$Decimal": "x"},
        {"$datetime": 5},
        {"$error": "KMSMock", "arguments": [], "members": {}, "notes": []},
        {"$error": "kmsmock.control:KMSMock", "arguments": [], "members": {}, "notes": []},
    ],
    ids=lambda value: next(iter(value)),
)
def test_what_no_process_sends_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"that it cannot have|there is no class|is no "):
        CODEC.decode(value)


def test_only_classes_of_this_package_are_found() -> None:
    for name in ("builtins:str", "kmsmock.aws.arns:re", "kmsmock.none:A", "kmsmock.aws.arns:x.y"):
        with pytest.raises(ValueError, match="there is no class"):
            find_class(name)


# --- errors -----------------------------------------------------------------------------------


class OwnError(ValueError):
    """An error that the other process does not have."""


def test_an_error_comes_back_with_its_notes_and_members() -> None:
    error = OSError(2, "No such file", "a.txt")
    error.__notes__ = ["note"]  # type: ignore[attr-defined]

    found = through_json(error)

    assert (type(found), str(found)) == (FileNotFoundError, str(error))
    assert (found.errno, found.filename, found.__notes__) == (2, "a.txt", ["note"])


def test_an_error_of_an_unknown_class_comes_back_as_the_nearest() -> None:
    found = through_json(OwnError("text"))

    assert (type(found), str(found)) == (ValueError, "text")


# --- arguments --------------------------------------------------------------------------------


@pytest.fixture
def kms() -> Any:
    return connect_directly(Direct())


@pytest.mark.parametrize(
    "value", [print, object(), lambda: None, iter, open], ids=["builtin", "object", "f", "t", "o"]
)
def test_what_is_only_in_this_process_cannot_be_an_argument(kms: Any, value: Any) -> None:
    with pytest.raises(TypeError, match=r"of this process cannot be sent to the server at http://"):
        kms.calls.filter(caller=value)


def test_an_object_of_another_server_cannot_be_an_argument(kms: Any) -> None:
    other = connect_directly(Direct())

    with pytest.raises(TypeError, match="this Checkpoint is of http://localhost:4599, and not of"):
        kms.restore(other.checkpoint())


def test_a_checkpoint_of_this_process_cannot_be_restored_there(kms: Any) -> None:
    with mock_kms(isolated=True) as local:
        checkpoint = local.checkpoint()

    with pytest.raises(TypeError, match="a Checkpoint of this process cannot be sent"):
        kms.restore(checkpoint)


def test_a_key_of_the_factory_names_a_key(kms: Any) -> None:
    arn = kms.client().create_key()["KeyMetadata"]["Arn"]
    key = KmsKey(arn.rpartition("/")[2], arn, kms.client())

    assert kms.calls.filter("CreateKey", key=key).made == 1
    assert kms.calls.filter(key=kms.client().describe_key(KeyId=key.id)).made == 2
