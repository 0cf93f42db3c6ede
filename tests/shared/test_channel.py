"""Workers call the world over a channel: many at once, and whatever end the others come to."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kmsmock.shared.channel import RemoteWorld, Served, WorldLostError
from kmsmock.shared.world import SharedWorld
from tests.shared.conftest import share_of


class End:
    """An end of a channel, as execnet has it: a thread calls back, and at last with the marker."""

    def __init__(self, inbox: queue.Queue[Any], outbox: queue.Queue[Any]) -> None:
        self.inbox, self.outbox = inbox, outbox
        self.is_closed = False

    def send(self, item: Any) -> None:
        if self.is_closed:
            raise OSError("the channel is closed")
        self.outbox.put([item])

    def setcallback(self, callback: Callable[[Any], None], endmarker: object) -> None:
        def receive() -> None:
            while items := self.inbox.get():
                callback(*items)
            self.is_closed = True
            callback(endmarker)

        threading.Thread(target=receive, daemon=True).start()

    def close(self) -> None:
        """End the channel for both ends."""
        self.inbox.put(None)
        self.outbox.put(None)


class Worker:
    """A worker: its end of a channel, and the world as it calls it."""

    def __init__(self, world: Any) -> None:
        there: queue.Queue[Any] = queue.Queue()
        here: queue.Queue[Any] = queue.Queue()
        self.end = End(here, there)
        self.served = Served(world, End(there, here))
        self.world = RemoteWorld(self.end)


@pytest.fixture
def connect(world: SharedWorld) -> Iterator[Callable[[], Worker]]:
    workers: list[Worker] = []

    def begin() -> Worker:
        workers.append(Worker(world))
        return workers[-1]

    yield begin
    for worker in workers:
        worker.end.close()


def test_a_test_in_a_worker_uses_the_world(connect: Callable[[], Worker]) -> None:
    with share_of(connect().world, "test_a") as kms:
        kms.client().create_key()
        assert (len(kms.keys), len(kms.calls)) == (1, 1)


def test_several_workers_and_threads_get_their_own_answers(connect: Callable[[], Worker]) -> None:
    counts: dict[int, int] = {}
    problems: list[BaseException] = []
    shares = [share_of(connect().world, f"test_{number}") for number in range(3)]
    opened = [share.__enter__() for share in shares]

    def call(number: int) -> None:
        try:
            client = opened[number].client()
            for _ in range(10):
                client.create_key(Description=str(number))
            keys = opened[number].keys
            assert {key.description for key in keys} == {str(number)}
            counts[number] = len(keys)
        except BaseException as problem:  # noqa: BLE001 - the test tells it
            problems.append(problem)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for share in shares:
        share.__exit__(None, None, None)

    assert problems == []
    assert counts == {0: 10, 1: 10, 2: 10}


class Watched(SharedWorld):
    """A world that tells when the share of a worker ends."""

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        self.has_ended = threading.Event()

    def end(self, share: int) -> list[str]:
        lines = super().end(share)
        self.has_ended.set()
        return lines


def test_the_shares_of_a_worker_that_is_lost_end(world: SharedWorld) -> None:
    watched = Watched(world._kms.options)
    worker = Worker(watched)
    worker.world.begin("test_a")

    worker.end.close()

    assert watched.has_ended.wait(10)
    assert watched._shares == {}


class Stuck(SharedWorld):
    """A world that does not answer until the test lets it."""

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        self.was_asked, self.may_answer = threading.Event(), threading.Event()

    def has_issued(self, access_key: str) -> bool:
        self.was_asked.set()
        self.may_answer.wait(10)
        return super().has_issued(access_key)


def test_a_call_that_waits_fails_if_the_controller_is_lost(world: SharedWorld) -> None:
    stuck = Stuck(world._kms.options)
    worker = Worker(stuck)
    raised: list[BaseException] = []

    def call() -> None:
        try:
            worker.world.has_issued("AKIA")
        except WorldLostError as error:
            raised.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    assert stuck.was_asked.wait(10)
    worker.end.close()
    thread.join(10)
    stuck.may_answer.set()

    assert len(raised) == 1


def test_calls_after_the_end_fail_at_once(connect: Callable[[], Worker]) -> None:
    worker = connect()
    worker.world.begin("test_a")
    worker.end.is_closed = True

    with pytest.raises(WorldLostError, match="controller"):
        worker.world.begin("test_b")


def test_an_error_of_the_world_reaches_the_worker_and_the_channel_stays(
    connect: Callable[[], Worker],
) -> None:
    worker = connect()

    with pytest.raises(RuntimeError, match="KeyError: 77"):
        worker.world.describe(77, None)

    assert worker.world.begin("test_a")[0] == 1
