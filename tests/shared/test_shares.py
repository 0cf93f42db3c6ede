"""What a test does in a shared world: in an account of its own, and seeing its own calls only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import boto3
import botocore.exceptions
import pytest

from kmsmock import KMSMock, current
from kmsmock.options import complete
from kmsmock.shared.control import SharedWorldError
from kmsmock.shared.world import SharedWorld
from tests.serving import child
from tests.shared.conftest import Open, share_of

OTHER = "444455556666"


def account_of(kms: KMSMock) -> str:
    account: str = kms.options["account_id"]
    return account


def allow(*actions: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


# --- accounts -----------------------------------------------------------------------------------


def test_default_credentials_are_those_of_the_administrator_of_the_account(
    open_share: Open,
) -> None:
    kms = open_share("test_a")

    caller = boto3.client("sts").get_caller_identity()

    assert caller["Arn"] == f"arn:aws:iam::{account_of(kms)}:user/Administrator"


def test_tests_have_different_accounts(open_share: Open) -> None:
    shares = [open_share("test_a"), open_share("test_b"), open_share("test_a")]

    assert len({account_of(kms) for kms in shares}) == len(shares)


def test_a_test_has_the_same_account_in_each_run() -> None:
    accounts = [SharedWorld(complete({})).begin("test_a")[1] for _ in range(2)]

    assert accounts[0] == accounts[1]


def test_new_accounts_are_of_one_test_only(open_share: Open) -> None:
    first, second = open_share("test_a"), open_share("test_b")
    names = [first.account().id, first.account().id, second.account().id]

    assert len({*names, account_of(first), account_of(second)}) == 5


def test_aliases_of_tests_with_the_same_name_are_different(open_share: Open) -> None:
    for name in ("test_a", "test_b"):
        client = open_share(name).client()
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        client.create_alias(AliasName="alias/same", TargetKeyId=key_id)
        assert client.describe_key(KeyId="alias/same")["KeyMetadata"]["KeyId"] == key_id


def test_a_key_is_used_across_accounts_as_its_policies_allow(open_share: Open) -> None:
    owner, user = open_share("test_a"), open_share("test_b")
    arn = owner.client().create_key()["KeyMetadata"]["Arn"]
    policy = allow("kms:*")
    policy["Statement"][0]["Principal"] = {
        "AWS": [f"arn:aws:iam::{account}:root" for account in (account_of(owner), account_of(user))]
    }
    owner.client().put_key_policy(KeyId=arn, PolicyName="default", Policy=json.dumps(policy))

    blob = user.client().encrypt(KeyId=arn, Plaintext=b"text")["CiphertextBlob"]

    assert owner.client().decrypt(CiphertextBlob=blob)["Plaintext"] == b"text"


def test_an_account_that_tests_name_by_its_id_is_shared_by_them(open_share: Open) -> None:
    first, second = open_share("test_a"), open_share("test_b")
    first.account(OTHER).client().create_key()

    assert [key.account for key in second.keys] == []
    second.account(OTHER)
    assert [key.account for key in second.keys] == [OTHER]


# --- what a test sees ---------------------------------------------------------------------------


@pytest.fixture
def busy(open_share: Open) -> tuple[KMSMock, KMSMock]:
    """Two shares: the first has a key, and the second has made two calls without one."""
    first, second = open_share("test_a"), open_share("test_b")
    key_id = first.client().create_key()["KeyMetadata"]["KeyId"]
    first.client().generate_data_key(KeyId=key_id, KeySpec="AES_256")
    second.client().list_keys()
    second.client().list_aliases()
    return first, second


SEEN: dict[str, Callable[[KMSMock], Any]] = {
    "keys": lambda kms: len(kms.keys),
    "calls": lambda kms: [call.operation for call in kms.calls],
    "costs": lambda kms: (kms.costs.requests, kms.costs.storage > 0),
    "trail": lambda kms: [record["eventName"] for record in kms.trail],
    "secrets": lambda kms: len(kms.secrets),
}
#: What the shares of `busy` show.
EXPECTED: dict[str, tuple[Any, Any]] = {
    "keys": (1, 0),
    "calls": (["CreateKey", "GenerateDataKey"], ["ListKeys", "ListAliases"]),
    "costs": ((2, True), (2, False)),
    "trail": (["CreateKey", "GenerateDataKey"], ["ListKeys", "ListAliases"]),
    "secrets": (1, 0),
}


@pytest.mark.parametrize("what", EXPECTED)
def test_a_test_sees_what_is_its_own(busy: tuple[KMSMock, KMSMock], what: str) -> None:
    assert tuple(map(SEEN[what], busy)) == EXPECTED[what]


def test_a_budget_counts_the_calls_of_the_test_only(open_share: Open) -> None:
    first, second = open_share("test_a"), open_share("test_b")

    with first.budget(requests=1):
        first.client().list_keys()
        second.client().list_keys()


def test_records_name_the_test(open_share: Open, request: pytest.FixtureRequest) -> None:
    kms = open_share("test_a")
    kms.client().list_keys()

    assert kms.calls[0].test_id == request.node.nodeid


def test_other_services_are_answered_in_the_account(open_share: Open) -> None:
    kms = open_share("test_a")

    ec2 = boto3.client("ec2")
    made = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True)
    ec2.get_waiter("volume_available").wait(VolumeIds=[made["VolumeId"]])

    (volume,) = ec2.describe_volumes()["Volumes"]
    assert account_of(kms) in volume["KmsKeyId"]
    assert "ec2.us-east-1.amazonaws.com" in {call.via_service for call in kms.calls}


def test_the_error_of_a_call_has_its_explanation(open_share: Open) -> None:
    kms = open_share("test_a")
    key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]

    with pytest.raises(botocore.exceptions.ClientError) as caught:
        kms.account(account_of(kms)).user("joe").client().describe_key(KeyId=key_id)

    assert "identity policies" in "\n".join(caught.value.__notes__)


# --- what a test changes ------------------------------------------------------------------------


def test_faults_hit_the_calls_of_the_test_that_arms_them(open_share: Open) -> None:
    first, second = open_share("test_a"), open_share("test_b")
    fault = first.faults.fail("ListKeys", "KMSInternalException", retried=False)

    second.client().list_keys()
    with pytest.raises(botocore.exceptions.ClientError, match="KMSInternalException"):
        first.client().list_keys()

    assert fault.fired == 1


def test_faults_of_the_network_reach_the_client(open_share: Open) -> None:
    kms = open_share("test_a")
    kms.faults.timeout("ListKeys", retried=False)

    with pytest.raises(botocore.exceptions.ReadTimeoutError):
        kms.client().list_keys()


def test_a_throttled_call_is_retried_without_a_real_sleep(
    open_share: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    kms = open_share("test_a")
    before = kms.clock.now()
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("this was a real sleep"))
    kms.faults.throttle("ListKeys", times=2)

    kms.client().list_keys()

    assert kms.clock.now() > before


def test_the_quota_of_a_test_throttles_its_own_calls(open_share: Open) -> None:
    first, second = open_share("test_a"), open_share("test_b")
    first.faults.quota("ListKeys", per_second=1, optional=True)

    for _ in range(5):
        second.client().list_keys()

    assert second.calls.filter(error_code="ThrottlingException") == []


def test_a_default_principal_is_that_of_the_test_only(open_share: Open) -> None:
    first, second = open_share("test_a"), open_share("test_b")

    with first.account(account_of(first)).user("joe", policies=allow("kms:*")):
        first.client().list_keys()
        second.client().list_keys()

    assert first.calls[-1].caller.endswith(":user/joe")
    assert second.calls[-1].caller.endswith(":user/Administrator")


def test_condition_keys_are_set_for_the_calls_of_the_test_only(open_share: Open) -> None:
    first, second = open_share("test_a"), open_share("test_b")
    policy = allow("kms:ListKeys")
    policy["Statement"][0]["Condition"] = {"StringEquals": {"aws:SourceVpce": "vpce-1"}}
    users = [
        kms.account(account_of(kms)).user("joe", policies=policy).client()
        for kms in (first, second)
    ]

    with first.request_context({"aws:SourceVpce": "vpce-1"}):
        users[0].list_keys()
        with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
            users[1].list_keys()


REFUSED: dict[str, Callable[[KMSMock], Any]] = {
    "reset": lambda kms: kms.reset(),
    "load": lambda kms: kms.load({"keys": []}),
    "checkpoint": lambda kms: kms.checkpoint(),
    "advance": lambda kms: kms.clock.advance(days=1),
    "move_to": lambda kms: kms.clock.move_to(datetime(2099, 1, 1, tzinfo=timezone.utc)),
    "delay": lambda kms: kms.faults.delay(seconds=3),
    "eventual_consistency": lambda kms: kms.faults.eventual_consistency(),
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
def test_what_would_change_the_world_of_other_tests_is_refused(
    open_share: Open, change: Callable[[KMSMock], Any]
) -> None:
    kms = open_share("test_a")
    before = kms.clock.now()
    kms.client().create_key()

    with pytest.raises(SharedWorldError, match=r"--kms-shared .*isolated=True"):
        change(kms)

    assert len(kms.keys) == 1
    assert (kms.clock.now() - before).days == 0


def test_the_state_is_in_another_process(open_share: Open) -> None:
    kms = open_share("test_a")

    with pytest.raises(AttributeError, match="process"):
        kms.backend.regions.clear()


def test_the_whole_world_can_be_exported(open_share: Open, tmp_path: Path) -> None:
    first, second = open_share("test_a"), open_share("test_b")
    first.client().create_key()
    second.client().create_key()

    first.export(tmp_path / "world.json")

    assert len(json.loads((tmp_path / "world.json").read_text())["keys"]) == 2


# --- the process of the test --------------------------------------------------------------------


def test_the_mock_is_the_current_one(open_share: Open) -> None:
    kms = open_share("test_a")
    assert current() is kms


def test_a_paused_mock_lets_calls_through(open_share: Open) -> None:
    kms = open_share("test_a")
    client = boto3.client("kms", region_name="us-east-1")

    with kms.pause(), pytest.raises(RuntimeError, match="real"):
        client.list_keys()

    assert len(kms.calls) == 0


def test_a_mock_that_has_ended_answers_no_more(world: SharedWorld) -> None:
    with share_of(world, "test_a") as kms:
        client = kms.client()

    with pytest.raises(RuntimeError, match="ended"):
        client.list_keys()
    with pytest.raises(RuntimeError, match="ended"):
        kms.calls.filter("ListKeys")


def start_child() -> str:
    """Start a process that calls KMS; return status and body of the response."""
    command = [sys.executable, "-S", "-E", str(Path(child.__file__))]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return ran.stdout


def fork(work: Callable[[], int]) -> int:
    """Return the exit status of a forked child, which is what the function returns there."""
    pid = os.fork()
    if pid == 0:
        status = 99
        try:
            status = work()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


on_posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="this is a function of POSIX")


def test_a_process_that_a_test_starts_reaches_the_world(open_share: Open) -> None:
    kms = open_share("test_a")

    assert start_child().startswith("200 ")
    assert [(call.operation, call.account) for call in kms.calls] == [
        (child.OPERATION, account_of(kms))
    ]


def test_processes_of_a_test_are_blocked_as_its_option_says(open_share: Open) -> None:
    kms = open_share("test_a", processes="blocked")

    assert "has started are refused" in start_child()
    assert len(kms.calls) == 0


@on_posix
def test_a_forked_child_that_is_left_alone_does_not_use_the_channel(open_share: Open) -> None:
    kms = open_share("test_a", processes="alone")
    client = kms.client()

    def call() -> int:
        with pytest.raises(RuntimeError, match="forked child"):
            client.list_keys()
        return 7

    assert fork(call) == 7
    assert len(kms.calls) == 0


@on_posix
def test_a_forked_child_uses_the_world_through_its_parent(open_share: Open) -> None:
    kms = open_share("test_a")
    client = kms.client()

    def call() -> int:
        client.list_keys()
        return len(kms.calls)

    assert fork(call) == 1
    assert [call.operation for call in kms.calls] == ["ListKeys"]


def test_clients_sign_at_a_time_that_a_test_has_frozen(open_share: Open) -> None:
    freezegun: Any = pytest.importorskip("freezegun")
    kms = open_share("test_a")
    client = kms.account(account_of(kms)).user("joe", policies=allow("kms:*")).client()

    with freezegun.freeze_time("2020-01-01"):
        client.list_keys()

    assert kms.calls[-1].caller.endswith(":user/joe")


def test_a_service_beside_moto_warns_that_it_makes_no_calls(
    open_share: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    moto: Any = pytest.importorskip("moto")
    monkeypatch.setattr("kmsmock.shared.responder._warned", set())
    kms = open_share("test_a")

    with moto.mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        with pytest.warns(UserWarning, match="s3 makes no KMS calls"):
            s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="k", Body=b"", ServerSideEncryption="aws:kms")

    assert len(kms.calls) == 0
