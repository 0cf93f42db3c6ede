"""The option ``with_moto``: what is created in KMS begins and ends with the data of moto."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
import threading
import unittest
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

import kmsmock
from kmsmock import KMSMock, mock_kms, options
from kmsmock.mock import follow_moto
from kmsmock.process.moto import is_moto_active
from kmsmock.process.watchers import Watcher, watchers, watching

mock_aws = pytest.importorskip("moto").mock_aws


@pytest.fixture(autouse=True)
def with_moto() -> Iterator[None]:
    """Configure the run as ``kms_with_moto = true`` does."""
    before = options.configure({"with_moto": True})
    follow_moto()
    yield
    options.configure(before)


def new_client() -> Any:
    return boto3.client("kms", region_name="us-east-1")


def create_key() -> str:
    key_id: str = new_client().create_key()["KeyMetadata"]["KeyId"]
    return key_id


def list_keys() -> list[str]:
    return [key["KeyId"] for key in new_client().list_keys()["Keys"]]


class TestWithoutAMock:
    @pytest.mark.parametrize("turn", [1, 2])
    @mock_aws
    def test_each_decorated_test_begins_without_keys(self, turn: int) -> None:  # noqa: ARG002
        assert list_keys() == []
        key = create_key()
        assert list_keys() == [key]

    def test_each_block_begins_without_keys(self) -> None:
        for _ in range(2):
            with mock_aws():
                assert list_keys() == []
                create_key()

    def test_nested_blocks_share_their_keys(self) -> None:
        with mock_aws():
            key = create_key()
            with mock_aws():
                assert list_keys() == [key]
            assert list_keys() == [key]

    def test_a_reset_of_moto_removes_the_keys(self) -> None:
        with mock_aws() as moto:
            create_key()
            moto.reset()
            assert list_keys() == []

    def test_after_a_reset_inside_of_nested_blocks_keys_last_as_long_as_buckets(self) -> None:
        with mock_aws():
            create_key()
            with mock_aws() as inner:
                inner.reset()
                key = create_key()
                boto3.client("s3").create_bucket(Bucket="papers")
            assert list_keys() == [key]
            assert len(boto3.client("s3").list_buckets()["Buckets"]) == 1

    def test_threads_with_blocks_that_overlap_have_their_keys(self) -> None:
        def use(number: int) -> bool:  # noqa: ARG001
            with mock_aws():
                key = create_key()
                everybody.wait()
                found = key in list_keys()
                everybody.wait()
            return found

        everybody = threading.Barrier(3)
        # Blocks that overlap, and are not nested in one, leave moto's credentials behind.
        with mock_aws(), ThreadPoolExecutor(3) as threads:
            assert list(threads.map(use, range(3))) == [True] * 3

    def test_moto_ends_where_the_mock_cannot_start(self, tmp_path: Path) -> None:
        options.configure({"with_moto": True, "world": str(tmp_path / "absent.json")})
        with pytest.raises(FileNotFoundError):
            mock_aws().start()
        assert not is_moto_active()

    def test_moto_ends_where_the_end_of_the_mock_raises(self) -> None:
        class Refusing(Watcher):
            def ended(self, kms: Any) -> None:  # noqa: ARG002
                raise ValueError

        with watching(Refusing()), pytest.raises(ValueError), mock_aws():
            pass
        assert not is_moto_active()

    def test_no_mock_is_left_afterwards(self) -> None:
        with mock_aws():
            assert kmsmock.current().keys == ()
        with pytest.raises(RuntimeError, match="no mock is active"):
            kmsmock.current()

    def test_a_mock_of_the_test_is_separate(self) -> None:
        with mock_aws():
            key = create_key()
            with mock_kms(isolated=True):
                assert list_keys() == []
            assert list_keys() == [key]

    def test_without_the_option_moto_brings_no_mock(self) -> None:
        before = options.configure({})
        with mock_aws(), pytest.raises(RuntimeError, match="no mock is active"):
            kmsmock.current()
        options.configure(before)


@mock_aws
class TestOfUnittest(unittest.TestCase):
    def setUp(self) -> None:
        self.key = create_key()

    def test_has_the_key_of_the_set_up_first(self) -> None:
        assert list_keys() == [self.key]
        create_key()

    def test_has_the_key_of_the_set_up_again(self) -> None:
        assert list_keys() == [self.key]
        create_key()


@mock_aws
class TestWithSetupMethod:
    def setup_method(self, method: Any) -> None:  # noqa: ARG002
        self.key = create_key()

    @pytest.mark.parametrize("turn", [1, 2])
    def test_has_the_key_of_the_set_up(self, turn: int) -> None:  # noqa: ARG002
        assert list_keys() == [self.key]
        create_key()


@mock_aws
class TestWithoutSetUp:
    @pytest.mark.parametrize("turn", [1, 2])
    def test_begins_without_keys(self, turn: int) -> None:  # noqa: ARG002
        assert list_keys() == []
        create_key()


@pytest.fixture(scope="class")
def aws() -> Iterator[Any]:
    before = options.configure({"with_moto": True})
    follow_moto()
    with mock_aws() as moto:
        yield moto
    options.configure(before)


class TestWithAFixtureOfAClass:
    @pytest.mark.parametrize("turn", [1, 2])
    def test_a_reset_ends_neither_the_mock_nor_its_administrator(
        self,
        aws: Any,
        kms: KMSMock,
        turn: int,  # noqa: ARG002
    ) -> None:
        create_key()
        aws.reset()
        assert kms.keys == ()
        create_key()


class WithSetUp(unittest.TestCase):
    def setUp(self) -> None:
        """Do nothing: moto decorates only the set-up of the class itself, and resets nothing."""


@mock_aws
class TestWithInheritedSetUp(WithSetUp):
    def test_begins_without_keys_first(self) -> None:
        assert list_keys() == []
        create_key()

    def test_begins_without_keys_again(self) -> None:
        assert list_keys() == []
        create_key()


@mock_aws
class TestWithAResetInSetUp(unittest.TestCase):
    def setUp(self) -> None:
        create_key()
        mock_aws().reset()
        self.key = create_key()

    def test_has_the_key_of_the_set_up(self) -> None:
        assert list_keys() == [self.key]


class TestInsideOfAMock:
    def test_keys_from_before_stay_and_those_of_moto_end_with_it(self, kms, kms_key) -> None:
        for _ in range(2):
            with mock_aws():
                assert list_keys() == [kms_key.id]
                create_key()
        assert [key.arn for key in kms.keys] == [kms_key.arn]

    def test_the_records_of_calls_stay(self, kms) -> None:
        with mock_aws():
            create_key()
        kms.calls.assert_called("CreateKey", times=1)

    def test_aliases_end_with_moto(self, kms, kms_key) -> None:
        with mock_aws():
            kms.client().create_alias(AliasName="alias/a", TargetKeyId=kms_key.id)
        assert kms.aliases == ()

    @pytest.mark.parametrize("wanted", [{"with_moto": True}, {"seed": 1}], ids=str)
    def test_a_reset_of_moto_removes_the_keys_of_a_mock_that_started_later(
        self, wanted: dict[str, Any]
    ) -> None:
        with mock_aws() as moto, mock_kms(**wanted) as kms:
            create_key()
            moto.reset()
            assert kms.keys == ()

    def test_the_keys_of_all_mocks_end_with_moto(self, kms) -> None:
        with mock_aws() as moto:
            create_key()
            with mock_kms(isolated=True) as inner:
                create_key()
                moto.reset()
                assert (*kms.keys, *inner.keys) == ()

    def test_the_option_of_a_mock_is_enough(self) -> None:
        options.configure({})
        with mock_kms(with_moto=True) as kms:
            for _ in range(2):
                with mock_aws():
                    assert list_keys() == []
                    create_key()
                assert kms.keys == ()
        options.configure({"with_moto": True})

    def test_a_mock_without_the_option_keeps_what_is_created(self) -> None:
        options.configure({})
        with mock_kms() as kms:
            with mock_aws():
                create_key()
            assert len(kms.keys) == 1
        options.configure({"with_moto": True})


def test_a_fixture_of_a_module_has_one_mock_which_other_tests_do_not_see(
    run_alone: Any,
) -> None:
    text = """
