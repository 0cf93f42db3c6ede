"""Show that memory and time stay flat: over a million calls, 2,000 mocks and 10,000 tests.

``python benchmarks/soak.py [calls] [mocks] [mocks-with-moto] [tests] [--scale 0.1]`` prints what
each tenth of a run takes, and exits with status 1 if something grows. Without names, all run;
``--scale`` runs a part of the numbers.

What is compared are the third and the last tenth: caches fill up before, such as those of regular
expressions, policies and RSA keys, and the log of calls has as many as it keeps.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import kmsmock  # noqa: F401 - before botocore, as the plugin is

import boto3  # isort: skip

from kmsmock import mock_kms  # isort: skip

CALLS, MOCKS, TESTS = 1_000_000, 2_000, 10_000
TENTHS = 10
#: Which tenth is compared with the last, from 0.
FIRST = 2
#: The memory by which the last tenth may exceed the first that counts, in MiB. Python returns
#: memory to the operating system in arenas of up to 1 MiB, so figures differ by some of these.
GROWTH_MIB = 8.0
#: By how many objects; those that something keeps for each call, mock or test are thousands.
GROWTH_OBJECTS = 500
#: How much longer the last tenth may take, as a factor and in seconds; machines differ from
#: themselves by less.
SLOWDOWN, SECONDS = 1.5, 0.5


class Figures(NamedTuple):
    """What one tenth took."""

    #: Seconds of the processor.
    seconds: float
    #: Resident memory at its end, in MiB.
    mebibytes: float
    #: Objects that the garbage collector knows at its end.
    objects: int


def resident_mebibytes() -> float:
    """Return the resident memory of this process; the greatest so far where only that is known."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    import resource

    return pages * resource.getpagesize() / (1 << 20)


def measure(step: Callable[[int], None], numbers: range) -> Figures:
    """Return what a part of the steps takes."""
    started = time.process_time()
    for number in numbers:
        step(number)
    seconds = time.process_time() - started
    gc.collect()
    return Figures(seconds, resident_mebibytes(), len(gc.get_objects()))


def run(name: str, steps: Iterator[Figures]) -> list[str]:
    """Print the figures of the tenths; return what has grown."""
    print(f"{name}\n  tenth  seconds  memory: MiB  objects")
    figures = []
    for number, figure in enumerate(steps, 1):
        figures.append(figure)
        print(
            f"  {number:5}  {figure.seconds:7.2f}  {figure.mebibytes:11.1f}  {figure.objects:,}",
            flush=True,
        )
    return [f"{name}: {what}" for what in find_growth(figures[FIRST], figures[-1])]


def find_growth(first: Figures, last: Figures) -> Iterator[str]:
    """Yield what has grown between two tenths."""
    if last.mebibytes > first.mebibytes + GROWTH_MIB:
        yield f"memory has grown from {first.mebibytes:.1f} to {last.mebibytes:.1f} MiB"
    if last.objects > first.objects + GROWTH_OBJECTS:
        yield f"objects have grown from {first.objects:,} to {last.objects:,}"
    if last.seconds > first.seconds * SLOWDOWN + SECONDS:
        yield f"a tenth has slowed down from {first.seconds:.2f} to {last.seconds:.2f} s"


