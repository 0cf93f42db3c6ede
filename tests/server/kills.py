"""Kill a server under load, again and again, and check that all it had acknowledged is there.

``python -m tests.server.kills --kills 100`` does it so often, with servers that are forked from
this process, since these start in a moment. Workers change and use keys, each its own ones.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from tests.models import has_operation
from tests.server.processes import serving

WORKERS = 4
#: How many requests a server has answered when it is killed, and how long it is waited for.
LEAST_ANSWERS, MOST_ANSWERS, PATIENCE = 10, 100, 60
#: How many facts of each worker are looked at again after each kill; at the end, all are.
OLD_FACTS = 10
POLICY = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "kms:*",
        "Resource": "*",
    },
}
#: A port and a function that kills the server.
Started = tuple[int, Callable[[], None]]
Start = Callable[[Path], AbstractContextManager[Started]]


class LostError(Exception):
    """The server has gone before it has answered."""


class Connection:
    """A connection to a server, which counts the answers of KMS."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.answered = 0

    def kms(self, operation: str, **parameters: Any) -> Any:
        answer = json.loads(
            self._ask(
                "kms",
                json.dumps(parameters),
                {
                    "X-Amz-Target": f"TrentService.{operation}",
                    "Content-Type": "application/x-amz-json-1.1",
                },
            )
            or b"{}"
        )
        self.answered += 1
        return answer

    def iam(self, action: str, **parameters: str) -> str:
        form = urlencode({"Action": action, "Version": "2010-05-08", **parameters})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("iam", form, headers).decode()

    def count_requests(self) -> int:
        self._connection.request("GET", "/_kmsmock/v1/costs")
        requests: int = json.loads(self._connection.getresponse().read())["requests"]
        return requests

    def _ask(self, service: str, body: str, headers: dict[str, str]) -> bytes:
        scope = f"testing/20260101/us-east-1/{service}/aws4_request"
        signed = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
        try:
            self._connection.request("POST", "/", body, {**headers, "Authorization": signed})
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as reason:
            raise LostError from reason
        assert response.status < 500, content
        return content

    def close(self) -> None:
        self._connection.close()


# --- what is known ------------------------------------------------------------------------------


class Fact(NamedTuple):
    """What an operation reads: the kind, and of which resource."""

    kind: str
    name: str
    detail: str = ""


READERS: dict[str, Callable[[Connection, Fact], Any]] = {
    "state": lambda c, f: c.kms("DescribeKey", KeyId=f.name)["KeyMetadata"]["KeyState"],
    "description": lambda c, f: c.kms("DescribeKey", KeyId=f.name)["KeyMetadata"]["Description"],
    "tags": lambda c, f: c.kms("ListResourceTags", KeyId=f.name)["Tags"],
    "policy": lambda c, f: json.loads(
        c.kms("GetKeyPolicy", KeyId=f.name, PolicyName="default")["Policy"]
    ).get("Id"),
    "rotation": lambda c, f: c.kms("GetKeyRotationStatus", KeyId=f.name).get(
        "RotationPeriodInDays"
    ),
    "alias": lambda c, f: c.kms("DescribeKey", KeyId=f.name).get("KeyMetadata", {}).get("KeyId"),
    "grant": lambda c, f: bool(
        c.kms("ListGrants", KeyId=f.name, GrantId=f.detail).get("Grants", [])
    ),
    "plaintext": lambda c, f: c.kms("Decrypt", CiphertextBlob=f.detail, KeyId=f.name).get(
        "Plaintext"
    ),
    "user": lambda c, f: f"<UserName>{f.name}<" in c.iam("GetUser", UserName=f.name),
}


class Worker(threading.Thread):
    """Changes and uses keys until the server has gone, and notes what that has acknowledged."""

    def __init__(self, number: int, seed: int) -> None:
        super().__init__()
        self.random = random.Random(f"{seed} {number}")
        self.number = number
        self.made = 0
        self.keys: list[str] = []
        self.facts: dict[Fact, Any] = {}
        #: Facts that have changed since they were last read.
        self.changed: set[Fact] = set()
        #: What an operation that is not acknowledged would change.
        self.open: dict[Fact, Any] = {}
        self.connection: Connection | None = None
        self.failure: BaseException | None = None

    def begin(self, port: int) -> Worker:
        """Return the worker as a thread of its own, which goes on with what is known."""
        again = Worker(self.number, 0)
        vars(again).update(
            {
                name: vars(self)[name]
                for name in ("random", "made", "keys", "facts", "changed", "open")
            }
        )
        again.connection = Connection(port)
        again.start()
        return again

    def count_answers(self) -> int:
        """Return how many requests were answered since it has begun; wait no longer if it fails."""
        if self.failure is not None:
            return MOST_ANSWERS
        return 0 if self.connection is None else self.connection.answered

    def run(self) -> None:
        try:
            while True:
                self._step()
        except LostError:
            pass
        except BaseException as failure:  # noqa: BLE001 - raised in the thread of the run
            self.failure = failure

    def _step(self) -> None:
        connection, kms = self.connection, self.random
        assert connection is not None
        if len(self.keys) < 2 or kms.random() < 0.05:
            made = connection.kms("CreateKey", Description="new")["KeyMetadata"]["KeyId"]
            self.keys.append(made)
            self._know(Fact("state", made), "Enabled")
            self._know(Fact("description", made), "new")
            return
        self.made += 1
        kms.choice(CHANGES)(self, connection, kms.choice(self.keys), f"{self.number}-{self.made}")

    def _know(self, fact: Fact, value: Any) -> None:
        self.facts[fact] = value
        self.changed.add(fact)

    def change(self, fact: Fact, value: Any, call: Callable[[], Any]) -> Any:
        """Make a call that gives a fact another value."""
        self.open = {fact: value}
        answer = call()
        assert "__type" not in (answer or ()), answer
        self.open = {}
        self._know(fact, value)
        return answer


