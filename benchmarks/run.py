"""Measure the time of calls, as ratios to the floor: botocore with a constant response.

All functions of a comparison are measured alternately in one run: ``python benchmarks/run.py``.
"""

from __future__ import annotations

import contextlib
import gc
import platform
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import kmsmock  # noqa: F401 - before botocore, as the plugin is

import boto3  # isort: skip
import botocore  # isort: skip
from botocore.awsrequest import AWSResponse  # isort: skip

from kmsmock import dispatch, mock_kms  # isort: skip
from kmsmock.authorization.evaluation import evaluate  # isort: skip

ROUNDS, TIMES = 7, 1500
MANY_KEYS = 100_000
MICROSECONDS, MILLISECONDS = 1e6, 1e3


def best(*functions: Callable[[], Any], times: int = TIMES, rounds: int = ROUNDS) -> list[float]:
    """Measure functions alternately; return the best time of each, in seconds per call."""
    results = [float("inf")] * len(functions)
    for _ in range(rounds):
        for index, function in enumerate(functions):
            start = time.perf_counter()
            for _ in range(times):
                function()
            results[index] = min(results[index], (time.perf_counter() - start) / times)
    return results


def floor_client() -> Any:
    """Return a client with a constant response, from a session without kmsmock's handlers."""
    session = boto3.Session(
        aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1"
    )
    events = session.events
    for event in ("before-call.kms", "before-send.kms", "choose-signer.kms"):
        for name, handler, *_ in _our_handlers():
            if name == event:
                events.unregister(event, handler)
    client = session.client("kms")
    response = AWSResponse("", 200, {}, None)
    client.meta.events.register("before-call.kms", lambda **_: (response, {"Floor": True}))
    assert client.list_keys() == {"Floor": True}
    return client


def _our_handlers() -> list[Any]:
    from botocore.handlers import BUILTIN_HANDLERS

    return [spec for spec in BUILTIN_HANDLERS if spec[1].__module__.startswith("kmsmock")]


def crypto_calls() -> list[tuple[str, float, str]]:
    rows = []
    floor = floor_client()
    with mock_kms():
        client = boto3.client("kms")
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        signing = client.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
        signing_id = signing["KeyMetadata"]["KeyId"]
        blob = client.encrypt(KeyId=key_id, Plaintext=b"x" * 32)["CiphertextBlob"]
        rsa = {"KeySpec": "RSA_4096", "KeyUsage": "SIGN_VERIFY"}
        sign = {"KeyId": signing_id, "Message": b"m" * 32, "SigningAlgorithm": "ECDSA_SHA_256"}
        calls: list[tuple[str, str, dict[str, Any], float]] = [
            ("Encrypt", "encrypt", {"KeyId": key_id, "Plaintext": b"x" * 32}, 1.5),
            ("Decrypt", "decrypt", {"CiphertextBlob": blob}, 1.5),
            ("GenerateDataKey", "generate_data_key", {"KeyId": key_id, "KeySpec": "AES_256"}, 1.5),
            ("DescribeKey", "describe_key", {"KeyId": key_id}, 1.5),
            ("Sign (P-256)", "sign", sign, 1.5),
            ("CreateKey (symmetric)", "create_key", {}, 2),
            ("CreateKey (RSA_4096)", "create_key", rsa, 2),
        ]
        for name, method, arguments, aim in calls:
            ours, least = best(
                lambda method=method, arguments=arguments: getattr(client, method)(**arguments),
                lambda method=method, arguments=arguments: getattr(floor, method)(**arguments),
            )
            rows.append((f"{name} / floor", ours / least, f"≤ {aim}"))
            if name == "Decrypt":
                rows.append(("the floor of Decrypt: µs", least * MICROSECONDS, "-"))
    return rows


