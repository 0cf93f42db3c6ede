"""Decrypt over HTTP: ``kmsmock serve`` beside moto's server, with 32 keep-alive connections.

``python benchmarks/server.py [--require]`` needs the extra ``server``; moto's figures need
``moto[server]``, of this environment or of another one: ``--moto PYTHON``. Servers and clients run
at the same time on the same processors. With ``--require``, the exit code is 1 if a bound of the
README is missed.
"""

from __future__ import annotations

import argparse
import json
import selectors
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

CONNECTIONS = 32
LEAST_RATE, MOST_MS, LEAST_RATIO = 3000, 20, 5
LEAST_STATE_RATIO = 0.5
_SCOPE = "testing/20260101/us-east-1/kms/aws4_request"


def headers_of(operation: str) -> dict[str, str]:
    return {
        "Host": "127.0.0.1",
        "X-Amz-Target": f"TrentService.{operation}",
        "X-Amz-Date": "20260101T000000Z",
        "Content-Type": "application/x-amz-json-1.1",
        "User-Agent": "Boto3/1.40 md/Botocore#1.40 ua/2.1 os/linux md/arch#x86_64 lang/python#3.11",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={_SCOPE}, "
        f"SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature={'0' * 64}",
    }


def call(port: int, operation: str, **parameters: str) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/", json.dumps(parameters).encode(), headers_of(operation)
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def prepare_decrypt(port: int) -> bytes:
    """Return the bytes of a Decrypt request; the generator sends them again and again."""
    key_id = call(port, "CreateKey")["KeyMetadata"]["KeyId"]
    blob = call(port, "Encrypt", KeyId=key_id, Plaintext="c2VjcmV0")["CiphertextBlob"]
    body = json.dumps({"CiphertextBlob": blob}).encode()
    headers = {**headers_of("Decrypt"), "Content-Length": str(len(body))}
    lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
    return f"POST / HTTP/1.1\r\n{''.join(lines)}\r\n".encode() + body


def generate(port: int, seconds: float, connections: int, pause: float = 0.0) -> dict[str, float]:
    """Send Decrypt requests, one after the other on each connection; return rate and latencies."""
    request = prepare_decrypt(port)
    selector = selectors.DefaultSelector()
    began: dict[socket.socket, float] = {}
    latencies: list[float] = []

    def send_on_new_connection() -> None:
        began_at = time.perf_counter()
        client = socket.create_connection(("127.0.0.1", port))
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(client, selectors.EVENT_READ, bytearray())
        began[client] = began_at
        client.sendall(request)

    for _ in range(connections):
        send_on_new_connection()
    start = time.perf_counter()
    while (now := time.perf_counter()) < start + seconds:
        for key, _ in selector.select(1):
            client: Any = key.fileobj
            received = key.data
            data = client.recv(65536)
            assert data, "the server has closed a connection"
            received += data
            if not is_complete(received):
                continue
            assert received.startswith(b"HTTP/1.1 200"), bytes(received)
            now = time.perf_counter()
            latencies.append(now - began[client])
            if b"connection: close" in received.lower():  # moto's server keeps none
                selector.unregister(client)
                del began[client]
                client.close()
                send_on_new_connection()
                continue
            received.clear()
            if pause:
                time.sleep(pause)
                now = time.perf_counter()
            began[client] = now
            client.sendall(request)
    for client in began:
        client.close()
    latencies.sort()
    return {
        "rate": len(latencies) / (now - start),
        "median": latencies[len(latencies) // 2] * 1000,
        "p99": latencies[int(len(latencies) * 0.99)] * 1000,
    }


def is_complete(received: bytearray) -> bool:
    head, end, body = received.partition(b"\r\n\r\n")
    if not end:
        return False
    length = head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]
    return len(body) >= int(length)


@contextmanager
def running(command: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait()


def find_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def measure(command: list[str], seconds: float) -> dict[str, float]:
    port = find_port()
    with running([part.replace("PORT", str(port)) for part in command], port):
        run_generator(port, 1)  # warms up
        return run_generator(port, seconds)


def run_generator(port: int, seconds: float) -> dict[str, float]:
    """Run the generator in a process of its own, as clients are."""
    command = [sys.executable, __file__, "--generate", str(port), "--seconds", str(seconds)]
    result: dict[str, float] = json.loads(subprocess.check_output(command))
    return result


def has_moto(python: str) -> bool:
    command = [python, "-c", "import moto.server, flask"]
    return subprocess.call(command, stderr=subprocess.DEVNULL) == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--moto", default=sys.executable, metavar="PYTHON")
    parser.add_argument("--require", action="store_true", help="exit code 1 below a bound")
    parser.add_argument("--generate", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.generate:
        print(json.dumps(generate(arguments.generate, arguments.seconds, CONNECTIONS)))
        return 0
    ours = measure([sys.executable, "-m", "kmsmock", "serve", "--port", "PORT"], arguments.seconds)
    rows = [
        ("Decrypt/s over HTTP, 32 connections", ours["rate"], f"≥ {LEAST_RATE}"),
        ("the same: p99 ms", ours["p99"], f"≤ {MOST_MS}"),
    ]
    good = ours["rate"] >= LEAST_RATE and ours["p99"] <= MOST_MS
    with tempfile.TemporaryDirectory() as folder:
        state = ["--state", f"{folder}/state.db"]
        command = [sys.executable, "-m", "kmsmock", "serve", "--port", "PORT", *state]
        ratio = measure(command, arguments.seconds)["rate"] / ours["rate"]
    rows.append(("the same with --state: / without", ratio, f"≥ {LEAST_STATE_RATIO}"))
    good = good and ratio >= LEAST_STATE_RATIO
    if has_moto(arguments.moto):
        theirs = measure(
            [arguments.moto, "-m", "moto.server", "-H", "127.0.0.1", "-p", "PORT"],
            arguments.seconds,
        )
        ratio = ours["rate"] / theirs["rate"]
        rows.append(("the same: / moto's server", ratio, f"≥ {LEAST_RATIO}"))
        good = good and ratio >= LEAST_RATIO
    for name, value, aim in rows:
        print(f"| {name} | {value:.2f} | {aim} |")
    return 0 if good or not arguments.require else 1


if __name__ == "__main__":
    sys.exit(main())