def _switch(worker: Worker, connection: Connection, key: str, _: str) -> None:
    fact = Fact("state", key)
    before = worker.facts[fact]
    operation, after = {
        "Enabled": worker.random.choice(
            [("DisableKey", "Disabled"), ("ScheduleKeyDeletion", "PendingDeletion")]
        ),
        "Disabled": ("EnableKey", "Enabled"),
        "PendingDeletion": ("CancelKeyDeletion", "Disabled"),
    }[before]
    worker.change(fact, after, lambda: connection.kms(operation, KeyId=key))


def _describe(worker: Worker, connection: Connection, key: str, name: str) -> None:
    if worker.facts[Fact("state", key)] != "PendingDeletion":
        call = lambda: connection.kms("UpdateKeyDescription", KeyId=key, Description=name)  # noqa: E731
        worker.change(Fact("description", key), name, call)


def _tag(worker: Worker, connection: Connection, key: str, name: str) -> None:
    if worker.facts[Fact("state", key)] != "PendingDeletion":
        tags = [{"TagKey": "name", "TagValue": name}]
        worker.change(
            Fact("tags", key), tags, lambda: connection.kms("TagResource", KeyId=key, Tags=tags)
        )


def _put_policy(worker: Worker, connection: Connection, key: str, name: str) -> None:
    policy = json.dumps({**POLICY, "Id": name})
    call = lambda: connection.kms("PutKeyPolicy", KeyId=key, PolicyName="default", Policy=policy)  # noqa: E731
    if worker.facts[Fact("state", key)] != "PendingDeletion":
        worker.change(Fact("policy", key), name, call)


def _rotate(worker: Worker, connection: Connection, key: str, name: str) -> None:
    days = 90 + len(name) + worker.random.randrange(100)
    if worker.facts[Fact("state", key)] == "Enabled":
        call = lambda: connection.kms(  # noqa: E731
            "EnableKeyRotation", KeyId=key, RotationPeriodInDays=days
        )
        worker.change(Fact("rotation", key), days, call)


def _name(worker: Worker, connection: Connection, key: str, name: str) -> None:
    if worker.facts[Fact("state", key)] != "PendingDeletion":
        alias = f"alias/{name}"
        call = lambda: connection.kms("CreateAlias", AliasName=alias, TargetKeyId=key)  # noqa: E731
        worker.change(Fact("alias", alias), key, call)
        if worker.random.random() < 0.3:
            worker.change(
                Fact("alias", alias), None, lambda: connection.kms("DeleteAlias", AliasName=alias)
            )


def _grant(worker: Worker, connection: Connection, key: str, name: str) -> None:
    if worker.facts[Fact("state", key)] != "Enabled":
        return
    made = connection.kms(
        "CreateGrant",
        KeyId=key,
        GranteePrincipal="arn:aws:iam::123456789012:root",
        Operations=["Decrypt"],
        Name=name,
    )
    fact = Fact("grant", key, made["GrantId"])
    worker._know(fact, value=True)
    if worker.random.random() < 0.3:
        worker.change(
            fact, False, lambda: connection.kms("RevokeGrant", KeyId=key, GrantId=fact.detail)
        )


def _encrypt(worker: Worker, connection: Connection, key: str, name: str) -> None:
    if worker.facts[Fact("state", key)] != "Enabled":
        return
    text = b64encode(name.encode()).decode()
    blob = connection.kms("Encrypt", KeyId=key, Plaintext=text)["CiphertextBlob"]
    worker._know(Fact("plaintext", key, blob), text)


def _decrypt(worker: Worker, connection: Connection, key: str, _: str) -> None:
    if worker.facts[Fact("state", key)] == "Enabled":
        connection.kms("GenerateDataKey", KeyId=key, KeySpec="AES_256")


def _make_user(worker: Worker, connection: Connection, _: str, name: str) -> None:
    def call() -> None:
        connection.iam("CreateUser", UserName=f"user-{name}")

    worker.change(Fact("user", f"user-{name}"), True, call)