def start_up() -> list[tuple[str, float, str]]:
    def one_test() -> None:
        with mock_kms(isolated=True):
            client = boto3.client("kms")
            key_id = client.create_key()["KeyMetadata"]["KeyId"]
            blob = client.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
            client.decrypt(CiphertextBlob=blob)

    def rsa_first_use() -> None:
        key = client.create_key(KeySpec="RSA_4096", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
        client.sign(KeyId=key["KeyId"], Message=b"m", SigningAlgorithm="RSASSA_PSS_SHA_256")

    with mock_kms() as kms:
        client = kms.client()
        [rsa] = best(rsa_first_use, times=4, rounds=5)
    [whole] = best(one_test, times=20)
    return [
        creation_of_clients(),
        ("mock, client, CreateKey, Encrypt, Decrypt: ms a test", whole * 1e3, "≤ 6"),
        ("RSA_4096 CreateKey and first Sign: ms", rsa * 1e3, "≤ 25"),
    ]


def creation_of_clients() -> tuple[str, float, str]:
    names = {"region_name": "eu-west-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
    session, mocked, plain = boto3.Session(**names), [], []
    for _ in range(2 * ROUNDS):
        plain += best(lambda: session.client("kms"), times=10, rounds=1)
        with mock_kms():
            mocked += best(lambda: session.client("kms"), times=10, rounds=1)
    return ("creating a client / without a mock", min(mocked) / min(plain), "≤ 1.1")


def imports() -> list[tuple[str, float, str]]:
    def milliseconds(code: str) -> float:
        found = [
            float(
                subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
            )
            for _ in range(7)
        ]
        return min(found)

    timed = "import time; {}; t = time.perf_counter(); {}; print((time.perf_counter() - t) * 1e3)"
    over_boto3 = milliseconds(timed.format("import boto3", "from kmsmock import mock_kms"))
    plugin = milliseconds(timed.format("import pytest", "import kmsmock.plugin"))
    return [
        ("import of kmsmock over that of boto3: ms", over_boto3, "≤ 20"),
        ("loading the idle plugin: ms", plugin, "≤ 5"),
    ]


def many_keys() -> list[tuple[str, float, str]]:
    floor = floor_client()
    with mock_kms() as kms:
        client = kms.client()
        first = client.create_key()["KeyMetadata"]["KeyId"]

        def encrypt() -> None:
            client.encrypt(KeyId=first, Plaintext=b"x" * 32)

        [alone] = best(encrypt)

        def make(count: int, prefix: str) -> None:
            for number in range(count):
                key_id = client.create_key()["KeyMetadata"]["KeyId"]
                client.create_alias(AliasName=f"alias/{prefix}-{number}", TargetKeyId=key_id)

        make(300, "first")  # warm up: caches are not the memory of a key
        kms.calls.clear()
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        make(1_000, "traced")
        kms.calls.clear()
        gc.collect()  # also frees the interpreter's unused tuples
        memory = (tracemalloc.get_traced_memory()[0] - before) / 1_000
        tracemalloc.stop()
        make(MANY_KEYS - 1_301, "key")
        [crowded] = best(encrypt)
        page, least = best(
            lambda: client.list_keys(Limit=100), lambda: floor.list_keys(Limit=100), times=300
        )
    return [
        ("Encrypt with 1 key / with 100,000 keys and aliases", alone / crowded, "≥ 0.9"),
        ("memory a key with an alias: KiB", memory / 1024, "≤ 2"),
        ("ListKeys, a page of 100 out of 100,000 / floor", page / least, "≤ 3"),
    ]


def years() -> list[tuple[str, float, str]]:
    """Measure ten years of rotations of many keys, and making and restoring a checkpoint."""
    with mock_kms() as kms:
        client = kms.client()
        for _ in range(10_000):
            key_id = client.create_key()["KeyMetadata"]["KeyId"]
            client.enable_key_rotation(KeyId=key_id)
        started = time.perf_counter()
        kms.clock.advance(days=3650)
        ten_years = time.perf_counter() - started
    with mock_kms() as kms:
        for _ in range(10_000):
            kms.client().create_key()
        [saving] = best(kms.checkpoint, times=1)
        checkpoint = kms.checkpoint()
        [restoring] = best(lambda: kms.restore(checkpoint), times=1)
    return [
        ("ten years over 10,000 rotating keys: s", ten_years, "≤ 1"),
        ("checkpoint of 10,000 keys: ms", saving * MILLISECONDS, "≤ 50"),
        ("restoring it: ms", restoring * MILLISECONDS, "≤ 50"),
    ]


def authorization() -> list[tuple[str, float, str]]:
    """Measure policy evaluations: compared with none, with many policies, and with many grants."""
    rows = []
    with mock_kms() as kms:
        client = kms.client()
        key = client.create_key()["KeyMetadata"]
        blob = client.encrypt(KeyId=key["KeyId"], Plaintext=b"x" * 32)["CiphertextBlob"]

        def decrypt(*, enforced: bool) -> None:
            kms.backend.enforces_policies = enforced
            client.decrypt(CiphertextBlob=blob)

        on, off = best(partial(decrypt, enforced=True), partial(decrypt, enforced=False))
        kms.backend.enforces_policies = True
        rows.append(("Decrypt, authorized / authorization off", on / off, "≤ 1.15"))

        tenant = {"tenant": "a"}
        condition = {"StringEquals": {"kms:EncryptionContext:tenant": "b"}}
        statement = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": condition}
        many = [{"Statement": [{**statement, "Sid": f"p{n}"}] * 20} for n in range(10)]
        last = {"Statement": {"Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*"}}
        role = kms.account("123456789012").role("Many", policies=[*many[:9], many[9], last])
        decision = kms.explain(role, "kms:Encrypt", key["Arn"], encryption_context=tenant)
        request, policies = decision.request, decision.policies
        assert request is not None
        assert policies is not None
        [seconds] = best(lambda: evaluate(request, policies), times=500)
        microseconds = seconds * MICROSECONDS
        rows.append(("a decision over 200 statements with conditions: µs", microseconds, "≤ 60"))

        grantee = kms.account("123456789012").role("Grantee")
        encrypting = grantee.client()

        def encrypt() -> None:
            encrypting.encrypt(KeyId=key["KeyId"], Plaintext=b"x" * 32)

        def grant(name: str) -> None:
            client.create_grant(KeyId=key["KeyId"], GranteePrincipal=name, Operations=["Encrypt"])

        grant(grantee.arn)
        [alone] = best(encrypt)
        prefix = grantee.caller_arn.rpartition("/")[0]
        for number in range(49_999):
            grant(f"{prefix}/other-{number}")
        [crowded] = best(encrypt)
        rows.append(("Encrypt by grant, among 50,000 / alone", crowded / alone, "≤ 1.3"))
    return [*rows, *grants_of_one()]


def grants_of_one() -> list[tuple[str, float, str]]:
    """Measure an evaluation with many grants of one grantee, and creating a grant with a name."""
    with mock_kms() as kms:
        client = kms.client()
        grantee = kms.account("123456789012").role("Grantee")
        decrypting = grantee.client()
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        context = {"tenant": "0"}
        encrypted = client.encrypt(KeyId=key_id, Plaintext=b"x", EncryptionContext=context)

        def grant(number: int) -> None:
            client.create_grant(
                KeyId=key_id,
                GranteePrincipal=grantee.arn,
                Operations=["Decrypt"],
                Name=f"tenant-{number}",
                Constraints={"EncryptionContextEquals": {"tenant": str(number)}},
            )

        def decrypt() -> None:
            decrypting.decrypt(
                CiphertextBlob=encrypted["CiphertextBlob"], EncryptionContext=context
            )

        grant(0)
        [alone] = best(decrypt)
        # Each call returns the existing grant with this name.
        [naming_alone] = best(lambda: grant(0))
        for number in range(1, 10_000):
            grant(number)
        [naming] = best(lambda: grant(9_999))
        for number in range(10_000, 50_000):
            grant(number)
        [crowded] = best(decrypt)
    return [
        ("Decrypt by one of 50,000 grants of one grantee / alone", crowded / alone, "≤ 1.3"),
        ("CreateGrant with Name among 10,000 / alone", naming / naming_alone, "≤ 1.3"),
    ]


def records() -> list[tuple[str, float, str]]:
    """Measure the records of calls, and the costs of many calls."""
    recording, captured = dispatch.record, []
    with mock_kms(calls_kept=100_000) as kms:
        client = kms.client()
        key_id = client.create_key()["KeyMetadata"]["KeyId"]

        def encrypt(times: int) -> None:
            for _ in range(times):
                client.encrypt(KeyId=key_id, Plaintext=b"x", EncryptionContext={"tenant": "a"})

        dispatch.record = lambda *call: captured.append(call)
        encrypt(1)
        dispatch.record = recording
        [seconds] = best(lambda: recording(*captured[0]), times=5_000)
        kms.calls.clear()
        encrypt(2_000)  # warm up: caches are not the memory of a record
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        encrypt(2_000)
        gc.collect()
        size = (tracemalloc.get_traced_memory()[0] - before) / 2_000
        tracemalloc.stop()
        for _ in range(100_000):
            recording(*captured[0])
        [seconds_full] = best(lambda: recording(*captured[0]), times=5_000)
        [billing] = best(lambda: kms.costs.total, times=1)
    return [
        ("recording a call: µs", seconds * MICROSECONDS, "≤ 3"),
        ("recording a call when the oldest is dropped: µs", seconds_full * MICROSECONDS, "≤ 5"),
        ("memory a record: bytes", size, "≤ 400"),
        ("kms.costs.total over 100,000 calls: ms", billing * MILLISECONDS, "≤ 500"),
    ]


def consistency() -> list[tuple[str, float, str]]:
    """Measure eventual consistency, without changes that nodes have not seen, and with some."""

    def start(new_keys: int = 0, **options: Any) -> Callable[[], Any]:
        kms = stack.enter_context(mock_kms(isolated=True, seed=1, waiting="clock", **options))
        client = kms.client()
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        kms.clock.advance(minutes=5)
        blob = client.encrypt(KeyId=key_id, Plaintext=b"x" * 32)["CiphertextBlob"]
        for _ in range(new_keys):
            client.create_key()
        return lambda: client.decrypt(CiphertextBlob=blob)

    late = partial(start, consistency="eventual")
    with contextlib.ExitStack() as stack:
        strong, eventual, new = best(start(), late(), late(new_keys=20), times=500)
    rows = [("Decrypt, eventual consistency / strong", eventual / strong, "≤ 1.15")]
    return [*rows, ("Decrypt while 20 new keys are not seen / strong", new / strong, "≤ 3")]


def processor() -> str:
    """Return the model of the processor, if the operating system has it."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(": ")[2]
    return platform.processor() or platform.machine()


def request_quotas() -> list[tuple[str, float, str]]:
    """Measure what it costs to count requests; off, it costs a condition in each call."""
    with mock_kms(isolated=True, quotas={"cryptographic-symmetric": 10**9}) as kms:
        client, quotas = kms.client(), kms.backend.quotas
        key_id = client.create_key()["KeyMetadata"]["KeyId"]
        blob = client.encrypt(KeyId=key_id, Plaintext=b"x" * 32)["CiphertextBlob"]

        def decrypt(*, counted: bool) -> None:
            quotas.is_on = counted
            client.decrypt(CiphertextBlob=blob)

        on, off = best(partial(decrypt, counted=True), partial(decrypt, counted=False))
        calls = len(kms.calls)
        [headroom] = best(kms.quotas.headroom, times=1, rounds=3)
    return [
        ("Decrypt, requests counted / request quotas off", on / off, "≤ 1.2"),
        ("kms.quotas.headroom() over 1,000 calls: ms", headroom / calls * 1e6, "≤ 10"),
    ]


def main() -> None:
    """Print the processor, and the table for the README."""
    print(f"{processor()}, Python {platform.python_version()}, botocore {botocore.__version__}\n")
    print("| figure | measured | aim |\n|---|---|---|")
    for measure in (
        *(crypto_calls, authorization, request_quotas, consistency, start_up, imports),
        *(years, records, many_keys),
    ):
        for name, value, aim in measure():
            print(f"| {name} | {value:.2f} | {aim} |", flush=True)


if __name__ == "__main__":
    main()
