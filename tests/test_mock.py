"""Starting and stopping mocks in all forms, and what is left behind: nothing."""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import boto3
import pytest
from botocore.exceptions import ClientError, ConfigParseError
from botocore.session import Session

import kmsmock
from kmsmock import current, mock_kms

REGION = {"region_name": "us-east-1"}


def key_count():
    return len(boto3.client("kms").list_keys()["Keys"])


# --- forms -------------------------------------------------------------------------------


@pytest.mark.parametrize("decorate", [mock_kms, mock_kms(), mock_kms(region="eu-west-1")])
def test_a_function_is_decorated_with_and_without_parentheses(decorate):
    @decorate
    def function(first, *, second):
        """Document."""
        boto3.client("kms").create_key()
        return first, second, key_count()

    assert function(1, second=2) == function(1, second=2) == (1, 2, 1)
    assert (function.__name__, function.__doc__) == ("function", "Document.")
    assert list(inspect.signature(function).parameters) == ["first", "second"]


def test_a_generator_is_mocked_until_it_ends():
    @mock_kms
    def generator():
        boto3.client("kms").create_key()
        yield key_count()
        yield key_count()

    assert list(generator()) == [1, 1]
    assert inspect.isgeneratorfunction(generator)


def test_a_coroutine_is_mocked_until_it_ends():
    @mock_kms
    async def coroutine():
        boto3.client("kms").create_key()
        await asyncio.sleep(0)
        return key_count()

    assert inspect.iscoroutinefunction(coroutine)
    assert asyncio.run(coroutine()) == 1


def test_an_asynchronous_generator_is_mocked_until_it_ends():
    @mock_kms
    async def generator():
        boto3.client("kms").create_key()
        await asyncio.sleep(0)
        yield key_count()

    async def collect():
        return [item async for item in generator()]

    assert asyncio.run(collect()) == [1]


def test_an_asynchronous_block_is_mocked():
    async def block():
        async with mock_kms() as kms:
            boto3.client("kms").create_key()
            return len(kms.keys)

    assert asyncio.run(block()) == 1


def test_a_mock_is_started_and_stopped_by_hand():
    mocker = mock_kms()

    kms = mocker.start()
    assert current() is kms
    mocker.stop()

    assert not kms.is_active
    with pytest.raises(RuntimeError, match="call start\\(\\) before stop"):
        mocker.stop()


def test_without_a_mock_there_is_no_current_one():
    with pytest.raises(RuntimeError, match="use the `kms` fixture"):
        current()


def test_a_name_that_the_package_does_not_have_is_no_attribute():
    with pytest.raises(AttributeError, match="no attribute 'unknown'"):
        kmsmock.unknown  # noqa: B018


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"regoin": "x"}, "no option 'regoin'; it has account_id, "),
        ({"account_id": "1"}, "12 digits"),
        ({"authorization": "some"}, "must be 'enforced' or 'off'"),
        ({"services": ["kms", "polly"]}, "'polly' is not supported"),
        ({"start_time": datetime(2030, 1, 1)}, "aware datetime"),
        ({"seed": 1.5}, "seed must be an int or a string"),
        ({"region": 5}, "region must be a Region such as eu-west-1, not 5"),
        ({"services": "kms"}, "services must be a list, such as .'kms'.,"),
        ({"world": 5}, "world must be a path or a mapping, not 5"),
        ({"wire": "yes"}, "wire must be True or False, not 'yes'"),
        ({"calls_kept": 0}, "calls_kept must be a positive integer, not 0"),
    ],
)
def test_options_that_cannot_be_are_refused_at_once(options, message):
    with pytest.raises(TypeError, match=message):
        mock_kms(**options)


# --- nesting -----------------------------------------------------------------------------


def test_a_bare_mock_joins_the_active_one():
    with mock_kms() as outer:
        boto3.client("kms").create_key()
        with mock_kms() as inner:
            assert inner is outer
            assert key_count() == 1
        assert key_count() == 1


def test_coroutines_at_the_same_time_share_a_mock_until_the_last_has_ended():
    @mock_kms
    async def make(seconds):
        client = boto3.client("kms", region_name="us-east-1")
        client.create_key()
        await asyncio.sleep(seconds)
        return len(client.list_keys()["Keys"])

    async def both():
        return await asyncio.gather(make(0), make(0.02))

    assert asyncio.run(both()) == [2, 2]
    with pytest.raises(RuntimeError, match="no mock is active"):
        current()


