"""Neither memory nor work grows with what was done before: calls, mocks, rollbacks.

benchmarks/soak.py does the same for long, and measures memory and time.
"""

from __future__ import annotations

import gc
import importlib.util
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from kmsmock import KMSMock, mock_kms
from kmsmock.interception import error_notes
from kmsmock.keys import region
from kmsmock.ledger import secrets
from kmsmock.timing import clock
from tests.work import count_calls

ACCOUNT = "123456789012"
KEPT = 10
STEPS = 25


def load_soak() -> Any:
    path = Path(__file__).parent.parent / "benchmarks" / "soak.py"
    spec = importlib.util.spec_from_file_location("soak", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["soak"] = module
    spec.loader.exec_module(module)
    return module


soak = load_soak()


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept of the newest is full after a few steps."""
    for name in ("_DELETED_ALIASES_KEPT", "_GRANT_TOKENS_KEPT", "_IMPORT_TOKENS_KEPT"):
        monkeypatch.setattr(region, name, KEPT)
    monkeypatch.setattr(clock, "_FEW_SCHEDULED", KEPT)
    monkeypatch.setattr(secrets, "SECRETS_KEPT", KEPT)
    monkeypatch.setattr(error_notes, "_MAX_NOTES", KEPT)


def grown(step: Callable[[int], Any]) -> dict[str, int]:
    """Return the types of which there are more objects after many steps, and how many."""
    for number in range(STEPS):
        step(number)
    count_objects()  # counting leaves some behind, too, the first time
    before = count_objects()
    for number in range(STEPS, 2 * STEPS):
        step(number)
    more = count_objects() - before
    return {name: count for name, count in more.items() if count > STEPS * 0.6}


def count_objects() -> Counter[str]:
    gc.collect()
    return Counter(f"{type(o).__module__}.{type(o).__qualname__}" for o in gc.get_objects())


class Cycles:
    """What can be done and undone in one mock, again and again."""

    def __init__(self, kms: KMSMock) -> None:
        self.kms, self.client = kms, kms.client()
        self.key_id = self.client.create_key()["KeyMetadata"]["KeyId"]
        external = self.client.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
        self.external_id = external
        self.root = kms.account(ACCOUNT).root

    def delete_and_cancel(self, _: int) -> None:
        self.client.schedule_key_deletion(KeyId=self.key_id)
        self.client.cancel_key_deletion(KeyId=self.key_id)
        self.client.enable_key(KeyId=self.key_id)

    def rotate_and_stop(self, number: int) -> None:
        days = 90 + number
        self.client.enable_key_rotation(KeyId=self.key_id, RotationPeriodInDays=days)
        self.client.disable_key_rotation(KeyId=self.key_id)

    def import_parameters(self, _: int) -> None:
        self.client.get_parameters_for_import(
            KeyId=self.external_id,
            WrappingAlgorithm="RSAES_OAEP_SHA_256",
            WrappingKeySpec="RSA_2048",
        )

    def same_grant(self, _: int) -> None:
        self.client.create_grant(
            KeyId=self.key_id,
            GranteePrincipal=self.root.arn,
            Operations=["Decrypt"],
            Name="always",
        )

    def roles(self, number: int) -> None:
        iam = self.kms.client("iam")
        trust = '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}}'
        iam.create_role(RoleName=f"Role{number}", AssumeRolePolicyDocument=trust)
        iam.delete_role(RoleName=f"Role{number}")

    def errors(self, number: int) -> None:
        with pytest.raises(ClientError):
            self.client.describe_key(KeyId=f"alias/none-{number}")

    def questions(self, number: int) -> None:
        context = {"number": str(number)}
        str(self.kms.explain(self.root, "kms:Encrypt", self.key_id, encryption_context=context))
        with self.kms.request_context({"aws:SourceIp": "192.0.2.1"}):
            self.client.list_keys()

    def checkpoints(self, _: int) -> None:
        checkpoint = self.kms.checkpoint()
        self.client.create_key()
        self.kms.restore(checkpoint)


@pytest.mark.usefixtures("small_limits")
def test_calls_of_many_kinds_leave_no_objects_behind() -> None:
    with mock_kms(calls_kept=KEPT) as kms:
        calls, cycles = soak.Calls(kms), Cycles(kms)
        kinds = [getattr(cycles, name) for name in vars(Cycles) if not name.startswith("_")]

        def step(number: int) -> None:
            for kind in (*calls.kinds, *kinds):
                kind(number)

        assert grown(step) == {}


def test_mocks_and_tests_that_have_ended_leave_nothing_behind() -> None:
    command = [sys.executable, soak.__file__, "mocks", "tests", "--scale", "0.01"]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("all flat\n")


@pytest.mark.usefixtures("small_limits")
def test_actions_that_are_still_needed_are_carried_out_after_many_that_are_not() -> None:
    with mock_kms() as kms:
        cycles = Cycles(kms)
        first, second = (kms.client().create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
        kms.client().schedule_key_deletion(KeyId=first, PendingWindowInDays=7)
        kms.client().enable_key_rotation(KeyId=second, RotationPeriodInDays=90)
        for number in range(3 * KEPT):
            cycles.delete_and_cancel(number)
            cycles.rotate_and_stop(number)

        kms.clock.advance(days=91)

        assert [key.key_id for key in kms.keys] == [cycles.key_id, cycles.external_id, second]
        rotations = kms.client().list_key_rotations(KeyId=second)["Rotations"]
        assert len(rotations) == 1


def test_a_rollback_is_no_more_work_after_many_tests() -> None:
    with mock_kms() as kms:
        cycles = Cycles(kms)
        cycles.checkpoints(0)

        _, first = count_calls(lambda: cycles.checkpoints(1))
        for number in range(100):
            checkpoint = kms.checkpoint()
            kms.client().create_alias(AliasName=f"alias/a{number}", TargetKeyId=cycles.key_id)
            kms.restore(checkpoint)
        _, last = count_calls(lambda: cycles.checkpoints(2))

        assert last < first + 100


def test_growth_is_found_between_the_tenths_of_a_run() -> None:
    flat = soak.Figures(1.0, 100.0, 1_000)

    assert list(soak.find_growth(flat, flat)) == []
    assert list(soak.find_growth(flat, soak.Figures(2.5, 200.0, 9_000))) == [
        "memory has grown from 100.0 to 200.0 MiB",
        "objects have grown from 1,000 to 9,000",
        "a tenth has slowed down from 1.00 to 2.50 s",
    ]
