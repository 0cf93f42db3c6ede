"""The sleeps of botocore's waiters and retries take no time, but move the clock."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib import import_module
from typing import Any, NamedTuple
from unittest.mock import patch

import boto3
import botocore.waiter
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, WaiterError
from botocore.stub import Stubber

from kmsmock import KMSMock, mock_kms
from tests.authorization.documents import allow
from tests.waiting import passing

ANSWERED = ("ec2", "iam", "rds")


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record real sleeps, which take no time here."""
    sleeps: list[float] = []
    monkeypatch.setattr(time, "sleep", sleeps.append)
    return sleeps


@pytest.fixture
def kms() -> Iterator[KMSMock]:
    with mock_kms(seed=1, delays="all") as kms:
        yield kms


# --- all waiters of the services that are answered ---------------------------------------------


class Case(NamedTuple):
    """What a waiter waits for."""

    #: Begins it.
    begin: Callable[[KMSMock], Any]
    #: The parameters of the waiter.
    parameters: dict[str, Any]
    #: How many calls the waiter makes.
    polls: int
    #: What it raises at last; None if it succeeds.
    failure: str | None = None


def new_volume(kms: KMSMock) -> None:
    passing.new_volume(kms.client("ec2"))


def delete_volume(kms: KMSMock) -> None:
    ec2, volume = passing.ready_volume(kms)
    ec2.delete_volume(VolumeId=volume)


def ready_snapshot_then_delete(kind: str) -> Callable[[KMSMock], None]:
    def begin(kms: KMSMock) -> None:
        name = {f"{kind}SnapshotIdentifier": "backup"}
        if kind == "DB":
            passing.ready(kms, passing.take_db_snapshot).delete_db_snapshot(**name)
        else:
            passing.ready(kms, passing.take_cluster_snapshot).delete_db_cluster_snapshot(**name)

    return begin


def create_identities(kms: KMSMock) -> None:
    iam = kms.client("iam")
    iam.create_user(UserName="App")
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}
    iam.create_role(RoleName="App", AssumeRolePolicyDocument=json.dumps({"Statement": trust}))
    document = json.dumps({"Version": "2012-10-17", "Statement": allow("kms:*")})
    iam.create_policy(PolicyName="App", PolicyDocument=document)


ARN = "arn:aws:iam::123456789012:policy/App"
INSTANCE, CLUSTER = {"DBInstanceIdentifier": "orders"}, {"DBClusterIdentifier": "orders"}
BACKUP, CLUSTER_BACKUP = ({f"{kind}SnapshotIdentifier": "backup"} for kind in ("DB", "DBCluster"))
CASES: dict[str, Case] = {
    "ec2 image_available": Case(passing.copy_image, {}, 2),
    "ec2 image_exists": Case(passing.copy_image, {}, 1),
    "ec2 snapshot_completed": Case(passing.take_snapshot, {}, 2),
    "ec2 volume_available": Case(new_volume, {}, 2),
    "ec2 volume_deleted": Case(delete_volume, {"VolumeIds": ["vol-0123456789abcdef0"]}, 1),
    "ec2 volume_in_use": Case(new_volume, {}, 40, "Max attempts exceeded"),
    "iam policy_exists": Case(create_identities, {"PolicyArn": ARN}, 1),
    "iam role_exists": Case(create_identities, {"RoleName": "App"}, 1),
    "iam user_exists": Case(create_identities, {"UserName": "Other"}, 20, "Max attempts exceeded"),
    "rds db_cluster_available": Case(passing.create_cluster, CLUSTER, 2),
    "rds db_cluster_deleted": Case(passing.delete_cluster, CLUSTER, 2),
    "rds db_cluster_snapshot_available": Case(passing.take_cluster_snapshot, CLUSTER_BACKUP, 2),
    "rds db_cluster_snapshot_deleted": Case(
        ready_snapshot_then_delete("DBCluster"), CLUSTER_BACKUP, 1
    ),
    "rds db_instance_available": Case(passing.create_instance, INSTANCE, 2),
    "rds db_instance_deleted": Case(passing.delete_instance, INSTANCE, 2),
    "rds db_snapshot_available": Case(passing.take_db_snapshot, BACKUP, 2),
    "rds db_snapshot_completed": Case(passing.take_db_snapshot, BACKUP, 2),
    "rds db_snapshot_deleted": Case(ready_snapshot_then_delete("DB"), BACKUP, 1),
}


def list_waiters() -> set[str]:
    """Return the waiters of the installed botocore for operations that are answered."""
    found = set()
    with mock_kms() as kms:
        for service in ANSWERED:
            operations = import_module(f"kmsmock.services.{service}.answered").SERVICE.operations
            client: Any = kms.client(service)
            for name in client.waiter_names:
                if client.get_waiter(name).config.operation in operations:
                    found.add(f"{service} {name}")
    return found