def test_a_mock_that_was_joined_is_there_after_the_one_who_began_it():
    first, second = mock_kms(), mock_kms()
    kms = first.start()
    assert second.start() is kms
    first.stop()
    assert current() is kms
    second.stop()
    assert not kms.is_active


@pytest.mark.parametrize("options", [{"isolated": True}, {"region": "us-east-1"}])
def test_a_mock_with_options_is_a_world_of_its_own(options):
    with mock_kms() as outer:
        boto3.client("kms").create_key()
        with mock_kms(**options) as inner:
            assert inner is not outer
            assert key_count() == 0
        assert key_count() == 1


def test_a_paused_mock_lets_calls_go_where_they_would_have_gone():
    with mock_kms(block_real_kms=True) as kms:
        client = boto3.client("kms")
        with kms.pause(), pytest.raises(kmsmock.RealKMSBlocked):
            client.list_keys()
        assert client.list_keys()["Keys"] == []


def test_a_mock_that_ends_while_it_is_paused_is_not_active_again():
    mocker = mock_kms(isolated=True)
    kms = mocker.start()

    with kms.pause():
        mocker.stop()

    assert not kms.is_active


def test_a_mock_that_begins_in_a_pause_goes_on_after_it():
    with mock_kms(isolated=True) as outer:
        with outer.pause():
            mocker = mock_kms()
            inner = mocker.start()
        assert current() is inner
        mocker.stop()
        assert current() is outer


def test_a_reset_mock_begins_again():
    with mock_kms() as kms:
        kms.client().create_key()
        kms.reset()

        assert (kms.keys, len(kms.calls)) == ((), 0)
        assert kms.client().list_keys()["Keys"] == []
        assert repr(kms) == "<KMSMock active: 0 keys, 1 call>"


def test_a_checkpoint_brings_everything_back_more_than_once():
    with mock_kms() as kms:
        client = kms.client()
        key_id = client.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
        client.create_alias(AliasName="alias/app", TargetKeyId=key_id)
        blob = client.encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"]
        role = kms.account("444455556666").role("App")
        assert role.credentials
        checkpoint = kms.checkpoint()

        for _ in range(2):
            client.delete_alias(AliasName="alias/app")
            client.rotate_key_on_demand(KeyId=key_id)
            client.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
            kms.clock.advance(days=30)
            assert kms.keys == ()
            kms.restore(checkpoint)

            assert client.describe_key(KeyId="alias/app")["KeyMetadata"]["Enabled"]
            assert client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"text"
            assert abs(kms.clock.now() - datetime.now(timezone.utc)) < timedelta(minutes=1)
            kms.restore(checkpoint)


def test_a_mock_that_cannot_start_is_not_there(tmp_path, monkeypatch):
    file = tmp_path / "config"
    file.write_text("[default]\n")
    session = Session()
    session.set_config_variable("config_file", str(file))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", boto3.Session(botocore_session=session))
    file.write_text("[default")

    with pytest.raises(ConfigParseError):
        mock_kms().start()

    with pytest.raises(RuntimeError, match="no mock is active"):
        kmsmock.current()


def test_a_checkpoint_from_before_a_reset_has_its_administrator():
    with mock_kms() as kms:
        key = kms.client().create_key()["KeyMetadata"]["KeyId"]
        before = kms.checkpoint()
        kms.reset()
        kms.client().create_key()
        kms.restore(before)
        assert [each["KeyId"] for each in kms.client().list_keys()["Keys"]] == [key]


def test_a_checkpoint_of_another_mock_is_refused():
    with mock_kms() as outer, mock_kms(isolated=True) as inner:
        outer.client().create_key()
        checkpoint = outer.checkpoint()

        with pytest.raises(ValueError, match="this checkpoint is of another mock"):
            inner.restore(checkpoint)

        assert inner.client().list_keys()["Keys"] == []


def test_who_was_made_after_a_checkpoint_is_nobody_once_it_is_restored():
    with mock_kms() as kms:
        account = kms.account("123456789012")
        checkpoint = kms.checkpoint()
        allowed = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
        policy = {"Version": "2012-10-17", "Statement": allowed}
        later = account.role("Later", policies=[policy]).client()
        assert later.list_keys()["Keys"] == []

        kms.restore(checkpoint)

        with pytest.raises(ClientError, match="UnrecognizedClientException"):
            later.list_keys()
        assert kms.client().list_keys()["Keys"] == []


# --- threads and processes ------------------------------------------------------------------


