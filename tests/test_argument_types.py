"""Every public method refuses arguments of a wrong type, before it does anything."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from kmsmock import KMSMock, mock_kms
from kmsmock.misuse.argument_types import ArgumentTypes
from tests.test_misspelt_names import ACCOUNT, OBJECTS, ROOT


class Opaque:
    """A value that no method takes."""


@pytest.fixture(scope="module")
def kms() -> Iterator[KMSMock]:
    with mock_kms(isolated=True) as kms:
        key = kms.client().create_key()["KeyMetadata"]["KeyId"]
        kms.client().create_alias(AliasName="alias/app", TargetKeyId=key)
        kms.client().generate_data_key(KeyId=key, KeySpec="AES_256")
        kms.client().enable_key_rotation(KeyId=key)
        kms.account(ACCOUNT).role("App")
        yield kms


def list_methods(thing: Any) -> Iterator[tuple[str, Any]]:
    for name in dir(thing):
        is_public = not name.startswith("_") or name == "__call__"
        if is_public and inspect.isfunction(inspect.getattr_static(thing, name)):
            yield name, getattr(thing, name)


@pytest.mark.parametrize("holder", OBJECTS)
def test_every_checked_argument_is_told(kms: KMSMock, holder: str) -> None:
    for name, method in list_methods(OBJECTS[holder](kms)):
        function = method.__func__
        checked = ArgumentTypes(getattr(function, "__wrapped__", function), ())._by_name
        for argument, expected in checked.items():
            if expected is None or argument == "operation":
                continue
            with pytest.raises(TypeError) as caught:
                method(**{argument: Opaque()})
            assert f"{argument} must be {expected.words}, not Opaque" in str(caught.value), name


@pytest.mark.parametrize(
    ("use", "sentence"),
    [
        (lambda kms: kms.client("s33"), "boto3 has no service 's33'; did you mean 's3'?"),
        (lambda kms: kms.client("kmss"), "boto3 has no service 'kmss'; did you mean 'kms'?"),
        (lambda kms: kms.client(5), "service must be a str, not int: 5"),
        (lambda kms: kms.client(region=["us-east-1"]), "region must be a str, not list"),
        (lambda kms: kms.export("a.json", material="no"), "True or False, not str: 'no'"),
        (lambda kms: kms.clock.advance(days="1"), "days must be a number, not str: '1'"),
        (lambda kms: kms.explain(ROOT, "kms:ListKeys", context=[1]), "context must be a dict, not"),
        (lambda kms: kms.trail.write_jsonl(None), "path must be a str or a path, not NoneType"),
        (lambda kms: kms.attestation.document("key"), "public_key_der must be bytes, not str"),
        (lambda kms: kms.calls.assert_all_keys_used(except_=5), "except_ must be a key or a list"),
        (
            lambda kms: kms.principal("sns.amazonaws.com").on_behalf_of("topic"),
            "source_arn must be the ARN of a resource, not 'topic'",
        ),
        (
            lambda kms: kms.account(ACCOUNT).join_organization("exampleorgid"),
            "organization_id must be such as 'o-exampleorgid', not 'exampleorgid'",
        ),
    ],
)
def test_a_wrong_argument_is_told(kms: KMSMock, use: Any, sentence: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        use(kms)

    assert sentence in str(caught.value)


def test_what_should_have_been_bytes_is_not_shown(kms: KMSMock) -> None:
    with pytest.raises(TypeError) as caught:
        kms.ebs.write("vol-1", 0, "secret of the test")  # type: ignore[arg-type]

    assert str(caught.value) == "data must be bytes, not str"


def test_bytes_can_be_any_object_with_bytes(kms: KMSMock) -> None:
    kms.secrets.add(bytearray(b"secret of the test"))  # type: ignore[arg-type]

    assert kms.secrets[-1].reveal() == b"secret of the test"
