"""Processes of ``kmsmock serve``."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import boto3

#: The extra may be missing, as with the oldest versions.
EXTRA = ("uvicorn", "httptools")


class Served(NamedTuple):
    """A running server. line: what it has printed."""

    process: subprocess.Popen[str]
    line: str

    @property
    def url(self) -> str:
        return self.variables["AWS_ENDPOINT_URL"]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables in the line."""
        exported = self.line.partition("export ")[2].partition(")")[0].split()
        return dict(pair.split("=", 1) for pair in exported)

    def client(self, service: str = "kms", access_key: str = "test", secret: str = "test") -> Any:
        return boto3.client(
            service,
            region_name="us-east-1",
            endpoint_url=self.url,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret,
        )

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal; return exit code and what was written to stderr."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=20)
        return self.process.returncode, errors


@contextmanager
def serving(*arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[Served]:
    process = subprocess.Popen(
        [sys.executable, "-m", "kmsmock", "serve", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        yield Served(process, line)
    finally:
        process.kill()
        process.communicate()