def tenths(step: Callable[[int], None], count: int) -> Iterator[Figures]:
    """Run steps, and yield the figures of each tenth."""
    each = max(1, count // TENTHS)
    for tenth in range(TENTHS):
        yield measure(step, range(tenth * each, (tenth + 1) * each))


# --- calls in one mock -------------------------------------------------------------------------


class Calls:
    """Calls of many kinds in one mock, which has as many keys at the end as at the beginning."""

    def __init__(self, kms: Any) -> None:
        self.kms = kms
        self.client = kms.client()
        role = kms.account("123456789012").role("Soak")
        self.role_arn, self.denied = role.arn, role.client()
        self.key_id = self.client.create_key()["KeyMetadata"]["KeyId"]
        signing = self.client.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
        self.signing_id = signing["KeyMetadata"]["KeyId"]
        self.kinds = (
            *(self.encrypt, self.encrypt, self.sign, self.data_key, self.describe, self.lists),
            *(self.alias, self.grant, self.tags, self.policy, self.denial, self.states),
        )

    def count_a_step(self) -> float:
        """Return how many calls a step makes on average."""
        before = len(self.kms.calls)
        for number in range(len(self.kinds)):
            self.step(-number)
        return (len(self.kms.calls) - before) / len(self.kinds)

    def step(self, number: int) -> None:
        """Make one to three calls of the next kind."""
        self.kinds[number % len(self.kinds)](number)

    def encrypt(self, number: int) -> None:
        """Encrypt and decrypt."""
        context = {"tenant": str(number)}
        text = str(number).encode()
        blob = self.client.encrypt(KeyId=self.key_id, Plaintext=text, EncryptionContext=context)
        self.client.decrypt(CiphertextBlob=blob["CiphertextBlob"], EncryptionContext=context)

    def sign(self, number: int) -> None:
        """Sign."""
        self.client.sign(
            KeyId=self.signing_id, Message=b"%d" % number, SigningAlgorithm="ECDSA_SHA_256"
        )

    def data_key(self, number: int) -> None:
        """Generate a data key."""
        self.client.generate_data_key(
            KeyId=self.key_id, KeySpec="AES_256", EncryptionContext={f"name-{number}": "x"}
        )

    def describe(self, _: int) -> None:
        """Describe a key."""
        self.client.describe_key(KeyId=self.key_id)

    def lists(self, _: int) -> None:
        """List keys and aliases."""
        self.client.list_keys(Limit=1)
        self.client.list_aliases(Limit=1)

    def alias(self, number: int) -> None:
        """Create, use and delete an alias."""
        name = f"alias/soak-{number}"
        self.client.create_alias(AliasName=name, TargetKeyId=self.key_id)
        self.client.describe_key(KeyId=name)
        self.client.delete_alias(AliasName=name)

    def grant(self, number: int) -> None:
        """Create and revoke a grant."""
        grant = self.client.create_grant(
            KeyId=self.key_id,
            GranteePrincipal=self.role_arn,
            Operations=["Decrypt"],
            Name=f"grant-{number}",
        )
        self.client.revoke_grant(KeyId=self.key_id, GrantId=grant["GrantId"])

    def tags(self, number: int) -> None:
        """Add and remove a tag."""
        tag = {"TagKey": f"tag-{number}", "TagValue": str(number)}
        self.client.tag_resource(KeyId=self.key_id, Tags=[tag])
        self.client.untag_resource(KeyId=self.key_id, TagKeys=[tag["TagKey"]])

    def policy(self, _: int) -> None:
        """Read and write the key policy."""
        policy = self.client.get_key_policy(KeyId=self.key_id)["Policy"]
        self.client.put_key_policy(KeyId=self.key_id, Policy=policy)

    def denial(self, number: int) -> None:
        """Be denied."""
        try:
            self.denied.encrypt(
                KeyId=self.key_id, Plaintext=b"x", EncryptionContext={"tenant": str(number)}
            )
        except self.denied.exceptions.ClientError:
            return
        raise AssertionError("the call must be denied")

    def states(self, _: int) -> None:
        """Disable and enable a key."""
        self.client.disable_key(KeyId=self.key_id)
        self.client.enable_key(KeyId=self.key_id)


def run_calls(count: int) -> Iterator[Figures]:
    """Make calls in one mock, which keeps a tenth of the records."""
    with mock_kms(calls_kept=max(1, count // TENTHS)) as kms:
        calls = Calls(kms)
        steps = round(count / calls.count_a_step())
        yield from tenths(calls.step, steps)
        made = len(kms.calls) + kms.calls.dropped
        print(f"  {made:,} calls, of which {len(kms.calls):,} are kept")


# --- mocks -------------------------------------------------------------------------------------


def run_mocks(count: int) -> Iterator[Figures]:
    """Start and stop mocks, each with clients, a checkpoint and a few calls."""
    yield from tenths(_use_a_mock, count)


def run_mocks_with_moto(count: int) -> Iterator[Figures]:
    """Do so inside of moto's mock."""
    from moto import mock_aws

    def step(number: int) -> None:
        with mock_aws():
            _use_a_mock(number)
            boto3.client("sqs", "us-east-1").list_queues()

    yield from tenths(step, count)


def _use_a_mock(number: int) -> None:
    with mock_kms(isolated=True) as kms:
        client = boto3.client("kms", "us-east-1")
        key_id = client.create_key(Description=f"key {number}")["KeyMetadata"]["KeyId"]
        checkpoint = kms.checkpoint()
        role = kms.account("123456789012").role(f"Role{number}", policies=[_policy(number % 10)])
        blob = role.client().encrypt(KeyId=key_id, Plaintext=b"%d" % number)["CiphertextBlob"]
        client.decrypt(CiphertextBlob=blob)
        kms.restore(checkpoint)


def _policy(number: int) -> dict[str, Any]:
    allow = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
    return {"Statement": {**allow, "Sid": f"n{number}"}}


# --- tests -------------------------------------------------------------------------------------

_CONFTEST = """
import sys
sys.path.insert(0, {path!r})
import soak
from kmsmock.entry import *  # noqa: F403 - if it is not installed
_figures = soak.TestFigures({count}, {output!r})

def pytest_configure(config):
    config.pluginmanager.register(_figures)
"""
_TESTS = """
import boto3, pytest

@pytest.fixture(scope="session")
def world(session_kms):
    client = session_kms.client()
    return [client.create_key()["KeyMetadata"]["KeyId"] for _ in range(20)]

@pytest.mark.parametrize("number", range({count}))
def test_rollback(world, kms, number):
    client = kms.client()
    assert len(kms.keys) == 20
    made = client.create_key(Description=str(number))["KeyMetadata"]["KeyId"]
    client.create_alias(AliasName=f"alias/test-{{number}}", TargetKeyId=made)
    blob = client.encrypt(KeyId=world[number % 20], Plaintext=str(number))["CiphertextBlob"]
    assert client.decrypt(CiphertextBlob=blob)["Plaintext"] == str(number).encode()
    kms.account("123456789012").role(f"Role{{number}}")
"""


_EMPTY_TESTS = """
import boto3, pytest

@pytest.mark.parametrize("number", range({count}))
def test_nothing(number):
    pass
"""


class TestFigures:
    """A plugin that measures the tests of a run, and writes the figures to a file."""

    __test__ = False

    def __init__(self, count: int, output: str) -> None:
        self._each, self._output = max(1, count // TENTHS), Path(output)
        self._done, self._started = 0, 0.0
        self._config: Any = None

    def pytest_collection_finish(self, session: Any) -> None:
        """Start the measurement."""
        self._config, self._started = session.config, time.process_time()

    def pytest_runtest_logfinish(self) -> None:
        """Measure, after each tenth of the tests."""
        self._done += 1
        if self._done % self._each:
            return
        # pytest itself keeps a report of each test.
        self._config.pluginmanager.get_plugin("terminalreporter").stats.clear()
        figures = measure(lambda _: None, range(0))
        seconds = time.process_time() - self._started
        with self._output.open("a") as file:
            print(*figures._replace(seconds=seconds), file=file)
        self._started = time.process_time()


def run_tests(count: int) -> Iterator[Figures]:
    """Run tests in a process of their own: each changes the world of the session for itself.

    pytest itself remembers something of each test. What a run of as many empty tests grows by is
    not counted.
    """
    empty = _run_pytest(_EMPTY_TESTS, count)
    for figures, of_pytest in zip(_run_pytest(_TESTS, count), empty, strict=True):
        yield Figures(
            figures.seconds,
            figures.mebibytes - of_pytest.mebibytes + empty[0].mebibytes,
            figures.objects - of_pytest.objects + empty[0].objects,
        )


def _run_pytest(tests: str, count: int) -> list[Figures]:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        output = root / "figures"
        here = str(Path(__file__).parent)
        conftest = _CONFTEST.format(path=here, count=count, output=str(output))
        (root / "conftest.py").write_text(conftest)
        (root / "test_soak.py").write_text(tests.format(count=count))
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(root)]
        # Other plugins keep something of each test, too.
        alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=root, env=alone
        )
        if done.returncode or not output.exists():
            raise SystemExit(done.stdout[-3000:] + done.stderr[-3000:])
        lines = [line.split() for line in output.read_text().splitlines()[:TENTHS]]
        return [Figures(float(s), float(mib), int(objects)) for s, mib, objects in lines]


def main() -> int:
    """Run what the command line names; return the exit status."""
    parts: dict[str, tuple[int, Callable[[int], Iterator[Figures]]]] = {
        "calls": (CALLS, run_calls),
        "mocks": (MOCKS, run_mocks),
        "mocks-with-moto": (MOCKS // 10, run_mocks_with_moto),
        "tests": (TESTS, run_tests),
    }
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", choices=[[], *parts], metavar="|".join(parts))
    parser.add_argument("--scale", type=float, default=1.0, help="the part of the numbers to run")
    options = parser.parse_args()
    grown: list[str] = []
    for name in options.parts or parts:
        count, part = parts[name]
        count = max(TENTHS, round(count * options.scale))
        grown += run(f"{count:,} {name}", part(count))
    print("\n".join(grown) or "all flat")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
