"""Soak ``kmsmock serve``: calls to all services, hostile clients and faults, for ten minutes.

``python benchmarks/hostile_clients.py [--seconds 600] [--require]`` needs the extra ``server``, and
Linux. It prints for each tenth of the time the memory of the server, and how long a well-behaved
client has waited, while

- others open connections and drop them in the middle of a request, send a byte now and then, or
  random bytes,
- a program calls all services, creates and deletes what they have, assumes roles, arms faults,
  moves the clock by days, saves and restores checkpoints, and looks at the report page.

With ``--require``, the exit code is 1 if the server ends, if its memory grows from the third tenth
to the last, or if 1 % of the requests in a tenth wait for too long. Tenths in which other processes
kept the server from its processor do not count for that.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parent))

from server import find_port, is_complete, prepare_decrypt, running

TENTHS = 10
#: The tenth that is compared with the last one, from 0: caches fill up before.
FIRST = 2
MOST_MS, MOST_GROWTH = 50, 16
#: The part of the time for which the server can wait for a processor, if times are to count.
MOST_WAITING = 0.1
#: The records of calls that the server keeps, so that they are complete soon.
CALLS_KEPT = 2_000
#: The seconds between two requests of the good client, and two calls of the program.
_PAUSE, _PAUSE_OF_PROGRAM = 0.005, 0.01
#: How many connections of slow clients there are at a time.
_SLOW = 500
_REQUEST = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n{"


# --- hostile clients ----------------------------------------------------------------------------


class Hostile:
    """Clients that open connections, and do no good with them, until a time."""

    def __init__(self, port: int, until: float) -> None:
        self._port, self._until = port, until
        #: How many connections there were.
        self.opened = 0

    def run(self) -> None:
        """Run all of them."""
        kinds = (self._drop, self._be_slow, self._send_garbage)
        threads = [threading.Thread(target=kind) for kind in kinds]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _connect(self) -> socket.socket:
        self.opened += 1
        return socket.create_connection(("127.0.0.1", self._port), 10)

    def _are_left(self) -> bool:
        return time.time() < self._until

    def _drop(self) -> None:
        """Send a part of a request, and close the connection."""
        number = 0
        while self._are_left():
            number += 1
            with contextlib.suppress(OSError), self._connect() as client:
                client.sendall(_REQUEST[: number % len(_REQUEST)])
            time.sleep(0.002)

    def _be_slow(self) -> None:
        """Send a byte of each of many requests now and then, until the server ends them."""
        while self._are_left():
            with contextlib.ExitStack() as stack:
                clients = []
                for _ in range(_SLOW):
                    with contextlib.suppress(OSError):
                        clients.append(stack.enter_context(self._connect()))
                for byte in _REQUEST:
                    for client in clients:
                        with contextlib.suppress(OSError):
                            client.send(bytes([byte]))
                    time.sleep(0.5)
                    if not self._are_left():
                        break

    def _send_garbage(self) -> None:
        """Send random bytes."""
        while self._are_left():
            with contextlib.suppress(OSError), self._connect() as client:
                client.sendall(random.randbytes(random.randrange(4096)))
            time.sleep(0.01)


# --- a good client ------------------------------------------------------------------------------


def be_good(port: int, until: float) -> Iterator[tuple[float, float]]:
    """Send a request after the other; yield when each was sent, and the seconds that it took."""
    request = prepare_decrypt(port)
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while (now := time.time()) < until:
            yield now, ask(client, request)
            time.sleep(_PAUSE)


def ask(client: socket.socket, request: bytes) -> float:
    """Send a request, and wait for its response; return the seconds."""
    began, received = time.perf_counter(), bytearray()
    client.sendall(request)
    while not is_complete(received):
        data = client.recv(65536)
        assert data, "the server has closed the connection of the good client"
        received += data
    assert received.startswith(b"HTTP/1.1 200"), bytes(received)
    return time.perf_counter() - began


# --- a program that uses all services -----------------------------------------------------------


class Program:
    """Calls of all services and of the control plane; what it creates, it deletes."""

    def __init__(self, port: int) -> None:
        import boto3
        from botocore.config import Config

        self._url = f"http://127.0.0.1:{port}"
        names = ("kms", "sts", "iam", "ec2", "rds", "cloudtrail", "organizations")
        self._clients: dict[str, Any] = {
            name: boto3.client(
                name,
                region_name="us-east-1",
                endpoint_url=self._url,
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(retries={"total_max_attempts": 1}),
            )
            for name in names
        }
        self._number = 0
        trust = {
            "Statement": {
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": ["sts:AssumeRole", "sts:TagSession"],
            }
        }
        role = self._clients["iam"].create_role(
            RoleName="Soak", AssumeRolePolicyDocument=json.dumps(trust)
        )
        self._role_arn = role["Role"]["Arn"]
        self._key_id = self._clients["kms"].create_key()["KeyMetadata"]["KeyId"]

        self._steps: tuple[Callable[[], None], ...] = (
            *(self._keys, self._sessions, self._users, self._volumes, self._databases),
            *(self._trails, self._organization, self._faults, self._control, self._page),
        )

    def warm_up(self) -> None:
        """Make each step once, and leave nothing."""
        for step in self._steps:
            step()
        self._ask("POST", "/_kmsmock/v1/reset", {})

    def run(self, until: float) -> dict[str, int]:
        """Make the steps until a time; return how many were made, and how many failed."""
        from botocore.exceptions import BotoCoreError, ClientError

        made = failed = 0
        while time.time() < until:
            self._number += 1
            made += 1
            try:
                self._steps[self._number % len(self._steps)]()
            except (ClientError, BotoCoreError):  # such as by the faults
                failed += 1
            time.sleep(_PAUSE_OF_PROGRAM)
        return {"steps": made, "failed": failed}

    def _ask(self, method: str, path: str, body: Any = None) -> None:
        headers = {"content-type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, headers, method=method)
        urllib.request.urlopen(request, timeout=30).read()

    def _keys(self) -> None:
        kms, alias = self._clients["kms"], f"alias/soak-{self._number}"
        key_id = kms.create_key(Description=alias)["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=alias, TargetKeyId=key_id)
        blob = kms.encrypt(KeyId=alias, Plaintext=b"a", EncryptionContext={"number": alias})
        with contextlib.suppress(kms.exceptions.ClientError):
            kms.decrypt(CiphertextBlob=blob["CiphertextBlob"])
        kms.delete_alias(AliasName=alias)
        kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)

    def _sessions(self) -> None:
        for number in range(5):
            self._clients["sts"].assume_role(
                RoleArn=self._role_arn,
                RoleSessionName=f"session-{self._number}-{number}",
                Tags=[{"Key": "number", "Value": str(self._number)}],
            )

    def _users(self) -> None:
        iam, name = self._clients["iam"], f"user-{self._number}"
        iam.create_user(UserName=name)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        policy = {"Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}}
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
        iam.delete_user_policy(UserName=name, PolicyName="p")
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        iam.delete_user(UserName=name)

    def _volumes(self) -> None:
        ec2 = self._clients["ec2"]
        volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True)
        snapshot = ec2.create_snapshot(VolumeId=volume["VolumeId"])
        ec2.describe_snapshots(SnapshotIds=[snapshot["SnapshotId"]])
        ec2.delete_snapshot(SnapshotId=snapshot["SnapshotId"])
        ec2.delete_volume(VolumeId=volume["VolumeId"])

    def _databases(self) -> None:
        rds, name = self._clients["rds"], f"database-{self._number}"
        rds.create_db_instance(
            DBInstanceIdentifier=name,
            DBInstanceClass="db.t3.micro",
            Engine="postgres",
            AllocatedStorage=20,
            MasterUsername="admin1",
            MasterUserPassword="password",
            StorageEncrypted=True,
        )
        rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)

    def _trails(self) -> None:
        trail, name = self._clients["cloudtrail"], f"trail-{self._number}"
        trail.create_trail(Name=name, S3BucketName="bucket")
        trail.lookup_events(MaxResults=5)
        trail.delete_trail(Name=name)

    def _organization(self) -> None:
        organizations = self._clients["organizations"]
        with contextlib.suppress(organizations.exceptions.AWSOrganizationsNotInUseException):
            organizations.describe_organization()

    def _faults(self) -> None:
        path, fault = "/_kmsmock/v1/faults", {"operation": "Encrypt", "times": 1}
        self._ask("POST", path, {"fault": "throttle", **fault})
        self._ask("POST", path, {"fault": "drop_connection", **fault})
        kms = self._clients["kms"]
        for _ in range(3):
            with contextlib.suppress(Exception):
                kms.encrypt(KeyId=self._key_id, Plaintext=b"a")
        self._ask("DELETE", path)

    def _control(self) -> None:
        self._ask("POST", "/_kmsmock/v1/checkpoint", {"name": "soak"})
        self._clients["kms"].create_key()
        self._ask("POST", "/_kmsmock/v1/restore", {"name": "soak"})
        self._ask("POST", "/_kmsmock/v1/clock", {"advance_seconds": 86400})
        for path in ("calls?limit=10", "trail?limit=10", "costs", "world"):
            self._ask("GET", f"/_kmsmock/v1/{path}")

    def _page(self) -> None:
        headers = {"accept": "text/html"}
        urllib.request.urlopen(urllib.request.Request(self._url, headers=headers)).read()


# --- figures ------------------------------------------------------------------------------------


def read_memory(pid: int) -> float:
    """Return the resident memory of a process in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def read_processor_times(pid: int) -> tuple[float, float]:
    """Return the seconds in which a process had a processor, and waited for one."""
    running_ns, waiting_ns, _ = Path(f"/proc/{pid}/schedstat").read_text().split()
    return int(running_ns) / 1e9, int(waiting_ns) / 1e9