def test_the_table_has_each_waiter_of_the_services_that_are_answered() -> None:
    assert list_waiters() <= CASES.keys()


@pytest.mark.parametrize("name", CASES)
def test_a_waiter_makes_its_calls_without_sleeping(
    kms: KMSMock, slept: list[float], name: str
) -> None:
    if name not in list_waiters():
        pytest.skip("the installed botocore does not have this waiter")
    service, waiter_name = name.split()
    case = CASES[name]
    case.begin(kms)
    client: Any = kms.client(service)
    waiter = client.get_waiter(waiter_name)
    began = kms.clock.now()
    if case.failure is None:
        waiter.wait(**case.parameters)
    else:
        with pytest.raises(WaiterError, match=case.failure):
            waiter.wait(**case.parameters)

    polls = (kms.clock.now() - began) / timedelta(seconds=waiter.config.delay) + 1
    assert polls == case.polls
    assert slept == []


def test_a_waiter_of_an_operation_that_is_not_answered_ends_at_once(
    kms: KMSMock, slept: list[float]
) -> None:
    ec2 = kms.client("ec2")
    with pytest.raises(WaiterError, match="The action DescribeInstances is not valid"):
        ec2.get_waiter("instance_running").wait(InstanceIds=["i-0123456789abcdef0"])

    assert slept == []


def test_on_the_clock_alone_a_waiter_makes_as_many_calls_as_on_aws(slept: list[float]) -> None:
    with mock_kms(seed=1, delays="all", waiting="clock") as kms:
        ec2 = kms.client("ec2")
        volume = passing.new_volume(ec2)
        began = kms.clock.now()
        ec2.get_waiter("volume_available").wait(VolumeIds=[volume])

        assert kms.clock.now() - began == timedelta(minutes=5)
    assert slept == []


def test_a_waiter_of_the_user_for_kms_takes_no_time(kms: KMSMock, slept: list[float]) -> None:
    acceptor = {
        "state": "success",
        "matcher": "path",
        "argument": "KeyMetadata.KeyState",
        "expected": "Enabled",
    }
    described = {
        "operation": "DescribeKey",
        "delay": 60,
        "maxAttempts": 9,
        "acceptors": [acceptor],
    }
    model = botocore.waiter.WaiterModel({"version": 2, "waiters": {"KeyReady": described}})
    key_id, _ = passing.create_replica(kms)
    there = kms.client(region="eu-west-1")
    began = kms.clock.now()
    botocore.waiter.create_waiter_with_client("KeyReady", model, there).wait(KeyId=key_id)

    assert kms.clock.now() - began == timedelta(seconds=60)
    assert slept == []


# --- retries ------------------------------------------------------------------------------------


def client_with_retries(mode: str) -> Any:
    retries = {"mode": mode, "max_attempts": 6}
    return boto3.client("kms", "us-east-1", config=Config(retries=retries))


