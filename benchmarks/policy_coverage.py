"""Measure policy coverage: ``python benchmarks/policy_coverage.py``.

Prints what it costs while it is measured, how long the search for weaknesses in 100,000 decisions
takes, and how far what it finds agrees with running three small suites under weakened policies.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import kmsmock  # noqa: F401 - before botocore, as the plugin is

from benchmarks.run import best  # isort: skip
from kmsmock import mock_kms  # isort: skip
from kmsmock.coverage.recorder import Recorder  # isort: skip
from kmsmock.coverage.weakness import find_weaknesses  # isort: skip
from kmsmock.process.watchers import watching  # isort: skip
from tests.coverage.random_decisions import RandomCases  # isort: skip
from tests.coverage.suites import SUITES, try_suite  # isort: skip

_DECISIONS, _SETS_OF_POLICIES = 100_000, 5


def cost() -> Iterator[tuple[str, float, str]]:
    """Measure a call while decisions are recorded."""
    with mock_kms() as kms:
        client = kms.client()
        key = client.create_key()["KeyMetadata"]["KeyId"]
        blob = client.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]

        def decrypt() -> None:
            client.decrypt(CiphertextBlob=blob)

        def record() -> None:
            with watching(recorder):
                for _ in range(100):
                    decrypt()

        def omit() -> None:
            for _ in range(100):
                decrypt()

        recorder = Recorder()
        recorder.began(kms)
        recorded, omitted = best(record, omit, times=10)
    yield "Decrypt, policy coverage measured / not", recorded / omitted, "≤ 2"


def weaknesses() -> Iterator[tuple[str, float, str]]:
    """Measure the search for weaknesses, of decisions of which most are distinct."""
    recorder = Recorder()
    for seed in range(_SETS_OF_POLICIES):
        cases = RandomCases(seed)
        for _ in range(_DECISIONS // _SETS_OF_POLICIES):
            case = cases.make()
            recorder.decided(case.request, case.policies, case.decide(), case.retired)
    distinct = len(recorder.records.decisions)
    start = time.process_time()
    found = find_weaknesses(recorder.records)
    seconds = time.process_time() - start
    yield f"{len(found):,} weakenings of {distinct:,} distinct decisions: s", seconds, "≤ 10"


def agreement() -> Iterator[tuple[str, float, str]]:
    """Compare weaknesses with runs of suites."""
    for name, suite in SUITES.items():
        with tempfile.TemporaryDirectory() as folder:
            trials = list(try_suite(Path(folder), suite))
        agreeing = sum(one.predicted is one.failed for one in trials)
        yield (
            f"{name}: agreement in {len(trials)} weakenings: %",
            100 * agreeing / len(trials),
            "100",
        )
        for one in trials:
            if one.predicted is not one.failed:
                print(f"{name}: {one}")


def main() -> None:
    """Print the table."""
    print("| figure | measured | aim |\n|---|---|---|")
    for measure in (cost, weaknesses, agreement):
        for name, value, aim in measure():
            print(f"| {name} | {value:.2f} | {aim} |", flush=True)


if __name__ == "__main__":
    main()
