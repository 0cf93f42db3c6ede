"""A good client of ``kmsmock serve``, while others drop connections, are slow, or send garbage.

``python benchmarks/hostile_clients.py [--require]`` needs the extra ``server``, and Linux. With
``--require``, the exit code is 1 if the server ends, if its memory grows, or if the client waits
for too long.
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
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from server import find_port, is_complete, prepare_decrypt, running

DROPPED, SLOW, GARBAGE = 10_000, 1_000, 2_000
MOST_MS, MOST_GROWTH = 50, 16
_PAUSE = 0.005


def drop(port: int) -> None:
    """Open connections, send a part of a request, and close them."""
    request = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n{"
    for number in range(DROPPED):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(request[: number % len(request)])


def be_slow(port: int) -> None:
    """Send a byte of each of many requests now and then, until the server ends them."""
    clients = []
    for _ in range(SLOW):
        with contextlib.suppress(OSError):
            clients.append(socket.create_connection(("127.0.0.1", port)))
    for byte in b"POST / HTTP/1.1\r\nhost: a":
        for client in clients:
            with contextlib.suppress(OSError):
                client.send(bytes([byte]))
        time.sleep(0.2)
    for client in clients:
        client.close()


def send_garbage(port: int) -> None:
    """Send random bytes."""
    for _ in range(GARBAGE):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(random.randbytes(random.randrange(4096)))


def be_good(port: int, is_over: Callable[[], bool]) -> list[float]:
    """Send a request after the other until the others have ended; return the seconds of each."""
    request, seconds = prepare_decrypt(port), []
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while not is_over():
            began, received = time.perf_counter(), bytearray()
            client.sendall(request)
            while not is_complete(received):
                data = client.recv(65536)
                assert data, "the server has closed the connection of the good client"
                received += data
            assert received.startswith(b"HTTP/1.1 200"), bytes(received)
            seconds.append(time.perf_counter() - began)
            time.sleep(_PAUSE)
    return sorted(seconds)


def read_memory(pid: int) -> float:
    """Return the resident memory of a process in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def attack(port: int) -> None:
    threads = [
        threading.Thread(target=each, args=(port,)) for each in (drop, be_slow, send_garbage)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--require", action="store_true", help="exit code 1 if a bound is missed")
    parser.add_argument("--attack", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--good", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.attack:
        attack(arguments.attack)
        return 0
    if arguments.good:
        threading.Thread(target=sys.stdin.read, name="until", daemon=True).start()
        until = next(each for each in threading.enumerate() if each.name == "until")
        print(json.dumps(be_good(arguments.good, lambda: not until.is_alive())))
        return 0
    port = find_port()
    command = [sys.executable, "-m", "kmsmock", "serve", "--port", str(port)]
    with running(command, port) as process:
        memory = []
        for _ in range(2):  # the first one warms up
            good = subprocess.Popen(
                [sys.executable, __file__, "--good", str(port)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            subprocess.check_call([sys.executable, __file__, "--attack", str(port)])
            seconds = json.loads(good.communicate()[0])
            time.sleep(2)
            memory.append(read_memory(process.pid))
        is_up = process.poll() is None
    p99, growth = seconds[int(len(seconds) * 0.99)] * 1000, memory[1] - memory[0]
    print(f"| p99 of a client among hostile ones: ms | {p99:.2f} | ≤ {MOST_MS} |")
    print(
        f"| growth of memory by 13,000 hostile connections: MiB | {growth:.2f} | ≤ {MOST_GROWTH} |"
    )
    good_enough = is_up and p99 <= MOST_MS and growth <= MOST_GROWTH
    return 0 if good_enough or not arguments.require else 1


if __name__ == "__main__":
    sys.exit(main())
