"""Calls per second of the workers of pytest-xdist in one world, beside worlds of their own.

``python benchmarks/shared_world.py [--workers N]`` runs the same tests both ways; it needs
pytest-xdist. All processes run at the same time on the same processors. A worker's figure is the
median of its tests.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

SUITE = """
import os, pathlib, time
import pytest

@pytest.mark.parametrize("number", range({tests}))
def test_it(kms, number):
    client = kms.client()
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    blob = client.encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"]
    began = time.perf_counter()
    for _ in range({calls}):
        client.decrypt(CiphertextBlob=blob)
    rate = {calls} / (time.perf_counter() - began)
    worker = os.environ["PYTEST_XDIST_WORKER"]
    pathlib.Path(__file__).with_name(f"{{worker}}-{{number}}.txt").write_text(str(rate))
"""


def measure(workers: int, *arguments: str) -> dict[str, float]:
    """Return worker -> Decrypt calls per second."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pytest.ini").write_text("[pytest]\n")
        (folder / "test_it.py").write_text(SUITE.format(tests=workers * 5, calls=200))
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", workers]
        ran = subprocess.run(
            [*map(str, command), *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode:
            sys.exit(ran.stdout + ran.stderr)
        rates: defaultdict[str, list[float]] = defaultdict(list)
        for path in folder.glob("gw*.txt"):
            rates[path.name.partition("-")[0]].append(float(path.read_text()))
    return {worker: statistics.median(found) for worker, found in sorted(rates.items())}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--workers", type=int, default=2)
    workers = parser.parse_args().workers
    own, shared = measure(workers), measure(workers, "--kms-shared")
    ratio = statistics.median(shared.values()) / statistics.median(own.values())
    print("Decrypt/s of each worker, worlds of their own:", json.dumps(own))
    print("Decrypt/s of each worker, one world:", json.dumps(shared))
    print(f"one world / worlds of their own: {ratio:.2f}")


if __name__ == "__main__":
    main()
