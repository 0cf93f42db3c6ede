"""A server that stores is asked for each request, since others can change what it stores."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from hashlib import md5
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import boto3
import pytest
from botocore.exceptions import ClientError

from kmsmock import KMSMock, mock_kms

REGION = "us-east-1"


class Sqs(BaseHTTPRequestHandler):
    """A server with one queue. key: of the queue; None without one. operations: that were asked."""

    key: ClassVar[str | None] = None
    exists: ClassVar[bool] = True
    operations: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.headers["X-Amz-Target"].partition(".")[2]
        self.operations.append(operation)
        if not self.exists:
            self._answer(400, {"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "no"})
        elif operation == "GetQueueAttributes":
            attributes = {} if self.key is None else {"KmsMasterKeyId": self.key}
            self._answer(200, {"Attributes": attributes})
        else:
            digest = md5(body["MessageBody"].encode(), usedforsecurity=False).hexdigest()
            self._answer(200, {"MessageId": "1", "MD5OfMessageBody": digest})

    def _answer(self, status: int, answer: Any) -> None:
        written = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(written)))
        if status >= 400:
            self.send_header("x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender")
        self.end_headers()
        self.wfile.write(written)

    def log_message(self, *_: Any) -> None:
        """Write no log."""


@pytest.fixture
def kms() -> Iterator[KMSMock]:
    with mock_kms() as kms:
        yield kms


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name, value in (("key", None), ("exists", True), ("operations", [])):
        monkeypatch.setattr(Sqs, name, value)
    server = HTTPServer(("127.0.0.1", 0), Sqs)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def send(url: str) -> None:
    sqs = boto3.client("sqs", REGION, endpoint_url=url)
    sqs.send_message(QueueUrl=f"{url}/123456789012/jobs", MessageBody="x")


def make_key(kms: KMSMock) -> str:
    arn: str = kms.client().create_key()["KeyMetadata"]["Arn"]
    return arn


def test_the_key_that_a_server_says_encrypts(kms, url, monkeypatch):
    key = make_key(kms)
    monkeypatch.setattr(Sqs, "key", key)
    send(url)
    kms.calls.assert_called("GenerateDataKey", key=key, times=1)
    assert Sqs.operations == ["GetQueueAttributes", "SendMessage"]


def test_a_server_is_asked_again_for_each_request(kms, url, monkeypatch):
    send(url)
    key = make_key(kms)
    monkeypatch.setattr(Sqs, "key", key)
    send(url)
    kms.calls.assert_called("GenerateDataKey", key=key, times=1)
    monkeypatch.setattr(Sqs, "key", None)
    kms.client().disable_key(KeyId=key)
    send(url)


def test_what_is_gone_on_a_server_is_forgotten(kms, url, monkeypatch):
    key = make_key(kms)
    monkeypatch.setattr(Sqs, "key", key)
    send(url)
    kms.client().disable_key(KeyId=key)
    monkeypatch.setattr(Sqs, "exists", False)
    with pytest.raises(ClientError, match="no"):
        send(url)
    monkeypatch.setattr(Sqs, "exists", True)
    monkeypatch.setattr(Sqs, "key", None)
    send(url)