import boto3, pytest
from moto import mock_aws

def list_keys():
    return boto3.client("kms", region_name="us-east-1").list_keys()["Keys"]

@pytest.fixture(scope="module")
def aws():
    with mock_aws():
        boto3.client("kms", region_name="us-east-1").create_key()
        yield

def test_first(aws):
    assert len(list_keys()) == 1

@mock_aws
def test_between():
    assert list_keys() == []

def test_second(aws):
    assert len(list_keys()) == 1
"""
    run_alone(text, "-o", "kms_with_moto=true").assert_outcomes(passed=3)


def test_a_nested_set_up_method_creates_keys_for_its_test_only(run_alone: Any) -> None:
    text = """
import boto3, pytest
from moto import mock_aws

@pytest.fixture(scope="module")
def aws():
    with mock_aws():
        yield

def test_starts_moto_for_the_module(aws):
    pass

@mock_aws
class TestOfOthers:
    def setup_method(self, method):
        self.kms = boto3.client("kms", region_name="us-east-1")
        self.key = self.kms.create_key()["KeyMetadata"]["KeyId"]

    @pytest.mark.parametrize("turn", [1, 2])
    def test_has_its_key(self, turn):
        assert [each["KeyId"] for each in self.kms.list_keys()["Keys"]] == [self.key]