def find_p99(seconds: list[float]) -> float:
    """Return the 99th percentile in ms."""
    return sorted(seconds)[int(len(seconds) * 0.99)] * 1000 if seconds else 0.0


class Figures(NamedTuple):
    """What was measured in a tenth of the time."""

    #: Resident memory of the server at its end, in MiB.
    mebibytes: float
    #: The parts of the time in which the server had a processor, and waited for one.
    running: float
    waiting: float
    #: The seconds of each request of the good client.
    seconds: list[float]

    @property
    def is_quiet(self) -> bool:
        """Whether other processes have left the server its processor."""
        return self.waiting <= MOST_WAITING


def soak(seconds: float) -> tuple[list[Figures], bool]:
    """Return the figures of each tenth, and whether server and clients were there until the end."""
    port = find_port()
    command = [sys.executable, "-m", "kmsmock", "serve", "--port", str(port)]
    with running([*command, "--calls-kept", str(CALLS_KEPT)], port) as process:
        subprocess.check_call([sys.executable, __file__, "--role", "warm-up", str(port), "0"])
        began = time.time()
        until = began + seconds
        others = {
            role: subprocess.Popen(
                [sys.executable, __file__, "--role", role, str(port), str(until)],
                stdout=subprocess.PIPE,
                text=True,
            )
            for role in ("good", "hostile", "program")
        }
        figures, before = [], read_processor_times(process.pid)
        for tenth in range(1, TENTHS + 1):
            time.sleep(max(0.0, began + tenth * seconds / TENTHS - time.time()))
            if process.poll() is not None:
                break
            now = read_processor_times(process.pid)
            parts = (
                (late - early) * TENTHS / seconds for late, early in zip(now, before, strict=True)
            )
            figures.append(Figures(read_memory(process.pid), *parts, []))
            before = now
        written = {role: other.communicate()[0] for role, other in others.items()}
        is_up = process.poll() is None and not any(other.returncode for other in others.values())
    for at, took in json.loads(written["good"] or "[]"):
        tenth = min(len(figures) - 1, int((at - began) * TENTHS / seconds))
        figures[tenth].seconds.append(took)
    print(f"  hostile: {written['hostile'].strip()}; program: {written['program'].strip()}")
    return figures, is_up