@pytest.mark.parametrize("wire", [False, True])
def test_calls_of_many_threads_lose_nothing(wire):
    with mock_kms(isolated=True, wire=wire) as kms:
        client = boto3.client("kms")
        key_id = client.create_key()["KeyMetadata"]["KeyId"]

        def work(number):
            text = str(number).encode()
            blob = client.encrypt(KeyId=key_id, Plaintext=text)["CiphertextBlob"]
            client.create_alias(
                AliasName=f"alias/{number}", TargetKeyId=client.create_key()["KeyMetadata"]["KeyId"]
            )
            return client.decrypt(CiphertextBlob=blob)["Plaintext"] == text

        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(work, range(100)))

        assert len(kms.keys) == 101
        assert len(kms.aliases) == 100
        assert len(kms.calls) == 401


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_goes_on_even_if_another_thread_held_the_lock():
    with mock_kms() as kms:
        client = boto3.client("kms")
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        held, done = threading.Event(), threading.Event()

        def hold():
            with kms.backend.lock:
                held.set()
                done.wait()

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait()
        child = os.fork()
        if child == 0:
            found = client.describe_key(KeyId=key_id)["KeyMetadata"]["KeyId"] == key_id
            os._exit(0 if found else 1)
        done.set()
        thread.join()

        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.skipif(os.name == "nt", reason="a working directory cannot be deleted")
def test_a_note_about_another_mock_does_without_a_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tmp_path.rmdir()
    with mock_kms() as outer:
        key_id = outer.client().create_key()["KeyMetadata"]["KeyId"]
        with mock_kms(isolated=True) as inner, pytest.raises(Exception, match="kms") as caught:
            inner.client().describe_key(KeyId=key_id)

    assert f" at {__file__}:" in caught.value.__notes__[0]


# --- clock and records ------------------------------------------------------------------------


def test_the_clock_starts_where_it_is_told_to():
    start = datetime(2030, 1, 2, 3, 4, 5, tzinfo=timezone.utc)

    with mock_kms(start_time=start) as kms:
        created = kms.client().create_key()["KeyMetadata"]["CreationDate"]

    assert timedelta() <= created - start < timedelta(minutes=1)


def test_the_clock_only_moves_forward_and_wants_time_zones():
    with mock_kms() as kms:
        now = kms.clock.now()
        assert kms.clock.move_to(now + timedelta(days=1)) == now + timedelta(days=1)
        with pytest.raises(ValueError, match="only moves forward"):
            kms.clock.move_to(now)
        with pytest.raises(ValueError, match="only moves forward"):
            kms.clock.advance(days=-1)
        with pytest.raises(ValueError, match="aware datetime"):
            kms.clock.move_to(datetime(2100, 1, 1))


def test_calls_can_be_filtered_sliced_and_asserted_on():
    with mock_kms() as kms:
        client = kms.client()
        key = client.create_key()["KeyMetadata"]
        client.create_alias(AliasName="alias/app", TargetKeyId=key["KeyId"])
        client.encrypt(KeyId="alias/app", Plaintext=b"t", EncryptionContext={"a": "b"})

        calls = kms.calls
        assert [call.operation for call in calls[1:]] == ["CreateAlias", "Encrypt"]
        for name in (key["KeyId"], key["Arn"], "alias/app"):
            calls.assert_called("Encrypt", times=1, key=name, encryption_context={"a": "b"})
        calls.assert_not_called("Decrypt")
        with pytest.raises(AssertionError, match="expected Decrypt at least once, found 0"):
            calls.assert_called("Decrypt")
        with pytest.raises(AssertionError, match=r"Encrypt alias/app \{'a': 'b'\} by arn"):
            calls.assert_called("Encrypt", encryption_context={"a": "c"})
        with pytest.raises(TypeError, match="have no 'colour'"):
            calls.filter(colour="red")
        assert "Encrypt alias/app" in repr(calls)


def test_requests_are_counted_by_operation_key_and_account():
    with mock_kms() as kms:
        key = kms.client().create_key()["KeyMetadata"]
        kms.account("444455556666").client().list_keys()

        assert kms.costs.requests == 2
        assert kms.costs.by_operation() == {"CreateKey": 1, "ListKeys": 1}
        assert kms.costs.by_key() == {key["Arn"]: 1}
        assert kms.costs.by_account() == {"123456789012": 1, "444455556666": 1}


def test_an_account_without_an_id_is_a_new_one(kms):
    accounts = {kms.account().id, kms.account().id, kms.options["account_id"]}

    assert len(accounts) == 3
    assert all(len(account) == 12 for account in accounts)