"""
    run_alone(text, "-o", "kms_with_moto=true").assert_outcomes(passed=3)


@pytest.mark.parametrize("hook", ["pytest_configure(config)", "pytest_sessionstart(session)"])
def test_moto_of_a_conftest_file_has_one_mock_for_the_run(
    run_alone: Any, pytester: pytest.Pytester, hook: str
) -> None:
    pytester.makeconftest(f"""
import boto3
from moto import mock_aws

aws = mock_aws()

def {hook}:
    aws.start()
    boto3.client("kms", region_name="us-east-1").create_key()

def pytest_unconfigure():
    aws.stop()
""")
    text = """
import boto3, kmsmock
from moto import mock_aws

def test_has_the_key():
    assert len(kmsmock.current().keys) == 1

@mock_aws
def test_has_the_same_key():
    assert len(kmsmock.current().keys) == 1

def test_resets_moto():
    mock_aws().reset()

def test_has_no_key_afterwards():
    assert kmsmock.current().keys == ()
"""
    run_alone(text, "-o", "kms_with_moto=true").assert_outcomes(passed=4)


def test_moto_that_was_active_before_gets_a_mock(monkeypatch: pytest.MonkeyPatch) -> None:
    models = sys.modules["moto.core.models"]
    for name in ("start", "stop", "reset"):
        method = getattr(models.MockAWS, name)
        monkeypatch.setattr(models.MockAWS, name, method.__wrapped__)
    monkeypatch.setattr(kmsmock.with_moto, "_is_installed", [])
    with contextlib.ExitStack() as stack:
        first = mock_aws()
        first.start()
        second = mock_aws()
        second.start()
        before = [*watchers.began]
        follow_moto()
        stack.callback(watchers.began.__setitem__, slice(None), before)
        create_key()
        second.stop()
        assert len(list_keys()) == 1
        first.stop()
        with pytest.raises(RuntimeError, match="no mock is active"):
            kmsmock.current()


def test_clients_from_before_moto_s_import_are_answered_by_moto() -> None:
    s3 = boto3.client("s3", region_name="us-east-1")
    # As a client that was created before moto had registered its handler.
    s3.meta.events.unregister(
        "before-send", __import__("moto.core.models").core.models.botocore_stubber
    )
    with mock_aws():
        s3.create_bucket(Bucket="papers")
        assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["papers"]


class TestHints:
    """What a suite of moto does that KMS refuses says how to mend it."""

    @pytest.fixture(autouse=True)
    def _aws(self) -> Iterator[None]:
        with mock_aws():
            yield

    @staticmethod
    def note_of(call: Any, **parameters: Any) -> str:
        with pytest.raises(ClientError) as caught:
            call(**parameters)
        [note] = caught.value.__notes__
        return " ".join(note.split())

    def test_a_made_up_key(self) -> None:
        note = self.note_of(new_client().describe_key, KeyId="12345678-1234-1234-1234-123456789012")
        assert note.endswith("Region: CreateKey makes one, and chooses its id.")

    def test_a_made_up_key_beside_another(self) -> None:
        key = create_key()
        note = self.note_of(new_client().describe_key, KeyId="12345678-1234-1234-1234-123456789012")
        assert note == f"The only one is '{key}'."

    def test_a_policy_that_is_not_json(self) -> None:
        note = self.note_of(new_client().create_key, Policy="my policy")
        assert note.endswith("a policy is the text of a JSON object, as json.dumps returns it.")

    def test_a_role_that_nobody_has_created(self) -> None:
        role = "arn:aws:iam::123456789012:role/Nobody"
        grant = {"GranteePrincipal": role, "Operations": ["Encrypt"]}
        note = self.note_of(new_client().create_grant, KeyId=create_key(), **grant)
        assert "or with the operations of IAM, such as CreateRole." in note

        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": role},
            "Action": "kms:*",
            "Resource": "*",
        }
        note = self.note_of(new_client().create_key, Policy=json.dumps({"Statement": [statement]}))
        assert "or with the operations of IAM, such as CreateRole." in note

    def test_a_policy_that_locks_out(self) -> None:
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": "111122223333"},
            "Action": "kms:*",
            "Resource": "*",
        }
        note = self.note_of(new_client().create_key, Policy=json.dumps({"Statement": [statement]}))
        assert note.endswith('so does the option authorization="off", with all other decisions.')

    def test_rsa_without_algorithm(self) -> None:
        key = new_client().create_key(KeyUsage="ENCRYPT_DECRYPT", KeySpec="RSA_2048")
        key_id = key["KeyMetadata"]["KeyId"]
        note = self.note_of(new_client().encrypt, KeyId=key_id, Plaintext=b"text")
        assert note.endswith("Without an EncryptionAlgorithm it is SYMMETRIC_DEFAULT.")

        encrypted = new_client().encrypt(
            KeyId=key_id, Plaintext=b"text", EncryptionAlgorithm="RSAES_OAEP_SHA_256"
        )
        note = self.note_of(
            new_client().decrypt, KeyId=key_id, CiphertextBlob=encrypted["CiphertextBlob"]
        )
        assert "the request needs both the key and the algorithm" in note

    @pytest.mark.parametrize(
        ("signed", "verified", "sentence"),
        [
            ("DIGEST", "RAW", "The message is a digest: it is valid with MessageType DIGEST."),
            ("RAW", "DIGEST", "It was made over these bytes with MessageType RAW."),
        ],
    )
    def test_a_signature_of_another_message_type(
        self, signed: str, verified: str, sentence: str
    ) -> None:
        kms = new_client()
        key = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]
        message = {
            "KeyId": key["KeyId"],
            "Message": hashlib.sha256(b"text").digest(),
            "SigningAlgorithm": "ECDSA_SHA_256",
        }
        signature = kms.sign(**message, MessageType=signed)["Signature"]
        note = self.note_of(kms.verify, **message, MessageType=verified, Signature=signature)
        assert note.endswith(sentence)

    def test_another_message(self) -> None:
        kms = new_client()
        key = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]
        terms = {"KeyId": key["KeyId"], "SigningAlgorithm": "ECDSA_SHA_256"}
        signature = kms.sign(**terms, Message=b"text")["Signature"]
        note = self.note_of(kms.verify, **terms, Message=b"x" * 32, Signature=signature)
        assert note.endswith("with ECDSA_SHA_256 and MessageType RAW.")


class TestWarnings:
    def test_a_trust_policy_that_cannot_be_read_is_told_when_the_role_is_used(
        self, recwarn: pytest.WarningsRecorder
    ) -> None:
        with mock_aws():
            iam = boto3.client("iam")
            iam.create_role(RoleName="app", AssumeRolePolicyDocument="{}")
            iam.create_role(RoleName="other", AssumeRolePolicyDocument="some policy")
            assert [str(each.message) for each in recwarn] == []
            sts = boto3.client("sts")
            for session in ("one", "two"):
                sts.assume_role(
                    RoleArn="arn:aws:iam::123456789012:role/other", RoleSessionName=session
                )
        [told] = [str(each.message) for each in recwarn]
        assert told.startswith(
            "arn:aws:iam::123456789012:role/other has a trust policy that kmsmock cannot read"
        )