@pytest.fixture
def no_waiting_for_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where a client with a rate limit waits."""

    def wait(*_: Any) -> None:
        raise AssertionError("it waits")

    monkeypatch.setattr(threading.Condition, "wait", wait)


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
@pytest.mark.usefixtures("no_waiting_for_tokens")
def test_retries_take_no_time_but_move_the_clock(slept: list[float], mode: str) -> None:
    with mock_kms(wire=True) as kms:
        client = client_with_retries(mode)
        kms.faults.throttle("ListKeys", times=3)
        before = time.perf_counter()
        began = kms.clock.now()
        for _ in range(3):
            client.list_keys()
        real = timedelta(seconds=time.perf_counter() - before)

        assert kms.clock.now() - began > real
        assert [call.error_code for call in kms.calls].count("ThrottlingException") == 3
    assert slept == []


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_retries_do_not_move_the_clock_of_a_mock_with_a_seed(
    slept: list[float], kms: KMSMock, mode: str
) -> None:
    began = kms.clock.now()
    client = client_with_retries(mode)
    kms.faults.throttle("ListKeys", times=3)
    client.list_keys()

    assert kms.clock.now() == began
    assert slept == []


def test_calls_of_several_threads_are_retried_without_sleeping(slept: list[float]) -> None:
    with mock_kms(wire=True) as kms:
        client = client_with_retries("standard")
        kms.faults.throttle("ListKeys", times=4)
        threads = [threading.Thread(target=client.list_keys) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert [call.error_code for call in kms.calls].count(None) == 4
    assert slept == []


# --- whose sleeps -------------------------------------------------------------------------------


def test_sleeps_are_real_with_the_option(slept: list[float]) -> None:
    with mock_kms(seed=1, delays="all", wire=True, real_sleeps=True) as kms:
        ec2, began = kms.client("ec2"), kms.clock.now()
        volume = passing.new_volume(ec2)
        ec2.get_waiter("volume_available").wait(VolumeIds=[volume])
        assert slept == [15]

        kms.faults.throttle("ListKeys", times=1)
        client_with_retries("legacy").list_keys()
        assert len(slept) == 2
        assert kms.clock.now() == began


def test_sleeps_of_the_code_under_test_are_real(kms: KMSMock, slept: list[float]) -> None:
    began = kms.clock.now()
    time.sleep(7)

    assert slept == [7]
    assert kms.clock.now() == began


def stub_volume(client: Any) -> Stubber:
    stubber = Stubber(client)
    for state in ("creating", "available"):
        stubber.add_response("describe_volumes", {"Volumes": [{"State": state}]})
    return stubber


def wait_for_stubbed_volume() -> None:
    client = boto3.client("ec2", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    with stub_volume(client):
        client.get_waiter("volume_available").wait()


def test_waiters_sleep_without_a_mock(slept: list[float]) -> None:
    wait_for_stubbed_volume()

    assert slept == [15]


def test_waiters_of_a_service_that_the_mock_does_not_answer_sleep(slept: list[float]) -> None:
    with mock_kms(services=["sts"], seed=1) as kms:
        began = kms.clock.now()
        wait_for_stubbed_volume()

        assert kms.clock.now() == began
    assert slept == [15]


def test_waiters_sleep_while_the_mock_is_paused(kms: KMSMock, slept: list[float]) -> None:
    with kms.pause():
        wait_for_stubbed_volume()

    assert slept == [15]


def test_a_waiter_moves_the_clock_of_the_mock_that_its_client_belongs_to(
    kms: KMSMock, slept: list[float]
) -> None:
    ec2 = kms.account("444455556666").role("App", policies=[{"Statement": allow("ec2:*")}])
    client = ec2.session().client("ec2", region_name="us-east-1")
    volume = passing.new_volume(client)
    began = kms.clock.now()
    with mock_kms(isolated=True, seed=2) as inner:
        inner_began = inner.clock.now()
        client.get_waiter("volume_available").wait(VolumeIds=[volume])

        assert inner.clock.now() == inner_began
    assert kms.clock.now() - began == timedelta(seconds=15)
    assert slept == []


def test_waiters_of_services_that_moto_answers_take_no_time(slept: list[float]) -> None:
    mock_aws = pytest.importorskip("moto").mock_aws
    with mock_kms(seed=1) as kms, mock_aws():
        client = boto3.client("dynamodb", "us-east-1")
        began = kms.clock.now()
        with pytest.raises(WaiterError, match="Max attempts exceeded"):
            client.get_waiter("table_exists").wait(TableName="none")

        assert kms.clock.now() - began == timedelta(seconds=24 * 20)
    assert slept == []


def test_waiters_at_other_endpoints_sleep_although_moto_is_active(slept: list[float]) -> None:
    mock_aws = pytest.importorskip("moto").mock_aws
    with mock_kms(), mock_aws():
        client = boto3.client("dynamodb", "us-east-1", endpoint_url="http://127.0.0.1:9")
        stubber = Stubber(client)
        for status in ("CREATING", "ACTIVE"):
            stubber.add_response("describe_table", {"Table": {"TableStatus": status}})
        with stubber:
            client.get_waiter("table_exists").wait(TableName="orders")

    assert slept == [20]


def test_tests_can_still_replace_the_sleep_of_waiters(kms: KMSMock) -> None:
    ec2 = kms.client("ec2")
    volume = passing.new_volume(ec2)
    with patch("botocore.waiter.time.sleep") as sleep:
        ec2.get_waiter("volume_available").wait(VolumeIds=[volume])
    sleep.assert_called_once_with(15)

    volume = passing.new_volume(ec2)
    began = kms.clock.now()
    ec2.get_waiter("volume_available").wait(VolumeIds=[volume])
    assert kms.clock.now() - began == timedelta(seconds=15)


def test_waiters_move_the_clock_while_freezegun_freezes_the_time(slept: list[float]) -> None:
    freeze_time = pytest.importorskip("freezegun").freeze_time
    with freeze_time("2030-01-01"), mock_kms(delays="all") as kms:
        ec2 = kms.client("ec2")
        volume = passing.new_volume(ec2)
        ec2.get_waiter("volume_available").wait(VolumeIds=[volume])

        assert f"{kms.clock.now():%Y-%m-%d %H:%M:%S}" == "2030-01-01 00:00:15"
    assert slept == []


def test_what_is_due_during_a_sleep_is_done(kms: KMSMock, slept: list[float]) -> None:
    key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
    kms.client().rotate_key_on_demand(KeyId=key_id)
    with pytest.raises(ClientError):
        kms.client("rds").describe_db_instances(DBInstanceIdentifier="none")
    ec2 = kms.client("ec2")
    with pytest.raises(WaiterError):
        ec2.get_waiter("volume_in_use").wait(VolumeIds=[passing.new_volume(ec2)])

    assert len(kms.client().list_key_rotations(KeyId=key_id)["Rotations"]) == 1
    assert slept == []