def show(figures: list[Figures], seconds: float) -> None:
    """Print the figures."""
    print(
        f"  tenth  memory: MiB  processor  waits for it  requests  p99: ms  ({seconds:.1f} s each)"
    )
    for number, each in enumerate(figures, 1):
        print(
            f"  {number:5}  {each.mebibytes:11.1f}  {each.running:9.0%}  {each.waiting:12.0%}"
            f"  {len(each.seconds):8}  {find_p99(each.seconds):7.2f}"
        )


def play(role: str, port: int, until: float) -> None:
    """Be one of the clients, and print what it has done as JSON."""
    if role == "good":
        print(json.dumps(list(be_good(port, until))))
    elif role == "warm-up":
        Program(port).warm_up()
    elif role == "hostile":
        hostile = Hostile(port, until)
        hostile.run()
        print(json.dumps({"connections": hostile.opened}))
    else:
        print(json.dumps(Program(port).run(until)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--require", action="store_true", help="exit code 1 if a bound is missed")
    parser.add_argument("--role", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.role:
        role, port, until = arguments.role
        play(role, int(port), float(until))
        return 0
    figures, is_up = soak(arguments.seconds)
    show(figures, arguments.seconds / TENTHS)
    if not is_up or len(figures) < TENTHS:
        print("the server or a client has ended early")
        return 1
    growth = figures[-1].mebibytes - figures[FIRST].mebibytes
    quiet = [find_p99(each.seconds) for each in figures[FIRST:] if each.is_quiet]
    slowest = f"{max(quiet):.2f}" if quiet else "unknown: the machine is too busy"
    print(f"| p99 of a client among hostile ones: ms | {slowest} | ≤ {MOST_MS} |")
    print(f"| growth of memory meanwhile: MiB | {growth:.2f} | ≤ {MOST_GROWTH} |")
    good_enough = max(quiet, default=0.0) <= MOST_MS and growth <= MOST_GROWTH
    return 0 if good_enough or not arguments.require else 1


if __name__ == "__main__":
    sys.exit(main())