CHANGES = (
    *(_switch, _describe, _tag, _put_policy, _rotate, _name, _grant, _encrypt, _encrypt),
    *(_decrypt, _decrypt, _make_user),
)
if not has_operation("kms", "ListKeyRotations"):  # nor a period, in an older botocore
    CHANGES = tuple(change for change in CHANGES if change is not _rotate)


# --- kills --------------------------------------------------------------------------------------


class Run:
    """Kills of servers with one file. Raises AssertionError for what is lost."""

    def __init__(self, start: Start, path: Path, seed: int) -> None:
        self._start = start
        self._path = path
        self._random = random.Random(seed)
        self.workers = [Worker(number, seed) for number in range(WORKERS)]
        #: How many requests to KMS were answered, and how many may have been, without an answer.
        self.answered = self.unanswered = 0
        self.checked = 0

    def kill(self) -> None:
        """Let a server work for a moment, and kill it."""
        with self._start(self._path) as (port, kill):
            self._check(port, everything=False)
            self.workers = [worker.begin(port) for worker in self.workers]
            self._wait()
            kill()
            for worker in self.workers:
                worker.join(60)
                assert not worker.is_alive()
                if worker.failure is not None:
                    raise worker.failure
                assert worker.connection is not None
                self.answered += worker.connection.answered
                worker.connection.close()
            self.unanswered += WORKERS

    def _wait(self) -> None:
        """Wait until the server has answered some requests, and then for some microseconds."""
        wanted = self._random.randrange(LEAST_ANSWERS, MOST_ANSWERS)
        end = time.monotonic() + PATIENCE
        while sum(worker.count_answers() for worker in self.workers) < wanted:
            assert time.monotonic() < end, "the server answers too slowly"
            time.sleep(0.001)
        time.sleep(self._random.random() / 1000)

    def check(self) -> None:
        """Check all that was ever acknowledged."""
        with self._start(self._path) as (port, kill):
            self._check(port, everything=True)
            kill()

    def _check(self, port: int, *, everything: bool) -> None:
        connection = Connection(port)
        requests = connection.count_requests()
        assert self.answered <= requests <= self.answered + self.unanswered
        self.answered, self.unanswered = requests, 0
        for worker in self.workers:
            self._check_facts(worker, connection, everything=everything)
        self.answered += connection.answered
        connection.close()

    def _check_facts(self, worker: Worker, connection: Connection, *, everything: bool) -> None:
        for fact, value in worker.open.items():
            found = READERS[fact.kind](connection, fact)
            assert found in (value, worker.facts.get(fact), _ABSENT.get(fact.kind)), fact
            worker.facts[fact] = found
        worker.open = {}
        facts = set(worker.facts) if everything else set(worker.changed)
        if not everything:
            facts |= set(self._random.sample(list(worker.facts), min(OLD_FACTS, len(worker.facts))))
        for fact in facts:
            needs_enabled = fact.kind in ("plaintext", "rotation")
            if not needs_enabled or worker.facts[Fact("state", fact.name)] == "Enabled":
                assert READERS[fact.kind](connection, fact) == worker.facts[fact], fact
                self.checked += 1
        worker.changed.clear()


#: What a resource shows to which nothing was done.
_ABSENT: dict[str, Any] = {"tags": [], "user": False, "policy": "key-default-1"}


def run(start: Start, path: Path, *, kills: int, seed: int) -> Run:
    done = Run(start, path, seed)
    for _ in range(kills):
        done.kill()
    done.check()
    return done


@contextmanager
def start_process(path: Path) -> Iterator[Started]:
    """Start a server by its command."""
    with serving("--state", str(path)) as served:
        yield served.port, served.process.kill


def import_all() -> None:
    """Import what a server needs, so that its forks need not."""
    from tests.server.state_servers import StateServer

    with tempfile.TemporaryDirectory() as folder:
        server = StateServer(Path(folder) / "state.db")
        server.call(
            "Encrypt", KeyId=server.call("CreateKey")["KeyMetadata"]["KeyId"], Plaintext=b"a"
        )
        server.call("ListUsers", "iam")
        server.control("GET", "costs")
        server.stop()


@contextmanager
def start_fork(path: Path) -> Iterator[Started]:
    """Start a server in a fork of this process, which has imported all that it needs."""
    from kmsmock import cli

    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(writing, 1)
        sys.stdout = os.fdopen(1, "w")
        code = cli.main(["serve", "--port", "0", "--state", str(path)])
        os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as output:
        line = output.readline()
    try:
        assert line, "the server has not started"
        port = int(line.partition("http://")[2].split()[0].rpartition(":")[2])
        yield port, lambda: os.kill(child, signal.SIGKILL)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    began = time.monotonic()
    import_all()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        done = run(start_fork, path, kills=arguments.kills, seed=arguments.seed)
        size = path.stat().st_size
    print(
        f"{arguments.kills} kills, {done.answered} requests to KMS, "
        f"{done.checked} facts checked, {size} bytes, {time.monotonic() - began:.0f} s"
    )


if __name__ == "__main__":
    main()
